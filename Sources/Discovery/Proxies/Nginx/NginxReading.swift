import Model
import Pattern
import Routes
import World

/// From nginx's files to the facts of a route.
enum NginxReading: ProxyReader {
  static let facts: [FactName] =
    [
      .swagSample, .swagFile, .proxyLayout, .sourceKind, .nginxLateName, .nginxNearName, .nginxParameters,
      .nginxDeadLink, .nginxDeadLinkInside, .nginxTemplate, .nginxTemplateVariables, .nginxSlip, .nginxAside,
      .nginxAsideName, .variableForPort, .wantsPreamble,
      .routeAsksUpgrade, .routeFiles, .wantsHTTP2, .onlyIPv6, .routeKeepsErrors, .routeCacheFolder,
    ] + FactName.ofWholeLine(.preamble) + FactName.ofWholeLine(.http2) + FactName.ofWholeLine(.ipv6)
    + FactName.ofWholeLine(.cache) + FactName.ofWholeLine(.tlsVersions) + FactName.ofLine(.upgrade)
    + FactName.ofLine(.bind)

  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading {
    let configuration = try await load(proxy)
    switch DockerGen.hasWritten(configuration) ? DockerGen.layout : proxy.sign?.layout {
    case DockerGen.layout: return try await DockerGen.reading(of: request, in: configuration, proxy)
    case SWAG.layout:
      var reading = try await reading(of: request, in: configuration, proxy)
      reading.own.merge(await SWAG.facts(of: reading.outcome, request, proxy))
      return reading
    default: return try await reading(of: request, in: configuration, proxy)
    }
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] {
    try await load(proxy).listed
  }

  /// What nginx's command line tells: `nginx: master process nginx -p /srv -c conf/nginx.conf`.
  struct CommandLine: Equatable {
    let program: String
    private(set) var configuration: String?
    private(set) var prefix: String?

    init(_ command: [String]) {
      var words = command.flatMap { $0.split(separator: " ").map(String.init) }
      if words.starts(with: ["nginx:", "master", "process"]) { words.removeFirst(3) }
      words = Self.started(by: words)
      program = words.first ?? "nginx"
      for (option, value) in zip(words, words.dropFirst()) {
        if option == "-c" { configuration = value }
        if option == "-p" { prefix = value.hasSuffix("/") && value.count > 1 ? String(value.dropLast()) : value }
      }
    }

    /// Of a shell's line the part that starts nginx: what stands before it has options of its own.
    private static func started(by words: [String]) -> [String] {
      guard let shell = words.first, ["sh", "bash", "ash", "dash"].contains(shell.split(separator: "/").last ?? "")
      else {
        return words
      }
      let start = words.indices.dropFirst().first { index in
        words[index].split(separator: "/").last == "nginx"
          && (index == 2 || ["exec", "&&", "||", ";"].contains(where: words[index - 1].hasSuffix))
      }
      return start.map { Array(words[$0...]) } ?? [shell]
    }

    /// A path that a directive names. Relative ones are below the prefix, which only the program itself knows where its
    /// command line has none.
    func absolute(_ path: String) -> String? {
      if path.hasPrefix("/") { return path }
      let isFile = path != "stderr" && !path.hasPrefix("syslog:") && !path.hasPrefix("memory:")
      return isFile ? prefix.flatMap { $0.hasPrefix("/") ? "\($0)/\(path)" : nil } : nil
    }
  }

  /// nginx's own regular expressions are PCRE, too.
  static let matches: Nginx.Matcher = { regex, text in
    guard let match = (try? Pattern(regex))?.firstMatch(in: text) else { return nil }
    return { group in
      guard let number = Int(group) else { return match.text(of: group) }
      return match.groups.indices.contains(number) ? match.groups[number] : nil
    }
  }

  /// Every file that nginx loads. A main file that is not there is `missing`.
  static func load(_ proxy: RunningProxy) async throws(Unseen) -> Nginx.Configuration {
    let (line, files) = (CommandLine(proxy.command), proxy.files)
    let main: String
    switch line.configuration {
    case let path? where path.hasPrefix("/"): main = path
    case let path?: main = (line.prefix ?? "/etc/nginx") + "/" + path
    case nil: main = line.prefix.map { $0 + "/conf/nginx.conf" } ?? "/etc/nginx/nginx.conf"
    }
    guard try await files.read(main) != nil else { throw .missing(what: main) }
    let configuration = await Nginx.Configuration.load(main: main, matches: matches, files: GrammarFiles(files))
    for case let unseen as Unseen in configuration.unread.map(\.error) { files.note(unread: unseen) }
    return configuration
  }

