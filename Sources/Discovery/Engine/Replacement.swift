public import Model
public import Routes

/// A line of a file of this machine, or several in a row, and the lines that take their place.
public struct Replacement: Sendable {
  public let line: Span
  public let lines: String
}

extension Facts {
  /// The facts of a replacement, for a patch: `NAME-line.*` with the new lines in `.with`.
  public mutating func set(_ replacement: Replacement?, _ line: FactName.Line) {
    guard let replacement else { return }
    set(Edit(onThisMachine: replacement.line), line)
    // The line changes as a whole.
    for end in ["head", "tail"] { self[.line(line, end)] = nil }
    self[.line(line, "with")] = replacement.lines
  }
}
