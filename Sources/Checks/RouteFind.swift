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
    guard RouteReading.kinds.contains(try given.proxyKind) else { return (.unknown, [:]) }
    let reading = try await world.reading(given, signs)
    return (reading.outcome, reading.facts)
  }
}
