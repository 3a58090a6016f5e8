import Foundation
import Testing

/// A place of the sources that may end the program.
private struct Place: CustomStringConvertible {
  let file: String
  let line: Int
  let text: String
  var description: String { "\(file):\(line): \(text)" }
}

/// Forms of Swift that trap, looked for in the words of the sources.
///
/// What it sees: `!` behind a value, `try!`, `as!`, dictionaries that demand unique keys, and conversions to a whole
/// number that neither say how they fit (`exactly:`, `clamping:`, `truncatingIfNeeded:`, `bitPattern:`) nor give an
/// optional, as those of a text do. What it cannot see, as it knows no types: sums and products, subscripts, ranges, and
/// a conversion that stands in one line with a word of an optional. `NumberTests` and `make fuzz` try those.
///
/// A comment `// fits: REASON` on the line lets it pass.
@Suite struct TrapTests {
  /// Modules around one C library or one system call: the compiler gives C's whole numbers their own widths, so only
  /// reckoned ones are looked at.
  private static let bridges: Set = ["Machine", "Terminal", "HTTP", "Markdown", "Pattern", "Archive", "SQLite"]

  @Test func noConversionOfANumberFromOutsideTraps() throws {
    let places = try Self.sources().flatMap { file, text in
      Self.traps(in: text, isBridge: Self.bridges.contains(file.split(separator: "/")[0].description)).map {
        Place(
          file: file, line: $0, text: text.split(separator: "\n", omittingEmptySubsequences: false)[$0 - 1].description)
      }
    }
    #expect(places.isEmpty, "\(places.map(\.description).joined(separator: "\n"))")
  }

  @Test(arguments: [
    "let a = values.first!", "let a = try! read()", "let a = value as! Int", "Dictionary(uniqueKeysWithValues: pairs)",
    "let a = number.map { Int($0) }", "text = String(Int(rounded))", "[UInt8(content.count)]",
    "f(Int32(seconds * 1000))",
  ])
  func itSees(_ line: String) { #expect(Self.traps(in: line, isBridge: false) == [1]) }

  @Test(arguments: [
    "if a != b { return !isOpen }", "let a = #\"x!\"# // no!", "let port = text.flatMap { UInt16($0) }",
    "guard let number = Int(digits), number > 0 else {", "Int(clamping: number)", "UInt8(ascii: \"a\")",
    "Int16(POLLIN)",
    "let sizes: [Int] = [] // fits: Int(seconds)", "return words.count > 1 ? Int(words[1]) : nil",
  ])
  func itLetsPass(_ line: String) { #expect(Self.traps(in: line, isBridge: false) == []) }

  /// Numbers of the lines, from 1.
  private static func traps(in text: String, isBridge: Bool) -> [Int] {
    var isLongText = false
    return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
      defer {
        if line.split(separator: "\"\"\"", omittingEmptySubsequences: false).count.isMultiple(of: 2) {
          isLongText.toggle()
        }
      }
      // Regular expressions are slow without optimisation: only lines that can hold one of the forms are looked at.
      let bytes = line.utf8
      guard bytes.contains(UInt8(ascii: "!")) || line.contains("Int") || line.contains("uniqueKeys") else { return nil }
      if isLongText || line.contains("// fits: ") { return nil }
      let code = line.replacing(/#*"(?:\\.|[^"\\])*"#*/, with: "\"\"").replacing(/\/\/.*/, with: "")
      if code.contains(/[\w)\]}]!(?!=)/) || code.contains("uniqueKeysWithValues") { return index + 1 }
      let isOptional = code.contains(/flatMap|compactMap|\?\?|radix:|\blet \w+ = U?Int|[!=]= nil|: nil/)
      let isTrap = code.matches(of: /(?<before>[\w.]?)\bU?Int(?:8|16|32|64)?\((?!\w+:)(?<value>[^()]*)/).contains {
        match in
        let value = match.output.value
        if !match.output.before.isEmpty || value.wholeMatch(of: /[\sA-Z0-9_|x]*/) != nil { return false }
        if isBridge { return value.contains(/[*\/]|seconds|limit|left|rounded/) }
        return !isOptional && !value.contains(/text|Text|dropFirst|digits|prefix|ascii|^(?:ends|parts|words)\[/)
      }
      return isTrap ? index + 1 : nil
    }
  }

  /// Path below `Sources` and text of each file.
  private static func sources() throws -> [(String, String)] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources").standardized
    let files = try FileManager.default.subpathsOfDirectory(atPath: root.path()).filter { $0.hasSuffix(".swift") }
    #expect(files.count > 100)
    return try files.sorted().map { ($0, try String(contentsOf: root.appending(path: $0), encoding: .utf8)) }
  }
}
