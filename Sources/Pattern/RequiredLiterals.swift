/// The end of a string, of which each letter of ASCII may stand for both of its cases.
struct Literal: Hashable {
  /// Bytes that are kept.
  static let most = 16

  /// The last byte lowest. A letter in either case is the lower one.
  private(set) var bytes: UInt128 = 0
  /// A bit for each byte that is a letter in either case, the last byte's lowest.
  private(set) var eitherCase: UInt16 = 0
  /// Bytes of the whole string.
  private(set) var length = 0
  /// It is met about once in as many bytes of a log as two to the power of this.
  private(set) var rarity = 0

  init() {}

  init(_ text: some Sequence<UInt8>) { for byte in text { append(byte) } }

  /// How many bytes there are.
  var count: Int { min(length, Self.most) }

  mutating func append(_ byte: UInt8, eitherCase isEither: Bool = false) {
    bytes = bytes << 8 | UInt128(byte)
    eitherCase = eitherCase << 1 | (isEither ? 1 : 0)
    length += 1
    rarity += Self.rarity(of: byte)
  }

  func appending(_ other: Literal) -> Literal {
    var whole = other
    whole.bytes |= bytes << UInt128(8 * other.count)
    whole.eitherCase |= eitherCase << UInt16(other.count)
    whole.length += length
    whole.rarity += rarity
    return whole
  }

  /// Whether it is one of the words that any log is full of, whatever stands around it.
  var isCommon: Bool {
    var (word, isInside) = (UInt128(0), true)
    for index in (0..<count).reversed() {
      let byte = UInt8(truncatingIfNeeded: bytes >> UInt128(8 * index)) | 0x20
      let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      if isLetter, !isInside { return false }
      if isLetter { word = word << 8 | UInt128(byte) } else { isInside = word == 0 }
    }
    return Self.commonWords.contains(word)
  }

  private static let commonWords = Set(
    [
      "application", "body", "client", "code", "config", "connection", "container", "debug", "error", "exception",
      "fail",
      "failed", "header", "headers", "health", "host", "http", "info", "invalid", "level", "message", "port", "request",
      "response", "server", "service", "startup", "status", "time", "url", "warn", "warning", "worker",
    ].map { Literal($0.utf8).bytes })

  /// The same bytes as they are read from memory: the first lowest.
  var bytesFirstLowest: UInt128 { bytes.byteSwapped >> UInt128(8 * (Self.most - count)) }

  /// The bit that tells the cases apart, at each letter in either case, in the same order.
  var casesFirstLowest: UInt128 {
    (0..<count).reduce(0) { $0 << 8 | (eitherCase >> UInt16($1) & 1 == 1 ? 0x20 : 0) }
  }

  /// The same of one byte.
  static func rarity(of byte: UInt8) -> Int { rarities[Int(byte)] }

  private static let rarities: [Int] = {
    var rarities = [Int](repeating: 5, count: 256)
    for (rarity, bytes) in [
      (2, " etaonirs"), (3, "dlhucmpfgywbv0123456789"), (4, "kxjqz\":-./,=[]TIEDNFO_"),
    ] {
      for byte in bytes.utf8 { rarities[Int(byte)] = rarity }
    }
    return rarities
  }()
}

/// Strings of which at least one stands in every text in which a regular expression matches.
///
/// They are read out of the expression itself (PCRE2's syntax: `man pcre2pattern`), as RE2 and ripgrep do it: what a part
/// can match is kept as long as it is a few strings, and of all sets of strings that a match needs the rarest counts. Of
/// a construct that is not known here nothing is guessed: then the expression requires nothing.
struct RequiredLiterals {
  /// Bytes of each at least.
  static let shortest = 2

  let any: [Literal]

  /// - Parameter regex: One that compiles.
  /// - Returns: Nil where no such set is known.
  init?(of regex: String) {
    var regex = regex
    let literals: [Literal]? = regex.withUTF8 { bytes in
      var parser = Parser(bytes)
      guard let piece = try? parser.whole(), let needed = piece.mostTelling else { return nil }
      return needed.literals + (parser.hasIgnoredCase ? Self.odd : [])
    }
    guard let literals else { return nil }
    any = literals
  }

  /// Without regard to case the long s counts as an s, the Kelvin sign as a k, and some signs of old Cyrillic (U+1C80 to
  /// U+1C88) as letters of today.
  private static let odd = [Literal("\u{17F}".utf8), Literal("\u{212A}".utf8), Literal([0xE1, 0xB2])]
}

