import Foundation
import Testing

/// nginx with another layout: nginx-proxy, SWAG, jlesage's Nginx Proxy Manager; and the manager's own admin page.
extension Fault {
  static let nginxRelatives = [
    Fault("nginx-proxy, wrong VIRTUAL_PORT", shows: 502) { stage in
      let (host, app) = (try await stage.site("board"), stage.named("wekan"))
      let web = try await stage.network("nginx-proxy")
      let compose = try stage.virtual(host, app, port: 80)
      try await stage.app(app, on: web, port: 8080, options: compose)
      return try await stage.generated(
        host, app, on: web,
        .init(
          cause: "wrong-port", upstream: "http://\(app):80", mentions: ["VIRTUAL_PORT: 8080", "up -d"],
          atLeast: .certain,
          byHand: {
            try await docker("rm", "-f", app)
            try await stage.app(app, on: web, port: 8080, options: try stage.virtual(host, app, port: 8080))
          }))
    },

    Fault("nginx-proxy, no network in common", shows: 502, core: true) { stage in
      let (host, app) = (try await stage.site("files"), stage.named("seafile"))
      let (web, own) = (try await stage.network("nginx-proxy"), try await stage.network("seafile_default"))
      try await stage.app(app, on: own, port: 8000, options: try stage.virtual(host, app, port: 8000))
      return try await stage.generated(
        host, app, on: web,
        .init(
          cause: "network-mismatch", upstream: "http://\(app):8000", mentions: ["network connect", web],
          atLeast: .certain))
    },

    Fault("nginx-proxy, app stopped", shows: 503) { stage in
      let (host, app) = (try await stage.site("blog"), stage.named("ghost"))
      let web = try await stage.network("nginx-proxy")
      try await stage.app(app, on: web, port: 2368, options: try stage.virtual(host, app, port: 2368))
      try await docker("stop", "-t", "1", app)
      return try await stage.generated(
        host, app, on: web,
        .init(cause: "backend-stopped", upstream: "http://\(app):2368", mentions: [app], atLeast: .certain))
    },

    Fault("swag, only a sample for the app", shows: 200) { stage in
      let (web, app) = (try await stage.network("swag"), stage.named("grafana"))
      try await stage.app(app, on: web, port: 3000)
      var site = try await stage.swag(
        app, port: 3000, as: "\(app).subdomain.conf.sample", on: web,
        .init(
          cause: "route-missing", mentions: ["/config/nginx/proxy-confs/\(app).subdomain.conf"], atLeast: .certain))
      site.saysBefore = "Welcome to your SWAG instance"
      return site
    },

    Fault("swag, wrong port in proxy-confs", shows: 502) { stage in
      let (web, app) = (try await stage.network("swag"), stage.named("calibre-web"))
      try await stage.app(app, on: web, port: 8083)
      return try await stage.swag(
        app, port: 8080, as: "\(app).subdomain.conf", on: web,
        .init(
          cause: "wrong-port", upstream: "http://\(app):8080", mentions: ["set $upstream_port 8083;"],
          atLeast: .certain))
    },

    Fault("jlesage, wrong port", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("music"), stage.named("navidrome"), 4533)
      let web = try await stage.network("npm_default")
      try await stage.app(app, on: web, port: port)
      return try await stage.managed(
        host, app, on: web, "http", app, 4040, cause: "wrong-port", mentions: ["Set Forward Port to \(port)"],
        atLeast: .certain, image: .jlesage)
    },

    Fault("jlesage, backend stopped", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("feeds"), stage.named("freshrss"), 8000)
      let web = try await stage.network("npm_default")
      try await stage.app(app, on: web, port: port)
      try await docker("stop", "-t", "1", app)
      return try await stage.managed(
        host, app, on: web, "http", app, port, cause: "backend-stopped", mentions: [app], atLeast: .certain,
        image: .jlesage)
    },

    Fault("proxy manager, its admin page without its database", shows: 502, core: true) { stage in
      let web = try await stage.network("npm_default")
      let (name, database) = (stage.named("npm"), stage.named("npm-db"))
      try await stage.app(database, on: web, port: 3306)
      try await docker("stop", "-t", "1", database)
      let manager = try await stage.manager(
        name, on: web, options: ["-e", "DB_MYSQL_HOST=\(database)", "-e", "DB_MYSQL_PASSWORD=npm"], comesUp: false)
      return Site(
        url: "http://127.0.0.1:\(manager.admin)/api/", proxy: "nginx-proxy-manager",
        findings: [
          .init(
            cause: "proxy-admin-down", upstream: "http://127.0.0.1:3000", mentions: ["docker start \(database)"],
            atLeast: .certain)
        ], says: #""status": "OK""#)
    },
  ]
}

extension Stage {
  /// What nginx-proxy reads of an app's container, as its Compose file says it.
  nonisolated func virtual(_ host: String, _ app: String, port: Int) throws -> [String] {
    let labels = try compose(app, in: app, port: port)
    try write(
      """
      services:
        \(app):
          image: \(Image.app.tag)
          environment:
            VIRTUAL_HOST: \(host)
            VIRTUAL_PORT: \(port)

      """, to: "\(app)/docker-compose.yml")
    return labels + ["-e", "VIRTUAL_HOST=\(host)", "-e", "VIRTUAL_PORT=\(port)"]
  }

  /// A site of a new nginx-proxy on `network`.
  func generated(_ host: String, _ app: String, on network: String, _ finding: Finding) async throws -> Site {
    let (name, port) = (named("nginx-proxy"), freePort())
    try await container(
      name, .nginxProxy, on: network,
      options: [
        "-p", "\(port):80", "-v", "/var/run/docker.sock:/var/run/docker.sock:ro", "-e", "LAB_SUFFIX=\(suffix)",
      ])
    try await comesUp(name, port)
    return Site(url: "http://\(host):\(port)/", findings: [finding], says: app)
  }

  /// A site of a new SWAG on `network`; `file` in proxy-confs leads to `app` at `port`.
  func swag(_ app: String, port: Int, as file: String, on network: String, _ finding: Finding) async throws -> Site {
    let (name, published, host) = (named("swag"), freePort(), "\(app).example.test")
    try move(host)
    let certificate = try await selfSigned("swag")
    for (from, to) in [(certificate.certificate, "cert.crt"), (certificate.key, "cert.key")] {
      try write(String(contentsOf: from, encoding: .utf8), to: "swag/keys/\(to)")
    }
    try write(
      """
      ## Version 2025/07/18
      # make sure that your \(app) container is named \(app)
      # make sure that your dns has a cname set for \(app)

      server {
          listen 443 ssl;

          server_name \(app).*;

          include /config/nginx/ssl.conf;

          client_max_body_size 0;

          location / {
              include /config/nginx/proxy.conf;
              include /config/nginx/resolver.conf;
              set $upstream_app \(app);
              set $upstream_port \(port);
              set $upstream_proto http;
              proxy_pass $upstream_proto://$upstream_app:$upstream_port;

          }
      }

      """, to: "swag/nginx/proxy-confs/\(file)")
    try await container(
      name, .swag, on: network,
      options: ["-p", "\(published):443", "-v", "\(directory.appending(path: "swag").path()):/config"])
    try await comesUp(name, published)
    return Site(url: "https://\(host):\(published)/", findings: [finding], says: app)
  }
}
