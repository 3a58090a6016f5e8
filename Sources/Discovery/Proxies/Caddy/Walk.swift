import Model
import Pattern
import Routes

extension Caddy {
  struct Request: Sendable, Equatable {
    let host: String
    var path: String
    let port: UInt16
    let isTLS: Bool
  }

  /// What becomes of a request.
  enum Served: Sendable {
    /// `path` is what the upstream gets; nil if it cannot be known.
    case proxied(Proxy, path: String?, changedBy: (words: String, place: Span?)?)
    case answered(status: Int, by: (words: String, place: Span?)? = nil)
    case files
    /// A site that has the name, and nothing in it that answers for the path: an empty 200.
    case empty
    /// It hangs on something that cannot be told from here.
    case unclear
  }

  struct Found: Sendable {
    let server: Server
    let served: Served
    /// The site's name as configured; nil for one that takes every name.
    let site: (name: String, place: Span?)?
    /// Asked before the request goes on.
    let auth: [Proxy]
  }
}

extension Caddy.Configuration {
  /// What serves the request; nil if no route has its host.
  ///
  /// - Parameter ignoringAnswers: What would do so if Caddy answered nothing by itself.
  func found(_ request: Caddy.Request, ignoringAnswers: Bool = false) -> Caddy.Found? {
    for server in servers where server.ports.contains(where: { $0.contains(request.port) }) {
      var walk = Caddy.Walk(request: request, named: server.named, ignoresAnswers: ignoringAnswers)
      guard let served = walk.run(server.routes) ?? (walk.hasMatched ? .empty : nil) else { continue }
      return Caddy.Found(server: server, served: served, site: walk.site, auth: walk.auth)
    }
    return nil
  }

  /// The host names that have routes, with their places.
  var sites: [String: Span?] {
    var sites: [String: Span?] = [:]
    for route in servers.flatMap(\.routes) {
      for case .host(let names) in route.matchers.flatMap({ $0 }) {
        for name in names { sites[name] = .some(route.sites[name]) }
      }
    }
    return sites
  }

  /// Every route that is passed on: the names, paths and upstreams, in the configuration's order.
  var listed: [RouteReading.Listed] {
    var listed: [RouteReading.Listed] = []
    for server in servers {
      guard let port = server.ports.first?.lowerBound else { continue }
      for route in server.routes {
        let names = route.matchers.flatMap { $0 }.flatMap { matcher in
          if case .host(let names) = matcher { names } else { [String]() }
        }
        for (path, proxy) in route.proxies(below: "/") {
          guard !proxy.isAuth, let upstream = proxy.upstreams.first else { continue }
          for name in names where !name.contains("*") && !name.contains("{") {
            let scheme = proxy.speaks == "http" ? proxy.isTLS ? "https" : "http" : proxy.speaks
            let site = RouteReading.Listed(
              host: name, port: port, isTLS: server.isTLS, path: path, upstream: "\(scheme)://\(upstream.address)")
            if !listed.contains(site) { listed.append(site) }
          }
        }
      }
    }
    return listed
  }
}

extension Caddy.Route {
  /// The proxies in it, with the plain prefix of the path that each one serves.
  fileprivate func proxies(below above: String) -> [(path: String, proxy: Caddy.Proxy)] {
    let own = matchers.flatMap { $0 }.lazy.compactMap { matcher -> String? in
      guard case .path(let paths) = matcher else { return nil }
      return paths.first.map { String($0.prefix { $0 != "*" }) }
    }.first
    let path = own.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? above
    return handlers.flatMap { handler -> [(path: String, proxy: Caddy.Proxy)] in
      switch handler {
      case .proxy(let proxy): return [(path, proxy)]
      case .subroute(let routes): return routes.flatMap { $0.proxies(below: path) }
      default: return []
      }
    }
  }
}

