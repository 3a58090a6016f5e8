internal import CYAML

/// A node of a YAML document. Every scalar is text, as it was written; anchors, aliases and tags are refused.
public struct YAML: Sendable, Equatable {
  public indirect enum Value: Sendable, Equatable {
    case text(String)
    case list([YAML])
    /// In the order of the file; repeated keys stay for the reader to complain about.
    case map([(key: YAML, value: YAML)])

    public static func == (left: Value, right: Value) -> Bool {
      switch (left, right) {
      case (.text(let left), .text(let right)): left == right
      case (.list(let left), .list(let right)): left == right
      case (.map(let left), .map(let right)):
        left.count == right.count && zip(left, right).allSatisfy { $0.key == $1.key && $0.value == $1.value }
      default: false
      }
    }
  }

  public let value: Value
  /// Counted from 1.
  public let line: Int
  public let column: Int

  /// What keeps a text from being read, and where.
  public struct Failure: Error, Equatable {
    public let message: String
    public let line: Int
    public let column: Int
  }

  public var text: String? { if case .text(let text) = value { text } else { nil } }
  public var list: [YAML]? { if case .list(let list) = value { list } else { nil } }
  public var map: [(key: YAML, value: YAML)]? { if case .map(let map) = value { map } else { nil } }

  /// The one document of `source`; an empty one is an empty map.
  public static func parse(_ source: String) throws(Failure) -> YAML {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    guard yaml_parser_initialize(parser) == 1 else { throw Failure(message: "out of memory", line: 1, column: 1) }
    defer { yaml_parser_delete(parser) }
    var bytes = Array(source.utf8)
    let result: Result<YAML, Failure> = bytes.withUnsafeMutableBufferPointer { buffer in
      yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
      var builder = Builder(parser: parser)
      do throws(Failure) { return .success(try builder.document()) } catch { return .failure(error) }
    }
    return try result.get()
  }
}

/// Builds the tree from libyaml's events.
private struct Builder {
  let parser: UnsafeMutablePointer<yaml_parser_t>
  private var depth = 0
  private static let deepest = 64

  init(parser: UnsafeMutablePointer<yaml_parser_t>) { self.parser = parser }

  /// One event, its text copied out.
  private struct Event {
    let type: yaml_event_type_t
    let text: String
    let line: Int
    let column: Int
  }

  private func next() throws(YAML.Failure) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else {
      let mark = parser.pointee.problem_mark
      throw YAML.Failure(
        message: parser.pointee.problem.map { String(cString: $0) } ?? "cannot be read", line: Int(mark.line) + 1,
        column: Int(mark.column) + 1)
    }
    defer { yaml_event_delete(&event) }
    let (line, column) = (Int(event.start_mark.line) + 1, Int(event.start_mark.column) + 1)
    var text = ""
    var hasDecoration = event.type == YAML_ALIAS_EVENT
    switch event.type {
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      hasDecoration = scalar.anchor != nil || scalar.tag != nil
    case YAML_SEQUENCE_START_EVENT:
      hasDecoration = event.data.sequence_start.anchor != nil || event.data.sequence_start.tag != nil
    case YAML_MAPPING_START_EVENT:
      hasDecoration = event.data.mapping_start.anchor != nil || event.data.mapping_start.tag != nil
    default: break
    }
    if hasDecoration {
      throw YAML.Failure(message: "anchors, aliases and tags are not used here", line: line, column: column)
    }
    return Event(type: event.type, text: text, line: line, column: column)
  }

  mutating func document() throws(YAML.Failure) -> YAML {
    var event = try next()
    while event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT { event = try next() }
    if event.type == YAML_STREAM_END_EVENT { return YAML(value: .map([]), line: 1, column: 1) }
    return try node(event)
  }

  private mutating func node(_ event: Event) throws(YAML.Failure) -> YAML {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.deepest else {
      throw YAML.Failure(message: "nested too deeply", line: event.line, column: event.column)
    }
    switch event.type {
    case YAML_SCALAR_EVENT: return YAML(value: .text(event.text), line: event.line, column: event.column)
    case YAML_SEQUENCE_START_EVENT:
      var list: [YAML] = []
      while true {
        let inner = try next()
        if inner.type == YAML_SEQUENCE_END_EVENT { break }
        list.append(try node(inner))
      }
      return YAML(value: .list(list), line: event.line, column: event.column)
    case YAML_MAPPING_START_EVENT:
      var map: [(key: YAML, value: YAML)] = []
      while true {
        let inner = try next()
        if inner.type == YAML_MAPPING_END_EVENT { break }
        map.append((try node(inner), try node(try next())))
      }
      return YAML(value: .map(map), line: event.line, column: event.column)
    default: throw YAML.Failure(message: "unexpected end", line: event.line, column: event.column)
    }
  }
}
