/// Secrets that are known by their form, whatever stands before them.
extension SecretSearch {
  /// How a key or token of one kind begins, and how many of its bytes follow at least.
  private struct Form {
    let prefix: StaticString
    let least: Int
    var more: StaticString = "_-"
    var isUpper = false
  }

  private static let forms: [Form] = [
    // GitHub, GitLab
    Form(prefix: "ghp_", least: 6), Form(prefix: "gho_", least: 6), Form(prefix: "ghu_", least: 6),
    Form(prefix: "ghs_", least: 6), Form(prefix: "ghr_", least: 6), Form(prefix: "github_pat_", least: 6),
    Form(prefix: "glpat-", least: 6, more: "_-."), Form(prefix: "gldt-", least: 6), Form(prefix: "glrt-", least: 6),
    Form(prefix: "glcbt-", least: 6), Form(prefix: "GR1348941", least: 10),
    // Slack
    Form(prefix: "xoxa-", least: 6), Form(prefix: "xoxb-", least: 6), Form(prefix: "xoxp-", least: 6),
    Form(prefix: "xoxo-", least: 6), Form(prefix: "xoxr-", least: 6), Form(prefix: "xoxs-", least: 6),
    Form(prefix: "xapp-", least: 6), Form(prefix: "xoxe.", least: 6, more: "_-."),
    // Stripe
    Form(prefix: "sk_live_", least: 6), Form(prefix: "sk_test_", least: 6), Form(prefix: "rk_live_", least: 6),
    Form(prefix: "rk_test_", least: 6), Form(prefix: "pk_live_", least: 6), Form(prefix: "whsec_", least: 6),
    // Amazon
    Form(prefix: "AKIA", least: 12, more: "", isUpper: true), Form(prefix: "ASIA", least: 12, more: "", isUpper: true),
    // Google
    Form(prefix: "AIza", least: 20), Form(prefix: "ya29.", least: 10, more: "_-."), Form(prefix: "GOCSPX-", least: 10),
    Form(prefix: "1//0", least: 20),
    // Others
    Form(prefix: "SG.", least: 12, more: "_-."), Form(prefix: "npm_", least: 12), Form(prefix: "pypi-", least: 20),
    Form(prefix: "rubygems_", least: 20), Form(prefix: "dckr_pat_", least: 6), Form(prefix: "dop_v1_", least: 10),
    Form(prefix: "doo_v1_", least: 10), Form(prefix: "hvs.", least: 12), Form(prefix: "hvb.", least: 12),
    Form(prefix: "sk-ant-", least: 6), Form(prefix: "sk-proj-", least: 6), Form(prefix: "sk-or-", least: 6),
    Form(prefix: "sk-", least: 32), Form(prefix: "hf_", least: 20), Form(prefix: "gsk_", least: 20),
    Form(prefix: "glsa_", least: 10), Form(prefix: "glc_", least: 20), Form(prefix: "lin_api_", least: 10),
    Form(prefix: "shpat_", least: 10), Form(prefix: "shpss_", least: 10), Form(prefix: "shpca_", least: 10),
    Form(prefix: "tskey-", least: 10), Form(prefix: "ATATT3", least: 10, more: "_-="),
    Form(prefix: "sq0csp-", least: 10),
    Form(prefix: "sq0atp-", least: 10), Form(prefix: "EAACEdEose0cBA", least: 0), Form(prefix: "PMAK-", least: 10),
    Form(prefix: "NRAK-", least: 10), Form(prefix: "dapi", least: 32), Form(prefix: "AGE-SECRET-KEY-1", least: 10),
    Form(prefix: "cf-", least: 37), Form(prefix: "pat-na1-", least: 10),
    Form(prefix: "sntrys_", least: 10, more: "_-=+/"),
    Form(prefix: "phx_", least: 20), Form(prefix: "rnd_", least: 20), Form(prefix: "re_", least: 20),
    Form(prefix: "key-", least: 32),
    Form(prefix: "xkeysib-", least: 20), Form(prefix: "eyJ", least: 12, more: "_-.="),
  ]

  private static let byFirst = Dictionary(grouping: forms) { $0.prefix.utf8Start[0] }

