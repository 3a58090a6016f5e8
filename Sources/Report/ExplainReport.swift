import FoundationEssentials
public import Flow
public import LogLines
import Model

/// What `explain` writes: an entry for each line that was recognised, and an end.
///
/// As JSON each entry is an object on a line of its own. As text what was found before is only counted, so that a log
/// of one failure a second stays readable.
public struct ExplainReport {
  private let catalog: Catalog
  private let isJSON: Bool
  private let namesFiles: Bool
  private var repeats: [(sign: Signs.Line, count: Int, last: String)] = []
  private let encoder = JSONEncoder()

  public init(catalog: Catalog, isJSON: Bool, namesFiles: Bool) {
    self.catalog = catalog
    self.isJSON = isJSON
    self.namesFiles = namesFiles
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  public private(set) var isEmpty = true

  /// Text to write for one line; empty if there is nothing new in it.
  public mutating func entry(_ reading: LogReading, line: String, number: Int, file: String) -> String {
    isEmpty = false
    let sign = reading.sign
    if isJSON {
      let entry = Entry(
        file: namesFiles ? file : nil, line: number, proxy: sign.proxy, causes: sign.causes, meaning: sign.meaning)
      return ((try? encoder.encode(entry)).map { String(decoding: $0, as: UTF8.self).escaped } ?? "") + "\n"
    }
    let place = namesFiles ? "\(file.printable) \(number)" : String(number)
    if let index = repeats.firstIndex(where: { $0.sign == sign }) {
      repeats[index].count += 1
      repeats[index].last = place
      return ""
    }
    repeats.append((sign, 0, place))
    return text(reading, line, place: place) + "\n"
  }

  /// Text to write after the last line.
  public var ending: String {
    if isJSON { return "" }
    if isEmpty { return catalog.word("explain.nothing") + "\n" }
    return repeats.filter { $0.count > 0 }.map { found in
      catalog.word(
        "explain.again",
        [
          "explain.meaning": found.sign.meaning, "explain.count": String(found.count), "explain.line": found.last,
        ]) + "\n"
    }.joined()
  }

  private func text(_ reading: LogReading, _ line: String, place: String) -> String {
    var lines = [catalog.word("explain.line", ["explain.line": place, "proxy.kind": reading.sign.proxy])]
    lines.append("  " + line.redacted.printable.shortened(to: 300))
    lines += catalog.explanation(of: reading).map { "  " + $0 }
    return lines.map { $0 + "\n" }.joined()
  }

  private struct Entry: Encodable {
    let file: String?
    let line: Int
    let proxy: String
    let causes: [String]
    let meaning: String
  }
}

extension Catalog {
  /// What a log line means, in lines of text.
  fileprivate func explanation(of reading: LogReading) -> [String] {
    let sign = reading.sign
    var lines = [word("explain.meaning", ["explain.meaning": sign.meaning])]
    for group in ["address", "name", "reason"] {
      guard let text = reading.text(of: group), !text.isEmpty else { continue }
      lines.append(word("explain.\(group)", ["explain.text": text.redacted.printable.shortened(to: 200)]))
    }
    guard let first = sign.causes.first else { return lines + [word("explain.no-cause")] }
    lines.append(word("explain.causes"))
    let width = sign.causes.map(\.count).max() ?? 0
    lines += sign.causes.map { "  " + $0.padding(to: width) + "  " + title(of: $0, Facts()) }
    return lines + [word("explain.show", ["explain.cause": first])]
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(width - count, 0)) }
}
