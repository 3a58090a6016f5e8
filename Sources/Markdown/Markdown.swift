internal import CCmark

/// A CommonMark text as a list of blocks, each with the line of the file on which it starts.
///
/// Text is plain: the characters that only mark up (`**`, `_`, backticks, backslashes) are gone, a line break
/// inside a paragraph is a space, and a link is its text with the address in brackets behind it.
public struct Markdown: Sendable, Equatable {
  public struct Block: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
      case heading(level: Int, text: String)
      case paragraph(String)
      /// A list item as it is read: `- one`, `2. two`, indented by two spaces in an inner list.
      case item(String)
      /// A fenced block: the words behind the backticks, and its lines, each ended by a line feed.
      case code(info: [String], text: String)
      /// The inside of an HTML comment without the spaces around it.
      case comment(String)
      /// A block that has no plain text, by CommonMark's name: `html_block`, `thematic_break`.
      case other(String)
    }
    public let content: Content
    public let line: Int
  }

  /// The lines between the two `---` at the start, the first of them line 2 of the file; nil if there are none.
  public let frontMatter: String?
  public let blocks: [Block]

  public init(_ source: String) {
    var source = source
    (frontMatter, blocks) = source.withUTF8 { bytes in
      let (matter, body, firstLine) = Self.split(bytes)
      return (matter.map { String(decoding: $0, as: UTF8.self) }, Self.blocks(body, firstLine))
    }
  }

  /// What stands between the two `---`, without reading on.
  public static func frontMatter(of source: String) -> String? {
    var source = source
    return source.withUTF8 { split($0).matter.map { String(decoding: $0, as: UTF8.self) } }
  }

  private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

  /// Front matter, the rest, and the line with which the rest starts.
  private static func split(_ source: UnsafeBufferPointer<UInt8>) -> (matter: Bytes?, body: Bytes, firstLine: Int) {
    var position = source.startIndex
    var line = 0
    var start: Int?
    while position < source.endIndex {
      let end = source[position...].firstIndex(of: UInt8(ascii: "\n")) ?? source.endIndex
      let next = min(end + 1, source.endIndex)
      let isFence =
        source[position..<end].elementsEqual("---".utf8) || source[position..<end].elementsEqual("---\r".utf8)
      line += 1
      switch (start, isFence) {
      case (nil, true): start = next
      case (nil, false): return (nil, source[...], 1)
      case (let start?, true): return (source[start..<position], source[next...], line + 1)
      case (_?, false): break
      }
      position = next
    }
    return (nil, source[...], 1)
  }

  /// Walks cmark's tree event by event, so that no nesting is too deep.
  private static func blocks(_ body: Bytes, _ firstLine: Int) -> [Block] {
    let body = UnsafeBufferPointer(rebasing: body)
    let document = body.withMemoryRebound(to: CChar.self) {
      cmark_parse_document($0.baseAddress, $0.count, CMARK_OPT_DEFAULT)
    }
    guard let document, let events = cmark_iter_new(document) else { fatalError("no memory for a document") }
    defer {
      cmark_iter_free(events)
      cmark_node_free(document)
    }
    var blocks: [Block] = []
    /// Numbers of the next items of the lists around; nil for bullets.
    var lists: [Int?] = []
    /// What the next paragraph starts with, as it is the first of an item.
    var prefix: String?
    var text = ""
    while true {
      let event = cmark_iter_next(events)
      if event == CMARK_EVENT_DONE { return blocks }
      guard let node = cmark_iter_get_node(events) else { return blocks }
      let enters = event == CMARK_EVENT_ENTER
      func add(_ content: Block.Content) {
        blocks.append(Block(content: content, line: Int(cmark_node_get_start_line(node)) + firstLine - 1))
      }
      switch cmark_node_get_type(node) {
      case CMARK_NODE_DOCUMENT, CMARK_NODE_BLOCK_QUOTE, CMARK_NODE_EMPH, CMARK_NODE_STRONG, CMARK_NODE_IMAGE: break
      case CMARK_NODE_LIST:
        if enters {
          let isNumbered = cmark_node_get_list_type(node) == CMARK_ORDERED_LIST
          lists.append(isNumbered ? Int(cmark_node_get_list_start(node)) : nil)
        } else {
          lists.removeLast()
        }
      case CMARK_NODE_ITEM:
        prefix = nil
        guard enters, let number = lists.last else { break }
        prefix = String(repeating: "  ", count: lists.count - 1) + (number.map { "\($0). " } ?? "- ")
        lists[lists.count - 1] = number.map { $0 + 1 }
      case CMARK_NODE_PARAGRAPH:
        if enters {
          text = prefix ?? ""
        } else {
          add(prefix == nil ? .paragraph(text) : .item(text))
          prefix = nil
        }
      case CMARK_NODE_HEADING:
        if enters { text = "" } else { add(.heading(level: Int(cmark_node_get_heading_level(node)), text: text)) }
      case CMARK_NODE_CODE_BLOCK:
        let info = string(cmark_node_get_fence_info(node)).split(separator: " ").map(String.init)
        add(.code(info: info, text: string(cmark_node_get_literal(node))))
      case CMARK_NODE_HTML_BLOCK:
        add(comment(string(cmark_node_get_literal(node))).map { .comment($0) } ?? .other("html_block"))
      case CMARK_NODE_SOFTBREAK, CMARK_NODE_LINEBREAK: text += " "
      case CMARK_NODE_TEXT, CMARK_NODE_CODE, CMARK_NODE_HTML_INLINE: text += string(cmark_node_get_literal(node))
      case CMARK_NODE_LINK:
        let address = string(cmark_node_get_url(node))
        if !enters, !text.hasSuffix(address) { text += " (" + address + ")" }
      default: add(.other(string(cmark_node_get_type_string(node))))
      }
    }
  }

  /// The inside of a block that is one comment and nothing else.
  private static func comment(_ html: String) -> String? {
    var inside = Substring(html)
    while inside.last?.isWhitespace == true { inside.removeLast() }
    guard inside.hasPrefix("<!--"), inside.hasSuffix("-->"), inside.utf8.count >= 7 else { return nil }
    inside = inside.dropFirst(4).dropLast(3)
    while inside.last?.isWhitespace == true { inside.removeLast() }
    return String(inside.drop { $0.isWhitespace })
  }

  private static func string(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0) } ?? "" }
}
