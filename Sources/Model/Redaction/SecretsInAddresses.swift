/// Addresses: the name and password before a host, the values of a query, secret parts of a path, mail addresses.
extension SecretSearch {
  mutating func findInAddresses() {
    var position = 0
    // Where the word begins that `position` is in, and its first colon.
    var start = 0
    var colon: Int?
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: ":"), colon == nil { colon = position }
      switch byte {
      case UInt8(ascii: "/"):
        if has("//", at: position), self.byte(position + 2) != UInt8(ascii: "/") { takeUser(at: position + 2) }
        takePathPart(at: position + 1)
      case UInt8(ascii: "@"): takeBefore(at: position, start, colon)
      case UInt8(ascii: "?"), UInt8(ascii: "#"): position = takeQuery(at: position)
      default: break
      }
      if Self.endsAddress(byte) || Self.wordStarts.contains(byte) { (start, colon) = (position + 1, nil) }
      position += 1
    }
    takeHooks()
  }

  private static let addressEnds: ASCIISet = " \t\n\r\"'`<>|\\"
  private static let hostEnds: ASCIISet = "/?#"
  private static let nameSigns: ASCIISet = "-.[]%"
  private static let pathSigns: ASCIISet = "-.~%=+:"
  private static let afterValue: ASCIISet = ",;.)"
  private static let wordStarts: ASCIISet = "/(=,;[{"

  private static func endsAddress(_ byte: UInt8) -> Bool {
    addressEnds.contains(byte)
  }

  /// `//user:password@`, `//token@`; also with a slash or a question mark in the password.
  private mutating func takeUser(at start: Int) {
    let authority = end(from: start) { !Self.endsAddress($0) && !Self.hostEnds.contains($0) }
    if let at = text[start..<authority].lastIndex(of: UInt8(ascii: "@")) { return add(start..<at) }
    guard authority - start < Self.reach, let colon = text[start..<authority].lastIndex(of: UInt8(ascii: ":")),
      byte(authority) != 0, !text[colon + 1..<authority].allSatisfy(\.isDigit)
    else { return }
    let limit = min(authority + Self.reach, text.count)
    var position = authority
    var last: Int?
    while position < limit, !Self.endsAddress(text[position]) {
      if text[position] == UInt8(ascii: "@") { last = position }
      position += 1
    }
    if let last { add(start..<last) }
  }

  /// `user:password@host` without a scheme (`@tcp(…)`, too), and the name of a mail address.
  private mutating func takeBefore(at sign: Int, _ start: Int, _ colon: Int?) {
    guard start < sign, !has("@sha256:", at: sign) else { return }
    let host = min(
      end(from: sign + 1) { $0.isWord || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }, sign + Self.reach)
    if let colon, colon > start, colon + 1 < sign,
      text[start].isLetter || text[start] == UInt8(ascii: "_")
    {
      let isHost = text[sign + 1..<host].contains(UInt8(ascii: ".")) || "(:/".utf8.contains(byte(host))
      if isHost { return add(start..<sign) }
    }
    let labels = text[sign + 1..<host].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard labels.count >= 2, labels.allSatisfy({ !$0.isEmpty }), let top = labels.last, top.count >= 2,
      top.allSatisfy(\.isLetter), !Self.units.contains(String(decoding: top, as: UTF8.self))
    else { return }
    let name = self.start(before: sign, reach: 64) { $0.isWord || ".+-%…".utf8.contains($0) }
    add(name..<sign)
  }

  /// What systemd's units end in: `php-fpm@shop.service` is no mail address.
  private static let units: Set<String> = [
    "service", "socket", "timer", "target", "slice", "mount", "scope", "path", "swap", "conf", "sock",
  ]

  /// The values of a query or a fragment, whatever their names; where it ends.
  private mutating func takeQuery(at mark: Int) -> Int {
    let isInAddress = mark > 0 && (byte(mark - 1).isWord || "/.-]%~…".utf8.contains(byte(mark - 1)))
    guard isInAddress || mark == 0 else { return mark }
    var position = mark + 1
    while position < text.count, !Self.endsAddress(text[position]) {
      let name = end(from: position) { byte in byte.isWord || Self.nameSigns.contains(byte) || byte >= 0x80 }
      let isPair = byte(name) == UInt8(ascii: "=")
      var value = isPair ? name + 1 : position
      let end = end(from: value) { !Self.endsAddress($0) && $0 != UInt8(ascii: "&") && $0 != UInt8(ascii: "#") }
      var last = end
      while last > value, Self.afterValue.contains(text[last - 1]), byte(end) != UInt8(ascii: "&") { last -= 1 }
      if !isPair {
        // A lone word, such as `?wsdl`, says what is asked for. A fragment without values is a place in a page.
        let look = SecretValue(text[value..<last])
        if look.bytes.count < 12, !look.isRandom(.any) || text[mark] == UInt8(ascii: "#") { value = last }
        if text[mark] == UInt8(ascii: "#"), position == mark + 1 { return end }
      }
      add(value..<max(value, last))
      position = end + 1
      if end >= text.count || Self.endsAddress(text[end]) { return end }
    }
    return max(mark, position - 1)
  }

  /// `/reset/TOKEN`: what follows a part that says so, if it is no word.
  private mutating func takePathPart(at start: Int) {
    let word = end(from: start) { $0.isLetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    guard byte(word) == UInt8(ascii: "/"), word - start <= 24,
      Self.secretPlaces.contains(string(start..<word).lowercased())
    else { return }
    let part = end(from: word + 1) { $0.isWord || Self.pathSigns.contains($0) }
    let value = word + 1..<part
    let hasBoth = text[value].contains(where: \.isDigit) || text[value].contains(where: \.isUpper)
    if value.count >= 20 || (value.count >= 6 && hasBoth && !text[value].contains(UInt8(ascii: "."))) { add(value) }
  }

  private static let secretPlaces: Set<String> = [
    "reset", "reset-password", "password-reset", "password", "token", "verify", "verification", "confirm",
    "confirmation",
    "activate", "activation", "invite", "invitation", "magic", "magic-link", "unsubscribe", "key", "secret", "share",
    "session", "auth",
    "apikey", "api-key", "webhook", "webhooks", "hook", "bot",
  ]

  /// Addresses that are a secret themselves: whoever knows one may write there.
  private mutating func takeHooks() {
    for (host, path) in Self.hooks {
      var position = 0
      let first = host.utf8Start[0]
      while let found = text[position...].firstIndex(of: first) {
        position = found + 1
        guard has(host, at: found), !byte(found - 1).isWord else { continue }
        let start = found + host.utf8CodeUnitCount
        guard has(path, at: start) else { continue }
        let secret = start + path.utf8CodeUnitCount
        position = end(from: secret) { !Self.endsAddress($0) && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: ",") }
        add(secret..<position)
      }
    }
  }

  private static let hooks: [(host: StaticString, path: StaticString)] = [
    ("hooks.slack.com", "/"), ("discord.com", "/api/webhooks/"), ("discordapp.com", "/api/webhooks/"),
    ("api.telegram.org", "/bot"), ("hooks.zapier.com", "/"), ("hc-ping.com", "/"), ("outlook.office.com", "/webhook/"),
    ("webhook.office.com", "/"), ("maker.ifttt.com", "/"), ("events.pagerduty.com", "/integration/"),
    ("uptime.betterstack.com", "/api/v1/heartbeat/"),
  ]
}
