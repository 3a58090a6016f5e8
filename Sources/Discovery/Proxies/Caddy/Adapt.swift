import Model
import Routes

extension Caddyfile {
  /// What Caddy would run by a Caddyfile, and the first thing that keeps it from doing so.
  struct Adapted: Sendable {
    fileprivate(set) var configuration = Caddy.Configuration()
    fileprivate(set) var problem: Problem?
    /// The address of the admin API, if it is written.
    fileprivate(set) var admin: String?
  }

  static func adapt(_ blocks: Blocks, environment: Environment? = nil) -> Adapted {
    var adapter = Adapter(blocks: blocks, environment: environment)
    return adapter.run()
  }

  /// Directives of Caddy's standard build in the order in which it applies them, whatever order they are written in.
  fileprivate static let order = [
    "tracing", "map", "vars", "fs", "root", "log_append", "skip_log", "log_skip", "log_name", "header",
    "copy_response_headers", "request_body", "timeouts", "redir", "method", "rewrite", "uri", "try_files", "basicauth",
    "basic_auth", "forward_auth", "request_header", "encode", "push", "intercept", "templates", "invoke", "handle",
    "handle_path", "route", "abort", "error", "copy_response", "respond", "metrics", "reverse_proxy", "php_fastcgi",
    "file_server", "acme_server",
  ]
  /// Directives of Caddy 1 that are none any more, and no plugin's either.
  fileprivate static let ofVersion1: Set<String> = [
    "proxy", "fastcgi", "gzip", "internal", "startup", "shutdown", "ext", "expvar", "websocket",
  ]
  /// Of `tls`, where somebody answers the challenge by DNS.
  fileprivate static let optionsOfDNS: Set<String> = [
    "dns_ttl", "propagation_delay", "propagation_timeout", "dns_challenge_override_domain",
  ]
  /// Those that are no handlers.
  fileprivate static let others = ["bind", "tls", "log", "handle_errors"]
}

