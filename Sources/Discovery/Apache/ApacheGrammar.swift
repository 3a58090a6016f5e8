extension Apache {
  /// Reads one file's text. A file that is cut or wrong gives one problem, the first, and all directives that can be
  /// made out around it.
  public static func parse(_ text: String, file: String) -> (directives: [Directive], problem: Problem?) {
    var grammar = Grammar(text, file: file)
    let directives = grammar.block(of: nil)
    return (directives, grammar.problem)
  }
}

/// The lines, words and sections of one file.
private struct Grammar {
  /// A line with its continuations, without the blanks around it.
  private struct Line {
    var bytes: [UInt8] = []
    var places: [Traced.Place?] = []
    var number = 0
  }

  private static let deepest = 100

  private let file: String
  private var lines: ArraySlice<Line>
  private var depth = 0
  private(set) var problem: Apache.Problem?

  init(_ text: String, file: String) {
    self.file = file
    lines = Self.lines(text, file)[...]
  }

  /// A backslash at a line's end joins it with the next one, in comments, too.
  private static func lines(_ text: String, _ file: String) -> [Line] {
    var lines: [Line] = []
    var line = Line()
    let physical = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, bytes) in physical.enumerated() {
      var bytes = Array(bytes)
      if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
      let goesOn = bytes.last == UInt8(ascii: "\\") && index + 1 < physical.count
      if goesOn { bytes.removeLast() }
      line.places += bytes.indices.map { Traced.Place(file: file, line: index + 1, column: $0) }
      line.bytes += bytes
      line.number = index + 1
      if goesOn { continue }
      let content = line.bytes.indices.drop { line.bytes[$0].isBlank }.reversed().drop { line.bytes[$0].isBlank }
      if let first = content.last, let last = content.first, line.bytes[first] != UInt8(ascii: "#") {
        line.bytes = Array(line.bytes[first...last])
        line.places = Array(line.places[first...last])
        lines.append(line)
      }
      line = Line()
    }
    return lines
  }

  /// The directives up to the end of the section `opened`, or of the file.
  mutating func block(of opened: (name: String, line: Int)?) -> [Apache.Directive] {
    depth += 1
    defer { depth -= 1 }
    var directives: [Apache.Directive] = []
    while let line = lines.popFirst() {
      guard line.bytes.first == UInt8(ascii: "<") else {
        let words = words(line, from: 0)
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
      directives.append(section(line))
    }
    if let opened { note("<\(opened.name)> was not closed.", opened.line) }
    return directives
  }

  private mutating func section(_ line: Line) -> Apache.Directive {
    var inner = line
    if let end = line.bytes.lastIndex(of: UInt8(ascii: ">")) {
      (inner.bytes, inner.places) = (Array(line.bytes[..<end]), Array(line.places[..<end]))
    }
    let words = words(inner, from: 1)
    let name = words.first?.text ?? ""
    if inner.bytes.count == line.bytes.count { note("<\(name)> directive missing closing '>'", line.number) }
    guard depth < Self.deepest else {
      note("sections are nested too deeply", line.number)
      lines = []
      return Apache.Directive(name: name, arguments: [], block: [], file: file, line: line.number)
    }
    return Apache.Directive(
      name: name, arguments: Array(words.dropFirst()), block: block(of: (name, line.number)), file: file,
      line: line.number)
  }

  /// Words are separated by blanks; quotes keep blanks, and a backslash keeps a quote or another backslash.
  private func words(_ line: Line, from start: Int) -> [Traced] {
    var words: [Traced] = []
    var at = start
    while true {
      while at < line.bytes.count, line.bytes[at].isBlank { at += 1 }
      guard at < line.bytes.count else { break }
      let first = line.bytes[at]
      let quote = !words.isEmpty && (first == UInt8(ascii: "\"") || first == UInt8(ascii: "'")) ? first : nil
      if quote != nil { at += 1 }
      var (bytes, places): ([UInt8], [Traced.Place?]) = ([], [])
      while at < line.bytes.count, quote.map({ line.bytes[at] != $0 }) ?? !line.bytes[at].isBlank {
        let next = at + 1 < line.bytes.count ? line.bytes[at + 1] : 0
        if line.bytes[at] == UInt8(ascii: "\\"), next == UInt8(ascii: "\\") || next == quote { at += 1 }
        bytes.append(line.bytes[at])
        places.append(line.places[at])
        at += 1
      }
      if quote != nil { at += 1 }
      words.append(Traced(bytes, places))
    }
    return words.isEmpty ? [Traced("")] : words
  }

  private mutating func note(_ message: String, _ line: Int) {
    if problem == nil { problem = Apache.Problem(file: file, line: line, message: message) }
  }
}

extension UInt8 {
  fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}
