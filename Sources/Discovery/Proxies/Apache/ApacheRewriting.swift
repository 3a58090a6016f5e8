import Model
import Pattern

extension Apache {
  /// A request as rules look at it.
  struct Asked: Sendable {
    let host: String
    /// The host with the port that a client names.
    let authority: String
    /// Of `authority`, else the one at which it came in.
    let port: UInt16
    let isTLS: Bool
    /// What the client sent: the path with its query.
    let sent: String
    /// Without the query; another one once httpd has moved the request within itself.
    var path: String
    /// Without its `?`.
    var query: String
    /// Set by the flag E.
    var environment: [String: String] = [:]
    /// How often the request was moved, as by rules of a folder.
    var turn = 0

    init(host: String, authority: String?, port: UInt16, path: String, isTLS: Bool) {
      let usual: UInt16 = isTLS ? 443 : 80
      self.authority = authority ?? (port == usual ? host : "\(host):\(port)")
      (self.host, self.isTLS, sent) = (host, isTLS, path)
      let named = self.authority.utf8.count > host.utf8.count ? self.authority.split(separator: ":").last : nil
      self.port = named.flatMap { UInt16($0) } ?? port
      self.path = String(path.prefix { $0 != "?" })
      query = String(path.drop { $0 != "?" }.dropFirst())
    }
  }
}

/// mod_rewrite's rules of a server or of a folder, as far as a plain GET decides them.
///
/// Source: httpd's `modules/mappers/mod_rewrite.c`.
struct Rewriting {
  enum Ending {
    case goesOn
    /// By the flag P, without its query.
    case passed(Traced, Apache.Directive)
    /// A redirect or a refusal.
    case own(Apache.Directive)
    /// Another path or file, in `subject`; by the flag PT other modules map it on.
    case moved(Apache.Directive, mapsOn: Bool)
    /// A rule with a condition that cannot be judged would decide.
    case unclear(Apache.Directive)
  }

  private(set) var asked: Apache.Asked
  /// What rules are about: the path, or what of a file's name is behind its folder.
  private(set) var subject: String
  /// Where the site's files lie.
  let root: String
  /// What stands before `subject` in the file's name; nil for the rules of a server.
  let folder: String?
  let maps: [String: String]
  /// Whether the environment may have more than what rules set.
  let hasEnvironment: Bool
  let patterns: Apache.Patterns
  /// By the flag END: no rule looks at it any more.
  private(set) var isDone = false

  init(
    _ asked: Apache.Asked, subject: String, root: String, folder: String?, maps: [String: String],
    hasEnvironment: Bool, patterns: Apache.Patterns
  ) {
    (self.asked, self.subject, self.root, self.folder) = (asked, subject, root, folder)
    (self.maps, self.hasEnvironment, self.patterns) = (maps, hasEnvironment, patterns)
  }

  mutating func run(_ directives: [Apache.Directive]) -> Ending {
    var conditions: [Apache.Directive] = []
    var (skipped, isChainBroken) = (0, false)
    var moved: Apache.Directive?
    for directive in directives {
      if directive.key == "rewritecond" { conditions.append(directive) }
      guard directive.key == "rewriterule", directive.arguments.count > 1 else { continue }
      defer { conditions = [] }
      let flags = Flags(directive)
      if skipped > 0 || isChainBroken {
        skipped = max(0, skipped - 1)
        isChainBroken = isChainBroken && flags.has("C", "CHAIN")
        continue
      }
      guard let groups = groups(of: directive, flags) else {
        isChainBroken = flags.has("C", "CHAIN")
        continue
      }
      let (holds, found) = hold(conditions, groups)
      guard holds != false else {
        isChainBroken = flags.has("C", "CHAIN")
        continue
      }
      let target = directive.arguments[1]
      let leaves = target.text.contains("://") && !target.text.hasPrefix("/")
      let isPassed = flags.has("P", "PROXY")
      let isRedirect = flags.has("R", "REDIRECT") || flags.value("R", "REDIRECT") != nil
      if holds == nil {
        if isPassed || leaves || (target.text != "-" && !isRedirect) { return .unclear(directive) }
        continue
      }
      for value in flags.values("E", "ENV") {
        let parts = value.split(separator: ":", maxSplits: 1).map(String.init)
        asked.environment[parts[0]] = parts.count > 1 ? expanded(Traced(parts[1]), groups, found)?.text : ""
      }
      if flags.has("F", "FORBIDDEN", "G", "GONE") { return .own(directive) }
      if target.text != "-" {
        guard var url = expanded(target, groups, found) else { return .unclear(directive) }
        split(&url, flags)
        if isPassed { return .passed(url, directive) }
        if leaves || isRedirect { return .own(directive) }
        (subject, moved) = (local(url.text), directive)
        if flags.has("PT", "PASSTHROUGH") { return .moved(directive, mapsOn: true) }
      } else if isRedirect {
        return .own(directive)
      } else if isPassed {
        return .passed(Traced(subject), directive)
      }
      if flags.has("END") { isDone = true }
      if flags.has("L", "LAST", "END") { break }
      skipped = flags.value("S", "SKIP").flatMap { Int($0) } ?? 0
    }
    return moved.map { .moved($0, mapsOn: false) } ?? .goesOn
  }

