/// Secrets that logs, addresses and error messages carry along.
extension String {
  /// This text with the values of passwords, tokens and the like left out: `?token=…`, `Authorization: …`, `://user:…@`.
  public var redacted: String {
    guard utf8.contains(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }) else { return self }
    var result = ""
    var rest = self[...]
    while let sign = rest.firstIndex(where: { $0 == "=" || $0 == ":" }) {
      let name = rest[..<sign].reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
      let after = rest.index(after: sign)
      result += rest[..<after]
      rest = rest[after...]
      if Self.isSecret(String(name.reversed()).lowercased()) {
        rest = Self.withoutValue(rest, into: &result)
      } else if rest.hasPrefix("//"), let at = Self.passwordEnd(rest) {
        result += "//…"
        rest = rest[at...]
      }
    }
    return result + rest
  }

  private static let secrets = [
    "password", "passwd", "pwd", "secret", "token", "apikey", "api_key", "api-key", "access_key", "authorization",
    "cookie", "session", "sessionid", "signature", "sig", "jwt", "auth", "bearer",
  ]

  private static func isSecret(_ name: String) -> Bool {
    secrets.contains { name == $0 || name.hasSuffix("_" + $0) || name.hasSuffix("-" + $0) || name.hasPrefix($0 + "_") }
  }

  /// Leaves out a value up to its end: its closing quote, or a blank, `&`, `;` or `,`; of `Bearer VALUE` both words.
  private static func withoutValue(_ text: Substring, into result: inout String) -> Substring {
    var rest = text
    let blanks = rest.prefix { $0 == " " || $0 == "\"" || $0 == "'" }
    result += blanks
    rest = rest[blanks.endIndex...]
    for scheme in ["Bearer ", "Basic ", "bearer ", "basic "] where rest.hasPrefix(scheme) {
      result += scheme
      rest = rest.dropFirst(scheme.count)
    }
    let quote = blanks.last.flatMap { $0 == " " ? nil : $0 }
    let value = rest.prefix { quote == nil ? !" \"'&;,".contains($0) : $0 != quote }
    if !value.isEmpty { result += "…" }
    return rest[value.endIndex...]
  }

  /// Where the `@` of `//user:password@host` stands.
  private static func passwordEnd(_ text: Substring) -> Index? {
    let authority = text.dropFirst(2).prefix { !"/ \"'?#".contains($0) }
    return authority.contains(":") ? authority.lastIndex(of: "@") : nil
  }
}
