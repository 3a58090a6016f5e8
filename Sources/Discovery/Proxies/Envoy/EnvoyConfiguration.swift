import Model
import Pattern
import YAML

/// Envoy's names for its parts. Source: https://www.envoyproxy.io/docs/envoy/latest/api-v3
enum Envoy {
  /// What Envoy runs, or would run by its files.
  struct Configuration: Sendable {
    var listeners: [Message] = []
    var clusters: [Message] = []
    /// Route configurations that listeners take by name.
    var routes: [String: Message] = [:]
    /// Endpoints that clusters take by name.
    var assignments: [String: Message] = [:]
    /// The first thing for which a file is no YAML, and the line where it is.
    var problem: (mistake: YAML.Mistake, line: String?)?
    /// The files that its sources of configuration name.
    var watched: [String] = []
    /// Parts come from a control plane, so files do not have them.
    var isDynamic = false
  }

  /// One virtual host's route as a request meets it.
  struct Route: Sendable {
    let manager: Message
    let host: Message
    /// The pattern that matches the request's host.
    let domain: Message
    let route: Message
    /// True if it depends on headers, a query or chance.
    let isConditional: Bool
  }

  /// Why no route serves a request.
  enum Miss: Error {
    case noListener
    /// Not HTTP: the cluster of the TCP proxy.
    case tcp(cluster: String?)
    case noHost
    /// A domain would match if it had the port, too: Envoy compares the whole `Host` header.
    case port(domain: Message)
    /// The virtual host has no route for the path.
    case noPath(host: Message)
    /// Its routes come from a control plane that could not be asked.
    case unseen(String)
  }
}

extension Envoy.Configuration {
  /// The route that serves a request.
  func route(_ request: RouteReading.Request) throws(Envoy.Miss) -> Envoy.Route {
    let site = request.site
    guard let listener = listeners.first(where: { $0.port == request.port }) else { throw .noListener }
    let chains = listener["filter_chains"]?.items ?? []
    guard
      let chain = chains.best(for: site) ?? listener["default_filter_chain"],
      let filter = chain["filters"]?.items.lazy.compactMap({ $0["typed_config"] }).first(where: {
        ["HttpConnectionManager", "TcpProxy"].contains($0.type)
      })
    else { throw .noListener }
    if filter.type == "TcpProxy" { throw .tcp(cluster: filter["cluster"]?.text) }
    guard let table = table(of: filter) else {
      throw .unseen(filter["rds", "route_config_name"]?.text ?? "a route configuration")
    }
    let hosts = table["virtual_hosts"]?.items ?? []
    let usual: UInt16 = site.scheme == "https" ? 443 : 80
    let ignoresPort =
      table["ignore_port_in_host_matching"]?.isTrue == true || filter["strip_any_host_port"]?.isTrue == true
      || filter["strip_matching_host_port"]?.isTrue == true && site.port == request.port
    let name = site.host.lowercased()
    let asked = ignoresPort || site.port == usual ? name : "\(name):\(site.port)"
    guard let (host, domain) = hosts.best(for: asked) else {
      if asked != name, let (_, domain) = hosts.best(for: name) { throw .port(domain: domain) }
      throw .noHost
    }
    let known = [":method": "GET", ":authority": asked, "host": asked, ":scheme": site.scheme]
    let fitting = (host["routes"]?.items ?? []).compactMap { route -> (route: Message, isConditional: Bool)? in
      guard let match = route["match"], match.takes(site.path), let depends = match.dependsOnMore(than: known) else {
        return nil
      }
      return (route, depends)
    }
    guard let found = fitting.first(where: { !$0.isConditional }) ?? fitting.first else { throw .noPath(host: host) }
    return Envoy.Route(
      manager: filter, host: host, domain: domain, route: found.route, isConditional: found.isConditional)
  }

  /// The route configuration of an HTTP connection manager.
  func table(of manager: Message) -> Message? {
    manager["route_config"] ?? manager["rds", "route_config_name"]?.text.flatMap { routes[$0] }
  }

  func cluster(_ name: String) -> Message? { clusters.first { $0["name"]?.text == name } }

  /// The servers of a cluster: those of the first priority.
  func endpoints(of cluster: Message) -> [Message] {
    let name = cluster["eds_cluster_config", "service_name"]?.text ?? cluster["name"]?.text ?? ""
    let localities = (cluster["load_assignment"] ?? assignments[name])?["endpoints"]?.items ?? []
    let first = localities.map { $0["priority"]?.number ?? 0 }.min()
    return localities.filter { ($0["priority"]?.number ?? 0) == first }
      .flatMap { $0["lb_endpoints"]?.items ?? [] }.compactMap { $0["endpoint"] }
  }

  /// Every domain of every virtual host.
  var domains: [Message] {
    managers.compactMap { table(of: $0.manager) }.flatMap { $0["virtual_hosts"]?.items ?? [] }
      .flatMap { $0["domains"]?.items ?? [] }
  }

  /// Every HTTP connection manager, with its listener's port.
  var managers: [(port: UInt16, isTLS: Bool, manager: Message)] {
    listeners.flatMap { listener in
      (listener["filter_chains"]?.items ?? []).flatMap { chain in
        (chain["filters"]?.items ?? []).compactMap { filter -> (port: UInt16, isTLS: Bool, manager: Message)? in
          guard let manager = filter["typed_config"], manager.type == "HttpConnectionManager", let port = listener.port
          else { return nil }
          return (port, chain["transport_socket"] != nil, manager)
        }
      }
    }
  }
}

