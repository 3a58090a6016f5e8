internal import Glibc
public import Routes

extension Nginx {
  /// What nginx does with a request, and the lines that say so.
  public struct Route: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
      case proxied, fastcgi, uwsgi, scgi, grpc
      /// nginx answers by itself with this status.
      case returned(Int)
      case redirect(Int, to: String)
      /// Files below this folder; nil if the folder is nginx's own default.
      case `static`(root: String?)

      init?(pass directive: String) {
        switch directive {
        case "proxy_pass": self = .proxied
        case "fastcgi_pass": self = .fastcgi
        case "uwsgi_pass": self = .uwsgi
        case "scgi_pass": self = .scgi
        case "grpc_pass": self = .grpc
        default: return nil
        }
      }

      static let families = ["proxy", "fastcgi", "uwsgi", "scgi", "grpc"]

      /// The first word of the directives that set its timeouts.
      var family: String {
        switch self {
        case .fastcgi: "fastcgi"
        case .uwsgi: "uwsgi"
        case .scgi: "scgi"
        case .grpc: "grpc"
        case .proxied, .returned, .redirect, .static: "proxy"
        }
      }

      /// The scheme of an upstream that is written without one.
      var scheme: String { self == .proxied ? "http" : family }

      /// True if requests are passed on.
      var isPassed: Bool {
        switch self {
        case .proxied, .fastcgi, .uwsgi, .scgi, .grpc: true
        case .returned, .redirect, .static: false
        }
      }
    }

    /// A directive in effect; without a span it is nginx's default.
    public struct Setting<Value: Sendable & Equatable>: Sendable, Equatable {
      public let value: Value
      public let span: Span?

      public init(value: Value, span: Span?) { (self.value, self.span) = (value, span) }
    }

    public let kind: Kind
    /// How the server was chosen; `default` means the host has none of its own.
    public let choice: Choice
    /// The `server_name` that matched, as written; for the default server its first one, if any.
    public let serverName: String?
    public let serverNameSpan: Span?
    public let listen: Listen
    /// File and line of the `server` block.
    public let serverFile: String
    public let serverLine: Int
    /// As written after `location`: `/`, `= /health`, `~ \.php$`; nil if the server itself answers.
    public let location: String?
    public let locationFile: String?
    public let locationLine: Int?

    /// The argument of `proxy_pass` or its relatives: its line is the one to insert other directives after.
    public let passSpan: Span?
    /// The argument with the variables that can be known replaced.
    public let pass: String?
    /// Empty if nothing is passed on, or the address has variables that cannot be known.
    public let upstreams: [Upstream]
    /// Name of the `upstream` group.
    public let group: String?
    /// Path and query that the upstream gets. For FastCGI and its relatives: those of the request.
    public let upstreamPath: String?

    /// The addresses of the `resolver` in effect.
    public let resolver: Setting<[String]>
    public let connectTimeout: Setting<Duration>
    /// Between two reads, not for the whole answer.
    public let readTimeout: Setting<Duration>
    public let sendTimeout: Setting<Duration>
    /// Bytes for the header of an answer; nginx's own default is one memory page.
    public let headerLimit: Setting<Int>
    /// Bytes of a request's body; nil: no limit. nginx's own default is 1 MB.
    public let bodyLimit: Setting<Int?>
    /// The location itself sets the number and size of its other buffers.
    public let setsBuffers: Bool
    /// The argument of the `proxy_pass` without scheme and path: `app:3000`; and the whole line without variables, if
    /// it had some. Nil if the line has more in it than that.
    public let passTarget: String?
    public let passLiteral: String?
    /// On which failures another server of the group is tried.
    public let nextUpstream: Setting<[String]>
    /// Whether the upstream's certificate is verified.
    public let verifies: Setting<Bool>
    /// Whether the name is sent in the handshake (SNI).
    public let sendsServerName: Setting<Bool>
    /// The name that is sent and that the certificate has to have.
    public let tlsName: Setting<String>
    public let trustedCertificate: Setting<String>?
    /// Whether nginx has a certificate of its own for the upstream.
    public let sendsCertificate: Bool
    /// The `Host` header that the upstream gets.
    public let hostHeader: Setting<String>
    /// As written; nil if none is set: then the one that is compiled in.
    public let errorLog: Setting<String>?
    /// As written; empty if none is set or it is `off`.
    public let accessLogs: [String]
  }
}

extension Nginx.Route {
  /// Name, port, location and place of the server: what tells two listed routes apart, and their order.
  fileprivate var order: [String] {
    func padded(_ number: Int) -> String {
      String(repeating: "0", count: max(0, 7 - String(number).count)) + String(number)
    }
    return [serverName ?? "", padded(Int(listen.port ?? 0)), location ?? "", serverFile, padded(serverLine)]
  }
}

