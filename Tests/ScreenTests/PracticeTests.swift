import Flow
import Model
import ScreenCase
import Testing

@testable import Screen

/// Practice, and going on with a session that was left.
struct PracticeTests {
  static let exercise = Exercise(
    name: "shop", title: "A shop", goal: "The shop answers 502. Find out why.",
    hints: ["Look at the app.", "Look at its port.", "Compare two ports."], first: "The two ports.",
    causes: ["wrong-port"], others: ["backend-stopped"])

  /// At the goal of the only exercise.
  static func goal(size: Size = Size(columns: 80, rows: 24)) -> Play {
    var play = Play(size: size, exercises: [exercise])
    play.send(.practising(exercise, given: ScreenCase.site("shop.example.org"), date: "2026-11-30"))
    return play
  }

  static let left: Left? = {
    var play = Play()
    play.type("shop.example.org")
    play.press(.enter)
    play.send(.found(ScreenCase.badGateway, round: 1))
    return play.state.kept.map { Left($0, age: 750) }
  }()

  @Test(arguments: [Size(columns: 80, rows: 24), .smallest])
  func anExerciseIsFoundMendedAndEndsWithWhatAnExpertLooksAt(size: Size) {
    var play = Self.goal(size: size)
    #expect(play.shows("The shop answers 502. Find out why."))
    for hint in Self.exercise.hints {
      play.press(.character("h"))
      #expect(play.shows(hint))
    }
    play.press(.character("b"))
    play.effects = []
    play.press(.enter)
    play.find()
    #expect(play.shows("What is the cause?") && !play.shows("step 1"))
    #expect(play.row(0).trimmed.hasPrefix("[practice 2026-11-30] "))
    #expect(play.state.closingLine == "http://shop.example.org/: left before the result.", "nothing is given away")

    let guesses = play.state.guesses
    #expect(guesses == [.cause("backend-stopped"), .cause("wrong-port"), .nothing, .unsure])
    play.press(.character("1"))
    #expect(play.shows("No,") && play.state.scene == .guess)
    play.press(.character("3"))
    #expect(play.state.scene == .guess, "something is wrong")
    play.press(.character("2"))
    #expect(play.shows("That is right.") && play.state.scene == .verdict(cause: 0))

    play.effects = []
    while play.state.nextStep != nil || play.state.isVerdict {
      play.press(.character("r"))
      #expect(!play.effects.contains(.mend), "nothing is mended before all of it was read")
      if play.state.scene == .path { play.find() }
      play.press(play.state.isVerdict ? .enter : .character("n"))
      #expect(play.row(0).trimmed.hasPrefix("[practice 2026-11-30] "))
    }
    play.effects = []
    play.press(.character("r"))
    #expect(play.effects.first == .mend)
    play.find(["site.answer": Finding(check: "site.answer", outcome: "good", facts: [.siteStatus: "200"])])
    #expect(play.shows("It works again."))
    play.press(.end)
    #expect(play.shows("The two ports."))
    #expect(play.state.kept == nil, "practice is not gone on with")
  }

  @Test func whoDoesNotKnowIsTold() {
    var play = Self.goal()
    play.press(.enter)
    play.find()
    play.press(.character("4"))
    #expect(play.shows("This is what it was.") && play.state.scene == .verdict(cause: 0))
  }

  @Test func oneOfSeveralIsChosen() {
    let second = Exercise(
      name: "wiki", title: "A wiki", goal: "Find out.", hints: ["", "", ""], first: "", causes: [],
      others: ["wrong-port"])
    var play = Play(exercises: [Self.exercise, second])
    #expect(play.shows("A shop") && play.shows("A wiki"))
    play.effects = []
    play.press(.character("2"))
    #expect(play.effects == [.practise(second)])
    play.send(.practising(second, given: nil, date: ""))
    #expect(play.shows("cannot be read"))
    play.send(.practising(second, given: ScreenCase.site("shop.example.org"), date: "2026-11-30"))
    play.press(.enter)
    play.find(["site.answer": Finding(check: "site.answer", outcome: "good", facts: [.siteStatus: "200"])])
    play.press(.character("2"))
    #expect(play.shows("That is right.") && play.shows("The site works."), "nothing was wrong")
  }

  /// Says what the outside does about an exercise and its checks.
  private func follow(_ lines: inout Lines, _ turn: Lines.Turn, _ findings: [String: Finding]) -> String {
    var said = turn.text
    for case .practise(let exercise) in turn.effects {
      let given = ScreenCase.site("shop.example.org")
      said += lines.handle(.practising(exercise, given: given, date: "2026-11-30")).text
    }
    while let finding = lines.state.session?.running.sorted().lazy.compactMap({ findings[$0] }).first {
      said += lines.handle(.found(finding, round: lines.state.round)).text
    }
    return said
  }

