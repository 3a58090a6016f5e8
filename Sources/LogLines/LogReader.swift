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
  private let signs: KnownSigns

  /// With `reasonsOnly` a line that shows a failure without its reason shows nothing.
  public init(_ signs: Signs, kind: String, reasonsOnly: Bool) {
    let lines = signs.lines.filter { $0.proxy == kind && !(reasonsOnly && $0.causes.isEmpty) }
    self.signs = KnownSigns(lines, in: PatternSet(lines.map(\.pattern)), from: 0)
  }

  public func reading(of line: String) -> LogReading? { signs.reading(of: LogLine(line, signs.patterns)) { _ in true } }
}

/// Signs whose patterns are some of a set, from a number on.
private struct KnownSigns {
  let patterns: PatternSet
  let numbers: Range<Int>
  private let lines: [Signs.Line]

  init(_ lines: [Signs.Line], in patterns: PatternSet, from first: Int) {
    (self.lines, self.patterns, numbers) = (lines, patterns, first..<first + lines.count)
  }

  /// Whether one of those may be in a line.
  func isAny(among candidates: PatternSet.Candidates, where isTried: (Int) -> Bool) -> Bool {
    var rest = numbers
    while let number = candidates.first(in: rest) {
      if isTried(number - numbers.lowerBound) { return true }
      rest = number + 1..<numbers.upperBound
    }
    return false
  }

  /// By the first sign that is tried and in the line.
  func reading(of line: LogLine, where isTried: (Int) -> Bool) -> LogReading? {
    var rest = numbers
    while let number = line.candidates.first(in: rest) {
      let index = number - numbers.lowerBound
      if isTried(index), let match = patterns[number]?.firstMatch(in: line.text) {
        return LogReading(sign: lines[index], match: match)
      }
      rest = number + 1..<numbers.upperBound
    }
    return nil
  }
}

/// A line without what carries it, and what may match in it.
private struct LogLine {
  let text: String
  let candidates: PatternSet.Candidates

  init(_ text: String, _ patterns: PatternSet) {
    var text = text
    candidates = text.withUTF8 { patterns.candidates(in: $0) }
    self.text = text
  }

  /// With what may match in more than the line, such as all bytes of it.
  init(_ text: String, _ candidates: PatternSet.Candidates) { (self.text, self.candidates) = (text, candidates) }
}

/// Reads log lines of which nobody says who wrote them.
public struct LogReader: Sendable {
  /// A kind of program.
  private struct Kind {
    let name: String
    /// Its lines look like nothing in particular, such as those of any app.
    let isAnyone: Bool
    /// Its lines are looked for only in what somebody pasted.
    let isPasted: Bool
    /// Its signs are for a line alone.
    let isSingle: Bool
  }

  private let kinds: [Kind]
  /// What is most of a log, what `writtenLine` changes, what begins a whole object, formats, and signs.
  private let patterns: PatternSet
  private let quiet: Range<Int>
  private let messages: Range<Int>
  private let carriers: Range<Int>
  private let wholes: Range<Int>
  private let formats: Range<Int>
  /// The kind of each format, and of each sign, and whether the sign has a cause.
  private let formatKinds: [Int]
  private let signKinds: [(kind: Int, namesCause: Bool)]
  private let signs: KnownSigns
  private let silent: PatternSet
  /// What may match in the line that is read, in the same memory for all lines.
  private var candidates = PatternSet.Candidates.none
  /// The quiet pattern of the line before: a log's lines are alike.
  private var expected: Int?
  /// Whether the line before has colours.
  private var isColoured = false
  /// How many more lines that nobody claims are tried by every sign. A paste has lost the time and the level by which a
  /// writer is known; a log of gigabytes has not.
  private var patience = 600
  /// How many more lines are tried together with those before: what is pasted from a terminal is wrapped.
  private var joins = 200
  /// The lines before that showed nothing.
  private var before: [String] = []

