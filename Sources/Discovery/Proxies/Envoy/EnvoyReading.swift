import Model
import Pattern
import Routes
import World
import YAML

/// From Envoy's files, and what its admin interface tells of its parts that are in no file, to the facts of a route.
enum EnvoyReading: ProxyReader {
  static let facts: [FactName] =
    FactName.ofLine(.version) + FactName.ofWholeLine(.thresholds) + [.routePreamble, .envoyEdited]

  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading {
    let (configuration, admin) = try await load(proxy)
    var reading = Reading(
      outcome: .found, configuration: await seen(configuration, admin, proxy), entry: nil, route: nil, problem: nil,
      near: nil, app: nil, labels: nil, log: Reading.Log(file: .notRead, keys: [request.site.host]), own: [:])
    let route: Envoy.Route
    do throws(Envoy.Miss) { route = try configuration.route(request) } catch {
      try explain(error, &reading, request, in: configuration, proxy)
      return reading
    }
    let domain = route.domain.text?.contains("*") == true ? request.site.host : route.domain.text
    reading.entry = Reading.Entry(
      site: Setting(domain ?? request.site.host, proxy.files.edit(route.domain.span)),
      definedIn: (route.route["match"] ?? route.route).at, router: nil, service: nil, provider: nil)
    guard let action = route.route["route"] else {
      reading.outcome = .static
      return reading
    }
    guard let target = action.targets.first, let name = target.text else {
      throw .unreadable(what: "the route at \(reading.entry?.definedIn ?? "")", why: .init(.byHeader))
    }
    reading.entry?.definedIn = target.at
    guard let cluster = configuration.cluster(name) else {
      let names = configuration.clusters.compactMap { $0["name"]?.text }
      // The only one there is can only be that one.
      let near = name.nearest(among: names) ?? (names.count == 1 ? names[0] : nil)
      reading.problem = Reading.Problem(
        reason: "no cluster is called \(name)",
        remedy: proxy.files.edit(target.span).map { edit in
          .line(edit, fixed: near.map { edit.span.head + $0 + edit.span.tail })
        }, label: nil)
      reading.outcome = .misconfigured
      return reading
    }
    if target.source == nil || target.span.flatMap({ proxy.files.hostPath(of: $0.file) }) == nil {
      reading.configuration.container = proxy.container?.name
    }
    let servers = (try? await admin?.servers(of: name)) ?? []
    reading.own.set(proxy.files.edit(cluster.http2Key), .version)
    reading.own.set(cluster.widened(proxy.files), .thresholds)
    if cluster["transport_socket_matches"] != nil
      || cluster["transport_socket", "typed_config"]?.type == "ProxyProtocolUpstreamTransport"
    {
      reading.own[.routePreamble] = "yes"
    }
    reading.own[.envoyEdited] = await edited(configuration.watched, proxy)
    reading.route = try configuration.route(to: cluster, action, route, servers, request, proxy.files)
    return reading
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] {
    let configuration = try await load(proxy).0
    var seen: Set<RouteReading.Listed> = []
    let clusters = Dictionary(
      configuration.clusters.compactMap { cluster in cluster["name"]?.text.map { ($0, cluster) } }
    ) { first, _ in first }
    return configuration.managers.flatMap { listener in
      (configuration.table(of: listener.manager)?["virtual_hosts"]?.items ?? []).flatMap { host in
        (host["domains"]?.items ?? []).compactMap(\.text).filter { !$0.contains("*") }.flatMap { domain in
          (host["routes"]?.items ?? []).compactMap { route -> RouteReading.Listed? in
            guard let name = route["route"]?.targets.first?.text, let cluster = clusters[name],
              let endpoint = configuration.endpoints(of: cluster).first?.endpoint
            else { return nil }
            return RouteReading.Listed(
              host: String(domain.prefix { $0 != ":" }), port: listener.port, isTLS: listener.isTLS,
              path: route["match", "prefix"]?.text ?? route["match", "path"]?.text ?? "/",
              upstream: "\(cluster.scheme)://\(endpoint.text)")
          }
        }
      }
    }.filter { seen.insert($0).inserted }
  }

