import Model
import Routes
import Testing
import World

@testable import Discovery

private func read(
  _ kind: String, _ command: [String], _ path: String, _ text: String, _ url: String = "http://shop.example.org/",
  beside others: [String] = []
) async throws -> (outcome: Reading.Outcome, facts: Facts) {
  let files = Dictionary(uniqueKeysWithValues: others.map { ($0, "") }).merging([path: text]) { _, new in new }
  let world = MemoryWorld(command: command, files: files)
  let place = ProxyPlace(id: nil, pid: MemoryWorld.pid, usesHostNetwork: true)
  let site = try #require(Site(url))
  let reading = try await RouteReading.read(
    .init(site: site, port: site.port), kind: kind, at: place, in: world, Signs())
  return (reading.outcome, reading.facts)
}

private func haproxy(_ rule: String, server: String = "app:3000", _ url: String) async throws -> (
  outcome: Reading.Outcome, facts: Facts
) {
  try await read(
    "haproxy", ["/usr/sbin/haproxy"], "/etc/haproxy/haproxy.cfg",
    """
    defaults
      mode http
    frontend web
      bind :80,:8080
      \(rule)
      use_backend app if site
    backend app
      server one \(server)
    """, url)
}

private func nginx(_ listen: String, _ location: String, _ url: String = "http://shop.example.org/") async throws
  -> Facts
{
  try await read(
    "nginx", ["nginx: master process /usr/sbin/nginx"], "/etc/nginx/nginx.conf",
    """
    events {}
    http {
      server {
        listen \(listen);
        server_name shop.example.org;
        \(location)
      }
    }
    """, url
  ).facts
}

private func nginx(
  http: String, _ url: String = "http://shop.example.org/", beside others: [String] = []
) async throws -> (outcome: Reading.Outcome, facts: Facts) {
  try await read(
    "nginx", ["nginx: master process /usr/sbin/nginx"], "/etc/nginx/nginx.conf", "events {}\n\(http)\n", url,
    beside: others)
}

private func lighttpd(_ inner: String) async throws -> Facts {
  try await read(
    "lighttpd", ["/usr/sbin/lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"], "/etc/lighttpd/lighttpd.conf",
    "server.modules = ( \"mod_proxy\" )\nserver.port = 80\n$HTTP[\"host\"] == \"shop.example.org\" {\n\(inner)\n}\n",
    "http://shop.example.org/app/x"
  ).facts
}

/// What readers know besides the way of a request, so that a page can mend it.
@Suite struct RepairTests {
  @Test(arguments: [
    ("acl site hdr(host) -i shop.example.org", "acl site hdr(host),field(1,:) -i shop.example.org"),
    ("acl site req.hdr(host),lower shop.example.org", "acl site req.hdr(host),lower,field(1,:) shop.example.org"),
  ])
  func aNameIsComparedWithoutThePortThatABrowserNames(rule: String, fixed: String) async throws {
    let found = try await haproxy(rule, "http://shop.example.org:8080/")
    #expect(found.outcome == .misconfigured)
    #expect(found.facts["problem-line.fixed"] == "  " + fixed)
    #expect(try await haproxy(rule, "http://shop.example.org/").outcome == .found)
  }

  @Test(arguments: ["acl site hdr_beg(host) -i shop.example.org", "acl site hdr(host),field(1,:) -i shop.example.org"])
  func aRuleThatTakesThePortIsNoMistake(rule: String) async throws {
    #expect(try await haproxy(rule, "http://shop.example.org:8080/").outcome == .found)
    #expect(try await haproxy(rule, "http://blog.example.org:8080/").outcome == .missing)
  }

  @Test(arguments: [("", nil), (" send-proxy", "yes"), (" send-proxy-v2", "yes"), (" send-proxy no-send-proxy", nil)])
  func whetherItSendsThePROXYProtocol(words: String, sends: String?) async throws {
    let found = try await haproxy(
      "acl site hdr(host) -i shop.example.org", server: "app:3000" + words, "http://shop.example.org/")
    #expect(found.facts["route.sends-preamble"] == sends)
  }

