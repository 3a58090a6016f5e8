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
  ) { world, facts, signs throws(Unseen) in
    guard let site = Site(facts[.url] ?? ""), let port = facts.port(.proxyPort) else { return (.unknown, [:]) }
    let kind = facts[.proxyKind] ?? ""
    guard RouteReading.canRead(kind) else { return (.unknown, [:]) }
    let reading = try await RouteReading.read(
      .init(site: site, port: port, server: facts[.routeServer]), kind: kind, at: facts.proxy, in: world, signs)
    return (reading.outcome, reading.facts)
  }
}