  /// What the files say of the request.
  static func reading(
    of request: RouteReading.Request, in configuration: Nginx.Configuration, _ proxy: RunningProxy
  ) async throws(Unseen) -> Reading {
    let files = proxy.files
    var reading = Reading(
      outcome: .found, configuration: await seen(configuration, CommandLine(proxy.command), files), entry: nil,
      route: nil, problem: nil, near: nil, app: nil, labels: nil,
      log: Reading.Log(file: .notRead, keys: keys(of: request)), own: [:])
    let found = configuration.route(request) ?? configuration.passingConnections.route(request)
    if configuration.problems.isEmpty,
      let late = await lateName(in: configuration, proxy, site: found?.upstreams ?? [])
    {
      reading.configuration.mistake = late.mistake
      reading.own.merge(late.facts)
    }
    if let mistake = configuration.problems.first { reading.own.merge(await emptied(mistake, proxy)) }
    reading.own[.nginxSlip] = configuration.problems.first?.slip == nil ? nil : "yes"
    if let link = configuration.problems.first?.deadLink {
      reading.own.merge([.nginxDeadLinkInside: link, .nginxDeadLink: files.hostPath(of: link) ?? ""])
    }
    reading.own[.nginxParameters] = await parameters(configuration, files)
    if found?.choice ?? .default == .default, configuration.problems.isEmpty,
      let problem = problem(ofNames: request.site.host, configuration, files)
    {
      (reading.outcome, reading.problem, reading.entry) = (.misconfigured, problem.problem, problem.entry)
      return reading
    }
    guard let route = found, !(route.choice == .default && configuration.isForOthers(route, request)) else {
      reading.outcome = found == nil ? .missing : .default
      if configuration.problems.first != nil { reading.outcome = .broken }
      if configuration.problems.isEmpty, !configuration.unread.isEmpty { reading.outcome = .unknown }
      guard [.missing, .default].contains(reading.outcome) else { return reading }
      reading.own.merge(await aside(request.site.host, configuration, files))
      let near = request.site.host.nearest(among: Array(Set(configuration.listed.map(\.host))))
      reading.near = near.map { Setting($0, files.edit(configuration.nameSpan($0))) }
      reading.entry = found.map { found in
        Reading.Entry(
          site: nil, definedIn: "\(found.serverFile):\(found.serverLine)", router: nil, service: nil, provider: nil)
      }
      return reading
    }
    let host = route.choice == .default ? request.site.host : route.serverName ?? request.site.host
    reading.entry = Reading.Entry(
      site: Setting(host, files.edit(route.serverNameSpan)),
      definedIn: route.passSpan.map { "\($0.file):\($0.line)" }
        ?? "\(route.locationFile ?? route.serverFile):\(route.locationLine ?? route.serverLine)", router: nil,
      service: nil, provider: nil)
    reading.configuration.container = route.passSpan.flatMap { files.container(with: $0.file) }
    if case .undecided(let file, let line, let text) = route.kind {
      throw .unreadable(what: "\(file):\(line)", why: .init(.notInFiles, text.trimmed.printable))
    }
    guard route.kind.isPassed else {
      if case .other = route.kind { reading.outcome = .otherProtocol } else { reading.outcome = .static }
      if case .static(let root) = route.kind { reading.own[.routeFiles] = root == nil ? "unset" : "named" }
      if let problem = await problem(ofFiles: route, configuration, files) {
        (reading.outcome, reading.problem) = (.misconfigured, problem)
      }
      return reading
    }
    guard let upstream = route.upstreams.chosen(request.server, by: \.server) else {
      reading.outcome = configuration.problems.isEmpty ? .otherProtocol : .broken
      return reading
    }
    // docker-gen marks a container so that it cannot reach.
    if let down = upstream.down, route.upstreams.allSatisfy(\.isDown), !DockerGen.hasWritten(configuration) {
      (reading.outcome, reading.log.keys) = (.misconfigured, [])
      reading.problem = Reading.Problem(
        reason: "every server of its group is marked \"down\"",
        remedy: files.edit(down).map { .line($0, fixed: down.removed) }, label: nil)
      return reading
    }
    reading.own.merge(demands(of: route.listen, in: configuration, files))
    if let kept = route.keptErrors { reading.own.merge(facts(of: kept, configuration, files)) }
    reading.log.file = .known(route.errorLog.flatMap { CommandLine(proxy.command).absolute($0.value) })
    reading.log.level = route.errorLogLevel.map { Setting($0.value, files.edit($0.span)) }
    reading.route = Self.route(route, upstream, of: configuration, files)
    reading.own.set(files.edit(route.version), .version)
    reading.own.set(files.edit(route.upgrade), .upgrade)
    reading.own[.routeAsksUpgrade] = route.upgrade == nil ? nil : "yes"
    reading.own.set(files.edit(route.bind), .bind)
    // From the first of the versions to the end of the directive.
    if let edit = files.edit(route.tlsVersions), let end = edit.span.tail.firstIndex(of: ";") {
      let line = edit.span.head + "TLSv1.2 TLSv1.3" + edit.span.tail[end...]
      reading.own.set(Replacement(line: edit.span, lines: line), .tlsVersions)
    }
    return reading
  }

