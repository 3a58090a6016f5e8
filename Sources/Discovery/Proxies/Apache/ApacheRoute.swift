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
    /// Parameters of the directive: `timeout=5`.
    var parameters: [Traced] = []
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

    func value(_ name: String) -> Traced? {
      parameters.last { $0.text.lowercased().hasPrefix(name + "=") }
        .map { $0[(name.utf8.count + 1)..<$0.bytes.count] }
    }
  }
}

extension Apache.Configuration {
  /// The route of a request. `path` is as sent, with its query.
  func route(host: String, port: UInt16, path: String, isTLS: Bool) -> Apache.Route {
    let (server, choice) = server(for: host, port: port)
    let plain = String(path.prefix { $0 != "?" })
    var variables = Rewriting(host: host, port: port, path: plain, isTLS: isTLS)
    switch variables.run(server, main) {
    case .passed(let url, let directive):
      return Apache.Route(server: server, choice: choice, kind: .proxied, directive: directive, url: url)
    case .own(let directive):
      return Apache.Route(server: server, choice: choice, kind: .own, directive: directive)
    case .unclear(let directive):
      return Apache.Route(server: server, choice: choice, kind: .unclear, directive: directive)
    case .goesOn: break
    }
    if let route = passed(server, choice, variables.path) { return route }
    if let handler = handler(server, variables.path) {
      let url = handler.arguments[0]
      return Apache.Route(
        server: server, choice: choice, kind: .proxied, directive: handler, url: url[6..<url.bytes.count],
        rest: url.text.contains("|") || !url.text.hasPrefix("proxy:http") ? "" : variables.path)
    }
    return Apache.Route(server: server, choice: choice, kind: .own, directive: server.section)
  }

  /// By `ProxyPass`: the last `<Location>` that has one, else the first line that fits, the virtual host's own first.
  private func passed(_ server: Apache.Server, _ choice: Apache.Choice, _ path: String) -> Apache.Route? {
    func route(_ directive: Apache.Directive, _ url: Traced, rest: String, _ parameters: [Traced]) -> Apache.Route {
      guard url.text != "!" else {
        return Apache.Route(server: server, choice: choice, kind: .own, directive: directive)
      }
      return Apache.Route(
        server: server, choice: choice, kind: .proxied, directive: directive, url: url, rest: rest,
        parameters: parameters)
    }
    for section in sections(server).reversed() where ["location", "locationmatch"].contains(section.key) {
      guard let matched = section.matches(path),
        let pass = (section.block ?? []).last(where: { $0.isPass }), let url = pass.arguments.first
      else { continue }
      let parameters = Array(pass.arguments.dropFirst())
      if matched.groups.isEmpty, !pass.isPattern {
        return route(pass, url, rest: String(path.dropFirst(matched.length)), parameters)
      }
      return route(pass, url.expanding(matched.groups), rest: "", parameters)
    }
    for pass in server.directives + (server.section == nil ? [] : main.directives)
    where pass.isPass && pass.arguments.count > 1 {
      let parameters = Array(pass.arguments.dropFirst(2))
      if pass.isPattern {
        guard let match = (try? Pattern(pass.arguments[0].text))?.firstMatch(in: path) else { continue }
        let url = pass.arguments[1]
        // Without a `$1` the whole path follows, as for ProxyPass.
        let hasGroups = url.text.contains("$")
        return route(pass, url.expanding(match.groups), rest: hasGroups ? "" : path, parameters)
      }
      guard let length = path.lengthOfAlias(pass.arguments[0].text) else { continue }
      return route(pass, pass.arguments[1], rest: String(path.dropFirst(length)), parameters)
    }
    return nil
  }

  /// `SetHandler "proxy:…"` of the sections that are about the path, the last one.
  private func handler(_ server: Apache.Server, _ path: String) -> Apache.Directive? {
    var found: Apache.Directive?
    func look(_ directives: [Apache.Directive]) {
      for directive in directives {
        if directive.key == "sethandler", directive.text(0)?.lowercased().hasPrefix("proxy:") == true {
          found = directive
        } else if let block = directive.block, directive.isAbout(path) {
          look(block)
        }
      }
    }
    if server.section != nil { look(main.directives) }
    look(server.directives)
    return found
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
      case "location", "locationmatch": section.matches(path) != nil
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
  func matches(_ path: String) -> (length: Int, groups: [String?])? {
    guard let first = text(0) else { return nil }
    let isRegex = key == "locationmatch" || first == "~"
    if isRegex {
      guard let regex = first == "~" ? text(1) : first, let match = (try? Pattern(regex))?.firstMatch(in: path) else {
        return nil
      }
      return (path.utf8.count, match.groups)
    }
    if first.contains(where: { "*?[".contains($0) }) { return first.covers(path) ? (path.utf8.count, []) : nil }
    guard path.hasPrefix(first) else { return nil }
    let rest = path.dropFirst(first.count)
    return first.hasSuffix("/") || rest.isEmpty || rest.hasPrefix("/") ? (first.count, []) : nil
  }

  /// Whether a section is about a path, as far as that can be told without the files of the site.
  fileprivate func isAbout(_ path: String) -> Bool {
    switch key {
    case "location", "locationmatch": return matches(path) != nil
    case "files", "filesmatch":
      // A folder is answered by its index, and most apps lead every path to one script.
      let last = path.split(separator: "/").last.map(String.init) ?? ""
      let name = path.hasSuffix("/") || !last.contains(".") ? "index.php" : last
      guard let first = text(0) else { return false }
      if key == "filesmatch" || first == "~" {
        return (first == "~" ? text(1) : first).flatMap { try? Pattern($0) }?.matches(name) == true
      }
      return first.covers(name)
    case "directory", "directorymatch", "if", "limitexcept": return true
    default: return false
    }
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
