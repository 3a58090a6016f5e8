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
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(jsonReport(diagnosis, catalog: catalog).utf8)) as? [String: Any])
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

  /// The schema has the kinds of the signs, and one word for any other.
  @Test(arguments: [("nginx", "nginx"), ("", "unknown"), ("lightproxy", "unknown")])
  func aKindOutsideOfTheSignsIsUnknown(kind: String, shown: String) throws {
    var (diagnosis, known) = (diagnosis, catalog)
    diagnosis.proxy = .init(kind: kind, place: "process 1", version: nil)
    known.signs.proxies = [.init(kind: "nginx", name: "nginx", images: [], processes: [])]
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(jsonReport(diagnosis, catalog: known).utf8)) as? [String: Any])
    #expect((object["proxy"] as? [String: Any])?["kind"] as? String == shown)
  }

  @Test func hostileNamesKeepTheirValueAndAreShown() throws {
    let unsafe = jsonReport(diagnosis, catalog: catalog).unicodeScalars.filter { $0.isUnsafe && $0 != "\n" }
    #expect(unsafe.isEmpty)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(jsonReport(diagnosis, catalog: catalog).utf8)) as? [String: Any])
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

  @Test func theSameDiagnosisGivesTheSameText() {
    #expect(jsonReport(diagnosis, catalog: catalog) == jsonReport(diagnosis, catalog: catalog))
  }
}

/// A diagnosis that has `text` everywhere.
private func full(of text: String) -> Diagnosis {
  Diagnosis(
    url: text, verdict: .inconclusive,
    observed: .init(status: nil, seconds: nil, error: text, emittedBy: text),
    proxy: .init(kind: "nginx", place: text, version: text),
    route: .init(host: text, upstream: text, definedIn: text),
    causes: [
      .init(
        id: "some-cause", confidence: .likely, title: text, explanation: text,
        evidence: [.init(check: "some.check", mark: .bad, text: text)],
        steps: [
          .init(text: text, command: "curl '\(text)'", place: .host, file: nil, patch: nil, changes: false),
          .init(
            text: text, command: nil, place: .file, file: text,
            patch: "--- /x\n+++ /x\n@@ -1,1 +1,1 @@\n-\(text)\n+b\n",
            changes: true),
        ], prevention: [text], sources: ["https://example.org"])
    ], ruledOut: [.init(cause: "other", title: text, because: text)],
    checks: [.init(id: "some.check", outcome: "bad", seconds: 0.5, summary: text)], questions: [text])
}

private let words = Catalog(
  tree: Tree(start: "", nodes: [:]), pages: [:], checks: [:],
  words: [
    "report.no-answer": Template("No answer: {site.error}"), "report.proxy": Template("{proxy.kind} {proxy.where}"),
    "report.route": Template("{route.host} {route.upstream} {route.defined-in}"),
    "place.file": Template("in {step.file}"), "step.secret": Template("A secret is left out."),
  ], signs: Signs())

@Suite struct WhatLeavesTests {
  @Test(arguments: [
    "http://x.example/?token=HUNTER2", "password=HUNTER2", "https://u:HUNTER2@x.example/", "Cookie: a=1; b=HUNTER2",
    "{\"token\": \"HUNTER2\"}",
  ])
  func noReportHasASecret(text: String) throws {
    let diagnosis = full(of: text)
    let json = jsonReport(diagnosis, catalog: words)
    for report in [
      textReport(diagnosis, catalog: words), markdownReport(diagnosis, catalog: words), json,
      jsonReport([diagnosis], catalog: words),
    ] {
      #expect(!report.contains("HUNTER2"))
      #expect(report.contains("A secret is left out."))
    }
    // What would not do what it says is no command of a script's.
    #expect(!json.contains("\"command\"") && !json.contains("\"patch\""))
    #expect(textReport(diagnosis, catalog: words).contains("    curl '"))
  }

  @Test func aCommandWithoutASecretStaysWhole() {
    let json = jsonReport(full(of: "http://shop:3000/a"), catalog: words)
    #expect(json.contains("\"command\" : \"curl 'http://shop:3000/a'\"") && json.contains("\"patch\""))
    #expect(!json.contains("A secret"))
  }

  @Test(arguments: [
    "<img src=https://evil.example/x.png>", "![x](https://evil.example/x.png)", "[x](javascript:1)", "@somebody",
    "see @somebody and #123", "**x** _y_ ~~z~~", "# heading", "- item", "1. item", "> quote", "a | b",
    "https://evil.example",
    "www.evil.example", "evil.example/x", "`code` <b>", "a ` b <b> ` c <i>", "``` <b>", "&lt;b&gt;", "x\\",
    "<!-- x -->",
    "(https://evil.example)", ":smile:", "jane@x.example", "$x$", "[x]: https://evil.example", "---", "===", "+ x",
    "* x", "x <b",
  ])
  func markdownMakesNothingOfATextFromOutside(text: String) {
    let report = markdownReport(full(of: text), catalog: words)
    // What stands outside of code, by the rules of code spans and fences.
    var open = ""
    var fence = ""
    for line in report.split(separator: "\n").map(String.init) {
      let ticks = String(line.prefix { $0 == "`" })
      if fence.isEmpty, ticks.count >= 3, !line.dropFirst(ticks.count).contains("`") {
        fence = ticks
      } else if fence.isEmpty {
        open += outsideOfCode(line) + "\n"
      } else if line == fence {
        fence = ""
      }
    }
    #expect(fence.isEmpty)
    for sign in [
      "<b", "<i", "<!", "[x", "](", "@", "#1", "://", "www.", "evil", "**", "~~", "|", "&l", ":s", "$", "\\",
    ] {
      #expect(!open.contains(sign) || sign == "://" && text.isEmpty, "\(sign) of \(text) in \(open)")
    }
    let starts = [
      "- - ", "- 1. ", "- > ", "- # ", "# # ", "- + ", "- * ", "\n- ---\n", "\n- ===\n", "\n---", "\n===", "\n> ",
    ]
    for start in starts { #expect(!open.contains(start), "\(text) in \(open)") }
  }

  @Test func aFenceIsLongerThanAnythingInIt() {
    let report = markdownReport(full(of: "a ```` b"), catalog: words)
    #expect(report.contains("\n`````sh\ncurl 'a ```` b'\n`````\n"))
  }

  /// The line without its code spans, as CommonMark finds them: a row of backticks to the next row as long.
  private func outsideOfCode(_ line: String) -> String {
    let bytes = Array(line.utf8)
    let tick = UInt8(ascii: "`")
    func row(_ start: Int) -> Int { bytes[start...].prefix { $0 == tick }.count }
    var result: [UInt8] = []
    var position = 0
    while position < bytes.count {
      guard bytes[position] == tick else {
        result.append(bytes[position])
        position += 1
        continue
      }
      let length = row(position)
      var close = position + length
      while close < bytes.count, !(bytes[close] == tick && row(close) == length) {
        close += bytes[close] == tick ? row(close) : 1
      }
      if close < bytes.count {
        result += Array("CODE".utf8)
        position = close + length
      } else {
        result += bytes[position..<position + length]
        position += length
      }
    }
    // The program's own links.
    return String(decoding: result, as: UTF8.self).replacing("- <https://example.org>", with: "")
  }
}
