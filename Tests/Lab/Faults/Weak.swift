import Foundation
import Testing

/// Everything works, and something here will be the next fault; or nothing will.
extension Fault {
  static let weak = [
    Fault("weak, the app has no restart policy", shows: 200, core: true) { stage in
      try await stage.behindNginx("shop", "no-restart-policy", options: []).site
    },

    Fault("weak, the app comes back after an error only, and Compose made it", shows: 200) { stage in
      let (host, app, port, web) = try await stage.plain("wiki")
      let file = try stage.write(
        """
        services:
          wiki:
            image: \(Image.app.tag)
            container_name: \(app)
            restart: on-failure
            command: --name \(app) --port \(port)
            labels: ["lab=\(stage.suffix)"]
            networks: [\(web)]
        networks:
          \(web):
            external: true

        """, to: "wiki/docker-compose.yml")
      try await succeed("docker-compose", "-p", stage.named("wiki"), "-f", file.path(), "up", "-d")
      try await stage.isListening(app)
      let gate = try await stage.lastingNginx(on: web, Conf.variable(host, "http://\(app):\(port)"))
      return gate.weak("no-restart-policy", host, app)
    },

    Fault("weak, the proxy has no restart policy", shows: 200) { stage in
      let (host, app, port, web) = try await stage.plain("shop")
      try await stage.app(app, on: web, port: port, options: lasting)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      return gate.weak("proxy-no-restart-policy", host, app)
    },

    Fault("weak, the route has an address", shows: 200, core: true) { stage in
      let (host, app, port, web) = try await stage.plain("photos")
      try await stage.app(app, on: web, port: port, options: lasting)
      let address = try await stage.address(app, on: web)
      // What takes its place is a name that is looked up once; that is another weakness.
      let gate = try await stage.lastingNginx(on: web, Conf.literal(host, "http://\(address):\(port)"))
      return gate.weak("address-in-route", host, app)
    },

    Fault("weak, nginx looked the name up at its start", shows: 200, core: true) { stage in
      let (host, app, port, web) = try await stage.plain("cloud")
      try await stage.app(app, on: web, port: port, options: lasting)
      let gate = try await stage.lastingNginx(on: web, Conf.literal(host, "http://\(app):\(port)"))
      return gate.weak("name-looked-up-once", host, app)
    },

    Fault("weak, the app was put into the proxy's network by hand", shows: 200) { stage in
      let (host, app, port, web) = try await stage.plain("docs")
      let file = try stage.write(
        """
        services:
          docs:
            image: \(Image.app.tag)
            container_name: \(app)
            restart: unless-stopped
            command: --name \(app) --port \(port)
            labels: ["lab=\(stage.suffix)"]

        """, to: "docs/docker-compose.yml")
      let project = stage.named("docs")
      try await succeed("docker-compose", "-p", project, "-f", file.path(), "up", "-d")
      await stage.atEnd {
        try await docker("rm", "-f", app)
        try await docker("network", "rm", "\(project)_default")
      }
      try await stage.isListening(app)
      try await docker("network", "connect", web, app)
      let gate = try await stage.lastingNginx(on: web, Conf.variable(host, "http://\(app):\(port)"))
      return gate.weak("network-joined-by-hand", host, app)
    },

    Fault("weak, a part of the app hit the memory limit", shows: 200) { stage in
      var (site, app, _) = try await stage.behindNginx(
        "index", "memory-limit-hit", options: lasting + ["--memory", "96m", "--memory-swap", "96m"])
      let greedy = try await run(["docker", "exec", app, "python3", "-c", "x = b'x' * (200 << 20)"])
      guard greedy.status == 137 else { throw CommandFailed(description: "no memory ran out: \(greedy)") }
      site.lastsAfterSteps = false  // The kernel goes on counting from before.
      return site
    },

    Fault("weak, PHP-FPM's pool was full", shows: 200) { stage in
      let (host, app, _, web) = try await stage.plain("forum")
      let pool = try stage.write(
        """
        [global]
        error_log = /dev/stderr
        daemonize = no

        [www]
        user = www-data
        group = www-data
        listen = 9000
        pm = ondemand
        pm.max_children = 2
        clear_env = no

        """, to: "php/php-fpm.conf")
      try await stage.container(
        app, .php, on: web,
        options: lasting + ["-e", "APP_NAME=\(app)", "-v", "\(pool.path()):/usr/local/etc/php-fpm.conf:ro"])
      try await docker("exec", app, "sh", "-c", "echo '<?php sleep(3); echo 1;' > /var/www/html/slow.php")
      let gate = try await stage.lastingNginx(
        on: web,
        """
        server {
            listen 80;
            server_name \(host);
            resolver 127.0.0.11 valid=5s;

            location / {
                set $php \(app):9000;
                rewrite ^/$ /index.php break;
                include fastcgi_params;
                fastcgi_param SCRIPT_FILENAME /var/www/html$uri;
                fastcgi_pass $php;
            }
        }

        """)
      try await withThrowingTaskGroup(of: Void.self) { visitors in
        for _ in 0..<6 {
          visitors.addTask { _ = try await Answer.from(Site(url: "http://\(host):\(gate.port)/slow.php", says: "")) }
        }
        try await visitors.waitForAll()
      }
      var site = gate.weak("pool-was-full", host, app)
      site.lastsAfterSteps = false
      return site
    },

    Fault("weak, some answers took longer than nginx waits", shows: 200) { stage in
      let (site, app, _) = try await stage.behindNginx("reports", "answers-too-late", "proxy_read_timeout 2s;")
      try await docker("pause", app)
      let late = try await Answer.from(site)
      try await docker("unpause", app)
      guard late.status == 504 else { throw CommandFailed(description: "no time-out: \(late)") }
      return site
    },

    Fault("weak, the app's volume is nearly full", shows: 200) { stage in
      var (site, app, _) = try await stage.behindNginx(
        "files", "disk-nearly-full", options: lasting + ["--tmpfs", "/data:size=4m"])
      try await docker("exec", app, "sh", "-c", "head -c 3900000 /dev/zero > /data/old-backup.tar")
      site.lastsAfterSteps = false  // Only its owner knows what may go.
      return site
    },

    Fault("weak, the app's certificate ends soon", shows: 200) { stage in
      let end = Date.now.addingTimeInterval(10 * 86400).formatted(.iso8601).filter(\.isNumber) + "Z"
      let (site, _) = try await stage.verifiedApp("sso", until: end)
      var weak = site
      (weak.weakness, weak.lastsAfterSteps) = ("certificate-ends-soon", false)
      return weak
    },

    Fault("weak, nginx's files have a mistake since", shows: 200, core: true) { stage in
      let (site, _, gate) = try await stage.behindNginx("blog", "config-does-not-load")
      try gate.edit("proxy_set_header Host $host;", to: "proxy_set_header Host $host")
      return site
    },

    Fault("weak, nginx has not loaded its files since a change", shows: 200) { stage in
      let (site, _, gate) = try await stage.behindNginx("news", "config-not-taken-in")
      try await Task.sleep(for: .seconds(2))
      try gate.edit("valid=5s", to: "valid=7s")
      return site
    },

    Fault("weak, one server of two is down", shows: 200) { stage in
      let (host, app, port, web) = try await stage.plain("api")
      let second = stage.named("api-b")
      for name in [app, second] { try await stage.app(name, on: web, port: port, options: lasting) }
      let gate = try await stage.caddy(
        on: web,
        """
        http://\(host) {
            reverse_proxy \(app):\(port) \(second):\(port) {
                lb_policy first
                lb_try_duration 3s
            }
        }

        """)
      try await docker("update", "--restart", "unless-stopped", stage.named("caddy"))
      try await docker("stop", second)
      var site = gate.weak("server-down", host, app)
      site.proxy = "caddy"
      return site
    },

    Fault("weak, a health check that asks the wrong port", shows: 200, core: true) { stage in
      let (site, app, _) = try await stage.behindNginx(
        "board", "health-check-fails",
        options: lasting + [
          "--health-cmd", "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 9))'",
          "--health-interval", "1s", "--health-retries", "1",
        ])
      let isUnhealthy = try await eventually(within: 20) {
        try await docker("inspect", "-f", "{{.State.Health.Status}}", app) == "unhealthy"
      }
      guard isUnhealthy else { throw CommandFailed(description: "\(app) is never unhealthy") }
      return site
    },

    Fault("weak, Caddy's health check expects another status", shows: 200) { stage in
      let (host, app, port, web) = try await stage.plain("radio")
      try await stage.app(app, on: web, port: port, options: lasting)
      let gate = try await stage.caddy(
        on: web,
        """
        http://\(host) {
            reverse_proxy \(app):\(port) {
                health_uri /
                health_status 204
                health_interval 60s
                health_fails 3
            }
        }

        """)
      try await docker("update", "--restart", "unless-stopped", stage.named("caddy"))
      var site = gate.weak("proxy-health-check-fails", host, app)
      site.proxy = "caddy"
      return site
    },

    Fault("weak, the log leaves errors out", shows: 200) { stage in
      try await stage.behindNginx("chat", "log-hides-errors", "error_log /var/log/nginx/error.log crit;").site
    },

    Fault("weak, localhost in the machine's own network", shows: 200) { stage in
      let (host, app) = (try await stage.site("vault"), stage.named("vault"))
      let (port, listen) = (stage.freePort(), stage.freePort())
      try await stage.app(
        app, port: port, ["--bind", "127.0.0.1"], options: lasting + ["--network", "host"])
      let file = try stage.write(
        Conf.literal(host, "http://127.0.0.1:\(port)", listen: listen), to: "proxy/conf.d/sites.conf")
      try await stage.container(
        stage.named("proxy"), .nginx,
        options: lasting + ["--network", "host", "-v", "\(file.deletingLastPathComponent().path()):/etc/nginx/conf.d"])
      try await stage.comesUp(stage.named("proxy"), listen)
      return Site(url: "http://\(host):\(listen)/", weakness: "bound-to-localhost", says: app)
    },

    // MARK: Nothing to find

    Fault("strong, nginx asks for the name again", shows: 200, core: true) { stage in
      try await stage.behindNginx("shop", "").site
    },

    Fault("strong, nginx of the machine and a published port", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("mail"), stage.named("webmail"), stage.appPort())
      let published = stage.freePort()
      try await stage.app(app, port: port, options: lasting + ["-p", "127.0.0.1:\(published):\(port)"])
      let gate = try await stage.hostNginx { Conf.literal(host, "http://127.0.0.1:\(published)", listen: $0) }
      return gate.weak("", host, app)
    },

