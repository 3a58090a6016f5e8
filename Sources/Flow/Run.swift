public import Model

/// A diagnosis from the address that was asked for to its end: over redirects, from one proxy to the next, from one
/// server of a group to another.
///
/// A value: it says which checks are to be started and cancelled. A `Runner` does that.
public struct Run: Sendable {
  public enum Order: Sendable, Equatable {
    case start(checks: [String], facts: Facts, round: Int)
    case cancel(check: String)
    case cancelAll
  }

  /// That of the address at which the case is now.
  public private(set) var session: Session
  /// Counts the times that everything is looked at.
  public private(set) var round: Int
  /// How it went so far.
  public private(set) var course: Course
  /// How often the case went on elsewhere.
  private var followed: Int
  private static let mostFollowed = 4

  /// - Parameters:
  ///   - round: Greater than those of earlier runs whose findings may still come.
  ///   - given: What was given for the address that was asked for, if the case went on elsewhere since.
  public init(_ session: Session, round: Int = 1, from given: Facts? = nil) {
    self.session = session
    self.round = round
    course = Course(given: given ?? session.record.given)
    followed = session.record.given == course.given ? 0 : 1
  }

  // MARK: What happens

  public mutating func begin() -> [Order] { orders { $0.start() } }

  /// Takes a finding in. One of an earlier round is dropped.
  public mutating func learn(_ finding: Finding, round: Int) -> [Order] {
    guard round == self.round else { return [] }
    if session.running.contains(finding.check) { course.add(finding, round: round) }
    return orders { $0.learn(finding) }
  }

  /// No longer waits for a running check, after so many seconds.
  public mutating func skip(_ check: String, after seconds: Double) -> [Order] {
    let finding = Finding(
      check: check, outcome: Finding.unknown, unseen: .noAnswer(seconds: seconds), seconds: seconds)
    return [.cancel(check: check)] + orders { $0.learn(finding) }
  }

  public mutating func answer(_ node: String, with key: String) -> [Order] {
    orders { $0.answer(node, with: key) }
  }

  public mutating func overrule(_ check: String, with outcome: String) -> [Order] {
    orders { $0.overrule(check, with: outcome) }
  }

  /// From now on nobody is asked.
  public mutating func stopAsking() { session.stopAsking() }

  /// Goes on elsewhere, if the way has ended where it says so; nothing is to be done if the case ends here.
  public mutating func goOn() -> [Order] {
    guard followed < Self.mostFollowed, let next = session.onward() else { return [] }
    followed += 1
    return go(to: next)
  }

  /// Everything is looked at again, from the address that was asked for, with more given.
  public mutating func again(given facts: Facts) -> [Order] {
    guard followed == 0 else {
      followed = 0
      return go(to: session.with(Session.Record(given: course.given.merging(facts))))
    }
    round += 1
    return [.cancelAll] + orders { $0.again(given: facts) }
  }

  /// More can be seen now: everything is looked at again where the case is, and what a person said holds.
  public mutating func lookAgain() -> [Order] {
    round += 1
    return [.cancelAll] + orders { $0.lookAgain() }
  }

  private mutating func go(to next: Session) -> [Order] {
    session = next
    round += 1
    return [.cancelAll] + begin()
  }

  /// Starts what the change makes ready.
  private mutating func orders(_ change: (inout Session) -> [String]) -> [Order] {
    let checks = change(&session)
    return checks.isEmpty ? [] : [.start(checks: checks, facts: session.facts, round: round)]
  }
}

/// Does what a run orders: each check in a task of its own.
public final class Runner {
  /// Runs one check to its end or its cancellation.
  public typealias Look = @Sendable (_ check: String, _ facts: Facts, _ round: Int) async -> Finding

  private let look: Look
  private let found: @Sendable (Finding, _ round: Int) -> Void
  private var tasks: [String: Task<Void, Never>] = [:]

  /// - Parameter found: Is told each finding of a check that was not cancelled.
  public init(look: @escaping Look, found: @escaping @Sendable (Finding, _ round: Int) -> Void) {
    self.look = look
    self.found = found
  }

