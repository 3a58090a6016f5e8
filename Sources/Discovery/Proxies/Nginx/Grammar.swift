public import Model

extension Nginx {
  /// Reads one file's text. A file that is cut or wrong gives one problem, the first, where nginx would stop,
  /// and all directives that can be made out around it.
  public static func parse(
    _ text: String, file: String
  ) throws(Unseen) -> (directives: [Directive], problems: [Problem]) {
    var allowance = Allowance()
    return try parse(text, file: file, &allowance)
  }

  /// The same for one file of several, which share the allowance.
  static func parse(
    _ text: String, file: String, _ allowance: inout Allowance
  ) throws(Unseen) -> (directives: [Directive], problems: [Problem]) {
    var grammar = Grammar(text, file: file, allowance)
    defer { allowance = grammar.allowance }
    return (try grammar.block(depth: 0), grammar.problem.map { [$0] } ?? [])
  }
}

/// The words and blocks of one file, as `ngx_conf_read_token` separates them.
private struct Grammar {
  /// What ended a run of words.
  private enum End { case semicolon, blockStart, blockEnd, file }

  private static let deepest = 100
  /// nginx reads through a buffer of this many bytes, and a word has to fit in.
  private static let longestWord = 4096

  private let bytes: [UInt8]
  private let file: String
  private var at = 0
  private var line = 1
  private var lineStart = 0
  private(set) var allowance: Allowance
  private(set) var problem: Nginx.Problem?

