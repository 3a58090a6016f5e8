import Foundation
import Testing

/// `checklist.tsv`: a hundred points of an excellent wizard in a terminal over SSH, how each is met or why not, and the tests
/// that see it, `MODULE/FUNCTION`, or a script.
@Suite struct ChecklistTests {
  private struct Row {
    let number: Int
    let state: String
    let words: String
    let tests: [String]
  }

  private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

  private static let rows: [Row] = {
    let text = try? String(contentsOf: tests.appending(path: "DataTests/checklist.tsv"), encoding: .utf8)
    return (text ?? "").split(separator: "\n").dropFirst().map { line in
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return Row(
        number: Int(cells[0]) ?? 0, state: cells[1], words: cells[2],
        tests: cells[3].split(separator: " ").map(String.init))
    }
  }()

  @Test func eachPointIsThereOnceAndMostAreMet() {
    #expect(Self.rows.map(\.number) == Array(1...100))
    #expect(
      Self.rows.allSatisfy { ["met", "partly", "no"].contains($0.state) && !$0.words.isEmpty && !$0.tests.isEmpty })
    #expect(Self.rows.count { $0.state == "met" } >= 92)
  }

  @Test func eachTestThatIsNamedIsThere() throws {
    var functions: Set<String> = []
    let files = try #require(FileManager.default.enumerator(at: Self.tests, includingPropertiesForKeys: nil))
    for case let file as URL in files where file.pathExtension == "swift" {
      let module = file.pathComponents[Self.tests.pathComponents.count]
      for match in try String(contentsOf: file, encoding: .utf8).matches(of: /func ([A-Za-z0-9]+)/) {
        functions.insert("\(module)/\(match.1)")
      }
    }
    for row in Self.rows {
      for test in row.tests {
        let isScript = FileManager.default.isExecutableFile(
          atPath: Self.tests.deletingLastPathComponent().appending(path: test).path)
        #expect(functions.contains(test) || isScript, "\(row.number): there is no \(test)")
      }
    }
  }
}
