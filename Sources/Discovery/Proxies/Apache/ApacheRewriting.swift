import Pattern

/// mod_rewrite's rules of a server, as far as a plain GET decides them.
struct Rewriting {
  enum Ending {
    case goesOn
    /// By the flag P.
    case passed(Traced, Apache.Directive)
    /// A redirect, a refusal, another file.
    case own(Apache.Directive)
    /// A rule with a condition that cannot be judged would decide.
    case unclear(Apache.Directive)
  }

  private let values: [String: String]
  private(set) var path: String

  init(host: String, port: UInt16, path: String, isTLS: Bool) {
    self.path = path
    values = [
      "HTTP_HOST": port == (isTLS ? 443 : 80) ? host : "\(host):\(port)", "SERVER_NAME": host,
      "SERVER_PORT": String(port), "REQUEST_URI": path, "REQUEST_METHOD": "GET", "HTTPS": isTLS ? "on" : "off",
      "REQUEST_SCHEME": isTLS ? "https" : "http", "HTTP:Upgrade": "", "HTTP:Connection": "", "QUERY_STRING": "",
      "HTTP_COOKIE": "", "REMOTE_USER": "",
    ]
  }

  /// Rules of the main server hold for a virtual host only if it asks for them.
  mutating func run(_ server: Apache.Server, _ main: Apache.Server) -> Ending {
    let own = server.directives
    guard own.last("rewriteengine")?.text(0)?.lowercased() == "on" else { return .goesOn }
    let inherits = own.contains {
      $0.key == "rewriteoptions" && $0.arguments.contains { $0.text.lowercased().hasPrefix("inherit") }
    }
    var conditions: [Apache.Directive] = []
    for directive in own + (inherits ? main.directives : []) {
      if directive.key == "rewritecond" { conditions.append(directive) }
      guard directive.key == "rewriterule", directive.arguments.count > 1 else { continue }
      defer { conditions = [] }
      guard let groups = groups(of: directive) else { continue }
      let flags = directive.flags
      let holds = hold(conditions)
      if holds == false { continue }
      let target = directive.arguments[1]
      let leaves = target.text.contains("://") && !target.text.hasPrefix("/")
      let isPassed = flags.contains("P") || flags.contains("PROXY")
      if holds == nil {
        if isPassed || leaves { return .unclear(directive) }
        continue
      }
      if flags.contains("F") || flags.contains("FORBIDDEN") || flags.contains("G") || flags.contains("GONE") {
        return .own(directive)
      }
      if target.text != "-" {
        let url = expanded(target.expanding(groups))
        if isPassed { return .passed(url, directive) }
        if leaves || flags.contains(where: { $0 == "R" || $0.hasPrefix("R=") || $0.hasPrefix("REDIRECT") }) {
          return .own(directive)
        }
        path = String(url.text.prefix { $0 != "?" })
        // Then it is a file, unless another module may map it on.
        if flags.contains("PT") || flags.contains("PASSTHROUGH") { return .goesOn }
        if flags.contains("L") || flags.contains("LAST") || flags.contains("END") { return .own(directive) }
      }
      if flags.contains("L") || flags.contains("LAST") || flags.contains("END") { return .goesOn }
    }
    return .goesOn
  }

  /// The groups of a rule's match; nil if the rule is not about this path.
  private func groups(of rule: Apache.Directive) -> [String?]? {
    let pattern = rule.arguments[0].text
    let isNegated = pattern.hasPrefix("!")
    let isCaseless = rule.flags.contains("NC") || rule.flags.contains("NOCASE")
    guard let regex = try? Pattern(String(pattern.drop { $0 == "!" }), ignoringCase: isCaseless) else { return nil }
    let match = regex.firstMatch(in: path)
    if isNegated { return match == nil ? [] : nil }
    return match?.groups
  }

  /// Whether all conditions hold, those joined with OR as one; nil if that cannot be judged.
  private func hold(_ conditions: [Apache.Directive]) -> Bool? {
    var all: Bool? = true
    var any: Bool? = false
    for condition in conditions {
      let one = holds(condition)
      any = any == true || one == true ? true : any == nil || one == nil ? nil : false
      let flags = condition.flags
      if flags.contains("OR") || flags.contains("ORNEXT") { continue }
      if any == false { return false }
      if any == nil { all = nil }
      any = false
    }
    return all
  }

  private func holds(_ condition: Apache.Directive) -> Bool? {
    guard let text = condition.text(0), let pattern = condition.text(1) else { return nil }
    let value = expanded(Traced(text)).text
    guard !value.contains("%{") else { return nil }
    let isNegated = pattern.hasPrefix("!")
    let test = String(pattern.drop { $0 == "!" })
    // Tests of files and comparisons are not judged.
    if test.hasPrefix("-") { return nil }
    if test.hasPrefix("=") {
      let wanted = test.dropFirst().filter { $0 != "\"" }
      return (value == wanted) != isNegated
    }
    if test.hasPrefix("<") || test.hasPrefix(">") { return nil }
    let isCaseless = condition.flags.contains("NC") || condition.flags.contains("NOCASE")
    guard let regex = try? Pattern(test, ignoringCase: isCaseless) else { return nil }
    return regex.matches(value) != isNegated
  }

  /// `%{NAME}` replaced where the value is known.
  private func expanded(_ text: Traced) -> Traced {
    let bytes = text.bytes
    var result = Traced("")
    var index = 0
    while index < bytes.count {
      if bytes[index...].starts(with: "%{".utf8), let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")),
        let value = values[String(decoding: bytes[(index + 2)..<end], as: UTF8.self)]
      {
        result += Traced(value)
        index = end + 1
      } else {
        result += text[index..<index + 1]
        index += 1
      }
    }
    return result
  }
}

extension Apache.Directive {
  /// The flags of a rule or a condition: `[P,L]`.
  fileprivate var flags: [String] {
    guard let last = arguments.dropFirst(2).last?.text, last.hasPrefix("[") else { return [] }
    return last.dropFirst().dropLast().split(separator: ",").map {
      $0.split(separator: " ").joined().uppercased()
    }
  }
}
