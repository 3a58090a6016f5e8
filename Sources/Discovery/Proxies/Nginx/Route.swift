internal import Glibc
internal import Model
public import Routes

extension Nginx {
  /// An `if` that returns an error, or a limit: whether it does hangs on more than the files.
  struct Refusal: Sendable, Equatable {
    let status: Int
    let rule: Directive
    /// The file that has to be there.
    let file: String?
  }

  /// What nginx does with a request, and the lines that say so.
  public struct Route: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
      case proxied, fastcgi, uwsgi, scgi, grpc
      /// The connection goes on as it is; what is spoken in it is TLS or not.
      case connected(isTLS: Bool)
      /// nginx answers by itself with this status.
      case returned(Int)
      case redirect(Int, to: String)
      /// On by a protocol that is not HTTP, by this directive: `memcached_pass`.
      case other(String)
      /// Whether this line's condition holds cannot be told, and it makes a difference.
      case undecided(file: String, line: Int, text: String)
      /// Files below this folder; nil if the folder is nginx's own default.
      case `static`(root: String?)

      init?(pass directive: String) {
        switch directive {
        case "proxy_pass": self = .proxied
        case "fastcgi_pass": self = .fastcgi
        case "uwsgi_pass": self = .uwsgi
        case "scgi_pass": self = .scgi
        case "grpc_pass": self = .grpc
        case _ where directive.hasSuffix("_pass"): self = .other(directive)
        default: return nil
        }
      }

      static let families = ["proxy", "fastcgi", "uwsgi", "scgi", "grpc"]

      /// The first word of the directives that set its timeouts.
      var family: String {
        switch self {
        case .fastcgi: "fastcgi"
        case .uwsgi: "uwsgi"
        case .scgi: "scgi"
        case .grpc: "grpc"
        case .proxied, .connected, .returned, .redirect, .static, .other, .undecided: "proxy"
        }
      }

      /// The scheme of an upstream that is written without one.
      var scheme: String {
        switch self {
        case .proxied: "http"
        case .connected(let isTLS): isTLS ? "https" : "http"
        default: family
        }
      }

      var isConnected: Bool {
        if case .connected = self { true } else { false }
      }

