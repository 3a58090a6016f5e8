import Pattern

extension Apache {
  /// What httpd does with a request.
  struct Route: Sendable {
    enum Kind: Sendable, Equatable {
      case proxied
      /// httpd answers itself: a file, a redirect, `!`.
      case own
      /// Rules that were not judged decide.
      case unclear
    }

    let server: Server
    let choice: Choice
    let kind: Kind
    /// The directive that decides.
    var directive: Directive?
    /// The URL it is passed on to, and what of the path follows it.
    var url: Traced?
    var rest = ""
    /// With its `?`; empty if there is none.
    var query = ""
    /// Parameters of the directive: `timeout=5`.
    var parameters: [Traced] = []
    /// A later line for a longer path, to which httpd never comes.
    var shadowed: Directive?
  }

  /// A URL of mod_proxy taken apart.
  struct Target: Sendable {
    let scheme: Traced
    let host: Traced
    let port: Traced?
    /// Path of the Unix socket.
    let socket: Traced?
    let path: String

    init(_ url: Traced) {
      var url = url
      var socket: Traced?
      if url.text.lowercased().hasPrefix("unix:"), let bar = url.bytes.firstIndex(of: UInt8(ascii: "|")) {
        socket = url[5..<bar]
        url = url[(bar + 1)..<url.bytes.count]
      }
      let bytes = url.bytes
      let colon = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
      scheme = url[0..<colon]
      let start = min(colon + 3, bytes.count)
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
      let bracket = bytes[start..<end].firstIndex(of: UInt8(ascii: "]")) ?? start
      let mark = bytes[bracket..<end].lastIndex(of: UInt8(ascii: ":")) ?? end
      host = url[start..<mark]
      port = mark < end ? url[min(mark + 1, end)..<end] : nil
      path = url[end..<bytes.count].text
      self.socket = socket
    }

    /// Host and port as they are written.
    var authority: String { host.text + (port.map { ":" + $0.text } ?? "") }

    /// The port that is dialled, as the module of the scheme has it by default.
    var number: UInt16 {
      if let port { return UInt16(port.text) ?? 0 }
      switch scheme.text.lowercased() {
      case "https", "wss", "h2": return 443
      case "fcgi": return 8000
      case "ajp": return 8009
      case "uwsgi": return 3031
      case "scgi": return 4000
      default: return 80
      }
    }
  }

  /// One server of a balancer, or the one of a plain route.
  struct Worker: Sendable {
    let target: Target
    let directive: Directive
    let parameters: [Traced]
    var isOut: Bool { status.contains { "+dDhH".contains($0) } && status.contains { "dDhH".contains($0) } }
    private var status: String { value("status")?.text ?? "" }
    /// The whole word.
    var statusParameter: Traced? { parameters.last { $0.text.lowercased().hasPrefix("status=") } }

    func value(_ name: String) -> Traced? {
      parameters.last { $0.text.lowercased().hasPrefix(name + "=") }
        .map { $0[(name.utf8.count + 1)..<$0.bytes.count] }
    }
  }
}

extension Apache.Configuration {
  /// httpd moves a request within itself so often before it gives up.
  private static let turns = 10

  /// The route of a request. `path` is as sent, with its query; `authority` as the client names the host and the port.
  func route(host: String, port: UInt16, path: String, isTLS: Bool, authority: String? = nil) -> Apache.Route {
    let (server, choice) = server(for: host, port: port)
    let way = Way(self, server)
    var asked = Apache.Asked(host: host, authority: authority, port: port, path: path, isTLS: isTLS)
    var (ending, mayRewrite) = (Way.Ending.own(server.section), true)
    for _ in 0..<Self.turns {
      ending = way.look(&asked, &mayRewrite)
      guard case .again = ending else { break }
      asked.turn += 1
    }
    switch ending {
    case .again(let directive), .unclear(let directive):
      return Apache.Route(server: server, choice: choice, kind: .unclear, directive: directive)
    case .own(let directive): return Apache.Route(server: server, choice: choice, kind: .own, directive: directive)
    case .passed(let pass):
      return Apache.Route(
        server: server, choice: choice, kind: .proxied, directive: pass.directive, url: pass.url, rest: pass.rest,
        query: asked.query.isEmpty ? "" : "?\(asked.query)", parameters: pass.parameters,
        shadowed: pass.shadowed)
    }
  }

  /// Sections that hold for a server: the main one's before its own.
  func sections(_ server: Apache.Server) -> [Apache.Directive] {
    ((server.section == nil ? [] : main.directives) + server.directives).filter { $0.block != nil }
  }

