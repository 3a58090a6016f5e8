import Discovery
import Model
import Routes
import World

extension Reading.Outcome: CheckOutcome {}

extension Check {
  /// Reads the proxy's configuration and finds the route that serves the site, to the line.
  static let routeFind = Check(
    "route.find", needs: [.proxyKind, .proxyPlace, .proxyPort], learns: RouteReading.facts,
    outcome: Reading.Outcome.self
  ) { world, given, signs throws(Unseen) in
    let (site, port) = (try given.site, try given.proxyPort)
    let kind = try given.proxyKind
    guard RouteReading.kinds.contains(kind) else { return (.unknown, [:]) }
    let reading = try await RouteReading.read(
      .init(site: site, port: port, server: given[.routeServer]), kind: kind, at: given.proxy, in: world, signs)
    return (reading.outcome, reading.facts)
  }
}
