import Foundation

/// Proxy and upstream disagree about TLS.
extension Fault {
  static let tls = [
    Fault("https to a plain HTTP upstream", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("draw"), stage.named("drawio"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.variable(host, "https://\(app):\(port)"))
      let finding = Finding(
        cause: "https-to-http-backend", upstream: "https://\(app):\(port)", mentions: ["http://"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("http to nginx with TLS", shows: 400) { stage in
      let (host, app) = (try await stage.site("cloud"), stage.named("cloud-web"))
      let web = try await stage.network()
      let pair = try await stage.selfSigned(app)
      let folder = pair.key.deletingLastPathComponent().path()
      let site = """
        server {
            listen 8443 ssl;
            ssl_certificate /certificates/\(app).crt;
            ssl_certificate_key /certificates/\(app).key;
            location / { return 200 "Hello from \(app)\\n"; }
        }

        """
      try stage.write(site, to: "\(app)/conf.d/cloud.conf")
      let settings = stage.directory.appending(path: "\(app)/conf.d").path()
      try await stage.container(
        app, .nginx, on: web,
        options: ["-v", "\(folder):/certificates:ro", "-v", "\(settings):/etc/nginx/conf.d:ro"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):8443"))
      let finding = Finding(
        cause: "http-to-https-backend", upstream: "http://\(app):8443", mentions: ["https://"],
        atLeast: .certain)
      return Site(
        url: "http://\(host):\(gate.port)/", findings: [finding], says: app,
        saysBefore: "plain HTTP request was sent to HTTPS port")
    },

    Fault("http to a TLS server that closes", shows: 502, core: true) { stage in
      let (host, app) = (try await stage.site("controller"), stage.named("unifi"))
      let web = try await stage.network()
      try await stage.tlsApp(app, on: web, with: try await stage.selfSigned(app))
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.group(host, "unifi", "\(app):8443"))
      let finding = Finding(
        cause: "http-to-https-backend", upstream: "http://\(app):8443", mentions: ["https://"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("certificate signed by itself", shows: 502, core: true) { stage in
      let app = stage.named("keycloak")
      return try await stage.verified("sso", app, "self-signed", with: try await stage.selfSigned(app)) {
        authority in
        try await stage.certificate(for: app, by: authority)
      }
    },

    Fault("certificate expired", shows: 502) { stage in
      let app = stage.named("registry")
      let authority = try await stage.selfSigned(stage.named("home-authority"))
      let old = try await stage.certificate(for: app, by: authority, until: "20250101000000Z")
      return try await stage.verified("registry", app, "expired", with: old, trusting: authority) {
        authority in
        try await stage.certificate(for: app, by: authority)
      }
    },

    Fault("certificate for another name", shows: 502) { stage in
      let app = stage.named("ldap-ui")
      let authority = try await stage.selfSigned(stage.named("home-authority"))
      let other = try await stage.certificate(for: "ldap.internal.example", by: authority)
      return try await stage.verified(
        "people", app, "ldap.internal.example", with: other, trusting: authority
      ) {
        try await stage.certificate(for: app, by: $0)
      }
    },
  ]
}

extension Stage {
  /// `server.py` with TLS on port 8443 and `pair` as its certificate.
  func tlsApp(_ app: String, on network: String, with pair: Certificate) async throws {
    let folder = try write("", to: "\(app)/tls/.keep").deletingLastPathComponent()
    try install(pair, for: app)
    try await self.app(
      app, on: network, port: 8443, ["--tls", "/tls/site.crt", "/tls/site.key"],
      options: ["-v", "\(folder.path()):/tls:ro"])
  }

  nonisolated private func install(_ pair: Certificate, for app: String) throws {
    try write(String(contentsOf: pair.certificate, encoding: .utf8), to: "\(app)/tls/site.crt")
    try write(String(contentsOf: pair.key, encoding: .utf8), to: "\(app)/tls/site.key")
  }

  /// A proxy that verifies its upstream's certificate against `authority` and does not like what it gets.
  ///
  /// By hand the upstream gets the certificate that `renew` makes.
  fileprivate func verified(
    _ word: String, _ app: String, _ reason: String, with pair: Certificate,
    trusting authority: Certificate? = nil,
    renew: @escaping @Sendable (Certificate) async throws -> Certificate
  ) async throws -> Site {
    let (host, web) = (try site(word), try await network())
    let authority = if let authority { authority } else { try await selfSigned(named("home-authority")) }
    try await tlsApp(app, on: web, with: pair)
    let proxy = named("proxy")
    try write(String(contentsOf: authority.certificate, encoding: .utf8), to: "\(proxy)/conf.d/authority.pem")
    let gate = try await nginx(
      proxy, on: web,
      Conf.literal(
        host, "https://\(app):8443", "proxy_ssl_verify on;", "proxy_ssl_server_name on;",
        "proxy_ssl_trusted_certificate /etc/nginx/conf.d/authority.pem;"))
    let finding = Finding(cause: "untrusted-certificate", upstream: "https://\(app):8443", mentions: [reason]) {
      try self.install(try await renew(authority), for: app)
      try await docker("restart", app)
      try await gate.reload()
    }
    return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
  }
}
