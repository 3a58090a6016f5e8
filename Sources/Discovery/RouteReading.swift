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
    case unknown
  }

  /// What is asked for.
  public struct Request: Sendable {
    public let site: Site
    /// The port on which the proxy listens in its own network.
    public let port: UInt16
    public init(site: Site, port: UInt16) {
      self.site = site
      self.port = port
    }
  }

  /// The proxy whose configuration is read.
  public struct Owner: Sendable {
    public let kind: String
    public let place: ProxyPlace
    /// Main file and prefix, where the command line names them.
    public let configuration: String?
    public let prefix: String?
    public init(kind: String, place: ProxyPlace, configuration: String?, prefix: String?) {
      self.kind = kind
      self.place = place
      self.configuration = configuration
      self.prefix = prefix
    }
  }

  typealias Reading = @Sendable (Request, Owner, ProxyFiles) async throws(Unseen) -> (Outcome, Facts)
  typealias Listing = @Sendable (Owner, ProxyFiles) async throws(Unseen) -> [Listed]

  /// One site that a proxy serves.
  public struct Listed: Sendable, Equatable, Hashable {
    public let host: String
    /// The proxy's own port for it.
    public let port: UInt16
    public let isTLS: Bool
    public let path: String
    public let upstream: String
  }

  /// Kinds of proxies whose routes can be read, and how.
  private static let readers: [String: (read: Reading, list: Listing)] = [
    "nginx": (NginxReading.read, NginxReading.list),
    "nginx-proxy-manager": (NginxProxyManagerReading.read, NginxProxyManagerReading.list),
  ]

  public static func canRead(_ kind: String) -> Bool { readers[kind] != nil }

  /// `route.resolves`: a name is looked up when the proxy loads its configuration, or at each request.
  public static let atStart = "start"
  public static let eachRequest = "each-request"

  public static func read(_ request: Request, of owner: Owner, in world: any World) async throws(Unseen) -> (
    Outcome, Facts
  ) {
    guard let reader = readers[owner.kind] else { return (.unknown, [:]) }
    return try await reader.read(request, owner, try await ProxyFiles(of: owner.place, in: world))
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
      let line = ProxyCommandLine(proxy.command)
      let place = ProxyPlace(id: proxy.container?.id, pid: proxy.pid, usesHostNetwork: proxy.usesHostNetwork)
      let owner = Owner(
        kind: proxy.sign.kind, place: place, configuration: line.configuration, prefix: line.prefix)
      guard let files = try? await ProxyFiles(of: place, in: world), let listed = try? await reader.list(owner, files)
      else { continue }
      for route in listed {
        guard let outside = proxy.outside[route.port],
          let site = Site("\(route.isTLS ? "https" : "http")://\(route.host):\(outside)\(route.path)")
        else { continue }
        sites.append(
          ListedSite(
            site: site, kind: proxy.sign.kind,
            proxy: proxy.container.map { "container \($0.name)" } ?? "process \(proxy.pid ?? 0)",
            upstream: route.upstream))
      }
    }
    return sites.sorted { ($0.site.host, $0.site.port, $0.site.path) < ($1.site.host, $1.site.port, $1.site.path) }
  }
}

/// What a proxy's command line tells: `nginx: master process nginx -p /srv -c conf/nginx.conf`.
public struct ProxyCommandLine: Sendable {
  public let program: String
  public private(set) var configuration: String?
  public private(set) var prefix: String?

  public init(_ command: [String]) {
    var words = command.flatMap { $0.split(separator: " ").map(String.init) }
    if words.starts(with: ["nginx:", "master", "process"]) { words.removeFirst(3) }
    program = words.first ?? "nginx"
    for (option, value) in zip(words, words.dropFirst()) {
      if option == "-c" { configuration = value }
      if option == "-p" { prefix = value }
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
  /// `on` or `off`: whether it verifies the upstream's certificate.
  public static let routeVerifies: FactName = "route.verifies"
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
  public static let upstreamScheme: FactName = "upstream.scheme"
  public static let upstreamHost: FactName = "upstream.host"
  public static let upstreamPort: FactName = "upstream.port"
  public static let upstreamPath: FactName = "upstream.path"
  public static let configProblem: FactName = "config.problem"
  /// The container inside which the files are, if this machine does not see them.
  public static let configInside: FactName = "config.inside"
  /// The folder for files with routes.
  public static let configDirectory: FactName = "config.directory"
  /// The file that was changed last, and when (seconds since 1970).
  public static let configNewest: FactName = "config.newest"
  public static let configNewestTime: FactName = "config.newest-time"
  public static let npmDomain: FactName = "npm.domain"
  public static let npmLocation: FactName = "npm.location"
  public static let npmDisabled: FactName = "npm.disabled"
  public static let npmAdvanced: FactName = "npm.advanced"

  /// Every fact that reading a route may bring.
  public static let ofRoutes: [FactName] =
    [
      .routeHost, .routeUpstream, .routeDefinedIn, .routeResolves, .routeResolver, .routeReadTimeout, .routeVerifies,
      .routeAuthorities, .routeAuthoritiesFile, .routeTLSName, .routeSendsHost, .routeNear, .routeLog, .upstreamScheme,
      .upstreamHost, .upstreamPort, .upstreamPath, .configProblem, .configInside, .configDirectory, .configNewest,
      .configNewestTime, .npmDomain, .npmLocation, .npmDisabled, .npmAdvanced, "pass-line.indent", "pass-line.next",
      "problem-line.fixed",
    ]
    + ["host", "port", "scheme", "timeout", "pass", "name", "verify", "ssl-name", "problem"].flatMap { name in
      ["file", "number", "text", "head", "tail"].map { FactName.line(name, $0) }
    }
}
