@testable import Discovery
import Model
import Testing

@Suite struct FileTextTests {
  @Test func eachLineWithoutItsEnd() {
    let text = FileText("one\r\ntwo\n\nfour")
    #expect((1...5).map(text.line) == ["one", "two", "", "four", nil])
  }

  /// Each word of such a line would take a copy of it, and no terminal takes it.
  @Test func aLineThatCannotBePastedIsNotGiven() {
    let longest = String(repeating: "a", count: Limits.pastedLine - 1)
    let text = FileText("one\n\(longest)\n\(longest)bc\nfour")
    #expect((1...4).map(text.line) == ["one", longest, nil, "four"])
  }
}