extension Nginx.Configuration {
  /// What nginx does with a request that arrives on `port`; nil if no server listens there.
  ///
  /// `host` and `path` are those of the request, `path` with its query; `isTLS` says how the client speaks to
  /// nginx. `address` is the one the connection arrives at, if servers listen on single addresses.
  /// Conditions (`if`) are not evaluated, and of `try_files` the fallback counts.
  public func route(
    host: String, port: UInt16, path: String = "/", isTLS: Bool, address: String? = nil
  ) -> Nginx.Route? {
    let request = Nginx.Request(host: host, port: port, path: path, isTLS: isTLS)
    guard let chosen = server(host: request.host, port: port, address: address) else { return nil }
    var variables = Nginx.Variables(self, request, chosen)
    if case .returned(let code, let target, _) = variables.run(chosen.server.block) {
      return route(request, chosen, [], answer(code, target), variables)
    }
    // nginx gives up after ten changes of the path.
    var last: [Nginx.Directive] = []
    for _ in 0..<10 {
      let found = Nginx.location(of: variables.path, in: chosen.server.block, matches: matches)
      variables.learn(found.groups)
      if let target = found.redirect {
        return route(request, chosen, found.chain, .redirect(301, to: target), variables)
      }
      var chain = found.chain
      var step = enter(chain.last?.block ?? [], &variables)
      if case .fallback(let name) = step {
        guard
          let named = chosen.server.block.all("location").first(where: { $0.text(0) == name })
        else { return route(request, chosen, chain, .returned(500), variables) }
        chain = [named]
        step = enter(named.block ?? [], &variables)
      }
      switch step {
      case .moved: last = chain
      case .returned(let code, let target):
        return route(request, chosen, chain, answer(code, target), variables)
      case .fallback, .content:
        let kind = kind(of: chain, chosen, variables)
        if case .static = kind, let index = script(of: chain, chosen), variables.path.hasSuffix("/") {
          variables.move(to: variables.path + index)
          last = chain
          continue
        }
        return route(request, chosen, chain, kind, variables)
      }
    }
    return route(request, chosen, last, .returned(500), variables)
  }

  /// Every name and location that passes requests on, in a stable order: by name, port and location.
  public func allRoutes() -> [Nginx.Route] {
    var routes: [[String]: Nginx.Route] = [:]
    for server in servers where !Task.isCancelled {
      let names = server.names.isEmpty ? [nil] : server.names.indices.map(Int?.some)
      for listen in server.listens where listen.port != nil {
        for name in names {
          // `listen 80` and `listen [::]:80` are one route.
          for route in passing(server, listen, name: name) {
            routes[route.order] = routes[route.order] ?? route
          }
        }
      }
    }
    return routes.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
  }

  private func passing(_ server: Nginx.Server, _ listen: Nginx.Listen, name: Int?) -> [Nginx.Route] {
    let chosen = ChosenServer(
      server: server, listen: listen, choice: name == nil ? .default : .exact, name: name, groups: nil)
    return chains(in: server.block, above: []).compactMap { chain in
      guard !Task.isCancelled, let last = chain.last, let pass = last.passes,
        let kind = Nginx.Route.Kind(pass: pass.name)
      else {
        return nil
      }
      let request = Nginx.Request(
        host: name.map { server.names[$0].text } ?? "", port: listen.port ?? 80,
        path: Nginx.Location(last).prefix ?? "/", isTLS: listen.isTLS)
      var variables = Nginx.Variables(self, request, chosen)
      _ = variables.run(server.own)
      _ = variables.run(last.block ?? [])
      return route(request, chosen, chain, kind, variables)
    }
  }

  private func chains(in block: [Nginx.Directive], above: [Nginx.Directive]) -> [[Nginx.Directive]] {
    block.all("location").flatMap { location in
      let chain = above + [location]
      return [chain] + chains(in: location.block ?? [], above: chain)
    }
  }

  private enum Step {
    case content, moved
    case returned(code: Int, target: String?)
    /// On to a named location.
    case fallback(String)
  }

