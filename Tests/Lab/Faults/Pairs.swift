import Foundation

/// Two proxies of different kinds in a row: the fault is behind the second.
extension Fault {
  static let pairs = [
    Fault("pair, nginx in front of Caddy, a wrong port in Caddy", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("cloud"), stage.named("cloud"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      _ = try await stage.caddy(on: web, Caddyfile.simple(host, "\(app):\(port + 1)"))
      let gate = try await stage.nginx(
        stage.named("edge"), on: web, Conf.variable(host, "http://\(stage.named("caddy")):80"))
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(app):\(port + 1)", mentions: ["\(port)", "caddy reload"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "caddy", findings: [finding], says: app)
    },

    Fault("pair, HAProxy in front of nginx, the app is stopped", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let (web, inner) = (try await stage.network(), stage.named("inner"))
      try await stage.app(app, on: web, port: port)
      _ = try await stage.nginx(inner, on: web, Conf.variable(host, "http://\(app):\(port)"))
      let gate = try await stage.haproxy(on: web, HAProxyConf.site(host, "server web1 \(inner):80"))
      try await docker("stop", app)
      let finding = Finding(
        cause: "backend-stopped", upstream: "http://\(app):\(port)", mentions: [app], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("pair, Caddy in front of HAProxy, which knows no such name", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("files"), stage.named("files"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let inner = try await stage.haproxy(on: web, HAProxyConf.site("www.\(host)", "server app \(app):\(port)"))
      let gate = try await stage.caddy(on: web, Caddyfile.simple(host, "\(stage.named("haproxy")):80"))
      let finding = Finding(cause: "route-missing", upstream: nil, mentions: [host], atLeast: .certain) {
        try inner.edit("www.\(host)", to: host)
        try await inner.reload()
      }
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("pair, healthy, Caddy in front of nginx", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("blog"), stage.named("blog"), stage.appPort())
      let (web, inner) = (try await stage.network(), stage.named("inner"))
      try await stage.app(app, on: web, port: port)
      _ = try await stage.nginx(inner, on: web, Conf.variable(host, "http://\(app):\(port)"))
      let gate = try await stage.caddy(on: web, Caddyfile.simple(host, "\(inner):80"))
      return Site(url: "http://\(host):\(gate.port)/", proxy: "caddy", says: app)
    },
  ]
}