/// A set of strings of which one is needed.
private struct Need {
  let literals: [Literal]
  /// About how many of them begin at a byte of a log.
  let frequency: Double

  /// Nil where that is no help.
  init?(_ literals: [Literal]) {
    guard literals.allSatisfy({ $0.length >= RequiredLiterals.shortest }) else { return nil }
    self.literals = literals
    frequency = literals.reduce(0) { $0 + 1 / Double(1 << ($1.isCommon ? 8 : min($1.rarity, 30))) }
  }

  /// Of several, one is needed.
  init?(anyOf pieces: [Piece]) {
    var (literals, frequency): ([Literal], Double) = ([], 0)
    for piece in pieces {
      guard let need = piece.mostTelling else { return nil }
      literals += need.literals
      frequency += need.frequency
    }
    (self.literals, self.frequency) = (literals, frequency)
  }

  /// The rarer one.
  static func best(_ one: Need?, _ other: Need?) -> Need? {
    guard let one, let other else { return one ?? other }
    return one.frequency <= other.frequency ? one : other
  }
}

/// What is known of a part of an expression.
private struct Piece {
  /// What it matches ends with one of these; the empty one says nothing.
  var ends: [Literal]
  /// Whether those are all of it.
  var isExact: Bool
  /// What it needs beside.
  var needed: Need?

  /// How many strings are kept.
  private static let most = 64
  /// How many are made of those of two pieces.
  private static let mostJoined = 16
  static let nothing = Piece(ends: [Literal()], isExact: true)
  static let unknown = Piece(ends: [Literal()], isExact: false)

  init(ends: [Literal], isExact: Bool, needed: Need? = nil) {
    let isTelling = ends.count <= Self.most && (isExact || !ends.contains { $0.length == 0 })
    self.ends = isTelling ? ends : [Literal()]
    self.isExact = isExact && isTelling && ends.allSatisfy { $0.length <= Literal.most }
    self.needed = needed
  }

  var mostTelling: Need? { Need.best(needed, Need(ends)) }

  /// One of these.
  init(anyOf pieces: [Piece]) {
    self.init(ends: pieces.flatMap(\.ends), isExact: pieces.allSatisfy(\.isExact))
    if !isExact || pieces.contains(where: { $0.needed != nil }) { needed = Need(anyOf: pieces) }
  }

  /// One byte, by what appends it to a string.
  mutating func append(_ byte: (inout Literal) -> Void) {
    for index in ends.indices {
      byte(&ends[index])
      isExact = isExact && ends[index].length <= Literal.most
    }
  }

  mutating func append(_ next: Piece) {
    let bothNeeded = Need.best(needed, next.needed)
    if next.isExact, ends.count * next.ends.count <= max(ends.count, Self.mostJoined) {
      let both = ends.flatMap { end in next.ends.map { end.appending($0) } }
      self = Piece(ends: both, isExact: isExact, needed: bothNeeded)
    } else {
      self = Piece(ends: next.ends, isExact: false, needed: Need.best(bothNeeded, Need(ends)))
    }
  }

  /// What may be missing, or be there several times.
  mutating func append(maybe next: Piece) {
    self = Piece(ends: ends + next.ends, isExact: false, needed: mostTelling)
  }
}

/// Reads a regular expression that compiles.
private struct Parser {
  /// A construct about which nothing is said.
  private struct Unknown: Error {}

  private let regex: UnsafeBufferPointer<UInt8>
  private var place = 0
  private var ignoresCase = false
  private(set) var hasIgnoredCase = false

  init(_ regex: UnsafeBufferPointer<UInt8>) { self.regex = regex }

  mutating func whole() throws -> Piece {
    let piece = try alternation()
    guard next == nil else { throw Unknown() }
    return piece
  }

