public import Model

extension FactName {
  public static let routeResolves: FactName = "route.resolves"
  public static let routeResolver: FactName = "route.resolver"
  public static let routeResolversInTurn: FactName = "route.resolvers-in-turn"
  public static let routeReadTimeout: FactName = "route.read-timeout"
  public static let routeVerifies: FactName = "route.verifies"
  public static let routeVerifiesParts: FactName = "route.verifies-parts"
  public static let routeAuthorities: FactName = "route.authorities"
  public static let routeAuthoritiesFile: FactName = "route.authorities-file"
  public static let routeTLSName: FactName = "route.tls-name"
  public static let routeSendsHost: FactName = "route.sends-host"
  public static let routeNear: FactName = "route.near"
  public static let routeOthers: FactName = "route.others"
  public static let routeLog: FactName = "route.log"
  public static let routeLogKeys: FactName = "route.log-keys"
  public static let routeLogLevel: FactName = "route.log-level"
  public static let routeProtocol: FactName = "route.protocol"
  public static let routeServers: FactName = "route.servers"
  public static let routeConnectTimeout: FactName = "route.connect-timeout"
  public static let routeHeaderLimit: FactName = "route.header-limit"
  public static let routeHeaderLineLimit: FactName = "route.header-line-limit"
  public static let routeHeaderLines: FactName = "route.header-lines-limit"
  public static let routeSendsCertificate: FactName = "route.sends-certificate"
  public static let routeTLSOffer: FactName = "route.tls-offer"
  public static let routeSendsTLSName: FactName = "route.sends-tls-name"
  public static let routeHealth: FactName = "route.health"
  public static let routeHealthPath: FactName = "route.health-path"
  public static let routeHealthExpects: FactName = "route.health-expects"
  public static let routeHealthPort: FactName = "route.health-port"
  public static let routeHealthState: FactName = "route.health-state"
  public static let proxyConnections: FactName = "proxy.connections"
  public static let proxyConnectionLimit: FactName = "proxy.connection-limit"
  public static let routeRequests: FactName = "route.requests"
  public static let routeRequestLimit: FactName = "route.request-limit"
  public static let routeQueued: FactName = "route.queued"
  public static let routeServerLimit: FactName = "route.server-limit"
  public static let routeAddressFamily: FactName = "route.address-family"
  public static let routeDials: FactName = "route.dials"
  public static let routeShadowed: FactName = "route.shadowed"
  public static let scriptsFolder: FactName = "scripts.folder"
  public static let routeAuth: FactName = "route.auth"
  public static let routeRouter: FactName = "route.router"
  public static let routeService: FactName = "route.service"
  public static let routeProvider: FactName = "route.provider"
  public static let routeApp: FactName = "route.app"
  public static let routeDropped: FactName = "route.dropped"
  public static let routeNetworks: FactName = "route.networks"
  public static let routeLabel: FactName = "route.label"
  public static let routeRewrittenBy: FactName = "route.rewritten-by"
  public static let routeContainer: FactName = "route.container"
  public static let routeProblem: FactName = "route.problem"
  public static let upstreamScheme: FactName = "upstream.scheme"
  public static let upstreamHost: FactName = "upstream.host"
  public static let upstreamPort: FactName = "upstream.port"
  public static let upstreamPath: FactName = "upstream.path"
  public static let upstreamSocket: FactName = "upstream.socket"
  public static let proxyConfiguration: FactName = "proxy.configuration"
  public static let proxyPrefix: FactName = "proxy.prefix"
  public static let proxyAdapter: FactName = "proxy.adapter"
  public static let proxyAdmin: FactName = "proxy.admin"
  public static let configProblem: FactName = "config.problem"
  public static let configByteMark: FactName = "config.byte-mark"
  public static let configInside: FactName = "config.inside"
  public static let configMain: FactName = "config.main"
  public static let configDirectory: FactName = "config.directory"
  public static let configDirectoryInside: FactName = "config.directory-inside"
  public static let configMountedAlone: FactName = "config.mounted-alone"
  public static let configGlobalAlone: FactName = "config.global-alone"
  public static let configNewest: FactName = "config.newest"
  public static let configNewestTime: FactName = "config.newest-time"
  public static let configRuns: FactName = "config.runs"
  public static let routeRunning: FactName = "route.running"
  public static let routeFamily: FactName = "route.family"
  public static let proxyLayout: FactName = "proxy.layout"
  public static let sourceKind: FactName = "source.kind"
  public static let sourceEndpoint: FactName = "source.endpoint"
  public static let sourceVersion: FactName = "source.version"
  public static let labelPort: FactName = "label.port"
  public static let labelForPort: FactName = "label.for-port"
  public static let variableForPort: FactName = "variable.for-port"
  public static let variableOfPort: FactName = "variable.of-port"
  public static let routePrefix: FactName = "route.prefix"
  public static let routePreamble: FactName = "route.sends-preamble"
  public static let routeFiles: FactName = "route.files"
  public static let routeAsksUpgrade: FactName = "route.asks-upgrade"
  public static let wantsPreamble: FactName = "proxy.wants-preamble"
  public static let onlyIPv6: FactName = "proxy.only-ipv6"
  public static let wantsHTTP2: FactName = "proxy.wants-http2"
  public static let routeKeepsErrors: FactName = "route.keeps-errors"
  public static let routeCacheFolder: FactName = "route.cache-folder"
  public static let labelOpen: FactName = "label.open"
  public static let labelBetween: FactName = "label.between"
  public static let labelClose: FactName = "label.close"
  public static let refusalRule: FactName = "refusal.rule"
  public static let refusalStatus: FactName = "refusal.status"
  public static let refusalPlace: FactName = "refusal.defined-in"
  public static let refusalFile: FactName = "refusal.file"
  public static let refusalFileInside: FactName = "refusal.file-inside"