      /// True if requests are passed on.
      var isPassed: Bool {
        switch self {
        case .proxied, .fastcgi, .uwsgi, .scgi, .grpc, .connected: true
        case .returned, .redirect, .static, .other, .undecided: false
        }
      }
    }

    /// A directive in effect; without a span it is nginx's default.
    public struct Setting<Value: Sendable & Equatable>: Sendable, Equatable {
      public let value: Value
      public let span: Span?

      public init(value: Value, span: Span?) { (self.value, self.span) = (value, span) }
    }

    /// A cache that takes errors in, too.
    struct KeptErrors: Sendable, Equatable {
      let rule: Nginx.Directive
      /// The words of the rule that name errors.
      let statuses: [Int]
      /// Where the cache is, from the root; nil if no line says so.
      let folder: String?
    }

    /// `root` or `alias` of a location for a part of the paths.
    struct Folder: Sendable, Equatable {
      let directive: Nginx.Directive
      let path: String
      /// The part of the path that chooses the location, and what comes behind it.
      let prefix: String
      let rest: String

      var isAlias: Bool { directive.name == "alias" }
      /// The file that nginx looks for.
      var file: String { isAlias ? path + rest : path + prefix + rest }
    }

    public let kind: Kind
    /// How the server was chosen; `default` means the host has none of its own.
    public let choice: Choice
    /// The `server_name` that matched, as written; for the default server its first one, if any.
    public let serverName: String?
    public let serverNameSpan: Span?
    public let listen: Listen
    /// File and line of the `server` block.
    public let serverFile: String
    public let serverLine: Int
    /// As written after `location`: `/`, `= /health`, `~ \.php$`; nil if the server itself answers.
    public let location: String?
    public let locationFile: String?
    public let locationLine: Int?

    /// The argument of `proxy_pass` or its relatives: its line is the one to insert other directives after.
    public let passSpan: Span?
    /// The argument with the variables that can be known replaced.
    public let pass: String?
    /// Empty if nothing is passed on, or the address has variables that cannot be known.
    public let upstreams: [Upstream]
    /// Name of the `upstream` group.
    public let group: String?
    /// Path and query that the upstream gets. For FastCGI and its relatives: those of the request.
    public let upstreamPath: String?

    /// The addresses of the `resolver` in effect.
    public let resolver: Setting<[String]>
    public let connectTimeout: Setting<Duration>
    /// Between two reads, not for the whole answer.
    public let readTimeout: Setting<Duration>
    public let sendTimeout: Setting<Duration>
    /// Bytes for the header of an answer; nginx's own default is one memory page.
    public let headerLimit: Setting<Int>
    /// Bytes of a request's body; nil: no limit. nginx's own default is 1 MB.
    public let bodyLimit: Setting<Int?>
    /// The location itself sets the number and size of its other buffers.
    public let setsBuffers: Bool
    /// The argument of the `proxy_pass` without scheme and path: `app:3000`; and the whole line without variables, if
    /// it had some. Nil if the line has more in it than that.
    public let passTarget: String?
    public let passLiteral: String?
    /// Lines in the place of that one with which the name is looked up for each request; nil where that cannot be told
    /// without a change of something else.
    public let passLookedUp: [String]?
    /// On which failures another server of the group is tried.
    public let nextUpstream: Setting<[String]>
    /// Whether the upstream's certificate is verified.
    public let verifies: Setting<Bool>
    /// Whether the name is sent in the handshake (SNI).
    public let sendsServerName: Setting<Bool>
    /// The name that is sent and that the certificate has to have.
    public let tlsName: Setting<String>
    public let trustedCertificate: Setting<String>?
    /// Whether nginx has a certificate of its own for the upstream.
    public let sendsCertificate: Bool
    /// The `Host` header that the upstream gets; nil if it gets several that differ.
    public let hostHeader: Setting<String?>
    /// The value of `Connection` that asks the upstream for another protocol with every request, whoever visits.
    let upgrade: Span?
    /// The address from which it connects, and the versions of TLS that it speaks.
    let bind: Span?
    let tlsVersions: Span?
    /// The service that `auth_request` asks before, as `scheme://host:port`.
    public let login: String?
    let refusals: [Nginx.Refusal]
    /// The errors that it keeps and goes on to show.
    let keptErrors: KeptErrors?
    /// For `static`: the `rewrite` that took the request away from a location that passes requests on.
    let leftBy: Nginx.Directive?
    /// For `static`: the folder that the location itself names.
    let folder: Folder?
    /// The location's own `proxy_http_version`, beside which there may be no second one.
    let version: Span?
    /// The folder of SCRIPT_FILENAME; nil if the file cannot be told.
    let scripts: Setting<String?>?
    /// As written; nil if none is set: then the one that is compiled in.
    public let errorLog: Setting<String>?
    /// The least serious kind of line in it; nil: `error`.
    public let errorLogLevel: Setting<String>?
    /// As written; empty if none is set or it is `off`.
    public let accessLogs: [String]
  }
}

extension Nginx.Route {
  /// Name, port, location and place of the server: what tells two listed routes apart, and their order.
  fileprivate var order: [String] {
    func padded(_ number: Int) -> String {
      String(repeating: "0", count: max(0, 7 - String(number).count)) + String(number)
    }
    return [serverName ?? "", padded(Int(listen.port ?? 0)), location ?? "", serverFile, padded(serverLine)]
  }
}

