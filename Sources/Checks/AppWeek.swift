import Discovery
import LogLines
import Model
import World

extension FactName {
  static let weekPool: FactName = "week.pool"
}

private enum PoolOutcome: String, CheckOutcome {
  /// All places of the app's pool were taken.
  case full
  case silent, unknown
}

extension Check {
  /// Reads in the app's own log of the last seven days whether its pool was full, since it was last started.
  static let appWeek = Check(
    "app.week", needs: [.upstreamID], learns: [.weekPool], outcome: PoolOutcome.self
  ) { world, given, signs throws(Unseen) in
    let container = try await world.container(try given.upstreamID)
    let lines = try await world.log(of: container, since: max(container.started ?? 0, world.aWeekAgo))
    let full = world.week(of: lines, by: signs.writer("app"), showing: "pool-full").last
    return full.map { (.full, [.weekPool: $0.reading.whole.printable]) } ?? (.silent, [:])
  }
}
