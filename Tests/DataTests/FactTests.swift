import Checks
import Foundation
import Model
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

  /// Facts of reading routes: their reader declares all of them at once.
  private var ofRoutes: Set<FactName> { Set(Check.named("route.find")?.shape.learns ?? []) }

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
    // `[.siteEdge: …`, `learned[.siteEdge] = …`, `(facts[.a], facts[.siteEdge]) = …`
    let brought = names(/\.(\w+):/).union(names(/\[\.(\w+)\] *=[^=]/)).union(names(/\[\.(\w+)\][,)]/))
    let needed = Set(
      swift.matches(of: /needs: \[([^\]]*)\]/).flatMap {
        $0.output.1.matches(of: /\.(\w+)/).map { String($0.output.1) }
      })
    // `facts[.siteEdge] ?? …`, `facts.port(.sitePort)`
    let read = names(/\[\.(\w+)\](?! *=[^=])/).union(names(/\((?:of: )?\.(\w+)[,)]/)).union(needed)
    for fact in Set(Check.all.flatMap(\.shape.learns)).subtracting(ofRoutes) {
      guard let name = constants[fact.text] else { continue }
      #expect(brought.contains(name), "no check brings \(fact.text)")
      #expect(read.contains(name) || words.contains(fact.text), "nobody uses \(fact.text)")
    }
  }
}