  init(_ text: String, file: String, _ allowance: Allowance) {
    self.allowance = allowance
    bytes = Array(text.utf8)
    self.file = file
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      // nginx takes a byte order mark as part of the first word.
      let word = bytes.prefix { !" \t\r\n;{".utf8.contains($0) }
      note("unknown directive \"\(String(decoding: word, as: UTF8.self))\"")
      at = 3
    }
  }

  mutating func block(depth: Int) throws(Unseen) -> [Nginx.Directive] {
    var directives: [Nginx.Directive] = []
    while true {
      let (words, end) = try words()
      if let name = words.first {
        var directive = Nginx.Directive(
          name: name.text, arguments: Array(words.dropFirst()), block: nil, file: file, line: name.line,
          lastLine: line)
        if end == .blockStart { directive.block = try blockOf(name.text, depth: depth + 1) }
        directives.append(directive)
      } else if end == .blockStart {
        directives += try blockOf("", depth: depth + 1)
      }
      switch end {
      case .semicolon, .blockStart: continue
      case .blockEnd where depth == 0: note("unexpected \"}\"")
      case .file where depth > 0:
        noteEnd(expecting: "\"}\"")
        return directives
      case .blockEnd, .file: return directives
      }
    }
  }

  private mutating func blockOf(_ name: String, depth: Int) throws(Unseen) -> [Nginx.Directive] {
    if name.hasSuffix("_by_lua_block") {
      skipLua()
      return []
    }
    if depth > Self.deepest {
      note("blocks are nested too deeply")
      at = bytes.count
      return []
    }
    return try block(depth: depth)
  }

  /// The words up to `;`, `{`, `}` or the file's end.
  private mutating func words() throws(Unseen) -> ([Nginx.Argument], End) {
    var words: [Nginx.Argument] = []
    var counted = 0
    while at < bytes.count {
      if words.count > counted {
        if counted % Limits.wordsOfNode == 0 { try allowance.take(of: file) }
        counted = words.count
      }
      switch bytes[at] {
      case "\n", " ", "\t", "\r": step()
      case "#": skipComment()
      case ";", "{":
        let end: End = bytes[at] == ";" ? .semicolon : .blockStart
        if words.isEmpty { note("unexpected \"\(end == .semicolon ? ";" : "{")\"") }
        at += 1
        if !words.isEmpty || end == .blockStart { return (words, end) }
      case "}":
        if !words.isEmpty {
          note("unexpected \"}\"", in: words)
          return (words, .semicolon)
        }
        at += 1
        return (words, .blockEnd)
      case "\"", "'": words.append(quotedWord(after: words))
      default: words.append(plainWord(after: words))
      }
    }
    if !words.isEmpty { noteEnd(expecting: "\";\" or \"}\"", in: words) }
    return (words, .file)
  }

  private mutating func skipComment() {
    let comment = bytes[at...].prefix { $0 != "\n" }
    // It has to fit into the buffer like a word.
    if comment.count >= Self.longestWord { noteTooLong(comment, at: line) }
    at = comment.endIndex
  }

  private mutating func noteTooLong(_ word: ArraySlice<UInt8>, at line: Int) {
    note("too long parameter \"\(String(decoding: word.prefix(10), as: UTF8.self))...\" started", at: line)
  }

  private mutating func quotedWord(after words: [Nginx.Argument]) -> Nginx.Argument {
    let quote = bytes[at]
    at += 1
    let start = Start(self)
    while at < bytes.count, bytes[at] != quote {
      if bytes[at] == "\\" { step() }
      step()
    }
    let word = word(from: start)
    if at - start.at >= Self.longestWord {
      let name = String(UnicodeScalar(quote))
      note("too long parameter, probably missing terminating \"\(name)\" character", at: start.line)
    }
    guard at < bytes.count else { return word }
    at += 1
    if at < bytes.count, !" \t\r\n;{)".utf8.contains(bytes[at]) {
      note("unexpected \"\(String(decoding: [bytes[at]], as: UTF8.self))\"", in: words)
    }
    return word
  }

  private mutating func plainWord(after words: [Nginx.Argument]) -> Nginx.Argument {
    let start = Start(self)
    var afterDollar = false
    while at < bytes.count {
      let byte = bytes[at]
      // The first byte belongs to the word whatever it is: `)` may follow a quoted word at once.
      if at > start.at, " \t\r\n;".utf8.contains(byte) || (byte == "{" && !afterDollar) { break }
      afterDollar = byte == "$"
      if byte == "\\" { step() }
      step()
    }
    let word = word(from: start)
    if at - start.at >= Self.longestWord { noteTooLong(bytes[start.at...], at: start.line) }
    return word
  }

  private struct Start {
    let at: Int
    let line: Int
    let lineStart: Int
    init(_ grammar: Grammar) { (at, line, lineStart) = (grammar.at, grammar.line, grammar.lineStart) }
  }

  private func word(from start: Start) -> Nginx.Argument {
    let raw = bytes[start.at..<min(at, bytes.count)]
    var text: [UInt8] = []
    var index = raw.startIndex
    while index < raw.endIndex {
      let next = index + 1 < raw.endIndex ? raw[index + 1] : nil
      if raw[index] == "\\", let next, let meant = Self.escapes[next] {
        text.append(meant)
        index += 2
      } else {
        text.append(raw[index])
        index += 1
      }
    }
    let isOnePiece = start.line == line && text.count == raw.count
    return Nginx.Argument(
      text: String(decoding: text, as: UTF8.self), line: start.line,
      columns: isOnePiece ? start.at - start.lineStart..<start.at - start.lineStart + raw.count : nil)
  }

  private static let escapes = Dictionary(
    zip("\"'\\trn".utf8, "\"'\\\t\r\n".utf8)
  ) { first, _ in first }

  /// Goes past a Lua block's closing brace: braces in Lua's strings and comments do not count.
  private mutating func skipLua() {
    var open = 1
    while at < bytes.count {
      let rest = bytes[at...]
      if rest.starts(with: "--".utf8) {
        at += 2
        if !skipLongBracket() { while at < bytes.count, bytes[at] != "\n" { at += 1 } }
      } else if bytes[at] == "[", skipLongBracket() {
        continue
      } else if bytes[at] == "\"" || bytes[at] == "'" {
        let quote = bytes[at]
        at += 1
        while at < bytes.count, bytes[at] != quote {
          if bytes[at] == "\\" { step() }
          step()
        }
        step()
      } else {
        if bytes[at] == "{" { open += 1 }
        if bytes[at] == "}" { open -= 1 }
        step()
        if open == 0 { return }
      }
    }
    noteEnd(expecting: "\"}\"")
  }

  /// `[[ … ]]`, `[==[ … ]==]`. False, and nothing skipped, if none begins here.
  private mutating func skipLongBracket() -> Bool {
    guard at < bytes.count, bytes[at] == "[" else { return false }
    let signs = bytes[(at + 1)...].prefix { $0 == "=" }
    guard signs.endIndex < bytes.count, bytes[signs.endIndex] == "[" else { return false }
    let closing = Array("]".utf8) + signs + Array("]".utf8)
    while at < bytes.count, !bytes[at...].starts(with: closing) { step() }
    at = min(at + closing.count, bytes.count)
    return true
  }

  /// One byte further; counts lines.
  private mutating func step() {
    guard at < bytes.count else { return }
    at += 1
    if bytes[at - 1] == "\n" {
      line += 1
      lineStart = at
    }
  }

  /// Keeps the first problem: nginx stops there, and what follows often only follows from it.
  private mutating func note(
    _ message: String, in words: [Nginx.Argument] = [], at line: Int? = nil, isEndOfFile: Bool = false
  ) {
    guard problem == nil else { return }
    problem = Nginx.Problem(
      file: file, line: line ?? self.line, message: message, unterminatedLine: words.first?.line,
      isEndOfFile: isEndOfFile)
  }

  private mutating func noteEnd(expecting what: String, in words: [Nginx.Argument] = []) {
    note("unexpected end of file, expecting \(what)", in: words, isEndOfFile: true)
  }
}

private func == (byte: UInt8, scalar: Unicode.Scalar) -> Bool { byte == UInt8(ascii: scalar) }
private func != (byte: UInt8, scalar: Unicode.Scalar) -> Bool { byte != UInt8(ascii: scalar) }
private func ~= (scalar: Unicode.Scalar, byte: UInt8) -> Bool { byte == UInt8(ascii: scalar) }
