public import Model

/// One case: facts, findings and answers in; running checks, the next question and ranked causes out.
///
/// A value: it does no I/O and reads no clock. `Record` is all of it that has to be saved.
public struct Session: Sendable {
  /// What happened so far; with the same catalogue it gives the same session.
  public struct Record: Sendable, Codable, Equatable {
    /// What was known at the start: the parts of the URL.
    public var given: Facts
    /// In the order in which they came.
    public var findings: [Finding] = []
    /// Node to the chosen branch, in the order of asking.
    public var answers: [Answer] = []
    /// Check to the outcome that a person knows better; the facts that it saw stay.
    public var overruled: [String: String] = [:]
    /// The sessions of the proxies before this one, from the first on.
    public var before: [Record] = []

    public init(given: Facts) { self.given = given }

    public struct Answer: Sendable, Codable, Equatable {
      public let node: String
      public let key: String
    }
  }

  public let catalog: Catalog
  /// True if a person can be asked; else an open question is left open and its "unsure" branch taken.
  public private(set) var asks: Bool
  public private(set) var record: Record
  public private(set) var running: Set<String> = []
  let shapes: [String: CheckShape]
  /// The checks in the order in which a person would make them.
  let order: [String]

  /// - Parameter used: The checks that it makes; nil: those of the tree.
  public init(catalog: Catalog, shapes: [CheckShape], asks: Bool, record: Record, using used: Set<String>? = nil) {
    self.catalog = catalog
    self.asks = asks
    self.record = record
    let used = used ?? catalog.tree.checks
    order = shapes.map(\.id).filter(used.contains)
    self.shapes = Dictionary(shapes.filter { used.contains($0.id) }.map { ($0.id, $0) }) { first, _ in first }
    reckon()
  }

  public init(catalog: Catalog, shapes: [CheckShape], asks: Bool, given: Facts) {
    self.init(catalog: catalog, shapes: shapes, asks: asks, record: Record(given: given))
  }

  // MARK: What is known

  /// Given facts, then those of the findings, of which those on the way count last, then what a person answered.
  public private(set) var facts = Facts()
  private var way = Walk()

  /// Reckons anew what follows from what happened: once for each thing that happens, however often it is asked for.
  private mutating func reckon() {
    facts = learned()
    (way, facts) = follow()
  }

  /// What is known, whatever the way.
  private func learned() -> Facts {
    var facts = record.given
    for finding in record.findings { facts.merge(finding.facts) }
    answer(in: &facts)
    return facts
  }

  private func answer(in facts: inout Facts) {
    for answer in record.answers {
      guard let node = catalog.tree.nodes[answer.node], case .fact(let name, _) = node.looks, answer.key != Node.unsure
      else { continue }
      facts[name] = answer.key
      if let branch = node.branch(for: answer.key) { facts = branch.gives.merging(facts) }
    }
  }

  /// What a check found, or what a person says instead.
  public func finding(of check: String) -> Finding? {
    guard let seen = record.findings.last(where: { $0.check == check }) else { return nil }
    guard let outcome = record.overruled[check] else { return seen }
    return Finding(
      check: check, outcome: outcome, facts: seen.facts, seconds: seen.seconds, sightings: seen.sightings,
      hearsay: seen.hearsay)
  }

  // MARK: What happens

  /// Marks as running, and returns, every check that can start now, in the order of their ids.
  public mutating func start() -> [String] {
    facts = learned()
    let known = facts.names
    let ready = shapes.values.filter { shape in
      !running.contains(shape.id) && finding(of: shape.id) == nil && known.isSuperset(of: shape.needs)
    }.map(\.id).sorted()
    running.formUnion(ready)
    (way, facts) = follow()
    return ready
  }

  /// Takes a finding in; returns the checks that can start now.
  public mutating func learn(_ finding: Finding) -> [String] {
    guard running.remove(finding.check) != nil else { return [] }
    record.findings.append(finding)
    return start()
  }

  /// Takes the answer to a node's question; an earlier answer to it, and what was asked after it, is dropped.
  public mutating func answer(_ node: String, with key: String) -> [String] {
    if let earlier = record.answers.firstIndex(where: { $0.node == node }) {
      record.answers.removeSubrange(earlier...)
    }
    record.answers.append(.init(node: node, key: key))
    return start()
  }

  /// From now on open questions are left open.
  public mutating func stopAsking() {
    asks = false
    reckon()
  }

