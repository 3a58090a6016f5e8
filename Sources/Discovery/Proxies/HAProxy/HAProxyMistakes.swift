import Model
import Routes

extension HAProxy {
  /// What keeps the files from being loaded.
  struct Mistake: Sendable, Equatable {
    let file: String
    let line: Int
    let text: String
    let message: String
    /// The whole line, mended; nil where it cannot be told how.
    let fixed: String?

    init(file: String, line: Int, text: String, message: String, fixed: String? = nil) {
      (self.file, self.line, self.text, self.message, self.fixed) = (
        file, line, text, message, fixed
      )
    }
    init(_ directive: Directive, _ message: String, fixed: String? = nil) {
      self.init(
        file: directive.file, line: directive.line, text: directive.text, message: message,
        fixed: fixed)
    }
  }
}

extension HAProxy.Configuration {
  /// What HAProxy would not load, as far as reading shows it: an open quote, names that are none, missing or taken
  /// twice, a slip of the pen in a word that HAProxy has to know, TLS without a word about verifying.
  ///
  /// What some version of HAProxy knows is none, and so is what modules of others may bring.
  var mistakes: [HAProxy.Mistake] {
    let isVerified = global("ssl-server-verify") != nil
    let mayHaveMore = global("module-load") != nil
    var mistakes = problems.map {
      HAProxy.Mistake(file: $0.file, line: $0.line, text: $0.text, message: $0.message)
    }
    var named: [String: [HAProxy.Section]] = [:]
    for section in sections {
      if section.isProxy, !section.head.mayHold {
        mistakes += section.mistakesOfName(beside: named[section.name] ?? [])
        if let from = section.from, !hasDefaults(from) {
          mistakes.append(
            HAProxy.Mistake(
              section.head,
              "defaults section '\(from)' not found for \(section.kind) '\(section.name)'"))
        }
        named[section.name, default: []].append(section)
      }
      mistakes += mistakesOfLines(section, mayHaveMore: mayHaveMore)
      guard ["backend", "listen"].contains(section.kind), !isVerified else { continue }
      for server in servers(of: section, port: 0)
      where server.isTLS && !server.has("verify") && !server.has("ca-file")
        && !server.directive.mayHold
      {
        mistakes.append(
          HAProxy.Mistake(
            server.directive, "server '\(server.name)' has ssl and neither ca-file nor verify none",
            fixed: server.setting("ssl")?.directive == server.directive ? server.line(adding: "verify none") : nil)
        )
      }
    }
    return mistakes
  }

  private func mistakesOfLines(_ section: HAProxy.Section, mayHaveMore: Bool) -> [HAProxy.Mistake] {
    var mistakes: [HAProxy.Mistake] = []
    var (conditions, servers): (Set<String>, [String: Int]) = ([], [:])
    for directive in section.directives {
      let words = directive.arguments
      defer { if directive.name == "acl" { words.first.map { _ = conditions.insert($0) } } }
      if directive.mayHold { continue }
      if let slip = HAProxy.Slip(of: directive, in: section, mayHaveMore: mayHaveMore) {
        mistakes.append(slip.mistake)
      }
      // What stands in a variable is not known.
      if directive.words.contains(where: \.hasVariable) { continue }
      let isOfProxy = section.isProxy || section.kind == "defaults"
      func note(_ message: String?, fixed: String? = nil) {
        if let message { mistakes.append(HAProxy.Mistake(directive, message, fixed: fixed)) }
      }
      if isOfProxy, !mayHaveMore {
        note(directive.unusable(in: section))
        note(missing(for: directive, in: section))
      }
      switch directive.name {
      case "use_backend", "default_backend":
        let near = words.first.flatMap { backend($0) == nil ? nearestBackend($0) : nil }
        let span = directive.words.count > 1 ? directive.span(directive.words[1]) : nil
        note(
          words.first.flatMap { target(of: section, $0) },
          fixed: near.flatMap { near in span.map { $0.head + near + $0.tail } })
      case "acl":
        note(words.first.flatMap { HAProxy.unusable($0, "acl name") })
        note(HAProxy.unusable(test: Array(words.dropFirst())))
      case "server":
        note(words.first.flatMap { HAProxy.unusable($0, "server name") })
        if section.kind == "frontend" {
          note("'server' not allowed because frontend '\(section.name)' has no backend capability")
        } else if let name = words.first,
          let line = servers.updateValue(directive.line, forKey: name)
        {
          note(
            "backend '\(section.name)', another server named '\(name)' was already defined at line \(line)"
          )
        }
      case "balance":
        let written = directive.words.dropFirst().first
        let name = written.map { String($0.text.prefix { $0 != "(" }) } ?? ""
        guard written != nil, !Self.algorithms.contains(name) else { break }
        let span = written.flatMap { directive.span($0) }
        note(
          "there is no balance algorithm '\(name)'",
          fixed: name.nearest(among: Self.algorithms).flatMap { near in span.map { $0.head + near + $0.tail } })
      case "bind" where section.isProxy:
        if directive.lacksCertificate, section.all("ssl-f-use").isEmpty {
          note("no SSL certificate specified for bind '\(words[0])' (use 'crt')")
        }
        let address = words.first?.split(separator: ",").first {
          !$0.contains { ":@/".contains($0) }
        }
        note(address.map { "'bind' : missing port specification in '\($0)'" })
      default: break
      }
      if Self.conditional.contains(directive.name), isOfProxy {
        note(unusable(conditionOf: directive, knowing: conditions))
        note(words.lazy.compactMap { HAProxy.unusable(format: $0) }.first)
        if words.count > 1, words[0].hasPrefix("set-var(") { note(HAProxy.unusable(HAProxy.Expression(words[1]))) }
      }
    }
    return mistakes
  }

