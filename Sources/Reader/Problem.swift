public import Flow
import YAML

/// One mistake in a data file, as compilers say it: `Flows/a.yaml:3:5: error: there is no …`.
public struct Problem: Error, Sendable, Equatable, Comparable, CustomStringConvertible {
  public let at: SourcePlace
  public let sentence: String

  public init(at: SourcePlace, sentence: String) {
    self.at = at
    self.sentence = sentence
  }

  public var description: String { "\(at.file):\(at.line):\(at.column): error: \(sentence)" }

  public static func < (left: Problem, right: Problem) -> Bool {
    (left.at.file, left.at.line, left.at.column, left.sentence)
      < (right.at.file, right.at.line, right.at.column, right.sentence)
  }
}

/// The problems found so far.
final class Problems {
  private(set) var found: [Problem] = []

  func add(_ at: SourcePlace, _ sentence: String) { found.append(Problem(at: at, sentence: sentence)) }

  /// Adds `sentence`, and the one of `names` that `wrong` was probably meant to be.
  func add(_ at: SourcePlace, _ sentence: String, _ wrong: String, notIn names: some Sequence<String>) {
    add(at, sentence + (nearest(to: wrong, among: names).map { "; did you mean '\($0)'?" } ?? ""))
  }
}

/// The name with the fewest changed letters; nil if even that differs in more than a third.
func nearest(to wrong: String, among names: some Sequence<String>) -> String? {
  let limit = max(1, wrong.utf8.count / 3)
  guard wrong.utf8.count <= 100 else { return nil }
  let near = names.map { (distance(wrong, $0, atMost: limit), $0) }.min { $0 < $1 }
  return near.flatMap { $0.0 <= limit ? $0.1 : nil }
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other; at most
/// `limit` + 1 (optimal string alignment distance).
private func distance(_ left: String, _ right: String, atMost limit: Int) -> Int {
  let (left, right) = (Array(left.utf8), Array(right.utf8))
  guard abs(left.count - right.count) <= limit else { return limit + 1 }
  var rows = [Array(0...right.count)]
  for i in left.indices {
    var row = [i + 1]
    for j in right.indices {
      var best = min(rows[i][j] + (left[i] == right[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
      if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { best = min(best, rows[i - 1][j - 1] + 1) }
      row.append(best)
    }
    rows.append(row)
  }
  return rows[left.count][right.count]
}
