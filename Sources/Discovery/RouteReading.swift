public import Model
public import World

/// Reading the route of a site from the configuration of the proxy that serves it.
public enum RouteReading {
  /// How reading went, and the facts of the route.
  public enum Outcome: String, CaseIterable, Sendable {
    case found
    /// The host has no route of its own; the proxy's default one answers.
    case `default`
    case missing, disabled
    /// The proxy itself took the route out of service.
    case offline
    /// The configuration cannot be read to its end, and the route is not in the part that could be read.
    case broken
    /// The proxy answers itself: files, a `return`.
    case `static`
    /// It goes to something that is not HTTP.
    case otherProtocol = "other-protocol"
    /// The route is there, and the proxy cannot use it: `route.problem`.
    case misconfigured
    /// The proxy knows the route and has not loaded it, or runs an older form of it.
    case notLoaded = "not-loaded"
    case unknown
  }

  /// What is asked for.
  public struct Request: Sendable {
    public let site: Site
    /// The port on which the proxy listens in its own network.
    public let port: UInt16
    /// The one of a group's servers that is to be examined, as `route.servers` has it; nil: the first that is used.
    public let server: String?
    public init(site: Site, port: UInt16, server: String? = nil) {
      self.site = site
      self.port = port
      self.server = server
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

  /// Kinds of proxies whose routes can be read, and by what.
  private static let readers: [String: any ProxyReader.Type] = [
    "nginx": NginxReading.self,
    "traefik": TraefikReading.self,
    "nginx-proxy-manager": NginxProxyManagerReading.self,
    "envoy": EnvoyReading.self,
    "proxyos": ProxyOSReading.self,
    "caddy": CaddyReading.self,
    CloudflaredReading.kind: CloudflaredReading.self,
    "apache": ApacheReading.self,
    "haproxy": HAProxyReading.self,
  ]

  public static func canRead(_ kind: String) -> Bool { readers[kind] != nil }

  /// `route.resolves`: a name is looked up when the proxy loads its configuration, or at each request.
  public static let atStart = "start"
  public static let eachRequest = "each-request"
  /// `route.verifies`: the certificate's name and dates count, its issuer does not (Apache).
  public static let nameAndDate = "name-and-date"

  public static func read(
    _ request: Request, kind: String, at place: ProxyPlace, in world: any World, _ signs: Signs
  ) async throws(Unseen) -> (Outcome, Facts) {
    guard let reader = readers[kind] else { return (.unknown, [:]) }
    return try await read(request, reader, RunningProxy(kind: kind, place: place, in: world, signs))
  }

  /// What the reader found, as far as what it could not read lets it stand.
  ///
  /// What was not read may hold a route for the site, so that none can be called missing; a mistake may be mended there.
  /// Only a route that a name which nobody has would not get is the site's all the same, and less sure (`config.unread`).
  private static func read(
    _ request: Request, _ reader: any ProxyReader.Type, _ proxy: RunningProxy
  ) async throws(Unseen) -> (Outcome, Facts) {
    var (outcome, facts) = try await reader.read(request, proxy)
    guard let unread = proxy.files.unread.first else { return (outcome, facts) }
    switch outcome {
    case .disabled, .offline, .misconfigured, .notLoaded: break
    case .found, .otherProtocol:
      guard let strange = Site("\(request.site.scheme)://no-such-site.invalid:\(request.site.port)\(request.site.path)")
      else { throw unread }
      // Where even that cannot be told, the site's own name has decided before what was not read would have.
      let other = try? await reader.read(Request(site: strange, port: request.port, server: request.server), proxy)
      if let other, other.0 == outcome, other.1[.routeDefinedIn] == facts[.routeDefinedIn] { throw unread }
    case .default, .missing, .broken, .static, .unknown: throw unread
    }
    facts[.configUnread] = unread.what
    return (outcome, facts)
  }

  /// Seconds since 1970 when the proxy last loaded its configuration.
  public static func loaded(
    kind: String, at place: ProxyPlace, in world: any World, _ signs: Signs
  ) async throws(Unseen) -> Double {
    guard let reader = readers[kind] else { throw .missing(what: "the proxy's last load") }
    let processes = try await world.processes(of: place, signs)
    return try await reader.loaded(RunningProxy(kind: kind, place: place, in: world, signs), processes)
  }

  /// What the proxy tells of its use and its limits right now.
  public static func use(
    of request: Request, kind: String, at place: ProxyPlace, in world: any World, _ signs: Signs
  ) async throws(Unseen) -> Facts {
    guard let reader = readers[kind] else { return [:] }
    return try await reader.use(of: request, RunningProxy(kind: kind, place: place, in: world, signs))
  }

  /// Whether a proxy passes the request on, or is there to do so with others; one that only serves its own files is an
  /// app. True where its routes cannot be read.
  public static func passesOn(
    _ request: Request, _ proxy: ProxyFound, in world: any World, _ signs: Signs
  ) async -> Bool {
    guard let reader = readers[proxy.sign.kind],
      let running = try? await RunningProxy(kind: proxy.sign.kind, place: proxy.place, in: world, signs),
      let outcome = try? await read(request, reader, running).0
    else { return true }
    switch outcome {
    case .static: return false
    case .default, .missing: return (try? await reader.list(running))?.isEmpty != true
    default: return true
    }
  }

  /// A site of a proxy that runs here, by the address under which this machine is asked for it.
  public struct ListedSite: Sendable {
    public let site: Site
    public let kind: String
    public let proxy: String
    public let upstream: String
  }

  /// Every site of every proxy here whose routes can be read, in a stable order. Throws what keeps the proxies from
  /// being seen.
  public static func sites(in world: any World, _ signs: Signs) async throws(Unseen) -> [ListedSite] {
    var sites: [ListedSite] = []
    for proxy in try await world.proxies(at: nil, signs) {
      guard let reader = readers[proxy.sign.kind] else { continue }
      guard let running = try? await RunningProxy(kind: proxy.sign.kind, place: proxy.place, in: world, signs),
        let listed = try? await reader.list(running)
      else { continue }
      for route in listed {
        guard let outside = proxy.outside[route.port],
          let site = Site("\(route.isTLS ? "https" : "http")://\(route.host):\(outside)\(route.path)")
        else { continue }
        sites.append(
          ListedSite(
            site: site, kind: proxy.sign.kind,
            proxy: proxy.whereabouts ?? "",
            upstream: route.upstream))
      }
    }
    return sites.sorted { ($0.site.host, $0.site.port, $0.site.path) < ($1.site.host, $1.site.port, $1.site.path) }
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

extension FactName {
  /// Span facts of one line of a file: `port-line.text`, with what stands before and after the value to change.
  static func line(_ name: String, _ part: String) -> FactName { FactName("\(name)-line.\(part)") }

  public static let routeResolves: FactName = "route.resolves"
  /// Addresses of the proxy's own resolver.
  public static let routeResolver: FactName = "route.resolver"
  /// Seconds that the proxy waits for an answer.
  public static let routeReadTimeout: FactName = "route.read-timeout"
  /// `on` or `off`: whether it verifies the upstream's certificate. `name-and-date`: it does so but for the issuer.
  public static let routeVerifies: FactName = "route.verifies"
  /// What it verifies, if not all of it: `issuer`, `name`, `expiry`.
  public static let routeVerifiesParts: FactName = "route.verifies-parts"
  /// The file of trusted certificates, as the proxy sees it.
  public static let routeAuthorities: FactName = "route.authorities"
  /// The same file as this machine sees it.
  public static let routeAuthoritiesFile: FactName = "route.authorities-file"
  /// The name that the upstream's certificate has to have.
  public static let routeTLSName: FactName = "route.tls-name"
  /// The `Host` header that the upstream gets.
  public static let routeSendsHost: FactName = "route.sends-host"
  /// A route's name that is similar to the site's.
  public static let routeNear: FactName = "route.near"
  /// The error log, as the proxy sees it.
  public static let routeLog: FactName = "route.log"
  /// Texts of which a log line about this route contains one.
  public static let routeLogKeys: FactName = "route.log-keys"
  /// What the proxy speaks to the upstream: `http`, `h2c`, `h2`, `grpc`, `fastcgi`, `uwsgi`, `scgi`, `ajp`, `tcp`.
  public static let routeProtocol: FactName = "route.protocol"
  /// Every server of the route's group as `host:port`, in the configuration's order; only if there are several.
  public static let routeServers: FactName = "route.servers"
  /// Seconds that the proxy waits for a connection.
  public static let routeConnectTimeout: FactName = "route.connect-timeout"
  /// Bytes of an answer's header that the proxy takes, all lines together.
  public static let routeHeaderLimit: FactName = "route.header-limit"
  /// Bytes of one line of it, and how many lines.
  public static let routeHeaderLineLimit: FactName = "route.header-line-limit"
  public static let routeHeaderLines: FactName = "route.header-lines-limit"
  /// `on` or `off`: whether it has a certificate of its own for the upstream (mutual TLS).
  public static let routeSendsCertificate: FactName = "route.sends-certificate"
  /// What it offers in the TLS handshake, as `HTTPRequest.Offer` has it; absent: `usual`, that of OpenSSL.
  public static let routeTLSOffer: FactName = "route.tls-offer"
  /// `on` or `off`: whether it names the upstream in the TLS handshake (SNI).
  public static let routeSendsTLSName: FactName = "route.sends-tls-name"
  /// The proxy's own health check of the upstream: its path, the statuses it takes (`200-399`, `200`), its port.
  public static let routeHealthPath: FactName = "route.health-path"
  public static let routeHealthExpects: FactName = "route.health-expects"
  public static let routeHealthPort: FactName = "route.health-port"
  /// What the proxy itself says of the upstream's health: `up`, `down`; absent if it does not check.
  public static let routeHealthState: FactName = "route.health-state"
  /// Why, in the proxy's own words: `L7STS 404 Layer7 wrong status`.
  public static let routeHealthReason: FactName = "route.health-reason"
  /// Connections that the proxy has open, and how many it may have.
  public static let proxyConnections: FactName = "proxy.connections"
  public static let proxyConnectionLimit: FactName = "proxy.connection-limit"
  /// Requests that the proxy has given to the upstream, how many it may give at a time, and those that wait in it.
  public static let routeRequests: FactName = "route.requests"
  public static let routeRequestLimit: FactName = "route.request-limit"
  public static let routeQueued: FactName = "route.queued"
  /// Which of a name's addresses the proxy takes, as it never tries the others: `ipv6-first`, `ipv4-first`,
  /// `ipv6-only`, `ipv4-only`. Absent: it tries all.
  public static let routeAddressFamily: FactName = "route.address-family"
  /// The addresses that the running proxy itself says it dials.
  public static let routeDials: FactName = "route.dials"
  /// Where a login or authorisation service is asked first: `scheme://host:port`.
  public static let routeAuth: FactName = "route.auth"
  /// The proxy's own names of the route and of what it leads to.
  public static let routeRouter: FactName = "route.router"
  public static let routeService: FactName = "route.service"
  /// Where Traefik has the route from: `docker`, `file`, …
  public static let routeProvider: FactName = "route.provider"
  /// A container without a route that was probably meant for the site.
  public static let routeApp: FactName = "route.app"
  /// Why the proxy leaves the app's container out, if it does: `unhealthy`, `starting`, `restarting`, `stopped`.
  public static let routeDropped: FactName = "route.dropped"
  /// Docker networks in any of which the proxy may dial the app; only if there are several.
  public static let routeNetworks: FactName = "route.networks"
  /// The label that would put the route right, with its value.
  public static let routeLabel: FactName = "route.label"
  /// What changes the path on the way to the app.
  public static let routeRewrittenBy: FactName = "route.rewritten-by"
  /// The container's id, where the proxy itself has the route from that container.
  public static let routeContainer: FactName = "route.container"
  /// What is wrong with the route in the proxy's own words, or in the words of the field.
  public static let routeProblem: FactName = "route.problem"
  public static let upstreamScheme: FactName = "upstream.scheme"
  public static let upstreamHost: FactName = "upstream.host"
  public static let upstreamPort: FactName = "upstream.port"
  public static let upstreamPath: FactName = "upstream.path"
  /// The upstream's Unix socket, as the proxy sees its path.
  public static let upstreamSocket: FactName = "upstream.socket"
  /// The file and the prefix that it was started with, as its command line names them.
  public static let proxyConfiguration: FactName = "proxy.configuration"
  public static let proxyPrefix: FactName = "proxy.prefix"
  /// The adapter by which its file becomes its configuration: `caddyfile`.
  public static let proxyAdapter: FactName = "proxy.adapter"
  /// `off` if it has no admin API: then it loads its files only when it starts.
  public static let proxyAdmin: FactName = "proxy.admin"
  public static let configProblem: FactName = "config.problem"
  /// The container inside which the files are, if this machine does not see them.
  public static let configInside: FactName = "config.inside"
  /// The one file to add a route to, where a person edits it.
  public static let configMain: FactName = "config.main"
  /// The folder for files with routes, and as the proxy sees it.
  public static let configDirectory: FactName = "config.directory"
  public static let configDirectoryInside: FactName = "config.directory-inside"
  /// The file that was changed last, and when (seconds since 1970).
  public static let configNewest: FactName = "config.newest"
  public static let configNewestTime: FactName = "config.newest-time"
  /// Known if this is the proxy's own admin page.
  public static let npmAdmin: FactName = "npm.admin"
  /// The host of the database that the admin page's program needs, if it is not a file.
  public static let npmDatabase: FactName = "npm.database"
  /// The container with that database, if there is one that does not run.
  public static let npmDatabaseStopped: FactName = "npm.database-stopped"
  /// `same` or `other`: whether the route that runs is the one in the files, where the proxy itself tells.
  public static let configRuns: FactName = "config.runs"
  /// Where the route that runs goes, if it is another than the files say: `http://shop:3001`, or `nowhere`.
  public static let routeRunning: FactName = "route.running"
  public static let npmDomain: FactName = "npm.domain"
  public static let npmLocation: FactName = "npm.location"
  public static let npmDisabled: FactName = "npm.disabled"
  public static let npmAdvanced: FactName = "npm.advanced"

  /// Every fact that reading a route may bring.
  public static let ofRoutes: [FactName] =
    [
      .routeHost, .routeUpstream, .routeDefinedIn, .routeResolves, .routeResolver, .routeReadTimeout, .routeVerifies,
      .routeAuthorities, .routeAuthoritiesFile, .routeTLSName, .routeSendsHost, .routeNear, .routeLog, .upstreamScheme,
      .upstreamHost, .upstreamPort, .upstreamPath, .configProblem, .configUnread, .configInside, .configDirectory,
      .configDirectoryInside, .configMain, .configNewest,
      .configNewestTime, .configRuns, .routeRunning, .routeLogKeys, .routeProtocol, .routeServers, .routeConnectTimeout,
      .routeHeaderLimit,
      .routeSendsTLSName, .routeHealthPath, .routeHealthExpects, .routeHealthPort, .routeHealthState, .routeAuth,
      .routeAddressFamily, .routeDials, .proxyVersion, .routeHealthReason, .routeHeaderLineLimit, .routeHeaderLines,
      .routeTLSOffer, .routeSendsCertificate, .routeProblem, .upstreamSocket,
      .proxyConfiguration, .proxyPrefix, .proxyAdapter, .proxyAdmin, .npmDomain, .npmLocation, .npmDisabled,
      .npmAdvanced, "pass-line.indent", "pass-line.next",
      "problem-line.fixed", "verify-line.off", "pass-line.target", "pass-line.literal", "pass-line.buffers",
      "pass-line.plain", "pass-line.encrypted", "route.family", .routeVerifiesParts, "site-line.indent",
      "site-line.next", "module-line.indent", "module-line.next",
      .routeRouter, .routeService, .routeProvider, .routeApp, .routeDropped, .routeNetworks, .routeRewrittenBy,
      .routeLabel, "problem-line.insert", "problem-line.next", "rewrite-line.fixed", "transport-line.indent",
      "label.port", "label.open", "label.between", "label.close",
    ]
    + ofCompose + ofApache + ofProxyOS + [
      .routeContainer, .npmAdmin, .npmDatabase, .npmDatabaseStopped, .swagSample, .swagFile,
    ]
    + [
      "host", "port", "scheme", "timeout", "pass", "site", "module", "name", "verify", "ssl-name", "sni", "problem",
      "header-limit", "transport", "rewrite", "network", "health", "health-status", "tls", "family",
    ].flatMap(ofLine)

  /// Every fact that asking a proxy for its use may bring.
  public static let ofUse: [FactName] =
    [.proxyConnections, .proxyConnectionLimit, .routeRequests, .routeRequestLimit, .routeQueued] + ofLine("limit")

  private static func ofLine(_ name: String) -> [FactName] {
    ["file", "number", "text", "head", "tail"].map { line(name, $0) }
  }
}
