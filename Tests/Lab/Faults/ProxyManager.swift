import Foundation
import Testing

/// Nginx Proxy Manager in front: routes in its database, fixes in its web interface.
extension Fault {
  static let manager = [
    Fault("proxy manager, wrong port", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop-app"), stage.appPort())
      let (web, published) = (try await stage.network("npm_default"), stage.freePort())
      try await stage.app(app, on: web, port: port, options: ["-p", "\(published):\(port)"])
      return try await stage.managed(
        host, app, on: web, "http", app, published, cause: "wrong-port",
        mentions: ["Set Forward Port to \(port)"],
        atLeast: .certain)
    },

    Fault("proxy manager, backend stopped", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("photos"), stage.named("immich"), stage.appPort())
      let web = try await stage.network("npm_default")
      try await stage.app(
        app, on: web, port: port, options: try stage.compose("immich", in: "immich", port: port))
      try await docker("stop", app)
      return try await stage.managed(
        host, app, on: web, "http", app, port, cause: "backend-stopped", mentions: [app], atLeast: .certain)
    },

    Fault("proxy manager, https to a plain HTTP upstream", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("pdf"), stage.named("stirling"), stage.appPort())
      let web = try await stage.network("npm_default")
      try await stage.app(app, on: web, port: port)
      return try await stage.managed(
        host, app, on: web, "https", app, port, cause: "https-to-http-backend",
        mentions: ["Set Scheme to http"],
        atLeast: .certain)
    },

    Fault("proxy manager, host disabled", shows: 200, core: true) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let web = try await stage.network("npm_default")
      try await stage.app(app, on: web, port: port)
      var site = try await stage.managed(
        host, app, on: web, "http", app, port, cause: "route-missing", mentions: ["Set Enabled to on"])
      let manager = try #require(site.webInterface as? Manager)
      try await manager.disable(manager.host(of: host))
      site.saysBefore = "Congratulations"
      // A disabled host is no route of the running proxy; its row in the database may still be shown as one.
      site.findings[0].upstream = nil
      return site
    },

    Fault("proxy manager, no network in common", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("cloud"), stage.named("nextcloud"), stage.appPort())
      let (web, own) = (try await stage.network("npm_default"), try await stage.network("nextcloud_default"))
      try await stage.app(app, on: own, port: port)
      return try await stage.managed(
        host, app, on: web, "http", app, port, cause: "network-mismatch", mentions: ["network connect"],
        atLeast: .certain)
    },

    Fault("proxy manager, host offline by its advanced text", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("media"), stage.named("media"), stage.appPort())
      let web = try await stage.network("npm_default")
      try await stage.app(app, on: web, port: port)
      var site = try await stage.managed(
        host, app, on: web, "http", app, port, cause: "proxy-config-invalid",
        mentions: ["client_max_body_size"])
      let manager = try #require(site.webInterface as? Manager)
      var saved = try await manager.host(of: host)
      saved.advancedConfig = "client_max_body_size 500m\nproxy_request_buffering off;"
      try await manager.save(saved)
      site.saysBefore = "Congratulations"
      site.findings[0].upstream = nil
      site.findings[0].byHand = {
        var host = try await manager.host(of: host)
        host.advancedConfig = "client_max_body_size 500m;\nproxy_request_buffering off;"
        try await manager.save(host)
      }
      return site
    },

    Fault("proxy manager, upstream is localhost", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("budget"), stage.named("firefly"), stage.appPort())
      let web = try await stage.network("npm_default")
      // 3000 inside the manager is its own API, so the port is another one.
      let free = port == 3000 ? 3002 : port
      try await stage.app(app, on: web, port: free, options: ["-p", "\(stage.freePort()):\(free)"])
      return try await stage.managed(
        host, app, on: web, "http", "127.0.0.1", free, cause: "upstream-is-localhost",
        mentions: ["Set Forward Hostname / IP to \(app)"])
    },

    Fault("proxy manager, custom location with a wrong port", shows: 502) { stage in
      let (host, app, api) = (
        try await stage.site("portal"), stage.named("portal"), stage.named("portal-api")
      )
      let (web, port) = (try await stage.network("npm_default"), stage.appPort())
      try await stage.app(app, on: web, port: port)
      try await stage.app(api, on: web, port: port)
      var site = try await stage.managed(
        host, api, on: web, "http", app, port, cause: "wrong-port",
        mentions: ["Set Forward Port to \(port)", "/api"],
        atLeast: .certain,
        locations: [.init(path: "/api", forwardHost: api, forwardPort: port + 3)])
      site.url += "api/"
      site.findings[0].upstream = "http://\(api):\(port + 3)"
      return site
    },
  ]
}

extension Stage {
  /// A site of a new proxy manager on `network` that forwards `domain` as given; `app` is what it says when it works.
  func managed(
    _ domain: String, _ app: String, on network: String, _ scheme: String, _ host: String, _ port: Int,
    cause: String? = nil, mentions: [String] = [], atLeast: Confidence = .likely,
    locations: [Manager.Location] = [], image: Image = .manager
  ) async throws -> Site {
    let manager = try await manager(named("npm"), on: network, image: image)
    try await manager.create(
      .init(
        domainNames: [domain], forwardScheme: scheme, forwardHost: host, forwardPort: port,
        locations: locations))
    let finding = cause.map {
      Finding(cause: $0, upstream: "\(scheme)://\(host):\(port)", mentions: mentions, atLeast: atLeast)
    }
    return Site(
      url: "http://\(domain):\(manager.port)/", proxy: "nginx-proxy-manager",
      findings: finding.map { [$0] } ?? [],
      says: app, webInterface: manager)
  }
}
