import Discovery
import LogLines
import Model
import Pattern
import Routes
import World

extension FactName {
  /// The address and port that the proxy dialled, by its log.
  static let logAddress: FactName = "log.address"
  /// The reason that the log gives.
  static let logReason: FactName = "log.reason"
  /// The network fact that the line shows: `refused`, `name`, …
  static let logShows: FactName = "log.shows"
  /// How many of the log's last lines show the failure that is seen most, which one that is, and the newest of them.
  static let pastCount: FactName = "past.count"
  static let pastShows: FactName = "past.shows"
  static let pastLine: FactName = "past.line"
}

private enum LogOutcome: String, CheckOutcome {
  case sameAddress = "same-address", otherAddress = "other-address", otherPort = "other-port"
  case configError = "config-error"
  /// The system forbids the proxy to connect.
  case denied
  /// No line is about this request.
  case silent
  case unknown
}

private enum PastOutcome: String, CheckOutcome {
  /// The upstream closed or reset connections.
  case dropped
  case refused
  /// No connection, or no answer, in time.
  case timeouts
  /// Every server of the group had failed before.
  case noServer = "no-server"
  /// Lines about this route that show something else.
  case other
  case silent, unknown
}

private enum LastWordsOutcome: String, CheckOutcome { case configError = "config-error", other, unknown }

extension Check {
  /// Reads what the proxy logged since the site was asked, and compares the address it dialled with the app's.
  static let proxyLog = Check(
    "proxy.log", needs: [.siteAsked, .routeDefinedIn, .proxyPlace, .proxyKind, .nameAddress, .upstreamPort],
    learns: [.logAddress, .logReason, .logShows], outcome: LogOutcome.self
  ) { world, facts, signs throws(Unseen) in
    let keys = facts.list(.routeLogKeys)
    let lines = try await world.proxyLog(facts, since: facts.seconds(.siteAsked))
    let writer = signs.writer(facts[.proxyKind] ?? "")
    // A line counts if it is about this route; what keeps the configuration from being loaded is about all of them.
    let shown = lines.reversed().lazy.compactMap { line in writer.reading(of: line).map { (line: line, reading: $0) } }
      .first { $0.reading.sign.shows == "config-error" || keys.contains(where: $0.line.contains) }
    guard let shown else { return (.silent, [:]) }
    let (shows, reading) = (shown.reading.sign.shows, shown.reading)
    let learned: Facts = [
      .logShows: shows, .logReason: reading.text(of: "reason")?.printable ?? "",
      .logAddress: reading.text(of: "address")?.printable ?? "",
    ]
    if shows == "config-error" { return (.configError, learned) }
    if shows == "denied" { return (.denied, learned) }
    guard let dialled = learned[.logAddress], let (address, port) = dialled.addressAndPort, address.isAddress else {
      return (.silent, learned)
    }
    let isServer = facts.list(.routeServers).contains { $0.hasSuffix(":\(port ?? 0)") }
    if let port, port != facts.port(.upstreamPort), !isServer { return (.otherPort, learned) }
    return (facts.list(.nameAddresses).contains(address) ? .sameAddress : .otherAddress, learned)
  }

  /// Reads what the proxy has logged of this route's failures so far: what a site that fails sometimes fails of.
  ///
  /// What was before the app last started does not count: it may be mended. Nor, after a series without a failure, does
  /// a line about a GET: only requests that the program does not make itself may still fail.
  static let proxyPast = Check(
    "proxy.past", needs: [.siteSometimes, .routeDefinedIn, .proxyPlace, .proxyKind, .routeLogKeys],
    learns: [.pastCount, .pastShows, .pastLine], outcome: PastOutcome.self
  ) { world, facts, signs throws(Unseen) in
    let keys = facts.list(.routeLogKeys)
    let servers = facts.list(.routeServers).map { String($0.prefix { $0 != ":" }) }
    let names = servers + [facts[.upstreamHost], facts[.upstreamContainer]].compactMap { $0 }
    let started = try? await world.lastStart(of: names, since: world.now - 24 * 3600)
    let isGood = facts[.seriesFailed] == "0"
    let lines = try await world.proxyLog(facts, since: started).filter { line in
      keys.contains { line.contains($0) } && (!isGood || changing?.matches(line) == true)
    }
    let writer = signs.writer(facts[.proxyKind] ?? "")
    let read = lines.compactMap { line in writer.reading(of: line).map { (line: line, shows: $0.sign.shows) } }
    let counts = Dictionary(grouping: read, by: \.shows).mapValues(\.count)
    guard let most = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { return (.silent, [:]) }
    let learned: Facts = [
      .pastCount: String(most.value), .pastShows: most.key,
      .pastLine: read.last { $0.shows == most.key }?.line.excerpt(of: 200) ?? "",
    ]
    switch most.key {
    case "closed", "reset": return (.dropped, learned)
    case "refused": return (.refused, learned)
    case "connect-timeout", "answer-timeout": return (.timeouts, learned)
    case "no-server": return (.noServer, learned)
    default: return (.other, learned)
    }
  }

  /// Requests that change something, as access and error logs show them.
  private static let changing = try? Pattern(#""(POST|PUT|PATCH|DELETE) |"method":"(POST|PUT|PATCH|DELETE)""#)

  /// Reads the last words of a proxy that does not run.
  static let proxyLastWords = Check(
    "proxy.last-words", needs: [.proxyStopped, .proxyID, .proxyKind], learns: [.logReason],
    outcome: LastWordsOutcome.self
  ) { world, facts, signs throws(Unseen) in
    let container = try await world.container(facts[.proxyID] ?? "")
    let lines = try await world.log(of: container, lines: 30)
    let writer = signs.writer(facts[.proxyKind] ?? "")
    for line in lines.reversed() {
      if let reading = writer.reading(of: line), reading.sign.shows == "config-error" {
        return (.configError, [.logReason: reading.text(of: "reason")?.printable ?? ""])
      }
    }
    return (.other, [.logReason: lines.last?.excerpt(of: 200) ?? ""])
  }
}

extension Signs {
  /// The lines of one kind of proxy that give a reason, their patterns compiled once for a whole log.
  func writer(_ kind: String) -> LogWriter { LogWriter(self, kind: logs(of: kind), reasonsOnly: true) }
}

extension World {
  /// The proxy's newest error lines: its log file, else what its container wrote.
  func proxyLog(_ facts: Facts, since: Double?) async throws(Unseen) -> [String] {
    let files = try await ProxyFiles(of: facts.proxy, in: self)
    if let path = facts[.routeLog], let lines = try? await files.lastLines(of: path), !lines.isEmpty {
      // Nothing was written since: its last lines are about older requests.
      if let since, let written = await files.modified(path), written < since - 1 { return [] }
      return lines.suffix(50).map(String.init)
    }
    guard let id = facts[.proxyID] else { throw .missing(what: facts[.routeLog] ?? "a log file") }
    return try await log(of: try await container(id), since: since)
  }
}

extension String {
  /// `10.0.0.3:80`, `[::1]:80`, `10.0.0.3` taken apart.
  fileprivate var addressAndPort: (String, UInt16?)? {
    if hasPrefix("["), let end = firstIndex(of: "]") {
      return (String(self[index(after: startIndex)..<end]), UInt16(self[end...].dropFirst(2)))
    }
    let parts = split(separator: ":", maxSplits: 1)
    return parts.first.map { (String($0), parts.count > 1 ? UInt16(parts[1]) : nil) }
  }
}
