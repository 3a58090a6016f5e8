import Foundation
import Testing

/// The program looks at the machine, and at its clocks, through the World only; a recording could not answer for what is
/// seen past it.
@Suite struct BorderTests {
  /// Modules that are the border itself: the looks as they are really taken, and what draws on a terminal.
  private static let border: Set = ["Machine", "HTTP", "SQLite", "Terminal", "EmbedData"]

  /// Where it is done elsewhere, and why.
  private static let exceptions: [String: String] = [
    "Reader/Directory.swift": "the data files of --flows",
    "World/Handover.swift": "a limit on the real machine",
    "World/Recording.swift": "one instant, at which it stands still",
    "World/World.swift": "the system's time, for a world that has none of its own",
    "wizard502/Conditions.swift": "what the program itself needs before there is a world",
    "wizard502/Crew.swift": "its own processes",
    "wizard502/Diagnose.swift": "the time of a run, which begins before there is a world",
    "wizard502/Evidence.swift": "a file that a person names",
    "wizard502/Explain.swift": "a log that a person names",
    "wizard502/Guided.swift": "a report that is saved",
    "wizard502/LeftSessions.swift": "sessions that are kept, in the user's own folder",
    "wizard502/Output.swift": "standard output",
    "wizard502/Outside.swift": "seconds that are shown",
    "wizard502/Practice.swift": "recordings in a folder that a person names",
    "wizard502/Remote.swift": "a list of machines that a person names",
    "wizard502/StateFolder.swift": "the user's own folder for what is kept",
    "wizard502/Supervision.swift": "its own processes",
    "wizard502/Wizard502.swift": "standard error, and the one place at which the world is made",
  ]

  /// Functions of the system that look at it or wait; only files that import `Glibc` can call them.
  private static let calls = [
    "open", "openat", "access", "faccessat", "stat", "fstat", "lstat", "readlink", "opendir", "glob", "socket",
    "connect", "getaddrinfo", "geteuid", "getuid", "getenv", "uname", "gethostname", "time", "clock_gettime",
    "gettimeofday", "localtime_r", "usleep", "nanosleep", "sleep", "poll",
  ].map { $0 + "(" }
  /// The same in Swift's own words, and the real world itself.
  private static let words = [
    "Task.sleep", "ContinuousClock.now", "ContinuousClock()", "SuspendingClock", "Instant = .now", "Instant { .now",
    "Date()", "FileManager", "ProcessInfo", "Machine(",
  ]

  @Test func nothingLooksAtTheMachinePastTheWorld() throws {
    let places = try Self.sources().flatMap { file, text in
      Self.exceptions[file] == nil && !Self.border.contains(String(file.prefix { $0 != "/" }))
        ? Self.looks(in: text).map { "\(file): \($0)" } : []
    }
    #expect(places.isEmpty, "\(places.joined(separator: "\n"))")
  }

  @Test func eachExceptionIsStillNeeded() throws {
    let sources = Dictionary(try Self.sources()) { first, _ in first }
    for file in Self.exceptions.keys { #expect(!Self.looks(in: sources[file] ?? "").isEmpty, "\(file)") }
  }

  @Test(arguments: [
    "import Glibc\nlet isRoot = geteuid() == 0", "try? await Task.sleep(for: .seconds(1))",
    "let world = Once(Machine())",
    "let start = ContinuousClock.now", "let text = FileManager.default.contents(atPath: path)",
  ])
  func itSees(_ text: String) { #expect(Self.looks(in: text).count == 1) }

  /// The lines on which it is done.
  private static func looks(in text: String) -> [String] {
    (words + (text.contains("import Glibc\n") ? calls : [])).flatMap { word -> [String] in
      var lines: [String] = []
      var rest = text.startIndex..<text.endIndex
      while let found = text.range(of: word, range: rest) {
        rest = found.upperBound..<text.endIndex
        let before = text[..<found.lowerBound]
        let line = text[text.lineRange(for: found)].trimmingCharacters(in: .whitespacesAndNewlines)
        let isPartOfName = before.last.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." } ?? false
        if !isPartOfName, !before.hasSuffix("func "), !line.hasPrefix("//") { lines.append(line) }
      }
      return lines
    }
  }

  private static func sources() throws -> [(String, String)] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources").standardized
    let files = try FileManager.default.subpathsOfDirectory(atPath: root.path()).filter { $0.hasSuffix(".swift") }
    #expect(files.count > 100)
    return try files.sorted().map { ($0, try String(contentsOf: root.appending(path: $0), encoding: .utf8)) }
  }
}
