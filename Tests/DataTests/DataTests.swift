import Checks
import Flow
import Foundation
import Model
import Reader
import Testing

/// The package's own folder, found from this file.
private let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

/// All data files of this build, read as the program reads them.
@Suite struct DataTests {
  @Test func everyFlowAndScreenIsSound() {
    let read = Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: true)
    #expect(read.problems.map(\.description) == [])
    #expect(read.catalog != nil)
  }

  @Test func everyFileOfTheFoldersIsBuiltIn() throws {
    let onDisk = try Reader.files(in: package.path())
    #expect(Set(Reader.builtIn.map(\.path)) == Set(onDisk.map(\.path)))
    let texts = Dictionary(uniqueKeysWithValues: onDisk.map { ($0.path, $0.text) })
    let different = Reader.builtIn.filter { texts[$0.path] != $0.text }.map(\.path)
    #expect(different == [])
  }

  @Test func noCauseIsNamedInTheSources() throws {
    let contract = package.appending(path: "../shared/contract/causes.tsv")
    let table = try? String(contentsOf: contract, encoding: .utf8)
    let listed = (table ?? "").split(separator: "\n").dropFirst().compactMap {
      $0.split(separator: "\t").first.map(String.init)
    }
    let pages = Reader.builtIn.filter {
      $0.path.hasPrefix("Screens/") && $0.path.hasSuffix(".md")
    }
    .map { String($0.path.dropFirst("Screens/".count).dropLast(".md".count)) }
    .filter { !$0.contains("/") }
    #expect(pages.count > 20)
    if table != nil { #expect(Set(pages).subtracting(listed) == [], "a page whose cause the contract does not have") }
    let sources = try #require(
      FileManager.default.enumerator(at: package.appending(path: "Sources"), includingPropertiesForKeys: nil))
    for case let file as URL in sources where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for id in Set(pages).union(listed) {
        #expect(!text.contains("\"\(id)\""), "\(file.lastPathComponent) names \(id)")
      }
    }
  }

  /// A shell accepts every command, filled in with names that need quotes.
  @Test func everyCommandIsShell() throws {
    let catalog = try #require(
      Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog)
    var commands = 0
    for page in catalog.pages.values + catalog.guides.values + catalog.weaknesses.values {
      let facts = Facts(Dictionary(page.placeholders.map { ($0, "a b'c$(id)") }) { first, _ in first })
      for step in page.sections.flatMap(\.steps) {
        guard case .command(let template) = step.body else { continue }
        let command = try template.shell(facts)
        commands += 1
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-n", "-c", command]
        shell.standardInput = FileHandle.nullDevice
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0, "\(page.id): \(command)")
        #expect(!command.contains("$(id)") || command.contains("'a b'\\''c$(id)'"), "\(page.id): \(command)")
      }
    }
    #expect(commands > 30)
  }
}
