import Flow
import Model
import ScreenCase
import Testing

@testable import Screen

/// A paste is evidence on every screen, and never keys.
struct PastingTests {
  private static let output = "root@web:~# docker ps -a\nCONTAINER ID   IMAGE   NAMES\nq\n1\ny\n"

  /// Screens by the keys that lead to them from the result, and from the question of a case that sees nothing.
  private static let screens: [(isBlind: Bool, keys: [Key])] = [
    (false, []), (false, [.enter]), (false, [.character("e")]), (false, [.character("e"), .home, .down, .enter]),
    (false, [.character("?")]), (false, [.character("w")]), (true, []), (true, [.character("?")]),
    (true, [.character("2"), .character("3")]), (true, [.character("2"), .character("3"), .character("2")]),
    (true, [.character("l")]),
  ]

  @Test(arguments: screens) func aPasteOnAnyScreenIsEvidenceAndPressesNothing(isBlind: Bool, keys: [Key]) {
    var play = isBlind ? Play.blind() : Play.diagnosed()
    for key in keys { play.press(key) }
    #expect(play.state.view().takesPaste)
    let (spots, before) = (play.state.spots, play.effects.count)
    play.press(.paste(Self.output))
    #expect(play.state.spots == spots)
    #expect(play.effects[before...] == [.paste(Self.output, servesHere: !isBlind)])
    #expect(play.state.hint == "Reading what you pasted …")
  }

  @Test func atTheStartOneLineIsTheAddressAndManyAreEvidence() {
    var play = Play()
    play.press(.down, .paste("shop.example.org"))
    #expect(play.state.field.text == "shop.example.org" && play.state.isTyping)
    play.press(.paste(Self.output))
    #expect(play.effects.last == .paste(Self.output, servesHere: false))
    play.send(.pasted(Self.output, Self.understanding))
    #expect(play.effects.last == .listRoutes && play.state.isListing)
    #expect(play.row(22).hasPrefix("Read: 2 containers, 1 file. 3 lines could not be read."))
  }

  private static var understanding: Understanding {
    var understanding = Understanding()
    understanding.counts = [("containers", 2), ("files", 1)]
    understanding.unread = 3
    return understanding
  }

  @Test func everythingIsLookedAtAgainAndAnswersHold() {
    var play = Play.blind()
    play.press(.character("1"))
    let (round, answers) = (play.state.round, play.state.session?.record.answers)
    #expect(answers?.count == 1)
    play.press(.paste(Self.output))
    play.send(.pasted(Self.output, Self.understanding))
    #expect(play.state.round == round + 1 && play.state.scene == .path)
    #expect(play.state.session?.record.answers == answers)
    #expect(play.state.session?.running == ["route.find", "site.answer"])
    play.find()
    #expect(play.state.scene == .verdict(cause: 0))
    #expect(play.shows("Read: 2 containers, 1 file. 3 lines could not be read."))
    #expect(play.state.kept?.pastes == [Self.output])
  }

  /// Nothing of what was known before is lost, and there is one sentence.
  @Test(arguments: [
    (Understanding.Refusal.binary, "What you pasted is no text, so nothing of it was used."),
    (.nothing, "Nothing of what you pasted could be read."),
    (.long, "That is more than 1 megabyte. Save it as a file, and start with --paste and the file's name."),
    (.machines(["db2", "web1"]), "That is of more than one machine (db2, web1), so nothing of it was used."),
  ])
  func whatCannotBeUsedChangesNothing(refusal: Understanding.Refusal, sentence: String) {
    var play = Play.blind()
    play.press(.character("1"), .paste(Self.output))
    let (record, scene, effects) = (play.state.session?.record, play.state.scene, play.effects.count)
    play.send(.pasted(Self.output, .refused(refusal)))
    #expect(play.state.session?.record == record && play.state.scene == scene)
    #expect(play.effects.count == effects && play.state.kept?.pastes == [])
    #expect(play.shows(sentence), "\(play.text)")
  }

  /// What a log says is asked of nobody.
  @Test func aPastedLineAnswersItsQuestion() {
    var play = Play.blind()
    var lines = Understanding()
    (lines.counts, lines.shows) = ([("lines", 1)], ["refused"])
    play.press(.paste("one\n" + ScreenCase.logLine))
    play.send(.pasted(ScreenCase.logLine, lines))
    play.find(["site.answer": ScreenCase.badGateway, "route.find": ScreenCase.unseen("route.find")])
    #expect(play.state.scene == .question(node: "runs-in"))
    play.press(.character("2"))
    #expect(play.state.scene == .verdict(cause: 0), "\(play.text)")
    #expect(play.state.session?.record.answers.last?.key == "no")
    // It can be answered otherwise.
    play.press(.character("e"), .end, .enter)
    #expect(play.state.scene == .question(node: "runs"))
    play.press(.character("1"))
    #expect(play.state.session?.record.answers.last?.key == "yes")
  }

