import Model
public import Routes

extension Nginx {
  /// `host:port` with either part absent; the host in lower case, an IPv6 address in its brackets.
  struct Endpoint: Hashable, Sendable {
    let host: String
    let port: UInt16?

    init(host: String, port: UInt16?) { (self.host, self.port) = (host.lowercased(), port) }

    init(_ text: String) {
      let parts = Self.parts(Array(text.utf8))
      let bytes = Array(text.utf8)
      host = String(decoding: bytes[parts.host], as: UTF8.self).lowercased()
      port = parts.port.flatMap { UInt16(String(decoding: bytes[$0], as: UTF8.self)) }
    }

    static func parts(_ bytes: [UInt8]) -> (host: Range<Int>, port: Range<Int>?) {
      let afterAddress = bytes.first == UInt8(ascii: "[") ? (bytes.firstIndex(of: UInt8(ascii: "]")) ?? 0) : 0
      guard let colon = bytes[afterAddress...].firstIndex(of: UInt8(ascii: ":")) else {
        return (0..<bytes.count, nil)
      }
      return (0..<colon, colon + 1..<bytes.count)
    }

    /// The names and ports of all literal `*_pass` directives.
    static func literals(in block: [Directive]) -> [Endpoint: Directive] {
      block.reduce(into: [:]) { found, directive in
        if let kind = Route.Kind(pass: directive.name), let argument = directive.arguments.first,
          !argument.text.contains("$")
        {
          let target = Target(Traced(argument, in: directive.file), of: kind)
          found[target.endpoint] = found[target.endpoint] ?? directive
        }
        found.merge(literals(in: directive.block ?? [])) { first, _ in first }
      }
    }
  }

  /// The parts of a `*_pass` argument: `scheme://host:port/path`.
  struct Target {
    let scheme: Traced?
    let host: Traced
    let port: Traced?
    /// Path of a Unix socket; then host and port mean nothing.
    let socket: Traced?
    /// From its first `/` or `?`; nil if there is none.
    let path: Traced?
    let defaultPort: UInt16?

    init(_ value: Traced, of kind: Route.Kind) {
      let bytes = value.bytes
      let separator = bytes.indices.first { bytes[$0...].starts(with: "://".utf8) }
      let scheme = separator.map { value[0..<$0] }
      let defaults: [String: UInt16] = kind == .proxied ? ["http": 80, "https": 443] : [:]
      self.init(
        address: value[(separator.map { $0 + 3 } ?? 0)..<bytes.count], scheme: scheme,
        defaultPort: scheme.flatMap { defaults[$0.text.lowercased()] })
    }

    /// `address` is what stands behind the scheme, or all of a `server` line in a group.
    init(address: Traced, scheme: Traced?, defaultPort: UInt16?) {
      (self.scheme, self.defaultPort) = (scheme, defaultPort)
      let bytes = address.bytes
      if bytes.starts(with: "unix:".utf8) {
        let end = bytes[5...].firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
        socket = address[5..<end]
        path = end < bytes.count ? address[end + 1..<bytes.count] : nil
        (host, port) = (address[0..<0], nil)
      } else {
        let end = bytes.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? bytes.count
        let parts = Endpoint.parts(Array(bytes[..<end]))
        socket = nil
        path = end < bytes.count ? address[end..<bytes.count] : nil
        host = address[parts.host]
        port = parts.port.map { address[$0] }
      }
    }

    var endpoint: Endpoint {
      Endpoint(host: host.text, port: port.map { UInt16($0.text) } ?? defaultPort)
    }
  }

  /// One server to which a location passes its requests.
  public struct Upstream: Sendable, Equatable {
    /// When its name is looked up.
    public enum Resolution: Sendable, Equatable {
      /// An address or a Unix socket: there is nothing to look up.
      case address
      /// Once, when nginx starts or loads its configuration, by the system's rules (`/etc/hosts` too).
      case atStart
      /// A variable, but the same name and port stand literally in another line: the address from the start counts.
      case atStartBecause(Span)
      /// At requests, by these DNS servers alone; kept as long as the answer allows.
      case eachRequest(resolvers: [String])
      /// A variable without a `resolver`: nginx answers 502 to every request.
      case never
    }

    /// `http`, `https`, `grpc`, `fastcgi` …
    public let scheme: String
    /// Name or address, an IPv6 one in brackets; empty for a Unix socket.
    public let host: String
    /// The one that is dialled, the default of the scheme if the file has none; nil if that is not known.
    public let port: UInt16?
    /// Path of the Unix socket.
    public let socket: String?
    public let isBackup: Bool
    /// The word `down`, which takes it out of use.
    public let down: Span?
    public let weight: Int
    /// Connections at a time; nil: no limit.
    public let maxConnections: Int?
    /// Their number in the file.
    public let maxConnectionsSpan: Span?
    public let resolution: Resolution
    public let schemeSpan: Span?
    public let hostSpan: Span?
    /// If the file has no port, its head ends with the `:` to insert.
    public let portSpan: Span?

