import Model
import Routes
import World
import YAML

/// A YAML file of another program, with the places of its values.
final class YAMLFile: Sendable {
  let path: String
  let root: YAML.Node
  /// What the file's own reader would refuse; empty if nothing.
  let mistakes: [YAML.Mistake]
  private let text: FileText

  /// Nil if the text is no YAML to its end.
  init?(_ text: String, path: String) {
    let (root, mistakes) = YAML.read(text, file: path, .foreign)
    guard let root else { return nil }
    self.path = path
    self.root = root
    self.mistakes = mistakes
    self.text = FileText(yaml: text)
  }

  /// The first thing for which a text is no YAML.
  static func mistake(of text: String, _ path: String) -> YAML.Mistake? {
    YAML.read(text, file: path, .foreign).mistakes.first
  }

  /// A line, counted from 1, without its end; nil behind the last one, and for one that nobody would change by hand, such
  /// as a whole file that a program wrote in one line.
  func line(_ number: Int) -> String? { text.line(number).flatMap { $0.utf8.count <= Limits.value ? $0 : nil } }

  /// Where `value` stands in a scalar, behind `before`; nil if it is not written there letter by letter.
  func span(of value: String, behind before: String = "", in scalar: YAML.Node) -> Span? {
    guard !value.isEmpty, let text = line(scalar.place.line) else { return nil }
    let scalars = text.unicodeScalars
    let start = scalars.index(scalars.startIndex, offsetBy: scalar.place.column - 1, limitedBy: scalars.endIndex)
    guard let start, let found = text[start...].firstRange(of: before + value) else { return nil }
    let from = text.index(found.lowerBound, offsetBy: before.count)
    return Span(
      file: path, line: scalar.place.line, text: text, head: String(text[..<from]),
      tail: String(text[found.upperBound...]))
  }

  /// A whole line as a place: for what is inserted beside it, or taken away with it.
  func wholeLine(_ number: Int) -> Span? {
    line(number).map { Span(file: path, line: number, text: $0, head: "", tail: "") }
  }
}
