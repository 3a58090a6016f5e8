import Model
import Pattern

extension HAProxy {
  /// Whether something holds for a request, as far as the files tell.
  enum Truth: Sendable {
    case yes, no, unknown

    init(_ value: Bool) { self = value ? .yes : .no }
    var negated: Truth {
      switch self {
      case .yes: .no
      case .no: .yes
      case .unknown: .unknown
      }
    }
    func and(_ other: Truth) -> Truth {
      if self == .no || other == .no { return .no }
      return self == .unknown || other == .unknown ? .unknown : .yes
    }
    func or(_ other: Truth) -> Truth { negated.and(other.negated).negated }
  }

  /// A sample with its converters: `req.hdr(host),lower,map(/etc/hosts.map,other)`.
  struct Expression: Sendable {
    struct Call: Sendable {
      let name: String
      let arguments: [String]
    }
    private(set) var calls: [Call] = []

    /// What follows the expression in its text.
    private(set) var rest: Substring

    init(_ text: String) {
      rest = Substring(text)
      while !rest.isEmpty {
        let name = rest.prefix { !"(,]".contains($0) }
        rest = rest.dropFirst(name.count)
        let arguments = rest.first == "(" ? Self.arguments(&rest) : []
        if !name.isEmpty { calls.append(Call(name: String(name), arguments: arguments)) }
        if rest.first == "," { rest = rest.dropFirst() } else { break }
      }
    }

    /// What stands between parentheses. Within quotes a comma and a parenthesis are letters like any other.
    private static func arguments(_ rest: inout Substring) -> [String] {
      rest = rest.dropFirst()
      var arguments = [""]
      var quote: Character?
      while let character = rest.popFirst() {
        switch character {
        case quote: quote = nil
        case "\"" where quote == nil, "'" where quote == nil: quote = character
        case ")" where quote == nil: return arguments
        case "," where quote == nil: arguments.append("")
        case " " where quote == nil && arguments[arguments.count - 1].isEmpty: break
        default: arguments[arguments.count - 1].append(character)
        }
      }
      return arguments
    }
  }

  /// What a fetch gives.
  enum Sample: Sendable, Equatable {
    case text(String)
    /// The request has no such thing.
    case none
    case unknown
  }

  /// A request on its way through the rules: what they may look at, and what they have changed.
  struct Passage: Sendable {
    let configuration: Configuration
    /// The `Host` header, with the port if that is not the scheme's own. Nil: a rule gave it one that cannot be told.
    var host: String?
    /// Nil: a rule gave it one that cannot be told.
    var path: String?
    /// With its question mark; empty if there is none.
    var query: String
    let isTLS: Bool
    /// The client speaks TLS, to HAProxy or through it.
    let isSecure: Bool
    /// The name in the client's TLS handshake; empty without TLS.
    let serverName: String
    let port: UInt16
    var variables: [String: Sample] = [:]
    /// The section whose rules run: its ACLs are known there.
    var section: Section
    /// Rules that refuse the request if their condition holds, which cannot be told.
    var refusals: [Directive] = []

    // MARK: Conditions

    /// Whether a condition of which it is not known if it holds hangs on nothing but who asks, and how often.
    func hangsOnAsker(_ words: ArraySlice<String>) -> Bool {
      func isToldOrOfAsker(_ words: [String]) -> Bool {
        test(words) != .unknown || Expression(words.first ?? "").calls.first?.isOfAsker == true
      }
      guard let condition = Condition(words) else { return false }
      return condition.alternatives.joined().allSatisfy { _, test in
        switch test {
        case .inline(let words): isToldOrOfAsker(words)
        case .named(let name):
          section.conditions[name].map { $0.allSatisfy { isToldOrOfAsker(Array($0.arguments.dropFirst())) } }
            ?? (named(name) != .unknown)
        }
      }
    }

    /// The words after `if` or `unless`; without either the rule always holds.
    func holds(_ words: ArraySlice<String>) -> Truth {
      guard let condition = Condition(words) else { return .yes }
      let result = condition.alternatives.reduce(Truth.no) { any, tests in
        any.or(
          tests.reduce(.yes) { all, one in
            // What does not hold is not made to hold by the rest.
            if all == .no { return .no }
            let truth =
              switch one.test {
              case .named(let name): named(name)
              case .inline(let words): test(words)
              }
            return all.and(one.isNegated ? truth.negated : truth)
          })
      }
      return condition.isUnless ? result.negated : result
    }

