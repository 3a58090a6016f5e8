import Routes

extension Nginx {
  /// One `listen` of a server.
  public struct Listen: Sendable, Equatable {
    /// `*` for all IPv4 addresses, `[::]` for all IPv6 ones, the path of a Unix socket with `unix:` before it.
    public let address: String
    /// Nil for a Unix socket.
    public let port: UInt16?
    public let isDefault: Bool
    public let isTLS: Bool

    init(_ words: [String]) {
      let value = words.first ?? "*:80"
      let parameters = words.dropFirst()
      isDefault = parameters.contains("default_server") || parameters.contains("default")
      isTLS = parameters.contains("ssl") || parameters.contains("quic")
      if value.hasPrefix("unix:") {
        (address, port) = (value, nil)
      } else if let port = UInt16(value) {
        (address, self.port) = ("*", port)
      } else {
        let endpoint = Endpoint(value)
        (address, port) = (endpoint.host == "0.0.0.0" ? "*" : endpoint.host, endpoint.port ?? 80)
      }
    }
  }

  /// How nginx came to a server.
  public enum Choice: String, Sendable {
    case exact, wildcard, regex
    /// The host has no server of its own: the default one for the address takes it.
    case `default`
  }

  /// A `server_name`, or a name of the `hostnames` kind in a `map`.
  enum Name {
    case exact(String)
    /// `*.example.com`, and `.example.com` which also means the name itself.
    case suffix(String, itself: Bool)
    /// `www.example.*`
    case prefix(String)
    case regex(String)

    init(_ text: String) {
      let lower = text.lowercased()
      if text.hasPrefix("~") {
        self = .regex(String(text.dropFirst()))
      } else if lower.hasPrefix("*.") {
        self = .suffix(String(lower.dropFirst()), itself: false)
      } else if lower.hasPrefix("."), lower.count > 1 {
        self = .suffix(lower, itself: true)
      } else if lower.hasSuffix(".*") {
        self = .prefix(String(lower.dropLast()))
      } else {
        self = .exact(lower)
      }
    }
  }

  /// Which of `names` nginx takes for `host`: the exact one, the longest `*.suffix`, the longest `prefix.*`,
  /// the first regular expression.
  static func choose(
    among names: [String], for host: String, matches: Matcher
  ) -> (index: Int, choice: Choice, groups: Groups?)? {
    let kinds = names.map { Name($0) }
    func longest(_ length: (Name) -> Int?) -> Int? {
      let lengths = kinds.map { length($0) ?? -1 }
      guard let most = lengths.max(), most >= 0 else { return nil }
      return lengths.firstIndex(of: most)
    }
    let exact = kinds.firstIndex { kind in
      switch kind {
      case .exact(host): true
      case .suffix(let suffix, itself: true): suffix.dropFirst() == host
      default: false
      }
    }
    if let exact { return (exact, .exact, nil) }
    let suffix = longest { kind in
      if case .suffix(let suffix, _) = kind, host.hasSuffix(suffix), host.utf8.count > suffix.utf8.count {
        suffix.utf8.count
      } else {
        nil
      }
    }
    if let suffix { return (suffix, .wildcard, nil) }
    let prefix = longest { kind in
      if case .prefix(let prefix) = kind, host.hasPrefix(prefix), host.utf8.count > prefix.utf8.count {
        prefix.utf8.count
      } else {
        nil
      }
    }
    if let prefix { return (prefix, .wildcard, nil) }
    for (index, kind) in kinds.enumerated() {
      if case .regex(let regex) = kind, !host.isEmpty, let groups = matches("(?i)" + regex, host) {
        return (index, .regex, groups)
      }
    }
    return nil
  }

  /// One `server` block of `http`.
  struct Server: Sendable {
    let directive: Directive
    /// The settings around it and its own, without other servers and without locations, which may be thousands.
    let http: [Directive]
    let own: [Directive]
    let listens: [Listen]
    /// Each name with its directive and the number of its argument there.
    let names: [(text: String, directive: Directive, index: Int)]

    var block: [Directive] { directive.block ?? [] }

    init(_ directive: Directive, http: [Directive]) {
      self.directive = directive
      self.http = http
      let block = directive.block ?? []
      own = block.filter { $0.name != "location" }
      let listens = block.all("listen").map { Listen($0.arguments.map(\.text)) }
      self.listens = listens.isEmpty ? [Listen([])] : listens
      names = block.all("server_name").flatMap { line in
        line.arguments.enumerated().map { ($1.text, line, $0) }
      }
    }
  }
}

extension Nginx.Configuration {
  struct ChosenServer {
    let server: Nginx.Server
    let listen: Nginx.Listen
    let choice: Nginx.Choice
    /// Number of the matching name in `server.names`.
    let name: Int?
    let groups: Nginx.Groups?
  }

  /// The server for `host` among those that listen on `port`. `address` is where the connection arrives;
  /// if it is nil or no server listens there in particular, those for all addresses count.
  func server(host: String, port: UInt16, address: String?) -> ChosenServer? {
    let listening = servers.flatMap { server in
      server.listens.filter { $0.port == port }.map { (server: server, listen: $0) }
    }
    let addresses = [
      address, address?.contains(":") == true ? "[::]" : "*", "*", "[::]", listening.first?.listen.address,
    ]
    let group = addresses.lazy.compactMap { address in
      listening.filter { $0.listen.address == address }
    }.first { !$0.isEmpty }
    guard let group, let first = group.first else { return nil }
    // A server without a name has the empty one.
    let names = group.enumerated().flatMap { place, pair in
      pair.server.names.isEmpty
        ? [(place, nil, "")] : pair.server.names.enumerated().map { (place, Int?.some($0), $1.text) }
    }
    if let found = Nginx.choose(among: names.map(\.2), for: host, matches: matches) {
      let (place, name, _) = names[found.index]
      return ChosenServer(
        server: group[place].server, listen: group[place].listen, choice: found.choice, name: name,
        groups: found.groups)
    }
    let fallback = group.first(where: \.listen.isDefault) ?? first
    return ChosenServer(
      server: fallback.server, listen: fallback.listen, choice: .default, name: nil, groups: nil)
  }
}
