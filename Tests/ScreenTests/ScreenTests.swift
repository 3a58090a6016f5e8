import Flow
import Model
import ScreenCase
import Testing

@testable import Screen

struct KeyTests {
  /// Scenes that together show every line of the table of keys.
  static func scenes() -> [Play] {
    let typing = Play()
    var list = Play()
    list.press(.down)
    var checking = Play(size: Size.smallest)
    checking.type("shop.example.org")
    checking.press(.enter)
    checking.send(.found(ScreenCase.badGateway, round: 1))
    var path = Play.diagnosed(size: Size.smallest)
    path.press(.character("e"), .down)
    var evidence = path
    evidence.press(.enter)
    var possible = Play.blind()
    possible.press(.character("2"), .character("3"))
    var fix = Play.diagnosed()
    fix.press(.enter)
    var help = Play.diagnosed(size: Size.smallest)
    help.press(.character("?"))
    var searching = help
    searching.press(.character("/"))
    searching.type("a.b")
    searching.press(.left)
    var leaving = fix
    leaving.press(.character("q"))
    var line = Play.blind()
    line.press(.character("l"))
    var read = line
    read.press(.paste(ScreenCase.logLine), .enter)
    var again = read
    again.press(.up)
    var words = Play.diagnosed()
    words.press(.character("w"))
    var lines = Play()
    lines.state = State(
      catalog: ScreenCase.catalog(), shapes: ScreenCase.shapes, readsLines: true, site: ScreenCase.site)
    lines.send(.resized(Size(columns: 80, rows: 24)))
    lines.effects += lines.state.begin(url: "shop.example.org")
    lines.find()
    return [
      lines, typing, list, checking, path, evidence, searching, Play.blind(), possible, Play.diagnosed(), fix, help,
      leaving, line,
      read,
      again, words, PracticeTests.goal(), Play(left: PracticeTests.left),
    ]
  }

  /// For keyboards without F-keys, Alt and Ctrl, and for consoles in a browser that keep them.
  @Test func lettersDigitsAndEnterAreEnough() {
    // j and k lead to what a page has; the others are for who has the keys.
    let besides: [Action] = [.pageUp, .pageDown, .redraw, .suspend, .interrupt]
    for scene in Self.scenes() where scene.state.mode != .typing && scene.state.mode != .searching {
      let valid = Binding.all.filter { $0.isValid(scene.state) && !besides.contains($0.action) }
      for binding in valid {
        let keys = valid.filter { $0.action == binding.action }.flatMap(\.keys)
        let isEasy = keys.contains { key in if case .character = key { true } else { key == .enter } }
        #expect(isEasy, "'\(binding.name)' has no letter in \(scene.state.scene)")
      }
    }
  }

  @Test func everyKeyOfTheTableDoesSomethingOnSomeScreen() {
    let scenes = Self.scenes()
    for binding in Binding.all {
      for key in binding.keys {
        let works = scenes.contains { scene in
          // Something to move or to erase is on both sides of the cursor.
          return [[], [Key.control("a")], [.down], [.down, .down]].contains { before in
            var play = scene
            if play.state.isTyping {
              play.type("a.b")
              play.press(.left)
            }
            for key in before { play.press(key) }
            guard Binding.all.first(where: { $0.keys.contains(key) && $0.isValid(play.state) })?.name == binding.name
            else { return false }
            play.effects = []
            let text = play.text
            play.press(key)
            return play.text != text || !play.effects.isEmpty
          }
        }
        #expect(works, "\(key) of '\(binding.name)' does nothing anywhere")
      }
    }
  }

  @Test func aTextIsFoundWhileItIsTyped() {
    var play = Play.diagnosed(size: Size.smallest)
    play.press(.character("?"))
    let before = play.state.spot
    let last = play.state.body.last?.spans.map(\.text).joined() ?? ""
    play.press(.character("/"))
    play.type(String(last.suffix(12).uppercased()))
    #expect(play.text.contains(last))
    #expect(play.row(10).hasPrefix("/"))
    play.press(.escape)
    #expect(play.state.spot == before)
    play.press(.character("/"))
    play.type("no such words")
    #expect(play.row(10).contains("nowhere here"))
    play.press(.enter)
    #expect(play.shows("'no such words' is nowhere on this screen."))
    #expect(play.state.mode == .help)
  }

