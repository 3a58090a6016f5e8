import Foundation
import Testing

/// The proxy makes its routes from another source, and that one is unreachable, refuses, or is stale.
extension Fault {
  static let sources = [
    Fault("traefik's source healthy, a socket proxy", shows: 200, core: true) { stage in
      let (source, name) = (try await stage.sourced(), stage.named("docker-socket"))
      try await stage.socketProxy(name, on: source.network)
      return try await stage.asking(source, endpoint: "tcp://\(name):2375", volumes: [])
    },

    Fault("traefik's source healthy, an ordinary user in the socket's group", shows: 200) { stage in
      try await stage.asking(
        try await stage.sourced(), more: "    user: \"1000:1000\"\n    group_add: [\"\(socketGroup)\"]\n")
    },

    Fault("traefik's source, the socket is not mounted", shows: 404, core: true) { stage in
      try await stage.asking(
        try await stage.sourced(), volumes: [], "/var/run/docker.sock:/var/run/docker.sock:ro")
    },

    Fault("traefik's source, the socket is not among the volumes", shows: 404) { stage in
      let certificates = try stage.write("", to: "letsencrypt/acme.json").deletingLastPathComponent().path()
      return try await stage.asking(
        try await stage.sourced(), volumes: ["\(certificates):/letsencrypt"],
        "/var/run/docker.sock:/var/run/docker.sock:ro")
    },

    Fault("traefik's source, the socket is not permitted", shows: 404, core: true) { stage in
      try await stage.asking(
        try await stage.sourced(), more: "    user: \"\(stage.chance.number(in: 1000..<1901))\"\n", "group_add")
    },

    Fault("traefik's source, the socket proxy is stopped", shows: 404, core: true) { stage in
      let (source, name) = (try await stage.sourced(), stage.named("docker-socket"))
      try await stage.socketProxy(name, on: source.network)
      try await docker("stop", "-t", "1", name)
      return try await stage.asking(source, endpoint: "tcp://\(name):2375", volumes: [], "docker start \(name)")
    },

    Fault("traefik's source, the socket proxy stopped and the app moved", shows: 502) { stage in
      let (source, name) = (try await stage.sourced(), stage.named("docker-socket"))
      try await stage.socketProxy(name, on: source.network)
      let site = try await stage.asking(
        source, endpoint: "tcp://\(name):2375", volumes: [], "docker start \(name)", isGoodFirst: true,
        atLeast: .likely)
      try await docker("stop", "-t", "1", name)
      try await docker("rm", "-f", source.app)
      // Somebody else gets its address.
      try await stage.container(
        stage.named("idle"), .app, on: source.network, command: ["--name", "idle", "--port", "\(source.port + 1)"])
      try await stage.app(source.app, on: source.network, port: source.port, options: source.labels)
      return site
    },

    Fault("traefik's source, the engine no longer speaks its version", shows: 404) { stage in
      let source = try await stage.sourced()
      let refusal =
        "client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version"
      let (socket, refusing) = try await stage.relay(refusing: refusal)
      // The release that the steps name, which a registry would have.
      try await Image.traefik.made()
      try await docker("tag", Image.traefik.tag, Image.traefik.tag.prefix { $0 != ":" } + ":v3.6.1")
      return try await stage.asking(source, volumes: ["\(socket):/var/run/docker.sock"], "3.6.1") {
        // As the new version is not asked for here, the engine speaks the old one again.
        try FileManager.default.removeItem(at: refusing)
      }
    },

    Fault("docker-gen apart healthy", shows: 200) { stage in
      try await stage.writtenApart(try await stage.virtualApp())
    },

    Fault("docker-gen apart is stopped, healthy all the same", shows: 200) { stage in
      let source = try await stage.virtualApp()
      let site = try await stage.writtenApart(source)
      try await docker("stop", "-t", "1", stage.named("generator"))
      return site
    },

    Fault("docker-gen apart is stopped, the app has moved", shows: 502, core: true) { stage in
      let source = try await stage.virtualApp()
      var site = try await stage.writtenApart(source)
      try await docker("stop", "-t", "1", stage.named("generator"))
      try await docker("rm", "-f", source.app)
      try await stage.app(stage.named("idle"), on: source.network, port: source.port + 1)
      try await stage.app(source.app, on: source.network, port: source.port, options: source.labels)
      site.findings = [stage.generatorStopped]
      return site
    },

    Fault("docker-gen apart is stopped, the app is new", shows: 503) { stage in
      let source = try await stage.virtualApp()
      try await docker("rm", "-f", source.app)
      var site = try await stage.writtenApart(source, isThere: false)
      try await docker("stop", "-t", "1", stage.named("generator"))
      try await stage.app(source.app, on: source.network, port: source.port, options: source.labels)
      site.findings = [stage.generatorStopped]
      return site
    },
  ]

