import Model
import Routes
import World

extension ApacheReading {
  /// What the files say of the request, and whether httpd can use it.
  static func reading(
    of request: RouteReading.Request, in configuration: Apache.Configuration, _ proxy: RunningProxy
  ) async -> Reading {
    let (files, site) = (proxy.files, request.site)
    let route = configuration.route(
      host: site.host, port: request.port, path: site.path, isTLS: site.scheme == "https", authority: site.authority)
    let workers = configuration.workers(of: route)
    let decides = route.directive ?? route.server.section
    func place(_ directive: Apache.Directive) -> String {
      "\(configuration.original(of: directive.file)):\(directive.line)"
    }
    var reading = Reading(
      outcome: .found, configuration: await seen(configuration, CommandLine(proxy.command), files), entry: nil,
      route: nil, problem: nil, near: nil, app: nil, labels: nil, log: Reading.Log(file: .notRead, keys: []), own: [:])
    reading.configuration.container = decides.flatMap { files.container(with: $0.file) }
    reading.entry = Reading.Entry(
      site: Setting(
        route.server.hostName ?? site.host, files.edit(configuration.span(route.server.name))),
      definedIn: decides.map(place) ?? "", router: nil, service: nil, provider: nil)

    if configuration.isForOthers(route, request) {
      reading.outcome = configuration.unread.isEmpty ? .default : .unknown
      if !configuration.problems.isEmpty { reading.outcome = .broken }
      guard reading.outcome == .default else { return reading }
      reading.entry?.site = nil
      let near = site.host.nearest(among: Set(configuration.listed.map(\.host)))
      reading.near = near.map { Setting($0, files.edit(configuration.nameSpan($0))) }
      return reading
    }
    if let problem = await strangeAddress(of: route.server, request.port, configuration, proxy) {
      (reading.outcome, reading.problem) = (.misconfigured, problem)
      return reading
    }
    switch route.kind {
    case .unclear:
      reading.outcome = .unknown
      return reading
    case .own:
      reading.outcome = .static
      if let exception = route.directive, exception.name.lowercased().hasPrefix("proxypass") {
        reading.own[.routeFiles] = "excluded"
        reading.own.set(files.edit(configuration.span(line: exception.line, of: exception.file)), .exception)
      }
      guard let (module, section) = configuration.leftOut(route.server) else { return reading }
      reading.outcome = .misconfigured
      reading.entry?.definedIn = place(section)
      reading.problem = Reading.Problem(
        reason: "it stands in <\(section.name) \(section.text(0) ?? "")>, and mod_\(module) is not loaded",
        remedy: remedy(for: module, configuration, files, &reading.own), label: nil)
      return reading
    case .proxied: break
    }
    guard let worker = workers.chosen(request.server, by: \.server) else {
      reading.outcome = .misconfigured
      reading.problem = Reading.Problem(
        reason: "the balancer \(route.url?.text ?? "") has no member", remedy: nil, label: nil)
      return reading
    }
    let path = String(site.path.prefix { $0 != "?" })
    reading.log = log(of: route, worker.target, path, configuration)
    reading.route = Self.route(route, worker, workers, path: path, site, configuration, files)
    reading.problem =
      problem(of: route, worker, workers, configuration, files, &reading.own)
      ?? encodedSlash(in: path, route, configuration, files, &reading.own)
    if reading.problem != nil {
      reading.outcome = .misconfigured
    } else if worker.target.scheme.text.lowercased() == "ftp" {
      reading.outcome = .otherProtocol
    }
    return reading
  }

