internal import CCmark

/// A CommonMark text as the flat list of blocks that a page is made of.
public struct Markdown: Sendable, Equatable {
  public enum Block: Sendable, Equatable {
    case heading(level: Int, text: String)
    /// A paragraph or a list item, without the marks of emphasis; code keeps no backticks.
    case paragraph(String)
    /// A fenced block: the words after the backticks, and its text with its last newline.
    case fence(info: String, text: String)
    /// An HTML comment's inside.
    case comment(String)
  }

  public struct Placed: Sendable, Equatable {
    public let block: Block
    /// Counted from 1 in the whole text, front matter included.
    public let line: Int
  }

  /// What stands between two lines `---` at the start; nil if there is none.
  public let frontMatter: String?
  public let blocks: [Placed]

  public init(_ source: String) {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    var body = source
    var skipped = 0
    if lines.first == "---", let end = lines.dropFirst().firstIndex(of: "---") {
      frontMatter = lines[1..<end].joined(separator: "\n") + "\n"
      body = lines[(end + 1)...].joined(separator: "\n")
      skipped = end + 1
    } else {
      frontMatter = nil
    }
    blocks = Self.blocks(body).map { Placed(block: $0.block, line: $0.line + skipped) }
  }

  private static func blocks(_ source: String) -> [Placed] {
    guard let document = cmark_parse_document(source, source.utf8.count, CMARK_OPT_DEFAULT) else { return [] }
    defer { cmark_node_free(document) }
    var blocks: [Placed] = []
    append(childrenOf: document, to: &blocks)
    return blocks
  }

  private static func append(childrenOf parent: OpaquePointer, to blocks: inout [Placed]) {
    var child = cmark_node_first_child(parent)
    while let node = child {
      let line = Int(cmark_node_get_start_line(node))
      switch cmark_node_get_type(node) {
      case CMARK_NODE_HEADING:
        blocks.append(Placed(block: .heading(level: Int(cmark_node_get_heading_level(node)), text: text(of: node)), line: line))
      case CMARK_NODE_PARAGRAPH: blocks.append(Placed(block: .paragraph(text(of: node)), line: line))
      case CMARK_NODE_CODE_BLOCK:
        blocks.append(
          Placed(block: .fence(info: string(cmark_node_get_fence_info(node)), text: string(cmark_node_get_literal(node))), line: line))
      case CMARK_NODE_HTML_BLOCK:
        for (offset, line) in comments(string(cmark_node_get_literal(node)), from: line) {
          blocks.append(Placed(block: .comment(offset), line: line))
        }
      default: append(childrenOf: node, to: &blocks)
      }
      child = cmark_node_next(node)
    }
  }

  /// The comments of one HTML block; each stands on a line of its own.
  private static func comments(_ html: String, from line: Int) -> [(String, Int)] {
    html.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, text in
      text.hasPrefix("<!--") && text.hasSuffix("-->")
        ? (String(text.dropFirst(4).dropLast(3)).trimmed, line + index) : nil
    }
  }

  /// The plain text of a node's inlines.
  private static func text(of node: OpaquePointer) -> String {
    var result = ""
    var child = cmark_node_first_child(node)
    while let inline = child {
      switch cmark_node_get_type(inline) {
      case CMARK_NODE_TEXT, CMARK_NODE_CODE, CMARK_NODE_HTML_INLINE: result += string(cmark_node_get_literal(inline))
      case CMARK_NODE_SOFTBREAK, CMARK_NODE_LINEBREAK: result += " "
      default: result += text(of: inline)
      }
      child = cmark_node_next(inline)
    }
    return result
  }

  private static func string(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0) } ?? "" }
}

extension String {
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
