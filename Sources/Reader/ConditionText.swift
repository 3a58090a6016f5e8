import Flow
import Model

extension Condition {
  /// What stands behind `when:`, between its commas: `a.b`, `!a.b`, `a.b = c | d` or `a.b != c`.
  ///
  /// - Parameter complain: Is told what is wrong with it, in a sentence.
  init?(_ text: Substring, _ complain: (String) -> Void) {
    var fact = text
    var test = Test.known
    let bytes = text.utf8
    if let sign = bytes.firstIndex(of: UInt8(ascii: "=")) {
      let isNot = bytes[..<sign].last == UInt8(ascii: "!")
      fact = Substring(bytes[..<sign].dropLast(isNot ? 1 : 0)).trimmed
      let values = bytes[bytes.index(after: sign)...].split(
        separator: UInt8(ascii: "|"), omittingEmptySubsequences: false
      ).map { String(Substring($0).trimmed) }
      if values.contains("") { complain("a value is missing in '\(text)'") }
      test = isNot ? .noneOf(values) : .oneOf(values)
    } else if bytes.first == UInt8(ascii: "!") {
      fact = Substring(bytes.dropFirst()).trimmed
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