  /// What a line names and no section has; nil if there is nothing.
  private func missing(for directive: HAProxy.Directive, in section: HAProxy.Section) -> String? {
    let words = directive.arguments
    func lacks(_ kind: String, _ name: String) -> Bool { !has(kind, named: name) }
    func value(_ word: String) -> String? {
      words.firstIndex(of: word).flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
    }
    switch directive.name {
    case "server", "server-template":
      guard let server = HAProxy.Server(directive, defaults: [], port: 0), let name = server.value("resolvers"),
        name != "default", lacks("resolvers", name)
      else { return nil }
      return "unable to find required resolvers '\(name)'"
    case "stick-table":
      guard let name = value("peers"), lacks("peers", name) else { return nil }
      return "unable to find sync peers '\(name)'"
    case "use-server":
      guard let name = words.first, !name.contains("%["), section.all("server-template").isEmpty,
        !section.all("server").contains(where: { $0.arguments.first == name })
      else { return nil }
      return "unable to find server '\(name)' referenced in a 'use-server' rule"
    case "http-request" where words.first == "cache-use", "http-response" where words.first == "cache-store":
      guard words.count > 1, lacks("cache", words[1]) else { return nil }
      return "unable to find the cache '\(words[1])'"
    case "stick" where !words.contains("table"):
      return section.all("stick-table").isEmpty ? "unable to find stick-table '\(section.name)'" : nil
    default: break
    }
    let action = words.lazy.first { $0.hasPrefix("track-sc") }
    if let action, section.isProxy {
      let table = value("table") ?? section.name
      if !tables.contains(table), !table.contains("/") {
        return "unable to find table '\(table)' referenced by \(action)"
      }
    }
    if !missingLists.isEmpty, let path = directive.namedLists.first(where: missingLists.contains) {
      return "failed to open pattern file <\(path)>"
    }
    if Self.conditional.contains(directive.name), let word = words.first(where: { $0.hasPrefix("lua.") }), !hasLua {
      return "nothing loads Lua, so '\(word.prefix { $0 != "(" })' is unknown"
    }
    for word in words where word.hasPrefix("http_auth") {
      for call in HAProxy.Expression(word).calls.prefix(1) {
        guard ["http_auth", "http_auth_group"].contains(call.name), let name = call.arguments.first,
          lacks("userlist", name)
        else { continue }
        return "unable to find userlist '\(name)'"
      }
    }
    return nil
  }

  /// Scripts are loaded, which may bring actions, samples and services.
  private var hasLua: Bool { global("lua-load") != nil || global("lua-load-per-thread") != nil }

  /// The backend that a name which none has probably means: the most similar one, or the only one that has it as a part
  /// of its name, or whose name is a part of it.
  private func nearestBackend(_ name: String) -> String? {
    let names = Set(sections.filter { ["backend", "listen"].contains($0.kind) && $0.name.count > 2 }.map(\.name))
    let related = names.filter { $0.contains(name) || name.contains($0) }
    return name.nearest(among: names) ?? (related.count == 1 ? related.first : nil)
  }

  /// Why a section cannot send requests to a backend of that name; nil if it can.
  private func target(of section: HAProxy.Section, _ name: String) -> String? {
    guard !name.contains("%[") else { return nil }
    guard let backend = backend(name) else { return "there is no backend '\(name)'" }
    guard mode(of: section) == "http", mode(of: backend) == "tcp", !backend.head.mayHold,
      section.isProxy,
      [section, backend].allSatisfy({ setting("mode", of: $0)?.mayHold != true })
    else { return nil }
    return "http \(section.kind) '\(section.name)' tries to use incompatible tcp backend '\(name)'"
  }

  /// Source: HAProxy's `balance`, versions 2.0 to 3.2.
  private static let algorithms: Set<String> = [
    "roundrobin", "static-rr", "leastconn", "first", "source", "uri", "url_param", "hdr", "random", "rdp-cookie",
    "hash", "log-hash", "sticky",
  ]

  /// Lines that may end in a condition.
  private static let conditional: Set<String> = [
    "use_backend", "http-request", "http-response", "http-after-response", "redirect",
    "tcp-request", "tcp-response",
    "use-server", "force-persist", "ignore-persist",
  ]

  private func unusable(conditionOf directive: HAProxy.Directive, knowing names: Set<String>)
    -> String?
  {
    guard let condition = HAProxy.Condition(directive.arguments[...]) else { return nil }
    let behind = directive.arguments.drop { $0 != "if" && $0 != "unless" }
    if behind.count(where: { $0.hasSuffix("{") && $0.allSatisfy { "!{".contains($0) } })
      > behind.count(where: { $0 == "}" })
    {
      return "missing closing '}' in condition"
    }
    for (_, test) in condition.alternatives.joined() {
      switch test {
      case .named(let name):
        if !names.contains(name), !Self.isBuiltIn(name) { return "no such ACL : '\(name)'" }
      case .inline(let words):
        if let why = HAProxy.unusable(test: words) { return why }
      }
    }
    return nil
  }

  /// Source: the configuration manual, "Pre-defined ACLs".
  private static func isBuiltIn(_ name: String) -> Bool {
    name.hasPrefix("METH_") || name.hasPrefix("HTTP")
      || ["FALSE", "TRUE", "LOCALHOST", "RDP_COOKIE", "REQ_CONTENT", "WAIT_END"].contains(name)
  }
}

extension HAProxy.Directive {
  /// A listener with TLS and nothing to show. What generates certificates, or goes on without one, needs none.
  fileprivate var lacksCertificate: Bool {
    let words = arguments
    return words.contains("ssl")
      && !["crt", "crt-list", "default-crt", "generate-certificates", "strict-sni", "ech"].contains(
        where: words.contains)
  }
}

extension HAProxy.Section {
  fileprivate var isProxy: Bool { ["frontend", "backend", "listen"].contains(kind) }