extension Nginx.Configuration {
  /// What nginx does with a request that arrives on `port`; nil if no server listens there.
  ///
  /// `host` and `path` are those of the request, `path` with its query; `isTLS` says how the client speaks to
  /// nginx. `address` is the one the connection arrives at, if servers listen on single addresses.
  /// Of `try_files` the fallback counts. `outside` is the port at which the client asks, if it is another one.
  public func route(
    host: String, port: UInt16, path: String = "/", isTLS: Bool, address: String? = nil, outside: UInt16? = nil
  ) -> Nginx.Route? {
    let request = Nginx.Request(host: host, port: port, path: path, isTLS: isTLS, outside: outside)
    guard let chosen = server(host: request.host, port: port, address: address) else { return nil }
    var variables = Nginx.Variables(self, request, chosen)
    if kind == .stream {
      let isTLS = isTLS && !chosen.listen.isTLS || chosen.server.own.first("proxy_ssl")?.text(0) == "on"
      return route(request, chosen, Way([chosen.server.directive], .connected(isTLS: isTLS)), variables)
    }
    switch variables.run(chosen.server.block) {
    case .returned(let code, let target, _):
      return route(request, chosen, Way([], answer(code, target)), variables)
    case .undecided(let line): return route(request, chosen, Way([], undecided(line)), variables)
    case .goesOn, .moved: break
    }
    let way = self.way(chosen, &variables)
    guard let status = way.status else { return route(request, chosen, way, variables) }
    // An error's page may be the app.
    var other = variables
    guard let next = self.way(after: status, of: way, chosen, &other), next.kind.isPassed || next.isUndecided else {
      return route(request, chosen, way, variables)
    }
    return route(request, chosen, next, other)
  }

  /// Where a request ends: its locations from the outermost to the innermost, and what is done there.
  private struct Way {
    let chain: [Nginx.Directive]
    let kind: Nginx.Route.Kind
    /// The `rewrite` by which it left a location that passes requests on.
    let leftBy: Nginx.Directive?

    init(_ chain: [Nginx.Directive], _ kind: Nginx.Route.Kind, leftBy: Nginx.Directive? = nil) {
      (self.chain, self.kind, self.leftBy) = (chain, kind, leftBy)
    }

    /// The status of nginx's own error, where it has one: of a file it is taken that it is not there.
    var status: Int? {
      switch kind {
      case .returned(let code) where code >= 400: code
      case .static: 404
      default: nil
      }
    }

    var isUndecided: Bool {
      if case .undecided = kind { true } else { false }
    }
  }

  /// Chooses locations, and within each runs what changes the request, until something is done with it.
  private func way(_ chosen: ChosenServer, _ variables: inout Nginx.Variables) -> Way {
    // nginx gives up after ten changes of the path.
    var last: [Nginx.Directive] = []
    var left: Nginx.Directive?
    for _ in 0..<10 {
      let found = Nginx.location(of: variables.path, in: chosen.server.block, matches: matches)
      variables.learn(found.groups)
      if let target = found.redirect { return Way(found.chain, .redirect(301, to: target)) }
      // Only nginx itself comes there.
      if variables.isAsSent, found.chain.contains(where: { $0.block?.first("internal") != nil }) {
        return Way(found.chain, .returned(404))
      }
      if let way = way(found.chain, chosen, &variables) { return Way(way.chain, way.kind, leftBy: left) }
      left = left ?? (found.chain.last?.passes == nil ? nil : variables.mover)
      last = found.chain
    }
    return Way(last, .returned(500))
  }

  /// What a location does with the request; nil: it has given it another path.
  private func way(
    _ chain: [Nginx.Directive], _ chosen: ChosenServer, _ variables: inout Nginx.Variables
  ) -> Way? {
    switch variables.run(chain.last?.block ?? []) {
    case .returned(let code, let target, _): return Way(chain, answer(code, target))
    case .undecided(let line): return Way(chain, undecided(line))
    case .moved: return nil
    case .goesOn: break
    }
    // `try_files` is not passed on to an `if`.
    let chain = chain + [variables.condition].compactMap { $0 }
    let kind = kind(of: chain, chosen, variables)
    let block = chain.isEmpty ? chosen.server.own : variables.condition == nil ? chain.last?.block ?? [] : []
    if let files = block.first("try_files"), let last = files.arguments.last {
      // The folder of the site is there.
      let asksFolder = files.arguments.dropLast().contains { $0.text.hasSuffix("/") }
      if case .static = kind, asksFolder, variables.path == "/", let index = script(of: chain, chosen) {
        variables.move(to: "/" + index, keepsQuery: true)
        return nil
      }
      if last.text.hasPrefix("=") {
        if let way = missing(files, last.text, Way(chain, kind), variables) { return way }
      } else if last.text.hasPrefix("@") {
        return way(named: last.text, chosen, &variables)
      } else {
        let target = variables.expand(last, in: files.file).text
        if !target.contains("$"), target.prefix(while: { $0 != "?" }) != variables.path {
          variables.move(to: target, keepsQuery: false)
          return nil
        }
      }
    }
    if case .static = kind, let index = script(of: chain, chosen), variables.path.hasSuffix("/") {
      variables.move(to: variables.path + index, keepsQuery: true)
      return nil
    }
    return Way(chain, kind)
  }