  /// The start of its process: Envoy reads its main file once.
  static func loaded(_ proxy: RunningProxy, _ processes: [ProcessSeen]) async throws(Unseen) -> Double {
    guard let oldest = processes.map(\.started).min() else { throw .missing(what: "Envoy's process") }
    return oldest
  }
}

// MARK: The files

extension RunningProxy {
  /// The main file as Envoy's command line names it; nil if the configuration is on the command line itself.
  fileprivate var configurationPath: String? {
    guard let path = option("-c", "--config-path") else {
      return option("--config-yaml") == nil ? "/etc/envoy/envoy.yaml" : nil
    }
    // On the host a relative path is one of its working folder, in an image one of `/`.
    if path.hasPrefix("/") { return path }
    return container == nil ? place.pid.map { "/proc/\($0)/cwd/\(path)" } : "/" + path
  }
}

extension EnvoyReading {
  /// One of the files that Envoy takes in when they are moved to their place, changed since it was started: perhaps it was
  /// written in place, of which Envoy does not hear.
  ///
  /// Source: Envoy's documentation, "Dynamic configuration: xDS, file-based".
  private static func edited(_ watched: [String], _ proxy: RunningProxy) async -> String? {
    guard let started = proxy.container?.started, let newest = await proxy.files.newest(of: watched),
      newest.changed > started + 1
    else { return nil }
    return proxy.files.hostPath(of: newest.path)
  }

  /// What Envoy would run by its files; what they leave to a control plane, as the running one has it.
  private static func load(_ proxy: RunningProxy) async throws(Unseen) -> (Envoy.Configuration, EnvoyAdmin?) {
    var configuration = Envoy.Configuration()
    var bootstraps: [Message] = []
    if let path = proxy.configurationPath {
      guard let text = try await proxy.files.read(path) else { throw .missing(what: path) }
      bootstraps += [try configuration.message(of: text, path)].compactMap { $0 }
    }
    if let text = proxy.option("--config-yaml") {
      bootstraps += [Message(answer: text)].compactMap { $0 }
    }
    for bootstrap in bootstraps {
      configuration.listeners += bootstrap["static_resources", "listeners"]?.items ?? []
      configuration.clusters += bootstrap["static_resources", "clusters"]?.items ?? []
      configuration.listeners += await resources(bootstrap["dynamic_resources", "lds_config"], proxy, &configuration)
      configuration.clusters += await resources(bootstrap["dynamic_resources", "cds_config"], proxy, &configuration)
    }
    for manager in configuration.managers {
      for table in await resources(manager.manager["rds", "config_source"], proxy, &configuration) {
        if let name = table["name"]?.text { configuration.routes[name] = table }
      }
    }
    for cluster in configuration.clusters where cluster["eds_cluster_config"] != nil {
      for assignment in await resources(cluster["eds_cluster_config", "eds_config"], proxy, &configuration) {
        if let name = assignment["cluster_name"]?.text { configuration.assignments[name] = assignment }
      }
    }
    let admin = bootstraps.lazy.compactMap { EnvoyAdmin($0, of: proxy) }.first
    if configuration.isDynamic, let admin {
      configuration.merge(try await admin.dump())
      proxy.files.forgetUnread()
    }
    return (configuration, admin)
  }

  /// The resources of a file that a configuration source names; none of a control plane's.
  private static func resources(
    _ source: Message?, _ proxy: RunningProxy, _ configuration: inout Envoy.Configuration
  ) async -> [Message] {
    guard let source else { return [] }
    guard let path = source["path_config_source", "path"]?.text ?? source["path"]?.text,
      let text = try? await proxy.files.read(path), let message = try? configuration.message(of: text, path)
    else {
      configuration.isDynamic = true
      return []
    }
    configuration.watched.append(path)
    return message["resources"]?.items ?? []
  }
}

extension Envoy.Configuration {
  /// What a file says; a mistake in it is kept.
  fileprivate mutating func message(of text: String, _ path: String) throws(Unseen) -> Message? {
    let message = Message(text, path: path)
    if let mistake = message.map({ $0.source?.mistakes.first }) ?? DocumentFile.mistake(of: text, path) {
      if mistake.isLimit { throw .unreadable(what: path, why: .said(mistake.message)) }
      let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      let number = mistake.place.line - 1
      problem = problem ?? (mistake, lines.indices.contains(number) ? String(lines[number]) : nil)
    }
    return message
  }

