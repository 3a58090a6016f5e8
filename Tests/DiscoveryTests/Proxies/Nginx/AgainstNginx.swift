import Discovery
import Foundation
import Testing

/// The reader says what the real nginx does.
@Suite(.serialized) struct AgainstNginx {
  struct Ask: Sendable {
    let host: String
    let path: String
    var address = "127.0.0.1"
  }

  /// A `LABEL` under the first line of a server or location becomes a header with the lines of both.
  private func labelled(_ template: String, ports: [String: UInt16]) -> String {
    var server = 0
    var above: Substring = ""
    let lines = template.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
      number, line in
      defer { above = line }
      if line.contains("server {") { server = number + 1 }
      let location = above.contains("location ") ? String(number) : "-"
      return line.replacingOccurrences(
        of: "LABEL", with: "add_header X-Label '\(server)|\(location)' always;")
    }
    return ports.reduce(lines.joined(separator: "\n")) {
      $0.replacingOccurrences(of: $1.key, with: String($1.value))
    }
  }

  private func answers(_ asks: [Ask], port: UInt16, in folder: Folder) throws -> [String] {
    let requests = asks.map { ask in
      """
      url = "http://\(ask.address):\(port)\(ask.path)"
      header = "Host: \(ask.host)"
      path-as-is
      silent
      max-time = 10
      write-out = "§%{http_code}|%header{x-label}¶"
      """
    }
    let file = try folder.write(requests.joined(separator: "\nnext\n"), to: "curl")
    let output = try run("/usr/bin/curl", ["--config", file]).output
    // nginx's own pages are of no interest, only what the upstream saw.
    return output.split(separator: "¶").map { answer in
      let parts = answer.split(separator: "§", omittingEmptySubsequences: false)
      return "\(parts.last?.hasPrefix("200|") == true ? parts[0] : "")|\(parts.last ?? "")"
    }
  }

  private func expected(_ ask: Ask, port: UInt16, _ configuration: Nginx.Configuration) -> String {
    guard
      let route = configuration.route(
        host: ask.host, port: port, path: ask.path, isTLS: false, address: ask.address)
    else { return "no server" }
    let (code, body) =
      switch route.kind {
      case .returned(let code): (code, "")
      case .redirect(let code, _): (code, "")
      case .proxied: (200, "\(route.upstreamPath ?? "") \(route.hostHeader.value ?? "")")
      default: (404, "")
      }
    return "\(body)|\(code)|\(route.serverLine)|\(route.locationLine.map(String.init) ?? "-")"
  }

  private func compare(_ template: String, _ asks: [Ask]) async throws {
    let folder = try Folder()
    defer { folder.remove() }
    let ports = ["PORT": try freePort(), "BACK": try freePort()]
    let port = try #require(ports["PORT"])
    let text = labelled(template, ports: ports)
    let configuration = await nginxConfiguration(["/nginx.conf": text], main: "/nginx.conf")
    #expect(configuration.problems == [])
    let server = try RunningNginx(text, port: port, in: folder)
    defer { server.stop() }
    let answers = try answers(asks, port: port, in: folder)
    try #require(answers.count == asks.count)
    for (ask, answer) in zip(asks, answers) {
      #expect(expected(ask, port: port, configuration) == answer, "\(ask.host) \(ask.path) \(ask.address)")
    }
  }

  @Test func chosenServers() async throws {
    let hosts = [
      "a.test", "A.Test", "a.test.", "a.test:8080", "www.a.test", "x.a.test", "x.y.a.test", "b.test",
      "x.b.test",
      "deep.b.test", "x.deep.b.test", "mail.test", "mail.example.org", "www.example.com", "www.example.co.uk",
      "example.com", "www.example", "r1.c.test", "r12.c.test", "rx.c.test", "C.test", "app.d.test",
      "app.x.d.test",
      "both.test", "x.both.test", "none.test", "_", "127.0.0.1", "unnamed", "starts.both.test", "mail.a.test",
      "UP.e.test",
    ]
    let asks = hosts.map { Ask(host: $0, path: "/") }
    try await compare(
      """
      events {}
      http {
        access_log off;
        error_log stderr crit;
        server {
          listen 127.0.0.1:PORT;
          server_name first.test a.test;
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.1:PORT default_server;
          server_name _;
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.1:PORT;
          server_name a.test www.a.test;
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.1:PORT;
          server_name *.a.test *.both.test;
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.1:PORT;
          server_name .b.test;
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.1:PORT;
          server_name *.deep.b.test;
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.1:PORT;
          server_name mail.* www.example.* starts.both.*;
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.1:PORT;
          server_name ~^r\\d+\\.c\\.test$ "~^C\\.test$" ~^both\\. ~^x\\.both ;
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.1:PORT;
          server_name ~^(?<app>[^.]+)\\.d\\.test$ ~\\.e\\.test$;
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.1:PORT;
          server_name ~test$ "";
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.2:PORT;
          server_name a.test;
          LABEL
          return 204;
        }
        server {
          listen *:PORT;
          server_name elsewhere;
          LABEL
          return 204;
        }
        server {
          listen 127.0.0.2:PORT;
          server_name b.test;
          LABEL
          return 204;
        }
      }
      """,
      asks
        + ["a.test", "b.test", "elsewhere", "other"].flatMap { host in
          ["127.0.0.2", "127.0.0.3"].map { Ask(host: host, path: "/", address: $0) }
        })
  }

  @Test func chosenLocationsAndUpstreamPaths() async throws {
    let paths = [
      "/", "/x", "/app", "/app/", "/app/x", "/app/y", "/apple", "/app?x=1", "//app//x", "/%61pp/x",
      "/a/../app/x",
      "/a/./b", "/x.php", "/app/x.php", "/static/x.php", "/static/deep/x.php", "/static/deep", "/x.PNG",
      "/x.jpg",
      "/nest/", "/nest/a", "/nest/a/b", "/nest/e", "/nest/x.php", "/nest/a/x.php", "/nest/y.jpg",
      "/nest/x.txt",
      "/final/x.php", "/final/in/x.php", "/slash", "/slash/", "/slash/a?b=c", "/api", "/api/", "/api/x/y?q=1",
      "/api/a%20b", "/api/%2561", "/keep/a%20b?x", "/keep/../keep/x", "/one", "/one?x=1", "/one/", "/bare/x",
      "/var/x?y=1",
      "/var-path/x", "/var-request/x?y", "/cap/foo/bar", "/cap/foo/", "/map/x", "/old/page", "/old/page?x=1",
      "/older/page", "/gone", "/there", "/chain", "/break/x", "/break-uri/x?q", "/files", "/files/x",
      "/index/x", "/temporary/1",
      "/permanent/1", "/loop", "/no-query/x?y=1", "/exact-slash", "/host/x", "/Case", "/case", "/set",
      "/query?back=1",
      "/braced/x", "/only-query", "/deep/inner/x", "/deep/inner", "/server-moved/x", "/two//slashes",
    ]
    try await compare(
      """
      events {}
      http {
        access_log off;
        error_log stderr crit;
        map $uri $mapped {
          default 127.0.0.1:1;
          /map/x 127.0.0.1:BACK;
        }
        upstream group {
          server 127.0.0.1:BACK;
        }
        server {
          listen 127.0.0.1:BACK;
          return 200 "$request_uri $http_host";
        }
        server {
          listen 127.0.0.1:PORT;
          server_name loc.test;
          root /nonexistent;
          set $back 127.0.0.1:BACK;
          LABEL
          rewrite ^/server-moved/(.*)$ /api/$1;
          location = / {
            LABEL
            return 204;
          }
          location / {
            LABEL
            return 204;
          }
          location /app {
            LABEL
            return 204;
          }
          location /app/ {
            LABEL
            return 204;
          }
          location = /app/x {
            LABEL
            return 204;
          }
          location ^~ /static/ {
            LABEL
            return 204;
          }
          location /static/deep {
            LABEL
            return 204;
          }
          location ~ \\.php$ {
            LABEL
            return 204;
          }
          location ~* \\.(PNG|jpg)$ {
            LABEL
            return 204;
          }
          location ~ x\\.php$ {
            LABEL
            return 204;
          }
          location /nest/ {
            LABEL
            location /nest/a {
              LABEL
              return 204;
            }
            location = /nest/e {
              LABEL
              return 204;
            }
            location ~ \\.(php|txt)$ {
              LABEL
              return 204;
            }
            return 205;
          }
          location ^~ /final/ {
            LABEL
            location /final/in/ {
              LABEL
              return 204;
            }
            return 204;
          }
          location /slash/ {
            LABEL
            proxy_pass http://group;
          }
          location /api/ {
            LABEL
            proxy_pass http://group/v1/;
          }
          location /keep/ {
            LABEL
            proxy_pass http://group;
          }
          location = /one {
            LABEL
            proxy_pass http://127.0.0.1:BACK/two;
          }
          location /bare/ {
            LABEL
            proxy_pass http://127.0.0.1:BACK/no-slash;
          }
          location /var/ {
            LABEL
            proxy_pass http://$back;
          }
          location /var-path/ {
            LABEL
            proxy_pass http://$back/fixed;
          }
          location /var-request/ {
            LABEL
            proxy_pass http://$back$request_uri;
          }
          location ~ ^/cap/(\\w+)/(?<rest>.*)$ {
            LABEL
            proxy_pass http://$back/$1?x=$rest;
          }
          location /map/ {
            LABEL
            proxy_pass http://$mapped;
          }
          location /old/ {
            LABEL
            rewrite ^/old/(.*)$ /keep/$1 last;
            return 410;
          }
          location /older/ {
            LABEL
            rewrite ^/older/(.*)$ /old/$1;
          }
          location = /gone {
            LABEL
            return 410;
          }
          location = /there {
            LABEL
            return 302 http://elsewhere.test/;
          }
          location = /chain {
            LABEL
            rewrite ^ /step;
            rewrite ^/step$ /keep/chain?added=1 last;
          }
          location /break/ {
            LABEL
            rewrite ^/break/(.*)$ /broken/$1 break;
            proxy_pass http://group;
          }
          location /break-uri/ {
            LABEL
            rewrite ^/break-uri/(.*)$ /broken/$1 break;
            proxy_pass http://group/ignored/;
          }
          location /files {
            LABEL
            try_files $uri @app;
          }
          location @app {
            LABEL
            proxy_pass http://group;
          }
          location /index/ {
            LABEL
            try_files $uri $uri/ /keep/index?$args;
          }
          location /temporary/ {
            LABEL
            rewrite ^ /elsewhere redirect;
          }
          location /permanent/ {
            LABEL
            rewrite ^ https://elsewhere.test/ permanent;
          }
          location = /loop {
            LABEL
            rewrite ^ /loop last;
          }
          location /no-query/ {
            LABEL
            rewrite ^ /keep/q? last;
          }
          location = /exact-slash/ {
            LABEL
            proxy_pass http://group;
          }
          location /host/ {
            LABEL
            proxy_set_header Host $host;
            proxy_set_header X-Other "a;b{c}";
            proxy_pass http://group;
          }
          location /case {
            LABEL
            return 204;
          }
          location /set {
            LABEL
            set $target $back;
            if ($host = nothing) {
              return 404;
            }
            proxy_pass http://$target;
          }
          location /query {
            LABEL
            proxy_pass http://$back/?$args;
          }
          location /braced/ {
            LABEL
            proxy_pass http://${back}/a${uri}b;
          }
          location /only-query {
            LABEL
            proxy_pass http://$back?x=1;
          }
          location /deep/ {
            LABEL
            proxy_set_header Host outer;
            location /deep/inner/ {
              LABEL
              proxy_pass http://group/;
            }
          }
        }
      }
      """, paths.map { Ask(host: "loc.test", path: $0) })
  }

  /// `nginx -t` and the reader agree on what is wrong, and where.
  @Test(arguments: [
    "events {}\nhttp { server { listen 127.0.0.1:1; } }\n",
    "events {}\r\nhttp {\r\n  server {\r\n    listen 127.0.0.1:1;\r\n  }\r\n}\r\n",
    "\u{FEFF}events {}\n",
    "events {}\nhttp {\n  server {\n    listen 127.0.0.1:1;\n    location / {\n      proxy_pass http://127.0.0.1:3000\n    }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location / {\n      proxy_pass http://127.0.0.1:3000\n      proxy_read_timeout 5s;\n    }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location / {\n      proxy_pass http://127.0.0.1:3000;\n",
    "events {}\nhttp {\n  server {\n    location / {\n      proxy_pa",
    "events {}\nhttp {\n  server {\n    location / {\n      proxy_pass \"http://127.0.0.1",
    "events {}\nhttp {\n}\n}\n",
    "events {}\nhttp {\n  ;\n}\n",
    "events {}\nhttp {\n  {\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location / { return 200 \"a\"b; }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    return 200 \"a;{}#b\"; # } {\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    return 200 a\\;b\\{;\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    set $a 1; return 200 ${a}b;\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    if ($host ~ \"a\") { return 404; }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    return 200 'it\\'s \"fine\"';\n    server_name\n      a.test\n      b.test;\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    server_name;\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    proxy_pass http://127.0.0.1;\n  }\n}\n",
    "events {}\nhttp {\n  location / {\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location / ;\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location /a {\n      proxy_pass http://127.0.0.1:3000 {\n      }\n    }\n  }\n}\n",
    "events {}\nhttp {\n  proxy_read_timeout 1x;\n}\n",
    "events {}\nhttp {\n  proxy_read_timeout 1m30s; proxy_connect_timeout 500ms; proxy_send_timeout '1h 5';\n}\n",
    "events {}\nhttp {\n  proxy_read_timeout 30s1m;\n}\n",
    "events {}\nhttp {\n  server {\n    location =~ /a {\n    }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location / {\n      proxy_pass 127.0.0.1:3000;\n    }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location ~ ^/a(.*)$ {\n      proxy_pass http://127.0.0.1:3000/a/;\n    }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location ~ ^/a(.*)$ {\n      proxy_pass http://127.0.0.1:3000/$1;\n    }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location ~* \\.php$ {\n      proxy_pass http://127.0.0.1:3000;\n    }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location @app {\n      proxy_pass http://127.0.0.1:3000/;\n    }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location /a/ {\n      proxy_pass http://127.0.0.1:3000/;\n    }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location / {\n      if ($arg_x) {\n        proxy_pass http://127.0.0.1:3000/;\n      }\n    }\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    location ~ /a {\n      proxy_pass http://unix:/run/a.sock;\n    }\n  }\n}\n",
    "events {}\nhttp {\n  include missing.conf;\n}\n",
    "events {}\nhttp {\n  include missing*.conf;\n}\n",
    "events {}\nhttp {\n  upstream a {\n    server 127.0.0.1:1 weight=2;\n    server 127.0.0.1:2 backup;\n  }\n}\n",
    "events {}\nhttp {\n  upstream {\n    server 127.0.0.1:1;\n  }\n}\n",
    "events {}\nhttp {\n  map $host $x {\n    default 1;\n    server 2;\n    ~^listen 3;\n  }\n  types {\n    a/b html;\n  }\n}\n",
    "events {}\nhttp {\n  # \(String(repeating: "x", count: 5000))\n}\n",
    "events {}\nhttp {\n  server {\n    return 200 '\(String(repeating: "x", count: 5000))';\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    return 200 \(String(repeating: "x", count: 4000));\n  }\n}\n",
    "events {}\nhttp {\n  server {\n    listen 127.0.0.1:1\n    server_name a;\n  }\n}\n",
  ])
  func whatIsWrong(_ text: String) async throws {
    let folder = try Folder()
    defer { folder.remove() }
    let file = try folder.write(text, to: "nginx.conf")
    let (status, output) = try run(
      nginx, ["-t", "-p", folder.path, "-c", file, "-g", "pid \(folder.path)/nginx.pid;"])
    let files = GrammarFiles(
      read: { FileManager.default.contents(atPath: $0).map { String(decoding: $0, as: UTF8.self) } }, glob: { _ in [] })
    let configuration = await Nginx.Configuration.load(main: file, matches: regexes, files: files)
    #expect((status == 0) == configuration.problems.isEmpty, "\(output)\(configuration.problems)")
    if let problem = configuration.problems.first {
      #expect(
        output.contains("\(problem.message) in \(problem.file):\(problem.line)\n"), "\(problem)\n\(output)")
    }
  }
}
