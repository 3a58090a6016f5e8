import Foundation
import Testing

/// Traefik with its real Docker and file providers; apps made by Compose, as people make them.
extension Fault {
  static let traefik = [
    Fault("traefik healthy, labels in a Compose file", shows: 200, core: true) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop"), stage.appPort())
      let web = try await stage.network()
      try await stage.composed(app, on: [web], port: port, ["rule": "Host(`\(host)`)", "port": "\(port)"])
      return try await stage.behindTraefik(host, app, on: web)
    },

    Fault("traefik healthy, an older copy of the app is stopped", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let web = try await stage.network()
      let labels = [
        "--label", "traefik.http.routers.wiki.rule=Host(`\(host)`)", "--label",
        "traefik.http.services.wiki.loadbalancer.server.port=\(port)",
      ]
      try await stage.app(stage.named("wiki-old"), on: web, port: port, options: labels)
      try await docker("stop", stage.named("wiki-old"))
      try await stage.app(app, on: web, port: port, options: labels)
      return try await stage.behindTraefik(host, app, on: web, flags: ["--api.insecure=true"])
    },

    Fault("traefik, stopped container", shows: 404, core: true) { stage in
      let (host, app, port) = (try await stage.site("notes"), stage.named("notes"), stage.appPort())
      let web = try await stage.network()
      try await stage.composed(app, on: [web], port: port, ["rule": "Host(`\(host)`)", "port": "\(port)"])
      try await docker("stop", app)
      let finding = Finding(
        cause: "backend-stopped", upstream: "http://\(app):\(port)", mentions: ["docker start \(app)"],
        atLeast: .certain)
      return try await stage.behindTraefik(host, app, on: web, finding)
    },

