import Model
import Pattern
import World

/// From Nginx Proxy Manager's generated files and its database to the facts of a route.
///
/// The files are what runs; the database says which field of the web page made them, and what was switched off.
enum NginxProxyManagerReading: ProxyReader {
  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> (
    RouteReading.Outcome, Facts
  ) {
    let files = proxy.files
    let (outcome, read) = await NginxReading.route(request, in: try await NginxReading.load(proxy), proxy)
    // It is edited in the web page: a changed file would be written over.
    var facts = Facts(read.values.filter { !$0.key.text.contains("-line.") || $0.key.text.hasPrefix("problem-") })
    facts[.configInside] = nil
    if request.port == proxy.environment("NPM_ADMIN_PORT").flatMap({ UInt16($0) }) ?? proxy.sign?.adminPort {
      return (outcome, facts.merging(await admin(proxy)))
    }
    let hosts: [NginxProxyManager.Host]
    do throws(Unseen) { hosts = try await rows(files) } catch {
      // Another database, or none that can be seen: the files alone still tell the route.
      return (outcome, facts)
    }
    guard
      let host = NginxProxyManager.host(
        for: request.site.host, among: hosts.filter { !$0.isDeleted }, matches: NginxReading.matches)
    else {
      facts[.routeNear] = request.site.host.nearest(among: hosts.filter { !$0.isDeleted }.flatMap(\.domainNames))
      return (outcome == .broken ? .broken : .missing, facts)
    }
    facts[.npmDomain] = host.domainNames.first
    facts[.npmAdvanced] = host.advancedConfig.isEmpty ? nil : "yes"
    facts[.routeLog] = host.errorLog
    if let location = host.location(for: request.site.path, matches: NginxReading.matches) {
      facts[.npmLocation] = location.path
    }
    if !host.isEnabled {
      facts[.npmDisabled] = "yes"
      return (.disabled, facts.merging([.routeDefinedIn: "proxy_host row \(host.id)", .routeHost: request.site.host]))
    }
    let refused = try await files.read(host.errorFile)
    let isOffline = try await files.read(host.file) == nil && refused != nil
    if isOffline || host.isOnline == false {
      facts[.configProblem] = host.error?.printable ?? "\(host.errorFile) is there"
      facts[.routeHost] = request.site.host
      facts[.routeDefinedIn] = "proxy_host row \(host.id)"
      return (.offline, facts)
    }
    return (outcome, facts)
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] {
    try await NginxReading.list(proxy)
  }

  /// The admin page: its program is in the proxy's own container, so there 127.0.0.1 is right.
  private static func admin(_ proxy: RunningProxy) async -> Facts {
    var facts: Facts = [.npmAdmin: "yes"]
    guard let host = proxy.environment("DB_MYSQL_HOST") ?? proxy.environment("DB_POSTGRES_HOST") else { return facts }
    facts[.npmDatabase] = host.printable
    let containers = (try? await proxy.world.containers()) ?? []
    facts[.npmDatabaseStopped] =
      containers.first { !$0.isRunning && ($0.name == host || $0.service == host && $0.project == project(of: proxy)) }?
      .name
    return facts
  }

  private static func project(of proxy: RunningProxy) -> String? {
    proxy.container?.Config?.Labels?["com.docker.compose.project"]
  }

  private static func rows(_ files: ProxyFiles) async throws(Unseen) -> [NginxProxyManager.Host] {
    NginxProxyManager.hosts(try await files.rows(of: "/data/database.sqlite", "SELECT * FROM proxy_host"))
  }
}
