import Foundation

/// The app takes the connection, and speaks otherwise than the proxy wants it.
extension Fault {
  static let protocols = [
    Fault("protocol http to a FastCGI port", shows: 502, core: true) { stage in
      let (host, app) = (try await stage.site("shop"), stage.named("shop-php"))
      let web = try await stage.network()
      try await stage.container(app, .php, on: web, options: ["-e", "APP_NAME=\(app)"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):9000", "root /var/www/html;"))
      let finding = Finding(
        cause: "protocol-mismatch", upstream: "http://\(app):9000", mentions: ["fastcgi_pass"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("protocol FastCGI to a web app", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let web = try await stage.network()
      try await stage.odd(app, on: web, port: port)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web,
        """
        server {
            listen 80;
            server_name \(host);

            location / {
                include fastcgi_params;
                fastcgi_read_timeout 2s;
                fastcgi_pass \(app):\(port);
            }
        }

        """)
      let finding = Finding(
        cause: "protocol-mismatch", upstream: "fastcgi://\(app):\(port)", mentions: ["proxy_pass"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("protocol http to a uwsgi port", shows: 502) { stage in
      let (host, app) = (try await stage.site("survey"), stage.named("survey"))
      let web = try await stage.network()
      try await stage.container(app, .uwsgi, on: web, options: ["-e", "APP_NAME=\(app)"])
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):3031"))
      let finding = Finding(
        cause: "protocol-mismatch", upstream: "http://\(app):3031", mentions: ["uwsgi_pass"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("protocol http to an app that speaks HTTP/2 only", shows: 502) { stage in
      let (host, app) = (try await stage.site("api"), stage.named("api"))
      let web = try await stage.network()
      try await stage.http2App(app, on: web)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):8080"), image: .newNginx)
      let finding = Finding(
        cause: "protocol-mismatch", upstream: "http://\(app):8080", mentions: ["grpc_pass"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("protocol http to a port that greets as SSH does", shows: 0) { stage in
      let (host, app) = (try await stage.site("git"), stage.named("gitea"))
      let web = try await stage.network()
      try await stage.odd(app, on: web, port: 22, "--first", "banner")
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.variable(host, "http://\(app):22"))
      let finding = Finding(
        cause: "protocol-mismatch", upstream: "http://\(app):22", mentions: ["port for HTTP"], atLeast: .certain
      ) { try await docker("restart", app) }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("header too large for nginx", shows: 502, core: true) { stage in
      try await stage.largeHeader(cookie: 20_000, image: .nginx)
    },

    Fault("header too large for nginx with a buffer of its own", shows: 502) { stage in
      try await stage.largeHeader(cookie: 9000, image: .newNginx, "proxy_buffer_size 8k;")
    },

    Fault("tls app that needs the name", shows: 502, core: true) { stage in
      let (host, app) = (try await stage.site("cloud"), stage.named("cloud-web"))
      let web = try await stage.network()
      let pair = try await stage.selfSigned(host)
      let folder = pair.key.deletingLastPathComponent().path()
      let site = """
        server {
            listen 8443 ssl default_server;
            ssl_reject_handshake on;
        }
        server {
            listen 8443 ssl;
            server_name \(host);
            ssl_certificate /certificates/\(host).crt;
            ssl_certificate_key /certificates/\(host).key;
            location / { return 200 "Hello from \(app)\\n"; }
        }

        """
      try stage.write(site, to: "\(app)/conf.d/cloud.conf")
      let settings = stage.directory.appending(path: "\(app)/conf.d").path()
      try await stage.container(
        app, .nginx, on: web,
        options: ["-v", "\(folder):/certificates:ro", "-v", "\(settings):/etc/nginx/conf.d:ro"])
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.literal(host, "https://\(app):8443"))
      let finding = Finding(
        cause: "tls-handshake-failed", upstream: "https://\(app):8443", mentions: ["proxy_ssl_server_name", host],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("tls app that wants a client certificate", shows: 502) { stage in
      let (host, app) = (try await stage.site("vault"), stage.named("vault"))
      let web = try await stage.network()
      let pair = try await stage.selfSigned(app)
      let folder = pair.key.deletingLastPathComponent().path()
      let tls = ["--tls", "/tls/\(app).crt", "/tls/\(app).key"]
      try await stage.odd(
        app, on: web, port: 8443, arguments: tls + ["--clients", "/tls/\(app).crt"],
        options: ["-v", "\(folder):/tls:ro"])
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.variable(host, "https://\(app):8443"))
      let finding = Finding(
        cause: "tls-handshake-failed", upstream: "https://\(app):8443", mentions: ["proxy_ssl_certificate"],
        atLeast: .certain
      ) {
        try await docker("rm", "-f", app)
        try await stage.odd(app, on: web, port: 8443, arguments: tls, options: ["-v", "\(folder):/tls:ro"])
        try await gate.reload()
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("tls app that speaks TLS 1.1 only", shows: 502) { stage in
      let (host, app) = (try await stage.site("printer"), stage.named("printer"))
      let web = try await stage.network()
      let pair = try await stage.selfSigned(app)
      let folder = pair.key.deletingLastPathComponent().path()
      try await stage.odd(
        app, on: web, port: 8443, arguments: ["--tls", "/tls/\(app).crt", "/tls/\(app).key", "--old"],
        options: ["-v", "\(folder):/tls:ro"])
      let gate = try await stage.nginx(stage.named("proxy"), on: web, Conf.literal(host, "https://\(app):8443"))
      let finding = Finding(
        cause: "tls-handshake-failed", upstream: "https://\(app):8443", mentions: ["proxy_ssl_protocols"])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("tls app that sends no intermediate certificate", shows: 502) { stage in
      let (host, app, proxy) = (try await stage.site("sso"), stage.named("keycloak"), stage.named("proxy"))
      let web = try await stage.network()
      let root = try await stage.selfSigned(stage.named("home-root"))
      let middle = try await stage.certificate(for: stage.named("home-issuer"), by: root, isAuthority: true)
      let own = try await stage.certificate(for: app, by: middle)
      let folder = own.key.deletingLastPathComponent().path()
      try stage.write(String(contentsOf: root.certificate, encoding: .utf8), to: "\(proxy)/conf.d/root.pem")
      let tls = ["--tls", "/tls/\(app).crt", "/tls/\(app).key"]
      try await stage.odd(app, on: web, port: 8443, arguments: tls, options: ["-v", "\(folder):/tls:ro"])
      let gate = try await stage.nginx(
        proxy, on: web,
        Conf.literal(
          host, "https://\(app):8443", "proxy_ssl_verify on;", "proxy_ssl_verify_depth 2;",
          "proxy_ssl_trusted_certificate /etc/nginx/conf.d/root.pem;"))
      let finding = Finding(
        cause: "untrusted-certificate", upstream: "https://\(app):8443", mentions: ["intermediate"], atLeast: .certain
      ) {
        let chain = try [own, middle].map { try String(contentsOf: $0.certificate, encoding: .utf8) }.joined()
        try Data(chain.utf8).write(to: own.certificate)
        try await docker("restart", app)
        try await gate.reload()
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("resolver that does not read extra_hosts", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("nas"), stage.named("nas"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let address = try await stage.address(app, on: web)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "http://nas.lan:\(port)"),
        options: ["--add-host", "nas.lan:\(address)"])
      let finding = Finding(
        cause: "resolver-differs", upstream: "http://nas.lan:\(port)", mentions: ["proxy_pass http://nas.lan:\(port)"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("resolver at an address where nobody answers", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("feeds"), stage.named("feeds"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web,
        Conf.variable(host, "http://\(app):\(port)").replacing("127.0.0.11", with: "127.0.0.53"))
      let finding = Finding(
        cause: "resolver-differs", upstream: "http://\(app):\(port)", mentions: ["127.0.0.11"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("dropped before the request", shows: 502) { try await $0.dropping("close", shows: "before anything") },
    Fault("dropped by a reset after the request", shows: 502) { try await $0.dropping("reset", shows: "resets") },
    Fault("dropped in the header", shows: 502) { try await $0.dropping("cut-header", shows: "header") },
    Fault("dropped in the body", shows: 200) { try await $0.dropping("cut-body", shows: "middle of the page") },
  ]
}

extension Stage {
  /// `odd.py` in a container; waits until it listens.
  func odd(
    _ name: String, on network: String, port: Int, arguments: [String] = [], options: [String] = [], _ more: String...
  ) async throws {
    try await container(
      name, .odd, on: network, options: options,
      command: ["--name", name, "--port", String(port)] + arguments + more)
    try await isListening(name)
  }

  /// Envoy as an app that speaks HTTP/2 without TLS on port 8080, and nothing else.
  fileprivate func http2App(_ name: String, on network: String) async throws {
    let settings = try write(
      """
      static_resources:
        listeners:
          - address: {socket_address: {address: 0.0.0.0, port_value: 8080}}
            filter_chains:
              - filters:
                  - name: http
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                      stat_prefix: app
                      codec_type: HTTP2
                      route_config:
                        virtual_hosts:
                          - name: app
                            domains: ["*"]
                            routes:
                              - match: {prefix: /}
                                direct_response: {status: 200, body: {inline_string: "Hello from \(name)"}}
                      http_filters:
                        - name: router
                          typed_config:
                            "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router

      """, to: "\(name)/envoy.yaml")
    try await container(
      name, .envoy, on: network,
      options: ["-v", "\(settings.deletingLastPathComponent().path()):/etc/envoy:ro"])
    let listens = try await eventually(within: 20) {
      let logs = try await run(["docker", "logs", name])
      return (logs.text + logs.errors).contains("starting main dispatch loop")
    }
    guard listens else { throw CommandFailed(description: "\(name) does not listen") }
  }

  fileprivate func largeHeader(cookie: Int, image: Image, _ more: String...) async throws -> Site {
    let (host, app, port) = (try site("portal"), named("portal"), appPort())
    let web = try await network()
    try await odd(app, on: web, port: port, "--cookie", String(cookie))
    let lines = Conf.literal(host, "http://\(app):\(port)").replacing(
      "proxy_set_header Host", with: (more + ["proxy_set_header Host"]).joined(separator: "\n        "))
    let gate = try await nginx(named("proxy"), on: web, lines, image: image)
    let finding = Finding(
      cause: "response-header-too-large", upstream: "http://\(app):\(port)",
      mentions: ["proxy_buffer_size", "proxy_busy_buffers_size"], atLeast: .certain)
    return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
  }

  /// An app that ends each connection in this way until it is started again.
  fileprivate func dropping(_ way: String, shows: String) async throws -> Site {
    let (host, app, port) = (try site("chat"), named("chat"), appPort())
    let web = try await network()
    try await odd(app, on: web, port: port, "--first", way)
    let gate = try await nginx(named("proxy"), on: web, Conf.literal(host, "http://\(app):\(port)"))
    let finding = Finding(cause: "connection-dropped", upstream: "http://\(app):\(port)", mentions: [app])
    return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
  }
}