  private func way(named name: String, _ chosen: ChosenServer, _ variables: inout Nginx.Variables) -> Way? {
    guard let named = chosen.server.block.all("location").first(where: { $0.text(0) == name }) else {
      return Way([], .returned(500))
    }
    return way([named], chosen, &variables)
  }

  /// `try_files … =404`: the status where the file that is asked for is not there; nil where the way goes on.
  private func missing(
    _ files: Nginx.Directive, _ last: String, _ way: Way, _ variables: Nginx.Variables
  ) -> Way? {
    // A script that is asked for is there, and so is the folder of the site.
    guard let code = Int(last.dropFirst()), way.kind == .proxied || way.kind == .grpc else { return nil }
    let isFolder = variables.path == "/" && files.arguments.dropLast().contains { $0.text.hasSuffix("/") }
    if isFolder { return nil }
    let isFile = variables.path.split(separator: "/").last?.contains(".") == true
    return Way(way.chain, isFile ? undecided(files) : .returned(code))
  }

  /// Where `error_page` leads from a way that ends in an error; nil if it leads nowhere.
  private func way(
    after status: Int, of way: Way, _ chosen: ChosenServer, _ variables: inout Nginx.Variables
  ) -> Way? {
    let pages = Scope(chosen.server, way.chain).all("error_page")
    guard
      let page = pages.first(where: { $0.arguments.dropLast().contains { Int($0.text) == status } }),
      let target = page.arguments.last
    else { return nil }
    if target.text.hasPrefix("@") {
      return self.way(named: target.text, chosen, &variables) ?? self.way(chosen, &variables)
    }
    let path = variables.expand(target, in: page.file).text
    guard path.hasPrefix("/"), !path.contains("$") else { return nil }
    variables.move(to: path, keepsQuery: false)
    return self.way(chosen, &variables)
  }

  private func undecided(_ directive: Nginx.Directive) -> Nginx.Route.Kind {
    .undecided(
      file: directive.file, line: directive.line, text: line(directive.line, of: directive.file) ?? directive.name)
  }

  /// Every name and location that passes requests on, in a stable order: by name, port and location.
  public func allRoutes() -> [Nginx.Route] {
    var routes: [[String]: Nginx.Route] = [:]
    for server in servers where !Task.isCancelled {
      let names = server.names.isEmpty ? [nil] : server.names.indices.map(Int?.some)
      for listen in server.listens where listen.port != nil {
        for name in names {
          // `listen 80` and `listen [::]:80` are one route.
          for route in passing(server, listen, name: name) {
            routes[route.order] = routes[route.order] ?? route
          }
        }
      }
    }
    return routes.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
  }

  private func passing(_ server: Nginx.Server, _ listen: Nginx.Listen, name: Int?) -> [Nginx.Route] {
    let chosen = ChosenServer(
      server: server, listen: listen, choice: name == nil ? .default : .exact, name: name, groups: nil)
    return chains(in: server.block, above: []).compactMap { chain in
      guard !Task.isCancelled, let last = chain.last, let pass = last.passes,
        let kind = Nginx.Route.Kind(pass: pass.name)
      else {
        return nil
      }
      let request = Nginx.Request(
        host: name.map { server.names[$0].text } ?? "", port: listen.port ?? 80,
        path: Nginx.Location(last).prefix ?? "/", isTLS: listen.isTLS)
      var variables = Nginx.Variables(self, request, chosen)
      _ = variables.run(server.own)
      _ = variables.run(last.block ?? [])
      return route(request, chosen, Way(chain, kind), variables)
    }
  }

  private func chains(in block: [Nginx.Directive], above: [Nginx.Directive]) -> [[Nginx.Directive]] {
    block.all("location").flatMap { location in
      let chain = above + [location]
      return [chain] + chains(in: location.block ?? [], above: chain)
    }
  }

