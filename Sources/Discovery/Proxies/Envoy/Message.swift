import Model
import Routes
import YAML

/// A protobuf message in its YAML or JSON form, as Envoy's files and its admin API have it.
///
/// Source: Envoy's `v3` API reference; protobuf's JSON mapping (a field may be written `filter_chains` or
/// `filterChains`).
struct Message: Sendable {
  let node: YAML.Node
  /// The place of its key; nil for an element of a list.
  let key: YAML.Place?
  /// Nil where it does not come from a file.
  let source: DocumentFile?

  init(node: YAML.Node, key: YAML.Place? = nil, source: DocumentFile? = nil) {
    self.node = node
    self.key = key
    self.source = source
  }

  /// What a file says; nil if it is no YAML to its end.
  init?(_ text: String, path: String) {
    guard let file = DocumentFile(text, path: path) else { return nil }
    self.init(node: file.root, source: file)
  }

  /// What an answer says; it has no place that a person could edit.
  init?(answer: String) {
    guard let root = YAML.read(answer, file: "", .foreign).root else { return nil }
    self.init(node: root)
  }

  /// A field, by the names of the way to it.
  subscript(way: String...) -> Message? {
    var message = self
    for name in way {
      guard case .mapping(let pairs) = message.node.content,
        let pair = pairs.first(where: { $0.key == name || $0.key.snakeCased == name })
      else { return nil }
      message = Message(node: pair.value, key: pair.place, source: source)
    }
    return message
  }

  /// The elements of a repeated field.
  var items: [Message] {
    guard case .sequence(let nodes) = node.content else { return [] }
    return nodes.map { Message(node: $0, source: source) }
  }

  var fields: [(name: String, value: Message)] {
    guard case .mapping(let pairs) = node.content else { return [] }
    return pairs.map { ($0.key.snakeCased, Message(node: $0.value, key: $0.place, source: source)) }
  }

  var text: String? {
    guard case .scalar(let text) = node.content, !text.isEmpty else { return nil }
    return text
  }

  var isTrue: Bool { text?.lowercased() == "true" }
  var number: Int? { text.flatMap { Int($0) } }

  /// A duration in seconds: `15s`, `0.250s`.
  var seconds: Double? { text.flatMap { $0.hasSuffix("s") ? Double($0.dropLast()) : nil } }

  /// The name of the message's type without its package: `HttpConnectionManager`.
  var type: String { self["@type"]?.text?.split(separator: ".").last.map(String.init) ?? "" }

  // MARK: Places

  /// `file:line`.
  var at: String { "\(node.place.file):\((key ?? node.place).line)" }

  /// The place of a value that stands whole on one line.
  var span: Span? { text.flatMap { source?.span(of: $0, in: node) } }

  /// A value's line with a new field of the same message after it: `head + value + tail`.
  ///
  /// In a block the field gets a line of its own, in braces it follows a comma.
  func inserting(_ field: String) -> Span? {
    guard let span, let key, let source else { return nil }
    if ownsLine {
      let blank = String(repeating: " ", count: key.column - 1)
      return Span(
        file: source.path, line: span.line, text: span.text, head: span.text + "\n" + blank + field + ": ", tail: "")
    }
    let quote = span.tail.prefix { $0 == "\"" || $0 == "'" }
    guard span.text.contains("{") else { return nil }
    return Span(
      file: source.path, line: span.line, text: span.text,
      head: span.text.dropLast(span.tail.count) + quote + ", "
        + field + ": ", tail: String(span.tail.dropFirst(quote.count)))
  }

  /// True if its key and its value are all that stands on its line, but for a list's dash and a comment.
  private var ownsLine: Bool {
    guard let key, let span, key.line == span.line else { return false }
    let before = span.text.unicodeScalars.prefix(key.column - 1)
    let after = span.tail.drop { $0 == "\"" || $0 == "'" || $0 == " " }
    return before.allSatisfy { $0 == " " || $0 == "-" } && (after.isEmpty || after.hasPrefix("#"))
  }

  /// Its key's column as blanks, for a line beside it; nil if it does not own its line.
  var indentation: String? { ownsLine ? key.map { String(repeating: " ", count: $0.column - 1) } : nil }

  /// All lines of a field in block form: the key's and those below it; nil where other fields share them.
  var block: Span? {
    guard let source, let key, let first = source.line(key.line),
      first.unicodeScalars.prefix(key.column - 1).allSatisfy({ $0 == " " })
    else { return nil }
    let after = (key.line + 1...key.line + 1_000).prefix { number in
      source.line(number).map { $0.isBlank || $0.prefix { $0 == " " }.count >= key.column } ?? false
    }
    let last = after.last { source.line($0)?.isBlank == false } ?? key.line
    return Span(
      file: source.path, line: key.line, text: (key.line...last).compactMap(source.line).joined(separator: "\n"),
      head: "",
      tail: "")
  }
}

extension String {
  /// `filterChains` as `filter_chains`.
  fileprivate var snakeCased: String {
    contains(where: \.isUppercase) && !hasPrefix("@")
      ? reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) } : self
  }

  fileprivate var isBlank: Bool { allSatisfy { $0 == " " || $0 == "\t" } }
}
