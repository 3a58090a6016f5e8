import Model
import Routes

extension HAProxy {
  /// What HAProxy does with a request, and the lines that say so.
  struct Route: Sendable {
    enum Kind: Sendable, Equatable {
      case passed
      /// A rule answers: `deny`, `return`, `redirect`.
      case answered(Directive)
      /// No backend is chosen, or one without servers: 503.
      case missing
      /// All servers of the backend are switched off: 503.
      case disabled
      /// It depends on something that the files do not tell: that line.
      case unknown(Directive)
    }

    var kind: Kind
    let frontend: Section
    let bind: Bind
    var backend: Section?
    /// The line that chose the backend.
    var choice: Directive?
    /// The passage after all rules: the host and path that the app gets.
    var passage: Passage
    var servers: [Server] = []
  }
}

extension HAProxy.Configuration {
  /// The way of a request that arrives on `port`; nil if nothing listens there.
  ///
  /// - Parameter namesPort: False: of a request that is for the host alone, whatever its port.
  func route(_ request: RouteReading.Request, namesPort: Bool = true) -> HAProxy.Route? {
    let site = request.site
    for frontend in frontends {
      let binds = frontend.all("bind").flatMap(HAProxy.Bind.all)
      guard let bind = binds.first(where: { $0.ports.contains(request.port) }) else { continue }
      let isOwnPort = site.port == (site.scheme == "https" ? 443 : 80)
      let target = site.path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
      let passage = HAProxy.Passage(
        configuration: self, host: isOwnPort || !namesPort ? site.host : "\(site.host):\(site.port)",
        path: target.first.map(String.init) ?? "/", query: target.count > 1 ? "?" + target[1] : "", isTLS: bind.isTLS,
        isSecure: site.scheme == "https",
        serverName: site.scheme == "https" && !site.host.isAddress ? site.host : "", port: request.port,
        section: frontend)
      return follow(HAProxy.Route(kind: .missing, frontend: frontend, bind: bind, passage: passage))
    }
    return nil
  }

  private func follow(_ start: HAProxy.Route) -> HAProxy.Route {
    var route = start
    if let monitor = monitor(of: route.frontend, route.passage) {
      route.kind = .answered(monitor)
      return route
    }
    if let kind = run(route.frontend, &route.passage) {
      route.kind = kind
      return route
    }
    choose(&route)
    if case .unknown = route.kind { return route }
    guard let backend = route.backend else { return route }
    if backend.head != route.frontend.head {
      route.passage.section = backend
      if let kind = run(backend, &route.passage) {
        route.kind = kind
        return route
      }
    }
    if let header = setting("http-send-name-header", of: backend), header.arguments.first?.lowercased() == "host" {
      route.passage.host = nil
    }
    route.servers = servers(of: backend, port: route.passage.port)
    route.kind = route.servers.isEmpty ? .missing : .passed
    if !route.servers.isEmpty, route.servers.allSatisfy({ $0.has("disabled") }) { route.kind = .disabled }
    return route
  }

  /// The line by which HAProxy itself says that it is well, if the request is for that: the whole target, no beginning.
  private func monitor(of frontend: HAProxy.Section, _ passage: HAProxy.Passage) -> HAProxy.Directive? {
    guard mode(of: frontend) == "http", let line = setting("monitor-uri", of: frontend),
      line.arguments.first == passage.path.map({ $0 + passage.query })
    else { return nil }
    return line
  }

  /// The line by which HAProxy shows its statistics, if the target begins as they do.
  ///
  /// Every line about them switches them on. Source: `CONFIG_STATS_DEFAULT_URI`.
  private func statistics(of section: HAProxy.Section, _ passage: HAProxy.Passage) -> HAProxy.Directive? {
    let scope = scopes(of: section).first { !$0.all("stats").isEmpty }
    guard let lines = scope?.all("stats"), let last = lines.last else { return nil }
    let named = lines.last { $0.arguments.first == "uri" }
    let start = named?.arguments.dropFirst().first ?? "/haproxy?stats"
    guard passage.path.map({ ($0 + passage.query).hasPrefix(start) }) == true else { return nil }
    return named ?? last
  }