  /// Runs a location's `set`, `rewrite` and `return`, then its `try_files`.
  private func enter(_ block: [Nginx.Directive], _ variables: inout Nginx.Variables) -> Step {
    switch variables.run(block) {
    case .returned(let code, let target, _): return .returned(code: code, target: target)
    case .moved: return .moved
    case .goesOn: break
    }
    guard let files = block.first("try_files"), let last = files.arguments.last, !last.text.hasPrefix("=")
    else {
      return .content
    }
    if last.text.hasPrefix("@") { return .fallback(last.text) }
    let target = variables.expand(last, in: files.file).text
    guard !target.contains("$"), target.prefix(while: { $0 != "?" }) != variables.path else {
      return .content
    }
    variables.move(to: target)
    return .moved
  }

  private func answer(_ code: Int, _ target: String?) -> Nginx.Route.Kind {
    [301, 302, 303, 307, 308].contains(code) ? .redirect(code, to: target ?? "") : .returned(code)
  }

  private func kind(
    of chain: [Nginx.Directive], _ chosen: ChosenServer, _ variables: Nginx.Variables
  ) -> Nginx.Route.Kind {
    if let pass = chain.last?.passes, let kind = Nginx.Route.Kind(pass: pass.name) { return kind }
    let scope = Scope(chosen.server, chain)
    let root = chain.last?.block?.first("alias") ?? scope.first("root")
    return .static(root: root?.arguments.first.map { variables.expand($0, in: root?.file ?? "").text })
  }

  /// The first of a folder's `index` files that is a script: nginx moves a request for the folder to it.
  private func script(of chain: [Nginx.Directive], _ chosen: ChosenServer) -> String? {
    Scope(chosen.server, chain).first("index")?.arguments.map(\.text).first { $0.hasSuffix(".php") }
  }

  /// The blocks around a location, from `http` to itself: what an inner one says replaces what an outer one says.
  private struct Scope {
    let blocks: [[Nginx.Directive]]
    init(_ server: Nginx.Server, _ chain: [Nginx.Directive]) {
      blocks = [server.http, server.own] + chain.map { $0.block ?? [] }
    }
    func all(_ name: String) -> [Nginx.Directive] {
      blocks.reversed().lazy.map { $0.all(name) }.first { !$0.isEmpty } ?? []
    }
    func first(_ name: String) -> Nginx.Directive? { all(name).first }
  }

  private func route(
    _ request: Nginx.Request, _ chosen: ChosenServer, _ chain: [Nginx.Directive], _ kind: Nginx.Route.Kind,
    _ variables: Nginx.Variables
  ) -> Nginx.Route {
    let scope = Scope(chosen.server, chain)
    let isPassed = chain.last?.passes.map { Nginx.Route.Kind(pass: $0.name) == kind } ?? false
    let pass = isPassed ? chain.last?.passes : nil
    let value = pass.flatMap { pass in pass.arguments.first.map { variables.expand($0, in: pass.file) } }
    let target = value.map { Nginx.Target($0, of: kind) }
    let isLiteral = pass?.text(0)?.contains("$") == false
    let resolver = scope.first("resolver")
    let found = target.map {
      upstreams(of: $0, kind: kind, isLiteral: isLiteral, resolvers: resolver?.resolvers ?? [])
    }
    let proxyHost = target.map { target in
      target.host.text
        + (target.port.map { $0.text == target.defaultPort.map(String.init) ? "" : ":" + $0.text } ?? "")
    }
    func setting<Value>(_ name: String, _ fallback: Value, _ read: (Nginx.Directive) -> Value?)
      -> Nginx.Route.Setting<Value>
    {
      guard let directive = scope.first("\(kind.family)_\(name)"), let value = read(directive) else {
        return Nginx.Route.Setting(value: fallback, span: nil)
      }
      return Nginx.Route.Setting(value: value, span: span(directive))
    }
    func timeout(_ name: String) -> Nginx.Route.Setting<Duration> {
      setting(name + "_timeout", .seconds(60)) { $0.text(0).flatMap(Nginx.duration) }
    }
    func text(_ directive: Nginx.Directive, _ index: Int) -> String? {
      guard directive.arguments.indices.contains(index) else { return nil }
      let argument = directive.arguments[index]
      if let proxyHost, argument.text == "$proxy_host" { return proxyHost }
      return variables.expand(argument, in: directive.file).text
    }
    // The argument without variables, of a line that has nothing else.
    let known = pass.map(isAlone) == true ? value.flatMap { $0.text.contains("$") ? nil : $0.text } : nil
    let ownBlock = isPassed ? chain.last?.block ?? [] : []
    let limit = ownBlock.first("\(kind.family)_buffer_size")
    let server = chosen.server
    let name = chosen.name ?? (server.names.isEmpty ? nil : 0)
    let host = scope.all("\(kind.family)_set_header").first { $0.text(0)?.lowercased() == "host" }
    let errorLog = scope.first("error_log")
    let trusted = scope.first("\(kind.family)_ssl_trusted_certificate")
    return Nginx.Route(
      kind: kind, choice: chosen.choice, serverName: name.map { server.names[$0].text },
      serverNameSpan: name.flatMap { span(server.names[$0].directive, server.names[$0].index) },
      listen: chosen.listen, serverFile: server.directive.file, serverLine: server.directive.line,
      location: chain.last.map { $0.arguments.map(\.text).joined(separator: " ") },
      locationFile: chain.last?.file, locationLine: chain.last?.line,
      passSpan: pass.flatMap { span($0) }, pass: value?.text, upstreams: found?.servers ?? [],
      group: found?.group,
      upstreamPath: target.map { path(of: $0, kind, isLiteral, chain.last, request, variables) },
      resolver: Nginx.Route.Setting(value: resolver?.resolvers ?? [], span: resolver.flatMap { span($0) }),
      connectTimeout: timeout("connect"), readTimeout: timeout("read"), sendTimeout: timeout("send"),
      headerLimit: Nginx.Route.Setting(
        value: setting("buffer_size", Int(getpagesize())) { $0.text(0).flatMap(Nginx.size) }.value,
        span: limit.flatMap { span($0) }),
      bodyLimit: bodyLimit(scope.first("client_max_body_size")),
      setsBuffers: ownBlock.first("\(kind.family)_buffers") != nil, passTarget: known.map { Self.target(of: $0) },
      passLiteral: isLiteral ? nil : known.flatMap { known in pass.map { "\($0.name) \(known);" } },
      nextUpstream: setting("next_upstream", ["error", "timeout"]) { $0.arguments.map(\.text) },
      verifies: setting("ssl_verify", false) { $0.text(0) == "on" },
      sendsServerName: setting("ssl_server_name", false) { $0.text(0) == "on" },
      tlsName: setting("ssl_name", target?.host.text ?? "") { text($0, 0) },
      trustedCertificate: trusted.flatMap { trusted in
        trusted.text(0).map { Nginx.Route.Setting(value: $0, span: span(trusted)) }
      },
      sendsCertificate: scope.first("\(kind.family)_ssl_certificate") != nil,
      hostHeader: Nginx.Route.Setting(
        value: host.flatMap { text($0, 1) } ?? proxyHost ?? "", span: host.flatMap { span($0, 1) }),
      errorLog: errorLog.flatMap { log in
        log.text(0).map { Nginx.Route.Setting(value: $0, span: span(log)) }
      },
      accessLogs: scope.all("access_log").compactMap { $0.text(0) }.filter { $0 != "off" })
  }

