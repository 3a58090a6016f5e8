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
  private let formats: [Pattern]
  private let signs: [(sign: Signs.Line, pattern: Pattern)]

  /// With `reasonsOnly` a line that shows a failure without its reason shows nothing.
  public init(_ signs: Signs, kind: String, reasonsOnly: Bool) {
    self.kind = kind
    formats = signs.formats.filter { $0.proxy == kind }.compactMap { try? Pattern($0.pattern) }
    self.signs = signs.lines.filter { $0.proxy == kind && !(reasonsOnly && $0.causes.isEmpty) }.compactMap { sign in
      (try? Pattern(sign.pattern)).map { (sign, $0) }
    }
  }

  /// True for a program whose lines look like nothing in particular, such as any app.
  public var isAnyone: Bool { formats.isEmpty }

  /// Whether a line looks like one of this program.
  public func claims(_ line: String) -> Bool { formats.contains { $0.matches(line) } }

  public func reading(of line: String) -> LogReading? {
    signs.lazy.compactMap { known in known.pattern.firstMatch(in: line).map { LogReading(sign: known.sign, match: $0) }
    }
    .first
  }
}

/// Reads log lines of which nobody says who wrote them.
public struct LogReader: Sendable {
  /// The one that matched last stands first: a log's lines are alike.
  private var quiet: [Pattern]
  private let writers: [LogWriter]

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
    return reading(of: writtenLine(line), by: nil)
  }

  /// The same for a line without what a log's transport puts around it. `kind` is the program that wrote it if the line
  /// itself does not tell.
  public func reading(of line: String, by kind: String?) -> LogReading? {
    let claiming = writers.filter { $0.claims(line) }
    let tried = claiming.isEmpty ? writers.filter { $0.isAnyone || $0.kind == kind } : claiming
    return tried.lazy.compactMap { $0.reading(of: line) }.first
  }
}
