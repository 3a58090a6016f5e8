import Model
import TOML
import Testing

struct TOMLTests {
  @Test func everyValueIsTextAndHasItsPlace() throws {
    let text = """
      # a comment
      [http.services."größe"]
        url = "http://\\u0061:80" # b
      [[list]]
        'a.b' = {x = [0x10, true, 1.5, 2020-01-02]}
      [http]
        more = '''two
      lines'''
      """
    let root = try #require(TOML.read(text, file: "f").root)
    #expect(
      root
        == node(
          [
            pair(
              "http", 2, 2,
              node(
                [
                  pair(
                    "services", 2, 7,
                    node([pair("größe", 2, 16, node([pair("url", 3, 3, value("http://a:80", 3, 9))], 2, 1))], 2, 1)),
                  pair("more", 7, 3, value("two\nlines", 7, 10)),
                ], 6, 1)),
            pair(
              "list", 4, 3,
              .init(
                content: .sequence([
                  node(
                    [
                      pair(
                        "a.b", 5, 3,
                        node(
                          [
                            pair(
                              "x", 5, 12,
                              .init(
                                content: .sequence([
                                  value("16", 5, 17), value("true", 5, 23), value("1.5", 5, 29),
                                  value("2020-01-02", 5, 34),
                                ]), place: place(5, 16)))
                          ], 5, 11))
                    ], 4, 1)
                ]), place: place(4, 1))),
          ], 1, 1))
  }

  @Test(arguments: [
    ("a = 1\na = 2\n", 2), ("a = 1\n\n[a]\n", 3), ("a = \"x\n", 1), ("a = 1\nb", 2), ("a = {x = 1,}\n", 1),
    ("a = [1\n", 1), ("\u{0}", 1), ("a = truth", 1),
  ])
  func aMistakeHasItsLine(text: String, line: Int) throws {
    let (root, mistake) = TOML.read(text, file: "f")
    #expect(root == nil)
    #expect(try #require(mistake).place.line == line)
    #expect(mistake?.isLimit == false)
  }

  /// What toml++ takes for granted and does not look at.
  @Test(arguments: ["[[[a]]]", "[ [a]]", "[.a]", "a = {[b] = 1}"])
  func whatTheLibraryAssumesIsAMistake(text: String) {
    #expect(TOML.read(text, file: "f").mistake != nil)
  }

  @Test func anEmptyTextIsAnEmptyTable() {
    #expect(TOML.read("", file: "f").root?.content == .mapping([]))
  }

  @Test func bytesThatAreNoTextAreAMistake() {
    #expect(TOML.read(String(decoding: [0x61, 0xFF, 0x3D, 0x31], as: UTF8.self), file: "f").root == nil)
  }

  /// Each is more than a reader without limits has stack or memory for.
  @Test(arguments: [
    String(repeating: "a.", count: 400_000) + "a = 1", "[" + String(repeating: "a.", count: 400_000) + "a]",
    "a = " + String(repeating: "[", count: 100_000), "a = " + String(repeating: "{a = ", count: 100_000),
    String(repeating: "[[a]]\n", count: 300_000), "a = [" + String(repeating: "1,", count: 600_000) + "]",
    // Below each limit by itself, and all of them together.
    "[" + String(repeating: "a.", count: 490) + "a]\n"
      + String(repeating: "x = [{" + String(repeating: "a.", count: 490) + "a =", count: 4)
      + String(repeating: "}]\n", count: 4),
  ])
  func tooMuchIsRefused(text: String) {
    let (root, mistake) = TOML.read(text, file: "f")
    #expect(root == nil)
    #expect(mistake != nil)
  }

  @Test func whatIsJustBelowTheLimitsIsReadAndGivenBack() {
    let deepest = (0..<499).map { _ in "a" }.joined(separator: ".")
    #expect(TOML.read(deepest + " = 1\n", file: "f").mistake?.message == "this is nested too deep")
    let names = (0..<160_000).map { "k\($0) = \($0)\n" }.joined()
    #expect(TOML.read(names, file: "f").root?.pairs.count == 160_000)
  }

  private func place(_ line: Int, _ column: Int) -> Document.Place { .init(file: "f", line: line, column: column) }

  private func node(_ pairs: [Document.Pair], _ line: Int, _ column: Int) -> Document.Node {
    .init(content: .mapping(pairs), place: place(line, column))
  }

  private func value(_ text: String, _ line: Int, _ column: Int) -> Document.Node {
    .init(content: .scalar(text), place: place(line, column))
  }

  private func pair(_ key: String, _ line: Int, _ column: Int, _ value: Document.Node) -> Document.Pair {
    .init(key: key, place: place(line, column), value: value)
  }
}