extension Caddy {
  /// The way of a request through the routes.
  ///
  /// Routes are tried in order; one that is terminal, or a handler that answers, ends it. Source: `caddyhttp/routes.go`.
  fileprivate struct Walk {
    var request: Request
    let named: [String: Route]
    private(set) var hasMatched = false
    private(set) var site: (name: String, place: Span?)?
    private(set) var auth: [Proxy] = []
    private var taken: Set<String> = []
    /// The routes around hang on more than the site's name.
    private var hangs = false
    /// What Caddy would do without its own answers.
    let ignoresAnswers: Bool
    /// The path was changed in a way that cannot be followed.
    private var isPathKnown = true
    /// What keeps the last route from being decided is the address of who asks, and nothing else.
    private var hangsOnAskerOnly = true
    /// What has changed the path so far.
    private var changes: [(words: String, place: Span?)?] = []
    /// What a matcher of files has found, for a rewrite to it.
    private var file: String?
    /// The status of a matcher of files that has found none.
    private var failure: Int?
    /// Placeholders that are known, without their braces.
    private var values: [String: String] = [:]

    init(request: Request, named: [String: Route], ignoresAnswers: Bool) {
      (self.request, self.named, self.ignoresAnswers) = (request, named, ignoresAnswers)
    }

    /// Nil: nothing answers, so the request would go on to whatever comes after these routes.
    mutating func run(_ routes: [Route], depth: Int = 0) -> Served? {
      for route in routes {
        if let group = route.group, taken.contains(group) { continue }
        switch matches(route) {
        case true?: break
        case false?:
          if let failure { return .answered(status: failure) }
          continue
        case nil:
          if route.handlers.allSatisfy(\.isPassage) { continue }
          // A route that only turns people away is none to those who are let in.
          if hangsOnAskerOnly, route.handlers.allSatisfy(\.isAnswer) { continue }
          guard route.handlers.allSatisfy({ $0.isRewrite || $0.isPassage }) else { return .unclear }
          isPathKnown = false
          continue
        }
        hasMatched = true
        if let group = route.group { taken.insert(group) }
        let before = hangs
        hangs = hangs || route.matchers.contains { $0.contains(where: \.isOfRequest) }
        for handler in route.handlers {
          if let served = run(handler, depth) { return served }
        }
        hangs = before
        if route.isTerminal { return .empty }
      }
      return nil
    }

    private mutating func run(_ handler: Handler, _ depth: Int) -> Served? {
      switch handler {
      case .subroute(let routes): return depth < 32 ? run(routes, depth: depth + 1) : nil
      case .invoke(let name): return named[name].flatMap { depth < 32 ? run([$0], depth: depth + 1) : nil }
      case .rewrite(let rewrite):
        apply(rewrite)
        return nil
      case .proxy(let proxy) where proxy.isAuth:
        auth.append(proxy)
        return nil
      case .sets(let assignments):
        for assignment in assignments { values[assignment.name] = value(of: assignment) }
        return nil
      case .proxy(var proxy):
        apply(proxy.rewrite)
        proxy.upstreams += proxy.templates.map(filled).compactMap { Caddy.Dial($0).upstream }
        return .proxied(
          proxy, path: isPathKnown ? request.path : nil, changedBy: changes.count == 1 ? changes[0] : nil)
      case .answer(let status, let by): return ignoresAnswers ? nil : .answered(status: status, by: hangs ? nil : by)
      case .files: return .files
      case .passes: return nil
      }
    }

    private mutating func apply(_ rewrite: Rewrite) {
      let parts = request.path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      var (path, query) = (parts[0], parts.count > 1 ? "?" + parts[1] : "")
      if let uri = rewrite.uri {
        let new = filled(uri)
        if new.contains("{") { isPathKnown = false }
        let halves = new.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if !halves[0].isEmpty { path = halves[0].hasPrefix("/") ? halves[0] : "/" + halves[0] }
        if halves.count > 1 { query = halves[1].isEmpty ? "" : "?" + halves[1] }
      }
      if let prefix = rewrite.prefix {
        let whole = prefix.hasPrefix("/") ? prefix : "/" + prefix
        if path.lowercased().hasPrefix(whole.lowercased()) { path = String(path.dropFirst(whole.count)) }
      }
      if let suffix = rewrite.suffix, path.hasSuffix(suffix) { path = String(path.dropLast(suffix.count)) }
      for (find, replace) in rewrite.replacements {
        if find.contains("{") || replace.contains("{") { isPathKnown = false }
        path = path.replacing(find, with: replace)
      }
      if !path.hasPrefix("/") { path = "/" + path }
      if path + query != request.path { changes.append(rewrite.by) }
      request.path = path + query
    }

    /// The text with each placeholder that is known filled in.
    private func filled(_ text: String) -> String {
      guard text.contains("{") else { return text }
      var result = ""
      var rest = text[...]
      while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
        let name = String(rest[rest.index(after: open)..<close])
        result += rest[..<open] + (value(of: name) ?? "{\(name)}")
        guard result.utf8.count <= Limits.value else { return text }
        rest = rest[rest.index(after: close)...]
      }
      return result + rest
    }

