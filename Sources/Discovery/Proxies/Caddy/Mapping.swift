import Model
import Routes

extension Caddy.Configuration {
  /// What the configuration says of the request, without a word about files that could not be read.
  func read(_ request: RouteReading.Request, _ files: ProxyFiles) -> Reading {
    let asked = Caddy.Request(
      host: request.site.host, path: request.site.path, port: request.port, isTLS: request.site.scheme == "https")
    var reading = Reading(
      outcome: .found,
      configuration: Reading.Configuration(
        start: Reading.Configuration.Start(file: nil, prefix: nil, adapter: nil), mistake: nil, newest: nil, main: nil,
        folder: nil, folderInside: nil, container: nil, hasAdmin: .notRead, version: nil, unread: nil),
      entry: nil, route: nil, problem: nil, near: nil, app: nil, labels: nil,
      log: Reading.Log(file: .known(logFile), keys: ["\"host\":\"\(request.site.host)"]), own: [:])
    guard let found = found(asked) else {
      reading.outcome = asked.redirects(by: self) ? .static : .missing
      guard reading.outcome == .missing else { return reading }
      let near = request.site.host.nearest(among: sites.keys.filter { $0.isSiteName }.sorted())
      reading.near = near.map { Setting($0, files.edit(sites[$0] ?? nil)) }
      return reading
    }
    let name = found.site?.name
    reading.entry = Reading.Entry(
      site: Setting(
        name.flatMap { $0.isSiteName ? $0 : nil } ?? request.site.host, files.edit(found.site?.place)), definedIn: "",
      router: nil, service: nil, provider: nil)
    switch found.served {
    case .answered(let status, let by?) where status >= 400:
      reading.outcome = .static
      guard case .proxied(let proxy, _, _) = self.found(asked, ignoringAnswers: true)?.served else { break }
      reading.outcome = .misconfigured
      reading.entry?.definedIn = proxy.definedIn
      reading.problem = Reading.Problem(
        reason: "\(by.words) comes before reverse_proxy, wherever it stands in the site, and answers every request",
        remedy: files.edit(by.place).map { .line($0, fixed: $0.span.commentedOut) }, label: nil)
    case .answered: reading.outcome = .static
    case .files: (reading.outcome, reading.own[.routeFiles]) = (.static, "named")
    case .empty:
      reading.outcome = .missing
      guard let (path, proxy) = proxiedAlone(above: asked) else { break }
      reading.outcome = .misconfigured
      reading.entry?.definedIn = proxy.definedIn
      let place = proxy.upstreams.first?.hostPlace
      reading.problem = Reading.Problem(
        reason: "the route is for the path \(path) alone, and what lies below it is \(path)/*; \(path)* is both",
        remedy: files.edit(place).flatMap { edit in
          let (old, new) = (" \(path) ", " \(path)* ")
          guard edit.span.head.ranges(of: old).count == 1 else { return nil }
          return .line(
            edit,
            fixed: edit.span.head.replacing(old, with: new) + edit.span.text.dropFirst(edit.span.head.count))
        }, label: nil)
    case .unclear: reading.outcome = .unknown
    case .proxied(var proxy, let path, let change):
      if let source, let file = DocumentFile(source.text, path: source.path) { proxy.place(in: file) }
      reading.entry?.definedIn = proxy.definedIn
      let servers = proxy.upstreams.map { Server($0.endpoint, .used) }
      guard let upstream = proxy.upstreams.chosen(request.server, by: { Server($0.endpoint, .used) }) else {
        reading.outcome = proxy.isNowhere ? .misconfigured : .unknown
        if proxy.isNowhere {
          reading.problem = Reading.Problem(
            reason: "its address is empty; a variable in it has no value where Caddy runs", remedy: nil, label: nil)
        }
        return reading
      }
      reading.log.keys.append("\"host\":\"\(upstream.address)\"")
      let login = found.auth.first.flatMap { auth in auth.upstreams.first.map { auth.url(of: $0) } }
      reading.own.set(files.edit(proxy.places["version"]), .version)
      reading.own[.routePreamble] = proxy.sendsPreamble ? "yes" : nil
      reading.route = proxy.route(to: upstream, servers, path: path, change, login: login, request, files)
    }
    return reading
  }
}

extension Caddy.Configuration {
  /// The longest path above the one that is asked for that is passed on, though what lies below it is not.
  fileprivate func proxiedAlone(above request: Caddy.Request) -> (path: String, proxy: Caddy.Proxy)? {
    var above = request
    above.path = String(request.path.prefix { $0 != "?" })
    for _ in 0..<32 {
      guard let slash = above.path.lastIndex(of: "/"), slash > above.path.startIndex else { return nil }
      above.path = String(above.path[..<slash])
      if case .proxied(let proxy, _, _) = found(above)?.served { return (above.path, proxy) }
    }
    return nil
  }
}

extension Span {
  /// The whole line as a comment.
  fileprivate var commentedOut: String { indentation + "# " + text.dropFirst(indentation.count) }
}