  private func answer(_ code: Int, _ target: String?) -> Nginx.Route.Kind {
    [301, 302, 303, 307, 308].contains(code) ? .redirect(code, to: target ?? "") : .returned(code)
  }

  private func kind(
    of chain: [Nginx.Directive], _ chosen: ChosenServer, _ variables: Nginx.Variables
  ) -> Nginx.Route.Kind {
    if let pass = Self.pass(of: chain), let kind = Nginx.Route.Kind(pass: pass.name) { return kind }
    let scope = Scope(chosen.server, chain)
    let root = chain.last?.block?.first("alias") ?? scope.first("root")
    return .static(root: root?.arguments.first.map { variables.expand($0, in: root?.file ?? "").text })
  }

  /// The directive that passes requests on: an `if` has that of its location unless it has its own.
  private static func pass(of chain: [Nginx.Directive]) -> Nginx.Directive? {
    let around = chain.last?.name == "if" ? chain.dropLast().last?.passes : nil
    return chain.last?.passes ?? around
  }

  /// The first of a folder's `index` files that is a script: nginx moves a request for the folder to it.
  private func script(of chain: [Nginx.Directive], _ chosen: ChosenServer) -> String? {
    Scope(chosen.server, chain).first("index")?.arguments.map(\.text).first(where: \.isScript)
  }

  /// The blocks around a location, from `http` to itself: what an inner one says replaces what an outer one says.
  private struct Scope {
    let blocks: [[Nginx.Directive]]
    init(_ server: Nginx.Server, _ chain: [Nginx.Directive]) {
      blocks = [server.http, server.own] + chain.map { $0.block ?? [] }
    }
    func all(_ name: String) -> [Nginx.Directive] {
      blocks.reversed().lazy.map { $0.all(name) }.first { !$0.isEmpty } ?? []
    }
    func first(_ name: String) -> Nginx.Directive? { all(name).first }
  }

  /// Where the location leads that `auth_request` asks within nginx; nil if none is asked, or that is not known.
  private func login(_ scope: Scope, _ chosen: ChosenServer, _ variables: Nginx.Variables) -> String? {
    guard let path = scope.first("auth_request")?.text(0), path.hasPrefix("/") else { return nil }
    var variables = variables
    variables.move(to: path, keepsQuery: false)
    let way = self.way(chosen, &variables)
    guard way.kind == .proxied, let pass = Self.pass(of: way.chain), let argument = pass.arguments.first else {
      return nil
    }
    let target = Nginx.Target(variables.expand(argument, in: pass.file), of: way.kind)
    return upstreams(of: target, kind: way.kind, isLiteral: true, resolvers: []).servers.first?.url
  }

