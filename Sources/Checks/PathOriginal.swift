import Discovery
import Model
import Routes
import World

extension FactName {
  static let originalStatus: FactName = "original.status"
  static let slashesStatus: FactName = "slashes.status"
}

extension Check {
  /// Asks the app for the path before the proxy changed it, and for the changed one without doubled slashes.
  static let pathOriginal = Check(
    "path.original",
    needs: [.nameAddress, .upstreamPort, .proxyPlace, .upstreamScheme, .upstreamPath, .sitePath, .upstreamStatus],
    learns: [.originalStatus, .slashesStatus], outcome: PathOutcome.self
  ) { world, given, _ throws(Unseen) in
    let (original, changed) = (try given.sitePath, try given.text(of: .upstreamPath))
    guard changed != original, given[.upstreamStatus] == "404" else { return (.same, [:]) }
    let found = try await world.known(original, given, learning: .originalStatus)
    guard found.0 == .same, changed.contains("//"), !original.contains("//") else { return found }
    var single = changed
    while single.contains("//") { single = single.replacing("//", with: "/") }
    // Nothing but the slashes tells the two apart.
    let (outcome, facts) = try await world.known(single, given, learning: .slashesStatus, unlike: changed)
    return outcome == .better ? (.better, facts) : found
  }
}
