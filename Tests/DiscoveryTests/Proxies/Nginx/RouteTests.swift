@testable import Discovery
import Routes
import Testing

@Suite struct RouteTests {
  @Test func aLiteralUpstreamHasAPlaceForEachPart() async throws {
    let configuration = await nginxConfiguration(
      http:
        "  server {\n    listen 80;\n    location / {\n      proxy_pass http://app:3000/api/;\n      proxy_read_timeout 1m30s;\n    }\n  }"
    )
    let route = try #require(configuration.route(host: "any", port: 80, path: "/x", isTLS: false))
    let upstream = try #require(route.upstreams.first)
    #expect(upstream.hostSpan?.head == "      proxy_pass http://")
    #expect(upstream.hostSpan?.tail == ":3000/api/;")
    #expect(upstream.portSpan?.head == "      proxy_pass http://app:")
    #expect(upstream.portSpan?.tail == "/api/;")
    #expect(upstream.schemeSpan?.head == "      proxy_pass ")
    #expect(upstream.schemeSpan?.tail == "://app:3000/api/;")
    #expect(upstream.isResolvedOnce)
    #expect(route.passSpan?.line == 6)
    #expect(route.passSpan?.indentation == "      ")
    #expect(route.upstreamPath == "/api/x")
    #expect(route.choice == .default)
    #expect(route.readTimeout.value == .seconds(90))
    #expect(route.readTimeout.span?.tail == ";")
    #expect(route.connectTimeout == .init(value: .seconds(60), span: nil))
  }

  /// Its location may have a variable, and `off` ends what is set around.
  @Test(arguments: [
    ("/", "http://authelia:9091"), ("/public/", nil), ("/other/", "http://10.0.0.9:4180"), ("/none/", nil),
  ])
  func theServiceThatIsAskedFirst(path: String, login: String?) async throws {
    let configuration = await nginxConfiguration(
      http: """
        server {
          auth_request /internal/authz;
          location = /internal/authz { internal; set $up http://authelia:9091/api/authz; proxy_pass $up; }
          location = /oauth2/auth { proxy_pass http://10.0.0.9:4180; }
          location / { proxy_pass http://app:3000; }
          location /public/ { auth_request off; proxy_pass http://app:3000; }
          location /other/ { auth_request /oauth2/auth; proxy_pass http://app:3000; }
          location /none/ { auth_request /nowhere; proxy_pass http://app:3000; }
          location = /nowhere { return 200; }
        }
        """)
    let route = try #require(configuration.route(host: "any", port: 80, path: path, isTLS: false))
    #expect(route.login == login)
  }

