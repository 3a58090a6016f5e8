import Flow
import Foundation
import Model
import Testing

/// A small case: two checks in a row, a question where the second cannot see, and three causes.
private enum Small {
  static let at = SourcePlace(file: "small.yaml", line: 1, column: 1)

  static func branch(
    _ key: String, cause: String? = nil, _ confidence: Confidence = .certain, go: String? = nil,
    end: Diagnosis.Verdict? = nil, text: String? = nil, gives: Facts = [:]
  ) -> Branch {
    Branch(
      keys: [key], text: text.map { Wording(Template($0)) }, gives: gives,
      names: cause.map { [.init(cause: $0, confidence: confidence)] } ?? [],
      go: go, end: end, at: at)
  }

  static let catalog = Catalog(
    tree: Tree(
      start: "site",
      nodes: [
        "site": Node(
          id: "site", looks: .check("site.check"),
          branches: [
            branch("good", end: .working), branch("bad", go: "app"), branch("unknown", go: "app"),
          ], at: at),
        "app": Node(
          id: "app", looks: .check("app.check"),
          branches: [
            branch("stopped", cause: "app-stopped"), branch("slow", cause: "app-slow", .likely, go: "ask"),
            branch("unknown", go: "ask"),
          ], at: at),
        "ask": Node(
          id: "ask",
          looks: .fact(
            "app.place",
            Question(text: Template("Where does it run?"), why: Template("w"), findOut: Wording(Template("f")))),
          branches: [
            branch("container", cause: "app-lost", text: "In a container", gives: ["app.engine": "docker"]),
            branch("unsure", end: .inconclusive, text: "I do not know"),
          ], at: at),
      ]),
    pages: [
      "app-stopped": page("app-stopped", hides: []), "app-slow": page("app-slow", hides: []),
      "app-lost": page("app-lost", hides: ["app-slow"]),
    ],
    checks: [
      "app.check": CheckText(
        title: "App?", hop: "app", byHand: nil,
        outcomes: [
          "stopped": .init(mark: .bad, sentences: [Template("{app.name} stands still"), Template("it stands still")]),
          "unknown": .init(mark: .unknown, sentences: [Template("not seen: {unseen.reason}")]),
        ]),
      "site.check": CheckText(
        title: "Site?", hop: "site", byHand: nil,
        outcomes: ["bad": .init(mark: .bad, sentences: [Template("the site fails")])]),
    ],
    words: [
      "unseen.not-permitted": Template("no right to see {unseen.what}"),
      "step.withheld": Template("Not shown: {step.value}"),
    ], signs: Signs())

  static func page(_ cause: String, hides: [String]) -> Page {
    Page(
      id: cause, title: Template("Title of \(cause)"), hides: hides,
      explanation: [.init(text: Template("Why {app.name}."), when: [])],
      sections: [
        .init(
          heading: "Do",
          steps: [
            .init(
              text: Template("Start it."), when: [], body: .command(Template("start {app.name}")), place: .host,
              changes: true),
            .init(text: Template("Then wait."), when: [], body: .none, place: nil, changes: false),
            .init(
              text: Template("Edit it."), when: [.init(fact: "app.file", test: .known)],
              body: .patch(
                file: Template("{app.file}"), line: Template("{app.line}"),
                lines: [Template("-{app.old}"), Template("+new")]), place: .file, changes: true),
          ])
      ], prevention: [], sources: ["https://example.org"])
  }

  static let shapes = [
    CheckShape(id: "site.check", needs: [], learns: ["app.name"], outcomes: ["good", "bad", "unknown"]),
    CheckShape(id: "app.check", needs: ["app.name"], learns: [], outcomes: ["stopped", "slow", "unknown"]),
    CheckShape(id: "late.check", needs: [], learns: [], outcomes: ["good", "bad", "unknown"]),
    CheckShape(id: "unused.check", needs: [], learns: [], outcomes: ["unknown"]),
  ]

  static func session(asks: Bool = true, contradictions: [[String: Set<String>]] = []) -> Session {
    var catalog = catalog
    catalog.tree.contradictions = contradictions
    return Session(catalog: catalog, shapes: shapes, asks: asks, given: ["site.url": "http://x/"])
  }
}