  /// Takes in what a control plane has given, from the dump of the admin interface.
  fileprivate mutating func merge(_ dump: [Message]) {
    for part in dump {
      listeners += (part["dynamic_listeners"]?.items ?? []).compactMap { $0["active_state", "listener"] }
      clusters += (part["dynamic_active_clusters"]?.items ?? []).compactMap { $0["cluster"] }
      for table in (part["dynamic_route_configs"]?.items ?? []).compactMap({ $0["route_config"] }) {
        if let name = table["name"]?.text { routes[name] = routes[name] ?? table }
      }
      for assignment in (part["dynamic_endpoint_configs"]?.items ?? []).compactMap({ $0["endpoint_config"] }) {
        if let name = assignment["cluster_name"]?.text { assignments[name] = assignments[name] ?? assignment }
      }
    }
  }

  /// Where the external authorisation of an HTTP connection manager is asked: `scheme://host:port`.
  fileprivate func authority(of manager: Message) -> String? {
    guard
      let filter = manager["http_filters"]?.items.lazy.compactMap({ $0["typed_config"] }).first(where: {
        $0.type == "ExtAuthz"
      }),
      let name =
        (filter["http_service", "server_uri", "cluster"]
        ?? filter["grpc_service", "envoy_grpc", "cluster_name"])?.text,
      let cluster = cluster(name), let endpoint = endpoints(of: cluster).first?.endpoint
    else { return nil }
    return "\(cluster.scheme)://\(endpoint.text)"
  }
}

// MARK: The route

extension EnvoyReading {
  private static func seen(
    _ configuration: Envoy.Configuration, _ admin: EnvoyAdmin?, _ proxy: RunningProxy
  ) async -> Reading.Configuration {
    let mistake = configuration.problem.map { mistake, line in
      proxy.files.mistake(
        "\(mistake.message) in \(mistake.place.file):\(mistake.place.line)", in: mistake.place.file,
        line: mistake.place.line, text: line, fixed: nil)
    }
    let named = configuration.nameInStaticCluster.map { host, type in
      proxy.files.mistake(
        "malformed IP address: \(host). A cluster of type STATIC takes addresses alone", in: type.file, line: type.line,
        text: type.text, fixed: type.head + "STRICT_DNS" + type.tail)
    }
    return Reading.Configuration(
      start: Reading.Configuration.Start(file: proxy.configurationPath, prefix: nil, adapter: nil),
      mistake: mistake ?? named,
      // Files that a configuration source names are loaded when they are replaced; only the main one waits.
      newest: await proxy.files.newest(of: [proxy.configurationPath].compactMap { $0 }), main: nil, folder: nil,
      folderInside: nil, container: nil, hasAdmin: .notApplicable, version: try? await admin?.version(),
      unread: nil)
  }