  /// A file of this machine with the site's name, beside files that nginx reads, that has more behind `.conf` in its name,
  /// so that no pattern of nginx's takes it; with the name that one would take.
  private static func aside(
    _ host: String, _ configuration: Nginx.Configuration, _ files: ProxyFiles
  ) async -> Facts {
    let read = Set(configuration.files)
    for folder in Set(configuration.files.filter { $0.hasSuffix(".conf") }.dropFirst().map(\.folder)).sorted() {
      for path in ((try? await files.glob(folder + "/*.conf?*")) ?? []).prefix(64) where !read.contains(path) {
        guard let end = path.firstRange(of: ".conf")?.upperBound, !read.contains(String(path[..<end])),
          let text = try? await files.read(path), let outside = files.hostPath(of: path),
          text.lines.contains(where: { line in
            let words = line.split { " \t;".contains($0) }.map { $0.lowercased() }
            return words.first == "server_name" && words.contains(host)
          })
        else { continue }
        let name = outside.dropLast(path.distance(from: end, to: path.endIndex))
        return [.nginxAside: outside, .nginxAsideName: String(name)]
      }
    }
    return [:]
  }

  /// What its lines about the request have. They are cut after 2048 bytes, and the host stands at their end.
  private static func keys(of request: RouteReading.Request) -> [String] {
    let path = request.site.path
    return ["host: \"\(request.site.host)"] + (path.utf8.count > 300 ? [String(path.prefix(300))] : [])
  }

  /// The folder that has nginx's lists of parameters: beside the main file, or where its packages put them.
  private static func parameters(_ configuration: Nginx.Configuration, _ files: ProxyFiles) async -> String? {
    for folder in [configuration.files.first?.folder, "/etc/nginx"].compactMap({ $0 }) {
      if let found = try? await files.glob(folder + "/*_params"), found.count > 1 { return folder }
    }
    return nil
  }

  private static func seen(
    _ configuration: Nginx.Configuration, _ line: CommandLine, _ files: ProxyFiles
  ) async -> Reading.Configuration {
    let mistake = configuration.problems.first.map { problem in
      let number = problem.unterminatedLine ?? problem.line
      let lines = (number..<number + problem.lines).compactMap { configuration.line($0, of: problem.file) }
      // A file that ends too early lacks more than one semicolon.
      let lacksOne = problem.unterminatedLine != nil && !problem.isEndOfFile
      let corrected = problem.slip.flatMap { slip in
        lines.allSatisfy { $0.contains(slip.written) }
          ? lines.map { $0.replacing(slip.written, with: slip.meant, maxReplacements: 1) }.joined(separator: "\n") : nil
      }
      let text = lines.isEmpty ? nil : lines.joined(separator: "\n")
      return files.mistake(
        problem.description, in: problem.file, line: number, text: text,
        fixed: lacksOne ? text.map { $0 + ";" } : corrected)
    }
    var seen = Reading.Configuration(
      start: Reading.Configuration.Start(file: line.configuration, prefix: line.prefix, adapter: nil),
      mistake: mistake, newest: await files.newest(of: configuration.files), main: nil,
      folder: configuration.files.last { $0.hasSuffix(".conf") }.flatMap { files.folder(of: $0) },
      folderInside: nil, container: nil, hasAdmin: .notApplicable, version: nil, unread: nil)
    if let events = configuration.directives.first("events") {
      seen.connections = files.edit(events.block?.first("worker_connections").flatMap { configuration.span($0) })
    }
    return seen
  }