  private func route(
    _ request: Nginx.Request, _ chosen: ChosenServer, _ way: Way, _ variables: Nginx.Variables
  ) -> Nginx.Route {
    let (chain, kind) = (way.chain, way.kind)
    let scope = Scope(chosen.server, chain)
    let own = Self.pass(of: chain)
    let isPassed =
      kind.isPassed && own.map { kind.isConnected || Nginx.Route.Kind(pass: $0.name) == kind } ?? false
    let pass = isPassed ? own : nil
    let location = chain.last { $0.name == "location" }
    let values = pass.flatMap { pass in pass.arguments.first.map { variables.choices($0, in: pass.file) } } ?? []
    let value = values.first
    let target = value.map { Nginx.Target($0, of: kind) }
    let isLiteral = pass?.text(0)?.contains("$") == false
    let resolver = scope.first("resolver")
    let found = values.map {
      upstreams(of: Nginx.Target($0, of: kind), kind: kind, isLiteral: isLiteral, resolvers: resolver?.resolvers ?? [])
    }
    let proxyHost = target.map { target in
      target.host.text
        + (target.port.map { $0.text == target.defaultPort.map(String.init) ? "" : ":" + $0.text } ?? "")
    }
    func setting<Value>(_ name: String, _ fallback: Value, _ read: (Nginx.Directive) -> Value?)
      -> Nginx.Route.Setting<Value>
    {
      guard let directive = scope.first("\(kind.family)_\(name)"), let value = read(directive) else {
        return Nginx.Route.Setting(value: fallback, span: nil)
      }
      return Nginx.Route.Setting(value: value, span: span(directive))
    }
    func timeout(_ name: String) -> Nginx.Route.Setting<Duration> {
      setting(name + "_timeout", .seconds(60)) { $0.text(0).flatMap(Nginx.duration) }
    }
    let readTimeout =
      kind.isConnected ? setting("timeout", .seconds(600)) { $0.text(0).flatMap(Nginx.duration) } : timeout("read")
    func text(_ directive: Nginx.Directive, _ index: Int) -> String? {
      guard directive.arguments.indices.contains(index) else { return nil }
      let argument = directive.arguments[index]
      if let proxyHost, argument.text == "$proxy_host" { return proxyHost }
      return variables.expand(argument, in: directive.file).text
    }
    // The argument without variables, of a line that has nothing else.
    let known = pass.map(isAlone) == true ? value.flatMap { $0.text.contains("$") ? nil : $0.text } : nil
    let ownBlock = isPassed ? chain.last?.block ?? [] : []
    let limit = ownBlock.first("\(kind.family)_buffer_size")
    let server = chosen.server
    let name = chosen.name ?? (server.names.isEmpty ? nil : 0)
    let hosts = scope.all("\(kind.family)_set_header").filter { $0.text(0)?.lowercased() == "host" }
    let isOneHost = Set(hosts.map { text($0, 1) }).count < 2
    let errorLog = scope.first("error_log") ?? directives.first("error_log")
    let trusted = scope.first("\(kind.family)_ssl_trusted_certificate")
    return Nginx.Route(
      kind: kind, choice: chosen.choice, serverName: name.map { server.names[$0].text },
      serverNameSpan: name.flatMap { span(server.names[$0].directive, server.names[$0].index) },
      listen: chosen.listen, serverFile: server.directive.file, serverLine: server.directive.line,
      location: location.map { $0.arguments.map(\.text).joined(separator: " ") },
      locationFile: location?.file, locationLine: location?.line,
      passSpan: pass.flatMap { span($0) }, pass: value?.text, upstreams: found.flatMap(\.servers),
      group: found.first?.group,
      upstreamPath: target.map { path(of: $0, kind, isLiteral, location, request, variables) },
      resolver: Nginx.Route.Setting(value: resolver?.resolvers ?? [], span: resolver.flatMap(serversSpan)),
      connectTimeout: timeout("connect"), readTimeout: readTimeout, sendTimeout: timeout("send"),
      headerLimit: Nginx.Route.Setting(
        value: setting("buffer_size", Int(getpagesize())) { $0.text(0).flatMap(Nginx.size) }.value,
        span: limit.flatMap { span($0) }),
      bodyLimit: bodyLimit(scope.first("client_max_body_size")),
      setsBuffers: ownBlock.first("\(kind.family)_buffers") != nil, passTarget: known.map { Self.target(of: $0) },
      passLiteral: isLiteral ? nil : known.flatMap { known in pass.map { "\($0.name) \(known);" } },
      passLookedUp: chain.last?.name == "location" && isLiteral && found.first?.group == nil && known != nil
        ? lookedUp(target, kind, location, hasResolver: resolver != nil) : nil,
      nextUpstream: setting("next_upstream", ["error", "timeout"]) { $0.arguments.map(\.text) },
      verifies: setting("ssl_verify", false) { $0.text(0) == "on" },
      sendsServerName: setting("ssl_server_name", false) { $0.text(0) == "on" },
      tlsName: setting("ssl_name", target?.host.text ?? "") { text($0, 0) },
      trustedCertificate: trusted.flatMap { trusted in
        trusted.text(0).map { Nginx.Route.Setting(value: $0, span: span(trusted)) }
      },
      sendsCertificate: scope.first("\(kind.family)_ssl_certificate") != nil,
      hostHeader: Nginx.Route.Setting(
        value: kind.isConnected
          ? request.header : isOneHost ? hosts.first.flatMap { text($0, 1) } ?? proxyHost ?? "" : nil,
        span: hosts.first.flatMap { span($0, 1) }),
      upgrade: upgrade(scope, kind), bind: scope.first("\(kind.family)_bind").flatMap { span($0) },
      tlsVersions: scope.first("\(kind.family)_ssl_protocols").flatMap { span($0) },
      login: login(scope, chosen, variables), refusals: variables.refusals + limits(scope) + denials(scope),
      keptErrors: keptErrors(scope, kind), leftBy: way.leftBy, folder: folder(of: chain, variables),
      version: ownBlock.first("proxy_http_version").flatMap { span($0) },
      scripts: kind == .fastcgi ? scripts(scope, variables) : nil,
      errorLog: errorLog.flatMap { log in
        log.text(0).map { Nginx.Route.Setting(value: $0, span: span(log)) }
      },
      errorLogLevel: errorLog.flatMap { log in
        log.text(1).map { Nginx.Route.Setting(value: $0, span: span(log, 1)) }
      },
      accessLogs: scope.all("access_log").compactMap { $0.text(0) }.filter { $0 != "off" })
  }

