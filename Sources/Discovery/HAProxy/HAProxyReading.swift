import Model
import World

/// From HAProxy's files, and what it tells of itself, to the facts of a route.
enum HAProxyReading: ProxyReader {
  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> (
    RouteReading.Outcome, Facts
  ) {
    let configuration = try await load(proxy)
    var facts = await describe(configuration, proxy)
    let route = configuration.route(request)
    let files = proxy.files
    if let route, route.servers.isEmpty {
      let hosts = configuration.hosts(of: route.frontend)
      let near = request.site.host.nearest(among: Array(Set(hosts.map(\.name))))
      facts[.routeNear] = near
      if let place = hosts.first(where: { $0.name == near }) {
        facts.set(place.directive.span(place.word, 0..<place.word.text.withoutPort.utf8.count), "name", files)
      }
      facts[.routeDefinedIn] = (route.choice ?? route.frontend.head).place
      facts[.routeLogKeys] = "\(route.frontend.name)/<NOSRV>"
    }
    switch route?.kind {
    case nil, .missing:
      return (configuration.mistakes.isEmpty ? route?.choice == nil ? .missing : .default : .broken, facts)
    case .answered(let rule):
      facts[.routeDefinedIn] = rule.place
      return (.static, facts)
    case .unknown(let rule):
      throw .unreadable(
        what: rule.place, why: "whether \"\(rule.text.trimmed.printable)\" holds depends on more than the files")
    case .passed: break
    }
    guard let route, let server = route.server, let backend = route.backend else { return (.unknown, facts) }
    facts[.routeDefinedIn] = server.directive.place
    facts[.routeHost] = request.site.host
    if files.hostPath(of: server.directive.file) == nil { facts[.configInside] = proxy.place.id }
    facts.setPass(
      server.directive.words.first.flatMap { server.directive.span($0) },
      next: configuration.line(server.directive.line + 1, of: server.directive.file), files)
    describe(backend, server, of: route, configuration, &facts, files)
    try await describeResolvers(server, configuration, &facts, files)
    await describeState(server, of: backend, configuration, &facts, proxy)
    switch server.address {
    case .unknown:
      throw .unreadable(what: server.directive.place, why: "its address is in a variable of the environment")
    case .socket(let path):
      facts[.upstreamSocket] = path
      facts[.routeUpstream] = "unix:\(path)"
      return (.otherProtocol, facts)
    case .network(let host, let port):
      let port = port ?? request.port
      facts[.upstreamHost] = host
      facts[.upstreamPort] = String(port)
      let shown = host.contains(":") ? "[\(host)]" : host
      facts[.routeUpstream] = "\(facts[.upstreamScheme] ?? "http")://\(shown):\(port)"
      facts.set(server.hostSpan, "host", files)
      facts.set(server.portSpan, "port", files)
      if server.value("proto") == "fcgi" { return (.otherProtocol, facts) }
      return (.found, facts)
    }
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] {
    let configuration = try await load(proxy)
    var listed: [RouteReading.Listed] = []
    for frontend in configuration.frontends {
      let names = Set(configuration.hosts(of: frontend).map(\.name)).sorted()
      for bind in frontend.all("bind").flatMap(HAProxy.Bind.all) {
        // Each name goes through all rules, so that many of both take long.
        for name in names where !Task.isCancelled {
          guard let site = Site("\(bind.isTLS ? "https" : "http")://\(name)"),
            let route = configuration.route(.init(site: site, port: bind.ports.lowerBound)),
            let server = route.server, case .network(let host, let port) = server.address
          else { continue }
          listed.append(
            RouteReading.Listed(
              host: name, port: bind.ports.lowerBound, isTLS: bind.isTLS, path: "/",
              upstream: "\(server.isTLS ? "https" : "http")://\(host):\(port ?? bind.ports.lowerBound)"))
        }
      }
    }
    var seen: Set<RouteReading.Listed> = []
    return listed.filter { seen.insert($0).inserted }
  }

