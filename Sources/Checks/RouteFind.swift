import Discovery
import Model
import World

extension RouteReading.Outcome: CheckOutcome {}

extension Check {
  /// Reads the proxy's configuration and finds the route that serves the site, to the line.
  static let routeFind = Check(
    "route.find", needs: [.proxyKind, .proxyPlace, .proxyPort], learns: FactName.ofRoutes,
    outcome: RouteReading.Outcome.self
  ) { world, facts, _ throws(Unseen) in
    guard let site = Site(facts[.url] ?? ""), let port = facts.port(.proxyPort) else { return (.unknown, [:]) }
    return try await RouteReading.read(.init(site: site, port: port), of: facts.proxyOwner, in: world)
  }
}

extension Facts {
  var proxyOwner: RouteReading.Owner {
    RouteReading.Owner(
      kind: self[.proxyKind] ?? "", place: proxy, configuration: self[.proxyConfiguration], prefix: self[.proxyPrefix])
  }
}
