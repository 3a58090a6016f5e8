import Discovery
import Model
import World

/// Whether an app that does not know the path for which the proxy asks it knows another one.
enum PathOutcome: String, CheckOutcome {
  /// It knows that one, and not the proxy's.
  case better
  /// It knows neither, or every path alike.
  case same
  case unknown

  /// A path that no app has.
  static let nowhere = "/wizard502-no-such-page"
}

extension World {
  /// Asks the app for another path than the proxy does.
  ///
  /// An app that takes every path proves nothing, so one that cannot exist is asked for as well: beside the path, not
  /// below it, where an app of one page knows every path.
  ///
  /// - Parameters:
  ///   - name: The fact that gets the status.
  ///   - unknown: The path that cannot exist.
  func known(
    _ path: String, _ given: Case, learning name: FactName, unlike unknown: String = PathOutcome.nowhere
  ) async throws(Unseen) -> (PathOutcome, Facts) {
    let request = try given.asProxy(try given.upstreamScheme, path: path, limit: 8)
    let nowhere = try given.asProxy(try given.upstreamScheme, path: unknown, limit: 8)
    async let other = result(of: nowhere)
    guard let status = try await see(request).status else { return (.unknown, [:]) }
    let learned: Facts = [name: String(status)]
    guard (200..<400).contains(status) else { return (.same, learned) }
    guard let elsewhere = try await other.get().status else { return (.unknown, learned) }
    return (elsewhere == 404 ? .better : .same, learned)
  }
}
