/// Every driver, in the order of the review's table.
let drivers: [any Driver] = [
  DiagnosisDriver(name: "nginx", proxy: .nginx) { repository in
    systems("nginx", repository)
      + repository.literals(
        "Tests/DiscoveryTests/Proxies/Nginx", "Tests/DiscoveryTests/Proxies/RouteReadingTests.swift",
        "Tests/Lab/Conf.swift",
        "Tests/Lab/Faults/NginxRelatives.swift")
      + repository.tree("Tests/Lab/Images/nginx").map { Parts.one("/etc/nginx/nginx.conf", $0.bytes) }
      + repository.tree("Tests/Lab/Images/swag/defaults/nginx").map { Parts.one("/etc/nginx/nginx.conf", $0.bytes) }
  },
  DiagnosisDriver(name: "nginx-proxy-manager", proxy: .manager) { repository in
    repository.tree("Tests/Lab/Images/npm/etc/nginx").map(\.bytes)
      + repository.literals(
        "Tests/DiscoveryTests/Proxies/RouteReadingTests.swift", "Tests/Lab/Faults/ProxyManager.swift")
  },
  DiagnosisDriver(name: "caddyfile", proxy: .caddy) { repository in
    systems("caddy", repository)
      + repository.literals(
        "Tests/DiscoveryTests/Proxies/Caddy", "Tests/DiscoveryTests/Proxies/CaddyReadingTests.swift",
        "Tests/Lab/Faults/Caddy.swift")
  },
  DiagnosisDriver(name: "caddy-json", proxy: .caddyJSON) { repository in
    [repository.bytes("Tests/Lab/Images/proxyos/etc/caddy/base-config.json") ?? []]
      + repository.literals(
        "Tests/DiscoveryTests/Proxies/CaddyReadingTests.swift", "Tests/DiscoveryTests/Proxies/ProxyOSReadingTests.swift"
      )
      .flatMap { [$0, Parts.one("admin", $0)] }
  },
  DiagnosisDriver(name: "haproxy", proxy: .haproxy) { repository in
    systems("haproxy", repository)
      + repository.literals("Tests/DiscoveryTests/Proxies/HAProxyTests.swift", "Tests/Lab/Faults/HAProxy.swift")
  },
  DiagnosisDriver(name: "traefik", proxy: .traefik) { repository in
    systems("traefik", repository) + repository.literals("Tests/Lab/Faults/Traefik.swift")
      + repository.literals("Tests/DiscoveryTests/Proxies/TraefikTests.swift").flatMap {
        [$0, Parts.one("labels", $0)]
      }
      + systems("docker", repository).map { Parts.one("labels", $0) }
  },
  DiagnosisDriver(name: "traefik-static", proxy: .traefikStatic) { repository in
    repository.literals("Tests/DiscoveryTests/Proxies/TraefikTests.swift", "Tests/Lab/Faults/Traefik.swift")
      + repository.tree("Tests/Lab/Images/traefik").map(\.bytes)
  },
  DiagnosisDriver(name: "traefik-toml", proxy: .traefikTOML) { repository in
    repository.files(in: "Tests/AdviceTests/Systems") { $0.hasSuffix(".toml") }.map(\.bytes)
      + repository.literals("Tests/DiscoveryTests/Proxies/TraefikTests.swift")
  },
  DiagnosisDriver(name: "lighttpd", proxy: .lighttpd) { repository in
    systems("lighttpd", repository)
      + repository.literals("Tests/DiscoveryTests/Proxies/LighttpdTests.swift", "Tests/Lab/Faults/Lighttpd.swift")
  },
  DiagnosisDriver(name: "apache", proxy: .apache) { repository in
    systems("apache", repository)
      + repository.literals("Tests/DiscoveryTests/Proxies/ApacheTests.swift", "Tests/Lab/Faults/Apache.swift")
  },
  DiagnosisDriver(name: "envoy", proxy: .envoy) { repository in
    systems("envoy", repository)
      + repository.literals("Tests/DiscoveryTests/Proxies/EnvoyReadingTests.swift", "Tests/Lab/Faults/Envoy.swift")
  },
  DiagnosisDriver(name: "docker", proxy: .nginx, main: "containers") { repository in
    InventedMachine.seeds.map { Parts.one($0.part, Array($0.text.utf8)) }
      + repository.files(in: "Tests/DiscoveryTests/Engine/Podman") { $0.hasSuffix(".json") }.map {
        Parts.one(String($0.name.dropLast(5)), $0.bytes)
      }
      + repository.literals(
        "Tests/DiscoveryTests/Engine/ContainerTests.swift", "Tests/ChecksTests/ContainerStateTests.swift"
      )
      .flatMap { [Parts.one("app", $0), Parts.one("container", $0), Parts.one("events", $0)] }
      + logs(repository).map { Parts.one("log", $0) + Parts.one("app-log", $0) }
  },
  DiagnosisDriver(name: "answers", proxy: .nginx, main: "answer") { repository in
    repository.literals(
      "Tests/ChecksTests/SiteAnswerTests.swift", "Tests/ChecksTests/EdgeTests.swift",
      "Tests/ChecksTests/UpstreamAnswersTests.swift", "Tests/ChecksTests/LimitTests.swift"
    ).flatMap { body in
      [Array("HTTP/1.1 502 Bad Gateway\nServer: nginx\nX-Seconds: 60.01\n\n".utf8) + body, body]
    }
  },
  DiagnosisDriver(name: "cloudflared", proxy: .cloudflared) { repository in
    repository.literals("Tests/DiscoveryTests/Proxies/CloudflaredTests.swift", "Tests/Lab/Faults/Edges.swift")
  },
  DiagnosisDriver(name: "proxyos", proxy: .proxyos, main: "admin") { repository in
    repository.literals("Tests/DiscoveryTests/Proxies/ProxyOSReadingTests.swift", "Tests/Lab/Faults/ProxyOS.swift")
      .flatMap { [$0, Parts.one("rows routes", $0)] }
  },
  DiagnosisDriver(name: "compose", proxy: .nginx, main: "/srv/compose.yaml") { repository in
    systems("compose", repository) + systems("docker", repository)
      + repository.literals("Tests/DiscoveryTests/Engine/ComposeTests.swift", "Tests/Lab/Stage.swift")
  },
  DiagnosisDriver(name: "procfs", proxy: .nginx, main: "/etc/hosts") { repository in
    systems("hosts", repository)
      + repository.literals("Tests/ChecksTests/NameResolveTests.swift", "Tests/ChecksTests/LimitTests.swift").flatMap {
        [Parts.one("/etc/resolv.conf", $0), Parts.one("/proc/meminfo", $0), Parts.one("/proc/7/limits", $0)]
      }
  },
  DiagnosisDriver(name: "packet-filter", proxy: .nginx, main: "filter") { repository in
    repository.literals("Tests/ChecksTests/FirewallRulesTests.swift").flatMap {
      [$0, Parts.one("nft", $0)]
    }
  },
  LogDriver(), PasteDriver(), RecordingDriver(), OverlayDriver(), YAMLDriver(), TOMLDriver(), SQLiteDriver(),
  ArchiveDriver(),
  MarkdownDriver(), TextDriver(), ScreenDriver(),
]

/// Configurations of `Tests/AdviceTests/Systems` of one kind, filled in.
private func systems(_ kind: String, _ repository: Repository) -> [[UInt8]] {
  repository.files(in: "Tests/AdviceTests/Systems") { $0.hasPrefix(kind + "-") }.map { file in
    let text = String(decoding: file.bytes, as: UTF8.self).replacing("@DIR@", with: "/etc/shop")
      .replacing("@PORT@", with: "80")
    // nginx' are whole; the file that an input is by itself is one of those that the whole takes in.
    return kind == "nginx" ? Parts.one("/etc/nginx/nginx.conf", Array(text.utf8)) : Array(text.utf8)
  }
}

/// Lines of logs, about twenty together.
func logs(_ repository: Repository) -> [[UInt8]] {
  repository.files(in: "Tests/LinesTests/Lines").flatMap { file in
    let lines = file.bytes.split(separator: 0x0A).filter { $0.first != UInt8(ascii: "#") }.map { line in
      line.split(separator: 0x09, maxSplits: 3, omittingEmptySubsequences: false).last ?? []
    }
    return stride(from: 0, to: lines.count, by: 20).map { start in
      Array(lines[start..<min(start + 20, lines.count)].joined(separator: [0x0A]))
    }
  }
}
