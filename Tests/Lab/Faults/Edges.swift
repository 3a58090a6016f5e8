import Foundation

/// What stands in front of the app's own proxy: another proxy, an edge, the DNS.
extension Fault {
  static let edges = [
    Fault("edges two proxies, the app behind the second is stopped", shows: 502, core: true) { stage in
      let pair = try await stage.pair("shop") { app, port in "http://\(app):\(port)" }
      try await docker("stop", pair.app)
      let finding = Finding(
        cause: "backend-stopped", upstream: "http://\(pair.app):\(pair.port)", mentions: [pair.app], atLeast: .certain)
      return Site(url: pair.url, findings: [finding], says: pair.app)
    },

    Fault("edges two proxies, a wrong port in the second", shows: 502) { stage in
      let pair = try await stage.pair("cloud") { app, port in "http://\(app):\(port + 1)" }
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(pair.app):\(pair.port + 1)", mentions: [String(pair.port)],
        atLeast: .certain)
      return Site(url: pair.url, findings: [finding], says: pair.app)
    },

    Fault("edges host nginx in front of an nginx container, the app is stopped", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let inner = try await stage.nginx(stage.named("inner"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      let outer = try await stage.hostNginx { Conf.literal(host, "http://127.0.0.1:\(inner.port)", listen: $0) }
      try await docker("stop", app)
      let finding = Finding(
        cause: "backend-stopped", upstream: "http://\(app):\(port)", mentions: [app], atLeast: .certain)
      return Site(url: "http://\(host):\(outer.port)/", findings: [finding], says: app)
    },

    Fault("edges two proxies, the second does not know the name", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("photos"), stage.named("photos"), stage.appPort())
      let web = try await stage.network()
      let inner = stage.named("inner")
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(
        inner, on: web,
        "server { listen 80 default_server; return 404; }\n"
          + Conf.variable("old.example.test", "http://\(app):\(port)"))
      let outer = try await stage.nginx(stage.named("outer"), on: web, Conf.variable(host, "http://\(inner)"))
      let finding = Finding(cause: "route-missing", upstream: nil, mentions: [host]) {
        try gate.edit("old.example.test", to: host)
        try await gate.reload()
      }
      return Site(url: "http://\(host):\(outer.port)/", findings: [finding], says: app)
    },

    Fault("edges healthy, two proxies in a row", shows: 200) { stage in
      let pair = try await stage.pair("music") { app, port in "http://\(app):\(port)" }
      return Site(url: pair.url, says: pair.app)
    },

    Fault("edges healthy, an nginx as the app has no such page", shows: 404) { stage in
      let (host, app) = (try await stage.site("docs"), stage.named("docs"))
      let web = try await stage.network()
      _ = try await stage.nginx(
        app, on: web, "server { listen 80; server_name localhost; location / { root /nowhere; } }\n")
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.variable(host, "http://\(app)"))
      return Site(url: "http://\(host):\(gate.port)/", says: "404 Not Found", answers: 404)
    },

    Fault("edges an nginx as the app is stopped", shows: 502) { stage in
      let (host, app) = (try await stage.site("docs"), stage.named("docs"))
      let web = try await stage.network()
      _ = try await stage.nginx(
        app, on: web, "server { listen 80; server_name localhost; location / { return 200 \"\(app)\"; } }\n")
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.variable(host, "http://\(app)"))
      try await docker("stop", app)
      let finding = Finding(cause: "backend-stopped", upstream: "http://\(app):80", mentions: [app], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("edges two proxies, the second cannot start for a name", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("radio"), stage.named("radio"), stage.appPort())
      let (web, inner) = (try await stage.network(), stage.named("inner"))
      try await stage.app(app, on: web, port: port)
      let file = try stage.unchecked(inner, Conf.literal(host, "http://\(app)-old:\(port)"))
      try await stage.container(inner, .nginx, on: web, options: file.mount)
      try await stage.awaits(inner, "exited")
      let outer = try await stage.nginx(stage.named("outer"), on: web, Conf.variable(host, "http://\(inner)"))
      let finding = Finding(
        cause: "proxy-config-invalid", upstream: "http://\(app)-old:\(port)", mentions: [inner], atLeast: .certain
      ) {
        try file.correct("\(app)-old", to: app)
        try await docker("restart", inner)
      }
      return Site(url: "http://\(host):\(outer.port)/", findings: [finding], says: app)
    },