extension Caddyfile {
  fileprivate struct Adapter {
    let blocks: Blocks
    /// For `{env.NAME}`, which Caddy fills in when it starts.
    let environment: Environment?
    private var adapted = Adapted()
    private var order = Caddyfile.order
    private var plainPort = "80"
    private var tlsPort = "443"
    /// The global options name who answers the challenge by DNS.
    private var hasDNS = false
    private var groups = 0
    private var named: [String: Caddy.Route] = [:]
    /// What each named route invokes, and what sites do (nil).
    private var invoked: [String?: [Token]] = [:]
    /// The named route that is being read.
    private var inRoute: String?
    /// The matcher that is being read: its regular expressions are known to placeholders by its name.
    private var name = ""
    /// How deep a matcher stands in others.
    private var depth = 0
    private static let deepest = 100

    init(blocks: Blocks, environment: Environment?) { (self.blocks, self.environment) = (blocks, environment) }

    mutating func run() -> Adapted {
      adapted.problem = blocks.problem
      var sites = blocks.sites
      if let first = sites.first, first.keys.isEmpty {
        options(first.directives)
        sites.removeFirst()
      }
      for site in sites where site.keys.isEmpty {
        let line = site.directives.first?.name
        note("global options have to be the first block", at: line)
      }
      for site in sites {
        guard let name = site.routeName else { continue }
        if named[name] != nil { note("the named route \(name) is there twice", at: site.keys.first) }
        inRoute = name
        named[name] = Caddy.Route(handlers: [.subroute(routes(of: site.directives, [:], sorted: false))])
      }
      inRoute = nil
      servers(sites.filter { $0.routeName == nil && !$0.keys.isEmpty })
      findInvoked()
      return adapted
    }

    /// Named routes that no site invokes may invoke what is not there.
    private mutating func findInvoked() {
      var seen: Set<String> = []
      var left = invoked[nil] ?? []
      while let token = left.popLast() {
        guard seen.insert(token.text).inserted else { continue }
        if named[token.text] == nil {
          note("cannot invoke named route \(token.text), which was not defined", at: token, near: named.keys.sorted())
        }
        left += invoked[token.text] ?? []
      }
    }

    private mutating func note(
      _ message: String, at token: Token?, near: [String]? = nil, mayBePlugin: Bool = false
    ) {
      guard adapted.problem == nil, let token else { return }
      adapted.problem = Problem(
        message: message, file: token.file, line: token.line, word: near == nil ? nil : blocks.span(token),
        near: near.flatMap { token.text.nearest(among: $0) }, mayBePlugin: mayBePlugin)
    }

    private mutating func options(_ directives: [Directive]) {
      hasDNS = directives.contains { ["dns", "acme_dns"].contains($0.name.text) }
      for option in directives {
        let words = option.arguments.map(\.text)
        switch option.name.text {
        case "http_port": plainPort = words.first ?? plainPort
        case "https_port": tlsPort = words.first ?? tlsPort
        case "admin": adapted.admin = words.first
        case "acme_dns":
          if words.isEmpty, option.block == nil, !directives.contains(where: { $0.name.text == "dns" }) {
            note("acme_dns specified without DNS provider config", at: option.name)
          }
        case "servers":
          for line in option.block ?? [] where !Caddyfile.serverOptions.contains(line.name.text) {
            note("unrecognized servers option \(line.name.text)", at: line.name, near: Caddyfile.serverOptions)
          }
        case "order":
          guard words.count > 1 else { continue }
          order.removeAll { $0 == words[0] }
          let mark = words.count > 2 ? order.firstIndex(of: words[2]) : nil
          switch (words[1], mark) {
          case ("first", _): order.insert(words[0], at: 0)
          case ("before", let mark?): order.insert(words[0], at: mark)
          case ("after", let mark?): order.insert(words[0], at: mark + 1)
          default: order.append(words[0])
          }
        case "log":
          if option.arguments.isEmpty || words == ["default"], let output = option.first("output"),
            output.arguments.first?.text == "file"
          {
            adapted.configuration.logFile = output.arguments.dropFirst().first?.text
          }
        default:
          guard !Caddyfile.globalOptions.contains(option.name.text) else { continue }
          note(
            "unrecognized global option: \(option.name.text)", at: option.name, near: Caddyfile.globalOptions,
            mayBePlugin: true)
        }
      }
    }

    // MARK: Sites

    private struct Address {
      let scheme: String?
      let host: String
      let port: String
      let path: String
      let token: Token
      let hostColumns: Range<Int>
    }

    private mutating func address(_ key: Token) -> Address? {
      var rest = key.text[...]
      var scheme: String?
      if let split = rest.firstRange(of: "://") {
        scheme = rest[..<split.lowerBound].lowercased()
        rest = rest[split.upperBound...]
        if let scheme, !["http", "https"].contains(scheme), !key.text.hasPrefix("{") {
          note("unsupported URL scheme \(scheme)://", at: key)
        }
      }
      let path = rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? ""
      rest = rest.dropLast(path.count)
      let start = key.text.utf8.distance(from: key.text.startIndex, to: rest.startIndex)
      let dial = Caddy.Dial(String(rest))
      if !dial.port.isEmpty, UInt16(dial.port) == nil {
        note("the port of \(key.text) is no number", at: key)
        return nil
      }
      let port = dial.port.isEmpty ? scheme == "http" ? plainPort : tlsPort : dial.port
      return Address(
        scheme: scheme, host: dial.host.lowercased(), port: port, path: path, token: key,
        hostColumns: start..<start + dial.host.utf8.count)
    }

    private mutating func servers(_ sites: [Site]) {
      var parsed: [(addresses: [Address], routes: [Caddy.Route], handlesErrors: Bool, hasTLS: Bool)] = []
      /// Addresses with what they are bound to.
      var taken: Set<[String]> = []
      for site in sites {
        let known = Caddyfile.order + Caddyfile.others
        if let key = site.keys.first(where: { known.contains($0.text) }) {
          note("the directive \(key.text) stands outside of a site", at: key)
        }
        let addresses = site.keys.compactMap { address($0) }
        let routes = routes(of: site.directives, [:], sorted: true)
        let bound = site.directives.filter { $0.name.text == "bind" }.flatMap { $0.arguments.map(\.text) }.sorted()
        let own = Set(addresses.map { [$0.token.text] + bound })
        if let twice = addresses.first(where: { taken.contains([$0.token.text] + bound) }) {
          note("ambiguous site definition: \(twice.token.text)", at: twice.token)
        }
        taken.formUnion(own)
        func has(_ name: String) -> Bool { site.directives.contains { $0.name.text == name } }
        for tls in site.directives where tls.name.text == "tls" && tls.first("dns") == nil && !hasDNS {
          let option = tls.block?.first { Caddyfile.optionsOfDNS.contains($0.name.text) }
          if let option {
            note("setting DNS challenge options [\(option.name.text)] requires a DNS provider", at: option.name)
          }
        }
        parsed.append((addresses, routes, has("handle_errors"), has("tls")))
      }
      var ports: [String] = []
      for port in parsed.flatMap(\.addresses).map(\.port) where !ports.contains(port) { ports.append(port) }
      for port in ports {
        guard let number = UInt16(port) else { continue }
        var server = Caddy.Server(name: ":\(port)", ports: [number...number], named: named)
        let here = parsed.compactMap {
          site -> (keys: [Address], routes: [Caddy.Route], handlesErrors: Bool, hasTLS: Bool)? in
          let keys = site.addresses.filter { $0.port == port }
          return keys.isEmpty ? nil : (keys, site.routes, site.handlesErrors, site.hasTLS)
        }
        let ordered = here.enumerated().sorted { left, right in
          Self.isMoreSpecific(left.element.keys, right.element.keys)
            || !Self.isMoreSpecific(right.element.keys, left.element.keys) && left.offset < right.offset
        }.map(\.element)
        server.isTLS =
          port != plainPort
          && here.contains {
            $0.hasTLS
              || $0.keys.contains { $0.scheme == "https" || $0.scheme == nil && (!$0.host.isEmpty || port == tlsPort) }
          }
        server.handlesErrors = here.contains(where: \.handlesErrors)
        server.routes = ordered.map { site in
          var route = Caddy.Route(handlers: [.subroute(site.routes)], isTerminal: true)
          var matchers: [Caddy.Matcher] = []
          if !site.keys.contains(where: \.host.isEmpty) {
            matchers.append(.host(site.keys.map(\.host)))
            for key in site.keys { route.sites[key.host] = blocks.span(key.token, key.hostColumns) }
          }
          let paths = site.keys.map(\.path).filter { !$0.isEmpty }
          if !paths.isEmpty { matchers.append(.path(paths)) }
          route.matchers = matchers.isEmpty ? [] : [matchers]
          return route
        }
        adapted.configuration.servers.append(server)
      }
    }

    /// The site with the longer name comes first, those with wildcards after those without.
    private static func isMoreSpecific(_ left: [Address], _ right: [Address]) -> Bool {
      func rank(_ keys: [Address]) -> (host: Int, path: Int, isWild: Bool) {
        let hosts = keys.map { $0.host.replacing("*", with: "").count }
        return (
          hosts.max() ?? 0, keys.map(\.path.count).max() ?? 0,
          keys.contains { $0.host.contains("*") || $0.host.isEmpty }
        )
      }
      let (left, right) = (rank(left), rank(right))
      if left.host == 0 { return false }
      if right.host == 0 { return true }
      if left.isWild != right.isWild { return right.isWild }
      return left.host == right.host ? left.path > right.path : left.host > right.host
    }

    // MARK: Routes

    private typealias Matchers = [String: [Caddy.Matcher]]

    private mutating func routes(of directives: [Directive], _ above: Matchers, sorted: Bool) -> [Caddy.Route] {
      var matchers = above
      for directive in directives where directive.name.text.hasPrefix("@") {
        matchers[directive.name.text] = named(directive)
      }
      var found: [(directive: String, route: Caddy.Route)] = []
      for directive in directives where !directive.name.text.hasPrefix("@") {
        let name = directive.name.text
        let group = name == "handle_path" ? "handle" : name
        found += routes(of: directive, matchers).map { (group, $0) }
      }
      if sorted {
        found = found.enumerated().sorted { left, right in
          isBefore(left.element, right.element)
            || !isBefore(right.element, left.element) && left.offset < right.offset
        }.map(\.element)
      }
      for exclusive in ["handle", "rewrite", "root"] {
        let places = found.indices.filter { found[$0].directive == exclusive }
        guard places.count > 1 else { continue }
        groups += 1
        for place in places { found[place].route.group = "group\(groups)" }
      }
      return found.map(\.route)
    }

    private func isBefore(
      _ left: (directive: String, route: Caddy.Route), _ right: (directive: String, route: Caddy.Route)
    )
      -> Bool
    {
      if left.directive != right.directive {
        return (order.firstIndex(of: left.directive) ?? -1) < (order.firstIndex(of: right.directive) ?? -1)
      }
      if let one = left.route.onlyPath, let other = right.route.onlyPath {
        let (short, long) = (one.withoutStar, other.withoutStar)
        if short == long { return one.count < other.count }
        return short.count == long.count ? short < long : short.count > long.count
      }
      return !left.route.matchers.isEmpty && right.route.matchers.isEmpty
    }

    private mutating func routes(of directive: Directive, _ matchers: Matchers) -> [Caddy.Route] {
      var directive = directive
      let known = Caddyfile.order + Caddyfile.others
      if !known.contains(directive.name.text), !order.contains(directive.name.text) {
        // A site's address is no plugin's directive: the site before it has no end.
        let isName = directive.name.text.utf8.allSatisfy { byte in
          (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || "0123456789_-".utf8.contains(byte)
        }
        let mayBePlugin = isName && !Caddyfile.ofVersion1.contains(directive.name.text)
        note(
          "unrecognized directive: \(directive.name.text)", at: directive.name, near: known, mayBePlugin: mayBePlugin)
        // With the word that was probably meant the route can still be followed.
        guard let near = directive.name.text.nearest(among: known) else { return [] }
        directive.name.text = near
      }
      let name = directive.name.text
      let given = directive.arguments.first
      let set = matcher(of: &directive, matchers)
      if let (least, most) = Caddyfile.counts[name], !(least...most).contains(directive.arguments.count) {
        note(
          "wrong argument count or unexpected line ending after \((given ?? directive.name).text)", at: directive.name)
      }
      func route(_ handlers: Caddy.Handler...) -> [Caddy.Route] {
        [Caddy.Route(matchers: set.map { [$0] } ?? [], handlers: handlers)]
      }
      let words = directive.arguments.map(\.text)
      switch name {
      case "handle", "route":
        return route(.subroute(routes(of: directive.block ?? [], matchers, sorted: name == "handle")))
      case "handle_path":
        let path = words.first ?? ""
        if !path.hasPrefix("/") { note("path matcher must begin with /, got \(path)", at: given ?? directive.name) }
        let prefix = path.hasSuffix("/*") ? String(path.dropLast(2)) : path.withoutStar
        let by = ("handle_path \(path)", blocks.span(directive.name))
        let strip = Caddy.Route(handlers: [.rewrite(Caddy.Rewrite(prefix: prefix, by: by))])
        let inner = routes(of: directive.block ?? [], matchers, sorted: true)
        return [Caddy.Route(matchers: [[.path([path])]], handlers: [.subroute([strip] + inner)])]
      case "rewrite": return route(.rewrite(Caddy.Rewrite(uri: words.last?.expanded)))
      case "uri": return route(.rewrite(rewrite(words)))
      case "try_files":
        return [
          Caddy.Route(
            matchers: [[.file(tried: words.map(\.expanded))]],
            handlers: [.rewrite(Caddy.Rewrite(uri: "{http.matchers.file.relative}"))])
        ]
      case "redir": return route(.answer(status: words.count > 1 && words[1] == "permanent" ? 301 : 302))
      case "respond":
        let status = words.compactMap { Int($0) }.last { (100..<600).contains($0) }
        let said = ([directive.name.text] + words).joined(separator: " ")
        return route(.answer(status: status ?? 200, by: (said, blocks.span(directive.name))))
      case "error": return route(.answer(status: words.compactMap { Int($0) }.last ?? 500))
      case "abort", "metrics", "acme_server": return route(.answer(status: 200))
      case "map": return route(.sets(assignments(map: directive)))
      case "vars":
        var pairs = (directive.block ?? []).map { ($0.name.text, $0.arguments.first?.text ?? "") }
        if words.count > 1 { pairs.append((words[0], words[1])) }
        return route(.sets(pairs.map { Caddy.Assignment(name: "http.vars.\($0)", otherwise: $1.expanded) }))
      case "file_server": return route(directive.first("pass_thru") == nil ? .files : .passes)
      case "invoke":
        if let name = directive.arguments.first { invoked[inRoute, default: []].append(name) }
        return route(.invoke(words.first ?? ""))
      case "intercept":
        for line in directive.block ?? [] { checkResponse(line) }
        return route(.passes)
      case "reverse_proxy": return route(.proxy(proxy(directive)))
      case "forward_auth":
        var auth = proxy(directive)
        auth.isAuth = true
        let uris = (directive.block ?? []).filter { $0.name.text == "uri" }
        if uris.count > 1 { note("uri is there twice", at: uris[1].name) }
        return route(.proxy(auth))
      case "php_fastcgi":
        var php = proxy(directive)
        php.speaks = "fastcgi"
        let index = directive.first("index")?.arguments.first?.text ?? "index.php"
        let tried = directive.first("try_files")?.arguments.map(\.text.expanded) ?? []
        let file: Caddy.Matcher =
          index == "off" ? .file(last: nil) : .file(tried: tried.isEmpty ? ["{http.request.uri.path}", index] : tried)
        let rewrite = Caddy.Route(
          matchers: [[file]], handlers: [.rewrite(Caddy.Rewrite(uri: "{http.matchers.file.relative}"))])
        if let wait = directive.first("dial_timeout")?.arguments.first {
          php.connectTimeout = Caddy.seconds(wait.text) ?? php.connectTimeout
        }
        if let wait = directive.first("read_timeout")?.arguments.first, let seconds = Caddy.seconds(wait.text),
          seconds > 0
        {
          php.answerTimeout = seconds
          php.places["timeout"] = blocks.span(wait)
        }
        let endings = directive.first("split")?.arguments.map { "*" + $0.text } ?? ["*.php"]
        let pass = Caddy.Route(matchers: [[.path(endings)]], handlers: [.proxy(php)])
        return set == nil ? [rewrite, pass] : route(.subroute([rewrite, pass]))
      default: return route(.passes)
      }
    }

    /// `map SOURCE DESTINATION… { INPUT OUTPUT… }`; `-` is no output, `default` the line for what no other fits.
    private func assignments(map directive: Directive) -> [Caddy.Assignment] {
      let words = directive.arguments.map(\.text)
      return words.dropFirst().enumerated().map { index, destination in
        var assignment = Caddy.Assignment(
          name: String(destination.drop { $0 == "{" }.prefix { $0 != "}" }), source: (words.first ?? "").expanded)
        for line in directive.block ?? [] where line.arguments.indices.contains(index) {
          let value = line.arguments[index].text.expanded
          guard value != "-" else { continue }
          if line.name.text == "default" {
            assignment.otherwise = value
          } else {
            assignment.cases.append((line.name.text, value))
          }
        }
        return assignment
      }
    }

    private func rewrite(_ words: [String]) -> Caddy.Rewrite {
      guard words.count > 1 else { return Caddy.Rewrite() }
      return switch words[0] {
      case "strip_prefix": Caddy.Rewrite(prefix: words[1])
      case "strip_suffix": Caddy.Rewrite(suffix: words[1])
      case "replace": Caddy.Rewrite(replacements: [(words[1], words.count > 2 ? words[2] : "")])
      case "path_regexp": Caddy.Rewrite(uri: "{unknown}")
      default: Caddy.Rewrite()
      }
    }

    // MARK: Matchers

    /// The matcher that a directive begins with, taken off its arguments; nil: it takes every request.
    private mutating func matcher(of directive: inout Directive, _ matchers: Matchers) -> [Caddy.Matcher]? {
      let name = directive.name.text
      guard let first = directive.arguments.first, name != "handle_path", name != "try_files",
        !Caddyfile.others.contains(name), name != "rewrite" && name != "root" || directive.arguments.count > 1
      else { return nil }
      if first.text == "*" {
        directive.arguments.removeFirst()
        return nil
      }
      if first.text.hasPrefix("/") {
        directive.arguments.removeFirst()
        return [.path([first.text])]
      }
      guard first.text.hasPrefix("@") else { return nil }
      directive.arguments.removeFirst()
      guard let set = matchers[first.text] else {
        note("unrecognized matcher name: \(first.text)", at: first, near: Array(matchers.keys))
        return [.always(false)]
      }
      return set
    }

    private mutating func named(_ directive: Directive) -> [Caddy.Matcher] {
      name = String(directive.name.text.dropFirst())
      defer { name = "" }
      if let first = directive.arguments.first {
        guard !first.isQuoted else { return [.unclear] }
        return matcher(first, Array(directive.arguments.dropFirst()), directive.block)
      }
      return set(of: directive.block ?? [])
    }

    /// A block of matchers: all have to fit. What several lines of one kind name is one list, of which one has to.
    private mutating func set(of lines: [Directive]) -> [Caddy.Matcher] {
      let lists = ["host", "path", "method", "remote_ip", "client_ip"]
      var set: [Caddy.Matcher] = []
      var seen: Set<String> = []
      for line in lines {
        let name = line.name.text
        guard !line.name.isQuoted else {
          set.append(.unclear)
          continue
        }
        guard lists.contains(name) else {
          if name == "path_regexp", seen.contains(name) {
            note("a regular expression can only be used once per named matcher", at: line.name)
          }
          seen.insert(name)
          set += matcher(line.name, line.arguments, line.block)
          continue
        }
        guard seen.insert(name).inserted else { continue }
        set += matcher(line.name, lines.filter { $0.name.text == name }.flatMap(\.arguments), line.block)
      }
      return set
    }

    private mutating func matcher(_ name: Token, _ arguments: [Token], _ block: [Directive]?) -> [Caddy.Matcher] {
      let words = arguments.map(\.text)
      depth += 1
      defer { depth -= 1 }
      guard depth <= Self.deepest else {
        note("matchers are nested too deep", at: name)
        return [.unclear]
      }
      if block != nil, Caddyfile.plainMatchers.contains(name.text) {
        note("malformed \(name.text) matcher: blocks are not supported", at: name)
      }
      switch name.text {
      case "host": return [.host(words)]
      case "path": return [.path(words)]
      case "path_regexp": return [.pathPattern(words.last ?? "", name: words.count > 1 ? words[0] : self.name)]
      case "method": return [.method(words)]
      case "protocol": return [.scheme(words.first ?? "")]
      case "remote_ip", "client_ip": return [.asker(in: words)]
      case "file":
        let files = block?.first { $0.name.text == "try_files" }?.arguments.map(\.text) ?? words
        return [.file(tried: files.map(\.expanded))]
      case "not":
        if let first = arguments.first { return [.not([matcher(first, Array(arguments.dropFirst()), block)])] }
        return [.not([set(of: block ?? [])])]
      case "header":
        let field = words.first ?? ""
        let isAbsent = field.hasPrefix("!")
        if words.count != (isAbsent ? 1 : 2) {
          note(
            isAbsent && words.count > 1
              ? "malformed header matcher: null matching headers cannot have a field value"
              : "malformed header matcher: expected both field and value", at: name)
        }
        return [.headers([(name: String(field.drop { $0 == "!" }), isAbsent: isAbsent)])]
      case "header_regexp":
        if words.count < 2 { note("wrong argument count or unexpected line ending after \(name.text)", at: name) }
        let field = words.dropLast().last ?? ""
        return [.headers([Caddy.HeaderPattern(field, words.last, words.count > 2 ? words[0] : self.name)])]
      case "query":
        if let odd = words.first(where: { !$0.isEmpty && !$0.contains("=") }) {
          note("malformed query matcher token: \(odd); must be in param=val format", at: name)
        }
        return [.query]
      case "tls": return [words.isEmpty ? .scheme("https") : .unclear]
      case "expression", "vars", "vars_regexp": return [.unclear]
      default:
        note("unknown matcher: \(name.text)", at: name, near: Caddyfile.matchers, mayBePlugin: true)
        return [.unclear]
      }
    }

    // MARK: Proxies

    private mutating func proxy(_ directive: Directive) -> Caddy.Proxy {
      var proxy = Caddy.Proxy()
      proxy.definedIn = "\(directive.name.file):\(directive.name.line)"
      var addresses = directive.arguments
      for line in directive.block ?? [] where line.name.text == "to" { addresses += line.arguments }
      for address in addresses { add(address, to: &proxy, isOnly: addresses.count == 1) }
      let schemes = Set(addresses.map { $0.text.contains("://") ? $0.text.prefix { $0 != ":" } : "" })
      if schemes.count > 1 { note("all upstreams of a route need the same scheme", at: addresses.last) }
      proxy.places["transport"] = transportPlace(of: directive)
      // A line that has nothing but the address, so that it may be written anew.
      let words = [directive.name] + addresses
      if directive.brace == nil, directive.arguments.count == 1, addresses.count == 1,
        let span = blocks.span(directive.name),
        span.text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init) == words.map(\.text)
      {
        proxy.places["pass"] = span
      }
      for line in directive.block ?? [] { apply(line, of: directive, to: &proxy) }
      return proxy
    }

    private mutating func apply(_ line: Directive, of directive: Directive, to proxy: inout Caddy.Proxy) {
      let words = line.arguments.map(\.text)
      switch line.name.text {
      case "to": break
      case "dynamic":
        let name = line.first("name")?.arguments.first ?? line.arguments.dropFirst().first
        let port = line.first("port")?.arguments.first ?? line.arguments.dropFirst(2).first
        guard let name else { return }
        proxy.upstreams.append(
          Caddy.Upstream(
            host: name.text, port: port.flatMap { UInt16($0.text) } ?? 80, isDynamic: true,
            hostPlace: blocks.span(name), portPlace: port.flatMap { blocks.span($0) }))
      case "header_up":
        if words.count == 2, words[0].lowercased() == "host" {
          proxy.hostHeader = words[1].expanded
          proxy.places["sent-host"] = alone([line])
        }
      case "uri": proxy.rewrite.uri = words.first?.expanded
      case "rewrite": proxy.rewrite.uri = words.first?.expanded
      case "health_uri", "health_path":
        let status = directive.first("health_status")?.arguments.first
        let expected = status.flatMap {
          $0.text.lowercased().hasSuffix("xx") ? $0.text.first?.wholeNumberValue : Int($0.text)
        }
        let port = directive.first("health_port")?.arguments.first
        proxy.health = Caddy.Health(
          path: words.first ?? "/", expects: Caddy.statuses(expected), port: port.flatMap { UInt16($0.text) })
        proxy.places["health-port"] = port.flatMap { blocks.span($0) }
        proxy.places["health"] = blocks.span(line.name).map {
          $0.with(head: "\($0.text)\n\($0.indentation)", tail: "")
        }
        proxy.places["health-status"] = status.flatMap { blocks.span($0) }
      case "health_status", "health_port": break
      case "handle_response", "replace_status":
        checkResponse(line)
        guard line.name.text == "handle_response" else { return }
        let handlers = (line.block ?? []).map(\.name.text)
        let answers = ["respond", "error", "reverse_proxy", "copy_response", "redir", "file_server", "abort"]
        if words.isEmpty == false, !handlers.contains(where: answers.contains), line.block != nil {
          proxy.isAuth = proxy.isAuth || proxy.rewrite.uri != nil
        }
      case "transport": transport(line, of: &proxy)
      default:
        guard !Caddyfile.proxyOptions.contains(line.name.text), !line.name.text.hasPrefix("@") else { return }
        note(
          "unrecognized subdirective \(line.name.text)", at: line.name,
          near: Caddyfile.proxyOptions + ["to", "dynamic", "header_up", "health_uri", "health_status", "transport"])
      }
    }

    private mutating func checkResponse(_ line: Directive) {
      guard line.name.text == "handle_response", line.arguments.count > 1 else { return }
      note(
        "too many arguments for handle_response: only a single response matcher name is allowed", at: line.name)
    }

    /// Where an option of `transport http` may stand, with the lines that it needs around it.
    private func transportPlace(of directive: Directive) -> Span? {
      if let transport = directive.first("transport"), transport.brace != nil {
        guard transport.arguments.first?.text == "http" else { return nil }
        return blocks.span(transport.name).map {
          $0.with(head: "\($0.text)\n\($0.indentation)\($0.oneLevel)", tail: "")
        }
      }
      guard directive.first("transport") == nil else { return nil }
      return blocks.span(directive.name).map { span in
        let (outer, level) = (span.indentation, span.oneLevel)
        let inner = "\(outer)\(level)transport http {\n\(outer)\(level)\(level)"
        let end = "\n\(outer)\(level)}"
        return directive.brace == nil
          ? span.with(head: "\(span.text) {\n\(inner)", tail: "\(end)\n\(outer)}")
          : span.with(head: "\(span.text)\n\(inner)", tail: end)
      }
    }

    /// The lines of options, if these stand on neighbouring lines and nothing else does.
    private func alone(_ options: [Directive]) -> Span? {
      let lines = options.compactMap { option -> Span? in
        let words = ([option.name] + option.arguments).map(\.text).joined(separator: " ")
        return blocks.span(option.name).flatMap { option.block == nil && $0.text.trimmed == words ? $0 : nil }
      }
      guard let first = lines.first, lines.map(\.line) == Array(first.line..<first.line + options.count) else {
        return nil
      }
      return Span(
        file: first.file, line: first.line, text: lines.map(\.text).joined(separator: "\n"), head: "", tail: "")
    }

    private mutating func transport(_ line: Directive, of proxy: inout Caddy.Proxy) {
      if line.arguments.first?.text == "fastcgi" { proxy.speaks = "fastcgi" }
      var timeouts: [(seconds: Double, token: Token)] = []
      for option in line.block ?? [] {
        let words = option.arguments.map(\.text)
        let first = option.arguments.first
        switch option.name.text {
        case "dial_timeout": proxy.connectTimeout = first.flatMap { Caddy.seconds($0.text) } ?? proxy.connectTimeout
        case "response_header_timeout", "read_timeout":
          guard let first, let seconds = Caddy.seconds(first.text), seconds > 0 else { continue }
          timeouts.append((seconds, first))
        case "tls": proxy.isTLS = true
        case "tls_insecure_skip_verify": (proxy.isTLS, proxy.verifies) = (true, false)
        case "tls_server_name":
          (proxy.isTLS, proxy.tlsName) = (true, first?.text.expanded)
          proxy.places["ssl-name"] = first.flatMap { blocks.span($0) }
        case "tls_trusted_ca_certs":
          proxy.isTLS = true
          proxy.authorities += words
        case "tls_trust_pool":
          proxy.isTLS = true
          let files = words.dropFirst() + (option.first("pem_file")?.arguments.map(\.text) ?? [])
          if words.first == "file" { proxy.authorities += files } else { proxy.hasOtherAuthorities = true }
        case "tls_client_auth", "tls_timeout", "tls_renegotiation", "tls_except_ports", "tls_curves":
          proxy.isTLS = true
        case "proxy_protocol": proxy.sendsPreamble = true
        case "max_response_header":
          proxy.headerLimit = first.flatMap { Caddyfile.bytes($0.text) }
          proxy.places["header-limit"] = first.flatMap { blocks.span($0) }
        case "versions":
          guard words.contains("h2c") else { continue }
          proxy.speaks = "h2c"
          proxy.places["version"] = alone([option])
        default:
          guard !Caddyfile.transportOptions.contains(option.name.text) else { continue }
          note(
            "unrecognized subdirective \(option.name.text)", at: option.name,
            near: Caddyfile.transportOptions + ["response_header_timeout", "dial_timeout", "tls_server_name"])
        }
      }
      // Options of TLS in the transport contradict a plain address: another scheme alone would be refused.
      let secured = (line.block ?? []).filter { $0.name.text.hasPrefix("tls") }
      if !secured.isEmpty {
        proxy.places["tls"] = alone(secured)
        if proxy.places["tls"] == nil { proxy.places["scheme"] = nil }
      }
      let shortest = timeouts.min { $0.seconds < $1.seconds }
      proxy.answerTimeout = shortest?.seconds
      proxy.places["timeout"] = shortest.flatMap { blocks.span($0.token) }
    }

    private mutating func add(_ address: Token, to proxy: inout Caddy.Proxy, isOnly: Bool) {
      let filled = address.text.filled(by: environment)
      var text = filled[...]
      var scheme: String?
      if let split = text.firstRange(of: "://") {
        scheme = String(text[..<split.lowerBound])
        text = text[split.upperBound...]
        if ["http", "https", "h2c"].contains(scheme) {
          let rest = text
          if rest.contains("/") || rest.contains("?") {
            note("an upstream may have no path: \(address.text)", at: address)
            text = rest.prefix { $0 != "/" && $0 != "?" }
          }
        } else {
          note("unsupported URL scheme \(scheme ?? "")://", at: address)
        }
      }
      if scheme == "https" { proxy.isTLS = true }
      if scheme == "h2c" { proxy.speaks = "h2c" }
      let dial = Caddy.Dial(String(text))
      if dial.network == "unix+h2c" { proxy.speaks = "h2c" }
      if text.isEmpty { proxy.isNowhere = true }
      guard var upstream = dial.upstream else {
        proxy.templates.append(String(text).expanded)
        return
      }
      if dial.port.isEmpty, upstream.socket == nil { upstream.port = scheme == "https" ? 443 : 80 }
      let ports = dial.ports ?? upstream.port...upstream.port
      let isWritten = filled == address.text && upstream.socket == nil
      let start = address.text.utf8.distance(from: address.text.startIndex, to: text.startIndex)
      let host = dial.host.utf8.count + (text.hasPrefix("[") ? 2 : 0)
      if isWritten {
        upstream.hostPlace = blocks.span(address, start..<start + host)
        if dial.port.isEmpty {
          let end = start + host
          let span = blocks.span(address, end..<end)
          upstream.portPlace = span.map { $0.with(head: $0.head + ":", tail: $0.tail) }
        } else if ports.count == 1 {
          let end = address.text.utf8.count
          upstream.portPlace = blocks.span(address, end - dial.port.utf8.count..<end)
        }
      }
      for port in upstream.socket == nil ? Array(ports.prefix(256)) : [upstream.port] {
        upstream.port = port
        proxy.upstreams.append(upstream)
      }
      if scheme == "http" && upstream.port == 443 || scheme == "https" && upstream.port == 80 {
        note("scheme and port of \(address.text) contradict each other", at: address)
      }
      guard isOnly, isWritten else { return }
      proxy.places["scheme"] =
        if let scheme {
          blocks.span(address, 0..<scheme.utf8.count)
        } else {
          blocks.span(address).map { $0.with(head: $0.head, tail: "://" + address.text + $0.tail) }
        }
    }
  }

