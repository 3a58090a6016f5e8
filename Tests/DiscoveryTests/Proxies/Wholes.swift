import Model
import Testing
import World

@testable import Discovery
import Routes

/// A whole configuration of one kind of proxy, in which every number is replaced in turn.
struct Whole: Sendable, CustomTestStringConvertible {
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

  /// Reads, lists and asks for the use; nil where the reader throws.
  func read(_ text: String, _ url: String = "http://shop.example.org/orders") async throws -> Reading? {
    let place = ProxyPlace(id: nil, pid: MemoryWorld.pid, usesHostNetwork: true)
    let proxy = try await RunningProxy(kind: kind, place: place, in: world(text), Signs())
    let request = RouteReading.Request(site: try #require(Site(url)), port: port)
    let reader = try #require(RouteReading.readers[kind])
    _ = try? await reader.list(proxy)
    _ = try? await reader.use(of: request, proxy)
    return try? await reader.read(request, proxy)
  }
}

let wholes: [Whole] = [
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
    kind: "lighttpd", command: ["/usr/sbin/lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"],
    path: "/etc/lighttpd/lighttpd.conf",
    text: """
      server.modules = ( "mod_proxy", "mod_rewrite" )
      server.port = 80
      server.max-connections = 1024
      var.port = 3000
      $HTTP["host"] =~ "^shop\\.example\\.org(:80)?$" {
        url.rewrite-once = ( "^/v([0-9]{1,3})/(.*)$" => "/$2?version=$1" )
        proxy.server = ( "" => ( ( "host" => "app", "port" => var.port, "connect-timeout" => 5, "read-timeout" => 60 ) ) )
      }
      """, units: []),
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