@Suite struct SessionTests {
  @Test func checksStartAsSoonAsWhatTheyNeedIsKnown() {
    var session = Small.session()
    #expect(session.start() == ["site.check"])
    #expect(session.walk().state == .waiting(check: "site.check"))
    #expect(session.learn(Finding(check: "site.check", outcome: "bad", facts: ["app.name": "shop"])) == ["app.check"])
    #expect(session.walk().state == .waiting(check: "app.check"))
    #expect(session.learn(Finding(check: "app.check", outcome: "stopped")) == [])
    #expect(session.walk().causes == [.init(cause: "app-stopped", confidence: .certain)])
  }

  /// What runs ahead may tell of another upstream: as long as the way does not come there, it says nothing of this one.
  @Test func whatIsOnTheWayIsToldAsItWasSeenThere() {
    var session = Session(
      catalog: Small.catalog, shapes: Small.shapes, asks: true, record: .init(given: ["site.url": "http://x/"]),
      using: ["site.check", "app.check", "late.check"])
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad", facts: ["app.name": "shop"]))
    _ = session.learn(Finding(check: "late.check", outcome: "bad", facts: ["app.name": "guest", "app.file": "x"]))
    #expect(session.facts["app.name"] == "shop")
    #expect(session.facts["app.file"] == "x")
  }

  @Test func aFindingNobodyWaitsForIsIgnored() {
    var session = Small.session()
    #expect(session.learn(Finding(check: "app.check", outcome: "stopped")) == [])
    #expect(session.finding(of: "app.check") == nil)
  }

  @Test func eachThingThatCouldNotBeSeenMakesItLessSure() {
    var session = Small.session()
    _ = session.start()
    _ = session.learn(
      Finding(check: "site.check", outcome: "unknown", facts: ["app.name": "shop"], unseen: .missing(what: "x")))
    _ = session.learn(Finding(check: "app.check", outcome: "stopped"))
    #expect(session.walk().causes == [.init(cause: "app-stopped", confidence: .likely)])
  }

  @Test func whatWasSeenInPartMakesItLessSure() {
    var session = Small.session()
    _ = session.start()
    let facts: Facts = ["app.name": "shop", .configUnread: "/etc/nginx/conf.d/more.conf"]
    _ = session.learn(Finding(check: "site.check", outcome: "bad", facts: facts))
    _ = session.learn(Finding(check: "app.check", outcome: "stopped"))
    #expect(session.walk().causes == [.init(cause: "app-stopped", confidence: .likely)])
  }

  /// The site answers well by one check and fails by the other: so something was read wrongly.
  @Test func whatContradictsItselfIsLessSure() {
    var session = Small.session(contradictions: [["app.check": ["stopped"], "late.check": ["good"]]])
    #expect(session.start() == ["late.check", "site.check"])
    _ = session.learn(Finding(check: "site.check", outcome: "bad", facts: ["app.name": "shop"]))
    _ = session.learn(Finding(check: "app.check", outcome: "stopped"))
    #expect(session.walk().state == .waiting(check: "late.check"))
    var other = session
    _ = session.learn(Finding(check: "late.check", outcome: "good"))
    #expect(session.walk().state == .ended(nil))
    #expect(session.walk().causes == [.init(cause: "app-stopped", confidence: .likely)])
    _ = other.learn(Finding(check: "late.check", outcome: "bad"))
    #expect(other.walk().causes == [.init(cause: "app-stopped", confidence: .certain)])
  }

  /// Nobody waits for a check that could only contradict what was not found.
  @Test func whatCannotContradictIsNotWaitedFor() {
    var session = Small.session(contradictions: [["app.check": ["slow"], "late.check": ["good"]]])
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad", facts: ["app.name": "shop"]))
    _ = session.learn(Finding(check: "app.check", outcome: "stopped"))
    #expect(session.walk().state == .ended(nil))
  }

  @Test func aCheckWhoseNeedsNobodyBringsIsUnknown() {
    var session = Small.session()
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad"))
    #expect(session.walk().state == .asking(node: "ask"))
  }

  @Test func aQuestionIsLeftOpenWhereNobodyCanBeAsked() {
    var session = Small.session(asks: false)
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad"))
    #expect(session.walk().state == .ended(.inconclusive))
    #expect(session.diagnosis().questions == ["Where does it run?"])
    #expect(session.diagnosis().verdict == .inconclusive)
  }

