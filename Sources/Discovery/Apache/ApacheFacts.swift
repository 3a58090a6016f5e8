import Model

extension ApacheReading {
  /// The facts of the route that serves the request, and whether httpd can use it.
  static func route(
    _ request: RouteReading.Request, in configuration: Apache.Configuration, _ proxy: RunningProxy
  ) async -> (RouteReading.Outcome, Facts) {
    let (line, files, site) = (CommandLine(proxy.command), proxy.files, request.site)
    var facts: Facts = [.proxyConfiguration: line?.configuration ?? "", .proxyPrefix: line?.root ?? ""]
    await describe(configuration, files, &facts)
    let path = String(site.path.prefix { $0 != "?" })
    let route = configuration.route(
      host: site.host, port: request.port, path: site.path, isTLS: site.scheme == "https")
    let workers = configuration.workers(of: route)
    let decides = route.directive ?? route.server.section
    facts[.routeDefinedIn] = decides.map { "\(configuration.original(of: $0.file)):\($0.line)" }
    if let decides, files.hostPath(of: decides.file) == nil { facts[.configInside] = proxy.place.id }
    facts[.routeHost] = route.server.hostName ?? site.host

    if configuration.isForOthers(route, request) {
      if !configuration.problems.isEmpty { return (.broken, facts) }
      if !configuration.unread.isEmpty { return (.unknown, facts) }
      facts[.routeHost] = nil
      let near = site.host.nearest(among: Set(configuration.listed.map(\.host)))
      facts[.routeNear] = near
      facts.set(near.flatMap(configuration.nameSpan), "name", files)
      return (.default, facts)
    }
    setSite(route, configuration, files, &facts)
    switch route.kind {
    case .unclear: return (.unknown, facts)
    case .own:
      guard let (module, section) = configuration.leftOut(route.server) else { return (.static, facts) }
      facts[.routeDefinedIn] = "\(configuration.original(of: section.file)):\(section.line)"
      facts[.routeProblem] =
        "it stands in <\(section.name) \(section.text(0) ?? "")>, and mod_\(module) is not loaded"
      setModule(module, configuration, files, &facts)
      return (.misconfigured, facts)
    case .proxied: break
    }
    let wanted = request.server.flatMap { server in workers.first { $0.target.server == server } }
    guard let worker = wanted ?? workers.first(where: { !$0.isOut }) ?? workers.first else {
      facts[.routeUpstream] = route.url?.text
      facts[.routeProblem] = "the balancer \(route.url?.text ?? "") has no member"
      return (.misconfigured, facts)
    }
    describe(route, worker, workers, path: path, site, configuration, files, &facts)
    return (outcome(route, worker, workers, configuration, files, &facts), facts)
  }

  /// Whether httpd can use the route with the modules and the settings that it has.
  private static func outcome(
    _ route: Apache.Route, _ worker: Apache.Worker, _ workers: [Apache.Worker], _ configuration: Apache.Configuration,
    _ files: ProxyFiles, _ facts: inout Facts
  ) -> RouteReading.Outcome {
    let scheme = worker.target.scheme.text.lowercased()
    let balancer = route.url?.text.lowercased().hasPrefix("balancer:") == true ? ["balancer"] : []
    let missing = configuration.missingModules(for: balancer + [scheme], in: configuration)
    if !missing.isEmpty {
      facts[.routeProblem] = "it needs mod_\(missing.joined(separator: ", mod_")), which is not loaded"
      // One at a time: whatever else is missing is named after that. mod_proxy comes before those that need it.
      setModule(missing.first { $0 == "proxy" } ?? missing[0], configuration, files, &facts)
      return .misconfigured
    }
    if ["https", "wss", "h2"].contains(scheme),
      configuration.setting("sslproxyengine", route, path: "")?.text(0)?.lowercased() != "on"
    {
      facts[.routeProblem] = "it goes to \(scheme), and SSLProxyEngine is not on"
      facts[.apacheNeedsTLS] = "yes"
      return .misconfigured
    }
    if workers.allSatisfy(\.isOut) {
      facts[.routeProblem] = "every member of its balancer is switched off by status="
      return .misconfigured
    }
    return scheme == "ftp" ? .otherProtocol : .found
  }

