import Model
import Pattern

extension Traefik {
  /// A rule such as ``Host(`shop.example.org`) && !PathPrefix(`/api`)``. Constraints have the same form.
  ///
  /// Source: Traefik 3, "Rules & priority"; Traefik 2.11 takes several values in one matcher.
  indirect enum Rule: Sendable, Equatable {
    case matcher(String, [String])
    case and(Rule, Rule)
    case or(Rule, Rule)
    case not(Rule)
  }

  /// How a rule's text is to be read.
  enum Syntax: Sendable { case v2, v3, constraint }

  /// What is wrong with a rule.
  struct Refusal: Error, Equatable { let reason: String }

  /// What a rule says of a request.
  enum Verdict: Sendable, Equatable, Comparable {
    case no
    /// It asks for something that the request may or may not have: a header, a client's address.
    case maybe
    case yes

    static prefix func ! (verdict: Verdict) -> Verdict {
      switch verdict {
      case .no: .yes
      case .maybe: .maybe
      case .yes: .no
      }
    }
  }
}

extension Traefik.Rule {
  init(_ text: String, _ syntax: Traefik.Syntax) throws(Traefik.Refusal) {
    guard text.utf8.count <= Limits.value else {
      throw Traefik.Refusal(reason: "it has more than \(Limits.value) bytes")
    }
    var reader = Reader(text, syntax)
    self = try reader.whole()
  }

  /// Asks each matcher for its verdict.
  func verdict(_ ask: (String, [String]) -> Traefik.Verdict) -> Traefik.Verdict {
    switch self {
    case .matcher(let name, let values): ask(name, values)
    case .and(let left, let right): min(left.verdict(ask), right.verdict(ask))
    case .or(let left, let right): max(left.verdict(ask), right.verdict(ask))
    case .not(let rule): !rule.verdict(ask)
    }
  }

