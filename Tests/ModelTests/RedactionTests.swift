import Fixture
import Foundation
import Model
import Testing

@Suite struct RedactionTests {
  private func lines(of name: String) throws -> [String] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: name)
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @Test func noSecretOfTheListIsLeft() throws {
    let lines = try lines(of: "secrets.tsv").filter { !$0.hasPrefix("#") }
    #expect(lines.count >= 135)
    for line in lines {
      let cells = line.split(separator: "\t", maxSplits: 1).map(String.init)
      let text = cells[1].replacing("\\n", with: "\n")
      let shown = text.redacted
      for secret in cells[0].split(separator: " ") where shown.contains(secret) {
        Issue.record("\(secret) is left of \(text): \(shown)")
      }
      #expect(shown.redacted == shown, "what is redacted stays as it is")
    }
  }

  @Test func ordinaryLinesStayAsTheyAre() throws {
    let lines = try lines(of: "ordinary.txt")
    #expect(lines.count >= 200)
    for line in lines { #expect(line.redacted == line) }
  }

  @Test(arguments: [
    ("http://x/?token=abc&b=1", "http://x/?token=…&b=…"),
    ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
    ("postgres://app:hunter2@db:5432/x", "postgres://…@db:5432/x"),
    ("DB_PASSWORD='a b' port=3000", "DB_PASSWORD='…' port=3000"),
    ("{\"user\": \"a\", \"password\": \"x\", \"port\": 1}", "{\"user\": \"a\", \"password\": \"…\", \"port\": 1}"),
    (
      "\"GET /a?b=1 HTTP/1.1\", upstream: \"http://10.0.0.2:80/a?b=1\", host: \"x\"",
      "\"GET /a?b=… HTTP/1.1\", upstream: \"http://10.0.0.2:80/a?b=…\", host: \"x\""
    ),
    ("cookie: a=1; b=2, client: 10.0.0.1", "cookie: …, client: 10.0.0.1"),
    ("Server=db;Password=x1;Encrypt=true", "Server=db;Password=…;Encrypt=true"),
    ("mail to jane@example.org", "mail to …@example.org"),
  ])
  func onlyTheSecretIsLeftOut(text: String, shown: String) { #expect(text.redacted == shown) }

  @Test func aCutDoesNotHideTheNameOfASecret() {
    let line = "password=" + String(repeating: "x7", count: 200)
    #expect(line.excerpt(of: 60) == "password=…")
  }

  /// Four times the text takes about four times as long, of whatever it is made.
  @Test func timeGrowsWithTheTextAlone() {
    let units = [
      "=", ":", "//a:b", "@", "a@", "?", "?a=", "password=", "password is ", "token: a ", "$", "$1$", "eyJ", "%3D",
      "%25", "\"",
      "\\", "\"a\":", "-p", "--password ", "-----BEGIN ", "-----BEGIN KEY-----", "/reset/", "authorization: ",
      "cookie: a, b: ",
      "[", "a", " ", "/", "hooks.slack.com/", "pass=a,", "x:y@", "bearer ", "key:", "key: ", "\u{301}", "token=[\"",
      "<pin>",
      "identified by ", "set token ", "'password", "[\"password\"] = ", "${", "password=${", "secret: *",
    ]
    for unit in units {
      func time(_ bytes: Int) -> Duration {
        let text = String(repeating: unit, count: bytes / unit.utf8.count)
        return (0..<3).map { _ in processorTime { _ = text.redacted } }.min() ?? .zero
      }
      let (short, long) = (time(1 << 10), time(4 << 10))
      #expect(long < short * 10 + .milliseconds(10), "\(unit): \(short), then \(long)")
    }
  }

  @Test func anythingAtAllIsTaken() {
    var random = SeededGenerator(seed: 8)
    let parts = [
      "password", "=", ":", "\"", "'", "\\", "[", "]", "%3D", "@", "//", "?", "&", " ", "\n", "é", "\u{301}",
      "-----BEGIN ",
      "$1$", "eyJ", "x", "7", "-p", "/reset/", "Cookie", "{", "}", "\u{0}", ">", "<", "bearer", "is", ";", ",", "…",
    ]
    for _ in 0..<5_000 {
      let text = (0..<Int.random(in: 0...14, using: &random)).map { _ in parts.randomElement(using: &random)! }.joined()
      let shown = text.redacted
      #expect(shown.utf8.count <= text.utf8.count + 3 * 14)
    }
  }
}