  private static func setModule(
    _ module: String, _ configuration: Apache.Configuration, _ files: ProxyFiles, _ facts: inout Facts
  ) {
    facts[.apacheModule] = module
    if configuration.files.contains(where: { $0.contains("/mods-enabled/") }), files.container == nil {
      facts[.apacheHasSwitches] = "yes"
    } else if let commented = configuration.commentedLoad(of: "\(module)_module") {
      facts.set(commented.span, "problem", files)
      facts["problem-line.fixed"] = facts[.line("problem", "text")].map { _ in commented.fixed }
    } else if let load = configuration.lastLoad {
      facts.setInsertion("module", load.span, next: load.next, files)
      facts[.apacheModuleFolder] = load.folder
    }
  }

  private static func describe(_ configuration: Apache.Configuration, _ files: ProxyFiles, _ facts: inout Facts) async {
    if let problem = configuration.problems.first {
      let file = configuration.original(of: problem.file)
      facts[.configProblem] = "\(file):\(problem.line): \(problem.message)".printable
      facts[.line("problem", "file")] = files.hostPath(of: file) ?? file
      facts[.line("problem", "number")] = String(problem.line)
      facts[.line("problem", "text")] = configuration.line(problem.line, of: problem.file)
      if files.patchPath(of: file) != nil { facts["problem-line.fixed"] = configuration.mended(problem) }
    }
    var newest: (path: String, time: Double)?
    for path in configuration.files.prefix(200) {
      guard let time = await files.modified(path), time > newest?.time ?? 0 else { continue }
      newest = (path, time)
    }
    facts[.configNewest] = newest.map { configuration.original(of: $0.path) }
    facts[.configNewestTime] = newest.map { String($0.time) }
    let sites = configuration.files.last { $0.contains("/sites-enabled/") } ?? configuration.files.last
    let folder = sites.map { configuration.original(of: $0) }.flatMap { path in
      path.lastIndex(of: "/").map { String(path[..<$0]) }
    }
    facts[.configDirectory] = folder.flatMap { files.hostPath(of: $0) }
  }

  /// The line of the virtual host, after which settings of the whole site may be inserted.
  private static func setSite(
    _ route: Apache.Route, _ configuration: Apache.Configuration, _ files: ProxyFiles, _ facts: inout Facts
  ) {
    if let section = route.server.section {
      let next = configuration.line(section.line + 1, of: section.file)
      facts.setInsertion(
        "site", configuration.span(line: section.line, of: section.file), next: next, files,
        indentation: next.map { String($0.prefix { $0 == " " || $0 == "\t" }) })
    } else if let pass = route.server.directives.first(where: \.isPass) {
      facts.setInsertion(
        "site", configuration.span(line: pass.line, of: pass.file),
        next: configuration.line(pass.line + 1, of: pass.file), files)
    }
    facts.set(configuration.span(route.server.name), "name", files)
  }