  /// Every fact that reading a route may bring; those that only one kind of proxy has come with its reader.
  public static let ofRoutes: [FactName] =
    [
      .routeHost, .routeUpstream, .routeDefinedIn, .variableOfPort, .routeResolves, .routeResolver,
      .routeResolversInTurn,
      .routeReadTimeout, .routeVerifies,
      .routeAuthorities, .routeAuthoritiesFile, .routeTLSName, .routeSendsHost, .routeNear, .routeOthers,
      .routeLog, .upstreamScheme,
      .upstreamHost, .upstreamPort, .upstreamPath, .configProblem, .configByteMark, .configUnread, .configInside,
      .configDirectory,
      .configMountedAlone, .configGlobalAlone, .routeServerLimit,
      .configDirectoryInside, .configMain, .configNewest, .configNewestTime, .configRuns, .routeRunning, .routeLogKeys,
      .routeLogLevel,
      .routeProtocol, .routeServers, .routeConnectTimeout, .routeHeaderLimit, .routeSendsTLSName, .routeHealth,
      .routeHealthPath,
      .routeHealthExpects, .routeHealthPort, .routeHealthState, .routeAuth, .scriptsFolder, .routeShadowed,
      .routeAddressFamily,
      .routeDials,
      .proxyVersion, .routeHeaderLineLimit, .routeHeaderLines, .routeTLSOffer, .routeSendsCertificate, .routeProblem,
      .upstreamSocket, .proxyConfiguration, .proxyPrefix, .proxyAdapter, .proxyAdmin, .routeFamily,
      .routeVerifiesParts, .routeRouter, .routeService, .routeProvider, .routeApp, .routeDropped, .routeNetworks,
      .routeRewrittenBy, .routePrefix, .routeLabel, .routeContainer, .labelPort, .labelOpen, .labelBetween, .labelClose,
    ]
    + [
      (.problem, "fixed"), (.problem, "insert"), (.problem, "next"), (.problem, "needless"),
      (.verify, "off"), (.rewrite, "fixed"),
      (.pass, "target"), (.pass, "literal"), (.pass, "buffers"), (.pass, "plain"), (.pass, "encrypted"),
      (.pass, "looked-up"),
    ].map(line)
    + Line.allCases.filter { !Line.besideRoutes.contains($0) }.flatMap(ofLine)
    + [Line.pass, .site, .module, .transport, .global].flatMap { [line($0, "indent"), line($0, "next")] }

  /// Every fact of a rule by which a proxy refuses.
  public static let ofRefusals: [FactName] =
    [.refusalRule, .refusalStatus, .refusalPlace, .refusalFile, .refusalFileInside, line(.refusal, "fixed")]
    + ofLine(.refusal)

