import Foundation
import Testing

/// The proxy does not run: its files tell why, or that it would have the site.
extension Fault {
  static let stopped = [
    Fault("caddy does not start, a brace is missing", shows: 0) { stage in
      let (host, app, port) = (try await stage.site("planner"), stage.named("planner"), stage.appPort())
      let (web, proxy) = (try await stage.network(), stage.named("caddy"))
      try await stage.app(app, on: web, port: port)
      let whole = "http://\(host) {\n\treverse_proxy \(app):\(port) {\n\t\theader_up X-Site \(host)\n\t}\n}\n"
      let file = try stage.write(String(whole.dropLast(4)), to: "caddy/Caddyfile")
      let published = stage.freePort()
      try await stage.container(
        proxy, .caddy, on: web,
        options: [
          "--restart", "unless-stopped", "-p", "\(published):80", "-v",
          "\(file.deletingLastPathComponent().path()):/etc/caddy",
        ])
      try await stage.awaits(proxy, "restarting")
      let finding = Finding(
        cause: "proxy-config-invalid", upstream: "http://\(app):\(port)",
        mentions: ["Caddyfile, line", "restart \(proxy)"],
        atLeast: .certain, also: ["proxy-stopped"], readsRoute: false
      ) {
        try Data(whole.utf8).write(to: file)
      }
      return Site(url: "http://\(host):\(published)/", proxy: "caddy", findings: [finding], says: app)
    },

    Fault("nginx starts beside the app, by a shell", shows: 200) { stage in
      try await stage.besideApp()
    },

    Fault("nginx starts beside the app, by a shell, and the app listens elsewhere", shows: 502, core: true) { stage in
      try await stage.besideApp(listeningElsewhere: true)
    },

    Fault("nginx of this machine, never started", shows: 0, core: true) { stage in
      try await stage.service(
        "nginx", "/etc/nginx/sites-enabled/\(stage.suffix).conf", NginxService.site, "proxy-stopped")
    },

    Fault("nginx of this machine, a semicolon is missing", shows: 0) { stage in
      try await stage.service(
        "nginx", "/etc/nginx/sites-enabled/\(stage.suffix).conf",
        { NginxService.site($0, $1, $2).replacing("server_name \($0);", with: "server_name \($0)") },
        "proxy-config-invalid")
    },

    Fault("nginx of this machine, a line stands twice", shows: 0) { stage in
      let twice = { (host: String, port: Int, app: Int) in
        NginxService.site(host, port, app).replacing(
          "    location", with: "    client_max_body_size 8m;\n    client_max_body_size 32m;\n    location")
      }
      let path = "/etc/nginx/sites-enabled/\(stage.suffix).conf"
      return try await stage.service("nginx", path, twice, "proxy-config-invalid") {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data(text.replacing("    client_max_body_size 8m;\n", with: "").utf8).write(to: URL(filePath: path))
      }
    },

    Fault("haproxy of this machine, never started", shows: 0) { stage in
      let path = "/etc/haproxy/haproxy.cfg"
      let before = try String(contentsOfFile: path, encoding: .utf8)
      return try await stage.service(
        "haproxy", path,
        { host, port, app in
          before
            + """

            frontend site\(port)
                bind :\(port)
                use_backend app\(port) if { hdr(host) -i \(host):\(port) } || { hdr(host) -i \(host) }

            backend app\(port)
                server app 127.0.0.1:\(app)

            """
        }, "proxy-stopped")
    },

    Fault("apache of this machine, never started", shows: 0) { stage in
      try await stage.service(
        "apache2", "/etc/apache2/sites-enabled/\(stage.suffix).conf",
        { host, port, app in
          """
          Listen \(port)
          LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
          LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
          <VirtualHost *:\(port)>
              ServerName \(host)
              ProxyPass / http://127.0.0.1:\(app)/
          </VirtualHost>

          """
        }, "proxy-stopped")
    },
  ]
}

private enum NginxService {
  @Sendable static func site(_ host: String, _ port: Int, _ app: Int) -> String {
    """
    server {
        listen \(port);
        server_name \(host);
        location / {
            proxy_pass http://127.0.0.1:\(app);
        }
    }

    """
  }
}

extension Stage {
  /// A site that a service of this machine has in its files: at `path` lies what `text` makes of host, port and the
  /// app's port. What was there before comes back at the end.
  fileprivate func service(
    _ unit: String, _ path: String, _ text: (String, Int, Int) -> String, _ cause: String,
    byHand: (@Sendable () async throws -> Void)? = nil
  ) async throws -> Site {
    let word = chance.one(of: ["billing", "atlas", "guestbook", "pantry"])
    let (host, port, app) = (try site(word), freePort(), freePort())
    try await process(word, port: app)
    let file = URL(filePath: path)
    let before = try? Data(contentsOf: file)
    atEnd {
      _ = try? await run(["service", unit, "stop"])
      if let before { try before.write(to: file) } else { try FileManager.default.removeItem(at: file) }
    }
    try Data(text(host, port, app).utf8).write(to: file)
    let finding = Finding(
      cause: cause, upstream: nil, mentions: [unit], atLeast: .certain, readsRoute: false, byHand: byHand)
    let kind = unit == "apache2" ? "apache" : unit
    return Site(url: "http://\(host):\(port)/", proxy: kind, findings: [finding], says: named(word))
  }

  /// A container in which a shell starts a small program, and then nginx with a file and a prefix of its own.
  fileprivate func besideApp(listeningElsewhere: Bool = false) async throws -> Site {
    let word = chance.one(of: ["bundle", "appliance", "toolbox"])
    let (host, name, app, port) = (try site(word), named("proxy"), named(word), appPort())
    let (web, published) = (try await network(), freePort())
    try await self.app(app, on: web, port: port)
    let file = try write(
      """
      user www-data;
      error_log /dev/stderr;
      pid /tmp/nginx.pid;
      events {}
      http {
          access_log off;
          server {
              listen 80;
              server_name \(host);
              location / {
                  proxy_pass http://\(app):\(listeningElsewhere ? port + 1 : port);
              }
          }
      }

      """, to: "\(word)/conf/site.conf")
    let folder = file.deletingLastPathComponent().deletingLastPathComponent().path()
    let shell =
      "python3 /srv/server.py --name helper --port 9100 & exec nginx -p /opt/\(word) -c conf/site.conf -g 'daemon off;'"
    try await container(
      name, .both, on: web, options: ["-p", "\(published):80", "-v", "\(folder):/opt/\(word)"],
      command: ["sh", "-c", shell])
    try await comesUp(name, published)
    let finding = Finding(
      cause: "wrong-port", upstream: "http://\(app):\(port + 1)",
      mentions: ["\(app):\(port);", "-c conf/site.conf -s reload"], atLeast: .certain)
    return Site(url: "http://\(host):\(published)/", findings: listeningElsewhere ? [finding] : [], says: app)
  }
}
