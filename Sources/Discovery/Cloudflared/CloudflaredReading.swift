import Model
import Pattern
import World
import YAML

/// The routes of a Cloudflare Tunnel: cloudflared's own configuration, its `--url`, or none that can be read.
///
/// Source: developers.cloudflare.com, Cloudflare Tunnel, "Configuration file" and "Origin parameters".
struct CloudflaredReading: ProxyReader {
  static let kind = "cloudflared"

  static func read(
    _ request: RouteReading.Request, _ proxy: RunningProxy
  ) async throws(Unseen) -> (RouteReading.Outcome, Facts) {
    let tunnel = try await Tunnel(of: proxy)
    let site = request.site
    guard let rule = tunnel.rules.first(where: { $0.serves(site.host, site.path) }) else {
      return (.missing, tunnel.facts)
    }
    var facts = tunnel.facts
    facts[.routeDefinedIn] = rule.definedIn
    facts[.routeHost] = rule.hostname ?? site.host
    guard let service = rule.upstream else {
      facts[.routeUpstream] = rule.service.value
      // `http_status:404` is how the rules have to end.
      return (rule.service.value.hasPrefix("http_status:") && rule.hostname == nil ? .default : .static, facts)
    }
    facts.merge([
      .routeUpstream: "\(service.scheme)://\(service.host):\(service.port)", .upstreamScheme: service.scheme,
      .upstreamHost: service.host, .upstreamPort: String(service.port), .routeProtocol: "http",
      .routeConnectTimeout: rule.seconds("connectTimeout") ?? "30",
      .routeSendsHost: rule.options["httpHostHeader"] ?? site.host, .routeResolves: RouteReading.eachRequest,
      .routeVerifies: service.scheme == "https" ? (rule.options["noTLSVerify"] == "true" ? "off" : "on") : "",
      .routeTLSName: rule.options["originServerName"] ?? service.host, .routeAuthorities: rule.options["caPool"] ?? "",
    ])
    for (name, span) in rule.spans { facts.set(span, name, proxy.files) }
    return (.found, facts)
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] { [] }

  /// Whether its configuration names the host.
  static func names(_ host: String, _ proxy: RunningProxy) async -> Bool {
    (try? await Tunnel(of: proxy))?.rules.contains { $0.hostname != nil && $0.serves(host, "/") } == true
  }
}

/// What one cloudflared passes on.
private struct Tunnel {
  var rules: [Rule] = []
  var facts = Facts()

  init(of proxy: RunningProxy) async throws(Unseen) {
    if let url = proxy.option("--url", "-url") ?? proxy.environment("TUNNEL_URL") {
      rules = [Rule(hostname: nil, path: nil, service: (url, nil), options: [:], definedIn: "--url")]
      return
    }
    let places = ["/root/.cloudflared", "/home/nonroot/.cloudflared", "/etc/cloudflared", "/usr/local/etc/cloudflared"]
    let given = proxy.option("--config", "-config")
    let usual = places.flatMap { ["\($0)/config.yml", "\($0)/config.yaml"] }
    for path in given.map({ [$0] }) ?? usual {
      guard let text = try await proxy.files.read(path) else { continue }
      guard let root = YAML.read(text, file: path).root else {
        throw .unreadable(what: path, why: "it is not YAML")
      }
      let shared = root["originRequest"]?.texts ?? [:]
      let lines = text.lines.map(String.init)
      rules = (root["ingress"]?.items ?? []).compactMap { Rule($0, shared, path, lines) }
      if let url = root["url"]?.text, rules.isEmpty {
        rules = [Rule(hostname: nil, path: nil, service: (url, nil), options: shared, definedIn: path)]
      }
      facts[.configNewest] = proxy.files.hostPath(of: path) ?? path
      if let time = await proxy.files.modified(path) { facts[.configNewestTime] = String(time) }
      if let container = proxy.container, proxy.files.hostPath(of: path) == nil {
        facts[.configInside] = container.name
      }
      if !rules.isEmpty { return }
    }
    throw .missing(what: "route in a file of this machine: this tunnel's routes are kept at Cloudflare")
  }
}