  /// What HAProxy's command line tells: `haproxy -Ws -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d -p PIDFILE`.
  struct CommandLine: Equatable {
    let program: String
    private(set) var files: [String] = []
    /// `-C`: where relative paths begin.
    private(set) var directory: String?

    init(_ proxy: RunningProxy) {
      let words = proxy.command
      program = words.first { $0.hasSuffix("haproxy") } ?? "haproxy"
      for (option, value) in zip(words, words.dropFirst()) {
        if option == "-f" { files.append(value) }
        if option == "-C" { directory = value }
      }
      if let end = words.firstIndex(of: "--") { files += words[(end + 1)...] }
      if files.isEmpty {
        files = [proxy.container == nil ? "/etc/haproxy/haproxy.cfg" : "/usr/local/etc/haproxy/haproxy.cfg"]
      }
    }

    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : (directory ?? "") + "/" + path }
  }

  /// Every file that HAProxy loads, with the lists and maps that they name. A named file that is not there is `missing`.
  static func load(_ proxy: RunningProxy) async throws(Unseen) -> HAProxy.Configuration {
    var configuration = HAProxy.Configuration()
    let line = CommandLine(proxy)
    for path in line.files.map(line.absolute) {
      let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
      let inside = try await proxy.files.glob(folder + "/*.cfg")
      for path in inside.isEmpty ? [path] : proxy.files.bounded(inside) {
        guard let text = try await proxy.files.read(path) else { throw .missing(what: path) }
        try configuration.add(text, of: path)
      }
    }
    let lists = Set(configuration.namedLists).filter { $0.hasPrefix("/") }.sorted()
    for path in proxy.files.bounded(lists) {
      guard let text = try? await proxy.files.read(path) else { continue }
      configuration.lists[path] = text.lines.map { String($0).trimmed }.filter {
        !$0.isEmpty && !$0.hasPrefix("#")
      }
    }
    return configuration
  }

  private static func describe(_ configuration: HAProxy.Configuration, _ proxy: RunningProxy) async -> Facts {
    let files = proxy.files
    let line = CommandLine(proxy)
    // Several ones are tested by HAProxy itself, when it loads them.
    var facts: Facts = [.proxyConfiguration: line.files.count == 1 ? line.absolute(line.files[0]) : ""]
    // A backend that is not there may be in a file that was not read.
    if files.unread.isEmpty, let mistake = configuration.mistakes.first {
      facts[.configProblem] = "\(mistake.file):\(mistake.line): \(mistake.message)".printable
      facts[.line("problem", "file")] = files.hostPath(of: mistake.file) ?? mistake.file
      facts[.line("problem", "number")] = String(mistake.line)
      facts[.line("problem", "text")] = mistake.text
      if files.patchPath(of: mistake.file) != nil { facts["problem-line.fixed"] = mistake.fixed }
    }
    var newest: (path: String, time: Double)?
    for path in (configuration.files + configuration.lists.keys.sorted()).prefix(200) {
      guard let time = await files.modified(path), time > newest?.time ?? 0 else { continue }
      newest = (path, time)
    }
    facts[.configNewest] = newest?.path
    facts[.configNewestTime] = newest.map { String($0.time) }
    if let main = configuration.files.last {
      facts[.configDirectory] = files.hostPath(of: String(main[..<(main.lastIndex(of: "/") ?? main.startIndex)]))
    }
    return facts
  }

  private static func describe(
    _ backend: HAProxy.Section, _ server: HAProxy.Server, of route: HAProxy.Route,
    _ configuration: HAProxy.Configuration, _ facts: inout Facts, _ files: ProxyFiles
  ) {
    let passage = route.passage
    let isTCP = configuration.mode(of: route.frontend) == "tcp"
    // Without a word of its own about TLS, a connection that is passed on as it is may be the client's own TLS.
    let isPassedTLS = isTCP && !route.bind.isTLS && !passage.serverName.isEmpty
    facts[.upstreamScheme] = server.isTLS || isPassedTLS ? "https" : "http"
    facts[.upstreamPath] = passage.path + passage.query
    facts[.routeSendsHost] = passage.host
    switch server.value("proto") {
    case "h2": facts[.routeProtocol] = server.isTLS ? "h2" : "h2c"
    case "fcgi": facts[.routeProtocol] = "fastcgi"
    default: facts[.routeProtocol] = isTCP ? "tcp" : "http"
    }
    let all = route.servers.compactMap { server -> String? in
      guard case .network(let host, let port) = server.address else { return nil }
      return "\(host):\(port ?? passage.port)"
    }
    if all.count > 1 { facts[.routeServers] = all.joined(separator: ", ") }
    let name = "\(backend.name)/\(server.name)"
    facts[.routeLogKeys] = "\(name), \(backend.name)/<NOSRV>"
    // Where Debian's rsyslog writes what HAProxy tells the system's log.
    if files.container == nil, configuration.global("log", "/dev/log") != nil {
      facts[.routeLog] = "/var/log/haproxy.log"
    }

    // Timeouts: none means that it waits for ever.
    let wait = configuration.setting("timeout", "server", of: backend)
    facts[.routeReadTimeout] = wait.flatMap { HAProxy.seconds($0.arguments.last ?? "") }?.inWords
    facts.set(wait.flatMap { wait in wait.words.last.flatMap { wait.span($0) } }, "timeout", files)
    let connect = configuration.setting("timeout", "connect", of: backend)
    facts[.routeConnectTimeout] = connect.flatMap { HAProxy.seconds($0.arguments.last ?? "") }?.inWords
    let size = configuration.global("tune.bufsize").flatMap { Int($0.arguments.first ?? "") } ?? 16_384
    let reserved = configuration.global("tune.maxrewrite").flatMap { Int($0.arguments.first ?? "") } ?? 1024
    facts[.routeHeaderLimit] = String(
      max(0, size.subtractingReportingOverflow(reserved).overflow ? 0 : size - reserved))

    // TLS to the app.
    let verifies = server.value("verify") ?? configuration.global("ssl-server-verify")?.arguments.first ?? "required"
    facts[.routeVerifies] = server.isTLS && verifies != "none" ? "on" : "off"
    facts.set(server.span("verify"), "verify", files)
    if server.span("verify") != nil { facts["verify-line.off"] = "none" }
    if server.isTLS {
      let sent = server.value("sni").map { passage.sample(HAProxy.Expression($0)) }
      facts[.routeSendsTLSName] = sent == nil ? "off" : "on"
      if let name = server.value("verifyhost") {
        facts[.routeTLSName] = name
        facts.set(server.span("verifyhost"), "ssl-name", files)
      } else if case .text(let name) = sent {
        facts[.routeTLSName] = name.withoutPort
      }
      // Without a name to compare with, any name is taken.
      facts[.routeVerifiesParts] = facts[.routeTLSName] == nil ? "issuer, expiry" : nil
      if let authorities = server.value("ca-file"), authorities.hasPrefix("/") {
        facts[.routeAuthorities] = authorities
        facts[.routeAuthoritiesFile] = files.hostPath(of: authorities)
      }
    }
    if facts[.line("pass", "text")] != nil {
      facts["pass-line.plain"] = server.plainLine
      if !server.isTLS { facts["pass-line.encrypted"] = server.line(adding: "ssl verify none") }
    }

    // Its own health check.
    guard server.has("check") else { return }
    facts[.routeHealthPort] = server.value("port")
    guard let option = configuration.setting("option", "httpchk", of: backend) else { return }
    let send = configuration.setting("http-check", "send", of: backend)?.arguments ?? []
    let words = option.arguments.dropFirst()
    let written = send.firstIndex(of: "uri").flatMap { send.indices.contains($0 + 1) ? send[$0 + 1] : nil }
    facts[.routeHealthPath] = written ?? (words.count > 1 ? words.dropFirst().first : words.first) ?? "/"
    guard let expect = configuration.setting("http-check", "expect", of: backend)?.arguments.dropFirst() else {
      facts[.routeHealthExpects] = "200-399"
      return
    }
    if let status = expect.firstIndex(of: "status"), expect.indices.contains(status + 1), !expect.contains("!") {
      facts[.routeHealthExpects] = expect[status + 1]
    }
  }

  /// When a server's name is looked up, and by whom.
  private static func describeResolvers(
    _ server: HAProxy.Server, _ configuration: HAProxy.Configuration, _ facts: inout Facts, _ files: ProxyFiles
  ) async throws(Unseen) {
    facts[.routeResolves] = RouteReading.atStart
    guard let name = server.value("resolvers"),
      let section = configuration.sections.first(where: { $0.kind == "resolvers" && $0.name == name })
    else { return }
    var servers = section.all("nameserver").compactMap { $0.arguments.last }.map { text in
      let address = text.split(separator: "@").last.map(String.init) ?? text
      return address.hasSuffix(":53") ? String(address.dropLast(3)) : address
    }
    if !section.all("parse-resolv-conf").isEmpty || name == "default" {
      let text = try await files.read("/etc/resolv.conf") ?? ""
      servers += text.lines.compactMap { line in
        let words = line.split { $0 == " " || $0 == "\t" }
        return words.count > 1 && words[0] == "nameserver" ? String(words[1]) : nil
      }
    }
    guard !servers.isEmpty else { return }
    facts[.routeResolves] = RouteReading.eachRequest
    facts[.routeResolver] = servers.joined(separator: ", ")
  }

  // MARK: What runs

  /// What HAProxy itself says of the server; silent where it has no stats socket or does not let itself be asked.
  private static func describeState(
    _ server: HAProxy.Server, of backend: HAProxy.Section, _ configuration: HAProxy.Configuration, _ facts: inout Facts,
    _ proxy: RunningProxy
  ) async {
    guard let table = await statistics(configuration, proxy) else { return }
    let rows = table.filter { $0["pxname"] == backend.name }
    guard let row = rows.first(where: { $0["svname"] == server.name }) else { return }
    switch row["status"]?.split(separator: " ").first {
    case "UP": facts[.routeHealthState] = "up"
    case "DOWN", "MAINT", "NOLB": facts[.routeHealthState] = "down"
    default: break
    }
    facts[.routeHealthReason] =
      [row["check_status"], row["check_code"], row["check_desc"]]
      .compactMap { $0.flatMap { $0.isEmpty ? nil : $0 } }.joined(separator: " ").printable
  }

  private static func statistics(_ configuration: HAProxy.Configuration, _ proxy: RunningProxy) async
    -> [[String: String]]?
  {
    guard let text = await ask(.statistics, configuration, proxy) else { return nil }
    let lines = text.lines
    guard let head = lines.first, head.hasPrefix("# ") else { return nil }
    let columns = head.dropFirst(2).split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    return lines.dropFirst().map { line in
      Dictionary(zip(columns, cells(of: line))) { first, _ in first }
    }
  }

  /// The cells of a line of CSV; a comma inside quotes is none of its own.
  private static func cells(of line: Substring) -> [String] {
    var cells = [""]
    var isQuoted = false
    for character in line {
      switch character {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted: cells.append("")
      default: cells[cells.count - 1].append(character)
      }
    }
    return cells
  }

  private static func ask(
    _ question: StatsSocket.Question, _ configuration: HAProxy.Configuration, _ proxy: RunningProxy
  ) async -> String? {
    guard let path = configuration.global("stats", "socket")?.arguments.dropFirst().first, path.hasPrefix("/"),
      let place = proxy.place.files
    else { return nil }
    return try? await proxy.world.see(StatsSocket(path: path, place: place, question: question))
  }

  /// Of the proxy: connections. Of the site's server: requests, and those that wait in the proxy for a free place.
  static func use(of request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Facts {
    let configuration = try await load(proxy)
    guard let info = await ask(.info, configuration, proxy) else { return [:] }
    var facts: Facts = [:]
    for line in info.lines {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let number = Int(String(parts[1]).trimmed) else { continue }
      if parts[0] == "CurrConns" { facts[.proxyConnections] = String(number) }
      if parts[0] == "Maxconn" { facts[.proxyConnectionLimit] = String(number) }
    }
    guard let route = configuration.route(request), let server = route.server, let backend = route.backend,
      let table = await statistics(configuration, proxy)
    else { return facts }
    let rows = table.filter { $0["pxname"] == backend.name }
    let own = rows.first { $0["svname"] == server.name }
    let all = rows.first { $0["svname"] == "BACKEND" }
    facts[.routeRequests] = own?["scur"]
    facts[.routeRequestLimit] = own?["slim"]
    let queued = [own, all].compactMap { $0?["qcur"].flatMap { Int($0) } }.max() ?? 0
    facts[.routeQueued] = queued > 0 ? String(queued) : nil
    facts.set(server.span("maxconn"), "limit", proxy.files)
    return facts
  }
}

