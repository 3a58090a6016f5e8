import Foundation

/// Apache httpd as a proxy: in the layout of its official image, and in Debian's on the host.
extension Fault {
  static let apache = [
    Fault("apache, healthy", shows: 200, core: true) { stage in
      let (app, port) = (stage.named("wiki"), stage.appPort())
      return try await stage.httpd("wiki", app, port: port) { "ProxyPass / http://\(app):\(port)/" }
    },

    Fault("apache, the upstream is stopped", shows: 500) { stage in
      let (app, port) = (stage.named("shop"), stage.appPort())
      let finding = Finding(cause: "backend-stopped", upstream: "http://\(app):\(port)", mentions: [app])
      let site = try await stage.httpd("shop", app, port: port, finding) { "ProxyPass / http://\(app):\(port)/" }
      try await docker("stop", app)
      // httpd looks the name up once; it is started after the app has gone, as after a restart of the machine.
      try await docker("restart", stage.named("proxy"))
      return site
    },

    Fault("apache, wrong port", shows: 503, core: true) { stage in
      let (app, port) = (stage.named("grafana"), stage.appPort())
      let finding = Finding(
        cause: "wrong-port", upstream: "http://\(app):\(port + 4)", mentions: [String(port)], atLeast: .certain)
      return try await stage.httpd("graphs", app, port: port, finding) { "ProxyPass / http://\(app):\(port + 4)/" }
    },

    Fault("apache, name with a typo", shows: 500) { stage in
      let (app, port) = (stage.named("gitea"), stage.appPort())
      let wrong = stage.named("gitae")
      let finding = Finding(cause: "name-not-found", upstream: "http://\(wrong):\(port)", mentions: [app])
      return try await stage.httpd("git", app, port: port, finding) { "ProxyPass / http://\(wrong):\(port)/" }
    },

    Fault("apache, https to a plain HTTP upstream", shows: 500) { stage in
      let (app, port) = (stage.named("jellyfin"), stage.appPort())
      let finding = Finding(
        cause: "https-to-http-backend", upstream: "https://\(app):\(port)", mentions: ["http://"], atLeast: .certain)
      return try await stage.httpd("tv", app, port: port, finding) {
        "SSLProxyEngine on\n    ProxyPass / https://\(app):\(port)/"
      }
    },

    Fault("apache, certificate expired", shows: 500) { stage in
      let app = stage.named("registry")
      let authority = try await stage.selfSigned(stage.named("home-authority"))
      let old = try await stage.certificate(for: app, by: authority, until: "20250101000000Z")
      let finding = Finding(
        cause: "untrusted-certificate", upstream: "https://\(app):8443", mentions: ["SSLProxyCheckPeerExpire"],
        atLeast: .certain)
      return try await stage.httpd("registry", app, port: 8443, finding, tls: old) {
        "SSLProxyEngine on\n    ProxyPass / https://\(app):8443/"
      }
    },

    Fault("apache, certificate for another name", shows: 500) { stage in
      let app = stage.named("ldap-ui")
      let other = try await stage.selfSigned("ldap.internal.example")
      let finding = Finding(
        cause: "untrusted-certificate", upstream: "https://\(app):8443", mentions: ["SSLProxyCheckPeerName"])
      return try await stage.httpd("people", app, port: 8443, finding, tls: other) {
        "SSLProxyEngine on\n    ProxyPass / https://\(app):8443/"
      }
    },

    Fault("apache, a module is missing", shows: 500, core: true) { stage in
      let (app, port) = (stage.named("notes"), stage.appPort())
      let finding = Finding(
        cause: "route-misconfigured", upstream: "http://\(app):\(port)", mentions: ["mod_proxy_http.so"],
        atLeast: .certain)
      return try await stage.httpd("notes", app, port: port, finding, without: "proxy_http") {
        "ProxyPass / http://\(app):\(port)/"
      }
    },

    Fault("apache, SSLProxyEngine is off", shows: 500) { stage in
      let app = stage.named("unifi")
      let pair = try await stage.selfSigned(app)
      let finding = Finding(
        cause: "route-misconfigured", upstream: "https://\(app):8443", mentions: ["SSLProxyEngine on"],
        atLeast: .certain)
      return try await stage.httpd("controller", app, port: 8443, finding, tls: pair) {
        "ProxyPass / https://\(app):8443/"
      }
    },

    Fault("apache, answers later than it waits", shows: 502) { stage in
      let (app, port) = (stage.named("search"), stage.appPort())
      let finding = Finding(
        cause: "timeout-too-short", upstream: "http://\(app):\(port)", mentions: ["timeout="], atLeast: .certain)
      return try await stage.httpd("search", app, port: port, finding, ["--slow", "4"]) {
        "<Location />\n        ProxyPass http://\(app):\(port)/ timeout=2\n    </Location>"
      }
    },

    Fault("apache, no virtual host for the name", shows: 200) { stage in
      let (app, port) = (stage.named("lists"), stage.appPort())
      let file = stage.directory.appending(path: "\(stage.named("proxy"))/conf/extra/sites.conf")
      let host = "\(stage.named("lists")).example.test"
      let finding = Finding(cause: "route-missing", upstream: nil, mentions: ["ServerName"]) {
        let text = try String(contentsOf: file, encoding: .utf8)
        try Data(text.replacing("tickets.example.org", with: host).utf8).write(to: file)
        try await docker(
          "exec", stage.named("proxy"), "httpd", "-d", "/usr/local/apache2", "-f", "conf/httpd.conf", "-k", "graceful")
      }
      return try await stage.httpd("lists", app, port: port, finding, as: "tickets.example.org") {
        "ProxyPass / http://\(app):\(port)/"
      }
    },

    Fault("apache, edited and not loaded", shows: 503) { stage in
      let (app, port) = (stage.named("maps"), stage.appPort())
      let finding = Finding(
        cause: "config-not-reloaded", upstream: "http://\(app):\(port)", mentions: ["graceful"])
      let site = try await stage.httpd("maps", app, port: port, finding) { "ProxyPass / http://\(app):\(port + 2)/" }
      try await Task.sleep(for: .milliseconds(1100))  // file times and start times are compared by the second
      let file = stage.directory.appending(path: "\(stage.named("proxy"))/conf/extra/sites.conf")
      let text = try String(contentsOf: file, encoding: .utf8)
      try Data(text.replacing(":\(port + 2)/", with: ":\(port)/").utf8).write(to: file)
      return site
    },

    Fault("apache on the host, healthy", shows: 200, core: true) { stage in
      let (app, port, published) = (stage.named("webmail"), stage.appPort(), stage.freePort())
      try await stage.app(app, port: port, options: ["-p", "127.0.0.1:\(published):\(port)"])
      return try await stage.debian("mail", says: app) {
        "ProxyPreserveHost On\n    ProxyPass / http://127.0.0.1:\(published)/\n    ProxyPassReverse / http://127.0.0.1:\(published)/"
      }
    },

    Fault("apache on the host, another port is published", shows: 503) { stage in
      let (app, port, published) = (stage.named("feeds"), stage.freePort(), stage.freePort())
      try await stage.app(app, port: port, options: ["-p", "127.0.0.1:\(published):\(port)"])
      let upstream = "http://127.0.0.1:\(port)"
      let finding = Finding(cause: "wrong-port", upstream: upstream, mentions: [String(published)])
      return try await stage.debian("feeds", says: app, finding) { "ProxyPass / \(upstream)/" }
    },

    Fault("apache on the host, broken on disk while the old one runs", shows: 503) { stage in
      let (app, port, published) = (stage.named("games"), stage.appPort(), stage.freePort())
      try await stage.app(app, port: port, options: ["-p", "127.0.0.1:\(published):\(port)"])
      let upstream = "http://127.0.0.1:\(published)"
      let finding = Finding(
        cause: "proxy-config-invalid", upstream: upstream, mentions: ["games.conf"], also: ["wrong-port"])
      let site = try await stage.debian("games", says: app, finding) { "ProxyPass / http://127.0.0.1:9/" }
      let file = stage.directory.appending(path: "apache2/sites-available/games.conf")
      let text = try String(contentsOf: file, encoding: .utf8)
      let edited = text.replacing("127.0.0.1:9/", with: "127.0.0.1:\(published)/").replacing(
        "ErrorLog", with: "ErorLog")
      try Data(edited.utf8).write(to: file)
      return site
    },
  ]
}

