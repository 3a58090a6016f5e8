import Foundation

/// The upstream is well, and the proxy looks for it in the wrong place or cannot get there.
extension Fault {
  static let address = [
    Fault("host port instead of container port", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop-app"), stage.appPort())
      let (web, published) = (try await stage.network(), stage.freePort())
      try await stage.app(app, on: web, port: port, options: ["-p", "\(published):\(port)"])
      let upstream = "http://\(app):\(published)"
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.literal(host, upstream))
      let finding = Finding(
        cause: "wrong-port", upstream: upstream, mentions: ["\(app):\(port)"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("wrong port, in a variable of its own", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("git"), stage.named("gitea"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web,
        """
        server {
            listen 80;
            server_name \(host);
            resolver 127.0.0.11;
            set $app_host \(app);
            set $app_port \(port + 10);
            location / { proxy_pass http://$app_host:$app_port; }
        }

        """)
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(app):\(port + 10)", mentions: [String(port)],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("wrong port of one location, in an included file", shows: 502) { stage in
      let (host, app, api) = (
        try await stage.site("portal"), stage.named("portal"), stage.named("portal-api")
      )
      let (web, port) = (try await stage.network(), stage.appPort())
      try await stage.app(app, on: web, port: port)
      try await stage.app(api, on: web, port: port)
      let proxy = stage.named("proxy")
      try stage.write(
        "location /api/ {\n    proxy_pass http://\(api):\(port + 1)/;\n}\n",
        to: "\(proxy)/conf.d/portal/api.inc")
      let gate = try await stage.nginx(
        proxy, on: web,
        """
        server {
            listen 80;
            server_name \(host);
            include conf.d/portal/*.inc;
            location / {
                proxy_pass http://\(app):\(port);
            }
        }

        """)
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(api):\(port + 1)", mentions: ["\(api):\(port)", "api.inc"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/api/", findings: [finding], says: api)
    },

    Fault("upstream is localhost", shows: 502) { stage in
      let (host, app) = (try await stage.site("dash"), stage.named("dashboard"))
      let (web, port) = (try await stage.network(), stage.appPort())
      try await stage.app(app, on: web, port: port)
      let upstream = "http://\(stage.chance.one(of: ["localhost", "127.0.0.1"])):\(port)"
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.literal(host, upstream))
      let finding = Finding(
        cause: "upstream-is-localhost", upstream: upstream, mentions: ["\(app):\(port)"], atLeast: .likely)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("name with a typing mistake", shows: 502) { stage in
      let (host, app) = (try await stage.site("books"), stage.named("bookshelf"))
      let (web, port) = (try await stage.network(), stage.appPort())
      try await stage.app(app, on: web, port: port)
      let upstream = "http://\(stage.named("bookshlef")):\(port)"
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.variable(host, upstream))
      let finding = Finding(cause: "name-not-found", upstream: upstream, mentions: [app])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("stale address, looked up at start", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("blog"), stage.named("blog"), stage.appPort())
      let (web, proxy) = (try await stage.network(), stage.named("proxy"))
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(proxy, on: web, Conf.literal(host, "http://\(app):\(port)"))
      try await stage.moves(app, on: web, port: port)
      let finding = Finding(cause: "stale-address", upstream: "http://\(app):\(port)", mentions: [proxy])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("stale address, written into the route", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("music"), stage.named("music"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let upstream = "http://\(try await stage.address(app, on: web)):\(port)"
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.literal(host, upstream))
      try await stage.moves(app, on: web, port: port)
      let finding = Finding(cause: "stale-address", upstream: upstream, mentions: [app])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("no network in common", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("docs"), stage.named("docs"), stage.appPort())
      let (proxies, apps) = (try await stage.network("proxy"), try await stage.network("docs_default"))
      let proxy = stage.named("nginx")
      try await stage.app(
        app, on: apps, port: port, options: try stage.compose("docs", in: "docs", port: port))
      let gate = try await stage.nginx(proxy, on: proxies, Conf.variable(host, "http://\(app):\(port)"))
      let finding = Finding(
        cause: "network-mismatch", upstream: "http://\(app):\(port)", mentions: ["network connect"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("no network in common, for good in the Compose file", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("docs"), stage.named("docs"), stage.appPort())
      let (proxies, apps) = (try await stage.network("proxy"), try await stage.network("docs_default"))
      try await stage.app(app, on: apps, port: port)
      let (published, proxy) = (stage.freePort(), stage.named("nginx"))
      let conf = try stage.write(Conf.variable(host, "http://\(app):\(port)"), to: "edge/conf.d/sites.conf")
      try await Image.nginx.made()
      let file = try stage.write(
        """
        version: "3.7"
        services:
          edge:
            image: \(Image.nginx.tag)
            container_name: \(proxy)
            labels: ["lab=\(stage.suffix)"]
            ports: ["\(published):80"]
            volumes: ["\(conf.deletingLastPathComponent().path()):/etc/nginx/conf.d"]
            networks:
              - \(proxies)
        networks:
          \(proxies):
            external: true

        """, to: "edge/docker-compose.yml")
      try await succeed("docker-compose", "-p", stage.named("edge"), "-f", file.path(), "up", "-d")
      try await stage.answers(published)
      let finding = Finding(
        cause: "network-mismatch", upstream: "http://\(app):\(port)",
        mentions: ["network connect", "external: true", "docker-compose"], atLeast: .certain, lasts: true)
      return Site(url: "http://\(host):\(published)/", findings: [finding], says: app)
    },

    Fault("default bridge has no names", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("recipes"), stage.named("recipes"), stage.appPort())
      let proxy = stage.named("proxy")
      try await stage.app(app, port: port)
      let gate = try await stage.nginx(proxy, Conf.variable(host, "http://\(app):\(port)"))
      // A network the fix may create carries no label of this stage: it goes by the containers it joins.
      await stage.atEnd { try await stage.leaveNetworks([app, proxy]) }
      let finding = Finding(
        cause: "default-bridge-no-dns", upstream: "http://\(app):\(port)", mentions: [app, proxy],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("upstream in the host's network", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("home"), stage.named("homeassistant"), stage.freePort())
      let web = try await stage.network()
      try await stage.app(app, on: "host", port: port)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      let finding = Finding(
        cause: "host-network-backend", upstream: "http://\(app):\(port)", mentions: [String(port)],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("listens on localhost only", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("metrics"), stage.named("metrics"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--bind", "127.0.0.1"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      let finding = Finding(
        cause: "listens-on-localhost", upstream: "http://\(app):\(port)", mentions: ["0.0.0.0"],
        atLeast: .certain
      ) {
        try await docker("rm", "-f", app)
        try await stage.app(app, on: web, port: port, ["--bind", "0.0.0.0"])
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("firewall of the host drops", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("vault"), stage.named("vaultwarden"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web,
        Conf.literal(host, "http://\(app):\(port)", "proxy_connect_timeout 2s;"))
      let rule = [
        "-d", try await stage.address(app, on: web), "-p", "tcp", "--dport", String(port), "-j", "DROP",
      ]
      _ = try await succeed("sh", "-c", "iptables -I DOCKER-USER \(rule.joined(separator: " "))")
      await stage.atEnd { _ = try await run(["iptables", "-D", "DOCKER-USER"] + rule) }
      let finding = Finding(
        cause: "firewall-blocked", upstream: "http://\(app):\(port)", mentions: ["DOCKER-USER"]
      ) { _ = try await run(["iptables", "-D", "DOCKER-USER"] + rule) }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("firewall of the container drops", shows: 504, core: true) { stage in
      try await stage.walledIn("DROP", as: "files")
    },

    Fault("firewall of the container rejects", shows: 502) { stage in
      try await stage.walledIn("REJECT", as: "calendar")
    },
  ]
}

extension Stage {
  /// Starts `app` anew while another container has taken its address.
  fileprivate func moves(_ app: String, on network: String, port: Int) async throws {
    let old = try await address(app, on: network)
    try await docker("rm", "-f", app)
    let squatter = named("cron")
    try await container(squatter, .app, on: network, command: ["--bind", "127.0.0.1"])
    try await self.app(app, on: network, port: port)
    guard try await address(app, on: network) != old else {
      throw CommandFailed(description: "\(app) has its old address \(old) again")
    }
  }

  /// A site whose upstream's own namespace has a packet filter in front of the port.
  fileprivate func walledIn(_ target: String, as word: String) async throws -> Site {
    let (host, app, port) = (try site(word), named(word), appPort())
    let web = try await network()
    try await self.app(app, on: web, port: port)
    let gate = try await nginx(
      named("proxy"), on: web, Conf.literal(host, "http://\(app):\(port)", "proxy_connect_timeout 2s;"))
    let process = try await docker("inspect", "-f", "{{.State.Pid}}", app)
    let filter = ["nsenter", "-t", process, "-n", "iptables"]
    let rule = ["INPUT", "-p", "tcp", "--dport", String(port), "!", "-i", "lo", "-j", target]
    let added = try await run(filter + ["-A"] + rule)
    guard added.status == 0 else { throw CommandFailed(description: added.errors) }
    let finding = Finding(
      cause: "firewall-blocked", upstream: "http://\(app):\(port)", mentions: [String(port)]
    ) {
      _ = try await run(filter + ["-D"] + rule)
    }
    return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
  }

  /// Takes containers off every network that is not this stage's, and removes those networks that are then empty.
  nonisolated fileprivate func leaveNetworks(_ containers: [String]) async throws {
    for container in containers {
      let names = try await docker(
        "inspect", "-f", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}", container)
      for network in names.split(separator: " ").map(String.init) where network != "bridge" {
        try await docker("network", "disconnect", "-f", network, container)
        _ = try await run(["docker", "network", "rm", network])
      }
    }
  }
}
