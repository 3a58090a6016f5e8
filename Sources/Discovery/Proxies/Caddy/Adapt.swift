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

  static func adapt(_ blocks: Blocks) -> Adapted {
    var adapter = Adapter(blocks: blocks)
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
  /// Those that are no handlers.
  fileprivate static let others = ["bind", "tls", "log", "handle_errors"]
}

extension Caddyfile {
  fileprivate struct Adapter {
    let blocks: Blocks
    private var adapted = Adapted()
    private var order = Caddyfile.order
    private var plainPort = "80"
    private var tlsPort = "443"
    private var groups = 0
    private var named: [String: Caddy.Route] = [:]

    init(blocks: Blocks) { self.blocks = blocks }

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
        named[name] = Caddy.Route(handlers: [.subroute(routes(of: site.directives, [:], sorted: false))])
      }
      servers(sites.filter { $0.routeName == nil && !$0.keys.isEmpty })
      return adapted
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
      for option in directives {
        let words = option.arguments.map(\.text)
        switch option.name.text {
        case "http_port": plainPort = words.first ?? plainPort
        case "https_port": tlsPort = words.first ?? tlsPort
        case "admin": adapted.admin = words.first
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
        default: break
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
      var parsed: [(addresses: [Address], routes: [Caddy.Route], handlesErrors: Bool)] = []
      for site in sites {
        let known = Caddyfile.order + Caddyfile.others
        if let key = site.keys.first(where: { known.contains($0.text) }) {
          note("the directive \(key.text) stands outside of a site", at: key)
        }
        let addresses = site.keys.compactMap { address($0) }
        let routes = routes(of: site.directives, [:], sorted: true)
        parsed.append((addresses, routes, site.directives.contains { $0.name.text == "handle_errors" }))
      }
      var ports: [String] = []
      for port in parsed.flatMap(\.addresses).map(\.port) where !ports.contains(port) { ports.append(port) }
      for port in ports {
        guard let number = UInt16(port) else { continue }
        var server = Caddy.Server(name: ":\(port)", ports: [number...number], named: named)
        let here = parsed.compactMap { site -> (keys: [Address], routes: [Caddy.Route], handlesErrors: Bool)? in
          let keys = site.addresses.filter { $0.port == port }
          return keys.isEmpty ? nil : (keys, site.routes, site.handlesErrors)
        }
        let ordered = here.enumerated().sorted { left, right in
          Self.isMoreSpecific(left.element.keys, right.element.keys)
            || !Self.isMoreSpecific(right.element.keys, left.element.keys) && left.offset < right.offset
        }.map(\.element)
        server.isTLS =
          port != plainPort
          && here.contains {
            $0.keys.contains { $0.scheme == "https" || $0.scheme == nil && (!$0.host.isEmpty || port == tlsPort) }
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
        let mayBePlugin = !directive.name.text.contains { "/:".contains($0) }
        note(
          "unrecognized directive: \(directive.name.text)", at: directive.name, near: known, mayBePlugin: mayBePlugin)
        // With the word that was probably meant the route can still be followed.
        guard let near = directive.name.text.nearest(among: known) else { return [] }
        directive.name.text = near
      }
      let name = directive.name.text
      let set = matcher(of: &directive, matchers)
      func route(_ handlers: Caddy.Handler...) -> [Caddy.Route] {
        [Caddy.Route(matchers: set.map { [$0] } ?? [], handlers: handlers)]
      }
      let words = directive.arguments.map(\.text)
      switch name {
      case "handle", "route":
        return route(.subroute(routes(of: directive.block ?? [], matchers, sorted: name == "handle")))
      case "handle_path":
        let path = words.first ?? ""
        let prefix = path.hasSuffix("/*") ? String(path.dropLast(2)) : path.withoutStar
        let strip = Caddy.Route(handlers: [.rewrite(Caddy.Rewrite(prefix: prefix))])
        let inner = routes(of: directive.block ?? [], matchers, sorted: true)
        return [Caddy.Route(matchers: [[.path([path])]], handlers: [.subroute([strip] + inner)])]
      case "rewrite": return route(.rewrite(Caddy.Rewrite(uri: words.last?.expanded)))
      case "uri": return route(.rewrite(rewrite(words)))
      case "try_files":
        let tried = Caddy.Matcher.file(last: words.last?.expanded)
        return [
          Caddy.Route(
            matchers: [[tried]], handlers: [.rewrite(Caddy.Rewrite(uri: "{http.matchers.file.relative}"))])
        ]
      case "redir": return route(.answer(status: words.count > 1 && words[1] == "permanent" ? 301 : 302))
      case "respond":
        let status = words.compactMap { Int($0) }.last { (100..<600).contains($0) }
        return route(.answer(status: status ?? 200))
      case "error": return route(.answer(status: words.compactMap { Int($0) }.last ?? 500))
      case "abort", "metrics", "acme_server": return route(.answer(status: 200))
      case "file_server": return route(directive.first("pass_thru") == nil ? .files : .passes)
      case "invoke": return route(.invoke(words.first ?? ""))
      case "reverse_proxy": return route(.proxy(proxy(directive)))
      case "forward_auth":
        var auth = proxy(directive)
        auth.isAuth = true
        return route(.proxy(auth))
      case "php_fastcgi":
        var php = proxy(directive)
        php.speaks = "fastcgi"
        let index =
          directive.first("try_files")?.arguments.last?.text ?? directive.first("index")?.arguments.first?.text
        let rewrite = Caddy.Route(
          matchers: [[.file(last: index == "off" ? nil : (index ?? "index.php").expanded)]],
          handlers: [.rewrite(Caddy.Rewrite(uri: "{http.matchers.file.relative}"))])
        let pass = Caddy.Route(matchers: [[.path(["*.php"])]], handlers: [.proxy(php)])
        return set == nil ? [rewrite, pass] : route(.subroute([rewrite, pass]))
      default: return route(.passes)
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
      if let first = directive.arguments.first {
        guard !first.isQuoted else { return [.always(false)] }
        return matcher(first, Array(directive.arguments.dropFirst()), directive.block)
      }
      var set: [Caddy.Matcher] = []
      for line in directive.block ?? [] { set += matcher(line.name, line.arguments, line.block) }
      return set
    }

    private mutating func matcher(_ name: Token, _ arguments: [Token], _ block: [Directive]?) -> [Caddy.Matcher] {
      let words = arguments.map(\.text)
      switch name.text {
      case "host": return [.host(words)]
      case "path": return [.path(words)]
      case "path_regexp": return [.pathPattern(words.last ?? "")]
      case "method": return [.method(words)]
      case "protocol": return [.scheme(words.first ?? "")]
      case "remote_ip", "client_ip": return [.always(Caddy.isLocal(words))]
      case "file":
        let files = block?.first { $0.name.text == "try_files" }?.arguments.map(\.text) ?? words
        return [.file(last: files.count > 1 ? files.last?.expanded : nil)]
      case "not":
        if let first = arguments.first { return [.not([matcher(first, Array(arguments.dropFirst()), block)])] }
        var inner: [Caddy.Matcher] = []
        for line in block ?? [] { inner += matcher(line.name, line.arguments, line.block) }
        return [.not([inner])]
      case "header", "header_regexp", "query", "expression", "vars", "vars_regexp", "tls":
        return [.always(false)]
      default:
        note("unknown matcher: \(name.text)", at: name, near: Caddyfile.matchers, mayBePlugin: true)
        return [.always(false)]
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
          Caddy.Upstream(host: name.text, port: port.flatMap { UInt16($0.text) } ?? 80, isDynamic: true))
        proxy.places["host"] = blocks.span(name)
        proxy.places["port"] = port.flatMap { blocks.span($0) }
      case "header_up":
        if words.count == 2, words[0].lowercased() == "host" { proxy.hostHeader = words[1].expanded }
      case "uri": proxy.rewrite.uri = words.first?.expanded
      case "rewrite": proxy.rewrite.uri = words.first?.expanded
      case "health_uri", "health_path":
        let status = directive.first("health_status")?.arguments.first
        let expected = status.flatMap {
          $0.text.lowercased().hasSuffix("xx") ? $0.text.first?.wholeNumberValue : Int($0.text)
        }
        proxy.health = Caddy.Health(
          path: words.first ?? "/", expects: Caddy.statuses(expected),
          port: directive.first("health_port")?.arguments.first.flatMap { UInt16($0.text) })
        proxy.places["health"] = blocks.span(line.name).map {
          $0.with(head: "\($0.text)\n\($0.indentation)", tail: "")
        }
        proxy.places["health-status"] = status.flatMap { blocks.span($0) }
      case "health_status", "health_port": break
      case "handle_response":
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
        case "max_response_header": proxy.headerLimit = first.flatMap { Caddyfile.bytes($0.text) }
        case "versions": if words.contains("h2c") { proxy.speaks = "h2c" }
        default:
          guard !Caddyfile.transportOptions.contains(option.name.text) else { continue }
          note(
            "unrecognized subdirective \(option.name.text)", at: option.name,
            near: Caddyfile.transportOptions + ["response_header_timeout", "dial_timeout", "tls_server_name"])
        }
      }
      // Options of TLS in the transport contradict a plain address: another scheme alone would be refused.
      if line.block?.contains(where: { $0.name.text.hasPrefix("tls") }) ?? false { proxy.places["scheme"] = nil }
      let shortest = timeouts.min { $0.seconds < $1.seconds }
      proxy.answerTimeout = shortest?.seconds
      proxy.places["timeout"] = shortest.flatMap { blocks.span($0.token) }
    }

    private mutating func add(_ address: Token, to proxy: inout Caddy.Proxy, isOnly: Bool) {
      var text = address.text[...]
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
      let isFirst = proxy.upstreams.isEmpty
      guard var upstream = dial.upstream else { return }
      if dial.port.isEmpty, upstream.socket == nil { upstream.port = scheme == "https" ? 443 : 80 }
      let ports = dial.ports ?? upstream.port...upstream.port
      for port in upstream.socket == nil ? Array(ports.prefix(256)) : [upstream.port] {
        upstream.port = port
        proxy.upstreams.append(upstream)
      }
      if scheme == "http" && upstream.port == 443 || scheme == "https" && upstream.port == 80 {
        note("scheme and port of \(address.text) contradict each other", at: address)
      }
      guard isFirst, upstream.socket == nil, let whole = blocks.span(address) else { return }
      let start = address.text.utf8.distance(from: address.text.startIndex, to: text.startIndex)
      let host = dial.host.utf8.count + (text.hasPrefix("[") ? 2 : 0)
      proxy.places["host"] = blocks.span(address, start..<start + host)
      if dial.port.isEmpty {
        let end = start + host
        let span = blocks.span(address, end..<end)
        proxy.places["port"] = span.map { $0.with(head: $0.head + ":", tail: $0.tail) }
      } else {
        let end = address.text.utf8.count
        proxy.places["port"] = blocks.span(address, end - dial.port.utf8.count..<end)
      }
      guard isOnly else { return }
      proxy.places["scheme"] =
        if let scheme {
          blocks.span(address, 0..<scheme.utf8.count)
        } else {
          whole.with(head: whole.head, tail: "://" + address.text + whole.tail)
        }
    }
  }

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
      ("{host}", "{http.request.host}"), ("{hostport}", "{http.request.hostport}"),
      ("{path}", "{http.request.uri.path}"),
      ("{uri}", "{http.request.uri}"), ("{query}", "{http.request.uri.query}"),
      ("{?query}", "{http.request.uri.prefixed_query}"),
      ("{upstream_hostport}", "{http.reverse_proxy.upstream.hostport}"),
      ("{http.matchers.file.relative}", "{http.matchers.file.relative}"),
    ]
    return short.reduce(self) { $0.replacing($1.0, with: $1.1) }
  }
}
