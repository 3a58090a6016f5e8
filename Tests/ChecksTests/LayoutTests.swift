import Checks
import FoundationEssentials
import Model
import Testing

/// Where one finds a check, and what it may know.
@Suite struct LayoutTests {
  private static let folder = URL(filePath: #filePath).appending(path: "../../../Sources/Checks").standardizedFileURL
    .path()

  private func sources() throws -> [String: String] {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder).filter { $0.hasSuffix(".swift") }
    return try Dictionary(
      uniqueKeysWithValues: files.map { file in
        (String(file.dropLast(6)), try String(contentsOfFile: "\(Self.folder)/\(file)", encoding: .utf8))
      })
  }

  /// The id in the source of a check; nil for a file that has none.
  private func ids(in source: String) -> [String] {
    source.split(separator: "= Check(\n").dropFirst().compactMap { part in
      part.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first.map(String.init)
    }
  }

  @Test func aCheckIsInTheFileOfItsName() throws {
    let sources = try sources()
    var found: Set<String> = []
    for (file, source) in sources {
      let ids = ids(in: source)
      #expect(ids.count <= 1, "\(file).swift has several checks: \(ids)")
      for id in ids {
        let name = id.split { $0 == "." || $0 == "-" }.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        #expect(file == name, "\(id) is in \(file).swift")
        found.insert(id)
      }
    }
    #expect(found == Set(Check.all.map(\.shape.id)))
  }

  @Test func aCheckRunsNoOtherOne() throws {
    // What another machine shows is told by the checks that are made of the proxy's own.
    for (file, source) in try sources() where !["Check", "FarSide"].contains(file) {
      #expect(!source.contains(".finding("), "\(file).swift")
      #expect(!source.contains("Check."), "\(file).swift")
    }
  }

  /// A value that a check cannot do without is one that it declares: else it would end in `unknown` where it starts.
  @Test func aCheckDeclaresWhatItCannotDoWithout() throws {
    let sources = try sources()
    let values = Dictionary(
      try #require(sources["Case"]).matches(of: /var (\w+): \w+ \{ get throws\(Unseen\) \{.*?(?:of: )\.(\w+)\)/).map {
        (String($0.output.1), String($0.output.2))
      }
    ) { first, _ in first }
    #expect(values.count > 10)
    let given: Set = ["url", "siteHost", "sitePort", "sitePath", "proxyPID"]
    for (file, source) in sources where !ids(in: source).isEmpty {
      let needs = source.firstMatch(of: /needs: \[([^\]]*)\]/)?.output.1 ?? ""
      for value in source.matches(of: /try given\.(\w+)/).compactMap({ values[String($0.output.1)] })
      where !given.contains(value) {
        #expect(needs.contains(".\(value)"), "\(file).swift uses \(value) and does not need it")
      }
    }
  }
}
