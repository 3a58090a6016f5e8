import Checks
import Foundation
import Model
import Reader
import Testing

@testable import Flow

/// A shell accepts every command, and shellcheck finds nothing in it.
@Suite struct CommandTests {
  /// A command as a script, with the page it stands on.
  private struct Script {
    let page: String
    let text: String
  }

  private let catalog: Catalog
  private let samples: Samples

  init() throws {
    catalog = try #require(
      Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog)
    samples = try Samples()
  }

  /// Every command of every page, filled in by `value`, and those that nothing fills in.
  private func scripts(_ value: (FactName) -> String?) -> (filled: [Script], empty: Set<String>) {
    var filled: [Script] = []
    var all: Set<String> = []
    var shown: Set<String> = []
    for page in catalog.allPages.sorted(by: { $0.id < $1.id }) {
      for step in page.sections.flatMap(\.steps) {
        guard case .command(let template) = step.body else { continue }
        all.insert(template.source)
        let commands = step.samples([:], catalog, value).compactMap { step.filled($0, catalog)?.command }
        if !commands.isEmpty { shown.insert(template.source) }
        filled += commands.map { Script(page: page.id, text: $0) }
      }
    }
    return (filled, all.subtracting(shown))
  }

  /// Every command of every page, with a hostile name in each place: it stands there as one word, as often as in the
  /// template. Then they are run where no program is found but the one that the name would start.
  @Test(arguments: [
    "a b'c$(touch PWNED);`touch PWNED`\"&|>PWNED #", "x'\u{301}`touch PWNED`'\u{301}y",
    "x'\u{301}$(touch PWNED)'\u{301}y",
    "a\ntouch PWNED", "-x; touch PWNED", "~root/{a,b}*?[x]!!", "e\u{301}'; touch PWNED; '", "\\'; touch PWNED #",
    "$(touch)",
  ])
  func aHostileNameInACommandIsAWordOfItAndNothingElse(name: String) throws {
    let folder = try Folder()
    defer { folder.remove() }
    let word = name.shellWord
    var count = 0
    for page in catalog.allPages.sorted(by: { $0.id < $1.id }) {
      for step in page.sections.flatMap(\.steps) {
        guard case .command(let template) = step.body else { continue }
        for way in step.samples([:], catalog, { Self.isProgram($0) ? "iptables" : name }) {
          let filled = try #require(step.filled(way, catalog))
          let uses = template.placeholders.filter { way[$0] == name }.count
          guard uses > 0 else { continue }
          guard let word else {
            #expect(filled.command == nil && filled.text.contains(catalog.withheld(name)), "\(page.id): \(filled)")
            continue
          }
          // The command with each name as an argument of its own says where the shell sees one.
          let command = try #require(filled.command)
          #expect(command.components(separatedBy: word).count == uses + 1, "\(page.id): \(command)")
          count += 1
        }
      }
    }
    let scripts = scripts { Self.isProgram($0) ? "iptables" : name }.filled
    #expect(scripts.contains { $0.text.contains(word ?? name) } == (word != nil))
    guard word != nil else { return }
    for (number, script) in Set(scripts.map(\.text)).sorted().enumerated() {
      try folder.write(script + "\n", to: "scripts/\(number).sh")
    }
    try folder.write("#!/bin/sh\n/usr/bin/touch \(folder.path)/PWNED\n", to: "bin/touch")
    _ = try run("/bin/chmod", ["+x", "\(folder.path)/bin/touch"])
    for shell in ["/bin/sh", "/usr/bin/bash"] {
      let all =
        "cd \(folder.path)/scripts && for file in *.sh; do \(shell) -n $file || echo BAD $file; \(shell) $file; done"
      let end = try run("/bin/sh", ["-c", all], environment: ["PATH": "\(folder.path)/bin"])
      #expect(!end.output.contains("BAD "), "\(shell): \(end.output.prefix(500))")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/PWNED"))
    print("advice: \(count) commands with a hostile name, none of which ran")
  }

  /// Facts that are more than one word have a test of their own.
  private static func isProgram(_ name: FactName) -> Bool {
    name.text.hasPrefix("firewall.program") || name.text.hasSuffix("-words")
  }

  @Test(arguments: [
    (
      #"-p tcp -m comment --comment "for $(id) `id`; id" -j DROP"#,
      #"-p tcp -m comment --comment 'for $(id) `id`; id' -j DROP"#
    ),
    ("-s 10.0.0.0/8 ! -i br-0 -j DROP; id", "-s 10.0.0.0/8 '!' -i br-0 -j 'DROP;' id"),
    ("-j DROP & id > x", "-j DROP '&' id '>' x"), ("a\nid", nil), ("--$(id)", "--'$(id)'"),
  ])
  func eachOfSeveralWordsIsOneWord(value: String, shown: String?) {
    let filled = try? Template("iptables -A {some.rule-words}").shell(["some.rule-words": value])
    #expect(filled == shown.map { "iptables -A \($0)" })
  }

  @Test func noPagesCommandIsTakenForASecret() {
    for script in scripts({ samples[$0] }).filled { #expect(script.text.redacted == script.text, "\(script.page)") }
  }

  @Test func typicalNamesAndNamesThatNeedQuotes() throws {
    let hostile = "a b'c$(id);`id`\"&"
    let (typical, empty) = scripts { samples[$0] }
    #expect(empty == [], "nothing fills them in; samples.tsv may lack a fact")
    let quoted = scripts { Self.isProgram($0) ? "iptables" : hostile }.filled
    let word = try #require(hostile.shellWord)
    for script in quoted where script.text.contains("$(id)") {
      #expect(!script.text.replacing(word, with: "").contains("$(id)"), "\(script.page): \(script.text)")
    }
    let folder = try Folder()
    defer { folder.remove() }
    let all = typical + quoted
    var names: [String: Script] = [:]
    for (number, script) in Set(all.map(\.text)).sorted().enumerated() {
      let name = "\(number).sh"
      names[name] = all.first { $0.text == script }
      try folder.write("#!/bin/sh\n\(script)\n", to: name)
    }
    let files = names.keys.sorted().map { "\(folder.path)/\($0)" }
    let shell = try run("/bin/sh", ["-c", "for file; do sh -n \"$file\" || echo \"$file\"; done", "sh"] + files)
    let check = try run("/usr/bin/shellcheck", ["--norc", "--severity=warning", "--format=gcc"] + files)
    for (name, script) in names where shell.output.contains("/\(name)") || check.output.contains("/\(name):") {
      let complaints = (shell.output + check.output).split(separator: "\n").filter { $0.contains("/\(name)") }
      Issue.record("\(script.page): \(script.text)\n\(complaints.joined(separator: "\n"))")
    }
    #expect(shell.output == "")
    #expect(check.status == 0)
    print(
      "advice: sh and shellcheck: \(Set(typical.map(\.text)).count) commands, \(files.count) with their quoted forms")
  }
}