  /// The `defaults` section that it names.
  fileprivate var from: String? {
    let words = head.arguments
    return words.firstIndex(of: "from").flatMap {
      words.indices.contains($0 + 1) ? words[$0 + 1] : nil
    }
  }

  /// What is wrong with its name, `others` being the proxies before it that have it, too.
  fileprivate func mistakesOfName(beside others: [HAProxy.Section]) -> [HAProxy.Mistake] {
    guard !head.words.contains(where: \.hasVariable) else { return [] }
    if name.isEmpty { return [HAProxy.Mistake(head, "'\(kind)' expects an <id> argument")] }
    if let why = HAProxy.unusable(name, "'\(kind)' name") { return [HAProxy.Mistake(head, why)] }
    // A frontend and a backend may share one.
    guard let twin = others.first(where: { $0.kind == kind || [kind, $0.kind].contains("listen") })
    else { return [] }
    return [
      HAProxy.Mistake(
        head,
        "\(kind) '\(name)' has the same name as \(twin.kind) '\(name)' declared at \(twin.head.place)"
      )
    ]
  }
}

extension HAProxy {
  /// Why a name cannot be one; nil if it can.
  fileprivate static func unusable(_ name: String, _ what: String) -> String? {
    let wrong = name.unicodeScalars.first { scalar in
      !(scalar.isASCII && scalar.properties.isAlphabetic) && !("0"..."9").contains(scalar)
        && !"-_.:".unicodeScalars.contains(scalar)
    }
    return wrong.map { "character '\($0)' is not permitted in \(what) '\(name)'" }
  }