  private func bodyLimit(_ directive: Nginx.Directive?) -> Nginx.Route.Setting<Int?> {
    guard let directive, let size = directive.text(0).flatMap(Nginx.size) else {
      return Nginx.Route.Setting(value: 1 << 20, span: nil)
    }
    return Nginx.Route.Setting(value: size == 0 ? nil : size, span: span(directive))
  }

  /// True for a line that is nothing but `proxy_pass http://app:3000/;`.
  private func isAlone(_ pass: Nginx.Directive) -> Bool {
    guard let text = line(pass.line, of: pass.file), let argument = pass.text(0) else { return false }
    let words = text.split { $0 == " " || $0 == "\t" }
    return words.count == 2 && words[0] == pass.name && words[1] == argument + ";"
  }

  /// `app:3000` of `http://app:3000/path`, `unix:/run/app.sock` of `http://unix:/run/app.sock:/path`.
  private static func target(of argument: String) -> String {
    let address = argument.firstRange(of: "://").map { argument[$0.upperBound...] } ?? argument[...]
    if address.hasPrefix("unix:") { return "unix:" + address.dropFirst(5).prefix { $0 != ":" } }
    return String(address.prefix { $0 != "/" && $0 != "?" })
  }

  /// The path and query that the upstream gets, as `ngx_http_proxy_create_request` puts them together.
  private func path(
    of target: Nginx.Target, _ kind: Nginx.Route.Kind, _ isLiteral: Bool, _ location: Nginx.Directive?,
    _ request: Nginx.Request, _ variables: Nginx.Variables
  ) -> String {
    guard kind == .proxied, let path = target.path?.text else {
      return variables.isAsSent ? request.target : variables.escapedPath()
    }
    if !isLiteral { return path.hasPrefix("?") ? "/" + path : path }
    guard variables.isOfLocation else { return variables.escapedPath() }
    let matched = location.flatMap { Nginx.Location($0).prefix } ?? ""
    return path + variables.escapedPath(droppingFirst: matched.utf8.count)
  }
}
