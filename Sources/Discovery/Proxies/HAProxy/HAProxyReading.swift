import Model
import Routes
import World

/// From HAProxy's files, and what it tells of itself, to the facts of a route.
enum HAProxyReading: ProxyReader {
  static let facts: [FactName] =
    [.haproxyMaintenance, .haproxyAlone, .haproxyPIDFile, .haproxyUnended, .routePreamble]
    + FactName.ofWholeLine(.unprefaced)

  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading {
    let configuration = try await load(proxy)
    let files = proxy.files
    // A backend that is not there may be in a file that was not read.
    let mistake = files.unread.isEmpty ? configuration.mistakes.first : nil
    var reading = Reading(
      outcome: .found, configuration: await seen(configuration, mistake, proxy), entry: nil, route: nil, problem: nil,
      near: nil, app: nil, labels: nil, log: Reading.Log(file: .known(log(of: configuration, files)), keys: []),
      own: own(configuration, proxy).merging([
        .haproxyUnended: configuration.unended.lazy.compactMap { files.hostPath(of: $0) }.first ?? ""
      ]))
    func entry(_ line: String, site: Setting<String>? = nil) -> Reading.Entry {
      Reading.Entry(site: site, definedIn: line, router: nil, service: nil, provider: nil)
    }
    func misconfigured(_ place: String, _ reason: String, _ remedy: Reading.Problem.Remedy?) -> Reading {
      (reading.outcome, reading.entry) = (.misconfigured, entry(place, site: Setting(request.site.host, nil)))
      reading.problem = Reading.Problem(reason: reason, remedy: remedy, label: nil)
      return reading
    }
    func corrected(_ rule: (place: Span, fixed: String)) -> Reading.Problem.Remedy? {
      files.edit(rule.place).map { .line($0, fixed: rule.fixed) }
    }
    let found = configuration.route(request)
    // A browser names the port, too, where that is not the scheme's own.
    if let route = found, route.choice?.name != "use_backend",
      let named = configuration.route(request, namesPort: false),
      named.kind == .passed, named.choice != route.choice, let choice = named.choice
    {
      return misconfigured(
        choice.place,
        "a browser asks for \(request.site.authority), and the rule compares all of that with the name alone",
        configuration.nameRule(for: request.site.host, of: route.frontend).flatMap(corrected))
    }
    if let route = found, route.bind.isTLS, route.choice?.name != "use_backend", route.kind == .missing,
      let rule = configuration.handshakeRule(for: request.site.host, of: route.frontend)
    {
      return misconfigured(
        "\(rule.place.file):\(rule.place.line)",
        "req.ssl_sni is empty where HAProxy itself ends TLS; ssl_fc_sni has the name", corrected(rule))
    }
    if let route = found, let bind = configuration.hasty(route.frontend) {
      let indentation = bind.span.indentation
      return misconfigured(
        route.frontend.head.place,
        "frontend '\(route.frontend.name)' looks for the name in the TLS hello and does not wait for it",
        files.edit(bind.span).map { edit in
          .insertion(
            edit,
            text: "\(indentation)tcp-request inspect-delay 5s\n"
              + "\(indentation)tcp-request content accept if { req_ssl_hello_type 1 }",
            next: bind.next)
        })
    }
    if let route = found, route.servers.isEmpty {
      let names = configuration.names(of: route.frontend)
      reading.near = request.site.host.nearest(among: Set(names.map(\.name)).sorted()).map { near in
        Setting(near, files.edit(names.first { $0.name == near }?.place))
      }
      reading.entry = entry((route.choice ?? route.frontend.head).place)
      reading.log.keys = ["\(route.frontend.name)/<NOSRV>"]
    }
    switch found?.kind {
    case nil, .missing:
      reading.outcome = mistake == nil ? found?.choice == nil ? .missing : .default : .broken
      return reading
    case .answered(let rule):
      (reading.outcome, reading.entry) = (.static, entry(rule.place))
      // A backend that only answers, and that a name which nobody has gets as well, is for those.
      if let route = found, let backend = route.backend, configuration.servers(of: backend, port: 0).isEmpty,
        !configuration.names(of: route.frontend).isEmpty, configuration.isForAnyName(backend, request)
      {
        reading.outcome = .default
      }
      return reading
    case .unknown where mistake != nil:
      reading.outcome = .broken
      return reading
    case .unknown(let rule):
      throw .unreadable(
        what: rule.place, why: .init(.notInFiles, rule.text.trimmed.printable))
    case .disabled:
      // It may have been switched on since, over the socket.
      guard let backend = found?.backend, let server = found?.servers.first,
        await isUp(server, of: backend, configuration, proxy).value != true
      else { break }
      (reading.outcome, reading.entry) = (.misconfigured, entry(server.directive.place))
      reading.log.keys = ["\(backend.name)/<NOSRV>"]
      reading.problem = Reading.Problem(
        reason: "backend '\(backend.name)' has no server available!",
        remedy: files.edit(server.setting("disabled").flatMap { $0.directive.span($0.name) })
          .map { .line($0, fixed: server.line(without: "disabled")) }, label: nil)
      return reading
    case .passed: break
    }
    guard let route = found, let backend = route.backend,
      let server = route.servers.chosen(request.server, by: { $0.asServer(port: request.port) })
    else {
      reading.outcome = .unknown
      return reading
    }
    reading.entry = entry(server.directive.place, site: Setting(request.site.host, nil))
    reading.configuration.container = files.container(with: server.directive.file)
    reading.log.keys = ["\(backend.name)/\(server.name)", "\(backend.name)/<NOSRV>"]
    reading.route = try await Self.route(route, server, of: backend, request, configuration, proxy)
    let preambles = ["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn"]
    if let word = preambles.first(where: server.has) {
      reading.own[.routePreamble] = "yes"
      let place = files.edit(server.directive.words.first.flatMap { server.directive.span($0) })
      if let place, let line = server.line(without: word, and: ["proxy-v2-options"]) {
        reading.own.set(Replacement(line: place.span, lines: line), .unprefaced)
      }
    }
    if await status(server, of: backend, configuration, proxy) == "MAINT" { reading.own[.haproxyMaintenance] = "yes" }
    return reading
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
            let server = route.servers.chosen(nil, by: { $0.asServer(port: bind.ports.lowerBound) }),
            let endpoint = server.asServer(port: bind.ports.lowerBound)?.endpoint, case .network = endpoint
          else { continue }
          listed.append(
            RouteReading.Listed(
              host: name, port: bind.ports.lowerBound, isTLS: bind.isTLS, path: "/",
              upstream: "\(server.isTLS ? "https" : "http")://\(endpoint.text)"))
        }
      }
    }
    var seen: Set<RouteReading.Listed> = []
    return listed.filter { seen.insert($0).inserted }
  }

  /// Without a master, signals that load the configuration end the program.
  private static func own(_ configuration: HAProxy.Configuration, _ proxy: RunningProxy) -> Facts {
    let line = CommandLine(proxy)
    guard proxy.container == nil, !proxy.command.isEmpty, !line.hasMaster,
      configuration.global("master-worker") == nil
    else { return [:] }
    return [.haproxyAlone: "yes", .haproxyPIDFile: line.pidFile ?? ""]
  }

  /// What HAProxy's command line tells: `haproxy -Ws -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d -p PIDFILE`.
  struct CommandLine: Equatable {
    let program: String
    private(set) var files: [String] = []
    /// `-C`: where relative paths begin.
    private(set) var directory: String?
    /// `-p`: where it keeps its own number.
    private(set) var pidFile: String?
    let hasMaster: Bool

    init(_ proxy: RunningProxy) {
      let words = proxy.command
      program = words.first { $0.hasSuffix("haproxy") } ?? "haproxy"
      hasMaster = words.contains("-W") || words.contains("-Ws")
      for (option, value) in zip(words, words.dropFirst()) {
        if option == "-f" { files.append(value) }
        if option == "-C" { directory = value }
        if option == "-p" { pidFile = value }
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
      guard let found = try? await proxy.files.read(path) as String?? else { continue }
      guard let text = found else {
        configuration.missingLists.insert(path)
        continue
      }
      configuration.lists[path] = HAProxy.List(text, of: path)
    }
    return configuration
  }

  private static func seen(
    _ configuration: HAProxy.Configuration, _ mistake: HAProxy.Mistake?, _ proxy: RunningProxy
  ) async -> Reading.Configuration {
    let (line, files) = (CommandLine(proxy), proxy.files)
    var seen = Reading.Configuration(
      // Several ones are tested by HAProxy itself, when it loads them.
      start: Reading.Configuration.Start(
        file: line.files.count == 1 ? line.absolute(line.files[0]) : nil, prefix: nil, adapter: nil),
      mistake: mistake.map {
        files.mistake(
          "\($0.file):\($0.line): \($0.message)", in: $0.file, line: $0.line, text: $0.text, fixed: $0.fixed)
      },
      newest: await files.newest(of: configuration.files + configuration.lists.keys.sorted()), main: nil,
      folder: configuration.files.last.flatMap { files.folder(of: $0) }, folderInside: nil, container: nil,
      hasAdmin: .notApplicable, version: nil, unread: nil)
    seen.connections = files.edit(
      configuration.global("maxconn").flatMap { line in line.words.last.flatMap { line.span($0) } })
    if let section = configuration.sections.first(where: { $0.kind == "global" }), let word = section.head.words.first {
      seen.global = files.insertion(
        after: section.head.span(word), next: configuration.line(section.head.line + 1, of: section.head.file),
        indentation: section.directives.first.map { String($0.text.prefix { $0 == " " || $0 == "\t" }) } ?? "    ")
    }
    return seen
  }

  /// Where Debian's rsyslog writes what HAProxy tells the system's log.
  private static func log(of configuration: HAProxy.Configuration, _ files: ProxyFiles) -> String? {
    files.container == nil && configuration.global("log", "/dev/log") != nil ? "/var/log/haproxy.log" : nil
  }

  private static func route(
    _ route: HAProxy.Route, _ server: HAProxy.Server, of backend: HAProxy.Section, _ request: RouteReading.Request,
    _ configuration: HAProxy.Configuration, _ proxy: RunningProxy
  ) async throws(Unseen) -> Route {
    let (files, passage, directive) = (proxy.files, route.passage, server.directive)
    let isTCP = configuration.mode(of: route.frontend) == "tcp"
    // Without a word of its own about TLS, a connection that is passed on as it is may be the client's own TLS.
    let isPassedTLS = isTCP && !route.bind.isTLS && !passage.serverName.isEmpty
    let speaks: Route.Dialect =
      switch server.value("proto") {
      case "h2": server.isTLS ? .h2 : .h2c
      case "fcgi": .fastcgi
      default: isTCP ? .tcp : .http
      }
    let address: Route.Upstream.Address
    switch server.address {
    case .unknown:
      throw .unreadable(what: directive.place, why: .init(.inEnvironment))
    case .socket(let path): address = .socket(Setting(path, nil))
    case .network(let host, let port):
      address = .network(
        host: Setting(host, files.edit(server.hostSpan)),
        port: Setting(port ?? request.port, files.edit(server.portSpan)))
    }
    /// None means that it waits for ever.
    func wait(_ name: String) -> Known<Setting<Route.Wait>> {
      let line = configuration.setting("timeout", name, of: backend)
      return .known(
        Setting(
          Route.Wait(line.flatMap { HAProxy.seconds($0.arguments.last ?? "") }),
          files.edit(line.flatMap { line in line.words.last.flatMap { line.span($0) } })))
    }
    let next = configuration.line(directive.line + 1, of: directive.file)
    return Route(
      upstream: Route.Upstream(
        scheme: Setting(server.isTLS || isPassedTLS ? "https" : "http", nil), address: address, speaks: speaks),
      servers: route.servers.compactMap { $0.asServer(port: passage.port) },
      resolution: .known(try await resolution(of: server, configuration, files)),
      patience: Route.Patience(connect: wait("connect"), answer: wait("server"), whole: .notApplicable),
      tls: server.isTLS ? tls(server, passage, configuration, files) : nil,
      path: Route.Path(
        passedOn: passage.path.map { .known($0 + passage.query) } ?? .notRead, change: .notRead),
      sentHost: passage.host.map { .known(Setting($0, nil)) } ?? .notRead,
      limits: Route.Limits(
        header: .known(configuration.headerLimits(files)), body: .known(Setting(nil, nil)),
        connections: .known(
          Setting(server.value("maxconn").flatMap { Int($0) }, files.edit(server.span("maxconn"))))),
      health: .known(await health(of: server, backend, configuration, proxy)), login: .notApplicable,
      scripts: .notRead, refusals: .known(passage.refusals.map { $0.refusal(files) }), shadowed: .notRead,
      pass: Route.Pass(
        line: files.insertion(after: directive.words.first.flatMap { directive.span($0) }, next: next), site: nil,
        transport: nil, target: nil, literal: nil,
        plain: server.isTLS ? server.plainLine : server.line(without: "proto"),
        encrypted: server.isTLS ? nil : server.line(adding: "ssl verify none"), takesBuffers: false, family: nil),
      container: nil, runs: .notRead)
  }

  private static func tls(
    _ server: HAProxy.Server, _ passage: HAProxy.Passage, _ configuration: HAProxy.Configuration, _ files: ProxyFiles
  ) -> Route.TLS {
    let verify = server.value("verify") ?? configuration.global("ssl-server-verify")?.arguments.first ?? "required"
    let sent = server.value("sni").map { passage.sample(HAProxy.Expression($0)) }
    var name: Setting<String>?
    if let written = server.value("verifyhost") {
      name = Setting(written, files.edit(server.span("verifyhost")))
    } else if case .text(let text) = sent {
      name = Setting(text.withoutPort, nil)
    }
    // Without a name to compare with, any name is taken.
    let parts: Set<Route.TLS.Part> = name == nil ? [.issuer, .expiry] : [.issuer, .name, .expiry]
    return Route.TLS(
      verified: .known(verify == "none" ? [] : parts),
      verifySwitch: files.edit(server.span("verify")).map { Route.TLS.Switch($0, off: "none") }, name: .known(name),
      sendsName: .known(Setting(sent != nil, nil)),
      authorities: .known(
        server.value("ca-file").flatMap { $0.hasPrefix("/") ? files.authorities($0) : nil }),
      sendsCertificate: .known(server.has("crt")), offer: .known(.usual), block: nil)
  }

  /// Its own health check, and what the running HAProxy says of it.
  private static func health(
    of server: HAProxy.Server, _ backend: HAProxy.Section, _ configuration: HAProxy.Configuration,
    _ proxy: RunningProxy
  ) async -> Route.HealthCheck? {
    let isUp = await isUp(server, of: backend, configuration, proxy)
    guard server.has("check") else {
      return isUp.value.map { Route.HealthCheck(path: nil, expects: nil, port: nil, isUp: .known($0)) }
    }
    let port = server.value("port").flatMap { UInt16($0) }.map { Setting($0, proxy.files.edit(server.span("port"))) }
    guard let option = configuration.setting("option", "httpchk", of: backend) else {
      return Route.HealthCheck(path: nil, expects: nil, port: port, isUp: isUp)
    }
    let send = configuration.setting("http-check", "send", of: backend)?.arguments ?? []
    let words = option.arguments.dropFirst()
    let written = send.firstIndex(of: "uri").flatMap { send.indices.contains($0 + 1) ? send[$0 + 1] : nil }
    let path = written ?? (words.count > 1 ? words.dropFirst().first : words.first) ?? "/"
    var expects: String? = "200-399"
    var status: Span?
    if let line = configuration.setting("http-check", "expect", of: backend) {
      let expect = line.arguments.dropFirst()
      expects = expect.firstIndex(of: "status").flatMap {
        expect.indices.contains($0 + 1) && !expect.contains("!") ? expect[$0 + 1] : nil
      }
      status = expects == nil ? nil : line.words.last.flatMap { line.span($0) }
    }
    // Below it one more line about the check may stand, or one in the place of what it looks for now.
    let sought = expects == nil ? configuration.setting("http-check", "expect", of: backend) : nil
    let line = sought ?? option
    let place = line.words.first.flatMap { line.span($0) }.map {
      Span(
        file: $0.file, line: $0.line, text: $0.text,
        head: sought == nil ? "\($0.text)\n\($0.indentation)" : $0.indentation, tail: "")
    }
    return Route.HealthCheck(
      path: Setting(path, proxy.files.edit(place)), expects: expects.map { Setting($0, proxy.files.edit(status)) },
      port: port, isUp: isUp)
  }

  /// When a server's name is looked up, and by whom.
  private static func resolution(
    of server: HAProxy.Server, _ configuration: HAProxy.Configuration, _ files: ProxyFiles
  ) async throws(Unseen) -> Route.Resolution {
    func resolution(_ when: Route.Resolution.When, _ resolver: Span? = nil) -> Route.Resolution {
      let byName: Route.Resolution.Family =
        when == .atStart ? .systemFirst : server.value("resolve-prefer") == "ipv4" ? .ipv4First : .ipv6First
      return Route.Resolution(
        when: .known(when), family: .known(Setting(server.family ?? byName, nil)), dials: .notRead,
        resolver: files.edit(resolver))
    }
    guard let name = server.value("resolvers"),
      let section = configuration.sections.first(where: { $0.kind == "resolvers" && $0.name == name })
    else { return resolution(.atStart) }
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
    let first = section.all("nameserver").first
    return resolution(
      servers.isEmpty ? .atStart : .eachRequest(by: servers, inTurn: false),
      first.flatMap { line in line.words.last.flatMap { line.span($0) } })
  }

  // MARK: What runs

  /// What HAProxy itself says of the server; silent where it has no stats socket or does not let itself be asked.
  private static func isUp(
    _ server: HAProxy.Server, of backend: HAProxy.Section, _ configuration: HAProxy.Configuration,
    _ proxy: RunningProxy
  ) async -> Known<Bool> {
    switch await status(server, of: backend, configuration, proxy) {
    case "UP": return .known(true)
    case "DOWN", "MAINT", "NOLB": return .known(false)
    default: return .notRead
    }
  }

  /// The first word of a server's state, as the running HAProxy tells it; nil where it tells none.
  private static func status(
    _ server: HAProxy.Server, of backend: HAProxy.Section, _ configuration: HAProxy.Configuration,
    _ proxy: RunningProxy
  ) async -> Substring? {
    let table = await statistics(configuration, proxy)
    let row = table?.first { $0["pxname"] == backend.name && $0["svname"] == server.name }
    return row?["status"]?.split(separator: " ").first
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
  static func use(of request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> ProxyUse? {
    let configuration = try await load(proxy)
    let written = configuration.global("maxconn")?.arguments.first.flatMap { Int($0) }  // fits: an optional
    var use = ProxyUse(connections: nil, connectionLimit: written, requests: nil, requestLimit: nil, queued: nil)
    guard let info = await ask(.info, configuration, proxy) else { return use }
    for line in info.lines {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let number = Int(String(parts[1]).trimmed) else { continue }
      if parts[0] == "CurrConns" { use.connections = number }
      if parts[0] == "Maxconn" { use.connectionLimit = number }
    }
    guard let route = configuration.route(request), let backend = route.backend,
      let server = route.servers.chosen(request.server, by: { $0.asServer(port: request.port) }),
      let table = await statistics(configuration, proxy)
    else { return use }
    let rows = table.filter { $0["pxname"] == backend.name }
    let own = rows.first { $0["svname"] == server.name }
    let all = rows.first { $0["svname"] == "BACKEND" }
    use.requests = own?["scur"].flatMap { Int($0) }
    use.requestLimit = own?["slim"].flatMap { Int($0) }.map {
      Setting($0, proxy.files.edit(server.span("maxconn")))
    }
    use.queued = [own, all].compactMap { $0?["qcur"].flatMap { Int($0) } }.max()
    return use
  }
}

extension HAProxy.Server {
  /// `port`: the client's own, for a server that is written without one. Nil: its address cannot be read.
  func asServer(port: UInt16) -> Routes.Server? {
    let endpoint: Endpoint
    switch address {
    case .network(let host, let own): endpoint = .network(host: host, port: own ?? port)
    case .socket(let path): endpoint = .socket(path)
    case .unknown: return nil
    }
    return Routes.Server(endpoint, has("disabled") ? .out : has("backup") ? .backup : .used)
  }
}

extension HAProxy.Configuration {
  /// Source: the configuration manual, `tune.bufsize`, `tune.maxrewrite`, `tune.http.maxhdr`.
  fileprivate func headerLimits(_ files: ProxyFiles) -> Route.Limits.Header {
    func number(_ name: String, _ usual: Int) -> Int { global(name).flatMap { Int($0.arguments.first ?? "") } ?? usual }
    let size = global("tune.bufsize").flatMap { line in line.words.last.flatMap { line.span($0) } }
    let room = number("tune.bufsize", 16_384).subtractingReportingOverflow(number("tune.maxrewrite", 1024))
    return Route.Limits.Header(
      bytes: Setting(room.overflow ? 0 : max(0, room.partialValue), files.edit(size)), line: nil,
      lines: number("tune.http.maxhdr", 101))
  }
}

extension HAProxy.Directive {
  /// Of a `deny` or `tarpit` rule; without a status of its own it answers 403 or 500.
  fileprivate func refusal(_ files: ProxyFiles) -> Route.Refusal {
    let written = zip(arguments, arguments.dropFirst()).first { ["deny_status", "status"].contains($0.0) }
    let own = written.flatMap { Int($0.1) }  // fits: optional
    return Route.Refusal(
      status: own ?? (arguments.first == "tarpit" ? 500 : 403), condition: .other, rule: text.trimmed, definedIn: place,
      edit: files.edit(words.first.flatMap { span($0) }), loosened: nil)
  }
}

extension FactName {
  static let haproxyMaintenance: FactName = "haproxy.maintenance"
  static let haproxyAlone: FactName = "haproxy.alone"
  static let haproxyUnended: FactName = "haproxy.unended"
  static let haproxyPIDFile: FactName = "haproxy.pid-file"
}
