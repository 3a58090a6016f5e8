import Foundation

/// The site fails for some requests and works for others.
extension Fault {
  static let sometimes = [
    Fault("sometimes, one server of two is stopped", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop-1"), stage.appPort())
      let (other, web) = (stage.named("shop-2"), try await stage.network())
      for name in [app, other] { try await stage.app(name, on: web, port: port) }
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web,
        """
        upstream shop {
            server \(app):\(port) max_fails=0;
            server \(other):\(port) max_fails=0;
        }

        server {
            listen 80;
            server_name \(host);
            location / {
                proxy_pass http://shop;
                proxy_next_upstream off;
                proxy_connect_timeout 1s;
            }
        }

        """)
      try await docker("stop", other)
      let finding = Finding(
        cause: "backend-stopped", upstream: "http://\(other):\(port)", mentions: [other], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: "shop-", series: 20)
    },

    Fault("sometimes, memory runs out under load", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("reports"), stage.named("reports"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(
        app, on: web, port: port, ["--leak", "20"],
        options: ["--memory", "64m", "--memory-swap", "64m", "--restart", "always"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      let finding = Finding(
        cause: "backend-out-of-memory", upstream: "http://\(app):\(port)", mentions: [app],
        also: ["backend-crash-loop"]
      ) {
        try await docker("rm", "-f", app)
        try await stage.app(app, on: web, port: port)
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app, series: 12)
    },

    Fault("sometimes, the app ends idle connections that the proxy uses for a POST", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("forms"), stage.named("forms"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--race"])
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.group(host, "forms", "\(app):\(port)"))
      let finding = Finding(
        cause: "connection-dropped", upstream: "http://\(app):\(port)", mentions: []
      ) {
        try await docker("rm", "-f", app)
        try await stage.app(app, on: web, port: port)
        try await docker("rm", "-f", stage.named("proxy"))
        try gate.edit("keepalive 8;", to: "")
        try await stage.container(
          stage.named("proxy"), .nginx, on: web,
          options: [
            "-p", "\(gate.port):80", "-v", "\(gate.file.deletingLastPathComponent().path()):/etc/nginx/conf.d",
          ])
      }
      return Site(
        url: "http://\(host):\(gate.port)/", findings: [finding], says: app, series: 12,
        request: ["--data", "name=value"])
    },

    Fault("healthy, asked twenty times", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("blog"), stage.named("blog"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.group(host, "blog", "\(app):\(port)"))
      return Site(url: "http://\(host):\(gate.port)/", says: app, series: 20)
    },
  ]
}
