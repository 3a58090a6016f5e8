import Testing

@testable import Markdown

struct MarkdownTests {
  @Test func blocksKnowTheirLineOfTheFile() {
    let page = Markdown(
      """
      ---
      cause: x
      ---

      # One
      A paragraph
      of two lines.
      <!-- when: a.b -->
      ```sh host looks
      ls  -l

      pwd
      ```
      - first
      - second
        of two lines
      """)
    #expect(page.frontMatter == "cause: x\n")
    #expect(
      page.blocks == [
        .init(content: .heading(level: 1, text: "One"), line: 5),
        .init(content: .paragraph("A paragraph of two lines."), line: 6),
        .init(content: .comment("when: a.b"), line: 8),
        .init(content: .code(info: ["sh", "host", "looks"], text: "ls  -l\n\npwd\n"), line: 9),
        .init(content: .item("- first"), line: 14),
        .init(content: .item("- second of two lines"), line: 15),
      ])
  }

  @Test(arguments: [
    ("**bold**, _slanted_ and `code`", "bold, slanted and code"),
    (
      "`{{json .State}}` of {upstream.defined_in} and {a.b_c_d}",
      "{{json .State}} of {upstream.defined_in} and {a.b_c_d}"
    ),
    ("a \\* b &amp; c", "a * b & c"),
    ("[the guide](https://example.com/a)", "the guide (https://example.com/a)"),
    ("<https://example.com/a>", "https://example.com/a"),
    ("![a picture](x.png)", "a picture"),
    ("type <name> and \\\nmore", "type <name> and  more"),
  ])
  func textIsPlain(source: String, text: String) {
    #expect(Markdown(source).blocks.map(\.content) == [.paragraph(text)])
  }

  @Test func itemsAreNumberedAndIndented() {
    let blocks = Markdown("2. two\n3. three\n   - inner\n\n   more\n\nafter\n\n> quoted").blocks
    #expect(
      blocks.map(\.content) == [
        .item("2. two"), .item("3. three"), .item("  - inner"), .paragraph("more"), .paragraph("after"),
        .paragraph("quoted"),
      ])
  }

  @Test func whatHasNoPlainTextIsNamed() {
    #expect(
      Markdown("<table>\n</table>\n\n<!-- a -->b\n\n***\n\n<!-- -->\n").blocks.map(\.content) == [
        .other("html_block"), .other("html_block"), .other("thematic_break"), .comment(""),
      ])
  }

  @Test(arguments: [
    ("---\na: b\n---", "a: b\n", 0), ("---\r\na: b\r\n---\r\nx", "a: b\r\n", 1), ("---\n---\n", "", 0),
    ("---\na: b\n", nil, 2), ("", nil, 0), ("\n---\na: b\n---\n", nil, 2),
  ])
  func frontMatterStandsBetweenTwoFences(source: String, frontMatter: String?, blocks: Int) {
    let page = Markdown(source)
    #expect(page.frontMatter == frontMatter)
    #expect(page.blocks.count == blocks)
  }

  @Test(arguments: ["> ", "- ", "*a ", "[", "`", "<!--"])
  func hostileNestingEnds(opening: String) {
    #expect(!Markdown(String(repeating: opening, count: 20_000) + "x").blocks.isEmpty)
  }

  @Test func aLongLineIsOneParagraph() {
    let text = String(repeating: "x", count: 1 << 20)
    #expect(Markdown(text).blocks == [.init(content: .paragraph(text), line: 1)])
  }
}