  /// Where `Connection` is set to `upgrade` without a variable.
  private func upgrade(_ scope: Scope, _ kind: Nginx.Route.Kind) -> Span? {
    let line = scope.all("\(kind.family)_set_header").last { $0.text(0)?.lowercased() == "connection" }
    guard let line, line.text(1)?.lowercased() == "upgrade" else { return nil }
    return span(line, 1)
  }

  /// The folder that `fastcgi_param SCRIPT_FILENAME FOLDER/…` names, and its place in the value.
  private func scripts(_ scope: Scope, _ variables: Nginx.Variables) -> Nginx.Route.Setting<String?>? {
    guard let line = scope.all("fastcgi_param").last(where: { $0.text(0) == "SCRIPT_FILENAME" }),
      let file = line.text(1)
    else { return Nginx.Route.Setting(value: nil, span: nil) }
    let script = file.firstRange(of: "$fastcgi_script_name")?.lowerBound ?? file.lastIndex(of: "/") ?? file.startIndex
    let folder = String(file[..<script])
    let span = span(line, 1).map { $0.part(0..<folder.count, of: file) }
    guard ["$document_root", "$realpath_root"].contains(folder) else {
      return folder.contains("$") ? nil : Nginx.Route.Setting(value: folder, span: span)
    }
    guard let root = scope.first("root"),
      let path = root.arguments.first.map({ variables.expand($0, in: root.file).text }), path.hasPrefix("/"),
      !path.contains("$")
    else { return nil }
    return Nginx.Route.Setting(value: path, span: span)
  }

  /// The first line by which answers with an error are kept, too.
  private func keptErrors(_ scope: Scope, _ kind: Nginx.Route.Kind) -> Nginx.Route.KeptErrors? {
    guard let zone = scope.first("\(kind.family)_cache")?.text(0), zone != "off" else { return nil }
    for rule in scope.all("\(kind.family)_cache_valid") {
      let statuses = rule.arguments.dropLast().compactMap { Int($0.text) }.filter { $0 >= 500 }
      guard !statuses.isEmpty || rule.text(0) == "any" else { continue }
      let path = scope.all("\(kind.family)_cache_path").first { path in
        path.arguments.contains { $0.text.hasPrefix("keys_zone=\(zone):") }
      }
      return Nginx.Route.KeptErrors(
        rule: rule, statuses: statuses, folder: path?.text(0).flatMap { $0.hasPrefix("/") ? $0 : nil })
    }
    return nil
  }

  /// The folder that the innermost location names, where that is chosen by the beginning of the path.
  private func folder(of chain: [Nginx.Directive], _ variables: Nginx.Variables) -> Nginx.Route.Folder? {
    guard let location = chain.last, location.name == "location",
      case .prefix(let prefix, _) = Nginx.Location(location), variables.path.hasPrefix(prefix),
      let directive = location.block?.first("alias") ?? location.block?.first("root"),
      let path = directive.arguments.first.map({ variables.expand($0, in: directive.file).text }),
      path.hasPrefix("/"), !path.contains("$")
    else { return nil }
    return Nginx.Route.Folder(
      directive: directive, path: path, prefix: prefix, rest: String(variables.path.dropFirst(prefix.count)))
  }

