import Foundation
import Testing

/// ProxyOS in front: routes in its database and its Caddy, fixes in its dashboard.
///
/// Its page "This connection is live" with status 503 hides every 502 and 504 of its Caddy.
extension Fault {
  static let proxyOS = [
    Fault("proxyos, healthy", shows: 200, core: true) { stage in
      let (app, port) = (stage.named("jellyfin"), 8096)
      let edge = try await stage.network("homelab-edge")
      try await stage.app(app, on: edge, port: port)
      return try await stage.exposed("media", app, on: edge, "http://\(app):\(port)")
    },

    Fault("proxyos, backend stopped", shows: 503, core: true) { stage in
      let (app, port) = (stage.named("immich"), 2283)
      let edge = try await stage.network("homelab-edge")
      try await stage.app(app, on: edge, port: port, options: try stage.compose("immich", in: "immich", port: port))
      try await docker("stop", "-t", "1", app)
      return try await stage.exposed(
        "photos", app, on: edge, "http://\(app):\(port)", cause: "backend-stopped", mentions: [app], atLeast: .certain)
    },

    Fault("proxyos, wrong port", shows: 503) { stage in
      let (app, port, published) = (stage.named("grafana"), 3000, stage.freePort())
      let edge = try await stage.network("homelab-edge")
      try await stage.app(app, on: edge, port: port, options: ["-p", "\(published):\(port)"])
      return try await stage.exposed(
        "stats", app, on: edge, "http://\(app):\(published)", cause: "wrong-port",
        mentions: ["Set Upstream to http://\(app):\(port)"], atLeast: .certain)
    },

    Fault("proxyos, a slip of the pen in the name", shows: 503) { stage in
      let (app, port) = (stage.named("vaultwarden"), 8000)
      let edge = try await stage.network("homelab-edge")
      try await stage.app(app, on: edge, port: port)
      let wrong = app.replacing("vaultwarden", with: "valtwarden")
      return try await stage.exposed(
        "vault", app, on: edge, "http://\(wrong):\(port)", cause: "name-not-found",
        mentions: ["Set Upstream to http://\(app):\(port)"])
    },

    Fault("proxyos, no network in common", shows: 503) { stage in
      let (app, port) = (stage.named("nextcloud"), 8080)
      let (edge, own) = (try await stage.network("homelab-edge"), try await stage.network("nextcloud_default"))
      try await stage.app(app, on: own, port: port)
      return try await stage.exposed(
        "cloud", app, on: edge, "http://\(app):\(port)", cause: "network-mismatch", mentions: ["network connect"],
        atLeast: .certain)
    },

    Fault("proxyos, plain HTTP on a port it takes for HTTPS", shows: 503) { stage in
      let (app, port) = (stage.named("prometheus"), 9090)
      let edge = try await stage.network("homelab-edge")
      try await stage.app(app, on: edge, port: port)
      var site = try await stage.exposed(
        "metrics", app, on: edge, "http://\(app):\(port)", checked: false, cause: "https-to-http-backend",
        mentions: ["Set target to \(app):\(port)"], atLeast: .certain)
      site.findings[0].upstream = "https://\(app):\(port)"
      return site
    },

    Fault("proxyos, a health check that meets a login", shows: 503) { stage in
      let (app, port) = (stage.named("sonarr"), 8989)
      let edge = try await stage.network("homelab-edge")
      try await stage.app(app, on: edge, port: port, ["--answer", "401"])
      var site = try await stage.exposed(
        "series", app, on: edge, "http://\(app):\(port)", cause: "backend-unhealthy",
        mentions: ["Set Expect status codes to 401"])
      site.answers = 401
      return site
    },

    Fault("proxyos, an app that speaks TLS", shows: 503) { stage in
      let (app, port) = (stage.named("unifi"), 8444)
      let edge = try await stage.network("homelab-edge")
      let certificate = try await stage.selfSigned("unifi")
      try await stage.app(
        app, on: edge, port: port, ["--tls", "/certificates/unifi.crt", "/certificates/unifi.key"],
        options: ["-v", "\(certificate.key.deletingLastPathComponent().path()):/certificates:ro"])
      return try await stage.exposed(
        "unifi", app, on: edge, "http://\(app):\(port)", checked: false, cause: "http-to-https-backend",
        mentions: ["Set Upstream to https://\(app):\(port)"], atLeast: .certain)
    },

    Fault("proxyos, route disabled", shows: 0, core: true) { stage in
      let (app, port) = (stage.named("wiki"), 3000)
      let edge = try await stage.network("homelab-edge")
      try await stage.app(app, on: edge, port: port)
      var site = try await stage.exposed(
        "wiki", app, on: edge, "http://\(app):\(port)", byTLS: true, cause: "route-missing",
        mentions: ["Set Action to Enable route"], atLeast: .certain)
      let proxy = try #require(site.webInterface as? ProxyOS)
      // Another route, so that Caddy goes on serving HTTPS.
      try await proxy.expose(.init(domain: "other.example.test", upstreams: [.init(address: "http://\(app):\(port)")]))
      try await proxy.disable(try #require(URL(string: site.url)?.host()))
      site.findings[0].upstream = nil
      return site
    },

    Fault("proxyos, a refused route keeps all out", shows: 200) { stage in
      let (app, port) = (stage.named("homepage"), 3000)
      let edge = try await stage.network("homelab-edge")
      let certificate = try await stage.selfSigned("portainer")
      try await stage.app(app, on: edge, port: port)
      let admin = stage.named("portainer")
      try await stage.app(
        admin, on: edge, port: 9443, ["--tls", "/certificates/portainer.crt", "/certificates/portainer.key"],
        options: ["-v", "\(certificate.key.deletingLastPathComponent().path()):/certificates:ro"])
      var site = try await stage.exposed(
        "home", app, on: edge, "http://\(app):\(port)", cause: "proxy-config-invalid",
        mentions: ["Switch Upstream health check off", "Rebuild from DB"], atLeast: .certain)
      let proxy = try #require(site.webInterface as? ProxyOS)
      let domain = "portainer.example.test"
      try await proxy.expose(.init(domain: domain, upstreams: [.init(address: "http://\(admin):9000")]))
      var changed = try await proxy.route(of: domain)
      changed.upstreams = [.init(address: "https://\(admin):9443")]
      // Saved in its database; refused by its Caddy, which goes on with the old one until ProxyOS starts again.
      await #expect(throws: CommandFailed.self) { try await proxy.update(changed) }
      try await proxy.restart()
      site.findings[0].upstream = nil
      return site
    },

    Fault("proxyos, a route that the API made", shows: 0) { stage in
      let (app, port) = (stage.named("paperless"), 8000)
      let edge = try await stage.network("homelab-edge")
      try await stage.app(app, on: edge, port: port)
      var site = try await stage.exposed(
        "paper", app, on: edge, "http://\(app):\(port)", byTLS: true, cause: "config-not-reloaded",
        mentions: ["Rebuild from DB"], atLeast: .certain)
      let proxy = try #require(site.webInterface as? ProxyOS)
      try await proxy.expose(.init(domain: "other.example.test", upstreams: [.init(address: "http://\(app):\(port)")]))
      // What the REST API and the command line do: the row alone.
      let domain = try #require(URL(string: site.url)?.host())
      try await proxy.disable(domain)
      try await docker(
        "exec", proxy.container, "python3", "-c",
        "import sqlite3; c = sqlite3.connect('/data/proxyos/proxyos.db'); "
          + "c.execute('UPDATE routes SET enabled = 1 WHERE domain = ?', ['\(domain)']); c.commit()")
      site.findings[0].upstream = nil
      return site
    },
  ]
}

extension Stage {
  /// A site of a new ProxyOS on `network` that is exposed with `upstream`; `app` is what it says when it works.
  ///
  /// - Parameter checked: with ProxyOS's health check, which is on unless one switches it off.
  func exposed(
    _ word: String, _ app: String, on network: String, _ upstream: String, checked: Bool = true, byTLS: Bool = false,
    cause: String? = nil, mentions: [String] = [], atLeast: Confidence = .likely
  ) async throws -> Site {
    let domain = try site(word)
    let proxy = try await proxyOS(named("proxyos"), on: network)
    try await proxy.expose(
      .init(domain: domain, upstreams: [.init(address: upstream)], healthCheckEnabled: checked ? 1 : 0))
    let finding = cause.map { Finding(cause: $0, upstream: upstream, mentions: mentions, atLeast: atLeast) }
    return Site(
      url: byTLS ? "https://\(domain):\(proxy.tlsPort)/" : "http://\(domain):\(proxy.port)/", proxy: "proxyos",
      findings: finding.map { [$0] } ?? [], says: app, webInterface: proxy)
  }
}
