import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  static let configLacks: FactName = "config.lacks"
}

private enum LastWordsOutcome: String, CheckOutcome { case configError = "config-error", other, unknown }

extension Check {
  /// Reads the last words of a proxy that does not run.
  static let proxyLastWords = Check(
    "proxy.last-words", needs: [.proxyStopped, .proxyID, .proxyKind], learns: [.logReason, .configLacks],
    outcome: LastWordsOutcome.self
  ) { world, given, signs throws(Unseen) in
    let container = try await world.container(try given.proxyID)
    let lines = try await world.log(of: container, lines: 30)
    let writer = signs.writer(try given.proxyKind)
    for line in lines.reversed() {
      if let reading = writer.reading(of: line), reading.sign.shows == "config-error" {
        let reason = reading.text(of: "reason")?.printable ?? ""
        return (.configError, [.logReason: reason, .configLacks: reason.missingFile ?? ""])
      }
    }
    return (.other, [.logReason: lines.last?.excerpt(of: 200) ?? ""])
  }
}

extension String {
  /// The path that it quotes, if it says that there is no such file.
  fileprivate var missingFile: String? {
    guard lowercased().contains("no such file") else { return nil }
    return split(separator: "\"", omittingEmptySubsequences: false).enumerated().first {
      $0 % 2 == 1 && $1.hasPrefix("/")
    }
    .map { String($0.element) }
  }
}
