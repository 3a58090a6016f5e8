import Model
import World

/// From Traefik's settings, its files and the labels of containers to the facts of a route.
enum TraefikReading: ProxyReader {
  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> (
    RouteReading.Outcome, Facts
  ) {
    let loaded = try await Loaded(proxy)
    return await loaded.route(request, proxy)
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] {
    try await Loaded(proxy).listed
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
      await dynamic.read(filesOf: proxy, settings)
    }
    if let settings = configuration.settings["providers", "docker"], configuration.has("docker") {
      let provider = Traefik.Dynamic.DockerProvider(settings: settings)
      do throws(Unseen) {
        for container in try await proxy.world.containers() where container.Id != proxy.container?.Id {
          switch provider.takes(container.Labels ?? [:]) {
          case true?: dynamic.read(container, provider)
          case false?: continue
          case nil: throw .unreadable(what: "Traefik's constraints", why: "they are more than this program reads")
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
          if real.status != "disabled" {
            router.fault = nil
          } else if router.fault == nil {
            router.fault = Traefik.Fault(reason: real.error?.first ?? "Traefik has disabled the router")
          }
        } else if router.fault == nil {
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
    // What another source may have is not known to be missing.
    guard dynamic.unseen.isEmpty, dynamic.refused.isEmpty, configuration.otherProviders.isEmpty else { return }
    if let name = missingMiddleware(of: router) {
      router.fault = Traefik.Fault(reason: "there is no middleware \(name)", setting: "middlewares")
    } else if let service = router.service, dynamic.services[service] == nil, !service.hasSuffix("@internal") {
      router.fault = Traefik.Fault(reason: "there is no service \(service)", setting: "service")
    }
  }

  private func missingMiddleware(of router: Traefik.Router) -> String? {
    router.middlewares.first { dynamic.middlewares[$0] == nil && !$0.hasSuffix("@internal") }
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
    case "service": return router.service?.nearest(among: dynamic.services.keys.sorted())
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

  private func points(of router: Traefik.Router) -> [Traefik.Static.EntryPoint] {
    let names = router.entryPoints.isEmpty ? configuration.defaultEntryPoints : router.entryPoints
    return configuration.entryPoints.filter { point in names.contains { $0.lowercased() == point.name.lowercased() } }
  }

  // MARK: The route of a request

  func route(_ request: RouteReading.Request, _ proxy: RunningProxy) async -> (RouteReading.Outcome, Facts) {
    var facts: Facts = [:]
    facts[.routeLog] = configuration.settings["log", "filePath"]?.text
    facts[.routeLogKeys] = request.site.host
    if let refused = dynamic.refused.first {
      facts[.configProblem] = "\(refused.file), line \(refused.line): \(refused.reason)".printable
    }
    let folder = dynamic.files.keys.sorted().last.map { String($0[..<($0.lastIndex(of: "/") ?? $0.startIndex)]) }
    facts[.configDirectoryInside] = folder
    facts[.configDirectory] = folder.flatMap { proxy.files.hostPath(of: $0) }
    guard var router = chosen(for: request) else {
      await describeMissing(request, proxy, &facts)
      if !dynamic.refused.isEmpty { return (.broken, facts) }
      let isSeen = dynamic.unseen.isEmpty && (configuration.otherProviders.isEmpty || live != nil)
      return (isSeen || live != nil ? .missing : .unknown, facts)
    }
    facts[.configProblem] = nil
    let compose: ComposeService?
    if let labels = router.container?.Labels {
      compose = await ComposeService(of: labels, in: proxy.world)
      facts.merge(await proxy.world.compose(labels))
    } else {
      compose = nil
    }
    let place = Place(router, compose, proxy)
    facts[.routeHost] = request.site.host
    facts[.routeDefinedIn] = place.definedIn
    facts[.routeRouter] = router.name
    facts[.routeProvider] = router.provider
    if var fault = router.fault {
      fault.replacement = replacement(for: fault.setting, of: router)
      router.fault = fault
    } else {
      router.fault = mismatch(of: router, request)
    }
    if let fault = router.fault {
      await place.describe(fault, &facts)
      return (.misconfigured, facts)
    }
    guard let name = router.service, !name.hasSuffix("@internal") else { return (.static, facts) }
    let outcome = describe(name, of: router, request, place, &facts)
    return (outcome, facts)
  }

  /// The router that serves the request; else the one that should.
  private func chosen(for request: RouteReading.Request) -> Traefik.Router? {
    let host = request.site.host
    let matching = dynamic.routers.compactMap { router -> (router: Traefik.Router, namesHost: Bool)? in
      guard let (rule, syntax) = router.matching else {
        return router.rule.lowercased().contains(host) ? (router, true) : nil
      }
      guard rule.matches(host: host, path: request.site.path, syntax) > .no else { return nil }
      let another = rule.matches(host: "another.\(host)x", path: request.site.path, syntax)
      return (router, another == .no)
    }
    // The longest rule first; of equal ones that of a container that runs.
    let sorted = matching.sorted { left, right in
      (left.router.priority, left.router.isActive ? 1 : 0, right.router.fullName)
        > (right.router.priority, right.router.isActive ? 1 : 0, left.router.fullName)
    }
    let serving = sorted.first { found in
      found.router.fault == nil && found.router.isActive && mismatch(of: found.router, request) == nil
    }
    if let serving, serving.namesHost { return serving.router }
    let meant = sorted.filter(\.namesHost)
    return meant.first { mismatch(of: $0.router, request) == nil && $0.router.fault == nil }?.router
      ?? meant.first { mismatch(of: $0.router, request) == nil }?.router ?? meant.first?.router ?? serving?.router
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
  private func describeMissing(_ request: RouteReading.Request, _ proxy: RunningProxy, _ facts: inout Facts) async {
    let hosts = dynamic.routers.flatMap { router in
      (router.matching?.rule.hosts ?? []).map { (host: $0, router: router) }
    }
    let near = request.site.host.nearest(among: hosts.map(\.host))
    facts[.routeNear] = near
    if let near, let router = hosts.first(where: { $0.host == near })?.router {
      var compose: ComposeService?
      if let labels = router.container?.Labels {
        compose = await ComposeService(of: labels, in: proxy.world)
        facts.merge(await proxy.world.compose(labels))
      }
      let place = Place(router, compose, proxy)
      facts[.routeProvider] = router.provider
      place.set(place.rule.flatMap { $0.part(near, of: router.rule) }, "name", &facts)
      return
    }
    guard configuration.has("docker"), let app = await meant(request, proxy) else { return }
    let labels = app.Labels ?? [:]
    facts[.routeProvider] = "docker"
    facts[.routeApp] = app.name
    facts[.routeRouter] = app.service ?? app.name
    facts.merge(await proxy.world.compose(labels))
    facts.setPlace(ofLabels: await ComposeService(of: labels, in: proxy.world)?.labelPlace)
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

  private func describe(
    _ name: String, of router: Traefik.Router, _ request: RouteReading.Request, _ place: Place, _ facts: inout Facts
  ) -> RouteReading.Outcome {
    let (name, service) = leaf(name)
    let passage = Traefik.Passage(
      request.site.path, through: entryMiddlewares(request) + router.middlewares, of: dynamic)
    facts[.routeAuth] = passage.auth.flatMap { Traefik.Server(url: $0)?.url }
    if passage.path != request.site.path {
      facts[.upstreamPath] = passage.path
      place.describe(rewriting: passage.rewriting, of: router, &facts)
    }
    facts[.routeService] = name.split(separator: "@").first.map(String.init)
    let state = live?.services?[name]?.serverStatus ?? [:]
    if !state.isEmpty, service?.settings["loadBalancer", "healthCheck"] != nil {
      facts[.routeHealthState] = state.values.contains("UP") ? "up" : "down"
    }
    describeHealth(service, &facts)
    let server: Traefik.Server
    if !router.isActive, let container = router.container {
      // Nobody is dialled: the router is gone with its container. What would be dialled tells which container that is.
      let port = service?.settings["loadBalancer", "server", "port"]?.text.flatMap { UInt16($0) }
      let scheme = service?.settings["loadBalancer", "server", "scheme"]?.text ?? "http"
      let lowest = (container.Ports ?? []).compactMap(\.PrivatePort).min()
      server = Traefik.Server(scheme: scheme, host: container.name, port: port ?? lowest ?? 80)
      facts[.routeDropped] = container.isRunning ? container.health ?? "restarting" : "stopped"
    } else if let first = service?.servers.first {
      let isThisMachine = first.host == Traefik.thisMachine && place.proxy.place.usesHostNetwork
      server = isThisMachine ? Traefik.Server(scheme: first.scheme, host: "127.0.0.1", port: first.port) : first
    } else {
      return .unknown
    }
    // One container, and no other one can answer in its place.
    if service?.servers.count ?? 0 < 2, service?.settings["loadBalancer", "server", "url"] == nil {
      facts[.routeContainer] = router.container?.Id
    }
    facts[.routeUpstream] = server.url
    facts[.upstreamScheme] = server.scheme == "https" ? "https" : "http"
    facts[.upstreamHost] = server.host
    facts[.upstreamPort] = String(server.port)
    facts[.routeProtocol] = server.scheme == "h2c" ? "h2c" : nil
    if let servers = service?.servers, servers.count > 1 {
      facts[.routeServers] = servers.map { "\($0.host):\($0.port)" }.joined(separator: ", ")
    }
    if let networks = service?.networks, networks.count > 1 {
      facts[.routeNetworks] = networks.joined(separator: ", ")
    }
    facts[.routeLogKeys] = "\(server.host):\(server.port), \(router.fullName), \(request.site.host)"
    if service?.settings["loadBalancer", "passHostHeader"]?.text?.lowercased() == "false" {
      facts[.routeSendsHost] = "\(server.host):\(server.port)"
    }
    place.describe(service, in: dynamic, &facts)
    describeTransport(of: service, named: name, server, place, &facts)
    return .found
  }

  /// The service that has servers: the first of a weighted, mirrored or failing-over one.
  private func leaf(_ name: String, depth: Int = 0) -> (String, Traefik.Service?) {
    guard let service = dynamic.services[name], depth < 8 else { return (name, dynamic.services[name]) }
    let provider = name.split(separator: "@").last.map(String.init) ?? ""
    let next =
      service.settings["weighted", "services", "0", "name"]?.text ?? service.settings["mirroring", "service"]?.text
      ?? service.settings["failover", "service"]?.text
    return next.map { leaf($0.qualified(by: provider), depth: depth + 1) } ?? (name, service)
  }

  private func entryMiddlewares(_ request: RouteReading.Request) -> [String] {
    guard let point = configuration.entryPoints.first(where: { $0.port == request.port }) else { return [] }
    return configuration.settings["entryPoints", point.name, "http", "middlewares"]?.list ?? []
  }

  private func describeHealth(_ service: Traefik.Service?, _ facts: inout Facts) {
    guard let check = service?.settings["loadBalancer", "healthCheck"] else { return }
    facts[.routeHealthPath] = check["path"]?.text
    facts[.routeHealthExpects] = check["status"]?.text ?? "200-399"
    facts[.routeHealthPort] = check["port"]?.text
  }

  /// Source: Traefik 3, "ServersTransport": 30 s to connect, no limit for an answer, certificates are verified.
  private func describeTransport(
    of service: Traefik.Service?, named name: String, _ server: Traefik.Server, _ place: Place, _ facts: inout Facts
  ) {
    let provider = name.split(separator: "@").last.map(String.init) ?? ""
    let wanted = service?.settings["loadBalancer", "serversTransport"]?.text?.qualified(by: provider)
    let transport = wanted.map { dynamic.transports[$0] } ?? configuration.settings["serversTransport"]
    let timeouts = transport?["forwardingTimeouts"]
    let dial = timeouts?["dialTimeout"]?.text.flatMap(\.goSeconds) ?? 30
    facts[.routeConnectTimeout] = dial > 0 ? dial.inWords : nil
    let answer = timeouts?["responseHeaderTimeout"]
    if let seconds = answer?.text.flatMap(\.goSeconds), seconds > 0 { facts[.routeReadTimeout] = seconds.inWords }
    let skips = transport?["insecureSkipVerify"]
    facts[.routeVerifies] = server.scheme == "https" && skips?.isOn != true ? "on" : "off"
    facts[.routeTLSName] = transport?["serverName"]?.text ?? server.host
    facts[.routeAuthorities] = transport?["rootCAs"]?.list.first
    facts[.routeAuthoritiesFile] = facts[.routeAuthorities].flatMap { place.proxy.files.hostPath(of: $0) }
    guard wanted?.hasSuffix("@file") == true else { return }
    facts.set(answer?.span, "timeout", place.proxy.files)
    facts.set(skips?.span, "verify", place.proxy.files)
    if facts["verify-line.text"] != nil { facts["verify-line.off"] = "true" }
    facts.set(transport?["serverName"]?.span, "ssl-name", place.proxy.files)
  }
}

/// Where a route stands and can be changed: in a file of the proxy's, or in a Compose file.
private struct Place {
  let router: Traefik.Router
  let compose: ComposeService?
  let proxy: RunningProxy

  init(_ router: Traefik.Router, _ compose: ComposeService?, _ proxy: RunningProxy) {
    (self.router, self.compose, self.proxy) = (router, compose, proxy)
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
  func set(_ span: Span?, _ name: String, _ facts: inout Facts) {
    guard let span else { return }
    facts.set(span, name, at: router.container == nil ? proxy.files.patchPath(of: span.file) : span.file)
  }

  /// What is wrong, its line, and what that line or a new one has to be.
  func describe(_ fault: Traefik.Fault, _ facts: inout Facts) async {
    facts[.routeProblem] = fault.reason.printable
    if fault.lacksPort {
      guard let container = router.container, let port = await onlyPort(of: container) else { return }
      let service = router.service?.split(separator: "@").first.map(String.init) ?? router.name
      let name = "traefik.http.services.\(service).loadbalancer.server.port"
      facts[.routeLabel] = "\(name)=\(port)"
      guard let label = anchor else { return }
      set(label.line, "problem", &facts)
      facts["problem-line.insert"] =
        (label.line?.indentation ?? "") + label.form.open + name + label.form.between + String(port) + label.form.close
      facts["problem-line.next"] = label.next
      return
    }
    let setting = fault.setting.flatMap { router.settings[$0] }
    if let label = setting?.label, let value = fault.replacement { facts[.routeLabel] = "\(label)=\(value)" }
    guard let span = span(setting) else { return }
    set(span, "problem", &facts)
    facts["problem-line.fixed"] = fault.replacement.map { span.head + $0 + span.tail }
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

  /// The places of what a page may change: in a file the parts of a server's URL, in labels port and scheme.
  func describe(_ service: Traefik.Service?, in dynamic: Traefik.Dynamic, _ facts: inout Facts) {
    let balancer = service?.settings["loadBalancer"]
    guard router.container == nil else {
      set(span(balancer?["server", "port"]), "port", &facts)
      facts["label.port"] = balancer?["server", "port"]?.label
      set(span(balancer?["server", "scheme"]), "scheme", &facts)
      set(compose?.label("traefik.docker.network")?.valueSpan, "network", &facts)
      facts.setPlace(ofLabels: anchor)
      return
    }
    if let url = balancer?["servers"]?.branches.lazy.compactMap({ $0.settings["url"] }).first, let text = url.text,
      let span = url.span
    {
      let parts = text.urlParts
      set(span.part(0..<parts.scheme.count, of: text), "scheme", &facts)
      set(span.part(parts.host, of: text), "host", &facts)
      set(parts.port.flatMap { span.part($0, of: text) }, "port", &facts)
      facts[.configInside] = proxy.files.hostPath(of: span.file) == nil ? proxy.container?.name : nil
    }
    // A line of the load balancer's own goes before its first one.
    if let first = balancer?.branches.first?.settings.line { facts.setPass(first, next: nil, proxy.files) }
    let http = balancer?.branches.first?.settings.line.flatMap { dynamic.files[$0.file] }
    if balancer?["serversTransport"] == nil, let http, http["serversTransports"] == nil,
      let first = http.branches.first?.settings.line
    {
      set(first, "transport", &facts)
      facts["transport-line.indent"] = first.indentation
    }
  }

  /// The list of middlewares without those that change the path.
  func describe(rewriting: [String], of router: Traefik.Router, _ facts: inout Facts) {
    facts[.routeRewrittenBy] = rewriting.joined(separator: ", ")
    guard let settings = router.settings["middlewares"], let list = span(settings) else { return }
    let kept = settings.list.filter { !rewriting.contains($0.qualified(by: router.provider)) }
    guard kept.count < settings.list.count else { return }
    set(list, "rewrite", &facts)
    if !kept.isEmpty { facts["rewrite-line.fixed"] = list.head + kept.joined(separator: ",") + list.tail }
  }
}

extension Facts {
  /// The place for another label, and how one is written there.
  fileprivate mutating func setPlace(ofLabels label: ComposeService.Label?) {
    guard let label, let line = label.line else { return }
    set(line, "pass", at: line.file)
    self["pass-line.indent"] = line.indentation
    self["pass-line.next"] = label.next
    self["label.open"] = label.form.open
    self["label.between"] = label.form.between
    self["label.close"] = label.form.close
  }
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

  /// Seconds of a duration in Go's form: `30s`, `1m30s`, `500ms`, or a number of seconds.
  fileprivate var goSeconds: Double? {
    if let seconds = Double(self) { return seconds }
    let units: [String: Double] = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
    var rest = self[...]
    var sum = 0.0
    while !rest.isEmpty {
      let number = rest.prefix { $0.isNumber || $0 == "." }
      let unit = rest.dropFirst(number.count).prefix { $0.isLetter }
      guard let value = Double(number), let factor = units[String(unit)] else { return nil }
      sum += value * factor
      rest = rest.dropFirst(number.count + unit.count)
    }
    return sum
  }
}