  /// What it says of a GET of `path` at `host`. `hasWildcards`: a star in a host stands for a label, as it does since
  /// version 3.7. `takesBelow`: a `Path` stands for what lies below it as well, which it does not for Traefik.
  func matches(
    host: String, path: String, _ syntax: Traefik.Syntax, hasWildcards: Bool = true, takesBelow: Bool = false
  ) -> Traefik.Verdict {
    let host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    let query = String(path.drop { $0 != "?" }.dropFirst())
    let path = path.prefix { $0 != "?" }.routingPath
    func any(_ values: [String], _ matches: (String) -> Bool) -> Traefik.Verdict {
      values.contains(where: matches) ? .yes : .no
    }
    return verdict { name, values in
      switch (name, syntax) {
      case ("host", .v3) where hasWildcards && values.first?.hasPrefix("*") == true:
        any(values) { $0 == "*" || $0.lowercased() == host.withFirstLabelAsStar }
      case ("host", _), ("hostheader", _): any(values) { $0.lowercased().withoutLastDot == host.withoutLastDot }
      case ("hostregexp", .v2):
        any(values) { (try? Pattern("^\($0.regexOfBraces(standingFor: "[^.]+"))$"))?.matches(host) == true }
      case ("hostregexp", _): any(values) { (try? Pattern($0))?.matches(host) == true }
      case ("path", _) where takesBelow:
        any(values) { path == $0 || path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
      case ("path", .v2):
        any(values) { (try? Pattern("^\($0.regexOfBraces(standingFor: "[^/]+"))$"))?.matches(path) == true }
      case ("pathprefix", .v2):
        any(values) { (try? Pattern("^\($0.regexOfBraces(standingFor: "[^/]+"))"))?.matches(path) == true }
      case ("path", _): any(values) { $0 == path }
      case ("pathprefix", _): any(values) { path.hasPrefix($0) }
      case ("pathregexp", _): any(values) { (try? Pattern($0))?.matches(path) == true }
      case ("method", _): any(values) { $0.uppercased() == "GET" }
      case ("query", .v2):
        values.allSatisfy { pair in
          let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
          let regex = parts.count < 2 || parts[1].isEmpty ? ".*" : parts[1].regexOfBraces(standingFor: ".*")
          return query.values(of: parts[0]).first.map { (try? Pattern("^(?:\(regex))$"))?.matches($0) } == true
        } ? .yes : .no
      case ("query", _) where values.count == 1, ("queryregexp", _) where values.count == 1:
        query.values(of: values[0]).contains("") ? .yes : .no
      case ("query", _): query.values(of: values[0]).contains(values[1]) ? .yes : .no
      case ("queryregexp", _):
        any(query.values(of: values[0])) { (try? Pattern(values[1]))?.matches($0) == true }
      default: .maybe
      }
    }
  }

  /// A rule of version 2 as version 3 wants it; nil where a matcher has no simple counterpart.
  var forVersion3: String? {
    switch self {
    case .matcher(let name, let values):
      let names = [
        "host": "Host", "hostheader": "Host", "hostregexp": "HostRegexp", "path": "Path", "pathprefix": "PathPrefix",
        "method": "Method", "headers": "Header", "headersregexp": "HeaderRegexp", "clientip": "ClientIP",
      ]
      guard let new = names[name] else { return nil }
      if new.hasPrefix("Header") { return "\(new)(`\(values.joined(separator: "`, `"))`)" }
      if new.hasPrefix("Path"), values.contains(where: { $0.contains("{") }) { return nil }
      let each = values.map { "\(new)(`\(new == "HostRegexp" ? "^\($0.regexOfBraces(standingFor: "[^.]+"))$" : $0)`)" }
      return each.count == 1 ? each[0] : "(" + each.joined(separator: " || ") + ")"
    case .and(let left, let right):
      guard let left = left.forVersion3, let right = right.forVersion3 else { return nil }
      return "\(left) && \(right)"
    case .or(let left, let right):
      guard let left = left.forVersion3, let right = right.forVersion3 else { return nil }
      return "(\(left) || \(right))"
    case .not(let rule): return rule.forVersion3.map { "!\($0)" }
    }
  }

  /// True if a star stands in one of its `Host` matchers.
  var hasStars: Bool {
    switch self {
    case .matcher("host", let values): values.contains { $0.hasPrefix("*") }
    case .matcher: false
    case .and(let left, let right), .or(let left, let right): left.hasStars || right.hasStars
    case .not(let rule): rule.hasStars
    }
  }

  /// The names of its `Host` matchers.
  var hosts: [String] {
    switch self {
    case .matcher("host", let values), .matcher("hostheader", let values):
      values.filter { !$0.hasPrefix("*") }.map { $0.lowercased() }
    case .matcher: []
    case .and(let left, let right), .or(let left, let right): left.hosts + right.hosts
    case .not: []
    }
  }

  /// The first path that it asks for.
  var path: String? {
    switch self {
    case .matcher("path", let values), .matcher("pathprefix", let values): values.first
    case .matcher, .not: nil
    case .and(let left, let right), .or(let left, let right): left.path ?? right.path
    }
  }
}

/// Reads a rule from left to right.
private struct Reader {
  private let text: String
  private var rest: Substring
  private let syntax: Traefik.Syntax

  init(_ text: String, _ syntax: Traefik.Syntax) {
    (self.text, rest, self.syntax) = (text, text[...], syntax)
  }

  mutating func whole() throws(Traefik.Refusal) -> Traefik.Rule {
    let rule = try alternatives(depth: 0)
    skipBlanks()
    guard rest.isEmpty else { throw refusal("'\(rest.prefix(20))' is left over") }
    return rule
  }

  private mutating func alternatives(depth: Int) throws(Traefik.Refusal) -> Traefik.Rule {
    var rule = try conjunction(depth: depth)
    while take("||") { rule = .or(rule, try conjunction(depth: depth)) }
    return rule
  }

  private mutating func conjunction(depth: Int) throws(Traefik.Refusal) -> Traefik.Rule {
    var rule = try factor(depth: depth)
    while take("&&") { rule = .and(rule, try factor(depth: depth)) }
    return rule
  }

  private mutating func factor(depth: Int) throws(Traefik.Refusal) -> Traefik.Rule {
    guard depth < 64 else { throw refusal("it is nested too deep") }
    if take("!") { return .not(try factor(depth: depth + 1)) }
    if take("(") {
      let rule = try alternatives(depth: depth + 1)
      guard take(")") else { throw refusal("a closing parenthesis is missing") }
      return rule
    }
    skipBlanks()
    let name = rest.prefix { $0.isLetter }
    guard !name.isEmpty else {
      throw refusal(rest.isEmpty ? "something is missing at its end" : "'\(rest.prefix(20))' is no matcher")
    }
    rest = rest.dropFirst(name.count)
    guard take("(") else { throw refusal("\(name) has no parenthesis") }
    var values: [String] = []
    while !take(")") {
      values.append(try value(of: name))
      if take(",") { continue }
      guard take(")") else { throw refusal("\(name) has no closing parenthesis") }
      break
    }
    try check(name, values)
    return .matcher(name.lowercased(), values)
  }

