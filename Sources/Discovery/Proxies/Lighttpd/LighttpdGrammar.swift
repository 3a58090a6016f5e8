import Model

/// lighttpd 1.4, by its own documentation and source (`configfile.c`, `configparser.y`).
enum Lighttpd {
  /// What keeps lighttpd from loading its files.
  struct Mistake: Error, Sendable, Equatable {
    let file: String
    /// From 1.
    let line: Int
    let message: String
    /// The whole line, mended; nil where it cannot be told how.
    var fixed: String?
  }

  struct Token: Sendable {
    enum Kind: Sendable, Equatable {
      case text, number, name, include, includeShell, global, `else`
      /// `=`, `:=`, `+=`, `=>`, `+`, `,`, `$`, parentheses, braces, brackets.
      case sign
      /// `==`, `!=`, `=~`, `!~`, `=^`, `=$`.
      case comparison
      case lineEnd
    }

    let kind: Kind
    /// Of a text what it stands for.
    let text: String
    let line: Int
    /// Where it stands in its line, in bytes from 0; of a text without its quotes.
    let columns: Range<Int>
    /// The letters in the file are the text.
    let isLiteral: Bool

    func `is`(_ sign: String) -> Bool { kind == .sign && text == sign }
  }
}

/// Cuts a file into its tokens. lighttpd has states for what a sign means, and this has the same ones.
struct LighttpdTokens {
  private let bytes: [UInt8]
  private let file: String
  private var at = 0
  private var line = 1
  private var lineStart = 0
  private var parentheses = 0
  private var isCondition = false
  private var isKey = true
  private var owesLineEnd = false

  init(_ text: String, file: String) {
    bytes = Array(text.utf8)
    self.file = file
  }

