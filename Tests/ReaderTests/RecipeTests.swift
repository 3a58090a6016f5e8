import Flow
import Model
import Reader
import Testing

/// How each kind of proxy does what a page asks of it.
struct RecipeTests {
  private static let page = "Screens/backend-stopped.md"
  private static let list = "Screens/recipes.yaml"
  private static let nginx = "Screens/proxies/nginx.md"
  private static let caddy = "Screens/proxies/caddy.md"

  /// Two kinds of proxies, two recipes, and a page that wants both.
  private func sample(
    _ comments: String = "<!-- do: load -->\n<!-- do: set-port port={site.port} -->",
    nginx: String = "## load\n```sh host changes\nreload nginx\n```\n## set-port\nWrite {new.port}.\n",
    caddy: String = "## load\n<!-- none: it sees changes by itself -->\n## set-port\nWrite {new.port}.\n"
  ) -> Sample {
    var sample = Sample()
    sample.files[Self.page, default: ""] += "\n## And then\n\n\(comments)\n"
    sample.files[Self.list] = "load: Load it.\nset-port: Go to {new.port}.\n"
    sample.files[Self.nginx] = nginx
    sample.files[Self.caddy] = caddy
    sample.files["Flows/signs/caddy.yaml"] =
      "proxies:\n  - {kind: caddy, name: Caddy, images: [], processes: [caddy]}\n"
    return sample
  }

  private func steps(_ sample: Sample) throws -> [Page.Step] {
    let (catalog, problems) = sample.read()
    #expect(problems == [])
    return try #require(catalog?.pages["backend-stopped"]?.sections.last?.steps)
  }

  private func kinds(_ names: String...) -> Condition { Condition(fact: "proxy.kind", test: .oneOf(names)) }

