import Model
import Routes

extension Nginx {
  /// What is asked of nginx.
  struct Request: Sendable {
    /// Lower case, without a port or a dot at the end.
    let host: String
    let port: UInt16
    /// As sent: escaped, with the query.
    let target: String
    let isTLS: Bool
    /// The `Host` header as sent: with the port at which the client asks, unless that is the scheme's own.
    let header: String

    /// `outside` is the port at which the client asks, where that is not nginx's own.
    init(host: String, port: UInt16, path: String, isTLS: Bool, outside: UInt16? = nil) {
      let name = Endpoint(host.lowercased()).host
      self.host = name.hasSuffix(".") ? String(name.dropLast()) : name
      self.port = port
      let visible = path.prefix { $0 != "#" }
      target = visible.hasPrefix("/") ? String(visible) : "/" + visible
      self.isTLS = isTLS
      let asked = outside ?? port
      header = asked == (isTLS ? 443 : 80) ? self.host : "\(self.host):\(asked)"
    }

    /// Nil if there is none or it is empty.
    var query: String? { Self.split(target).query }

    static func split(_ target: String) -> (path: String, query: String?) {
      let parts = target.split(separator: "?", maxSplits: 1)
      return (
        target.hasPrefix("?") ? "" : String(parts.first ?? ""), parts.count > 1 ? String(parts[1]) : nil
      )
    }

    /// The path on which locations are chosen: unescaped, slashes merged, `.` and `..` gone.
    var path: String {
      let bytes = Array(target.prefix { $0 != "?" }.utf8)
      var decoded: [UInt8] = []
      var index = 0
      while index < bytes.count {
        let digits = bytes[(index + 1)...].prefix(2)
        if bytes[index] == UInt8(ascii: "%"), digits.count == 2,
          let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
        {
          decoded.append(byte)
          index += 3
        } else {
          decoded.append(bytes[index])
          index += 1
        }
      }
      var parts: [Substring] = []
      let pieces = String(decoding: decoded, as: UTF8.self).split(separator: "/")
      for piece in pieces where piece != "." {
        if piece == ".." { _ = parts.popLast() } else { parts.append(piece) }
      }
      let isFolder = decoded.last == UInt8(ascii: "/") || pieces.last == "." || pieces.last == ".."
      return "/" + parts.joined(separator: "/") + (isFolder && !parts.isEmpty ? "/" : "")
    }
  }

  /// The variables of one request, and what `set`, `rewrite`, `return` and `if` do to it.
  struct Variables {
    enum Ending {
      case goesOn
      /// `rewrite` gave the request another path.
      case moved
      case returned(code: Int, target: String?, Directive)
      /// Whether this `if` holds cannot be told, and it makes a difference.
      case undecided(Directive)
    }

    private static let deepest = 10
    private static let mostChoices = 16

    private let configuration: Configuration
    private let request: Request
    private let serverName: String
    private(set) var path: String
    private(set) var query: String?
    /// False once a `rewrite` has changed the path: then the request's own text no longer counts.
    private(set) var isAsSent = true
    /// False once a `rewrite … break` has changed the path: then `proxy_pass` replaces no prefix.
    private(set) var isOfLocation = true
    private var values: [String: Traced] = [:]
    /// Variables that an `if` sets of which it cannot be told whether it holds.
    private var unknown: Set<String> = []
    /// The latest match first: numbers mean that one, names any.
    private var groups: [Groups] = []
    /// The last `if` of the block that holds: its settings and its `proxy_pass` come before those around it.
    private(set) var condition: Directive?
    /// The `rewrite` that gave the request its path in a location.
    private(set) var mover: Directive?
    /// Every `if` that refuses the request when it holds, which cannot be told.
    private(set) var refusals: [Refusal] = []

    init(_ configuration: Configuration, _ request: Request, _ chosen: Configuration.ChosenServer) {
      self.configuration = configuration
      self.request = request
      serverName = chosen.server.names.first?.text ?? ""
      path = request.path
      query = request.query
      if let groups = chosen.groups { learn(groups) }
    }

    mutating func learn(_ groups: Groups?) {
      if let groups { self.groups.insert(groups, at: 0) }
    }

    /// Gives the request another path; without one of its own the query stays if it is to.
    mutating func move(to target: String, keepsQuery: Bool) {
      let parts = Request.split(target)
      path = parts.path
      if target.contains("?") || !keepsQuery { query = parts.query }
      isAsSent = false
    }