  private static func route(
    _ route: Nginx.Route, _ upstream: Nginx.Upstream, of configuration: Nginx.Configuration, _ files: ProxyFiles
  ) -> Route {
    func setting<Value>(_ setting: Nginx.Route.Setting<Value>) -> Setting<Value> {
      Setting(setting.value, files.edit(setting.span))
    }
    func wait(_ timeout: Nginx.Route.Setting<Duration>) -> Known<Setting<Route.Wait>> {
      .known(Setting(.seconds(timeout.value.seconds), files.edit(timeout.span)))
    }
    let next = route.passSpan.flatMap { configuration.line($0.line + 1, of: $0.file) }
    let header = Setting(route.headerLimit.value, route.setsBuffers ? nil : files.edit(route.headerLimit.span))
    return Route(
      upstream: Route.Upstream(
        scheme: Setting(upstream.scheme, files.edit(upstream.schemeSpan)), address: upstream.address(files),
        speaks: route.kind.isConnected ? .tcp : Route.Dialect(rawValue: route.kind.family) ?? .http),
      servers: route.upstreams.compactMap(\.server),
      resolution: .known(
        Route.Resolution(
          when: .known(upstream.resolves), family: .notApplicable, dials: .notApplicable,
          resolver: upstream.isResolvedEachTime ? files.edit(route.resolver.span) : nil)),
      patience: Route.Patience(
        connect: wait(route.connectTimeout), answer: wait(route.readTimeout), whole: .notApplicable),
      tls: ["https", "grpcs", "suwsgi"].contains(upstream.scheme) && !route.kind.isConnected ? tls(route, files) : nil,
      path: path(of: route, upstream, files),
      sentHost: route.hostHeader.value.map { .known(Setting($0, files.edit(route.hostHeader.span))) } ?? .notRead,
      limits: Route.Limits(
        header: .known(Route.Limits.Header(bytes: header, line: nil, lines: nil)),
        body: .known(setting(route.bodyLimit)),
        connections: .known(Setting(upstream.maxConnections, files.edit(upstream.maxConnectionsSpan)))),
      health: .notApplicable, login: .known(route.login),
      scripts: scripts(of: route, files),
      refusals: .known(route.refusals.map { refusal($0, of: configuration, files) }), shadowed: .notRead,
      pass: Route.Pass(
        line: files.insertion(after: route.passSpan, next: next), site: nil, transport: nil, target: route.passTarget,
        literal: upstream.isResolvedEachTime ? route.passLiteral : nil, plain: plain(route), encrypted: nil,
        // A location that sets its buffers already takes no second line about them.
        takesBuffers: !route.setsBuffers && route.headerLimit.span == nil, family: route.kind.family,
        lookedUp: route.passLookedUp),
      container: nil, runs: .notRead)
  }

  private static func path(of route: Nginx.Route, _ upstream: Nginx.Upstream, _ files: ProxyFiles) -> Route.Path {
    let change = change(of: route, upstream, files)
    let location = route.location.map { $0.hasPrefix("^~ ") ? String($0.dropFirst(3)) : $0 } ?? "/"
    let prefix = String(location.reversed().drop { $0 == "/" }.reversed())
    // A path of its own may be the very part that it replaces.
    let isPassedOn = change == nil || route.upstreamPath?.hasPrefix(location) == true
    return Route.Path(
      passedOn: .known(route.upstreamPath ?? "/"), change: .known(change),
      prefix: .known(isPassedOn && location.hasPrefix("/") && !prefix.isEmpty ? prefix : nil))
  }

  /// The line with `proxy_pass` in the place of its relatives; nil where another server would get something else by it.
  private static func plain(_ route: Nginx.Route) -> String? {
    let directive = "\(route.kind.family)_pass "
    guard let span = route.passSpan, route.kind != .proxied, !route.kind.isConnected, let pass = route.pass,
      !pass.contains("://"),
      span.head.hasSuffix(directive)
    else { return nil }
    return "\(span.head.dropLast(directive.count))proxy_pass http://\(pass)\(span.tail)"
  }

