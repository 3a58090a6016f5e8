import Model
import Pattern

/// What a line has to be like for HAProxy to take it: how many words, and of which kind.
///
/// Sources: HAProxy's `src/cfgparse-listen.c`, `http_act.c`, `tcp_rules.c`, `http_rules.c`, `standard.c`.
extension HAProxy.Directive {
  /// Why HAProxy does not take the line in its section; nil if it does, as far as that is told here.
  func unusable(in section: HAProxy.Section) -> String? {
    let words = arguments
    if section.kind == "defaults" {
      if Self.notOfDefaults.contains(name) { return "'\(name)' not allowed in 'defaults' section" }
      if Self.ofNamedDefaults.contains(name), section.name.isEmpty {
        return "'\(name)' not allowed in anonymous 'defaults' section"
      }
    }
    if let known = Self.firstWords[name], let first = words.first, !known.contains(String(first.prefix { $0 != "(" })) {
      return "'\(name)' does not know '\(first)'"
    }
    switch name {
    case "no" where words.first == "option" && words.count > 1 && Self.onlyOn.contains(words[1]):
      return "negation/default is not supported for option '\(words[1])'"
    case "option" where words.first == "forwardfor" && words.count > 1:
      return ["except", "header", "if-none"].contains(words[1])
        ? nil : "'option forwardfor' only supports optional values: 'except', 'header' and 'if-none'"
    case "balance" where words == ["url_param"]: return "'balance url_param' requires an URL parameter name"
    case "stick-table":
      guard let at = words.firstIndex(of: "type"), words.indices.contains(at + 1) else { return nil }
      let types = ["ip", "ipv4", "ipv6", "integer", "string", "binary"]
      return types.contains(words[at + 1]) ? nil : "stick-table: unknown type '\(words[at + 1])'"
    case "cookie" where words.count > 1: return unusable(cookie: words.dropFirst())
    case "default-server": return unusableSettings(from: 1)
    case "server-template" where words.count > 1:
      let ends = words[1].split(separator: "-", omittingEmptySubsequences: false)
      return ends.allSatisfy { Int($0) != nil }
        ? nil : "'server-template' expects a number or a range, not '\(words[1])'"
    case "tcp-response" where section.kind == "frontend":
      return "tcp-response content is only allowed in 'backend' sections or 'defaults' section with a name"
    case "mode", "maxconn", "backlog", "fullconn", "retries", "monitor-uri":
      return tooMany(words, 1)
    case "disabled", "enabled": return tooMany(words, 0)
    case "timeout":
      guard words.count > 1 else { return "'timeout \(words.first ?? "")' expects an integer value" }
      return HAProxy.unusable(time: words[1], "timeout \(words[0])") ?? tooMany(words, 2)
    case "default_backend":
      return words.isEmpty ? "'default_backend' expects a backend name" : tooMany(words, 1)
    case "use_backend":
      return words.isEmpty ? "'use_backend' expects a backend name" : unconditional(words.dropFirst(), "use_backend")
    case "cookie" where words.isEmpty: return "'cookie' expects <cookie_name> as argument"
    case "acl" where words.count < 2: return "missing fetch method in ACL expression"
    case "redirect": return unusable(redirect: words[...])
    case "server": return unusableServer
    case "bind": return words.first.flatMap { unusable(listening: $0) }
    case "http-request", "http-response", "http-after-response": return unusable(rule: words[...], of: name)
    case "tcp-request", "tcp-response":
      guard let kind = words.first else { return "'\(name)' expects an action" }
      if ["inspect-delay", "connection", "session", "content"].contains(kind) {
        return kind == "inspect-delay" ? nil : unusable(rule: words.dropFirst(), of: "\(name) \(kind)")
      }
      return "'\(name)' expects 'inspect-delay', 'connection', 'session' or 'content', but got '\(kind)'"
    default: return nil
    }
  }

  private static let notOfDefaults: Set<String> = [
    "server", "server-template", "bind", "use_backend", "redirect", "use-server", "stick", "stick-table", "dispatch",
  ]
  private static let ofNamedDefaults: Set<String> = [
    "acl", "http-request", "http-response", "http-after-response", "tcp-request", "tcp-response",
  ]

