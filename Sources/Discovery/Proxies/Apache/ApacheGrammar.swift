public import Model

extension Apache {
  /// Reads one file's text. A file that is cut or wrong gives one problem, the first, and all directives that can be
  /// made out around it.
  public static func parse(
    _ text: String, file: String
  ) throws(Unseen) -> (directives: [Directive], problem: Problem?) {
    var allowance = Allowance()
    return try parse(text, file: file, &allowance)
  }

  /// The same for one file of several, which share the allowance.
  static func parse(
    _ text: String, file: String, _ allowance: inout Allowance
  ) throws(Unseen) -> (directives: [Directive], problem: Problem?) {
    var grammar = Grammar(text, file: file, allowance)
    defer { allowance = grammar.allowance }
    return (try grammar.block(of: nil), grammar.problem)
  }
}

/// The lines, words and sections of one file.
private struct Grammar {
  /// A line with its continuations, without the blanks around it.
  private struct Line {
    var content = Traced("")
    var number = 0
    var bytes: [UInt8] { content.bytes }
  }

  private static let deepest = 100

  private let file: String
  private let bytes: [UInt8]
  /// Where the next line begins.
  private var start = 0
  /// Of the last line that was read, from 1.
  private var number = 0
  private var depth = 0
  /// The file has ended within a section.
  private var isOpen = false
  private(set) var allowance: Allowance
  private(set) var problem: Apache.Problem?

  init(_ text: String, file: String, _ allowance: Allowance) {
    self.file = file
    self.allowance = allowance
    bytes = Array(text.utf8)
  }

  /// The next line that says something. A backslash at a line's end joins it with the next one, in comments, too.
  private mutating func nextLine() throws(Unseen) -> Line? {
    var line = Line()
    while start <= bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      var text = bytes[start..<end]
      if text.last == UInt8(ascii: "\r") { text.removeLast() }
      let goesOn = text.last == UInt8(ascii: "\\") && end < bytes.count
      if goesOn { text.removeLast() }
      number += 1
      start = end + 1
      guard line.bytes.count + text.count <= Limits.line else {
        throw .unreadable(what: file, why: .init(.longLine, "\(number)"))
      }
      line.content += Traced(Array(text), at: Traced.Place(file: file, line: number, column: 0))
      line.number = number
      if goesOn { continue }
      if let first = line.bytes.firstIndex(where: { !$0.isBlank }), line.bytes[first] != UInt8(ascii: "#"),
        let last = line.bytes.lastIndex(where: { !$0.isBlank })
      {
        line.content = line.content[first..<last + 1]
        return line
      }
      line = Line()
    }
    return nil
  }

  /// The directives up to the end of the section `opened`, or of the file.
  mutating func block(of opened: (name: String, line: Int)?) throws(Unseen) -> [Apache.Directive] {
    depth += 1
    defer { depth -= 1 }
    var directives: [Apache.Directive] = []
    while let line = try nextLine() {
      guard line.bytes.first == UInt8(ascii: "<") else {
        let words = try words(line, from: 0)
        directives.append(
          Apache.Directive(
            name: words[0].text, arguments: Array(words.dropFirst()), block: nil, file: file, line: line.number))
        continue
      }
      if line.bytes.dropFirst().first == UInt8(ascii: "/") {
        let name = String(decoding: line.bytes.dropFirst(2).prefix { $0 != UInt8(ascii: ">") }, as: UTF8.self)
        guard let opened else {
          note("</\(name)> without matching <\(name)> section", line.number)
          continue
        }
        if opened.name.lowercased() != name.lowercased() {
          note("Expected </\(opened.name)> but saw </\(name)>", line.number)
        }
        return directives
      }
      directives.append(try section(line))
    }
    if let opened {
      isOpen = true
      if !Apache.conditions.contains(opened.name.lowercased()) {
        note("<\(opened.name)> was not closed.", opened.line)
      }
    }
    return directives
  }

  private mutating func section(_ line: Line) throws(Unseen) -> Apache.Directive {
    var inner = line
    if let end = line.bytes.lastIndex(of: UInt8(ascii: ">")) {
      inner.content = line.content[0..<end]
    }
    let words = try words(inner, from: 1)
    let name = words.first?.text ?? ""
    if inner.bytes.count == line.bytes.count { note("<\(name)> directive missing closing '>'", line.number) }
    guard depth < Self.deepest else {
      note("sections are nested too deeply", line.number)
      start = bytes.count + 1
      return Apache.Directive(name: name, arguments: [], block: [], file: file, line: line.number)
    }
    let block = try block(of: (name, line.number))
    return Apache.Directive(
      name: name, arguments: Array(words.dropFirst()), block: block, file: file, line: line.number, isOpen: isOpen)
  }

  /// Words are separated by blanks; quotes keep blanks, and a backslash keeps a quote or another backslash.
  private mutating func words(_ line: Line, from start: Int) throws(Unseen) -> [Traced] {
    var words: [Traced] = []
    let bytes = line.bytes
    var at = start
    while true {
      while at < bytes.count, bytes[at].isBlank { at += 1 }
      guard at < bytes.count else { break }
      let first = bytes[at]
      let quote = !words.isEmpty && (first == UInt8(ascii: "\"") || first == UInt8(ascii: "'")) ? first : nil
      if quote != nil { at += 1 }
      var word = Traced("")
      var from = at
      while at < bytes.count, quote.map({ bytes[at] != $0 }) ?? !bytes[at].isBlank {
        let next = at + 1 < bytes.count ? bytes[at + 1] : 0
        if bytes[at] == UInt8(ascii: "\\"), next == UInt8(ascii: "\\") || next == quote {
          word += line.content[from..<at]
          at += 1
          from = at
        }
        at += 1
      }
      word += line.content[from..<at]
      if quote != nil { at += 1 }
      if words.count % Limits.wordsOfNode == 0 { try allowance.take(of: file) }
      words.append(word)
    }
    return words.isEmpty ? [Traced("")] : words
  }

  private mutating func note(_ message: String, _ line: Int) {
    if problem == nil { problem = Apache.Problem(file: file, line: line, message: message) }
  }
}

extension Apache {
  /// Sections that are judged while httpd reads. It asks for the end only of those that do not hold.
  static let conditions: Set<String> = ["ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection"]
}

extension UInt8 {
  fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}
