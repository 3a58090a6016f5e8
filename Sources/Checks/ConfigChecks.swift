import Discovery
import Model
import Routes
import World

private enum ValidOutcome: String, CheckOutcome {
  /// Reading the files shows no mistake; the proxy's own test is never run.
  case readable
  case invalid, unknown
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
  /// Tells whether the proxy would load its files, as far as reading them shows.
  static let configValid = Check(
    "config.valid", needs: [.routeDefinedIn, .proxyPlace], outcome: ValidOutcome.self
  ) { _, facts, _ throws(Unseen) in
    if facts[.configProblem] != nil { return (.invalid, [:]) }
    // A file that was not read may have any mistake.
    return (facts[.configUnread] == nil ? .readable : .unknown, [:])
  }

  /// Tells whether the proxy runs what its files say: by its own word where it gives it, else by the times of its
  /// files, of its last load, and of the app's start.
  static let configLoaded = Check(
    "config.loaded", needs: [.routeDefinedIn, .proxyPID, .upstreamPlace], learns: [.proxyLoaded, .configReplaced],
    outcome: LoadedOutcome.self
  ) { world, facts, signs throws(Unseen) in
    if let newest = facts[.configNewest], let files = try? await ProxyFiles(of: facts.proxy, in: world),
      await files.isReplaced(newest)
    {
      return (.older, [.configReplaced: files.hostPath(of: newest) ?? newest])
    }
    switch facts[.configRuns] {
    case "same": return (.current, [:])
    case "other": return (.older, [:])
    default: break
    }
    let loaded = try await world.lastLoad(facts, signs)
    let learned: Facts = [.proxyLoaded: String(loaded)]
    if let newest = facts.seconds(.configNewestTime), newest > loaded + 1 { return (.older, learned) }
    if facts[.routeResolves] == Route.Resolution.atStart, let id = facts[.upstreamID],
      let started = try await world.container(id).started, started > loaded
    {
      return (.upstreamNewer, learned)
    }
    return (.current, learned)
  }
}

extension FactName {
  /// Seconds since 1970 when the proxy last loaded its configuration.
  static let proxyLoaded: FactName = "proxy.loaded"
  /// The file on this machine that was replaced, while the proxy's container still has the one from before.
  static let configReplaced: FactName = "config.replaced"
}

extension World {
  /// When the proxy last loaded its configuration, in seconds since 1970.
  func lastLoad(_ facts: Facts, _ signs: Signs) async throws(Unseen) -> Double {
    try await RouteReading.loaded(kind: facts[.proxyKind] ?? "", at: facts.proxy, in: self, signs)
  }
}