    public var isResolvedOnce: Bool {
      switch resolution {
      case .atStart, .atStartBecause: true
      case .address, .eachRequest, .never: false
      }
    }

    public var isResolvedEachTime: Bool {
      if case .eachRequest = resolution { true } else { false }
    }

    public var isDown: Bool { down != nil }

    /// `http://app:3000`, `http://unix:/run/app.sock`
    public var url: String {
      if let socket { return "\(scheme)://unix:\(socket)" }
      return "\(scheme)://\(host)" + (port.map { ":\($0)" } ?? "")
    }
  }
}

extension Nginx.Configuration {
  /// The servers behind a `*_pass` argument. Empty if a part of its address cannot be known.
  func upstreams(
    of target: Nginx.Target, kind: Nginx.Route.Kind, isLiteral: Bool, resolvers: [String]
  ) -> (servers: [Nginx.Upstream], group: String?) {
    let scheme = target.scheme?.text.lowercased() ?? kind.scheme
    let name = target.host.text.lowercased()
    let isKnown = ![scheme, name, target.port?.text ?? "", target.socket?.text ?? ""].contains {
      $0.contains("$")
    }
    guard isKnown, !name.isEmpty || target.socket != nil else { return ([], nil) }
    if target.port == nil, let group = upstreams[name] {
      let servers = (group.block ?? []).all("server").map { server in
        member(
          server, scheme: scheme, schemeSpan: target.scheme.flatMap(span),
          resolvers: group.block?.first("resolver")?.resolvers ?? resolvers)
      }
      return (servers, group.text(0))
    }
    let resolution: Nginx.Upstream.Resolution =
      if target.socket != nil || Self.isAddress(name) {
        .address
      } else if isLiteral {
        .atStart
      } else if let literal = literals[target.endpoint], let place = span(literal) {
        .atStartBecause(place)
      } else if resolvers.isEmpty {
        .never
      } else {
        .eachRequest(resolvers: resolvers)
      }
    return ([upstream(target, scheme, [], resolution, target.scheme.flatMap(span), down: nil, limit: nil)], nil)
  }

  /// One `server` line of a group.
  private func member(
    _ directive: Nginx.Directive, scheme: String, schemeSpan: Span?, resolvers: [String]
  ) -> Nginx.Upstream {
    let value = directive.arguments.first.map { Traced($0, in: directive.file) } ?? Traced("")
    let parameters = directive.arguments.dropFirst().map(\.text)
    let target = Nginx.Target(address: value, scheme: nil, defaultPort: 80)
    let resolution: Nginx.Upstream.Resolution =
      if target.socket != nil || Self.isAddress(target.host.text) {
        .address
      } else if parameters.contains("resolve") {
        resolvers.isEmpty ? .never : .eachRequest(resolvers: resolvers)
      } else {
        .atStart
      }
    func place(_ isWanted: (String) -> Bool) -> (text: String, span: Span)? {
      guard let argument = directive.arguments.dropFirst().first(where: { isWanted($0.text) }),
        let span = span(Traced(argument, in: directive.file))
      else { return nil }
      return (argument.text, span)
    }
    let limit = place { $0.hasPrefix(Self.limit) }
    return upstream(
      target, scheme, parameters, resolution, schemeSpan, down: place { $0 == "down" }?.span,
      limit: limit.flatMap { $0.span.part(Self.limit.count..<$0.text.count, of: $0.text) })
  }

  private func upstream(
    _ target: Nginx.Target, _ scheme: String, _ parameters: [String], _ resolution: Nginx.Upstream.Resolution,
    _ schemeSpan: Span?, down: Span?, limit: Span?
  ) -> Nginx.Upstream {
    let most = parameters.first { $0.hasPrefix(Self.limit) }.flatMap { Int($0.dropFirst(Self.limit.count)) }
    let weight = parameters.first { $0.hasPrefix("weight=") }.flatMap { Int($0.dropFirst(7)) }
    return Nginx.Upstream(
      scheme: scheme, host: target.host.text, port: target.socket == nil ? target.endpoint.port : nil,
      socket: target.socket?.text, isBackup: parameters.contains("backup"),
      down: down, weight: weight ?? 1, maxConnections: most == 0 ? nil : most,
      maxConnectionsSpan: limit, resolution: resolution,
      schemeSpan: schemeSpan,
      hostSpan: span(target.socket ?? target.host),
      portSpan: target.socket != nil
        ? nil : target.port.map(span) ?? span(behind: target.host, inserting: ":"))
  }

  private static let limit = "max_conns="

  static func isAddress(_ host: String) -> Bool {
    if host.hasPrefix("[") { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }
}

extension Nginx.Directive {
  /// The addresses of a `resolver` line, without its parameters.
  var resolvers: [String] { arguments.map(\.text).filter { !$0.contains("=") } }
}
