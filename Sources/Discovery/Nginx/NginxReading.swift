import Model
import Pattern
import World

/// From nginx's files to the facts of a route.
enum NginxReading: ProxyReader {
  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> (
    RouteReading.Outcome, Facts
  ) {
    let configuration = try await load(proxy)
    let (outcome, facts) = await route(request, in: configuration, proxy)
    switch proxy.sign?.layout {
    case DockerGen.layout:
      let server = configuration.route(request)?.firstServer?.hostSpan
      return await DockerGen.route(outcome, facts, at: server, of: request, in: configuration, proxy)
    case SWAG.layout: return (outcome, await SWAG.facts(of: outcome, facts, request, proxy))
    default: return (outcome, facts)
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
      program = words.first ?? "nginx"
      for (option, value) in zip(words, words.dropFirst()) {
        if option == "-c" { configuration = value }
        if option == "-p" { prefix = value }
      }
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
    let prefix = line.prefix.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    let main: String
    switch line.configuration {
    case let path? where path.hasPrefix("/"): main = path
    case let path?: main = (prefix ?? "/etc/nginx") + "/" + path
    case nil: main = prefix.map { $0 + "/conf/nginx.conf" } ?? "/etc/nginx/nginx.conf"
    }
    guard try await files.read(main) != nil else { throw .missing(what: main) }
    let configuration = await Nginx.Configuration.load(
      main: main,
      matches: matches, read: { try await files.read($0) }, glob: { try await files.glob($0) })
    for case let unseen as Unseen in configuration.unread.map(\.error) { files.note(unread: unseen) }
    return configuration
  }

  /// The facts of the route that serves the request, and whether it is a route of its own.
  static func route(
    _ request: RouteReading.Request, in configuration: Nginx.Configuration, _ proxy: RunningProxy
  ) async -> (RouteReading.Outcome, Facts) {
    let (line, files) = (CommandLine(proxy.command), proxy.files)
    var facts: Facts = [
      .proxyConfiguration: line.configuration ?? "", .proxyPrefix: line.prefix ?? "",
      .routeLogKeys: "host: \"\(request.site.host)",
    ]
    await describe(configuration, files, &facts)
    let found = configuration.route(request)
    guard let route = found, !(route.choice == .default && configuration.isForOthers(route, request)) else {
      if configuration.problems.first != nil { return (.broken, facts) }
      if !configuration.unread.isEmpty { return (.unknown, facts) }
      let names = Set(configuration.listed.map(\.host))
      let near = request.site.host.nearest(among: Array(names))
      facts[.routeNear] = near
      facts.set(near.flatMap(configuration.nameSpan), "name", files)
      if let found { facts[.routeDefinedIn] = "\(found.serverFile):\(found.serverLine)" }
      return (found == nil ? .missing : .default, facts)
    }
    facts[.routeHost] = route.choice == .default ? request.site.host : route.serverName ?? request.site.host
    facts[.routeDefinedIn] =
      route.passSpan.map { "\($0.file):\($0.line)" }
      ?? "\(route.locationFile ?? route.serverFile):\(route.locationLine ?? route.serverLine)"
    if let span = route.passSpan, files.hostPath(of: span.file) == nil { facts[.configInside] = proxy.place.id }
    guard route.kind.isPassed else { return (.static, facts) }
    let servers = route.upstreams.filter { !$0.isDown }
    if servers.count > 1 { facts[.routeServers] = servers.compactMap(\.server).joined(separator: ", ") }
    guard
      let upstream = request.server.flatMap({ wanted in servers.first { $0.server == wanted } })
        ?? servers.first(where: { !$0.isBackup }) ?? route.upstreams.first
    else {
      return (configuration.problems.isEmpty ? .otherProtocol : .broken, facts)
    }
    describe(route, upstream, of: configuration, files, &facts)
    return (.found, facts)
  }

  private static func describe(_ configuration: Nginx.Configuration, _ files: ProxyFiles, _ facts: inout Facts) async {
    if let problem = configuration.problems.first {
      facts[.configProblem] = problem.description.printable
      facts[.line("problem", "file")] = files.hostPath(of: problem.file) ?? problem.file
      let line = problem.unterminatedLine ?? problem.line
      facts[.line("problem", "number")] = String(line)
      facts[.line("problem", "text")] = configuration.line(line, of: problem.file)
      // A file that ends too early lacks more than one semicolon.
      if problem.unterminatedLine != nil, files.patchPath(of: problem.file) != nil,
        !problem.message.hasPrefix("unexpected end of file")
      {
        facts["problem-line.fixed"] = configuration.line(line, of: problem.file).map { $0 + ";" }
      }
    }
    var newest: (path: String, time: Double)?
    for path in configuration.files.prefix(200) {
      guard let time = await files.modified(path), time > newest?.time ?? 0 else { continue }
      newest = (path, time)
    }
    facts[.configNewest] = newest?.path
    facts[.configNewestTime] = newest.map { String($0.time) }
    let folder = configuration.files.last { $0.hasSuffix(".conf") }.map {
      String($0[..<($0.lastIndex(of: "/") ?? $0.startIndex)])
    }
    facts[.configDirectory] = folder.flatMap { files.hostPath(of: $0) }
  }

  private static func describe(
    _ route: Nginx.Route, _ upstream: Nginx.Upstream, of configuration: Nginx.Configuration, _ files: ProxyFiles,
    _ facts: inout Facts
  ) {
    facts[.upstreamScheme] = upstream.scheme
    facts[.routeProtocol] = route.kind.family == "proxy" ? "http" : route.kind.family
    facts["route.family"] = route.kind.family
    if let socket = upstream.socket {
      facts[.routeUpstream] = upstream.url
      facts[.upstreamSocket] = socket
    } else {
      let port = upstream.port ?? (upstream.scheme == "https" ? 443 : 80)
      facts[.routeUpstream] = "\(upstream.scheme)://\(upstream.host):\(port)"
      facts[.upstreamHost] = upstream.host.trimmedBrackets
      facts[.upstreamPort] = String(port)
    }
    facts[.routeHeaderLimit] = String(route.headerLimit.value)
    facts[.upstreamPath] = route.upstreamPath
    facts[.routeReadTimeout] = route.readTimeout.value.seconds.inWords
    facts[.routeVerifies] =
      ["https", "grpcs", "suwsgi"].contains(upstream.scheme) && route.verifies.value ? "on" : "off"
    facts[.routeSendsCertificate] = route.sendsCertificate ? "on" : "off"
    facts[.routeSendsTLSName] = route.sendsServerName.value ? "on" : "off"
    facts[.routeTLSName] = route.tlsName.value
    facts[.routeSendsHost] = route.hostHeader.value
    facts[.routeAuthorities] = route.trustedCertificate?.value
    facts[.routeAuthoritiesFile] = route.trustedCertificate.flatMap { files.hostPath(of: $0.value) }
    facts[.routeLog] = route.errorLog.flatMap { $0.value.hasPrefix("/") ? $0.value : nil }
    switch upstream.resolution {
    case .address, .atStart, .atStartBecause: facts[.routeResolves] = RouteReading.atStart
    case .eachRequest(let resolvers):
      facts[.routeResolves] = RouteReading.eachRequest
      facts[.routeResolver] = resolvers.joined(separator: ", ")
    case .never: facts[.routeResolves] = RouteReading.eachRequest
    }
    for (name, span) in [
      ("host", upstream.hostSpan), ("port", upstream.portSpan), ("scheme", upstream.schemeSpan),
      ("timeout", route.readTimeout.span), ("verify", route.verifies.span), ("ssl-name", route.tlsName.span),
      ("sni", route.sendsServerName.span),
      ("name", route.serverNameSpan), ("header-limit", route.setsBuffers ? nil : route.headerLimit.span),
    ] {
      facts.set(span, name, files)
    }
    if upstream.socket == nil, let span = route.passSpan, let pass = route.pass,
      span.head + pass + span.tail == span.text,
      let mark = pass.firstRange(of: "://"), let slash = pass[mark.upperBound...].firstIndex(of: "/")
    {
      // Without a path of its own proxy_pass leaves the visitor's as it is.
      let path = pass.distance(from: pass.startIndex, to: slash)..<pass.count
      let place = span.part(path, of: pass)
      facts.set(place, "rewrite", files)
      facts["rewrite-line.fixed"] = place.head + place.tail
      facts[.routeRewrittenBy] = "proxy_pass \(pass)"
    }
    facts["verify-line.off"] = route.verifies.span.map { _ in "off" }
    facts.setPass(
      route.passSpan, next: route.passSpan.flatMap { configuration.line($0.line + 1, of: $0.file) }, files)
    // A location that sets its buffers already takes no second line about them.
    facts["pass-line.buffers"] = route.setsBuffers || route.headerLimit.span != nil ? nil : "none"
    guard facts[.line("pass", "text")] != nil else { return }
    facts["pass-line.target"] = route.passTarget
    if upstream.isResolvedEachTime { facts["pass-line.literal"] = route.passLiteral }
  }
}

extension Nginx.Route {
  /// The server of its group that is asked first.
  fileprivate var firstServer: Nginx.Upstream? { upstreams.first { !$0.isDown && !$0.isBackup } ?? upstreams.first }
}

extension Nginx.Configuration {
  fileprivate func route(_ request: RouteReading.Request) -> Nginx.Route? {
    let isTLS = request.site.scheme == "https"
    return route(host: request.site.host, port: request.port, path: request.site.path, isTLS: isTLS)
  }

  /// True if the default server is plainly meant for other sites: it has names of its own, and is not the only one.
  fileprivate func isForOthers(_ route: Nginx.Route, _ request: RouteReading.Request) -> Bool {
    guard route.kind.isPassed else { return true }
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
  /// `host:port`; nil for a Unix socket.
  fileprivate var server: String? {
    socket == nil ? "\(host):\(port ?? (scheme == "https" ? 443 : 80))" : nil
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

  /// An IPv6 address without the brackets it has in a URL.
  public var trimmedBrackets: String { hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self }
}
