import Checks
import Fixture
import Flow
import Foundation
import LogLines
import Model
import Pattern
import Reader
import Testing

/// Lines that somebody else writes cannot hold up who reads them: the longest one costs little, whatever repeats in it.
@Suite struct PumpTests {
  /// Seconds of one pattern on one line of 64 KB: what PCRE2 does is as fast in a debug build. The aim is 0.02; what is
  /// quadratic takes seconds, and a machine that does other work, too, takes longer.
  private static let limit = 0.06

  private static let signs =
    Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog?.signs
    ?? Signs()

  private static var patterns: [String] {
    signs.quiet + signs.formats.map(\.pattern) + signs.lines.map(\.pattern)
  }

  /// What is repeated, and behind what.
  private static let pumps: [(head: String, part: String)] = {
    let parts = [
      "a", "{\"", "\"", "{", " ", ": ", "\\", "\\\"", "/", "1.", "[", "(", "a_", "_term", "status", ", ", "\t",
      "\"status\": 200 ", "\"status\":502,", "\"term\":\"--\"", "GET / HTTP/1.1", "HTTP/1.1\" 200 ", "a=\"b\" ",
      "\"a\":\"b\",", "502 Bad Gateway ", "upstream: \"", "code 400, message Bad request version (",
      "2026-11-25T06:05:04Z INF ",
    ]
    return parts.flatMap { [(head: "", part: $0), (head: "{\"status\": 200, \"a\": \"", part: $0)] }
  }()

  /// The longest line that begins with `head`, ends with `tail`, and has `part` between them.
  private static func long(_ head: String, _ part: String, _ tail: String = "") -> [UInt8] {
    let count = (LineSplitter.longest - head.utf8.count - tail.utf8.count) / max(1, part.utf8.count)
    return Array((head + String(repeating: part, count: max(0, count)) + tail).utf8)
  }

  /// A third of a line: its start, its middle or its end, as often as there is room for it.
  private static func pumped(_ line: String, _ third: Int) -> [UInt8] {
    let words = line.split(separator: " ", omittingEmptySubsequences: false)
    let from = words.count * third / 3
    let to = max(words.count * (third + 1) / 3, from + 1)
    return long(
      words[..<from].map { $0 + " " }.joined(), words[from..<to].joined(separator: " ") + " ",
      words[to...].joined(separator: " "))
  }

  /// Patterns that take too long, and on what.
  private func slow(on lines: [[UInt8]]) throws -> [String] {
    let patterns = try Self.patterns.map { (text: $0, pattern: try Pattern($0)) }
    return lines.flatMap { line in
      patterns.compactMap { text, pattern in
        let isSlow = (0..<5).allSatisfy { _ in processorTime { _ = pattern.matches(line) } > .seconds(Self.limit) }
        return isSlow ? "\(text)  on  \(String(decoding: line.prefix(120), as: UTF8.self))" : nil
      }
    }
  }

  @Test func noPatternIsSlowOnWhatAnybodyMayRepeat() throws {
    let slow = try slow(on: Self.pumps.map { Self.long($0.head, $0.part) })
    #expect(slow == [])
  }

  /// Every twelfth line, or with `THOROUGH` every third: now its start, now its middle, now its end many times.
  @Test func noPatternIsSlowOnARealLineThatRepeats() throws {
    let step = ProcessInfo.processInfo.environment["THOROUGH"] == nil ? 12 : 3
    let first = Int.random(in: 0..<step)
    print("pumps: every line of \(step), from line \(first)")
    let lines = Line.all.enumerated().filter { $0.offset % step == first }
    let slow = try slow(on: lines.map { Self.pumped($0.element.text, $0.offset / step % 3) })
    #expect(slow == [])
  }
}
