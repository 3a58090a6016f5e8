import Checks
import Flow
import Foundation
import Model
import Reader
import Testing

/// Each fact that a check declares is brought by somebody and used by somebody.
@Suite struct FactTests {
  private static let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

  private func texts(_ folder: String, _ kinds: Set<String>) throws -> [String] {
    let folder = Self.package.appending(path: folder)
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) ?? .init()
    return try files.compactMap { $0 as? URL }.filter { kinds.contains($0.pathExtension) }.map {
      try String(contentsOf: $0, encoding: .utf8)
    }
  }

  @Test func everyDeclaredFactIsBroughtAndUsed() throws {
    let data = try (texts("Flows", ["yaml"]) + texts("Screens", ["yaml", "md"])).joined(separator: "\n")
    let words = Set(data.matches(of: /[a-z][a-z0-9]*(?:[.-][a-z0-9]+)+/).map { String($0.output) })
    let swift = try texts("Sources", ["swift"]).joined(separator: "\n")
    // `static let siteEdge: FactName = "site.edge"`
    let constants = Dictionary(
      swift.matches(of: /static let (\w+): FactName = "([^"]+)"/).map { (String($0.output.2), String($0.output.1)) }
    ) { first, _ in first }
    func names(_ regex: some RegexComponent<(Substring, Substring)>) -> Set<String> {
      Set(swift.matches(of: regex).map { String($0.output.1) })
    }
    // `[.siteEdge: …`, `learned[.siteEdge] = …`, `(facts[.a], facts[.siteEdge]) = …`, `examine(learning: .a, and: .siteEdge`
    let brought = names(/\.(\w+):/).union(names(/\[\.(\w+)\] *=[^=]/)).union(names(/\[\.(\w+)\][,)]/))
      .union(names(/(?:learning|and): \.(\w+)/))
    let needed = Set(
      swift.matches(of: /needs: \[([^\]]*)\]/).flatMap {
        $0.output.1.matches(of: /\.(\w+)/).map { String($0.output.1) }
      })
    // `facts[.siteEdge] ?? …`, `facts.port(.sitePort)`
    let read = names(/\[\.(\w+)\](?! *=[^=])/).union(names(/\((?:of: )?\.(\w+)[,)]/)).union(needed)
    for fact in Set(Check.all.flatMap(\.shape.learns)) {
      guard let name = constants[fact.text] else { continue }
      #expect(brought.contains(name), "no check brings \(fact.text)")
      #expect(read.contains(name) || words.contains(fact.text), "nobody uses \(fact.text)")
    }
  }

  /// `make tables` prints it.
  @Test func everyFactHasATypeAndSomebodyWhoBringsIt() throws {
    let shapes = Check.all.map(\.shape)
    let tree = try #require(Reader.read(files: Reader.builtIn, shapes: shapes, checkingPatterns: false).catalog).tree
    let (registry, bringers) = (FactRegistry.builtIn, FactRegistry.bringers(tree, shapes))
    #expect(registry.entries.count > 300)
    #expect(Set(registry.entries.keys) == Set(bringers.keys))
    guard ProcessInfo.processInfo.environment["TABLES"] != nil else { return }
    for (name, entry) in registry.entries.sorted(by: { $0.key < $1.key }) {
      let form = [entry.kind.rawValue, entry.unit ?? "", entry.values.joined(separator: " ")].filter { !$0.isEmpty }
      print(
        [name.text, form.joined(separator: " "), bringers[name]?.joined(separator: ", ") ?? ""].joined(separator: "\t"))
    }
  }
}
