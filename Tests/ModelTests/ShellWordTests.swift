import Foundation
import Fixture
import Model
import Testing

/// Real shells get back exactly what a word was made of.
@Suite struct ShellWordTests {
  private static let hostile = [
    "x'\u{301}`touch PWNED`'\u{301}y", "x'\u{301}$(touch PWNED)'\u{301}y", "'", "''", "'\\''", "\\", "\\'", "a\\",
    "$(id)", "`id`",
    "${IFS}", "$IFS", "a;b", "a|b", "a&b", "a>b", "<(id)", "*", "?", "[a]", "~", "~root", "=ls", "a=b", "PATH=/tmp",
    "{a,b}", "#a",
    "!!", "!$", "a!b", "^a^b", "%1", "@x", "+x", "-x", "--", "-", ".", "..", "a  b", " a", "a ", "\"", "\"$(id)\"",
    "if", "e\u{301}",
    "日本", "👩\u{200D}👩", "👍🏽", "\u{FFFD}", "\u{A0}", "\u{202E}abc", "\u{3164}", "a\nb", "a\tb", "a\r\nb", "\u{0}",
    "'\u{20DD}",
    "'\u{903}", "\u{301}", "’", "＇", "`\u{301}", "\\\u{301}", "$\u{301}(id)",
  ]

  private static let parts: [String] =
    [
      "'", "\"", "`", "$", "(", ")", "{", "}", "\\", "!", "~", "=", "#", "-", "*", "?", "[", "]", "<", ">", "|", "&",
      ";", " ", "%", "^",
      "a", "Z", "0", "é", "e\u{301}", "日", "א", "ب", "👍🏽", "$(touch PWNED)", "`touch PWNED`", "&&", "\u{301}",
      "\u{20DD}", "\u{903}",
      "\u{200D}", "\u{FE0F}", "\u{A0}", "\u{3000}", "\u{2003}", "\u{202E}", "\u{2066}", "\u{3164}", "\u{115F}",
      "\u{1160}", "\u{2800}",
      "\u{34F}", "\u{FFA0}", "\u{FFFD}", "\u{E000}", "\n", "\t", "\u{1B}", "\u{7F}", "\u{85}", "\u{2028}",
    ]

  @Test(arguments: [
    ["/bin/sh"], ["/usr/bin/dash"], ["/usr/bin/bash", "--norc"], ["/usr/bin/busybox", "sh"],
  ])
  func aShellGivesTheValueBack(shell: [String]) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("shell words: seed \(seed)")
    var random = SeededGenerator(seed: seed)
    var values = Self.hostile
    for _ in 0..<4_000 {
      values.append(
        (0..<Int.random(in: 1...12, using: &random)).map { _ in Self.parts.randomElement(using: &random)! }.joined())
    }
    for _ in 0..<1_000 {
      let scalars = (0..<Int.random(in: 1...8, using: &random)).compactMap { _ in
        Unicode.Scalar(UInt32.random(in: 1...0x2FFFF, using: &random))
      }
      values.append(String(String.UnicodeScalarView(scalars)))
    }
    values.append(String(repeating: "a' ", count: 600))
    let words = values.compactMap { value in value.shellWord.map { (value, $0) } }
    #expect(words.count > 500, "seed \(seed)")
    for (value, word) in words {
      #expect(word.printable == word && !word.unicodeScalars.contains { $0.isUnsafe }, "\(value)")
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "words-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Each by the shell's own printf, and as a part of a word by another program.
    let chunks = stride(from: 0, to: words.count, by: 400).map { Array(words[$0..<min($0 + 400, words.count)]) }
    var got: [[UInt8]] = []
    for chunk in chunks {
      let lines =
        chunk.map { "printf '%s\\0' \($0.1)\n" }.joined()
        + "/usr/bin/printf '%s\\0' \(chunk.map { "Host:\($0.1)\($0.1)" }.joined(separator: " "))\n"
      let output = try run(shell, lines, in: folder)
      got += output.split(separator: 0, omittingEmptySubsequences: false).dropLast().map(Array.init)
    }
    let expected = chunks.flatMap { chunk in
      chunk.map { Array($0.0.utf8) } + chunk.map { Array("Host:\($0.0)\($0.0)".utf8) }
    }
    #expect(got.count == expected.count, "seed \(seed)")
    for (value, wanted) in zip(got, expected) where value != wanted {
      Issue.record("seed \(seed): \(String(decoding: wanted, as: UTF8.self).debugDescription) came back as \(value)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()).isEmpty, "something ran; seed \(seed)")
  }

  /// In an interactive bash `!` calls a line of the history, but not in single quotes.
  @Test func anInteractiveBashLooksNothingUp() throws {
    let values = ["a!b", "!!", "it's!x", "a b!", "!$ '!' !?x?", "^a^b"]
    let lines = values.map { "printf '%s\\0' \($0.shellWord!)\n" }.joined()
    let output = try run(
      ["/usr/bin/bash", "--norc", "--noprofile", "--noediting", "-i"],
      "set -o histexpand\necho earlier >/dev/null\n" + lines,
      in: FileManager.default.temporaryDirectory)
    let got = output.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
      String(decoding: $0, as: UTF8.self)
    }
    #expect(got == values)
  }

  /// What the shell writes to its output, with the script as its input, as a person would paste it.
  private func run(_ shell: [String], _ script: String, in folder: URL) throws -> [UInt8] {
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: shell[0])
    process.arguments = Array(shell.dropFirst())
    process.currentDirectoryURL = folder
    process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let bytes = Data(script.utf8)
    let writing = Thread {
      try? input.fileHandleForWriting.write(contentsOf: bytes); try? input.fileHandleForWriting.close()
    }
    writing.start()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Array(data)
  }
}
