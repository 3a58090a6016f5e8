import Checks
import Flow
import Model
import Reader
import Testing

/// Questions that are asked only where the evidence could not tell.
@Suite struct QuestionTests {
  private let catalog: Catalog

  init() throws {
    catalog = try #require(
      Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog)
  }

  /// A session in which every check that starts ends at once, as told or in `unknown`.
  private func session(_ outcomes: [String: String], _ given: Facts, asks: Bool = true) -> Session {
    let site: Facts = [
      .url: "https://shop.example.org/", .siteScheme: "https", .siteHost: "shop.example.org", .sitePort: "443",
      .sitePath: "/", .engineCommand: "docker",
    ]
    var session = Session(catalog: catalog, shapes: Check.all.map(\.shape), asks: asks, given: site.merging(given))
    var ready = session.start()
    while case .waiting = session.walk().state, !ready.isEmpty {
      let check = ready.removeFirst()
      ready += session.learn(Finding(check: check, outcome: outcomes[check] ?? Finding.unknown))
    }
    return session
  }

  // MARK: What decides by a fact

  /// Whoever answers in HTTP was reached, whatever was read of the ports.
  @Test(arguments: [("502", nil), (nil, "wrong-port")] as [(String?, String?)])
  func aProxyThatAnsweredIsNotDeaf(status: String?, cause: String?) {
    var given: Facts = ["site.error": "cut", "proxy.pid": "7", "proxy.port": "80"]
    given[.siteStatus] = status
    let session = session(
      ["site.answer": status == nil ? "broken" : "bad-gateway", "proxy.find": "found", "proxy.hears": "deaf"], given,
      asks: false)
    #expect(session.walk().causes.first { $0.confidence == .certain }?.cause == cause)
  }

  /// nginx says the same of servers that failed and of those that have as many requests as they may.
  @Test(
    arguments: [
      ("nginx", "7", "workers-exhausted"), ("nginx", nil, "backend-unhealthy"), ("haproxy", "7", "backend-unhealthy"),
    ] as [(String, String?, String)])
  func noServerIsLeftOrNoneHasAPlace(kind: String, limit: String?, cause: String) {
    var given = Facts(Dictionary(Check.all.flatMap(\.shape.needs).map { ($0, "1") }) { first, _ in first })
    given.merge([.siteStatus: "502", .proxyKind: kind, "site.error": "", "site.delay": ""])
    given["route.request-limit"] = limit
    let session = session(
      [
        "site.answer": "bad-gateway", "proxy.find": "found", "route.find": "found", "auth.reach": "reached",
        "servers.reach": "all-up", "upstream.find": "container", "container.state": "running",
        "network.shared": "shared", "name.resolve": "address", "port.listening": "listening",
        "tcp.connect": "accepted", "upstream.speaks": "http", "upstream.answer": "good", "proxy.limit": "free",
        "upstream.queue": "free", "route.refuses": "none", "config.valid": "readable", "proxy.log": "no-server",
      ], given, asks: false)
    #expect(session.walk().causes.first?.cause == cause)
  }

  // MARK: Past the edge

  /// The name leads to a service in front, and nobody listens here.
  private func edge(asks: Bool = true) -> Session {
    session(
      ["site.answer": "edge-error", "proxy.find": "none", "site.intended": "none"],
      ["site.edge": "Cloudflare", "site.asked": "1", .siteStatus: "522"], asks: asks)
  }

  @Test(arguments: [("good", [Confidence.certain]), ("bad", []), ("unsure", [.possible])])
  func theServerPastTheEdge(answer: String, confidence: [Confidence]) {
    var session = edge()
    #expect(session.walk().state == .asking(node: "past-edge"))
    _ = session.answer("past-edge", with: answer)
    let causes = session.walk().causes
    #expect(causes.first.map(\.cause) == confidence.first.map { _ in "edge-cannot-reach-origin" })
    #expect(Set(causes.map(\.confidence)) == Set(confidence) && (causes.count > 1) == (answer == "unsure"))
    #expect(session.walk().state == (answer == "bad" ? .asking(node: "which-proxy") : .ended(nil)))
  }

  @Test func withoutQuestionsTheEdgeIsPossible() {
    let diagnosis = edge(asks: false).diagnosis()
    #expect(diagnosis.causes.first?.id == "edge-cannot-reach-origin")
    #expect(diagnosis.causes.allSatisfy { $0.confidence == .possible })
    #expect(diagnosis.questions.contains("Asked past Cloudflare, does the server itself answer well?"))
  }

  // MARK: The app's own log

  /// The app itself answers 500, and all before it is well.
  private func failing(_ resources: String, asks: Bool = true) -> Session {
    session(
      [
        "site.answer": "server-error", "proxy.find": "found", "route.find": "found", "upstream.find": "container",
        "container.state": "running", "network.shared": "shared", "name.resolve": "found",
        "port.listening": "listening", "tcp.connect": "accepted", "upstream.speaks": "http",
        "upstream.answer": "error", "route.circle": "other", "next.proxy": "app", "host.resources": resources,
      ],
      [
        .proxyKind: "nginx", "proxy.place": "container", "proxy.pid": "7", "proxy.port": "443", "upstream.host": "shop",
        "upstream.port": "3000", "upstream.place": "container", "upstream.id": "c1", "upstream.inside-port": "3000",
        "upstream.scheme": "http", "upstream.dial": "172.18.0.3:3000", "name.address": "172.18.0.3", "site.asked": "1",
        .siteStatus: "500", "upstream.status": "500",
      ], asks: asks)
  }

  @Test(arguments: [
    ("pool", ["workers-exhausted"], Diagnosis.Verdict.diagnosed),
    ("jobs", ["workers-exhausted"], .diagnosed),
    ("memory", ["backend-out-of-memory"], .diagnosed),
    ("full", ["host-exhausted"], .diagnosed),
    ("unsure", ["app-error"], .diagnosed),
  ])
  func theAppsOwnLog(answer: String, causes: [String], verdict: Diagnosis.Verdict) {
    var session = failing("fine")
    #expect(session.walk().state == .asking(node: "app-log-says"))
    _ = session.answer("app-log-says", with: answer)
    #expect(session.diagnosis().causes.map(\.id) == causes)
    #expect(session.diagnosis().verdict == verdict)
  }

  @Test func nobodyIsAskedForTheLogWhereTheMachineTells() {
    let session = failing("disk")
    #expect(session.walk().state == .ended(nil))
    #expect(session.walk().causes.map(\.confidence) == [.certain])
  }

  /// Each way to find out can be said from the start: its text needs no fact that may be missing there.
  @Test func everyNewQuestionSaysHowToFindOut() throws {
    for (node, facts) in [("past-edge", edge().facts), ("app-log-says", failing("fine").facts)] {
      guard case .fact(_, let question?) = try #require(catalog.tree.nodes[node]).looks else {
        Issue.record("\(node) asks nothing")
        continue
      }
      #expect(question.text.prose(facts) != nil)
      #expect(question.why.prose(facts) != nil)
      #expect(question.findOut.prose(facts) != nil)
    }
  }
}