  @Test func answersCanBeGivenTakenBackAndChanged() {
    var session = Small.session()
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad"))
    _ = session.answer("ask", with: "container")
    #expect(session.facts["app.place"] == "container")
    #expect(session.walk().causes == [.init(cause: "app-lost", confidence: .likely)])
    #expect(session.takeBack() == "ask")
    #expect(session.facts["app.place"] == nil)
    #expect(session.walk().state == .asking(node: "ask"))
    _ = session.answer("ask", with: "unsure")
    #expect(session.walk().causes.isEmpty)
  }

  @Test func anAnswerTellsMoreAndReplacesNothing() {
    var session = Small.session()
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad", facts: ["app.name": "shop"]))
    _ = session.answer("ask", with: "container")
    #expect(session.facts["app.engine"] == "docker")
    _ = session.answer("ask", with: "unsure")
    #expect(session.facts["app.engine"] == nil)
    _ = session.learn(Finding(check: "app.check", outcome: "slow", facts: ["app.engine": "podman"]))
    _ = session.answer("ask", with: "container")
    #expect(session.facts["app.engine"] == "podman")
  }

  @Test func aCauseHidesWhatFollowsFromIt() {
    var session = Small.session()
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad", facts: ["app.name": "shop"]))
    _ = session.learn(Finding(check: "app.check", outcome: "slow"))
    #expect(session.walk().causes.map(\.cause) == ["app-slow"])
    _ = session.answer("ask", with: "container")
    #expect(session.walk().causes.map(\.cause) == ["app-lost"])
  }

  @Test func workingIsSaidOnlyWhereTheTreeSaysSo() {
    var session = Small.session()
    _ = session.start()
    #expect(session.diagnosis().verdict == .inconclusive)
    _ = session.learn(Finding(check: "site.check", outcome: "good"))
    #expect(session.diagnosis().verdict == .working)
  }

  @Test func theRecordGivesTheSameSessionAgain() {
    var session = Small.session()
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad", facts: ["app.name": "shop"]))
    _ = session.learn(Finding(check: "app.check", outcome: "stopped"))
    let again = Session(catalog: Small.catalog, shapes: Small.shapes, asks: true, record: session.record)
    #expect(again.diagnosis() == session.diagnosis())
  }

  @Test func checkingAgainForgetsFindingsAndKeepsAnswers() {
    var session = Small.session()
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad"))
    _ = session.answer("ask", with: "container")
    #expect(session.again() == ["site.check"])
    #expect(session.record.findings.isEmpty)
    #expect(session.record.answers.count == 1)
  }
}

@Suite struct DiagnosisTests {
  private func diagnosed(_ facts: Facts) throws -> Diagnosis.Cause {
    var session = Small.session()
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad", facts: facts))
    _ = session.learn(Finding(check: "app.check", outcome: "stopped"))
    return try #require(session.diagnosis().causes.first)
  }

  @Test(arguments: [("-rf", "-rf"), ("x'\u{301}`id`", "x'<U+301>`id`"), ("a\u{1B}b", "a^[b")])
  func aStepWhoseNameCannotBePastedSaysSo(name: String, shown: String) throws {
    let steps = try diagnosed(["app.name": name]).steps
    #expect(steps.map(\.text) == ["Start it.\nNot shown: \(shown)", "Then wait."])
    #expect(steps.map(\.command) == [nil, nil])
    // The patch, of which no fact is known, is left out.
    #expect(steps.count == 2)
  }