  /// What a line may go on with, where that is one of few words.
  private static let firstWords: [String: Set<String>] = [
    "stats": [
      "enable", "uri", "realm", "auth", "scope", "refresh", "hide-version", "show-version", "show-desc",
      "show-legends", "show-modules", "show-node", "admin", "http-request", "bind-process", "socket", "timeout",
      "maxconn",
    ],
    "capture": ["request", "response", "cookie"],
    "compression": [
      "algo", "type", "offload", "direction", "algo-req", "algo-res", "type-req", "type-res", "minsize-req",
      "minsize-res",
    ],
    "filter": [
      "compression", "comp-req", "comp-res", "trace", "spoe", "cache", "opentracing", "ot", "otel", "opentelemetry",
      "fcgi-app", "bwlim-in", "bwlim-out", "decomp-req", "decomp-res",
    ],
    "hash-type": ["map-based", "consistent"],
    "http-check": [
      "connect", "send", "expect", "comment", "disable-on-404", "send-state", "set-var", "set-var-fmt", "unset-var",
    ],
    "tcp-check": [
      "connect", "send", "send-lf", "send-binary", "send-binary-lf", "expect", "comment", "set-var", "set-var-fmt",
      "unset-var",
    ],
    "http-reuse": ["never", "safe", "aggressive", "always"],
    "load-server-state-from-file": ["global", "local", "none"],
    "retry-on": [
      "none", "conn-failure", "empty-response", "junk-response", "response-timeout", "0rtt-rejected", "401", "403",
      "404", "408", "421", "425", "429", "500", "501", "502", "503", "504", "all-retryable-errors", "receiver-busy",
    ],
  ]

  /// Options that cannot be switched off.
  private static let onlyOn: Set<String> = [
    "httplog", "httpslog", "tcplog", "httpchk", "ssl-hello-chk", "smtpchk", "pgsql-check", "redis-check",
    "mysql-check", "ldap-check", "spop-check", "tcp-check", "external-check",
  ]

  private func unusable(cookie words: ArraySlice<String>) -> String? {
    var rest = words
    while let word = rest.popFirst() {
      switch word {
      case "domain", "maxidle", "maxlife", "attr":
        if rest.popFirst() == nil { return "'\(word)' expects an argument" }
      case "rewrite", "insert", "prefix", "indirect", "nocache", "postonly", "preserve", "httponly", "secure",
        "dynamic",
        "nocache-header":
        continue
      default: return "'cookie' does not know '\(word)'"
      }
    }
    return nil
  }

  private func tooMany(_ words: [String], _ count: Int) -> String? {
    words.count > count ? "'\(name)' cannot handle unexpected argument '\(words[count])'" : nil
  }

  /// Where a condition may stand, nothing else may.
  private func unconditional(_ words: ArraySlice<String>, _ what: String) -> String? {
    guard let first = words.first, first != "if", first != "unless" else { return nil }
    return "'\(what)' expects either 'if' or 'unless' followed by a condition but found '\(first)'"
  }

  // MARK: Addresses

  private var unusableServer: String? {
    guard words.count > 2 else { return "'server' expects <name> and <addr>[:<port>] as arguments" }
    let address = words[2].text
    if let why = Self.unusable(portOf: address, offset: true) { return why }
    return unusableSettings(from: 3)
  }

  /// The few words that a setting of a server may have.
  private static let values: [String: Set<String>] = [
    "verify": ["none", "required"], "observe": ["layer4", "layer7"], "on-marked-down": ["shutdown-sessions"],
    "on-marked-up": ["shutdown-backup-sessions"], "proto": ["h1", "h2", "fcgi", "spop", "rhttp", "none", "quic"],
    "on-error": ["fastinter", "fail-check", "sudden-death", "mark-down"],
  ]

  private func unusableSettings(from start: Int) -> String? {
    for setting in HAProxy.Server.settings(self, from: start) {
      let name = setting.name.text
      guard let value = setting.value?.text else { continue }
      if let known = Self.values[name], !known.contains(value) { return "'\(name)' does not know '\(value)'" }
      switch name {
      case "inter", "fastinter", "downinter", "agent-inter", "slowstart":
        if let why = HAProxy.unusable(time: value, name) { return why }
      case "weight":
        if let weight = Int(value), !(0...256).contains(weight) {
          return "weight of server \(arguments[0]) is not within 0 and 256 (\(weight))"
        }
      case "rise", "fall":
        if let count = Int(value), count <= 0 { return "'\(name)' has to be > 0" }
      default: continue
      }
    }
    return nil
  }

  private func unusable(listening list: String) -> String? {
    list.split(separator: ",").lazy.compactMap { Self.unusable(portOf: String($0), offset: false) }.first
  }

  /// `offset`: a port may be `+100`, and none may be given.
  private static func unusable(portOf address: String, offset: Bool) -> String? {
    guard !address.contains("@"), !address.hasPrefix("/"), let colon = address.lastIndex(of: ":"),
      !address[colon...].contains("]")
    else { return nil }
    let port = address[address.index(after: colon)...]
    let signed = port.hasPrefix("+") || port.hasPrefix("-")
    for number in (offset && signed ? port.dropFirst() : port).split(separator: "-") {
      guard number.allSatisfy({ $0.isASCII && $0.isNumber }) else {
        return "invalid character in port number '\(port)' in '\(address)'"
      }
      if UInt16(number) == nil { return "invalid port '\(number)' in '\(address)'" }
    }
    return nil
  }