  /// Takes the first `use_backend` that holds, else `default_backend`, else a `listen` section's own servers.
  private func choose(_ route: inout HAProxy.Route) {
    let frontend = route.frontend
    var chosen: (name: String, rule: HAProxy.Directive)?
    // Rules of which the files do not tell whether they hold, and where they would lead.
    var open: [(name: String?, rule: HAProxy.Directive)] = []
    for rule in route.passage.rules("use_backend", of: frontend) {
      guard let target = rule.arguments.first else { continue }
      let truth = route.passage.holds(rule.arguments.dropFirst())
      if truth == .no { continue }
      guard truth == .yes, !rule.mayHold, case .text(let name) = route.passage.expanded(target) else {
        open.append((target.contains("%[") ? nil : target, rule))
        continue
      }
      // A name from a map that no backend has: the default one takes the request.
      if !target.contains("%[") || backend(name) != nil { chosen = (name, rule) }
      break
    }
    if chosen == nil {
      if let rule = setting("default_backend", of: frontend), let name = rule.arguments.first {
        chosen = (name, rule)
      } else if frontend.kind == "listen" {
        chosen = (frontend.name, frontend.head)
      }
    }
    // What cannot be told makes no difference where it leads to the same backend.
    if let rule = open.first(where: { $0.name == nil || $0.name != chosen?.name })?.rule {
      route.kind = .unknown(rule)
    } else if let chosen {
      (route.backend, route.choice) = (backend(chosen.name), chosen.rule)
    }
  }

  /// Runs the `http-request` rules of a section, after those of the `defaults` that it inherits from, and its `redirect`
  /// rules; what answers, if one does.
  ///
  /// A refusal whose condition cannot be told is taken as one that does not hold: most of them keep strangers out.
  private func run(_ section: HAProxy.Section, _ passage: inout HAProxy.Passage) -> HAProxy.Route.Kind? {
    defer { passage.section = section }
    var isHTTP = mode(of: section) == "http"
    if let kind = runTCP(section, &passage, &isHTTP) { return kind }
    guard isHTTP else { return nil }
    // One that lets the request through ends the section's own rules, too.
    rules: for scope in scopes(of: section).reversed() {
      passage.section = scope
      for rule in passage.rules("http-request", of: scope) {
        let words = rule.arguments
        guard let action = words.first else { continue }
        let name = action.prefix { $0 != "(" }
        let truth = passage.holds(words.dropFirst()).and(rule.mayHold ? .unknown : .yes)
        switch (name, truth) {
        case (_, .no): passage.leave(words)
        case ("deny", .yes), ("tarpit", .yes), ("reject", .yes), ("silent-drop", .yes), ("auth", .yes):
          return .answered(rule)
        case ("deny", .unknown), ("tarpit", .unknown): passage.refusals.append(rule)
        case ("return", .yes), ("redirect", .yes), ("use-service", .yes): return .answered(rule)
        case ("return", .unknown), ("redirect", .unknown), ("use-service", .unknown): return .unknown(rule)
        case ("allow", .yes), ("accept", .yes): break rules
        default: change(&passage, String(name), words, isSure: truth == .yes)
        }
      }
    }
    passage.section = section
    if let line = statistics(of: section, passage) { return .answered(line) }
    for rule in passage.rules("redirect", of: section) {
      switch passage.holds(rule.arguments[...]).and(rule.mayHold ? .unknown : .yes) {
      case .yes: return .answered(rule)
      case .unknown: return .unknown(rule)
      case .no: continue
      }
    }
    return nil
  }

  /// Runs the `tcp-request content` rules of a section, after those of its `defaults`: the first that holds and lets
  /// the connection through or refuses it ends them.
  private func runTCP(
    _ section: HAProxy.Section, _ passage: inout HAProxy.Passage, _ isHTTP: inout Bool
  ) -> HAProxy.Route.Kind? {
    var mayEnd = false
    for scope in scopes(of: section).reversed() {
      passage.section = scope
      for rule in scope.all("tcp-request") where rule.arguments.first == "content" {
        let words = Array(rule.arguments.dropFirst())
        guard let action = words.first else { continue }
        let name = String(action.prefix { $0 != "(" })
        let truth = passage.holds(words.dropFirst()).and(rule.mayHold ? .unknown : .yes)
        switch (name, truth) {
        case (_, .no): passage.leave(words)
        case ("reject", .yes), ("silent-drop", .yes), ("use-service", .yes):
          return mayEnd ? .unknown(rule) : .answered(rule)
        case ("accept", .yes): return nil
        case ("switch-mode", .yes):
          isHTTP = true
          return nil
        case ("accept", .unknown): mayEnd = true
        case ("reject", .unknown), ("silent-drop", .unknown):
          // Most of those that hang on who asks keep strangers out.
          if !passage.hangsOnAsker(words.dropFirst()) { return .unknown(rule) }
        default: change(&passage, name, words, isSure: truth == .yes)
        }
      }
    }
    return nil
  }

