import Checks
import Model
import Testing
import World

@testable import Discovery
import Routes

/// A whole configuration of one kind of proxy, in which every number is replaced in turn.
private struct Whole: Sendable, CustomTestStringConvertible {
  let kind: String
  let command: [String]
  let path: String
  let text: String
  /// The largest and smallest units that this kind knows.
  let units: [String]
  var port: UInt16 = 80
  var testDescription: String { "\(kind) \(path)" }

  /// What the proxy has besides its file stands behind a line of its own: a database's row, a stats socket's answer.
  private static let mark = "\n#---\n"

  func world(_ text: String) -> MemoryWorld {
    let parts = text.split(separator: Self.mark, maxSplits: 1).map(String.init)
    let (file, rest) = (parts.first ?? "", parts.count > 1 ? parts[1] : "")
    var world = MemoryWorld(command: command, files: [path: file])
    world.files["/etc/resolv.conf"] = "nameserver 127.0.0.1\n"
    world.statistics = [.info: rest, .statistics: rest]
    if file.hasPrefix("[") { world.engine["/containers/json?all=1"] = file }
    if file.hasPrefix("{") { for path in ["/config/", "/api/rawdata", "/config_dump"] { world.answers[path] = file } }
    let row = rest.lines.map { $0.split(separator: "=", maxSplits: 1) }.filter { $0.count == 2 }
    world.rows = [Dictionary(row.map { (String($0[0]), String($0[1])) }) { first, _ in first }]
    return world
  }

