import Discovery
import Fixture
import Model
import Pasted
import Routes
import Testing
import World

/// A part of a proxy's configuration, without the command that printed it: the proxy's own reader finds its route there.
struct ConfigurationTests {
  private static let blocks: [(kind: String, text: String)] = [
    (
      "nginx",
      """
      server {
          listen 80;
          server_name shop.example.org;
          location / {
              proxy_pass http://127.0.0.1:3000;
          }
      }
      """
    ),
    ("caddy", "http://shop.example.org {\n    reverse_proxy 127.0.0.1:3000\n}"),
    (
      "haproxy",
      """
      frontend web
          bind :80
          acl shop hdr(host) -i shop.example.org
          use_backend shop if shop
      backend shop
          server app 127.0.0.1:3000
      """
    ),
    (
      "apache",
      """
      <VirtualHost *:80>
          ServerName shop.example.org
          ProxyPass / http://127.0.0.1:3000/
      </VirtualHost>
      """
    ),
    (
      "traefik",
      """
      http:
        routers:
          shop:
            rule: Host(`shop.example.org`)
            service: shop
        services:
          shop:
            loadBalancer:
              servers:
                - url: http://127.0.0.1:3000
      """
    ),
    (
      "traefik",
      """
      [http.routers.shop]
        rule = "Host(`shop.example.org`)"
        service = "shop"
      [[http.services.shop.loadBalancer.servers]]
        url = "http://127.0.0.1:3000"
      """
    ),
    (
      "envoy",
      """
      static_resources:
        listeners:
          - address: {socket_address: {address: 0.0.0.0, port_value: 80}}
            filter_chains:
              - filters:
                  - name: envoy.filters.network.http_connection_manager
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                      stat_prefix: web
                      route_config:
                        virtual_hosts:
                          - name: shop
                            domains: [shop.example.org]
                            routes:
                              - match: {prefix: /}
                                route: {cluster: shop}
        clusters:
          - name: shop
            load_assignment:
              cluster_name: shop
              endpoints:
                - lb_endpoints:
                    - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 3000}}}
      """
    ),
    (
      "lighttpd",
      """
      server.port = 80
      server.modules += ( "mod_proxy" )
      $HTTP["host"] == "shop.example.org" {
          proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => 3000 ) ) )
      }
      """
    ),
    (
      "cloudflared",
      "tunnel: shop\ningress:\n  - hostname: shop.example.org\n    service: http://127.0.0.1:3000\n  - service: http_status:404"
    ),
  ]

  @Test(arguments: blocks.indices) func aBlock(_ index: Int) async throws {
    let (kind, text) = Self.blocks[index]
    for text in [text, "```\n\(text)\n```", text.lines.map { "> \($0)" }.joined(separator: "\n")] {
      let world = PastedWorld(text, before: Recording(), signs: OutputTests.signs)
      let site = try #require(Site("http://shop.example.org/"))
      let reading = try await RouteReading.read(
        RouteReading.Request(site: site, port: 80), kind: kind,
        at: ProxyPlace(id: nil, pid: nil, usesHostNetwork: true), in: world, OutputTests.signs)
      #expect(reading.route?.upstream.url == "http://127.0.0.1:3000", "\(kind): \(reading.outcome)")
      #expect(world.unread.isEmpty, "\(kind): \(world.unread)")
    }
  }

  /// What a proxy tells of itself, out of a browser or by curl on the machine.
  @Test(arguments: ["", "$ curl -s http://localhost:8081/api/http/routers\n"])
  func whatTraefikTells(_ command: String) async throws {
    let routers =
      #"[{"entryPoints":["web"],"service":"shop","rule":"Host(`shop.example.org`)","status":"enabled","using":["web"],"name":"shop@docker","provider":"docker"}]"#
    let services =
      #"[{"loadBalancer":{"servers":[{"url":"http://172.18.0.2:3000"}]},"status":"enabled","serverStatus":{"http://172.18.0.2:3000":"UP"},"name":"shop@docker","provider":"docker","type":"loadbalancer"}]"#
    let other = command.replacing("routers", with: "services")
    let world = PastedWorld(
      [command + routers, other + services].joined(separator: command.isEmpty ? "\n```\n" : "\n"), before: Recording(),
      signs: OutputTests.signs)
    let raw = try await world.see(HTTPRequest(url: "http://127.0.0.1:8080/api/rawdata", place: .process(7)))
    let told = try #require(JSON(raw.body))
    #expect(told["routers"]?["shop@docker"]?["rule"]?.text == "Host(`shop.example.org`)")
    #expect(told["services"]?["shop@docker"]?["serverStatus"] != nil)
    #expect(world.unread.isEmpty, "\(world.unread)")
  }
}