  /// Who may use the engine's socket besides root.
  private static var socketGroup: UInt32 {
    let attributes = try? FileManager.default.attributesOfItem(atPath: "/var/run/docker.sock")
    return (attributes?[.groupOwnerAccountID] as? NSNumber)?.uint32Value ?? 0
  }
}

extension Stage {
  /// An app whose labels are a route.
  fileprivate struct Source {
    var host: String
    var app: String
    var port: Int
    var network: String
    var labels: [String]
  }

  fileprivate func sourced() async throws -> Source {
    let word = chance.one(of: ["kiosk", "ledger", "museum", "garage", "violin", "harbor"])
    let (host, app, port) = (try site(word), named(word), appPort())
    let network = try await network(chance.one(of: ["front", "edge", "public"]))
    let labels = [
      "--label", "traefik.http.routers.\(word).rule=Host(`\(host)`)", "--label",
      "traefik.http.services.\(word).loadbalancer.server.port=\(port)",
    ]
    try await self.app(app, on: network, port: port, options: labels)
    return Source(host: host, app: app, port: port, network: network, labels: labels)
  }

  fileprivate nonisolated var generatorStopped: Finding {
    Finding(
      cause: "provider-unreachable", upstream: nil, mentions: ["docker start \(named("generator"))"], atLeast: .certain,
      readsRoute: false)
  }

  /// An app whose environment is a route.
  fileprivate func virtualApp() async throws -> Source {
    let word = chance.one(of: ["kiosk", "ledger", "museum", "garage", "violin", "harbor"])
    let (host, app, port) = (try site(word), named(word), appPort())
    let network = try await network()
    let options = ["-e", "VIRTUAL_HOST=\(host)", "-e", "VIRTUAL_PORT=\(port)"]
    try await self.app(app, on: network, port: port, options: options)
    return Source(host: host, app: app, port: port, network: network, labels: options)
  }

  /// An ordinary nginx whose only file is written by docker-gen in another container.
  fileprivate func writtenApart(_ source: Source, isThere: Bool = true) async throws -> Site {
    let (proxy, generator) = (named("proxy"), named("generator"))
    let published = freePort()
    let folder = try write("server { listen 80; return 503; }\n", to: "conf.d/default.conf").deletingLastPathComponent()
    let shared = ["-v", "\(folder.path()):/etc/nginx/conf.d"]
    try await container(proxy, .nginx, on: source.network, options: ["-p", "\(published):80"] + shared)
    try await comesUp(proxy, published)
    try await container(
      generator, .dockerGen, on: source.network,
      options: shared + [
        "-v", "/var/run/docker.sock:/var/run/docker.sock:ro", "-e", "LAB_SUFFIX=\(suffix)", "-e",
        "LAB_TARGET=\(proxy)",
      ])
    let isWritten = try await eventually(within: 15) {
      let answer = try await run(["curl", "-s", "http://\(source.host):\(published)/"])
      return isThere ? answer.text.contains(source.app) : answer.text.contains("503")
    }
    guard isWritten else { throw CommandFailed(description: "docker-gen does not write") }
    return Site(url: "http://\(source.host):\(published)/", findings: [], says: source.app)
  }

