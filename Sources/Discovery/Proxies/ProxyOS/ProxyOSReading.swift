import Model
import Routes
import World

/// From ProxyOS's database and the Caddy in it to the facts of a route.
///
/// The database says what is wanted and in which field of the dashboard; Caddy's admin API says what runs.
enum ProxyOSReading: ProxyReader {
  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading {
    let running = try await configuration(of: proxy)
    // Without its database, what runs still tells the route.
    let routes = (try? await rows("SELECT * FROM routes", proxy)).map { $0.compactMap(ProxyOS.Route.init) }
    let fixed = try? await rows("SELECT name, host FROM static_upstreams", proxy)
    let names = (fixed ?? []).compactMap { row in row["name"].flatMap { name in row["host"].map { (name, $0) } } }
    var reading = read(
      request, running: running, routes: routes, names: Dictionary(names) { first, _ in first }, proxy.files)
    reading.own["proxyos.dns"] = proxy.container?.HostConfig?.Dns?.joined(separator: ", ")
    return reading
  }

  /// `names`: the static upstreams, which are put in the place of hosts. `routes` nil: the database was not seen.
  static func read(
    _ request: RouteReading.Request, running: Caddy.Configuration, routes: [ProxyOS.Route]?,
    names: [String: String] = [:], _ files: ProxyFiles
  ) -> Reading {
    var reading = running.read(request, files)
    guard let routes else { return reading }
    guard let route = ProxyOS.route(for: request.site.host, among: routes) else {
      // A redirect host or an error host is no route.
      guard reading.outcome != .static else { return reading }
      reading.near = request.site.host.nearest(among: routes.flatMap(\.names)).map { Setting($0, nil) }
      if reading.outcome != .found { reading.outcome = .missing }
      return reading
    }
    let isRunning = reading.route != nil
    reading.entry = Reading.Entry(
      site: Setting(request.site.host, nil),
      definedIn: isRunning || !route.isEnabled ? "routes row \(route.id)" : reading.entry?.definedIn ?? "", router: nil,
      service: nil, provider: nil)
    describe(route, &reading.own)
    guard isRunning else {
      guard !route.names.contains(where: { running.sites[$0] != nil }) else {
        // Caddy has it, and it is not for everybody.
        guard !route.allows.isEmpty else { return reading }
        reading.outcome = .misconfigured
        reading.problem = Reading.Problem(
          reason: "only \(route.allows.joined(separator: ", ")) may use it (IP allowlist)", remedy: nil, label: nil)
        return reading
      }
      if !route.isEnabled {
        reading.own["proxyos.disabled"] = "yes"
        reading.outcome = .disabled
        return reading
      }
      // At its start ProxyOS gives Caddy all routes at once: one that is refused keeps them all out.
      if let refused = [route].first(where: { $0.refusal != nil })
        ?? routes.first(where: { $0.isEnabled && $0.refusal != nil })
      {
        refuse(refused, for: route, &reading)
        return reading
      }
      reading.outcome = .notLoaded
      return reading
    }
    guard route.isEnabled, !route.runs(in: running, names) else { return reading }
    reading.outcome = .notLoaded
    if route.refusal != nil { refuse(route, for: route, &reading) }
    return reading
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] {
    try await configuration(of: proxy).listed
  }

  private static func configuration(of proxy: RunningProxy) async throws(Unseen) -> Caddy.Configuration {
    Caddy.Configuration(try await Caddy.Admin(written: "localhost:2019", of: proxy).configuration(of: proxy))
  }

  private static func rows(_ sql: String, _ proxy: RunningProxy) async throws(Unseen) -> [[String: String]] {
    try await proxy.files.rows(of: proxy.environment("PROXYOS_DB_PATH") ?? "/data/proxyos/proxyos.db", sql)
  }

  private static func describe(_ route: ProxyOS.Route, _ facts: inout Facts) {
    facts["proxyos.domain"] = route.domain
    facts["proxyos.tls"] = route.speaksTLS?.rawValue
    facts["proxyos.tls-mode"] = route.tlsMode
    facts["proxyos.scheme"] = route.upstreams.first?.scheme
    facts["proxyos.host"] = route.upstreams.first?.host
    facts["proxyos.port"] = route.upstreams.first.map { String($0.port) }
    facts["proxyos.health"] = route.isHealthChecked ? "on" : "off"
    facts["proxyos.interval"] = route.isHealthChecked ? String(route.healthInterval) : nil
    facts["proxyos.maintenance"] = route.isInMaintenance ? "yes" : nil
  }

  /// `refused` is `route` itself, or another one that keeps it out.
  private static func refuse(_ refused: ProxyOS.Route, for route: ProxyOS.Route, _ reading: inout Reading) {
    describe(refused, &reading.own)
    reading.outcome = .offline
    reading.configuration.mistake = Reading.Configuration.Mistake(
      reason: "Caddy refuses what ProxyOS makes of \(refused.domain): \(refused.refusal ?? "")", file: nil, line: nil,
      text: nil, fixed: nil)
    reading.own["proxyos.refused"] = refused.domain
    reading.own["proxyos.keeps-out"] = refused == route ? nil : route.domain
  }
}

extension ProxyOS.Route {
  /// False if Caddy sends its names elsewhere than to the row's upstreams, and to none of them.
  fileprivate func runs(in running: Caddy.Configuration, _ names: [String: String]) -> Bool {
    let dialled = running.listed.filter { self.names.contains($0.host) }.map(\.upstream)
    let wanted = upstreams.flatMap { upstream in
      [upstream.host, names[upstream.host]].compactMap { $0 }.map { "\($0):\(upstream.port)" }
    }
    return dialled.isEmpty || dialled.contains { upstream in wanted.contains { upstream.hasSuffix("/" + $0) } }
  }
}

extension ProxyOSReading {
  static let facts: [FactName] = [
    // The row's domain and its upstream as the form has it: of the refused route, if one is.
    "proxyos.domain", "proxyos.scheme", "proxyos.host", "proxyos.port", "proxyos.tls-mode",
    // `port`, `address` or `protocol`: why it speaks TLS to the app.
    "proxyos.tls",
    // `on` or `off`, and the seconds between two checks.
    "proxyos.health", "proxyos.interval",
    // The route that Caddy refuses, and the one that it keeps out.
    "proxyos.refused", "proxyos.keeps-out",
    "proxyos.disabled", "proxyos.maintenance",
    // The name servers that its container was given.
    "proxyos.dns",
  ]
}