    /// The part of the path behind its first bytes, as it is sent on: escaped again, with the query.
    func escapedPath(droppingFirst count: Int = 0) -> String {
      let escaped = path.utf8.dropFirst(count).map { byte in
        let stays = (0x21...0x7E).contains(byte) && !"#%?".utf8.contains(byte)
        let digits = String(byte, radix: 16, uppercase: true)
        return stays ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + digits
      }
      return escaped.joined() + (query.map { "?" + $0 } ?? "")
    }

    /// Runs the directives of one block in their order.
    mutating func run(_ block: [Directive]) -> Ending {
      isOfLocation = true
      condition = nil
      var isMoved = false
      return steps(block, &isMoved) ?? (isMoved ? .moved : .goesOn)
    }

    /// Nil where the next directive behind them is next.
    private mutating func steps(_ block: [Directive], _ isMoved: inout Bool) -> Ending? {
      for directive in block {
        switch directive.name {
        case "if":
          let (holds, found) = holds(directive)
          switch holds {
          case false?:
            // Of a file it was only taken that it is not there.
            if directive.asksForFile { refusals += self.refusals(of: directive) }
            continue
          case true?:
            condition = directive
            learn(found)
            if let ending = steps(directive.block ?? [], &isMoved) { return ending }
          case nil:
            let inner = directive.block ?? []
            if inner.contains(where: \.decides) { return .undecided(directive) }
            refusals += self.refusals(of: directive)
            unknown.formUnion(inner.all("set").compactMap { $0.text(0) }.map { String($0.drop { $0 == "$" }) })
          }
        case "set":
          guard let name = directive.text(0), directive.arguments.count > 1 else { continue }
          let variable = String(name.drop { $0 == "$" })
          unknown.remove(variable)
          values[variable] = expand(directive.arguments[1], in: directive.file)
        case "return": return returned(directive)
        case "rewrite":
          guard let found = directive.text(0).flatMap({ configuration.matches($0, path) }) else { continue }
          learn(found)
          if let ending = redirected(directive) { return ending }
          rewrite(directive)
          mover = directive
          // The rewritten URI has a zero length.
          if path.isEmpty { return .returned(code: 500, target: nil, directive) }
          isMoved = true
          if directive.text(2) == "last" { return .moved }
          if directive.text(2) == "break" { fallthrough }
        case "break":
          isOfLocation = !isMoved
          return .goesOn
        default: continue
        }
      }
      return nil
    }

    /// Whether the condition of an `if` holds; nil if that cannot be told. Of files it is taken that those that are asked
    /// for are not there, as of those of `try_files`.
    private func holds(_ directive: Directive) -> (Bool?, Groups?) {
      var words = directive.arguments
      guard let first = words.first?.text, first.hasPrefix("("), let last = words.last?.text, last.hasSuffix(")") else {
        return (nil, nil)
      }
      words[0] = words[0].part(droppingFirst: 1)
      words[words.count - 1] = words[words.count - 1].part(droppingLast: 1)
      if words.first?.text.isEmpty == true { words.removeFirst() }
      if words.last?.text.isEmpty == true { words.removeLast() }
      guard let variable = words.first?.text else { return (nil, nil) }
      let isNegated = variable.hasPrefix("!")
      switch variable.drop(while: { $0 == "!" }) {
      case "-f", "-d", "-e", "-x":
        // The folder of the site itself is there, and so is a script that is asked for.
        let isRoot = path == "/" && (variable.hasSuffix("d") || variable.hasSuffix("e"))
        let isScript = path.isScript && !variable.hasSuffix("d") && words.last?.text.contains("$") == true
        return ((isRoot || isScript) != isNegated, nil)
      default: break
      }
      let known = expand(words[0], in: directive.file).text
      guard !known.contains("$") else { return (nil, nil) }
      guard words.count > 1 else { return (!known.isEmpty && known != "0", nil) }
      guard words.count == 3 else { return (nil, nil) }
      switch words[1].text {
      case "=", "!=":
        let other = expand(words[2], in: directive.file).text
        return (other.contains("$") ? nil : (known == other) == (words[1].text == "="), nil)
      case "~", "~*", "!~", "!~*":
        let regex = (words[1].text.hasSuffix("*") ? "(?i)" : "") + words[2].text
        let groups = configuration.matches(regex, known)
        return ((groups != nil) != words[1].text.hasPrefix("!"), groups)
      default: return (nil, nil)
      }
    }

