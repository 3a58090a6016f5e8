internal import CYAML
public import Model

/// Reads the part of YAML that data files need: mappings, lists and text, each with its place.
///
/// Every scalar is text, so `no` and `8080` are what was written.
public enum YAML {
  /// How much of YAML a text may use.
  public enum Dialect: Sendable {
    /// The program's own files: one document; anchors, aliases and tags are refused.
    case own
    /// Files of other programs: anchors, aliases and merge keys (`<<`) are followed to the node where the text stands,
    /// tags are left out, of several documents the first counts. A key that comes twice is a mistake here as well.
    ///
    /// Nodes count as often as aliases repeat them: whoever walks the tree meets at most `Limits.nodes`.
    case foreign
  }

  public typealias Node = Document.Node
  public typealias Pair = Document.Pair
  public typealias Place = Document.Place
  public typealias Mistake = Document.Mistake

  /// The document in `text`, whose first line is line `firstLine` of `file`.
  ///
  /// - Returns: The root, nil if there is none or the text cannot be read to its end, and every mistake.
  public static func read(_ text: String, file: String, firstLine: Int = 1, _ dialect: Dialect = .own) -> (
    root: Node?, mistakes: [Mistake]
  ) {
    var text = text
    return text.withUTF8 { bytes in
      let parser = Parser(bytes, file: file, firstLine: firstLine, dialect)
      let root = try? parser.document()
      return (root ?? nil, parser.mistakes)
    }
  }
}

/// The events of one text. It owns libyaml's parser, which points into itself and so stays where it is.
private final class Parser {
  /// The mistake is on the list, and nothing after it can be read.
  struct Stop: Error {}

  var mistakes: [YAML.Mistake] = []
  private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
  private let text: UnsafeBufferPointer<UInt8>
  private let file: String
  private let firstLine: Int
  private let dialect: YAML.Dialect
  /// The nodes so far that have an anchor. A node inside itself is none: it has its anchor only when it is complete.
  private var anchored: [String: (node: YAML.Node, count: Int)] = [:]
  /// The nodes so far without keys, each as often as aliases repeat it.
  private var count = 0
  private let room = Room.parts

