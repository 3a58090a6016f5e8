import Routes

/// HAProxy's own configuration language. Source: its configuration manual, sections 2.2 to 2.5.
enum HAProxy {
  /// One word of a line.
  struct Word: Sendable, Equatable {
    /// Without quotes and escapes. Environment variables stand in it by their names: their values may be secrets.
    let text: String
    /// Where it stands in its line, quotes included: UTF-8 bytes from 0.
    let columns: Range<Int>
    /// The line has it letter by letter.
    let isPlain: Bool
    /// It has an environment variable in it.
    let hasVariable: Bool
  }

  /// One line that is not empty: its words and where it stands.
  struct Directive: Sendable, Equatable {
    let words: [Word]
    let file: String
    /// From 1.
    let line: Int
    let text: String
    /// It stands between `.if` and `.endif`, so it may hold or not.
    let mayHold: Bool

    var name: String { words.first?.text ?? "" }
    var arguments: [String] { words.dropFirst().map(\.text) }
    var place: String { "\(file):\(line)" }

    /// The place of a word, or of some of its bytes; nil where the line does not have it letter by letter.
    func span(_ word: Word, _ part: Range<Int>? = nil) -> Span? {
      guard word.isPlain else { return nil }
      let start = word.columns.lowerBound
      return Span(
        file: file, line: line, text: text,
        columns: part.map { start + $0.lowerBound..<start + $0.upperBound } ?? word.columns)
    }
  }

  /// A section with its name and its lines.
  struct Section: Sendable, Equatable {
    let head: Directive
    private(set) var directives: [Directive] = []
    private var named: [String: [Directive]] = [:]
    /// Its `acl` lines by their names.
    private(set) var conditions: [String: [Directive]] = [:]
    /// Its rules by the hosts that they are about; only of a section that takes connections.
    private(set) var rules: [String: Rules] = [:]
    /// The `defaults` that it inherits from, as an index of the configuration's sections.
    var defaults: Int?

    init(head: Directive) { self.head = head }

    mutating func add(_ directive: Directive) {
      directives.append(directive)
      named[directive.name, default: []].append(directive)
      if directive.name == "acl", directive.words.count > 1 {
        conditions[directive.words[1].text, default: []].append(directive)
      }
    }

    var kind: String { head.name }
    var name: String { head.words.count > 1 ? head.words[1].text : "" }
    func all(_ name: String) -> [Directive] { named[name] ?? [] }

    /// The last line that begins with these words.
    func last(_ words: [String]) -> Directive? {
      all(words.first ?? "").last { $0.words.lazy.map(\.text).starts(with: words) }
    }

    /// To be called when the section has all its lines.
    mutating func sortRules() {
      guard kind == "frontend" || kind == "listen" else { return }
      for name in ["use_backend", "http-request", "redirect"] { rules[name] = Rules(of: self, all(name)) }
    }
  }

  /// What keeps a file from being loaded, as far as reading it shows.
  struct Problem: Sendable, Equatable {
    let file: String
    let line: Int
    let text: String
    let message: String
  }

  static let sectionNames: Set<String> = [
    "global", "defaults", "frontend", "backend", "listen", "resolvers", "peers", "userlist", "mailers", "cache",
    "program", "http-errors", "ring", "log-forward", "fcgi-app", "crt-store", "traces", "log-profile", "acme",
  ]

  /// The words of a line; nil with a reason if a quote does not end.
  static func words(of line: String) -> Result<[Word], QuoteOpen> {
    var words: [Word] = []
    let bytes = Array(line.utf8)
    var (text, start): ([UInt8], Int?) = ([], nil)
    var quote: UInt8?
    var (isPlain, hasVariable) = (true, false)
    var index = 0
    func end(at index: Int) {
      guard let first = start else { return }
      words.append(
        Word(
          text: String(decoding: text, as: UTF8.self), columns: first..<index, isPlain: isPlain,
          hasVariable: hasVariable))
      (text, start, isPlain, hasVariable) = ([], nil, true, false)
    }
    while index < bytes.count {
      let byte = bytes[index]
      let next = index + 1 < bytes.count ? bytes[index + 1] : nil
      switch (byte, quote) {
      case (UInt8(ascii: "#"), nil):
        end(at: index)
        return .success(words)
      case (UInt8(ascii: " "), nil), (UInt8(ascii: "\t"), nil), (UInt8(ascii: "\r"), nil): end(at: index)
      case (UInt8(ascii: "\""), nil), (UInt8(ascii: "'"), nil):
        (start, quote, isPlain) = (start ?? index, byte, false)
      case (let byte, let open?) where byte == open: quote = nil
      case (UInt8(ascii: "\\"), let quote) where quote != UInt8(ascii: "'") && next != nil:
        start = start ?? index
        // A backslash before any other byte stays, as those of regular expressions do.
        guard let meant = next.flatMap({ escapes[$0] }) else {
          text.append(byte)
          break
        }
        isPlain = false
        index += 1
        text.append(meant)
      case (UInt8(ascii: "$"), UInt8(ascii: "\"")):
        hasVariable = true
        text.append(byte)
      default:
        start = start ?? index
        text.append(byte)
      }
      index += 1
    }
    if quote != nil { return .failure(QuoteOpen()) }
    end(at: bytes.count)
    return .success(words)
  }

  private static let escapes = Dictionary(
    zip(" #\\\"'$nrt".utf8, " #\\\"'$\n\r\t".utf8)
  ) { first, _ in first }

  /// A quote that its line does not close.
  struct QuoteOpen: Error {}

  /// Seconds of a time: a number with `us`, `ms`, `s`, `m`, `h` or `d`; without one, milliseconds.
  static func seconds(_ text: String) -> Double? {
    let number = text.prefix(while: \.isNumber)
    guard let value = Double(number) else { return nil }
    switch text.dropFirst(number.count) {
    case "us": return value / 1_000_000
    case "", "ms": return value / 1000
    case "s": return value
    case "m": return value * 60
    case "h": return value * 3600
    case "d": return value * 86_400
    default: return nil
    }
  }
}
