import Discovery
import Model
import Routes
import World

extension FactName {
  static let configReplaced: FactName = "config.replaced"
}

private enum LoadedOutcome: String, CheckOutcome {
  case current
  /// A file is newer than what runs.
  case older
  /// The app started after the proxy had looked its address up.
  case upstreamNewer = "upstream-newer"
  case unknown
}

extension Check {
  /// Tells whether the proxy runs what its files say: by its own word where it gives it, else by the times of its
  /// files, of its last load, and of the app's start.
  static let configLoaded = Check(
    "config.loaded", needs: [.routeDefinedIn, .proxyPID, .upstreamPlace], learns: [.configReplaced],
    outcome: LoadedOutcome.self
  ) { world, given, signs throws(Unseen) in
    if let newest = given[.configNewest], let files = try? await ProxyFiles(of: given.proxy, in: world),
      await files.isReplaced(newest)
    {
      return (.older, [.configReplaced: files.hostPath(of: newest) ?? newest])
    }
    switch given[.configRuns] {
    case "same": return (.current, [:])
    case "other": return (.older, [:])
    default: break
    }
    let loaded = try await world.lastLoad(given, signs)
    if let newest = given.seconds(.configNewestTime), newest > loaded + 1 { return (.older, [:]) }
    if given[.routeResolves] == Route.Resolution.atStart, let id = given[.upstreamID],
      let started = try await world.container(id).started, started > loaded
    {
      return (.upstreamNewer, [:])
    }
    return (.current, [:])
  }
}
