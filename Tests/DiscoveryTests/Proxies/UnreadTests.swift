import Discovery
import Model
import Routes
import Testing
import World

private func read(
  _ kind: String, _ world: MemoryWorld, _ url: String = "http://shop.example.org/"
) async throws -> (outcome: Reading.Outcome, facts: Facts) {
  let place = ProxyPlace(id: nil, pid: MemoryWorld.pid, usesHostNetwork: true)
  let site = try #require(Site(url))
  let reading = try await RouteReading.read(.init(site: site, port: 80), kind: kind, at: place, in: world, Signs())
  return (reading.outcome, reading.facts)
}

/// A configuration in two parts: the main file has a route for `shop.example.org` and takes in the other part.
private struct Parts: Sendable, CustomTestStringConvertible {
  let kind: String
  let command: [String]
  let files: [String: String]
  /// The file or pattern of the other part, which holds nothing for the sites asked for here.
  let other: String
  var engine: [String: String] = [:]
  var testDescription: String { "\(kind): \(other)" }

  func world(_ unseen: Unseen? = nil) -> MemoryWorld {
    MemoryWorld(command: command, files: files, unseen: unseen.map { [other: $0] } ?? [:], engine: engine)
  }
}

private let parts: [Parts] = [
  Parts(
    kind: "nginx", command: ["nginx: master process /usr/sbin/nginx"],
    files: [
      "/etc/nginx/nginx.conf": """
      events {}
      http {
        server { listen 80; server_name shop.example.org; location / { proxy_pass http://127.0.0.1:3000; } }
        server { listen 80; server_name blog.example.org; location / { proxy_pass http://127.0.0.1:3001; } }
        include /etc/nginx/more.conf;
      }
      """, "/etc/nginx/more.conf": "# nothing\n",
    ], other: "/etc/nginx/more.conf"),
  Parts(
    kind: "nginx", command: ["nginx: master process /usr/sbin/nginx"],
    files: [
      "/etc/nginx/nginx.conf": """
      events {}
      http {
        include /etc/nginx/sites/*.conf;
        server { listen 80; server_name shop.example.org; location / { proxy_pass http://127.0.0.1:3000; } }
        server { listen 80; server_name blog.example.org; location / { proxy_pass http://127.0.0.1:3001; } }
      }
      """
    ], other: "/etc/nginx/sites/*.conf"),
  Parts(
    kind: "apache", command: ["/usr/sbin/apache2", "-k", "start"],
    files: [
      "/etc/apache2/apache2.conf": """
      LoadModule proxy_module modules/mod_proxy.so
      LoadModule proxy_http_module modules/mod_proxy_http.so
      Listen 80
      <VirtualHost *:80>
        ServerName blog.example.org
        ProxyPass / http://127.0.0.1:3001/
      </VirtualHost>
      <VirtualHost *:80>
        ServerName shop.example.org
        ProxyPass / http://127.0.0.1:3000/
      </VirtualHost>
      IncludeOptional sites-enabled/*.conf
      """
    ], other: "/etc/apache2/sites-enabled/*.conf"),
  Parts(
    kind: "haproxy", command: ["/usr/sbin/haproxy", "-f", "/etc/haproxy/haproxy.cfg"],
    files: [
      "/etc/haproxy/haproxy.cfg": """
      defaults
        mode http
      frontend web
        bind :80
        use_backend more if { hdr(host) -f /etc/haproxy/more.lst }
        use_backend shop if { hdr(host) -i shop.example.org }
      backend shop
        server one 127.0.0.1:3000
      backend more
        server one 127.0.0.1:3001
      """, "/etc/haproxy/more.lst": "wiki.example.org\n",
    ], other: "/etc/haproxy/more.lst"),
  Parts(
    kind: "caddy", command: ["caddy", "run", "--config", "/etc/caddy/Caddyfile"],
    files: [
      "/etc/caddy/Caddyfile": """
      http://shop.example.org {
        reverse_proxy 127.0.0.1:3000
      }
      import /etc/caddy/more.caddy
      """, "/etc/caddy/more.caddy": "http://wiki.example.org {\n  reverse_proxy 127.0.0.1:3001\n}\n",
    ], other: "/etc/caddy/more.caddy"),
  Parts(
    kind: "traefik",
    command: ["traefik", "--entryPoints.web.address=:80", "--providers.file.directory=/etc/dynamic"],
    files: [
      "/etc/dynamic/shop.yml": """
      http:
        routers: { shop: { rule: Host(`shop.example.org`), service: shop } }
        services: { shop: { loadBalancer: { servers: [{ url: "http://127.0.0.1:3000" }] } } }
      """, "/etc/dynamic/more.yml": "http: {}\n",
    ], other: "/etc/dynamic/more.yml"),
  Parts(
    kind: "traefik",
    command: [
      "traefik", "--entryPoints.web.address=:80", "--providers.file.filename=/etc/shop.yml",
      "--providers.docker.exposedByDefault=false",
    ],
    files: [
      "/etc/shop.yml": """
      http:
        routers: { shop: { rule: Host(`shop.example.org`), service: shop } }
        services: { shop: { loadBalancer: { servers: [{ url: "http://127.0.0.1:3000" }] } } }
      """
    ], other: "engine", engine: ["/containers/json?all=1": "[]"]),
  Parts(
    kind: "envoy", command: ["/usr/bin/envoy", "-c", "/etc/envoy/envoy.yaml"],
    files: [
      "/etc/envoy/envoy.yaml": """
      dynamic_resources: { lds_config: { path_config_source: { path: /etc/envoy/lds.yaml } } }
      static_resources:
        listeners:
        - address: { socket_address: { address: 0.0.0.0, port_value: 80 } }
          filter_chains:
          - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                route_config:
                  virtual_hosts:
                  - { name: shop, domains: [shop.example.org], routes: [{ match: { prefix: / }, route: { cluster: shop } }] }
        clusters:
        - name: shop
          load_assignment:
            cluster_name: shop
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 3000 } } } }] }]
      """, "/etc/envoy/lds.yaml": "resources: []\n",
    ], other: "/etc/envoy/lds.yaml"),
]

