import Model
import Pattern
import Routes
import World

/// From Nginx Proxy Manager's generated files and its database to the facts of a route.
///
/// The files are what runs; the database says which field of the web page made them, and what was switched off.
enum NginxProxyManagerReading: ProxyReader {
  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading {
    let files = proxy.files
    // It is edited in the web page: a changed file would be written over.
    var generated = proxy
    generated.files.isGenerated = true
    var reading = try await NginxReading.reading(of: request, in: try await NginxReading.load(proxy), generated)
    reading.configuration.container = nil
    if request.port == proxy.environment("NPM_ADMIN_PORT").flatMap({ UInt16($0) }) ?? proxy.sign?.adminPort {
      reading.own = await admin(proxy)
      return reading
    }
    let hosts: [NginxProxyManager.Host]
    do throws(Unseen) { hosts = try await rows(files) } catch {
      // Another database, or none that can be seen: the files alone still tell the route, and its row in the web page.
      if reading.outcome == .found { reading.own[.npmDomain] = reading.entry?.site?.value }
      return reading
    }
    guard
      let host = NginxProxyManager.host(
        for: request.site.host, among: hosts.filter { !$0.isDeleted }, matches: NginxReading.matches)
    else {
      let near = request.site.host.nearest(among: hosts.filter { !$0.isDeleted }.flatMap(\.domainNames))
      reading.near = near.map { Setting($0, nil) }
      if reading.outcome != .broken { reading.outcome = .missing }
      return reading
    }
    reading.own[.npmDomain] = host.domainNames.first
    reading.own[.npmAdvanced] = host.advancedConfig.isEmpty ? nil : "yes"
    reading.log.file = .known(host.errorLog)
    if let location = host.location(for: request.site.path, matches: NginxReading.matches) {
      reading.own[.npmLocation] = location.path
    }
    let row = Reading.Entry(
      site: Setting(request.site.host, nil), definedIn: "proxy_host row \(host.id)", router: nil, service: nil,
      provider: nil)
    if !host.isEnabled {
      reading.own[.npmDisabled] = "yes"
      (reading.outcome, reading.entry) = (.disabled, row)
      return reading
    }
    let refused = try await files.read(host.errorFile)
    let isOffline = try await files.read(host.file) == nil && refused != nil
    if isOffline || host.isOnline == false {
      reading.configuration.mistake = Reading.Configuration.Mistake(
        reason: host.error ?? "\(host.errorFile) is there", file: nil, line: nil, text: nil, fixed: nil)
      (reading.outcome, reading.entry) = (.offline, row)
    }
    return reading
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

extension FactName {
  static let npmAdmin: FactName = "npm.admin"
  static let npmDatabase: FactName = "npm.database"
  static let npmDatabaseStopped: FactName = "npm.database-stopped"
  static let npmDomain: FactName = "npm.domain"
  static let npmLocation: FactName = "npm.location"
  static let npmDisabled: FactName = "npm.disabled"
  static let npmAdvanced: FactName = "npm.advanced"
}

extension NginxProxyManagerReading {
  static let facts: [FactName] = [
    .npmAdmin, .npmDatabase, .npmDatabaseStopped, .npmDomain, .npmLocation, .npmDisabled, .npmAdvanced,
  ]
}
