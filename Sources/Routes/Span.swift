/// A value's place in a file: `head + value + tail` is the line with another value.
public struct Span: Sendable, Equatable {
  public let file: String
  /// From 1.
  public let line: Int
  /// The whole line, without its end.
  public let text: String
  public let head: String
  public let tail: String

  public init(file: String, line: Int, text: String, head: String, tail: String) {
    self.file = file
    self.line = line
    self.text = text
    self.head = head
    self.tail = tail
  }

  /// The value that stands at these UTF-8 bytes (from 0) of a line; nil if the line is shorter.
  public init?(file: String, line: Int, text: String, columns: Range<Int>) {
    let bytes = Array(text.utf8)
    guard columns.lowerBound >= 0, columns.upperBound <= bytes.count else { return nil }
    self.init(
      file: file, line: line, text: text, head: String(decoding: bytes[..<columns.lowerBound], as: UTF8.self),
      tail: String(decoding: bytes[columns.upperBound...], as: UTF8.self))
  }

  /// The line without the value, and without the blanks before it.
  public var removed: String { String(head.reversed().drop { $0 == " " || $0 == "\t" }.reversed()) + tail }

  /// The part of this place's value at these characters.
  public func part(_ range: Range<Int>, of value: String) -> Span {
    let before = value.prefix(range.lowerBound)
    return Span(
      file: file, line: line, text: text, head: head + before, tail: value.dropFirst(range.upperBound) + tail)
  }

  /// The same place, by another path of its file.
  public func moved(to path: String) -> Span { Span(file: path, line: line, text: text, head: head, tail: tail) }

  /// True if nothing but a setting of that name, with this value, stands in the line.
  public func isAlone(by name: String) -> Bool {
    let (before, after) = (head.filter { !" \t\"'".contains($0) }, tail.filter { !" \t\"'".contains($0) })
    return [":", "="].contains(String(before.dropFirst(name.count))) && before.lowercased().hasPrefix(name.lowercased())
      && after.isEmpty
  }

  /// The blanks before the line's first word.
  public var indentation: String { String(text.prefix { $0 == " " || $0 == "\t" }) }
}