  mutating func findKnownForms() {
    var position = 0
    var previous: UInt8 = 0
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: "-"), has("-----BEGIN ", at: position) {
        position = takeKey(at: position)
      } else if byte == UInt8(ascii: "$") || byte == UInt8(ascii: "{"), let hash = hash(at: position) {
        add(hash)
        position = hash.upperBound
      } else if !previous.isWord, let forms = Self.byFirst[byte], let token = token(at: position, forms) {
        add(token)
        position = token.upperBound
      } else if byte.isLower, !previous.isWord, let hash = namedHash(at: position) {
        add(hash)
        position = hash.upperBound
      } else {
        position += 1
      }
      previous = self.byte(position - 1)
    }
  }

  private func token(at start: Int, _ forms: [Form]) -> Range<Int>? {
    for form in forms where has(form.prefix, at: start) {
      let body = start + form.prefix.utf8CodeUnitCount
      let more = UnsafeBufferPointer(start: form.more.utf8Start, count: form.more.utf8CodeUnitCount)
      let end = end(from: body) {
        form.isUpper ? $0.isUpper || $0.isDigit : $0.isLetter || $0.isDigit || more.contains($0)
      }
      if end - body >= form.least { return start..<end }
    }
    return nil
  }

  /// Hashes of passwords as crypt and htpasswd write them, also with the dollars doubled for Compose.
  private func hash(at start: Int) -> Range<Int>? {
    let isBody = { (byte: UInt8) in !Self.hashEnds.contains(byte) }
    for prefix: StaticString in [
      "{SHA}", "{SSHA}", "{CRYPT}", "{BLF-CRYPT}", "{SHA256}", "{SHA512}", "{SSHA512}", "{PBKDF2}",
    ] where has(prefix, at: start) {
      return start..<end(from: start, while: isBody)
    }
    let body = byte(start + 1) == UInt8(ascii: "$") ? start + 2 : start + 1
    let kind = end(from: body) { $0.isWord || $0 == UInt8(ascii: "-") }
    guard kind > body, kind - body < 16, byte(kind) == UInt8(ascii: "$"), Self.hashKinds.contains(string(body..<kind))
    else { return nil }
    let isArgon = has("argon2", at: body)
    let end = end(from: body) { isBody($0) || (isArgon && $0 == UInt8(ascii: ",")) }
    // `$1$2` is what a rewrite rule writes.
    return end - kind >= 8 || kind - body > 1 ? start..<end : nil
  }

  private static let hashEnds: ASCIISet = " \t\n\r\"'`,:;<>"
  private static let hashKinds: Set<String> = [
    "apr1", "1", "2", "2a", "2b", "2x", "2y", "5", "6", "7", "y", "gy", "argon2i", "argon2d", "argon2id", "scrypt",
    "pbkdf2",
    "pbkdf2-sha256", "pbkdf2-sha512", "bcrypt", "sha1", "md5", "P", "H", "S",
  ]

  /// As Django and Werkzeug write them: `pbkdf2_sha256$260000$…`.
  private func namedHash(at start: Int) -> Range<Int>? {
    guard has("pbkdf2", at: start) || has("scrypt:", at: start) || has("bcrypt", at: start) || has("argon2", at: start)
    else { return nil }
    let end = end(from: start) { !$0.isBlank && !$0.isLineEnd && !$0.isQuote && $0 != UInt8(ascii: ",") }
    return text[start..<end].count { $0 == UInt8(ascii: "$") } >= 2 ? start..<end : nil
  }

  /// A private key between its lines, or to the end; the end of what was looked at.
  private mutating func takeKey(at start: Int) -> Int {
    let kind = end(from: start + 11) { $0.isUpper || $0.isDigit || $0.isBlank }
    guard has("-----", at: kind) else { return start + 5 }
    let label = string(start..<kind)
    guard !label.contains("CERTIFICATE"), !label.contains("PUBLIC") else { return kind + 5 }
    var position = kind + 5
    while position < text.count, !(text[position] == UInt8(ascii: "-") && has("-----END", at: position)) {
      position += 1
    }
    add(kind + 5..<position)
    return position
  }
}
