import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  static let configLacks: FactName = "config.lacks"
  static let configUnpaired: FactName = "config.unpaired"
  static let configKeyless: FactName = "config.keyless"
  static let configNameless: FactName = "config.nameless"
}

private enum LastWordsOutcome: String, CheckOutcome { case configError = "config-error", other, unknown }

extension Check {
  /// Reads the last words of a proxy that does not run.
  static let proxyLastWords = Check(
    "proxy.last-words", needs: [.proxyStopped, .proxyID, .proxyKind],
    learns: [.logReason, .configLacks, .configUnpaired, .configKeyless, .configNameless],
    outcome: LastWordsOutcome.self
  ) { world, given, signs throws(Unseen) in
    let container = try await world.container(try given.proxyID)
    let lines = try await world.log(of: container, lines: 30)
    let writer = signs.writer(try given.proxyKind)
    let reasons = lines.reversed().compactMap { line -> String? in
      guard let reading = writer.reading(of: line), reading.sign.shows == "config-error" else { return nil }
      return reading.text(of: "reason")?.printable ?? ""
    }
    // The last one often says no more than that there were some.
    if let reason = reasons.first(where: \.namesPlace) ?? reasons.first {
      return (
        .configError,
        [
          .logReason: reason, .configLacks: reason.missingFile ?? "", .configUnpaired: reason.unpairedKey ?? "",
          .configKeyless: reason.missingKey ?? "", .configNameless: reason.unknownName ?? "",
        ]
      )
    }
    return (.other, [.logReason: lines.last?.excerpt(of: 200) ?? ""])
  }
}

extension String {
  /// The path that it quotes, if it says that there is no such file.
  fileprivate var missingFile: String? {
    lowercased().contains("no such file") ? quotedPath : nil
  }

  /// The key that it quotes, if it says that the certificate beside it is of another one.
  fileprivate var unpairedKey: String? {
    lowercased().contains("key values mismatch") ? quotedPath : nil
  }

  /// The file in which HAProxy looked for the key that is not in the certificate's own file.
  fileprivate var missingKey: String? {
    guard let words = firstRange(of: "No Private Key found in '") else { return nil }
    return String(self[words.upperBound...].prefix { $0 != "'" })
  }

  /// The name that nginx or HAProxy did not find when it started.
  fileprivate var unknownName: String? {
    for words in ["host not found in upstream ", "could not resolve address "] {
      guard let end = firstRange(of: words)?.upperBound else { continue }
      return String(self[end...].drop { "\"'".contains($0) }.prefix { !"\"':, ".contains($0) })
    }
    return nil
  }

  /// True if a line of a file is named: `haproxy.cfg:17`.
  fileprivate var namesPlace: Bool {
    split(separator: ":").dropFirst().contains { $0.first?.isNumber == true }
  }

  private var quotedPath: String? {
    split(separator: "\"", omittingEmptySubsequences: false).enumerated().first {
      $0 % 2 == 1 && $1.hasPrefix("/")
    }
    .map { String($0.element) }
  }
}