  /// Reads, lists and asks for the use; what is thrown is an answer, too.
  func read(_ text: String) async throws -> Facts? {
    let place = ProxyPlace(id: nil, pid: MemoryWorld.pid, usesHostNetwork: true)
    let proxy = try await RunningProxy(kind: kind, place: place, in: world(text), Signs())
    let request = RouteReading.Request(site: try #require(Site("http://shop.example.org/orders")), port: port)
    let reader: any ProxyReader.Type =
      switch kind {
      case "nginx": NginxReading.self
      case "apache": ApacheReading.self
      case "haproxy": HAProxyReading.self
      case "caddy": CaddyReading.self
      case "proxyos": ProxyOSReading.self
      case "envoy": EnvoyReading.self
      case "traefik": TraefikReading.self
      case "cloudflared": CloudflaredReading.self
      default: NginxProxyManagerReading.self
      }
    _ = try? await reader.list(proxy)
    _ = try? await reader.use(of: request, proxy)
    return try? await reader.read(request, proxy).facts
  }
}

private let wholes: [Whole] = [
  Whole(
    kind: "nginx", command: ["nginx: master process /usr/sbin/nginx"], path: "/etc/nginx/nginx.conf",
    text: """
      events { worker_connections 1024; }
      http {
        map $uri $app { default 3001; }
        upstream shop { server app:3000 weight=5 max_fails=3 fail_timeout=10s max_conns=7; keepalive 16; }
        server {
          listen 80 backlog=511;
          server_name shop.example.org;
          client_max_body_size 10m;
          location ~ "^/(\\w{2,9})" {
            proxy_pass http://shop; proxy_read_timeout 1h 30m; proxy_connect_timeout 5s;
            proxy_buffer_size 4k; proxy_buffers 8 16k; proxy_busy_buffers_size 64k; resolver 127.0.0.11 valid=30s;
            error_page 502 =200 /down;
          }
          location /old { return 302 https://shop:8443/; }
        }
      }
      """, units: ["m", "ms", "w"]),
  Whole(
    kind: "apache", command: ["/usr/sbin/apache2", "-k", "start"], path: "/etc/apache2/apache2.conf",
    text: """
      LoadModule proxy_module modules/mod_proxy.so
      LoadModule proxy_http_module modules/mod_proxy_http.so
      LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
      Listen 80
      Timeout 60
      ProxyTimeout 75
      LimitRequestFieldSize 8190
      <VirtualHost *:80>
        ServerName shop.example.org
        ProxyIOBufferSize 65536
        ResponseFieldSize 8192
        <Proxy balancer://shop>
          BalancerMember http://app:3000 timeout=30 connectiontimeout=5 retry=60 max=10 loadfactor=2 responsefieldsize=8192
        </Proxy>
        ProxyPass / balancer://shop/ timeout=30 addressttl=5 connectiontimeout=500ms
      </VirtualHost>
      """, units: ["ms", "h"]),
  Whole(
    kind: "haproxy", command: ["/usr/sbin/haproxy", "-f", "/etc/haproxy/haproxy.cfg"],
    path: "/etc/haproxy/haproxy.cfg",
    text: """
      global
        stats socket /run/haproxy.sock
        maxconn 100
        tune.bufsize 16384
        tune.maxrewrite 1024
      defaults
        mode http
        timeout connect 5s
        timeout server 60s
      frontend web
        bind :80-89
        http-request replace-path /v(\\d{1,3})/(.*) /2
        acl high dst_port 79:99
        use_backend shop if { hdr(host) -i shop.example.org } high
      backend shop
        option httpchk GET /up
        http-check expect status 200-399
        server one app:+2920 check port 3001 maxconn 10 weight 5 inter 2s resolvers dns
      resolvers dns
        nameserver one 127.0.0.1:53
        hold valid 10s
      """, units: ["us", "d"]),
  Whole(
    kind: "haproxy", command: ["/usr/sbin/haproxy", "-f", "/etc/haproxy/haproxy.cfg"],
    path: "/etc/haproxy/haproxy.cfg",
    text: """
      frontend web
        bind :80
        mode http
        default_backend shop
      backend shop
        server one app:3000
      global
        stats socket /run/haproxy.sock
      #---
      # pxname,svname,scur,slim,qcur,status
      shop,one,10,10,3,UP 2/3
      CurrConns: 10
      Maxconn: 100
      """, units: []),
  Whole(
    kind: "caddy", command: ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"],
    path: "/etc/caddy/Caddyfile",
    text: """
      {
        http_port 80
        https_port 443
      }
      (app) {
        reverse_proxy {args[0]}:{args[1]} {args[0:1]} {args.0} {args[1:]}
      }
      http://shop.example.org:80 {
        import app shop 3000
        handle_errors 502 {
          respond "no" 503
        }
        reverse_proxy /orders app:3000-3002 {
          lb_retries 2
          health_uri /up
          health_port 3001
          health_status 200
          health_interval 30s
          transport http {
            dial_timeout 5s
            read_timeout 1m30s
            response_header_timeout 10s
            max_response_header 10MB
            read_buffer 4096
          }
        }
      }
      """, units: ["ns", "d", "GiB", "xx"]),
  Whole(
    kind: "caddy", command: ["caddy", "run", "--config", "/etc/caddy/caddy.json"], path: "/etc/caddy/caddy.json",
    text: """
      {"apps":{"http":{"http_port":80,"https_port":443,"servers":{"srv0":{"listen":[":80","tcp/:81-85"],"routes":[
      {"match":[{"host":["shop.example.org"]}],"handle":[{"handler":"reverse_proxy","health_checks":{"active":{"uri":"/up",
      "port":3001,"expect_status":2,"interval":30000000000}},"transport":{"protocol":"http","dial_timeout":5000000000,
      "response_header_timeout":"10s","read_timeout":1e9,"max_response_header_size":1048576},"upstreams":[{"dial":"shop:3000"}],
      "dynamic_upstreams":{"source":"a","name":"shop","port":"3000"}}]},
      {"handle":[{"handler":"static_response","status_code":404}]}]}}}}}
      """, units: ["d"]),
  Whole(
    kind: "proxyos", command: ["caddy"], path: "/x",
    text: """
      {"apps":{"http":{"servers":{"srv0":{"listen":[":80"],"routes":[{"match":[{"host":["shop.example.org"]}],"handle":[
      {"handler":"reverse_proxy","upstreams":[{"dial":"shop:3000"}],"transport":{"dial_timeout":5000000000}}]}]}}}}}
      #---
      id=1
      domain=shop.example.org
      enabled=1
      upstreams=[{"address":"http://shop:3000","weight":1}]
      health_check_interval=30
      health_check_enabled=1
      """, units: ["s"]),
  Whole(
    kind: "envoy", command: ["/usr/bin/envoy", "-c", "/etc/envoy/envoy.yaml"], path: "/etc/envoy/envoy.yaml",
    text: """
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
                  - name: shop
                    domains: [shop.example.org]
                    routes:
                    - match: { prefix: / }
                      route: { cluster: shop, timeout: 15s, idle_timeout: 300s, weighted_clusters: { clusters: [{ name: shop, weight: 100 }] } }
        clusters:
        - name: shop
          connect_timeout: 0.25s
          max_requests_per_connection: 7
          common_http_protocol_options: { max_headers_count: 100, max_response_headers_kb: 60 }
          health_checks:
          - timeout: 1s
            http_health_check: { path: /up, expected_statuses: [{ start: 200, end: 400 }] }
          load_assignment:
            cluster_name: shop
            endpoints:
            - lb_endpoints:
              - endpoint: { health_check_config: { port_value: 3001 }, address: { socket_address: { address: app, port_value: 3000 } } }
      """, units: ["s"]),
  Whole(
    kind: "traefik",
    command: ["traefik", "--entryPoints.web.address=:80", "--providers.file.filename=/etc/dynamic.yml"],
    path: "/etc/dynamic.yml",
    text: """
      http:
        routers:
          shop: { rule: "Host(`shop.example.org`) && PathRegexp(`^/o{1,9}`)", service: shop, priority: 10, middlewares: [cut] }
        middlewares:
          cut: { stripPrefixRegex: { regex: ["/v[0-9]{1,3}"] }, retry: { attempts: 4, initialInterval: 100ms } }
        services:
          shop:
            loadBalancer:
              serversTransport: slow
              servers: [{ url: "http://shop:3000", weight: 1 }]
              healthCheck: { path: /up, interval: 10s, timeout: 3s, port: 3001, status: 200 }
        serversTransports:
          slow: { maxIdleConnsPerHost: 7, forwardingTimeouts: { dialTimeout: 30s, responseHeaderTimeout: 1m30s } }
      """, units: ["ns", "h"]),
  Whole(
    kind: "traefik", command: ["traefik", "--entryPoints.web.address=:80", "--providers.docker"], path: "/x",
    text: """
      [{"Id": "shop1", "Names": ["/shop"], "State": "running", "Status": "Up 2 hours", "Created": 1700000000, "Labels": {
      "traefik.http.routers.shop.rule": "Host(`shop.example.org`)", "traefik.http.routers.shop.priority": "7",
      "traefik.http.services.shop.loadbalancer.server.port": "3000",
      "traefik.http.services.shop.loadbalancer.healthcheck.interval": "10s"},
      "Ports": [{"IP": "0.0.0.0", "PrivatePort": 3000, "PublicPort": 80, "Type": "tcp"}],
      "NetworkSettings": {"Networks": {"web": {"NetworkID": "n1", "IPAddress": "172.20.0.9", "IPPrefixLen": 16}}}}]
      """, units: ["s"]),
  Whole(
    kind: "cloudflared", command: ["cloudflared", "tunnel", "--config", "/etc/cloudflared/config.yml", "run"],
    path: "/etc/cloudflared/config.yml",
    text: """
      tunnel: 1
      originRequest: { connectTimeout: 30s, keepAliveConnections: 100 }
      ingress:
        - hostname: shop.example.org
          service: http://shop:3000
          originRequest: { connectTimeout: 10s, tcpKeepAlive: 30s }
        - service: http_status:404
      """, units: ["s"]),
  Whole(
    kind: "nginx-proxy-manager", command: ["nginx: master process nginx"], path: "/etc/nginx/nginx.conf",
    text: """
      events {}
      http { server { listen 80; server_name shop.example.org; location / { proxy_pass http://shop:3000; } } }
      #---
      id=4
      domain_names=["shop.example.org"]
      forward_scheme=http
      forward_host=shop
      forward_port=3000
      enabled=1
      is_deleted=0
      certificate_id=7
      access_list_id=3
      ssl_forced=0
      meta={"nginx_online": true, "nginx_err": null, "x": 5}
      locations=[{"path": "/api", "forward_scheme": "http", "forward_host": "api", "forward_port": 4000}]
      """, units: ["s"]),
]

private let extremes = [
  "-1", "65536", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e400", "nan",
]

/// The text with each of its numbers replaced in turn by each extreme, which keeps the number's unit or gets another.
private func variants(_ text: String, units: [String]) -> [String] {
  let bytes = Array(text.utf8)
  var variants: [String] = []
  var start = 0
  let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  while let first = bytes[start...].firstIndex(where: isDigit) {
    let end = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.count
    start = end
    let head = String(decoding: bytes[..<first], as: UTF8.self)
    let tail = String(decoding: bytes[end...], as: UTF8.self)
    variants += extremes.map { head + $0 + tail }
    guard !units.isEmpty else { continue }
    let bare = tail.drop(while: \.isLetter)
    variants += units.map { head + "99999999999999999999" + $0 + bare }
  }
  return variants
}

/// A trap ends the process of the tests, so that each of these fails by not coming to its end.
@Suite("Numbers from outside")
struct NumberTests {
  @Test("No number of a configuration traps", arguments: wholes)
  fileprivate func configurations(_ whole: Whole) async throws {
    #expect(try await whole.read(whole.text)?[.routeUpstream] != nil)
    let variants = variants(whole.text, units: whole.units)
    #expect(variants.count > 50)
    await withTaskGroup { group in
      for part in 0..<2 {
        group.addTask {
          for index in stride(from: part, to: variants.count, by: 2) { _ = try? await whole.read(variants[index]) }
        }
      }
    }
  }

