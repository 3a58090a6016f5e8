import Model
import Pattern
import Routes

extension Lighttpd {
  /// A request as conditions see it. What a visitor's own machine decides is not known.
  struct Visit: Sendable {
    /// With the port, if it is not the scheme's own, as the `Host` header has it.
    let authority: String
    let scheme: String
    /// The port at which it comes in.
    let port: UInt16
    /// The path, decoded and normalised; the query without its `?`.
    var path: String
    var query: String
  }

  enum Verdict: Sendable { case yes, no, unknown }
}

extension Lighttpd.Condition {
  private static let fields = [
    "url", "host", "referer", "useragent", "user-agent", "language", "cookie", "remoteip", "remote-ip", "querystring",
    "query-string", "request-method", "scheme",
  ]

  /// True if lighttpd has such a condition.
  var isKnown: Bool {
    switch object {
    case "REQUEST_HEADER": true
    case "SERVER": field == "socket"
    case "HTTP": Self.fields.contains(field)
    default: false
    }
  }

  var isHost: Bool { object == "HTTP" && field == "host" || object == "REQUEST_HEADER" && field.lowercased() == "host" }

  func verdict(of visit: Lighttpd.Visit) -> Lighttpd.Verdict {
    guard let wanted = value.text else { return .unknown }
    switch (object, field) {
    case ("HTTP", "host"): return host(visit.authority, wanted)
    case ("REQUEST_HEADER", _) where isHost: return compare(visit.authority, wanted)
    case ("HTTP", "url"): return compare(visit.path, wanted)
    case ("HTTP", "scheme"): return compare(visit.scheme, wanted)
    case ("HTTP", "querystring"), ("HTTP", "query-string"): return compare(visit.query, wanted)
    case ("HTTP", "request-method"): return compare("GET", wanted)
    case ("SERVER", "socket"):
      guard let port = wanted.socketPort else { return wanted.hasPrefix("/") ? .no : .unknown }
      switch comparison {
      case "==": return port == visit.port ? .yes : .no
      case "!=": return port == visit.port ? .no : .yes
      default: return .unknown
      }
    default: return .unknown
    }
  }

  /// A name without a port is the visitor's with any port; a regular expression sees both, unless it is only a name
  /// between `^` and `$`. Visitors' names are in small letters, whatever the file has.
  private func host(_ authority: String, _ wanted: String) -> Lighttpd.Verdict {
    var (name, isEqual) = (wanted, comparison == "==")
    if comparison == "=~", wanted.hasPrefix("^"), wanted.hasSuffix("$"), wanted.count > 1 {
      let plain = String(wanted.dropFirst().dropLast())
      if !plain.contains(where: { "\\^$.|?*+()[]{}".contains($0) }) { (name, isEqual) = (plain, true) }
    }
    guard isEqual || comparison == "!=" else { return compare(authority, wanted) }
    func fits(_ long: String, _ short: String) -> Bool {
      long.hasPrefix(short + ":") && long.utf8.count - short.utf8.count <= 6
    }
    let isSame = authority == name || fits(authority, name) || fits(name, authority)
    return isSame == isEqual ? .yes : .no
  }

  private func compare(_ text: String, _ wanted: String) -> Lighttpd.Verdict {
    switch comparison {
    case "==": return text == wanted ? .yes : .no
    case "!=": return text == wanted ? .no : .yes
    case "=^": return text.hasPrefix(wanted) ? .yes : .no
    case "=$": return text.hasSuffix(wanted) ? .yes : .no
    default:
      guard let pattern = try? Pattern(wanted) else { return .unknown }
      return pattern.matches(text) == (comparison == "=~") ? .yes : .no
    }
  }

  /// What its regular expression found in the request, for `%1` in a rewrite.
  func groups(of visit: Lighttpd.Visit) -> [String?] {
    guard comparison == "=~", let wanted = value.text, let pattern = try? Pattern(wanted) else { return [] }
    let text: String
    switch (object, field) {
    case ("HTTP", "host"): text = visit.authority
    case ("HTTP", "url"): text = visit.path
    case ("HTTP", "querystring"), ("HTTP", "query-string"): text = visit.query
    default: return []
    }
    return pattern.firstMatch(in: text)?.groups ?? []
  }