    Fault("edges proxy cannot start for a name", shows: 0) { stage in
      let (host, app, port) = (try await stage.site("blog"), stage.named("blog"), stage.appPort())
      let (web, proxy, published) = (try await stage.network(), stage.named("proxy"), stage.freePort())
      try await stage.app(app, on: web, port: port)
      let file = try stage.unchecked(proxy, Conf.literal(host, "http://\(app)-old:\(port)"))
      try await stage.container(
        proxy, .nginx, on: web, options: file.mount + ["--restart", "unless-stopped", "-p", "\(published):80"])
      try await stage.restartsAgain(proxy)
      let finding = Finding(
        cause: "proxy-config-invalid", upstream: "http://\(app)-old:\(port)", mentions: [proxy], atLeast: .certain
      ) {
        try file.correct("\(app)-old", to: app)
        try await docker("restart", proxy)
      }
      return Site(url: "http://\(host):\(published)/", findings: [finding], says: app)
    },

    Fault("edges proxy cannot start, another site's app is gone", shows: 0) { stage in
      let (host, app, port) = (try await stage.site("blog"), stage.named("ghost"), stage.appPort())
      let (web, proxy, published) = (try await stage.network(), stage.named("proxy"), stage.freePort())
      try await stage.app(app, on: web, port: port)
      let gone = stage.named("matomo")
      let file = try stage.unchecked(
        proxy,
        Conf.literal(host, "http://\(app):\(port)")
          + Conf.literal("\(gone).example.test", "http://\(gone):8080"))
      try await stage.container(proxy, .nginx, on: web, options: file.mount + ["-p", "\(published):80"])
      try await stage.awaits(proxy, "exited")
      let finding = Finding(
        cause: "proxy-config-invalid", upstream: "http://\(app):\(port)", mentions: [gone, "resolver"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(published)/", findings: [finding], says: app)
    },

    Fault("edges proxy container stopped", shows: 0, core: true) { stage in
      let (host, app, port) = (try await stage.site("mail"), stage.named("mail"), stage.appPort())
      let (web, proxy) = (try await stage.network(), stage.named("proxy"))
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(proxy, on: web, Conf.variable(host, "http://\(app):\(port)"))
      try await docker("stop", proxy)
      let finding = Finding(
        cause: "proxy-stopped", upstream: nil, mentions: [proxy], atLeast: .certain, readsRoute: false)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("edges two proxies on different ports, the fault is behind the second", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("forum"), stage.named("forum"), stage.appPort())
      let (web, other) = (try await stage.network(), stage.named("board"))
      try await stage.app(app, on: web, port: port)
      try await stage.app(other, on: web, port: port)
      _ = try await stage.nginx(stage.named("first"), on: web, Conf.variable(host, "http://\(other):\(port)"))
      _ = try await stage.hostNginx { Conf.literal(host, "http://127.0.0.1:9", listen: $0) }
      let gate = try await stage.nginx(
        stage.named("second"), on: web, Conf.variable(host, "http://\(app):\(port + 3)"))
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(app):\(port + 3)", mentions: [String(port)], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("edges Cloudflare says 521, the origin's firewall refuses it", shows: 521, core: true) { stage in
      let edge = try await stage.edge("store", 521)
      try await edge.block("REJECT", "--reject-with", "tcp-reset")
      return edge.site(
        Finding(cause: "edge-cannot-reach-origin", upstream: edge.upstream, mentions: [edge.host], atLeast: .certain) {
          try await edge.unblock()
        })
    },

    Fault("edges Cloudflare says 522, the origin's firewall drops its packets", shows: 522) { stage in
      let edge = try await stage.edge("games", 522)
      try await edge.block("DROP")
      return edge.site(
        Finding(cause: "edge-cannot-reach-origin", upstream: edge.upstream, mentions: [edge.host], atLeast: .certain) {
          try await edge.unblock()
        })
    },

    Fault("edges Cloudflare says 525, the origin speaks no TLS", shows: 525) { stage in
      let edge = try await stage.edge("club", 525, scheme: "https")
      return edge.site(
        Finding(cause: "edge-cannot-reach-origin", upstream: edge.upstream, mentions: [edge.host], atLeast: .certain) {
          try await edge.ask("http")
        })
    },

    Fault("edges load balancer says 502, its settings have an old port", shows: 502) { stage in
      let edge = try await stage.edge("api", 502, headers: ["Server awselb/2.0"], originPort: 9)
      return edge.site(
        Finding(cause: "edge-cannot-reach-origin", upstream: edge.upstream, mentions: [edge.host]) {
          try await edge.ask("http")
        })
    },

    Fault("edges Cloudflare passes the origin's 502 on", shows: 502) { stage in
      let edge = try await stage.edge("notes", 521)
      try await docker("stop", edge.app)
      return edge.site(
        Finding(cause: "backend-stopped", upstream: edge.upstream, mentions: [edge.app], atLeast: .certain))
    },

    Fault("edges healthy, behind Cloudflare", shows: 200) { stage in
      try await stage.edge("calm", 521).site(nil)
    },

    Fault("edges Cloudflare Tunnel, the app behind it is stopped", shows: 502) { stage in
      let tunnel = try await stage.tunnel("vault")
      try await docker("stop", tunnel.app)
      let finding = Finding(
        cause: "backend-stopped", upstream: tunnel.upstream, mentions: [tunnel.app], atLeast: .certain)
      return Site(url: tunnel.url, proxy: "cloudflared", findings: [finding], says: tunnel.app)
    },

    Fault("edges healthy, by a Cloudflare Tunnel", shows: 200) { stage in
      let tunnel = try await stage.tunnel("vault")
      return Site(url: tunnel.url, proxy: "cloudflared", says: tunnel.app)
    },

    Fault("edges the route goes out to the public address", shows: 504) { stage in
      let (app, published) = (stage.named("files"), stage.freePort())
      let host = app + ".example.test"
      let web = try await stage.network()
      try await stage.app(app, on: web, port: published, options: ["-p", "\(published):\(published)"])
      let router = try await stage.router()
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web,
        Conf.literal(host, "http://\(router):\(published)", "proxy_connect_timeout 2s;"))
      _ = try await stage.site("files", at: router)
      let finding = Finding(
        cause: "nat-hairpin", upstream: "http://\(router):\(published)", mentions: [app], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("edges the name leads to an old server", shows: 404, core: true) { stage in
      let (app, host, gate) = try await stage.origin("home")
      let old = try await stage.machine(
        "old", "server { listen \(gate.port); location / { return 404; } }\n", port: gate.port)
      _ = try await stage.site("home", at: old)
      let finding = Finding(
        cause: "dns-points-elsewhere", upstream: app.upstream, mentions: [host, old], atLeast: .certain
      ) { try await stage.move(host) }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app.name)
    },

    Fault("edges another machine in front says 502", shows: 502) { stage in
      let (app, host, gate) = try await stage.origin("desk")
      let front = try await stage.machine(
        "front", "server { listen \(gate.port); location / { proxy_pass http://127.0.0.1:9; } }\n", port: gate.port)
      _ = try await stage.site("desk", at: front)
      let finding = Finding(
        cause: "dns-points-elsewhere", upstream: app.upstream, mentions: [host, front],
        also: ["edge-cannot-reach-origin"]
      ) { try await stage.move(host) }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app.name)
    },
  ]
}

