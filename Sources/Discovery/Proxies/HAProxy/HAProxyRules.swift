import Model

extension HAProxy {
  /// Rules of one kind, in their order, and which of them can hold for a host at all: most sites are told apart by their
  /// names, and there may be thousands of them.
  struct Rules: Sendable, Equatable {
    private let all: [Directive]
    /// Places in `all` by names in lower case and without a port.
    private var named: [String: [Int]] = [:]
    /// Places of those that may hold for any host.
    private var others: [Int] = []
    /// A rule gives the request another host: then it is not known beforehand which ones are about it.
    private let changesHost: Bool

    init(of section: Section, _ rules: [Directive]) {
      all = rules
      changesHost = rules.contains { rule in
        rule.arguments.first?.hasSuffix("-header") == true && rule.arguments.dropFirst().first?.lowercased() == "host"
      }
      for (place, rule) in rules.enumerated() {
        if let hosts = Condition(rule.arguments[...])?.hosts(in: section) {
          for host in hosts { named[host, default: []].append(place) }
        } else {
          others.append(place)
        }
      }
    }

    /// The rules that may hold for a request with one of these names; nil: its name is not known.
    func about(_ hosts: [String]?) -> [Directive] {
      guard let hosts, !changesHost else { return all }
      let names = Set(hosts.map { $0.withoutPort.lowercased() })
      return (others + names.flatMap { named[$0] ?? [] }).sorted().map { all[$0] }
    }
  }

  /// The words after `if` or `unless`.
  struct Condition {
    enum Test {
      /// An ACL's name.
      case named(String)
      /// What stands between braces.
      case inline([String])
    }

    let isUnless: Bool
    /// One of these has to hold, and of it all tests.
    private(set) var alternatives: [[(isNegated: Bool, test: Test)]] = [[]]

    /// Nil without either word: then the rule always holds.
    init?(_ words: ArraySlice<String>) {
      guard let start = words.firstIndex(where: { $0 == "if" || $0 == "unless" }) else { return nil }
      isUnless = words[start] == "unless"
      var isNegated = false
      var rest = words[(start + 1)...]
      while let word = rest.popFirst() {
        if word == "||" || word == "or" {
          alternatives.append([])
          isNegated = false
          continue
        }
        var name = Substring(word)
        while name.first == "!" {
          isNegated.toggle()
          name = name.dropFirst()
        }
        if name.isEmpty { continue }
        var test = Test.named(String(name))
        if name == "{" {
          let inside = rest.prefix { $0 != "}" }
          rest = rest.dropFirst(inside.count + 1)
          test = .inline(Array(inside))
        }
        alternatives[alternatives.count - 1].append((isNegated, test))
        isNegated = false
      }
    }

    /// The names of which the request has to have one; nil where it may have any.
    fileprivate func hosts(in section: Section) -> Set<String>? {
      guard !isUnless else { return nil }
      var hosts: Set<String> = []
      for tests in alternatives {
        let named = tests.lazy.filter { !$0.isNegated }.compactMap { Self.hosts(of: $0.test, in: section) }.first
        guard let named else { return nil }
        hosts.formUnion(named)
      }
      return hosts
    }

    private static func hosts(of test: Test, in section: Section) -> Set<String>? {
      switch test {
      case .inline(let words): return hosts(of: words)
      case .named(let name):
        guard let lines = section.conditions[name] else { return nil }
        return lines.reduce(into: Set() as Set<String>?) { hosts, acl in
          guard let own = acl.mayHold ? nil : Self.hosts(of: Array(acl.arguments.dropFirst())) else {
            return hosts = nil
          }
          hosts?.formUnion(own)
        }
      }
    }

    /// `hdr(host) -i a.example.org b.example.org`: the names, if the host has to be one of them.
    private static func hosts(of words: [String]) -> Set<String>? {
      let calls = Expression(words.first ?? "").calls
      guard let fetch = calls.first, fetch.isOfName, calls.dropFirst().allSatisfy(\.keepsName) else { return nil }
      var rest = words.dropFirst()
      while let flag = rest.first, flag.hasPrefix("-") {
        rest = rest.dropFirst()
        if flag == "--" { break }
        if flag == "-m", rest.popFirst() == "str" { continue }
        guard flag == "-i" else { return nil }
      }
      // A value with something to be filled in may be any name.
      guard !rest.contains(where: { $0.contains("$") || $0.contains("%") }) else { return nil }
      return Set(rest.map { $0.withoutPort.lowercased() })
    }
  }
}

extension HAProxy.Expression.Call {
  /// It gives the whole name that the client asks for.
  fileprivate var isOfName: Bool {
    switch name {
    case "hdr", "req.hdr", "req.fhdr", "req_hdr": arguments.map { $0.lowercased() } == ["host"]
    case "ssl_fc_sni", "req.ssl_sni", "req_ssl_sni": true
    default: false
    }
  }

  /// It changes nothing of a name but its letters and its port.
  fileprivate var keepsName: Bool {
    switch name {
    case "lower", "host_only": true
    case "field", "word": arguments == ["1", ":"]
    default: false
    }
  }
}