  private static func explain(
    _ miss: Envoy.Miss, _ reading: inout Reading, _ request: RouteReading.Request,
    in configuration: Envoy.Configuration, _ proxy: RunningProxy
  ) throws(Unseen) {
    guard configuration.problem == nil else {
      reading.outcome = .broken
      return
    }
    func entry(_ message: Message) -> Reading.Entry {
      Reading.Entry(site: nil, definedIn: message.at, router: nil, service: nil, provider: nil)
    }
    reading.outcome = .missing
    switch miss {
    case .noListener: throw .missing(what: "Envoy's listener at port \(request.port)")
    case .unseen(let what): throw .unreadable(what: what, why: .init(.controlPlane))
    case .tcp(let name):
      reading.outcome = .otherProtocol
      guard let cluster = name.flatMap(configuration.cluster),
        let endpoint = configuration.endpoints(of: cluster).lazy.compactMap(\.endpoint).first
      else { return }
      reading.route = .passedBlindly(to: endpoint)
    case .noPath(let host): reading.entry = entry(host["routes"] ?? host)
    case .port(let domain):
      reading.entry = entry(domain)
      let fixed = domain.span.flatMap { span -> String? in
        guard span.head.contains("[") else { return nil }
        let isQuoted = span.head.hasSuffix("\"") || span.head.hasSuffix("'")
        let (start, end) = isQuoted ? (span.head, span.tail) : (span.head + "\"", "\"" + span.tail)
        let quote = isQuoted ? String(span.head.suffix(1)) : "\""
        return "\(start)\(domain.text ?? "")\(quote), \(quote)\(domain.text ?? ""):*\(end)"
      }
      reading.problem = Reading.Problem(
        reason: "Envoy compares the whole Host header with its domains, and this one has the port: "
          + "\(request.site.host):\(request.site.port)",
        remedy: proxy.files.edit(domain.span).map { .line($0, fixed: fixed) }, label: nil)
    case .noHost:
      let domains = configuration.domains.compactMap { domain in domain.text.map { (domain, $0) } }
      guard let near = request.site.host.nearest(among: Set(domains.map { String($0.1.prefix { $0 != ":" }) })) else {
        return
      }
      // Of the forms of a name the one that takes the request's port, too.
      let forms = ["\(near):*", "\(near):\(request.site.port)", near]
      let best = forms.lazy.compactMap { form in domains.first { $0.1 == form } }.first
      reading.near = Setting(near, proxy.files.edit(best?.0.span?.part(0..<near.count, of: best?.1 ?? "")))
    }
  }
}

extension Route {
  /// A connection that is passed on without a look at what is in it.
  fileprivate static func passedBlindly(to endpoint: Endpoint) -> Route {
    let address: Upstream.Address =
      switch endpoint {
      case .network(let host, let port): .network(host: Setting(host, nil), port: Setting(port, nil))
      case .socket(let path): .socket(Setting(path, nil))
      }
    return Route(
      upstream: Upstream(scheme: Setting("tcp", nil), address: address, speaks: .tcp),
      servers: [Server(endpoint, .used)], resolution: .notRead,
      patience: Patience(connect: .notRead, answer: .notApplicable, whole: .notRead), tls: nil,
      path: Path(passedOn: .notApplicable, change: .notApplicable), sentHost: .notApplicable,
      limits: Limits(header: .notApplicable, body: .notApplicable, connections: .notRead), health: .notRead,
      login: .notApplicable, scripts: .notApplicable, refusals: .notApplicable, shadowed: .notRead,
      pass: Pass(
        line: nil, site: nil, transport: nil, target: nil, literal: nil, plain: nil, encrypted: nil,
        takesBuffers: false, family: nil),
      container: nil, runs: .notRead)
  }
}

extension Envoy.Configuration {
  /// A name where an address has to be, which keeps Envoy from starting, with the place of the cluster's type.
  fileprivate var nameInStaticCluster: (host: String, type: Span)? {
    for cluster in clusters where cluster["type"]?.text?.uppercased() == "STATIC" {
      guard let type = cluster["type"]?.span else { continue }
      for case .network(let host, _)? in endpoints(of: cluster).map(\.endpoint) where !host.isAddress {
        return (host, type)
      }
    }
    return nil
  }

