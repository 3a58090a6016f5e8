/// Values behind a name and a sign: `DB_PASSWORD=…`, `"token": "…"`, `Cookie: …`, `<pin>…</pin>`, `?key%3D…`.
extension SecretSearch {
  mutating func findValuesOfNames() {
    var position = 0
    while position < text.count {
      guard let sign = sign(at: position) else {
        position += 1
        continue
      }
      position = sign.upperBound
      guard let name = name(before: sign.lowerBound) else { continue }
      if let end = takeValue(of: name, sign: sign) { position = max(position, end) }
    }
  }

  /// What stands between a name and its value: `=`, `:`, `=>`, `%3D`, `%253a`, `\u003d`, and the `>` of a tag.
  private func sign(at index: Int) -> Range<Int>? {
    switch text[index] {
    case UInt8(ascii: "="), UInt8(ascii: ":"):
      return index..<end(from: index) { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ">") || $0 == UInt8(ascii: ":") }
    case UInt8(ascii: ">"): return index..<index + 1
    case UInt8(ascii: "\\"): return has("\\u003d", at: index) || has("\\u003D", at: index) ? index..<index + 6 : nil
    case UInt8(ascii: "%"):
      var code = index + 1
      while has("25", at: code) { code += 2 }
      guard byte(code) == UInt8(ascii: "3") else { return nil }
      let digit = byte(code + 1) | 0x20
      return digit == UInt8(ascii: "d") || digit == UInt8(ascii: "a") ? index..<code + 2 : nil
    default: return nil
    }
  }

  private static let nameSigns: ASCIISet = "-.%[]"
  private static let nextNameSigns: ASCIISet = "-. []"
  private static let sentenceSigns: ASCIISet = ",.;:)"

  private struct Name {
    let kind: SecretName
    let start: Int
    /// The quote that opens before the name; its value may end at the same one.
    let opening: UInt8?
    let isTag: Bool
    /// Behind a blank, quotes or brackets: the sign does not follow the name at once.
    let end: Int
  }

  private func name(before sign: Int) -> Name? {
    let blank = start(before: sign, reach: 8, while: \.isBlank)
    let end = start(before: blank, reach: 8) { $0.isQuote || $0 == UInt8(ascii: "\\") }
    var first = start(before: end, reach: 96) { byte in
      byte.isWord || byte >= 0x80 || Self.nameSigns.contains(byte)
    }
    // $cfg["password"] = "…"
    if first == end || text[first..<end].allSatisfy({ $0 == UInt8(ascii: "]") }) {
      let inner = start(before: first == end ? end : first, reach: 8) { $0.isQuote || $0 == UInt8(ascii: "]") }
      first = start(before: inner, reach: 96) { $0.isWord || $0 == UInt8(ascii: "-") }
    }
    let isTag = text[sign] == UInt8(ascii: ">")
    guard first < end, !isTag || (end == sign && byte(first - 1) == UInt8(ascii: "<")) else { return nil }
    let name = Self.lastName(in: text[first..<end])
    guard SecretName.mayBe(name) else { return nil }
    let kind = SecretName(String(decoding: name, as: UTF8.self))
    if case .harmless = kind { return nil }
    let opening = byte(first - 1)
    return Name(
      kind: kind, start: first, opening: opening.isQuote && end == sign ? opening : nil, isTag: isTag, end: end)
  }

  /// `user%5Bpass%5D[]` is pass: percent signs decoded, what is no ASCII left out, of brackets the last that has a name.
  private static func lastName(in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var name = bytes
    if bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 >= 0x80 }) {
      var decoded: [UInt8] = []
      for byte in bytes where byte < 0x80 {
        decoded.append(byte)
        // Decoded again where it was encoded again: %2570 is p.
        while let value = percentDecoded(decoded.suffix(3)) {
          decoded.removeLast(3)
          decoded.append(value)
        }
      }
      name = decoded[...]
    }
    var end = name.endIndex
    while end > name.startIndex {
      let start = name[..<end].lastIndex { !$0.isWord && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") }
      let part = name[(start.map { $0 + 1 } ?? name.startIndex)..<end]
      if part.contains(where: \.isLetter) { return part }
      end = start ?? name.startIndex
    }
    return []
  }

  /// What `%70` stands for.
  private static func percentDecoded(_ bytes: ArraySlice<UInt8>) -> UInt8? {
    guard bytes.count == 3, bytes.first == UInt8(ascii: "%"), bytes.dropFirst().allSatisfy(\.isHex) else { return nil }
    return bytes.dropFirst().reduce(0) { $0 << 4 | ($1.isDigit ? $1 & 15 : ($1 & 15) + 9) }
  }

  /// Marks the value, if it is one to leave out, and gives its end.
  private mutating func takeValue(of name: Name, sign: Range<Int>) -> Int? {
    var start = end(from: sign.upperBound, while: \.isBlank)
    let isAssigned = start == sign.upperBound || text[sign.lowerBound] != UInt8(ascii: ":")
    if has("//", at: start), text[sign.lowerBound] == UInt8(ascii: ":") { return nil }
    let isList = byte(start) == UInt8(ascii: "[")
    if isList { start = end(from: start + 1, while: \.isBlank) }
    if case .header = name.kind, start > sign.lowerBound { return takeHeader(at: start, name, isList: isList) }
    let quoted = quoted(at: start)
    let value = quoted ?? plainValue(at: start, name, isColon: !isAssigned)
    guard !value.isEmpty else { return nil }
    let look = SecretValue(text[value])
    if look.isPlaceholder { return nil }
    if text[sign.lowerBound] == UInt8(ascii: ":"), quoted == nil, isPort(value, name, sign) { return nil }
    // What is longer than 512 bytes is no state and no word of a sentence.
    let isSecret =
      switch name.kind {
      case .header: true
      case .always: !(quoted == nil && look.saysState) && !isFolder(value, name)
      case .unlessProse: !look.saysState && !isProse(value, quoted == nil && !isAssigned) && !look.isPath
      case .ifRandom(let kind): look.isRandom(kind)
      case .harmless: false
      }
    guard isSecret || value.count > 512 else { return nil }
    let whole = isList && quoted != nil ? list(from: value) : value
    add(whole)
    return whole.upperBound
  }

  /// From a list's first value, in quotes, to the last one's closing quote.
  private func list(from first: Range<Int>) -> Range<Int> {
    var end = end(from: first.upperBound) { $0 != UInt8(ascii: "]") && !$0.isLineEnd }
    while end > first.upperBound, !text[end - 1].isQuote { end -= 1 }
    if end > first.upperBound { end -= 1 }
    while end > first.upperBound, text[end - 1] == UInt8(ascii: "\\") { end -= 1 }
    return first.lowerBound..<end
  }

  /// An unquoted value ends at a blank, a quote, a bracket of a tag, or where the next name with a value follows. Of
  /// `name: value` that begins a line it is the rest of the line, as YAML has it.
  private func plainValue(at start: Int, _ name: Name, isColon: Bool) -> Range<Int> {
    if name.isTag { return start..<end(from: start) { $0 != UInt8(ascii: "<") && !$0.isLineEnd } }
    let before = self.start(before: name.start, reach: 64) { $0.isBlank || $0 == UInt8(ascii: "-") || $0.isQuote }
    let isWholeLine: Bool =
      if case .always = name.kind { isColon && (before == 0 || byte(before - 1).isLineEnd) } else { false }
    var position = has("${", at: start) ? end(from: start) { $0 != UInt8(ascii: "}") && !$0.isLineEnd } : start
    while position < text.count {
      let byte = text[position]
      if byte.isLineEnd || (name.opening != nil && byte == name.opening) { break }
      if byte.isBlank, !isWholeLine || self.byte(position + 1) == UInt8(ascii: "#") { break }
      if !isWholeLine, byte.isQuote || byte == UInt8(ascii: "<") { break }
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "&")
        || byte == UInt8(ascii: "}") && !has("${", at: start) || byte == UInt8(ascii: ")"),
        isEndOfPair(position)
      {
        break
      }
      if byte == UInt8(ascii: "%"), has("%26", at: position) { break }
      if byte == UInt8(ascii: "\\"), has("\\u0026", at: position) || self.byte(position + 1).isQuote { break }
      position += 1
    }
    return start..<position
  }

  /// True where a pair's value ends with a separator: the text ends, a blank follows, or another name with its sign.
  private func isEndOfPair(_ index: Int) -> Bool {
    let next = end(from: index + 1) { $0.isBlank || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "}") }
    if next > index + 1 || next == text.count || text[next].isLineEnd { return true }
    let limit = min(next + 40, text.count)
    var position = next
    while position < limit, text[position].isWord || Self.nextNameSigns.contains(text[position]) { position += 1 }
    return position > next && (byte(position) == UInt8(ascii: "=") || byte(position) == UInt8(ascii: ":"))
  }

  /// `token:8080`, `http://session:3000/`: a host called so, and its port.
  private func isPort(_ value: Range<Int>, _ name: Name, _ sign: Range<Int>) -> Bool {
    guard value.lowerBound == sign.upperBound, sign.count == 1, name.end == sign.lowerBound else { return false }
    let digits = end(from: value.lowerBound, while: \.isDigit)
    guard (1...5).contains(digits - value.lowerBound), !byte(digits).isWord else { return false }
    if byte(digits) == UInt8(ascii: "@") { return false }
    if case .always = name.kind { return has("//", at: name.start - 2) || byte(digits) == UInt8(ascii: "/") }
    return true
  }

  /// `PWD=/srv`, which every shell has.
  private func isFolder(_ value: Range<Int>, _ name: Name) -> Bool {
    text[value.lowerBound] == UInt8(ascii: "/") && has("PWD", at: name.end - 3)
  }

  /// A lower-case word with more of a sentence behind it.
  private func isProse(_ value: Range<Int>, _ mayBe: Bool) -> Bool {
    guard mayBe else { return false }
    let word = end(from: value.lowerBound, while: \.isLower)
    let rest = end(from: word) { $0.isBlank }
    let isWord =
      word > value.lowerBound && (byte(word).isBlank || word == text.count || Self.sentenceSigns.contains(byte(word)))
    return isWord
      && (rest < text.count && rest > word && (byte(rest).isLetter || byte(rest) == UInt8(ascii: "("))
        || SecretValue(text[value.lowerBound..<word]).saysState)
  }

  /// Of `Authorization` and `Cookie` all that belongs to the header: to the quote that opened before its name or its
  /// value, else to the end of the line, or to the next part of a proxy's log line (`, client: …`). A known scheme
  /// stays.
  private mutating func takeHeader(at start: Int, _ name: Name, isList: Bool) -> Int? {
    var value: Range<Int>
    if let quoted = quoted(at: start) {
      value = quoted
      if isList { value = list(from: quoted) }
    } else {
      var position = start
      while position < text.count, !text[position].isLineEnd, name.opening == nil || text[position] != name.opening {
        if has(", ", at: position) {
          let word = end(from: position + 2, while: \.isLower)
          if word > position + 2, has(": ", at: word) { break }
        }
        position += 1
      }
      value = start..<position
    }
    let word = end(from: value.lowerBound) { !$0.isBlank && !$0.isQuote }
    let look = SecretValue(text[value.lowerBound..<min(word, value.upperBound)])
    if look.isPlaceholder, value.count == look.bytes.count { return nil }
    if look.bytes.first == UInt8(ascii: "$") || (look.saysState && !Self.isScheme(look.bytes)) { return nil }
    if isProse(value, true), !Self.isScheme(look.bytes) { return nil }
    if Self.isScheme(look.bytes), word < value.upperBound {
      value = end(from: word, while: \.isBlank)..<value.upperBound
    }
    guard !value.isEmpty else { return nil }
    add(value)
    return value.upperBound
  }

  /// The name of a way to log in: `Bearer`, `Digest`.
  static func isScheme(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.count <= 16 && schemes.contains(String(decoding: bytes.map { $0 | 0x20 }, as: UTF8.self))
  }

  private static let schemes: Set<String> = [
    "bearer", "basic", "digest", "token", "apikey", "negotiate", "ntlm", "hawk", "aws4-hmac-sha256", "key", "jwt",
    "oauth",
    "signature", "privatetoken", "dpop", "scram-sha-256",
  ]
}
