import Flow
import Model
import Testing

/// What a checkup makes of findings: what is there, what is not, and what nobody could see.
struct CheckupTests {
  private static let shapes = [
    CheckShape(id: "route", needs: [.url], learns: ["app.id", "route.kind"], outcomes: ["found", "none", "unknown"]),
    CheckShape(id: "policy", needs: ["app.id"], learns: ["policy.name"], outcomes: ["never", "always", "unknown"]),
    CheckShape(id: "disk", needs: [.url], learns: [], outcomes: ["full", "free", "unknown"]),
  ]

  private static func weakness(
    _ id: String, _ urgency: Weakness.Urgency, _ check: String, _ outcome: String, when: [Condition] = []
  ) -> Weakness {
    Weakness(
      id: id, urgency: urgency, shownBy: [.init(check: check, outcomes: [outcome])], when: when)
  }

  private static let catalog: Catalog = {
    func page(_ id: String, _ title: String) -> Page {
      Page(
        id: id, title: Template(title), hides: [], explanation: [], sections: [], prevention: [], sources: [])
    }
    return Catalog(
      tree: Tree(start: "", nodes: [:]), pages: [:],
      checkup: Checkup(
        looks: ["route"], expects: ["route": ["found"]],
        weaknesses: [
          weakness("full", .later, "disk", "full"),
          weakness("never", .soon, "policy", "never"),
          weakness(
            "special", .now, "policy", "never", when: [Condition(fact: "route.kind", test: .oneOf(["special"]))]),
        ]),
      weaknesses: [
        "full": page("full", "Full"), "never": page("never", "{app.id} never"), "special": page("special", "Special"),
      ],
      checks: [:], words: ["unseen.missing": Template("none")], signs: Signs())
  }()

  /// - Parameter outcomes: By check: its outcome and what it brings.
  private func checked(_ outcomes: [String: (String, Facts)]) async throws -> CheckedSite {
    let site = try #require(Site("http://shop.test/"))
    var run = Run(Session(checkupWith: Self.catalog, shapes: Self.shapes, given: site.facts))
    await run.runAllChecks { check, _, _ in
      let (outcome, facts) = outcomes[check] ?? ("unknown", [:])
      return Finding(
        check: check, outcome: outcome, facts: facts, unseen: outcome == "unknown" ? .missing(what: check) : nil)
    }
    return run.session.checkedSite()
  }

  @Test func theMostUrgentComesFirst() async throws {
    let site = try await checked([
      "route": ("found", ["app.id": "a1", "route.kind": "special"]), "policy": ("never", [:]), "disk": ("full", [:]),
    ])
    #expect(site.url == "http://shop.test/")
    #expect(site.weaknesses.map(\.id) == ["special", "never", "full"])
    #expect(site.weaknesses.map(\.title) == ["Special", "a1 never", "Full"])
    #expect(site.weaknesses.map(\.evidence) == [["policy: never"], ["policy: never"], ["disk: full"]])
    #expect(site.unseen == [])
  }

  @Test func whatDoesNotHoldIsNotThere() async throws {
    let site = try await checked([
      "route": ("found", ["app.id": "a1", "route.kind": "plain"]), "policy": ("never", [:]), "disk": ("free", [:]),
    ])
    #expect(site.weaknesses.map(\.id) == ["never"])
    #expect(site.unseen == [])
  }

  /// Nothing that it needs is there: it has no container.
  @Test func whatHasNothingToLookAtIsNoMatter() async throws {
    let site = try await checked(["route": ("found", ["route.kind": "plain"]), "disk": ("free", [:])])
    #expect(site == CheckedSite(url: "http://shop.test/", unseen: []))
  }

  @Test func whatWasNotSeenIsSaid() async throws {
    let site = try await checked(["route": ("found", ["app.id": "a1"]), "disk": ("unknown", [:])])
    #expect(site.weaknesses == [])
    #expect(site.unseen.sorted() == ["disk: unknown", "policy: unknown"])
  }

  /// Who would have brought what another one needs has seen nothing: that one is to blame.
  @Test func whatKeepsFromLookingIsSaid() async throws {
    let site = try await checked(["route": ("unknown", [:]), "disk": ("free", [:])])
    #expect(site.unseen == ["route: unknown"])
  }

  /// There is a proxy, and it does not have the site: that is not "nothing found".
  @Test func whatIsExpectedAndNotThereIsSaid() async throws {
    let site = try await checked(["route": ("none", [:]), "disk": ("free", [:])])
    #expect(site.weaknesses == [])
    #expect(site.unseen == ["route: none"])
  }
}
