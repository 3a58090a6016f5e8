import Discovery
import LogLines
import Model
import Pattern
import Routes
import World

extension FactName {
  static let pastCount: FactName = "past.count"
  static let pastLine: FactName = "past.line"
}

private enum PastOutcome: String, CheckOutcome {
  /// The upstream closed or reset connections.
  case dropped
  case refused
  /// No connection, or no answer, in time.
  case timeouts
  /// Every server of the group had failed before.
  case noServer = "no-server"
  /// The upstream's name had no address.
  case name
  /// Lines about this route that show something else.
  case other
  case silent, unknown
}

extension Check {
  /// Reads what the proxy has logged of this route's failures so far: what a site that fails sometimes fails of.
  ///
  /// What was before the app last started does not count: it may be mended. Nor, after a series without a failure, does
  /// a line about a GET: only requests that the program does not make itself may still fail.
  static let proxyPast = Check(
    "proxy.past", needs: [.siteSometimes, .routeDefinedIn, .proxyPlace, .proxyKind, .routeLogKeys],
    learns: [.pastCount, .pastLine], outcome: PastOutcome.self
  ) { world, given, signs throws(Unseen) in
    let keys = given.list(.routeLogKeys)
    let servers = given.list(.routeServers).map { String($0.prefix { $0 != ":" }) }
    let names = servers + [given[.upstreamHost], given[.upstreamContainer]].compactMap { $0 }
    let started = try? await world.lastStart(of: names, since: world.now - 24 * 3600)
    let isGood = given[.seriesFailed] == "0"
    let lines = try await world.proxyLog(given, since: started).filter { line in
      keys.contains { line.contains($0) } && (!isGood || changing?.matches(line) == true)
    }
    let writer = signs.writer(try given.proxyKind)
    let read = lines.compactMap { line in writer.reading(of: line).map { (line: line, shows: $0.sign.shows) } }
    let counts = Dictionary(grouping: read, by: \.shows).mapValues(\.count)
    guard let most = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { return (.silent, [:]) }
    let learned: Facts = [
      .pastCount: String(most.value),
      .pastLine: read.last { $0.shows == most.key }?.line.excerpt(of: 200) ?? "",
    ]
    switch most.key {
    case "closed", "reset": return (.dropped, learned)
    case "refused": return (.refused, learned)
    case "connect-timeout", "answer-timeout": return (.timeouts, learned)
    case "no-server": return (.noServer, learned)
    case "name": return (.name, learned)
    default: return (.other, learned)
    }
  }

  /// Requests that change something, as access and error logs show them.
  private static let changing = try? Pattern(#""(POST|PUT|PATCH|DELETE) |"method":"(POST|PUT|PATCH|DELETE)""#)
}
