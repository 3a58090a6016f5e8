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

  /// What it says of a GET of `path` at `host`.
  func matches(host: String, path: String, _ syntax: Traefik.Syntax) -> Traefik.Verdict {
    let path = String(path.prefix { $0 != "?" })
    func any(_ values: [String], _ matches: (String) -> Bool) -> Traefik.Verdict {
      values.contains(where: matches) ? .yes : .no
    }
    return verdict { name, values in
      switch (name, syntax) {
      case ("host", _), ("hostheader", _): any(values) { $0.lowercased().withoutLastDot == host.withoutLastDot }
      case ("hostregexp", .v2): any(values) { (try? Pattern("^\($0.regexOfBraces)$"))?.matches(host) == true }
      case ("hostregexp", _): any(values) { (try? Pattern($0))?.matches(host) == true }
      case ("path", .v2): any(values) { (try? Pattern("^\($0.regexOfBraces)$"))?.matches(path) == true }
      case ("pathprefix", .v2): any(values) { (try? Pattern("^\($0.regexOfBraces)"))?.matches(path) == true }
      case ("path", _): any(values) { $0 == path }
      case ("pathprefix", _): any(values) { path.hasPrefix($0) }
      case ("pathregexp", _): any(values) { (try? Pattern($0))?.matches(path) == true }
      case ("method", _): any(values) { $0.uppercased() == "GET" }
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
      let each = values.map { "\(new)(`\(new == "HostRegexp" ? "^\($0.regexOfBraces)$" : $0)`)" }
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

  /// The names of its `Host` matchers.
  var hosts: [String] {
    switch self {
    case .matcher("host", let values), .matcher("hostheader", let values): values.map { $0.lowercased() }
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
    if !take(")") {
      repeat { values.append(try value(of: name)) } while take(",")
      guard take(")") else { throw refusal("\(name) has no closing parenthesis") }
    }
    try check(name, values)
    return .matcher(name.lowercased(), values)
  }

  private mutating func value(of name: Substring) throws(Traefik.Refusal) -> String {
    skipBlanks()
    guard let quote = rest.first, quote == "`" || quote == "\"" else {
      throw refusal("the value of \(name) is not in backticks")
    }
    let value = rest.dropFirst().prefix { $0 != quote }
    guard value.endIndex < rest.endIndex else { throw refusal("the value of \(name) has no second \(quote)") }
    rest = rest[rest.index(after: value.endIndex)...]
    return String(value)
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
    guard let count = known[name.lowercased()] else { throw refusal("there is no matcher \(name)") }
    guard count.contains(values.count) else {
      let allowed = count.lowerBound == count.upperBound ? "\(count.lowerBound)" : "up to \(count.upperBound)"
      throw refusal("\(name) has \(values.count) values and takes \(allowed)")
    }
    if ["path", "pathprefix"].contains(name.lowercased()), let path = values.first(where: { !$0.hasPrefix("/") }) {
      throw refusal("the path '\(path)' does not begin with /")
    }
    if syntax == .v3, name.lowercased().hasSuffix("regexp"), let regex = values.last,
      (try? Pattern(regex)) == nil
    {
      throw refusal("the expression of \(name) does not compile")
    }
  }

  private mutating func take(_ word: String) -> Bool {
    skipBlanks()
    guard rest.hasPrefix(word) else { return false }
    rest = rest.dropFirst(word.count)
    return true
  }

  private mutating func skipBlanks() { rest = rest.drop { $0.isWhitespace } }

  private func refusal(_ reason: String) -> Traefik.Refusal { Traefik.Refusal(reason: reason) }
}

extension String {
  fileprivate var withoutLastDot: Substring { last == "." ? dropLast() : self[...] }

  /// The regular expression of a text of version 2: `{name:[a-z]+}` has one, `{name}` stands for anything without
  /// a dot or a slash.
  fileprivate var regexOfBraces: String {
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
      regex += "(?:\(expression.map(String.init) ?? "[^./]+"))"
    }
    return regex
  }
}
