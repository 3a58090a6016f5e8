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

    init(_ text: String) {
      var rest = Substring(text)
      while !rest.isEmpty {
        let name = rest.prefix { $0 != "(" && $0 != "," }
        rest = rest.dropFirst(name.count)
        var arguments: [String] = []
        if rest.first == "(" {
          let inside = rest.dropFirst().prefix { $0 != ")" }
          arguments = inside.split(separator: ",", omittingEmptySubsequences: false).map {
            String($0).trimmingQuotes
          }
          rest = rest.dropFirst(inside.count + 2)
        }
        if !name.isEmpty { calls.append(Call(name: String(name), arguments: arguments)) }
        if rest.first == "," { rest = rest.dropFirst() } else { break }
      }
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
    /// The `Host` header, with the port if that is not the scheme's own.
    var host: String
    var path: String
    let query: String
    let isTLS: Bool
    /// The name in the client's TLS handshake; empty without TLS.
    let serverName: String
    let port: UInt16
    var variables: [String: Sample] = [:]
    /// The section whose rules run: its ACLs are known there.
    var section: Section

    // MARK: Conditions

    /// The words after `if` or `unless`; without either the rule always holds.
    func holds(_ words: ArraySlice<String>) -> Truth {
      guard let start = words.firstIndex(where: { $0 == "if" || $0 == "unless" }) else { return .yes }
      var any = Truth.no
      var all = Truth.yes
      var isNegated = false
      var rest = words[(start + 1)...]
      while let word = rest.popFirst() {
        if word == "||" || word == "or" {
          (any, all, isNegated) = (any.or(all), .yes, false)
          continue
        }
        var name = Substring(word)
        while name.first == "!" {
          isNegated.toggle()
          name = name.dropFirst()
        }
        if name.isEmpty { continue }
        let truth: Truth
        if name == "{" {
          let inside = rest.prefix { $0 != "}" }
          rest = rest.dropFirst(inside.count + 1)
          truth = test(Array(inside))
        } else {
          truth = named(String(name))
        }
        all = all.and(isNegated ? truth.negated : truth)
        isNegated = false
      }
      let result = any.or(all)
      return words[start] == "unless" ? result.negated : result
    }

    private func named(_ name: String) -> Truth {
      if let own = section.conditions[name] {
        return own.reduce(.no) { truth, acl in
          truth.or(acl.mayHold ? .unknown : test(Array(acl.arguments.dropFirst())))
        }
      }
      switch name {
      case "TRUE", "HTTP", "METH_GET", "HTTP_URL_SLASH", "WAIT_END": return .yes
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
        case "-m": method = rest.popFirst().flatMap(Method.init) ?? .unknown
        case "-f":
          guard let list = rest.popFirst().flatMap({ configuration.lists[$0] }) else { return .unknown }
          values += list
        case "--":
          values += rest
          rest = []
        default: values.append(word)
        }
      }
      return method.test(sample(expression), values, ignoresCase: ignoresCase)
    }

    // MARK: Samples

    func sample(_ expression: Expression) -> Sample {
      guard let fetch = expression.calls.first else { return .unknown }
      return expression.calls.dropFirst().reduce(self.fetch(fetch)) { convert($0, $1) }
    }

    private func fetch(_ call: Expression.Call) -> Sample {
      switch call.name {
      case "hdr", "req.hdr", "req.fhdr", "req_hdr", "capture.req.hdr":
        return call.arguments.first?.lowercased() == "host" ? .text(host) : .unknown
      case "path", "pathq": return .text(call.name == "path" ? path : path + query)
      case "url", "capture.req.uri": return .text(path + query)
      case "base": return .text(host + path)
      case "query": return query.isEmpty ? .none : .text(String(query.dropFirst()))
      case "method": return .text("GET")
      case "ssl_fc": return .text(isTLS ? "1" : "0")
      case "ssl_fc_has_sni": return .text(serverName.isEmpty ? "0" : "1")
      case "ssl_fc_sni", "req.ssl_sni", "req_ssl_sni": return serverName.isEmpty ? .none : .text(serverName)
      case "req.ssl_hello_type", "req_ssl_hello_type": return .text(serverName.isEmpty ? "0" : "1")
      case "dst_port": return .text(String(port))
      case "always_true": return .text("1")
      case "always_false": return .text("0")
      case "str": return call.arguments.first.map(Sample.text) ?? .unknown
      case "var": return call.arguments.first.flatMap { variables[$0] } ?? .unknown
      default: return .unknown
      }
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
        guard let number = call.arguments.first.flatMap({ Int($0) }), number > 0,
          let delimiter = call.arguments.dropFirst().first
        else { return .unknown }
        let parts = text.split(omittingEmptySubsequences: call.name == "word") { delimiter.contains($0) }
        return parts.indices.contains(number - 1) ? .text(String(parts[number - 1])) : .text("")
      case _ where call.name.hasPrefix("map"): return map(text, call)
      default: return .unknown
      }
    }

    /// Looks a key up in a map file: `map(FILE[,DEFAULT])`, `map_beg`, `map_dom`, ….
    private func map(_ text: String, _ call: Expression.Call) -> Sample {
      guard let lines = call.arguments.first.flatMap({ configuration.lists[$0] }) else { return .unknown }
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
        guard rest.first == "[", let end = rest.firstIndex(of: "]") else { return .unknown }
        switch sample(Expression(String(rest[..<end].dropFirst()))) {
        case .text(let value): result += value
        case .none: break
        case .unknown: return .unknown
        }
        rest = rest[end...].dropFirst()
      }
      return .text(result + rest)
    }
  }

  /// How a sample is compared.
  enum Method: Sendable, Equatable {
    case exact, beginning, end, part, directory, domain, regex, number, truth, found, unknown

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
      case "ssl_fc", "ssl_fc_has_sni", "always_true", "always_false": .truth
      case "dst_port", "req.ssl_hello_type", "req_ssl_hello_type": .number
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
      case .unknown: return .unknown
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

    /// `80`, `80:90`, `1024:`.
    private static func range(_ text: String) -> ClosedRange<Int>? {
      let ends = text.split(separator: ":", omittingEmptySubsequences: false)
      guard let low = ends.first.flatMap({ Int($0) }) else { return nil }
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
      case .regex, .number, .truth, .found, .unknown: false
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

extension String {
  fileprivate var trimmingQuotes: String {
    let blank = trimmed
    return blank.count > 1
      && (blank.hasPrefix("\"") && blank.hasSuffix("\"") || blank.hasPrefix("'") && blank.hasSuffix("'"))
      ? String(blank.dropFirst().dropLast()) : blank
  }
}

extension HAProxy {
  /// `replace-path REGEX TEXT`: the first match replaced, `\1` standing for a group; nil if the expression is not known.
  static func replace(_ text: String, _ regex: String, _ replacement: String) -> String? {
    guard let pattern = try? Pattern(regex) else { return nil }
    guard let match = pattern.firstMatch(in: text), let whole = match.groups.first.flatMap({ $0 }),
      let start = text.firstRange(of: whole)
    else { return text }
    var result = ""
    var rest = Substring(replacement)
    while let character = rest.popFirst() {
      guard character == "\\", let number = rest.first?.wholeNumberValue else {
        result.append(character)
        continue
      }
      rest = rest.dropFirst()
      if match.groups.indices.contains(number), let group = match.groups[number] { result += group }
    }
    return text[..<start.lowerBound] + result + text[start.upperBound...]
  }
}
