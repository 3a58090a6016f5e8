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
  /// True for one whose signs are for a line alone.
  let isSingle: Bool
  private let formats: [Pattern]
  private let signs: [(sign: Signs.Line, pattern: Pattern)]

  /// With `reasonsOnly` a line that shows a failure without its reason shows nothing.
  public init(_ signs: Signs, kind: String, reasonsOnly: Bool) {
    self.kind = kind
    isPasted = signs.pasted.contains(kind)
    isSingle = signs.single.contains(kind)
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
  private let silent: [Pattern]
  private let writers: [LogWriter]
  /// How many more lines that nobody claims are tried by every sign. A paste has lost the time and the level by which a
  /// writer is known; a log of gigabytes has not, and would take far longer.
  private var patience = 600
  /// How many more of them are tried together with those before: what is pasted from a terminal is wrapped.
  private var joins = 200
  /// The lines before that showed nothing.
  private var before: [String] = []

  public init(_ signs: Signs) {
    quiet = signs.quiet.compactMap { try? Pattern($0) }
    silent = signs.silent.compactMap { try? Pattern($0) }
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
    let claiming = claiming(line)
    if let reading = reading(of: line, claimedBy: claiming, kind: nil) {
      before = []
      return reading
    }
    guard patience > 0 else { return nil }
    patience -= 1
    let isWhole = !claiming.isEmpty || isWholeObject(line)
    let found = reading(ofCut: line, isWhole: isWhole) ?? (isWhole ? nil : reading(ofWrapped: line))
    keep(line, unless: found != nil)
    return found
  }

  /// How many lines one was wrapped into at most, and how long each is at most.
  private static let mostPieces = 4
  private static let longestPiece = 4_096

  private mutating func keep(_ line: String, unless isFound: Bool) {
    if isFound || line.utf8.count >= Self.longestPiece { before = [] } else { before.append(line) }
    before = before.suffix(Self.mostPieces - 1)
  }

  /// This line and those before, which show nothing alone, as one that was wrapped at blanks or within words.
  private mutating func reading(ofWrapped line: String) -> LogReading? {
    guard joins > 0, !before.isEmpty else { return nil }
    joins -= 1
    let pieces = (before + [line]).map(\.withoutQuoting)
    return reading(of: pieces.joined(separator: " "), by: nil, isJoined: true)
      ?? reading(of: pieces.joined(), by: nil, isJoined: true)
  }

  /// The same for a line without what a log's transport puts around it. `kind` is the program that wrote it if the line
  /// itself does not tell.
  public func reading(of line: String, by kind: String?) -> LogReading? { reading(of: line, by: kind, isJoined: false) }

  private func reading(of line: String, by kind: String?, isJoined: Bool) -> LogReading? {
    let claiming = claiming(line)
    return reading(of: line, claimedBy: claiming, kind: kind)
      ?? reading(ofCut: line, isWhole: !claiming.isEmpty || isWholeObject(line), isJoined: isJoined)
  }

  /// Those whose line it looks like.
  private func claiming(_ line: String) -> [LogWriter] { writers.filter { $0.claims(line) } }

  private func reading(of line: String, claimedBy claiming: [LogWriter], kind: String?) -> LogReading? {
    let tried = claiming.isEmpty ? writers.filter { $0.isAnyone || $0.kind == kind } : claiming
    return tried.lazy.compactMap { $0.reading(of: line) }.first
  }

  /// A JSON object that begins with its level or its time has not lost its head.
  private func isWholeObject(_ line: String) -> Bool {
    ["level", "ts", "time", "timestamp", "severity"].contains { line.contains("{\"\($0)\"") }
  }

  /// By anybody's signs, of a line that is none of those that say nothing. In a whole line, which has not lost its head
  /// or which somebody claims, only what is known of pastes alone is looked for.
  private func reading(ofCut line: String, isWhole: Bool, isJoined: Bool = false) -> LogReading? {
    if quiet.contains(where: { $0.matches(line) }) || silent.contains(where: { $0.matches(line) }) { return nil }
    return writers.lazy.filter { ($0.isPasted || !isWhole) && !($0.isSingle && isJoined) }
      .compactMap { $0.reading(of: line, namesCause: !$0.isPasted) }.first
  }
}

extension String {
  /// Without the marks with which people quote a line, and the edges of a window.
  fileprivate var withoutQuoting: String {
    let marks: Set<Character> = ["`", ">", "|", "│", " ", "\t"]
    let start = drop { marks.contains($0) }
    return String(start.prefix(start.count - start.reversed().prefix { marks.contains($0) }.count))
  }
}