  /// What a connection has to begin with where the site is asked, and the line by which it has not: the PROXY protocol, or
  /// HTTP/2 without TLS, as versions before 1.25.1 have it.
  private static func demands(
    of listen: Nginx.Listen, in configuration: Nginx.Configuration, _ files: ProxyFiles
  ) -> Facts {
    let lines = configuration.servers.flatMap { $0.block.all("listen") }.filter { line in
      let other = Nginx.Listen(line.arguments.map(\.text))
      return other.address == listen.address && other.port == listen.port
    }
    /// The line that has the word, without it: nil if none has it, no facts if several have.
    func mended(without word: String, _ place: FactName.Line) -> Facts? {
      let found = lines.compactMap { line in
        line.arguments.firstIndex { $0.text == word }.map { (line: line, word: $0) }
      }
      guard let first = found.first else { return nil }
      var facts: Facts = [:]
      // Of several servers at one address each line has to change.
      if found.count == 1, let edit = files.edit(configuration.span(first.line, first.word)) {
        facts.set(Replacement(line: edit.span, lines: edit.span.removed), place)
      }
      return facts
    }
    var facts = onlyIPv6(listen, in: configuration, files)
    if let preamble = mended(without: "proxy_protocol", .preamble) {
      facts[.wantsPreamble] = "yes"
      facts.merge(preamble)
    }
    let isPlain = !lines.contains { Nginx.Listen($0.arguments.map(\.text)).isTLS }
    if isPlain, let version = mended(without: "http2", .http2) {
      facts[.wantsHTTP2] = "yes"
      facts.merge(version)
    }
    return facts
  }

  /// Since nginx 1.3.4 a socket for `[::]` takes IPv4 only with `ipv6only=off`.
  private static func onlyIPv6(
    _ listen: Nginx.Listen, in configuration: Nginx.Configuration, _ files: ProxyFiles
  ) -> Facts {
    guard let port = listen.port else { return [:] }
    let lines = configuration.servers.flatMap { $0.block.all("listen") }.filter { line in
      Nginx.Listen(line.arguments.map(\.text)).port == port
    }
    let isOnly = lines.allSatisfy { line in
      line.text(0)?.hasPrefix("[") == true && !line.arguments.contains { $0.text == "ipv6only=off" }
    }
    guard isOnly, let line = lines.first, let address = line.text(0) else { return [:] }
    var facts: Facts = [.onlyIPv6: "yes"]
    if let edit = files.edit(configuration.span(line)), address == "[::]:\(port)" || address == "[::]" {
      facts.set(
        Replacement(line: edit.span, lines: edit.span.head + String(port) + edit.span.tail + "\n" + edit.span.text),
        .ipv6)
    }
    return facts
  }

  private static func facts(
    of kept: Nginx.Route.KeptErrors, _ configuration: Nginx.Configuration, _ files: ProxyFiles
  ) -> Facts {
    let words = [kept.rule.name] + kept.rule.arguments.map(\.text)
    var facts: Facts = [
      .routeKeepsErrors: words.joined(separator: " ").printable, .routeCacheFolder: kept.folder ?? "",
    ]
    let isError: (String) -> Bool = { word in word == "any" || kept.statuses.contains { String($0) == word } }
    if let edit = files.edit(configuration.span(kept.rule)), kept.rule.line == kept.rule.lastLine {
      let rest = words.dropFirst().filter { !isError($0) }.joined(separator: " ")
      let end = edit.span.tail.firstIndex(of: ";").map { String(edit.span.tail[$0...]) } ?? ";"
      facts.set(Replacement(line: edit.span, lines: edit.span.head + rest + end), .cache)
    }
    return facts
  }

  /// A `server_name` that has the site's name within a word that is none: `a.org,www.a.org`, `https://a.org/`, `a.org:8080`.
  private static func problem(
    ofNames host: String, _ configuration: Nginx.Configuration, _ files: ProxyFiles
  ) -> (problem: Reading.Problem, entry: Reading.Entry)? {
    for server in configuration.servers {
      for (text, line, index) in server.names where !text.hasPrefix("~") {
        let words = text.split(separator: ",").map { word in
          let address = word.firstRange(of: "://").map { word[$0.upperBound...] } ?? word
          return address.prefix { !"/:".contains($0) }.lowercased()
        }
        let meant = words.filter { !$0.isEmpty }.joined(separator: " ")
        guard meant != text.lowercased(), words.contains(host), let span = configuration.span(line, index) else {
          continue
        }
        let problem = Reading.Problem(
          reason:
            "its server_name has the word \"\(text)\", and names stand there with blanks between and nothing else",
          remedy: files.edit(span).map { .line($0, fixed: $0.span.head + meant + $0.span.tail) }, label: nil)
        let entry = Reading.Entry(
          site: nil, definedIn: "\(line.file):\(line.line)", router: nil, service: nil, provider: nil)
        return (problem, entry)
      }
    }
    return nil
  }

