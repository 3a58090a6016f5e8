import Flow
import Model
import YAML

/// A line of a node: keys, and where they lead.
struct Line {
  /// Stands for every outcome, or for every value, that has no line of its own.
  static let otherwise = "otherwise"

  /// The keys as they are written, without quotes: `found, default`.
  let written: Text
  var keys: [Text]
  let value: YAML.Node

  /// True if it is the one of `otherwise`.
  var isRest: Bool { keys.count == 1 && keys[0].text == Line.otherwise }

  private init(_ field: Field, after lines: [Line], _ problems: Problems) {
    written = field.name
    value = field.value
    keys = []
    for key in written.names {
      if key.text.isEmpty {
        problems.add(key.at, "a name is missing between the commas")
      } else if let earlier = (lines.first(of: key.text) ?? keys.first { $0.text == key.text }) {
        problems.add(key.at, "'\(key.text)' is here twice; the first is in line \(earlier.at.line)")
      } else {
        keys.append(key)
      }
    }
    if keys.count > 1, let otherwise = keys.first(where: { $0.text == Line.otherwise }) {
      problems.add(otherwise.at, "'\(Line.otherwise)' stands alone, for it is all that has no line of its own")
    }
  }

  /// The lines of `outcomes` or `answers`; a key that comes twice counts once.
  static func lines(of node: YAML.Node?, _ problems: Problems) -> [Line] {
    (node?.fields(problems) ?? []).reduce(into: []) { lines, field in
      lines.append(Line(field, after: lines, problems))
    }
  }
}

extension [Line] {
  var keys: [Text] { flatMap(\.keys) }

  /// The key of that name.
  fileprivate func first(of key: String) -> Text? {
    for line in self {
      if let same = line.keys.first(where: { $0.text == key }) { return same }
    }
    return nil
  }

  /// True if a line has that key.
  func has(_ key: String) -> Bool { first(of: key) != nil }

  /// With what `otherwise` stands for in its place.
  ///
  /// - Parameters:
  ///   - all: Everything that has a line; nil: it is not known, which is a problem of its own.
  ///   - kind: What those are.
  func expanded(to all: [String]?, kind: String, _ problems: Problems) -> [Line] {
    map { line in
      guard line.isRest else { return line }
      let rest = (all ?? []).filter { !has($0) }
      if all != nil, rest.isEmpty {
        problems.add(line.written.at, "'\(Line.otherwise)' stands for nothing: every \(kind) has a line of its own")
      }
      var line = line
      line.keys = rest.map { Text(text: $0, at: line.written.at) }
      return line
    }
  }
}

extension Text {
  /// The names that stand here with a comma between, each with its place.
  fileprivate var names: [Text] {
    // Nearly all stand alone.
    if !text.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") }) { return [self] }
    var column = at.column
    return text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      defer { column += part.count + 1 }
      let blanks = part.prefix { $0.isWhitespace }.count
      return Text(text: String(part.trimmed), at: SourcePlace(file: at.file, line: at.line, column: column + blanks))
    }
  }
}