  /// The servers behind a route: the members of its balancer, or the one that it names.
  func workers(of route: Apache.Route) -> [Apache.Worker] {
    guard let url = route.url, let directive = route.directive else { return [] }
    let target = Apache.Target(url)
    guard target.scheme.text.lowercased() == "balancer" else {
      return [
        Apache.Worker(target: target, directive: directive, parameters: set(for: url.text, route) + route.parameters)
      ]
    }
    let group = "balancer://\(target.host.text.lowercased())"
    func isGroup(_ text: String?) -> Bool {
      let name = (text ?? "").lowercased()
      return name == group || name == group + "/"
    }
    let all = (route.server.section == nil ? [] : main.directives) + route.server.directives
    return all.flatMap { directive -> [Apache.Worker] in
      if directive.key == "proxy", isGroup(directive.text(0)) {
        let shared = (directive.block ?? []).all("proxyset").flatMap(\.arguments)
        return (directive.block ?? []).all("balancermember").compactMap { member in
          member.arguments.first.map {
            Apache.Worker(
              target: Apache.Target($0), directive: member,
              parameters: shared + route.parameters + member.arguments.dropFirst())
          }
        }
      }
      if directive.key == "balancermember", isGroup(directive.text(0)), directive.arguments.count > 1 {
        return [
          Apache.Worker(
            target: Apache.Target(directive.arguments[1]), directive: directive,
            parameters: Array(directive.arguments.dropFirst(2)))
        ]
      }
      return []
    }
  }

  /// The parameters that a `<Proxy URL>` sets for a worker.
  private func set(for url: String, _ route: Apache.Route) -> [Traced] {
    sections(route.server).filter { section in
      section.key == "proxy" && section.text(0).map { $0 == "*" || url.hasPrefix($0) } == true
    }.flatMap { ($0.block ?? []).all("proxyset").flatMap(\.arguments) }
  }

  /// The last value of a directive: of the sections about this path, of the virtual host, else of the main server.
  func setting(_ name: String, _ route: Apache.Route, path: String) -> Apache.Directive? {
    let url = route.url?.text ?? ""
    let inner = sections(route.server).filter { section in
      switch section.key {
      case "location", "locationmatch": section.matches(path, patterns) != nil
      case "proxy": section.text(0).map { $0 == "*" || url.hasPrefix($0) } == true
      default: false
      }
    }.flatMap { $0.block ?? [] }
    return inner.last(name) ?? route.server.directives.last(name)
      ?? (route.server.section == nil ? nil : main.directives.last(name))
  }
}

extension Apache.Directive {
  var isPattern: Bool { key == "proxypassmatch" }
  var isPass: Bool { block == nil && (key == "proxypass" || isPattern) && !arguments.isEmpty }

  /// For a `<Location>` or `<LocationMatch>` that is about the path: bytes of the path that it names, groups of its match.
  func matches(_ path: String, _ patterns: Apache.Patterns) -> (length: Int, groups: [String?])? {
    guard let first = text(0) else { return nil }
    let isRegex = key == "locationmatch" || first == "~"
    if isRegex {
      guard let match = (first == "~" ? text(1) : first).flatMap({ patterns($0) })?.firstMatch(in: path) else {
        return nil
      }
      return (path.utf8.count, match.groups)
    }
    if first.contains(where: { "*?[".contains($0) }) { return first.covers(path) ? (path.utf8.count, []) : nil }
    guard path.hasPrefix(first) else { return nil }
    let rest = path.dropFirst(first.count)
    return first.hasSuffix("/") || rest.isEmpty || rest.hasPrefix("/") ? (first.count, []) : nil
  }
}

extension Traced {
  /// `$1` replaced by groups of a match.
  func expanding(_ groups: [String?]) -> Traced {
    var result = Traced("")
    var index = 0
    while index < bytes.count {
      let next = index + 1 < bytes.count ? bytes[index + 1] : 0
      if bytes[index] == UInt8(ascii: "$"), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) {
        let group = Int(next - UInt8(ascii: "0"))
        result += Traced(groups.indices.contains(group) ? groups[group] ?? "" : "")
        index += 2
      } else {
        result += self[index..<index + 1]
        index += 1
      }
    }
    return result
  }
}

extension String {
  /// Bytes of this path that the path of an alias or a ProxyPass names; nil if it does not begin with it.
  ///
  /// Any number of slashes is one; the last word of the alias must be a whole one.
  func lengthOfAlias(_ alias: String) -> Int? {
    let (path, name) = (Array(utf8), Array(alias.utf8))
    let slash = UInt8(ascii: "/")
    var (at, index) = (0, 0)
    while index < name.count {
      guard at < path.count else { return nil }
      if name[index] == slash {
        guard path[at] == slash else { return nil }
        while index < name.count, name[index] == slash { index += 1 }
        while at < path.count, path[at] == slash { at += 1 }
      } else {
        guard path[at] == name[index] else { return nil }
        at += 1
        index += 1
      }
    }
    return name.last == slash || at == path.count || path[at] == slash ? at : nil
  }
}