  private var next: UInt8? { place < regex.count ? regex[place] : nil }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: byte) else { return false }
    place += 1
    return true
  }

  private mutating func take(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Bool {
    guard place + 1 < regex.count, regex[place] == UInt8(ascii: first), regex[place + 1] == UInt8(ascii: second) else {
      return false
    }
    place += 2
    return true
  }

  private mutating func alternation() throws -> Piece {
    let first = try sequence()
    guard next == UInt8(ascii: "|") else { return first }
    var pieces = [first]
    while take("|") { pieces.append(try sequence()) }
    return Piece(anyOf: pieces)
  }

  private mutating func sequence() throws -> Piece {
    var sequence = Piece.nothing
    while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
      if isPlain(byte), place + 1 == regex.count || !isQuantifier(regex[place + 1]) {
        place += 1
        sequence.append { append(byte, to: &$0) }
        continue
      }
      let piece = try atom(byte)
      guard let (least, most) = try quantifier() else {
        sequence.append(piece)
        continue
      }
      if least == 0, most == 1, piece.isExact {
        sequence.append(Piece(ends: piece.ends + [Literal()], isExact: true))
      } else if least == 0 {
        sequence.append(maybe: piece)
      } else {
        for _ in 0..<min(least, 4) { sequence.append(piece) }
        if most > 4 || most > least { sequence.append(maybe: piece) }
      }
    }
    return sequence
  }

  /// Whether it stands for itself, outside of a class.
  private func isPlain(_ byte: UInt8) -> Bool {
    switch Unicode.Scalar(byte) {
    case "\\", "^", "$", ".", "[", "|", "(", ")", "\u{80}"...: false
    default: !isQuantifier(byte)
    }
  }

  /// Whether it may say how often what stands before it is there.
  private func isQuantifier(_ byte: UInt8) -> Bool {
    switch Unicode.Scalar(byte) {
    case "?", "*", "+", "{": true
    default: false
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && byte < 0x80
  }

  private func append(_ byte: UInt8, to literal: inout Literal) {
    let isEither = ignoresCase && Self.isLetter(byte)
    literal.append(isEither ? byte | 0x20 : byte, eitherCase: isEither)
  }

  private mutating func quantifier() throws -> (least: Int, most: Int)? {
    let found: (Int, Int)
    if take("?") {
      found = (0, 1)
    } else if take("*") {
      found = (0, .max)
    } else if take("+") {
      found = (1, .max)
    } else if next == UInt8(ascii: "{"), let counts = try counts() {
      found = counts
    } else {
      return nil
    }
    if !take("?") { _ = take("+") }
    return found
  }

  /// `{2}`, `{2,}` or `{2,4}`. Any other brace stands for itself, but for some in newer versions of PCRE2.
  private mutating func counts() throws -> (Int, Int)? {
    let inside = regex[(place + 1)...].prefix { $0 != UInt8(ascii: "}") }
    guard inside.endIndex < regex.count, inside.allSatisfy({ "0123456789, ".utf8.contains($0) }), !inside.isEmpty else {
      return nil
    }
    let numbers = inside.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    guard numbers.count <= 2, let least = Int(String(decoding: numbers[0], as: UTF8.self)) else { throw Unknown() }
    place = inside.endIndex + 1
    return (least, numbers.count == 1 ? least : Int(String(decoding: numbers[1], as: UTF8.self)) ?? .max)
  }

  private mutating func atom(_ byte: UInt8) throws -> Piece {
    switch byte {
    case UInt8(ascii: "("):
      place += 1
      return try group()
    case UInt8(ascii: "["):
      place += 1
      return try characterClass()
    case UInt8(ascii: "."):
      place += 1
      return .unknown
    case UInt8(ascii: "^"), UInt8(ascii: "$"):
      place += 1
      return .nothing
    case UInt8(ascii: "\\"):
      place += 1
      guard let kind = next else { throw Unknown() }
      if "bBAZzG".utf8.contains(kind) {
        place += 1
        return .nothing
      }
      if kind == UInt8(ascii: "d") {
        place += 1
        return Piece(ends: Self.digits, isExact: true)
      }
      if isKind(kind) || "RNX".utf8.contains(kind) {
        place += 1
        return .unknown
      }
      if "123456789".utf8.contains(kind) {
        place += 1
        if let digit = next, "0123456789".utf8.contains(digit) { throw Unknown() }
        return .unknown
      }
      return character(try escaped())
    case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"): throw Unknown()
    default: return character(try scalar())
    }
  }

  private static let digits = "0123456789".utf8.map { Literal([$0]) }

  private func character(_ scalar: Unicode.Scalar) -> Piece {
    forms(of: scalar).map { Piece(ends: $0, isExact: true) } ?? .unknown
  }

  /// Whether a backslash before it makes it stand for many characters, in a class too.
  private func isKind(_ byte: UInt8) -> Bool { "dDwWsShHvV".utf8.contains(byte) }

  /// One character as it stands there.
  private mutating func scalar() throws -> Unicode.Scalar {
    var decoder = UTF8()
    var bytes = regex[place...].makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&bytes) else { throw Unknown() }
    place += UTF8.width(scalar)
    return scalar
  }

  /// One character behind a backslash.
  private mutating func escaped() throws -> Unicode.Scalar {
    let scalar = try scalar()
    switch scalar {
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "f": return "\u{C}"
    case "e": return "\u{1B}"
    case "a": return "\u{7}"
    case "x":
      let digits = String(decoding: regex[place...].prefix(2), as: UTF8.self)
      guard digits.count == 2, digits.allSatisfy(\.isHexDigit), let code = UInt8(digits, radix: 16) else {
        throw Unknown()
      }
      place += 2
      return Unicode.Scalar(code)
    case "A"..."Z", "a"..."z", "0"..."9": throw Unknown()
    default: return scalar
    }
  }

  /// Behind its parenthesis.
  private mutating func group() throws -> Piece {
    if next == UInt8(ascii: "*") { throw Unknown() }
    let outside = ignoresCase
    guard take("?") else { return try inside(outside) }
    if take("<", "=") || take("=") {
      return Piece(ends: [Literal()], isExact: true, needed: try inside(outside).mostTelling)
    }
    if take("<", "!") || take("!") {
      _ = try inside(outside)
      return .nothing
    }
    if take(":") || take(">") || take("|") { return try inside(outside) }
    if take("<") || take("P", "<") {
      guard let end = regex[place...].firstIndex(of: UInt8(ascii: ">")) else { throw Unknown() }
      place = end + 1
      return try inside(outside)
    }
    var isOn = true
    // `(?i)` goes on to the end of the group around it, over its alternatives, too.
    while !take(")") {
      if take(":") { return try inside(outside) }
      if take("i") {
        ignoresCase = isOn
        hasIgnoredCase = hasIgnoredCase || isOn
      } else if take("-") {
        isOn = false
      } else if !take("s"), !take("m") {
        throw Unknown()
      }
    }
    return .nothing
  }

  private mutating func inside(_ outside: Bool) throws -> Piece {
    let piece = try alternation()
    guard take(")") else { throw Unknown() }
    ignoresCase = outside
    return piece
  }

  private mutating func characterClass() throws -> Piece {
    let isNegated = take("^")
    var members: [Unicode.Scalar]? = []
    repeat {
      guard let first = try member() else {
        members = nil
        continue
      }
      members?.append(first)
      guard next == UInt8(ascii: "-"), place + 1 < regex.count, regex[place + 1] != UInt8(ascii: "]") else { continue }
      place += 1
      if let last = try member(), first < last, last.value - first.value < 10 {
        members? += (first.value + 1...last.value).compactMap(Unicode.Scalar.init)
      } else {
        members = nil
      }
    } while !take("]")
    guard !isNegated, let members, members.count <= 10 else { return .unknown }
    // Both cases of one letter are one.
    if members.count == 2, members[0].isASCII, Self.isLetter(UInt8(ascii: members[0])),
      members[0].value ^ members[1].value == 0x20
    {
      var letter = Literal()
      letter.append(UInt8(ascii: members[0]) | 0x20, eitherCase: true)
      return Piece(ends: [letter], isExact: true)
    }
    var all: [Literal] = []
    for member in members {
      guard let forms = forms(of: member) else { return .unknown }
      all += forms
    }
    return Piece(ends: all, isExact: true)
  }

  /// One character of a class; nil for what stands for many.
  private mutating func member() throws -> Unicode.Scalar? {
    if take("\\") {
      if take("b") { return "\u{8}" }
      guard let kind = next, isKind(kind) else { return try escaped() }
      place += 1
      return nil
    }
    if take("[") {
      if let kind = next, ":.=".utf8.contains(kind) { throw Unknown() }
      return "["
    }
    return try scalar()
  }

  /// The letters that have one other case: those of the Latin-1 and Latin Extended-A blocks, and of Russian.
  private static let paired: [ClosedRange<Unicode.Scalar>] = [
    "\u{E0}"..."\u{E4}", "\u{E6}"..."\u{F6}", "\u{F8}"..."\u{FE}", "\u{100}"..."\u{17E}", "\u{410}"..."\u{44F}",
  ]

  /// The strings that stand for one character; nil if they are not known.
  private func forms(of scalar: Unicode.Scalar) -> [Literal]? {
    if scalar.isASCII {
      var literal = Literal()
      append(UInt8(ascii: scalar), to: &literal)
      return [literal]
    }
    // Where a line is made a string, this one takes the place of what is not UTF-8.
    if scalar == "\u{FFFD}" { return nil }
    if !ignoresCase || !scalar.properties.changesWhenCaseMapped { return [Literal(String(scalar).utf8)] }
    guard Self.paired.contains(where: { $0.contains(scalar) }) else { return nil }
    let cases = [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping]
    return cases.map { Literal($0.utf8) }
  }
}
