import Model
import Routes
import World

/// From Traefik's settings, its files and the labels of containers to the facts of a route.
enum TraefikReading: ProxyReader {
  static let facts: [FactName] =
    [.sourceKind, .sourceEndpoint, .sourceVersion, .routeSwarmService, .labelForPort]
    + FactName.making("problem", "rewrite", "scheme", "http2", of: "route")
    + FactName.making("unverified", of: "proxy") + FactName.ofLine(.auth)

  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading {
    var reading = try await Loaded(proxy).reading(of: request, proxy)
    if let entry = reading.entry, entry.provider == "file" {
      reading.configuration.newest = await proxy.files.newest(of: [String(entry.definedIn.prefix { $0 != ":" })])
    }
    return reading
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] {
    try await Loaded(proxy).listed
  }

  /// It loads a file that changes by itself, and does not tell when, unless it was told not to watch: then it has it as
  /// it was when it started.
  static func loaded(_ proxy: RunningProxy, _ processes: [ProcessSeen]) async throws(Unseen) -> Double {
    let watches = try await Traefik.Static(proxy).settings["providers", "file", "watch"]?.text
    guard watches?.lowercased() == "false", let started = processes.map(\.started).min() else {
      throw .missing(what: "the time of Traefik's last load")
    }
    return started
  }
}

/// Traefik's whole configuration, as far as it can be seen.
private struct Loaded {
  let configuration: Traefik.Static
  var dynamic = Traefik.Dynamic()
  let live: Traefik.Live?

  init(_ proxy: RunningProxy) async throws(Unseen) {
    let configuration = try await Traefik.Static(proxy)
    self.configuration = configuration
    async let live = Traefik.Live(proxy, configuration)
    if let settings = configuration.settings["providers", "file"], configuration.has("file") {
      await dynamic.read(filesOf: proxy, settings, configuration.version)
    }
    for provider in configuration.labelProviders {
      do throws(Unseen) {
        for container in try await provider.containers(in: proxy.world) where container.Id != proxy.container?.Id {
          switch provider.takes(container.Labels ?? [:]) {
          case true?: try dynamic.read(container, provider, configuration.version)
          case false?: continue
          case nil: throw .unreadable(what: "Traefik's constraints", why: .init(.tooComplex))
          }
        }
      } catch {
        dynamic.unseen.append(error)
        proxy.files.note(unread: error)
      }
    }
    self.live = await live
    if self.live?.routers != nil { proxy.files.forgetUnread() }
    try join()
  }

