import Model

/// A line of text that is being typed.
struct Field: Sendable, Equatable {
  static let limit = 16_384
  private(set) var scalars: [Unicode.Scalar] = []
  /// From 0, before the first scalar, to their count.
  private(set) var cursor = 0

  init(_ text: String = "") {
    scalars = Array(text.unicodeScalars)
    cursor = scalars.count
  }

  var text: String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  enum Edit: Sendable { case left, right, start, end, eraseBack, erase, eraseToEnd, eraseToStart, eraseWord }

  mutating func edit(_ edit: Edit) {
    switch edit {
    case .left: cursor = max(cursor - 1, 0)
    case .right: cursor = min(cursor + 1, scalars.count)
    case .start: cursor = 0
    case .end: cursor = scalars.count
    case .eraseBack: if cursor > 0 { remove(cursor - 1..<cursor) }
    case .erase: if cursor < scalars.count { remove(cursor..<cursor + 1) }
    case .eraseToEnd: remove(cursor..<scalars.count)
    case .eraseToStart: remove(0..<cursor)
    case .eraseWord:
      let word = scalars[..<cursor].lastIndex { $0 != " " && $0 != "/" && $0 != "." } ?? 0
      let start = scalars[..<word].lastIndex { $0 == " " || $0 == "/" || $0 == "." }.map { $0 + 1 } ?? 0
      remove(start..<cursor)
    }
  }

  private mutating func remove(_ range: Range<Int>) {
    scalars.removeSubrange(range)
    cursor = range.lowerBound
  }

  /// Puts a character in at the cursor, as it was typed.
  mutating func type(_ character: Character) {
    let shown = Array(String(character).printable.unicodeScalars)
    guard scalars.count + shown.count <= Self.limit else { return }
    scalars.insert(contentsOf: shown, at: cursor)
    cursor += shown.count
  }

  /// Puts text in at the cursor: its first line, made visible. False if it had to be cut.
  @discardableResult
  mutating func insert(_ text: String) -> Bool {
    let trimmed = text.drop { $0.isWhitespace }
    let line = trimmed.prefix { !$0.isNewline }
    let shown = Array(String(line).printable.unicodeScalars)
    let room = Self.limit - scalars.count
    scalars.insert(contentsOf: shown.prefix(room), at: cursor)
    cursor += min(shown.count, room)
    return shown.count <= room && !trimmed[line.endIndex...].contains { !$0.isWhitespace }
  }
}
