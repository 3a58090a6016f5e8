import Model

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

  /// The part of this place's value at these characters.
  func part(_ range: Range<Int>, of value: String) -> Span {
    let before = value.prefix(range.lowerBound)
    return Span(
      file: file, line: line, text: text, head: head + before, tail: value.dropFirst(range.upperBound) + tail)
  }

  /// The blanks before the line's first word.
  public var indentation: String { String(text.prefix { $0 == " " || $0 == "\t" }) }
}

extension Facts {
  /// A span as the facts `NAME-line.file`, `.number`, `.text`, `.head` and `.tail`, for a patch of that line.
  ///
  /// Only where a person can edit the file on this machine and a patch fits: in a container it would be lost.
  mutating func set(_ span: Span?, _ name: String, _ files: ProxyFiles) {
    set(span, name, at: span.flatMap { files.patchPath(of: $0.file) })
  }

  /// The same for a file that this machine has at `path`; nothing if it has not.
  mutating func set(_ span: Span?, _ name: String, at path: String?) {
    guard let span, let path else { return }
    self[.line(name, "file")] = path
    self[.line(name, "number")] = String(span.line)
    self[.line(name, "text")] = span.text
    set(part: span.head, .line(name, "head"))
    set(part: span.tail, .line(name, "tail"))
  }

  /// The line after which a page may insert one of its own: `pass-line.*` with its indentation and the line after it.
  mutating func setPass(_ span: Span?, next: String?, _ files: ProxyFiles) {
    setInsertion("pass", span, next: next, files)
  }

  /// A line after which a page may insert another: `NAME-line.*` with the indentation for it and the line after it.
  mutating func setInsertion(
    _ name: String, _ span: Span?, next: String?, _ files: ProxyFiles, indentation: String? = nil
  ) {
    set(span, name, files)
    guard self[.line(name, "text")] != nil else { return }
    self[.line(name, "indent")] = indentation ?? span?.indentation
    self[.line(name, "next")] = next
  }
}