  /// What the API says stands above what was read.
  private mutating func join() throws(Unseen) {
    var allowance = Allowance()
    for index in dynamic.routers.indices {
      try allowance.take(of: "Traefik's routers")
      var router = dynamic.routers[index]
      check(&router)
      if router.isActive, let live {
        if let real = live.routers?[router.fullName] {
          router.doubt = nil
          if real.status != "disabled" {
            router.fault = nil
          } else if router.fault == nil {
            router.fault = Traefik.Fault(reason: real.error?.first ?? "Traefik has disabled the router")
          }
        } else if router.fault == nil {
          router.doubt = nil
          router.fault = Traefik.Fault(reason: "Traefik does not have the router \(router.name); its log tells why")
        }
      }
      dynamic.change(index) { $0 = router }
    }
    guard let live else { return }
    for (name, real) in live.routers ?? [:] where !dynamic.hasRouter(name) && !name.hasSuffix("@internal") {
      let parts = name.split(separator: "@", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      var settings = Traefik.Settings()
      settings.set((real.entryPoints ?? []).joined(separator: ","), at: ["entryPoints"])
      if let priority = real.priority { settings.set(String(priority), at: ["priority"]) }
      var router = Traefik.Router(
        name: parts[0], provider: parts[1], rule: real.rule ?? "", settings: settings,
        service: real.service?.qualified(by: parts[1]),
        fault: real.status == "disabled"
          ? Traefik.Fault(reason: real.error?.first ?? "Traefik has disabled the router") : nil)
      _ = try? parse(&router)
      dynamic.add(router)
    }
    for (name, real) in live.services ?? [:] {
      let servers = (real.loadBalancer?.servers ?? []).compactMap { $0.url.flatMap(Traefik.Server.init) }
      guard !servers.isEmpty, dynamic.services[name]?.servers.first?.host != Traefik.thisMachine else { continue }
      dynamic.services[name, default: Traefik.Service(settings: Traefik.Settings())].servers = servers
      dynamic.services[name]?.networks = []
    }
  }

  /// Reads a router's rule.
  private func parse(_ router: inout Traefik.Router) throws(Traefik.Refusal) {
    let syntax = syntax(of: router)
    router.matching = (try Traefik.Rule(router.rule, syntax), syntax)
  }

  /// Reads a router's rule and finds what keeps Traefik from using it.
  private func check(_ router: inout Traefik.Router) {
    do throws(Traefik.Refusal) { try parse(&router) } catch {
      if router.fault == nil {
        router.fault = Traefik.Fault(
          reason: "its rule \(router.rule) cannot be read: \(error.reason)", setting: "rule")
      }
      return
    }
    guard router.fault == nil else { return }
    if points(of: router).isEmpty {
      let all = configuration.entryPoints.map(\.name).filter { $0.lowercased() != "traefik" }
      router.fault = Traefik.Fault(
        reason:
          "there is no entry point \(router.entryPoints.first ?? ""); Traefik has \(all.joined(separator: ", "))",
        setting: "entryPoints")
      return
    }
    if let clash = router.service.flatMap({ dynamic.services[$0]?.fault }) {
      router.fault = clash
      return
    }
    if let name = router.middlewares.first(where: hasBrokenUser) {
      router.fault = Traefik.Fault(
        reason: "a user in the middleware \(name) is not written as NAME:HASH, so Traefik does not take the middleware",
        setting: "middlewares")
      return
    }
    // What another source may have is not known to be missing.
    guard dynamic.unseen.isEmpty, dynamic.refused.isEmpty, configuration.otherProviders.isEmpty else { return }
    if let name = missingMiddleware(of: router) {
      router.fault = Traefik.Fault(reason: "there is no middleware \(name)", setting: "middlewares")
    } else if let service = router.service, dynamic.services[service] == nil, !service.hasSuffix("@internal") {
      router.fault = Traefik.Fault(reason: "there is no service \(service)", setting: "service")
    } else if let (service, name) = missingTransport(of: router) {
      router.fault = Traefik.Fault(
        reason: "there is no serversTransport \(name)", setting: "serversTransport", service: service)
    }
  }

  /// True of a middleware that asks for a password, and has a user without one. Source: Traefik 3, "BasicAuth", `users`.
  private func hasBrokenUser(_ middleware: String) -> Bool {
    (dynamic.middlewares[middleware]?.branches ?? []).contains { kind, options in
      ["basicauth", "digestauth"].contains(kind.lowercased())
        && options["users"]?.list.contains { !$0.contains(":") } == true
    }
  }

  private func missingMiddleware(of router: Traefik.Router) -> String? {
    router.middlewares.first { dynamic.middlewares[$0] == nil && !$0.hasSuffix("@internal") }
  }

  /// A transport that a service of the router names and nobody defines, with that service.
  private func missingTransport(of router: Traefik.Router) -> (service: String, name: String)? {
    for leaf in router.service.map(leaves) ?? [] {
      guard let name = leaf.service.transport(named: leaf.name), dynamic.transports[name] == nil,
        !name.hasSuffix("@internal")
      else { continue }
      return (leaf.name, name)
    }
    return nil
  }

  /// What a setting with a fault that `check` has found has to be; nil where it cannot be told.
  private func replacement(for setting: String?, of router: Traefik.Router) -> String? {
    switch setting {
    case "rule": return syntax(of: router) == .v3 ? (try? Traefik.Rule(router.rule, .v2))?.forVersion3 : nil
    case "entryPoints":
      let all = configuration.entryPoints.map(\.name).filter { $0.lowercased() != "traefik" }
      return all.count == 1 ? all.first : (router.entryPoints.first ?? "").nearest(among: all)
    case "middlewares":
      guard router.middlewares.count == 1 else { return nil }
      return missingMiddleware(of: router)?.nearest(among: dynamic.middlewares.keys.sorted())
    case "service":
      guard let service = router.service else { return nil }
      let all = dynamic.services.keys.sorted()
      // Of one provider there may be no other.
      let same = all.filter { $0.provider == service.provider && !$0.hasSuffix("@internal") }
      return service.nearest(among: all) ?? (same.count == 1 ? same[0] : nil)
    case "serversTransport": return missingTransport(of: router)?.name.nearest(among: dynamic.transports.keys.sorted())
    default: return nil
    }
  }

  private func syntax(of router: Traefik.Router) -> Traefik.Syntax {
    switch router.settings["ruleSyntax"]?.text?.lowercased() {
    case "v2": .v2
    case "v3": .v3
    default: configuration.syntax
    }
  }

  var listed: [RouteReading.Listed] {
    var seen: Set<RouteReading.Listed> = []
    return dynamic.routers.flatMap { router -> [RouteReading.Listed] in
      guard router.fault == nil, router.isActive, let rule = router.matching?.rule,
        let server = router.service.flatMap({ dynamic.services[$0]?.servers.first })
      else { return [] }
      return points(of: router).flatMap { point in
        rule.hosts.map {
          RouteReading.Listed(
            host: $0, port: point.port, isTLS: router.isTLS(at: point), path: rule.path ?? "/", upstream: server.url)
        }
      }
    }.filter { seen.insert($0).inserted }
  }

  /// True if a star in a `Host` stands for a label; nil where the version is not known.
  private var hasWildcards: Bool? { configuration.version.isAtLeast(3, 7) }

  private func points(of router: Traefik.Router) -> [Traefik.Static.EntryPoint] {
    let names = router.entryPoints.isEmpty ? configuration.defaultEntryPoints : router.entryPoints
    return configuration.entryPoints.filter { point in names.contains { $0.lowercased() == point.name.lowercased() } }
  }

  // MARK: The route of a request

  func reading(of request: RouteReading.Request, _ proxy: RunningProxy) async -> Reading {
    var reading = Reading(
      outcome: .found, configuration: seen(proxy.files), entry: nil, route: nil, problem: nil, near: nil, app: nil,
      labels: nil,
      log: Reading.Log(file: .known(configuration.settings["log", "filePath"]?.text), keys: [request.site.host]),
      own: [:])
    guard let (chosen, before) = chosen(for: request) else {
      await explainMissing(&reading, request, proxy)
      let isSeen = dynamic.unseen.isEmpty && (configuration.otherProviders.isEmpty || live != nil)
      reading.outcome = isSeen || live != nil ? .missing : .unknown
      if !dynamic.refused.isEmpty { reading.outcome = .broken }
      return reading
    }
    var router = before ?? chosen
    // For one file that it cannot take Traefik takes none, and goes on with what it had.
    if router.provider != "file" || live != nil { reading.configuration.mistake = nil }
    let place = await place(of: router, proxy, &reading)
    if let provider = configuration.labelProviders.first(where: { $0.name == router.provider }) {
      reading.own.merge(configuration.source(provider))
      if provider.isOfServices { reading.own[.routeSwarmService] = router.container?.name }
    }
    reading.entry = Reading.Entry(
      site: Setting(request.site.host, nil), definedIn: place.definedIn, router: router.name, service: nil,
      provider: router.provider)
    if before != nil {
      router.fault = Traefik.Fault(
        reason: "the router \(router.name), of priority \(router.priority), takes every request for this site before "
          + "the router \(chosen.name), of priority \(chosen.priority)", setting: "priority", replacement: "1")
    } else if var fault = router.fault {
      fault.replacement = fault.replacement ?? replacement(for: fault.setting, of: router)
      // A middleware may keep others out; a transport only says how the app is asked.
      fault.isNeedless = fault.setting == "serversTransport" && fault.replacement == nil
      router.fault = fault
    } else {
      router.fault = mismatch(of: router, request)
    }
    if hasWildcards == nil, router.matching?.rule.hasStars == true {
      reading.outcome = .unknown
      return reading
    }
    if let doubt = router.doubt {
      proxy.files.note(unread: doubt)
      reading.outcome = .unknown
      return reading
    }
    if let fault = router.fault {
      let settings = fault.service.map { dynamic.services[$0]?.settings["loadBalancer"] } ?? router.settings
      reading.problem = await place.problem(fault, in: settings)
      let making = await place.making(mending: fault, in: settings)
      reading.own.merge(making?.facts("problem", of: "route") ?? [:])
      reading.outcome = .misconfigured
      return reading
    }
    let passage = Traefik.Passage(
      request.site.path, through: entryMiddlewares(request) + router.middlewares, of: dynamic)
    if let (middleware, replacement) = passage.doubled {
      reading.problem = place.problem(of: middleware, doubling: replacement)
      reading.outcome = .misconfigured
      return reading
    }
    guard let name = router.service, !name.hasSuffix("@internal") else {
      reading.outcome = .static
      return reading
    }
    lead(&reading, to: name, of: router, passage, request, place)
    let hasOwnTransport = dynamic.services[name]?.settings["loadBalancer", "serversTransport"] != nil
    if router.container != nil, reading.route?.tls != nil, !hasOwnTransport, let id = proxy.container?.Id {
      // Flags count only if they are where its settings come from.
      let making = await proxy.world.making(of: id)?.appending(
        "--serversTransport.insecureSkipVerify=true", afterOneWith: "--providers.")
      reading.own.merge(making?.facts("unverified", of: "proxy") ?? [:])
    }
    return reading
  }

  private func seen(_ files: ProxyFiles) -> Reading.Configuration {
    let folder = dynamic.files.keys.sorted().last?.folder
    return Reading.Configuration(
      start: Reading.Configuration.Start(file: nil, prefix: nil, adapter: nil),
      mistake: dynamic.refused.first.map {
        files.mistake(
          "\($0.file), line \($0.line): \($0.reason)", in: $0.file, line: $0.line, text: $0.text, fixed: $0.fixed)
      }, newest: nil, main: nil, folder: folder.flatMap { files.hostPath(of: $0) }, folderInside: folder,
      container: nil, hasAdmin: .notRead, version: nil, unread: nil)
  }

  /// Where a router is written; of one that labels make, its container's project is noted, too.
  private func place(of router: Traefik.Router, _ proxy: RunningProxy, _ reading: inout Reading) async -> Place {
    guard let container = router.container, let labels = container.Labels else { return Place(router, nil, proxy) }
    reading.own.merge(await proxy.world.compose(labels))
    return Place(
      router, await ComposeService(of: labels, in: proxy.world), proxy, await proxy.world.making(of: container.Id))
  }

  /// The router that serves the request; else the one that should, and one for every name that takes it `before` that.
  private func chosen(
    for request: RouteReading.Request
  ) -> (router: Traefik.Router, before: Traefik.Router?)? {
    let host = request.site.host
    let matching = dynamic.routers.compactMap { router -> (router: Traefik.Router, namesHost: Bool, takes: Bool)? in
      guard let (rule, syntax) = router.matching else {
        return router.rule.lowercased().contains(host) ? (router, true, false) : nil
      }
      func verdict(_ host: String, takesBelow: Bool = false) -> Traefik.Verdict {
        rule.matches(
          host: host, path: request.site.path, syntax, hasWildcards: hasWildcards ?? true, takesBelow: takesBelow)
      }
      let own = verdict(host)
      let another = { (takesBelow: Bool) in verdict("another.\(host)x", takesBelow: takesBelow) }
      guard own > .no else {
        guard verdict(host, takesBelow: true) == .yes, another(true) == .no else { return nil }
        return (router.forMore, true, false)
      }
      return (router, another(false) == .no, own == .yes)
    }
    // The longest rule first; of equal ones that of a container that runs.
    let sorted = matching.sorted { left, right in
      (left.router.priority, left.router.isActive ? 1 : 0, right.router.fullName)
        > (right.router.priority, right.router.isActive ? 1 : 0, left.router.fullName)
    }
    let serving = sorted.first { found in
      found.router.fault == nil && found.router.isActive && mismatch(of: found.router, request) == nil
    }
    if let serving, serving.namesHost { return (serving.router, nil) }
    let meant = sorted.filter(\.namesHost)
    let fitting = meant.filter { mismatch(of: $0.router, request) == nil }
    if let able = fitting.first(where: { $0.router.fault == nil })?.router {
      return (able, able.isActive && serving?.takes == true ? serving?.router : nil)
    }
    return (fitting.first ?? meant.first ?? serving).map { ($0.router, nil) }
  }

  /// Why a router does not get the request, though its rule takes it.
  private func mismatch(of router: Traefik.Router, _ request: RouteReading.Request) -> Traefik.Fault? {
    let isTLS = request.site.scheme == "https"
    let points = points(of: router)
    guard let point = points.first(where: { $0.port == request.port }) else {
      let here = configuration.entryPoints.first { $0.port == request.port }
      guard let here, !points.isEmpty else { return nil }
      return Traefik.Fault(
        reason:
          "the router \(router.name) is for \(points.map(\.name).joined(separator: ", ")), and \(request.site.url) comes in at \(here.name)",
        setting: "entryPoints", replacement: points.count == 1 ? here.name : nil)
    }
    let wants = router.isTLS(at: point)
    guard wants != isTLS else { return nil }
    let reason =
      wants
      ? "the router \(router.name) has tls, so it serves only https at \(point.name), and the site is asked by http"
      : "the router \(router.name) has no tls, so it serves only http at \(point.name), and the site is asked by https"
    return Traefik.Fault(reason: reason, setting: "tls", replacement: wants ? "false" : "true")
  }

  /// Nobody has a route for the site: a similar name, or the container that was probably meant.
  private func explainMissing(_ reading: inout Reading, _ request: RouteReading.Request, _ proxy: RunningProxy) async {
    let hosts = dynamic.routers.flatMap { router in
      (router.matching?.rule.hosts ?? []).map { (host: $0, router: router) }
    }
    let near = request.site.host.nearest(among: hosts.map(\.host))
    if let near, let router = hosts.first(where: { $0.host == near })?.router {
      let place = await place(of: router, proxy, &reading)
      reading.near = Setting(near, place.edit(place.rule.flatMap { $0.part(near, of: router.rule) }))
      reading.entry = Reading.Entry(site: nil, definedIn: "", router: nil, service: nil, provider: router.provider)
      return
    }
    reading.near = near.map { Setting($0, nil) }
    guard configuration.has("docker"), let app = await meant(request, proxy) else { return }
    let labels = app.Labels ?? [:]
    reading.app = app.name
    reading.entry = Reading.Entry(
      site: nil, definedIn: "", router: app.service ?? app.name, service: nil, provider: "docker")
    reading.own.merge(await proxy.world.compose(labels))
    reading.labels = Reading.Labels(beside: await ComposeService(of: labels, in: proxy.world)?.labelPlace)
  }

  /// The only running container whose name stands in the site's.
  private func meant(_ request: RouteReading.Request, _ proxy: RunningProxy) async -> ContainerSummary? {
    let first = request.site.host.split(separator: ".").first.map(String.init) ?? ""
    let all = (try? await proxy.world.containers()) ?? []
    let own = all.first { $0.Id == proxy.container?.Id }
    let fitting = all.filter { app in
      app.Id != own?.Id && app.isRunning && (own == nil || app.sharesNetwork(with: own))
        && [app.service, app.name].contains { name in
          name.map { $0.count > 2 && (first.contains($0.lowercased()) || $0.lowercased().contains(first)) } == true
        }
    }
    return fitting.count == 1 ? fitting[0] : nil
  }

  // MARK: The service

  /// Adds the route to the servers of a service.
  private func lead(
    _ reading: inout Reading, to service: String, of router: Traefik.Router, _ passage: Traefik.Passage,
    _ request: RouteReading.Request, _ place: Place
  ) {
    let group = leaves(of: service).flatMap { leaf in leaf.service.servers.map { (leaf: leaf, server: $0) } }
    let first = group.chosen(request.server, by: { Server($0.server.endpoint, $0.leaf.duty) })
    let leaf = first?.leaf ?? leaves(of: service).first
    let (name, service) = (leaf?.name ?? service, leaf?.service)
    reading.entry?.service = name.split(separator: "@").first.map(String.init)
    let balancer = service?.settings["loadBalancer"]
    var dropped: String?
    var servers = group.map { Server($0.server.endpoint, $0.leaf.duty) }
    var chosen = first?.server
    if !router.isActive, let container = router.container {
      // Nobody is dialled: the router is gone with its container. What would be dialled tells which container that is.
      let port = balancer?["server", "port"]?.text.flatMap { UInt16($0) }
      let scheme = balancer?["server", "scheme"]?.text ?? "http"
      let lowest = (container.Ports ?? []).compactMap(\.PrivatePort).min()
      let server = Traefik.Server(scheme: scheme, host: container.name, port: port ?? lowest ?? 80)
      (chosen, servers) = (server, [Server(server.endpoint, .used)])
      dropped = container.isRunning ? container.health ?? "restarting" : "stopped"
    }
    guard let chosen else {
      reading.outcome = .unknown
      return
    }
    let isThisMachine = chosen.host == Traefik.thisMachine && place.proxy.place.usesHostNetwork
    let server =
      isThisMachine ? Traefik.Server(scheme: chosen.scheme, host: "127.0.0.1", port: chosen.port) : chosen
    // One container, and no other one can answer in its place.
    let isAlone = servers.count < 2 && balancer?["server", "url"] == nil
    let edits = place.edits(of: service, dialling: chosen)
    reading.own.set(passage.authAddress.flatMap { place.host(of: $0) }, .auth)
    let transport = transport(of: service, named: name)
    reading.log.keys = ["\(server.host):\(server.port)", router.fullName, request.site.host]
    reading.configuration.container = edits.container
    reading.labels = place.labels
    if place.router.container != nil {
      let label = balancer?["server", "port"]?.label
      reading.own[.labelForPort] = label ?? place.portLabel(of: name)
      let makings = [
        "rewrite": place.making(without: passage.rewriting),
        "scheme": place.making(
          setting: "server.scheme", of: name, to: server.scheme == "http" ? "https" : "http"),
        "http2": place.making(setting: "server.scheme", of: name, to: "h2c"),
      ]
      for (change, making) in makings { reading.own.merge(making?.facts(change, of: "route") ?? [:]) }
    }
    reading.route = Route(
      upstream: Route.Upstream(
        scheme: Setting(server.scheme == "https" ? "https" : "http", edits.scheme),
        address: .network(host: Setting(server.host, edits.host), port: Setting(server.port, edits.port)),
        speaks: server.scheme == "h2c" ? .h2c : .http),
      servers: servers,
      resolution: .known(
        Route.Resolution(when: .known(.eachTime), family: .known(Setting(nil, nil)), dials: .notRead, resolver: nil)),
      patience: transport.patience(place),
      tls: server.scheme == "https" ? transport.tls(to: server, place) : nil,
      path: Route.Path(
        passedOn: .known(passage.path),
        change: .known(
          passage.path == request.site.path ? nil : place.change(by: passage.rewriting, of: router))),
      sentHost: .known(
        Setting(
          balancer?["passHostHeader"]?.text?.lowercased() == "false"
            ? "\(server.host):\(server.port)" : request.site.authority, nil)),
      limits: Route.Limits(header: .notRead, body: .notRead, connections: .notRead),
      health: .known(health(of: service, named: name, place)),
      login: .known(passage.auth.flatMap { Traefik.Server(url: $0)?.url }), scripts: .notApplicable, refusals: .notRead,
      shadowed: .notApplicable,
      pass: Route.Pass(
        line: router.container == nil ? place.proxy.files.insertion(after: balancer?.firstLine, next: nil) : nil,
        site: nil, transport: place.transport(of: service, in: dynamic), target: nil, literal: nil, plain: nil,
        encrypted: nil, takesBuffers: false, family: nil),
      container: router.container.map { container in
        Route.FromContainer(
          id: isAlone && !container.Id.isEmpty ? container.Id : nil, dropped: dropped,
          networks: service?.networks ?? [], network: edits.network, portLabel: balancer?["server", "port"]?.label)
      }, runs: .notRead)
  }

  private func health(of service: Traefik.Service?, named name: String, _ place: Place) -> Route.HealthCheck? {
    guard let check = service?.settings["loadBalancer", "healthCheck"] else { return nil }
    // Below the path one more line about the check may stand.
    let below = check["path"]?.line.map {
      Span(file: $0.file, line: $0.line, text: $0.text, head: "\($0.text)\n\($0.indentation)", tail: "")
    }
    let state = live?.services?[name]?.serverStatus ?? [:]
    return Route.HealthCheck(
      path: check["path"]?.text.map { Setting($0, place.edit(below)) },
      expects: Setting(check["status"]?.text ?? "200-399", place.edit(check["status"]?.span)),
      port: check["port"].flatMap { port in
        port.text.flatMap { UInt16($0) }.map { Setting($0, place.edit(port.span)) }
      },
      isUp: state.isEmpty ? .notRead : .known(state.values.contains("UP")))
  }

  /// A service that has servers, and whether they get requests.
  private struct Leaf {
    let name: String
    let service: Traefik.Service
    let duty: Server.Duty
  }

  /// The services that have servers: all of a weighted one, of a mirrored one that which answers, of one that fails over
  /// the other as well. Each counts once, however many lead to it.
  private func leaves(of name: String) -> [Leaf] {
    var seen: Set<String> = []
    func leaves(_ name: String, _ duty: Server.Duty) -> [Leaf] {
      guard seen.insert(name).inserted, seen.count <= Limits.includes, let service = dynamic.services[name] else {
        return []
      }
      let provider = name.split(separator: "@").last.map(String.init) ?? ""
      func below(_ name: String?, _ duty: Server.Duty) -> [Leaf] {
        name.map { leaves($0.qualified(by: provider), duty) } ?? []
      }
      let settings = service.settings
      if let weighted = settings["weighted", "services"] {
        return weighted.branches.filter { $0.settings["weight"]?.text != "0" }
          .flatMap { below($0.settings["name"]?.text, duty) }
      }
      if let mirrored = settings["mirroring", "service"]?.text { return below(mirrored, duty) }
      if let main = settings["failover", "service"]?.text {
        return below(main, duty) + below(settings["failover", "fallback"]?.text, .backup)
      }
      return [Leaf(name: name, service: service, duty: duty)]
    }
    return leaves(name, .used)
  }

  private func entryMiddlewares(_ request: RouteReading.Request) -> [String] {
    guard let point = configuration.entryPoints.first(where: { $0.port == request.port }) else { return [] }
    return configuration.settings["entryPoints", point.name, "http", "middlewares"]?.list ?? []
  }

  private func transport(of service: Traefik.Service?, named name: String) -> Transport {
    let wanted = service?.transport(named: name)
    return Transport(
      settings: wanted.map { dynamic.transports[$0] } ?? configuration.settings["serversTransport"],
      isOfFile: wanted?.hasSuffix("@file") == true,
      isShared: dynamic.services.count { $1.transport(named: $0) == wanted } > 1)
  }
}

/// How Traefik speaks to the servers of a service.
///
/// Source: Traefik 3, "ServersTransport": 30 s to connect, no limit for an answer, certificates are verified.
private struct Transport {
  let settings: Traefik.Settings?
  /// A file of the dynamic configuration has it; the static one is not changed by a line.
  let isOfFile: Bool
  /// Several services use it.
  let isShared: Bool