extension Caddy.Request {
  /// True if Caddy sends it on to https by itself: the site is served there.
  fileprivate func redirects(by configuration: Caddy.Configuration) -> Bool {
    guard !isTLS else { return false }
    return configuration.servers.contains { server in
      guard server.isTLS, let port = server.ports.first?.lowerBound else { return false }
      return Caddy.Configuration(servers: [server]).found(.init(host: host, path: path, port: port, isTLS: true)) != nil
    }
  }
}

extension Caddy.Upstream {
  var endpoint: Endpoint { socket.map(Endpoint.socket) ?? .network(host: host, port: port) }
}

extension Caddy.Proxy {
  private var scheme: String { speaks == "fastcgi" ? speaks : isTLS ? "https" : "http" }

  func url(of upstream: Caddy.Upstream) -> String { "\(scheme)://\(upstream.endpoint.text)" }

  fileprivate func route(
    to upstream: Caddy.Upstream, _ servers: [Server], path: String?, _ change: (words: String, place: Span?)?,
    login: String?, _ request: RouteReading.Request,
    _ files: ProxyFiles
  ) -> Route {
    func edit(_ name: String) -> Edit? { files.edit(places[name]) }
    let pass = places["pass"]
    let address: Route.Upstream.Address =
      upstream.socket.map { .socket(Setting($0, files.edit(upstream.hostPlace))) }
      ?? .network(
        host: Setting(upstream.host, files.edit(upstream.hostPlace)),
        port: Setting(upstream.port, files.edit(upstream.portPlace)))
    return Route(
      upstream: Route.Upstream(
        scheme: Setting(scheme, edit("scheme")), address: address, speaks: Route.Dialect(rawValue: speaks) ?? .http),
      servers: servers,
      resolution: .known(
        Route.Resolution(when: .known(.eachTime), family: .known(Setting(nil, nil)), dials: .notRead, resolver: nil)),
      patience: Route.Patience(
        connect: .known(Setting(Route.Wait(connectTimeout), nil)),
        answer: .known(Setting(Route.Wait(answerTimeout), edit("timeout"))), whole: .notApplicable),
      tls: isTLS ? tls(upstream, request, edit("ssl-name"), files) : nil,
      path: Route.Path(
        passedOn: path.map(Known.known) ?? .notRead,
        change: change.map { change in
          // With `handle` in the place of `handle_path` the path stays as it is.
          .known(
            Route.Path.Change(
              by: change.words, edit: files.edit(change.place), fixed: change.place.map { $0.head + "handle" + $0.tail }
            ))
        } ?? .notRead),
      sentHost: sentHost(to: upstream).map { .known(Setting($0, edit("sent-host"))) } ?? .notRead,
      limits: Route.Limits(
        header: .known(
          Route.Limits.Header(
            bytes: headerLimit.map { Setting(Int(clamping: $0), edit("header-limit")) }, line: nil, lines: nil)),
        body: .notRead, connections: .notRead),
      health: .known(
        health.map { health in
          Route.HealthCheck(
            path: Setting(health.path, edit("health")), expects: Setting(health.expects, edit("health-status")),
            port: health.port.map { Setting($0, edit("health-port")) }, isUp: .notRead)
        }), login: .known(login), scripts: .notRead, refusals: .notRead, shadowed: .notApplicable,
      pass: Route.Pass(
        line: files.insertion(after: pass, next: nil), site: nil,
        transport: edit("transport").map { Insertion(after: $0, indentation: $0.span.indentation, next: nil) },
        target: pass == nil ? nil : upstream.address, literal: nil, plain: nil, encrypted: nil, takesBuffers: false,
        family: nil),
      container: nil, runs: .notRead)
  }

  private func tls(
    _ upstream: Caddy.Upstream, _ request: RouteReading.Request, _ nameEdit: Edit?, _ files: ProxyFiles
  ) -> Route.TLS {
    let name = tlsName?.replacing("{http.request.host}", with: request.site.host) ?? upstream.host
    let isKnown = !name.contains("{")
    // Against authorities that are in no file nothing can be verified from here.
    let verified: Known<Set<Route.TLS.Part>> =
      verifies ? hasOtherAuthorities ? .notRead : .known(Set(Route.TLS.Part.allCases)) : .known([])
    return Route.TLS(
      verified: verified, verifySwitch: nil, name: isKnown ? .known(Setting(name, nameEdit)) : .notRead,
      sendsName: .known(Setting(!name.isAddress, nil)),
      authorities: .known(authorities.first.map(files.authorities)), sendsCertificate: .notRead, offer: .known(.modern),
      block: files.edit(places["tls"]))
  }

  /// The `Host` header that the upstream gets; nil: the client's. An HTTPS upstream gets its own address (since 2.11).
  private func sentHost(to upstream: Caddy.Upstream) -> String? {
    guard let header = hostHeader else { return isTLS ? upstream.address : nil }
    let sent = header.replacing("{http.reverse_proxy.upstream.hostport}", with: upstream.address)
      .replacing("{http.reverse_proxy.upstream.host}", with: upstream.host)
    return sent.contains("{") ? nil : sent
  }
}

extension String {
  /// True for a name that can be asked for.
  fileprivate var isSiteName: Bool { !isEmpty && !contains("*") && !contains("{") }
}