  @Test(arguments: [
    ("old\u{A0}x", "/a", "old<U+A0>x"), ("old", "/a\nb", "/a^Jb"), ("old", "-a", "-a"), ("\u{301}", "/a", "<U+301>"),
  ])
  func aPatchThatCannotBeShownSaysSo(old: String, file: String, shown: String) throws {
    let step = try #require(
      diagnosed(["app.name": "a", "app.file": file, "app.line": "3", "app.old": old]).steps.last)
    #expect(step.text == "Edit it.\nNot shown: \(shown)" && step.patch == nil && step.file == nil)
  }

  /// The real `patch`, which is given the name by the diff alone.
  @Test(arguments: [
    "plain.conf", "two words.conf", "a\"b.conf", "back\\slash.conf", "it's.conf", "e\u{301}.conf", "a  b", "$(id)",
  ])
  func patchFindsTheFileOfADiff(name: String) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "diff-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.path() + "/" + name
    try "old\n".write(toFile: file, atomically: true, encoding: .utf8)
    let step = try #require(
      diagnosed(["app.name": "a", "app.file": file, "app.line": "1", "app.old": "old"]).steps.last)
    try #require(step.patch).write(toFile: folder.path() + "/step.patch", atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/patch")
    process.arguments = ["--batch", "--forward", "-p0", "--input", folder.path() + "/step.patch", "-d", "/"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "new\n")
  }

  @Test func stepsAreFilledInWithThisSystemsNames() throws {
    let cause = try diagnosed(["app.name": "my shop"])
    #expect(cause.explanation == "Why my shop.")
    #expect(cause.steps.map(\.command) == ["start 'my shop'", nil])
    #expect(cause.evidence.map(\.text) == ["the site fails", "my shop stands still"])
  }

  @Test func aPatchIsAUnifiedDiffAtItsLine() throws {
    let cause = try diagnosed([
      "app.name": "shop", "app.file": "/etc/x.conf", "app.line": "12", "app.old": "\told line",
    ])
    #expect(
      cause.steps.last?.patch
        == "--- /etc/x.conf\n+++ /etc/x.conf\n@@ -12,1 +12,1 @@\n-\told line\n+new\n")
    #expect(cause.steps.last?.file == "/etc/x.conf")
  }

  @Test func wordsShowWhatACommandRefuses() throws {
    #expect(try diagnosed(["app.name": "x\u{1B}[2J;reboot"]).explanation == "Why x^[[2J;reboot.")
  }

  @Test func whatCouldNotBeSeenIsSaidWithItsReason() {
    var session = Small.session()
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad", facts: ["app.name": "shop"]))
    _ = session.learn(Finding(check: "app.check", outcome: "unknown", unseen: .notPermitted(what: "the socket")))
    #expect(session.diagnosis().checks.last?.summary == "not seen: no right to see the socket")
  }

  @Test func neighboursOfTheTakenBranchAreRuledOut() {
    var session = Small.session()
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad", facts: ["app.name": "shop"]))
    _ = session.learn(Finding(check: "app.check", outcome: "stopped"))
    #expect(
      session.diagnosis().ruledOut == [
        .init(cause: "app-slow", title: "Title of app-slow", because: "shop stands still")
      ])
  }
}

@Suite struct ServerTests {
  private let catalog = Catalog(
    tree: Tree(
      start: "site",
      nodes: [
        "site": Node(
          id: "site", looks: .check("site.check"), branches: [Small.branch("bad", go: "servers")], at: Small.at),
        "servers": Node(
          id: "servers", looks: .check("servers.check"),
          branches: [
            Branch(keys: ["some-down"], end: .inconclusive, follow: "server", at: Small.at),
            Small.branch("examined", cause: "app-stopped"),
          ], at: Small.at),
      ],
      follows: [
        "server": Follow(how: .within, to: .nextServer, gives: [.routeServer: [.nextServer]], keeps: ["site"])
      ]),
    pages: ["app-stopped": Small.page("app-stopped", hides: [])],
    checks: [
      "site.check": CheckText(title: "Site?", hop: "site", byHand: nil, outcomes: [:]),
      "servers.check": CheckText(title: "Servers?", hop: "app", byHand: nil, outcomes: [:]),
    ], words: [:], signs: Signs())

  private let shapes = [
    CheckShape(id: "site.check", needs: [.url], learns: [], outcomes: ["bad", "unknown"]),
    CheckShape(
      id: "servers.check", needs: [.url], learns: [.nextServer], outcomes: ["some-down", "examined", "unknown"]),
  ]

  @Test func whatWasSeenOfTheSiteHoldsOnTheRestIsLookedAtAgainOnce() throws {
    var session = Session(catalog: catalog, shapes: shapes, asks: false, given: [.url: "http://a.example/"])
    _ = session.start()
    _ = session.learn(Finding(check: "site.check", outcome: "bad"))
    #expect(session.onward() == nil)
    _ = session.learn(Finding(check: "servers.check", outcome: "some-down", facts: [.nextServer: "b:80"]))

    var next = try #require(session.onward())
    #expect(next.facts[.routeServer] == "b:80")
    #expect(next.record.findings.map(\.check) == ["site.check"])
    #expect(next.start() == ["servers.check"])
    _ = next.learn(Finding(check: "servers.check", outcome: "some-down", facts: [.nextServer: "b:80"]))
    #expect(next.onward() == nil, "it would go round in a circle")
  }
}
