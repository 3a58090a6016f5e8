import Model

extension HAProxy {
  /// What HAProxy does with a request, and the lines that say so.
  struct Route: Sendable {
    enum Kind: Sendable, Equatable {
      case passed
      /// A rule answers: `deny`, `return`, `redirect`.
      case answered(Directive)
      /// No backend is chosen, or one without servers: 503.
      case missing
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
  func route(_ request: RouteReading.Request) -> HAProxy.Route? {
    let site = request.site
    for frontend in frontends {
      let binds = frontend.all("bind").flatMap(HAProxy.Bind.all)
      guard let bind = binds.first(where: { $0.ports.contains(request.port) }) else { continue }
      let isOwnPort = site.port == (site.scheme == "https" ? 443 : 80)
      let target = site.path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
      let passage = HAProxy.Passage(
        configuration: self, host: isOwnPort ? site.host : "\(site.host):\(site.port)",
        path: target.first.map(String.init) ?? "/", query: target.count > 1 ? "?" + target[1] : "", isTLS: bind.isTLS,
        serverName: site.scheme == "https" && !site.host.isAddress ? site.host : "", port: request.port,
        section: frontend)
      return follow(HAProxy.Route(kind: .missing, frontend: frontend, bind: bind, passage: passage))
    }
    return nil
  }

  private func follow(_ start: HAProxy.Route) -> HAProxy.Route {
    var route = start
    if let answer = run(route.frontend, &route.passage) {
      route.kind = .answered(answer)
      return route
    }
    choose(&route)
    if case .unknown = route.kind { return route }
    guard let backend = route.backend else { return route }
    if backend.head != route.frontend.head {
      route.passage.section = backend
      if let answer = run(backend, &route.passage) {
        route.kind = .answered(answer)
        return route
      }
    }
    route.servers = servers(of: backend, port: route.passage.port)
    route.kind = route.servers.isEmpty ? .missing : .passed
    return route
  }

  /// Takes the first `use_backend` that holds, else `default_backend`, else a `listen` section's own servers.
  private func choose(_ route: inout HAProxy.Route) {
    let frontend = route.frontend
    var chosen: (name: String, rule: HAProxy.Directive)?
    // Rules of which the files do not tell whether they hold, and where they would lead.
    var open: [(name: String?, rule: HAProxy.Directive)] = []
    for rule in frontend.all("use_backend") {
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

  /// Runs a section's `http-request` and `redirect` rules; the rule that answers, if one does.
  ///
  /// A rule whose condition cannot be told is taken as one that does not hold: most of them keep strangers out.
  private func run(_ section: HAProxy.Section, _ passage: inout HAProxy.Passage) -> HAProxy.Directive? {
    guard mode(of: section) == "http" else { return nil }
    for rule in section.all("http-request") where !rule.mayHold {
      let words = rule.arguments
      guard let action = words.first, passage.holds(words.dropFirst()) == .yes else { continue }
      let name = action.prefix { $0 != "(" }
      switch name {
      case "deny", "tarpit", "return", "redirect", "reject", "use-service", "silent-drop": return rule
      case "allow", "accept": return nil
      case "set-path", "set-pathq", "set-uri":
        if words.count > 1, case .text(let path) = passage.expanded(words[1]) {
          passage.path = String(path.prefix { $0 != "?" })
        }
      case "replace-path", "replace-pathq", "replace-uri":
        if words.count > 2, let path = HAProxy.replace(passage.path, words[1], words[2]) { passage.path = path }
      case "set-header":
        if words.count > 2, words[1].lowercased() == "host", case .text(let host) = passage.expanded(words[2]) {
          passage.host = host
        }
      case "set-var", "set-var-fmt":
        guard words.count > 1, let variable = HAProxy.Expression(action).calls.first?.arguments.first else { break }
        let text = words[1]
        passage.variables[variable] =
          name == "set-var" ? passage.sample(HAProxy.Expression(text)) : passage.expanded(text)
      default: break
      }
    }
    return section.all("redirect").first { passage.holds($0.arguments[...]) == .yes && !$0.mayHold }
  }

  func servers(of backend: HAProxy.Section, port: UInt16) -> [HAProxy.Server] {
    let inherited = scopes(of: backend).dropFirst().reversed().flatMap { $0.all("default-server") }
    var defaults = inherited
    return backend.directives.compactMap { directive in
      if directive.name == "default-server" { defaults.append(directive) }
      return HAProxy.Server(directive, defaults: defaults, port: port)
    }
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

extension HAProxy.Expression.Call {
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