    private func named(_ name: String) -> Truth {
      if let own = section.conditions[name] {
        return own.reduce(.no) { truth, acl in
          truth.or(acl.mayHold ? .unknown : test(Array(acl.arguments.dropFirst())))
        }
      }
      switch name {
      case "TRUE", "HTTP", "METH_GET", "HTTP_URL_SLASH", "REQ_CONTENT", "WAIT_END": return .yes
      case "FALSE", "METH_POST", "METH_HEAD", "METH_OPTIONS", "METH_CONNECT", "METH_PUT", "METH_DELETE", "METH_TRACE",
        "HTTP_URL_ABS", "HTTP_URL_STAR", "HTTP_CONTENT":
        return .no
      default: return .unknown
      }
    }

    /// `hdr(host) -i shop.example.org www.example.org`: a sample, flags, and the values of which one has to match.
    private func test(_ words: [String]) -> Truth {
      guard let first = words.first else { return .unknown }
      var expression = Expression(first)
      guard let last = expression.calls.last else { return .unknown }
      var method = Method.default(of: expression.calls)
      if expression.calls.count == 1, let found = Method.suffix(of: last.name) {
        (expression, method) = (Expression(found.name + first.dropFirst(last.name.count)), found.method)
      }
      var ignoresCase = false
      var values: [String] = []
      var rest = words.dropFirst()
      while let word = rest.popFirst() {
        switch word {
        case "-i": ignoresCase = true
        case "-n", "-u", "-M": break
        case "eq", "ge", "gt", "le", "lt":
          guard method == .number || method == .exact, let number = rest.popFirst().flatMap({ Int($0) }),
            let range = Self.range(word, number)
          else { return .unknown }
          (method, values) = (.number, values + [range])
        case "-m": method = rest.popFirst().flatMap(Method.init) ?? .unknown
        case "-f":
          guard let list = rest.popFirst().flatMap({ configuration.lists[$0] })?.lines else { return .unknown }
          values += list
        case "--":
          values += rest
          rest = []
        default: values.append(word)
        }
      }
      if let call = expression.calls.first, call.isOfPayload, expression.calls.count == 1 {
        guard [.exact, .beginning, .binary].contains(method) else { return .unknown }
        return startsOtherwise(call, values, isHex: method == .binary) ? .no : .unknown
      }
      let truths = samples(expression).map { method.test($0, values, ignoresCase: ignoresCase) }
      return truths.dropFirst().allSatisfy { $0 == truths.first } ? truths.first ?? .unknown : .unknown
    }

    /// A comparison as a range of numbers; nil for one that no number fits.
    private static func range(_ sign: String, _ number: Int) -> String? {
      switch sign {
      case "eq": "\(number)"
      case "ge": "\(number):"
      case "le": ":\(number)"
      case "gt": number == .max ? nil : "\(number + 1):"
      default: number == .min ? nil : ":\(number - 1)"
      }
    }

    /// The first bytes of a plain request: what does not begin like them, or like a part of them, is not in it.
    private func startsOtherwise(_ call: Expression.Call, _ values: [String], isHex: Bool) -> Bool {
      guard !isSecure, call.arguments.first == "0" else { return false }
      let start = isHex ? "47455420" : "GET "
      return values.allSatisfy { value in
        let value = isHex ? value.uppercased() : value
        return !value.hasPrefix(start) && !start.hasPrefix(value)
      }
    }

    /// What the expression may give; several where clients differ.
    private func samples(_ expression: Expression) -> [Sample] {
      let fetch = expression.calls.first
      guard fetch?.isOfHeader == true, fetch?.arguments.first?.lowercased() == "connection" else {
        return [sample(expression)]
      }
      return [.text("keep-alive"), .text("close"), .none].map { given in
        expression.calls.dropFirst().reduce(given) { convert($0, $1) }
      }
    }

    // MARK: Samples

    func sample(_ expression: Expression) -> Sample {
      guard let fetch = expression.calls.first else { return .unknown }
      return expression.calls.dropFirst().reduce(self.fetch(fetch)) { convert($0, $1) }
    }