/// One entry of `ingress`.
private struct Rule {
  let hostname: String?
  let path: String?
  let service: (value: String, line: Span?)
  let options: [String: String]
  let definedIn: String

  init(
    hostname: String?, path: String?, service: (value: String, line: Span?), options: [String: String],
    definedIn: String
  ) {
    (self.hostname, self.path, self.service) = (hostname, path, service)
    (self.options, self.definedIn) = (options, definedIn)
  }

  init?(_ node: YAML.Node, _ shared: [String: String], _ file: String, _ lines: [String]) {
    guard let value = node["service"], let service = value.text, lines.indices.contains(value.place.line - 1) else {
      return nil
    }
    let text = lines[value.place.line - 1]
    // The value as it stands there, without quotes.
    let start = text.indices.first { text[$0...].hasPrefix(service) }
    let line = start.map { start in
      Span(
        file: file, line: value.place.line, text: text, head: String(text[..<start]),
        tail: String(text[text.index(start, offsetBy: service.count)...]))
    }
    self.init(
      hostname: node["hostname"]?.text?.lowercased(), path: node["path"]?.text, service: (service, line),
      options: shared.merging(node["originRequest"]?.texts ?? [:]) { _, own in own },
      definedIn: "\(file):\(value.place.line)")
  }

  func serves(_ host: String, _ path: String) -> Bool {
    if let own = self.path, (try? Pattern(own))?.matches(path) == false { return false }
    guard let hostname, hostname != "*" else { return true }
    return hostname.hasPrefix("*.") ? host.hasSuffix(hostname.dropFirst()) : host == hostname
  }

  /// Of an `http://` or `https://` service.
  var upstream: (scheme: String, host: String, port: UInt16)? {
    guard service.value.hasPrefix("http://") || service.value.hasPrefix("https://") else { return nil }
    return Site(service.value).map { ($0.scheme, $0.host, $0.port) }
  }

  /// Of the form `30s`, `1m30s`; nil for others.
  func seconds(_ option: String) -> String? {
    options[option].flatMap { $0.hasSuffix("s") ? Double($0.dropLast()) : nil }.map { String($0) }
  }

  /// Scheme, host and port as they stand in the line.
  var spans: [(String, Span)] {
    guard let line = service.line, let upstream else { return [] }
    let rest = service.value.dropFirst(upstream.scheme.count + 3)
    let host = rest.prefix { $0 != ":" && $0 != "/" }
    var spans = [
      ("scheme", line.part("", upstream.scheme, "://" + rest)),
      ("host", line.part(upstream.scheme + "://", String(host), String(rest.dropFirst(host.count)))),
    ]
    let port = String(upstream.port)
    if rest.dropFirst(host.count).hasPrefix(":" + port) {
      spans.append(
        ("port", line.part("\(upstream.scheme)://\(host):", port, String(rest.dropFirst(host.count + 1 + port.count)))))
    }
    return spans
  }
}

extension Span {
  /// The same line with a part of the value as the value.
  fileprivate func part(_ before: String, _ value: String, _ after: String) -> Span {
    Span(file: file, line: line, text: text, head: head + before, tail: after + tail)
  }
}

extension YAML.Node {
  fileprivate subscript(key: String) -> YAML.Node? {
    if case .mapping(let pairs) = content { pairs.first { $0.key == key }?.value } else { nil }
  }
  fileprivate var text: String? { if case .scalar(let text) = content { text } else { nil } }
  fileprivate var items: [YAML.Node] { if case .sequence(let items) = content { items } else { [] } }
  fileprivate var texts: [String: String] {
    guard case .mapping(let pairs) = content else { return [:] }
    return Dictionary(pairs.compactMap { pair in pair.value.text.map { (pair.key, $0) } }) { first, _ in first }
  }
}