  @Test func anEmptySearchGoesOnToTheNextPlace() {
    var play = Play.diagnosed(size: Size.smallest)
    play.press(.character("?"), .character("/"))
    play.type("to ")
    var places: [Int?] = []
    for _ in 0..<4 {
      play.press(.enter)
      places.append(play.state.spot.found)
      play.press(.character("/"))
    }
    #expect(!places.contains(nil))
    #expect(Set(places).count == 4, "\(places)")
  }

  @Test func aSearchAmongItemsChoosesThem() throws {
    var play = Play()
    play.press(.down, .character("/"))
    play.type(ScreenCase.routes[1].url)
    play.press(.enter)
    try #require(play.state.spot.focus > 0)
    #expect(play.state.field.text.isEmpty)
    #expect(play.state.routes[play.state.spot.focus - 1].url == ScreenCase.routes[1].url)
  }

  @Test func aTextThatGoesOverTheEndOfARowIsFound() {
    let rows = [Row(spans: [Span("the proxy dials")]), Row(spans: [Span("an old address")], note: "2 s")]
    #expect(Screen.State.place(of: "dials an OLD", in: rows, at: 0) == 10..<15)
    #expect(Screen.State.place(of: "2 s", in: rows, at: 1) != nil)
    #expect(Screen.State.place(of: "dials", in: rows, at: 1) == nil)
  }

  @Test func aLoneLetterLeavesAnEmptyField() {
    var play = Play()
    play.type("q")
    #expect(play.shows("Enter leaves the program."))
    play.press(.enter)
    #expect(play.effects.contains { if case .quit = $0 { true } else { false } })
    var named = Play()
    named.type("q.example.org")
    named.press(.enter)
    #expect(named.state.session?.facts["site.host"] == "q.example.org")
  }

  @Test func everyWordOfTheKeysIsWritten() {
    let words = ScreenCase.words()
    for binding in Binding.all {
      #expect(words["help.\(binding.name)"] != nil, "help.\(binding.name)")
      if binding.isInBar { #expect(words["key.\(binding.name)"] != nil, "key.\(binding.name)") }
    }
  }

  @Test func theLastLineNamesOnlyKeysThatAreValid() {
    for scene in Self.scenes() {
      let line = scene.row(scene.state.size.rows - 1)
      #expect(!line.isEmpty)
      for binding in Binding.all
      where binding.isInBar && line.contains("\(binding.shown) \(scene.state.word("key.\(binding.name)"))") {
        #expect(
          Binding.all.contains { $0.shown == binding.shown && $0.isValid(scene.state) }, "\(binding.name): \(line)")
      }
    }
  }

  @Test func helpAndTheWayOutStayInTheLastLineOfTheSmallestScreen() {
    for var scene in Self.scenes() where [.screen, .typing].contains(scene.state.mode) {
      scene.send(.resized(.smallest))
      let line = scene.row(11)
      #expect(line.contains("help") && (line.contains("quit") || line.contains("leave")), "\(line)")
    }
  }

  @Test func helpClosesWhereItWasOpened() {
    for key in [Key.escape, .character("q"), .character("?")] {
      var play = Play.diagnosed(size: .smallest)
      play.press(.down)
      let before = play.text
      play.press(.character("?"))
      #expect(play.text != before)
      play.press(key)
      #expect(play.text == before)
    }
  }

  @Test func escapeNeverEndsTheProgram() {
    for var scene in Self.scenes() {
      for _ in 0..<10 { scene.press(.escape) }
      #expect(!scene.effects.contains { if case .quit = $0 { true } else { false } })
    }
  }

