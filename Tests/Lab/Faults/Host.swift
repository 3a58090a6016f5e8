import Foundation

/// nginx is a process of the host; the upstream is a published container or another process.
extension Fault {
  static let onHost = [
    Fault("host nginx, published container stopped", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop-app"), stage.appPort())
      let published = stage.freePort()
      try await stage.app(app, port: port, options: ["-p", "127.0.0.1:\(published):\(port)"])
      let upstream = "http://127.0.0.1:\(published)"
      let gate = try await stage.hostNginx { Conf.literal(host, upstream, listen: $0) }
      try await docker("stop", app)
      let finding = Finding(cause: "backend-stopped", upstream: upstream, mentions: [app])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("host nginx, another port is published", shows: 502) { stage in
      let (host, app) = (try await stage.site("wiki"), stage.named("wiki"))
      let (published, port) = (stage.freePort(), stage.freePort())
      try await stage.app(app, port: port, options: ["-p", "\(published):\(port)"])
      let upstream = "http://127.0.0.1:\(port)"
      let gate = try await stage.hostNginx { Conf.group(host, "wiki", "127.0.0.1:\(port)", listen: $0) }
      let finding = Finding(cause: "wrong-port", upstream: upstream, mentions: [String(published)])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("host nginx, answers later than it waits", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("search"), stage.named("search"), stage.appPort())
      let published = stage.freePort()
      try await stage.app(app, port: port, ["--slow", "4"], options: ["-p", "\(published):\(port)"])
      let upstream = "http://127.0.0.1:\(published)"
      let gate = try await stage.hostNginx {
        Conf.literal(host, upstream, "proxy_connect_timeout 1s;", "proxy_read_timeout 2s;", listen: $0)
      }
      let finding = Finding(cause: "timeout-too-short", upstream: upstream, mentions: ["proxy_read_timeout"])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("host nginx, https to a plain HTTP upstream", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("tv"), stage.named("jellyfin"), stage.appPort())
      let published = stage.freePort()
      try await stage.app(app, port: port, options: ["-p", "\(published):\(port)"])
      let gate = try await stage.hostNginx {
        Conf.literal(host, "https://localhost:\(published)", listen: $0)
      }
      let finding = Finding(
        cause: "https-to-http-backend", upstream: "https://localhost:\(published)", mentions: ["http://"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("host nginx, no route", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("lists"), stage.named("lists"), stage.appPort())
      let published = stage.freePort()
      try await stage.app(app, port: port, options: ["-p", "\(published):\(port)"])
      let gate = try await stage.hostNginx {
        "server {\n    listen \($0);\n    server_name www.example.test;\n    return 404;\n}\n"
      }
      let finding = Finding(cause: "route-missing", upstream: nil, mentions: [host]) {
        let text = try String(contentsOf: gate.file, encoding: .utf8)
        let route = Conf.literal(host, "http://127.0.0.1:\(published)", listen: gate.port)
        try Data((text + route).utf8).write(to: gate.file)
        try await gate.reload()
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("host nginx, the upstream process does not run", shows: 502) { stage in
      let (host, port) = (try await stage.site("feeds"), stage.freePort())
      let upstream = "http://127.0.0.1:\(port)"
      let gate = try await stage.hostNginx { Conf.group(host, "feeds", "127.0.0.1:\(port)", listen: $0) }
      let finding = Finding(cause: "backend-stopped", upstream: upstream, mentions: [String(port)]) {
        try await stage.process("feeds", port: port)
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: stage.named("feeds"))
    },

    Fault("host nginx, the upstream process listens elsewhere", shows: 502) { stage in
      let (host, port) = (try await stage.site("todo"), stage.freePort())
      let wrong = stage.freePort()
      try await stage.process("todo", port: port)
      let gate = try await stage.hostNginx { Conf.group(host, "todo", "127.0.0.1:\(wrong)", listen: $0) }
      // That this process is the one meant is told by its name only, so it may be no more than possible.
      let finding = Finding(
        cause: "wrong-port", upstream: "http://127.0.0.1:\(wrong)", mentions: [String(port)],
        atLeast: .possible)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: stage.named("todo"))
    },
  ]
}
