import Foundation

/// The proxy's own configuration has no such site, or is not the one that runs.
extension Fault {
  static let route = [
    Fault("no route, the default site says 404", shows: 404, core: true) { stage in
      try await stage.unrouted(otherwise: "return 404;")
    },

    Fault("no route, the default site closes", shows: 0) { stage in
      try await stage.unrouted(otherwise: "return 444;")
    },

    Fault("no route, the first site is another that is down", shows: 502) { stage in
      try await stage.unrouted(otherwise: "location / { proxy_pass http://127.0.0.1:9; }")
    },

    Fault("the group's only server is still marked down", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("notes"), stage.named("notes"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.group(host, "notes", "\(app):\(port) down"))
      let finding = Finding(
        cause: "route-misconfigured", upstream: nil, mentions: ["sites.conf"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("configuration broken, the old one runs", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("games"), stage.named("games"), stage.appPort())
      let (web, proxy) = (try await stage.network(), stage.named("proxy"))
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(proxy, on: web, Conf.literal(host, "http://\(app):\(port + 7)"))
      try gate.edit("http://\(app):\(port + 7);", to: "http://\(app):\(port)")
      _ = try await run(["docker", "exec", proxy, "nginx", "-s", "reload"])
      let finding = Finding(
        cause: "proxy-config-invalid", upstream: "http://\(app):\(port)", mentions: ["sites.conf"], also: ["wrong-port"]
      ) {
        try gate.edit("http://\(app):\(port)", to: "http://\(app):\(port);")
        try await gate.reload()
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("configuration cut in the middle, the old one runs", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("radio"), stage.named("radio"), stage.appPort())
      let (web, proxy) = (try await stage.network(), stage.named("proxy"))
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(
        proxy, on: web, Conf.variable(host, "http://\(stage.named("radoi")):\(port)"))
      let whole = Conf.variable(host, "http://\(app):\(port)")
      try Data(whole.dropLast(12).utf8).write(to: gate.file)
      _ = try await run(["docker", "exec", proxy, "nginx", "-s", "reload"])
      let finding = Finding(
        cause: "proxy-config-invalid", upstream: "http://\(app):\(port)", mentions: ["sites.conf"],
        also: ["name-not-found"]
      ) {
        try Data(whole.utf8).write(to: gate.file)
        try await gate.reload()
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("configuration mended and not reloaded", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("maps"), stage.named("maps"), stage.appPort())
      let (web, proxy) = (try await stage.network(), stage.named("proxy"))
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(proxy, on: web, Conf.literal(host, "http://\(app):\(port + 2)"))
      try await Task.sleep(for: .milliseconds(1100))  // file times and start times are compared by the second
      try gate.edit("\(app):\(port + 2)", to: "\(app):\(port)")
      let finding = Finding(
        cause: "config-not-reloaded", upstream: "http://\(app):\(port)", mentions: [proxy, "reload"])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },
  ]
}

extension Stage {
  /// A site whose name no server block has: `otherwise` is what the first one does.
  fileprivate func unrouted(otherwise: String) async throws -> Site {
    let (host, app, other, port) = (try site("status"), named("status"), named("wiki"), appPort())
    let web = try await network()
    try await self.app(app, on: web, port: port)
    try await self.app(other, on: web, port: port)
    let first =
      "server {\n    listen 80 default_server;\n    server_name old.example.test;\n    \(otherwise)\n}\n"
    let gate = try await nginx(
      named("proxy"), on: web, first + Conf.variable("wiki.example.test", "http://\(other):\(port)"))
    let finding = Finding(cause: "route-missing", upstream: nil, mentions: [host], also: []) {
      let file = gate.file
      let text = try String(contentsOf: file, encoding: .utf8)
      try Data((text + Conf.variable(host, "http://\(app):\(port)")).utf8).write(to: file)
      try await gate.reload()
    }
    return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
  }
}