  /// Why httpd cannot use the route with the modules and the settings that it has.
  private static func problem(
    of route: Apache.Route, _ worker: Apache.Worker, _ workers: [Apache.Worker], _ configuration: Apache.Configuration,
    _ files: ProxyFiles, _ own: inout Facts
  ) -> Reading.Problem? {
    let scheme = worker.target.scheme.text.lowercased()
    let balancer = route.url?.text.lowercased().hasPrefix("balancer:") == true ? ["balancer"] : []
    let missing = configuration.missingModules(for: balancer + [scheme], in: configuration)
    if !missing.isEmpty {
      // One at a time: whatever else is missing is named after that. mod_proxy comes before those that need it.
      let first = missing.first { $0 == "proxy" } ?? missing[0]
      return Reading.Problem(
        reason: "it needs mod_\(missing.joined(separator: ", mod_")), which is not loaded",
        remedy: remedy(for: first, configuration, files, &own), label: nil)
    }
    guard served.contains(scheme) else {
      return Reading.Problem(
        reason: "No protocol handler was valid for the URL \(route.url?.text ?? "")", remedy: nil, label: nil)
    }
    let host = worker.target.host.text
    if let variable = configuration.undefined.sorted().first(where: { host.contains("${\($0)}") }) {
      return Reading.Problem(
        reason: "nothing defines the variable ${\(variable)}, so Apache looks \(host) up as it stands", remedy: nil,
        label: nil)
    }
    if let problem = addressProblem(of: route, configuration, files) { return problem }
    if isTLS(scheme), configuration.setting("sslproxyengine", route, path: "")?.text(0)?.lowercased() != "on" {
      own[.apacheNeedsTLS] = "yes"
      return Reading.Problem(
        reason: "it goes to \(scheme), and SSLProxyEngine is not on", remedy: nil, label: nil)
    }
    guard workers.allSatisfy(\.isOut) else { return nil }
    // Which one of several is to be used somebody has to decide.
    let only = workers.count == 1 ? workers.first?.statusParameter : nil
    return Reading.Problem(
      reason: "every member of its balancer is switched off by status=",
      remedy: files.edit(configuration.span(only)).map { .line($0, fixed: $0.span.removed) }, label: nil)
  }

  /// Schemes that a module of httpd speaks.
  private static let served: Set<String> = [
    "http", "https", "ws", "wss", "h2", "h2c", "fcgi", "scgi", "uwsgi", "ajp", "ftp",
  ]

  /// A virtual host for addresses that httpd's place has not is never asked, whatever its name.
  private static func strangeAddress(
    of server: Apache.Server, _ port: UInt16, _ configuration: Apache.Configuration, _ proxy: RunningProxy
  ) async -> Reading.Problem? {
    guard let section = server.section, let own = try? await proxy.addresses else { return nil }
    let here = server.addresses.filter { $0.port == nil || $0.port == port }.map(\.host.trimmedBrackets)
    // What a name of this place leads to is not known here.
    guard !here.isEmpty, here.allSatisfy({ $0.isAddress && !$0.isAnyAddress && !$0.isLoopback && !own.contains($0) })
    else { return nil }
    let all = "*:\(port)"
    let written = section.arguments.count == 1 ? configuration.span(section.arguments[0]) : nil
    return Reading.Problem(
      reason:
        "its <VirtualHost> is for \(here.joined(separator: ", ")), which is no address of the place where httpd runs",
      remedy: proxy.files.edit(written).map { .line($0, fixed: $0.span.head + all + $0.span.tail) }, label: nil)
  }

  /// What of the path follows the URL is taken for a part of the host or the port where no slash is between them.
  private static func addressProblem(
    of route: Apache.Route, _ configuration: Apache.Configuration, _ files: ProxyFiles
  ) -> Reading.Problem? {
    guard let url = route.url else { return nil }
    let meant = Apache.Target(url)
    let taken = Apache.Target(Traced(url.text + route.rest))
    guard taken.authority != meant.authority else {
      guard let port = meant.port?.text, UInt16(port) == nil, meant.socket == nil else { return nil }
      return Reading.Problem(reason: "\(port) is no port, in \(url.text)", remedy: nil, label: nil)
    }
    let fixed = configuration.span(url).map { $0.head + url.text + "/" + $0.tail }
    let line = route.directive.flatMap { files.edit(configuration.span(line: $0.line, of: $0.file)) }
    return Reading.Problem(
      reason: "\(url.text) has no slash at its end, so httpd takes \(taken.authority) for its host",
      remedy: line.map { .line($0, fixed: fixed) }, label: nil)
  }

