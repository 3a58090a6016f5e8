import Discovery
import LogLines
import Model
import Routes
import World

private enum LastWordsOutcome: String, CheckOutcome { case configError = "config-error", other, unknown }

extension Check {
  /// Reads the last words of a proxy that does not run.
  static let proxyLastWords = Check(
    "proxy.last-words", needs: [.proxyStopped, .proxyID, .proxyKind], learns: [.logReason],
    outcome: LastWordsOutcome.self
  ) { world, given, signs throws(Unseen) in
    let container = try await world.container(try given.proxyID)
    let lines = try await world.log(of: container, lines: 30)
    let writer = signs.writer(try given.proxyKind)
    for line in lines.reversed() {
      if let reading = writer.reading(of: line), reading.sign.shows == "config-error" {
        return (.configError, [.logReason: reading.text(of: "reason")?.printable ?? ""])
      }
    }
    return (.other, [.logReason: lines.last?.excerpt(of: 200) ?? ""])
  }
}
