import Flow
import Model

extension Condition {
  /// What stands behind `when:`, between its commas: `a.b`, `!a.b`, `a.b = c | d` or `a.b != c`.
  ///
  /// - Parameter complain: Is told what is wrong with it, in a sentence.
  init?(_ text: Substring, _ complain: (String) -> Void) {
    var fact = text
    var test = Test.known
    if let sign = text.firstIndex(of: "=") {
      let isNot = text[..<sign].last == "!"
      fact = text[..<sign].dropLast(isNot ? 1 : 0).trimmed
      let values = text[text.index(after: sign)...].split(separator: "|", omittingEmptySubsequences: false)
        .map { String($0.trimmed) }
      if values.contains("") { complain("a value is missing in '\(text)'") }
      test = isNot ? .noneOf(values) : .oneOf(values)
    } else if text.first == "!" {
      fact = text.dropFirst().trimmed
      test = .unknown
    }
    guard !fact.isEmpty else {
      complain("'when:' is followed by a fact: 'when: a.b', '!a.b', 'a.b = c | d' or 'a.b != c'")
      return nil
    }
    self.init(fact: FactName(String(fact)), test: test)
  }

  /// The values with which the fact is compared.
  var values: [String] {
    switch test {
    case .oneOf(let values), .noneOf(let values): values
    case .known, .unknown: []
    }
  }
}