  private static func describe(
    _ route: Apache.Route, _ worker: Apache.Worker, _ workers: [Apache.Worker], path: String, _ site: Site,
    _ configuration: Apache.Configuration, _ files: ProxyFiles, _ facts: inout Facts
  ) {
    let target = worker.target
    func setting(_ name: String) -> Apache.Directive? { configuration.setting(name, route, path: path) }
    let scheme = target.scheme.text.lowercased()
    let isTLS = ["https", "wss", "h2"].contains(scheme)
    let host = target.host.text
    facts[.routeUpstream] = target.url
    facts[.upstreamScheme] = isTLS ? "https" : ["http", "ws"].contains(scheme) ? "http" : scheme
    if let socket = target.socket {
      facts[.upstreamSocket] = socket.text
    } else {
      facts[.upstreamHost] = host.trimmedBrackets
      facts[.upstreamPort] = String(target.number)
    }
    facts[.upstreamPath] = upstreamPath(route, target, query: String(site.path.drop { $0 != "?" }))
    facts[.routeProtocol] =
      ["http": "http", "https": "http", "ws": "http", "wss": "http", "fcgi": "fastcgi"][scheme] ?? scheme
    if workers.count > 1 {
      facts[.routeServers] = workers.filter { !$0.isOut }.map(\.target.server).joined(separator: ", ")
    }
    let isFresh =
      worker.value("disablereuse")?.text.lowercased() == "on" || worker.value("enablereuse")?.text.lowercased() == "off"
      || worker.value("addressttl").flatMap { Int($0.text) }.map { $0 >= 0 } == true
    facts[.routeResolves] = isFresh && !host.isAddress ? RouteReading.eachRequest : RouteReading.atStart

    // Timeouts: the worker's own, else ProxyTimeout, else Timeout, which is 60 s if nobody sets it.
    let general = setting("proxytimeout") ?? setting("timeout")
    let seconds = worker.value("timeout")?.text.timeout ?? general?.text(0)?.timeout ?? 60
    facts[.routeReadTimeout] = seconds.inWords
    facts[.routeConnectTimeout] = (worker.value("connectiontimeout")?.text.timeout ?? seconds).inWords
    let isRule = worker.directive.key == "rewriterule" || worker.directive.key == "sethandler"
    facts.set(
      worker.value("timeout").flatMap { $0.text.allSatisfy(\.isNumber) ? configuration.span($0) : nil }
        ?? setting("proxytimeout").flatMap { configuration.span($0.arguments.first) }
        ?? (isRule ? nil : configuration.end(of: worker.directive, inserting: " timeout=")), "timeout", files)
    facts[.routeHeaderLimit] = worker.value("responsefieldsize")?.text ?? "8192"

    // Names: what the upstream gets as Host, and what its certificate has to say.
    let keepsHost = setting("proxypreservehost")?.text(0)?.lowercased() == "on"
    let set = setting("requestheader").flatMap { header in
      header.text(0)?.lowercased() == "set" && header.text(1)?.lowercased() == "host" ? header.text(2) : nil
    }
    let isUsual = target.number == (isTLS ? 443 : 80)
    facts[.routeSendsHost] = keepsHost ? set ?? siteHost(site) : isUsual ? host : "\(host):\(target.number)"
    if isTLS { describeTrust(keepsHost ? site.host : host.trimmedBrackets, setting, configuration, files, &facts) }
    describeLog(setting("errorlog")?.text(0), host: host, target.number, path, configuration, &facts)

    facts.set(configuration.span(target.host), "host", files)
    facts.set(
      target.socket != nil
        ? nil : target.port.map(configuration.span) ?? configuration.span(behind: target.host, inserting: ":"), "port",
      files)
    facts.set(configuration.span(target.scheme), "scheme", files)
    let pass = route.directive.flatMap { configuration.span(line: $0.line, of: $0.file) }
    facts.setPass(pass, next: route.directive.flatMap { configuration.line($0.line + 1, of: $0.file) }, files)
  }

  private static func siteHost(_ site: Site) -> String {
    site.port == (site.scheme == "https" ? 443 : 80) ? site.host : "\(site.host):\(site.port)"
  }

  /// What the URL of the route and the rest of the request's path make together.
  static func upstreamPath(_ route: Apache.Route, _ target: Apache.Target, query: String) -> String {
    let url = route.url?.text ?? ""
    let isGroup = url.lowercased().hasPrefix("balancer:")
    let base = isGroup ? Apache.Target(Traced(url)).path : target.path
    let member = isGroup && target.path != "/" ? target.path : ""
    let joined = member + (base + route.rest)
    let path = joined.hasPrefix("/") ? joined : "/" + joined
    return path + query
  }

  /// Expiry and name are verified unless switched off; the issuer only with `SSLProxyVerify require`.
  private static func describeTrust(
    _ name: String, _ setting: (String) -> Apache.Directive?, _ configuration: Apache.Configuration,
    _ files: ProxyFiles, _ facts: inout Facts
  ) {
    func isOff(_ name: String) -> Bool { setting(name)?.text(0)?.lowercased() == "off" }
    let verify = setting("sslproxyverify")?.text(0)?.lowercased() ?? "none"
    let checksName =
      !isOff("sslproxycheckpeername")
      && (!isOff("sslproxycheckpeercn") || setting("sslproxycheckpeername")?.text(0)?.lowercased() == "on")
    let parts =
      (["require", "optional"].contains(verify) ? ["issuer"] : []) + (checksName ? ["name"] : [])
      + (isOff("sslproxycheckpeerexpire") ? [] : ["expiry"])
    facts[.routeVerifies] = parts.isEmpty ? "off" : parts.contains("issuer") ? "on" : RouteReading.nameAndDate
    facts[.routeVerifiesParts] = parts.joined(separator: ", ")
    facts[.routeTLSName] = name
    facts[.routeSendsTLSName] = name.isAddress ? "off" : "on"
    let authorities = setting("sslproxycacertificatefile")?.text(0).map(configuration.absolute)
    facts[.routeAuthorities] = authorities
    facts[.routeAuthoritiesFile] = authorities.flatMap { files.hostPath(of: $0) }
  }