/// Two nginx containers in a row, and an app behind the second one.
private struct Pair {
  let url: String
  let app: String
  let port: Int
}

/// An nginx whose configuration lies on the host and may be wrong from the start.
private struct Unchecked {
  let file: URL
  let mount: [String]

  func correct(_ old: String, to new: String) throws {
    let text = try String(contentsOf: file, encoding: .utf8)
    try Data(text.replacing(old, with: new).utf8).write(to: file)
  }
}

extension Stage {
  fileprivate func pair(_ word: String, upstream: (_ app: String, _ port: Int) -> String) async throws -> Pair {
    let (host, app, port) = (try site(word), named(word), appPort())
    let (outside, inside) = (try await network("edge"), try await network("apps"))
    let inner = named("inner")
    try await self.app(app, on: inside, port: port)
    _ = try await nginx(inner, on: inside, Conf.variable(host, upstream(app, port)))
    try await docker("network", "connect", outside, inner)
    let outer = try await nginx(named("outer"), on: outside, Conf.variable(host, "http://\(inner)"))
    return Pair(url: "http://\(host):\(outer.port)/", app: app, port: port)
  }

  nonisolated fileprivate func unchecked(_ name: String, _ configuration: String) throws -> Unchecked {
    let file = try write(configuration, to: "\(name)/conf.d/sites.conf")
    return Unchecked(
      file: file,
      mount: ["-v", "\(file.deletingLastPathComponent().path()):/etc/nginx/conf.d"])
  }

