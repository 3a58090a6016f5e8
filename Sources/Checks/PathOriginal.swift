import Discovery
import Model
import Routes
import World

extension FactName {
  static let originalStatus: FactName = "original.status"
}

private enum OriginalOutcome: String, CheckOutcome {
  /// The app knows the path as it was asked for, and not the one that the proxy makes of it.
  case better
  /// The app knows neither, or every path alike.
  case same
  case unknown
}

extension Check {
  /// Asks the app for the path before the proxy changed it.
  ///
  /// An app that takes every path proves nothing, so one that cannot exist is asked for as well: beside the path, not
  /// below it, where an app of one page knows every path.
  static let pathOriginal = Check(
    "path.original",
    needs: [.nameAddress, .upstreamPort, .proxyPlace, .upstreamScheme, .upstreamPath, .sitePath, .upstreamStatus],
    learns: [.originalStatus], outcome: OriginalOutcome.self
  ) { world, given, _ throws(Unseen) in
    let original = try given.sitePath
    guard given[.upstreamPath] != original, given[.upstreamStatus] == "404" else { return (.same, [:]) }
    let request = try given.asProxy(try given.upstreamScheme, path: original, limit: 8)
    let nowhere = try given.asProxy(try given.upstreamScheme, path: "/wizard502-no-such-page", limit: 8)
    async let other = world.result(of: nowhere)
    guard let status = try await world.see(request).status else { return (.unknown, [:]) }
    let learned: Facts = [.originalStatus: String(status)]
    guard (200..<400).contains(status) else { return (.same, learned) }
    guard let elsewhere = try await other.get().status else { return (.unknown, learned) }
    return (elsewhere == 404 ? .better : .same, learned)
  }
}