  /// httpd answers 404 itself to a path with an escaped slash, unless it is told to let it through.
  ///
  /// Source: httpd 2.4, `AllowEncodedSlashes`; GitLab, RabbitMQ, Nexus and Nextcloud ask for such paths.
  private static func encodedSlash(
    in path: String, _ route: Apache.Route, _ configuration: Apache.Configuration, _ files: ProxyFiles,
    _ own: inout Facts
  ) -> Reading.Problem? {
    let setting = configuration.setting("allowencodedslashes", route, path: path)?.text(0)?.lowercased() ?? "off"
    guard path.lowercased().contains("%2f"), setting == "off" else { return nil }
    // Without the word mod_proxy would escape the slash once more.
    own[.passExact] = route.directive.flatMap { pass in
      pass.isPass ? configuration.line(pass.line, of: pass.file).map { $0 + " nocanon" } : nil
    }
    return Reading.Problem(
      reason:
        "the path has an escaped slash (%2F), and Apache answers 404 to that itself while AllowEncodedSlashes is off",
      remedy: site(of: route, configuration, files).map {
        .insertion($0.after, text: $0.indentation + "AllowEncodedSlashes NoDecode", next: $0.next)
      }, label: nil)
  }

  private static func isTLS(_ scheme: String) -> Bool { ["https", "wss", "h2"].contains(scheme) }

  /// How a module comes to be loaded: by Debian's switch, by its line without the `#`, or by a line of its own.
  private static func remedy(
    for module: String, _ configuration: Apache.Configuration, _ files: ProxyFiles, _ own: inout Facts
  ) -> Reading.Problem.Remedy? {
    own[.apacheModule] = module
    if configuration.files.contains(where: { $0.contains("/mods-enabled/") }), files.container == nil {
      own[.apacheHasSwitches] = "yes"
      return nil
    }
    if let commented = configuration.commentedLoad(of: "\(module)_module") {
      return files.edit(commented.span).map { .line($0, fixed: commented.fixed) }
    }
    guard let load = configuration.lastLoad else { return nil }
    own[.apacheModuleFolder] = load.folder
    return files.insertion(after: load.span, next: load.next).map { .module($0) }
  }

  private static func seen(
    _ configuration: Apache.Configuration, _ line: CommandLine?, _ files: ProxyFiles
  ) async -> Reading.Configuration {
    let mistake = configuration.problems.first.map { problem in
      let file = configuration.original(of: problem.file)
      let access = configuration.oldAccess(problem)
      return files.mistake(
        "\(file):\(problem.line): \(problem.message)", in: file, line: problem.line,
        text: access?.text ?? configuration.line(problem.line, of: problem.file),
        fixed: access?.fixed ?? configuration.mended(problem))
    }
    var newest = await files.newest(of: configuration.files)
    if let path = newest?.path { newest?.path = configuration.original(of: path) }
    let sites = configuration.files.last { $0.contains("/sites-enabled/") } ?? configuration.files.last
    return Reading.Configuration(
      start: Reading.Configuration.Start(file: line?.configuration, prefix: line?.root, adapter: nil), mistake: mistake,
      newest: newest, main: nil,
      folder: sites.flatMap { files.folder(of: configuration.original(of: $0)) }, folderInside: nil, container: nil,
      hasAdmin: .notApplicable, version: nil, unread: nil)
  }