  /// The next token; nil at the end.
  mutating func next() throws(Lighttpd.Mistake) -> Lighttpd.Token? {
    if owesLineEnd {
      (owesLineEnd, isKey) = (false, true)
      return token(.lineEnd, at..<at)
    }
    while at < bytes.count {
      let next = at + 1 < bytes.count ? bytes[at + 1] : 0
      switch bytes[at] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"): at += 1
      case 0xC2 where next == 0xA0: at += 2  // a blank that does not break lines
      case UInt8(ascii: "#"): skipLine()
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        let end = token(.lineEnd, at..<at)
        skipLines()
        guard parentheses == 0 else { continue }
        isKey = true
        return end
      case UInt8(ascii: "="): return try equals(next)
      case UInt8(ascii: "!"):
        guard isCondition, [UInt8(ascii: "="), UInt8(ascii: "~")].contains(next) else {
          throw mistake(isCondition ? "only !~ and != are allowed in the condition" : "unexpected exclamation-marks: !")
        }
        return comparison()
      case UInt8(ascii: "\""): return try quoted()
      case UInt8(ascii: ","):
        at += 1
        if parentheses > 0 { return token(.sign, at - 1..<at) }
      case UInt8(ascii: "("):
        parentheses += 1
        return sign(1)
      case UInt8(ascii: ")"):
        guard parentheses > 0 else { throw mistake("close-parens seen open-parens") }
        parentheses -= 1
        return sign(1)
      case UInt8(ascii: "$"):
        (isCondition, isKey) = (true, false)
        return sign(1)
      case UInt8(ascii: "+"): return sign(next == UInt8(ascii: "=") ? 2 : 1)
      case UInt8(ascii: ":"):
        guard next == UInt8(ascii: "=") else { throw mistake("unexpected character ':'") }
        return sign(2)
      case UInt8(ascii: "}"): return closingBrace()
      case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "]"): return sign(1)
      default: return try word()
      }
    }
    return nil
  }

  private func mistake(_ message: String) -> Lighttpd.Mistake {
    Lighttpd.Mistake(file: file, line: line, message: message)
  }

  private func token(_ kind: Lighttpd.Token.Kind, _ range: Range<Int>) -> Lighttpd.Token {
    Lighttpd.Token(
      kind: kind, text: String(decoding: bytes[range], as: UTF8.self), line: line,
      columns: range.lowerBound - lineStart..<range.upperBound - lineStart, isLiteral: true)
  }

  private mutating func sign(_ length: Int) -> Lighttpd.Token {
    at += length
    return token(.sign, at - length..<at)
  }

  private mutating func comparison() -> Lighttpd.Token {
    (isKey, isCondition) = (true, false)
    at += 2
    return token(.comparison, at - 2..<at)
  }

  private mutating func equals(_ next: UInt8) throws(Lighttpd.Mistake) -> Lighttpd.Token {
    if parentheses > 0 {
      guard next == UInt8(ascii: ">") else { throw mistake("use => for assignments in arrays") }
      return sign(2)
    }
    if isCondition {
      guard "=~^$".utf8.contains(next) else { throw mistake("only == =~ =^ =$ are allowed in the condition") }
      return comparison()
    }
    guard isKey else { throw mistake("unexpected equal-sign: =") }
    return sign(1)
  }

  /// A quote ends at the next one that has no backslash before it; no other escape counts.
  private mutating func quoted() throws(Lighttpd.Mistake) -> Lighttpd.Token {
    let (start, firstLine, firstStart) = (at + 1, line, lineStart)
    var text: [UInt8] = []
    var end = start
    while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
      if bytes[end] == UInt8(ascii: "\\"), end + 1 < bytes.count, bytes[end + 1] == UInt8(ascii: "\"") { end += 1 }
      text.append(bytes[end])
      end += 1
    }
    guard end < bytes.count else { throw mistake("missing closing quote") }
    // lighttpd does not count the lines of a text, and neither do its messages.
    at = end + 1
    for index in start..<end where bytes[index] == UInt8(ascii: "\n") { (line, lineStart) = (line + 1, index + 1) }
    return Lighttpd.Token(
      kind: .text, text: String(decoding: text, as: UTF8.self), line: firstLine,
      columns: start - firstStart..<end - firstStart, isLiteral: line == firstLine && text.count == end - start)
  }

  /// Behind a brace a line need not end.
  private mutating func closingBrace() -> Lighttpd.Token {
    let brace = token(.sign, at..<at + 1)
    at += 1
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"): at += 1
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return brace
      case UInt8(ascii: "#"):
        skipLine()
        return brace
      default:
        owesLineEnd = true
        return brace
      }
    }
    return brace
  }

  private mutating func word() throws(Lighttpd.Mistake) -> Lighttpd.Token {
    let start = at
    func isLetter(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    let kind: Lighttpd.Token.Kind
    if isCondition {
      while at < bytes.count, isLetter(bytes[at]) || bytes[at] == UInt8(ascii: "_") { at += 1 }
      kind = .name
      guard at > start else { throw mistake("invalid character in condition") }
    } else if isDigit(bytes[at]) {
      while at < bytes.count, isDigit(bytes[at]) { at += 1 }
      kind = .number
    } else {
      while at < bytes.count, isLetter(bytes[at]) || isDigit(bytes[at]) || "._-".utf8.contains(bytes[at]) { at += 1 }
      guard at > start else { throw mistake("invalid character in variable name") }
      switch String(decoding: bytes[start..<at], as: UTF8.self) {
      case "include": kind = .include
      case "include_shell": kind = .includeShell
      case "global": kind = .global
      case "else": kind = .else
      default: kind = .name
      }
    }
    return token(kind, start..<at)
  }

  private mutating func skipLine() {
    while at < bytes.count, bytes[at] != UInt8(ascii: "\n"), bytes[at] != UInt8(ascii: "\r") { at += 1 }
  }

  /// Line ends, with blanks and comments between them, are one.
  private mutating func skipLines() {
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\r"), UInt8(ascii: "\n"):
        let isPair = bytes[at] == UInt8(ascii: "\r") && bytes[(at + 1)...].first == UInt8(ascii: "\n")
        at += isPair ? 2 : 1
        (line, lineStart) = (line + 1, at)
      case UInt8(ascii: "#"): skipLine()
      case UInt8(ascii: " "), UInt8(ascii: "\t"): at += 1
      default: return
      }
    }
  }
}