  private func edit(_ settings: Traefik.Settings?, _ place: Place) -> Edit? {
    isOfFile ? place.proxy.files.edit(settings?.span) : nil
  }

  func patience(_ place: Place) -> Route.Patience {
    let timeouts = settings?["forwardingTimeouts"]
    let answer = timeouts?["responseHeaderTimeout"]
    return Route.Patience(
      connect: .known(Setting(Route.Wait(timeouts?["dialTimeout"]?.text.flatMap(\.goSeconds) ?? 30), nil)),
      answer: .known(Setting(Route.Wait(answer?.text.flatMap(\.goSeconds)), edit(answer, place))),
      whole: .notApplicable)
  }

  func tls(to server: Traefik.Server, _ place: Place) -> Route.TLS {
    let skips = settings?["insecureSkipVerify"]
    let name = settings?["serverName"]
    // Before its first line another one may stand.
    let start = isOfFile && !isShared ? settings?.firstLine : nil
    let block = start.map { Span(file: $0.file, line: $0.line, text: $0.text, head: $0.indentation, tail: "") }
    return Route.TLS(
      verified: .known(skips?.isOn == true ? [] : Set(Route.TLS.Part.allCases)),
      verifySwitch: edit(skips, place).map { Route.TLS.Switch($0, off: "true") },
      name: .known(Setting(name?.text ?? server.host, edit(name, place))),
      sendsName: .known(Setting(!(name?.text ?? server.host).isAddress, nil)),
      authorities: .known(settings?["rootCAs"]?.list.first.map(place.proxy.files.authorities)),
      sendsCertificate: .known(settings?["certificates"] != nil), offer: .known(.modern),
      block: place.proxy.files.edit(block))
  }
}

/// Where a route stands and can be changed: in a file of the proxy's, or in a Compose file.
private struct Place {
  let router: Traefik.Router
  let compose: ComposeService?
  let proxy: RunningProxy
  /// How the router's container is made again.
  let making: Making?

