import Model
import Pattern
import World
import YAML

/// From Envoy's files, and what its admin interface tells of its parts that are in no file, to the facts of a route.
enum EnvoyReading: ProxyReader {
  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> (
    RouteReading.Outcome, Facts
  ) {
    let (configuration, admin) = try await load(proxy)
    var facts: Facts = [.routeLogKeys: request.site.host, .proxyConfiguration: proxy.configurationPath ?? ""]
    if let admin { facts[.proxyVersion] = try? await admin.version() }
    await describe(configuration, proxy, &facts)
    let route: Envoy.Route
    do throws(Envoy.Miss) { route = try configuration.route(request) } catch {
      return try await explain(error, request, in: configuration, proxy, facts)
    }
    facts[.routeHost] = route.domain.text?.contains("*") == true ? request.site.host : route.domain.text
    facts[.routeDefinedIn] = (route.route["match"] ?? route.route).at
    facts.set(route.domain.span, "name", proxy.files)
    guard let action = route.route["route"] else { return (.static, facts) }
    guard let target = action.targets.first, let name = target.text else {
      throw .unreadable(what: "the route at \(facts[.routeDefinedIn] ?? "")", why: "a header names its cluster")
    }
    facts[.routeDefinedIn] = target.at
    guard let cluster = configuration.cluster(name) else {
      facts[.routeProblem] = "no cluster is called \(name)"
      let near = name.nearest(among: configuration.clusters.compactMap { $0["name"]?.text })
      facts.set(target.span, "problem", proxy.files)
      facts["problem-line.fixed"] = near.flatMap { near in target.span.map { $0.head + near + $0.tail } }
      return (.misconfigured, facts)
    }
    if target.source == nil || target.span.flatMap({ proxy.files.hostPath(of: $0.file) }) == nil {
      facts[.configInside] = proxy.place.id
    }
    describe(action, route, request, proxy.files, &facts)
    describe(cluster, proxy.files, &facts)
    facts[.routeAuth] = configuration.authority(of: route.manager)
    if action["auto_host_rewrite"]?.isTrue == true {
      facts[.routeSendsHost] = configuration.endpoints(of: cluster).first?["address", "socket_address", "address"]?.text
    }
    let servers = (try? await admin?.servers(of: name)) ?? []
    let health = cluster["health_checks"]?.items.first
    return try describe(configuration.endpoints(of: cluster), health, servers, of: cluster, proxy.files, facts)
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
              let endpoint = configuration.endpoints(of: cluster).first?["address", "socket_address"]
            else { return nil }
            return RouteReading.Listed(
              host: String(domain.prefix { $0 != ":" }), port: listener.port, isTLS: listener.isTLS,
              path: route["match", "prefix"]?.text ?? route["match", "path"]?.text ?? "/",
              upstream: "\(cluster.scheme)://\(endpoint.authority)")
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
    return message["resources"]?.items ?? []
  }
}

extension Envoy.Configuration {
  /// What a file says; a mistake in it is kept.
  fileprivate mutating func message(of text: String, _ path: String) throws(Unseen) -> Message? {
    let message = Message(text, path: path)
    if let mistake = message.map({ $0.source?.mistakes.first }) ?? YAMLFile.mistake(of: text, path) {
      if mistake.isLimit { throw .unreadable(what: path, why: mistake.message) }
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
      let cluster = cluster(name), let endpoint = endpoints(of: cluster).first?["address", "socket_address"]
    else { return nil }
    return "\(cluster.scheme)://\(endpoint.authority)"
  }
}

// MARK: The facts

extension EnvoyReading {
  private static func describe(_ configuration: Envoy.Configuration, _ proxy: RunningProxy, _ facts: inout Facts) async
  {
    if let (mistake, line) = configuration.problem {
      facts[.configProblem] = "\(mistake.message) in \(mistake.place.file):\(mistake.place.line)".printable
      facts[.line("problem", "file")] = proxy.files.hostPath(of: mistake.place.file) ?? mistake.place.file
      facts[.line("problem", "number")] = String(mistake.place.line)
      facts[.line("problem", "text")] = line
    }
    // Files that a configuration source names are loaded when they are replaced; only the main one waits.
    if let path = proxy.configurationPath, let time = await proxy.files.modified(path) {
      facts[.configNewest] = path
      facts[.configNewestTime] = String(time)
    }
  }

