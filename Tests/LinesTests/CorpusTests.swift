import Checks
import Flow
import Foundation
import LogLines
import Model
import Pattern
import Reader
import Testing

/// Lines as real programs wrote them (`run`) or as they are known to write them (`known`), one file a program:
/// what the line shows, its first cause, where it is from, the line. `-` stands for nothing.
struct Line: Sendable {
  let program: String
  let shows: String?
  let cause: String?
  let text: String

  static let all: [Line] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Lines")
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.sorted { $0.path() < $1.path() }.flatMap { file in
      ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n").map { row in
        let cells = row.split(separator: "\t", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        let value = { (cell: String) in cell == "-" ? nil : cell }
        return Line(
          program: file.deletingPathExtension().lastPathComponent, shows: value(cells[0]), cause: value(cells[1]),
          text: cells[3])
      }
    }
  }()

  static let programs = Array(Set(all.map(\.program))).sorted()
}

/// What carries a log puts something around each line.
private enum Dress: String, CaseIterable {
  case none, dockerTime, compose, journald, syslog, kubernetes, jsonFile, journaldJSON, carriageReturn, colours

  func on(_ line: String) -> String {
    switch self {
    case .none: line
    case .dockerTime: "2026-11-25T04:47:50.123456789Z " + line
    case .compose: "web-proxy-1  | " + line
    case .journald: "Nov 25 04:47:50 server program[812]: " + line
    case .syslog: "<134>1 2026-11-25T04:47:50Z server program 812 - - " + line
    case .kubernetes: "2026-11-25T04:47:50.123456789Z stderr F " + line
    case .jsonFile:
      #"{"log":\#((line + "\n").json),"stream":"stderr","time":"2026-11-25T04:47:50.123456789Z"}"#
    case .journaldJSON:
      #"{"_PID":"812","__REALTIME_TIMESTAMP":"1795582070123456","MESSAGE":\#(line.json),"PRIORITY":"6"}"#
    case .carriageReturn: line + "\r"
    // A time and a level in colours of their own, as programs write them for a terminal.
    case .colours: "\u{1B}[90m" + line.replacing(" ", with: "\u{1B}[0m \u{1B}[1;31m", maxReplacements: 2) + "\u{1B}[0m"
    }
  }
}

extension String {
  fileprivate var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

/// Every line of the collection, read as `explain` reads it.
@Suite struct CorpusTests {
  private static let signs =
    Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog?.signs
    ?? Signs()

  /// One that has read nothing yet.
  private static let reader = LogReader(signs)

  private static let regexes =
    signs.quiet + signs.silent + signs.formats.map(\.pattern) + signs.lines.map(\.pattern)
  private static let patterns = PatternSet(regexes)

  @Test(arguments: Line.programs, Dress.allCases.map(\.rawValue))
  func everyLineShowsWhatItIs(program: String, dress: String) throws {
    let dress = try #require(Dress(rawValue: dress))
    var reader = Self.reader
    var recognised = 0
    let lines = Line.all.filter { $0.program == program }
    for line in lines {
      let reading = Array(dress.on(line.text).utf8).withUnsafeBufferPointer { reader.reading(of: $0) }
      if reading != nil { recognised += 1 }
      #expect(reading?.sign.shows == line.shows, "\(dress): \(line.text)")
      #expect(reading?.sign.causes.first == line.cause, "\(dress): \(line.text)")
    }
    if dress == .none { print("\(program): \(recognised) lines recognised, \(lines.count - recognised) kept silent") }
  }