  /// - Parameter servers: The cluster's, as the running Envoy sees them.
  fileprivate func route(
    to cluster: Message, _ action: Message, _ route: Envoy.Route, _ servers: [Message],
    _ request: RouteReading.Request, _ files: ProxyFiles
  ) throws(Unseen) -> Route {
    let written = endpoints(of: cluster)
    // A cluster of a control plane has its servers in the admin interface only.
    let all = written.isEmpty ? servers : written
    let what = "the cluster \(cluster["name"]?.text ?? "")"
    guard !all.isEmpty else { throw .unreadable(what: what, why: .init(.noServers)) }
    guard let server = all.chosen(request.server, by: \.server), let endpoint = server.endpoint else {
      throw .unreadable(what: what, why: .init(.noAddress))
    }
    let address: Route.Upstream.Address
    var dials: [String] = []
    switch endpoint {
    case .socket(let path): address = .socket(Setting(path, nil))
    case .network(let host, let port):
      let socket = server["address", "socket_address"]
      address = .network(
        host: Setting(host, files.edit(socket?["address"]?.span)),
        port: Setting(port, files.edit(socket?["port_value"]?.span)))
      if !host.isAddress {
        dials = servers.filter { $0["hostname"]?.text == host }.compactMap { $0["address", "socket_address"] }
          .filter { $0["port_value"]?.text == String(port) }.compactMap { $0["address"]?.text }
      }
    }
    let timeout = action["timeout"]?.seconds ?? 15
    // Without one of its own a stream may still be idle for five minutes.
    let wait = timeout > 0 ? timeout : route.manager["stream_idle_timeout"]?.seconds ?? 300
    let timeoutPlace = action["timeout"] == nil ? action["cluster"]?.inserting("timeout") : action["timeout"]?.span
    let familyPlace = cluster["dns_lookup_family"]?.span ?? cluster["name"]?.inserting("dns_lookup_family")
    let autoHost =
      action["auto_host_rewrite"]?.isTrue == true ? written.first?["address", "socket_address", "address"]?.text : nil
    let thresholds = cluster["circuit_breakers", "thresholds"]?.items.first
    let health = cluster["health_checks"]?.items.first
    return Route(
      upstream: Route.Upstream(scheme: Setting(cluster.scheme, nil), address: address, speaks: cluster.dialect),
      servers: all.compactMap(\.server),
      resolution: .known(
        Route.Resolution(
          when: .notRead, family: .known(Setting(cluster.family, files.edit(familyPlace))),
          dials: servers.isEmpty ? .notRead : .known(dials), resolver: nil)),
      patience: Route.Patience(
        connect: .known(Setting(Route.Wait(cluster["connect_timeout"]?.seconds ?? 5), nil)), answer: .notApplicable,
        whole: .known(Setting(Route.Wait(wait), files.edit(timeoutPlace)))),
      tls: cluster.scheme == "https" ? cluster["transport_socket"]?.tls(files) : nil,
      path: Route.Path(
        passedOn: action.rewritten(request.site.path, by: route.route["match"]).map(Known.known) ?? .notRead,
        change: action.pathChange(by: route.route["match"], files).map { .known($0) } ?? .notRead),
      sentHost: .known(
        Setting(
          autoHost ?? action["host_rewrite_literal"]?.text ?? request.site.authority,
          files.edit(autoHost == nil ? action["host_rewrite_literal"]?.span : nil))),
      limits: Route.Limits(
        header: .known(Route.Limits.Header(bytes: Setting(cluster.headerKilobytes * 1024, nil), line: nil, lines: 100)),
        body: .notRead,
        connections: .known(Setting(thresholds?["max_connections"]?.number ?? 1024, nil))),
      health: .known(health.map { $0.healthCheck(of: server, servers, files) }),
      login: .known(authority(of: route.manager)), scripts: .notApplicable, refusals: .notRead, shadowed: .notRead,
      pass: Route.Pass(
        line: files.insertion(
          after: cluster.anchor?.span, next: cluster.anchor?.next, indentation: cluster.anchor?.indentation), site: nil,
        transport: nil, target: nil, literal: nil, plain: nil, encrypted: nil,
        // A cluster has its options once.
        takesBuffers: cluster["typed_extension_protocol_options"] == nil, family: nil),
      container: nil, runs: .notRead)
  }
}

