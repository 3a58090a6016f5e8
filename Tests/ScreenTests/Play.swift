import Flow
import Glibc
import Model
import ScreenCase
import Testing

@testable import Screen

/// A session that is played by keys; effects are collected.
struct Play {
  var state: State
  var effects: [Effect] = []

  init(
    size: Size = Size(columns: 80, rows: 24), notices: [String] = [], ascii: Bool = false, exercises: [Exercise] = [],
    left: Left? = nil, words: [String: Template] = ScreenCase.words()
  ) {
    state = State(
      catalog: ScreenCase.catalog(words: words), shapes: ScreenCase.shapes, notices: notices, exercises: exercises,
      left: left, isASCII: ascii, site: ScreenCase.site)
    send(.resized(size))
    effects += state.begin(url: nil)
    for route in ScreenCase.routes { send(.route(route)) }
    send(.routesEnded)
  }

  mutating func send(_ event: Event) { effects += state.handle(event) }

  mutating func press(_ keys: Key...) { for key in keys { send(.key(key)) } }

  mutating func type(_ text: String) { for character in text { press(.character(character)) } }

  /// Ends the running checks, each with its finding, and those that start then.
  mutating func find(_ findings: [String: Finding] = ScreenCase.broken) {
    while let finding = state.session?.running.sorted().lazy.compactMap({ findings[$0] }).first {
      send(.found(finding, round: state.round))
    }
  }

  /// A session whose first check has seen a 502, and nothing else could be looked at.
  static func blind(size: Size = Size(columns: 80, rows: 24)) -> Play {
    var play = Play(size: size, notices: ["Docker's socket may not be opened by this user."])
    play.type("shop.example.org")
    play.press(.enter)
    play.find(ScreenCase.broken.filter { $0.key == "site.answer" })
    play.find(["route.find": ScreenCase.unseen("route.find")])
    return play
  }

  /// A session at its verdict.
  static func diagnosed(
    size: Size = Size(columns: 80, rows: 24), ascii: Bool = false, words: [String: Template] = ScreenCase.words()
  ) -> Play {
    var play = Play(size: size, ascii: ascii, words: words)
    play.press(.down, .enter)
    play.find()
    return play
  }

  /// The screen as text, a row a line; at last where the cursor stands.
  var text: String {
    let grid = state.view()
    let cursor = grid.cursor.map { "cursor: row \($0.row), column \($0.column)" } ?? "no cursor"
    return (0..<grid.size.rows).map { grid.text(row: $0) }.joined(separator: "\n") + "\n\(cursor)\n"
  }

  func row(_ index: Int) -> String { state.view().text(row: index) }
  /// True if the words stand on the screen, wherever their rows break.
  func shows(_ words: String) -> Bool {
    text.split { $0.isWhitespace }.joined(separator: " ").contains(words)
  }
}

extension Play: CustomTestStringConvertible {
  var testDescription: String { text }
}

/// Compares with `Snapshots/NAME-COLUMNSxROWS.txt`; `RECORD=1` writes it anew.
func expectSnapshot(_ name: String, _ play: Play, _ location: SourceLocation = #_sourceLocation) {
  let size = play.state.size
  let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
  let path = "/\(folder)/Snapshots/\(name)-\(size.columns)x\(size.rows).txt"
  if getenv("RECORD") != nil {
    let file = fopen(path, "w")
    #expect(file != nil, "cannot write \(path)", sourceLocation: location)
    fputs(play.text, file)
    fclose(file)
  }
  guard let file = fopen(path, "r") else {
    Issue.record("there is no \(path); RECORD=1 writes it", sourceLocation: location)
    return
  }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 65536)
  let count = fread(&bytes, 1, bytes.count, file)
  #expect(play.text == String(decoding: bytes.prefix(count), as: UTF8.self), sourceLocation: location)
}
