import Foundation

/// Caddy in a container with its folder from the host, and as a process of the host.
extension Fault {
  static let caddy = [
    Fault("caddy, the container is stopped", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("notes"), stage.named("memos"), stage.appPort())
      let web = try await stage.network()
      let labels = try stage.compose("memos", in: "notes", port: port)
      try await stage.app(app, on: web, port: port, options: labels)
      let gate = try await stage.caddy(on: web, Caddyfile.simple(host, "\(app):\(port)"))
      try await docker("stop", app)
      let finding = Finding(
        cause: "backend-stopped", upstream: "http://\(app):\(port)", mentions: [app], atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, wrong port", shows: 502, core: true) { stage in
      let (host, app, port) = (try await stage.site("links"), stage.named("linkding"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, options: ["-p", "\(stage.freePort()):\(port)"])
      let gate = try await stage.caddy(on: web, Caddyfile.snippet(host, app, port + 6))
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(app):\(port + 6)", mentions: ["\(port)", "caddy reload"],
        atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, upstream is localhost", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("photos"), stage.named("immich"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, options: ["-p", "\(stage.freePort()):\(port)"])
      let gate = try await stage.caddy(on: web, Caddyfile.simple(host, "localhost:\(port)"))
      let finding = Finding(
        cause: "upstream-is-localhost", upstream: "http://localhost:\(port)", mentions: [app], atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, a slip in the app's name", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("recipes"), stage.named("mealie"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let wrong = app.replacing("mealie", with: "maelie")
      let gate = try await stage.caddy(on: web, Caddyfile.simple(host, "\(wrong):\(port)"))
      let finding = Finding(
        cause: "name-not-found", upstream: "http://\(wrong):\(port)", mentions: [app], atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, https to a plain HTTP upstream", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("draw"), stage.named("excalidraw"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.caddy(on: web, Caddyfile.simple(host, "https://\(app):\(port)"))
      let finding = Finding(
        cause: "https-to-http-backend", upstream: "https://\(app):\(port)", mentions: ["http://"], atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, certificate signed by itself", shows: 502) { stage in
      let (host, app) = (try await stage.site("panel"), stage.named("portainer"))
      let web = try await stage.network()
      let pair = try await stage.selfSigned(app)
      try stage.write(String(contentsOf: pair.certificate, encoding: .utf8), to: "\(app)/tls/site.crt")
      let key = try stage.write(String(contentsOf: pair.key, encoding: .utf8), to: "\(app)/tls/site.key")
      try await stage.app(
        app, on: web, port: 9443, ["--tls", "/tls/site.crt", "/tls/site.key"],
        options: ["-v", "\(key.deletingLastPathComponent().path()):/tls:ro"])
      let gate = try await stage.caddy(on: web, Caddyfile.simple(host, "https://\(app):9443"))
      let finding = Finding(
        cause: "untrusted-certificate", upstream: "https://\(app):9443", mentions: ["tls_trust_pool file", app],
        atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, the health check asks for a page that needs a login", shows: 503, core: true) { stage in
      let (host, app, port) = (try await stage.site("books"), stage.named("calibre"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--answer", "302 /login"])
      let gate = try await stage.caddy(
        on: web, Caddyfile.simple(host, "\(app):\(port)", "lb_try_duration 0s", "health_uri /", "health_interval 1s"))
      let finding = Finding(
        cause: "backend-unhealthy", upstream: "http://\(app):\(port)", mentions: ["health_status 302"],
        atLeast: .certain)
      return gate.site(host, finding, says: app, answers: 302)
    },

    Fault("caddy, no site of that name", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("status"), stage.named("kuma"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let other = Caddyfile.simple("wiki.example.test", "\(app):\(port)")
      let gate = try await stage.caddy(on: web, other)
      let finding = Finding(cause: "route-missing", upstream: nil, mentions: [host], atLeast: .certain) {
        try Data((other + Caddyfile.simple(host, "\(app):\(port)")).utf8).write(to: gate.file)
        try await gate.reload()
      }
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, a new site is in the file and not loaded", shows: 200) { stage in
      let (host, app, port) = (try await stage.site("budget"), stage.named("actual"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let other = Caddyfile.simple("wiki.example.test", "\(app):\(port)")
      let gate = try await stage.caddy(on: web, other)
      try Data((other + Caddyfile.simple(host, "\(app):\(port)")).utf8).write(to: gate.file)
      let finding = Finding(
        cause: "config-not-reloaded", upstream: "http://\(app):\(port)", mentions: ["caddy reload"],
        atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, mended and not loaded", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("maps"), stage.named("maps"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.caddy(on: web, Caddyfile.handles(host, "\(app):\(port + 2)"))
      try gate.edit("\(app):\(port + 2)", to: "\(app):\(port)")
      let finding = Finding(
        cause: "config-not-reloaded", upstream: "http://\(app):\(port)", mentions: ["caddy reload"],
        atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, mended in a file that is mounted by itself", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("feeds"), stage.named("miniflux"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let text = Caddyfile.simple(host, "\(app):\(port + 3)")
      let file = try stage.write(text, to: "single/Caddyfile")
      let (proxy, published) = (stage.named("caddy"), stage.freePort())
      try await stage.container(
        proxy, .caddy, on: web, options: ["-p", "\(published):80", "-v", "\(file.path()):/etc/caddy/Caddyfile"])
      try await stage.answers(published)
      // As most editors save: a new file takes the old one's name.
      let new = try stage.write(text.replacing("\(port + 3)", with: "\(port)"), to: "single/Caddyfile.new")
      guard rename(new.path(), file.path()) == 0 else { throw CommandFailed(description: "no rename") }
      let finding = Finding(
        cause: "config-not-reloaded", upstream: "http://\(app):\(port)", mentions: ["docker restart \(proxy)"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(published)/", proxy: "caddy", findings: [finding], says: app)
    },

    Fault("caddy, a broken file, the old one runs", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("games"), stage.named("romm"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.caddy(on: web, Caddyfile.simple(host, "\(app):\(port + 7)"))
      try gate.edit("\(app):\(port + 7)", to: "\(app):\(port)")
      try gate.edit("encode", to: "encod")
      try await gate.reload()
      let finding = Finding(
        cause: "proxy-config-invalid", upstream: "http://\(app):\(port)", mentions: ["encode", "caddy reload"],
        atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, answers later than it waits", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("search"), stage.named("search"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--slow", "4"])
      let gate = try await stage.caddy(
        on: web,
        Caddyfile.simple(host, "\(app):\(port)", "transport http {\n\t\t\tresponse_header_timeout 2s\n\t\t}"))
      let finding = Finding(
        cause: "timeout-too-short", upstream: "http://\(app):\(port)", mentions: ["response_header_timeout 30s"],
        atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, the app hangs", shows: 0) { stage in
      let (host, app, port) = (try await stage.site("chat"), stage.named("chat"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--first", "hangs"])
      let gate = try await stage.caddy(on: web, Caddyfile.simple(host, "\(app):\(port)"))
      let finding = Finding(
        cause: "backend-unresponsive", upstream: "http://\(app):\(port)", mentions: ["docker restart \(app)"],
        atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy on the host, another port is published", shows: 502) { stage in
      let (host, app) = (try await stage.site("files"), stage.named("filebrowser"))
      let (published, port) = (stage.freePort(), stage.freePort())
      try await stage.app(app, port: port, options: ["-p", "127.0.0.1:\(published):\(port)"])
      let gate = try await stage.hostCaddy { Caddyfile.simple(host, "localhost:\(port)", listen: $0) }
      let finding = Finding(
        cause: "wrong-port", upstream: "http://localhost:\(port)", mentions: [String(published), "caddy reload"])
      return gate.site(host, finding, says: app)
    },

    Fault("caddy on the host, a broken file, the old one runs", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("music"), stage.named("navidrome"), stage.freePort())
      try await stage.app(app, port: 4533, options: ["-p", "127.0.0.1:\(port):4533"])
      let gate = try await stage.hostCaddy { Caddyfile.simple(host, "127.0.0.1:\(port + 1)", listen: $0) }
      try gate.edit("127.0.0.1:\(port + 1)", to: "127.0.0.1:\(port)")
      try gate.edit("reverse_proxy", to: "reverse_proxi")
      let finding = Finding(
        cause: "proxy-config-invalid", upstream: "http://127.0.0.1:\(port)", mentions: ["reverse_proxy"],
        atLeast: .certain)
      return gate.site(host, finding, says: app)
    },

    Fault("caddy, handle_path takes the app's base path away", shows: 404) { stage in
      let (host, app) = (try await stage.site("manual"), stage.named("manual"))
      let web = try await stage.network()
      let page = try stage.write("Hello from \(app)\n", to: "manual/manual/first.html")
      try await stage.container(
        app, .nginx, on: web,
        options: ["-v", "\(page.deletingLastPathComponent().path()):/usr/share/nginx/html/manual:ro"])
      let gate = try await stage.caddy(
        on: web, "http://\(host) {\n\thandle_path /manual/* {\n\t\treverse_proxy \(app):80\n\t}\n}\n")
      let finding = Finding(
        cause: "path-rewrite-wrong", upstream: "http://\(app):80", mentions: ["handle /manual/*"], atLeast: .certain)
      return Site(
        url: "http://\(host):\(gate.port)/manual/first.html?page=1", proxy: "caddy", findings: [finding], says: app)
    },

    Fault("caddy speaks http to a FastCGI port", shows: 502) { stage in
      let (host, app) = (try await stage.site("shop"), stage.named("shop-php"))
      let web = try await stage.network()
      try await stage.container(app, .php, on: web, options: ["-e", "APP_NAME=\(app)", "-w", "/var/www/html"])
      let gate = try await stage.caddy(on: web, Caddyfile.simple(host, "\(app):9000"))
      let finding = Finding(
        cause: "protocol-mismatch", upstream: "http://\(app):9000", mentions: ["transport fastcgi", "/var/www/html"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "caddy", findings: [finding], says: app)
    },

    Fault("caddy, healthy", shows: 200, core: true) { stage in
      let (host, app, port) = (try await stage.site("home"), stage.named("homepage"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.caddy(on: web, Caddyfile.handles(host, "\(app):\(port)"))
      // Loaded since: the file is newer than the process.
      try gate.edit("encode", to: "encode zstd")
      try await gate.reload()
      return Site(url: "http://\(host):\(gate.port)/", proxy: "caddy", says: app)
    },

    Fault("caddy, healthy, a site that answers nothing on purpose", shows: 200) { stage in
      let host = try await stage.site("ping")
      let web = try await stage.network()
      let gate = try await stage.caddy(
        on: web, "http://\(host) {\n\trespond 200\n}\n" + Caddyfile.simple("wiki.example.test", "wiki:3000"))
      return Site(url: "http://\(host):\(gate.port)/", proxy: "caddy", says: "")
    },
  ]
}

/// Caddyfiles as people write them.
enum Caddyfile {
  static func simple(_ host: String, _ upstream: String, _ more: String..., listen: Int = 80) -> String {
    let block = more.isEmpty ? "" : " {\n" + more.map { "\t\t\($0)\n" }.joined() + "\t}"
    return """
      http://\(host):\(listen) {
      \tencode gzip
      \treverse_proxy \(upstream)\(block)
      }

      """
  }

  /// One snippet for all sites.
  static func snippet(_ host: String, _ app: String, _ port: Int) -> String {
    """
    (common) {
        encode gzip
        header -Server
    }

    http://\(host), http://www.\(host) {
        import common
        reverse_proxy \(app):\(port)
    }

    """
  }

  static func handles(_ host: String, _ upstream: String) -> String {
    """
    {
        grace_period 1s
    }

    http://\(host) {
        encode gzip
        handle /metrics* {
            respond 403
        }
        handle {
            reverse_proxy {
                to \(upstream)
                header_up X-Real-IP {remote_host}
            }
        }
    }

    """
  }
}

extension Stage {
  /// Caddy in a container, `/etc/caddy` a folder of the host.
  func caddy(on network: String, _ caddyfile: String) async throws -> Gate {
    let name = named("caddy")
    let gate = try await proxy(
      name, .caddy, on: network, "Caddyfile", in: "/etc/caddy", caddyfile,
      reload: ["docker", "exec", name, "caddy", "reload", "--config", "/etc/caddy/Caddyfile"])
    // Docker takes connections before Caddy has read its file.
    let serves = try await eventually(within: 15) {
      try await run(["docker", "logs", name]).errors.contains("serving initial configuration")
    }
    guard serves else { throw CommandFailed(description: "\(name) does not serve") }
    return gate
  }

  /// Caddy as a process of the host, its admin API at a port of its own.
  fileprivate func hostCaddy(_ caddyfile: (Int) -> String) async throws -> Gate {
    let (port, admin) = (freePort(), freePort())
    let program = Image.peers + "/caddy"
    let text = "{\n\tadmin localhost:\(admin)\n}\n\n" + caddyfile(port)
    return try await hostProxy(
      "caddy/Caddyfile", text, port: port,
      command: {
        ["env", "HOME=\(directory.path())", program, "run", "--config", $0, "--adapter", "caddyfile"]
      },
      reload: [program, "reload", "--config", directory.appending(path: "caddy/Caddyfile").path()])
  }
}

extension Gate {
  fileprivate func site(_ host: String, _ finding: Finding, says: String, answers: Int = 200) -> Site {
    Site(
      url: "http://\(host):\(port)/", proxy: "caddy", findings: [finding], says: says, answers: answers)
  }
}