  /// Rules that may refuse: an `if` of which it cannot be told whether it holds, and limits.
  @Test(arguments: [
    ("if (-f /srv/closed.on) { return 503; }", ["503 if /srv/closed.on"]),
    ("if ($remote_addr ~ ^10[.]) { return 403; }", ["403 if -"]),
    ("if ($request_method = POST) { return 405; }", []), ("if ($http_accept_language) { return 302 /z; }", nil),
    ("limit_req zone=one;", ["503 limit_req -"]), ("limit_conn one 2; limit_conn_status 429;", ["429 limit_conn -"]),
    ("allow 10.0.0.0/8; deny all;", ["403 deny -"]),
  ])
  func whatMayRefuse(rule: String, expected: [String]?) async throws {
    let configuration = await nginxConfiguration(
      http: "server {\n\(rule)\nlocation / { proxy_pass http://app:3000; }\n}")
    let route = try #require(configuration.route(host: "any", port: 80, isTLS: false))
    guard let expected else { return #expect(!route.kind.isPassed) }
    #expect(route.refusals.map { "\($0.status) \($0.rule.name) \($0.file ?? "-")" } == expected)
  }

  @Test(arguments: [
    ("fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;", "/srv/site"),
    ("fastcgi_param SCRIPT_FILENAME /app$fastcgi_script_name;", "/app"),
    ("fastcgi_param QUERY_STRING $query_string;", ""),
    ("fastcgi_param SCRIPT_FILENAME $home/index.php;", "?"),
  ])
  func theFolderOfScripts(line: String, folder: String) async throws {
    let configuration = await nginxConfiguration(
      http: "server {\nroot /srv/site;\nlocation ~ [.]php$ { \(line) fastcgi_pass php:9000; }\n}")
    let route = try #require(configuration.route(host: "any", port: 80, path: "/a.php", isTLS: false))
    #expect(route.scripts.map { $0.value ?? "" } ?? "?" == folder)
  }

  @Test func anAbsentPortIsInserted() async throws {
    let configuration = await nginxConfiguration(
      http:
        "upstream app {\nserver backend weight=2;\nserver unix:/run/a.sock backup;\n}\nserver { location / { proxy_pass https://app; } }"
    )
    let route = try #require(configuration.route(host: "any", port: 80, isTLS: false))
    #expect(route.group == "app")
    #expect(route.upstreams.map(\.url) == ["https://backend:80", "https://unix:/run/a.sock"])
    #expect(route.upstreams.map(\.isBackup) == [false, true])
    #expect(route.upstreams[0].portSpan?.head == "server backend:")
    #expect(route.upstreams[0].portSpan?.tail == " weight=2;")
  }

  /// The shape of Nginx Proxy Manager 2.15.1's generated files.
  @Test func variablesLeadToTheirLines() async throws {
    let configuration = await nginxConfiguration([
      "/etc/nginx/nginx.conf":
        "events {}\nhttp {\n  include conf.d/include/resolvers[.]conf;\n  map $host $forward_scheme {\n    default http;\n  }\n  include /data/nginx/proxy_host/*.conf;\n}\n",
      "/etc/nginx/conf.d/include/resolvers.conf": "resolver 127.0.0.11 valid=10s;\n",
      "/etc/nginx/conf.d/include/proxy.conf":
        "proxy_set_header Host $host;\nproxy_pass       $forward_scheme://$server:$port$request_uri;\n",
      "/data/nginx/proxy_host/2.conf": """
      server {
        set $forward_scheme http;
        set $server         "app";
        set $port           3000;
        listen 80;
        listen [::]:80;
        server_name app.example.com;
        location /api {
          proxy_pass       http://api:9000;
        }
        location / {
          include conf.d/include/proxy.conf;
        }
      }
      """,
      "/data/nginx/proxy_host/3.conf":
        "server {\n  listen 80;\n  server_name b.example.com;\n  location / {\n    set $up api:9000;\n    proxy_pass http://$up;\n  }\n}\n",
    ])
    #expect(configuration.problems == [])
    let route = try #require(
      configuration.route(host: "app.example.com", port: 80, path: "/x?y", isTLS: false))
    let upstream = try #require(route.upstreams.first)
    #expect(route.choice == .exact)
    #expect(upstream.url == "http://app:3000")
    #expect(upstream.resolution == .eachRequest(resolvers: ["127.0.0.11"]))
    #expect(upstream.hostSpan?.file == "/data/nginx/proxy_host/2.conf")
    #expect(upstream.hostSpan?.head == "  set $server         \"")
    #expect(upstream.hostSpan?.tail == "\";")
    #expect(upstream.portSpan?.line == 4)
    #expect(upstream.schemeSpan?.line == 2)
    #expect(route.upstreamPath == "/x?y")
    #expect(route.hostHeader.value == "app.example.com")
    let other = try #require(
      configuration.route(host: "b.example.com", port: 80, isTLS: false)?.upstreams.first)
    #expect(other.isResolvedOnce)
    guard case .atStartBecause(let place) = other.resolution else {
      Issue.record("\(other.resolution)")
      return
    }
    #expect((place.file, place.line) == ("/data/nginx/proxy_host/2.conf", 9))
    #expect(
      configuration.allRoutes().map {
        "\($0.serverName ?? "") \($0.location ?? "") \($0.upstreams.map(\.url))"
      } == [
        "app.example.com / [\"http://app:3000\"]", "app.example.com /api [\"http://api:9000\"]",
        "b.example.com / [\"http://api:9000\"]",
      ])
  }

  /// Lines of a server, what is asked of it, and what nginx 1.22 does: the address with the path, a status, a redirect's
  /// target; nil: that cannot be told.
  static let deeds: [(server: String, asked: String, deed: String?)] = [
    ("if ($host = one.test) { return 301 https://$host$request_uri; } return 404;", "one.test/x", "https://one.test/x"),
    ("if ($host = one.test) { return 301 https://$host$request_uri; } return 404;", "two.test/x", "404"),
    (
      "if ($host != one.test) { return 301 http://one.test$request_uri; } location / { proxy_pass http://app:1; }",
      "one.test/x", "http://app:1 /x"
    ),
    (
      "if ($host ~* ^www\\.(.+)$) { return 308 $scheme://$1/; } location / { proxy_pass http://app:1; }",
      "WWW.one.test/x",
      "http://one.test/"
    ),
    (
      "if ($host !~ ^www) { return 302 /away; } location / { proxy_pass http://app:1; }", "www.one.test/",
      "http://app:1 /"
    ),
    ("location / { if ($scheme = http) { proxy_pass http://app:1; } }", "one.test/x", "http://app:1 /x"),
    (
      "location / { if ($request_method = POST) { return 301 /no; } proxy_pass http://app:1; }", "one.test/",
      "http://app:1 /"
    ),
    (
      "location / { if ($uri ~ ^/old/(.*)) { rewrite ^/old/(.*) /new/$1 break; } proxy_pass http://app:1; }",
      "one.test/old/a",
      "http://app:1 /new/a"
    ),
    (
      "location / { if ($arg_v = 2) { proxy_pass http://two:2; } proxy_pass http://app:1; }", "one.test/?v=2",
      "http://two:2 /?v=2"
    ),
    (
      "location / { set $up app:1; if ($http_upgrade) { set $up ws:2; } proxy_pass http://$up; }", "one.test/",
      "http://app:1 /"
    ),
    (
      "location / { if ($http_accept_language) { proxy_pass http://two:2; } proxy_pass http://app:1; }", "one.test/",
      nil
    ),
    (
      "location / { if ($http_user_agent ~ bot) { return 403; } proxy_pass http://app:1; }", "one.test/",
      "http://app:1 /"
    ),
    (
      "location / { set $up app:1; if ($http_accept_language) { set $up two:2; } proxy_pass http://$up; }", "one.test/",
      "none"
    ),
    ("location / { if (!-f $request_filename) { proxy_pass http://app:1; break; } }", "one.test/x", "http://app:1 /x"),
    (
      "location / { try_files $uri /a; if ($scheme = http) { set $x 1; } proxy_pass http://app:1; }", "one.test/x",
      "http://app:1 /x"
    ),
    ("location / { try_files $uri $uri/ =404; proxy_pass http://app:1; }", "one.test/x", "404"),
    ("location / { try_files $uri $uri/ =404; proxy_pass http://app:1; }", "one.test/", "http://app:1 /"),
    ("location / { try_files $uri $uri/ =404; proxy_pass http://app:1; }", "one.test/x.js", nil),
    (
      "location / { try_files $uri =404; error_page 404 = @app; proxy_pass http://no:2; } location @app { proxy_pass http://app:1; }",
      "one.test/x?q=1", "http://app:1 /x?q=1"
    ),
    (
      "location / { try_files $uri /fall; } location /fall { proxy_pass http://app:1; }", "one.test/x?q=1",
      "http://app:1 /fall"
    ),
    (
      "location / { try_files $uri /fall?$args; } location /fall { proxy_pass http://app:1; }", "one.test/x?q=1",
      "http://app:1 /fall?q=1"
    ),
    (
      "location / { root /nothing; error_page 404 = @app; } location @app { proxy_pass http://app:1; }", "one.test/x",
      "http://app:1 /x"
    ),
    (
      "error_page 418 = @app; location / { return 418; } location @app { proxy_pass http://app:1; }", "one.test/x",
      "http://app:1 /x"
    ),
    (
      "error_page 404 /away; location / { return 404; } location /away { proxy_pass http://app:1; }", "one.test/x?q",
      "http://app:1 /away"
    ),
    ("error_page 404 /gone.html; location / { return 404; }", "one.test/x", "404"),
    ("location / { memcached_pass cache:11211; }", "one.test/x", "memcached_pass"),
    ("location / { internal; proxy_pass http://app:1; }", "one.test/x", "404"),
    ("location /a/ { internal; location /a/b { proxy_pass http://app:1; } }", "one.test/a/b", "404"),
    (
      "location / { rewrite ^ /in last; } location = /in { internal; proxy_pass http://app:1; }", "one.test/x",
      "http://app:1 /in"
    ),
    ("location /a { rewrite /a(.*) $1 break; proxy_pass http://app:1; }", "one.test/a", "500"),
    ("location /a { rewrite /a(.*) $1 break; proxy_pass http://app:1; }", "one.test/a/b", "http://app:1 /b"),
    ("if ($http_referer ~* x) { return 403; } location / { proxy_pass http://app:1; }", "one.test/", "http://app:1 /"),
    (
      "location / { if ($cookie_beta) { proxy_pass http://two:2; } proxy_pass http://app:1; }", "one.test/",
      "http://app:1 /"
    ),
    (
      "location ~ \\.php$ { if (!-f $request_filename) { return 404; } proxy_pass http://php:1; }", "one.test/x.php",
      "http://php:1 /x.php"
    ),
    (
      "index index.php; location / { try_files $uri $uri/ @app; } location @app { proxy_pass http://app:1; } location ~ \\.php$ { proxy_pass http://php:1; }",
      "one.test/", "http://php:1 /index.php"
    ),
    (
      "index index.php; location / { try_files $uri $uri/ @app; } location @app { proxy_pass http://app:1; } location ~ \\.php$ { proxy_pass http://php:1; }",
      "one.test/x", "http://app:1 /x"
    ),
    (
      "index index.php; location / { try_files $uri $uri/ @none; proxy_pass http://app:1; } location @none { return 404; }",
      "one.test/", "404"
    ),
  ]

  @Test(arguments: deeds)
  func whatNginxDoesWithARequestByItsConditionsAndItsErrors(server: String, asked: String, deed: String?) async throws {
    let configuration = await nginxConfiguration(http: "server { listen 80; \(server) }")
    let (host, path) = (asked.prefix { $0 != "/" }, asked.drop { $0 != "/" })
    let route = try #require(configuration.route(host: String(host), port: 80, path: String(path), isTLS: false))
    let found: String? =
      switch route.kind {
      case .returned(let code): "\(code)"
      case .redirect(_, let target): target
      case .other(let name): name
      case .static: "files"
      case .undecided: nil
      default: route.upstreams.first.map { "\($0.url) \(route.upstreamPath ?? "")" } ?? "none"
      }
    #expect(found == deed)
  }

  /// The Host header has the port at which the client asks, not that of nginx behind it
  @Test func theHostAsSentHasThePortOfOutside() async throws {
    let configuration = await nginxConfiguration(
      http: "server { listen 80; location / { proxy_set_header Host $http_host; proxy_pass http://app:1; } }")
    for (outside, expected) in [(8080, "one.test:8080"), (80, "one.test"), (nil, "one.test")] as [(UInt16?, String)] {
      let route = configuration.route(host: "one.test", port: 80, isTLS: false, outside: outside)
      #expect(route?.hostHeader.value == expected)
    }
  }

  /// nginx sends each of them; which one an app takes is not known
  @Test(
    arguments: [
      ("proxy_set_header Host $http_host; proxy_set_header Host other.test;", nil),
      ("proxy_set_header Host $host; proxy_set_header host $host;", "one.test"),
    ] as [(String, String?)])
  func severalHostsAtOnce(lines: String, host: String?) async throws {
    let configuration = await nginxConfiguration(
      http: "server { listen 80; location / { \(lines) proxy_pass http://app:1; } }")
    let route = try #require(configuration.route(host: "one.test", port: 80, isTLS: false))
    #expect(route.hostHeader.value == host)
  }

  @Test(
    arguments: [
      ("location / { proxy_pas http://app:1; }", "proxy_pass"), ("locaton / { return 404; }", "location"),
      ("location / { proxy_set_heder Host $host; }", "proxy_set_header"), ("server_nam one.test;", "server_name"),
      ("location / { more_set_headers \"a: b\"; }", nil), ("location / { echo hello; }", nil),
      ("proxy_pas http://app:1;", nil), ("location / { proxy_pas http://app:1 http://app:2; }", nil),
    ] as [(String, String?)])
  func aMisspeltDirectiveIsAMistakeWhereTheOneThatWasMeantCouldStand(server: String, meant: String?) async {
    let configuration = await nginxConfiguration(http: "server {\n\(server)\n}")
    let problem = configuration.problems.first
    #expect(problem.map { $0.message.hasPrefix("unknown directive \"") } ?? false == (meant != nil))
    #expect(meant.map { problem?.message != "unknown directive \"\($0)\"" } ?? true)
  }

  @Test(
    arguments: [
      ("~ ^/a(.*)$", "http://app:1/a/", "http://app:1"), ("~ ^/a(.*)$", "http://app:1/", "http://app:1"),
      ("@app", "http://app:1/", "http://app:1"), ("~ ^/a(.*)$", "http://app:1/b/", nil),
      ("~ /a", "http://app:1/a/", nil),
    ] as [(String, String, String?)])
  func anAddressWithAPathWhereNoneMayStand(location: String, url: String, meant: String?) async {
    let configuration = await nginxConfiguration(
      http: "server { location \(location) { proxy_pass \(url); } }")
    let problem = configuration.problems.first
    #expect(problem?.message.hasPrefix("\"proxy_pass\" cannot have URI part") == true)
    #expect(problem?.slip?.written == meant.map { _ in url })
    #expect(problem?.slip?.meant == meant)
  }

  @Test func hostsFromRows() throws {
    let hosts = NginxProxyManager.hosts([
      [
        "id": "7", "domain_names": "[\"App.example.com\",\"*.example.org\"]", "forward_scheme": "http",
        "forward_host": "app", "forward_port": "3000", "enabled": "1", "is_deleted": "0",
        "meta": "{\"nginx_online\":false,\"nginx_err\":\"bad\"}",
        "locations":
          "[{\"path\":\"/api\",\"forward_host\":\"api/v1\",\"forward_port\":9000,\"forward_scheme\":\"https\"}]",
      ],
      [
        "id": "8", "domain_names": "[\"x.example.org\"]", "enabled": "0", "locations": "null",
        "meta": "not JSON",
      ],
      ["domain_names": "[]"],
    ])
    #expect(hosts.map(\.id) == [7, 8])
    let host = try #require(NginxProxyManager.host(for: "app.example.com", among: hosts, matches: regexes))
    #expect(host.file == "/data/nginx/proxy_host/7.conf")
    #expect(host.isOnline == false)
    #expect(host.error == "bad")
    #expect(
      host.location(for: "/api/x", matches: regexes)?.forward
        == .init(scheme: "https", host: "api", port: 9000))
    #expect(host.location(for: "/api/x", matches: regexes)?.forwardPath == "/v1")
    #expect(host.location(for: "/", matches: regexes) == nil)
    // The wildcard that is in use comes before the name that is not.
    #expect(NginxProxyManager.host(for: "x.example.org", among: hosts, matches: regexes)?.id == 7)
    #expect(hosts[1].isOnline == nil)
  }
}
