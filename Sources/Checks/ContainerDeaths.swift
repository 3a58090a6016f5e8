import Discovery
import Model
import Routes
import World

extension FactName {
  static let deathsCount: FactName = "deaths.count"
  static let deathsExitCode: FactName = "deaths.exit-code"
}

private enum DeathsOutcome: String, CheckOutcome {
  case none, ended
  case outOfMemory = "out-of-memory"
  case unknown
}

extension Check {
  /// Asks the engine how often the upstream's container has ended lately; only for a site that fails sometimes.
  static let containerDeaths = Check(
    "container.deaths", needs: [.upstreamID, .siteSometimes], learns: [.deathsCount, .deathsExitCode],
    outcome: DeathsOutcome.self
  ) { world, given, _ throws(Unseen) in
    let deaths = try await world.deaths(of: try given.upstreamID, since: world.now - 6 * 3600)
    let learned: Facts = [
      .deathsCount: deaths.count > 0 ? String(deaths.count) : "",
      .deathsExitCode: deaths.exitCode.map { String($0) } ?? "",
    ]
    if deaths.outOfMemory { return (.outOfMemory, learned) }
    return (deaths.count > 0 ? .ended : .none, learned)
  }
}