  /// Deep in a log, where fewer signs are tried, what carries a line makes no difference either.
  @Test(arguments: Line.programs) func aLineDeepInALogShowsTheSame(program: String) {
    var reader = Self.reader
    let read = { (line: String) in Array(line.utf8).withUnsafeBufferPointer { reader.reading(of: $0) }?.sign }
    for number in 0..<700 { #expect(read("order \(number) is packed") == nil) }
    var found = 0
    for line in Line.all where line.program == program {
      let sign = read(line.text)
      if sign != nil { found += 1 }
      for dress in [Dress.jsonFile, .journaldJSON, .colours, .carriageReturn] {
        #expect(read(dress.on(line.text)) == sign, "\(dress): \(line.text)")
        let coloured = "\u{1B}[32m" + dress.on(line.text) + "\u{1B}[0m"
        #expect(read(coloured) == sign, "\(dress), coloured: \(line.text)")
      }
    }
    #expect(found > 0 || ["gateway", "healthy", "platform", "program", "tool"].contains(program))
  }

  /// People paste what begins behind the time, the level and the process: from there on a line shows what it did.
  @Test(arguments: Line.programs) func aLineThatLostItsHeadShowsTheSame(program: String) throws {
    let reader = Self.reader
    var (same, other): (Int, [String]) = (0, [])
    for line in Line.all where line.program == program && line.cause != nil {
      let text = writtenLine(line.text.utf8)
      let whole = try #require(reader.reading(of: text, by: nil)).whole
      guard let start = text.firstRange(of: whole)?.lowerBound else { continue }
      let reading = reader.reading(of: String(text[start...]), by: nil)
      if reading?.sign.causes.first == line.cause { same += 1 } else { other.append(String(text[start...])) }
    }
    print("\(program): \(same) of \(same + other.count) lines without their head show the same")
    for line in other { print("  \(line.prefix(160))") }
    #expect(same * 20 >= (same + other.count) * 19)
  }

  /// Of what `systemctl status` prints in several lines, the first says whose service it is.
  @Test(arguments: [("caddy", "proxy-stopped"), ("shop", "backend-stopped")])
  func aStateIsThatOfTheNameBefore(service: String, cause: String) {
    var reader = Self.reader
    let lines = [
      "● \(service).service - \(service)", "   Loaded: loaded (/lib/systemd/system/\(service).service; enabled)",
      "   Active: failed (Result: exit-code) since Fri 2026-11-27 14:41:22 UTC; 11s ago",
    ]
    let readings = lines.map { Array($0.utf8).withUnsafeBufferPointer { reader.reading(of: $0) } }
    #expect(readings.map { $0?.sign.causes.first } == [nil, nil, cause])
  }

  /// A sign without a line of its own may never have matched anything.
  @Test func everySignHasALine() {
    let reader = Self.reader
    let seen = Line.all.compactMap { reader.reading(of: writtenLine($0.text.utf8), by: nil)?.sign }
    let without = Self.signs.lines.filter { !seen.contains($0) }.map { "\($0.proxy): \($0.pattern)" }
    #expect(without == [])
  }

  /// What is passed over because none of its literals is there would not have matched: each pattern on each line, and on
  /// what becomes of a line in capitals, with letters that count as others, cut, or with a byte that is no text.
  @Test(arguments: Line.programs) func whatMatchesIsACandidate(program: String) throws {
    let patterns = Self.patterns
    var (tried, passed, lost) = (0, 0, [String]())
    for (index, line) in Line.all.enumerated() where line.program == program {
      let text = line.text
      let cut = text.utf8.count * (index % 7) / 7
      let changed = [
        Array(text.uppercased().utf8), Array(text.replacing("s", with: "\u{17F}").utf8),
        Array(text.replacing("k", with: "\u{212A}").utf8), Array(text.utf8.dropFirst(cut)),
        Array(text.utf8.dropLast(cut)),
        text.utf8.prefix(cut) + [0xFF] + text.utf8.dropFirst(cut),
      ]
      for bytes in [Array(text.utf8), changed[index % changed.count]] {
        bytes.withUnsafeBufferPointer { bytes in
          let candidates = patterns.candidates(in: bytes)
          for number in 0..<patterns.count {
            let isCandidate = candidates.first(in: number..<number + 1) != nil
            tried += 1
            if !isCandidate { passed += 1 }
            if !isCandidate, patterns[number]?.matches(bytes) == true {
              lost.append("\(Self.regexes[number])  on  \(String(decoding: bytes, as: UTF8.self))")
            }
          }
        }
      }
    }
    #expect(lost == [])
    // That is what it is for.
    #expect(passed * 100 > tried * 95)
  }

  /// nginx cuts its lines at 2048 bytes, and others do the like: what was recognised is recognised cut.
  @Test(arguments: Line.programs) func aLineMayBeLong(program: String) {
    var reader = Self.reader
    for line in Line.all where line.shows != nil && line.program == program {
      let long = line.text + String(repeating: " x", count: 200_000)
      let reading = Array(long.utf8).withUnsafeBufferPointer {
        reader.reading(of: UnsafeBufferPointer(rebasing: $0.prefix(LineSplitter.longest)))
      }
      #expect(reading?.sign.shows == line.shows, "\(line.text)")
    }
  }
}
