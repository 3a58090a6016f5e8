import Discovery
import Model
import World

extension RouteReading.Outcome: CheckOutcome {}

extension Check {
  /// Reads the proxy's configuration and finds the route that serves the site, to the line.
  static let routeFind = Check(
    "route.find", needs: [.proxyKind, .proxyPlace, .proxyPort], learns: FactName.ofRoutes,
    outcome: RouteReading.Outcome.self
  ) { world, facts, signs throws(Unseen) in
    guard let site = Site(facts[.url] ?? ""), let port = facts.port(.proxyPort) else { return (.unknown, [:]) }
    return try await RouteReading.read(
      .init(site: site, port: port, server: facts[.routeServer]), kind: facts[.proxyKind] ?? "", at: facts.proxy,
      in: world, signs)
  }
}