  nonisolated fileprivate func restartsAgain(_ name: String) async throws {
    let loops = try await eventually(within: 15) {
      Int(try await docker("inspect", "-f", "{{.RestartCount}}", name)) ?? 0 >= 3
    }
    guard loops else { throw CommandFailed(description: "\(name) does not restart") }
  }
}

/// An application behind this machine's own proxy.
private struct Origin {
  let name: String
  let port: Int
  var upstream: String { "http://\(name):\(port)" }
}

/// A content delivery network in front of this machine, played by a Caddy in a container of its own.
private struct Edge: Sendable {
  let name: String
  let host: String
  let app: String
  let upstream: String
  let gateway: String
  let port: Int
  let file: URL

  func site(_ finding: Finding?) -> Site {
    Site(url: "http://\(host):\(port)/", findings: finding.map { [$0] } ?? [], says: app)
  }

  /// What the origin's firewall does with this edge's packets.
  func block(_ rule: String...) async throws {
    try await filter(["-A", "OUTPUT", "-d", gateway, "-p", "tcp", "--dport", String(port), "-j"] + rule)
  }

  func unblock() async throws { try await filter(["-F", "OUTPUT"]) }

  /// Asks the origin as its owner has set it now.
  func ask(_ scheme: String) async throws {
    let text = try String(contentsOf: file, encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.contains("reverse_proxy ")
        ? "  reverse_proxy \(scheme)://\(gateway):\(port) {" : line.contains("tls") ? "" : String(line)
    }
    try Data(lines.joined(separator: "\n").utf8).write(to: file)
    try await docker("restart", "-t", "0", name)
  }

  private func filter(_ arguments: [String]) async throws {
    let process = try await docker("inspect", "-f", "{{.State.Pid}}", name)
    let done = try await run(["nsenter", "-t", process, "-n", "iptables"] + arguments)
    guard done.status == 0 else { throw CommandFailed(description: "iptables: \(done.errors)") }
  }
}

extension Stage {
  /// A healthy site of this machine whose name leads nowhere yet.
  fileprivate func origin(_ word: String) async throws -> (Origin, host: String, Gate) {
    let app = Origin(name: named(word), port: appPort())
    let host = app.name + ".example.test"
    let web = try await network()
    try await self.app(app.name, on: web, port: app.port)
    return (app, host, try await nginx(named("proxy"), on: web, Conf.variable(host, app.upstream)))
  }

  /// Another machine, played by an nginx in a container of its own network. Returns its address.
  fileprivate func machine(_ word: String, _ configuration: String, port: Int) async throws -> String {
    let network = try await network(word)
    let name = named(word)
    let file = try write(configuration, to: "\(word)/conf.d/sites.conf")
    try await container(
      name, .nginx, on: network, options: ["-v", "\(file.deletingLastPathComponent().path()):/etc/nginx/conf.d"])
    let address = try await address(name, on: network)
    try await answers(at: address, port)
    return address
  }

  /// An edge in front of a healthy site; it says `status` where it gets no good answer.
  fileprivate func edge(
    _ word: String, _ status: Int, headers: [String] = ["Server cloudflare", "CF-RAY 8f3b2c1d4e5f6a7b-FRA"],
    scheme: String = "http", originPort: Int? = nil
  ) async throws -> Edge {
    let (app, host, gate) = try await origin(word)
    let edge = try await service("edge", status: status, headers: headers, listen: gate.port) { gateway in
      "\(scheme)://\(gateway):\(originPort ?? gate.port)"
    }
    _ = try site(word, at: edge.address)
    return Edge(
      name: edge.name, host: host, app: app.name, upstream: app.upstream, gateway: edge.gateway, port: gate.port,
      file: edge.file)
  }

