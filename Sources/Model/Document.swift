/// What a text of names and values says, whatever its notation: mappings, lists and text, each with its place.
public enum Document {
  /// A place in a file; line and column count from one, the column in characters.
  public struct Place: Sendable, Equatable {
    public let file: String
    // Small: a file may have half a million of them.
    private let shortLine: UInt32
    private let shortColumn: UInt32

    public init(file: String, line: Int, column: Int) {
      self.file = file
      (shortLine, shortColumn) = (UInt32(clamping: line), UInt32(clamping: column))
    }

    public var line: Int { Int(shortLine) }  // fits: 32 bits
    public var column: Int { Int(shortColumn) }  // fits: 32 bits
  }

  public struct Node: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
      case scalar(String)
      case mapping([Pair])
      case sequence([Node])
    }
    public let content: Content
    public let place: Place

    public init(content: Content, place: Place) {
      self.content = content
      self.place = place
    }
  }

  public struct Pair: Sendable, Equatable {
    public let key: String
    public let place: Place
    public let value: Node

    public init(key: String, place: Place, value: Node) {
      self.key = key
      self.place = place
      self.value = value
    }
  }

  public struct Mistake: Error, Sendable, Equatable {
    public let place: Place
    public let message: String
    /// The text may be right: there is more of it than is taken in.
    public let isLimit: Bool

    public init(place: Place, message: String, isLimit: Bool = false) {
      self.place = place
      self.message = message
      self.isLimit = isLimit
    }
  }

  /// How deep mappings and lists may be nested.
  public static let depth = 32
}

extension Document.Node {
  /// The value of a key, whatever its case; nil if this is no mapping.
  public subscript(key: String) -> Document.Node? {
    pairs.first { $0.key.lowercased() == key.lowercased() }?.value
  }

  /// The same mapping without a key.
  public func without(_ key: String) -> Document.Node {
    guard case .mapping(let pairs) = content else { return self }
    return Document.Node(content: .mapping(pairs.filter { $0.key != key }), place: place)
  }

  /// The same with other nodes in the place of scalars, also of keys, for which only a scalar can stand.
  ///
  /// - Parameter replacement: Is told the text of each; nil keeps it.
  public func replacingScalars(_ replacement: (String) -> Document.Node?) -> Document.Node {
    switch content {
    case .scalar(let text): return replacement(text) ?? self
    case .sequence(let items):
      return Document.Node(content: .sequence(items.map { $0.replacingScalars(replacement) }), place: place)
    case .mapping(let pairs):
      let replaced = pairs.map { pair in
        let key = replacement(pair.key)
        return Document.Pair(
          key: key?.text ?? pair.key, place: key?.place ?? pair.place, value: pair.value.replacingScalars(replacement))
      }
      return Document.Node(content: .mapping(replaced), place: place)
    }
  }

  public var pairs: [Document.Pair] {
    if case .mapping(let pairs) = content { pairs } else { [] }
  }
  public var items: [Document.Node] {
    if case .sequence(let items) = content { items } else { [] }
  }
  public var text: String? {
    if case .scalar(let text) = content { text } else { nil }
  }
}