  /// A rule's target without its query, which takes the place of the one that was sent or joins it.
  private mutating func split(_ url: inout Traced, _ flags: Flags) {
    if flags.has("QSD", "QSDISCARD") { asked.query = "" }
    guard let mark = url.bytes.firstIndex(of: UInt8(ascii: "?")) else { return }
    let own = url[mark + 1..<url.bytes.count].text
    let isAdded = flags.has("QSA", "QSAPPEND") && !asked.query.isEmpty
    asked.query = isAdded ? "\(own)&\(asked.query)" : own
    url = url[0..<mark]
  }

  /// A path below the site's root where a rule names a file there.
  private func local(_ path: String) -> String {
    guard path.hasPrefix(root + "/") else { return path }
    let rest = String(path.dropFirst(root.count))
    guard let folder, path.hasPrefix(folder) else { return rest }
    return String(path.dropFirst(folder.count))
  }

  /// The groups of a rule's match; nil if the rule is not about this path.
  private func groups(of rule: Apache.Directive, _ flags: Flags) -> [String?]? {
    let pattern = rule.arguments[0].text
    let isNegated = pattern.hasPrefix("!")
    guard let regex = patterns(String(pattern.drop { $0 == "!" }), ignoringCase: flags.has("NC", "NOCASE"))
    else { return nil }
    let match = regex.firstMatch(in: subject)
    if isNegated { return match == nil ? [] : nil }
    return match?.groups
  }

  /// Whether all conditions hold, those joined with OR as one, and the groups of the last that matched; nil if that
  /// cannot be judged.
  private func hold(_ conditions: [Apache.Directive], _ groups: [String?]) -> (holds: Bool?, groups: [String?]) {
    var all: Bool? = true
    var any: Bool? = false
    var found: [String?] = []
    for condition in conditions {
      let flags = Flags(condition)
      if any == true {
        // The rest of what is joined with OR is not looked at.
        if !flags.has("OR", "ORNEXT") { any = false }
        continue
      }
      let one = holds(condition, flags, groups, &found)
      any = one == true ? true : any == nil || one == nil ? nil : false
      if flags.has("OR", "ORNEXT") { continue }
      if any == false { return (false, []) }
      if any == nil { all = nil }
      any = false
    }
    return (all, found)
  }

  private func holds(
    _ condition: Apache.Directive, _ flags: Flags, _ groups: [String?], _ found: inout [String?]
  ) -> Bool? {
    guard let text = condition.arguments.first, let pattern = condition.text(1),
      let value = expanded(text, groups, found)?.text, text.text.lowercased() != "expr"
    else { return nil }
    let isNegated = pattern.hasPrefix("!")
    let test = String(pattern.drop { $0 == "!" })
    let isCaseless = flags.has("NC", "NOCASE")
    if let holds = compared(value, test, isCaseless) { return holds != isNegated }
    if test.hasPrefix("-") && !test.dropFirst().contains(where: { !$0.isLetter }) { return nil }
    guard let regex = patterns(test, ignoringCase: isCaseless) else { return nil }
    let match = regex.firstMatch(in: value)
    if let match, !isNegated { found = match.groups }
    return (match != nil) != isNegated
  }

  /// A test that is no pattern: of a file, of a number, of an order; nil for others.
  private func compared(_ value: String, _ test: String, _ isCaseless: Bool) -> Bool? {
    switch test {
    case "-f", "-s": return value.isScript
    case "-l", "-h", "-L", "-x": return false
    case "-d": return value == root || value == root + "/"
    default: break
    }
    for (sign, holds): (String, (Int, Int) -> Bool) in [
      ("-eq", (==)), ("-ne", (!=)), ("-lt", (<)), ("-le", (<=)), ("-gt", (>)), ("-ge", (>=)),
    ] where test.hasPrefix(sign) {
      guard let other = Int(test.dropFirst(sign.count)) else { return nil }
      return holds(Int(value) ?? 0, other)
    }
    for sign in ["<=", ">=", "<", ">", "="] where test.hasPrefix(sign) {
      let wanted = test.dropFirst(sign.count).filter { $0 != "\"" }
      let (left, right) = isCaseless ? (value.lowercased(), wanted.lowercased()) : (value, wanted)
      switch sign {
      case "<=": return left <= right
      case ">=": return left >= right
      case "<": return left < right
      case ">": return left > right
      default: return left == right
      }
    }
    return nil
  }