  /// Why a sample and its values make no test; nil if they do, as far as that is told here.
  fileprivate static func unusable(test words: [String]) -> String? {
    guard let first = words.first else { return nil }
    guard let fetch = Expression(first).calls.first, !first.hasPrefix("(") else {
      return "missing fetch method in ACL expression '\(first)'"
    }
    let expression = Expression(first)
    let calls = expression.calls
    if let why = unusable(expression) { return why }
    let behind = words.drop { $0 != "-m" }.dropFirst()
    if let method = behind.first, !["ip", "bin", "len"].contains(method), Method(method) == nil {
      return "unknown matching method '\(method)' in ACL expression '\(first)'"
    }
    let isRegex = calls.count == 1 && fetch.name.hasSuffix("_reg") || behind.first.map { $0.hasPrefix("reg") } == true
    if isRegex {
      let values = (behind.isEmpty ? words.dropFirst() : behind.dropFirst()).filter { !$0.hasPrefix("-") }
      return words.contains("-f") ? nil : values.lazy.compactMap { unusable(regex: $0) }.first
    }
    guard first == "src" || first == "dst", !words.contains("-m") else { return nil }
    return words.dropFirst().first { !$0.hasPrefix("-") && isNoAddress($0) }
      .map { "'\($0)' is not a valid IPv4 or IPv6 address" }
  }

  /// What of a sample and its converters is unknown; nil if there is nothing.
  fileprivate static func unusable(_ expression: Expression) -> String? {
    func isOpen(_ call: Expression.Call) -> Bool { call.name.hasPrefix("lua.") || call.name.contains("$") }
    if let fetch = expression.calls.first, !Words.fetches.contains(fetch.name), !isOpen(fetch) {
      return "unknown fetch method '\(fetch.name)'"
    }
    let converter = expression.calls.dropFirst().first { !Words.converters.contains($0.name) && !isOpen($0) }
    return converter.map { "unknown converter '\($0.name)'" }
  }

  /// Why a text with `%[…]` in it is none; nil if it can be one.
  fileprivate static func unusable(format text: String) -> String? {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return nil }
    var rest = Substring(text)
    while let start = rest.firstRange(of: "%[") {
      rest = rest[start.upperBound...]
      if rest.hasPrefix("(") {
        return "failed to parse sample expression <\(rest)> : missing fetch method"
      }
      let expression = Expression(String(rest))
      guard expression.rest.first == "]" else {
        return "failed to parse sample expression <\(rest)> : expected ']'"
      }
      if let why = unusable(expression) { return why }
      rest = expression.rest
    }
    return nil
  }

  /// What can be neither an address with or without a mask, nor a name.
  private static func isNoAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let octets = parts[0].split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }  // fits: optional
    let isNumeric = octets.count == 4 && octets.allSatisfy { $0 != nil }
    let mask = parts.count > 1 ? Int(parts[1]) : nil
    return text.contains(",") || isNumeric && octets.contains { $0.map { $0 > 255 } ?? true }
      || mask.map { $0 > (isNumeric ? 32 : 128) } == true
  }
}

/// Words among which a slip of the pen is told by its nearness.
private struct Vocabulary: Sendable {
  let usual: [String]
  let known: Set<String>

  /// `others` are known, too, but nobody means them.
  init(_ usual: [String], others: [String] = []) {
    (self.usual, known) = (usual, Set(usual + others))
  }

  func meant(by word: String) -> String? {
    known.contains(word) ? nil : word.nearest(among: usual, within: 1)
  }
}

