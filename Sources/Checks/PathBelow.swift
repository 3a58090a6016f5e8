import Discovery
import Model
import Routes
import World

extension FactName {
  static let belowStatus: FactName = "below.status"
}

extension Check {
  /// Asks the app for the path without the part by which the proxy chooses the route.
  static let pathBelow = Check(
    "path.below",
    needs: [.nameAddress, .upstreamPort, .proxyPlace, .upstreamScheme, .sitePath, .upstreamStatus, .routePrefix],
    learns: [.belowStatus], outcome: PathOutcome.self
  ) { world, given, _ throws(Unseen) in
    let (path, prefix) = (try given.sitePath, try given.text(of: .routePrefix))
    guard given[.upstreamStatus] == "404", path.hasPrefix(prefix) else { return (.same, [:]) }
    let rest = path.dropFirst(prefix.count)
    guard rest.isEmpty || rest.hasPrefix("/") || rest.hasPrefix("?") else { return (.same, [:]) }
    let below = (rest.hasPrefix("/") ? "" : "/") + rest
    return try await world.known(below, given, learning: .belowStatus)
  }
}