    Fault("strong, caddy", shows: 200) { stage in
      let (host, app, port, web) = try await stage.plain("home")
      try await stage.app(app, on: web, port: port, options: lasting)
      let gate = try await stage.caddy(on: web, Caddyfile.handles(host, "\(app):\(port)"))
      try await docker("update", "--restart", "unless-stopped", stage.named("caddy"))
      var site = gate.weak("", host, app)
      site.proxy = "caddy"
      return site
    },

    Fault("strong, traefik by labels", shows: 200) { stage in
      let (host, app, port, web) = try await stage.plain("git")
      try await stage.app(
        app, on: web, port: port,
        options: lasting + [
          "--label", "traefik.http.routers.git.rule=Host(`\(host)`)", "--label",
          "traefik.http.services.git.loadbalancer.server.port=\(port)",
        ])
      var site = try await stage.behindTraefik(host, app, on: web)
      try await docker("update", "--restart", "unless-stopped", stage.named("traefik"))
      site.weakness = ""
      return site
    },

    Fault("strong, Compose knows the network, and memory is enough", shows: 200) { stage in
      let (host, app, port, web) = try await stage.plain("docs")
      let file = try stage.write(
        """
        services:
          docs:
            image: \(Image.app.tag)
            container_name: \(app)
            restart: always
            mem_limit: 256m
            command: --name \(app) --port \(port)
            labels: ["lab=\(stage.suffix)"]
            networks:
              - front
        networks:
          front:
            name: \(web)
            external: true

        """, to: "docs/docker-compose.yml")
      try await succeed("docker-compose", "-p", stage.named("docs"), "-f", file.path(), "up", "-d")
      try await stage.isListening(app)
      let gate = try await stage.lastingNginx(on: web, Conf.variable(host, "http://\(app):\(port)"))
      return gate.weak("", host, app)
    },