  @Test func aListenThatWaitsForThePROXYProtocolIsMendedWithoutIt() async throws {
    let pass = "location / { proxy_pass http://127.0.0.1:3000; }"
    let waits = try await nginx("80 proxy_protocol", pass)
    #expect(waits["proxy.wants-preamble"] == "yes")
    #expect(waits["preamble-line.with"] == "    listen 80;")
    #expect(try await nginx("80", pass)["proxy.wants-preamble"] == nil)
  }

  @Test func aListenThatSpeaksOnlyHTTP2WithoutTLSIsMendedWithoutIt() async throws {
    let pass = "location / { proxy_pass http://127.0.0.1:3000; }"
    let facts = try await nginx("80 http2", pass)
    #expect(facts["proxy.wants-http2"] == "yes")
    #expect(facts["http2-line.with"] == "    listen 80;")
    let encrypted = try await nginx("443 ssl http2", pass, "https://shop.example.org/")
    #expect(encrypted["upstream.port"] == "3000")
    #expect(encrypted["proxy.wants-http2"] == nil)
  }

  @Test(arguments: [
    ("[::]:80", "yes", "    listen 80;\n    listen [::]:80;"), ("[::]:80 ipv6only=off", nil, nil), ("80", nil, nil),
    ("[::1]:80", "yes", nil),
  ])
  func aListenForIPv6AloneGetsOneForIPv4(listen: String, only: String?, with: String?) async throws {
    let facts = try await nginx(listen, "location / { proxy_pass http://127.0.0.1:3000; }")
    #expect(facts["upstream.port"] == "3000")
    #expect(facts["proxy.only-ipv6"] == only)
    #expect(facts["ipv6-line.with"] == with)
  }

  @Test(arguments: [
    ("any 60m", "60m"), ("200 502 504 10m", "200 10m"), ("200 10m", nil), ("404 1m", nil),
  ])
  func aCacheThatKeepsErrorsIsMendedWithoutThem(valid: String, fixed: String?) async throws {
    let found = try await nginx(
      http: """
        http {
          proxy_cache_path /var/cache/pages keys_zone=pages:2m;
          server {
            listen 80;
            location / {
              proxy_pass http://127.0.0.1:3000;
              proxy_cache pages;
              proxy_cache_valid \(valid);
            }
          }
        }
        """)
    #expect(found.facts["route.keeps-errors"] == fixed.map { _ in "proxy_cache_valid \(valid)" })
    #expect(found.facts["cache-line.with"] == fixed.map { "      proxy_cache_valid \($0);" })
    #expect(found.facts["route.cache-folder"] == fixed.map { _ in "/var/cache/pages" })
  }

  @Test(arguments: [
    ("shop.example.org,www.shop.example.org", "shop.example.org www.shop.example.org"),
    ("https://shop.example.org/", "shop.example.org"), ("shop.example.org:8080", "shop.example.org"),
    ("shop.example.org,", "shop.example.org"), ("shop.example.com,www.example.com", nil),
  ])
  func aWordThatIsNoNameIsMended(names: String, fixed: String?) async throws {
    let found = try await nginx(
      http: """
        http {
          server { listen 80 default_server; return 404; }
          server {
            listen 80;
            server_name \(names);
            location / { proxy_pass http://127.0.0.1:3000; }
          }
        }
        """)
    #expect((found.outcome == .misconfigured) == (fixed != nil))
    #expect(found.facts["problem-line.fixed"] == fixed.map { "    server_name \($0);" })
  }

  @Test(arguments: [
    ("last", "break"), ("break", nil),
  ])
  func aRewriteThatLeavesTheAppsLocationIsMended(flag: String, fixed: String?) async throws {
    let found = try await nginx(
      http: """
        http {
          server {
            listen 80;
            server_name shop.example.org;
            root /srv/ui;
            location /api/ {
              rewrite ^/api/(.*)$ /$1 \(flag);
              proxy_pass http://127.0.0.1:3000;
            }
          }
        }
        """, "http://shop.example.org/api/users")
    #expect(found.outcome == (fixed == nil ? .found : .misconfigured))
    #expect(found.facts["problem-line.fixed"] == fixed.map { "      rewrite ^/api/(.*)$ /$1 \($0);" })
  }