  /// Takes the last answer back; returns its node, or nil if there was none.
  @discardableResult
  public mutating func takeBack() -> String? {
    defer { reckon() }
    return record.answers.popLast()?.node
  }

  /// Takes a person's word for the outcome of a check that has ended.
  public mutating func overrule(_ check: String, with outcome: String) -> [String] {
    record.overruled[check] = outcome
    return start()
  }

  /// Everything is looked at again, with more given; answers stay.
  public mutating func again(given facts: Facts = Facts()) -> [String] {
    record.given.merge(facts)
    record.findings = []
    record.overruled = [:]
    running = []
    return start()
  }

  /// More can be seen now: everything is looked at again; what a person said holds.
  mutating func lookAgain() -> [String] {
    record.findings = []
    running = []
    return start()
  }

  /// The session in which the case goes on, if its way has ended where a branch says that it does; nil if it ends here.
  public func onward() -> Session? {
    let walk = walk()
    guard case .ended = walk.state, let name = walk.steps.last?.branch?.follow, let follow = catalog.tree.follows[name],
      let target = facts[follow.to]
    else { return nil }
    var next = record
    if follow.how != .within {
      guard let site = Site(target) else { return nil }
      next = Record(given: site.facts)
    }
    for (name, sources) in follow.gives {
      next.given[name] = sources.lazy.compactMap { facts[$0] }.first
    }
    switch follow.how {
    case .anew: break
    case .behind:
      var last = record
      last.before = []
      next.before = record.before + [last]
    case .within: next.findings.removeAll { !follow.keeps.contains(catalog.checks[$0.check]?.hop ?? "") }
    }
    // The same again would go round in a circle.
    guard !(record.before + [record]).contains(where: { $0.given == next.given }) else { return nil }
    return with(next)
  }

  /// Another session with the same catalogue and checks.
  func with(_ record: Record) -> Session {
    Session(catalog: catalog, shapes: order.compactMap { shapes[$0] }, asks: asks, record: record)
  }

  /// The sessions of the proxies before this one, from the first on.
  var before: [Session] { record.before.map { with($0) } }

  // MARK: Where the tree leads

  public struct Step: Sendable, Equatable {
    public enum Source: Sendable, Equatable {
      case finding
      case fact
      case answer
      /// Nobody could tell.
      case open
    }
    public let node: Node
    public let key: String
    public let source: Source
    public let branch: Branch?
  }

  public enum State: Sendable, Equatable {
    /// The way on depends on a check that runs.
    case waiting(check: String)
    /// The way on depends on a person.
    case asking(node: String)
    case ended(Diagnosis.Verdict?)
  }

  public struct Walk: Sendable, Equatable {
    public var steps: [Step] = []
    public var state: State = .ended(nil)
    /// Best first; those that merely follow from another are left out.
    public var causes: [Branch.Names] = []
    /// Questions of the way that nobody answered.
    public var open: [String] = []
  }

  /// The way through the tree, as far as findings and answers reach.
  public func walk() -> Walk { way }

  /// Follows the tree from its start. A check that ran ahead may have seen what is told of the upstream in another way
  /// than those of the way, as of a container that shares its network.
  private func follow() -> (Walk, Facts) {
    var facts = facts
    var walk = Walk()
    var unseen = 0
    var id = catalog.tree.start
    while let node = catalog.tree.nodes[id] {
      let key: String
      let source: Step.Source
      let isUnseen: Bool
      switch node.looks {
      case .check(let check):
        if let finding = finding(of: check) {
          key = finding.outcome
          facts.merge(finding.facts)
          answer(in: &facts)
        } else if canStillEnd(check, facts) {
          walk.state = .waiting(check: check)
          return (walk.ranked(by: catalog), facts)
        } else {
          key = Finding.unknown
        }
        source = .finding
        isUnseen = key == Finding.unknown
        if !isUnseen, finding(of: check)?.facts[.configUnread] != nil { unseen += 1 }
        if !isUnseen, record.overruled[check] == nil, finding(of: check)?.hearsay == .cut { unseen += 1 }
        if isContradicted(check, key) { unseen += 1 }
      case .fact(let name, let question):
        if let answer = record.answers.last(where: { $0.node == id }) {
          (key, source) = (answer.key, .answer)
          // What a person has read stands for what the program could not see before.
          if key != Node.unsure { unseen = min(unseen, 1) }
        } else if let value = facts[name] {
          (key, source) = (value, .fact)
        } else if canStillLearn(name, facts) {
          walk.state = .waiting(check: running.sorted().first ?? "")
          return (walk.ranked(by: catalog), facts)
        } else if question != nil, asks {
          walk.state = .asking(node: id)
          return (walk.ranked(by: catalog), facts)
        } else {
          if let text = question?.text.prose(facts) { walk.open.append(text) }
          (key, source) = (question == nil ? Node.absent : Node.unsure, .open)
        }
        isUnseen = key == Node.unsure
      }
      let branch = node.branch(for: key)
      walk.steps.append(Step(node: node, key: key, source: source, branch: branch))
      for names in branch?.names ?? [] {
        walk.causes.append(.init(cause: names.cause, confidence: names.confidence.lowered(by: unseen)))
      }
      // What is said of an outcome that was not seen says so itself; it counts for what comes after.
      if isUnseen { unseen += 1 }
      guard let next = branch?.go else {
        walk.state = mayContradict(walk).map { .waiting(check: $0) } ?? .ended(branch?.end)
        return (walk.ranked(by: catalog), facts)
      }
      id = next
    }
    return (walk.ranked(by: catalog), facts)
  }