    private func refusals(of condition: Directive) -> [Refusal] {
      let file = condition.asksForFile ? condition.arguments.last.map { $0.part(droppingLast: 1) } : nil
      let path = file.map { expand($0, in: condition.file).text }.flatMap { $0.hasPrefix("/") ? $0 : nil }
      return (condition.block ?? []).compactMap { inner in
        guard inner.name == "return", let status = inner.text(0).flatMap({ Int($0) }), status >= 400 else { return nil }
        return Refusal(status: status, rule: condition, file: path)
      }
    }

    private func returned(_ directive: Directive) -> Ending {
      let words = directive.arguments.map { expand($0, in: directive.file).text }
      guard let code = words.first.flatMap({ Int($0) }) else {
        return .returned(code: 302, target: words.first, directive)
      }
      return .returned(code: code, target: words.count > 1 ? words[1] : nil, directive)
    }

    /// A `rewrite` that answers with a redirect instead of giving the request another path.
    private func redirected(_ directive: Directive) -> Ending? {
      guard let target = directive.arguments.dropFirst().first else { return nil }
      let leaves = ["http://", "https://", "$scheme"].contains { target.text.hasPrefix($0) }
      guard leaves || directive.text(2) == "redirect" || directive.text(2) == "permanent" else { return nil }
      let code = directive.text(2) == "permanent" ? 301 : 302
      return .returned(code: code, target: expand(target, in: directive.file).text, directive)
    }

    private mutating func rewrite(_ directive: Directive) {
      guard let target = directive.arguments.dropFirst().first else { return }
      let replacement = expand(target, in: directive.file).text
      let old = query
      move(to: replacement, keepsQuery: true)
      // A `?` at the end drops the old query, any other one puts the new query before it.
      if replacement.contains("?"), !replacement.hasSuffix("?"), let old {
        query = [query, old].compactMap { $0 }.joined(separator: "&")
      }
    }

    /// The argument with its variables replaced. One whose value cannot be known, or is too long, stays as it is written.
    func expand(_ argument: Argument, in file: String) -> Traced {
      var room = Limits.value
      return expand(argument, in: file, depth: 0, &room)
    }

    /// The same, for each value that a visitor may get of the variable of `split_clients` in it; one, if it has none.
    func choices(_ argument: Argument, in file: String) -> [Traced] {
      let value = expand(argument, in: file)
      let found = configuration.splits.keys.sorted().lazy.compactMap { name in
        ["$\(name)", "${\(name)}"].lazy.compactMap { value.bytes.firstRange(of: Array($0.utf8)) }.first
          .map { (name: name, range: $0) }
      }
      guard let (name, range) = found.max(by: { $0.range.count < $1.range.count }),
        let parts = configuration.splits[name]?.block, !parts.isEmpty
      else { return [value] }
      return parts.prefix(Self.mostChoices).compactMap { part in
        part.arguments.first.map { argument in
          var choice = value[0..<range.lowerBound]
          choice += expand(argument, in: part.file)
          choice += value[range.upperBound..<value.bytes.count]
          return choice
        }
      }
    }

    /// `room` is for the bytes of values, and as many more variables, as a map may ask for without any byte.
    private func expand(_ argument: Argument, in file: String, depth: Int, _ room: inout Int) -> Traced {
      let source = Traced(argument, in: file)
      let bytes = source.bytes
      var result = Traced("")
      var index = 0
      while index < bytes.count {
        guard bytes[index] == UInt8(ascii: "$") else {
          let end = bytes[index...].firstIndex(of: UInt8(ascii: "$")) ?? bytes.count
          result += source[index..<end]
          index = end
          continue
        }
        let isBraced = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "{")
        let start = index + (isBraced ? 2 : 1)
        let name = bytes[min(start, bytes.count)...].prefix { byte in
          byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
        let end = min(name.endIndex + (isBraced ? 1 : 0), bytes.count)
        room -= 1
        if room > 0, let value = value(of: String(decoding: name, as: UTF8.self), depth: depth + 1, &room),
          value.bytes.count <= room
        {
          room -= value.bytes.count
          result += value
        } else {
          result += Traced(String(decoding: bytes[index..<end], as: UTF8.self))
        }
        index = max(end, index + 1)
      }
      return result
    }

