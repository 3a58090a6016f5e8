import Checks
import Flow
import Model
import Reader
import Screen
import Testing

/// Questions are asked only where an answer changes something, and no way through them ends with nothing.
@Suite struct AskingTests {
  private let catalog: Catalog
  private let site: Facts = [
    .url: "https://shop.example.org/", .siteScheme: "https", .siteHost: "shop.example.org", .sitePort: "443",
    .sitePath: "/", .engineCommand: "docker",
  ]

  init() throws {
    catalog = try #require(
      Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog)
  }

  private var questions: [(node: Node, fact: FactName, question: Question)] {
    catalog.tree.nodes.values.sorted { $0.id < $1.id }.compactMap { node in
      if case .fact(let fact, let question?) = node.looks { (node, fact, question) } else { nil }
    }
  }

  /// What may be known of the proxy where a question is asked.
  private var cases: [Facts] {
    [site] + Set(catalog.signs.proxies.map(\.kind)).sorted().map { site.merging([.proxyKind: $0]) }
  }

  /// The answers that are offered, "I do not know" among them.
  private func answers(to node: Node, _ facts: Facts) -> [Branch] {
    node.branches.filter { $0.text?.prose(facts) != nil }
  }

  // MARK: Where a way leads

  /// The causes that can be named from a branch on, in the order in which the tree comes to them; and how it can end
  /// where it names none.
  private func way(from branch: Branch, _ facts: Facts, unknown: FactName? = nil) -> [String] {
    var (found, ends): ([String], [String]) = ([], [])
    var seen: Set<String> = []
    func follow(_ branch: Branch) {
      found += branch.names.map { "\($0.cause) \($0.confidence)" }.filter { !found.contains($0) }
      if let end = branch.end { ends.append(end.rawValue) }
      guard let id = branch.go, seen.insert(id).inserted, let node = catalog.tree.nodes[id] else { return }
      branches(of: node).forEach(follow)
    }
    func branches(of node: Node) -> [Branch] {
      guard case .fact(let fact, let question) = node.looks else { return node.branches }
      if fact != unknown, let value = facts[fact] { return [node.branch(for: value)].compactMap(\.self) }
      if question != nil { return answers(to: node, facts) }
      let absent = node.branches.filter { $0.keys.contains(Node.absent) }
      return fact == unknown && !absent.isEmpty ? absent : node.branches
    }
    follow(branch)
    return found.isEmpty ? ends : found
  }

  private func cause(_ way: String) -> Substring { way.prefix { $0 != " " } }

  /// Each answer leaves another set of causes than not knowing does: it is not enough that one of them gets surer.
  @Test func eachAnswerLeadsElsewhereThanIDoNotKnow() throws {
    for (node, fact, _) in questions {
      for facts in cases where fact != .proxyKind || facts[.proxyKind] == nil {
        let unsure = try #require(node.branches.first { $0.keys.contains(Node.unsure) })
        let open = way(from: unsure, facts, unknown: fact)
        for answer in answers(to: node, facts) where answer != unsure {
          let known = facts.merging([fact: answer.written])
          #expect(
            Set(way(from: answer, known).map(cause)) != Set(open.map(cause)),
            "\(node.id): '\(answer.written)' changes nothing (\(facts[.proxyKind] ?? "any proxy"))")
        }
      }
    }
  }

  // MARK: Whole ways

  /// A session in which no check sees anything.
  private func session(_ given: Facts) -> Session {
    var session = Session(catalog: catalog, shapes: Check.all.map(\.shape), asks: true, given: given)
    var ready = session.start()
    while !ready.isEmpty { ready += session.learn(Finding(check: ready.removeFirst(), outcome: Finding.unknown)) }
    return session
  }

  /// Every way to answer, from where the session is.
  private func ways(_ session: Session, from asked: Int = 0, _ check: (Session, _ asked: Int) -> Void) {
    guard case .asking(let id) = session.walk().state, asked < 9, let node = catalog.tree.nodes[id] else {
      return check(session, asked)
    }
    for answer in answers(to: node, session.facts) {
      var next = session
      var ready = next.answer(id, with: answer.written)
      while !ready.isEmpty { ready += next.learn(Finding(check: ready.removeFirst(), outcome: Finding.unknown)) }
      ways(next, from: asked + 1, check)
    }
  }

  @Test func noWayIsLongAndNoneEndsWithNothing() {
    var count = 0
    var nearest: [String: Int] = [:]
    ways(session(site)) { session, asked in
      count += 1
      if let first = session.walk().causes.first, first.confidence < .possible {
        nearest[first.cause] = min(nearest[first.cause] ?? asked, asked)
      }
      let said = session.record.answers.map { "\($0.node)=\($0.key)" }.joined(separator: " ")
      #expect(asked <= 5, "\(said)")
      let works = session.diagnosis().verdict == .working
      #expect(works || !session.walk().causes.isEmpty, "\(said) ends with nothing")
    }
    #expect(count > 500, "\(count) ways")
    let far = nearest.filter { $0.value > 3 }
    #expect(far.isEmpty, "more than three questions away")
    #expect(nearest.count > 25, "\(nearest.keys.sorted())")
  }

  /// Whoever knows nothing at all keeps what is most often the cause.
  @Test func notKnowingKeepsTheCandidates() throws {
    for start in ["page", "which-proxy", "log-says", "past", "served", "in-front", "past-edge", "comes-and-goes"] {
      var (id, causes): (String?, [String]) = (start, [])
      while let node = id.flatMap({ catalog.tree.nodes[$0] }) {
        let keys = [Node.unsure, Node.absent, Node.other, Finding.unknown]
        let branch = try #require(keys.lazy.compactMap { key in node.branches.first { $0.keys.contains(key) } }.first)
        causes += branch.names.map(\.cause)
        id = branch.go
      }
      #expect(!causes.isEmpty, "\(start)")
    }
  }

  // MARK: How to find out

  /// Questions about what happens elsewhere, or happened before: there is no command for it.
  private static let withoutCommand: Set<String> = [
    "where", "works", "comes-and-goes", "how-many", "late-changed", "in-front",
  ]

  @Test func eachQuestionHasACommandAndAnExample() {
    for (node, _, question) in questions where !Self.withoutCommand.contains(node.id) {
      for facts in cases {
        #expect(question.run?.shell(facts) != nil, "\(node.id) has no command (\(facts[.proxyKind] ?? "any proxy"))")
        #expect(
          question.example?.prose(facts) != nil, "\(node.id) has no example (\(facts[.proxyKind] ?? "any proxy"))")
      }
    }
  }

  @Test func eachProxyHasItsOwnWordsForAFewReasonsAtLeast() throws {
    let log = try #require(catalog.tree.nodes["log-says"])
    for facts in cases { #expect((5...18).contains(answers(to: log, facts).count), "\(facts[.proxyKind] ?? "any")") }
  }
}