  @Test func quittingAsksOnlyDuringAFix() {
    var verdict = Play.diagnosed()
    verdict.press(.character("q"))
    #expect(
      verdict.effects.last
        == .quit(1, line: "http://shop.example.org/: The proxy dials a port nobody listens on (certain)."))
    var fix = Play.diagnosed()
    fix.press(.enter, .character("q"))
    #expect(fix.state.scene == .leaving)
    fix.press(.character("n"))
    #expect(fix.state.scene == .fix(cause: 0, step: 0))
    fix.press(.character("q"), .character("y"))
    #expect(fix.effects.contains { if case .quit(1, _) = $0 { true } else { false } })
  }

  @Test func controlCAlwaysLeavesWith130() {
    for var scene in Self.scenes() {
      scene.press(.control("c"))
      #expect(scene.effects.contains { if case .quit(130, _) = $0 { true } else { false } })
    }
  }

  @Test func anUnknownKeyGivesAHintAndTheNextKeyTakesItAway() {
    var play = Play.diagnosed()
    play.press(.character("Z"))
    #expect(play.row(22) == "That key does nothing here; ? shows the keys.")
    play.press(.control("l"))
    #expect(!play.row(22).contains("That key"))
  }

  @Test func keysTypedAheadLeadToTheSameScreen() {
    var slow = Play()
    slow.type("shop.example.org")
    slow.press(.enter)
    slow.find()
    slow.press(.enter, .character("n"))
    var ahead = Play()
    ahead.type("shop.example.org")
    ahead.press(.enter)
    // These came before the screens that they were meant for; none of them does harm.
    ahead.find()
    for key in [Key.enter, .character("n")] { ahead.send(.key(key)) }
    #expect(ahead.text == slow.text)
  }
}

struct FieldTests {
  @Test func editingKeys() {
    var field = Field("shop.example.org/a")
    field.edit(.eraseWord)
    #expect(field.text == "shop.example.org/")
    field.edit(.start)
    field.edit(.erase)
    field.insert("S")
    #expect(field.text == "Shop.example.org/")
    field.edit(.eraseToEnd)
    #expect(field.text == "S")
    field.edit(.left)
    field.edit(.left)
    field.edit(.right)
    field.edit(.eraseBack)
    #expect(field.text == "")
  }

  @Test func aPastedNewlineDoesNotPressEnter() {
    var play = Play()
    play.press(.paste("\n shop.example.org\nrm -rf /\n"))
    #expect(play.state.field.text == "shop.example.org")
    #expect(play.state.scene == .start)
    #expect(play.row(22) == "Only the first line is kept, up to 16384 characters.")
  }

  @Test func aHostilePasteIsShownAndRefused() {
    var play = Play()
    play.press(.paste("evil\u{1B}]52;c;AAAA\u{07}\u{202E}gro"))
    #expect(play.shows("evil^[]52;c;AAAA^G<U+202E>gro"))
    play.press(.enter)
    #expect(play.state.session == nil)
    #expect(play.row(22) == "That is no address of a web site. It looks like shop.example.org")
  }

  @Test func aLongPasteIsCut() {
    var play = Play()
    play.press(.paste(String(repeating: "a", count: 20_000)))
    #expect(play.state.field.text.count == 16_384)
    #expect(play.row(22).hasPrefix("Only the first line is kept"))
    #expect(play.state.view().cursor?.column ?? 80 < 80)
  }
}

struct GridTests {
  @Test func controlCharactersAreShownAndNotObeyed() {
    var grid = Grid(size: Size(columns: 30, rows: 1), isASCII: false)
    grid.put("a\u{1B}[2Jb\u{202E}c\u{9B}", row: 0, column: 0)
    #expect(grid.text(row: 0) == "a^[[2Jb<U+202E>c<U+9B>")
    let scalars = grid.rows[0].flatMap { Array($0.text.unicodeScalars) }
    #expect(!scalars.contains { $0.properties.generalCategory == .control || $0 == "\u{202E}" })
  }

  @Test func wideCharactersTakeTwoColumnsAndAreNotCutInHalf() {
    var grid = Grid(size: Size(columns: 5, rows: 1), isASCII: false)
    #expect(grid.put("日本語", row: 0, column: 0) == 4)
    #expect(grid.text(row: 0) == "日本")
    #expect(grid.rows[0].map(\.text) == ["日", "", "本", "", " "])
  }

  @Test func combiningCharactersJoinTheCellBefore() {
    var grid = Grid(size: Size(columns: 5, rows: 1), isASCII: false)
    #expect(grid.put("e\u{301}x", row: 0, column: 0) == 2)
    #expect(grid.rows[0][0].text.unicodeScalars.map(\.value) == [0x65, 0x301])
  }

  @Test func asciiNamesWhatItCannotDraw() {
    var grid = Grid(size: Size(columns: 40, rows: 1), isASCII: true)
    grid.put("✓ 日 – …", row: 0, column: 0)
    #expect(grid.text(row: 0) == "+ <U+65E5> - ...")
  }
}

