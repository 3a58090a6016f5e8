extension Apache {
  /// A virtual host, or the main server with what stands outside of all virtual hosts.
  struct Server: Sendable {
    struct Address: Sendable, Equatable {
      /// `*` for any.
      let host: String
      /// Nil for any.
      let port: UInt16?
    }

    /// Nil for the main server.
    let section: Directive?
    let directives: [Directive]
    /// Those that have to do with the way of a request.
    var lines: [Directive] { directives.filter(\.isOfWay) }
    let addresses: [Address]
    let name: Traced?
    let aliases: [Traced]

    init(_ directives: [Directive], section: Directive?) {
      (self.directives, self.section) = (directives, section)
      addresses = (section?.arguments ?? []).map { Address($0.text) }
      name = directives.last("servername")?.arguments.first
      aliases = directives.all("serveralias").flatMap(\.arguments)
    }

    /// `ServerName` without its scheme and port.
    var hostName: String? {
      guard var text = name?.text.lowercased() else { return nil }
      if let scheme = text.firstRange(of: "://") { text = String(text[scheme.upperBound...]) }
      return text.hasPrefix("[") ? text : String(text.prefix { $0 != ":" })
    }

    func answers(to host: String) -> Bool { hostName == host || aliases.contains { $0.text.lowercased().covers(host) } }

    func listens(on port: UInt16) -> Bool { addresses.contains { $0.port == nil || $0.port == port } }

    /// Its `SSLEngine` is on: clients talk TLS to it.
    var isTLS: Bool { directives.last("sslengine")?.text(0)?.lowercased() == "on" }
  }

  enum Choice: Sendable { case byName, byDefault, main }

  /// The virtual hosts in the configuration's order, found by their names.
  struct Hosts: Sendable {
    let all: [Server]
    /// Places in `all` by names without `*` and `?`.
    private var named: [String: [Int]] = [:]
    /// Places of those that have other names, too.
    private var patterned: [Int] = []

    init(_ all: [Server]) {
      self.all = all
      for (place, server) in all.enumerated() {
        let aliases = server.aliases.map { $0.text.lowercased() }
        for name in Set(aliases + [server.hostName].compactMap { $0 }) { named[name, default: []].append(place) }
        if aliases.contains(where: { $0.contains { "*?".contains($0) } }) { patterned.append(place) }
      }
    }

    /// The first one that has this name, or covers it by a pattern, and listens on the port.
    func first(named host: String, at port: UInt16) -> Server? {
      let byName = named[host]?.first { all[$0].listens(on: port) }
      let byPattern = patterned.first { all[$0].listens(on: port) && all[$0].answers(to: host) }
      return [byName, byPattern].compactMap { $0 }.min().map { all[$0] }
    }
  }
}

extension Apache.Server.Address {
  fileprivate init(_ text: String) {
    let end = text.hasPrefix("[") ? text.firstIndex(of: "]") ?? text.startIndex : text.startIndex
    let colon = text[end...].lastIndex(of: ":")
    let host = String(colon.map { text[..<$0] } ?? text[...])
    self.init(
      host: host == "_default_" ? "*" : host, port: colon.flatMap { UInt16(text[text.index(after: $0)...]) })
  }
}

extension Apache.Configuration {
  /// The server for a request that came in on `port`: by name, else the first for the address, else the main one.
  ///
  /// By which address it came in is not known here: one with an address of its own counts like `*`, but is never the
  /// default where there is a `*`.
  func server(for host: String, port: UInt16) -> (server: Apache.Server, choice: Apache.Choice) {
    if let named = hosts.first(named: host, at: port) { return (named, .byName) }
    let candidates = hosts.all.lazy.filter { $0.listens(on: port) }
    let open = candidates.first { $0.addresses.contains { $0.host == "*" && ($0.port == nil || $0.port == port) } }
    if let first = open ?? candidates.first { return (first, .byDefault) }
    return (main, .main)
  }

  /// Ports on which httpd listens, and whether by TLS.
  var listening: [(port: UInt16, isTLS: Bool)] {
    directives.all("listen").compactMap { listen in
      guard let text = listen.text(0), let port = UInt16(text.split(separator: ":").last ?? "") else { return nil }
      let isTLS = listen.text(1)?.lowercased() == "https" || (listen.text(1) == nil && port == 443)
      return (port, isTLS)
    }
  }
}

extension String {
  /// Whether this pattern with `*` and `?` covers all of `text`.
  func covers(_ text: String) -> Bool {
    var reached: Set<Int> = [0]
    let bytes = Array(text.utf8)
    for byte in utf8 {
      if byte == UInt8(ascii: "*") {
        reached = Set((reached.min() ?? bytes.count + 1)...max(bytes.count, reached.min() ?? bytes.count + 1))
      } else {
        reached = Set(
          reached.compactMap { $0 < bytes.count && (byte == UInt8(ascii: "?") || bytes[$0] == byte) ? $0 + 1 : nil })
      }
      if reached.isEmpty { return false }
    }
    return reached.contains(bytes.count)
  }
}