extension Message {
  /// Of a `transport_socket`.
  fileprivate func tls(_ files: ProxyFiles) -> Route.TLS {
    let tls = self["typed_config"]
    let common = tls?["common_tls_context"]
    let validation =
      common?["validation_context"] ?? common?["combined_validation_context", "default_validation_context"]
    let authorities = validation?["trusted_ca"]
    let wanted = (validation?["match_typed_subject_alt_names"] ?? validation?["match_subject_alt_names"])?.items
      .lazy.compactMap { $0["matcher", "exact"] ?? $0["exact"] }.first
    let parts: Set<Route.TLS.Part> = wanted == nil ? [.issuer, .expiry] : [.issuer, .name, .expiry]
    let verified: Known<Set<Route.TLS.Part>> =
      if let authorities {
        // Authorities that are in no file cannot be compared with the certificate from here.
        authorities["filename"] == nil ? .notRead : .known(parts)
      } else {
        .known(validation?["system_root_certs"] != nil ? parts : [])
      }
    var verifySwitch: Route.TLS.Switch?
    if let place = authorities?.block, let indent = authorities?.key?.column {
      let blank = String(repeating: " ", count: indent - 1)
      let line = Span(
        file: place.file, line: place.line, text: place.text, head: blank + "trust_chain_verification: ",
        tail: "\n" + place.text)
      verifySwitch = files.edit(line).map { Route.TLS.Switch($0, off: "ACCEPT_UNTRUSTED") }
    }
    return Route.TLS(
      verified: verified, verifySwitch: verifySwitch,
      name: .known(wanted?.text.map { Setting($0, files.edit(wanted?.span)) }),
      sendsName: .known(Setting(tls?["sni"] != nil || tls?["auto_host_sni"]?.isTrue == true, nil)),
      authorities: .known(authorities?["filename"]?.text.map(files.authorities)),
      sendsCertificate: .known(common?["tls_certificates"] != nil), offer: .known(.modern), block: files.edit(block))
  }

  /// Of a `health_checks` entry, for a server as written, and the servers as the running Envoy sees them.
  fileprivate func healthCheck(of server: Message, _ servers: [Message], _ files: ProxyFiles) -> Route.HealthCheck {
    let check = self["http_health_check"]
    var expected: [String] = []
    for range in check?["expected_statuses"]?.items ?? [] {
      // Half open; Envoy takes no others than 100 to 599.
      guard let start = range["start"]?.number, let end = range["end"]?.number, start >= 100, start < end, end <= 600
      else { continue }
      expected.append(start + 1 == end ? "\(start)" : "\(start)-\(end - 1)")
    }
    let expects = expected.isEmpty ? "200" : expected.joined(separator: ", ")
    return Route.HealthCheck(
      path: check?["path"].flatMap { path in path.text.map { Setting($0, files.edit(path.span)) } },
      expects: check.map { _ in Setting(expects, nil) },
      port: server["health_check_config", "port_value"].flatMap { port in
        port.text.flatMap { UInt16($0) }.map { Setting($0, files.edit(port.span)) }
      },
      isUp: servers.isEmpty
        ? .notRead : .known(!servers.allSatisfy { $0["health_status"]?.isUnhealthy == true }))
  }

  /// A server of a cluster; nil: its address is of a kind that is not read.
  fileprivate var server: Server? { endpoint.map { Server($0, .used) } }

  fileprivate var endpoint: Endpoint? {
    if let pipe = self["address", "pipe", "path"]?.text { return .socket(pipe) }
    guard let address = self["address", "socket_address"], let host = address["address"]?.text,
      let port = address["port_value"]?.text.flatMap({ UInt16($0) })
    else { return nil }
    return .network(host: host, port: port)
  }

  /// Of a cluster.
  fileprivate var dialect: Route.Dialect {
    let options = self["typed_extension_protocol_options"]?.fields.first?.value
    let isHTTP2 =
      options?["explicit_http_config", "http2_protocol_options"] != nil || self["http2_protocol_options"] != nil
    return isHTTP2 ? (scheme == "https" ? .h2 : .h2c) : .http
  }

  /// Of a cluster: where it is told to speak HTTP/2, by the one of two names that excludes the other.
  fileprivate var http2Key: Span? {
    let name = "http2_protocol_options"
    let options = self["typed_extension_protocol_options"]?.fields.first?.value
    guard let field = options?["explicit_http_config", name], let place = field.key, let source,
      let text = source.line(place.line), text.ranges(of: name).count == 1, let found = text.firstRange(of: name)
    else { return nil }
    return Span(
      file: source.path, line: place.line, text: text, head: String(text[..<found.lowerBound]),
      tail: String(text[found.upperBound...]))
  }

