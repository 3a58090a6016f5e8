import Flow
import Model
import Reader
import Testing

/// Steps that several pages share.
struct PartTests {
  private static let page = "Screens/backend-stopped.md"

  private func sample(_ comment: String, part: String? = "```sh host changes\nreload {proxy.kind}\n```\n") -> Sample {
    var sample = Sample()
    sample.files[Self.page, default: ""] += "\n## And then\n\n\(comment)\n"
    sample.files["Screens/parts/reload.md"] = part
    return sample
  }

  @Test func aPartsStepsStandWhereItIsNamed() throws {
    let catalog = try #require(sample("<!-- part: reload when: proxy.kind = nginx -->").read().catalog)
    let step = try #require(catalog.pages["backend-stopped"]?.sections.last?.steps.last)
    #expect(
      step
        == .init(
          text: Template("And then"), when: [Condition(fact: "proxy.kind", test: .oneOf(["nginx"]))],
          body: .command(Template("reload {proxy.kind}")), place: .host, changes: true))
  }

  @Test func aPartsConditionEndsWithIt() throws {
    let catalog = try #require(
      sample("<!-- part: reload -->\n\nLast words.", part: "<!-- when: proxy.kind -->\nFirst.\n").read().catalog)
    let steps = try #require(catalog.pages["backend-stopped"]?.sections.last?.steps)
    #expect(steps.map(\.when) == [[Condition(fact: "proxy.kind", test: .known)], []])
  }

  @Test(arguments: [
    (
      "<!-- part: relaod -->", "```sh host looks\ntrue\n```\n",
      [
        "Screens/backend-stopped.md:%:12: error: there is no part 'relaod'; did you mean 'reload'?",
        "Screens/parts/reload.md:1:1: error: no page takes this part in",
      ]
    ),
    (
      "<!-- part: reload -->", "<!-- part: reload -->\n",
      ["Screens/parts/reload.md:1:1: error: this leads in a circle: part reload → part reload"]
    ),
    (
      "<!-- part: reload -->", "```sh host looks\ntrue {container.exti}\n```\n",
      ["Screens/parts/reload.md:2:6: error: there is no fact 'container.exti'; did you mean 'container.exit'?"]
    ),
    (
      "<!-- part: reload if: x.y -->", "```sh host looks\ntrue\n```\n",
      [
        "Screens/backend-stopped.md:%:1: error: behind the name only values ('port={upstream.port}') and 'when:' may follow"
      ]
    ),
    (
      "<!-- part: reload port={site.prot} -->", "```sh host looks\ntrue {new.port}\n```\n",
      ["Screens/backend-stopped.md:%:24: error: there is no fact 'site.prot'; did you mean 'site.port'?"]
    ),
    (
      "<!-- part: reload prot={site.port} -->", "```sh host looks\ntrue {new.port}\n```\n",
      [
        "Screens/backend-stopped.md:%:19: error: the part 'reload' has no {new.prot}",
        "Screens/parts/reload.md:2:6: error: there is no fact 'new.port'",
      ]
    ),
  ])
  func aMistakeIsNamedWhereItStands(comment: String, part: String, problems: [String]) throws {
    let sample = sample(comment, part: part)
    let page = try #require(sample.files[Self.page])
    let line = page.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains("part:") } ?? 0
    #expect(sample.read().problems == problems.map { $0.replacing("%", with: "\(line + 1)") })
  }
}