  /// The line of the virtual host, after which settings of the whole site may be inserted.
  private static func site(
    of route: Apache.Route, _ configuration: Apache.Configuration, _ files: ProxyFiles
  ) -> Insertion? {
    if let section = route.server.section {
      let next = configuration.line(section.line + 1, of: section.file)
      return files.insertion(
        after: configuration.span(line: section.line, of: section.file), next: next,
        indentation: next.map { String($0.prefix { $0 == " " || $0 == "\t" }) })
    }
    guard let pass = route.server.directives.first(where: \.isPass) else { return nil }
    return files.insertion(
      after: configuration.span(line: pass.line, of: pass.file),
      next: configuration.line(pass.line + 1, of: pass.file))
  }

  private static func route(
    _ route: Apache.Route, _ worker: Apache.Worker, _ workers: [Apache.Worker], path: String, _ site: Site,
    _ configuration: Apache.Configuration, _ files: ProxyFiles
  ) -> Route {
    let target = worker.target
    func setting(_ name: String) -> Apache.Directive? { configuration.setting(name, route, path: path) }
    let scheme = target.scheme.text.lowercased()
    let host = target.host.text

    // Names: what the upstream gets as Host, and what its certificate has to say.
    let keepsHost = setting("proxypreservehost")?.text(0)?.lowercased() == "on"
    let set = setting("requestheader").flatMap { header in
      header.text(0)?.lowercased() == "set" && header.text(1)?.lowercased() == "host" ? header.text(2) : nil
    }
    let isUsual = target.number == (isTLS(scheme) ? 443 : 80)
    let sentHost = keepsHost ? set ?? site.authority : isUsual ? host : "\(host):\(target.number)"

    let isFresh =
      worker.value("disablereuse")?.text.lowercased() == "on" || worker.value("enablereuse")?.text.lowercased() == "off"
      || worker.value("addressttl").flatMap { Int($0.text) }.map { $0 >= 0 } == true
    let port = target.port.map(configuration.span) ?? configuration.span(behind: target.host, inserting: ":")
    let address: Route.Upstream.Address =
      target.socket.map { .socket(Setting($0.text, files.edit(configuration.span($0)))) }
      ?? .network(
        host: Setting(host.trimmedBrackets, files.edit(configuration.span(target.host))),
        port: Setting(target.number, files.edit(port)))
    let spoken = ["https": "http", "ws": "http", "wss": "http", "fcgi": "fastcgi"][scheme] ?? scheme
    let pass = route.directive.flatMap { configuration.span(line: $0.line, of: $0.file) }
    let line = worker.value("responsefieldsize").flatMap { Int($0.text) }
    return Route(
      upstream: Route.Upstream(
        scheme: Setting(
          isTLS(scheme) ? "https" : scheme == "ws" ? "http" : scheme,
          files.edit(configuration.span(target.scheme))), address: address,
        speaks: Route.Dialect(rawValue: spoken) ?? .http),
      servers: workers.compactMap(\.server),
      resolution: .known(
        Route.Resolution(
          when: .known(isFresh && !host.isAddress ? .eachTime : .atStart), family: .notApplicable,
          dials: .notApplicable, resolver: nil)),
      patience: patience(worker, setting, configuration, files),
      tls: isTLS(scheme)
        ? tls(keepsHost ? site.host : host.trimmedBrackets, setting, configuration, files) : nil,
      path: Route.Path(
        passedOn: .known(upstreamPath(route, target)), change: .notRead),
      sentHost: .known(Setting(sentHost, nil)),
      limits: Route.Limits(
        header: .known(
          Route.Limits.Header(
            bytes: nil, line: line ?? 8192,
            lines: setting("limitrequestfields")?.text(0).flatMap { Int($0) } ?? 100)),
        body: .known(Setting(bodyLimit(setting("limitrequestbody")), nil)), connections: .notRead),
      health: .notRead, login: .notApplicable, scripts: .notRead, refusals: .notRead,
      shadowed: .known(shadowed(by: route, configuration, files)),
      pass: Route.Pass(
        line: files.insertion(
          after: pass, next: route.directive.flatMap { configuration.line($0.line + 1, of: $0.file) }),
        site: Self.site(of: route, configuration, files), transport: nil, target: nil, literal: nil, plain: nil,
        encrypted: nil, takesBuffers: false, family: nil),
      container: nil, runs: .notRead)
  }