  /// Of a cluster: the lines of its circuit breaker's limits, with room for a hundred where there is less.
  fileprivate func widened(_ files: ProxyFiles) -> Replacement? {
    guard let source, let limits = self["circuit_breakers", "thresholds"]?.items.first else { return nil }
    let low = ["max_connections", "max_pending_requests", "max_requests"].compactMap { limits[$0] }.filter {
      $0.number.map { $0 < 100 } == true
    }.compactMap(\.span)
    guard let first = low.map(\.line).min(), let last = low.map(\.line).max(), Set(low.map(\.line)).count == low.count
    else { return nil }
    let lines = (first...last).compactMap(source.line)
    let wide = zip(first...last, lines).map { number, line in
      low.first { $0.line == number }.map { $0.head + "100" + $0.tail } ?? line
    }
    return files.edit(
      Span(file: source.path, line: first, text: lines.joined(separator: "\n"), head: "", tail: "")
    ).map { Replacement(line: $0.span, lines: wide.joined(separator: "\n")) }
  }

  /// Of an answer's header. Source: Envoy, `HttpProtocolOptions.max_response_headers_kb`.
  fileprivate var headerKilobytes: Int {
    let options = self["typed_extension_protocol_options"]?.fields.first?.value
    return options?["common_http_protocol_options", "max_response_headers_kb"]?.number ?? 60
  }
}

extension Message {
  /// How a cluster's servers are spoken to.
  fileprivate var scheme: String {
    self["transport_socket", "typed_config"]?.type == "UpstreamTlsContext" ? "https" : "http"
  }

  /// Which of a name's addresses a cluster takes (`route.address-family`); nil where it tries all.
  fileprivate var family: Route.Resolution.Family? {
    let way = self["dns_lookup_family"] ?? self["cluster_type", "typed_config", "dns_lookup_family"]
    switch way?.text ?? "AUTO" {
    case "V4_ONLY": return .ipv4Only
    case "V6_ONLY": return .ipv6Only
    case "V4_PREFERRED": return .ipv4First
    case "ALL": return nil
    default: return .ipv6First
    }
  }

  /// The field of a cluster beside which a page may put another one: its name, where that has a line of its own.
  fileprivate var anchor: Message? { self["name"].flatMap { $0.indentation == nil ? nil : $0 } }

  /// The line after it.
  fileprivate var next: String? { source?.line(node.place.line + 1) }

  /// True by what `/clusters` says of a server's health.
  fileprivate var isUnhealthy: Bool {
    ["failed_active_health_check", "failed_outlier_check", "failed_active_degraded_check"].contains {
      self[$0]?.isTrue == true
    } || ["UNHEALTHY", "DRAINING", "TIMEOUT"].contains(self["eds_health_status"]?.text ?? "")
  }

  /// The prefix that it puts in the place of the one by which the route is chosen, and the line where that one stays.
  fileprivate func pathChange(by match: Message?, _ files: ProxyFiles) -> Route.Path.Change? {
    guard let rewrite = self["prefix_rewrite"], let new = rewrite.text,
      let old = (match?["prefix"] ?? match?["path_separated_prefix"])?.text
    else { return nil }
    let edit = files.edit(rewrite.span)
    return Route.Path.Change(
      by: "prefix_rewrite: \(new)", edit: edit, fixed: edit.map { $0.span.head + old + $0.span.tail })
  }

  /// The path that a route's action sends on.
  fileprivate func rewritten(_ path: String, by match: Message?) -> String? {
    if let new = self["prefix_rewrite"]?.text, let old = (match?["prefix"] ?? match?["path_separated_prefix"])?.text,
      path.hasPrefix(old)
    {
      return new + path.dropFirst(old.count)
    }
    if let new = self["prefix_rewrite"]?.text, match?["path"] != nil { return new }
    if let regex = self["regex_rewrite", "pattern", "regex"]?.text,
      let new = self["regex_rewrite", "substitution"]?.text, let match = (try? Pattern(regex))?.firstMatch(in: path)
    {
      let text = match.groups.enumerated().reversed().reduce(new) {
        $0.replacing("\\\($1.offset)", with: $1.element ?? "")
      }
      return path.replacing(match.whole, with: text, maxReplacements: 1)
    }
    return path
  }
}

extension FactName {
  static let envoyEdited: FactName = "envoy.edited"
}
