import Flow
import Model
import ScreenCase
import Testing

@testable import Screen

/// A session in lines, and the same one on a screen on which everything fits.
struct TwoFaces {
  var screen: Play
  var lines: Lines
  /// What was said since the last step.
  private(set) var said: String

  /// - Parameter answers: What the checks find.
  init(_ findings: [String: Finding], notices: [String] = []) {
    self.findings = findings
    screen = Play(size: Size(columns: 100, rows: 300), notices: notices)
    lines = TwoFaces.lines(notices: notices)
    said = lines.begin(url: nil, because: "this is a test").text
    for route in ScreenCase.routes { said += lines.handle(.route(route)).text }
    said += lines.handle(.routesEnded).text
  }

  static func lines(
    notices: [String] = [], ahead: [String] = [], ascii: Bool = false, exercises: [Exercise] = [], left: Left? = nil
  ) -> Lines {
    Lines(
      State(
        catalog: ScreenCase.catalog(), shapes: ScreenCase.shapes, notices: notices, exercises: exercises, left: left,
        isASCII: ascii, readsLines: true, ahead: ahead, site: ScreenCase.site))
  }

  private let findings: [String: Finding]

  /// A person does the same at both: by keys, and by a line.
  mutating func step(_ keys: [Key], _ line: String) {
    let findings = findings
    for key in keys { screen.press(key) }
    said = lines.enter(line).text
    screen.find(findings)
    while let finding = lines.state.session?.running.sorted().lazy.compactMap({ findings[$0] }).first {
      said += lines.handle(.found(finding, round: lines.state.round)).text
    }
  }

  /// Everything that the screen says was said, and nothing but that.
  func expectSame(_ location: SourceLocation = #_sourceLocation) {
    #expect(screen.state.scene == lines.state.scene, sourceLocation: location)
    let heard = said.words
    for sentence in screen.state.sheet.prose where !screen.state.patchHints.contains(sentence) {
      let words = sentence.words.filter { !["→", "✓", "✗", "?", "•"].contains($0) }
      #expect(heard.isSuperset(of: words), "not said: \(sentence)\n\(said)", sourceLocation: location)
    }
    let code = screen.state.sheet.blocks.compactMap { if case .code(let text, _) = $0 { text } else { nil } }
    for text in code { #expect(said.contains("\n\n\(text)\n"), "not said alone: \(text)", sourceLocation: location) }
    let shown = (screen.text + screen.state.sheet.title + screen.state.patchHints.joined()).words
    let seen = screen.state.session.map { $0.evidence(on: $0.walk(), $0.facts).map(\.text) } ?? []
    let own = ([lines.state.prompt, "leads to"] + seen).joined(separator: " ").words
    let waiting = ["wizard502 in line mode", "Checking ", lines.state.word("start.listing")]
    let told = said.components.filter { line in !waiting.contains { line.hasPrefix($0) } }
    for word in told.joined(separator: " ").words.subtracting(shown).subtracting(own)
    where Int(word) == nil && !["OK", "NO", "unseen", "note", "running"].contains(word) {
      Issue.record("only said: \(word)", sourceLocation: location)
    }
  }
}

extension String {
  /// Its words without signs around them.
  fileprivate var words: Set<String> {
    Set(
      split { $0.isWhitespace }.map { String($0).trimming { "():;,.\"".contains($0) } }.filter { !$0.isEmpty })
  }
  fileprivate var components: [Substring] { split(separator: "\n") }
  private func trimming(_ isSign: (Character) -> Bool) -> String {
    String(String(drop(while: isSign).reversed()).drop(while: isSign).reversed())
  }
}

extension State {
  /// What is said of a patch in other words, since nothing is copied by a key in lines.
  fileprivate var patchHints: [String] {
    ["fix.patch", "lines.patch"].map { word($0, ["step.editor": "sudo nano \(step?.step.file?.shellWord ?? "?")"]) }
  }
}

struct LineTests {
  @Test func bothFacesSayTheSameOnTheWayToAFix() {
    var faces = TwoFaces(ScreenCase.broken)
    faces.expectSame()
    faces.step([.down, .enter], "1")
    faces.expectSame()
    for _ in 0..<4 {
      faces.step([.enter], "")
      faces.expectSame()
    }
    faces.step([.character("b")], "b")
    faces.expectSame()
    faces.step([.character("r")], "recheck")
    faces.expectSame()
    faces.step([.character("e")], "e")
    faces.expectSame()
    faces.step([.home, .down, .down, .enter], "3")
    faces.expectSame()
    faces.step([.character("d")], "d")
    faces.expectSame()
    faces.step([.character("2")], "2")
    faces.expectSame()
    faces.step([.character("n")], "n")
    faces.expectSame()
  }