  /// Options of a server, below `servers` in the global ones.
  fileprivate static let serverOptions = [
    "name", "listener_wrappers", "packet_conn_wrappers", "timeouts", "keepalive_interval", "keepalive_idle",
    "keepalive_count", "max_header_size", "enable_full_duplex", "log_credentials", "protocols", "protocol",
    "strict_sni_host", "trusted_proxies", "trusted_proxies_strict", "trusted_proxies_unix", "client_ip_headers",
    "metrics", "trace", "0rtt", "expected_underscore_headers", "expected_dot_headers",
  ]

  /// Options of the whole of Caddy. Source: `RegisterGlobalOption` in `httpcaddyfile/options.go`.
  fileprivate static let globalOptions = [
    "debug", "http_port", "https_port", "default_bind", "grace_period", "shutdown_delay", "default_sni",
    "fallback_sni", "order", "storage", "storage_check", "storage_clean_interval", "renew_interval", "ocsp_interval",
    "acme_ca", "acme_ca_root", "acme_dns", "acme_eab", "cert_issuer", "skip_install_trust", "email", "admin",
    "on_demand_tls", "local_certs", "key_type", "auto_https", "metrics", "servers", "ocsp_stapling", "cert_lifetime",
    "log", "preferred_chains", "persist_config", "dns", "tls_resolvers", "ech", "renewal_window_ratio", "pki",
    "events", "filesystem", "experimental_http3", "default_log",
  ]

