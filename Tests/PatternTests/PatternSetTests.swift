import Fixture
import Testing

@testable import Pattern

/// A pattern that matches in a text is one of its candidates, whatever it is made of.
@Suite struct PatternSetTests {
  /// What each needs, in the order of their letters; lower case stands for both cases behind `(?i)`.
  @Test(arguments: [
    ("refused", ["refused"]), ("(?i)Refused by 10", ["refused by 10"]),
    ("no (?:route|way) to", ["no route to", "no way to"]),
    ("[Cc]onnect(?:ion)? lost", ["connect lost", "connection lost"]), (#"AH\d{5}: "#, nil as [String]?),
    ("a.b", nil), ("(?:abc)?", nil), ("abc|.", nil), ("(?:abc)*def", ["def"]), ("(?:abc)+def", ["abcdef"]),
    ("x{3}yz", ["xxxyz"]), ("a{b}c", ["a{b}c"]), ("(?=.*refused)(?!.*timeout).*host", ["refused"]),
    ("(?<name>abc|abd)e", ["abce", "abde"]), ("(?>abc)d", ["abcd"]), (#"\Qa.b\E"#, nil), (#"(abc)\10"#, nil),
    (#"a\.b\x2Dc\t"#, ["a.b-c\t"]), ("(*UTF)abc", nil), ("(?x) a b c", nil), ("(?i:ab)cd", ["abcd"]),
    ("a(?i)bc|de", ["abc", "de"]), ("[^a]bcd[x-z]", ["bcdx", "bcdy", "bcdz"]), ("[]ab]cd", ["]cd", "acd", "bcd"]),
    ("(?i)отка", ["ОТка"]),
  ])
  func aPatternNeedsItsLiterals(regex: String, literals: [String]?) throws {
    let pattern = try Pattern(regex)
    let set = PatternSet([regex])
    let needed = RequiredLiterals(of: regex)
    guard let literals else {
      // Either nothing is needed, or something that stands for several.
      #expect(set.isCandidate(0, in: "") == (needed == nil))
      return
    }
    for literal in literals {
      #expect(set.isCandidate(0, in: literal), "\(regex) may match in \(literal)")
      #expect(set.isCandidate(0, in: "0123456789abcdef\n" + literal + "0123456789abcdef"))
      // Without its last letter nothing is left that could match, and nothing else stands there.
      #expect(pattern.matches(String(literal.dropLast())) || !set.isCandidate(0, in: String(literal.dropLast())))
    }
  }

  @Test func onlyWhatIsThereIsACandidate() {
    // One that does not compile is a candidate, and matches nothing.
    let set = PatternSet(["(?i)connection refused", "no such host", ".", "(", "UF", "eof"])
    let found = { (text: String) in (0..<set.count).filter { set.isCandidate($0, in: text) } }
    #expect(found("CONNECTION refused") == [0, 2, 3])
    #expect(found("No such host") == [2, 3])
    #expect(found("0 UF") == [2, 3, 4])
    #expect(found("uf eo") == [2, 3])
    #expect(found("eof") == [2, 3, 5])
    #expect(set[3] == nil)
  }

  /// PCRE2 knows letters that others know as two, and some with three forms: what it takes for one letter, we do.
  @Test func lettersHaveTheCasesThatTheyHaveForPCRE() throws {
    let scalars = (0x20..<0x2_0000).compactMap(Unicode.Scalar.init)
    let cased = scalars.filter { $0.properties.changesWhenCaseMapped }
    // A pattern looks at 64 KB.
    let texts = stride(from: 0, to: scalars.count, by: 8000).map { start in
      var text = String.UnicodeScalarView()
      for scalar in scalars[start..<min(start + 8000, scalars.count)]
      where scalar.value < 0x80 || scalar.properties.isAlphabetic {
        text.append(scalar)
      }
      return String(text)
    }
    let likely = cased.filter { $0.value < 0x530 || (0x1C80...0x2200).contains($0.value) }
    for letter in likely {
      let regex = "(?i)ab\(letter)"
      guard RequiredLiterals(of: regex).map({ $0.any.contains { $0.length > 2 } }) == true else { continue }
      let (pattern, set) = (try Pattern("(?i)\(letter)"), PatternSet([regex]))
      for text in texts where pattern.matches(text) {
        for scalar in text.unicodeScalars where pattern.matches(String(scalar)) {
          #expect(set.isCandidate(0, in: "ab\(scalar)"), "\(letter) is also \(scalar)")
        }
      }
    }
  }

  @Test(arguments: 0..<20) func whatMatchesIsACandidate(seed: UInt64) {
    var chance = Chance(random: SeededGenerator(seed: seed))
    var matches = 0
    for _ in 0..<400 {
      let regex = chance.regex(depth: 3)
      guard let pattern = try? Pattern(regex) else { continue }
      let set = PatternSet([regex])
      for _ in 0..<40 {
        let text = chance.text()
        guard pattern.matches(text) else { continue }
        matches += 1
        #expect(set.isCandidate(0, in: text), "\(regex) matches in \(text)")
      }
    }
    #expect(matches > 1000)
  }
}

extension PatternSet {
  fileprivate func isCandidate(_ number: Int, in text: String) -> Bool {
    Array(text.utf8).withUnsafeBufferPointer { candidates(in: $0).first(in: number..<number + 1) != nil }
  }
}

/// Made-up expressions, and texts in which they often match.
private struct Chance {
  var random: SeededGenerator

  mutating func one<Value>(of values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }

  mutating func text() -> String {
    let letters = "aaabbbsskABSK01 \\-]}.éÉяЯσςſ\u{212A}\n".map { String($0) }
    return (0..<Int.random(in: 1...24, using: &random)).map { _ in one(of: letters) }.joined()
  }

  mutating func regex(depth: Int) -> String {
    (0..<Int.random(in: 1...4, using: &random)).map { _ in part(depth) }.joined()
  }

  private mutating func part(_ depth: Int) -> String {
    let quantifier = one(of: ["", "", "", "", "?", "*", "+", "{2}", "{1,2}", "{0,1}", "{3,}", "??", "*+", "{", "{a}"])
    return atom(depth) + quantifier
  }

  private mutating func atom(_ depth: Int) -> String {
    if depth == 0 || Int.random(in: 0..<3, using: &random) > 0 {
      return one(of: [
        "a", "b", "ab", "ba", "s", "k", "aa", "bb", "sk", "é", "я", "σ", ".", #"\d"#, #"\S"#, "[ab]", "[^a]", "[sS]",
        "[a-c]",
        "[]a]", #"[\d-]"#, #"\\"#, #"\."#, #"\x61"#, #"\b"#, "^", "$", "(?i)", "(?-i)", #"\1"#, "[0-3]", "]", "}",
        #"[\]b]"#, "(?s)",
      ])
    }
    let inside = regex(depth: depth - 1)
    let other = regex(depth: depth - 1)
    return one(of: [
      "(\(inside))", "(?:\(inside)|\(other))", "(?:\(inside)|)", "(?>\(inside))", "(?=\(inside))", "(?!\(inside))",
      "(?<!a)", "(?<=b)",
      "(?<n\(depth)>\(inside))", "(?i:\(inside))", "(?|\(inside)|\(other))", "(\(inside)|\(other)|b)",
    ])
  }
}