    private func value(of name: String) -> String? {
      let query = request.path.drop { $0 != "?" }
      switch name {
      case "http.request.host": return request.host
      case "http.request.scheme": return request.isTLS ? "https" : "http"
      case "http.request.method": return "GET"
      case "http.request.uri": return request.path
      case "http.request.uri.path": return path
      case "http.request.uri.query": return String(query.dropFirst())
      case "http.request.uri.prefixed_query": return String(query)
      case "http.matchers.file.relative": return file
      case _ where name.hasPrefix("http.request.host.labels."):
        let labels = request.host.split(separator: ".", omittingEmptySubsequences: false)
        let number = Int(name.dropFirst("http.request.host.labels.".count))  // fits: optional
        return number.flatMap { $0 >= 0 && $0 < labels.count ? String(labels[labels.count - 1 - $0]) : nil }
      default: return values[name]
      }
    }

    /// What an assignment gives; nil where that cannot be told.
    private func value(of assignment: Assignment) -> String? {
      let source = filled(assignment.source)
      guard !source.contains("{") else { return nil }
      for (key, value) in assignment.cases {
        guard key.hasPrefix("~") else {
          if key == source { return filled(value) }
          continue
        }
        guard let pattern = try? Pattern(String(key.dropFirst())) else { return nil }
        guard let match = pattern.firstMatch(in: source) else { continue }
        let groups = match.groups.enumerated()
        return filled(groups.reduce(value) { $0.replacing("${\($1.offset)}", with: $1.element ?? "") })
      }
      return assignment.otherwise.map(filled)
    }

    /// What a regular expression has found is known from then on.
    private mutating func finds(_ regex: String, _ name: String, in text: String) -> Bool {
      guard let match = (try? Pattern(regex))?.firstMatch(in: text) else { return false }
      for (number, group) in match.groups.enumerated() {
        values["http.regexp.\(number)"] = group ?? ""
        if !name.isEmpty { values["http.regexp.\(name).\(number)"] = group ?? "" }
      }
      return true
    }

    /// Nil where it cannot be told.
    private mutating func matches(_ route: Route) -> Bool? {
      guard !route.matchers.isEmpty else { return true }
      (hangsOnAskerOnly, failure) = (true, nil)
      let (verdict, set) = matches(anyOf: route.matchers)
      for matcher in set { note(matcher, of: route) }
      return verdict
    }

    /// Whether one of the sets matches, and which.
    private mutating func matches(anyOf sets: [[Matcher]]) -> (Bool?, set: [Matcher]) {
      var verdict: Bool? = false
      for set in sets {
        switch matches(set) {
        case true?: return (true, set)
        case false?: break
        case nil: verdict = nil
        }
      }
      return (verdict, [])
    }