  /// True if something else was found that cannot be true as well: one of the two is about another file, an older
  /// configuration, or another moment.
  private func isContradicted(_ check: String, _ outcome: String) -> Bool {
    contradictions(of: check, outcome).contains { $0.keys.allSatisfy { finding(of: $0) != nil } }
  }

  /// A check that has not ended, and could contradict what makes a cause certain; nil if there is none.
  private func mayContradict(_ walk: Walk) -> String? {
    guard walk.causes.contains(where: { $0.confidence == .certain }) else { return nil }
    return walk.steps.lazy.flatMap { step -> [String] in
      guard case .check(let check) = step.node.looks else { return [] }
      return contradictions(of: check, step.key).flatMap(\.keys)
    }.filter { finding(of: $0) == nil && canStillEnd($0, facts) }.min()
  }

  /// The contradictions in which the outcome has a part, and which nothing that was found keeps from being one.
  private func contradictions(of check: String, _ outcome: String) -> [[String: Set<String>]] {
    catalog.tree.contradictions.filter { line in
      line[check]?.contains(outcome) == true
        && line.allSatisfy { other, outcomes in finding(of: other).map { outcomes.contains($0.outcome) } ?? true }
    }
  }

  /// True while the check runs or a running check may still bring what it needs.
  private func canStillEnd(_ check: String, _ facts: Facts) -> Bool {
    guard let shape = shapes[check] else { return false }
    return running.contains(check) || (!running.isEmpty && reachable(facts).isSuperset(of: shape.needs))
  }

  private func canStillLearn(_ name: FactName, _ facts: Facts) -> Bool {
    !running.isEmpty && reachable(facts).contains(name)
  }

  /// The facts that the running checks, and those that could start after them, may bring.
  private func reachable(_ facts: Facts) -> Set<FactName> {
    var names = facts.names
    var waiting = shapes.values.filter { finding(of: $0.id) == nil }
    for check in running { names.formUnion(shapes[check]?.learns ?? []) }
    var count = 0
    while count != waiting.count {
      count = waiting.count
      waiting.removeAll { shape in
        let isReady = names.isSuperset(of: shape.needs)
        if isReady { names.formUnion(shape.learns) }
        return isReady
      }
    }
    return names
  }
}

extension Session.Walk {
  /// Causes by confidence, then by order of the way; without repetitions, and without those that merely follow from one
  /// that is as sure.
  fileprivate func ranked(by catalog: Catalog) -> Self {
    var walk = self
    // What is merely possible leaves the others possible, too, and explains nothing away that is more likely.
    func isHidden(_ names: Branch.Names) -> Bool {
      causes.contains { other in
        other.confidence < .possible && other.confidence <= names.confidence
          && catalog.pages[other.cause]?.hides.contains(names.cause) == true
      }
    }
    var seen: Set<String> = []
    walk.causes = causes.enumerated()
      .sorted { ($0.element.confidence, $0.offset) < ($1.element.confidence, $1.offset) }
      .map(\.element)
      .filter { !isHidden($0) && seen.insert($0.cause).inserted }
    return walk
  }
}
