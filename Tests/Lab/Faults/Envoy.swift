import Foundation
import Glibc

/// The real Envoy, its file as its own documentation writes it, before the application in other containers.
extension Fault {
  static let envoy = [
    Fault("envoy, healthy", shows: 200, core: true) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.envoy(on: web, EnvoyFile(host, app, port))
      return Site(url: "http://\(host):\(gate.port)/", proxy: "envoy", says: app)
    },

    Fault("envoy, backend stopped", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.envoy(on: web, EnvoyFile(host, app, port))
      try await docker("stop", app)
      return stage.envoySite(host, gate, app, "backend-stopped", "http://\(app):\(port)", [app], .certain)
    },

    Fault("envoy, host port instead of container port", shows: 503, core: true) { stage in
      let (host, app, port) = (try await stage.site("git"), stage.named("gitea"), stage.appPort())
      let (web, published) = (try await stage.network(), stage.freePort())
      try await stage.app(app, on: web, port: port, options: ["-p", "\(published):\(port)"])
      let gate = try await stage.envoy(on: web, EnvoyFile(host, app, published))
      return stage.envoySite(
        host, gate, app, "wrong-port", "http://\(app):\(published)", [String(port)], .certain)
    },

    Fault("envoy, name with a typing mistake", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("books"), stage.named("bookshelf"), stage.appPort())
      let (web, wrong) = (try await stage.network(), stage.named("bookshlef"))
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.envoy(on: web, EnvoyFile(host, wrong, port))
      return stage.envoySite(host, gate, app, "name-not-found", "http://\(wrong):\(port)", [app], .likely)
    },

    Fault("envoy, https to a plain HTTP app", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("draw"), stage.named("drawio"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.envoy(on: web, EnvoyFile(host, app, port, tls: .unverified))
      return stage.envoySite(
        host, gate, app, "https-to-http-backend", "https://\(app):\(port)", ["transport_socket"], .certain)
    },

    Fault("envoy, http to an app with TLS", shows: 503) { stage in
      let (host, app) = (try await stage.site("unifi"), stage.named("unifi"))
      let web = try await stage.network()
      try await stage.tlsApp(app, on: web, with: try await stage.selfSigned(app))
      let gate = try await stage.envoy(on: web, EnvoyFile(host, app, 8443))
      return stage.envoySite(
        host, gate, app, "http-to-https-backend", "http://\(app):8443", ["UpstreamTlsContext"], .certain)
    },

    Fault("envoy, the app's certificate is not trusted", shows: 503) { stage in
      let (host, app) = (try await stage.site("sso"), stage.named("keycloak"))
      let (web, proxy) = (try await stage.network(), stage.named("envoy"))
      try await stage.tlsApp(app, on: web, with: try await stage.selfSigned(app))
      let other = try await stage.selfSigned(stage.named("home-authority"))
      try stage.write(String(contentsOf: other.certificate, encoding: .utf8), to: "\(proxy)/envoy/authority.pem")
      let gate = try await stage.envoy(on: web, EnvoyFile(host, app, 8443, tls: .verified))
      return stage.envoySite(
        host, gate, app, "untrusted-certificate", "https://\(app):8443", ["authority.pem"], .certain)
    },

    Fault("envoy, no virtual host for the name", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("lists"), stage.named("lists"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.envoy(on: web, EnvoyFile("lits" + host.dropFirst(5), app, port))
      return stage.envoySite(host, gate, app, "route-missing", nil, [host], .certain)
    },

    Fault("envoy, the virtual host does not take the port", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("feeds"), stage.named("feeds"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.envoy(on: web, EnvoyFile(host, app, port, takesPort: false))
      return stage.envoySite(host, gate, app, "route-missing", nil, ["\(host):*"], .certain)
    },

    Fault("envoy, the route's time-out is too short", shows: 504, core: true) { stage in
      let (host, app, port) = (try await stage.site("reports"), stage.named("reports"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--slow", "4"])
      let gate = try await stage.envoy(on: web, EnvoyFile(host, app, port, timeout: "2s"))
      return stage.envoySite(host, gate, app, "timeout-too-short", "http://\(app):\(port)", ["timeout"], .certain)
    },

    Fault("envoy, header too large", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("portal"), stage.named("portal"), stage.appPort())
      let web = try await stage.network()
      try await stage.odd(app, on: web, port: port, "--cookie", "90000")
      let gate = try await stage.envoy(on: web, EnvoyFile(host, app, port))
      return stage.envoySite(
        host, gate, app, "response-header-too-large", "http://\(app):\(port)", ["max_response_headers_kb"], .certain)
    },

    Fault("envoy, file changed and not loaded", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("notes"), stage.named("notes"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.envoy(on: web, EnvoyFile(host, app, port + 1))
      try await Task.sleep(for: .seconds(2))
      try gate.edit("port_value: \(port + 1)", to: "port_value: \(port)")
      return stage.envoySite(
        host, gate, app, "config-not-reloaded", "http://\(app):\(port)", ["restart"], .certain)
    },

    Fault("envoy on the host, localhost is IPv6 to it", shows: 503, core: true) { stage in
      let (host, port, listen) = (try await stage.site("todo"), stage.freePort(), stage.freePort())
      try await stage.process("todo", port: port)
      let gate = try await stage.hostEnvoy(EnvoyFile(host, "localhost", port, listen: listen))
      let finding = Finding(
        cause: "ipv6-mismatch", upstream: "http://localhost:\(port)", mentions: ["127.0.0.1"], atLeast: .certain
      ) {
        try await gate.reload()
      }
      return Site(
        url: "http://\(host):\(gate.port)/", proxy: "envoy", findings: [finding], says: stage.named("todo"))
    },

    Fault("nginx on the host, IPv6 to an app on IPv4", shows: 502) { stage in
      let (host, port) = (try await stage.site("chat"), stage.freePort())
      try await stage.process("chat", port: port)
      let gate = try await stage.hostNginx { Conf.literal(host, "http://[::1]:\(port)", listen: $0) }
      let finding = Finding(
        cause: "ipv6-mismatch", upstream: "http://[::1]:\(port)", mentions: ["127.0.0.1"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: stage.named("chat"))
    },
  ]
}

/// `envoy.yaml` for one site.
private struct EnvoyFile {
  enum TLS { case unverified, verified }
  let text: String

  init(
    _ host: String, _ app: String, _ port: Int, tls: TLS? = nil, timeout: String? = nil, takesPort: Bool = true,
    listen: Int = 10000
  ) {
    let domains = takesPort ? "[\"\(host)\", \"\(host):*\"]" : "[\"\(host)\"]"
    let validation = """

              common_tls_context:
                validation_context:
                  trusted_ca:
                    filename: /etc/envoy/authority.pem
      """
    let socket = """

          transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext\(tls == .verified ? validation : "")
      """
    text = """
      static_resources:
        listeners:
        - name: listener_0
          address:
            socket_address: { address: 0.0.0.0, port_value: \(listen) }
          filter_chains:
          - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: ingress_http
                http_filters:
                - name: envoy.filters.http.router
                  typed_config:
                    "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  name: local_route
                  virtual_hosts:
                  - name: site
                    domains: \(domains)
                    routes:
                    - match: { prefix: "/" }
                      route:
                        cluster: app\(timeout.map { "\n                  timeout: \($0)" } ?? "")
        clusters:
        - name: app
          type: STRICT_DNS\(tls == nil ? "" : socket)
          load_assignment:
            cluster_name: app
            endpoints:
            - lb_endpoints:
              - endpoint:
                  address:
                    socket_address:
                      address: \(app)
                      port_value: \(port)

      """
  }
}

extension Stage {
  /// Envoy in a container, `/etc/envoy` a folder of the host.
  fileprivate func envoy(on network: String, _ file: EnvoyFile) async throws -> Gate {
    let name = named("envoy")
    return try await proxy(
      name, .envoy, on: network, "envoy.yaml", in: "/etc/envoy", file.text, port: 10000,
      reload: ["docker", "restart", name])
  }

  /// Envoy as a process of the host; it loads its file by being started anew.
  fileprivate func hostEnvoy(_ file: EnvoyFile) async throws -> Gate {
    let path = try write(file.text, to: "envoy/envoy.yaml")
    let port = Int(file.text.firstMatch(of: /0\.0\.0\.0, port_value: (\d+)/)?.1 ?? "") ?? 0
    let start = [
      Image.peers + "/envoy", "-c", path.path(), "--base-id", String(port), "--concurrency", "1",
    ]
    let first = try launch(start, in: directory)
    try await answers(port)
    return Gate(port: port, file: path) {
      // Foundation starts it with SIGTERM blocked.
      kill(first.processIdentifier, SIGKILL)
      _ = await eventually(within: 10) { !first.isRunning }
      try await self.launch(start, in: self.directory)
      try await self.answers(port)
    }
  }

  fileprivate nonisolated func envoySite(
    _ host: String, _ gate: Gate, _ app: String, _ cause: String, _ upstream: String?, _ mentions: [String],
    _ atLeast: Confidence
  ) -> Site {
    Site(
      url: "http://\(host):\(gate.port)/", proxy: "envoy",
      findings: [Finding(cause: cause, upstream: upstream, mentions: mentions, atLeast: atLeast)], says: app)
  }
}