  private static func explain(
    _ miss: Envoy.Miss, _ request: RouteReading.Request, in configuration: Envoy.Configuration, _ proxy: RunningProxy,
    _ known: Facts
  ) async throws(Unseen) -> (RouteReading.Outcome, Facts) {
    if configuration.problem != nil { return (.broken, known) }
    var facts = known
    switch miss {
    case .noListener: throw .missing(what: "Envoy's listener at port \(request.port)")
    case .unseen(let what): throw .unreadable(what: what, why: "it comes from a control plane")
    case .tcp(let name):
      if let cluster = name.flatMap(configuration.cluster),
        let endpoint = configuration.endpoints(of: cluster).first?["address", "socket_address"]
      {
        facts[.routeUpstream] = "tcp://\(endpoint.authority)"
      }
      facts[.routeProtocol] = "tcp"
      return (.otherProtocol, facts)
    case .noPath(let host):
      facts[.routeDefinedIn] = (host["routes"] ?? host).at
    case .port(let domain):
      facts[.routeDefinedIn] = domain.at
      facts[.routeProblem] =
        "Envoy compares the whole Host header with its domains, and this one has the port: "
        + "\(request.site.host):\(request.site.port)"
      facts.set(domain.span, "problem", proxy.files)
      facts["problem-line.fixed"] = domain.span.map { span in
        let isQuoted = span.head.hasSuffix("\"") || span.head.hasSuffix("'")
        let (start, end) = isQuoted ? (span.head, span.tail) : (span.head + "\"", "\"" + span.tail)
        let quote = isQuoted ? String(span.head.suffix(1)) : "\""
        return "\(start)\(domain.text ?? "")\(quote), \(quote)\(domain.text ?? ""):*\(end)"
      }
      if domain.span.map({ !$0.head.contains("[") }) ?? true { facts["problem-line.fixed"] = nil }
    case .noHost:
      let domains = configuration.domains.compactMap { domain in domain.text.map { (domain, $0) } }
      let near = request.site.host.nearest(among: Set(domains.map { String($0.1.prefix { $0 != ":" }) }))
      facts[.routeNear] = near
      // Of the forms of a name the one that takes the request's port, too.
      let forms = ["*", String(request.site.port)].map { "\(near ?? ""):\($0)" } + [near ?? ""]
      let best = forms.lazy.compactMap { form in domains.first { $0.1 == form } }.first
      facts.set(near.flatMap { best?.0.span?.part(0..<$0.count, of: best?.1 ?? "") }, "name", proxy.files)
    }
    return (.missing, facts)
  }

  /// The route's own part: path, time-out, headers.
  private static func describe(
    _ action: Message, _ route: Envoy.Route, _ request: RouteReading.Request, _ files: ProxyFiles, _ facts: inout Facts
  ) {
    facts[.upstreamPath] = action.rewritten(request.site.path, by: route.route["match"])
    facts[.routeSendsHost] = action["host_rewrite_literal"]?.text
    let timeout = action["timeout"]?.seconds ?? 15
    // Without one of its own a stream may still be idle for five minutes.
    let patience = timeout > 0 ? timeout : route.manager["stream_idle_timeout"]?.seconds ?? 300
    facts[.routeReadTimeout] = patience > 0 ? patience.inWords : ""
    let place = action["timeout"] == nil ? action["cluster"]?.inserting("timeout") : action["timeout"]?.span
    facts.set(place, "timeout", files)
  }

  /// The cluster's part: TLS, protocol, how names are looked up.
  private static func describe(_ cluster: Message, _ files: ProxyFiles, _ facts: inout Facts) {
    facts[.routeConnectTimeout] = (cluster["connect_timeout"]?.seconds ?? 5).inWords
    facts[.routeAddressFamily] = cluster.family
    facts.set(
      cluster["dns_lookup_family"]?.span ?? cluster["name"]?.inserting("dns_lookup_family"), "family", files)
    let options = cluster["typed_extension_protocol_options"]?.fields.first?.value
    let isHTTP2 =
      options?["explicit_http_config", "http2_protocol_options"] != nil || cluster["http2_protocol_options"] != nil
    facts[.routeProtocol] = isHTTP2 ? (cluster.scheme == "https" ? "h2" : "h2c") : "http"
    facts.setPass(cluster.anchor?.span, next: cluster.anchor?.next, files)
    facts["pass-line.indent"] = facts[.line("pass", "text")] == nil ? nil : cluster.anchor?.indentation
    guard let socket = cluster["transport_socket"], cluster.scheme == "https" else { return }
    facts.set(socket.block, "tls", files)
    let tls = socket["typed_config"]
    let common = tls?["common_tls_context"]
    let validation =
      common?["validation_context"] ?? common?["combined_validation_context", "default_validation_context"]
    let authorities = validation?["trusted_ca"]
    facts[.routeSendsTLSName] = tls?["sni"] == nil && tls?["auto_host_sni"]?.isTrue != true ? "off" : "on"
    // Authorities that are in no file cannot be compared with the certificate from here.
    if let authorities {
      facts[.routeAuthorities] = authorities["filename"]?.text
      facts[.routeAuthoritiesFile] = facts[.routeAuthorities].flatMap(files.hostPath)
      facts[.routeVerifies] = authorities["filename"] == nil ? nil : "on"
    } else {
      facts[.routeVerifies] = validation?["system_root_certs"] != nil ? "on" : "off"
    }
    let wanted = (validation?["match_typed_subject_alt_names"] ?? validation?["match_subject_alt_names"])?.items
      .lazy.compactMap { $0["matcher", "exact"] ?? $0["exact"] }.first
    facts[.routeTLSName] = wanted?.text
    facts[.routeVerifiesParts] = wanted == nil ? "issuer, expiry" : nil
    facts.set(wanted?.span, "ssl-name", files)
    if let place = authorities?.block, let indent = authorities?.key?.column {
      let blank = String(repeating: " ", count: indent - 1)
      facts.set(
        Span(
          file: place.file, line: place.line, text: place.text, head: blank + "trust_chain_verification: ",
          tail: "\n" + place.text), "verify", files)
      facts["verify-line.off"] = "ACCEPT_UNTRUSTED"
    }
  }

