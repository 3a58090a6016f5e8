import Flow
import Foundation
import Testing

@testable import Reader

struct HostileTests {
  @Test(arguments: [
    "x", "[", "{", "- ", "a: ", "---\n", "\"", "{site.url}", "> ", "é", "\u{0}", "<!-- when: a.b -->\n", "```\n",
  ])
  func aLongFileOfAnyKindIsReadToItsEnd(text: String) {
    let long = String(repeating: text, count: (1 << 17) / text.utf8.count)
    for path in Sample().files.keys {
      var sample = Sample()
      sample.files[path] = long
      #expect(!sample.read().problems.isEmpty)
    }
  }

  @Test func aLineOfOneMebibyteIsRead() {
    let sample = Sample("Screens/wrong-port.md", "Open the file.", String(repeating: "open ", count: 200_000))
    #expect(sample.read().problems == [])
  }

  @Test func aTreeOfTenThousandNodesInARowIsRead() {
    let nodes = (0..<10_000).map { "  n\($0): {fact: upstream.kind, answers: {absent: {go: n\($0 + 1)}}}\n" }
    var sample = Sample("Flows/start.yaml", "{go: state}", "{go: n0}")
    sample.files["Flows/row.yaml"] =
      "title: A row\nnodes:\n" + nodes.joined()
      + "  n10000: {fact: upstream.kind, answers: {other: {go: state}, absent: {go: state}}}\n"
    #expect(sample.read().problems == [])
  }
}

struct ProblemTests {
  @Test func aProblemPrintsNothingRaw() {
    let place = SourcePlace(file: "Flows/a\u{1B}[2J.yaml", line: 1, column: 2)
    let problem = Problem(at: place, sentence: "there is no '\u{202E}x'\u{301}\u{9B}'")
    #expect(problem.description == "Flows/a^[[2J.yaml:1:2: error: there is no '<U+202E>x'<U+301><U+9B>'")
    #expect(Reader.Unreadable(path: "a\u{1B}c", reason: "x").description == "a^[c: x")
  }
}

struct DirectoryTests {
  @Test func filesAreFoundBelowTheDirectory() throws {
    try inDirectory([
      "Flows/a.yaml": "1", "Screens/b.md": "é", "Screens/words.yaml": "3", "Flows/.b.yaml": "", "Flows/c.txt": "",
    ]) { directory in
      let files = try Reader.files(in: directory)
      #expect(files.map(\.path) == ["Flows/a.yaml", "Screens/b.md", "Screens/words.yaml"])
      #expect(files.map(\.text) == ["1", "é", "3"])
    }
  }

  @Test func whatCannotBeReadIsNamed() throws {
    try inDirectory([:]) { directory in
      #expect(throws: Reader.Unreadable(path: directory, reason: "there is no folder Flows or Screens in it")) {
        try Reader.files(in: directory)
      }
      try FileManager.default.createDirectory(atPath: directory + "/Flows", withIntermediateDirectories: true)
      try Data([0x61, 0xFF]).write(to: URL(fileURLWithPath: directory + "/Flows/a.yaml"))
      #expect(throws: Reader.Unreadable(path: directory + "/Flows/a.yaml", reason: "this is not UTF-8 text")) {
        try Reader.files(in: directory)
      }
    }
  }

  private func inDirectory(_ files: [String: String], _ test: (String) throws -> Void) throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "wizard502-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in files {
      let file = root.appending(path: path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    try test(root.path)
  }
}
