import Discovery
import Model
import Routes
import World

extension FactName {
  static let belowStatus: FactName = "below.status"
}

private enum BelowOutcome: String, CheckOutcome {
  /// The app knows the path without the part by which the proxy chooses the route, and not with it.
  case better
  /// The app knows neither, or every path alike.
  case same
  case unknown
}

extension Check {
  /// Asks the app for the path without the part by which the proxy chooses the route.
  ///
  /// An app that takes every path proves nothing, so one that cannot exist is asked for as well.
  static let pathBelow = Check(
    "path.below",
    needs: [.nameAddress, .upstreamPort, .proxyPlace, .upstreamScheme, .sitePath, .upstreamStatus, .routePrefix],
    learns: [.belowStatus], outcome: BelowOutcome.self
  ) { world, given, _ throws(Unseen) in
    let (path, prefix) = (try given.sitePath, try given.text(of: .routePrefix))
    guard given[.upstreamStatus] == "404", path.hasPrefix(prefix) else { return (.same, [:]) }
    let rest = path.dropFirst(prefix.count)
    guard rest.isEmpty || rest.hasPrefix("/") || rest.hasPrefix("?") else { return (.same, [:]) }
    let below = (rest.hasPrefix("/") ? "" : "/") + rest
    let request = try given.asProxy(try given.upstreamScheme, path: below, limit: 8)
    let nowhere = try given.asProxy(try given.upstreamScheme, path: "/wizard502-no-such-page", limit: 8)
    async let other = world.result(of: nowhere)
    guard let status = try await world.see(request).status else { return (.unknown, [:]) }
    let learned: Facts = [.belowStatus: String(status)]
    guard (200..<400).contains(status) else { return (.same, learned) }
    guard let elsewhere = try await other.get().status else { return (.unknown, learned) }
    return (elsewhere == 404 ? .better : .same, learned)
  }
}