    private func fetch(_ call: Expression.Call) -> Sample {
      func text(_ value: String?) -> Sample { value.map(Sample.text) ?? .unknown }
      switch call.name {
      case _ where call.isOfHeader:
        switch call.arguments.first?.lowercased() {
        case "host": return text(host)
        case let name?: return PlainRequest.mayHave(header: name) ? .unknown : .none
        case nil: return .unknown
        }
      case "path": return text(path)
      case "pathq", "url", "capture.req.uri": return text(path.map { $0 + query })
      case "base": return text(host.flatMap { host in path.map { host + $0 } })
      case "query": return query.isEmpty ? .none : .text(String(query.dropFirst()))
      case "method": return .text("GET")
      case "url_param", "urlp":
        guard call.arguments.count == 1, let name = call.arguments.first else { return .unknown }
        let pairs = query.dropFirst().split(separator: "&")
        let own = pairs.first { $0.hasPrefix(name + "=") }
        return own.map { .text(String($0.dropFirst(name.count + 1))) } ?? .none
      // A visitor's first request has none.
      case "req.cook", "cook": return .none
      case "req_proto_http", "req.proto_http": return isSecure ? .unknown : .text("1")
      case "req_ssl_ver", "req.ssl_ver": return isSecure ? .unknown : .none
      case _ where call.isOfPayload: return isSecure ? .unknown : .text("GET ")
      case "ssl_fc": return .text(isTLS ? "1" : "0")
      case "ssl_fc_has_sni": return .text(serverName.isEmpty ? "0" : "1")
      case "ssl_fc_sni": return serverName.isEmpty ? .none : .text(serverName)
      // Of a handshake that HAProxy only passes on: what it has deciphered itself begins with HTTP.
      case "req.ssl_sni", "req_ssl_sni": return serverName.isEmpty || isTLS ? .none : .text(serverName)
      case "req.ssl_hello_type", "req_ssl_hello_type": return .text(serverName.isEmpty ? "0" : "1")
      case "dst_port": return .text(String(port))
      case "always_true": return .text("1")
      case "always_false": return .text("0")
      case "str": return call.arguments.first.map(Sample.text) ?? .unknown
      case "var": return call.arguments.first.map(variable) ?? .unknown
      default: return .unknown
      }
    }

    private func variable(_ name: String) -> Sample {
      variables[name] ?? (configuration.setsVariable(name) ? .unknown : .none)
    }

    private func convert(_ sample: Sample, _ call: Expression.Call) -> Sample {
      guard case .text(let text) = sample else { return sample }
      switch call.name {
      case "lower": return .text(text.lowercased())
      case "upper": return .text(text.uppercased())
      case "url_dec": return .text(text)
      case "host_only": return .text(text.withoutPort)
      case "port_only":
        return .text(
          text.dropFirst(text.withoutPort.count + 1).isEmpty ? "0" : String(text.drop { $0 != ":" }.dropFirst()))
      case "field", "word":
        guard let number = call.arguments.first.flatMap({ Int($0) }), number > 0, call.arguments.count == 2
        else { return .unknown }
        let delimiter = call.arguments[1]
        let parts = text.split(omittingEmptySubsequences: call.name == "word") { delimiter.contains($0) }
        return parts.indices.contains(number - 1) ? .text(String(parts[number - 1])) : .text("")
      case "strcmp":
        guard let other = call.arguments.first.map(variable) else { return .unknown }
        guard case .text(let value) = other else { return other }
        return .text(text == value ? "0" : text < value ? "-1" : "1")
      // What browsers send is neither.
      case "fix_is_valid", "mqtt_is_valid": return text == "GET " ? .text("0") : .unknown
      case "regsub":
        guard call.arguments.count > 1 else { return .unknown }
        let flags = call.arguments.dropFirst(2).joined()
        return HAProxy.substitute(
          text, call.arguments[0], by: call.arguments[1], ignoringCase: flags.contains("i"), all: flags.contains("g")
        ).map(Sample.text) ?? .unknown
      case _ where call.name.hasPrefix("map"): return map(text, call)
      default: return .unknown
      }
    }