extension Stage {
  /// httpd in a container, its `conf` a folder of the host, and the app behind it on the same network.
  ///
  /// - Parameters:
  ///   - name: the virtual host's name instead of the site's.
  ///   - module: one that the official file has in a comment, as most of them are.
  ///   - route: the lines of the virtual host.
  fileprivate func httpd(
    _ word: String, _ app: String, port: Int, _ finding: Finding? = nil, _ faults: [String] = [],
    tls pair: Certificate? = nil, as name: String? = nil, without module: String = "", _ route: () -> String
  ) async throws -> Site {
    let (host, web, proxy) = (try site(word), try await network(), named("proxy"))
    if let pair {
      let folder = try write(String(contentsOf: pair.certificate, encoding: .utf8), to: "\(app)/tls/site.crt")
        .deletingLastPathComponent().path()
      try write(String(contentsOf: pair.key, encoding: .utf8), to: "\(app)/tls/site.key")
      try await self.app(
        app, on: web, port: port, ["--tls", "/tls/site.crt", "/tls/site.key"] + faults,
        options: ["-v", "\(folder):/tls:ro"])
    } else {
      try await self.app(app, on: web, port: port, faults)
    }
    let modules = [
      "mpm_event", "authn_core", "authz_core", "mime", "log_config", "env", "headers", "setenvif", "version", "proxy",
      "proxy_http", "slotmem_shm", "ssl", "unixd", "dir", "alias", "rewrite",
    ].filter { !["log_config", "version", "unixd"].contains($0) }.map { name in
      (name == module ? "#" : "") + "LoadModule \(name)_module modules/mod_\(name).so"
    }
    try write(
      """
      <VirtualHost *:80>
          ServerName www.example.org
          DocumentRoot "/usr/local/apache2/htdocs"
      </VirtualHost>

      <VirtualHost *:80>
          ServerName \(name ?? host)
          \(route())
          ErrorLog /proc/self/fd/2
      </VirtualHost>

      """, to: "\(proxy)/conf/extra/sites.conf")
    let gate = try await self.proxy(
      proxy, .apache, on: web, "httpd.conf", in: "/usr/local/apache2/conf",
      """
      ServerRoot "/usr/local/apache2"
      Listen 80
      \(modules.joined(separator: "\n"))
      <IfModule unixd_module>
      User www-data
      Group www-data
      </IfModule>
      ServerAdmin you@example.com
      ServerName localhost
      <Directory />
          AllowOverride none
          Require all denied
      </Directory>
      DocumentRoot "/usr/local/apache2/htdocs"
      <Directory "/usr/local/apache2/htdocs">
          AllowOverride None
          Require all granted
      </Directory>
      DirectoryIndex index.html
      ErrorLog /proc/self/fd/2
      LogLevel warn
      TypesConfig /etc/mime.types
      Include conf/extra/sites.conf

      """,
      reload: ["docker", "exec", proxy, "httpd", "-d", "/usr/local/apache2", "-f", "conf/httpd.conf", "-k", "graceful"])
    return Site(
      url: "http://\(host):\(gate.port)/", proxy: "apache", findings: finding.map { [$0] } ?? [], says: app)
  }