  private mutating func value(of name: Substring) throws(Traefik.Refusal) -> String {
    skipBlanks()
    guard let quote = rest.first, quote == "`" || quote == "\"" else {
      throw refusal("the value of \(name) is not in backticks")
    }
    if quote == "\"" { return try escapedValue(of: name) }
    let value = rest.dropFirst().prefix { $0 != quote }
    guard value.endIndex < rest.endIndex else { throw refusal("the value of \(name) has no second \(quote)") }
    rest = rest[rest.index(after: value.endIndex)...]
    return String(value)
  }

  /// A value in Go's other quotes, where a backslash begins an escape.
  private mutating func escapedValue(of name: Substring) throws(Traefik.Refusal) -> String {
    var value = ""
    rest = rest.dropFirst()
    while let character = rest.popFirst(), !character.isNewline {
      switch character {
      case "\"": return value
      case "\\":
        let escape = rest.popFirst()
        switch escape {
        case "\\", "\"": value += "\(escape ?? " ")"
        case "n": value += "\n"
        case "r": value += "\r"
        case "t": value += "\t"
        case "x", "u", "U":
          let digits = rest.prefix(escape == "x" ? 2 : escape == "u" ? 4 : 8)
          guard let scalar = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) else {
            throw refusal("the value of \(name) has an escape that is none")
          }
          value.unicodeScalars.append(scalar)
          rest = rest.dropFirst(digits.count)
        default: throw refusal("the value of \(name) has an escape that is none: backticks need none")
        }
      default: value.append(character)
      }
    }
    throw refusal("the value of \(name) has no second \"")
  }

  /// Matchers and how many values each takes.
  private func check(_ name: Substring, _ values: [String]) throws(Traefik.Refusal) {
    let known: [String: ClosedRange<Int>] =
      switch syntax {
      case .v3:
        [
          "host": 1...1, "hostregexp": 1...1, "path": 1...1, "pathprefix": 1...1, "pathregexp": 1...1, "method": 1...1,
          "header": 2...2, "headerregexp": 2...2, "query": 1...2, "queryregexp": 1...2, "clientip": 1...1,
        ]
      case .v2:
        [
          "host": 1...99, "hostheader": 1...99, "hostregexp": 1...99, "path": 1...99, "pathprefix": 1...99,
          "method": 1...99, "headers": 2...2, "headersregexp": 2...2, "query": 1...99, "clientip": 1...99,
        ]
      case .constraint: ["label": 2...2, "labelregex": 2...2, "labelregexp": 2...2]
      }
    guard let count = known[name.lowercased()], syntax == .constraint || name.isMatcherSpelling else {
      throw refusal("there is no matcher \(name)")
    }
    guard !values.contains("") else { throw refusal("\(name) has an empty value") }
    guard count.contains(values.count) else {
      let allowed = count.lowerBound == count.upperBound ? "\(count.lowerBound)" : "up to \(count.upperBound)"
      throw refusal("\(name) has \(values.count) values and takes \(allowed)")
    }
    if ["path", "pathprefix"].contains(name.lowercased()), let path = values.first(where: { !$0.hasPrefix("/") }) {
      throw refusal("the path '\(path)' does not begin with /")
    }
    if name.lowercased().hasPrefix("host"),
      let value = values.first(where: { !$0.utf8.allSatisfy { $0 < 0x80 } })
    {
      throw refusal("\(name) takes ASCII only, and '\(value)' has other letters")
    }
    if name.lowercased() == "clientip", let value = values.first(where: { !$0.isAddressOrRange }) {
      throw refusal("'\(value)' is neither an address nor a range of them")
    }
    if syntax == .v2, name.lowercased() == "query",
      let value = values.first(where: { !$0.contains("=") || !$0.hasEvenBraces })
    {
      throw refusal("'\(value)' is no pair of a name and a value")
    }
    guard name.lowercased().hasSuffix("regexp"), let last = values.last else { return }
    let isExpression = syntax == .v3 || name.lowercased() == "headersregexp"
    if isExpression, values.count > 1 || !name.lowercased().hasPrefix("query"), !last.isGoExpression {
      throw refusal("the expression of \(name) does not compile")
    }
    if syntax == .v2, let value = values.first(where: { !$0.hasEvenBraces }) {
      throw refusal("the braces of '\(value)' do not fit together")
    }
  }