  /// A service in the internet, played by a Caddy in a container of its own network.
  ///
  /// - Parameter origin: What it asks, by the address at which it finds this machine.
  private func service(
    _ word: String, status: Int, headers: [String], listen port: Int, origin: (_ gateway: String) -> String
  ) async throws -> (name: String, address: String, gateway: String, file: URL) {
    let (name, internet) = (named(word), try await network("internet"))
    let gateway = try await docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", internet)
    let url = origin(gateway)
    let configuration = """
      {
        admin off
        auto_https off
      }
      :\(port) {
        reverse_proxy \(url) {
          \(headers.map { "header_down \($0)" }.joined(separator: "\n    "))
          transport http {
            dial_timeout 2s\(url.hasPrefix("https") ? "\n      tls_insecure_skip_verify" : "")
          }
        }
        handle_errors {
          \(headers.map { "header \($0)" }.joined(separator: "\n    "))
          header Content-Type text/html
          respond "<title>\(status): Error</title><h1>Error code \(status)</h1>" \(status)
        }
      }

      """
    let file = try write(configuration, to: "\(word)/caddy/Caddyfile")
    try await container(
      name, .caddy, on: internet, options: ["-v", "\(file.deletingLastPathComponent().path()):/etc/caddy"])
    let address = try await address(name, on: internet)
    try await answers(at: address, port)
    return (name, address, gateway, file)
  }

  /// A tunnel to an app of this machine: the program here, and the service's end of it, which passes requests on.
  ///
  /// The real program needs the service's servers. So one of its name stands here with the real configuration.
  fileprivate func tunnel(_ word: String) async throws -> (url: String, app: String, upstream: String) {
    let (app, port, published, outside) = (named(word), appPort(), freePort(), freePort())
    let host = app + ".example.test"
    try await self.app(app, port: port, options: ["-p", "\(published):\(port)"])
    // A shell by that name, which takes its first argument for a script: a program is what the kernel says that it is.
    try write("while :; do sleep 1; done\n", to: "tunnel")
    let program = try write("", to: "bin/cloudflared")
    try FileManager.default.removeItem(at: program)
    try FileManager.default.copyItem(at: URL(filePath: "/bin/dash"), to: program)
    let upstream = "http://localhost:\(published)"
    let file = try write(
      """
      tunnel: 6ff42ae2-765d-4adf-8112-31c55c1551ef
      credentials-file: /etc/cloudflared/6ff42ae2-765d-4adf-8112-31c55c1551ef.json
      ingress:
        - hostname: other.example.test
          service: http://localhost:9
        - hostname: \(host)
          service: \(upstream)
        - service: http_status:404

      """, to: "cloudflared/config.yml")
    try launch([program.path(), "tunnel", "--config", file.path(), "run"], in: directory)
    let address = try await service(
      "cloudflare", status: 502, headers: ["Server cloudflare", "CF-RAY 8f3b2c1d4e5f6a7b-FRA"], listen: outside,
      origin: { "http://\($0):\(published)" }
    ).address
    _ = try site(word, at: address)
    return ("http://\(host):\(outside)/", app, upstream)
  }

  /// A router with a public address, played by a container: it leads this machine's requests back to it, and those of
  /// containers in other networks nowhere. Returns the public address.
  fileprivate func router() async throws -> String {
    let (name, network) = (named("router"), try await network("wan"))
    let gateway = try await docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", network)
    try await container(name, .nginx, on: network)
    let inside = try await address(name, on: network)
    let process = try await docker("inspect", "-f", "{{.State.Pid}}", name)
    let address = "198.51.100.\(chance.number(in: 2..<250))"
    for command in [
      "ip addr add \(address)/32 dev lo", "sysctl -qw net.ipv4.ip_forward=1",
      "iptables -t nat -A PREROUTING -d \(address) -p tcp -j DNAT --to-destination \(gateway)",
      "iptables -t nat -A POSTROUTING -d \(gateway) -j MASQUERADE",
    ] {
      try await succeed("nsenter", "-t", process, "-n", "sh", "-c", command)
    }
    try await succeed("ip", "route", "add", "\(address)/32", "via", inside)
    atEnd { _ = try await run(["ip", "route", "del", "\(address)/32"]) }
    return address
  }

  private func answers(at address: String, _ port: Int) async throws {
    let up = try await eventually(within: 10) {
      try await run(["curl", "-s", "-o", "/dev/null", "--max-time", "1", "http://\(address):\(port)/"]).status != 7
    }
    guard up else { throw CommandFailed(description: "nothing answers at \(address):\(port)") }
  }
}