  /// What a rule changes of the request; where it is not sure that it does, what it changes cannot be told any more.
  private func change(_ passage: inout HAProxy.Passage, _ action: String, _ words: [String], isSure: Bool) {
    func text(_ index: Int) -> String? {
      guard isSure, words.indices.contains(index), case .text(let text) = passage.expanded(words[index]) else {
        return nil
      }
      return text
    }
    func replaced(_ old: String?) -> String? {
      old.flatMap { old in text(2).flatMap { HAProxy.replace(old, words[1], $0) } }
    }
    switch action {
    case "set-path": passage.path = text(1)
    case "set-query": passage.setTarget(passage.path.flatMap { path in text(1).map { path + "?" + $0 } })
    case "set-pathq", "set-uri": passage.setTarget(text(1))
    case "replace-path": passage.path = replaced(passage.path)
    case "replace-pathq", "replace-uri": passage.setTarget(replaced(passage.path.map { $0 + passage.query }))
    case "set-header" where words.dropFirst().first?.lowercased() == "host": passage.host = text(2)
    case "replace-header", "replace-value":
      guard words.count > 3, words[1].lowercased() == "host" else { break }
      let text = text(3)
      passage.host = passage.host.flatMap { host in text.flatMap { HAProxy.replace(host, words[2], $0) } }
    case "add-header", "del-header":
      if words.dropFirst().first?.lowercased() == "host" { passage.host = nil }
    case "set-var", "set-var-fmt":
      guard words.count > 1, let variable = words[0].variableSet else { break }
      passage.variables[variable] =
        !isSure
        ? .unknown : action == "set-var" ? passage.sample(HAProxy.Expression(words[1])) : passage.expanded(words[1])
    default: break
    }
  }

  func servers(of backend: HAProxy.Section, port: UInt16) -> [HAProxy.Server] {
    let inherited = scopes(of: backend).dropFirst().reversed().flatMap { $0.all("default-server") }
    var defaults = inherited
    return backend.directives.compactMap { directive in
      if directive.name == "default-server" { defaults.append(directive) }
      return HAProxy.Server(directive, defaults: defaults, port: port)
    }
  }

  /// Where a rule of a frontend compares the whole `Host` header with a name, and what has to stand there to compare
  /// only the name in it.
  func nameRule(for host: String, of frontend: HAProxy.Section) -> (place: Span, fixed: String)? {
    rule(for: host, of: frontend, with: \.isOfHeaderName) { "\($0),field(1,:)" }
  }