  /// How many arguments a directive has to have besides its matcher.
  fileprivate static let counts = [
    "redir": (1, Int.max), "rewrite": (1, 1), "uri": (1, Int.max), "method": (1, 1), "invoke": (1, 1), "abort": (0, 0),
    "handle_path": (1, 1), "try_files": (1, Int.max), "root": (0, 1),
  ]

  /// Matchers that take no block.
  fileprivate static let plainMatchers = [
    "host", "path", "path_regexp", "method", "header", "header_regexp", "query", "remote_ip", "client_ip",
  ]

  fileprivate static let matchers = [
    "host", "path", "path_regexp", "method", "protocol", "remote_ip", "client_ip", "file", "not", "header",
    "header_regexp", "query", "expression", "vars", "vars_regexp", "tls",
  ]

  /// What a `reverse_proxy` may have besides what the adapter reads, its relatives' own words among them.
  fileprivate static let proxyOptions = [
    "lb_policy", "lb_retries", "lb_try_duration", "lb_try_interval", "lb_retry_match", "health_upstream",
    "health_headers", "health_method", "health_request_body", "health_interval", "health_timeout", "health_body",
    "health_follow_redirects", "health_passes", "health_fails", "max_fails", "fail_duration",
    "unhealthy_request_count", "unhealthy_status", "unhealthy_latency", "flush_interval", "request_buffers",
    "response_buffers", "stream_buffer_size", "stream_timeout", "stream_close_delay", "trusted_proxies", "header_down",
    "method", "replace_status", "verbose_logs", "copy_headers", "root", "split", "index", "try_files", "env",
    "resolve_root_symlink", "dial_timeout", "read_timeout", "write_timeout", "capture_stderr", "body_buffer_disabled",
    "body_buffer_memory_limit", "file_buffer_size_limit", "file_buffer_filepath",
  ]