  /// What `limit_req` and `limit_conn` refuse.
  private func limits(_ scope: Scope) -> [Nginx.Refusal] {
    ["limit_req", "limit_conn"].compactMap { name in
      scope.first(name).map { limit in
        Nginx.Refusal(status: scope.first("\(name)_status")?.text(0).flatMap { Int($0) } ?? 503, rule: limit, file: nil)
      }
    }
  }

  private func denials(_ scope: Scope) -> [Nginx.Refusal] {
    scope.all("deny").last.map { [Nginx.Refusal(status: 403, rule: $0, file: nil)] } ?? []
  }

  private func bodyLimit(_ directive: Nginx.Directive?) -> Nginx.Route.Setting<Int?> {
    guard let directive, let size = directive.text(0).flatMap(Nginx.size) else {
      return Nginx.Route.Setting(value: 1 << 20, span: nil)
    }
    return Nginx.Route.Setting(value: size == 0 ? nil : size, span: span(directive))
  }

  /// The place of all name servers of a `resolver` line, which stand one beside the other before its options.
  private func serversSpan(_ resolver: Nginx.Directive) -> Span? {
    let count = resolver.resolvers.count
    guard count > 0, resolver.arguments.prefix(count).map(\.text) == resolver.resolvers, let first = span(resolver, 0),
      let last = span(resolver, count - 1), last.line == first.line
    else { return nil }
    return Span(file: first.file, line: first.line, text: first.text, head: first.head, tail: last.tail)
  }

  /// True for a line that is nothing but `proxy_pass http://app:3000/;`.
  private func isAlone(_ pass: Nginx.Directive) -> Bool {
    guard let text = line(pass.line, of: pass.file), let argument = pass.text(0) else { return false }
    let words = text.split { $0 == " " || $0 == "\t" }
    return words.count == 2 && words[0] == pass.name && words[1] == argument + ";"
  }

  /// The name in a variable, which nginx asks its resolver for. With one the path is passed on as it came, so only a
  /// `proxy_pass` that changes nothing of it can have that.
  private func lookedUp(
    _ target: Nginx.Target?, _ kind: Nginx.Route.Kind, _ location: Nginx.Directive?, hasResolver: Bool
  ) -> [String]? {
    let matched = location.flatMap { Nginx.Location($0).prefix }
    guard kind == .proxied, let target, let scheme = target.scheme?.text, target.socket == nil,
      !target.host.text.isAddress, target.path == nil || target.path?.text == matched
    else { return nil }
    let port = target.port.map { ":" + $0.text } ?? ""
    return (hasResolver ? [] : ["resolver 127.0.0.11 valid=10s;"])
      + ["set $app_host \(target.host.text);", "proxy_pass \(scheme)://$app_host\(port);"]
  }

  /// `app:3000` of `http://app:3000/path`, `unix:/run/app.sock` of `http://unix:/run/app.sock:/path`.
  private static func target(of argument: String) -> String {
    let address = argument.firstRange(of: "://").map { argument[$0.upperBound...] } ?? argument[...]
    if address.hasPrefix("unix:") { return "unix:" + address.dropFirst(5).prefix { $0 != ":" } }
    return String(address.prefix { $0 != "/" && $0 != "?" })
  }

  /// The path and query that the upstream gets, as `ngx_http_proxy_create_request` puts them together.
  private func path(
    of target: Nginx.Target, _ kind: Nginx.Route.Kind, _ isLiteral: Bool, _ location: Nginx.Directive?,
    _ request: Nginx.Request, _ variables: Nginx.Variables
  ) -> String {
    guard kind == .proxied, let path = target.path?.text else {
      return variables.isAsSent ? request.target : variables.escapedPath()
    }
    if !isLiteral { return path.hasPrefix("?") ? "/" + path : path }
    guard variables.isOfLocation else { return variables.escapedPath() }
    let matched = location.flatMap { Nginx.Location($0).prefix } ?? ""
    return path + variables.escapedPath(droppingFirst: matched.utf8.count)
  }
}
