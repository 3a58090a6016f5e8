import Foundation

/// nginx of the host, or in a container, and an app at a Unix socket.
extension Fault {
  static let sockets = [
    Fault("socket with another name", shows: 502, core: true) { stage in
      let (host, app) = (try await stage.site("intranet"), stage.named("intranet"))
      let folder = try stage.write("", to: "run/.keep").deletingLastPathComponent().path()
      try await stage.socketApp(app, at: folder + "intranet-web.sock")
      let upstream = "http://unix:\(folder)intranet.sock"
      let gate = try await stage.hostNginx { Conf.literal(host, upstream + ":/", listen: $0) }
      let finding = Finding(
        cause: "socket-unavailable", upstream: upstream, mentions: [folder + "intranet-web.sock"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("socket left behind", shows: 502) { stage in
      let (host, app) = (try await stage.site("intranet"), stage.named("intranet"))
      let path = try stage.write("", to: "run/.keep").deletingLastPathComponent().path() + "intranet.sock"
      try await succeed("python3", "-c", "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path)
      try await succeed("chmod", "666", path)
      let gate = try await stage.hostNginx { Conf.group(host, "intranet", "unix:\(path)", listen: $0) }
      let finding = Finding(
        cause: "socket-unavailable", upstream: "http://unix:\(path)", mentions: [path], atLeast: .certain
      ) { try await stage.socketApp(app, at: path) }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("socket left behind by a container", shows: 502) { stage in
      let (host, app) = (try await stage.site("intranet"), stage.named("intranet"))
      let folder = try stage.write("", to: "run/.keep").deletingLastPathComponent().path()
      let web = try await stage.network()
      let share = ["-v", "\(folder):/run/app"]
      try await stage.container(
        app, .odd, on: web, options: share, command: ["--name", app, "--unix", "/run/app/puma.sock"])
      let isUp = try await eventually(within: 10) {
        try await run(["curl", "-s", "--unix-socket", folder + "puma.sock", "http://localhost/"]).status == 0
      }
      guard isUp else { throw CommandFailed(description: "nobody answers at puma.sock") }
      let gate = try await stage.nginx(
        stage.named("proxy"), on: web, Conf.literal(host, "http://unix:/run/app/puma.sock"), options: share)
      try await docker("kill", app)
      let finding = Finding(
        cause: "socket-unavailable", upstream: "http://unix:/run/app/puma.sock", mentions: [app], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("socket not for the worker's user", shows: 502) { stage in
      let (host, app) = (try await stage.site("board"), stage.named("board"))
      let path = try stage.write("", to: "run/.keep").deletingLastPathComponent().path() + "gunicorn.sock"
      try await stage.socketApp(app, at: path, "--mode", "600")
      let gate = try await stage.hostNginx { Conf.literal(host, "http://unix:\(path)", listen: $0) }
      let finding = Finding(
        cause: "socket-unavailable", upstream: "http://unix:\(path)", mentions: [path, "www-data"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("socket in a folder that is closed", shows: 502) { stage in
      let (host, app) = (try await stage.site("board"), stage.named("board"))
      let folder = try stage.write("", to: "run/.keep").deletingLastPathComponent().path()
      try await stage.socketApp(app, at: folder + "gunicorn.sock")
      try await succeed("chmod", "700", folder)
      let gate = try await stage.hostNginx { Conf.literal(host, "http://unix:\(folder)gunicorn.sock", listen: $0) }
      let finding = Finding(
        cause: "socket-unavailable", upstream: "http://unix:\(folder)gunicorn.sock",
        mentions: [String(folder.dropLast())], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("socket that the proxy's container does not see", shows: 502) { stage in
      let (host, app, proxy) = (try await stage.site("board"), stage.named("board"), stage.named("proxy"))
      let folder = try stage.write("", to: "run/.keep").deletingLastPathComponent().path()
      try await stage.socketApp(app, at: folder + "gunicorn.sock")
      let upstream = "http://unix:\(folder)gunicorn.sock"
      let web = try await stage.network()
      let gate = try await stage.nginx(proxy, on: web, Conf.literal(host, upstream))
      let finding = Finding(
        cause: "socket-unavailable", upstream: upstream, mentions: [String(folder.dropLast())], atLeast: .certain
      ) {
        try await docker("rm", "-f", proxy)
        try await stage.container(
          proxy, .nginx, on: web,
          options: [
            "-p", "\(gate.port):80", "-v", "\(gate.file.deletingLastPathComponent().path()):/etc/nginx/conf.d",
            "-v", "\(folder):\(folder)",
          ])
      }
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: app)
    },

    Fault("socket of another PHP-FPM", shows: 502) { stage in
      let host = try await stage.site("shop")
      let folder = try await stage.phpFPM("php8.2-fpm.sock")
      let upstream = "fastcgi://unix:\(folder)php8.1-fpm.sock"
      let gate = try await stage.hostNginx {
        Conf.php(host, "unix:\(folder)php8.1-fpm.sock", root: folder, listen: $0)
      }
      let finding = Finding(
        cause: "socket-unavailable", upstream: upstream, mentions: [folder + "php8.2-fpm.sock"], atLeast: .certain)
      return Site(url: "http://\(host):\(gate.port)/", findings: [finding], says: stage.named("shop"))
    },

    Fault("healthy over a Unix socket", shows: 200) { stage in
      let (host, app) = (try await stage.site("intranet"), stage.named("intranet"))
      let path = try stage.write("", to: "run/.keep").deletingLastPathComponent().path() + "intranet.sock"
      try await stage.socketApp(app, at: path)
      let gate = try await stage.hostNginx { Conf.group(host, "intranet", "unix:\(path)", listen: $0) }
      return Site(url: "http://\(host):\(gate.port)/", says: app)
    },

    Fault("healthy FastCGI over a Unix socket", shows: 200, core: true) { stage in
      let host = try await stage.site("shop")
      let folder = try await stage.phpFPM("php8.2-fpm.sock")
      let gate = try await stage.hostNginx {
        Conf.php(host, "unix:\(folder)php8.2-fpm.sock", root: folder, listen: $0)
      }
      return Site(url: "http://\(host):\(gate.port)/", says: stage.named("shop"))
    },
  ]
}

extension Conf {
  /// As Debian's examples for PHP: the folder's index moves to the script.
  static func php(_ host: String, _ server: String, root: String, listen: Int = 80) -> String {
    """
    server {
        listen \(listen);
        server_name \(host);
        root \(root);
        index index.php index.html;

        location / {
            try_files $uri $uri/ =404;
        }

        location ~ \\.php$ {
            fastcgi_pass \(server);
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param QUERY_STRING $query_string;
        }
    }

    """
  }
}

extension Stage {
  /// `odd.py` of the host at a Unix socket; waits until it is there.
  func socketApp(_ name: String, at path: String, _ more: String...) async throws {
    let source = Bundle.module.bundleURL.appending(path: "Images/odd/srv/odd.py").path()
    try launch(["/usr/bin/python3.11", source, "--name", name, "--unix", path] + more, in: directory)
    let isUp = try await eventually(within: 10) {
      try await run(["curl", "-s", "--unix-socket", path, "http://localhost/"]).status == 0
    }
    guard isUp else { throw CommandFailed(description: "nobody answers at \(path)") }
  }

  /// PHP-FPM of the host with a page at a Unix socket in a folder, which is returned.
  func phpFPM(_ socket: String) async throws -> String {
    let page = try write("<?php echo 'Hello from \(named("shop"))';\n", to: "php/index.php")
    let folder = page.deletingLastPathComponent().path()
    let settings = try write(
      """
      [global]
      error_log = \(folder)fpm.log
      [www]
      user = www-data
      group = www-data
      listen = \(folder)\(socket)
      listen.owner = www-data
      listen.group = www-data
      listen.mode = 0660
      pm = static
      pm.max_children = 2

      """, to: "php-fpm/www.conf")
    try launch(["php-fpm8.2", "--nodaemonize", "--allow-to-run-as-root", "-y", settings.path()], in: directory)
    let isUp = await eventually(within: 10) { FileManager.default.fileExists(atPath: folder + socket) }
    guard isUp else { throw CommandFailed(description: "PHP-FPM does not start") }
    return folder
  }
}