  /// A text with `$1` of the rule, `%1` of the last condition, `%{NAME}` and `${map:key}`; nil if one is not known.
  private func expanded(_ text: Traced, _ rule: [String?], _ condition: [String?]) -> Traced? {
    let bytes = text.bytes
    var result = Traced("")
    var index = 0
    func group(_ groups: [String?], _ digit: UInt8) -> Traced {
      let number = Int(digit - UInt8(ascii: "0"))
      return Traced(groups.indices.contains(number) ? groups[number] ?? "" : "")
    }
    while index < bytes.count {
      let (byte, next) = (bytes[index], index + 1 < bytes.count ? bytes[index + 1] : 0)
      let isSign = byte == UInt8(ascii: "$") || byte == UInt8(ascii: "%")
      if byte == UInt8(ascii: "\\"), next != 0 {
        result += text[index + 1..<index + 2]
        index += 2
      } else if isSign, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) {
        result += group(byte == UInt8(ascii: "$") ? rule : condition, next)
        index += 2
      } else if isSign, next == UInt8(ascii: "{"), let end = Self.close(bytes, from: index + 2) {
        let inner = text[index + 2..<end]
        let isVariable = byte == UInt8(ascii: "%")
        guard
          let value = isVariable ? value(of: inner.text).map({ Traced($0) }) : mapped(inner, rule, condition)
        else { return nil }
        result += value
        index = end + 1
      } else {
        result += text[index..<index + 1]
        index += 1
      }
    }
    return result
  }

  /// Where the brace is closed that was opened right before `start`.
  private static func close(_ bytes: [UInt8], from start: Int) -> Int? {
    var depth = 1
    for index in bytes.indices.dropFirst(start) {
      if bytes[index] == UInt8(ascii: "{") { depth += 1 }
      if bytes[index] == UInt8(ascii: "}") { depth -= 1 }
      if depth == 0 { return index }
    }
    return nil
  }

  /// `map:key|default`; only maps that are built in are known by heart.
  private func mapped(_ text: Traced, _ rule: [String?], _ condition: [String?]) -> Traced? {
    guard let colon = text.bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let parts = text[colon + 1..<text.bytes.count]
    let bar = parts.bytes.firstIndex(of: UInt8(ascii: "|")) ?? parts.bytes.count
    guard let key = expanded(parts[0..<bar], rule, condition)?.text else { return nil }
    switch maps[text[0..<colon].text] {
    case "int:tolower": return Traced(key.lowercased())
    case "int:toupper": return Traced(key.uppercased())
    case nil:
      return bar < parts.bytes.count ? expanded(parts[bar + 1..<parts.bytes.count], rule, condition) : Traced("")
    default: return nil
    }
  }

  /// A server variable of a plain GET; names have no case. Nil if it is not known.
  private func value(of name: String) -> String? {
    let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2, let kind = parts.first?.uppercased() {
      switch kind {
      case "HTTP": return header(String(parts[1]))
      case "ENV":
        if parts[1] == "REDIRECT_STATUS" { return asked.turn == 0 ? "" : "200" }
        return asked.environment[String(parts[1])] ?? (hasEnvironment ? nil : "")
      default: return nil
      }
    }
    switch name.uppercased() {
    case "HTTP_HOST": return asked.authority
    case "SERVER_NAME": return asked.host
    case "SERVER_PORT": return String(asked.port)
    case "REQUEST_URI": return asked.path
    case "REQUEST_METHOD": return "GET"
    case "HTTPS": return asked.isTLS ? "on" : "off"
    case "REQUEST_SCHEME": return asked.isTLS ? "https" : "http"
    case "QUERY_STRING": return asked.query
    case "THE_REQUEST": return "GET \(asked.sent) HTTP/1.1"
    case "HTTP_COOKIE", "HTTP_REFERER", "REMOTE_USER", "CONTEXT_PREFIX", "PATH_INFO": return ""
    case "REQUEST_FILENAME", "SCRIPT_FILENAME": return (folder ?? "") + subject
    case "DOCUMENT_ROOT", "CONTEXT_DOCUMENT_ROOT": return root
    default: return nil
    }
  }

  /// A header of a plain request that somebody typed.
  private func header(_ name: String) -> String? {
    switch name.lowercased() {
    case "host": asked.authority
    // None for another protocol than HTTP.
    case "connection": ""
    default: PlainRequest.mayHave(header: name) ? nil : ""
    }
  }
}

/// The flags of a rule or a condition: `[P,L]`, `[R=301]`.
private struct Flags {
  private let all: [(name: String, value: String?)]

  init(_ directive: Apache.Directive) {
    guard let last = directive.arguments.dropFirst(2).last?.text, last.hasPrefix("[") else {
      all = []
      return
    }
    all = last.dropFirst().dropLast().split(separator: ",").map { flag in
      let parts = flag.split(separator: "=", maxSplits: 1)
      let name = parts.first.map { $0.filter { $0 != " " }.uppercased() } ?? ""
      return (name, parts.count > 1 ? String(parts[1]).trimmed : nil)
    }
  }

  func has(_ names: String...) -> Bool { all.contains { names.contains($0.name) } }
  func values(_ names: String...) -> [String] { all.filter { names.contains($0.name) }.compactMap(\.value) }
  func value(_ names: String...) -> String? { all.last { names.contains($0.name) }?.value }
}
