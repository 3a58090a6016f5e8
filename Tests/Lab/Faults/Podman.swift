import Foundation

/// nginx and the application in containers of Podman.
extension Fault {
  static let podman = [
    Fault("podman, healthy", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("photos"), stage.named("photos"), stage.appPort())
      let (podman, web) = (try await Podman(stage), stage.named("web"))
      try await podman.network(web)
      try await podman.app(app, on: web, port: port)
      let gate = try await podman.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):\(port)"), in: stage)
      return Site(url: "http://\(host):\(gate.port)/", says: app, engine: podman.address)
    },

    Fault("podman, host port instead of container port", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop"), stage.appPort())
      let (podman, web, published) = (try await Podman(stage), stage.named("web"), stage.freePort())
      try await podman.network(web)
      try await podman.app(app, on: web, port: port, options: ["-p", "\(published):\(port)"])
      let upstream = "http://\(app):\(published)"
      let gate = try await podman.nginx(stage.named("proxy"), on: web, Conf.literal(host, upstream), in: stage)
      let finding = Finding(
        cause: "wrong-port", upstream: upstream, mentions: ["\(app):\(port)", "podman exec"], atLeast: .certain)
      return Site(
        url: "http://\(host):\(gate.port)/", findings: [finding], says: app, engine: podman.address)
    },

    Fault("podman, backend stopped", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let (podman, web) = (try await Podman(stage), stage.named("web"))
      try await podman.network(web)
      try await podman.app(app, on: web, port: port)
      let upstream = "http://\(app):\(port)"
      let gate = try await podman.nginx(stage.named("proxy"), on: web, Conf.literal(host, upstream), in: stage)
      try await succeed("podman", "stop", "--time", "1", app)
      let finding = Finding(
        cause: "backend-stopped", upstream: upstream, mentions: ["podman start \(app)"], atLeast: .certain)
      return Site(
        url: "http://\(host):\(gate.port)/", findings: [finding], says: app, engine: podman.address)
    },

    Fault("podman, no network in common", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("docs"), stage.named("docs"), stage.appPort())
      let (podman, web, apps) = (try await Podman(stage), stage.named("web"), stage.named("docs_default"))
      try await podman.network(web)
      try await podman.network(apps)
      try await podman.app(app, on: apps, port: port)
      let upstream = "http://\(app):\(port)"
      let proxy = stage.named("proxy")
      // nginx starts although the name has no address yet: it is looked up at each request, by Podman's name server.
      let gate = try await podman.nginx(
        proxy, on: web,
        Conf.variable(host, upstream).replacing(
          "127.0.0.11", with: try await podman.gateway(of: web)), in: stage)
      let finding = Finding(
        cause: "network-mismatch", upstream: upstream, mentions: ["podman network connect"], atLeast: .certain)
      return Site(
        url: "http://\(host):\(gate.port)/", findings: [finding], says: app, engine: podman.address)
    },
  ]
}