/// Every way in which a part may not be read.
private let reasons: [Unseen] = [
  .notPermitted(what: "the other part"), .noAnswer(seconds: 5),
  .unreadable(what: "the other part", why: .init(.notFile)),
  .unreadable(what: "the other part", why: .init(.tooLarge, "16 MB")),
  .unreadable(what: "the other part", why: .init(.tooManyPaths, "10000")),
]

@Suite struct UnreadTests {
  @Test(arguments: parts)
  fileprivate func readToItsEndASiteWithoutARouteHasNoneAndNothingIsSaidOfAPart(_ parts: Parts) async throws {
    let found = try await read(parts.kind, parts.world())
    #expect(found.outcome == .found)
    #expect(found.facts[.configUnread] == nil)
    #expect(
      [.missing, .default].contains(try await read(parts.kind, parts.world(), "http://news.example.org/").outcome))
  }

  /// With a part unread, the route that names the site holds, and what was not read is said
  @Test(arguments: parts)
  fileprivate func withAPartUnreadTheRouteThatNamesTheSiteHolds(_ parts: Parts) async throws {
    for reason in reasons {
      guard parts.other != "engine" else { continue }
      // A list that decides before the route does is a condition of which nothing is known.
      guard parts.kind != "haproxy" else { continue }
      let found = try await read(parts.kind, parts.world(reason))
      #expect(found.outcome == .found, "\(reason)")
      #expect(found.facts[.configUnread]?.isEmpty == false, "\(reason)")
      #expect(found.facts[.routeUpstream]?.contains("3000") == true)
    }
  }

  /// With a part unread, no other site is called one without a route: the reason is named
  @Test(arguments: parts)
  fileprivate func withAPartUnreadNoOtherSiteIsCalledOneWithoutARoute(_ parts: Parts) async throws {
    for reason in reasons where parts.other != "engine" {
      await #expect(throws: Unseen.self, "\(reason)") {
        let found = try await read(parts.kind, parts.world(reason), "http://news.example.org/")
        Issue.record("\(found.outcome)")
      }
    }
  }

  @Test func withoutTheEnginesListTraefiksLabelsAreUnreadToo() async throws {
    let traefik = try #require(parts.first { $0.other == "engine" })
    var world = traefik.world()
    for list in ["[{", #"[{"Id": 7}]"#] {
      world.engine = ["/containers/json?all=1": list]
      let found = try await read("traefik", world)
      #expect(found.outcome == .found && found.facts[.configUnread]?.contains("Docker") == true)
      await #expect(throws: Unseen.self) { try await read("traefik", world, "http://news.example.org/") }
    }
  }

  /// A backend that is in no file that was read is no mistake while another file is unread
  @Test func aBackendThatIsInNoFileThatWasReadIsNoMistakeWhileAnotherFileIs() async throws {
    let world = MemoryWorld(
      command: ["/usr/sbin/haproxy", "-f", "/etc/haproxy/"],
      files: [
        "/etc/haproxy/a.cfg": """
        defaults
          mode http
        frontend web
          bind :80
          use_backend shop if { hdr(host) -i shop.example.org }
          use_backend wiki if { hdr(host) -m reg -f /etc/haproxy/names.lst }
        backend shop
          server one 127.0.0.1:3000
        """
      ], unseen: ["/etc/haproxy/names.lst": .notPermitted(what: "/etc/haproxy/names.lst")])
    let found = try await read("haproxy", world)
    #expect(found.outcome == .found)
    #expect(found.facts[.configUnread] == "/etc/haproxy/names.lst")
    #expect(found.facts[.configProblem] == nil)
  }

  @Test func moreIncludesThanTheLimitAreNotACircleOfThem() async throws {
    var world = MemoryWorld(command: ["nginx: master process /usr/sbin/nginx"])
    world.files["/etc/nginx/nginx.conf"] =
      "events {}\nhttp {\n" + String(repeating: "include empty.conf;\n", count: Limits.includes + 1)
      + "server { listen 80; server_name shop.example.org; location / { proxy_pass http://127.0.0.1:3000; } }\n}\n"
    world.files["/etc/nginx/empty.conf"] = ""
    let found = try await read("nginx", world)
    #expect(found.outcome == .found)
    #expect(found.facts[.configProblem] == nil)
    #expect(found.facts[.configUnread] == "/etc/nginx/empty.conf")
    await #expect(
      throws: Unseen.unreadable(what: "/etc/nginx/empty.conf", why: .init(.tooManyFiles, "\(Limits.includes)"))
    ) { try await read("nginx", world, "http://news.example.org/") }
  }

  // MARK: Line ends

  @Test(arguments: parts)
  fileprivate func withRNAConfigurationSaysTheSameAndNoPatchIsOfferedForIt(_ parts: Parts) async throws {
    var world = parts.world()
    world.files = world.files.mapValues { $0.replacing("\n", with: "\r\n") }
    let (plain, found) = (try await read(parts.kind, parts.world()), try await read(parts.kind, world))
    let isPatch = { (name: FactName) in name.text.contains("-line.") }
    #expect(found.outcome == .found)
    #expect(found.facts.values.filter { !isPatch($0.key) } == plain.facts.values.filter { !isPatch($0.key) })
    #expect(found.facts["port-line.text"] == nil)
    #expect(plain.facts["port-line.text"] != nil)
  }
}