  private mutating func take(_ word: String) -> Bool {
    let before = rest
    skipBlanks()
    // To Go a line ends what stands on it: the next one cannot go on with an operator, only after one.
    let isBehindOperand =
      before.startIndex > text.startIndex && ")`\"".contains(text[text.index(before: before.startIndex)])
    if isBehindOperand, !rest.isEmpty, before[..<rest.startIndex].contains(where: \.isNewline) {
      rest = before
      return false
    }
    guard rest.hasPrefix(word) else { return false }
    rest = rest.dropFirst(word.count)
    return true
  }

  private mutating func skipBlanks() { rest = rest.drop { $0.isWhitespace } }

  private func refusal(_ reason: String) -> Traefik.Refusal { Traefik.Refusal(reason: reason) }
}

extension String {
  /// The values of a name in this query.
  fileprivate func values(of name: String) -> [String] {
    split(separator: "&").compactMap { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
        String($0).unescaped
      }
      return parts[0] == name ? parts.count > 1 ? parts[1] : "" : nil
    }
  }

  /// A part of a query without its escapes.
  private var unescaped: String {
    var bytes: [UInt8] = []
    var rest = utf8[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(2)
      if byte == UInt8(ascii: "%"), digits.count == 2,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  fileprivate var withoutLastDot: Substring { last == "." ? dropLast() : self[...] }

  /// `shop.example.org` as `*.example.org`.
  fileprivate var withFirstLabelAsStar: String { "*" + drop { $0 != "." } }

  fileprivate var isAddressOrRange: Bool {
    guard let slash = firstIndex(of: "/") else { return isAddress }
    let address = String(self[..<slash])
    guard address.isAddress, let bits = Int(self[index(after: slash)...]) else { return false }
    return (0...(address.contains(":") ? 128 : 32)).contains(bits)
  }

  fileprivate var hasEvenBraces: Bool {
    var depth = 0
    for character in self where character == "{" || character == "}" {
      depth += character == "{" ? 1 : -1
      if depth < 0 { return false }
    }
    return depth == 0
  }

  /// The regular expression of a text of version 2: `{name:[a-z]+}` has one, `{name}` stands for `any`.
  fileprivate func regexOfBraces(standingFor any: String) -> String {
    var regex = ""
    var rest = self[...]
    while let character = rest.popFirst() {
      guard character == "{" else {
        regex +=
          character.isLetter || character.isNumber || "/-_".contains(character) ? "\(character)" : "\\\(character)"
        continue
      }
      // An expression may have braces of its own: `{id:[0-9]{3}}`.
      var depth = 1
      let inside = rest.prefix { next in
        depth += next == "{" ? 1 : next == "}" ? -1 : 0
        return depth > 0
      }
      rest = rest.dropFirst(inside.count + 1)
      let expression = inside.split(separator: ":", maxSplits: 1).dropFirst().first
      regex += "(?:\(expression.map(String.init) ?? any))"
    }
    return regex
  }
}

extension Substring {
  /// A matcher's name in one of the spellings that Traefik has: `HostRegexp`, `hostregexp`, `HOSTREGEXP`, `Hostregexp`.
  fileprivate var isMatcherSpelling: Bool {
    let own = [
      "ClientIP", "Method", "Host", "HostHeader", "HostRegexp", "Path", "PathRegexp", "PathPrefix", "Header", "Headers",
      "HeaderRegexp", "HeadersRegexp", "Query", "QueryRegexp",
    ]
    return self == lowercased() || self == uppercased() || own.contains(String(self))
      || first?.isUppercase == true && dropFirst() == dropFirst().lowercased()
  }

  /// A request's path as rules see it: what stands for itself is no longer percent-encoded.
  ///
  /// Source: `withRoutingPath` in Traefik's `pkg/muxer/http/mux.go`.
  fileprivate var routingPath: String {
    guard contains("%") else { return String(self) }
    var bytes: [UInt8] = []
    var rest = utf8[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(2)
      guard byte == UInt8(ascii: "%"), digits.count == 2,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16),
        !":/?#[]@!$&'()*+,;=%".utf8.contains(value)
      else {
        bytes.append(byte)
        continue
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