  init(_ router: Traefik.Router, _ compose: ComposeService?, _ proxy: RunningProxy, _ making: Making? = nil) {
    (self.router, self.compose, self.proxy, self.making) = (router, compose, proxy, making)
  }

  /// Where the value of one of the router's settings stands. A Compose file may have a variable there, or another
  /// value since the container was made.
  private func span(_ settings: Traefik.Settings?) -> Span? {
    if let span = settings?.span { return span }
    guard let label = settings?.label.flatMap({ compose?.label($0) }), label.value == settings?.text else { return nil }
    return label.valueSpan
  }

  var rule: Span? { span(router.settings["rule"]) }

  var definedIn: String {
    if let span = rule { return "\(span.file):\(span.line)" }
    guard let container = router.container else { return "the router \(router.fullName)" }
    return "\(router.settings["rule"]?.label.map { "label \($0)" } ?? "labels") of container \(container.name)"
  }

  /// A Compose file is this machine's; a file of the proxy's may be inside its container.
  func edit(_ span: Span?) -> Edit? {
    router.container == nil ? proxy.files.edit(span) : span.map { Edit(onThisMachine: $0) }
  }

  /// What is wrong, its line, and what that line or a new one has to be.
  ///
  /// - Parameter settings: those of the router, or of the service whose setting it is.
  func problem(_ fault: Traefik.Fault, in settings: Traefik.Settings?) async -> Reading.Problem {
    var problem = Reading.Problem(reason: fault.reason, remedy: nil, label: nil)
    if fault.lacksPort || fault.lacksService != nil {
      guard let (name, value) = await missingLabel(fault) else { return problem }
      problem.label = "\(name)=\(value)"
      guard let label = anchor, let edit = edit(label.line) else { return problem }
      problem.remedy = .insertion(
        edit, text: edit.span.indentation + label.form.open + name + label.form.between + value + label.form.close,
        next: label.next)
      return problem
    }
    if let wrong = fault.label {
      if let renamed = fault.renamed, let value = router.container?.Labels?[wrong] {
        problem.label = "\(renamed)=\(value)"
      }
      guard let label = compose?.label(wrong), let line = label.line, let edit = edit(line) else { return problem }
      problem.remedy = .line(
        edit,
        fixed: fault.renamed.flatMap {
          line.text.ranges(of: wrong).count == 1 ? line.text.replacing(wrong, with: $0) : nil
        })
      return problem
    }
    if fault.isClash, let name = router.freshName { problem.label = "traefik.http.routers.\(name).rule=\(router.rule)" }
    let setting = fault.setting.flatMap { settings?[$0] }
    if let label = setting?.label, let value = fault.replacement { problem.label = "\(label)=\(value)" }
    guard let span = span(setting), let edit = edit(span) else { return problem }
    if fault.isNeedless, let name = fault.setting, span.isAlone(by: name) {
      problem.remedy = .removal(edit)
      return problem
    }
    problem.remedy = .line(edit, fixed: fault.replacement.map { span.head + $0 + span.tail })
    return problem
  }