extension HAProxy {
  /// A word that HAProxy does not know where it has to know it.
  fileprivate struct Slip {
    let mistake: Mistake

    /// Nil if there is none. `mayHaveMore`: modules were added that bring words of their own.
    init?(of directive: Directive, in section: Section, mayHaveMore: Bool) {
      guard let first = directive.words.first else { return nil }
      func slip(_ word: Word, _ meant: String?, _ message: String) -> Mistake {
        let span = meant == nil ? nil : directive.span(word)
        return Mistake(
          directive, meant.map { "\(message), probably '\($0)'" } ?? message,
          fixed: span.map { $0.head + (meant ?? "") + $0.tail })
      }
      let isNegated = ["no", "default"].contains(first.text) && directive.words.count > 1
      let start = directive.words[isNegated ? 1 : 0]
      if let near = Self.keywords.meant(by: start.text) ?? Self.misplaced(start.text, section, mayHaveMore) {
        let message = "unknown keyword '\(start.text)' in '\(section.kind)' section"
        mistake = slip(start, near.isEmpty ? nil : near, message)
        return
      }
      let words = directive.words.dropFirst(isNegated ? 2 : 1)
      guard let word = words.first, !word.hasVariable, section.isProxy || section.kind == "defaults"
      else { return nil }
      switch start.text {
      case "option":
        guard !Self.options.known.contains(word.text) else { return nil }
        mistake = slip(word, Self.options.meant(by: word.text), "unknown option '\(word.text)'")
      case "mode":
        guard !Self.modes.contains(word.text) else { return nil }
        mistake = slip(
          word, word.text.nearest(among: ["http", "tcp"], within: 1),
          "unknown proxy mode '\(word.text)'")
      case "timeout":
        guard !Self.times.known.contains(word.text) else { return nil }
        mistake = slip(word, Self.times.meant(by: word.text), "'timeout' does not support '\(word.text)'")
      case "server", "bind", "default-server":
        let start = ["server": 3, "bind": 2][first.text] ?? 1
        let known = first.text == "bind" ? Words.bind : Words.server
        let wrong = HAProxy.Server.settings(directive, from: start).first {
          !known.contains($0.name.text) && !(mayHaveMore && Self.settings.meant(by: $0.name.text) == nil)
        }?.name
        guard let wrong, !wrong.hasVariable else { return nil }
        mistake = slip(wrong, Self.settings.meant(by: wrong.text), "unknown keyword '\(wrong.text)'")
      default: return nil
      }
    }

    /// What settings of add-ons, and of what changes from version to version, begin with.
    private static let ofVendors = [
      "51degrees", "deviceatlas", "wurfl", "module", "ot-", "otel", "tune.", "ssl-", "no",
    ]

    /// Empty for a word that no line of the section begins with.
    private static func misplaced(_ word: String, _ section: Section, _ mayHaveMore: Bool) -> String? {
      let isOpen = mayHaveMore || word.contains("$")
      switch section.kind {
      case _ where isOpen: return nil
      case "global":
        return Words.global.contains(word) || ofVendors.contains(where: word.hasPrefix) ? nil : ""
      case "defaults": return Words.proxy.contains(word) ? nil : ""
      default: return !section.isProxy || Words.proxy.contains(word) ? nil : ""
      }
    }

    /// Words at the start of a line.
    private static let keywords = Vocabulary(
      [
        "server", "bind", "mode", "timeout", "option", "balance", "acl", "use_backend",
        "default_backend",
        "http-request", "http-response", "default-server", "http-check", "backend", "frontend",
        "listen", "global",
        "defaults", "stats", "maxconn", "retries", "errorfile", "redirect", "cookie",
      ], others: Array(Words.proxy.union(Words.global)))

    private static let modes: Set<String> = [
      "http", "tcp", "health", "log", "syslog", "spop", "cli", "peers", "haterm",
    ]

    private static let times = Vocabulary(
      [
        "client", "server", "connect", "check", "queue", "http-keep-alive", "http-request", "tunnel",
        "tarpit",
        "client-fin", "server-fin", "client-hs",
      ], others: ["clitimeout", "contimeout", "srvtimeout", "http_keep_alive"])

    /// Behind the address of a server or a listener.
    private static let settings = Vocabulary(
      ["check", "backup", "disabled", "weight", "maxconn", "verify", "resolvers", "alpn", "crt", "accept-proxy"],
      others: Array(Words.server.union(Words.bind)))

    /// Source: the configuration manuals of HAProxy 1.8 to 3.2.
    private static let options = Vocabulary(
      """
      abortonclose accept-invalid-http-request accept-invalid-http-response accept-unsafe-violations-in-http-request
      accept-unsafe-violations-in-http-response allbackups assume-rfc6587-ntf checkcache clitcpka contstats
      disable-h2-upgrade dontlog-normal dontlognull external-check forceclose forwarded forwardfor
      h1-case-adjust-bogus-client h1-case-adjust-bogus-server http-buffer-request http-drop-request-trailers
      http-drop-response-trailers http-ignore-probes http-keep-alive http-no-delay http-pretend-keepalive
      http-restrict-req-hdr-names http-server-close http-tunnel http-use-proxy-header http_proxy httpchk httpclose
      httplog httpslog idle-close-on-response independant-streams independent-streams ldap-check log-health-checks
      log-separate-errors logasap mysql-check nolinger originalto persist pgsql-check prefer-last-server redis-check
      redispatch smtpchk socket-stats splice-auto splice-request splice-response spop-check srvtcpka ssl-hello-chk
      tcp-check tcp-smart-accept tcp-smart-connect tcpka tcplog transparent use-small-buffers
      """.split { $0 == " " || $0 == "\n" }.map(String.init))
  }
}
