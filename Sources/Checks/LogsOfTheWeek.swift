import Discovery
import FoundationEssentials
import LogLines
import Model
import Pattern
import Routes
import World

extension FactName {
  static let weekCount: FactName = "week.count"
  static let weekLine: FactName = "week.line"
  static let weekRoom: FactName = "week.room"
  static let weekPool: FactName = "week.pool"
}

private enum WeekOutcome: String, CheckOutcome {
  /// The proxy gave answers up because they took too long.
  case late
  case silent, unknown
}

private enum PoolOutcome: String, CheckOutcome {
  /// All places of the app's pool were taken.
  case full
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
    let writer = signs.writer(try given.proxyKind)
    let late = try await world.proxyLog(given, since: max(loaded, world.aWeekAgo)).filter { line in
      world.isOfWeek(line) && keys.contains { line.contains($0) }
        && writer.reading(of: line)?.sign.shows == "answer-timeout"
    }
    guard let last = late.last else { return (.silent, [:]) }
    let room = given.seconds(.routeReadTimeout).map { String(Int(clamping: $0 * 2)) }
    return (
      .late, [.weekCount: String(late.count), .weekLine: last.excerpt(of: 200), .weekRoom: room ?? ""]
    )
  }

  /// Reads in the app's own log of the last seven days whether its pool was full, since it was last started.
  static let appWeek = Check(
    "app.week", needs: [.upstreamID], learns: [.weekPool], outcome: PoolOutcome.self
  ) { world, given, signs throws(Unseen) in
    let container = try await world.container(try given.upstreamID)
    let lines = try await world.log(of: container, since: max(container.started ?? 0, world.aWeekAgo))
    let writer = signs.writer("app")
    let full = lines.lazy.filter { world.isOfWeek($0) }.compactMap { writer.reading(of: $0) }
      .last { $0.sign.shows == "pool-full" }
    return full.map { (.full, [.weekPool: $0.whole.printable]) } ?? (.silent, [:])
  }
}

extension World {
  fileprivate var aWeekAgo: Double { now - 7 * 86400 }

  /// False for a line that begins with an earlier day, by the dates that logs have: `2026/11/30`, `2026-11-30`,
  /// `Nov 30`, `30/Nov/2026`. A file's last lines may be old.
  fileprivate func isOfWeek(_ line: String) -> Bool {
    let head = String(line.prefix(48))
    guard datePattern?.matches(head) == true else { return true }
    // A day more on either side: the log's clock is that of another part of the world.
    return (-1...8).contains { ago in
      let (year, month, day) = Date(timeIntervalSince1970: now - Double(ago) * 86400).inLogs
      return [
        "\(year)/\(number(month))/\(number(day))", "\(year)-\(number(month))-\(number(day))",
        "\(months[month - 1]) \(number(day))", "\(months[month - 1]) \(day < 10 ? " " : "")\(day)",
        "\(number(day))/\(months[month - 1])/\(year)",
      ].contains { head.contains($0) }
    }
  }
}

private let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
private let datePattern = try? Pattern(
  #"\d{4}[/-]\d\d[/-]\d\d|\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d|\d\d/[A-Z][a-z][a-z]/\d{4}"#)

private func number(_ part: Int) -> String { part < 10 ? "0\(part)" : "\(part)" }

extension Date {
  /// Year, month from 1, and day, in UTC.
  fileprivate var inLogs: (Int, Int, Int) {
    let parts = formatted(.iso8601).prefix(10).split(separator: "-").compactMap { Int($0) }
    return parts.count == 3 ? (parts[0], parts[1], parts[2]) : (1970, 1, 1)
  }
}
