import Foundation

/// The upstream is not there, not yet there, or does not answer.
extension Fault {
  static let backend = [
    Fault("backend stopped, name in a variable", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop-app"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, options: ["--restart", "unless-stopped"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      try await docker("stop", app)
      let finding = Finding(
        cause: "backend-stopped", upstream: "http://\(app):\(port)", mentions: [app], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("backend exited with 1, literal name", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let web = try await stage.network("wiki_default")
      try await stage.app(
        app, on: web, port: port, ["--exit-when", "/tmp/lost"],
        options: try stage.compose("wiki", in: "wiki", port: port))
      let gate = try await stage.nginx(
        stage.named("nginx"), on: web, Conf.literal(host, "http://\(app):\(port)"))
      try await docker("exec", app, "touch", "/tmp/lost")
      try await stage.awaits(app, "exited")
      let finding = Finding(
        cause: "backend-stopped", upstream: "http://\(app):\(port)", mentions: [app], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("crash loop", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("cloud"), stage.named("cloud"), stage.appPort())
      let web = try await stage.network()
      try stage.write("", to: "cloud/README")
      let settings = stage.directory.appending(path: "cloud").path()
      try await stage.app(
        app, on: web, port: port, ["--needs", "/config/database.url"],
        options: ["--restart", "always", "-v", "\(settings):/config"], listens: false)
      let isLooping = try await eventually(within: 10) {
        Int(try await docker("inspect", "-f", "{{.RestartCount}}", app)) ?? 0 >= 4
      }
      guard isLooping else { throw CommandFailed(description: "\(app) does not restart") }
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      let finding = Finding(
        cause: "backend-crash-loop", upstream: "http://\(app):\(port)",
        mentions: [app, "The app has /config/database.url from this machine", settings]
      ) {
        try stage.write("postgres://db/cloud", to: "cloud/database.url")
        try await docker("restart", app)
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("out of memory", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("photos"), stage.named("photos"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(
        app, on: web, port: port, ["--eat", "80"], options: ["--memory", "64m", "--memory-swap", "64m"],
        listens: false)
      try await stage.awaits(app, "exited")
      guard try await docker("inspect", "-f", "{{.State.OOMKilled}} {{.State.ExitCode}}", app) == "true 137"
      else {
        throw CommandFailed(description: "\(app) was not killed for its memory")
      }
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      let finding = Finding(
        cause: "backend-out-of-memory", upstream: "http://\(app):\(port)", mentions: [app],
        also: ["backend-stopped"])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("starting, its health check says so", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("tracker"), stage.named("tracker"), stage.appPort())
      let web = try await stage.network()
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      try await stage.app(
        app, on: web, port: port, ["--after", "9"],
        options: [
          "--health-cmd", "wget -qO /dev/null http://127.0.0.1:\(port)/", "--health-interval", "2s",
          "--health-start-period", "60s",
        ], listens: false)
      let finding = Finding(cause: "backend-starting", upstream: "http://\(app):\(port)", mentions: [app]) {}
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("starting, its log says so", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("forum"), stage.named("forum"), stage.appPort())
      let web = try await stage.network()
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      try await stage.app(app, on: web, port: port, ["--after", "9"], listens: false)
      let finding = Finding(cause: "backend-starting", upstream: "http://\(app):\(port)", mentions: [app]) {}
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("paused", shows: 504, core: true) { stage in
      let (host, app, port) = (try await stage.site("notes"), stage.named("notes"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):\(port)", "proxy_read_timeout 2s;"))
      try await docker("pause", app)
      let finding = Finding(
        cause: "backend-unresponsive", upstream: "http://\(app):\(port)", mentions: ["unpause", app],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("accepts and never answers", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("mail"), stage.named("webmail"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--first", "hangs"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.group(host, "webmail", "\(app):\(port)", "proxy_read_timeout 3s;")
      )
      let finding = Finding(cause: "backend-unresponsive", upstream: "http://\(app):\(port)", mentions: [app])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("accepts and closes", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("chat"), stage.named("chat"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--first", "closes"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      let finding = Finding(cause: "connection-dropped", upstream: "http://\(app):\(port)", mentions: [app])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("answers later than the proxy waits", shows: 504, core: true) { stage in
      let (host, app, port) = (try await stage.site("reports"), stage.named("reports"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--slow", "5"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):\(port)", "proxy_read_timeout 2s;"))
      let finding = Finding(
        cause: "timeout-too-short", upstream: "http://\(app):\(port)", mentions: ["proxy_read_timeout"])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("backend stopped among twenty other containers", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("intranet"), stage.named("intranet"), stage.appPort())
      let web = try await stage.network()
      let other = try await stage.network("media")
      try await stage.app(app, on: web, port: port)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, word) in others.enumerated() {
          group.addTask {
            let name = stage.named(word)
            try await stage.app(
              name, on: index.isMultiple(of: 2) ? web : other, port: port, options: ["--restart", "no"],
              listens: false)
            if index.isMultiple(of: 3) { try await docker("stop", name) }
          }
        }
        try await group.waitForAll()
      }
      let sites =
        [Conf.variable(host, "http://\(app):\(port)")]
        + others.prefix(6).map {
          Conf.variable("\($0).example.test", "http://\(stage.named($0)):\(port)")
        }
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, stage.chance.shuffled(sites).joined(separator: "\n"))
      try await docker("stop", app)
      let finding = Finding(
        cause: "backend-stopped", upstream: "http://\(app):\(port)", mentions: [app], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("backend stopped, and the port wrong as well", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("billing"), stage.named("billing"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port + 1)"))
      try await docker("stop", app)
      let upstream = "http://\(app):\(port + 1)"
      let first = Finding(cause: "backend-stopped", upstream: upstream, mentions: [app], also: ["wrong-port"])
      let second = Finding(cause: "wrong-port", upstream: upstream, mentions: [String(port)])
      return Site(url: "http://\(host):\(gate.port)/", findings: [first, second], says: app)
    },
  ]

  /// What else runs on a home server.
  private static let others = [
    "jellyfin", "sonarr", "radarr", "gitea", "vaultwarden", "grafana", "prometheus", "redis", "postgres",
    "mariadb",
    "pihole", "homarr", "paperless", "immich", "nextcloud", "mosquitto", "nodered", "uptime", "portainer",
    "adguard",
  ]
}
