import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  static let logReason: FactName = "log.reason"
}

extension Signs {
  /// The lines of one kind of proxy that give a reason, their patterns compiled once for a whole log.
  func writer(_ kind: String) -> LogWriter { LogWriter(self, kind: logs(of: kind), reasonsOnly: true) }
}

extension World {
  /// The proxy's newest error lines: its log file, else what its container wrote.
  func proxyLog(_ given: Case, since: Double?) async throws(Unseen) -> [String] {
    let files = try await ProxyFiles(of: given.proxy, in: self)
    var isEmpty = false
    if let path = given[.routeLog], let lines = try? await files.lastLines(of: path) {
      isEmpty = lines.isEmpty
      // Nothing was written since: its last lines are about older requests.
      if !isEmpty, let since, let written = await files.modified(path), written < since - 1 { return [] }
      if !isEmpty { return lines.suffix(50).map(String.init) }
    }
    guard let id = given[.proxyID] else {
      if isEmpty { return [] }
      throw .missing(what: given[.routeLog] ?? "log file of the proxy")
    }
    return try await log(of: try await container(id), since: since)
  }

  /// The newest line of the proxy's log since the site was asked that shows one of these things.
  func proxySign(_ shows: Set<String>, _ given: Case, _ signs: Signs) async throws(Unseen) -> LogReading? {
    newest(
      shows, in: try await proxyLog(given, since: try given.asked), signs.writer(try given.proxyKind))
  }

  /// The newest line of the app's log since shortly before the site was asked that shows one of these things.
  func appSign(_ shows: Set<String>, _ given: Case, _ signs: Signs) async throws(Unseen) -> LogReading? {
    guard let id = given[.upstreamID] else { throw .missing(what: "log of the app") }
    let lines = try await log(of: try await container(id), since: try given.asked - 60)
    return newest(shows, in: lines, signs.writer("app"))
  }

  private func newest(_ shows: Set<String>, in lines: [String], _ writer: LogWriter) -> LogReading? {
    lines.reversed().lazy.compactMap { writer.reading(of: $0) }.first { shows.contains($0.sign.shows) }
  }
}