  @Test func bothFacesAskTheSame() {
    let seen = ["site.answer": ScreenCase.badGateway, "route.find": ScreenCase.unseen("route.find")]
    var faces = TwoFaces(seen, notices: ["Docker's socket may not be opened by this user."])
    faces.expectSame()
    for character in "shop.example.org" { faces.screen.press(.character(character)) }
    faces.step([.enter], "shop.example.org")
    faces.expectSame()
    faces.step([.character("l")], "l")
    faces.expectSame()
    faces.step([.paste(ScreenCase.logLine), .enter], ScreenCase.logLine)
    faces.expectSame()
    faces.step([.character("2")], "2")
    faces.expectSame()
    faces.step([.character("b"), .escape], "b")
    faces.step([], "b")
    faces.expectSame()
    faces.step([.character("1")], "a container")
    faces.expectSame()
    faces.step([.character("3")], "unsure")
    faces.expectSame()
    faces.step([.character("1")], "1")
    faces.expectSame()
    faces.step([.character("b"), .character("b"), .character("2")], "b")
    for line in ["b", "2"] { faces.step([], line) }
    faces.expectSame()
    faces.step([.enter], "f")
    faces.step([.character("q")], "q")
    faces.expectSame()
    faces.step([.character("n")], "")
    faces.expectSame()
  }

  @Test func nothingIsSaidTwiceWhileChecksRun() {
    var lines = TwoFaces.lines()
    _ = lines.begin(url: "shop.example.org", because: "")
    let first = lines.handle(.found(ScreenCase.badGateway, round: 1)).text
    #expect(first == "NO: http://shop.example.org/ answers 502 Bad Gateway after 0.02 s\n")
    #expect(!lines.isAsking)
    var waiting: [String] = []
    for _ in 0..<25 { waiting.append(lines.handle(.tick).text) }
    #expect(waiting.filter { !$0.isEmpty }.count == 2)
    #expect(waiting[9].hasPrefix("Still waiting for an answer to: ") && waiting[9].contains("10 s"))
    #expect(lines.enter("1").text.hasPrefix("The checks are still running."))
    #expect(lines.handle(.found(ScreenCase.routeFound, round: 1)).text.hasPrefix("OK: shop.example.org goes to"))
    let skipped = lines.enter("x")
    #expect(skipped.effects == [.order(.cancel(check: "port.listening"))])
    #expect(skipped.text.contains("Question 1") && lines.isAsking)
  }

  /// Whatever a server says: no line of a session has a sign that a terminal obeys.
  @Test func whatComesFromOutsideIsShown() {
    var lines = TwoFaces.lines()
    _ = lines.begin(url: "shop.example.org", because: "\u{1B}[2J")
    let hostile = Finding(
      check: "route.find", outcome: "found",
      facts: ScreenCase.routeFound.facts.merging([.routeUpstream: "http://\u{1B}]0;x\u{7}\u{202E}shop"]), seconds: 0)
    var text = lines.handle(.found(ScreenCase.badGateway, round: 1)).text
    text += lines.handle(.found(hostile, round: 1)).text
    #expect(text.contains("^[]0;x^G<U+202E>shop"))
    #expect(!text.unicodeScalars.contains { $0.isUnsafe && $0 != "\n" })
  }

  @Test func anEmptyLineTakesOnlyWhatIsMarked() {
    var lines = TwoFaces.lines()
    _ = lines.begin(url: "shop.example.org", because: "")
    _ = lines.handle(.found(ScreenCase.badGateway, round: 1))
    _ = lines.handle(.found(ScreenCase.unseen("route.find"), round: 1))
    #expect(lines.state.scene == .question(node: "runs-in"))
    #expect(lines.enter("").text.hasPrefix("Type one of the numbers or letters"))
    #expect(lines.state.session?.record.answers == [])
    _ = lines.enter("2")
    let back = lines.enter("b").text
    #expect(back.contains("\n2 A program of the machine itself (your answer)\n"))
    #expect(back.contains("Enter to keep your answer"))
    _ = lines.enter("")
    #expect(lines.state.scene == .question(node: "runs"))
    _ = lines.enter("b")
    _ = lines.enter("b")
    _ = lines.enter("1")
    #expect(lines.state.scene == .evidence(check: "site.answer"))
    // A finding is not overruled by Enter.
    _ = lines.enter("")
    #expect(lines.state.scene == .path && lines.state.session?.record.overruled == [:])
  }

