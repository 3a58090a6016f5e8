import Model
import Routes
import TOML
import World
import YAML

/// A YAML or TOML file of another program, with the places of its values.
final class DocumentFile: Sendable {
  enum Notation { case yaml, toml }

  let path: String
  let notation: Notation
  let root: Document.Node
  /// What the file's own reader would refuse; empty if nothing.
  let mistakes: [Document.Mistake]
  private let text: FileText

  /// Nil if it is not that to its end.
  init?(_ text: String, path: String, _ notation: Notation = .yaml) {
    let (root, mistakes) = Self.read(text, path, notation)
    guard let root else { return nil }
    self.path = path
    self.notation = notation
    self.root = root
    self.mistakes = mistakes
    self.text = notation == .yaml ? FileText(yaml: text) : FileText(text)
  }

  /// The first thing for which a text is not what it should be.
  static func mistake(of text: String, _ path: String, _ notation: Notation = .yaml) -> Document.Mistake? {
    read(text, path, notation).mistakes.first
  }

  private static func read(_ text: String, _ path: String, _ notation: Notation) -> (
    Document.Node?, mistakes: [Document.Mistake]
  ) {
    switch notation {
    case .yaml: return YAML.read(text, file: path, .foreign)
    case .toml:
      let (root, mistake) = TOML.read(text, file: path)
      return (root, mistake.map { [$0] } ?? [])
    }
  }

  /// A line, counted from 1, without its end; nil behind the last one, and for one that nobody would change by hand, such
  /// as a whole file that a program wrote in one line.
  func line(_ number: Int) -> String? { text.line(number).flatMap { $0.utf8.count <= Limits.value ? $0 : nil } }

  /// Where `value` stands in a scalar, behind `before`; nil if it is not written there letter by letter.
  func span(of value: String, behind before: String = "", in scalar: Document.Node) -> Span? {
    guard !value.isEmpty, let text = line(scalar.place.line) else { return nil }
    let scalars = text.unicodeScalars
    let start = scalars.index(scalars.startIndex, offsetBy: scalar.place.column - 1, limitedBy: scalars.endIndex)
    guard let start, let found = text[start...].firstRange(of: before + value) else { return nil }
    // A value of TOML begins at its place or behind its quote; what stands further on is something else, such as a comment.
    if notation == .toml, text.distance(from: start, to: found.lowerBound) > 1 { return nil }
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
