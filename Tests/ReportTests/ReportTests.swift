import Flow
import Foundation
import Model
import Report
import Testing

/// A diagnosis whose names are hostile.
private let hostile = "a\u{1B}[2J\u{202E}b\u{7F}"

private let diagnosis = Diagnosis(
  url: "http://shop.example/", verdict: .diagnosed,
  observed: .init(status: nil, seconds: nil, error: "connection refused", emittedBy: nil),
  proxy: .init(kind: "nginx", place: "container \(hostile)", version: nil),
  route: .init(host: "shop.example", upstream: "http://shop:3000", definedIn: "/etc/nginx/x.conf:3"),
  causes: [
    .init(
      id: "some-cause", confidence: .likely, title: "Title", explanation: "Why.",
      evidence: [.init(check: "some.check", mark: .bad, text: "it stands")],
      steps: [
        .init(text: "Look.", command: "docker ps", place: .host, file: nil, patch: nil, changes: false),
        .init(
          text: "Edit.", command: nil, place: .file, file: "/x", patch: "--- /x\n+++ /x\n@@ -1,1 +1,1 @@\n-a\n+b\n",
          changes: true),
      ], prevention: ["Watch it."], sources: ["https://example.org"])
  ], ruledOut: [.init(cause: "other", title: "Other", because: "it runs")],
  checks: [.init(id: "some.check", outcome: "bad", seconds: 0.5, summary: "it stands")], questions: ["Who?"])

private let catalog = Catalog(tree: Tree(start: "", nodes: [:]), pages: [:], checks: [:], words: [:], signs: Signs())

@Suite struct ReportTests {
  @Test func theJSONHasWhatTheContractRequires() throws {
    let object = try #require(JSONSerialization.jsonObject(with: Data(diagnosis.json.utf8)) as? [String: Any])
    #expect(
      Set(object.keys) == ["schema", "url", "verdict", "observed", "proxy", "route", "causes", "checks", "questions"])
    let observed = try #require(object["observed"] as? [String: Any])
    #expect(observed["status"] is NSNull && observed["seconds"] is NSNull)
    let cause = try #require((object["causes"] as? [[String: Any]])?.first)
    #expect(Set(cause.keys) == ["id", "confidence", "title", "explanation", "evidence", "fix"])
    #expect(cause["evidence"] as? [String] == ["it stands (some.check)"])
    let fix = try #require(cause["fix"] as? [String: Any])
    let steps = try #require(fix["steps"] as? [[String: Any]])
    #expect(steps.map { $0["place"] as? String } == ["host", "file"])
    #expect(steps.map { $0["changes"] as? Bool } == [false, true])
  }

  @Test func hostileNamesKeepTheirValueAndAreShown() throws {
    let unsafe = diagnosis.json.unicodeScalars.filter { $0.isUnsafe && $0 != "\n" }
    #expect(unsafe.isEmpty)
    let object = try #require(JSONSerialization.jsonObject(with: Data(diagnosis.json.utf8)) as? [String: Any])
    #expect((object["proxy"] as? [String: Any])?["where"] as? String == "container \(hostile)")
    for text in [textReport(diagnosis, catalog: catalog), markdownReport(diagnosis, catalog: catalog)] {
      #expect(text.unicodeScalars.filter { $0.isUnsafe && $0 != "\n" }.isEmpty)
    }
  }

  @Test func textAndMarkdownHaveEveryStep() {
    let text = textReport(diagnosis, catalog: catalog)
    #expect(text.contains("    docker ps\n") && text.contains("    +b"))
    let markdown = markdownReport(diagnosis, catalog: catalog)
    #expect(markdown.contains("```sh\ndocker ps\n```") && markdown.contains("```diff\n--- /x\n"))
    #expect(!text.contains("```"))
  }

  @Test func theSameDiagnosisGivesTheSameText() { #expect(diagnosis.json == diagnosis.json) }
}
