private import CTOML
public import Model

/// Reads TOML 1.0.
///
/// Every value is text: `true` and `8080` are what was written, a string is what it stands for.
public enum TOML {
  /// Dots of one line. toml++ 3.3 makes a table of each, and needs stack for all of them together.
  private static let dotsOfLine = 500

  /// The root table of `text`; nil with the mistake that keeps it from being read.
  ///
  /// Members are in the order in which they stand first.
  public static func read(_ text: String, file: String) -> (root: Document.Node?, mistake: Document.Mistake?) {
    var text = text
    return text.withUTF8 { bytes in
      if let mistake = excess(of: bytes, file) { return (nil, mistake) }
      let document = bytes.withMemoryRebound(to: CChar.self) { ctoml_read($0.baseAddress, $0.count) }
      guard let document else { fatalError("no memory for TOML") }
      defer { ctoml_free(document) }
      var place = ctoml_place()
      if let message = ctoml_mistake(document, &place) {
        return (nil, Document.Mistake(place: Document.Place(place, file), message: String(cString: message)))
      }
      var count = 0
      let nodes = ctoml_nodes(document, &count)
      var tree = Tree(nodes: UnsafeBufferPointer(start: nodes, count: count), file: file)
      do throws(Document.Mistake) { return (try tree.node(depth: 0), nil) } catch { return (nil, error) }
    }
  }

  /// What would be more than is taken in, by the signs without which there is neither a table nor a value.
  private static func excess(of bytes: UnsafeBufferPointer<UInt8>, _ file: String) -> Document.Mistake? {
    let room = Room.parts
    var (signs, dots, line) = (0, 0, 1)
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\n"): (dots, line) = (0, line + 1)
      case UInt8(ascii: "."): (dots, signs) = (dots + 1, signs + 1)
      case UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"): signs += 1
      default: continue
      }
      guard signs > room || dots > dotsOfLine else { continue }
      if signs > room { Room.overrun() }
      let message = dots > dotsOfLine ? "a line has more than \(dotsOfLine) dots" : "it has too many values"
      return Document.Mistake(
        place: Document.Place(file: file, line: line, column: 1), message: message, isLimit: true)
    }
    return nil
  }
}

/// The shim's list on its way to a tree.
private struct Tree {
  let nodes: UnsafeBufferPointer<ctoml_node>
  let file: String
  private var next = 0

  init(nodes: UnsafeBufferPointer<ctoml_node>, file: String) {
    (self.nodes, self.file) = (nodes, file)
  }

  /// The next node with all below it.
  mutating func node(depth: Int) throws(Document.Mistake) -> Document.Node {
    let node = nodes[next]
    next += 1
    let place = Document.Place(node.place, file)
    guard depth <= Document.depth else {
      throw Document.Mistake(place: place, message: "this is nested too deep", isLimit: true)
    }
    switch node.kind {
    case CTOML_TABLE:
      var pairs: [Document.Pair] = []
      for _ in 0..<node.count {
        let member = nodes[next]
        let value = try self.node(depth: depth + 1)
        pairs.append(
          Document.Pair(
            key: String(member.key, member.key_size), place: Document.Place(member.key_place, file), value: value))
      }
      return Document.Node(content: .mapping(pairs), place: place)
    case CTOML_ARRAY:
      var items: [Document.Node] = []
      for _ in 0..<node.count { items.append(try self.node(depth: depth + 1)) }
      return Document.Node(content: .sequence(items), place: place)
    default:
      return Document.Node(content: .scalar(String(node.text, node.text_size)), place: place)
    }
  }
}

extension Document.Place {
  fileprivate init(_ place: ctoml_place, _ file: String) {
    self.init(file: file, line: Int(place.line), column: Int(place.column))  // fits: 32 bits
  }
}

extension String {
  /// Bytes that toml++ has checked to be UTF-8.
  fileprivate init(_ bytes: UnsafePointer<CChar>?, _ count: Int) {
    let bytes = UnsafeRawBufferPointer(start: bytes, count: count)
    self.init(decoding: bytes, as: UTF8.self)
  }
}
