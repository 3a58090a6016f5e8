/// Text inside of Markdown.
extension String {
  /// This text, of which Markdown makes nothing but words: what could be more (HTML, a picture, a link, `@name`, `#123`,
  /// emphasis, a list, a table) stands in code spans, whoever wrote it.
  ///
  /// A backslash would not do: GitHub and others look for names and addresses in what has been made of the text.
  var inMarkdown: String {
    split(separator: "\n", omittingEmptySubsequences: false).map { $0.lineInMarkdown }.joined(separator: "\n")
  }

  /// Between fences that are longer than any row of backticks in it, and so cannot be ended by it.
  func fenced(_ language: String) -> String {
    let fence = String(repeating: "`", count: max(3, longestBackticks + 1))
    return "\(fence)\(language)\n\(self)\n\(fence)"
  }

  fileprivate var longestBackticks: Int {
    var (longest, row) = (0, 0)
    for byte in utf8 {
      row = byte == UInt8(ascii: "`") ? row + 1 : 0
      longest = max(longest, row)
    }
    return longest
  }

  fileprivate var codeSpan: String {
    let fence = String(repeating: "`", count: longestBackticks + 1)
    let needsRoom = hasPrefix("`") || hasSuffix("`")
    return needsRoom ? "\(fence) \(self) \(fence)" : fence + self + fence
  }
}

extension Substring {
  fileprivate var lineInMarkdown: String {
    var parts: [(text: String, isCode: Bool)] = []
    var rest = unicodeScalars[...]
    while let open = rest.firstIndex(of: "`"),
      let close = rest[rest.index(after: open)...].firstIndex(of: "`"), close > rest.index(after: open)
    {
      Self.take(rest[..<open], into: &parts)
      parts.append((String(rest[rest.index(after: open)..<close]), true))
      rest = rest[rest.index(after: close)...]
    }
    Self.take(rest, into: &parts)
    return parts.map { $0.isCode ? $0.text.codeSpan : $0.text }.joined()
  }

  /// Splits at blanks, and takes what stands at the ends of a word as punctuation out of its code span.
  private static func take(_ text: Substring.UnicodeScalarView, into parts: inout [(text: String, isCode: Bool)]) {
    for (index, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
      if index > 0 { parts.append((" ", false)) }
      var core = word
      while let first = core.first, first == "(" || first == "\"" { core.removeFirst() }
      while let last = core.last, ".,;:!?)\"".unicodeScalars.contains(last) { core.removeLast() }
      let isFirst = parts.allSatisfy { $0.text.allSatisfy { $0 == " " } }
      guard isMore(core) || (isFirst && startsBlock(word)) else {
        parts.append((String(word), false))
        continue
      }
      if isFirst, startsBlock(word) { core = word }
      let before = String(word[..<core.startIndex])
      // Neighbours share one span: `<img src=x>`.
      if before.isEmpty, parts.count >= 2, parts[parts.count - 1].text == " ", parts[parts.count - 2].isCode {
        parts.removeLast()
        parts[parts.count - 1].text += " " + String(core)
      } else {
        parts.append((before, false))
        parts.append((String(core), true))
      }
      let after = String(word[core.endIndex...])
      if !after.isEmpty { parts.append((after, false)) }
    }
  }

  /// True for a word of which some Markdown makes more than a word.
  private static func isMore(_ word: Substring.UnicodeScalarView) -> Bool {
    var last: Unicode.Scalar = " "
    for scalar in word {
      if signs.contains(scalar) { return true }
      // An address without a scheme, and a file.
      if last == ".", scalar.properties.isAlphabetic || scalar.properties.numericType != nil { return true }
      last = scalar
    }
    return false
  }

  private static let signs = Set("<>[]{}_*#@`~|&$\\^=:/".unicodeScalars)

  /// True for what makes a list or a heading at the start of a line.
  private static func startsBlock(_ word: Substring.UnicodeScalarView) -> Bool {
    guard let last = word.last else { return false }
    if word.allSatisfy({ "-+=#*>".unicodeScalars.contains($0) }) { return true }
    return (last == "." || last == ")") && word.dropLast().allSatisfy { ("0"..."9").contains($0) }
  }
}
