import Checks
import Foundation
import Model
import Reader
import Testing

@testable import Flow

/// Every word that a reader sees is an everyday one, is explained by the glossary, or is a name.
@Suite struct WordTests {
  /// Reviewed lists; a word belongs into the first one only if people know it who never ran a server.
  private static let everyday = list("everyday-words.txt")
  private static let names = list("names.txt")
  private static let glossary = catalog?.glossary ?? Glossary()

  private static let catalog = Reader.read(
    files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false
  ).catalog

  private static func list(_ name: String) -> Set<String> {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: name)
    let text = try? String(contentsOf: file, encoding: .utf8)
    let lines = (text ?? "").split(separator: "\n").filter { !$0.hasPrefix("#") }
    return Set(lines.flatMap { $0.split(separator: " ") }.map(String.init))
  }

  @Test func everyTechnicalWordIsExplained() {
    let passages = Reader.builtIn.flatMap { prose(of: $0) }
    #expect(passages.count > 1500)
    for (passage, word) in Self.unexplained(in: passages) {
      Issue.record(
        "\(passage.file):\(passage.line): '\(word)' is not in Screens/glossary.yaml; a plainer word, or an entry there"
      )
    }
  }

  @Test func aWordThatNobodyExplainsIsFound() {
    let page = """
      ---
      cause: sample
      title: The proxy's flux is not right
      prevention: [Keep the app's zorbs small]
      ---
      The network namespace is full, and so is `the glork`. Look into /etc/blarg.conf, {upstream.snark}, X-Glork-For
      and "frob ps", and at the namespaced.

      ## Repair the plumbus

      ```sh host looks
      plugh
      ```
      The ALPNs of docker.
      """
    let found = Self.unexplained(in: prose(of: ("Screens/sample.md", page)))
    #expect(
      found.map { "\($0.0.line) \($0.1)" } == [
        "3 flux", "4 zorbs", "7 namespaced", "9 plumbus", "14 ALPNs",
      ])
    let checks = """
      site.answer:
        title: Does it gork?
        outcomes:
          good: [ok, "{site.url} answers", "all is blimey"]
      """
    #expect(Self.unexplained(in: prose(of: ("Flows/checks.yaml", checks))).map(\.1) == ["gork", "blimey"])
    let flow = """
      nodes:
        a:
          ask: Is it snarky?
          answers:
            yes: {text: "Yes, \\"mimsy\\" borogoves", cause: tulgey}
      """
    #expect(Self.unexplained(in: prose(of: ("Flows/a.yaml", flow))).map(\.1) == ["snarky", "borogoves"])
  }

  @Test func noWordIsBothEverydayAndExplained() {
    let forms = Set(Self.glossary.words.flatMap(\.forms))
    #expect(forms.count > 100)
    #expect(forms.intersection(Self.everyday) == [])
    #expect(Self.everyday.intersection(Self.names) == [])
  }

  private static func unexplained(in passages: [Passage]) -> [(Passage, String)] {
    passages.flatMap { passage in
      let tokens = Glossary.tokens(of: passage.text)
      let covered = Set(glossary.matches(in: tokens).flatMap { Array($0.range) })
      return tokens.indices.filter { !covered.contains($0) && !isKnown(tokens[$0].text) }
        .map { (passage, tokens[$0].text) }
    }
  }

  private static func isKnown(_ word: String) -> Bool {
    // Paths, addresses, options, placeholders and names written as code are for the machine.
    if word.count == 1 || !word.contains(where: \.isLetter) || !word.allSatisfy({ $0.isLetter || "-'’".contains($0) }) {
      return true
    }
    if word.hasPrefix("-") || isCode(word) { return true }
    if names.contains(word) || isEveryday(word.lowercased()) && word != word.uppercased() {
      return true
    }
    let parts = word.split(separator: "-").map(String.init)
    return parts.count > 1
      && parts.allSatisfy { part in isKnown(part) || glossary.words.contains { $0.forms.contains(part) } }
  }

  /// `serversTransport`, `X-Forwarded-For`
  private static func isCode(_ word: String) -> Bool {
    zip(word, word.dropFirst()).contains { ($0.isLowercase || $0 == "-") && $1.isUppercase }
  }

  private static func isEveryday(_ word: String) -> Bool {
    if everyday.contains(word) { return true }
    return ["s", "es", "d", "ed", "ing", "ly"].contains { ending in
      guard word.hasSuffix(ending) else { return false }
      let stem = String(word.dropLast(ending.count))
      return everyday.contains(stem) || everyday.contains(stem + "e")
    }
  }
}
