/// What the name of a value says about it: `DB_PASSWORD`, `refreshToken`, `user[pin]`, `Set-Cookie`.
enum SecretName {
  /// A header whose value goes on to the end: `Authorization`, `Cookie`.
  case header
  /// The value is a secret, whatever it looks like.
  case always
  /// It is one, unless it reads like a sentence: `token: signature is invalid`.
  case unlessProse
  /// It is one if it looks like one: of `key=shop` and `key=x7Rt93`, the second.
  case ifRandom(Random)
  case harmless

  /// What kind of value it would be: a code or a PIN can be digits alone.
  enum Random { case any, code, pin }

  init(_ name: String) {
    let all = Self.parts(of: name)
    var parts = all
    while parts.count > 1, let last = parts.last, Self.additions.contains(last) { parts.removeLast() }
    guard let last = parts.last else {
      self = .harmless
      return
    }
    let before = parts.dropLast().last ?? ""
    self =
      switch last {
      case "authorization", "cookie", "cookies": .header
      case "pass" where Self.notBeforePass.contains(before): .harmless
      case _ where Self.secrets.contains(last): .always
      case "key" where before.isEmpty || Self.plainKeys.contains(before): .ifRandom(.any)
      case "key": .unlessProse
      case "code" where before.isEmpty: .ifRandom(.code)
      case "code" where Self.secretCodes.contains(before): .unlessProse
      case _ where Self.tokens.contains(last): .unlessProse
      case "pin": .ifRandom(.pin)
      case _ where Self.vague.contains(last): .ifRandom(.any)
      case _ where Self.endings.contains(where: last.hasSuffix) && !Self.notPass.contains(last): .always
      default: .harmless
      }
  }

  private static let secrets: Set<String> = [
    "password", "passwd", "pwd", "pass", "passphrase", "passcode", "secret", "otp", "totp", "apikey", "jwt", "sid",
    "csrf",
    "xsrf", "psk", "sessid", "sessionid", "requirepass", "masterauth", "kennwort", "passwort",
  ]
  private static let tokens: Set<String> = [
    "token", "sig", "signature", "credential", "credentials", "cred", "creds", "bearer", "nonce", "assertion",
  ]
  private static let vague: Set<String> = ["auth", "session", "sess", "state", "saml", "salt", "hash", "license"]
  private static let endings = [
    "password", "passwd", "passphrase", "token", "secret", "apikey", "secretkey", "accesskey", "privatekey", "authkey",
    "sessid", "sessionid", "credentials", "pwd", "pass",
  ]
  private static let notPass: Set<String> = ["bypass", "compass", "trespass", "surpass", "encompass", "underpass"]
  private static let notBeforePass: Set<String> = [
    "proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached", "by", "first", "second", "test", "upstream", "auth",
  ]
  private static let plainKeys: Set<String> = [
    "public", "primary", "foreign", "cache", "partition", "sort", "host", "routing", "certificate", "cert", "ssl",
    "tls",
    "hash", "map", "index", "unique", "row", "lookup", "group", "shard", "message", "object", "registry", "config",
    "duplicate", "missing", "unknown", "zone", "limit", "no", "any", "other", "every",
  ]
  private static let secretCodes: Set<String> = [
    "auth", "authorization", "verification", "access", "pass", "pin", "otp", "security", "invite", "reset", "recovery",
    "backup", "device", "login", "sms", "mfa", "confirmation", "activation",
  ]
  /// What may stand behind the word that counts: `password_hash`, `session_id`, `secretKeyBase`.
  private static let additions: Set<String> = [
    "id", "value", "hash", "text", "plain", "raw", "enc", "encrypted", "old", "new", "current", "confirmation",
    "confirm",
    "repeat", "again", "b64", "base64", "hex", "digest", "string", "base", "salt", "data", "header",
  ]

  /// False for most names, at once: none of the stems is in it.
  static func mayBe(_ name: ArraySlice<UInt8>) -> Bool {
    name.indices.contains { index in
      stems[Int(name[index] | 0x20)].contains {  // fits: a byte
        name[index...].prefix($0.count).elementsEqual($0) { $0 | 0x20 == $1 }
      }
    }
  }

  /// What every name of a secret has in it, by its first letter.
  private static let stems: [[[UInt8]]] = {
    var stems: [[[UInt8]]] = Array(repeating: [], count: 256)
    for stem in [
      "pass", "pwd", "secret", "token", "key", "auth", "sess", "sid", "cookie", "cred", "otp", "pin", "code", "sig",
      "jwt",
      "bearer", "csrf", "xsrf", "psk", "state", "saml", "salt", "hash", "nonce", "assertion", "license", "kennwort",
    ] { stems[Int(stem.utf8.first ?? 0)].append(Array(stem.utf8)) }
    return stems
  }()

