import Discovery
import Model
import Routes
import World

extension FactName {
  static let originalStatus: FactName = "original.status"
}

extension Check {
  /// Asks the app for the path before the proxy changed it.
  static let pathOriginal = Check(
    "path.original",
    needs: [.nameAddress, .upstreamPort, .proxyPlace, .upstreamScheme, .upstreamPath, .sitePath, .upstreamStatus],
    learns: [.originalStatus], outcome: PathOutcome.self
  ) { world, given, _ throws(Unseen) in
    let original = try given.sitePath
    guard given[.upstreamPath] != original, given[.upstreamStatus] == "404" else { return (.same, [:]) }
    return try await world.known(original, given, learning: .originalStatus)
  }
}