struct CodeTests {
  @Test func aLongCommandContinuesOutsideOfQuotesOnly() {
    let command = "docker exec 'a b c d e f g h i j k l' curl --header 'X: y z' http://shop/"
    let rows = Sheet.codeRows(command, width: 40, isInline: true)
    #expect(rows == ["docker exec 'a b c d e f g h i j k l' \\", "  curl --header 'X: y z' http://shop/"])
  }

  @Test func whatCannotBeContinuedIsCut() {
    let rows = Sheet.codeRows("echo '" + String(repeating: "x", count: 50) + "'", width: 40, isInline: true)
    #expect(rows[0] == "echo \\")
    #expect(rows[1...].joined() == "  '" + String(repeating: "x", count: 50) + "'")
  }

  @Test func aHereDocumentIsNotContinued() {
    let rows = Sheet.codeRows("a b c d e f g h i j k l m n o p q r s t u v w x y z", width: 40, isInline: false)
    #expect(rows.joined() == "a b c d e f g h i j k l m n o p q r s t u v w x y z")
    #expect(!rows.contains { $0.hasSuffix("\\") })
  }

  @Test func aCommandStandsInTheFirstColumn() {
    var play = Play.diagnosed()
    play.press(.enter)
    #expect(play.text.split(separator: "\n").contains("docker exec shop ss -ltn"))
  }
}

