import Model
import Testing

@testable import YAML

struct YAMLTests {
  @Test func everyScalarIsTextAndHasItsPlace() throws {
    let root = try #require(YAML.read("a: no\nb:\n  - 8080\n  - 'x: y'\nc: {d: ~}\n", file: "f").root)
    #expect(
      root
        == node(
          .mapping([
            pair("a", 1, 1, node(.scalar("no"), 1, 4)),
            pair("b", 2, 1, node(.sequence([node(.scalar("8080"), 3, 5), node(.scalar("x: y"), 4, 5)]), 3, 3)),
            pair("c", 5, 1, node(.mapping([pair("d", 5, 5, node(.scalar("~"), 5, 8))]), 5, 4)),
          ]), 1, 1))
  }

  @Test func aPartOfAFileHasThePlacesOfTheFile() throws {
    #expect(YAML.read("a: b", file: "f", firstLine: 7).root?.place == .init(file: "f", line: 7, column: 1))
  }

  @Test func columnsAreCountedInCharacters() throws {
    guard case .mapping(let pairs) = YAML.read("{größe: 1, b: 2}", file: "f").root?.content else {
      Issue.record("this is no mapping")
      return
    }
    #expect(pairs.map(\.place.column) == [2, 12])
  }

  @Test(arguments: [
    ("a: &x 1\nb: *x", ["1:4 an anchor is not supported", "2:4 an alias is not supported; write the text again"]),
    ("a: !!int 1\nb: !c [2]\nd: !e {f: g}", [1, 2, 3].map { "\($0):4 a tag is not supported; every value is text" }),
    (
      "a: 1\nb: 2\na: 3\na: 4",
      ["3:1 'a' is here twice; the first is in line 1", "4:1 'a' is here twice; the first is in line 1"]
    ),
    ("[a]: 1", ["1:1 a key must be plain text"]),
    ("a: [b", ["2:1 did not find expected ',' or ']' while parsing a flow sequence"]),
    ("a:\n\tb: 1", ["2:1 found character that cannot start any token while scanning for the next token"]),
    ("a: 1\nb: \u{1}", ["2:4 control characters are not allowed"]),
    ("a: 1\n---\nb: 2", ["2:1 a file has one YAML document"]),
    ("", []),
  ])
  func mistakesAreNamed(text: String, mistakes: [String]) {
    #expect(
      YAML.read(text, file: "f").mistakes.map { "\($0.place.line):\($0.place.column) \($0.message)" } == mistakes)
  }

  @Test(arguments: ["[", "{a: ", "- ", "? "])
  func deepNestingIsRefused(opening: String) {
    let (root, mistakes) = YAML.read(String(repeating: opening, count: 20_000), file: "f")
    #expect(root == nil)
    #expect(mistakes.count == 1)
  }

  @Test func aLongLineIsOneText() {
    let text = String(repeating: "x", count: 1 << 20)
    #expect(YAML.read("- " + text, file: "f").root?.content == .sequence([node(.scalar(text), 1, 3)]))
  }

  @Test func foreignAnchorsLeadToWhereTheTextStands() throws {
    let text = "x: &d\n  a: !int 1\n  b: 2\ny:\n  <<: [*d, {c: 3, a: 9}]\n  b: 4\nz: *d\n---\nmore: 1\n"
    let (root, mistakes) = YAML.read(text, file: "f", .foreign)
    #expect(mistakes == [])
    let y = try #require(root?["Y"])
    #expect(y.pairs.map(\.key) == ["b", "a", "c"])
    #expect(y["a"]?.place.line == 2)
    #expect(y["b"]?.text == "4")
    #expect(root?["z"]?["b"]?.place == .init(file: "f", line: 3, column: 6))
    #expect(root?["more"] == nil)
  }

  @Test(arguments: [
    ("a: *x", "1:4 nothing before this is called 'x'"), ("a: &x [*x]", "1:8 nothing before this is called 'x'"),
    ("a: 1\na: 2", "2:1 'a' is here twice; the first is in line 1"),
  ])
  func foreignMistakes(text: String, mistake: String) {
    #expect(
      YAML.read(text, file: "f", .foreign).mistakes.map { "\($0.place.line):\($0.place.column) \($0.message)" }
        == [mistake])
  }

  private func node(_ content: YAML.Node.Content, _ line: Int, _ column: Int) -> YAML.Node {
    .init(content: content, place: .init(file: "f", line: line, column: column))
  }

  private func pair(_ key: String, _ line: Int, _ column: Int, _ value: YAML.Node) -> YAML.Pair {
    .init(key: key, place: .init(file: "f", line: line, column: column), value: value)
  }
}

@Test func aliasesAndMergeKeysCountAsWhatTheyStandFor() {
  let keys = (0..<2000).map { "k\($0): 1" }.joined(separator: ", ")
  let merge = "a: &a {\(keys)}\nb:\n  <<: [\(String(repeating: "*a, ", count: 20_000))*a]\n"
  let ten = (1...9).reduce("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n") { text, level in
    text + "a\(level): &a\(level) [\(String(repeating: "*a\(level - 1), ", count: 9))*a\(level - 1)]\n"
  }
  for text in [merge, ten] {
    let (root, mistakes) = YAML.read(text, file: "f", .foreign)
    #expect(root == nil)
    #expect(mistakes.map(\.isLimit) == [true])
  }
  #expect(YAML.read("a: &a {x: 1, y: 2}\nb: {<<: [*a, *a], y: 3}\n", file: "f", .foreign).root?["b"]?.pairs.count == 2)
}
