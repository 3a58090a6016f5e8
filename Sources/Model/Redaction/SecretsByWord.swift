/// Values behind a word and a blank: `--password …`, `password is …`, `-u name:…`, `Bearer …`, `IDENTIFIED BY '…'`.
extension SecretSearch {
  mutating func findValuesOfWords() {
    let words = words()
    let lower = words.map { string($0).lowercased() }
    let programs = Set(lower.filter { Self.programs.contains($0) })
    for index in words.indices {
      let range = option(in: words[index])
      if text[range.lowerBound] == UInt8(ascii: "-") {
        let word = string(range).lowercased()
        takeOption(word, range, next: index + 1 < words.count ? words[index + 1] : nil, programs)
      } else if index + 1 < words.count {
        takeSentence(at: index, words, lower)
      }
    }
  }

  /// Programs whose short options carry passwords.
  private static let programs: Set<String> = [
    "mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "mariadb-admin", "sshpass", "redis-cli", "curl",
    "wget", "ab",
    "htpasswd", "mongo", "mongosh", "mongodump", "ldapsearch", "smbclient",
  ]

  /// Words without the quotes, brackets and commas around them, so that `["--token", "x"]` has two; a name may have
  /// dots and dashes in it.
  private func words() -> [Range<Int>] {
    var words: [Range<Int>] = []
    var position = 0
    while position < text.count {
      let start = position
      position = end(from: start) { !Self.parts($0) }
      if position > start { words.append(start..<position) }
      position += 1
    }
    return words
  }

  /// A word from its option on: what was put behind the slash of an address, `/--password`, is one, too.
  private func option(in word: Range<Int>) -> Range<Int> {
    let slash = word.dropLast(2).last {
      text[$0] == UInt8(ascii: "/") && text[$0 + 1] == UInt8(ascii: "-") && text[$0 + 2] == UInt8(ascii: "-")
    }
    return slash.map { $0 + 1..<word.upperBound } ?? word
  }

  private static let separators: ASCIISet = " \t\n\r\"'`[](),;{}\\"

  private static func parts(_ byte: UInt8) -> Bool {
    separators.contains(byte)
  }

  /// The value that begins where this word does, in the quotes that open before it.
  private func value(_ word: Range<Int>) -> Range<Int> {
    if byte(word.lowerBound - 1).isQuote, let quoted = quoted(at: word.lowerBound - 1) { return quoted }
    return self.word(at: word.lowerBound)
  }

  private mutating func takeOption(_ word: String, _ range: Range<Int>, next: Range<Int>?, _ programs: Set<String>) {
    let name = end(from: range.lowerBound) { $0 == UInt8(ascii: "-") }
    let dashes = name - range.lowerBound
    if dashes == 1, word.hasPrefix("-p"), range.count > 2 { return takeGlued(name + 1..<range.upperBound, programs) }
    guard let next, text[next.lowerBound] != UInt8(ascii: "-"), !text[range].contains(UInt8(ascii: "=")) else { return }
    if ["-u", "-U", "--user", "--proxy-user"].contains(word), !programs.isEmpty {
      let value = value(next)
      if let colon = text[value].firstIndex(of: UInt8(ascii: ":")) { add(colon + 1..<value.upperBound) }
      return
    }
    if word == "-p" && programs.contains("sshpass") || word == "-a" && programs.contains("redis-cli") {
      return add(value(next))
    }
    guard dashes == 2 || range.count > 3 else { return }
    switch SecretName(string(name..<range.upperBound)) {
    case .header, .always: add(value(next))
    case .unlessProse where !SecretValue(text[value(next)]).isPath: add(value(next))
    case .ifRandom(let kind) where SecretValue(text[value(next)]).isRandom(kind): add(value(next))
    default: break
    }
  }

  /// `-pSECRET`, but not `-p8080:80`, nor `-proto`.
  private mutating func takeGlued(_ value: Range<Int>, _ programs: Set<String>) {
    let bytes = text[value]
    let isMixed = bytes.contains(where: \.isLetter) && bytes.contains { $0.isDigit || $0.isUpper }
    let isPublished = bytes.allSatisfy { $0.isDigit || ":./-".utf8.contains($0) } || bytes.contains(UInt8(ascii: "/"))
    if !programs.isEmpty || (isMixed && !isPublished && !bytes.contains(UInt8(ascii: "="))) { add(value) }
  }

