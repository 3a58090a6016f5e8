public import Flow
import Model
import YAML

/// One mistake in a data file, as compilers say it: `Flows/a.yaml:3:5: error: there is no …`.
public struct Problem: Error, Sendable, Hashable, Comparable, CustomStringConvertible {
  public let at: SourcePlace
  public let sentence: String

  public init(at: SourcePlace, sentence: String) {
    self.at = at
    self.sentence = sentence
  }

  /// Names and quoted text of a file of somebody else are in it, so it is `printable`.
  public var description: String { "\(at.file):\(at.line):\(at.column): error: \(sentence)".printable }

  public static func < (left: Problem, right: Problem) -> Bool {
    (left.at.file, left.at.line, left.at.column, left.sentence)
      < (right.at.file, right.at.line, right.at.column, right.sentence)
  }
}

/// The problems found so far.
final class Problems {
  /// Each once: a form is read for every node that has it.
  private(set) var found: Set<Problem> = []

  func add(_ at: SourcePlace, _ sentence: String) { found.insert(Problem(at: at, sentence: sentence)) }

  /// In the order of their places. A mistake in what several pages take in is one, however often it was read.
  var sorted: [Problem] {
    found.sorted().reduce(into: []) { problems, problem in if problems.last != problem { problems.append(problem) } }
  }

  /// Adds `sentence`, and the one of `names` that `wrong` was probably meant to be.
  func add(_ at: SourcePlace, _ sentence: String, _ wrong: String, notIn names: some Sequence<String>) {
    add(at, sentence + (wrong.nearest(among: names).map { "; did you mean '\($0)'?" } ?? ""))
  }
}
