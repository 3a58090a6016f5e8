import Foundation

/// Debian's lighttpd 1.4.69, in a container and on the host.
extension Fault {
  static let lighttpd = [
    Fault("lighttpd healthy", shows: 200, core: true) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.lighttpd(on: web, LighttpdConf.site(host, app, port))
      return Site(url: "http://\(host):\(gate.port)/", proxy: "lighttpd", says: app)
    },

    Fault("lighttpd, the app is stopped", shows: 503, core: true) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.lighttpd(on: web, LighttpdConf.site(host, app, port))
      try await docker("stop", app)
      let finding = Finding(cause: "backend-stopped", upstream: "http://\(app):\(port)", mentions: [app])
      return Site(url: "http://\(host):\(gate.port)/", proxy: "lighttpd", findings: [finding], says: app)
    },

    Fault("lighttpd, wrong port", shows: 503, core: true) { stage in
      let (host, app, port) = (try await stage.site("media"), stage.named("jellyfin"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.lighttpd(on: web, LighttpdConf.site(host, app, port + 1))
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(app):\(port + 1)", mentions: [String(port), "USR1"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "lighttpd", findings: [finding], says: app)
    },

    Fault("lighttpd, a slip of the pen in the site's name", shows: 404) { stage in
      let (host, app, port) = (try await stage.site("photos"), stage.named("photos"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let wrong = host.replacing("photos", with: "photo")
      let gate = try await stage.lighttpd(on: web, LighttpdConf.site(wrong, app, port))
      let finding = Finding(cause: "route-missing", upstream: nil, mentions: [host, "USR1"])
      return Site(url: "http://\(host):\(gate.port)/orders", proxy: "lighttpd", findings: [finding], says: app)
    },

    Fault("lighttpd, mod_proxy is not loaded", shows: 404, core: true) { stage in
      let (host, app, port) = (try await stage.site("notes"), stage.named("notes"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.lighttpd(
        on: web, LighttpdConf.site(host, app, port, modules: "\"mod_access\", \"mod_redirect\""))
      let finding = Finding(
        cause: "route-misconfigured", upstream: nil, mentions: ["mod_proxy", "USR1"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/orders", proxy: "lighttpd", findings: [finding], says: app)
    },

    Fault("lighttpd, an app that hangs", shows: 0) { stage in
      let (host, app, port) = (try await stage.site("report"), stage.named("report"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--first", "hangs"])
      let gate = try await stage.lighttpd(on: web, LighttpdConf.site(host, app, port))
      let finding = Finding(cause: "backend-unresponsive", upstream: "http://\(app):\(port)", mentions: [app])
      return Site(url: "http://\(host):\(gate.port)/", proxy: "lighttpd", findings: [finding], says: app)
    },

    Fault("lighttpd on the host, another port is published", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("tasks"), stage.named("vikunja"), stage.freePort())
      let published = stage.freePort()
      try await stage.app(app, port: port, options: ["-p", "\(published):\(port)"])
      let gate = try await stage.hostLighttpd { LighttpdConf.site(host, "127.0.0.1", port, listen: $0) }
      let finding = Finding(
        cause: "wrong-port", upstream: "http://127.0.0.1:\(port)", mentions: [String(published), "lighttpd -tt"])
      return Site(url: "http://\(host):\(gate.port)/", proxy: "lighttpd", findings: [finding], says: app)
    },

    Fault("lighttpd on the host, the socket of another PHP-FPM", shows: 503) { stage in
      let host = try await stage.site("blog")
      let folder = try await stage.phpFPM("php8.2-fpm.sock")
      let gate = try await stage.hostLighttpd {
        LighttpdConf.php(host, folder + "php8.1-fpm.sock", root: folder, listen: $0)
      }
      let finding = Finding(
        cause: "socket-unavailable", upstream: "fastcgi://unix:\(folder)php8.1-fpm.sock",
        mentions: [folder + "php8.2-fpm.sock"], atLeast: .certain)
      return Site(
        url: "http://\(host):\(gate.port)/index.php", proxy: "lighttpd", findings: [finding], says: stage.named("shop"))
    },
  ]
}

/// lighttpd's files, as people write them.
private enum LighttpdConf {
  static func site(
    _ host: String, _ app: String, _ port: Int, modules: String = "\"mod_access\", \"mod_proxy\"", listen: Int = 80
  ) -> String {
    """
    server.modules = (
        \(modules)
    )
    server.document-root = "/var/www/html"
    server.port = \(listen)

    $HTTP["host"] == "\(host)" {
        proxy.server = ( "" => ( ( "host" => "\(app)", "port" => \(port) ) ) )
        proxy.forwarded = ( "for" => 1, "proto" => 1 )
    }

    """
  }

  static func php(_ host: String, _ socket: String, root: String, listen: Int) -> String {
    """
    server.modules = ( "mod_fastcgi" )
    server.document-root = "\(root)"
    server.port = \(listen)
    index-file.names = ( "index.php", "index.html" )

    $HTTP["host"] == "\(host)" {
        fastcgi.server = ( ".php" => (
            ( "socket" => "\(socket)", "broken-scriptfilename" => "enable" )
        ) )
    }

    """
  }
}

extension Stage {
  /// lighttpd in a container, its folder one of the host.
  fileprivate func lighttpd(on network: String, _ configuration: String) async throws -> Gate {
    let name = named("lighttpd")
    return try await proxy(
      name, .lighttpd, on: network, "lighttpd.conf", in: "/etc/lighttpd", configuration,
      reload: ["docker", "kill", "-s", "USR1", name])
  }

  /// lighttpd as a process of the host, and as root: it has one process only, and one of another user outside of a
  /// service is that user's own. `configuration` gets the port to listen on.
  fileprivate func hostLighttpd(_ configuration: (Int) -> String) async throws -> Gate {
    let (port, folder) = (freePort(), directory.appending(path: "lighttpd").path())
    let start = """
      server.pid-file = "\(folder)/lighttpd.pid"
      server.errorlog = "\(folder)/error.log"

      """
    return try await hostProxy(
      "lighttpd/lighttpd.conf", start + configuration(port), port: port,
      command: { ["/usr/sbin/lighttpd", "-D", "-f", $0] },
      reload: ["sh", "-c", "kill -USR1 $(cat \(folder)/lighttpd.pid); sleep 1"])
  }
}