    Fault("traefik, unhealthy container", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("forum"), stage.named("forum"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(
        app, on: web, port: port,
        options: [
          "--label", "traefik.http.routers.forum.rule=Host(`\(host)`)", "--label",
          "traefik.http.services.forum.loadbalancer.server.port=\(port)", "--health-cmd", "test ! -e /dev/shm/hung",
          "--health-interval", "1s", "--health-retries", "1",
        ])
      try await docker("exec", app, "touch", "/dev/shm/hung")
      let isUnhealthy = try await eventually(within: 10) {
        try await docker("inspect", "-f", "{{.State.Health.Status}}", app) == "unhealthy"
      }
      guard isUnhealthy else { throw CommandFailed(description: "\(app) stays healthy") }
      let finding = Finding(
        cause: "backend-unhealthy", upstream: "http://\(app):\(port)", mentions: [app], atLeast: .certain)
      return try await stage.behindTraefik(host, app, on: web, finding)
    },

    Fault("traefik, wrong port in a label", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("git"), stage.named("gitea"), stage.appPort())
      let web = try await stage.network()
      try await stage.composed(app, on: [web], port: port, ["rule": "Host(`\(host)`)", "port": "\(port + 8)"])
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(try await stage.address(app, on: web)):\(port + 8)",
        mentions: ["server.port=\(port)", "docker-compose"], atLeast: .certain)
      return try await stage.behindTraefik(host, app, on: web, finding)
    },

    Fault("traefik, no port label, the image exposes another port", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("cloud"), stage.named("cloud"), stage.appPort())
      let web = try await stage.network()
      try await stage.composed(
        app, on: [web], port: port, ["rule": "Host(`\(host)`)"], more: "    expose: [\"80\", \"9100\"]\n", isMap: true)
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(try await stage.address(app, on: web)):80",
        mentions: ["loadbalancer.server.port\": \"\(port)\""], atLeast: .certain)
      return try await stage.behindTraefik(host, app, on: web, finding, flags: ["--api.insecure=true"])
    },

    Fault("traefik, a service without a port", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("tasks"), stage.named("tasks"), stage.appPort())
      let web = try await stage.network()
      try await stage.composed(app, on: [web], port: port, ["rule": "Host(`\(host)`)"])
      let finding = Finding(
        cause: "route-misconfigured", upstream: nil, mentions: ["loadbalancer.server.port=\(port)"], atLeast: .certain)
      return try await stage.behindTraefik(host, app, on: web, finding)
    },

    Fault("traefik, a rule in the form of version 2", shows: 404, core: true) { stage in
      let (host, app, port) = (try await stage.site("blog"), stage.named("blog"), stage.appPort())
      let web = try await stage.network()
      try await stage.composed(
        app, on: [web], port: port, ["rule": "Host(`\(host)`, `www.\(host)`)", "port": "\(port)"])
      let finding = Finding(
        cause: "route-misconfigured", upstream: nil, mentions: ["Host(`\(host)`) || Host(`www.\(host)`)"],
        atLeast: .certain)
      return try await stage.behindTraefik(host, app, on: web, finding)
    },

    Fault("traefik, an entry point that does not exist", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("music"), stage.named("music"), stage.appPort())
      let web = try await stage.network()
      try await stage.composed(
        app, on: [web], port: port, ["rule": "Host(`\(host)`)", "port": "\(port)", "entrypoints": "http"])
      let finding = Finding(
        cause: "route-misconfigured", upstream: nil, mentions: ["entrypoints=web"], atLeast: .certain)
      return try await stage.behindTraefik(host, app, on: web, finding, flags: ["--api.insecure=true"])
    },

    Fault("traefik, a label whose name it does not know", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("films"), stage.named("films"), stage.appPort())
      let web = try await stage.network()
      try await stage.composed(
        app, on: [web], port: port, ["rule": "Host(`\(host)`)", "port": "\(port)", "misspelt entrypoints": "web"])
      let finding = Finding(
        cause: "route-misconfigured", upstream: nil, mentions: ["routers.films.entrypoints=web"], atLeast: .certain)
      return try await stage.behindTraefik(host, app, on: web, finding)
    },

    Fault("traefik, a slip of the pen in the rule", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("recipes"), stage.named("recipes"), stage.appPort())
      let web = try await stage.network()
      let wrong = host.replacing("recipes", with: "recepies")
      try await stage.composed(app, on: [web], port: port, ["rule": "Host(`\(wrong)`)", "port": "\(port)"])
      let finding = Finding(cause: "route-missing", upstream: nil, mentions: [host])
      return try await stage.behindTraefik(host, app, on: web, finding)
    },

    Fault("traefik, no labels", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("photos"), stage.named("photos"), stage.appPort())
      let web = try await stage.network()
      try await stage.composed(app, on: [web], port: port, [:], more: "    expose: [\"\(port)\"]\n")
      let finding = Finding(cause: "route-missing", upstream: nil, mentions: ["rule=Host(`\(host)`)"])
      return try await stage.behindTraefik(
        host, app, on: web, finding, flags: ["--providers.docker.exposedbydefault=false"])
    },

    Fault("traefik, the label names a network of others", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("docs"), stage.named("docs"), stage.appPort())
      let (web, database) = (try await stage.network(), try await stage.network("database"))
      try await stage.composed(
        app, on: [web, database], port: port,
        ["rule": "Host(`\(host)`)", "port": "\(port)", "network": database])
      let finding = Finding(
        cause: "network-mismatch", upstream: "http://\(try await stage.address(app, on: database)):\(port)",
        mentions: ["traefik.docker.network=\(web)"], atLeast: .certain)
      return try await stage.behindTraefik(
        host, app, on: web, finding, flags: ["--serverstransport.forwardingtimeouts.dialtimeout=2s"])
    },

    Fault("traefik, no network in common", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("calendar"), stage.named("calendar"), stage.appPort())
      let (web, apps) = (try await stage.network(), try await stage.network("apps"))
      try await stage.composed(app, on: [apps], port: port, ["rule": "Host(`\(host)`)", "port": "\(port)"])
      let finding = Finding(
        cause: "network-mismatch", upstream: "http://\(try await stage.address(app, on: apps)):\(port)",
        mentions: ["network connect"], atLeast: .certain)
      return try await stage.behindTraefik(
        host, app, on: web, finding, flags: ["--serverstransport.forwardingtimeouts.dialtimeout=2s"])
    },

    Fault("traefik, https to an app that speaks http", shows: 500) { stage in
      let (host, app, port) = (try await stage.site("vault"), stage.named("vault"), stage.appPort())
      let web = try await stage.network()
      try await stage.composed(
        app, on: [web], port: port, ["rule": "Host(`\(host)`)", "port": "\(port)", "scheme": "https"])
      let finding = Finding(
        cause: "https-to-http-backend", upstream: "https://\(try await stage.address(app, on: web)):\(port)",
        mentions: ["server.scheme=http"], atLeast: .certain)
      return try await stage.behindTraefik(host, app, on: web, finding)
    },

    Fault("traefik, an app with a certificate of its own", shows: 500) { stage in
      let (host, app, port) = (try await stage.site("admin"), stage.named("admin"), stage.appPort())
      let web = try await stage.network()
      let made = try await stage.selfSigned(app)
      try await stage.app(
        app, on: web, port: port, ["--tls", "/tls/app.crt", "/tls/app.key"],
        options: [
          "-v", "\(made.certificate.path()):/tls/app.crt:ro", "-v", "\(made.key.path()):/tls/app.key:ro",
        ])
      let finding = Finding(
        cause: "untrusted-certificate", upstream: "https://\(app):\(port)", mentions: ["rootCAs"], atLeast: .certain)
      return try await stage.behindTraefik(
        host, app, on: web, finding, file: TraefikFile.route(host, "https://\(app):\(port)"))
    },

    Fault("traefik, wrong port in a file", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("chat"), stage.named("chat"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(app):\(port + 1)", mentions: ["\(app):\(port)"], atLeast: .certain)
      return try await stage.behindTraefik(
        host, app, on: web, finding, file: TraefikFile.route(host, "http://\(app):\(port + 1)"))
    },

    Fault("traefik healthy, a TOML file", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("radio"), stage.named("radio"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      return try await stage.behindTraefik(
        host, app, on: web, file: TraefikFile.tables(host, "http://\(app):\(port)"), named: "routes.toml")
    },

    Fault("traefik, wrong port in a TOML file", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("maps"), stage.named("maps"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(app):\(port + 1)", mentions: ["\(app):\(port)"], atLeast: .certain)
      return try await stage.behindTraefik(
        host, app, on: web, finding, file: TraefikFile.tables(host, "http://\(app):\(port + 1)"), named: "routes.toml")
    },

    Fault("traefik, a slip of the pen in the rule of a TOML file", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("garden"), stage.named("garden"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let wrong = host.replacing("garden", with: "gardne")
      let finding = Finding(cause: "route-missing", upstream: nil, mentions: [host])
      return try await stage.behindTraefik(
        host, app, on: web, finding, file: TraefikFile.tables(wrong, "http://\(app):\(port)"), named: "routes.toml")
    },

    Fault("traefik, a slip of the pen in a file", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("books"), stage.named("bookshelf"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let upstream = "http://\(stage.named("bookshlef")):\(port)"
      let finding = Finding(cause: "name-not-found", upstream: upstream, mentions: [app])
      return try await stage.behindTraefik(host, app, on: web, finding, file: TraefikFile.route(host, upstream))
    },

    Fault("traefik, a name in a file that it does not know", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("plants"), stage.named("plants"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let file = TraefikFile.route(host, "http://\(app):\(port)").replacing("entryPoints:", with: "entryPoint:")
      let finding = Finding(cause: "proxy-config-invalid", upstream: nil, mentions: ["entryPoints:"])
      return try await stage.behindTraefik(host, app, on: web, finding, file: file)
    },

    Fault("traefik, localhost in a file", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("home"), stage.named("home"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let finding = Finding(
        cause: "upstream-is-localhost", upstream: "http://localhost:\(port)", mentions: [app], atLeast: .certain)
      return try await stage.behindTraefik(
        host, app, on: web, finding, file: TraefikFile.route(host, "http://localhost:\(port)"))
    },

    Fault("traefik, the login service is stopped", shows: 500) { stage in
      let (host, app, port) = (try await stage.site("mail"), stage.named("mail"), stage.appPort())
      let (web, login) = (try await stage.network(), stage.named("authelia"))
      try await stage.app(login, on: web, port: 9091)
      try await docker("stop", login)
      try await stage.composed(
        app, on: [web], port: port,
        [
          "rule": "Host(`\(host)`)", "port": "\(port)", "middlewares": "login",
          "forwardauth": "http://\(login):9091/api/verify",
        ])
      let finding = Finding(
        cause: "auth-service-down", upstream: "http://\(try await stage.address(app, on: web)):\(port)",
        mentions: ["docker start \(login)"], atLeast: .certain)
      return try await stage.behindTraefik(host, app, on: web, finding)
    },

    Fault("traefik, a middleware cuts off the path that the app knows", shows: 404) { stage in
      let (host, app) = (try await stage.site("help"), stage.named("handbook"))
      let web = try await stage.network()
      let page = try stage.write("Hello from \(app)\n", to: "handbook/handbook/start.html")
      try await stage.composed(
        app, on: [web], port: 80,
        [
          "rule": "Host(`\(host)`)", "port": "80", "middlewares": "cut", "stripprefix": "/handbook",
        ], image: .nginx,
        more:
          "    volumes: [\"\(page.deletingLastPathComponent().path()):/usr/share/nginx/html/handbook:ro\"]\n",
        answersOn: 80)
      let finding = Finding(
        cause: "path-rewrite-wrong", upstream: "http://\(try await stage.address(app, on: web)):80",
        mentions: ["middlewares=cut"], atLeast: .certain)
      var site = try await stage.behindTraefik(host, app, on: web, finding)
      site.url += "handbook/start.html"
      return site
    },

    Fault("traefik, an app that hangs", shows: 0) { stage in
      let (host, app, port) = (try await stage.site("report"), stage.named("report"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(
        app, on: web, port: port, ["--first", "hangs"],
        options: [
          "--label", "traefik.http.routers.report.rule=Host(`\(host)`)", "--label",
          "traefik.http.services.report.loadbalancer.server.port=\(port)",
        ])
      let finding = Finding(
        cause: "backend-unresponsive", upstream: "http://\(try await stage.address(app, on: web)):\(port)",
        mentions: [app])
      return try await stage.behindTraefik(host, app, on: web, finding)
    },
  ]

  /// The path is changed by other proxies, too.
  static let rewriting = [
    Fault("nginx changes the path by a missing slash", shows: 404) { stage in
      let (host, app) = (try await stage.site("manual"), stage.named("manual"))
      let web = try await stage.network()
      let page = try stage.write("Hello from \(app)\n", to: "manual/manual/index.html")
      try await stage.container(
        app, .nginx, on: web,
        options: ["-v", "\(page.deletingLastPathComponent().path()):/usr/share/nginx/html/manual:ro"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web,
        """
        server {
            listen 80;
            server_name \(host);

            location /manual/ {
                proxy_pass http://\(app):80/manual;
                proxy_set_header Host $host;
            }
        }

        """)
      let finding = Finding(
        cause: "path-rewrite-wrong", upstream: "http://\(app):80", mentions: ["proxy_pass http://\(app):80;"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/manual/index.html", findings: [finding], says: app)
    }
  ]
}

/// Files of Traefik's file provider, as people write them.
private enum TraefikFile {
  static func route(_ host: String, _ url: String) -> String {
    """
    http:
      routers:
        site:
          rule: "Host(`\(host)`)"
          entryPoints:
            - web
          service: site

      services:
        site:
          loadBalancer:
            servers:
              - url: "\(url)"

    """
  }

  static func tables(_ host: String, _ url: String) -> String {
    """
    [http.routers.site]
      rule = "Host(`\(host)`)"
      entryPoints = ["web"]
      service = "site"

    [http.services.site.loadBalancer]
      [[http.services.site.loadBalancer.servers]]
        url = "\(url)"

    """
  }
}

extension Stage {
  /// Traefik in a container of `network` that sees this stage's containers only, and the site it serves.
  func behindTraefik(
    _ host: String, _ app: String, on network: String, _ finding: Finding? = nil, flags: [String] = [],
    file: String = "# Its routes are labels.\n", named name: String = "routes.yml"
  ) async throws -> Site {
    let gate = try await proxy(
      named("traefik"), .traefik, on: network, name, in: "/etc/traefik/dynamic", file,
      options: ["-v", "/var/run/docker.sock:/var/run/docker.sock:ro"],
      command: [
        "--entrypoints.web.address=:80", "--providers.docker=true",
        "--providers.docker.constraints=Label(`lab`,`\(suffix)`)", "--providers.file.directory=/etc/traefik/dynamic",
      ] + flags, reload: ["true"])
    return Site(
      url: "http://\(host):\(gate.port)/", proxy: "traefik", findings: finding.map { [$0] } ?? [], says: app)
  }

  /// An app that Compose makes, with labels for Traefik.
  ///
  /// - Parameter labels: `rule`, `port`, `scheme`, `entrypoints`, `misspelt entrypoints`, `middlewares`, `network`, and of
  ///   its middleware `stripprefix` or `forwardauth`.
  fileprivate func composed(
    _ app: String, on networks: [String], port: Int, _ labels: [String: String], image: Image = .app,
    more: String = "", isMap: Bool = false, answersOn: Int? = nil
  ) async throws {
    try await image.made()
    let service = String(app.prefix { $0 != "-" })
    let names = [
      "rule": "http.routers.\(service).rule", "entrypoints": "http.routers.\(service).entrypoints",
      "misspelt entrypoints": "http.routers.\(service).entrypoint",
      "middlewares": "http.routers.\(service).middlewares",
      "port": "http.services.\(service).loadbalancer.server.port",
      "scheme": "http.services.\(service).loadbalancer.server.scheme", "network": "docker.network",
      "stripprefix": "http.middlewares.\(labels["middlewares"] ?? "").stripprefix.prefixes",
      "forwardauth": "http.middlewares.\(labels["middlewares"] ?? "").forwardauth.address",
    ]
    let written = labels.sorted { $0.key < $1.key }.map { ("traefik.\(names[$0.key] ?? "")", $0.value) }
    let list = ([("lab", suffix)] + written + [("com.example.owner", "web team")]).map { name, value in
      isMap ? "      \(name): \"\(value)\"\n" : "      - \"\(name)=\(value)\"\n"
    }
    let command = image.tag == Image.app.tag ? "    command: [\"--name\", \"\(app)\", \"--port\", \"\(port)\"]\n" : ""
    let file = try write(
      """
      version: "3.7"

      x-defaults: &defaults
        restart: unless-stopped

      services:
        \(service):
          <<: *defaults
          image: \(image.tag)
          container_name: \(app)
      \(command)\(more)    networks: [\(networks.joined(separator: ", "))]
          labels:
      \(list.joined())
      networks:
      \(networks.map { "  \($0):\n    external: true\n" }.joined())
      """, to: "\(service)/docker-compose.yml")
    try await succeed("docker-compose", "-p", named(service), "-f", file.path(), "up", "-d")
    if answersOn == nil { try await isListening(app) }
  }
}
