import Routes
import World

/// ProxyOS's own data: rows of its database in, routes out.
///
/// Source: dariusvorster/proxyos-app, 26 April 2026: `packages/db/src/schema.ts` (columns), `packages/caddy/src/config.ts`
/// (what a row becomes in Caddy's JSON), `packages/caddy/src/bootstrap.ts` (what is loaded at start). Where a person finds
/// what a row holds, by the labels of `apps/web/src/app/routes`, `expose` and `settings`:
///
/// | column | in the dashboard |
/// | --- | --- |
/// | a row | *Routes*; its panel has *Edit*, *Open analytics*, *Delete*; a new one is made by *+ Expose service* |
/// | `upstreams` | *Edit*, *Upstream* |
/// | `skip_tls_verify` | *Edit*, *Skip Upstream TLS Verify* |
/// | `health_check_path` | *Edit*, *Health check path* |
/// | `health_check_status_codes` | *Open analytics*, *Health check settings*, *Expect status codes* |
/// | `health_check_enabled` | only when the service is exposed: *Upstream health check* |
/// | `upstream_protocol` | only when the service is exposed: *Upstream protocol* |
/// | `enabled` | */settings/scheduled*, *Schedule change*, *Enable route* |
/// | `maintenance_mode` | *Open analytics*, *Restore route* |
enum ProxyOS {
  /// One row of the table `routes`, archived ones and those of other sites left out.
  struct Route: Sendable, Equatable {
    let id: String
    let domain: String
    let aliases: [String]
    let isEnabled: Bool
    let upstreams: [Upstream]
    /// `http`, `https-trusted`, `https-insecure`.
    let upstreamProtocol: String
    let isHealthChecked: Bool
    /// Seconds between two health checks.
    let healthInterval: Int
    let tlsMode: String
    let isInMaintenance: Bool
    let hasRateLimit: Bool
    let hasLogin: Bool
    /// Addresses that alone may use the route.
    let allows: [String]
  }

  /// Where requests go, as the form has it.
  struct Upstream: Sendable, Equatable {
    let address: String
    let weight: Double?
    let scheme: String
    let host: String
    let port: UInt16
  }

  /// Why ProxyOS speaks TLS to an upstream.
  enum TLSReason: String, Sendable {
    case port, address
    case upstreamProtocol = "protocol"
  }

  /// Ports that ProxyOS takes for HTTPS, whatever the address says. Source: `config.ts`.
  static let tlsPorts: Set<UInt16> = [443, 8006, 8007, 8443, 9090, 9443, 10443]

  /// The route that serves a host: one that names it, else one with a wildcard for it. Those in use come first.
  static func route(for host: String, among routes: [Route]) -> Route? {
    let wildcard = "*." + host.split(separator: ".").dropFirst().joined(separator: ".")
    let serving = [host, wildcard].flatMap { name in
      routes.filter { route in route.names.contains { $0.lowercased() == name } }
    }
    return serving.first { $0.isEnabled } ?? serving.first
  }
}

extension ProxyOS.Route {
  /// Nil for a row without an id or domain, an archived one, or one of another site.
  init?(_ row: [String: String]) {
    guard let id = row["id"], let domain = row["domain"], row["archived_at"] == nil,
      [nil, "site_local"].contains(row["site_id"])
    else { return nil }
    func isOn(_ column: String) -> Bool { row[column] == "1" }
    func json(_ column: String) -> JSON? { row[column].flatMap { JSON(Array($0.utf8)) } }
    self.init(
      id: id, domain: domain, aliases: json("aliases")?.texts ?? [], isEnabled: row["enabled"] != "0",
      upstreams: (json("upstreams")?.elements ?? []).compactMap { upstream in
        upstream["address"]?.text.flatMap { ProxyOS.Upstream($0, weight: upstream["weight"]?.number) }
      },
      upstreamProtocol: row["upstream_protocol"] ?? "http", isHealthChecked: row["health_check_enabled"] != "0",
      healthInterval: row["health_check_interval"].flatMap { Int($0) } ?? 30, tlsMode: row["tls_mode"] ?? "auto",
      isInMaintenance: isOn("maintenance_mode"), hasRateLimit: row["rate_limit"] != nil,
      hasLogin: isOn("sso_enabled") && row["sso_provider_id"] != nil, allows: json("ip_allowlist")?.texts ?? [])
  }

  var names: [String] { [domain] + aliases }

  /// Nil if it speaks plain HTTP to its upstream.
  var speaksTLS: ProxyOS.TLSReason? {
    if upstreamProtocol != "http" { return .upstreamProtocol }
    if upstreams.contains(where: { ProxyOS.tlsPorts.contains($0.port) }) { return .port }
    return upstreams.contains { $0.scheme == "https" } ? .address : nil
  }

  /// What Caddy says against the JSON that ProxyOS makes of the row; nil if it takes it. Run on Caddy 2.11.7.
  var refusal: String? {
    if speaksTLS != nil, isHealthChecked { return #"unknown field "tls" in the health check"# }
    if upstreams.contains(where: { ![nil, 1].contains($0.weight) }) { return #"unknown field "weight""# }
    if hasLogin { return "unknown module: http.handlers.forward_auth" }
    return hasRateLimit ? "unknown module: http.handlers.rate_limit" : nil
  }
}

extension ProxyOS.Upstream {
  /// An address with or without a scheme, a port or a path. Nil without a host.
  init?(_ address: String, weight: Double?) {
    let parts = address.split(separator: "://", maxSplits: 1).map(String.init)
    let scheme = parts.count > 1 ? parts[0] : "http"
    let authority = (parts.last ?? "").prefix { $0 != "/" }
    let dial = Caddy.Dial(authority.contains(":") ? String(authority) : "\(authority):\(scheme == "https" ? 443 : 80)")
    guard !dial.host.isEmpty, let port = UInt16(dial.port) else { return nil }
    self.init(address: address, weight: weight, scheme: scheme, host: dial.host, port: port)
  }
}
