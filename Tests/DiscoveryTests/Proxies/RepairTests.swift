import Model
import Routes
import Testing
import World

@testable import Discovery

private func read(
  _ kind: String, _ command: [String], _ path: String, _ text: String, _ url: String = "http://shop.example.org/"
) async throws -> (outcome: Reading.Outcome, facts: Facts) {
  let world = MemoryWorld(command: command, files: [path: text])
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

  @Test(arguments: [
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
    #expect(proxy.places["port"]?.head == head.map { "\treverse_proxy \($0)" })
  }
}