  /// Every fact that asking a proxy for its use may bring.
  public static let ofUse: [FactName] =
    [.proxyConnections, .proxyConnectionLimit, .routeRequests, .routeRequestLimit, .routeQueued] + ofLine(.limit)

  /// Lines of files that a page may show a patch for.
  public enum Line: String, CaseIterable, Sendable {
    case host, port, scheme, timeout, pass, site, module, name, verify
    case tlsName = "ssl-name"
    case sentHost = "sent-host"
    case version
    case sni, problem
    case headerLimit = "header-limit"
    case transport, rewrite, network, health
    case healthStatus = "health-status"
    case healthPort = "health-port"
    case tls, family
    /// Of host and port, where they stand together: `shop:8080`.
    case address
    /// Of the proxy's own limit, of Compose's networks and ports, of a file of names, of the proxy's own Compose service:
    /// no part of a route.
    case limit, join, external, ports, hosts, source
    case resolver
    /// Of how many connections it may have; the one below which its settings for all sites stand.
    case connections, global
    /// Of the value that names the scripts' folder.
    case scripts
    /// Of a rule that never acts.
    case shadowed
    /// Of a rule that refuses requests.
    case refusal
    /// Of how much is logged.
    case logLevel = "log-level"
    /// Of Compose's services: what starts the app's container, and the proxy's, again.
    case restart
    case proxyRestart = "proxy-restart"
    /// Of the setting by which an app listens, in its Compose file.
    case listen
    /// Of a published port, in the app's Compose file.
    case published
    /// Of the limits of a circuit breaker.
    case thresholds
    /// Of a container's health check, in its Compose file.
    case unchecked
    /// Of a PHP-FPM pool's settings.
    case poolClients = "pool-clients"
    case poolTimeout = "pool-timeout"
    /// Of what lets a proxy wait for the PROXY protocol, and of what lets one send it.
    case preamble
    case unprefaced
    /// Of what lets a proxy speak only HTTP/2, and of what lets its cache keep errors.
    case http2, cache
    /// Of what lets a proxy listen by IPv6 only, and of what takes a path out of an app's.
    case ipv6, exception
    /// Of the value by which nginx asks for another protocol, of the address from which it connects, and of the versions
    /// of TLS that it speaks.
    case upgrade, bind
    /// Of the host of a login service.
    case auth
    case tlsVersions = "tls-versions"
    case poolListen = "pool-listen"
    case poolChildren = "pool-children"

    /// Those that are no part of a route.
    static let besideRoutes: Set<Line> = [
      .join, .external, .ports, .hosts, .source, .refusal, .restart, .proxyRestart, .listen, .published, .thresholds,
      .unchecked, .preamble, .unprefaced, .http2, .cache, .ipv6, .exception, .upgrade, .bind, .tlsVersions, .auth,
      .poolClients, .poolTimeout, .poolListen, .poolChildren,
    ]
  }

  /// A fact of one line: `port-line.text`, with what stands before and after the value to change.
  public static func line(_ line: Line, _ part: String) -> FactName { FactName("\(line.rawValue)-line.\(part)") }

  /// Those of a line in which one value changes.
  public static func ofLine(_ line: Line) -> [FactName] {
    ["file", "number", "text", "head", "tail"].map { self.line(line, $0) }
  }

  /// Those of a line in the place of which another text stands then.
  public static func ofWholeLine(_ line: Line) -> [FactName] {
    ["file", "number", "text", "with"].map { self.line(line, $0) }
  }
}

// MARK: The one mapping

extension Reading {
  /// As the tree and the pages know it.
  public var facts: Facts {
    var facts = configuration.facts
    facts[.routeLog] = log.file.value ?? nil
    // Lists of facts are separated by commas.
    facts[.routeLogKeys] = log.keys.filter { !$0.contains(",") }.joined(separator: ", ")
    facts[.routeLogLevel] = log.level?.value
    facts.set(log.level?.edit, .logLevel)
    if let near {
      facts[.routeNear] = near.value
      facts.set(near.edit, .name)
    }
    facts[.routeOthers] = passesOthersOn ? "yes" : nil
    facts[.routeApp] = app
    if let entry { facts.merge(entry.facts) }
    if let route { facts.merge(route.facts) }
    if let problem { facts.merge(problem.facts) }
    if let labels {
      facts.set(labels.line, .pass)
      facts[.labelOpen] = labels.open
      facts[.labelBetween] = labels.between
      facts[.labelClose] = labels.close
    }
    facts.merge(own)
    return facts
  }
}