    /// Looks a key up in a map file: `map(FILE[,DEFAULT])`, `map_beg`, `map_dom`, ….
    private func map(_ text: String, _ call: Expression.Call) -> Sample {
      guard let lines = call.arguments.first.flatMap({ configuration.lists[$0] })?.lines else { return .unknown }
      let kind = call.name.split(separator: "_").dropFirst().first.map(String.init) ?? "str"
      guard let method = Method(kind) else { return .unknown }
      var best: (key: String, value: String)?
      for line in lines {
        let words = line.split(maxSplits: 1) { $0 == " " || $0 == "\t" }.map(String.init)
        guard let key = words.first, words.count == 2, case .yes = method.test(.text(text), [key], ignoresCase: false)
        else { continue }
        // Of several beginnings the longest counts, else the first entry.
        if best == nil || (method == .beginning && key.count > (best?.key.count ?? 0)) { best = (key, words[1]) }
      }
      if let best { return .text(best.value.trimmed) }
      return call.arguments.count > 1 ? .text(call.arguments[1]) : .none
    }

    /// A text with `%[…]` in it: a backend's name, a path.
    func expanded(_ text: String) -> Sample {
      var result = ""
      var rest = Substring(text)
      while let percent = rest.firstIndex(of: "%") {
        result += rest[..<percent]
        rest = rest[percent...].dropFirst()
        guard rest.first == "[" else { return .unknown }
        let expression = Expression(String(rest.dropFirst()))
        guard expression.rest.first == "]" else { return .unknown }
        switch sample(expression) {
        case .text(let value): result += value
        case .none: break
        case .unknown: return .unknown
        }
        rest = expression.rest.dropFirst()
      }
      return .text(result + rest)
    }
  }

  /// How a sample is compared.
  enum Method: Sendable, Equatable {
    case exact, beginning, end, part, directory, domain, regex, number, truth, found, binary, unknown

    /// As after `-m`, or in a map's name.
    init?(_ name: String) {
      switch name {
      case "str": self = .exact
      case "beg": self = .beginning
      case "end": self = .end
      case "sub": self = .part
      case "dir": self = .directory
      case "dom": self = .domain
      case "reg", "regm": self = .regex
      case "int": self = .number
      case "bool": self = .truth
      case "found": self = .found
      case "bin": self = .binary
      default: return nil
      }
    }

    /// `hdr_dom` is `hdr` with `dom`; nil for a name without such an end.
    static func suffix(of name: String) -> (name: String, method: Method)? {
      guard let underscore = name.lastIndex(of: "_"),
        let method = ["beg", "end", "sub", "dir", "dom", "reg"].contains(name[underscore...].dropFirst())
          ? Method(String(name[underscore...].dropFirst())) : nil
      else { return nil }
      return (String(name[..<underscore]), method)
    }

    static func `default`(of calls: [Expression.Call]) -> Method {
      switch calls.last?.name {
      case "ssl_fc", "ssl_fc_has_sni", "always_true", "always_false", "req_proto_http", "req.proto_http",
        "fix_is_valid", "mqtt_is_valid":
        .truth
      case "dst_port", "req.ssl_hello_type", "req_ssl_hello_type", "strcmp": .number
      default: .exact
      }
    }

    func test(_ sample: Sample, _ values: [String], ignoresCase: Bool) -> Truth {
      guard case .text(let text) = sample else {
        return sample == .unknown ? .unknown : .no
      }
      switch self {
      case .found: return .yes
      case .truth: return Truth((text != "0") == (values.first != "0" && values.first?.lowercased() != "false"))
      case .binary, .unknown: return .unknown
      default: break
      }
      if values.contains(where: { $0.contains("%[") || $0.contains("$") && self != .regex }) { return .unknown }
      let folded = { (text: String) in ignoresCase ? text.lowercased() : text }
      if self == .number {
        guard let number = Int(text), values.allSatisfy({ Self.range($0) != nil }) else { return .unknown }
        return Truth(values.contains { Self.range($0)?.contains(number) == true })
      }
      if self == .regex {
        let patterns = values.map { try? Pattern($0, ignoringCase: ignoresCase) }
        if patterns.contains(where: { $0?.matches(text) == true }) { return .yes }
        return patterns.contains { $0 == nil } ? .unknown : .no
      }
      return Truth(values.contains { matches(folded(text), folded($0)) })
    }