    Fault("strong, a verified certificate with years to go", shows: 200) { stage in
      var (site, _) = try await stage.verifiedApp("people", until: "20400101000000Z")
      site.weakness = ""
      return site
    },
  ]

  private static let lasting = Stage.lasting
}

extension Stage {
  fileprivate static let lasting = ["--restart", "unless-stopped"]

  /// A site's name, an app's name and port, and a network.
  fileprivate func plain(_ word: String) async throws -> (host: String, app: String, port: Int, network: String) {
    (try site(word), named(word), appPort(), try await network())
  }

  /// An app behind nginx, which asks for its name again.
  fileprivate func behindNginx(
    _ word: String, _ weakness: String, _ directives: String = "", options: [String] = Stage.lasting
  ) async throws -> (site: Site, app: String, gate: Gate) {
    let (host, app, port, web) = try await plain(word)
    try await self.app(app, on: web, port: port, options: options)
    let gate = try await lastingNginx(on: web, Conf.variable(host, "http://\(app):\(port)", directives))
    return (gate.weak(weakness, host, app), app, gate)
  }

  /// nginx in a container that the engine starts again.
  fileprivate func lastingNginx(on network: String, _ configuration: String) async throws -> Gate {
    try await nginx(named("proxy"), on: network, configuration, options: Self.lasting)
  }

  /// nginx in front of an app with a certificate, which nginx verifies, until that moment.
  fileprivate func verifiedApp(_ word: String, until end: String) async throws -> (Site, Gate) {
    let (host, app, _, web) = try await plain(word)
    let authority = try await selfSigned(named("home-authority"))
    try await tlsApp(app, on: web, with: try await certificate(for: app, by: authority, until: end))
    try await docker(["update"] + Self.lasting + [app])
    let proxy = named("proxy")
    try write(String(contentsOf: authority.certificate, encoding: .utf8), to: "\(proxy)/conf.d/authority.pem")
    let gate = try await lastingNginx(
      on: web,
      Conf.variable(
        host, "https://\(app):8443", "proxy_ssl_verify on;", "proxy_ssl_server_name on;", "proxy_ssl_name \(app);",
        "proxy_ssl_trusted_certificate /etc/nginx/conf.d/authority.pem;"))
    return (gate.weak("", host, app), gate)
  }
}

extension Gate {
  fileprivate func weak(_ weakness: String, _ host: String, _ app: String) -> Site {
    Site(url: "http://\(host):\(port)/", weakness: weakness, says: app)
  }
}
