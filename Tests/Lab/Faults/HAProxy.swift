import Foundation

/// Debian's HAProxy 2.6, in a container as the official image starts it, and on the host.
extension Fault {
  static let haproxy = [
    Fault("haproxy healthy", shows: 200, core: true) { stage in
      let (host, app, port) = (try await stage.site("shop"), stage.named("shop"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.haproxy(on: web, HAProxyConf.site(host, "server app \(app):\(port) check"))
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", says: app)
    },

    Fault("haproxy, the app is stopped", shows: 503, core: true) { stage in
      let (host, app, port) = (try await stage.site("wiki"), stage.named("wiki"), stage.appPort())
      let web = try await stage.network("wiki_default")
      try await stage.app(app, on: web, port: port, options: try stage.compose("wiki", in: "wiki", port: port))
      let gate = try await stage.haproxy(on: web, HAProxyConf.site(host, "server wiki1 \(app):\(port)"))
      try await docker("stop", app)
      let finding = Finding(
        cause: "backend-stopped", upstream: "http://\(app):\(port)", mentions: [app], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, wrong port", shows: 503, core: true) { stage in
      let (host, app, port) = (try await stage.site("media"), stage.named("jellyfin"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.haproxy(
        on: web, HAProxyConf.site(host, "server jellyfin \(app):\(port + 1) maxconn 32"))
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(app):\(port + 1)", mentions: [String(port), "HUP"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, a slip of the pen in the app's name", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("cloud"), stage.named("nextcloud"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let wrong = app.replacing("nextcloud", with: "nextclod")
      let gate = try await stage.haproxy(
        on: web,
        """
        resolvers docker
            nameserver dns 127.0.0.11:53
            hold nx 5s

        """ + HAProxyConf.site(host, "server app \(wrong):\(port) check resolvers docker init-addr last,libc,none"))
      let finding = Finding(cause: "name-not-found", upstream: "http://\(wrong):\(port)", mentions: [app])
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, TLS to a plain HTTP app", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("draw"), stage.named("drawio"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.haproxy(
        on: web, HAProxyConf.site(host, "server app \(app):\(port) ssl verify none # TLS everywhere"))
      let finding = Finding(
        cause: "https-to-http-backend", upstream: "https://\(app):\(port)", mentions: ["server app \(app):\(port) #"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, plain HTTP to a TLS app", shows: 502) { stage in
      let (host, app) = (try await stage.site("controller"), stage.named("unifi"))
      let web = try await stage.network()
      try await stage.tlsApp(app, on: web, with: try await stage.selfSigned(app))
      let gate = try await stage.haproxy(on: web, HAProxyConf.site(host, "server unifi \(app):8443"))
      let finding = Finding(
        cause: "http-to-https-backend", upstream: "http://\(app):8443", mentions: ["ssl verify none"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, certificate signed by itself", shows: 503) { stage in
      let (host, app) = (try await stage.site("sso"), stage.named("keycloak"))
      let web = try await stage.network()
      try await stage.tlsApp(app, on: web, with: try await stage.selfSigned(app))
      let other = try await stage.selfSigned(stage.named("home-authority"))
      let gate = try await stage.haproxy(
        on: web, files: ["authorities.pem": try String(contentsOf: other.certificate, encoding: .utf8)],
        HAProxyConf.site(
          host, "server sso \(app):8443 ssl verify required ca-file /usr/local/etc/haproxy/authorities.pem"))
      let finding = Finding(
        cause: "untrusted-certificate", upstream: "https://\(app):8443", mentions: ["authorities.pem"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, no backend for the name", shows: 503, core: true) { stage in
      let (host, app, port) = (try await stage.site("photos"), stage.named("photos"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let wrong = host.replacing("photos", with: "photo")
      let gate = try await stage.haproxy(on: web, HAProxyConf.site(wrong, "server app \(app):\(port)"))
      let finding = Finding(cause: "route-missing", upstream: nil, mentions: [host, "HUP"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, answers later than it waits", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("reports"), stage.named("reports"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--slow", "4"])
      let gate = try await stage.haproxy(
        on: web, HAProxyConf.site(host, "timeout server 2s", "server app \(app):\(port)"))
      let finding = Finding(
        cause: "timeout-too-short", upstream: "http://\(app):\(port)", mentions: ["timeout server 30s"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, edited but not loaded", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("notes"), stage.named("notes"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.haproxy(on: web, HAProxyConf.site(host, "server app \(app):\(port + 1)"))
      try await Task.sleep(for: .seconds(2))
      try gate.edit(":\(port + 1)", to: ":\(port)")
      let finding = Finding(
        cause: "config-not-reloaded", upstream: "http://\(app):\(port)", mentions: ["HUP"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, broken on disk", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("git"), stage.named("gitea"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.haproxy(on: web, HAProxyConf.site(host, "server app \(app):\(port + 1)"))
      try gate.edit("server app \(app):\(port + 1)", to: "sever app \(app):\(port)")
      try await gate.reload()
      let finding = Finding(cause: "proxy-config-invalid", upstream: nil, mentions: ["server app", "HUP"])
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, the app was made anew at another address", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("forum"), stage.named("forum"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.haproxy(on: web, HAProxyConf.site(host, "server app \(app):\(port)"))
      try await docker("rm", "-f", app)
      try await stage.container(stage.named("cron"), .app, on: web, command: ["--name", "cron", "--port", "9"])
      try await stage.app(app, on: web, port: port)
      let finding = Finding(cause: "stale-address", upstream: "http://\(app):\(port)", mentions: ["HUP"])
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, its queue for the app is full", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("render"), stage.named("render"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--slow", "3"])
      let gate = try await stage.haproxy(
        on: web,
        HAProxyConf.site(host, "timeout queue 1s", "server app \(app):\(port) maxconn 2"))
      try await stage.visitors(12, of: "http://\(host):\(gate.port)/")
      let finding = Finding(
        cause: "workers-exhausted", upstream: "http://\(app):\(port)", mentions: ["maxconn 100"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy asks only a name server that knows no containers", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("backup"), stage.named("duplicati"), stage.appPort())
      let (web, pihole) = (try await stage.network(), stage.named("pihole"))
      try await stage.app(app, on: web, port: port)
      try await stage.app(pihole, on: web, port: stage.appPort())
      let server = try await stage.address(pihole, on: web)
      let gate = try await stage.haproxy(
        on: web,
        """
        resolvers lan
            nameserver pihole \(server):53
            hold nx 1s

        """ + HAProxyConf.site(host, "server app \(app):\(port) check resolvers lan init-addr none"))
      let finding = Finding(
        cause: "resolver-differs", upstream: "http://\(app):\(port)", mentions: ["127.0.0.11:53"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, header too large", shows: 502) { stage in
      let (host, app, port) = (try await stage.site("portal"), stage.named("portal"), stage.appPort())
      let web = try await stage.network()
      try await stage.odd(app, on: web, port: port, "--cookie", "20000")
      let gate = try await stage.haproxy(on: web, HAProxyConf.site(host, "server app \(app):\(port)"))
      let finding = Finding(
        cause: "response-header-too-large", upstream: "http://\(app):\(port)", mentions: ["tune.bufsize"],
        atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy, a slip in a backend's name, broken on disk", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("git"), stage.named("forgejo"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let gate = try await stage.haproxy(on: web, HAProxyConf.site(host, "server app \(app):\(port + 1)"))
      try gate.edit("use_backend site if", to: "use_backend site_\(app) if")
      try gate.edit(":\(port + 1)", to: ":\(port)")
      try await gate.reload()
      let finding = Finding(cause: "proxy-config-invalid", upstream: nil, mentions: ["use_backend site if", "HUP"])
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy on the host, another port is published", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("tasks"), stage.named("vikunja"), stage.freePort())
      let published = stage.freePort()
      try await stage.app(app, port: port, options: ["-p", "\(published):\(port)"])
      let gate = try await stage.hostHAProxy { HAProxyConf.site(host, "server app 127.0.0.1:\(port)", listen: $0) }
      let finding = Finding(
        cause: "wrong-port", upstream: "http://127.0.0.1:\(port)", mentions: [String(published), "haproxy -c"])
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },

    Fault("haproxy on the host, broken on disk", shows: 503) { stage in
      let (host, app, port) = (try await stage.site("mail"), stage.named("webmail"), stage.appPort())
      let published = stage.freePort()
      try await stage.app(app, port: port, options: ["-p", "\(published):\(port)"])
      let gate = try await stage.hostHAProxy {
        HAProxyConf.site(host, "server app 127.0.0.1:9", listen: $0)
      }
      // What only HAProxy itself knows to be a mistake.
      try gate.edit("server app 127.0.0.1:9", to: "balance leastcon\n    server app 127.0.0.1:\(published)")
      try await gate.reload()
      let finding = Finding(
        cause: "proxy-config-invalid", upstream: "http://127.0.0.1:\(published)", mentions: ["haproxy -c"],
        atLeast: .certain
      ) {
        try gate.edit("leastcon", to: "leastconn")
        try await gate.reload()
      }
      return Site(url: "http://\(host):\(gate.port)/", proxy: "haproxy", findings: [finding], says: app)
    },
  ]

  /// Too much for the app, for the proxy, or for the machine.
  static let capacity = [
    Fault("capacity, the queue at the app's port is full", shows: 504) { stage in
      let (host, app, port) = (try await stage.site("legacy"), stage.named("legacy-app"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port, ["--workers", "3", "--first", "overloaded"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web,
        Conf.literal(host, "http://\(app):\(port)", "proxy_connect_timeout 2s;", "proxy_read_timeout 3s;"))
      try await stage.visitors(12, of: "http://\(host):\(gate.port)/")
      let finding = Finding(cause: "workers-exhausted", upstream: "http://\(app):\(port)", mentions: [app])
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("capacity, nginx has too few worker_connections", shows: 500) { stage in
      let (host, app, port) = (try await stage.site("live"), stage.named("live"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(app, on: web, port: port)
      let main = """
        user www-data;
        worker_processes 1;
        error_log /dev/stderr;
        pid /run/nginx.pid;
        events { worker_connections 8; }
        http { include /etc/nginx/conf.d/*.conf; }

        """
      let settings = try stage.write(main, to: "nginx-main/nginx.conf")
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):\(port)"),
        options: ["-v", "\(settings.path()):/etc/nginx/nginx.conf"])
      let idle = try await stage.idleVisitors(of: gate.port, untilStatus: 500, at: "http://\(host):\(gate.port)/")
      let finding = Finding(
        cause: "proxy-limit", upstream: "http://\(app):\(port)", mentions: ["worker_connections"], atLeast: .certain
      ) { idle.terminate() }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("capacity, the app's volume is full", shows: 500) { stage in
      let (host, app, port) = (try await stage.site("files"), stage.named("filebrowser"), stage.appPort())
      let web = try await stage.network()
      try await stage.app(
        app, on: web, port: port, ["--writes", "/data/upload"], options: ["--tmpfs", "/data:size=1m"])
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://\(app):\(port)"))
      _ = try await run(["docker", "exec", app, "sh", "-c", "rm -f /data/upload; cat /dev/zero > /data/old-backup.tar"])
      let finding = Finding(
        cause: "host-exhausted", upstream: "http://\(app):\(port)", mentions: ["/data"], atLeast: .certain
      ) {
        try await docker("exec", app, "rm", "/data/old-backup.tar")
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },
  ]
}

/// HAProxy's configuration as people write it.
enum HAProxyConf {
  static func site(_ host: String, _ backend: String..., listen: Int = 80) -> String {
    """
    global
        log stdout format raw local0
        maxconn 4000
        stats socket /tmp/haproxy-\(listen).sock mode 600 level user

    defaults
        log global
        mode http
        option httplog
        option dontlognull
        timeout connect 1s
        timeout client 50s
        timeout server 50s

    frontend web
        bind :\(listen)
        acl is_site hdr_dom(host) -i \(host)
        use_backend site if is_site

    backend site
    \(backend.map { "    \($0)\n" }.joined())
    """
  }
}

extension Stage {
  /// HAProxy in a container, its folder from the host.
  func haproxy(on network: String, files: [String: String] = [:], _ configuration: String) async throws
    -> Gate
  {
    let name = named("haproxy")
    for (file, text) in files { try write(text, to: "\(name)/haproxy/\(file)") }
    return try await proxy(
      name, .haproxy, on: network, "haproxy.cfg", in: "/usr/local/etc/haproxy", configuration,
      reload: ["docker", "kill", "-s", "HUP", name])
  }

  /// HAProxy as a process of the host, with a master as systemd starts it.
  func hostHAProxy(_ configuration: (Int) -> String) async throws -> Gate {
    let port = freePort()
    let pid = directory.appending(path: "haproxy.pid").path()
    return try await hostProxy(
      "haproxy/haproxy.cfg", configuration(port), port: port,
      command: { ["haproxy", "-W", "-db", "-f", $0, "-p", pid] },
      reload: ["sh", "-c", "kill -USR2 $(cat \(pid)); sleep 1"])
  }

  /// Lets so many clients ask again and again until the stage is taken down.
  fileprivate func visitors(_ count: Int, of url: String) async throws {
    let program = try write(
      """
      import signal, subprocess, threading, time

      def visit():
          while True:
              subprocess.run(["curl", "-s", "-o", "/dev/null", "--max-time", "20", "\(url)"])
              time.sleep(0.3)

      signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # the thread that started it may block it
      for _ in range(\(count)):
          threading.Thread(target=visit, daemon=True).start()
      while True:
          signal.pause()
      """, to: "visitors/visitors.py")
    try launch(["python3", program.path()], in: directory)
    try await Task.sleep(for: .seconds(2))
  }

  /// Opens connections to a port that say nothing, one after the other, until the site answers with this status.
  fileprivate func idleVisitors(of port: Int, untilStatus status: Int, at url: String) async throws -> Process {
    let program = try write(
      """
      import signal, socket, subprocess, time
      signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # the thread that started it may block it
      kept = []
      while True:
          seen = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "3", "\(url)"],
                                capture_output=True, text=True).stdout
          if seen in ("\(status)", "000"):
              time.sleep(600)
          kept.append(socket.create_connection(("127.0.0.1", \(port))))
          kept[-1].send(b"GET / HTTP/1.1\\r\\n")  # nginx closes those that have said nothing
      """, to: "idle/idle.py")
    return try launch(["python3", program.path()], in: directory)
  }
}