    private func value(of name: String, depth: Int, _ room: inout Int) -> Traced? {
      if unknown.contains(name) { return nil }
      if let value = values[name] { return value }
      if name.allSatisfy(\.isNumber), !name.isEmpty { return groups.first.map { Traced($0(name) ?? "") } }
      if let text = groups.lazy.compactMap({ $0(name) }).first { return Traced(text) }
      if let map = configuration.maps[name], depth < Self.deepest { return value(of: map, depth: depth, &room) }
      let text: String? =
        switch name {
        case "scheme": request.isTLS ? "https" : "http"
        case "https": request.isTLS ? "on" : ""
        case "host": request.host
        case "http_host": request.header
        case "request_method": "GET"
        case _ where name.hasPrefix("http_"):
          PlainRequest.mayHave(header: String(name.dropFirst(5).replacing("_", with: "-"))) ? nil : ""
        // Its first visit has none.
        case _ where name.hasPrefix("cookie_"): ""
        case _ where name.hasPrefix("arg_"): argument(String(name.dropFirst(4)))
        case "server_name": serverName
        // What the visitor asks for within TLS, read before it is passed on.
        case "ssl_preread_server_name": request.isTLS ? request.host : ""
        case "server_port": String(request.port)
        case "request_uri": request.target
        case "uri", "document_uri": path
        case "args", "query_string": query ?? ""
        case "is_args": query == nil ? "" : "?"
        default: nil
        }
      return text.map { Traced($0) }
    }

    /// A value of the query; names have no case.
    private func argument(_ name: String) -> String {
      let pairs = (query ?? "").split(separator: "&")
      let pair = pairs.first { $0.lowercased().hasPrefix(name.lowercased() + "=") }
      return pair.map { String($0.dropFirst(name.count + 1)) } ?? ""
    }

    /// The value of a `map`: the entry of its source's value where that is known, else `default`.
    private func value(of map: Directive, depth: Int, _ room: inout Int) -> Traced? {
      guard let source = map.arguments.first, let block = map.block, !Task.isCancelled else { return nil }
      room -= block.count / 64
      let key = expand(source, in: map.file, depth: depth, &room).text
      let entries = block.filter { !["default", "hostnames", "volatile"].contains($0.name) }
      var entry = block.first("default")
      if !key.contains("$") {
        let hasWildcards = block.first("hostnames") != nil
        let names = entries.map { $0.name.hasPrefix("\\") ? String($0.name.dropFirst()) : $0.name }
        let place =
          hasWildcards
          ? Nginx.choose(among: names, for: key.lowercased(), matches: configuration.matches)?.index
          : names.firstIndex { $0.lowercased() == key.lowercased() }
            ?? names.firstIndex { $0.hasPrefix("~") && matches(String($0.dropFirst()), key) }
        entry = place.map { entries[$0] } ?? entry
      }
      guard let entry else { return Traced("") }
      return entry.arguments.first.map { expand($0, in: entry.file, depth: depth, &room) }
    }

    private func matches(_ regex: String, _ text: String) -> Bool {
      let isCaseless = regex.hasPrefix("*")
      return configuration.matches(isCaseless ? "(?i)" + regex.dropFirst() : regex, text) != nil
    }
  }
}

extension Nginx.Directive {
  /// An `if` that asks whether a file is there: `if (-f /srv/maintenance.on)`.
  fileprivate var asksForFile: Bool { ["(-f", "(-e", "(-d"].contains(text(0)) && arguments.count == 2 }

  /// Within an `if`: it decides what becomes of a request, and is more than a refusal, which keeps strangers out.
  fileprivate var decides: Bool {
    switch name {
    case "return": arguments.count > 1 || !["4", "5"].contains(text(0)?.prefix(1))
    case "rewrite", "break", "root", "alias": true
    default: Nginx.Route.Kind(pass: name) != nil
    }
  }
}

extension Nginx.Argument {
  /// The same word without its first or last bytes.
  fileprivate func part(droppingFirst first: Int = 0, droppingLast last: Int = 0) -> Nginx.Argument {
    Nginx.Argument(
      text: String(text.dropFirst(first).dropLast(last)), line: line,
      columns: columns.map { $0.lowerBound + first..<max($0.lowerBound + first, $0.upperBound - last) })
  }
}