  @Test func aRecipesStepsAreThoseOfTheirKind() throws {
    #expect(
      try steps(sample())[0]
        == .init(
          text: Template("And then"), when: [kinds("nginx")], body: .command(Template("reload nginx")), place: .host,
          changes: true))
  }

  @Test func whatKindsHaveInCommonIsOneStepWithThePagesValue() throws {
    #expect(
      try steps(sample()).last
        == .init(
          text: Template("Write {site.port}."), when: [kinds("caddy", "nginx")], body: .none, place: nil, changes: false
        ))
  }

  @Test func theOrderOfEachKindIsKept() throws {
    let both = "## load\n\(["One.", "Two."].map { "\($0)\n<!-- always -->\n" }.joined())"
    let turned = "## load\n\(["Two.", "One."].map { "\($0)\n<!-- always -->\n" }.joined())"
    let port = "## set-port\nWrite {new.port}.\n"
    let steps = try steps(
      sample("<!-- do: load -->\n<!-- do: set-port port=1 -->", nginx: turned + port, caddy: both + port))
    for (kind, texts) in [("caddy", ["One.", "Two.", "Write 1."]), ("nginx", ["Two.", "One.", "Write 1."])] {
      let facts: Facts = ["proxy.kind": kind]
      #expect(steps.filter { $0.when.allSatisfy { $0.holds(facts) } }.map(\.text.source) == texts)
    }
  }

  @Test func thePagesWordsAndTheirConditionsLeadToStepsWithoutWords() throws {
    let steps = try steps(
      sample(
        "<!-- do: set-port port=1 -->\n<!-- when: container.exit -->\nSo load it.\n<!-- do: load when: site.port -->"))
    #expect(steps.map(\.text.source) == ["Write 1.", "So load it."])
    #expect(
      steps[1].when == [
        kinds("nginx"), Condition(fact: "container.exit", test: .known), Condition(fact: "site.port", test: .known),
      ])
  }

  @Test func aRecipeMayUseAnotherOneAndAPart() throws {
    var sample = sample(
      "<!-- do: set-port port={site.port} -->\n<!-- do: load -->",
      nginx: "## load\nLoad.\n## set-port\n<!-- part: port port={new.port} -->\n<!-- do: load -->\n")
    sample.files["Screens/parts/port.md"] = "Port {new.port}.\n"
    let steps = try steps(sample).filter { $0.when.allSatisfy { $0.holds(["proxy.kind": "nginx"]) } }
    #expect(steps.map(\.text.source) == ["Port {site.port}.", "Load.", "Load."])
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    let file: String
    let old: String
    let new: String
    let problems: [String]
    init(_ file: String, _ old: String, _ new: String, _ problems: String...) {
      (self.file, self.old, self.new, self.problems) = (file, old, new, problems)
    }
    var testDescription: String { problems.first ?? file }
  }

  @Test(arguments: [
    Mistake(
      page, "do: load", "do: laod", "\(page):36:10: error: there is no recipe 'laod'; did you mean 'load'?"),
    Mistake(
      page, " port={site.port}", "", "\(page):37:10: error: 'set-port' wants 'port='",
      "\(caddy):4:7: error: there is no fact 'new.port'", "\(nginx):6:7: error: there is no fact 'new.port'"),
    Mistake(page, "do: load", "do: load now=1", "\(page):36:15: error: 'load' takes no 'now'"),
    Mistake(
      page, "<!-- do: load", "So set it.\n<!-- do: set-port port=1 -->\n<!-- do: load",
      "\(page):37:1: error: every step of 'set-port' has words of its own; put '<!-- always -->' between it and the words before it"
    ),
    Mistake(
      nginx, "## set-port", "## set-prot",
      "\(nginx):1:1: error: '## set-port' is missing (Go to {new.port}.); if there is no such thing: '<!-- none: WHY -->'",
      "\(nginx):5:4: error: there is no recipe 'set-prot'; did you mean 'set-port'?"),
    Mistake(
      nginx, "## set-port", "## load",
      "\(nginx):1:1: error: '## set-port' is missing (Go to {new.port}.); if there is no such thing: '<!-- none: WHY -->'",
      "\(nginx):5:4: error: 'load' stands here twice", "\(nginx):6:7: error: there is no fact 'new.port'"),
    Mistake(nginx, "Write {new.port}.", "", "\(nginx):5:4: error: say how 'set-port' is done, or '<!-- none: WHY -->'"),
    Mistake(
      nginx, "Write {new.port}.", "Write {site.prot}.",
      "\(nginx):6:7: error: there is no fact 'site.prot'; did you mean 'site.port'?"),
    Mistake(
      nginx, "Write", "<!-- when: proxy.kind = nginx -->\nWrite",
      "\(nginx):6:12: error: a recipe is that of its own proxy; it does not ask for the kind"),
    Mistake(
      nginx, "Write", "<!-- do: set-port port=1 -->\nWrite",
      "\(nginx):6:1: error: this leads in a circle: set-port → set-port"),
    Mistake(caddy, " it sees changes by itself", "", "\(caddy):2:1: error: 'none:' is followed by the reason"),
    Mistake(
      caddy, "## set-port", "Load it.\n## set-port",
      "\(caddy):3:1: error: 'none:' says that there is no such thing, so nothing else stands here"),
    Mistake(
      nginx, "## load", "Words.\n## load",
      "\(nginx):1:1: error: what a proxy does stands below a recipe's name: '## load'"),
    Mistake(
      list, "{new.port}", "{site.port}",
      "\(page):37:14: error: 'set-port' takes no 'port'",
      "\(list):2:11: error: '{site.port}' is no value that a page gives; those are called '{new.…}'"),
    Mistake(
      list, "Load it.\n", "Load it.\nstop: Stop it.\n",
      "\(caddy):1:1: error: '## stop' is missing (Stop it.); if there is no such thing: '<!-- none: WHY -->'",
      "\(nginx):1:1: error: '## stop' is missing (Stop it.); if there is no such thing: '<!-- none: WHY -->'",
      "\(list):2:1: error: no page wants 'stop'"),
    Mistake(
      "Flows/signs/caddy.yaml", "kind: caddy", "kind: cady",
      "Flows/signs/caddy.yaml:2:12: error: there is no Screens/proxies/cady.md, in which 'cady' says how it does what pages ask of it",
      "\(caddy):1:1: error: no signs know a proxy of the kind 'caddy'; did you mean 'cady'?"),
  ])
  func aMistakeIsNamedWhereItStands(mistake: Mistake) throws {
    var sample = sample()
    let text = try #require(sample.files[mistake.file])
    try #require(text.contains(mistake.old))
    sample.files[mistake.file] = text.replacing(mistake.old, with: mistake.new, maxReplacements: 1)
    #expect(sample.read().problems == mistake.problems)
  }
}
