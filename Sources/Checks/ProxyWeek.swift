import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  static let weekCount: FactName = "week.count"
  static let weekLine: FactName = "week.line"
  static let weekRoom: FactName = "week.room"
}

private enum WeekOutcome: String, CheckOutcome {
  /// The proxy gave answers up because they took too long.
  case late
  case silent, unknown
}

extension Check {
  /// Reads in the proxy's log of the last seven days which answers of this route took too long for it. What was before
  /// it last loaded its configuration may be mended.
  static let proxyWeek = Check(
    "proxy.week", needs: [.routeDefinedIn, .proxyPlace, .proxyKind, .routeLogKeys],
    learns: [.weekCount, .weekLine, .weekRoom], outcome: WeekOutcome.self
  ) { world, given, signs throws(Unseen) in
    let keys = given.list(.routeLogKeys)
    let loaded = (try? await world.lastLoad(given, signs)) ?? 0
    let lines = try await world.proxyLog(given, since: max(loaded, world.aWeekAgo)).filter { line in
      keys.contains { line.contains($0) }
    }
    let late = world.week(of: lines, by: signs.writer(try given.proxyKind), showing: "answer-timeout")
    guard let last = late.last else { return (.silent, [:]) }
    let room = given.seconds(.routeReadTimeout).map { String(Int(clamping: $0 * 2)) }
    return (
      .late, [.weekCount: String(late.count), .weekLine: last.line.excerpt(of: 200), .weekRoom: room ?? ""]
    )
  }
}
