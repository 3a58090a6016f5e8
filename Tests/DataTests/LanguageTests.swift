import Checks
import Foundation
import Synchronization
import Testing

@testable import Reader

/// The texts of the program in other languages.
@Suite struct LanguageTests {
  private static let files = Reader.builtIn

  @Test(arguments: Language.names(in: files))
  func aLanguageHasEveryText(_ name: String) throws {
    if ProcessInfo.processInfo.environment["TEXTS"] != nil { try Self.write(name) }
    let translation = try #require(
      Reader.translations(in: Self.files).first { $0.path == "Screens/languages/\(name).po" })
    #expect(translation.texts > 2000)
    #expect(translation.missing == [])
    #expect(translation.unused == [])
    #expect(translation.problems == [])
  }

  /// What is read anywhere as a text for people is among those that translators are given.
  @Test func everyTextThatIsReadIsGivenToTranslators() {
    let given = Set(Language.texts(of: Self.files).map(\.text))
    let read = Mutex<Set<String>>([])
    let recorder = Language { text in
      if !text.isPlaceholders { read.withLock { _ = $0.insert(text) } }
      return nil
    }
    let catalog = Reader.read(files: Self.files, shapes: Check.all.map(\.shape), in: recorder, checkingPatterns: false)
    #expect(catalog.problems == [])
    let all = read.withLock { $0 }
    #expect(all.count > 2000)
    #expect(all.subtracting(given) == [])
  }

  @Test func aFileOfGettextIsRead() {
    let file = """
      # Somebody
      msgid ""
      msgstr ""
      "Content-Type: text/plain; charset=UTF-8\\n"

      #: Screens/a.md
      msgid "one \\"two\\""
      msgstr "eins \\"zwei\\""

      #, fuzzy
      msgid "unsure"
      msgstr "unsicher"

      msgid ""
      "a long "
      "text\\n"
      msgstr ""
      "ein langer "
      "Text\\n"

      msgid "open"
      msgstr ""
      """
    let messages = Messages(file)
    #expect(messages.entries.map(\.text) == ["one \"two\"", "unsure", "a long text\n", "open"])
    #expect(messages.texts == ["one \"two\"": "eins \"zwei\"", "a long text\n": "ein langer Text\n"])
  }

  /// The file of a language anew, with a place for each text that it lacks and without those that no file has any more.
  private static func write(_ name: String) throws {
    let path = "Screens/languages/\(name).po"
    let file = URL(filePath: #filePath).appending(path: "../../../\(path)").standardizedFileURL
    let before = try String(contentsOf: file, encoding: .utf8)
    let texts = Messages(before).texts
    let header = before.prefix(upTo: before.firstRange(of: "\n\n")?.lowerBound ?? before.endIndex)
    func quoted(_ text: String) -> String {
      let escapes = [("\\", "\\\\"), ("\"", "\\\""), ("\n", "\\n"), ("\t", "\\t")]
      return "\"" + escapes.reduce(text) { $0.replacingOccurrences(of: $1.0, with: $1.1) } + "\""
    }
    let entries = Language.texts(of: files).map { text, file in
      "#: \(file)\nmsgid \(quoted(text))\nmsgstr \(quoted(texts[text] ?? ""))\n"
    }
    try ([header + "\n"] + entries).joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
  }
}