struct SessionTests {
  @Test func anAddressStartsTheChecks() {
    var play = Play()
    play.effects = []
    play.type("shop.example.org")
    play.press(.enter)
    #expect(
      play.effects == [
        .order(
          .start(
            checks: ["route.find", "site.answer"],
            facts: [.url: "http://shop.example.org/", .siteHost: "shop.example.org"], round: 1))
      ])
  }

  @Test func aNumberPicksARouteWhenTheListIsFocused() {
    var play = Play()
    play.press(.down, .character("2"))
    #expect(play.state.session?.facts[.siteHost] == "mail.example.org")
  }

  @Test func checksThatTheFirstOnesAllowAreStarted() {
    var play = Play()
    play.press(.down, .enter)
    play.effects = []
    play.send(.found(ScreenCase.routeFound, round: 1))
    guard case .order(.start(let checks, let facts, _))? = play.effects.first else {
      Issue.record("nothing was started")
      return
    }
    #expect(checks == ["port.listening"])
    #expect(facts["upstream.port"] == "3000")
  }

  @Test func aFindingOfAnEarlierRoundIsIgnored() {
    var play = Play.diagnosed()
    play.press(.character("r"))
    play.send(.found(ScreenCase.badGateway, round: 1))
    #expect(play.state.session?.record.findings.isEmpty == true)
  }

  @Test func theScreenGoesOnByItselfUntilTheUserMoves() {
    var play = Play()
    play.press(.down, .enter, .down)
    play.find()
    #expect(play.state.scene == .path)
    play.press(.character("n"))
    #expect(play.state.scene == .verdict(cause: 0))
  }

  @Test func theFocusStaysOnItsLineWhenOthersComeInAboveIt() {
    var play = Play()
    play.press(.down, .enter, .down)
    #expect(play.state.focusedPathItem == .check("route.find"))
    play.send(.found(ScreenCase.routeFound, round: 1))
    #expect(play.state.focusedPathItem == .check("route.find"))
    play.press(.up)
    #expect(play.state.focusedPathItem == .check("site.answer"))
  }

  @Test func theEvidenceOpensAtTheFirstCross() {
    var play = Play.diagnosed()
    play.press(.character("e"))
    #expect(play.state.focusedPathItem == .check("port.listening"))
  }

  /// Whatever is pressed and found, in whatever order: no screen without keys, and no trap.
  @Test(arguments: [1, 2, 3]) func anyOrderOfEventsIsTaken(seed: UInt64) {
    var seed = seed
    func next(_ count: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((seed >> 33) % UInt64(count))
    }
    let keys = Binding.all.flatMap(\.keys) + [.other, .paste("shop.example.org\n"), .character("x")]
    let sizes = [Size.smallest, Size(columns: 80, rows: 24), Size(columns: 10, rows: 3), Size(columns: 200, rows: 60)]
    var play = Play()
    for _ in 0..<400 {
      switch next(8) {
      case 0:
        guard let check = play.state.session?.running.sorted().first else { continue }
        let finding = next(2) == 0 ? ScreenCase.broken[check] : nil
        play.send(.found(finding ?? ScreenCase.unseen(check), round: play.state.round))
      case 1: play.send(.resized(sizes[next(sizes.count)]))
      case 2: play.send(.tick)
      default: play.press(keys[next(keys.count)])
      }
      let grid = play.state.view()
      guard grid.size.columns >= 40 else { continue }
      #expect(!grid.text(row: grid.size.rows - 1).isEmpty)
      let cursor = grid.cursor
      #expect(cursor.map { $0.row < grid.size.rows && $0.column < grid.size.columns } == true)
    }
  }

  @Test func aRunningCheckCanBeSkipped() {
    var play = Play()
    play.press(.down, .enter)
    play.find(ScreenCase.broken.filter { $0.key != "port.listening" })
    play.send(.tick)
    play.press(.end, .character("x"))
    #expect(play.effects.contains(.order(.cancel(check: "port.listening"))))
    #expect(play.state.session?.finding(of: "port.listening")?.outcome == "unknown")
    play.press(.character("n"))
    #expect(play.state.scene == .question(node: "runs-in"))
  }

  @Test func answersAreKeptOnTheWayBackAndForward() {
    var play = Play.blind()
    play.press(.character("2"))
    #expect(play.state.scene == .question(node: "runs"))
    play.press(.character("b"))
    #expect(play.state.scene == .question(node: "runs-in"))
    #expect(play.state.spot.focus == 1)
    #expect(play.shows("your answer"))
    play.press(.enter)
    #expect(play.state.scene == .question(node: "runs"))
    play.press(.character("2"))
    #expect(play.state.scene == .verdict(cause: 0))
    play.press(.character("b"), .character("b"))
    play.press(.enter, .enter)
    #expect(play.state.scene == .verdict(cause: 0))
    #expect(play.state.session?.record.answers.map(\.key) == ["host", "no"])
  }

  @Test func aChangedAnswerDropsWhatDependedOnIt() {
    var play = Play.blind()
    play.press(.character("2"), .character("2"), .character("b"), .character("b"), .character("1"))
    #expect(play.state.scene == .question(node: "status"))
    #expect(play.state.session?.record.answers.map(\.node) == ["runs-in"])
  }

  @Test func notKnowingIsAlwaysAnAnswer() {
    var play = Play.blind()
    play.press(.character("1"))
    #expect(play.shows("3 I do not know"))
    play.press(.character("3"))
    #expect(play.state.scene == .verdict(cause: nil))
    #expect(play.shows("No cause could be found for certain."))
  }

  @Test func aPersonCanOverruleAFinding() {
    var play = Play.blind()
    play.press(.escape, .home, .down, .enter)
    #expect(play.state.scene == .evidence(check: "route.find"))
    play.press(.character("d"))
    #expect(play.state.scene == .correction(check: "route.find"))
    play.press(.enter)
    #expect(play.state.scene == .evidence(check: "route.find") && play.state.session?.record.overruled == [:])
    play.press(.character("d"), .character("2"))
    #expect(play.shows("you say: no route is for shop.example.org"))
    play.press(.character("n"))
    #expect(play.state.scene == .verdict(cause: 0))
    #expect(play.state.diagnosis?.causes.map(\.id) == ["route-missing"])
    #expect(play.state.diagnosis?.causes.first?.evidence.last?.text == "you say: no route is for shop.example.org")
  }

  @Test func aSecondLookForgetsTheOverruling() {
    var play = Play.diagnosed()
    play.press(.character("e"), .end, .enter, .character("d"), .character("2"), .character("n"), .character("r"))
    play.find()
    #expect(play.state.diagnosis?.causes.map(\.id) == ["wrong-port"])
    #expect(!play.shows("you say"))
  }

  @Test func theSecondLookIsComparedWithTheFirst() {
    var play = Play.diagnosed()
    play.press(.character("r"))
    play.find()
    #expect(play.shows("The same as before: The proxy dials a port nobody listens on."))
    play.press(.character("r"))
    play.find([
      "site.answer": ScreenCase.badGateway, "route.find": Finding(check: "route.find", outcome: "missing"),
    ])
    #expect(play.shows("The first cause is gone. The next one: The proxy has no route for shop.example.org."))
    play.press(.character("r"))
    play.find(["site.answer": ScreenCase.works])
    #expect(play.shows("It works again."))
    play.press(.character("q"))
    #expect(play.effects.last == .quit(0, line: "http://shop.example.org/ works."))
  }

  @Test func copyTakesTheTextAsItIs() {
    var play = Play.diagnosed()
    play.press(.enter, .character("c"))
    #expect(play.effects.last == .copy("docker exec shop ss -ltn"))
    #expect(play.row(22) == "Sent to your terminal's clipboard; if it is not there, press p.")
  }

  @Test func aTextShownAloneIsLeftWithAnyKey() {
    var play = Play.diagnosed()
    play.press(.enter)
    let before = play.text
    play.press(.character("p"))
    #expect(play.effects.last == .showAlone("docker exec shop ss -ltn\n\n[press any key to go back]"))
    play.press(.character("q"))
    #expect(play.effects.last == .redraw)
    #expect(play.text == before)
  }

  @Test func theReportSaysWhereItIs() {
    var play = Play.diagnosed()
    play.press(.character("s"))
    #expect(play.effects.last == play.state.diagnosis.map(Effect.save))
    play.send(.saved("/home/ada/wizard502-shop.md"))
    #expect(play.row(22) == "Saved to /home/ada/wizard502-shop.md")
    play.press(.character("q"))
    guard case .quit(_, let line)? = play.effects.last else {
      Issue.record("it did not end")
      return
    }
    #expect(line.hasSuffix("The report is in /home/ada/wizard502-shop.md."))
  }

  @Test func aRedirectWithinTheSiteIsFollowed() {
    var play = Play()
    play.type("shop.example.org")
    play.press(.enter)
    play.send(
      .found(
        Finding(check: "site.answer", outcome: "good", facts: [.siteRedirect: "http://shop.example.org/login"]),
        round: 1)
    )
    #expect(play.state.session?.facts[.url] == "http://shop.example.org/login")
    #expect(play.state.scene == .path)
  }
}