  /// A terminal that has no mark for a paste sends lines, each with an Enter.
  @Test func linesThatComeOneByOneAreCollected() {
    var play = Play.blind()
    play.press(.character("l"))
    for line in ["CONTAINER ID   IMAGE   NAMES", "0123456789ab   nginx   q"] {
      play.type(line)
      play.press(.enter)
    }
    #expect(play.row(22) == "2 lines so far. Paste more; Enter on an empty line uses them.")
    play.press(.enter)
    #expect(
      play.effects.last == .paste("CONTAINER ID   IMAGE   NAMES\n0123456789ab   nginx   q", servesHere: false))
    #expect(play.state.scene == .question(node: "runs-in"))
  }

  @Test func anExerciseTakesNoPaste() {
    let exercise = Exercise(
      name: "one", title: "One", goal: "Find it.", hints: ["a", "b", "c"], first: "", causes: [], others: [])
    var play = Play(exercises: [exercise])
    let effects = play.effects
    play.press(.paste(Self.output))
    #expect(play.effects == effects && play.state.hint.hasPrefix("In practice"))
  }

  // MARK: In lines

  @Test func manyLinesAtOnceAreAPasteWhereTheFirstIsNoAnswer() {
    var lines = Lines(Play.blind().state)
    _ = lines.begin(url: nil, because: "")
    var turn = lines.enter(all: ["$ docker ps -a", "CONTAINER ID   IMAGE", "1", "q"])
    #expect(turn.effects == [.paste("$ docker ps -a\nCONTAINER ID   IMAGE\n1\nq", servesHere: false)])
    #expect(turn.end == nil && turn.heard == "[4 lines were pasted]\n")
    turn = lines.handle(.pasted("", .refused(.nothing)))
    #expect(turn.text.contains("Nothing of what you pasted could be read."))
  }
}

/// Every finding shows what it rests on, with the command that shows the same.
struct ProofTests {
  private func evidence() -> Play {
    var play = Play.diagnosed()
    play.press(.character("e"), .home, .down, .enter)
    return play
  }

  @Test func aFindingShowsItsLinesAndTheCommand() {
    let play = evidence()
    #expect(play.state.scene == .evidence(check: "route.find"))
    #expect(play.shows("What was seen server_name shop.example.org; proxy_pass http://shop:3000;"), "\(play.text)")
    #expect(play.shows("See for yourself $ sudo cat /etc/nginx/conf.d/shop.conf"))
    #expect(play.shows("$ docker logs edge"))
  }

  @Test func cCopiesOneCommandAfterTheOther() {
    var play = evidence()
    let copied = (0..<3).map { _ in
      play.press(.character("c"))
      return play.effects.last
    }
    #expect(
      copied == [
        .copy("sudo cat /etc/nginx/conf.d/shop.conf"), .copy("docker logs edge"),
        .copy("sudo cat /etc/nginx/conf.d/shop.conf"),
      ])
    #expect(play.row(22) == "To the clipboard: sudo cat /etc/nginx/conf.d/shop.conf; c again takes the next.")
  }

  @Test func aGuidesCommandIsCopied() {
    var play = Play.blind()
    play.press(.character("2"), .character("3"), .character("2"))
    #expect(play.state.scene == .page("release"))
    play.press(.character("c"))
    #expect(play.effects.last == .copy("last -n 20"))
    #expect(play.row(23).contains("c copy"))
  }

  /// What a person has pasted is said to be that, and is less sure only where a part is missing.
  @Test(arguments: [
    (Hearsay?.none, "", Confidence.certain), (.whole, "(as you pasted it)", .certain),
    (.cut, "(as you pasted it, and a part of that is missing)", .likely),
  ])
  func whatWasPastedIsMarked(hearsay: Hearsay?, words: String, confidence: Confidence) {
    var play = Play()
    play.press(.down, .enter)
    let port = Finding(
      check: "port.listening", outcome: "other-port", facts: ["upstream.listening": "8080"], hearsay: hearsay)
    play.find(ScreenCase.broken.merging(["port.listening": port]) { $1 })
    let cause = play.state.diagnosis?.causes.first
    #expect(cause?.confidence == confidence)
    #expect(cause?.evidence.last?.text.hasSuffix(words) == true)
    #expect(cause?.evidence.last?.text.contains("pasted") == !words.isEmpty)
  }
}