  /// Traefik, made by Compose, and the site whose route is its source's; `mention` is what its fix has to say.
  fileprivate func asking(
    _ source: Source, endpoint: String? = nil, volumes: [String] = ["/var/run/docker.sock:/var/run/docker.sock"],
    more: String = "", _ mention: String? = nil, isGoodFirst: Bool = false, atLeast: Confidence = .certain,
    byHand: (@Sendable () async throws -> Void)? = nil
  ) async throws -> Site {
    try await Image.traefik.made()
    let (name, published) = (named("traefik"), freePort())
    let shared =
      volumes.isEmpty ? "" : "    volumes:\n" + volumes.map { "      - \($0)\n" }.joined()
    let file = try write(
      """
      services:
        traefik:
          image: \(Image.traefik.tag)
          container_name: \(name)
      \(more)    ports: ["\(published):80"]
          networks: [\(source.network)]
          labels: ["lab=\(suffix)"]
      \(shared)    command:
            - --entrypoints.web.address=:80
            - --providers.docker=true
            - --providers.docker.constraints=Label(`lab`,`\(suffix)`)
      \(endpoint.map { "      - --providers.docker.endpoint=\($0)\n" } ?? "")networks:
        \(source.network):
          external: true

      """, to: "traefik/docker-compose.yml")
    try await succeed("docker-compose", "-p", named("traefik"), "-f", file.path(), "up", "-d")
    try await comesUp(name, published)
    if isGoodFirst {
      let isGood = try await eventually(within: 15) {
        let answer = try await run(["curl", "-s", "http://\(source.host):\(published)/"])
        return answer.text.contains(source.app)
      }
      guard isGood else { throw CommandFailed(description: "\(name) never gets its routes") }
    }
    let finding = mention.map {
      Finding(
        cause: "provider-unreachable", upstream: nil, mentions: [$0], atLeast: atLeast, readsRoute: false,
        byHand: byHand)
    }
    return Site(
      url: "http://\(source.host):\(published)/", proxy: "traefik", findings: finding.map { [$0] } ?? [],
      says: source.app)
  }

  /// A container that passes the engine's API on by TCP.
  fileprivate func socketProxy(_ name: String, on network: String) async throws {
    try await container(
      name, .app, on: network,
      options: ["-v", "/var/run/docker.sock:/var/run/docker.sock", "--entrypoint", "python3"],
      command: ["-c", Self.relay, "2375"])
  }

  /// A socket of the host that passes the engine's API on, and answers 400 with `refusal` as long as the second file is
  /// there.
  fileprivate func relay(refusing refusal: String) async throws -> (socket: String, refusing: URL) {
    let refusing = try write("{\"message\": \"\(refusal)\"}\n", to: "relay/refusal.json")
    let socket = refusing.deletingLastPathComponent().appending(path: "engine.sock").path()
    try launch(["/usr/bin/python3.11", "-c", Self.relay, socket, refusing.path()], in: directory)
    guard await eventually(within: 5, { FileManager.default.fileExists(atPath: socket) }) else {
      throw CommandFailed(description: "the relay does not listen")
    }
    return (socket, refusing)
  }

  /// Passes connections to a port or a socket on to the engine's socket.
  private static let relay = """
    import os, socket, sys, threading
    place, refusal = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    if place.isdigit():
        listener = socket.create_server(("0.0.0.0", int(place)))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(place)
        listener.listen(16)
    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    def serve(client):
        if refusal and os.path.exists(refusal):
            body = open(refusal, "rb").read()
            head = "HTTP/1.1 400 Bad Request\\r\\nContent-Type: application/json\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n"
            client.recv(65536)
            client.sendall((head % len(body)).encode() + body)
            client.close()
            return
        engine = socket.socket(socket.AF_UNIX)
        engine.connect("/var/run/docker.sock")
        threading.Thread(target=pump, args=(engine, client), daemon=True).start()
        pump(client, engine)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    """
}
