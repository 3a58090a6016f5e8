import Foundation

/// Between a proxy and a port that this machine publishes: packet filters, the address at which it is published, the
/// machine's own address.
extension Fault {
  static let published = [
    Fault("published port, the machine's firewall drops what comes from the proxy's network", shows: 504) { stage in
      try await stage.guarded("wiki", mentions: ["-j ACCEPT"]) { way in
        [["iptables", "INPUT", "-s", way.subnet, "-p", "tcp", "--dport", "\(way.port)", "-j", "DROP"]]
      }
    },

    Fault("published port, a chain of one's own rejects what nothing allows", shows: 502) { stage in
      let chain = stage.named("guard")
      await stage.atEnd { _ = try await run(["sh", "-c", "iptables -F \(chain); iptables -X \(chain)"]) }
      return try await stage.guarded("photos", mentions: [chain]) { way in
        try await succeed(
          "sh", "-ec",
          """
          iptables -N \(chain)
          iptables -A \(chain) -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
          iptables -A \(chain) -p tcp -m multiport --dports 22,80,443 -j ACCEPT
          iptables -A \(chain) -p tcp --dport \(way.inside) -j ACCEPT
          iptables -A \(chain) -j REJECT
          """)
        return [["iptables", "INPUT", "-i", way.bridge, "-j", chain]]
      }
    },

    Fault("published port, a rule in raw drops it before everything else", shows: 504, core: true) { stage in
      try await stage.guarded("budget", mentions: ["-t raw"]) { way in
        [
          [
            "iptables -t raw", "PREROUTING", "-i", way.bridge, "-d", way.address, "-p", "tcp", "--dport",
            "\(way.port)", "-j", "DROP",
          ]
        ]
      }
    },

    Fault("published port, a hook of nft's own drops it before the routing", shows: 504) { stage in
      let table = stage.named("guard")
      await stage.atEnd { _ = try await run(["nft", "delete", "table", "ip", table]) }
      return try await stage.guarded("recipes", mentions: ["nft", table]) { way in
        try await succeed(
          "sh", "-ec",
          """
          nft add table ip \(table)
          nft 'add chain ip \(table) pre { type filter hook prerouting priority -300; policy accept; }'
          nft add rule ip \(table) pre iifname \(way.bridge) tcp dport \(way.port) counter drop
          """)
        return []
      }
    },

    Fault("published port, healthy among rules for others", shows: 200) { stage in
      try await stage.guarded("calendar", mentions: [], isHealthy: true) { way in
        [
          ["iptables", "INPUT", "-s", way.subnet, "-p", "tcp", "--dport", "\(way.port + 1)", "-j", "DROP"],
          ["iptables", "INPUT", "-s", way.subnet, "-p", "tcp", "--dport", "\(way.inside)", "-j", "DROP"],
          [
            "iptables -t raw", "PREROUTING", "!", "-i", way.bridge, "-p", "tcp", "--dport", "\(way.port)", "-j", "DROP",
          ],
        ]
      }
    },

    Fault("an app for IPv6 alone, dialled by IPv4", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("notes"), stage.named("notes"), stage.appPort())
      let web = try await stage.network()
      let file = try await stage.serves(app, on: web, listen: "[::]:\(port) ipv6only=on")
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      let finding = Finding(
        cause: "ipv6-mismatch", upstream: "http://\(app):\(port)", mentions: ["0.0.0.0"], atLeast: .certain
      ) { try await stage.listens(app, file, "\(port)") }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("an app for IPv6 alone, behind a published port", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("tasks"), stage.named("tasks"), stage.appPort())
      let published = stage.freePort()
      let file = try await stage.serves(
        app, on: nil, listen: "[::]:\(port) ipv6only=on", options: ["-p", "127.0.0.1:\(published):\(port)"])
      let upstream = "http://127.0.0.1:\(published)"
      let gate = try await stage.hostNginx { Conf.literal(host, upstream, listen: $0) }
      let finding = Finding(
        cause: "ipv6-mismatch", upstream: upstream, mentions: ["0.0.0.0"], atLeast: .certain
      ) { try await stage.listens(app, file, "\(port)") }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("an app for both families on one IPv6 socket, healthy", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("maps"), stage.named("maps"), stage.appPort())
      let web = try await stage.network()
      _ = try await stage.serves(app, on: web, listen: "[::]:\(port) ipv6only=off")
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):\(port)"))
      return Site(url: "http://\(host):\(gate.port)/", says: app)
    },

    Fault("port not published, host nginx and an app of Compose", shows: 502, core: true) { stage in
      let (host, service) = (try await stage.site("shop"), stage.named("shop"))
      let port = stage.freePort()
      try await stage.composed(service, port: port)
      let upstream = "http://127.0.0.1:\(port)"
      let gate = try await stage.hostNginx { Conf.literal(host, upstream, listen: $0) }
      let finding = Finding(
        cause: "port-not-published", upstream: upstream, mentions: ["127.0.0.1:\(port):\(port)", "docker-compose"])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: service)
    },

    Fault("port not published, host HAProxy dials a container's name", shows: 503) { stage in
      let (host, service, port) = (try await stage.site("blog"), stage.named("blog"), stage.appPort())
      try await stage.composed(service, port: port)
      let gate = try await stage.hostHAProxy { listen in
        """
        defaults
            mode http
            timeout connect 2s
            timeout client 10s
            timeout server 10s
            default-server init-addr last,none
        frontend web
            bind :\(listen)
            use_backend blog if { hdr_dom(host) -i \(host) }
        backend blog
            server one \(service):\(port)

        """
      }
      let finding = Finding(
        cause: "port-not-published", upstream: "http://\(service):\(port)", mentions: ["127.0.0.1:\(port):\(port)"])
      return Site(
        url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: service)
    },

    Fault("port published on loopback, the proxy's container dials the machine's address", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("books"), stage.named("books"), stage.appPort())
      let (edge, apps) = (try await stage.network("edge"), try await stage.network("apps"))
      let published = stage.freePort()
      try await stage.app(app, on: apps, port: port, options: ["-p", "127.0.0.1:\(published):\(port)"])
      let upstream = "http://\(try await stage.lanAddress()):\(published)"
      let gate = try await stage.nginx(stage.named("proxy"), on: edge, Conf.literal(host, upstream))
      let finding = Finding(
        cause: "port-not-published", upstream: upstream, mentions: ["network connect", "\(app):\(port)"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("port published on loopback, host nginx dials the machine's address", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("music"), stage.named("music"), stage.appPort())
      let published = stage.freePort()
      try await stage.app(app, port: port, options: ["-p", "127.0.0.1:\(published):\(port)"])
      let upstream = "http://\(try await stage.lanAddress()):\(published)"
      let gate = try await stage.hostNginx { Conf.literal(host, upstream, listen: $0) }
      let finding = Finding(
        cause: "port-not-published", upstream: upstream, mentions: ["127.0.0.1:\(published)"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("port published at the machine's address, healthy from a container", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("news"), stage.named("news"), stage.appPort())
      let (edge, apps) = (try await stage.network("edge"), try await stage.network("apps"))
      let (published, address) = (stage.freePort(), try await stage.lanAddress())
      try await stage.app(app, on: apps, port: port, options: ["-p", "\(address):\(published):\(port)"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: edge, Conf.literal(host, "http://\(address):\(published)"))
      return Site(url: "http://\(host):\(gate.port)/", says: app)
    },

    Fault("own address, what host nginx sends there is led elsewhere", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("forum"), stage.named("forum"), stage.appPort())
      let (published, address) = (stage.freePort(), try await stage.lanAddress())
      try await stage.app(app, port: port, options: ["-p", "\(published):\(port)"])
      let upstream = "http://\(address):\(published)"
      let gate = try await stage.hostNginx {
        Conf.literal(host, upstream, "proxy_connect_timeout 2s;", listen: $0)
      }
      try await stage.packets(
        ["iptables -t nat", "OUTPUT", "-d", address, "-p", "tcp", "--dport", "\(published)"]
          + ["-j", "DNAT", "--to-destination", "192.0.2.177:\(published)"])
      try await stage.packets(["iptables", "OUTPUT", "-d", "192.0.2.177", "-j", "DROP"])
      let finding = Finding(
        cause: "nat-hairpin", upstream: upstream, mentions: ["127.0.0.1:\(published)"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("own address, what a container sends there is led elsewhere", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("chat"), stage.named("chat"), stage.appPort())
      let (edge, apps) = (try await stage.network("edge"), try await stage.network("apps"))
      let (published, address) = (stage.freePort(), try await stage.lanAddress())
      try await stage.app(app, on: apps, port: port, options: ["-p", "\(published):\(port)"])
      let upstream = "http://\(address):\(published)"
      let gate = try await stage.nginx(
        stage.named("proxy"), on: edge, Conf.literal(host, upstream, "proxy_connect_timeout 2s;"))
      let way = try await stage.way(from: edge, to: address, published, port)
      // An address of the app's network that nobody has.
      let nobody = try await stage.way(from: apps, to: address, published, port).unused
      try await stage.packets(
        ["iptables -t nat", "PREROUTING", "-i", way.bridge, "-d", address, "-p", "tcp", "--dport", "\(published)"]
          + ["-j", "DNAT", "--to-destination", "\(nobody):\(published)"])
      try await stage.packets(["iptables", "FORWARD", "-d", nobody, "-j", "DROP"])
      let finding = Finding(
        cause: "nat-hairpin", upstream: upstream, mentions: ["network connect", "\(app):\(port)"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },
  ]
}

/// A proxy's way to a published port.
private struct Way {
  let bridge: String
  let subnet: String
  let address: String
  let port: Int
  let inside: Int
  /// An address of the network that nobody has.
  let unused: String
}

extension Stage {
  /// An address of this machine that it has for this stage only.
  fileprivate func lanAddress() async throws -> String {
    let address = "10.\(chance.number(in: 90..<200)).\(chance.number(in: 1..<255)).\(chance.number(in: 1..<255))"
    let name = "lan\(suffix)"
    try await succeed(
      "sh", "-ec",
      "ip link add \(name) type bridge; ip addr add \(address)/32 dev \(name); ip link set \(name) up")
    atEnd { try await succeed("ip", "link", "del", name) }
    return address
  }

  /// Puts a rule at the top of its chain: the command with its table, the chain, the rule.
  fileprivate func packets(_ rule: [String]) async throws {
    let words = rule.dropFirst(2).joined(separator: " ")
    try await succeed("sh", "-c", "\(rule[0]) -I \(rule[1]) \(words)")
    atEnd { _ = try await run(["sh", "-c", "\(rule[0]) -D \(rule[1]) \(words)"]) }
  }

  fileprivate func way(from network: String, to address: String, _ port: Int, _ inside: Int) async throws -> Way {
    let id = try await docker("network", "inspect", "-f", "{{.Id}}", network)
    let subnet = try await docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", network)
    let bytes = subnet.prefix { $0 != "/" }.split(separator: ".")
    return Way(
      bridge: "br-\(id.prefix(12))", subnet: subnet, address: address, port: port, inside: inside,
      unused: "\(bytes[0]).\(bytes[1]).\(bytes[2]).213")
  }

  /// A proxy in a container goes to an app's published port by the machine's own address, and these rules stand between.
  fileprivate func guarded(
    _ word: String, mentions: [String], isHealthy: Bool = false, _ rules: (Way) async throws -> [[String]]
  ) async throws -> Site {
    let (host, app, port) = (try site(word), named(word), appPort())
    let (edge, apps) = (try await network("edge"), try await network("apps"))
    let (published, address) = (freePort(), try await lanAddress())
    try await self.app(app, on: apps, port: port, options: ["-p", "\(published):\(port)"])
    let upstream = "http://\(address):\(published)"
    let gate = try await nginx(
      named("proxy"), on: edge, Conf.literal(host, upstream, "proxy_connect_timeout 2s;"))
    let way = try await way(from: edge, to: address, published, port)
    for rule in try await rules(way) { try await packets(rule) }
    let finding = Finding(
      cause: "firewall-blocked", upstream: upstream, mentions: mentions + [way.subnet, String(published)],
      atLeast: .certain)
    // What the fix adds to a chain of the machine's own.
    atEnd {
      for table in ["filter", "raw"] {
        _ = try await run([
          "sh", "-c",
          "iptables -t \(table) -S | grep -e ' -s \(way.subnet) .*--dport \(published) -j ACCEPT' | sed 's/^-A/-D/' | xargs -rL1 iptables -t \(table)",
        ])
      }
    }
    return Site(url: "http://\(host):\(gate.port)/", findings: isHealthy ? [] : [finding], says: app)
  }

  /// A container of nginx as an app that says its name.
  fileprivate func serves(
    _ app: String, on network: String?, listen: String, options: [String] = []
  ) async throws -> URL {
    let file = try write(served(app, listen), to: "\(app)/conf.d/app.conf")
    try await container(
      app, .nginx, on: network,
      options: ["-v", "\(file.deletingLastPathComponent().path()):/etc/nginx/conf.d"] + options)
    return file
  }

  /// The same app, told to listen otherwise.
  nonisolated fileprivate func listens(_ app: String, _ file: URL, _ listen: String) async throws {
    try Data(served(app, listen).utf8).write(to: file)
    try await docker("restart", "-t", "1", app)
  }

  nonisolated private func served(_ app: String, _ listen: String) -> String {
    "server {\n    listen \(listen);\n    return 200 \"Hello from \(app)\";\n}\n"
  }

  /// An app that Compose starts, its port not published.
  fileprivate func composed(_ service: String, port: Int) async throws {
    try await Image.app.made()
    let file = try write(
      """
      version: "3.7"
      services:
        \(service):
          image: \(Image.app.tag)
          container_name: \(service)
          labels: ["lab=\(suffix)"]
          command: ["--name", "\(service)", "--port", "\(port)"]
          expose: ["\(port)"]
      networks:
        default:
          labels: ["lab=\(suffix)"]

      """, to: "\(service)/docker-compose.yml")
    try await succeed("docker-compose", "-p", service, "-f", file.path(), "up", "-d")
    try await isListening(service)
  }
}