  /// In lower case, split at signs and at capital letters: `X-apiKey2` is x, api, key.
  private static func parts(of name: String) -> [String] {
    var parts: [[UInt8]] = [[]]
    let bytes = Array(name.utf8)
    for (index, byte) in bytes.enumerated() {
      let next = index + 1 < bytes.count ? bytes[index + 1] : 0
      let last = index > 0 ? bytes[index - 1] : 0
      if !byte.isLetter {
        if !byte.isDigit, !parts[parts.count - 1].isEmpty { parts.append([]) }
        if byte.isDigit, let own = parts.last, !own.isEmpty { parts[parts.count - 1].append(byte) }
        continue
      }
      let startsWord = byte.isUpper && (last.isLower || (last.isUpper && next.isLower))
      if startsWord, !parts[parts.count - 1].isEmpty { parts.append([]) }
      parts[parts.count - 1].append(byte | 0x20)
    }
    return parts.map { part in
      let trimmed = part.reversed().drop(while: \.isDigit).reversed()
      let text = String(decoding: Array(trimmed), as: UTF8.self)
      return text == "b" || text == "base" ? String(decoding: part, as: UTF8.self) : text
    }.filter { !$0.isEmpty }
  }
}

/// How a value looks.
struct SecretValue {
  let bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// Nothing to hide: a placeholder, a mask, or something that has names of its own in it.
  var isPlaceholder: Bool {
    guard let first = bytes.first, let last = bytes.last else { return true }
    if bytes.elementsEqual("…".utf8) || bytes.allSatisfy({ $0 == UInt8(ascii: "*") }) { return true }
    return switch first {
    case UInt8(ascii: "$"):
      bytes.dropFirst().first == UInt8(ascii: "{") && last == UInt8(ascii: "}")
        && bytes.dropFirst(2).dropLast().allSatisfy(\.isWord)
    case UInt8(ascii: "<"): last == UInt8(ascii: ">")
    case UInt8(ascii: "%"): bytes.count == 2
    case UInt8(ascii: "{"): true
    default: false
    }
  }

  /// A lower-case word, as in a sentence.
  var isPlainWord: Bool { bytes.count <= 16 && bytes.allSatisfy(\.isLower) }

  /// Says in what state the thing is, not what it is.
  var saysState: Bool {
    bytes.count <= 16 && Self.states.contains(String(decoding: bytes.map { $0 | 0x20 }, as: UTF8.self))
  }

  private static let states: Set<String> = [
    "invalid", "expired", "missing", "required", "wrong", "failed", "failure", "denied", "incorrect", "null", "nil",
    "none",
    "empty", "true", "false", "not", "unauthorized", "rejected", "error", "unknown", "ok", "yes", "no", "on", "off",
    "is", "was", "are", "has", "does", "the", "a", "an", "and", "or", "must", "cannot", "could", "should", "needed",
    "too", "weak", "correct", "valid", "set",
    "unset", "stored", "sent", "in", "only", "never", "same", "being", "undefined", "authentication", "mismatch",
    "closed", "opened", "active", "enabled", "disabled", "default", "again", "changed", "accepted", "revoked", "from",
    "for", "of", "to", "by", "with", "no such", "string", "basic", "bearer", "digest",
  ]

  /// A file's path.
  var isPath: Bool {
    guard let first = bytes.first, first == UInt8(ascii: "/") || first == UInt8(ascii: ".") else { return false }
    return bytes.dropFirst().contains(UInt8(ascii: "/")) || bytes.contains(UInt8(ascii: "."))
  }

  /// Signs that no word, number, address, time or name of a program has together.
  func isRandom(_ kind: SecretName.Random) -> Bool {
    let digits = bytes.count(where: \.isDigit)
    let hasLower = bytes.contains(where: \.isLower)
    let hasUpper = bytes.contains(where: \.isUpper)
    if digits == bytes.count {
      return switch kind {
      case .any: digits >= 10
      case .code: (6...8).contains(digits)
      case .pin: (4...12).contains(digits)
      }
    }
    if isPath || bytes.contains(where: { $0 == UInt8(ascii: ":") || $0.isBlank }) || bytes.starts(with: "0x".utf8) {
      return false
    }
    if bytes.contains(UInt8(ascii: ".")), bytes.count < 32 { return false }
    // ERR_HTTP2_STREAM_ERROR, oauth2-proxy, 64k, 100ms, E11000
    if !hasLower, bytes.contains(UInt8(ascii: "_")) { return false }
    if !hasUpper, bytes.contains(UInt8(ascii: "-")), digits * 4 < bytes.count { return false }
    let number = bytes.prefix(while: \.isDigit).count
    if number > 0, bytes.count - number <= 2 { return false }
    if bytes.count < 8, bytes.dropFirst().allSatisfy(\.isDigit) { return false }
    let isMixed = digits > 0 && (hasLower || hasUpper) || hasLower && hasUpper
    return isMixed ? bytes.count >= (kind == .code ? 8 : 5) : bytes.count >= 24 && bytes.allSatisfy(\.isLetter)
  }
}
