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

  private static let hasAnswered: Set<String> = ["good", "error", "late", "cut", "too-large"]
  /// By their meaning, whatever the tree says of them. A socket may be denied to the proxy alone.
  private static let isNotReached: [String: Set<String>] = [
    "upstream.find": ["gone", "scaled"],
    "container.state": ["stopped", "out-of-memory", "paused"],
    "port.listening": ["loopback", "other-family", "other-port", "nothing"],
    "tcp.connect": ["refused", "timeout", "unreachable"],
    "socket.connect": ["missing", "refused", "not-socket"],
    "firewall.rules": ["blocks"],
  ]

  /// Facts that decide a way, each known or not, and everything else that a check needs.
  private func facts(_ chance: inout SeededGenerator) -> Facts {
    var facts = Facts(Dictionary(shapes.flatMap(\.needs).map { ($0, "1") }) { first, _ in first })
    for node in nodes {
      guard case .fact(let name, _) = node.looks else { continue }
      let values = node.branches.flatMap(\.keys).filter { ![Node.absent, Node.unsure].contains($0) }
      facts[name] = Bool.random(using: &chance) ? values.randomElement(using: &chance) : nil
    }
    return facts
  }

  /// - Returns: A way on which each check has ended in any of its outcomes, and the app has answered.
  private func session(_ chance: inout SeededGenerator) throws -> Session {
    var session = Session(catalog: catalog, shapes: shapes, asks: false, given: facts(&chance))
    _ = session.start()
    while case .waiting(let awaited) = session.walk().state {
      // What it waits for may have to wait for another one itself.
      let running = session.running
      let check = running.contains(awaited) ? awaited : try #require(running.min())
      let outcomes = try #require(shapes.first { $0.id == check }).outcomes.sorted()
      // Most ways end early, and those of a running app that is reached are of no use here.
      let gone = Self.isNotReached[check].flatMap { Bool.random(using: &chance) ? $0.sorted() : nil }
      let outcome = check == "upstream.answer" ? "good" : (gone ?? outcomes).randomElement(using: &chance)
      _ = session.learn(Finding(check: check, outcome: try #require(outcome)))
    }
    _ = session.learn(Finding(check: "upstream.answer", outcome: "good"))
    return session
  }

  @Test func noCertainCauseRestsOnWhatTheAppsAnswerRefutes() throws {
    var (seen, ways): (Set<String>, Int) = ([], 0)
    for seed in 0..<2_000 {
      var chance = SeededGenerator(seed: UInt64(seed))
      let session = try session(&chance)
      guard Self.hasAnswered.contains(session.finding(of: "upstream.answer")?.outcome ?? "") else { continue }
      let walk = session.walk()
      let certain = Set(walk.causes.filter { $0.confidence == .certain }.map(\.cause))
      var refuted: String?
      for step in walk.steps {
        if case .check(let check) = step.node.looks, Self.isNotReached[check]?.contains(step.key) == true {
          refuted = "\(check) \(step.key)"
          seen.insert(check)
          ways += 1
        }
        let wrong = certain.intersection((step.branch?.names ?? []).map(\.cause))
        if let refuted, !wrong.isEmpty {
          Issue.record("seed \(seed): \(wrong.sorted()) by \(refuted): \(walk.steps.map { "\($0.node.id)=\($0.key)" })")
        }
      }
    }
    #expect(seen == Set(Self.isNotReached.keys), "a finding that no way came to")
    #expect(ways > 100)
  }
}