  /// Where the host of an address stands.
  func host(of address: Traefik.Settings) -> Edit? {
    guard let span = span(address), let text = address.text, let host = Traefik.Server(url: text)?.host,
      text.ranges(of: host).count == 1, let range = text.firstRange(of: host)
    else { return nil }
    let start = text.distance(from: text.startIndex, to: range.lowerBound)
    return edit(span.part(start..<start + host.count, of: text))
  }

  /// Two dollars before a number, which put the number in and not what was found.
  func problem(of middleware: String, doubling replacement: Traefik.Settings) -> Reading.Problem {
    let (text, span) = (replacement.text ?? "", span(replacement))
    return Reading.Problem(
      reason: "the replacement \(text) of the middleware \(middleware) puts in a dollar and a number: "
        + "only Compose files write two dollars for one",
      remedy: edit(span).map { .line($0, fixed: $0.span.head + text.replacing("$$", with: "$") + $0.span.tail) },
      label: nil)
  }

  /// How the container is made again with the labels as they have to be.
  func making(mending fault: Traefik.Fault, in settings: Traefik.Settings?) async -> Making? {
    if let (name, value) = await missingLabel(fault) { return making?.labelled(name, value) }
    if fault.isClash {
      guard let labels = router.container?.Labels, let name = router.freshName else { return nil }
      return labels.sorted { $0.key < $1.key }.reduce(making) { making, label in
        let (key, value) = label
        let renamed = key.renamed(router.name, as: name)
        let isReference = key.lowercased().hasSuffix(".service") && value == router.name
        guard renamed != key || isReference else { return making }
        return making?.labelled(key, nil).labelled(renamed, isReference ? name : value)
      }
    }
    if let wrong = fault.label {
      guard let renamed = fault.renamed, let value = router.container?.Labels?[wrong] else { return nil }
      return making?.labelled(wrong, nil).labelled(renamed, value)
    }
    guard let label = fault.setting.flatMap({ settings?[$0]?.label }), fault.replacement != nil || fault.isNeedless
    else { return nil }
    return making?.labelled(label, fault.replacement)
  }

