import Flow
import Markdown

/// The text of a page, in which the column of a mistake is looked up: blocks only know their line.
struct PageSource {
  let file: String
  let text: String

  func place(_ line: Int) -> SourcePlace { SourcePlace(file: file, line: line, column: 1) }

  /// Where `word` first stands from that line on; the start of the line if it does not.
  func place(of word: String, from line: Int) -> SourcePlace {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(line - 1)
    for (index, candidate) in lines.enumerated() {
      if let start = candidate.firstRange(of: word)?.lowerBound {
        return SourcePlace(
          file: file, line: line + index, column: candidate.distance(from: candidate.startIndex, to: start) + 1)
      }
    }
    return place(line)
  }
}

/// Steps that pages take in, read once for all of them.
struct Part {
  /// How the names of the values begin that a page gives with it: `{new.port}`.
  static let values = "new."

  let source: PageSource
  let blocks: [Markdown.Block]

  init(source: PageSource, blocks: [Markdown.Block]) {
    self.source = source
    self.blocks = blocks
  }

  init(file: String, text: String) {
    source = PageSource(file: file, text: text)
    blocks = Markdown(text).blocks
  }
}