  /// Why nginx answers by files what is not meant for them, or does not find a file that is there.
  private static func problem(
    ofFiles route: Nginx.Route, _ configuration: Nginx.Configuration, _ files: ProxyFiles
  ) async -> Reading.Problem? {
    if let rewrite = route.leftBy {
      let flag = rewrite.arguments.count > 2 ? configuration.span(rewrite, 2) : nil
      return Reading.Problem(
        reason: "its rewrite gives the path to another location, which has files, so its own proxy_pass never acts",
        remedy: files.edit(flag).map { .line($0, fixed: $0.span.head + "break" + $0.span.tail) }, label: nil)
    }
    guard let folder = route.folder, let edit = files.edit(configuration.span(folder.directive)),
      let name = edit.span.head.ranges(of: folder.directive.name).last,
      !folder.file.contains(where: { "*?[]".contains($0) }),
      (try? await files.glob(folder.file))?.isEmpty == true
    else { return nil }
    let trimmed = folder.path.hasSuffix("/") ? String(folder.path.dropLast()) : folder.path
    let slash = folder.prefix.hasSuffix("/") ? "/" : ""
    let meant =
      folder.isAlias
      ? [
        ("alias", trimmed + slash, trimmed + slash + folder.rest),
        ("root", trimmed, trimmed + folder.prefix + folder.rest),
      ]
      : [("alias", trimmed + slash, trimmed + slash + folder.rest)]
    for (directive, path, file) in meant where file != folder.file {
      guard (try? await files.glob(file))?.isEmpty == false else { continue }
      return Reading.Problem(
        reason: "it looks for \(folder.file), and the file is \(file)",
        remedy: .line(edit, fixed: "\(edit.span.head[..<name.lowerBound])\(directive) \(path)\(edit.span.tail)"),
        label: nil)
    }
    return nil
  }

  private static func scripts(of route: Nginx.Route, _ files: ProxyFiles) -> Known<Setting<String>?> {
    guard route.kind == .fastcgi else { return .notApplicable }
    guard let scripts = route.scripts else { return .notRead }
    return .known(scripts.value.map { Setting($0, files.edit(scripts.span)) })
  }

  private static func refusal(
    _ refusal: Nginx.Refusal, of configuration: Nginx.Configuration, _ files: ProxyFiles
  ) -> Route.Refusal {
    let rule = refusal.rule
    let text = configuration.line(rule.line, of: rule.file)?.trimmed
    let edit = files.edit(configuration.span(rule))
    let isLimit = rule.name.hasPrefix("limit_")
    // Some requests more are let through at once, as a page with its pictures makes them.
    let loosened =
      switch (rule.name, rule.arguments.count) {
      case ("limit_req", 1):
        edit.map { $0.span.head + (rule.text(0) ?? "") + " burst=20 nodelay" + $0.span.tail }
      // A browser alone opens six connections, and a limit for all visitors is for many of those.
      case ("limit_conn", 2):
        rule.text(1).flatMap { Int($0) }.flatMap { most in  // fits: a text gives an optional
          files.edit(configuration.span(rule, 1)).map { edit in
            edit.span.head + String(max(100, most.clampedProduct(10))) + edit.span.tail
          }
        }
      default: nil as String?
      }
    let condition: Route.Refusal.Condition =
      if isLimit { .rate } else if let file = refusal.file {
        .file(inside: file, outside: files.hostPath(of: file))
      } else { .other }
    return Route.Refusal(
      status: refusal.status, condition: condition, rule: text ?? rule.name, definedIn: "\(rule.file):\(rule.line)",
      edit: edit, loosened: loosened)
  }