  /// The label that is not there: the port of the router's service, or which service that is.
  private func missingLabel(_ fault: Traefik.Fault) async -> (name: String, value: String)? {
    if let service = fault.lacksService { return ("traefik.http.routers.\(router.name).service", service) }
    guard fault.lacksPort, let container = router.container, let port = await onlyPort(of: container) else {
      return nil
    }
    return (portLabel(of: router.service ?? router.name), String(port))
  }

  /// The label that names a service's port.
  func portLabel(of service: String) -> String { label("server.port", of: service) }

  private func label(_ setting: String, of service: String) -> String {
    "traefik.http.services.\(service.split(separator: "@").first ?? "").loadbalancer.\(setting)"
  }

  /// The port on which a container listens, if that is only one.
  private func onlyPort(of container: ContainerSummary) async -> UInt16? {
    guard let pid = try? await proxy.world.container(container.Id).pid,
      let listeners = try? await proxy.world.see(Listeners(place: .process(pid)))
    else { return nil }
    let ports = Set(listeners.filter { !$0.isLoopback }.map(\.port))
    return ports.count == 1 ? ports.first : nil
  }

  /// A label beside which another one belongs.
  private var anchor: ComposeService.Label? {
    compose.flatMap { compose in
      router.settings["rule"]?.label.flatMap { compose.label($0) }.flatMap { $0.next == nil ? nil : $0 }
        ?? compose.labelPlace
    }
  }