  private static func shadowed(
    by route: Apache.Route, _ configuration: Apache.Configuration, _ files: ProxyFiles
  ) -> Setting<String>? {
    route.shadowed.flatMap { later in
      configuration.line(later.line, of: later.file).map {
        Setting($0.trimmed, files.edit(configuration.span(line: later.line, of: later.file)))
      }
    }
  }

  /// Source: httpd 2.4, `LimitRequestBody`: 1 GB since 2.4.53; 0 is no limit.
  private static func bodyLimit(_ directive: Apache.Directive?) -> Int? {
    let bytes = directive?.text(0).flatMap { Int($0) } ?? 1 << 30
    return bytes == 0 ? nil : bytes
  }

  /// The worker's own time-out, else `ProxyTimeout`, else `Timeout`, which is 60 s if nobody sets it.
  private static func patience(
    _ worker: Apache.Worker, _ setting: (String) -> Apache.Directive?, _ configuration: Apache.Configuration,
    _ files: ProxyFiles
  ) -> Route.Patience {
    let general = setting("proxytimeout") ?? setting("timeout")
    let seconds = worker.value("timeout")?.text.timeout ?? general?.text(0)?.timeout ?? 60
    let isRule = worker.directive.key == "rewriterule" || worker.directive.key == "sethandler"
    let place =
      worker.value("timeout").flatMap { $0.text.allSatisfy(\.isNumber) ? configuration.span($0) : nil }
      ?? setting("proxytimeout").flatMap { configuration.span($0.arguments.first) }
      ?? (isRule ? nil : configuration.end(of: worker.directive, inserting: " timeout="))
    return Route.Patience(
      connect: .known(Setting(Route.Wait(worker.value("connectiontimeout")?.text.timeout ?? seconds), nil)),
      answer: .known(Setting(Route.Wait(seconds), files.edit(place))), whole: .notApplicable)
  }

  /// What the URL of the route and the rest of the request's path make together.
  static func upstreamPath(_ route: Apache.Route, _ target: Apache.Target) -> String {
    let url = route.url?.text ?? ""
    let isGroup = url.lowercased().hasPrefix("balancer:")
    let base = isGroup ? Apache.Target(Traced(url)).path : target.path
    let member = isGroup && target.path != "/" ? target.path : ""
    let own = base + route.rest
    return member + (own.hasPrefix("/") ? own : "/" + own) + route.query
  }

  /// Expiry and name are verified unless switched off; the issuer only with `SSLProxyVerify require`.
  private static func tls(
    _ name: String, _ setting: (String) -> Apache.Directive?, _ configuration: Apache.Configuration,
    _ files: ProxyFiles
  ) -> Route.TLS {
    func isOff(_ name: String) -> Bool { setting(name)?.text(0)?.lowercased() == "off" }
    let verify = setting("sslproxyverify")?.text(0)?.lowercased() ?? "none"
    let checksName =
      !isOff("sslproxycheckpeername")
      && (!isOff("sslproxycheckpeercn") || setting("sslproxycheckpeername")?.text(0)?.lowercased() == "on")
    var parts: Set<Route.TLS.Part> = []
    if ["require", "optional"].contains(verify) { parts.insert(.issuer) }
    if checksName { parts.insert(.name) }
    if !isOff("sslproxycheckpeerexpire") { parts.insert(.expiry) }
    let authorities = setting("sslproxycacertificatefile")?.text(0).map(configuration.absolute)
    return Route.TLS(
      verified: .known(parts), verifySwitch: nil, name: .known(Setting(name, nil)),
      sendsName: .known(Setting(!name.isAddress, nil)), authorities: .known(authorities.map(files.authorities)),
      sendsCertificate: .known(setting("sslproxymachinecertificatefile") != nil), offer: .known(.usual), block: nil)
  }