  private static func tls(_ route: Nginx.Route, _ files: ProxyFiles) -> Route.TLS {
    Route.TLS(
      verified: .known(route.verifies.value ? Set(Route.TLS.Part.allCases) : []),
      verifySwitch: files.edit(route.verifies.span).map { Route.TLS.Switch($0, off: "off") },
      name: .known(
        route.tlsName.value.isEmpty ? nil : Setting(route.tlsName.value, files.edit(route.tlsName.span))),
      sendsName: .known(Setting(route.sendsServerName.value, files.edit(route.sendsServerName.span))),
      authorities: .known(route.trustedCertificate.map { files.authorities($0.value) }),
      sendsCertificate: .known(route.sendsCertificate), offer: .known(.usual), block: nil)
  }

  /// Without a path of its own `proxy_pass` leaves the visitor's as it is.
  private static func change(
    of route: Nginx.Route, _ upstream: Nginx.Upstream, _ files: ProxyFiles
  ) -> Route.Path.Change? {
    guard upstream.socket == nil, let span = route.passSpan, span.text.hasPrefix(span.head),
      span.text.hasSuffix(span.tail), span.head.count + span.tail.count < span.text.count
    else { return nil }
    // As it is written: a variable may have the scheme in it, and behind it a path counts in the place of the visitor's.
    let pass = String(span.text.dropFirst(span.head.count).dropLast(span.tail.count))
    let address = pass.firstRange(of: "://")?.upperBound ?? pass.startIndex
    guard address > pass.startIndex || pass.hasPrefix("$"), let slash = pass[address...].firstIndex(of: "/") else {
      return nil
    }
    let place = span.part(pass.distance(from: pass.startIndex, to: slash)..<pass.count, of: pass)
    return Route.Path.Change(by: "proxy_pass \(pass)", edit: files.edit(place), fixed: place.head + place.tail)
  }
}

extension Nginx.Configuration {
  func route(_ request: RouteReading.Request) -> Nginx.Route? {
    let isTLS = request.site.scheme == "https"
    return route(
      host: request.site.host, port: request.port, path: request.site.path, isTLS: isTLS,
      address: request.address, outside: request.site.port)
  }

  /// True if the default server is plainly meant for other sites: it has names of its own, and is not the only one.
  fileprivate func isForOthers(_ route: Nginx.Route, _ request: RouteReading.Request) -> Bool {
    switch route.kind {
    case .undecided: return false
    case _ where route.kind.isPassed: break
    default: return true
    }
    if request.site.host.isAddress || request.site.host == "localhost" { return false }
    guard let name = route.serverName, !["_", "localhost", ""].contains(name) else { return false }
    return Set(listed.map(\.host)).count > 1 || name.contains(".")
  }

  /// The sites that are passed on, one for each name, port and location.
  var listed: [RouteReading.Listed] {
    var seen: Set<RouteReading.Listed> = []
    return allRoutes().compactMap { route in
      guard route.kind.isPassed, let port = route.listen.port, let name = route.serverName, name.isHostName,
        let upstream = route.upstreams.first
      else { return nil }
      let path = route.location.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/"
      return RouteReading.Listed(
        host: name, port: port, isTLS: route.listen.isTLS, path: path, upstream: upstream.url)
    }.filter { seen.insert($0).inserted }
  }

  fileprivate func nameSpan(_ name: String) -> Span? {
    allRoutes().first { $0.serverName == name }?.serverNameSpan
  }
}

extension Nginx.Upstream {
  /// The default of a scheme where none is written.
  private var dialled: UInt16 { port ?? (scheme == "https" ? 443 : 80) }

  var server: Routes.Server? {
    Routes.Server(
      socket.map(Endpoint.socket) ?? .network(host: host.trimmedBrackets, port: dialled),
      isDown ? .out : isBackup ? .backup : .used)
  }

  fileprivate func address(_ files: ProxyFiles) -> Route.Upstream.Address {
    if let socket { return .socket(Setting(socket, files.edit(hostSpan))) }
    return .network(
      host: Setting(host.trimmedBrackets, files.edit(hostSpan)), port: Setting(dialled, files.edit(portSpan)))
  }

  fileprivate var resolves: Route.Resolution.When {
    switch resolution {
    case .address, .atStart, .atStartBecause: .atStart
    case .eachRequest(let resolvers): .eachRequest(by: resolvers, inTurn: true)
    case .never: .eachRequest(by: [], inTurn: true)
    }
  }
}

extension Duration {
  fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension String {
  /// True for a name that can be asked for: no wildcard, no regular expression, no catch-all.
  fileprivate var isHostName: Bool {
    !isEmpty && self != "_" && self != "localhost" && !contains("*") && !hasPrefix("~") && !hasPrefix(".")
  }
}
