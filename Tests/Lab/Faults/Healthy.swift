import Foundation
import Testing

/// Nothing is wrong, whatever lies around.
extension Fault {
  static let healthy = [
    Fault("healthy, with old errors in the log", shows: 200, core: true) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop-app"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--after", "2"], listens: false)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):\(port)"))
      let url = "http://\(host):\(gate.port)/"
      for _ in 0..<5 { _ = try await Answer.from(Site(url: url, says: "")) }
      try await stage.isListening(app)
      return Site(url: url, says: app)
    },

    Fault("healthy, others are stopped and looping", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let (web, other) = (try await stage.network(), try await stage.network("wiki_backup"))
      try await stage.app(app, on: web, port: port)
      try await stage.app(stage.named("wiki-old"), on: other, port: port)
      try await docker("stop", stage.named("wiki-old"))
      try await stage.app(
        stage.named("wiki-import"), on: web, port: port, ["--needs", "/none"],
        options: ["--restart", "always"],
        listens: false)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      return Site(url: "http://\(host):\(gate.port)/", says: app)
    },

    Fault("healthy, proxy manager with another host disabled and one offline", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("cloud"), stage.named("nextcloud"), stage.appPort())
      let web = try await stage.network("npm_default")
      try await stage.app(app, on: web, port: port)
      let site = try await stage.managed(host, app, on: web, "http", app, port)
      let manager = try #require(site.webInterface as? Manager)
      let disabled = Manager.ProxyHost(
        domainNames: ["old.example.test"], forwardHost: "old", forwardPort: 80)
      try await manager.disable(manager.create(disabled))
      var offline = Manager.ProxyHost(
        domainNames: ["draft.example.test"], forwardHost: "draft", forwardPort: 80)
      offline.advancedConfig = "proxy_pass nowhere"
      try await manager.create(offline)
      return site
    },

    Fault("healthy, host nginx", shows: 200, core: true) { stage in
      let (host, app, port) = (try await stage.site("mail"), stage.named("webmail"), stage.appPort())
      let published = stage.freePort()
      try await stage.app(app, port: port, options: ["-p", "127.0.0.1:\(published):\(port)"])
      let gate = try await stage.hostNginx { Conf.literal(host, "http://127.0.0.1:\(published)", listen: $0) }
      return Site(url: "http://\(host):\(gate.port)/", says: app)
    },

    Fault("healthy, an API without a page at /", shows: 404) { stage in
      try await stage.answering("404", 404)
    },

    Fault("healthy, the application asks for a password", shows: 401) { stage in
      try await stage.answering("401", 401)
    },

    Fault("healthy, the application redirects to its login", shows: 302) { stage in
      try await stage.answering("302 /login", 302)
    },

    Fault("healthy again after restarts", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("photos"), stage.named("photos"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(
        app, on: web, port: port, ["--exit-when", "/tmp/lost"], options: ["--restart", "on-failure"])
      try await docker("exec", app, "touch", "/tmp/lost")
      let isBack = try await eventually(within: 10) {
        try await docker("inspect", "-f", "{{.RestartCount}} {{.State.Status}}", app) == "1 running"
      }
      guard isBack else { throw CommandFailed(description: "\(app) did not restart") }
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):\(port)"))
      return Site(url: "http://\(host):\(gate.port)/", says: app)
    },

    Fault("healthy again after too little memory", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("index"), stage.named("index"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(
        app, on: web, port: port, ["--eat", "80"], options: ["--memory", "64m", "--memory-swap", "64m"],
        listens: false)
      try await stage.awaits(app, "exited")
      try await docker("update", "--memory", "256m", "--memory-swap", "256m", app)
      try await docker("start", app)
      try await stage.isListening(app)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      return Site(url: "http://\(host):\(gate.port)/", says: app)
    },
  ]
}

extension Stage {
  /// A working site whose application itself answers `status`.
  fileprivate func answering(_ status: String, _ code: Int) async throws -> Site {
    let (host, app, port) = (try site("api"), named("api"), appPort())
    let web = try await network()
    try await self.app(app, on: web, port: port, ["--answer", status])
    let gate = try await nginx(named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
    return Site(url: "http://\(host):\(gate.port)/", says: app, answers: code)
  }
}