extension HAProxy.Configuration {
  /// Words at the start of a line of which a slip of the pen is told by its nearness.
  private static let usual = [
    "server", "bind", "mode", "timeout", "option", "balance", "acl", "use_backend", "default_backend", "http-request",
    "http-response", "default-server", "http-check", "backend", "frontend", "listen", "global", "defaults", "stats",
    "maxconn", "retries", "errorfile", "redirect", "cookie",
  ]

  /// The usual ones, and words that look like them and are none.
  private static let known = Set(usual + ["node", "errorfiles"])

  /// What HAProxy would not load, as far as reading shows it: an open quote, a slip of the pen in a line's first word,
  /// a backend that is not there, TLS without a word about verifying.
  var mistakes: [HAProxy.Mistake] {
    let isVerified = global("ssl-server-verify") != nil
    var mistakes = problems.map { HAProxy.Mistake(file: $0.file, line: $0.line, text: $0.text, message: $0.message) }
    for section in sections {
      for directive in section.directives where !directive.mayHold {
        if let word = directive.words.first, !Self.known.contains(word.text),
          let near = word.text.nearest(among: Self.usual, within: 1)
        {
          let span = directive.span(word)
          mistakes.append(
            HAProxy.Mistake(
              directive, "unknown keyword '\(word.text)' in '\(section.kind)' section, probably '\(near)'",
              fixed: span.map { $0.head + near + $0.tail }))
        }
        if ["use_backend", "default_backend"].contains(directive.name), let name = directive.arguments.first,
          !name.contains("%["), directive.words.allSatisfy({ !$0.hasVariable }), backend(name) == nil
        {
          mistakes.append(HAProxy.Mistake(directive, "there is no backend '\(name)'"))
        }
      }
      guard ["backend", "listen"].contains(section.kind), !isVerified else { continue }
      for server in servers(of: section, port: 0)
      where server.isTLS && !server.has("verify") && !server.has("ca-file") && !server.directive.mayHold {
        mistakes.append(
          HAProxy.Mistake(
            server.directive, "server '\(server.name)' has ssl and neither ca-file nor verify none"))
      }
    }
    return mistakes
  }
}

extension HAProxy {
  /// What keeps the files from being loaded.
  struct Mistake: Sendable, Equatable {
    let file: String
    let line: Int
    let text: String
    let message: String
    /// The whole line, mended; nil where it cannot be told how.
    let fixed: String?

    init(file: String, line: Int, text: String, message: String, fixed: String? = nil) {
      (self.file, self.line, self.text, self.message, self.fixed) = (file, line, text, message, fixed)
    }
    init(_ directive: Directive, _ message: String, fixed: String? = nil) {
      self.init(file: directive.file, line: directive.line, text: directive.text, message: message, fixed: fixed)
    }
  }
}