  @Test func answersAheadAreTakenUntilOneDoesNotFit() {
    var lines = TwoFaces.lines(ahead: ["2", "Maybe", "1"])
    _ = lines.begin(url: "shop.example.org", because: "")
    _ = lines.handle(.found(ScreenCase.badGateway, round: 1))
    let text = lines.handle(.found(ScreenCase.unseen("route.find"), round: 1)).text
    #expect(text.contains("q quit: 2\n"))
    #expect(text.contains("q quit: Maybe\nThe answer \"Maybe\" from the file"))
    #expect(lines.state.scene == .question(node: "runs") && lines.isAsking)
    #expect(lines.state.session?.record.answers.map(\.key) == ["host"])
  }

  @Test func theFullScreenTakesAnswersAheadToo() {
    var state = State(
      catalog: ScreenCase.catalog(), shapes: ScreenCase.shapes, ahead: ["shop.example.org", "1", "2"],
      site: ScreenCase.site)
    _ = state.begin(url: nil)
    #expect(state.takeAhead() == nil)
    _ = state.handle(.routesEnded)
    #expect(state.takeAhead()?.line == "shop.example.org")
    #expect(state.takeAhead() == nil)
    _ = state.handle(.found(ScreenCase.badGateway, round: 1))
    _ = state.handle(.found(ScreenCase.unseen("route.find"), round: 1))
    while state.takeAhead() != nil {}
    #expect(state.diagnosis?.causes.map(\.id) == ["backend-stopped"])
  }

  @Test func theEndOfTheInputIsTheEndOfTheQuestions() {
    var lines = TwoFaces.lines()
    _ = lines.begin(url: "shop.example.org", because: "")
    _ = lines.handle(.found(ScreenCase.badGateway, round: 1))
    #expect(lines.inputEnded().end == nil)
    let turn = lines.handle(.found(ScreenCase.unseen("route.find"), round: 1))
    #expect(turn.text.contains("No cause could be found for certain."))
    #expect(turn.end?.code == 2)
    var start = TwoFaces.lines()
    _ = start.begin(url: nil, because: "")
    _ = start.handle(.routesEnded)
    #expect(start.inputEnded().end?.code == 0)
  }

  @Test func whoeverOnlyTypesNonsenseIsLeft() {
    var lines = TwoFaces.lines()
    _ = lines.begin(url: nil, because: "")
    _ = lines.handle(.routesEnded)
    var turns: [Lines.Turn] = []
    while turns.last?.end == nil, turns.count < 100 { turns.append(lines.enter("~" + String(turns.count))) }
    #expect(turns.count == 30)
    #expect(turns.last?.text.contains("nobody seems to be reading") == true)
  }

  @Test func aLongLineIsCutAndSaidToBe() {
    var lines = TwoFaces.lines()
    _ = lines.begin(url: nil, because: "")
    _ = lines.handle(.routesEnded)
    let turn = lines.enter(String(repeating: "~", count: 60_000), isCut: true)
    #expect(turn.heard.count < 300 && turn.text.count < 2000)
  }

  @Test func theReportIsSavedBeforeAnythingElseIsAsked() {
    var lines = TwoFaces.lines()
    _ = lines.begin(url: "shop.example.org", because: "")
    for finding in [ScreenCase.badGateway, ScreenCase.routeFound, ScreenCase.otherPort] {
      _ = lines.handle(.found(finding, round: 1))
    }
    let save = lines.enter("s")
    #expect(save.text.isEmpty && save.effects == lines.state.diagnosis.map { [.save($0)] })
    #expect(lines.handle(.saved("/home/ada/report.md")).text.hasPrefix("Saved to /home/ada/report.md\n\n"))
    let preview = lines.enter("v")
    #expect(preview.text.isEmpty && preview.effects == lines.state.diagnosis.map { [.preview($0)] })
    let report = lines.preview("# A report\n\u{1B}[2J\n").text
    #expect(report.hasPrefix("\n# A report\n^[[2J\n") && report.hasSuffix(lines.state.prompt + " "))
    #expect(lines.enter("quit").end?.line.hasSuffix("The report is in /home/ada/report.md.") == true)
  }

  @Test func whereARestrictedSessionRunsNothingStopsIt() {
    var state = State(
      catalog: ScreenCase.catalog(), shapes: ScreenCase.shapes, isRestricted: true, site: ScreenCase.site)
    _ = state.begin(url: nil)
    #expect(state.handle(.key(.control("z"))) == [])
    #expect(state.hint == "That key does nothing here; F1 shows the keys.")
  }

  @Test func theSameHelpAsOnTheScreenWithoutItsKeys() {
    var lines = TwoFaces.lines()
    _ = lines.begin(url: nil, because: "")
    _ = lines.handle(.routesEnded)
    let help = lines.enter("?").text
    #expect(help.contains("\n q: leave the program\n"))
    #expect(!help.contains("^L") && !help.contains("Up"))
    #expect(lines.state.scene == .start && help.hasSuffix(lines.state.prompt + " "))
  }
}
