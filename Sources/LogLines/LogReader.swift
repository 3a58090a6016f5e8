public import Model
import Pattern

/// What one log line shows: the first sign of its writer that is in it.
public struct LogReading: Sendable {
  public let sign: Signs.Line
  fileprivate let match: Pattern.Match

  /// What the sign's pattern matched, as it stands in the line.
  public var whole: String { match.whole }

  /// The text of a named group of the pattern: `address`, `name`, `reason`, `most`.
  public func text(of group: String) -> String? { match.text(of: group) }
}

/// The lines of one kind of program, by its signs.
public struct LogWriter: Sendable {
  public let kind: String
  /// True for one whose lines are looked for only in what somebody pasted.
  let isPasted: Bool
  private let formats: [Pattern]
  private let signs: [(sign: Signs.Line, pattern: Pattern)]

  /// With `reasonsOnly` a line that shows a failure without its reason shows nothing.
  public init(_ signs: Signs, kind: String, reasonsOnly: Bool) {
    self.kind = kind
    isPasted = signs.pasted.contains(kind)
    formats = signs.formats.filter { $0.proxy == kind }.compactMap { try? Pattern($0.pattern) }
    self.signs = signs.lines.filter { $0.proxy == kind && !(reasonsOnly && $0.causes.isEmpty) }.compactMap { sign in
      (try? Pattern(sign.pattern)).map { (sign, $0) }
    }
  }

  /// True for a program whose lines look like nothing in particular, such as any app.
  public var isAnyone: Bool { formats.isEmpty && !isPasted }

  /// Whether a line looks like one of this program.
  public func claims(_ line: String) -> Bool { formats.contains { $0.matches(line) } }

  /// - Parameter namesCause: Only by a sign that has a cause.
  public func reading(of line: String, namesCause: Bool = false) -> LogReading? {
    signs.lazy.filter { !namesCause || !$0.sign.causes.isEmpty }.compactMap { known in
      known.pattern.firstMatch(in: line).map { LogReading(sign: known.sign, match: $0) }
    }
    .first
  }
}

/// Reads log lines of which nobody says who wrote them.
public struct LogReader: Sendable {
  /// The one that matched last stands first: a log's lines are alike.
  private var quiet: [Pattern]
  private let writers: [LogWriter]
  /// How many more lines that nobody claims are tried by every sign. A paste has lost the time and the level by which a
  /// writer is known; a log of gigabytes has not, and would take far longer.
  private var patience = 600
  /// The line before, if it showed nothing: what is pasted from a terminal is wrapped.
  private var before: String?

  public init(_ signs: Signs) {
    quiet = signs.quiet.compactMap { try? Pattern($0) }
    var kinds: [String] = []
    for line in signs.lines where !kinds.contains(line.proxy) { kinds.append(line.proxy) }
    writers = kinds.map { LogWriter(signs, kind: $0, reasonsOnly: false) }
  }

  /// Nil for a line that has nothing to say about a failing app or a missing route.
  public mutating func reading(of line: UnsafeBufferPointer<UInt8>) -> LogReading? {
    guard !line.isEmpty else { return nil }
    // Most of a log is such lines; nothing else is tried on them.
    if let index = quiet.firstIndex(where: { $0.matches(line) }) {
      quiet.swapAt(0, index)
      return nil
    }
    let line = writtenLine(line)
    if let reading = reading(ofOwn: line, by: nil) {
      before = nil
      return reading
    }
    guard patience > 0 else { return nil }
    patience -= 1
    let found = reading(ofCut: line) ?? before.flatMap { reading(of: $0, goneOnBy: line) }
    before = found == nil && line.utf8.count < Self.longestHalf ? line : nil
    return found
  }

  /// In bytes: a longer one was not wrapped.
  private static let longestHalf = 4_096

  /// Two lines that show nothing alone, as one that was wrapped at a blank or within a word.
  private func reading(of half: String, goneOnBy rest: String) -> LogReading? {
    if isWhole(rest) { return nil }
    return [" ", ""].lazy.compactMap { reading(of: half + $0 + rest, by: nil) }.first
  }

  /// The same for a line without what a log's transport puts around it. `kind` is the program that wrote it if the line
  /// itself does not tell.
  public func reading(of line: String, by kind: String?) -> LogReading? {
    reading(ofOwn: line, by: kind) ?? reading(ofCut: line)
  }

  /// By the signs of those whose line it looks like.
  private func reading(ofOwn line: String, by kind: String?) -> LogReading? {
    let claiming = writers.filter { $0.claims(line) }
    let tried = claiming.isEmpty ? writers.filter { $0.isAnyone || $0.kind == kind } : claiming
    return tried.lazy.compactMap { $0.reading(of: line) }.first
  }

  /// A JSON object that begins with its level or its time has not lost its head, nor has a line that somebody claims.
  private func isWhole(_ line: String) -> Bool {
    ["level", "ts", "time", "timestamp", "severity"].contains { line.contains("{\"\($0)\"") }
      || writers.contains { $0.claims(line) }
  }

  /// By anybody's signs, of a line that is none of those that say nothing. In a whole line only what is known of pastes
  /// alone is looked for.
  private func reading(ofCut line: String) -> LogReading? {
    if quiet.contains(where: { $0.matches(line) }) { return nil }
    let isWhole = isWhole(line)
    return writers.lazy.filter { $0.isPasted || !isWhole }
      .compactMap { $0.reading(of: line, namesCause: !$0.isPasted) }.first
  }
}