extension Route.Refusal {
  public var facts: Facts {
    var facts: Facts = [
      .refusalRule: rule.excerpt(of: 120), .refusalStatus: String(status), .refusalPlace: definedIn,
    ]
    if case .file(let inside, let outside) = condition {
      facts.merge([.refusalFileInside: inside, .refusalFile: outside ?? ""])
    }
    facts.set(edit, .refusal)
    facts[FactName.line(.refusal, "fixed")] = loosened
    return facts
  }
}

extension Reading.Entry {
  fileprivate var facts: Facts {
    var facts: Facts = [
      .routeHost: site?.value ?? "", .routeDefinedIn: definedIn, .routeRouter: router ?? "",
      .routeService: service ?? "",
      .routeProvider: provider ?? "",
    ]
    facts.set(site?.edit, .name)
    return facts
  }
}

extension Reading.Problem {
  fileprivate var facts: Facts {
    var facts: Facts = [.routeProblem: reason, .routeLabel: label ?? ""]
    switch remedy {
    case .line(let edit, let fixed):
      facts.set(edit, .problem)
      facts[.line(.problem, "fixed")] = fixed
    case .removal(let edit):
      facts.set(edit, .problem)
      facts[.line(.problem, "needless")] = "yes"
    case .insertion(let edit, let text, let next):
      facts.set(edit, .problem)
      facts[.line(.problem, "insert")] = text
      facts[.line(.problem, "next")] = next
    case .module(let insertion): facts.set(insertion, .module)
    case nil: break
    }
    return facts
  }
}

extension Reading.Configuration {
  fileprivate var facts: Facts {
    var facts: Facts = [
      .proxyConfiguration: start.file ?? "", .proxyPrefix: start.prefix ?? "", .proxyAdapter: start.adapter ?? "",
      .proxyAdmin: hasAdmin.value == false ? "off" : "", .proxyVersion: version ?? "", .configMain: main ?? "",
      .configDirectory: folder ?? "", .configDirectoryInside: folderInside ?? "", .configInside: container ?? "",
      .configUnread: unread ?? "", .configMountedAlone: isMountedAlone ? "yes" : "",
      .configGlobalAlone: isGlobalMountedAlone ? "yes" : "",
    ]
    facts.set(connections, .connections)
    facts.set(global, .global)
    if let mistake {
      facts[.configProblem] = mistake.reason
      facts[.line(.problem, "file")] = mistake.file
      facts[.line(.problem, "number")] = mistake.line.map { String($0) }
      facts[.line(.problem, "text")] = mistake.text
      facts[.line(.problem, "fixed")] = mistake.fixed
      let hasMark = mistake.line == 1 && mistake.text?.unicodeScalars.first == "\u{FEFF}"
      facts[.configByteMark] = hasMark ? mistake.file : nil
    }
    facts[.configNewest] = newest?.path
    facts[.configNewestTime] = newest.map { String($0.changed) }
    return facts
  }
}

