import Checks
import Fixture
import Flow
import Model
import Reader
import Testing

/// On no way through the tree is a cause certain whose own evidence says that nobody reaches the app, where the app has
/// answered from the proxy's place.
@Suite struct ContradictionTests {
  private let catalog: Catalog
  private let shapes = Check.all.map(\.shape)
  private let nodes: [Node]

  init() throws {
    catalog = try #require(Reader.read(files: Reader.builtIn, shapes: shapes, checkingPatterns: false).catalog)
    nodes = catalog.tree.nodes.values.sorted { $0.id < $1.id }
  }

  /// By their meaning, whatever the tree says of them. A socket may be denied to the proxy alone.
  private static let isNotReached: [String: Set<String>] = [
    "upstream.find": ["gone", "scaled"],
    "container.state": ["stopped", "out-of-memory", "paused"],
    "port.listening": ["loopback", "other-family", "other-port", "nothing"],
    "tcp.connect": ["refused", "timeout", "unreachable"],
    "socket.connect": ["missing", "refused", "not-socket"],
    "firewall.rules": ["blocks"],
  ]

  /// What leads past the proxy to the app, and by all of the above.
  private static let leads = [
    "site.answer": "bad-gateway", "proxy.find": "found", "route.find": "found", "auth.reach": "reached",
    "servers.reach": "all-up", "upstream.find": "container", "container.state": "running", "network.shared": "shared",
    "name.resolve": "address", "port.listening": "listening", "tcp.connect": "timeout", "upstream.queue": "free",
    "route.hairpin": "other", "socket.connect": "missing", "upstream.answer": "good",
  ]

  /// Facts that decide a way, each known or not, and everything else that a check needs.
  private func facts(_ chance: inout SeededGenerator) -> Facts {
    var facts = Facts(Dictionary(shapes.flatMap(\.needs).map { ($0, "1") }) { first, _ in first })
    let ofAnswer = shapes.first { $0.id == "upstream.answer" }?.needs ?? []
    for node in nodes {
      guard case .fact(let name, _) = node.looks else { continue }
      let values = node.branches.flatMap(\.keys).filter { ![Node.absent, Node.unsure].contains($0) }
      let isKnown = Bool.random(using: &chance) || ofAnswer.contains(name)
      facts[name] = isKnown ? values.randomElement(using: &chance) : nil
    }
    return facts
  }

  /// - Returns: A way on which each check has ended in any of its outcomes, and the app has answered.
  private func session(_ catalog: Catalog, _ chance: inout SeededGenerator) throws -> Session {
    let goal = Self.isNotReached.keys.sorted().randomElement(using: &chance)
    var session = Session(catalog: catalog, shapes: shapes, asks: false, given: facts(&chance))
    _ = session.start()
    while case .waiting(let awaited) = session.walk().state {
      // What it waits for may have to wait for another one itself.
      let running = session.running
      let check = running.contains(awaited) ? awaited : try #require(running.min())
      let outcomes = try #require(shapes.first { $0.id == check }).outcomes.sorted()
      // One in eight is left to chance, and one of those findings is wanted.
      let isFree = check != "upstream.answer" && Int.random(in: 0..<8, using: &chance) == 0
      let sought = check == goal ? Self.isNotReached[check]?.sorted().randomElement(using: &chance) : nil
      let outcome = sought ?? (isFree ? outcomes.randomElement(using: &chance) : Self.leads[check] ?? outcomes[0])
      _ = session.learn(Finding(check: check, outcome: try #require(outcome)))
    }
    _ = session.learn(Finding(check: "upstream.answer", outcome: "good"))
    return session
  }

  /// - Returns: What is wrong on so many ways, and the checks on them that say that nobody reaches the app.
  private func wrong(_ catalog: Catalog, ways: Int) throws -> (wrong: [String], met: [String]) {
    var (wrong, met): ([String], [String]) = ([], [])
    for seed in 0..<ways {
      var chance = SeededGenerator(seed: UInt64(seed))
      let session = try session(catalog, &chance)
      guard session.finding(of: "upstream.answer")?.outcome == "good" else { continue }
      let walk = session.walk()
      let certain = Set(walk.causes.filter { $0.confidence == .certain }.map(\.cause))
      var refuted: String?
      for step in walk.steps {
        if case .check(let check) = step.node.looks, Self.isNotReached[check]?.contains(step.key) == true {
          refuted = "\(check) \(step.key)"
          met.append(check)
        }
        let causes = certain.intersection((step.branch?.names ?? []).map(\.cause))
        if let refuted, !causes.isEmpty {
          let way = walk.steps.map { "\($0.node.id)=\($0.key)" }
          wrong.append("seed \(seed): \(causes.sorted()) by \(refuted): \(way)")
        }
      }
    }
    return (wrong, met)
  }

  @Test func noCertainCauseRestsOnWhatTheAppsAnswerRefutes() throws {
    let found = try wrong(catalog, ways: 1200)
    #expect(found.wrong == [])
    #expect(Set(found.met) == Set(Self.isNotReached.keys), "a finding that no way came to")
  }

  /// The same ways, if the tree did not say what contradicts what.
  @Test func theseWaysWouldShowIt() throws {
    var catalog = catalog
    catalog.tree.contradictions = []
    let found = try wrong(catalog, ways: 200).wrong.count
    #expect(found > 5)
  }
}
