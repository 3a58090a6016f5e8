import Foundation

/// Something between proxy and app says no: a policy of the system, or a packet filter in one of its forms.
extension Fault {
  static let policy = [
    Fault("policy, nginx's seccomp profile forbids to connect", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("crm"), stage.named("crm"), stage.appPort())
      let (web, proxy) = (try await stage.network(), stage.named("proxy"))
      try await stage.app(app, on: web, port: port)
      let address = try await stage.address(app, on: web)
      let gate = try await stage.nginx(
        proxy, on: web, Conf.literal(host, "http://\(address):\(port)"),
        options: ["--security-opt", try stage.seccomp()])
      let finding = Finding(
        cause: "policy-denied", upstream: "http://\(address):\(port)", mentions: ["seccomp", proxy]
      ) {
        try await docker("rm", "-f", proxy)
        let folder = gate.file.deletingLastPathComponent().path()
        try await stage.container(
          proxy, .nginx, on: web, options: ["-p", "\(gate.port):80", "-v", "\(folder):/etc/nginx/conf.d"])
        try await stage.answers(gate.port)
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("firewall, the container's policy drops what no rule allows", shows: 504) { stage in
      try await stage.filtered("invoices", mentions: ["-j ACCEPT"]) { port in
        (
          app: [
            "iptables -A INPUT -i lo -j ACCEPT",
            "iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "iptables -P INPUT DROP",
          ], proxy: []
        )
      }
    },

    Fault("firewall, a drop behind an accept is not it", shows: 504) { stage in
      try await stage.filtered("orders", mentions: ["OUTPUT"]) { port in
        (
          app: [
            "iptables -A INPUT -i lo -j ACCEPT",
            "iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "iptables -A INPUT -p tcp --dport \(port) -j ACCEPT", "iptables -A INPUT -p tcp --dport \(port) -j DROP",
          ], proxy: ["iptables -A OUTPUT -p tcp --dport \(port) -j DROP"]
        )
      }
    },

    Fault("firewall, a rule in nft's own form", shows: 504) { stage in
      try await stage.filtered("stock", mentions: ["nft delete rule"]) { port in
        (
          app: [
            "nft add table inet guard",
            "nft 'add chain inet guard in { type filter hook input priority 0; policy accept; }'",
            "nft add rule inet guard in tcp dport \(port) counter drop",
          ], proxy: []
        )
      }
    },
  ]
}

extension Stage {
  /// A seccomp profile that answers `connect` with error 13 and allows everything else.
  nonisolated fileprivate func seccomp() throws -> String {
    let profile = try write(
      #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["connect"],"action":"SCMP_ACT_ERRNO","errnoRet":13}]}"#,
      to: "seccomp/no-connect.json")
    return "seccomp=\(profile.path())"
  }

  /// A site whose app's and proxy's networks have these packet filters.
  fileprivate func filtered(
    _ word: String, mentions: [String], _ rules: (Int) -> (app: [String], proxy: [String])
  ) async throws -> Site {
    let (host, app, port) = (try site(word), named(word), appPort())
    let (web, proxy) = (try await network(), named("proxy"))
    try await self.app(app, on: web, port: port)
    let gate = try await nginx(
      proxy, on: web, Conf.literal(host, "http://\(app):\(port)", "proxy_connect_timeout 2s;"))
    let rules = rules(port)
    for (container, lines) in [(app, rules.app), (proxy, rules.proxy)] where !lines.isEmpty {
      let process = try await docker("inspect", "-f", "{{.State.Pid}}", container)
      try await succeed("nsenter", "-t", process, "-n", "sh", "-ec", lines.joined(separator: "\n"))
    }
    let finding = Finding(
      cause: "firewall-blocked", upstream: "http://\(app):\(port)", mentions: mentions, atLeast: .certain)
    return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
  }
}