    /// `80`, `80:90`, `1024:`, `:1023`.
    private static func range(_ text: String) -> ClosedRange<Int>? {
      let ends = text.split(separator: ":", omittingEmptySubsequences: false)
      guard let low = ends[0].isEmpty && ends.count > 1 ? Int.min : Int(ends[0]) else { return nil }  // fits: optional
      guard ends.count > 1 else { return low...low }
      guard let high = ends[1].isEmpty ? Int.max : Int(ends[1]), low <= high else { return nil }  // fits: optional
      return low...high
    }

    private func matches(_ text: String, _ value: String) -> Bool {
      switch self {
      case .exact: text == value
      case .beginning: text.hasPrefix(value)
      case .end: text.hasSuffix(value)
      case .part: value.isEmpty || text.contains(value)
      case .directory: Self.hasWords(text, value, between: "/?")
      case .domain: Self.hasWords(text, value, between: "/?.:")
      case .regex, .number, .truth, .found, .binary, .unknown: false
      }
    }

    /// True if `value` stands in `text` as whole words between delimiters.
    private static func hasWords(_ text: String, _ value: String, between delimiters: String) -> Bool {
      let isDelimiter = { (character: Character) in delimiters.contains(character) }
      let wanted = value.drop(while: isDelimiter)
      let trimmed = String(wanted.reversed().drop(while: isDelimiter).reversed())
      guard !trimmed.isEmpty else { return false }
      var start = text.startIndex
      while start < text.endIndex {
        let isWordStart = start == text.startIndex || isDelimiter(text[text.index(before: start)])
        if isWordStart, text[start...].hasPrefix(trimmed) {
          let end = text.index(start, offsetBy: trimmed.count)
          if end == text.endIndex || isDelimiter(text[end]) { return true }
        }
        start = text.index(after: start)
      }
      return false
    }
  }
}

extension HAProxy.Expression.Call {
  fileprivate var isOfHeader: Bool {
    ["hdr", "req.hdr", "req.fhdr", "req_hdr", "capture.req.hdr"].contains(name)
  }

  /// It gives the first bytes that the client has sent.
  fileprivate var isOfPayload: Bool { ["req.payload", "payload"].contains(name) }

  /// It tells who asks, how often, or how much there is to do.
  fileprivate var isOfAsker: Bool {
    ["src", "sc_", "sc0_", "sc1_", "sc2_", "table_", "fe_", "be_", "http_auth"].contains(where: name.hasPrefix)
  }
}

extension HAProxy {
  /// `replace-path REGEX TEXT`: the text in the place of all of a path that matches; nil if the expression is not known.
  static func replace(_ text: String, _ regex: String, _ replacement: String) -> String? {
    guard let pattern = try? Pattern(regex) else { return nil }
    return pattern.firstMatch(in: text).map { filled(replacement, $0.groups) } ?? text
  }

  /// `regsub(REGEX,TEXT)`: the first match, or each, replaced; nil if that cannot be told.
  static func substitute(
    _ text: String, _ regex: String, by replacement: String, ignoringCase: Bool, all: Bool
  ) -> String? {
    // What stands before the match is a group of its own, so that the numbers of others move on.
    let refers = regex.firstRange(of: "\\").map { regex[$0.upperBound...].first?.isNumber == true } ?? false
    guard !refers, let pattern = try? Pattern("^(?s:(.*?))(?:\(regex))", ignoringCase: ignoringCase) else { return nil }
    var result = ""
    var rest = text
    while let match = pattern.firstMatch(in: rest), !match.whole.isEmpty {
      let before = match.groups[1] ?? ""
      guard match.whole != before else { break }
      result += before + filled(replacement, [String(match.whole.dropFirst(before.count))] + match.groups.dropFirst(2))
      rest = String(rest.dropFirst(match.whole.count))
      if !all || regex.hasPrefix("^") { break }
    }
    return result + rest
  }

  /// `\1` stands for a group.
  private static func filled(_ replacement: String, _ groups: [String?]) -> String {
    var result = ""
    var rest = Substring(replacement)
    while let character = rest.popFirst() {
      guard character == "\\", let number = rest.first?.wholeNumberValue else {
        result.append(character)
        continue
      }
      rest = rest.dropFirst()
      if groups.indices.contains(number), let group = groups[number] { result += group }
    }
    return result
  }
}
