public import Model
public import Routes
public import World

/// Reading the route of a site from the configuration of the proxy that serves it.
public enum RouteReading {
  /// What is asked for.
  public struct Request: Sendable {
    public let site: Site
    /// The port on which the proxy listens in its own network.
    public let port: UInt16
    /// The one of a group's servers that is to be examined, as `route.servers` has it; nil: the first that is used.
    public let server: String?
    /// The address of this machine at which the request arrives; nil where Docker leads it to the proxy's own.
    public let address: String?
    public init(site: Site, port: UInt16, server: String? = nil, address: String? = nil) {
      self.site = site
      self.port = port
      self.server = server
      self.address = address
    }
  }

  /// One site that a proxy serves.
  public struct Listed: Sendable, Equatable, Hashable {
    public let host: String
    /// The proxy's own port for it.
    public let port: UInt16
    public let isTLS: Bool
    public let path: String
    public let upstream: String
  }

  /// By kind of proxy.
  static let readers: [String: any ProxyReader.Type] = [
    "nginx": NginxReading.self,
    "traefik": TraefikReading.self,
    "nginx-proxy-manager": NginxProxyManagerReading.self,
    "envoy": EnvoyReading.self,
    "proxyos": ProxyOSReading.self,
    "caddy": CaddyReading.self,
    CloudflaredReading.kind: CloudflaredReading.self,
    "apache": ApacheReading.self,
    "haproxy": HAProxyReading.self,
    "lighttpd": LighttpdReading.self,
  ]

  /// Every fact that reading a route may bring.
  public static let facts: [FactName] =
    FactName.ofRoutes + FactName.ofCompose + readers.values.flatMap { $0.facts }.sorted()

  /// The kinds of proxies whose routes can be read.
  public static var kinds: Set<String> { Set(readers.keys) }

  public static func read(
    _ request: Request, kind: String, at place: ProxyPlace, in world: any World, _ signs: Signs
  ) async throws(Unseen) -> Reading {
    guard let reader = readers[kind] else { throw .missing(what: "a reader for \(kind)") }
    return try await reading(kind, at: place, in: world, signs) { (proxy) async throws(Unseen) in
      try await read(request, reader, proxy)
    }
  }

  /// Reads a proxy's files in a room. The proxy is made anew for a second reading, since it notes what was not read.
  private static func reading<Value: Sendable>(
    _ kind: String, at place: ProxyPlace, in world: any World, _ signs: Signs,
    _ body: (RunningProxy) async throws(Unseen) -> Value
  ) async throws(Unseen) -> Value {
    try await Room.read { () async throws(Unseen) in
      try await body(RunningProxy(kind: kind, place: place, in: world, signs))
    }
  }

  /// What the reader found, as far as what it could not read lets it stand.
  ///
  /// What was not read may hold a route for the site, so that none can be called missing; a mistake may be mended there.
  /// Only a route that a name which nobody has would not get is the site's all the same, and less sure (`config.unread`).
  private static func read(
    _ request: Request, _ reader: any ProxyReader.Type, _ proxy: RunningProxy
  ) async throws(Unseen) -> Reading {
    var reading = try await reader.read(request, proxy)
    let places = [reading.configuration.mistake?.file, reading.entry?.definedIn ?? reading.configuration.main]
    reading.configuration.isMountedAlone = places.contains { $0.map(proxy.files.isMountedAlone) == true }
    let settings = reading.configuration.connections ?? reading.configuration.global?.after
    reading.configuration.isGlobalMountedAlone = settings.map { proxy.files.isMountedAlone($0.span.file) } == true
    reading.own.merge(variable(for: reading, proxy))
    let unread = proxy.files.unread.first
    if [.default, .missing].contains(reading.outcome) {
      reading.passesOthersOn = (try? await reader.list(proxy))?.isEmpty == false
    }
    guard let unread else { return reading }
    switch reading.outcome {
    case .disabled, .offline, .misconfigured, .notLoaded: break
    case .found, .otherProtocol:
      guard let strange = Site("\(request.site.scheme)://no-such-site.invalid:\(request.site.port)\(request.site.path)")
      else { throw unread }
      // Where even that cannot be told, the site's own name has decided before what was not read would have.
      let other = try? await reader.read(Request(site: strange, port: request.port, server: request.server), proxy)
      if let other, other.outcome == reading.outcome, other.entry?.definedIn == reading.entry?.definedIn {
        throw unread
      }
    case .default, .missing, .broken, .static, .unknown: throw unread
    }
    reading.configuration.unread = unread.what
    return reading
  }