struct SizeTests {
  @Test func theFocusStaysInSightWhenTheWindowChanges() {
    var play = Play.diagnosed()
    play.press(.character("e"), .end)
    for size in [Size.smallest, Size(columns: 120, rows: 40), Size(columns: 60, rows: 13)] {
      play.send(.resized(size))
      let grid = play.state.view()
      #expect(grid.cursor.map { grid.text(row: $0.row).trimmed }?.hasPrefix("> ✗ NO") == true)
    }
  }

  @Test func everythingIsReachedByScrollingOnTheSmallestScreen() {
    var play = Play.diagnosed(size: .smallest)
    var seen: Set<String> = []
    for _ in 0..<60 {
      for row in 1..<10 { seen.insert(play.row(row)) }
      play.press(.down)
    }
    let wanted = play.state.sheet.rows(width: 40, isASCII: false).map { row in
      String(repeating: " ", count: row.indent) + row.spans.map(\.text).joined()
    }
    for text in wanted { #expect(seen.contains(text), "never shown: \(text)") }
  }

  @Test func aWindowThatWasTooSmallGoesOnWhenItGrows() {
    var play = Play.diagnosed()
    let before = play.text
    play.send(.resized(Size(columns: 20, rows: 5)))
    #expect(play.row(0) == "This window is too")
    play.send(.resized(Size(columns: 80, rows: 24)))
    #expect(play.text == before)
  }

  @Test func fortyPerCentLongerWordsStillFit() {
    let longer = ScreenCase.words().mapValues { word in
      Template(word.prose(Facts(Dictionary(word.placeholders.map { ($0, "{\($0.text)}") }) { $1 }))! + " ẋẋẋẋẋẋẋẋ")
    }
    var play = Play()
    play.state = State(
      catalog: ScreenCase.catalog(words: longer), shapes: ScreenCase.shapes, site: ScreenCase.site)
    play.send(.resized(Size(columns: 80, rows: 24)))
    play.type("shop.example.org")
    play.press(.enter)
    play.find()
    #expect(play.state.scene == .verdict(cause: 0))
    #expect(play.row(23).contains("help") && play.row(23).contains("quit"))
  }
}
