import Flow
import Model
import ScreenCase
import Testing

@testable import Screen

/// What each screen shows, at the size that everybody has and at the smallest.
@Suite(.serialized)
struct SnapshotTests {
  static let sizes = [Size(columns: 80, rows: 24), Size.smallest]

  @Test(arguments: sizes) func start(_ size: Size) {
    var play = Play(
      size: size, notices: ["Docker's socket may not be opened by this user, so containers cannot be seen."])
    play.type("shop.example.org")
    expectSnapshot("start", play)
  }

  @Test(arguments: sizes) func checking(_ size: Size) {
    var play = Play(size: size)
    play.type("shop.example.org")
    play.press(.enter)
    play.send(.found(ScreenCase.badGateway, round: 1))
    play.send(.tick)
    play.send(.tick)
    expectSnapshot("checking", play)
  }

  @Test(arguments: sizes) func path(_ size: Size) {
    var play = Play.diagnosed(size: size)
    play.press(.character("e"))
    expectSnapshot("path", play)
    play.press(.enter)
    expectSnapshot("evidence", play)
    play.press(.character("d"))
    expectSnapshot("correction", play)
    play.press(.character("2"))
    expectSnapshot("overruled", play)
  }

  @Test(arguments: sizes) func question(_ size: Size) {
    var play = Play.blind(size: size)
    expectSnapshot("question", play)
    play.press(.character("1"), .down)
    expectSnapshot("question-2", play)
  }

  @Test(arguments: sizes) func verdict(_ size: Size) {
    expectSnapshot("verdict", Play.diagnosed(size: size))
  }

  @Test(arguments: sizes) func working(_ size: Size) {
    var play = Play(size: size)
    play.press(.down, .enter)
    play.find(["site.answer": ScreenCase.works])
    expectSnapshot("working", play)
    play.press(.character("1"))
    expectSnapshot("guide", play)
    play.press(.character("b"))
    expectSnapshot("working", play)
  }

  @Test(arguments: sizes) func inconclusive(_ size: Size) {
    var play = Play.blind(size: size)
    play.press(.character("2"), .character("3"))
    expectSnapshot("inconclusive", play)
    play.press(.character("2"))
    expectSnapshot("guide", play)
    play.press(.character("b"))
    play.press(.character("1"))
    expectSnapshot("possible", play)
  }

  @Test(arguments: sizes) func logLine(_ size: Size) {
    var play = Play.blind(size: size)
    play.press(.character("l"))
    expectSnapshot("log-line", play)
    // Copied from a window in which it was broken into two.
    let middle = ScreenCase.logLine.index(ScreenCase.logLine.startIndex, offsetBy: 80)
    play.press(.paste(ScreenCase.logLine[..<middle] + "\n" + ScreenCase.logLine[middle...] + "\n"), .enter)
    expectSnapshot("log-line-read", play)
    play.press(.character("2"))
    expectSnapshot("log-line-cause", play)
    play.press(.escape, .paste("GET / 200"), .enter)
    expectSnapshot("log-line-nothing", play)
    play.press(.escape)
    expectSnapshot("question", play)
  }

  @Test(arguments: sizes) func words(_ size: Size) {
    var play = Play.diagnosed(size: size)
    play.press(.character("w"))
    expectSnapshot("words", play)
    play.press(.escape)
    expectSnapshot("verdict", play)
  }

  @Test(arguments: sizes) func fix(_ size: Size) {
    var play = Play.diagnosed(size: size)
    play.press(.enter, .character("n"))
    expectSnapshot("fix-patch", play)
    play.press(.character("n"), .character("n"), .character("c"))
    expectSnapshot("fix-last", play)
    play.press(.character("q"))
    expectSnapshot("leaving", play)
  }

  @Test(arguments: sizes) func afterwards(_ size: Size) {
    var play = Play.diagnosed(size: size)
    play.press(.enter, .character("n"), .character("n"), .character("r"))
    play.find(["site.answer": ScreenCase.works])
    expectSnapshot("works-again", play)
  }

  @Test(arguments: sizes) func help(_ size: Size) {
    var play = Play.diagnosed(size: size)
    play.press(.enter, .character("?"))
    expectSnapshot("help", play)
  }

  @Test func ascii() {
    let play = Play.diagnosed(ascii: true)
    #expect(!play.text.utf8.contains { $0 > 0x7F })
    expectSnapshot("ascii-verdict", play)
  }

  @Test(arguments: [Size(columns: 120, rows: 40), Size(columns: 200, rows: 60)]) func wide(_ size: Size) {
    var play = Play(size: size)
    expectSnapshot("start", play)
    play.press(.down, .enter)
    play.find()
    expectSnapshot("verdict", play)
    play.press(.character("e"))
    expectSnapshot("path", play)
    play.press(.escape, .enter, .character("n"))
    for row in 0..<size.rows - 1 { #expect(play.row(row).count <= 100 || row == 0) }
    expectSnapshot("fix-patch", play)
  }

  @Test func tooSmall() {
    let play = Play.diagnosed(size: Size(columns: 20, rows: 5))
    expectSnapshot("too-small", play)
  }
}
