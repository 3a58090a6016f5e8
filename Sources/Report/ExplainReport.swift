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
        file: namesFiles ? file.redacted : nil, line: number, proxy: sign.proxy, causes: sign.causes,
        meaning: sign.meaning)
      return ((try? encoder.encode(entry)).map { String(decoding: $0, as: UTF8.self).escaped } ?? "") + "\n"
    }
    let place = namesFiles ? "\(file.redacted.printable) \(number)" : String(number)
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
    lines.append("  " + line.excerpt(of: 300))
    let explanation = catalog.explanation(of: reading)
    var said = [explanation.meaning] + explanation.details
    if let first = explanation.causes.first {
      let width = explanation.causes.map(\.id.count).max() ?? 0
      said.append(catalog.word("explain.causes"))
      said += explanation.causes.map { "  " + $0.id.padding(to: width) + "  " + $0.title }
      said.append(catalog.word("explain.show", ["explain.cause": first.id]))
    } else {
      said.append(catalog.word("explain.no-cause"))
    }
    lines += said.map { "  " + $0 }
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

extension String {
  fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(width - count, 0)) }
}
