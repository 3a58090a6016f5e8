import Discovery
import Model
import Routes
import Testing
import World

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
}