extension Route {
  public var facts: Facts {
    var facts: Facts = [.routeUpstream: upstream.url, .upstreamScheme: upstream.scheme.value]
    facts.set(upstream.scheme.edit, .scheme)
    switch upstream.address {
    case .network(let host, let port):
      facts[.upstreamHost] = host.value
      facts[.upstreamPort] = String(port.value)
      facts.set(host.edit, .host)
      facts.set(port.edit, .port)
      facts.set(host.edit?.joined(with: port.edit, port.value), .address)
    case .socket(let path):
      facts[.upstreamSocket] = path.value
      facts.set(path.edit, .host)
      facts.set(path.edit?.withMark, .address)
    }
    facts[.routeProtocol] = upstream.speaks.rawValue
    let dialled = servers.compactMap { server -> String? in
      guard case .network = server.endpoint, server.duty != .out else { return nil }
      return server.endpoint.text
    }
    if dialled.count > 1 { facts[.routeServers] = dialled.joined(separator: ", ") }
    facts[.upstreamPath] = path.passedOn.value
    facts[.routePrefix] = path.prefix.value ?? nil
    facts[.routeSendsHost] = sentHost.value?.value
    facts.set(sentHost.value?.edit, .sentHost)
    facts[.routeAuth] = login.value ?? nil
    if let shadowed = shadowed.value ?? nil {
      facts[.routeShadowed] = shadowed.value
      facts.set(shadowed.edit, .shadowed)
    }
    if let scripts = scripts.value ?? nil {
      facts[.scriptsFolder] = scripts.value
      facts.set(scripts.edit, .scripts)
    }
    set(&facts, resolution.value)
    set(&facts, tls)
    set(&facts, patience, limits)
    set(&facts, health.value ?? nil)
    set(&facts, pass)
    if let change = path.change.value ?? nil {
      facts[.routeRewrittenBy] = change.by
      facts.set(change.edit, .rewrite)
      if change.edit != nil { facts[.line(.rewrite, "fixed")] = change.fixed }
    }
    if let container {
      facts[.routeContainer] = container.id
      facts[.routeDropped] = container.dropped
      if container.networks.count > 1 { facts[.routeNetworks] = container.networks.joined(separator: ", ") }
      facts.set(container.network, .network)
      facts[.labelPort] = container.portLabel
    }
    switch runs.value {
    case .asWritten: facts[.configRuns] = "same"
    case .otherwise(let url):
      facts[.configRuns] = "other"
      facts[.routeRunning] = url ?? "nowhere"
    case nil: break
    }
    return facts
  }

  private func set(_ facts: inout Facts, _ resolution: Resolution?) {
    switch resolution?.when.value {
    case .atStart: facts[.routeResolves] = Resolution.atStart
    case .eachTime: facts[.routeResolves] = Resolution.eachTime
    case .eachRequest(let servers, let inTurn):
      facts[.routeResolves] = Resolution.eachRequest
      facts[.routeResolver] = servers.joined(separator: ", ")
      facts[.routeResolversInTurn] = inTurn ? "yes" : ""
    case nil: break
    }
    if let family = resolution?.family.value {
      facts[.routeAddressFamily] = family.value?.rawValue
      facts.set(family.edit, .family)
    }
    facts[.routeDials] = resolution?.dials.value?.joined(separator: ", ")
    facts.set(resolution?.resolver, .resolver)
  }

  private func set(_ facts: inout Facts, _ tls: TLS?) {
    guard let tls else {
      facts[.routeVerifies] = "off"
      return
    }
    if let parts = tls.verified.value {
      facts[.routeVerifies] = parts.isEmpty ? "off" : parts.contains(.issuer) ? "on" : TLS.nameAndDate
      facts[.routeVerifiesParts] = TLS.Part.allCases.filter(parts.contains).map(\.rawValue).joined(separator: ", ")
    }
    if let place = tls.verifySwitch {
      facts.set(place.edit, .verify)
      facts[.line(.verify, "off")] = place.off
    }
    if let name = tls.name.value ?? nil {
      facts[.routeTLSName] = name.value
      facts.set(name.edit, .tlsName)
    }
    if let sends = tls.sendsName.value {
      facts[.routeSendsTLSName] = sends.value ? "on" : "off"
      facts.set(sends.edit, .sni)
    }
    facts[.routeAuthorities] = (tls.authorities.value ?? nil)?.inside
    facts[.routeAuthoritiesFile] = (tls.authorities.value ?? nil)?.outside
    facts[.routeSendsCertificate] = tls.sendsCertificate.value.map { $0 ? "on" : "off" }
    facts[.routeTLSOffer] = tls.offer.value?.rawValue
    facts.set(tls.block, .tls)
  }

  private func set(_ facts: inout Facts, _ patience: Patience, _ limits: Limits) {
    if case .seconds(let seconds) = patience.connect.value?.value { facts[.routeConnectTimeout] = seconds.inWords }
    let answer = patience.answer.value ?? patience.whole.value
    if case .seconds(let seconds) = answer?.value { facts[.routeReadTimeout] = seconds.inWords }
    facts.set(answer?.edit, .timeout)
    if let connections = limits.connections.value, let most = connections.value {
      facts[.routeServerLimit] = String(most)
      facts.set(connections.edit, .limit)
    }
    guard let header = limits.header.value else { return }
    facts[.routeHeaderLimit] = header.bytes.map { String($0.value) }
    facts.set(header.bytes?.edit, .headerLimit)
    facts[.routeHeaderLineLimit] = header.line.map { String($0) }
    facts[.routeHeaderLines] = header.lines.map { String($0) }
  }