  private static func describeLog(
    _ log: String?, host: String, _ port: UInt16, _ path: String, _ configuration: Apache.Configuration,
    _ facts: inout Facts
  ) {
    let log = log ?? "logs/error_log"
    let isFile = !log.hasPrefix("|") && !log.hasPrefix("syslog") && !log.hasPrefix("/proc/") && !log.hasPrefix("/dev/")
    facts[.routeLog] = isFile ? configuration.absolute(log) : nil
    // Lists of facts are separated by commas.
    facts[.routeLogKeys] = ["\(host):\(port)", "failure for: \(host)", "returned by \(path)"]
      .filter { !$0.contains(",") }.joined(separator: ", ")
  }
}

extension Apache.Configuration {
  /// True if the server that answers is plainly meant for other sites.
  fileprivate func isForOthers(_ route: Apache.Route, _ request: RouteReading.Request) -> Bool {
    guard route.choice != .byName else { return false }
    if route.kind != .proxied { return leftOut(route.server) == nil || route.choice == .byDefault }
    if route.choice == .main || request.site.host.isAddress || request.site.host == "localhost" { return false }
    guard let name = route.server.hostName, name != "localhost", !name.isEmpty else { return false }
    return Set(listed.map(\.host)).count > 1 || name.contains(".")
  }

  fileprivate func nameSpan(_ name: String) -> Span? {
    for server in hosts.all {
      if server.hostName == name { return span(server.name) }
      if let alias = server.aliases.first(where: { $0.text.lowercased() == name }) { return span(alias) }
    }
    return nil
  }

  /// A route that stands in an `<IfModule>` whose module is not loaded: the module and the section.
  fileprivate func leftOut(_ server: Apache.Server) -> (module: String, section: Apache.Directive)? {
    for section in server.directives where section.key == "ifmodule" {
      guard let block = section.block,
        block.contains(where: { $0.isPass || ($0.block ?? []).contains(where: \.isPass) }),
        let name = section.text(0), !name.hasPrefix("!")
      else { continue }
      let short = name.hasPrefix("mod_") ? name.dropFirst(4).prefix { $0 != "." } : name.dropLast("_module".count)
      return (String(short), section)
    }
    return nil
  }

  /// The modules that these schemes need and that are not loaded.
  fileprivate func missingModules(for schemes: [String], in configuration: Apache.Configuration) -> [String] {
    let needed = schemes.flatMap { scheme -> [String] in
      switch scheme {
      case "http", "ws": ["proxy_http"]
      case "https", "wss": ["proxy_http", "ssl"]
      case "fcgi": ["proxy_fcgi"]
      case "h2c": ["proxy_http2"]
      case "h2": ["proxy_http2", "ssl"]
      case "ajp", "uwsgi", "scgi", "ftp", "balancer": ["proxy_\(scheme)"]
      default: []
      }
    }
    return knowsModules ? needed.filter { !modules.contains("\($0)_module") } : []
  }

  /// The last `LoadModule` line, the line after it, and the folder that it names.
  fileprivate var lastLoad: (span: Span, next: String?, folder: String)? {
    guard let load = directives.last("loadmodule"), let span = span(line: load.line, of: load.file) else { return nil }
    let folder = load.text(1)?.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    return (span, line(load.line + 1, of: load.file), folder ?? "modules")
  }

  /// The line of a problem as it was probably meant; nil if that cannot be told.
  fileprivate func mended(_ problem: Apache.Problem) -> String? {
    guard problem.message.hasPrefix("Invalid command '"), let text = line(problem.line, of: problem.file) else {
      return nil
    }
    let name = problem.message.dropFirst("Invalid command '".count).prefix { $0 != "'" }.drop { $0 == "<" }
    guard let meant = String(name).nearest(among: Apache.usable(with: modules)), let range = text.firstRange(of: name)
    else {
      return nil
    }
    return text.replacingCharacters(in: range, with: meant)
  }
}

extension String {
  /// Seconds of a worker's timeout: `5`, `5s`, `500ms`, `2mi`.
  fileprivate var timeout: Double? {
    let number = prefix { $0.isNumber }
    guard let value = Double(number) else { return nil }
    switch dropFirst(number.count).lowercased() {
    case "ms": return value / 1000
    case "mi", "min": return value * 60
    case "h": return value * 3600
    default: return value
    }
  }

  fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