extension Message {
  /// A listener's, or an endpoint's port.
  var port: UInt16? { self["address", "socket_address", "port_value"]?.text.flatMap { UInt16($0) } }

  /// The clusters to which a route's action leads, the most frequent first.
  var targets: [Message] {
    if let one = self["cluster"] { return [one] }
    return (self["weighted_clusters", "clusters"]?.items ?? [])
      .sorted { ($0["weight"]?.number ?? 1) > ($1["weight"]?.number ?? 1) }.compactMap { $0["name"] }
  }

  /// True if a route's match takes the path.
  fileprivate func takes(_ path: String) -> Bool {
    let path = path.prefix { $0 != "?" && $0 != "#" }
    let isExact = self["case_sensitive"]?.text?.lowercased() != "false"
    func same(_ text: String) -> String { isExact ? text : text.lowercased() }
    let asked = same(String(path))
    if let prefix = self["prefix"]?.text { return asked.hasPrefix(same(prefix)) }
    if let whole = self["path"]?.text { return asked == same(whole) }
    if let prefix = self["path_separated_prefix"]?.text {
      return asked == same(prefix) || asked.hasPrefix(same(prefix) + "/")
    }
    if let regex = self["safe_regex", "regex"]?.text {
      return (try? Pattern("^(?:\(regex))$"))?.matches(String(path)) == true
    }
    return false
  }

  /// True if a route's match asks for more than these headers of a browser's request; nil if one of them does not fit,
  /// or the match is for gRPC alone.
  fileprivate func dependsOnMore(than known: [String: String]) -> Bool? {
    guard self["grpc"] == nil else { return nil }
    var depends =
      self["query_parameters"] != nil || self["runtime_fraction"] != nil || self["dynamic_metadata"] != nil
    for header in self["headers"]?.items ?? [] {
      let value = header["name"]?.text.flatMap { known[$0.lowercased()] }
      guard let value, let fits = header.fits(value) else {
        depends = true
        continue
      }
      if fits == (header["invert_match"]?.isTrue == true) { return nil }
    }
    return depends
  }

  /// True if a header's match takes this value; nil if it is of a form that is not known here.
  private func fits(_ value: String) -> Bool? {
    let match = self["string_match"]
    let ignoresCase = match?["ignore_case"]?.isTrue == true
    func same(_ text: String) -> String { ignoresCase ? text.lowercased() : text }
    func wanted(_ name: String) -> String? { (match?[name] ?? self["\(name)_match"])?.text.map(same) }
    if let text = wanted("exact") { return same(value) == text }
    if let text = wanted("prefix") { return same(value).hasPrefix(text) }
    if let text = wanted("suffix") { return same(value).hasSuffix(text) }
    if let text = wanted("contains") { return same(value).contains(text) }
    if let regex = (match?["safe_regex", "regex"] ?? self["safe_regex_match", "regex"])?.text {
      return (try? Pattern("^(?:\(regex))$"))?.matches(value) == true
    }
    if let present = self["present_match"] { return present.isTrue }
    return match == nil && self["range_match"] == nil ? true : nil
  }
}

extension [Message] {
  /// The filter chain that takes a connection: the longest server name that fits comes first.
  fileprivate func best(for site: Site) -> Message? {
    let isTLS = site.scheme == "https"
    let ranked = compactMap { chain -> (chain: Message, rank: Int)? in
      let match = chain["filter_chain_match"]
      if let wanted = match?["transport_protocol"]?.text, (wanted == "tls") != isTLS { return nil }
      let names = match?["server_names"]?.items.compactMap(\.text) ?? []
      if names.isEmpty { return (chain, (chain["transport_socket"] != nil) == isTLS ? 1 : 0) }
      guard isTLS, let rank = names.compactMap({ $0.rank(for: site.host.lowercased()) }).max() else { return nil }
      return (chain, rank + 1)
    }
    return ranked.max { $0.rank < $1.rank }?.chain
  }

  /// The virtual host of the domain that fits best: exact, then a wildcard before it, then one after it, then `*`.
  fileprivate func best(for host: String) -> (host: Message, domain: Message)? {
    var best: (host: Message, domain: Message, rank: Int)?
    for candidate in self {
      for domain in candidate["domains"]?.items ?? [] {
        guard let rank = domain.text?.rank(for: host), rank > best?.rank ?? -1 else { continue }
        best = (candidate, domain, rank)
      }
    }
    return best.map { ($0.host, $0.domain) }
  }
}

extension String {
  /// How well a domain pattern fits a host; nil if it does not.
  fileprivate func rank(for host: String) -> Int? {
    let pattern = lowercased()
    if pattern == host { return 1_000_000 }
    if pattern == "*" { return 0 }
    if pattern.hasPrefix("*"), host.count >= pattern.count, host.hasSuffix(pattern.dropFirst()) {
      return 10_000 + pattern.count
    }
    if pattern.hasSuffix("*"), host.count >= pattern.count, host.hasPrefix(pattern.dropLast()) { return pattern.count }
    return nil
  }
}