  // MARK: Rules

  private func unusable(redirect words: ArraySlice<String>) -> String? {
    var rest = words
    var leads = false
    while let word = rest.popFirst() {
      switch word {
      case "location", "prefix", "scheme":
        guard rest.popFirst() != nil else { return "'\(word)': missing argument" }
        leads = true
      case "code":
        let code = rest.popFirst() ?? ""
        guard ["301", "302", "303", "307", "308"].contains(code) else {
          return "'code': unsupported HTTP code '\(code)' (must be one of 301, 302, 303, 307 or 308)"
        }
      case "set-cookie", "set-cookie-fmt", "clear-cookie", "keep-query", "drop-query", "append-slash", "ignore-empty":
        if word.hasSuffix("cookie") || word.hasSuffix("fmt") { rest = rest.dropFirst() }
      case "if", "unless": return leads ? nil : Self.redirectExpects
      default: return "'redirect' does not know '\(word)'"
      }
    }
    return leads ? nil : Self.redirectExpects
  }

  private static let redirectExpects = "redirection type expected ('prefix', 'location', or 'scheme')"

  /// How many words an action takes, where that is always the same.
  private static let counts: [String: Int] = [
    "set-header": 2, "add-header": 2, "replace-header": 3, "replace-value": 3, "set-path": 1, "set-query": 1,
    "set-uri": 1, "set-pathq": 1, "set-method": 1, "replace-path": 2, "replace-uri": 2, "replace-pathq": 2,
    "set-log-level": 1, "set-nice": 1, "set-tos": 1, "set-mark": 1, "use-service": 1, "allow": 0,
  ]

  private func unusable(rule words: ArraySlice<String>, of what: String) -> String? {
    guard let action = words.first, let known = Self.actions[what] else { return "'\(what)' expects an action" }
    let name = String(action.prefix { $0 != "(" })
    guard known.contains(name) || name.hasPrefix("lua.") || name.hasPrefix("track-sc") else {
      return "'\(what)' does not know the action '\(name)'"
    }
    let rest = words.dropFirst()
    if name == "redirect" { return unusable(redirect: rest) }
    if ["deny", "tarpit", "return"].contains(name), what.hasPrefix("http") {
      return unusable(answer: rest, what, name)
    }
    if name == "replace-path" || name == "replace-uri" || name == "replace-pathq", let regex = rest.first,
      let why = HAProxy.unusable(regex: regex)
    {
      return why
    }
    guard let count = Self.counts[name] else { return nil }
    let own = rest.prefix(count)
    if own.count < count || own.contains(where: { $0 == "if" || $0 == "unless" }) {
      return "'\(what) \(name)' expects \(count) argument\(count == 1 ? "" : "s")"
    }
    return unconditional(rest.dropFirst(count), "\(what) \(name)")
  }

  /// What an answer of its own is made of.
  private func unusable(answer words: ArraySlice<String>, _ what: String, _ action: String) -> String? {
    var rest = words
    while let word = rest.popFirst() {
      switch word {
      case "if", "unless": return nil
      case "default-errorfiles": continue
      case "deny_status", "status":
        guard let status = rest.popFirst(), let number = Int(status), (200...599).contains(number) else {
          return "'\(what) \(action)' expects a status behind '\(word)'"
        }
      case "content-type", "errorfile", "errorfiles", "file", "lf-file", "string", "lf-string": rest = rest.dropFirst()
      case "hdr": rest = rest.dropFirst(2)
      default: return "'\(what) \(action)' expects either 'if' or 'unless' followed by a condition but found '\(word)'"
      }
    }
    return nil
  }

  private static let actions: [String: Set<String>] = [
    "http-request": HAProxy.Words.httpRequest, "http-response": HAProxy.Words.httpResponse,
    "http-after-response": HAProxy.Words.httpAfterResponse, "tcp-request connection": HAProxy.Words.tcpConnection,
    "tcp-request session": HAProxy.Words.tcpSession, "tcp-request content": HAProxy.Words.tcpContent,
    "tcp-response content": HAProxy.Words.tcpResponse,
  ]
}

extension HAProxy {
  /// Why a text is no time; nil if it is one.
  static func unusable(time text: String, _ what: String) -> String? {
    seconds(text) == nil ? "unexpected character in '\(what)': \(text)" : nil
  }

  /// Why a text is no regular expression; nil if it is one.
  static func unusable(regex text: String) -> String? {
    (try? Pattern(text)) == nil ? "regex '\(text)' is invalid" : nil
  }
}
