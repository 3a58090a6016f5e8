import Flow
import Model
import Synchronization
import Testing

/// A run from the address that was asked for to its end.
struct RunTests {
  private static let at = SourcePlace(file: "small.yaml", line: 1, column: 1)

  /// Each site is asked, and its app at the same time. `next` leads to the next proxy, `moved` to another page.
  private static let catalog: Catalog = {
    let site = Node(
      id: "site", looks: .check("site.check"),
      branches: [
        Branch(keys: ["good"], end: .working, at: at), Branch(keys: ["next"], follow: "next", at: at),
        Branch(keys: ["moved"], follow: "moved", at: at), Branch(keys: ["bad"], go: "app", at: at),
        Branch(keys: ["unknown"], at: at),
      ], at: at)
    let app = Node(
      id: "app", looks: .check("app.check"),
      branches: [
        Branch(keys: ["down"], names: [.init(cause: "app-down", confidence: .certain)], at: at),
        Branch(keys: ["unknown"], go: "ask", at: at),
      ], at: at)
    let question = Question(text: Template("Does it run?"), why: Template("w"), findOut: Wording(Template("f")))
    let ask = Node(
      id: "ask", looks: .fact("app.runs", question),
      branches: [
        Branch(keys: ["no"], names: [.init(cause: "app-down", confidence: .certain)], at: at),
        Branch(keys: ["unsure"], at: at),
      ], at: at)
    let page = Page(
      id: "app-down", title: Template("Down"), hides: [], explanation: [], sections: [], prevention: [], sources: [])
    return Catalog(
      tree: Tree(
        start: "site", nodes: ["site": site, "app": app, "ask": ask],
        follows: [
          "next": Follow(how: .behind, to: .nextURL, gives: ["hop.from": [.url]]),
          "moved": Follow(how: .anew, to: .siteRedirect),
        ]),
      pages: ["app-down": page], checks: [:], words: [:], signs: Signs())
  }()

  private static let shapes = [
    CheckShape(
      id: "site.check", needs: [.url], learns: [.nextURL, .siteRedirect],
      outcomes: ["good", "next", "moved", "bad", "unknown"]),
    CheckShape(id: "app.check", needs: [.url], learns: [], outcomes: ["down", "unknown"]),
  ]

  private func run(asks: Bool = false, round: Int = 1, shapes: [CheckShape] = shapes) throws -> Run {
    let site = try #require(Site("http://shop.test/"))
    return Run(Session(catalog: Self.catalog, shapes: shapes, asks: asks, given: site.facts), round: round)
  }

  private func moved(_ url: String) -> Finding {
    Finding(check: "site.check", outcome: "moved", facts: [.siteRedirect: url])
  }

  private func next(_ url: String) -> Finding {
    Finding(check: "site.check", outcome: "next", facts: [.nextURL: url])
  }

  // MARK: Orders

  @Test func itSaysWhatIsToBeStarted() throws {
    var run = try run(round: 7)
    let given = run.session.facts
    #expect(run.begin() == [.start(checks: ["app.check", "site.check"], facts: given, round: 7)])
    #expect(run.learn(Finding(check: "app.check", outcome: "down"), round: 7) == [])
  }

  @Test func whatIsStartedIsToldWhatHasJustBeenLearned() throws {
    let needing = CheckShape(id: "app.check", needs: [.siteStatus], learns: [], outcomes: ["down", "unknown"])
    var run = try run(shapes: [Self.shapes[0], needing])
    let given = run.session.facts
    #expect(run.begin() == [.start(checks: ["site.check"], facts: given, round: 1)])
    let orders = run.learn(Finding(check: "site.check", outcome: "bad", facts: [.siteStatus: "502"]), round: 1)
    #expect(orders == [.start(checks: ["app.check"], facts: given.merging([.siteStatus: "502"]), round: 1)])
  }

  @Test func aFindingOfAnEarlierRoundIsDropped() throws {
    var run = try run()
    _ = run.begin()
    _ = run.learn(moved("http://shop.test/login"), round: 1)
    let orders = run.goOn()
    #expect(orders.first == .cancelAll)
    #expect(orders.count == 2)
    #expect(run.round == 2)
    #expect(run.session.facts[.url] == "http://shop.test/login")
    #expect(run.learn(Finding(check: "app.check", outcome: "down"), round: 1) == [])
    #expect(run.session.record.findings.isEmpty)
  }

  @Test func itGoesOnFourTimesAtMost() throws {
    var run = try run()
    _ = run.begin()
    for number in 1...4 {
      _ = run.learn(next("http://shop.test:808\(number)/"), round: run.round)
      #expect(!run.goOn().isEmpty, "\(number)")
    }
    _ = run.learn(next("http://shop.test:8085/"), round: run.round)
    #expect(run.goOn() == [])
    #expect(run.round == 5)
  }

  @Test func againBeginsAtTheAddressThatWasAskedFor() throws {
    var run = try run(asks: true)
    _ = run.begin()
    _ = run.learn(moved("http://shop.test/login"), round: 1)
    _ = run.goOn()
    _ = run.learn(Finding(check: "site.check", outcome: "good"), round: 2)
    #expect(run.again(given: [.problemMended: "yes"]).first == .cancelAll)
    #expect(run.session.facts[.url] == "http://shop.test/")
    #expect(run.session.facts[.problemMended] == "yes")
    #expect(run.round == 3)
    // It may go on as often as before.
    _ = run.learn(moved("http://shop.test/login"), round: 3)
    #expect(!run.goOn().isEmpty)
  }