  public func carryOut(_ orders: [Run.Order]) {
    for order in orders {
      switch order {
      case .start(let checks, let facts, let round):
        for check in checks { start(check, facts, round) }
      case .cancel(let check): tasks.removeValue(forKey: check)?.cancel()
      case .cancelAll:
        for task in tasks.values { task.cancel() }
        tasks = [:]
      }
    }
  }

  private func start(_ check: String, _ facts: Facts, _ round: Int) {
    tasks[check] = Task { [look, found] in
      let finding = await look(check, facts, round)
      if !Task.isCancelled { found(finding, round) }
    }
  }
}

extension Run {
  /// Runs to the end without asking anybody: checks start as soon as what they need is known, and those that run when
  /// the tree has ended are cancelled.
  ///
  /// - Parameters:
  ///   - earlier: How an earlier run went, whose findings are taken in as they came then.
  ///   - looksOn: Whether the other checks still run to their ends, for whoever writes down what they see.
  public mutating func runToEnd(
    as earlier: Course? = nil, looksOn: Bool = false, _ look: @escaping Runner.Look
  ) async -> Diagnosis {
    var findings = Findings(of: look, as: earlier?.ended ?? [])
    findings.order(begin())
    await carryOut(&findings) { run in
      if case .waiting = run.session.walk().state { return nil }
      return run.goOn()
    }
    var diagnosis = session.diagnosis()
    diagnosis.url = course.given[.url] ?? diagnosis.url
    let course = course
    if looksOn { await carryOut(&findings, next: { $0.whileAnyRuns }) }
    self.course = course
    findings.order([.cancelAll])
    return diagnosis
  }

  /// Makes every check that can be made, wherever the tree would end.
  public mutating func runAllChecks(_ look: @escaping Runner.Look) async {
    var findings = Findings(of: look)
    findings.order(begin())
    await carryOut(&findings, next: { $0.whileAnyRuns })
    findings.order([.cancelAll])
  }

  private var whileAnyRuns: [Order]? { session.running.isEmpty ? [] : nil }

  /// - Parameter next: What is to be done now; nil: to wait for the next finding; nothing: it is all done.
  private mutating func carryOut(_ findings: inout Findings, next: (inout Run) -> [Order]?) async {
    while true {
      if let orders = next(&self) {
        if orders.isEmpty { return }
        findings.order(orders)
      } else {
        guard let finding = await findings.next(round, session.running.count) else { return }
        findings.order(learn(finding, round: round))
      }
    }
  }
}

/// The findings of what a run orders, as they come, or in the order of an earlier run.
private struct Findings {
  private let runner: Runner
  private var arrivals: AsyncStream<(Finding, Int)>.Iterator
  /// How they came then; what is not expected, or does not come, was not there.
  private var expected: ArraySlice<Course.Ended>
  /// Those that have come before their turn.
  private var early: [Finding] = []
  private var round = 0

  init(of look: @escaping Runner.Look, as earlier: [Course.Ended] = []) {
    let (findings, sink) = AsyncStream.makeStream(of: (Finding, Int).self)
    runner = Runner(look: look) { sink.yield(($0, $1)) }
    arrivals = findings.makeAsyncIterator()
    expected = earlier[...]
  }

  func order(_ orders: [Run.Order]) { runner.carryOut(orders) }

  /// - Parameter running: How many checks run, those that have come early among them.
  mutating func next(_ round: Int, _ running: Int) async -> Finding? {
    if round != self.round { (self.round, early) = (round, []) }
    while true {
      expected = expected.drop { $0.round < round }
      if let first = expected.first, first.round == round {
        if let index = early.firstIndex(where: { $0.check == first.check }) {
          expected = expected.dropFirst()
          return first.finding(early.remove(at: index))
        }
        if early.count == running {
          expected = expected.dropFirst()
          continue
        }
      } else if !early.isEmpty {
        return early.removeFirst()
      }
      guard let (finding, itsRound) = await arrivals.next() else { return nil }
      if itsRound == round { early.append(finding) }
    }
  }
}