  @Test(arguments: [
    ("root /srv/static", "/srv/static/css/a.css", "alias /srv/static/"),
    ("root /srv", "/srv/static/css/a.css", nil), ("alias /srv/static", "/srv/static/css/a.css", "alias /srv/static/"),
    ("alias /srv", "/srv/static/css/a.css", "root /srv"), ("root /srv/static", "/srv/other/a.css", nil),
  ])
  func aFolderThatIsOffByAPartOfThePathIsMended(line: String, file: String, fixed: String?) async throws {
    let found = try await nginx(
      http: """
        http {
          server {
            listen 80;
            server_name shop.example.org;
            location /static/ {
              \(line);
            }
          }
        }
        """, "http://shop.example.org/static/css/a.css", beside: [file])
    #expect(found.outcome == (fixed == nil ? .static : .misconfigured))
    #expect(found.facts["problem-line.fixed"] == fixed.map { "      \($0);" })
  }

  @Test(arguments: [(46, false), (47, true)])
  func aNameHasToFitIntoItsTable(length: Int, isTooLong: Bool) async throws {
    let name = String(repeating: "a", count: length - 8) + ".example"
    let found = try await nginx(
      http: """
        http {
          server { listen 80; server_name other.example; return 404; }
          server {
            listen 80; server_name \(name);
            location / { proxy_pass http://127.0.0.1:3000; }
          }
        }
        """)
    #expect((found.facts["config.problem"]?.contains("server_names_hash_bucket_size: 64") == true) == isTooLong)
    #expect(
      found.facts["problem-line.fixed"]
        == (isTooLong ? "  server_names_hash_bucket_size 128;\nserver {" : nil))
  }

  @Test func eachVisitorMayGetAnotherServer() async throws {
    let found = try await nginx(
      http: """
        http {
          split_clients $remote_addr $release { 10% canary; * stable; }
          upstream canary { server 10.0.0.2:3000; }
          upstream stable { server 10.0.0.3:3000; }
          server { listen 80; location / { proxy_pass http://$release; } }
        }
        """)
    #expect(found.facts["route.servers"] == "10.0.0.2:3000, 10.0.0.3:3000")
  }

  @Test(arguments: [
    ("shop.example.org", "10.0.0.2"), ("blog.example.org", "10.0.0.9"),
  ])
  func aConnectionIsPassedOnByTheNameInItsTLS(host: String, upstream: String) async throws {
    let found = try await nginx(
      http: """
        stream {
          map $ssl_preread_server_name $name { shop.example.org shop; default other; }
          upstream shop { server 10.0.0.2:8443; }
          upstream other { server 10.0.0.9:443; }
          server { listen 443; ssl_preread on; proxy_pass $name; }
        }
        """, "https://\(host)/")
    #expect(found.outcome == .found)
    #expect(found.facts["upstream.host"] == upstream)
    #expect(found.facts["route.protocol"] == "tcp")
    #expect(found.facts["upstream.scheme"] == "https")
  }

  @Test func aByteOrderMarkIsTold() async throws {
    let found = try await nginx(http: "").facts
    #expect(found["config.byte-mark"] == nil)
    let marked = try await read(
      "nginx", ["nginx: master process /usr/sbin/nginx"], "/etc/nginx/nginx.conf", "\u{FEFF}events {}\nhttp {}\n")
    #expect(marked.facts["config.byte-mark"] == "/etc/nginx/nginx.conf")
  }

  @Test(arguments: [
    ("location /app/ { proxy_pass http://127.0.0.1:3000/app/; }", "/app"),
    ("location /app/ { proxy_pass http://127.0.0.1:3000; }", "/app"),
    ("location ^~ /app { proxy_pass http://127.0.0.1:3000; }", "/app"),
    ("location /app/ { proxy_pass http://127.0.0.1:3000/; }", nil),
    ("location / { proxy_pass http://127.0.0.1:3000; }", nil),
    ("location ~ ^/app { proxy_pass http://127.0.0.1:3000; }", nil),
  ])
  func thePartOfThePathThatNginxPassesOn(location: String, prefix: String?) async throws {
    #expect(try await nginx("80", location, "http://shop.example.org/app/x")["route.prefix"] == prefix)
  }

  @Test func aLineOfTheOtherProtocolsIsWrittenForHTTP() async throws {
    let facts = try await nginx("80", "location / { uwsgi_pass 127.0.0.1:3000; }")
    #expect(facts["pass-line.plain"] == "    location / { proxy_pass http://127.0.0.1:3000; }")
    #expect(try await nginx("80", "location / { proxy_pass http://127.0.0.1:3000; }")["pass-line.plain"] == nil)
  }

  @Test func ofAHostWithoutAPortBothArePutInOnePlace() async throws {
    let facts = try await nginx("80", "location / { proxy_pass http://app; }")
    #expect(facts["address-line.head"] == "    location / { proxy_pass http://")
    #expect(facts["address-line.tail"] == "; }")
  }

  @Test(arguments: [
    (#"$HTTP["url"] =~ "^/app/" { proxy.server = ( "" => (( "host" => "10.0.0.2" )) ) }"#, "/app"),
    (#"$HTTP["url"] =~ "^/app(/|$)" { proxy.server = ( "" => (( "host" => "10.0.0.2" )) ) }"#, "/app"),
    (#"proxy.server = ( "/app" => (( "host" => "10.0.0.2" )) )"#, "/app"),
    (#"proxy.server = ( "" => (( "host" => "10.0.0.2" )) )"#, nil),
    (#"$HTTP["url"] =~ "^/(app|shop)/" { proxy.server = ( "" => (( "host" => "10.0.0.2" )) ) }"#, nil),
    (
      #"proxy.header = ( "map-urlpath" => ( "/app" => "" ) )"# + "\n"
        + #"proxy.server = ( "/app" => (( "host" => "10.0.0.2" )) )"#, nil
    ),
  ])
  func thePartOfThePathThatLighttpdPassesOn(inner: String, prefix: String?) async throws {
    #expect(try await lighttpd(inner)["route.prefix"] == prefix)
  }

  @Test(arguments: [
    ("       passHostHeader: true", "        passHostHeader: true"),
    // None would do.
    ("       nonsense: true", nil),
  ])
  func aLineOfYAMLThatIsIndentedWronglyIsMendedIfOnlyOneDepthWillDo(line: String, fixed: String?) async throws {
    let text = """
      http:
        routers:
          shop:
            rule: Host(`shop.example.org`)
            service: shop
        services:
          shop:
            loadBalancer:
              servers:
                - url: http://10.0.0.2:3000
      \(line)

      """
    let facts = try await read(
      "traefik",
      ["/usr/bin/traefik", "--entrypoints.web.address=:80", "--providers.file.filename=/etc/traefik/shop.yml"],
      "/etc/traefik/shop.yml", text
    ).facts
    #expect(facts["problem-line.fixed"] == fixed)
    #expect(facts["config.problem"] != nil)
  }

  /// The text of the lines with the mistake, and what stands in their place.
  private func mended(_ kind: String, _ program: String, _ path: String, _ text: String) async throws -> [String?] {
    let facts = try await read(kind, [program], path, text).facts
    return [facts["problem-line.number"], facts["problem-line.text"], facts["problem-line.fixed"]]
  }

  @Test(arguments: [
    // Two files of the same form: both lines of the later one are mended.
    (
      "server {\nlisten 80 default_server;\nlisten [::]:80 default_server;\n}\n"
        + "server {\nlisten 80 default_server;\nlisten [::]:80 default_server;\n}",
      "8", "listen 80;\nlisten [::]:80;"
    ),
    ("server {\nlisten 80 default;\n}\nserver {\nlisten *:80 default;\n}", "7", "listen *:80;"),
    ("server {\nlisten 80 default_server;\n}\nserver {\nlisten 81 default_server;\n}", nil, nil),
    ("server {\nlisten 443 ssl default_server;\nlisten 443 quic default_server;\n}", nil, nil),
    (
      "upstream shop {\nserver app:3000;\n}\nserver {\nlocation / {\nproxy_pass http://shop:3000/;\n}\n}", "8",
      "proxy_pass http://shop/;"
    ),
    ("upstream shop {\nserver app:3000;\n}\nserver {\nlocation / {\nproxy_pass http://Shop;\n}\n}", nil, nil),
    ("upstream shop {\nserver app:3000;\n}\nserver {\nlocation / {\nproxy_pass http://$host:1;\n}\n}", nil, nil),
  ])
  func whatNginxCannotHaveTwice(http: String, line: String?, fixed: String?) async throws {
    let found = try await mended(
      "nginx", "/usr/sbin/nginx", "/etc/nginx/nginx.conf", "events {}\nhttp {\n\(http)\n}")
    #expect(found[0] == line)
    #expect(found[2] == fixed)
  }

  @Test(arguments: [
    ("Order deny,allow\nAllow from all", "Require all granted"),
    ("Order allow,deny\nDeny from all", "Require all denied"),
    ("  Order deny,allow\n  Deny from all\n  Allow from 10.0.0.0/8 ::1", "  Require ip 10.0.0.0/8 ::1"),
    ("Order deny,allow\nDeny from all\nAllow from env=let_in", nil), ("Order deny,allow\nDeny from 10.0.0.1", nil),
    ("Order deny,allow", nil),
  ])
  func whoMayComeInByAnOldApache(lines: String, fixed: String?) async throws {
    let found = try await mended(
      "apache", "/usr/sbin/apache2", "/etc/apache2/apache2.conf",
      """
      LoadModule authz_core_module m/mod_authz_core.so
      LoadModule proxy_module m/mod_proxy.so
      LoadModule proxy_http_module m/mod_proxy_http.so
      Listen 80
      <Location />
      \(lines)
      </Location>
      ProxyPass / http://app:3000/
      """)
    #expect(found[0] == "6")
    #expect(found[2] == fixed)
    if fixed != nil { #expect(found[1] == lines) }
  }

  @Test(arguments: [("server one app:3000\n", nil), ("server one app:3000", "/etc/haproxy/haproxy.cfg")])
  func aLastLineWithoutAnEnd(last: String, file: String?) async throws {
    let found = try await read(
      "haproxy", ["/usr/sbin/haproxy"], "/etc/haproxy/haproxy.cfg",
      "defaults\n  mode http\nlisten web\n  bind :80\n  \(last)")
    #expect(found.facts["haproxy.unended"] == file)
  }

  @Test(arguments: [
    ("use_backend app if { req.ssl_sni -i shop.example.org }", true),
    ("acl site req_ssl_sni -i shop.example.org\n  use_backend app if site", true),
    ("tcp-request inspect-delay 5s\n  use_backend app if { req.ssl_sni -i shop.example.org }", false),
    ("default_backend app", false),
  ])
  func aLookAtTheHelloHasToWait(rules: String, isHasty: Bool) async throws {
    let found = try await read(
      "haproxy", ["/usr/sbin/haproxy"], "/etc/haproxy/haproxy.cfg",
      "defaults\n  mode tcp\nfrontend web\n  bind :443\n  \(rules)\nbackend app\n  server one app:443\n",
      "https://shop.example.org/")
    #expect((found.outcome == .misconfigured) == isHasty)
    #expect((found.facts["problem-line.insert"] != nil) == isHasty)
  }

  @Test(arguments: [
    ("reverse_proxy app:3000\n\trespond \"Back soon\" 503", "/", "\t# respond \"Back soon\" 503"),
    ("reverse_proxy app:3000\n\trespond /gone 410", "/gone", nil), ("respond \"ok\" 503", "/", nil),
    ("handle /api* {\n\treverse_proxy app:3000\n\t}\n\thandle {\n\trespond 404\n\t}", "/", nil),
    ("reverse_proxy /shop app:3000", "/shop/a/b?c=/d", "\treverse_proxy /shop* app:3000"),
    ("reverse_proxy /shop app:3000", "/shopping", nil), ("reverse_proxy /shop* app:3000", "/shop/a", nil),
  ])
  func whatCaddyDoesWithASiteBesidePassingItOn(lines: String, path: String, fixed: String?) async throws {
    let found = try await read(
      "caddy", ["/usr/bin/caddy", "run", "--config", "/etc/caddy/Caddyfile"], "/etc/caddy/Caddyfile",
      "http://shop.example.org {\n\t\(lines)\n}\n", "http://shop.example.org\(path)")
    #expect((found.outcome == .misconfigured) == (fixed != nil))
    #expect(found.facts["problem-line.fixed"] == fixed)
  }

  /// Of several servers the one that is looked at is changed, wherever it stands.
  @Test(arguments: [
    ("app:3000 :3001", "localhost:3001", "\treverse_proxy app:3000 ", ":3001"),
    ("app:3000 api:3001", "api:3001", "\treverse_proxy app:3000 ", ":3001"),
    ("app:3000 api:3001", "app:3000", "\treverse_proxy ", ":3000 api:3001"),
  ])
  func theServerThatIsMeantOfSeveral(servers: String, meant: String, head: String, tail: String) async throws {
    let world = MemoryWorld(
      command: ["/usr/bin/caddy", "run", "--config", "/etc/caddy/Caddyfile"],
      files: ["/etc/caddy/Caddyfile": "http://shop.example.org {\n\treverse_proxy \(servers)\n}\n"])
    let site = try #require(Site("http://shop.example.org/"))
    let reading = try await RouteReading.read(
      .init(site: site, port: 80, server: meant), kind: "caddy",
      at: ProxyPlace(id: nil, pid: MemoryWorld.pid, usesHostNetwork: true), in: world, Signs())
    #expect(reading.facts["host-line.head"] == head)
    #expect(reading.facts["host-line.tail"] == tail)
  }

  @Test(arguments: [
    ("/$$1", "/$1"), ("/$${1}/x", "/${1}/x"), ("/$1", nil), ("/price$$", nil),
  ])
  func twoDollarsOfAComposeFile(replacement: String, fixed: String?) async throws {
    let world = MemoryWorld(
      command: ["traefik", "--entrypoints.web.address=:80", "--providers.file.filename=/d.yml"],
      files: [
        "/d.yml": """
        http:
          routers:
            shop: {rule: "Host(`shop.example.org`)", service: shop, middlewares: [m]}
          middlewares:
            m:
              replacePathRegex:
                regex: ^/a/(.*)
                replacement: \(replacement)
          services:
            shop: {loadBalancer: {servers: [{url: "http://app:3000"}]}}
        """
      ])
    let site = try #require(Site("http://shop.example.org/a/b"))
    let reading = try await RouteReading.read(
      .init(site: site, port: 80), kind: "traefik",
      at: ProxyPlace(id: nil, pid: MemoryWorld.pid, usesHostNetwork: true),
      in: world, Signs())
    #expect((reading.outcome == .misconfigured) == (fixed != nil))
    #expect(reading.facts["problem-line.fixed"] == fixed.map { "        replacement: \($0)" })
  }

  /// What a variable's default brings stands in the file, and the value of the environment does not.
  @Test(
    arguments: [
      ("{$HOST:app}:{$PORT:3000}", [:], "{$HOST:app}:{$PORT:"), ("{$APP:app:3000}", [:], "{$APP:app:"),
      ("app:{$PORT:3000}", ["PORT": "4000"], nil), ("app:3000", [:], "app:"),
    ] as [(String, [String: String], String?)])
  func aDefaultOfAVariableIsChangedInItsPlace(address: String, environment: [String: String], head: String?) async {
    let blocks = await Caddyfile.Blocks.read(
      "/Caddyfile", text: "http://a.test {\n\treverse_proxy \(address)\n}\n", environment: { environment[$0] },
      files: Caddyfile.Imports(read: { _ in nil }, glob: { _ in [] }))
    let adapted = Caddyfile.adapt(blocks, environment: { environment[$0] })
    let found = adapted.configuration.found(.init(host: "a.test", path: "/", port: 80, isTLS: false))
    guard case .proxied(let proxy, _, _)? = found?.served else {
      Issue.record("it is not passed on")
      return
    }
    #expect(proxy.upstreams.first?.portPlace?.head == head.map { "\treverse_proxy \($0)" })
  }
}