    private mutating func note(_ matcher: Matcher, of route: Route) {
      switch matcher {
      case .host(let names):
        if let name = names.first(where: { request.host.fits(host: $0) }) { site = (name, route.sites[name]) }
      case .file(let last): file = last.map { filled($0).withoutDoubleSlashes }
      case .files(let tried, _): file = tried.map { filled($0).withoutDoubleSlashes }.first(where: isThere)
      default: break
      }
    }

    private mutating func matches(_ set: [Matcher]) -> Bool? {
      var verdict: Bool? = true
      for matcher in set {
        switch matches(matcher) {
        case true?: break
        case false?: return false
        case nil: verdict = nil
        }
      }
      return verdict
    }

    /// A script that is asked for is there, and so is the one of the site's own folder.
    private func isThere(_ file: String) -> Bool { file.isScript && (path == "/" || path == file) }

    private var path: String { String(request.path.prefix { $0 != "?" }) }

    private mutating func matches(_ matcher: Matcher) -> Bool? {
      switch matcher {
      case .host(let names): return names.contains { request.host.fits(host: $0) }
      case .path(let paths):
        hangsOnAskerOnly = hangsOnAskerOnly && isPathKnown
        return isPathKnown ? paths.contains { path.fits(path: $0) } : paths.contains("*") ? true : nil
      case .pathPattern(let pattern, let name):
        hangsOnAskerOnly = hangsOnAskerOnly && isPathKnown
        return isPathKnown ? finds(pattern, name, in: path) : nil
      case .hostPattern(let pattern, let name): return finds(pattern, name, in: request.host)
      case .method(let methods): return methods.contains { $0.uppercased() == "GET" }
      case .scheme(let scheme): return scheme == (request.isTLS ? "https" : "http")
      case .file(let last): return last != nil
      case .files(let tried, let status):
        if tried.contains(where: { isThere(filled($0).withoutDoubleSlashes) }) { return true }
        failure = status
        return false
      case .not(let sets): return matches(anyOf: sets).0.map { !$0 }
      case .always(let answer): return answer
      case .asker: return nil
      case .query where !request.path.contains("?"): return false
      case .query, .unclear:
        hangsOnAskerOnly = false
        return nil
      }
    }
  }
}

extension String {
  /// Caddy's host matcher: any case, `*` for one label.
  fileprivate func fits(host pattern: String) -> Bool {
    let (own, other) = (lowercased(), pattern.lowercased())
    guard other.contains("*") else { return own == other }
    let labels = own.split(separator: ".", omittingEmptySubsequences: false)
    let wanted = other.split(separator: ".", omittingEmptySubsequences: false)
    return labels.count == wanted.count && zip(labels, wanted).allSatisfy { $1 == "*" || $0 == $1 }
  }

  /// Caddy's path matcher: any case, `*` at an end for any text, elsewhere for any text without a slash.
  fileprivate func fits(path pattern: String) -> Bool {
    let pattern = pattern.lowercased()
    let path = pattern.contains("//") ? lowercased() : lowercased().withoutDoubleSlashes
    let inner = pattern.dropFirst().dropLast()
    if pattern == "*" { return true }
    if !inner.contains("*") {
      switch (pattern.hasPrefix("*"), pattern.hasSuffix("*")) {
      case (true, true): return path.contains(inner)
      case (true, false): return path.hasSuffix(pattern.dropFirst())
      case (false, true): return path.hasPrefix(pattern.dropLast())
      case (false, false): return path == pattern
      }
    }
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    let regex = parts.map { String($0).quotedForPattern }.joined(separator: "[^/]*")
    return (try? Pattern("^" + regex + "$"))?.matches(path) == true
  }

  fileprivate var withoutDoubleSlashes: String {
    guard contains("//") else { return self }
    return reduce(into: "") { path, character in
      if character != "/" || path.last != "/" { path.append(character) }
    }
  }

  private var quotedForPattern: String {
    map { $0.isLetter || $0.isNumber || $0 == "/" ? String($0) : "\\\($0)" }.joined()
  }
}
