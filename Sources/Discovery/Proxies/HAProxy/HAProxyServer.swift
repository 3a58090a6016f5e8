import Model
import Routes

extension HAProxy {
  /// One `server` line, with what `default-server` gives it.
  struct Server: Sendable {
    enum Address: Sendable, Equatable {
      /// A name or an IP address; the port is nil where it is the client's own.
      case network(host: String, port: UInt16?)
      case socket(String)
      /// It has an environment variable in it, or a form that is not known here.
      case unknown
    }

    /// A word after the address, with the one that belongs to it.
    struct Setting: Sendable {
      let directive: Directive
      let name: Word
      let value: Word?
    }

    let directive: Directive
    let name: String
    let address: Address
    let hostSpan: Span?
    let portSpan: Span?
    /// What its address is limited to by a word before it, as in `ipv4@app:3000`.
    let family: Routes.Route.Resolution.Family?
    private let settings: [Setting]

    /// Nil if the line is no `server` line. `defaults` are the `default-server` lines before it.
    init?(_ directive: Directive, defaults: [Directive], port: UInt16) {
      let words = directive.words
      let isTemplate = directive.name == "server-template"
      guard words.count > (isTemplate ? 3 : 2), directive.name == "server" || isTemplate else { return nil }
      self.directive = directive
      name = words[1].text + (isTemplate ? "1" : "")
      let word = words[isTemplate ? 3 : 2]
      let parts = Self.address(word, port)
      let kind = word.text.prefix { $0 != "@" }
      family = kind.hasSuffix("v4") ? .ipv4Only : kind.hasSuffix("v6") ? .ipv6Only : nil
      address = parts.address
      hostSpan = parts.host.flatMap { directive.span(word, $0) }
      portSpan = parts.port.flatMap { directive.span(word, $0) }
      settings =
        defaults.flatMap { Self.settings($0, from: 1) } + Self.settings(directive, from: isTemplate ? 4 : 3)
    }

    /// Words of `server` and `bind` lines that stand before a value of their own. Source: the configuration manual,
    /// sections 5.1 and 5.2.
    static let withValue: Set<String> = [
      "accept-netscaler-cip", "addr", "agent-addr", "agent-inter", "agent-port", "agent-send", "alpn", "backlog",
      "ca-file", "ca-ignore-err", "ca-sign-file", "ca-sign-pass", "ca-verify-file", "cc", "check-alpn",
      "check-pool-conn-name", "check-proto", "check-sni", "ciphers", "ciphersuites", "client-sigalgs", "cookie",
      "crl-file", "crt", "crt-ignore-err", "crt-list", "curves", "default-crt", "downinter", "ecdhe", "ech",
      "error-limit", "expose-fd", "fall", "fastinter", "gid", "group", "guid", "guid-prefix", "hash-key",
      "healthcheck", "id", "idle-ping", "init-addr", "init-state", "inter", "interface", "ktls", "label", "level",
      "log-bufsize", "log-proto", "max-reuse", "maxconn", "maxqueue", "minconn", "mode", "mss", "name", "namespace",
      "nbconn", "nice", "npn", "observe", "on-error", "on-marked-down", "on-marked-up", "pool-conn-name",
      "pool-low-conn", "pool-max-conn", "pool-purge-delay", "port", "process", "proto", "proxy-v2-options",
      "quic-cc-algo", "quic-socket", "redir", "resolve-net", "resolve-opts", "resolve-prefer", "resolvers", "rise",
      "set-proxy-v2-tlv-fmt", "severity-output", "shard", "shards", "sigalgs", "slowstart", "sni", "socks4", "source",
      "ssl-max-ver", "ssl-min-ver", "tcp-md5sig", "tcp-ss", "tcp-ut", "thread", "tls-ticket-keys", "track", "uid",
      "user", "usesrc", "verify", "verifyhost", "weight", "ws",
    ]

    /// The words of a line from one on, each with its value.
    static func settings(_ directive: Directive, from start: Int) -> [Setting] {
      var settings: [Setting] = []
      var index = start
      while index < directive.words.count {
        let word = directive.words[index]
        let value =
          withValue.contains(word.text) && index + 1 < directive.words.count ? directive.words[index + 1] : nil
        settings.append(Setting(directive: directive, name: word, value: value))
        index += value == nil ? 1 : 2
      }
      return settings
    }