  fileprivate static let transportOptions = [
    "read_buffer", "write_buffer", "write_timeout", "proxy_protocol", "forward_proxy_url", "network_proxy",
    "dial_fallback_delay", "expect_continue_timeout", "resolvers", "keepalive", "keepalive_interval",
    "keepalive_idle_conns", "keepalive_idle_conns_per_host", "compression", "max_conns_per_host", "local_address",
    "max_idle_conns_per_host", "root", "split", "env", "resolve_root_symlink", "capture_stderr", "try_files", "index",
    "body_buffer_disabled", "body_buffer_memory_limit", "file_buffer_size_limit", "file_buffer_filepath",
  ]

  /// Bytes of a size as Caddy writes it: `10MB`, `4KiB`, `8192`.
  fileprivate static func bytes(_ text: String) -> Double? {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let units = ["": 1.0, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 1024, "MIB": 1_048_576, "GIB": 1_073_741_824]
    guard let number = Double(digits), let unit = units[text.dropFirst(digits.count).uppercased()] else { return nil }
    return number * unit
  }
}

extension Caddy.Route {
  /// Its path, if it has one matcher, one path in it, and nothing else.
  fileprivate var onlyPath: String? {
    guard matchers.count == 1 else { return nil }
    let paths = matchers[0].compactMap { matcher -> [String]? in
      if case .path(let paths) = matcher { paths } else { nil }
    }
    return paths.count == 1 && paths[0].count == 1 ? paths[0][0] : nil
  }
}