  /// Debian's httpd as a process of the host, with Debian's own files in a root of the stage's.
  fileprivate func debian(
    _ word: String, says app: String, _ finding: Finding? = nil, _ route: () -> String
  ) async throws -> Site {
    let (host, port, root) = (try site(word), freePort(), directory.appending(path: "apache2").path())
    try await succeed("cp", "-a", "/etc/apache2", root)
    _ = try await succeed(
      "sh", "-c", "rm -f \(root)/sites-enabled/* && mkdir -p \(directory.path())/run \(directory.path())/log")
    for module in ["proxy.load", "proxy.conf", "proxy_http.load"] {
      try await succeed("ln", "-sf", "../mods-available/\(module)", "\(root)/mods-enabled/\(module)")
    }
    try write("Listen 127.0.0.1:\(port)\n", to: "apache2/ports.conf")
    try write(
      """
      export APACHE_RUN_USER=www-data
      export APACHE_RUN_GROUP=www-data
      export APACHE_PID_FILE=\(directory.path())/run/apache2.pid
      export APACHE_RUN_DIR=\(directory.path())/run
      export APACHE_LOCK_DIR=\(directory.path())/run
      export APACHE_LOG_DIR=\(directory.path())/log
      export LANG=C

      """, to: "apache2/envvars")
    try write(
      """
      <VirtualHost *:\(port)>
          ServerName \(host)
          \(route())
          ErrorLog ${APACHE_LOG_DIR}/error.log
          CustomLog ${APACHE_LOG_DIR}/access.log combined
      </VirtualHost>

      """, to: "apache2/sites-available/\(word).conf")
    try await succeed("ln", "-s", "../sites-available/\(word).conf", "\(root)/sites-enabled/\(word).conf")
    // It goes to the background and keeps every descriptor that it got.
    try await succeed(
      "sh", "-c",
      "APACHE_CONFDIR=\(root) exec python3 -c 'import os; os.closerange(3, 1024); os.execvp(\"apachectl\", [\"apachectl\", \"start\"])' </dev/null >\(directory.path())/start.log 2>&1"
    )
    let pid = directory.appending(path: "run/apache2.pid").path()
    atEnd { _ = try await run(["sh", "-c", "kill $(cat \(pid)); while [ -e \(pid) ]; do sleep 0.1; done"]) }
    try await answers(port)
    return Site(
      url: "http://\(host):\(port)/", proxy: "apache", findings: finding.map { [$0] } ?? [], says: app)
  }
}