  @Test("A time that is too large for any clock is very long, and what is no number is not known")
  func times() {
    #expect(1e30.inWords == "9223372036854775807")
    #expect(Double.infinity.inWords == "9223372036854775807")
    #expect((-Double.infinity).inWords == "-9223372036854775808")
    #expect(Double.nan.inWords == "")
    #expect([0.02, 1.5, 60].map(\.inWords) == ["0.02", "1.5", "60"])
    #expect(Int(clamping: 1.9) == 1 && Int(clamping: -1.9) == -1 && Int(clamping: .nan) == 0)
    #expect(
      Int.max.clampedProduct(2) == .max && Int.min.clampedProduct(2) == .min && Int.min.clampedProduct(-1) == .max)
    #expect(3.clampedProduct(-7) == -21)
    let facts: Facts = [.routeReadTimeout: "nan", .routeConnectTimeout: "inf", .siteSeconds: "60"]
    #expect(facts.seconds(.routeReadTimeout) == nil && facts.seconds(.routeConnectTimeout) == nil)
    #expect(facts.seconds(.siteSeconds) == 60)
  }

  @Test("No number of a container traps")
  func container() async throws {
    let text = """
      {"Id": "a", "Name": "/shop", "RestartCount": 3, "Path": "x", "HostConfig": {"Memory": 536870912,
      "PortBindings": {"3000/tcp": [{"HostIp": "", "HostPort": "80"}]}}, "State": {"Status": "running", "Pid": 42,
      "ExitCode": 137, "StartedAt": "2026-11-21T12:21:37.734612287Z", "Health": {"Log": [{"ExitCode": 1, "Output": "x"}]}}}
      """
    let check = try #require(Check.named("container.state"))
    let facts: Facts = ["upstream.id": "a", "upstream.container": "shop", "upstream.place": "container"]
    for variant in [text] + variants(text, units: []) {
      var world = MemoryWorld()
      world.engine["/containers/a/json"] = variant
      let finding = await check.finding(in: world, facts: facts, signs: Signs())
      #expect(finding.outcome != Finding.unknown || variant != text)
      if variant.contains(#""Memory": 9223372036854775807"#) {
        #expect(finding.facts["container.more-memory"] != nil)
      }
    }
  }

  @Test("One port that is none hides no container")
  func oddPort() async throws {
    var world = MemoryWorld()
    world.engine["/containers/json?all=1"] = """
      [{"Id": "a", "Names": ["/odd"], "State": "running", "Ports": [{"PrivatePort": 99999, "PublicPort": 80}]},
      {"Id": "b", "Names": ["/shop"], "State": 7, "Ports": [{"PrivatePort": 3000}], "Labels": []}]
      """
    let containers = try await world.containers()
    #expect(containers.map(\.name) == ["odd", "shop"])
    #expect(containers[0].Ports?.first?.PrivatePort == nil)
    #expect(containers[0].Ports?.first?.PublicPort == 80)
    #expect(containers[1].Ports?.first?.PrivatePort == 3000)
  }
}
