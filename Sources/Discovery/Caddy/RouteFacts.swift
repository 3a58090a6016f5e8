import Model

extension Caddy.Configuration {
  /// The facts of the route that serves the request, without a word about files that could not be read.
  func read(_ request: RouteReading.Request, _ files: ProxyFiles) -> (RouteReading.Outcome, Facts) {
    let asked = Caddy.Request(
      host: request.site.host, path: request.site.path, port: request.port, isTLS: request.site.scheme == "https")
    var facts: Facts = [.routeLogKeys: "\"host\":\"\(request.site.host)", .routeLog: logFile ?? ""]
    guard let found = found(asked) else {
      if asked.redirects(by: self) { return (.static, facts) }
      let near = request.site.host.nearest(among: sites.keys.filter { $0.isSiteName }.sorted())
      facts[.routeNear] = near
      facts.set(near.flatMap { sites[$0] ?? nil }, "name", files)
      return (.missing, facts)
    }
    let name = found.site?.name
    facts[.routeHost] = name.flatMap { $0.isSiteName ? $0 : nil } ?? request.site.host
    facts.set(found.site?.place, "name", files)
    facts[.routeAuth] = found.auth.first.flatMap { auth in auth.upstreams.first.map { auth.url(of: $0) } }
    switch found.served {
    case .answered, .files: return (.static, facts)
    case .empty: return (.missing, facts)
    case .proxied(let proxy, let path):
      facts[.routeDefinedIn] = proxy.definedIn
      facts[.upstreamPath] = path
      return proxy.describe(request, files, &facts)
    }
  }
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

extension Caddy.Proxy {
  func url(of upstream: Caddy.Upstream) -> String {
    "\(speaks == "fastcgi" ? speaks : isTLS ? "https" : "http")://\(upstream.address)"
  }

  fileprivate func describe(
    _ request: RouteReading.Request, _ files: ProxyFiles, _ facts: inout Facts
  ) -> (RouteReading.Outcome, Facts) {
    guard let upstream = upstreams.first else { return (.unknown, facts) }
    facts[.routeUpstream] = url(of: upstream)
    facts[.routeProtocol] = speaks
    facts[.upstreamScheme] = isTLS ? "https" : "http"
    facts[.upstreamSocket] = upstream.socket
    facts[.routeConnectTimeout] = connectTimeout.inWords
    facts[.routeReadTimeout] = answerTimeout?.inWords
    facts[.routeHeaderLimit] = headerLimit.map { String(Int(clamping: $0)) }
    facts[.routeLogKeys] = [facts[.routeLogKeys], "\"host\":\"\(upstream.address)\""].compactMap { $0 }
      .joined(separator: ", ")
    if upstreams.count > 1 { facts[.routeServers] = upstreams.map(\.address).joined(separator: ", ") }
    if let health {
      facts[.routeHealthPath] = health.path
      facts[.routeHealthExpects] = health.expects
      facts[.routeHealthPort] = health.port.map { String($0) }
    }
    describeTLS(upstream, request, files, &facts)
    facts[.routeSendsHost] = sentHost(to: upstream)
    for (name, place) in places { facts.set(place, name, files) }
    guard upstream.socket == nil else { return (.otherProtocol, facts) }
    facts[.upstreamHost] = upstream.host
    facts[.upstreamPort] = String(upstream.port)
    return (speaks == "fastcgi" ? .otherProtocol : .found, facts)
  }

  private func describeTLS(
    _ upstream: Caddy.Upstream, _ request: RouteReading.Request, _ files: ProxyFiles, _ facts: inout Facts
  ) {
    guard isTLS else {
      facts[.routeVerifies] = "off"
      return
    }
    let name = tlsName?.replacing("{http.request.host}", with: request.site.host) ?? upstream.host
    facts[.routeTLSName] = name.contains("{") ? nil : name
    facts[.routeSendsTLSName] = name.isAddress ? "off" : "on"
    facts[.routeAuthorities] = authorities.first
    facts[.routeAuthoritiesFile] = authorities.first.flatMap(files.hostPath)
    // Against authorities that are in no file nothing can be verified from here.
    facts[.routeVerifies] = verifies ? hasOtherAuthorities ? nil : "on" : "off"
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