  /// The servers, as written and as the running Envoy sees them.
  private static func describe(
    _ endpoints: [Message], _ health: Message?, _ servers: [Message], of cluster: Message, _ files: ProxyFiles,
    _ known: Facts
  ) throws(Unseen) -> (RouteReading.Outcome, Facts) {
    var facts = known
    if let check = health?["http_health_check"] {
      facts[.routeHealthPath] = check["path"]?.text
      var expected: [String] = []
      for range in check["expected_statuses"]?.items ?? [] {
        // Half open; Envoy takes no others than 100 to 599.
        guard let start = range["start"]?.number, let end = range["end"]?.number, start >= 100, start < end, end <= 600
        else { continue }
        expected.append(start + 1 == end ? "\(start)" : "\(start)-\(end - 1)")
      }
      facts[.routeHealthExpects] = expected.isEmpty ? "200" : expected.joined(separator: ", ")
    }
    if health != nil, !servers.isEmpty {
      let isDown = servers.allSatisfy { $0["health_status"]?.isUnhealthy == true }
      facts[.routeHealthState] = isDown ? "down" : "up"
    }
    // A cluster of a control plane has its servers in the admin interface only.
    guard let endpoint = endpoints.first ?? servers.first else {
      throw .unreadable(what: "the cluster \(cluster["name"]?.text ?? "")", why: "it has no servers to read")
    }
    facts[.routeHealthPort] = endpoint["health_check_config", "port_value"]?.text
    if let pipe = endpoint["address", "pipe", "path"]?.text {
      facts[.upstreamSocket] = pipe
      facts[.upstreamScheme] = cluster.scheme
      facts[.routeUpstream] = "unix:\(pipe)"
      return (.otherProtocol, facts)
    }
    guard let address = endpoint["address", "socket_address"], let host = address["address"]?.text,
      let port = address["port_value"]?.text
    else { throw .unreadable(what: "the cluster \(cluster["name"]?.text ?? "")", why: "its server has no address") }
    facts[.upstreamScheme] = cluster.scheme
    facts[.upstreamHost] = host
    facts[.upstreamPort] = port
    facts[.routeUpstream] = "\(cluster.scheme)://\(address.authority)"
    if !host.isAddress {
      let dialled = servers.filter { $0["hostname"]?.text == host }.compactMap { $0["address", "socket_address"] }
        .filter { $0["port_value"]?.text == port }.compactMap { $0["address"]?.text }
      facts[.routeDials] = dialled.joined(separator: ", ")
    }
    if endpoints.count > 1 {
      facts[.routeServers] = endpoints.compactMap { $0["address", "socket_address"]?.authority }.joined(separator: ", ")
    }
    facts.set(address["address"]?.span, "host", files)
    facts.set(address["port_value"]?.span, "port", files)
    return (.found, facts)
  }
}

extension Message {
  /// How a cluster's servers are spoken to.
  fileprivate var scheme: String {
    self["transport_socket", "typed_config"]?.type == "UpstreamTlsContext" ? "https" : "http"
  }

  /// A socket address as `host:port`.
  fileprivate var authority: String {
    let host = self["address"]?.text ?? ""
    return "\(host.contains(":") ? "[\(host)]" : host):\(self["port_value"]?.text ?? "")"
  }

  /// Which of a name's addresses a cluster takes (`route.address-family`); nil where it tries all.
  fileprivate var family: String? {
    let way = self["dns_lookup_family"] ?? self["cluster_type", "typed_config", "dns_lookup_family"]
    switch way?.text ?? "AUTO" {
    case "V4_ONLY": return "ipv4-only"
    case "V6_ONLY": return "ipv6-only"
    case "V4_PREFERRED": return "ipv4-first"
    case "ALL": return nil
    default: return "ipv6-first"
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