  @Test func anExerciseIsFoundAndMendedInLines() throws {
    var lines = TwoFaces.lines(exercises: [Self.exercise])
    var said = follow(&lines, lines.begin(url: nil, because: "this is a test"), [:])
    #expect(said.contains("[practice 2026-11-30] A shop\n") && !said.contains("Practice: which"))
    #expect(said.contains("Enter or n start"))
    for hint in Self.exercise.hints { #expect(lines.enter("h").text.contains(hint)) }
    #expect(lines.enter("").text.contains("The shop answers 502."))
    said = follow(&lines, lines.enter(""), ScreenCase.broken)
    let title = lines.state.catalog.title(of: "wrong-port", Facts())
    #expect(said.contains("[practice 2026-11-30] Checking") && said.contains("\n2 \(title)\n"), "\(said)")
    #expect(lines.enter("1").text.contains("No,") && lines.state.scene == .guess)
    #expect(lines.enter("backend-stopped").text.contains("No,") && lines.state.scene == .guess)
    #expect(lines.enter(title.lowercased()).text.contains("That is right.") && lines.state.scene == .verdict(cause: 0))
    repeat { _ = lines.enter("") } while lines.state.nextStep != nil
    let turn = lines.enter("r")
    #expect(turn.effects.first == .mend)
    let good = Finding(check: "site.answer", outcome: "good", facts: [.siteStatus: "200"])
    said = follow(&lines, turn, ["site.answer": good])
    #expect(said.contains("It works again.") && said.contains("The two ports."))
    #expect(lines.kept == nil)
  }

  @Test func aSessionThatWasLeftGoesOnInLines() throws {
    var lines = TwoFaces.lines(left: Self.left)
    let offer = lines.begin(url: nil, because: "this is a test").text
    #expect(offer.contains("was left 12 minutes ago") && offer.contains("Enter to go on with it"))
    #expect(!offer.contains("Any other key"))
    #expect(lines.enter("what?").effects.isEmpty && lines.state.scene == .left, "what is no answer forgets nothing")
    var other = lines
    #expect(other.enter("n").effects == [.forget, .listRoutes] && other.kept == nil)
    let turn = lines.enter("")
    #expect(!turn.effects.contains(.forget))
    #expect(lines.state.session?.finding(of: "site.answer") == ScreenCase.badGateway && lines.kept != nil)
  }

  // MARK: Going on

  @Test func aSessionThatWasLeftGoesOnWhereItWas() throws {
    var play = Play(left: Self.left)
    #expect(play.shows("http://shop.example.org/ was left 12 minutes ago"))
    play.effects = []
    play.press(.enter)
    #expect(play.state.session?.finding(of: "site.answer") == ScreenCase.badGateway, "what was found is known")
    let started = play.effects.compactMap { effect -> [String]? in
      if case .order(.start(let checks, _, _)) = effect { checks } else { nil }
    }.flatMap { $0 }
    #expect(!started.isEmpty && !started.contains("site.answer"))
    play.find()
    #expect(play.state.isVerdict)
  }

  @Test func anotherKeyStartsANewOne() throws {
    for key in [Key.character("n"), .escape, .character("z"), .down] {
      var play = Play(left: Self.left)
      play.effects = []
      play.press(key)
      #expect(play.effects == [.forget, .listRoutes] && play.state.scene == .start)
    }
    var play = Play(left: Self.left)
    play.press(.other)
    #expect(play.state.scene == .left, "what a terminal says by itself is no key")
  }

  @Test(arguments: [
    (20, "less than a minute ago"), (60, "a minute ago"), (3599, "59 minutes ago"), (3600, "an hour ago"),
    (9000, "2 hours ago"), (90000, "a day ago"), (500_000, "5 days ago"), (-5, "less than a minute ago"),
  ])
  func itsAgeIsSaid(seconds: Double, words: String) throws {
    #expect(Play(left: Left(try #require(Self.left).kept, age: seconds)).shows(words))
  }

  @Test func whatWorksIsNotKept() {
    var play = Play()
    #expect(play.state.kept == nil)
    play.type("shop.example.org")
    play.press(.enter)
    #expect(play.state.kept != nil)
    play.find(["site.answer": Finding(check: "site.answer", outcome: "good", facts: [.siteStatus: "200"])])
    #expect(play.state.kept == nil)
  }

  private func goneOn(_ play: Play) throws -> Play {
    var later = Play(left: Left(try #require(play.state.kept), age: 60))
    later.press(.enter)
    return later
  }

  /// A step may be what cuts the line: loading the network anew, say.
  @Test func theStepThatWasShownIsInSightAgain() throws {
    var play = Play.diagnosed()
    play.press(.enter, .character("n"))
    play.press(.character("?"))
    var later = try goneOn(play)
    #expect(later.state.scene == .fix(cause: 0, step: 1))
    #expect(later.state.shownSteps == play.state.shownSteps)
    later.press(.character("r"))
    later.find(["site.answer": Finding(check: "site.answer", outcome: "good", facts: [.siteStatus: "200"])])
    #expect(later.shows("It works again."))
    play.press(.escape, .character("b"), .character("b"))
    #expect(try goneOn(play).state.scene == .verdict(cause: 0), "no step was in sight")
  }

  @Test func theLineOfALogThatWasGivenIsStillThere() throws {
    var play = Play.blind()
    play.press(.character("l"), .paste(ScreenCase.logLine), .enter)
    let meaning = try #require(play.state.explanation)
    var later = try goneOn(play)
    later.press(.character("l"))
    #expect(later.state.explanation == meaning && later.state.line.text == ScreenCase.logLine)
    #expect(later.shows(meaning.meaning))
  }
}
