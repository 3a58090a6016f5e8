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
        let commands = step.samples([:], value).compactMap { step.filled($0)?.command }
        if !commands.isEmpty { shown.insert(template.source) }
        filled += commands.map { Script(page: page.id, text: $0) }
      }
    }
    return (filled, all.subtracting(shown))
  }

  @Test("Typical names, and names that need quotes")
  func accepted() throws {
    let hostile = "a b'c$(id);`id`\"&"
    let (typical, empty) = scripts { samples[$0] }
    #expect(empty == [], "nothing fills them in; samples.tsv may lack a fact")
    let quoted = scripts { _ in hostile }.filled
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
