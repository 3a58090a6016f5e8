import Model
import Pattern
import Routes
import World
import YAML

/// The routes of a Cloudflare Tunnel: cloudflared's own configuration, its `--url`, or none that can be read.
///
/// Source: developers.cloudflare.com, Cloudflare Tunnel, "Configuration file" and "Origin parameters".
struct CloudflaredReading: ProxyReader {
  static let kind = "cloudflared"

  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading {
    let tunnel = try await Tunnel(of: proxy)
    let site = request.site
    var reading = Reading(
      outcome: .missing, configuration: tunnel.configuration, entry: nil, route: nil, problem: nil, near: nil, app: nil,
      labels: nil, log: Reading.Log(file: .notRead, keys: []), own: [:])
    guard let rule = tunnel.rules.first(where: { $0.serves(site.host, site.path) }) else { return reading }
    reading.entry = Reading.Entry(
      site: Setting(rule.hostname ?? site.host, nil), definedIn: rule.definedIn, router: nil, service: nil,
      provider: nil)
    guard let service = rule.upstream else {
      // `http_status:404` is how the rules have to end.
      reading.outcome = rule.service.value.hasPrefix("http_status:") && rule.hostname == nil ? .default : .static
      return reading
    }
    reading.outcome = .found
    reading.route = route(rule, service, site, proxy.files)
    return reading
  }

  private static func route(
    _ rule: Rule, _ service: (scheme: String, host: String, port: UInt16), _ site: Site, _ files: ProxyFiles
  ) -> Route {
    let edits = rule.spans.mapValues { files.edit($0) }
    func edit(_ name: String) -> Edit? { edits[name] ?? nil }
    return Route(
      upstream: Route.Upstream(
        scheme: Setting(service.scheme, edit("scheme")),
        address: .network(host: Setting(service.host, edit("host")), port: Setting(service.port, edit("port"))),
        speaks: .http),
      servers: [Server(.network(host: service.host, port: service.port), .used)],
      resolution: .known(
        Route.Resolution(when: .known(.eachTime), family: .known(Setting(nil, nil)), dials: .notRead, resolver: nil)),
      patience: Route.Patience(
        connect: .known(Setting(Route.Wait(rule.seconds("connectTimeout") ?? 30), nil)), answer: .notApplicable,
        whole: .notApplicable),
      tls: service.scheme == "https" ? tls(rule, service.host, files) : nil,
      path: Route.Path(passedOn: .known(site.path), change: .notApplicable),
      sentHost: .known(Setting(rule.options["httpHostHeader"] ?? site.host, nil)),
      limits: Route.Limits(header: .notRead, body: .notApplicable, connections: .notApplicable),
      health: .notApplicable, login: .notApplicable, scripts: .notApplicable, refusals: .notApplicable,
      shadowed: .notApplicable,
      pass: Route.Pass(
        line: nil, site: nil, transport: nil, target: nil, literal: nil, plain: nil, encrypted: nil,
        takesBuffers: false, family: nil),
      container: nil, runs: .notRead)
  }

  private static func tls(_ rule: Rule, _ host: String, _ files: ProxyFiles) -> Route.TLS {
    Route.TLS(
      verified: .known(rule.options["noTLSVerify"] == "true" ? [] : Set(Route.TLS.Part.allCases)), verifySwitch: nil,
      name: .known(Setting(rule.options["originServerName"] ?? host, nil)), sendsName: .known(Setting(true, nil)),
      authorities: .known(rule.options["caPool"].map(files.authorities)), sendsCertificate: .notApplicable,
      offer: .known(.modern), block: nil)
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
  var configuration = Reading.Configuration(
    start: Reading.Configuration.Start(file: nil, prefix: nil, adapter: nil), mistake: nil, newest: nil, main: nil,
    folder: nil, folderInside: nil, container: nil, hasAdmin: .notApplicable, version: nil, unread: nil)

  init(of proxy: RunningProxy) async throws(Unseen) {
    if let url = proxy.option("--url", "-url") ?? proxy.environment("TUNNEL_URL") {
      rules = [Rule(hostname: nil, path: nil, service: (url, nil), options: [:], definedIn: "--url")]
      return
    }
    let given = proxy.option("--config", "-config")
    for path in given.map({ [$0] }) ?? UsualFiles.cloudflared {
      guard let text = try await proxy.files.read(path) else { continue }
      guard let root = YAML.read(text, file: path).root else {
        throw .unreadable(what: path, why: .init(.notFormat, "YAML"))
      }
      let shared = root["originRequest"]?.texts ?? [:]
      let lines = text.lines.map(String.init)
      rules = (root["ingress"]?.items ?? []).compactMap { Rule($0, shared, path, lines) }
      if let url = root["url"]?.text, rules.isEmpty {
        rules = [Rule(hostname: nil, path: nil, service: (url, nil), options: shared, definedIn: path)]
      }
      if let time = await proxy.files.modified(path) {
        configuration.newest = Reading.Configuration.Newest(
          path: proxy.files.hostPath(of: path) ?? path, changed: time)
      }
      configuration.container = proxy.files.container(with: path)
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

  func seconds(_ option: String) -> Double? { options[option]?.goSeconds }

  /// Scheme, host and port as they stand in the line.
  var spans: [String: Span] {
    guard let line = service.line, let upstream else { return [:] }
    let rest = service.value.dropFirst(upstream.scheme.count + 3)
    let host = rest.prefix { $0 != ":" && $0 != "/" }
    var spans = [
      "scheme": line.part("", upstream.scheme, "://" + rest),
      "host": line.part(upstream.scheme + "://", String(host), String(rest.dropFirst(host.count))),
    ]
    let port = String(upstream.port)
    if rest.dropFirst(host.count).hasPrefix(":" + port) {
      spans["port"] = line.part(
        "\(upstream.scheme)://\(host):", port, String(rest.dropFirst(host.count + 1 + port.count)))
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