    /// Host and port with their places in the word: `app:3000`, `[::1]:80`, `ipv4@app:+100`, `unix@/run/app.sock`.
    private static func address(_ word: Word, _ listening: UInt16) -> (
      address: Address, host: Range<Int>?, port: Range<Int>?
    ) {
      if word.hasVariable { return (.unknown, nil, nil) }
      var (text, start) = (word.text, 0)
      for family in ["ipv4@", "ipv6@", "tcp4@", "tcp6@", "tcp@", "stream+ipv4@", "stream+ipv6@"]
      where text.hasPrefix(family) {
        text.removeFirst(family.count)
        start = family.count
      }
      for family in ["unix@", "stream+unix@"] where text.hasPrefix(family) {
        return (.socket(String(text.dropFirst(family.count))), nil, nil)
      }
      if text.hasPrefix("/") { return (.socket(text), nil, nil) }
      guard !text.contains("@") else { return (.unknown, nil, nil) }
      // Only the last colon can be a port's, and an IPv6 address in brackets ends with one.
      guard let colon = text.lastIndex(of: ":"), text.last != "]" else {
        return (.network(host: text.trimmedBrackets, port: nil), start..<start + text.utf8.count, nil)
      }
      let number = text[text.index(after: colon)...]
      let hostLength = text[..<colon].utf8.count
      let host = String(text[..<colon]).trimmedBrackets
      if number.hasPrefix("+") || number.hasPrefix("-") {
        let port = Int(number).flatMap { UInt16(exactly: Int(listening).addingReportingOverflow($0).partialValue) }
        return (port.map { .network(host: host, port: $0) } ?? .unknown, start..<start + hostLength, nil)
      }
      guard let port = UInt16(number) else { return (.unknown, nil, nil) }
      return (
        .network(host: host, port: port == 0 ? nil : port), start..<start + hostLength,
        start + hostLength + 1..<start + text.utf8.count
      )
    }

    /// The last line that names it counts; `no-NAME` takes it back.
    func setting(_ name: String) -> Setting? {
      let last = settings.last { $0.name.text == name || $0.name.text == "no-" + name }
      return last?.name.text == name ? last : nil
    }
    func has(_ name: String) -> Bool { setting(name) != nil }
    func value(_ name: String) -> String? { setting(name)?.value?.text }
    func span(_ name: String) -> Span? {
      setting(name).flatMap { setting in setting.value.flatMap { setting.directive.span($0) } }
    }

    var isTLS: Bool { has("ssl") }

    /// The `server` line without its words about TLS to the app; nil where they are written elsewhere.
    var plainLine: String? {
      line(
        without: "ssl",
        and: [
          "verify", "ca-file", "sni", "alpn", "verifyhost", "crt", "check-ssl", "check-sni", "check-alpn",
          "ciphers", "ciphersuites", "ssl-min-ver", "ssl-max-ver", "crl-file", "curves", "sigalgs",
        ])
    }

    /// The `server` line without a word, others and what belongs to them; nil where the first is written elsewhere.
    func line(without name: String, and others: Set<String> = []) -> String? {
      guard setting(name)?.directive == directive else { return nil }
      let names = others.union([name])
      var bytes = Array(directive.text.utf8)
      for setting in settings.reversed() where setting.directive == directive && names.contains(setting.name.text) {
        let end = setting.value?.columns.upperBound ?? setting.name.columns.upperBound
        var start = setting.name.columns.lowerBound
        while start > 0, bytes[start - 1] == UInt8(ascii: " ") || bytes[start - 1] == UInt8(ascii: "\t") { start -= 1 }
        bytes.removeSubrange(start..<end)
      }
      return String(decoding: bytes, as: UTF8.self)
    }

    /// The `server` line with these words at its end, before a comment.
    func line(adding words: String) -> String {
      let end = directive.words.last?.columns.upperBound ?? directive.text.utf8.count
      let bytes = Array(directive.text.utf8)
      return String(decoding: bytes[..<end], as: UTF8.self) + " " + words
        + String(decoding: bytes[end...], as: UTF8.self)
    }
  }
}
