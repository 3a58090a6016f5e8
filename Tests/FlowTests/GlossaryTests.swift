import Testing

@testable import Flow

@Suite struct GlossaryTests {
  private let glossary = Glossary([
    .init(forms: ["port", "ports"], explanation: "A numbered door."),
    .init(forms: ["published port", "published ports"], explanation: "A port of the machine."),
    .init(forms: ["TLS", "SSL"], explanation: "What encrypts."), .init(forms: ["502"], explanation: "No good answer."),
    .init(forms: ["keep-alive"], explanation: "It stays open."), .init(forms: ["DROP"], explanation: "Thrown away."),
  ])

  private func found(_ texts: String...) -> [String] { glossary.words(in: texts).map { $0.forms[0] } }

  @Test func wordsAreFoundWhole() {
    #expect(found("It listens on port 80.") == ["port"])
    #expect(found("Important reports, portable.") == [])
    #expect(found("Ports (the app's), keep-alive; then 502: \"No\".") == ["502", "keep-alive", "port"])
    #expect(found("The port's owner", "TLS") == ["port", "TLS"])
  }

  @Test func theLongestFormCounts() {
    let tokens = Glossary.tokens(of: "Two published ports, and a published one")
    #expect(glossary.matches(in: tokens).map(\.range) == [1..<3])
    // What its explanation needs is explained as well.
    #expect(found("Two published ports") == ["port", "published port"])
    #expect(found("It is published. Ports are doors.") == ["port"])
  }

  @Test func caseIsThatOfTheData() {
    #expect(found("Drop it, tls, PORT") == [])
    #expect(found("Port 80, DROP") == ["DROP", "port"])
  }

  @Test func commandsAndPathsHaveNoWords() {
    #expect(found("Run \"curl port TLS\" in /etc/port or port=80, --port, a.port") == [])
    #expect(found("<upstream.port>", "{upstream.port}") == [])
    #expect(found("") == [] && Glossary().words(in: ["port"]) == [])
  }
}