  /// The site's name that it asks for; of a regular expression the name that it plainly spells.
  var host: (name: String, span: Span?)? {
    guard isHost, let text = value.text else { return nil }
    if comparison == "==" { return (text, value.span) }
    guard comparison == "=~" else { return nil }
    var name = text[...]
    let start = name.hasPrefix("^") ? 1 : 0
    name = name.dropFirst(start)
    if name.hasSuffix("$") { name = name.dropLast() }
    let plain = name.replacing("\\.", with: ".")
    guard !plain.isEmpty, plain.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" }) else { return nil }
    return (String(plain), nil)
  }
}

extension Lighttpd.Condition {
  /// How a path has to begin, if it plainly says that: `$HTTP["url"] =^ "/app/"`, `=~ "^/app(/|$)"`.
  var prefix: String? {
    guard object == "HTTP", field == "url", let text = value.text else { return nil }
    switch comparison {
    case "=^": return text
    case "=~":
      guard text.hasPrefix("^/") else { return nil }
      var plain = text.dropFirst()
      for end in ["(/|$)", "(?:/|$)", "($|/)", "/?", ".*"] where plain.hasSuffix(end) {
        plain = plain.dropLast(end.count)
      }
      return plain.allSatisfy { $0.isLetter || $0.isNumber || "/-_".contains($0) } ? String(plain) : nil
    default: return nil
    }
  }
}

extension Lighttpd.Configuration {
  /// Which blocks count for a request, and which may.
  struct Selection: Sendable {
    /// Indices in the order in which they count: the last one that has a setting wins.
    private(set) var holding: [Int] = []
    private(set) var maybe: [Int] = []

    init(_ configuration: Lighttpd.Configuration, _ visit: Lighttpd.Visit) {
      enum State { case yes, no, skipped, unknown }
      var states: [State] = []
      for (index, block) in configuration.blocks.enumerated() {
        var state: State
        switch block.condition?.verdict(of: visit) ?? .yes {
        case .yes: state = .yes
        case .no: state = .no
        case .unknown: state = .unknown
        }
        // An `else` counts only where the block before it was asked and did not hold.
        if let previous = block.previous {
          switch states[previous] {
          case .no: break
          case .yes, .skipped: state = .skipped
          case .unknown: state = state == .no ? .no : .unknown
          }
        }
        if let parent = block.parent {
          switch states[parent] {
          case .yes: break
          case .no, .skipped: state = .skipped
          case .unknown: state = state == .no || state == .skipped ? .skipped : .unknown
          }
        }
        states.append(state)
        if state == .yes { holding.append(index) }
        if state == .unknown { maybe.append(index) }
      }
    }
  }

  /// The setting that counts, with the block that has it.
  func setting(_ name: String, in selection: Selection) -> (value: Lighttpd.Value, block: Int)? {
    selection.holding.last { blocks[$0].settings[name] != nil }.flatMap { index in
      blocks[index].settings[name].map { ($0, index) }
    }
  }

  /// A block that may count, by what only a visitor decides, and has one of these settings.
  func undecided(_ names: [String], in selection: Selection) -> Lighttpd.Block? {
    selection.maybe.lazy.map { blocks[$0] }.first { block in names.contains { block.settings[$0] != nil } }
  }

  func global(_ name: String) -> Lighttpd.Value? { blocks[0].settings[name] }

  /// Where it listens: ports of the network, and which of them speak TLS.
  var ports: [(port: UInt16, isTLS: Bool)] {
    let isTLS = { (block: Lighttpd.Block) in block.settings["ssl.engine"]?.text == "enable" }
    let own = global("server.port")?.text.flatMap { UInt16($0) } ?? (isTLS(blocks[0]) ? 443 : 80)  // fits: optional
    var ports = [(port: own, isTLS: isTLS(blocks[0]))]
    for block in blocks {
      guard let condition = block.condition, condition.object == "SERVER", condition.comparison == "==",
        let port = condition.value.text?.socketPort
      else { continue }
      let speaks = block.settings["ssl.engine"].map { $0.text == "enable" } ?? isTLS(blocks[0])
      if let same = ports.firstIndex(where: { $0.port == port }) {
        ports[same].isTLS = ports[same].isTLS || speaks
      } else {
        ports.append((port, speaks))
      }
    }
    return ports
  }
}

extension String {
  /// The port of `:80`, `0.0.0.0:80`, `[::]:80`; nil for a Unix socket, and where there is none.
  fileprivate var socketPort: UInt16? {
    guard !hasPrefix("/"), let colon = lastIndex(of: ":") else { return nil }
    return UInt16(self[index(after: colon)...])  // fits: optional
  }
}
