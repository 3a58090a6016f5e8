import Foundation

/// What came of each diagnosis, printed when the suite ends and written to the file `LAB_TABLE` names.
actor Table {
  static let shared = Table()

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

  func add(_ row: Row) { rows.append(row) }

  /// Those that did not get what was expected.
  var wrong: [Row] { rows.filter { $0.got != $0.expected } }

  func finish() throws {
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
    let right = rows.count - wrong.count
    let text = lines.joined(separator: "\n") + "\n\(right) of \(rows.count) right\n"
    print(text)
    if let path = ProcessInfo.processInfo.environment["LAB_TABLE"] {
      try Data(text.utf8).write(to: URL(filePath: path))
    }
  }
}
