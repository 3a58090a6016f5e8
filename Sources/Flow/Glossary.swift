/// The technical words that a reader may not know, each explained in a sentence or two.
public struct Glossary: Sendable, Equatable {
  public struct Word: Sendable, Equatable {
    /// What it is called; the first form is the one under which it is explained.
    public let forms: [String]
    public let explanation: String
    public init(forms: [String], explanation: String) {
      self.forms = forms
      self.explanation = explanation
    }
  }

  /// In the order of their names.
  public let words: [Word]
  /// Which word a form belongs to.
  private let index: [String: Int]
  /// How many words of a text the longest form takes.
  private let longest: Int

  public init(_ words: [Word] = []) {
    self.words = words.sorted { ($0.forms[0].lowercased(), $0.forms[0]) < ($1.forms[0].lowercased(), $1.forms[0]) }
    index = Dictionary(
      self.words.enumerated().flatMap { number, word in word.forms.map { ($0, number) } }
    ) { first, _ in first }
    longest = index.keys.map { $0.count { $0 == " " } + 1 }.max() ?? 0
  }

  /// The words that stand in these texts, and those that their explanations need, in the order of their names.
  public func words(in texts: [String]) -> [Word] {
    var found: Set<Int> = []
    var open = texts
    while let text = open.popLast() {
      for match in matches(in: Self.tokens(of: text)) where found.insert(match.word).inserted {
        open.append(words[match.word].explanation)
      }
    }
    return found.sorted().map { words[$0] }
  }

  /// One word of a text, without the signs around it.
  struct Token: Equatable {
    let text: String
    /// True if nothing but a blank stands between it and the token before.
    let isJoined: Bool
  }

  /// The words of a text; what stands in double quotes is typed or read as it is, and left out.
  static func tokens(of text: String) -> [Token] {
    var tokens: [Token] = []
    var isJoined = false
    for (number, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
      guard number.isMultiple(of: 2) else {
        isJoined = false
        continue
      }
      for piece in part.split(whereSeparator: \.isWhitespace) {
        let head = piece.drop { "('[".contains($0) }
        var word = head
        while let last = word.last, ".,:;!?)'…]".contains(last) { word.removeLast() }
        let isLast = word.endIndex != head.endIndex
        for ending in ["'s", "’s"] where word.hasSuffix(ending) { word.removeLast(2) }
        if head.startIndex != piece.startIndex { isJoined = false }
        if !word.isEmpty { tokens.append(Token(text: String(word), isJoined: isJoined)) }
        isJoined = !isLast && !word.isEmpty
      }
    }
    return tokens
  }

  /// Where glossary words stand: the longest form at each place, written as in the data; a small first letter may be
  /// a capital.
  func matches(in tokens: [Token]) -> [(word: Int, range: Range<Int>)] {
    var matches: [(word: Int, range: Range<Int>)] = []
    var start = 0
    while start < tokens.count {
      var phrase = tokens[start].text
      var best: (word: Int, range: Range<Int>)?
      for end in start + 1...start + max(longest, 1) {
        if let word = index[phrase] ?? index[phrase.prefix(1).lowercased() + phrase.dropFirst()] {
          best = (word, start..<end)
        }
        guard end < tokens.count, tokens[end].isJoined else { break }
        phrase += " " + tokens[end].text
      }
      if let best { matches.append(best) }
      start = best?.range.upperBound ?? start + 1
    }
    return matches
  }
}