  /// The rule that would choose a backend by the name in a TLS handshake, which HAProxy has taken part in itself and so
  /// does not see any more as `req.ssl_sni`, and that line with the fetch that gives it.
  func handshakeRule(for host: String, of frontend: HAProxy.Section) -> (place: Span, fixed: String)? {
    rule(for: host, of: frontend, with: \.isOfHandshakeName) { "ssl_fc_sni\($0.drop { !"(,".contains($0) })" }
  }

  /// The last `bind` of a frontend in TCP mode whose rules look into what a visitor sends first, and that does not wait
  /// for it: whether they find it is chance.
  ///
  /// Source: HAProxy's manual, "tcp-request inspect-delay".
  func hasty(_ frontend: HAProxy.Section) -> (span: Span, next: String?)? {
    guard mode(of: frontend) == "tcp", setting("tcp-request", "inspect-delay", of: frontend) == nil,
      frontend.directives.contains(where: { line in
        ["use_backend", "acl", "use-server"].contains(line.name)
          && line.arguments.contains { word in
            ["req.ssl_sni", "req_ssl_sni", "req.ssl_hello_type", "req_ssl_hello_type"].contains(where: word.hasPrefix)
          }
      }),
      let bind = frontend.all("bind").last, let word = bind.words.first, let span = bind.span(word)
    else { return nil }
    return (span, line(bind.line + 1, of: bind.file))
  }

  /// The first rule of a frontend about a name that takes it by such a fetch, and that line with another one.
  private func rule(
    for host: String, of frontend: HAProxy.Section, with isMeant: (HAProxy.Expression.Call) -> Bool,
    fixed: (String) -> String
  ) -> (place: Span, fixed: String)? {
    for (name, directive, _) in hosts(of: frontend) where name == host.lowercased() {
      guard let word = directive.words.first(where: { HAProxy.Expression($0.text).calls.first.map(isMeant) == true }),
        let span = directive.span(word)
      else { continue }
      return (span, span.head + fixed(word.text) + span.tail)
    }
    return nil
  }

  /// True if the backend gets a request for a name that nobody has, too.
  func isForAnyName(_ backend: HAProxy.Section, _ request: RouteReading.Request) -> Bool {
    let site = request.site
    guard let strange = Site("\(site.scheme)://no-such-site.invalid:\(site.port)\(site.path)") else { return false }
    return route(.init(site: strange, port: request.port))?.backend?.head == backend.head
  }

  /// Names that a frontend tells apart, by its rules or by the keys of its maps, with the place of each.
  func names(of frontend: HAProxy.Section) -> [(name: String, place: Span?)] {
    let written = hosts(of: frontend).map { found in
      (name: found.name, place: found.directive.span(found.word, 0..<found.name.utf8.count))
    }
    let maps = frontend.directives.flatMap(\.words).map(\.text).filter { $0.contains("map") }.flatMap { word in
      let calls = HAProxy.Expression(word.hasPrefix("%[") ? String(word.dropFirst(2)) : word).calls
      guard calls.first?.isOfHost == true else { return [String]() }
      return calls.filter { $0.name.hasPrefix("map") }.compactMap(\.arguments.first)
    }
    return written + Set(maps).sorted().flatMap { lists[$0]?.names ?? [] }
  }

  /// Names that a frontend's rules ask for, with the line of each.
  func hosts(of frontend: HAProxy.Section) -> [(name: String, directive: HAProxy.Directive, word: HAProxy.Word)] {
    frontend.directives.flatMap { directive -> [(String, HAProxy.Directive, HAProxy.Word)] in
      guard ["acl", "use_backend", "http-request", "redirect"].contains(directive.name) else { return [] }
      var found: [(String, HAProxy.Directive, HAProxy.Word)] = []
      var isHost = false
      for word in directive.words.dropFirst() {
        if let call = HAProxy.Expression(word.text).calls.first, call.isOfHost {
          isHost = true
        } else if word.text == "}" || word.text == "if" {
          isHost = false
        } else if isHost, word.text.contains("."), !word.text.hasPrefix("."), !word.text.hasPrefix("-"),
          word.text.allSatisfy({ $0.isLetter || $0.isNumber || ".-:".contains($0) })
        {
          found.append((word.text.withoutPort.lowercased(), directive, word))
        }
      }
      return found
    }
  }
}

extension HAProxy.Passage {
  /// The rules of a section that may hold for this request.
  fileprivate func rules(_ name: String, of section: HAProxy.Section) -> [HAProxy.Directive] {
    section.rules[name]?.about(host.map { [$0, serverName] }) ?? section.all(name)
  }

  /// A rule does not hold: what it would have set has no value.
  fileprivate mutating func leave(_ rule: [String]) {
    guard let variable = rule.first?.variableSet else { return }
    variables[variable] = variables[variable] ?? HAProxy.Sample.none
  }

  /// Gives the request another path and query; nil: one that cannot be told.
  fileprivate mutating func setTarget(_ target: String?) {
    path = target.map { String($0.prefix { $0 != "?" }) }
    query = target.map { String($0.drop { $0 != "?" }) } ?? ""
  }
}

extension String {
  /// The variable that an action sets: `set-var(txn.path)`, `set-var-fmt(txn.path)`.
  var variableSet: String? {
    guard hasPrefix("set-var") else { return nil }
    return HAProxy.Expression(self).calls.first?.arguments.first
  }
}

extension HAProxy.Expression.Call {
  /// It fetches the whole `Host` header.
  fileprivate var isOfHeaderName: Bool {
    ["hdr", "req.hdr", "req.fhdr"].contains(name) && arguments.first?.lowercased() == "host"
  }

  /// It fetches the name in a TLS handshake that is passed on.
  fileprivate var isOfHandshakeName: Bool { ["req.ssl_sni", "req_ssl_sni"].contains(name) }

  /// It fetches the name that the client asks for.
  fileprivate var isOfHost: Bool {
    let method = HAProxy.Method.suffix(of: name)
    switch method?.name ?? name {
    case "hdr", "req.hdr", "req.fhdr": return arguments.first?.lowercased() == "host"
    case "ssl_fc_sni", "req.ssl_sni", "req_ssl_sni", "base": return true
    default: return false
    }
  }
}