  /// The variable of the proxy's own container by which a file got the route's port: one that only the container has, which
  /// its start script makes anew each time, or a template.
  private static func variable(for reading: Reading, _ proxy: RunningProxy) -> Facts {
    guard reading.configuration.container != nil || proxy.files.hasTemplates, let route = reading.route,
      case .network(_, let port) = route.upstream.address, port.edit == nil
    else { return [:] }
    let named = (proxy.container?.Config?.Env ?? []).filter { $0.hasSuffix("=\(port.value)") }
      .map { String($0.prefix { $0 != "=" }) }
    return named.count == 1 ? [.variableOfPort: named[0]] : [:]
  }

  /// Seconds since 1970 when the proxy last loaded its configuration.
  public static func loaded(
    kind: String, at place: ProxyPlace, in world: any World, _ signs: Signs
  ) async throws(Unseen) -> Double {
    guard let reader = readers[kind] else { throw .missing(what: "the proxy's last load") }
    let processes = try await world.processes(of: place, signs)
    return try await reading(kind, at: place, in: world, signs) { (proxy) async throws(Unseen) in
      try await reader.loaded(proxy, processes)
    }
  }

  /// What the proxy tells of its use and its limits right now.
  public static func use(
    of request: Request, kind: String, at place: ProxyPlace, in world: any World, _ signs: Signs
  ) async throws(Unseen) -> ProxyUse? {
    guard let reader = readers[kind] else { return nil }
    return try await reading(kind, at: place, in: world, signs) { (proxy) async throws(Unseen) in
      try await reader.use(of: request, proxy)
    }
  }

  /// Whether a proxy passes the request on, or is there to do so with others; one that only serves its own files is an
  /// app. True where its routes cannot be read.
  public static func passesOn(
    _ request: Request, _ proxy: ProxyFound, in world: any World, _ signs: Signs
  ) async -> Bool {
    let (kind, place) = (proxy.sign.kind, proxy.place)
    guard let outcome = try? await read(request, kind: kind, at: place, in: world, signs).outcome else { return true }
    switch outcome {
    case .static: return false
    case .default, .missing: return (try? await list(kind: kind, at: place, in: world, signs))?.isEmpty != true
    default: return true
    }
  }

  /// Every site that the proxy passes on.
  public static func list(
    kind: String, at place: ProxyPlace, in world: any World, _ signs: Signs
  ) async throws(Unseen) -> [Listed] {
    guard let reader = readers[kind] else { throw .missing(what: "a reader for \(kind)") }
    return try await reading(kind, at: place, in: world, signs) { (proxy) async throws(Unseen) in
      try await reader.list(proxy)
    }
  }

  /// A site of a proxy that runs here, by the address under which this machine is asked for it.
  public struct ListedSite: Sendable {
    public let site: Site
    public let kind: String
    public let proxy: String
    /// The id of the container in which the proxy runs; nil for a process of the machine.
    public let container: String?
    public let upstream: String
  }

  /// Every site of every proxy here, in a stable order, and what keeps the routes of others from being read. Throws what
  /// keeps the proxies from being seen.
  public static func sites(
    in world: any World, _ signs: Signs
  ) async throws(Unseen) -> (sites: [ListedSite], unseen: [Unseen]) {
    var sites: [ListedSite] = []
    var unseen: [Unseen] = []
    for proxy in try await world.proxies(at: nil, signs) {
      guard kinds.contains(proxy.sign.kind) else { continue }
      let listed: [Listed]
      do throws(Unseen) {
        listed = try await list(kind: proxy.sign.kind, at: proxy.place, in: world, signs)
      } catch {
        unseen.append(error)
        continue
      }
      for route in listed {
        guard let outside = proxy.outside[route.port],
          let site = Site("\(route.isTLS ? "https" : "http")://\(route.host):\(outside)\(route.path)")
        else { continue }
        sites.append(
          ListedSite(
            site: site, kind: proxy.sign.kind,
            proxy: proxy.whereabouts ?? "", container: proxy.container?.id,
            upstream: route.upstream))
      }
    }
    sites.sort { ($0.site.host, $0.site.port, $0.site.path) < ($1.site.host, $1.site.port, $1.site.path) }
    return (sites, unseen)
  }
}

extension World {
  /// The processes of the proxy at this place.
  public func processes(of proxy: ProxyPlace, _ signs: Signs) async throws(Unseen) -> [ProcessSeen] {
    try await see(Processes(names: signs.proxyProcesses)).filter { process in
      proxy.id.map { process.container == $0 } ?? (process.parent == proxy.pid || process.id == proxy.pid)
    }
  }
}
