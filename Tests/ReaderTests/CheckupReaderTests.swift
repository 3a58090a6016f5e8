import Flow
import Model
import Reader
import Testing

/// `Flows/checkup.yaml` and its pages.
struct CheckupReaderTests {
  private static let path = "Flows/checkup.yaml"
  private static let checkup = """
    title: Checkup
    looks: [site.answer]
    expects:
      site.answer: [ok]
    weaknesses:
      no-restart:
        urgency: soon
        shown-by: {container.state: [running]}
        when: upstream.container, proxy.kind = nginx | caddy, !container.exit
    """
  private static let page = """
    ---
    weakness: no-restart
    title: "{upstream.container} does not come back"
    sources: [experience]
    ---
    It stays down.

    ## Let it come back

    ```sh host changes
    docker update --restart always {upstream.container}
    ```
    """

  private func sample(_ old: String = "", _ new: String = "", page: String? = Self.page) -> Sample {
    var sample = Sample()
    sample.files[Self.path] = old.isEmpty ? Self.checkup : Self.checkup.replacing(old, with: new)
    sample.files["Screens/checkup/no-restart.md"] = page
    return sample
  }

  @Test func aWeaknessHasItsSignsAndItsPage() throws {
    let read = sample().read()
    #expect(read.problems == [])
    let catalog = try #require(read.catalog)
    let weakness = try #require(catalog.checkup.weaknesses.first)
    #expect(catalog.checkup.looks == ["site.answer"])
    #expect(catalog.checkup.expects == ["site.answer": ["ok"]])
    #expect(catalog.checkup.checks == ["site.answer", "container.state"])
    #expect((weakness.id, weakness.urgency) == ("no-restart", .soon))
    #expect(weakness.shownBy == [.init(check: "container.state", outcomes: ["running"])])
    #expect(
      weakness.when == [
        Condition(fact: "upstream.container", test: .known),
        Condition(fact: .proxyKind, test: .oneOf(["nginx", "caddy"])),
        Condition(fact: "container.exit", test: .unknown),
      ])
    let page = try #require(catalog.weaknesses["no-restart"])
    #expect(page.title(["upstream.container": "shop"]) == "shop does not come back")
    #expect(catalog.pages["no-restart"] == nil)
  }

  @Test(arguments: [
    (
      "looks: [site.answer]", "looks: [site.anwser]",
      "2:9: error: there is no check 'site.anwser'; did you mean 'site.answer'?"
    ),
    ("site.answer: [ok]", "site.answer: [okay]", "4:17: error: 'site.answer' does not end in 'okay'"),
    ("urgency: soon", "urgency: sooner", "7:14: error: there is no urgency 'sooner'; there are 'now', 'soon', 'later'"),
    ("    urgency: soon\n", "", "7:5: error: 'urgency' is missing"),
    (
      "!container.exit", "!container.exti",
      "9:11: error: there is no fact 'container.exti'; did you mean 'container.exit'?"
    ),
    ("!container.exit", "container.exit = no", "9:11: error: never true: 'container.exit' is a number"),
  ])
  func aMistakeIsNamedWhereItStands(old: String, new: String, problem: String) {
    #expect(sample(old, new).read().problems.map { String($0.dropFirst(Self.path.count + 1)) } == [problem])
  }

  @Test func whatACheckNeedsSomeCheckOfTheCheckupBrings() {
    let read = sample("looks: [site.answer]\nexpects:\n  site.answer: [ok]\n", "").read()
    #expect(
      read.problems == [
        "\(Self.path):5:16: error: 'container.state' needs 'upstream.container', which no check of the checkup supplies"
      ])
  }

  @Test func eachWeaknessHasAPageAndTheOtherWayRound() {
    #expect(sample(page: nil).read().problems == ["\(Self.path):6:3: error: the weakness 'no-restart' has no page"])
    var stray = sample()
    stray.files["Screens/checkup/other.md"] = Self.page.replacing("weakness: no-restart", with: "weakness: other")
    #expect(
      stray.read().problems == ["Screens/checkup/other.md:1:1: error: Flows/checkup.yaml has no weakness 'other'"])
  }
}
