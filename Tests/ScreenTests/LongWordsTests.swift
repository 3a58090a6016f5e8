import Flow
import Model
import ScreenCase
import Testing

@testable import Screen

/// Other languages have longer words: with all of the program's own two fifths longer, everything can still be read.
@Suite struct LongWordsTests {
  /// Each with as many more letters, in words that no text has.
  private static let words = ScreenCase.words().mapValues { template in
    let letters = template.placeholders.reduce(template.source.count) { $0 - $1.text.count - 2 }
    let more = String(repeating: "löng ", count: max(0, letters) * 2 / 25 + (letters > 6 ? 1 : 0))
    return Template(more.isEmpty ? template.source : template.source + " " + more.dropLast())
  }

  /// Scenes with much text, by the keys that lead there from the verdict.
  private static let scenes: [(name: String, keys: [Key])] = [
    ("verdict", []), ("fix", [.enter]), ("path", [.character("e")]), ("evidence", [.character("e"), .enter]),
    ("help", [.character("?")]), ("words", [.character("w")]), ("leaving", [.enter, .character("q")]),
    ("correction", [.character("e"), .enter, .character("d")]),
  ]

  @Test(arguments: [Size(columns: 80, rows: 24), Size(columns: 40, rows: 12)], scenes.map(\.name))
  func everythingCanBeRead(size: Size, name: String) throws {
    var play = Play.diagnosed(size: size, words: Self.words)
    for key in try #require(Self.scenes.first { $0.name == name }).keys { play.press(key) }
    expectWholeBar(play)
    #expect(play.text.contains("löng"), "\(play)")
    // A long title is cut in its middle in any language.
    let texts = play.state.sheet.prose.dropFirst()
    let wanted = Set(texts.flatMap { $0.split { $0.isWhitespace }.map(String.init) })
    #expect(play.row(0).split { $0.isWhitespace }.count > 1, "\(play)")
    var seen: Set<String> = []
    play.press(.home)
    for _ in 0..<100 {
      let text = play.text
      seen.formUnion(text.split { $0.isWhitespace }.map(String.init))
      play.press(.pageDown)
      if play.text == text { break }
    }
    // A word that is wider than the screen is in several rows.
    let missing = wanted.subtracting(seen).filter { $0.count < size.columns / 2 }
    #expect(missing.isEmpty, "\(play)")
  }

  @Test(arguments: [Size(columns: 80, rows: 24), Size(columns: 40, rows: 12)])
  func theStartAndAQuestionFit(size: Size) {
    let start = Play(size: size, words: Self.words)
    expectWholeBar(start)
    var asked = Play(size: size, words: Self.words)
    asked.type("shop.example.org")
    asked.press(.enter)
    asked.find(ScreenCase.broken.filter { $0.key == "site.answer" })
    asked.find(["route.find": ScreenCase.unseen("route.find")])
    expectWholeBar(asked)
    #expect(asked.text.contains("1"), "an answer is in sight: \(asked)")
  }

  /// No key of the bar is cut in the middle of its words, and the first one is there.
  private func expectWholeBar(_ play: Play, _ location: SourceLocation = #_sourceLocation) {
    let bar = play.row(play.state.size.rows - 1)
    let whole = Binding.all.filter { $0.isInBar && $0.isValid(play.state) }.map {
      "\($0.shown) \(play.state.word("key.\($0.name)"))"
    }
    let entries = bar.split(separator: "  ").map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }
    #expect(!entries.isEmpty, "\(play)", sourceLocation: location)
    for entry in entries {
      #expect(whole.contains(String(entry)), "'\(entry)' is cut: \(play)", sourceLocation: location)
    }
  }
}
