import Flow
import Model
import Testing

/// A case that goes on at another address: a redirect's target, or the next proxy.
struct OnwardTests {
  private let at = SourcePlace(file: "small.yaml", line: 1, column: 1)

  private func session(
    given: Facts = ["site.url": "http://shop.test/", "site.host": "shop.test", "limit.seconds": "30"]
  ) -> Session {
    func branch(_ key: String, cause: String? = nil, end: Diagnosis.Verdict? = nil, follow: String? = nil) -> Branch {
      Branch(
        keys: [key], names: cause.map { [.init(cause: $0, confidence: .likely)] } ?? [], end: end, follow: follow,
        at: at)
    }
    let site = Node(
      id: "site", looks: .check("site.check"),
      branches: [
        branch("good", end: .working), branch("moved", end: .inconclusive, follow: "redirect"),
        branch("next", cause: "near", follow: "next-proxy"), branch("bad", cause: "far"), branch("unknown"),
      ], at: at)
    let pages = ["near", "far"].map { cause in
      Page(
        id: cause, title: Template(cause), hides: [], explanation: [], sections: [], prevention: [], sources: [])
    }
    let sentences = ["next", "bad"].map { outcome in
      (outcome, CheckText.Outcome(mark: .bad, sentences: [Template("\(outcome) at {site.url}")]))
    }
    let catalog = Catalog(
      tree: Tree(
        start: "site", nodes: ["site": site],
        follows: [
          "redirect": Follow(how: .anew, to: .siteRedirect, gives: [.limitSeconds: [.limitSeconds]]),
          "next-proxy": Follow(
            how: .behind, to: .nextURL,
            gives: [
              .limitSeconds: [.limitSeconds], "hop.address": ["next.address", "name.address"], "hop.id": ["next.id"],
              "hop.from": ["next.from"],
            ]),
        ]),
      pages: Pages(Dictionary(uniqueKeysWithValues: pages.map { ($0.id, $0) })),
      checks: [
        "site.check": CheckText(
          title: "Site?", hop: "site", byHand: nil, outcomes: Dictionary(uniqueKeysWithValues: sentences))
      ], words: [:], signs: Signs())
    let shape = CheckShape(
      id: "site.check", needs: [.url], learns: [.siteStatus, .nextURL],
      outcomes: ["good", "moved", "next", "bad", "unknown"])
    return Session(catalog: catalog, shapes: [shape], asks: false, given: given)
  }

  private func ended(_ session: Session, _ outcome: String, _ facts: Facts = [:]) -> Session {
    var session = session
    #expect(session.start() == ["site.check"])
    _ = session.learn(Finding(check: "site.check", outcome: outcome, facts: facts))
    return session
  }

  private let hop: Facts = [
    "site.status": "502", "next.url": "http://shop.test:8080/", "next.id": "i1", "next.port": "80",
    "next.from": "nginx (container edge)", "name.address": "10.0.0.3",
  ]

  @Test func theNextProxyIsGivenHowItIsAsked() throws {
    let next = try #require(ended(session(), "next", hop).onward())
    let given = next.record.given
    #expect(given["site.url"] == "http://shop.test:8080/")
    #expect(given["hop.address"] == "10.0.0.3")
    #expect(given["hop.id"] == "i1")
    #expect(given["hop.from"] == "nginx (container edge)")
    #expect(given["limit.seconds"] == "30")
  }

  @Test func theCauseIsThatOfTheLastProxyAndTheEvidenceNamesTheWay() throws {
    let next = try #require(ended(session(), "next", hop).onward())
    let diagnosis = ended(next, "bad", ["site.status": "500"]).diagnosis()
    #expect(diagnosis.causes.map(\.id) == ["far"])
    #expect(
      diagnosis.causes.first?.evidence.map(\.text) == ["next at http://shop.test/", "bad at http://shop.test:8080/"])
    #expect(diagnosis.url == "http://shop.test/")
    #expect(diagnosis.observed.status == 502)
    #expect(diagnosis.checks.map(\.outcome) == ["next", "bad"])
  }

  @Test(arguments: ["good", "unknown"])
  func whereNothingIsFoundTheProxyBeforeCounts(outcome: String) throws {
    let next = try #require(ended(session(), "next", hop).onward())
    let diagnosis = ended(next, outcome).diagnosis()
    #expect(diagnosis.causes.map(\.id) == ["near"])
    #expect(diagnosis.verdict == .diagnosed)
  }

  @Test func threeProxiesInARow() throws {
    let second = try #require(ended(session(), "next", hop).onward())
    let third = try #require(
      ended(second, "next", hop.merging(["next.url": "http://inner.test/", "next.from": "HAProxy"])).onward())
    #expect(third.record.given["hop.from"] == "HAProxy")
    #expect(third.record.before.count == 2)
    #expect(ended(third, "bad").diagnosis().causes.first?.evidence.count == 3)
  }

  @Test func aRedirectIsACaseOfItsOwn() throws {
    let moved = ended(session(), "moved", ["site.redirect": "http://shop.test/login", "next.url": "http://x.test/"])
    let next = try #require(moved.onward())
    #expect(next.record.given["site.url"] == "http://shop.test/login")
    #expect(next.record.before.isEmpty)
    #expect(next.record.given["hop.from"] == nil)
  }

  @Test func itEndsHereWithoutAnAddressAndWhereItHasBeen() throws {
    #expect(ended(session(), "next").onward() == nil)
    #expect(ended(session(), "next", ["next.url": "no address"]).onward() == nil)
    let here = session(given: try #require(Site("http://shop.test/")).facts)
    #expect(ended(here, "moved", ["site.redirect": "http://shop.test/"]).onward() == nil)
    #expect(ended(session(), "bad", hop).onward() == nil)
    #expect(session().onward() == nil)
  }
}