  private func set(_ facts: inout Facts, _ health: HealthCheck?) {
    guard let health else { return }
    facts[.routeHealth] = health.path == nil && health.port == nil ? nil : "yes"
    facts[.routeHealthPath] = health.path?.value
    facts.set(health.path?.edit, .health)
    facts[.routeHealthExpects] = health.expects?.value
    facts.set(health.expects?.edit, .healthStatus)
    facts[.routeHealthPort] = health.port.map { String($0.value) }
    facts.set(health.port?.edit, .healthPort)
    facts[.routeHealthState] = health.isUp.value.map { $0 ? "up" : "down" }
  }

  private func set(_ facts: inout Facts, _ pass: Pass) {
    facts[.routeFamily] = pass.family
    facts.set(pass.line, .pass)
    facts.set(pass.site, .site)
    facts.set(pass.transport, .transport)
    facts[.line(.pass, "buffers")] = pass.takesBuffers ? "none" : nil
    guard pass.line != nil else { return }
    facts[.line(.pass, "target")] = pass.target
    facts[.line(.pass, "literal")] = pass.literal
    facts[.line(.pass, "plain")] = pass.plain
    facts[.line(.pass, "encrypted")] = pass.encrypted
    facts[.line(.pass, "looked-up")] = pass.lookedUp?.joined(separator: "\n" + (pass.line?.indentation ?? ""))
  }
}

extension Edit {
  /// The place of a host and the port right behind it, where one is written or may be.
  fileprivate func joined(with port: Edit?, _ value: UInt16) -> Edit? {
    guard let end = port?.span, end.file == span.file, end.line == span.line else { return nil }
    let isImplied = span.tail == end.tail && end.head.hasPrefix(span.head) && end.head.hasSuffix(":")
    guard isImplied || span.tail == ":\(value)\(end.tail)" else { return nil }
    return Edit(
      onThisMachine: Span(file: span.file, line: span.line, text: span.text, head: span.head, tail: end.tail))
  }
}

extension Edit {
  /// A socket's path with the `unix:` before it; nil where more belongs to it than that.
  fileprivate var withMark: Edit? {
    let mark = "unix:"
    guard span.head.hasSuffix(mark), !span.head.hasSuffix(":" + mark), !span.tail.hasPrefix(":"),
      !span.tail.hasPrefix("|")
    else { return nil }
    return Edit(
      onThisMachine: Span(
        file: span.file, line: span.line, text: span.text, head: String(span.head.dropLast(mark.count)), tail: span.tail
      ))
  }
}

extension Route.Resolution {
  /// `route.resolves`.
  public static let atStart = "start"
  public static let eachTime = "each-time"
  public static let eachRequest = "each-request"
}

extension Route.TLS {
  /// `route.verifies`, where the certificate's name or dates count and its issuer does not.
  public static let nameAndDate = "name-and-date"
}

extension ProxyUse {
  public var facts: Facts {
    var facts: Facts = [:]
    facts[.proxyConnections] = connections.map { String($0) }
    facts[.proxyConnectionLimit] = connectionLimit.map { String($0) }
    facts[.routeRequests] = requests.map { String($0) }
    facts[.routeRequestLimit] = requestLimit.map { String($0.value) }
    facts[.routeQueued] = queued.flatMap { $0 > 0 ? String($0) : nil }
    facts.set(requestLimit?.edit, .limit)
    return facts
  }
}

extension Facts {
  /// A line as the facts `NAME-line.file`, `.number`, `.text`, `.head` and `.tail`, for a patch of it.
  public mutating func set(_ edit: Edit?, _ line: FactName.Line) {
    guard let span = edit?.span else { return }
    self[.line(line, "file")] = span.file
    self[.line(line, "number")] = String(span.line)
    self[.line(line, "text")] = span.text
    set(part: span.head, .line(line, "head"))
    set(part: span.tail, .line(line, "tail"))
  }

  fileprivate mutating func set(_ insertion: Insertion?, _ line: FactName.Line) {
    guard let insertion else { return }
    set(insertion.after, line)
    self[.line(line, "indent")] = insertion.indentation
    self[.line(line, "next")] = insertion.next
  }
}
