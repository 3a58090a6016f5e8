import Foundation

/// What came of each diagnosis, printed when the suite ends and written, as it comes, to the file `LAB_TABLE` names.
actor Table {
  /// Of what the program looks at by itself, of pastes, and of answers: a file of its own for each.
  static let shared = Table("", "")
  static let byHand = Table(".by-hand", "pasted evidence: ")
  static let answers = Table(".answers", "answers alone: ")

  private let file: URL?
  /// What the result was got by.
  private let title: String

  private init(_ suffix: String, _ title: String) {
    self.title = title
    file = ProcessInfo.processInfo.environment["LAB_TABLE"].map { URL(filePath: $0 + suffix) }
  }

  struct Row: Sendable {
    var fault: String
    var proxy: String
    var expected: String
    var got = "-"
    var confidence = "-"
    var isFixed = "-"
    var seconds = 0.0
  }

  private var rows: [Row] = []

  func add(_ row: Row) {
    rows.append(row)
    if let file { try? Data(text.utf8).write(to: file) }
  }

  /// Those that did not get what was expected.
  var wrong: [Row] { rows.filter { $0.got != $0.expected } }

  /// Prints all of them, if there are any.
  func finish() {
    if !rows.isEmpty { print(text) }
  }

  private var text: String {
    let heads = ["fault", "proxy", "expected", "got", "confidence", "fixed", "seconds"]
    let cells =
      [heads]
      + rows.map {
        let seconds = $0.seconds.formatted(.number.precision(.fractionLength(1)).grouping(.never))
        return [$0.fault, $0.proxy, $0.expected, $0.got, $0.confidence, $0.isFixed, seconds]
      }
    let widths = heads.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    let lines = cells.map { row in
      zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ")
    }
    let (right, count) = (rows.count - wrong.count, rows.count)
    return lines.joined(separator: "\n") + "\n\(title)\(right) of \(count) right (\(right * 100 / max(count, 1)) %)\n"
  }
}
