import Foundation
import Testing

/// The command line of `contract/cli.md`: words in, exit code and streams out.
@Suite(.serialized) struct CommandLineTests {
  private static let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

  @Test(arguments: [
    ["diagnose"],
    ["diagnose", "a b"],
    ["diagnose", ""],
    ["diagnose", "http://\u{1B}[31mred\u{1B}[0m/"],
    ["diagnose", "http://shop\u{202E}.example/"],
    ["diagnose", "http://" + String(repeating: "a", count: 10_240) + "/"],
    ["diagnose", "http://user@host/"],
    ["diagnose", "http://user:word@host/"],
    ["diagnose", "ftp://shop.example/"],
    ["diagnose", "http:///path"],
    ["diagnose", "http://shop.example:0/"],
    ["diagnose", "http://shop.example:70000/"],
    ["diagnose", "http://shop.example/", "second"],
    ["--no-such-option"],
    ["diagnose", "http://shop.example/", "--jsno"],
    ["--\u{1B}]0;title\u{7}"],
    ["diagnose", "http://shop.example/", "--timeout"],
    ["diagnose", "http://shop.example/", "--timeout", "soon"],
    ["diagnose", "http://shop.example/", "--timeout=-1"],
    ["diagnose", "http://shop.example/", "--timeout", "nan"],
    ["diagnose", "--all", "--save", "x"],
    ["diagnose", "http://shop.example/", "--save", "x", "--from", "y"],
    ["show", "--flows"],
    ["show", "--color", "always"],
    ["show", "wrong-port", "second"],
    ["graph", "second"],
    ["show", "--save", "x"],
    ["http://shop.example/", "--json"],
    ["diagnose", "http://shop.example/", "--dot"],
  ])
  func wrongUse(_ words: [String]) async throws {
    let run = try await Program.run(words, limit: 5)
    #expect(run.status == 64)
    let complaint = try #require(run.complaint)
    #expect(complaint.utf8.count < 500)
  }

  @Test func anOptionOfAnotherCommandIsNamedWithThatCommand() async throws {
    let run = try await Program.run("lint", "--from", "x", limit: 5)
    #expect(run.complaint?.contains("--from goes with diagnose or a guided session") == true)
  }

  @Test func helpFitsATerminal() async throws {
    let run = try await Program.run("--help", limit: 5)
    let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect((run.status, run.errors) == (0, ""))
    #expect(lines.count > 10 && lines.count <= 24)
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(try await Program.run("--version", limit: 5).output.hasPrefix("wizard502 "))
  }

  @Test func showListsCausesAndGuidesAndTheirPages() async throws {
    let list = try await Program.run("show", limit: 10)
    #expect((list.status, list.errors) == (0, ""))
    let listed = list.output.split(separator: "\n").map { String($0.prefix { $0 != ":" }) }
    let pages = try ["/Screens", "/Screens/guides", "/Screens/checkup"].flatMap { folder in
      try FileManager.default.contentsOfDirectory(atPath: Self.package.path() + folder)
        .filter { $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }.sorted()
    }
    #expect(listed == pages + ["words"])
    for name in listed {
      let page = try await Program.run("show", name, limit: 10)
      #expect((page.status, page.errors) == (0, ""))
      #expect(page.output.utf8.count > 200)
    }
  }

  @Test func misspeltCauseIsSuggested() async throws {
    let near = try await Program.run("show", "wrong-prot", limit: 10)
    #expect(near.status == 64)
    #expect(near.complaint?.contains("Did you mean wrong-port?") == true)
    let far = try await Program.run("show", "\u{1B}[2Jxyzzy", limit: 10)
    #expect(far.status == 64)
    #expect(far.complaint?.contains("Did you mean") == false)
  }

  @Test func drawingsAreTheSameEachTime() async throws {
    for (option, start) in [("--dot", "digraph"), ("--mermaid", "flowchart")] {
      let first = try await Program.run("graph", option, limit: 10)
      let second = try await Program.run("graph", option, limit: 10)
      #expect((first.status, first.errors) == (0, ""))
      #expect(first.output.contains(start) && first.output.contains("The route goes to the wrong port"))
      #expect(first.output == second.output)
    }
  }

  @Test(arguments: [["lint"], ["lint", package.path()]])
  func goodFilesAreSound(_ words: [String]) async throws {
    let run = try await Program.run(words, limit: 60)
    #expect((run.status, run.output, run.errors) == (0, "", ""))
  }

  @Test func lintNamesThePlaceOfAMistake() async throws {
    let folder = try Folder()
    let page = try await Program.run("lint", folder.path, limit: 20)
    #expect(page.status == 66)
    try folder.write("- id: [\n", to: "Flows/start.yaml")
    let run = try await Program.run("lint", folder.path, limit: 20)
    #expect(run.status == 1)
    #expect(run.errors.isEmpty)
    #expect(run.output.contains(/(?m)^Flows\/start\.yaml:[0-9]+:[0-9]+: error: ./))
  }

  @Test func brokenFlowsAreRefusedWithTheirList() async throws {
    let folder = try Folder()
    try folder.write("start: \u{1B}[31m\n  - {\n", to: "Flows/start.yaml")
    let broken = try await Program.run("show", "--flows", folder.path, limit: 20)
    #expect(broken.status == 66)
    #expect(broken.output.isEmpty)
    #expect(broken.errors.contains(/(?m)^Flows\/start\.yaml:[0-9]+:[0-9]+: error: ./))
    #expect(broken.errors.contains("is not used"))
    #expect(try await Program.run("show", limit: 10).status == 0)
    let absent = try await Program.run("show", "--flows", "/nonexistent", limit: 10)
    #expect(absent.status == 66)
    #expect(absent.complaint != nil)
  }
}
