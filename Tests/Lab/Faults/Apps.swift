import Foundation

/// An app that is known by its image: what its own steps name.
extension Fault {
  static let apps = [
    Fault("listens on localhost only, known by its image", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("vault"), stage.named("vault"), stage.appPort())
      let web = try await stage.network("vault_default")
      try await Image.app.made()
      let image = "vaultwarden/server:\(stage.suffix)"
      try await docker("tag", Image.app.tag, image)
      await stage.atEnd { _ = try await run(["docker", "rmi", image]) }
      let compose = try stage.compose("vault", in: "vault", port: port)
      // Neither its environment nor its arguments say where it listens.
      let start: @Sendable (String) async throws -> Void = { address in
        try await docker(
          ["run", "-d", "--name", app, "--label", "lab=\(stage.suffix)", "--network", web] + compose
            + ["--entrypoint", "sh", image, "-c"]
            + ["exec python3 /srv/server.py --name \(app) --port \(port) --bind \(address)"])
        try await stage.isListening(app)
      }
      try await start("127.0.0.1")
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      let finding = Finding(
        cause: "listens-on-localhost", upstream: "http://\(app):\(port)",
        mentions: [
          "Vaultwarden takes the address from the environment variable ROCKET_ADDRESS", "ROCKET_ADDRESS=0.0.0.0",
        ],
        atLeast: .certain
      ) {
        try await docker("rm", "-f", app)
        try await start("0.0.0.0")
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    }
  ]
}