  /// The places of what a page may change.
  struct Edits {
    var scheme: Edit?
    var host: Edit?
    var port: Edit?
    var network: Edit?
    /// The container that alone has the file, by its name.
    var container: String?
  }

  /// In a file the parts of the server's URL, in labels port and scheme.
  func edits(of service: Traefik.Service?, dialling server: Traefik.Server) -> Edits {
    let balancer = service?.settings["loadBalancer"]
    var edits = Edits()
    guard router.container == nil else {
      edits.port = edit(span(balancer?["server", "port"]))
      edits.scheme = edit(span(balancer?["server", "scheme"]))
      edits.network = edit(compose?.label("traefik.docker.network")?.valueSpan)
      return edits
    }
    let urls = (balancer?["servers"]?.branches ?? []).compactMap { $0.settings["url"] }
    let url = urls.first { $0.text.flatMap(Traefik.Server.init(url:)) == server } ?? urls.first
    if let text = url?.text, let span = url?.span {
      let parts = text.urlParts
      edits.scheme = edit(span.part(0..<parts.scheme.count, of: text))
      edits.host = edit(span.part(parts.host, of: text))
      edits.port = edit(parts.port.flatMap { span.part($0, of: text) })
      edits.container = proxy.files.container(with: span.file)
    }
    return edits
  }