extension Span {
  /// What one level more is indented by.
  fileprivate var oneLevel: String { indentation.hasSuffix(" ") ? "    " : "\t" }

  fileprivate func with(head: String, tail: String) -> Span {
    Span(file: file, line: line, text: text, head: head, tail: tail)
  }
}

extension String {
  fileprivate var withoutStar: String { hasSuffix("*") ? String(dropLast()) : self }

  /// Caddy's short placeholders in full. Source: `NewShorthandReplacer` in `httpcaddyfile/shorthands.go`.
  fileprivate var expanded: String {
    guard contains("{") else { return self }
    let short = [
      ("{host}", "{http.request.host}"), ("{hostport}", "{http.request.hostport}"), ("{port}", "{http.request.port}"),
      ("{method}", "{http.request.method}"), ("{path}", "{http.request.uri.path}"), ("{uri}", "{http.request.uri}"),
      ("{query}", "{http.request.uri.query}"), ("{?query}", "{http.request.uri.prefixed_query}"),
      ("{upstream_hostport}", "{http.reverse_proxy.upstream.hostport}"), ("{scheme}", "{http.request.scheme}"),
      ("{file_match.", "{http.matchers.file."), ("{re.", "{http.regexp."), ("{vars.", "{http.vars."),
      ("{labels.", "{http.request.host.labels."), ("{header.", "{http.request.header."),
    ]
    return short.reduce(self) { $0.replacing($1.0, with: $1.1) }
  }
}