  @Test func againKeepsTheAnswersOfTheSameAddress() throws {
    var run = try run(asks: true)
    _ = run.begin()
    _ = run.learn(Finding(check: "site.check", outcome: "bad"), round: 1)
    let orders = run.skip("app.check", after: 12)
    #expect(orders == [.cancel(check: "app.check")])
    #expect(run.session.finding(of: "app.check")?.unseen == .noAnswer(seconds: 12))
    #expect(run.session.walk().state == .asking(node: "ask"))
    _ = run.answer("ask", with: "no")
    #expect(run.session.diagnosis().causes.map(\.confidence) == [.likely])
    _ = run.again(given: Facts())
    #expect(run.session.record.answers.map(\.key) == ["no"])
    #expect(run.session.record.findings.isEmpty)
  }

  // MARK: To the end

  /// What was looked at, in the order of beginning, and which of it was cancelled.
  private final class Looks: Sendable {
    let begun = Mutex<[String]>([])
    let cancelled = AsyncStream.makeStream(of: String.self)

    /// Waits until it is cancelled, however long that takes.
    func untilCancelled(_ check: String) async -> Finding {
      let (never, sink) = AsyncStream.makeStream(of: Void.self)
      defer { sink.finish() }
      for await _ in never {}
      cancelled.continuation.yield(check)
      return Finding(check: check, outcome: Finding.unknown)
    }
  }

  @Test func itEndsAsSoonAsTheTreeHasEndedAndCancelsTheRest() async throws {
    let looks = Looks()
    var run = try run()
    let diagnosis = await run.runToEnd { check, _, _ in
      check == "app.check" ? await looks.untilCancelled(check) : Finding(check: check, outcome: "good")
    }
    #expect(diagnosis.verdict == .working)
    var cancelled = looks.cancelled.stream.makeAsyncIterator()
    #expect(await cancelled.next() == "app.check")
  }

  @Test func itFollowsEachWayAndSpeaksOfTheAddressThatWasAskedFor() async throws {
    let looks = Looks()
    var run = try run()
    let diagnosis = await run.runToEnd { check, facts, round in
      let url = facts[.url] ?? ""
      if check == "app.check" { return Finding(check: check, outcome: "down") }
      looks.begun.withLock { $0.append("\(round) \(url) \(facts["hop.from"] ?? "")") }
      switch url {
      case "http://shop.test/":
        return Finding(check: check, outcome: "moved", facts: [.siteRedirect: "http://shop.test/login"])
      case "http://shop.test/login":
        return Finding(check: check, outcome: "next", facts: [.nextURL: "http://inner.test:8080/login"])
      default: return Finding(check: check, outcome: "bad")
      }
    }
    #expect(
      looks.begun.withLock { $0 } == [
        "1 http://shop.test/ ", "2 http://shop.test/login ", "3 http://inner.test:8080/login http://shop.test/login",
      ])
    #expect(diagnosis.url == "http://shop.test/")
    #expect(diagnosis.causes.map(\.id) == ["app-down"])
  }

  /// The app's check needs the longest and is not waited for, but where somebody writes down what it sees.
  @Test(arguments: [false, true])
  func aRunGoesAsAnEarlierOneWent(looksOn: Bool) async throws {
    let looks = Looks()
    var first = try run()
    let diagnosis = await first.runToEnd(looksOn: looksOn) { check, _, _ in
      if check == "app.check" {
        if !looksOn { return await looks.untilCancelled(check) }
        try? await Task.sleep(for: .milliseconds(50))
      }
      looks.begun.withLock { $0.append(check) }
      return Finding(check: check, outcome: check == "app.check" ? "down" : "good", seconds: 0.5)
    }
    #expect(looks.begun.withLock { $0 } == (looksOn ? ["site.check", "app.check"] : ["site.check"]))
    #expect(first.course.ended.map(\.check) == ["site.check"])

    // Now the app's check is the first that ends, and each takes no time.
    var second = try run()
    let again = await second.runToEnd(as: first.course) { check, _, _ in
      if check == "site.check" { try? await Task.sleep(for: .milliseconds(50)) }
      return Finding(check: check, outcome: check == "app.check" ? "down" : "good")
    }
    #expect(again == diagnosis)
    #expect(again.checks.map(\.seconds) == [0.5])
  }

  @Test func whatAnEarlierRunDidNotWaitForIsTakenWhereItIsNeeded() async throws {
    var earlier = Course(given: [:])
    earlier.add(Finding(check: "gone.check", outcome: "good"), round: 1)
    earlier.add(
      Finding(check: "app.check", outcome: Finding.unknown, unseen: .noAnswer(seconds: 9), seconds: 9), round: 1)
    var run = try run()
    let diagnosis = await run.runToEnd(as: earlier) { check, _, _ in
      Finding(check: check, outcome: check == "app.check" ? "down" : "bad")
    }
    #expect(diagnosis.checks.map(\.outcome) == ["bad", "unknown"], "what was given up then has seen nothing")
    #expect(diagnosis.questions == ["Does it run?"])
  }

  @Test func aRunThatIsCancelledEndsWithWhatIsKnown() async throws {
    let looks = Looks()
    let start = try run()
    let whole = Task {
      var run = start
      return await run.runToEnd { check, _, _ in await looks.untilCancelled(check) }
    }
    whole.cancel()
    #expect(await whole.value.verdict == .inconclusive)
  }
}
