/// Secrets that logs, addresses, configurations and error messages carry along.
extension String {
  /// This text with `…` in the place of every secret: values of passwords, tokens and the like, whatever they are called
  /// and quoted; values in an address's query; names and passwords before its host; keys and tokens of known forms.
  ///
  /// The one redactor for all that leaves the program. Takes time in proportion to the text. What has been redacted once
  /// stays as it is.
  public var redacted: String { redaction.text }

  /// The same, with how many secrets of each kind were left out.
  public var redaction: (text: String, hidden: [HiddenKind: Int]) {
    var search = SecretSearch(text: Array(utf8))
    search.findValuesOfNames()
    search.findValuesOfWords()
    search.kind = .form
    search.findKnownForms()
    search.kind = .address
    search.findInAddresses()
    return search.textWithoutSecrets(self)
  }

  /// At most `limit` scalars of it to show, its secrets left out before anything is cut: what is left of
  /// `password=…` by a cut would not be known as a secret.
  public func excerpt(of limit: Int) -> String { redacted.printable.shortened(to: limit) }
}

/// By what a secret is known.
public enum HiddenKind: String, Sendable, CaseIterable {
  /// The name or the word before it: a password, a token, a cookie.
  case named
  /// Its own form: the key of a service, the hash of a password, a private key.
  case form
  /// Its place in an address: before the host, or a value of the query.
  case address
}

/// Where the secrets of one text stand. All positions are those of its UTF-8.
///
/// Each search is one way through the text, and looks at most `reach` bytes back.
struct SecretSearch {
  let text: [UInt8]
  private(set) var secrets: [(range: Range<Int>, kind: HiddenKind)] = []
  /// Of those that are found now.
  var kind = HiddenKind.named

  /// Bytes that a name, or what stands before a host, may have.
  static let reach = 256

  init(text: [UInt8]) { self.text = text }

  mutating func add(_ range: Range<Int>) {
    if !range.isEmpty { secrets.append((range, kind)) }
  }

  /// `whole`, which is the text itself, with `…` for each secret; neighbours become one. How many of each kind there are.
  func textWithoutSecrets(_ whole: String) -> (text: String, hidden: [HiddenKind: Int]) {
    guard !secrets.isEmpty else { return (whole, [:]) }
    var result: [UInt8] = []
    var hidden: [HiddenKind: Int] = [:]
    var position = 0
    for (secret, kind) in secrets.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      if secret.lowerBound > position || (position == 0 && result.isEmpty) {
        result += text[position..<secret.lowerBound]
        result += "…".utf8
        // What was left out before is nothing new.
        if !text[secret].elementsEqual("…".utf8) { hidden[kind, default: 0] += 1 }
      }
      position = max(position, secret.upperBound)
    }
    result += text[position...]
    return (String(decoding: result, as: UTF8.self), hidden)
  }

  // MARK: Reading

  /// The byte at `index`; 0 outside of the text.
  func byte(_ index: Int) -> UInt8 { text.indices.contains(index) ? text[index] : 0 }

  func has(_ word: StaticString, at index: Int) -> Bool {
    guard index >= 0, index + word.utf8CodeUnitCount <= text.count else { return false }
    for offset in 0..<word.utf8CodeUnitCount where text[index + offset] != word.utf8Start[offset] { return false }
    return true
  }

  /// The end of the bytes from `index` on that `isPart` takes.
  func end(from index: Int, while isPart: (UInt8) -> Bool) -> Int {
    var end = index
    while end < text.count, isPart(text[end]) { end += 1 }
    return end
  }

  /// The start of the bytes before `index` that `isPart` takes, at most `reach`.
  func start(before index: Int, reach: Int = Self.reach, while isPart: (UInt8) -> Bool) -> Int {
    var start = index
    while start > 0, index - start < reach, isPart(text[start - 1]) { start -= 1 }
    return start
  }

  func string(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }

  /// A text in quotes that opens at `index`, with any number of backslashes before the quote: what is inside. It ends at
  /// the quote with as many backslashes, else with the line.
  func quoted(at index: Int) -> Range<Int>? {
    let open = end(from: index) { $0 == UInt8(ascii: "\\") }
    guard open < text.count, text[open].isQuote else { return nil }
    var slashes = 0
    var position = open + 1
    while position < text.count, !text[position].isLineEnd {
      if text[position] == text[open], slashes <= open - index, (slashes - (open - index)) % 2 == 0 {
        return open + 1..<position - slashes
      }
      slashes = text[position] == UInt8(ascii: "\\") ? slashes + 1 : 0
      position += 1
    }
    return open + 1..<position
  }

  /// A word from `index` on, in quotes or up to a blank or a closing quote; without the comma or semicolon behind it.
  func word(at index: Int) -> Range<Int> {
    if let quoted = quoted(at: index) { return quoted }
    var end = end(from: index) { !$0.isBlank && !$0.isLineEnd && !$0.isQuote }
    while end > index, text[end - 1] == UInt8(ascii: ",") || text[end - 1] == UInt8(ascii: ";") { end -= 1 }
    while end > index, text[end - 1] == UInt8(ascii: "\\") { end -= 1 }
    return index..<end
  }
}

extension UInt8 {
  var isBlank: Bool { self == 0x20 || self == 0x09 }
  var isLineEnd: Bool { self == 0x0A || self == 0x0D }
  var isQuote: Bool { self == UInt8(ascii: "\"") || self == UInt8(ascii: "'") || self == UInt8(ascii: "`") }
  var isDigit: Bool { (0x30...0x39).contains(self) }
  var isLower: Bool { (0x61...0x7A).contains(self) }
  var isUpper: Bool { (0x41...0x5A).contains(self) }
  var isLetter: Bool { isLower || isUpper }
  var isWord: Bool { isLetter || isDigit || self == UInt8(ascii: "_") }
  var isHex: Bool { isDigit || (0x61...0x66).contains(self) || (0x41...0x46).contains(self) }
}

/// Bytes of ASCII, asked for one by one.
struct ASCIISet: ExpressibleByStringLiteral {
  private var bits: (UInt64, UInt64) = (0, 0)

  init(stringLiteral text: StaticString) {
    for offset in 0..<text.utf8CodeUnitCount {
      let byte = text.utf8Start[offset]
      if byte < 64 { bits.0 |= 1 << UInt64(byte) } else { bits.1 |= 1 << UInt64(byte & 63) }  // fits: a byte
    }
  }

  func contains(_ byte: UInt8) -> Bool {
    if byte < 64 { return bits.0 >> UInt64(byte) & 1 == 1 }  // fits: a byte
    return byte < 128 && bits.1 >> UInt64(byte & 63) & 1 == 1  // fits: a byte
  }
}
