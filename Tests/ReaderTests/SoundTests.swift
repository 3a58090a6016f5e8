import Flow
import Model
import Reader
import Testing

struct SoundTests {
  @Test func soundFilesHaveNoProblem() { #expect(Sample().read().problems == []) }

  @Test func nodesAreReadWithTheirPlaces() throws {
    let catalog = try #require(Sample().read().catalog)
    #expect(catalog.tree.start == "answer")
    let node = try #require(catalog.tree.nodes["kind"])
    #expect(node.at == SourcePlace(file: "Flows/backend.yaml", line: 9, column: 3))
    #expect(
      node.looks
        == .fact(
          "upstream.kind",
          Question(
            text: Template("What does {upstream.container} run in?"), why: Template("Docker did not say."),
            findOut: Wording(Template("Run docker ps.")))))
    #expect(
      node.branches.first
        == Branch(
          keys: ["process"], text: Wording(Template("A process")),
          names: [.init(cause: "wrong-port", confidence: .likely)],
          at: SourcePlace(file: "Flows/backend.yaml", line: 15, column: 7)))
    #expect(node.branches.map(\.keys) == [["process"], ["other"], ["unsure"]])
    #expect(node.branches.map(\.end) == [nil, .inconclusive, .inconclusive])
  }

  @Test func sentencesSignsAndWordsAreRead() throws {
    let catalog = try #require(Sample().read().catalog)
    #expect(
      catalog.checks["site.answer"]?.outcomes["ok"]
        == .init(mark: .ok, sentences: [Template("It answers {site.status}."), Template("It answers.")]))
    #expect(catalog.checks["site.answer"]?.byHand == Template("curl -sS {site.url}"))
    #expect(catalog.signs.answers.map(\.headers) == [["server": "^nginx"], [:]])
    #expect(catalog.signs.lines.map(\.causes) == [["wrong-port", "backend-stopped"]])
    #expect(catalog.signs.proxies == [.init(kind: "nginx", name: "nginx", images: ["^nginx$"], processes: ["nginx"])])
    #expect(catalog.word("quit") == "Quit")
    #expect(
      catalog.glossary.words == [
        .init(forms: ["502"], explanation: "No good answer."),
        .init(forms: ["port", "ports"], explanation: "A numbered door of a machine."),
        .init(forms: ["published port"], explanation: "A port that leads to the inside."),
      ])
  }

  @Test func aPageIsReadWithConditionsAndSteps() throws {
    let page = try #require(Sample().read().catalog?.pages["backend-stopped"])
    #expect(page.title == Template("The app behind {site.host} has stopped"))
    #expect(page.hides == ["wrong-port"])
    let conditions = [
      Condition(fact: "container.exit", test: .noneOf(["0", "1"])), Condition(fact: "proxy.kind", test: .known),
    ]
    #expect(
      page.explanation == [
        .init(text: Template("{upstream.container} is not running."), when: []),
        .init(text: Template("It ended with {container.exit}."), when: conditions),
        .init(text: Template("So nobody answers."), when: []),
      ])
    #expect(page.sections.map(\.heading) == ["See for yourself", "Put it right"])
    #expect(
      page.sections[0].steps == [
        .init(
          text: Template("Ask Docker:\n- its state\n- its log"), when: [],
          body: .command(Template("docker inspect {upstream.container}\ndocker logs '{{json .}}'")), place: .host,
          changes: false)
      ])
    #expect(
      page.sections[1].steps == [
        .init(
          text: Template("Start it."), when: [], body: .command(Template("docker start {upstream.container}")),
          place: .host, changes: true),
        .init(
          text: Template("Start the app behind {site.url}."),
          when: [Condition(fact: "upstream.container", test: .unknown)], body: .none, place: nil, changes: false),
      ])
  }

  @Test func diffsAndFormsAreSteps() throws {
    let page = try #require(Sample().read().catalog?.pages["wrong-port"])
    #expect(
      page.sections[0].steps.prefix(2) == [
        .init(
          text: Template("Open the file."), when: [],
          body: .patch(
            file: Template("/etc/{upstream.kind}.conf"), line: Template("{site.port}"),
            lines: [" server {", "-  listen {site.port};", " ", "+  listen 80;"].map { Template($0) }),
          place: .file, changes: true),
        .init(
          text: Template("Set it in the browser."), when: [],
          body: .form(Template("Set Forward Port to {site.port}")), place: .webUI, changes: true),
      ])
  }

  @Test func anAuthorsFileTakesThePlaceOfTheBuiltInOne() {
    let all = Reader.overlay(
      [("Flows/a.yaml", "1"), ("Flows/b.yaml", "2")], with: [("Flows/c.yaml", "3"), ("Flows/a.yaml", "4")])
    #expect(all.map(\.path) == ["Flows/a.yaml", "Flows/b.yaml", "Flows/c.yaml"])
    #expect(all.map(\.text) == ["4", "2", "3"])
  }

  @Test func theBuiltInFilesAreNamedAsAnAuthorWouldNameThem() {
    #expect(Reader.builtIn.contains { $0.path == "Flows/start.yaml" })
  }
}