  /// How the container is made again with another label about its service; nil for a route of a file.
  func making(setting: String, of service: String, to value: String) -> Making? {
    making?.labelled(label(setting, of: service), value)
  }

  /// How the container is made again without the middlewares that change the path.
  func making(without rewriting: [String]) -> Making? {
    guard let settings = router.settings["middlewares"], let label = settings.label else { return nil }
    let kept = settings.list.filter { !rewriting.contains($0.qualified(by: router.provider)) }
    guard kept.count < settings.list.count else { return nil }
    return making?.labelled(label, kept.isEmpty ? nil : kept.joined(separator: ","))
  }

  /// Where another label of the router's container belongs.
  var labels: Reading.Labels? { router.container == nil ? nil : Reading.Labels(beside: anchor) }

  /// Where a transport may be put, in a file that has none.
  func transport(of service: Traefik.Service?, in dynamic: Traefik.Dynamic) -> Insertion? {
    let balancer = service?.settings["loadBalancer"]
    guard router.container == nil, balancer?["serversTransport"] == nil,
      let http = balancer?.firstLine.flatMap({ dynamic.files[$0.file] }), http["serversTransports"] == nil
    else { return nil }
    return proxy.files.insertion(after: http.firstLine, next: nil)
  }

  /// What changes the path, and the list of middlewares without that.
  func change(by rewriting: [String], of router: Traefik.Router) -> Route.Path.Change {
    var change = Route.Path.Change(by: rewriting.joined(separator: ", "), edit: nil, fixed: nil)
    guard let settings = router.settings["middlewares"], let list = span(settings) else { return change }
    let kept = settings.list.filter { !rewriting.contains($0.qualified(by: router.provider)) }
    guard kept.count < settings.list.count else { return change }
    change = Route.Path.Change(
      by: change.by, edit: edit(list), fixed: kept.isEmpty ? nil : list.head + kept.joined(separator: ",") + list.tail)
    return change
  }
}

extension Traefik.Router {
  /// A name for it and its service that no other container has: the container's own.
  fileprivate var freshName: String? {
    let own = container?.name.map { $0.isLetter || $0.isNumber ? $0 : "-" }
    return own.map { String($0) }.flatMap { $0 == name ? nil : $0 }
  }

  /// The same, whose rule has the request's path only above it.
  fileprivate var forMore: Self {
    var router = self
    router.fault =
      fault
      ?? Traefik.Fault(
        reason: "Path in the rule of the router \(name) is for that path alone; PathPrefix has what lies below it, too",
        setting: "rule", replacement: rule.replacing("Path(", with: "PathPrefix("))
    return router
  }
}

extension String {
  /// A label about a router or a service of one name, for another name.
  fileprivate func renamed(_ old: String, as new: String) -> String {
    for kind in ["routers", "services"] {
      let start = "traefik.http.\(kind).\(old)."
      if lowercased().hasPrefix(start.lowercased()) { return "traefik.http.\(kind).\(new)." + dropFirst(start.count) }
    }
    return self
  }
}

extension Reading.Labels {
  /// Nil without a label beside which another one can be put.
  fileprivate init?(beside label: ComposeService.Label?) {
    guard let label, let line = label.line else { return nil }
    self.init(
      line: Insertion(after: Edit(onThisMachine: line), indentation: line.indentation, next: label.next),
      open: label.form.open, between: label.form.between, close: label.form.close)
  }
}

extension Traefik.Service {
  /// The transport that it names, with its provider, of a service of that name.
  fileprivate func transport(named name: String) -> String? {
    settings["loadBalancer", "serversTransport"]?.text?.qualified(by: name.provider)
  }
}

extension Traefik.Server {
  fileprivate var endpoint: Endpoint { .network(host: host, port: port) }
}

extension Traefik.Settings {
  /// The line of its first setting.
  fileprivate var firstLine: Span? { branches.first?.settings.line }
}

extension Span {
  /// The first place of a text in this place's value.
  fileprivate func part(_ text: String, of value: String) -> Span? {
    value.lowercased().firstRange(of: text).map { found in
      let start = value.lowercased().distance(from: value.lowercased().startIndex, to: found.lowerBound)
      return part(start..<start + text.count, of: value)
    }
  }
}

extension String {
  /// Of `shop@docker`: docker.
  fileprivate var provider: String { split(separator: "@").last.map(String.init) ?? "" }

  /// Where scheme, host and port stand in `http://shop:3000/`, in characters.
  fileprivate var urlParts: (scheme: Substring, host: Range<Int>, port: Range<Int>?) {
    let scheme = prefix { $0 != ":" }
    let start = scheme.count + 3
    let authority = dropFirst(start).prefix { !"/?#".contains($0) }
    let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : String(authority.prefix { $0 != ":" })
    let end = start + host.count
    let port = authority.count > host.count + 1 ? end + 1..<start + authority.count : nil
    return (scheme, start..<end, port)
  }
}

extension FactName {
  static let routeSwarmService: FactName = "route.swarm-service"
}