  public init(_ signs: Signs) {
    var names: [String] = []
    for line in signs.lines where !names.contains(line.proxy) { names.append(line.proxy) }
    let formats = signs.formats.filter { names.contains($0.proxy) }
    kinds = names.map { name in
      let isPasted = signs.pasted.contains(name)
      return Kind(
        name: name, isAnyone: !isPasted && !formats.contains { $0.proxy == name }, isPasted: isPasted,
        isSingle: signs.single.contains(name))
    }
    let lines = names.flatMap { name in signs.lines.filter { $0.proxy == name } }
    var regexes: [String] = []
    let take = { (more: [String]) in
      regexes += more
      return regexes.count - more.count..<regexes.count
    }
    quiet = take(signs.quiet)
    messages = take([#""MESSAGE""#])
    carriers = messages.lowerBound..<take([#"\x1B\["#, #""log""#]).upperBound
    wholes = take([#"\{"(?:level|ts|time|timestamp|severity)""#])
    self.formats = take(formats.map(\.pattern))
    let numbers = take(lines.map(\.pattern))
    patterns = PatternSet(regexes)
    self.signs = KnownSigns(lines, in: patterns, from: numbers.lowerBound)
    formatKinds = formats.map { names.firstIndex(of: $0.proxy) ?? 0 }
    signKinds = lines.map { (names.firstIndex(of: $0.proxy) ?? 0, !$0.causes.isEmpty) }
    silent = PatternSet(signs.silent)
  }

  /// Nil for a line that has nothing to say about a failing app or a missing route.
  public mutating func reading(of bytes: UnsafeBufferPointer<UInt8>) -> LogReading? {
    guard !bytes.isEmpty else { return nil }
    // Most of a log is such lines; nothing else is tried on them.
    if let expected, patterns[expected]?.matches(bytes) == true { return nil }
    // Nor are those of a coloured log looked through twice.
    if isColoured, patience == 0 {
      isColoured = bytes.isColoured
      if isColoured, isEmpty(around: bytes) { return nil }
    }
    patterns.find(in: bytes, &candidates)
    expected = patterns.first(of: quiet, in: bytes, candidates)
    if expected != nil { return nil }
    let isCarried = candidates.first(in: carriers) != nil
    isColoured = isCarried && bytes.isColoured
    // Whose line it is does not matter where nothing is in it.
    if patience == 0, !signs.isAny(among: candidates, where: isAnybodys) {
      // A message may be kept as numbers.
      if !isCarried || candidates.first(in: messages) == nil && isEmpty(around: bytes) { return nil }
    }
    let text = isCarried ? writtenLine(bytes) : String(decoding: bytes, as: UTF8.self).withoutLineEnd
    let line = isCarried ? LogLine(text, patterns) : LogLine(text, candidates)
    if patience == 0, signs.reading(of: line, where: isAnybodys) == nil { return nil }
    let claiming = claiming(line)
    if let reading = reading(of: line, claimedBy: claiming, kind: nil) {
      before = []
      return reading
    }
    guard patience > 0 else { return nil }
    patience -= 1
    let isWhole = !claiming.isEmpty || isWholeObject(line)
    var found = reading(ofCut: line, isWhole: isWhole)
    if !isWhole { found = found.map { reading(ofLaidOut: text, alone: $0) } ?? reading(ofWrapped: text) }
    keep(text, unless: found != nil)
    return found
  }

  /// How many lines one was wrapped into at most, and how long each is at most.
  private static let mostPieces = 4
  private static let longestPiece = 4_096

  private mutating func keep(_ line: String, unless isFound: Bool) {
    if isFound || joins == 0 || line.utf8.count >= Self.longestPiece { before = [] } else { before.append(line) }
    if before.count >= Self.mostPieces { before.removeFirst() }
  }

  /// This line and those before, which show nothing alone, as one that was wrapped at blanks or within words.
  private mutating func reading(ofWrapped line: String) -> LogReading? {
    guard joins > 0, !before.isEmpty else { return nil }
    joins -= 1
    let pieces = (before + [line]).map(\.withoutQuoting)
    return reading(of: pieces.joined(separator: " "), by: nil, isJoined: true)
      ?? reading(of: pieces.joined(), by: nil, isJoined: true)
  }

  /// Whose state a tool prints may stand in an earlier line, as a service's name does: an earlier sign of the same kind counts
  /// that is in all of it.
  private mutating func reading(ofLaidOut line: String, alone: LogReading) -> LogReading {
    guard kinds.contains(where: { $0.name == alone.sign.proxy && $0.isPasted && !$0.isSingle }),
      let joined = reading(ofWrapped: line), joined.sign.proxy == alone.sign.proxy
    else { return alone }
    return joined
  }

  /// The same for a line without what a log's transport puts around it. `kind` is the program that wrote it if the line
  /// itself does not tell.
  public func reading(of line: String, by kind: String?) -> LogReading? { reading(of: line, by: kind, isJoined: false) }

  private func reading(of text: String, by kind: String?, isJoined: Bool) -> LogReading? {
    let line = LogLine(text, patterns)
    let claiming = claiming(line)
    return reading(of: line, claimedBy: claiming, kind: kind)
      ?? reading(ofCut: line, isWhole: !claiming.isEmpty || isWholeObject(line), isJoined: isJoined)
  }

  /// The kinds whose line it looks like.
  private func claiming(_ line: LogLine) -> Set<Int> {
    var kinds: Set<Int> = []
    var rest = formats
    while let number = patterns.first(of: rest, in: line.text, line.candidates) {
      kinds.insert(formatKinds[number - formats.lowerBound])
      rest = number + 1..<formats.upperBound
    }
    return kinds
  }

  /// Whether nothing that anybody writes may be in a line, without the quoting and the colours around it.
  private mutating func isEmpty(around bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let text = textAround(bytes) else { return false }
    text.withUnsafeBufferPointer { patterns.find(in: $0, &candidates) }
    return !signs.isAny(among: candidates, where: isAnybodys)
  }

  /// Whether a sign is looked for in all lines, not only in what somebody pasted.
  private func isAnybodys(_ sign: Int) -> Bool { !kinds[signKinds[sign].kind].isPasted }

  private func reading(of line: LogLine, claimedBy claiming: Set<Int>, kind: String?) -> LogReading? {
    signs.reading(of: line) { index in
      let number = signKinds[index].kind
      return claiming.isEmpty ? kinds[number].isAnyone || kinds[number].name == kind : claiming.contains(number)
    }
  }

  /// A JSON object that begins with its level or its time has not lost its head.
  private func isWholeObject(_ line: LogLine) -> Bool {
    patterns.first(of: wholes, in: line.text, line.candidates) != nil
  }

  /// By anybody's signs, of a line that is none of those that say nothing. In a whole line, which has not lost its head
  /// or which somebody claims, only what is known of pastes alone is looked for.
  private func reading(ofCut line: LogLine, isWhole: Bool, isJoined: Bool = false) -> LogReading? {
    let found = signs.reading(of: line) { index in
      let kind = kinds[signKinds[index].kind]
      return (kind.isPasted || !isWhole && signKinds[index].namesCause) && !(kind.isSingle && isJoined)
    }
    guard let found, patterns.first(of: quiet, in: line.text, line.candidates) == nil else { return nil }
    let quieting = LogLine(line.text, silent)
    return silent.first(of: 0..<silent.count, in: line.text, quieting.candidates) == nil ? found : nil
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