  init(_ text: UnsafeBufferPointer<UInt8>, file: String, firstLine: Int, _ dialect: YAML.Dialect) {
    self.dialect = dialect
    self.text = text
    self.file = file
    self.firstLine = firstLine
    guard yaml_parser_initialize(parser) == 1 else { fatalError("no memory for a YAML parser") }
    yaml_parser_set_input_string(parser, text.baseAddress, text.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  func document() throws -> YAML.Node? {
    var root: YAML.Node?
    while true {
      let end = try event { event -> Bool in
        switch event.type {
        case YAML_STREAM_END_EVENT: return true
        case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: return false
        case YAML_DOCUMENT_START_EVENT:
          guard root != nil else { return false }
          if dialect == .foreign { return true }
          try stop(event.start_mark, "a file has one YAML document")
        default:
          root = try node(event, depth: 0)
          return false
        }
      }
      if end { return root }
    }
  }

  /// The node that `first` starts.
  private func node(_ first: yaml_event_t, depth: Int, isValue: Bool = true) throws -> YAML.Node {
    let place = place(first.start_mark)
    guard depth <= Document.depth else { try stop(first.start_mark, "this is nested too deep") }
    if isValue { try add(1, at: first.start_mark) }
    switch first.type {
    case YAML_SCALAR_EVENT:
      let scalar = first.data.scalar
      let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      return noted(scalar.anchor, scalar.tag, at: place) { .scalar(String(decoding: bytes, as: UTF8.self)) }
    case YAML_SEQUENCE_START_EVENT:
      let start = first.data.sequence_start
      return try noted(start.anchor, start.tag, at: place) {
        var items: [YAML.Node] = []
        while let item = try child(until: YAML_SEQUENCE_END_EVENT, depth) { items.append(item) }
        return .sequence(items)
      }
    case YAML_MAPPING_START_EVENT:
      let start = first.data.mapping_start
      return try noted(start.anchor, start.tag, at: place) { .mapping(try pairs(depth)) }
    default:
      let name = first.data.alias.anchor.map { String(cString: $0) } ?? ""
      if dialect == .foreign, let (node, count) = anchored[name] {
        try add(count, at: first.start_mark)
        return node
      }
      let message =
        dialect == .own ? "an alias is not supported; write the text again" : "nothing before this is called '\(name)'"
      mistakes.append(.init(place: place, message: message))
      return YAML.Node(content: .scalar(""), place: place)
    }
  }

  /// A node with its anchor and tag, which are a mistake in the program's own files.
  private func noted(
    _ anchor: UnsafeMutablePointer<UInt8>?, _ tag: UnsafeMutablePointer<UInt8>?, at place: YAML.Place,
    _ content: () throws -> YAML.Node.Content
  ) rethrows -> YAML.Node {
    let name = anchor.map { String(cString: $0) }
    if dialect == .own {
      if name != nil { mistakes.append(.init(place: place, message: "an anchor is not supported")) }
      if tag != nil { mistakes.append(.init(place: place, message: "a tag is not supported; every value is text")) }
    }
    let before = count
    let node = YAML.Node(content: try content(), place: place)
    if let name, dialect == .foreign { anchored[name] = (node, count - before + 1) }
    return node
  }

  /// Counts nodes that are made, or repeated by an alias.
  private func add(_ more: Int, at mark: yaml_mark_t) throws {
    count += more
    let isTooMuch = count > room
    guard isTooMuch || Task.isCancelled else { return }
    if isTooMuch { Room.overrun() }
    let message = isTooMuch ? "it has more than \(Limits.nodes) values, aliases resolved" : "its reading was given up"
    mistakes.append(.init(place: place(mark), message: message, isLimit: true))
    throw Stop()
  }

  private func pairs(_ depth: Int) throws -> [YAML.Pair] {
    var pairs: [YAML.Pair] = []
    var lines: [String: Int] = [:]
    var merged: [YAML.Node] = []
    while let key = try child(until: YAML_MAPPING_END_EVENT, depth, isValue: false) {
      guard let value = try child(until: YAML_MAPPING_END_EVENT, depth) else { break }
      guard case .scalar(let name) = key.content else {
        mistakes.append(.init(place: key.place, message: "a key must be plain text"))
        continue
      }
      if name == "<<", dialect == .foreign {
        merged.append(value)
        continue
      }
      if let line = lines[name] {
        mistakes.append(.init(place: key.place, message: "'\(name)' is here twice; the first is in line \(line)"))
        continue
      }
      lines[name] = key.place.line
      pairs.append(YAML.Pair(key: name, place: key.place, value: value))
    }
    // Keys of the mapping itself stand above those that it takes in, and earlier ones above later ones. What is taken in
    // has been counted as its aliases were.
    func merge(_ node: YAML.Node) {
      for item in node.items { merge(item) }
      for pair in node.pairs where lines.updateValue(pair.place.line, forKey: pair.key) == nil { pairs.append(pair) }
    }
    for node in merged { merge(node) }
    return pairs
  }

  /// The next node, or nil at the end of the mapping or list.
  private func child(until end: yaml_event_type_t, _ depth: Int, isValue: Bool = true) throws -> YAML.Node? {
    try event { $0.type == end ? nil : try node($0, depth: depth + 1, isValue: isValue) }
  }

  private func event<Result>(_ use: (yaml_event_t) throws -> Result) throws -> Result {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { try stop() }
    defer { yaml_event_delete(&event) }
    return try use(event)
  }

  private func place(_ mark: yaml_mark_t) -> YAML.Place {
    YAML.Place(file: file, line: mark.line + firstLine, column: mark.column + 1)
  }

  private func stop(_ mark: yaml_mark_t, _ message: String) throws -> Never {
    mistakes.append(.init(place: place(mark), message: message))
    throw Stop()
  }

  /// Ends with libyaml's own error.
  private func stop() throws -> Never {
    var mark = parser.pointee.problem_mark
    if parser.pointee.error == YAML_READER_ERROR {
      // The reader knows bytes only.
      let before = text.prefix(parser.pointee.problem_offset)
      mark.line = before.count { $0 == UInt8(ascii: "\n") }
      mark.column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count
    }
    let words = [parser.pointee.problem, parser.pointee.context].compactMap { $0.map { String(cString: $0) } }
    try stop(mark, words.joined(separator: " "))
  }
}