  private mutating func takeSentence(at index: Int, _ words: [Range<Int>], _ lower: [String]) {
    let word = lower[index].utf8.last == UInt8(ascii: ":") ? String(lower[index].dropLast()) : lower[index]
    let next = words[index + 1]
    switch word {
    case "requirepass", "masterauth", "primaryauth": add(value(next))
    case "by" where index > 0 && lower[index - 1] == "identified":
      add(value(lower[index + 1] == "password" && index + 2 < words.count ? words[index + 2] : next))
    case "bearer", "basic": takeCredentials(next, isBasic: word == "basic")
    case _ where Self.saidWords.contains(word):
      // The password (of somebody) is …
      for offset in 1...4 where index + offset + 1 < words.count {
        guard ["is", "was", "are"].contains(lower[index + offset]) else { continue }
        let value = value(words[index + offset + 1])
        let look = SecretValue(text[value])
        let isSaid =
          ["pin", "code", "key", "token"].contains(word) ? look.isRandom(.pin) || look.isRandom(.code) : !look.saysState
        if isSaid, !look.isPlaceholder { add(value) }
        return
      }
      let isPassword = !["pin", "code", "key", "token"].contains(word)
      let isQuoted = byte(next.lowerBound - 1).isQuote && byte(next.lowerBound - 2).isBlank
      let isLogin = index >= 2 && ["login", "user"].contains(lower[index - 2])
      if isPassword, isQuoted || isLogin, !SecretValue(text[next]).saysState { add(value(next)) }
    case _ where index > 0 && Self.setters.contains(lower[index - 1]): takeSetting(words[index], next)
    default: break
    }
  }

  private static let saidWords: Set<String> = [
    "password", "passwd", "passphrase", "pwd", "passcode", "pin", "code", "key", "token", "secret",
  ]

  /// Words of configurations behind which a header or a variable has its value behind a blank.
  private static let setters: Set<String> = [
    "proxy_set_header", "add_header", "more_set_headers", "set-header", "add-header", "header_up", "header_down",
    "header",
    "request_header", "requestheader", "fastcgi_param", "uwsgi_param", "scgi_param", "grpc_set_header", "setenv", "env",
    "set", "define",
  ]

  private mutating func takeSetting(_ name: Range<Int>, _ next: Range<Int>) {
    let value = value(next)
    let look = SecretValue(text[value])
    if look.bytes.first == UInt8(ascii: "$") || look.bytes.starts(with: "%[".utf8) || look.isPlaceholder
      || look.saysState
    {
      return
    }
    if look.isPath { return }
    switch SecretName(string(name)) {
    case .header where value.upperBound == next.upperBound && Self.isScheme(look.bytes):
      // The scheme alone: what follows stands behind an escaped blank.
      add(word(at: end(from: value.upperBound) { $0.isBlank || $0 == UInt8(ascii: "\\") }))

    case .header:
      let scheme = end(from: value.lowerBound) { !$0.isBlank && $0 != UInt8(ascii: "\\") }
      let isScheme = scheme < value.upperBound && Self.isScheme(text[value.lowerBound..<scheme])
      add((isScheme ? scheme + 1 : value.lowerBound)..<value.upperBound)
    case .always, .unlessProse: add(value)
    default: break
    }
  }

  /// What follows `Bearer` or `Basic`, where it is no word of a sentence and no challenge (`realm=…`).
  private mutating func takeCredentials(_ next: Range<Int>, isBasic: Bool) {
    let value = next.lowerBound..<end(from: next.lowerBound) { !Self.parts($0) && $0 != UInt8(ascii: "<") }
    let look = SecretValue(text[value])
    let isChallenge = ["realm", "error", "scope", "charset"].contains { look.bytes.starts(with: $0.utf8) }
    if isChallenge || look.isPlaceholder || look.bytes.first == UInt8(ascii: "$") { return }
    let words: Set<String> = ["token", "tokens", "auth", "authorization", "header", "scheme", "format"]
    if look.saysState || words.contains(string(value).lowercased()) { return }
    if isBasic, !look.isRandom(.any) || look.isPlainWord { return }
    add(value)
  }
}