  private static func log(
    of route: Apache.Route, _ target: Apache.Target, _ path: String, _ configuration: Apache.Configuration
  ) -> Reading.Log {
    let log = configuration.setting("errorlog", route, path: path)?.text(0) ?? "logs/error_log"
    let isFile = !log.hasPrefix("|") && !log.hasPrefix("syslog") && !log.hasPrefix("/proc/") && !log.hasPrefix("/dev/")
    let host = target.host.text
    let group = route.url.flatMap { $0.text.lowercased().hasPrefix("balancer:") ? $0.text.withoutPath : nil }
    return Reading.Log(
      file: .known(isFile ? configuration.absolute(log) : nil),
      keys: ["\(host):\(target.number)", "failure for: \(host)", "returned by \(path)"]
        + (group.map { ["\($0):"] } ?? []))
  }
}

extension String {
  /// `balancer://app` of `balancer://app/shop`
  fileprivate var withoutPath: String { authority.isEmpty ? self : "balancer://" + authority }
}

extension RunningProxy {
  /// The addresses at which it can be reached itself.
  fileprivate var addresses: [String] {
    get async throws(Unseen) {
      if place.usesHostNetwork { return try await world.see(OwnAddresses()) }
      guard let container else { throw .missing(what: "container of the proxy") }
      return container.networks.values.flatMap(\.addresses)
    }
  }
}

extension Apache.Worker {
  fileprivate var server: Routes.Server? { Routes.Server(target.endpoint, isOut ? .out : .used) }
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

  /// The lines about access as httpd 2.2 had them, `Order`, `Allow` and `Deny`, from that of the problem on, and the one
  /// that says the same to httpd 2.4; nil where that is not one.
  ///
  /// Source: https://httpd.apache.org/docs/2.4/upgrading.html#access
  fileprivate func oldAccess(_ problem: Apache.Problem) -> (text: String, fixed: String)? {
    guard let unknown = problem.unknown, ["order", "allow", "deny"].contains(unknown.lowercased()) else { return nil }
    var (lines, allowed, denied): ([String], [String], [String]) = ([], [], [])
    while lines.count < 32, let line = line(problem.line + lines.count, of: problem.file) {
      var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
      switch words.first?.lowercased() {
      case "order"?: break
      case "allow"? where words.count > 2 && words[1].lowercased() == "from": allowed += words.dropFirst(2)
      case "deny"? where words.count > 2 && words[1].lowercased() == "from": denied += words.dropFirst(2)
      default: words.removeAll()
      }
      if words.isEmpty { break }
      lines.append(line)
    }
    let (all, isAddress) = (["all"], { (word: String) in word.allSatisfy { $0.isHexDigit || ".:/".contains($0) } })
    let requirement: String? =
      switch (allowed.map { $0.lowercased() }, denied.map { $0.lowercased() }) {
      case (all, []): "all granted"
      case ([], all): "all denied"
      case (let places, all) where !places.isEmpty && places.allSatisfy(isAddress):
        "ip \(places.joined(separator: " "))"
      default: nil
      }
    return requirement.map { requirement in
      (lines.joined(separator: "\n"), "\(lines[0].prefix { $0 == " " || $0 == "\t" })Require \(requirement)")
    }
  }

  /// The line of a problem as it was probably meant; nil if that cannot be told.
  fileprivate func mended(_ problem: Apache.Problem) -> String? {
    guard let name = problem.unknown, let text = line(problem.line, of: problem.file),
      let meant = name.nearest(among: Apache.usable(with: modules)), let range = text.firstRange(of: name)
    else { return nil }
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
    var replaced = self
    replaced.replaceSubrange(range, with: text)
    return replaced
  }
}
