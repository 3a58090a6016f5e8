/// One kind of proxy as it stands on the invented machine.
struct InventedProxy: Sendable {
  let image: String
  /// As `/proc/PID/comm` has it.
  let process: String
  let command: [String]
  /// The file that an input is, unless it says otherwise.
  let main: String
  var port: UInt16 = 80
  /// Other files of its own.
  var files: [String: [UInt8]] = [:]

  private static let nginxMain = Array(
    "events {}\nhttp {\n  error_log /var/log/nginx/error.log;\n  include /etc/nginx/conf.d/*.conf;\n}\n".utf8)

  static let nginx = InventedProxy(
    image: "nginx", process: "nginx", command: ["nginx: master process /usr/sbin/nginx -g daemon off;"],
    main: "/etc/nginx/conf.d/default.conf", files: ["/etc/nginx/nginx.conf": nginxMain])
  static let manager = InventedProxy(
    image: "jc21/nginx-proxy-manager", process: "nginx", command: ["/init"], main: "/data/nginx/proxy_host/1.conf",
    files: [
      "/etc/nginx/nginx.conf": Array("events {}\nhttp {\n  include /data/nginx/proxy_host/*.conf;\n}\n".utf8)
    ])
  static let caddy = InventedProxy(
    image: "caddy", process: "caddy",
    command: ["/usr/bin/caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"],
    main: "/etc/caddy/Caddyfile")
  static let caddyJSON = InventedProxy(
    image: "caddy", process: "caddy", command: ["/usr/bin/caddy", "run", "--config", "/etc/caddy/caddy.json"],
    main: "/etc/caddy/caddy.json")
  static let haproxy = InventedProxy(
    image: "haproxy", process: "haproxy",
    command: ["/usr/sbin/haproxy", "-W", "-f", "/usr/local/etc/haproxy/haproxy.cfg"],
    main: "/usr/local/etc/haproxy/haproxy.cfg")
  static let traefik = InventedProxy(
    image: "traefik", process: "traefik",
    command: [
      "traefik", "--entryPoints.web.address=:80", "--providers.docker=true", "--providers.file.directory=/dynamic",
      "--api.insecure=true",
    ], main: "/dynamic/shop.yaml")
  /// By its static file alone.
  static let traefikStatic = InventedProxy(
    image: "traefik", process: "traefik", command: ["traefik"], main: "/etc/traefik/traefik.yaml",
    files: [
      "/dynamic/shop.yaml": Array("http: {routers: {shop: {rule: Host(`shop.example.org`), service: shop}}}".utf8)
    ])
  static let apache = InventedProxy(
    image: "httpd", process: "apache2",
    command: ["/usr/sbin/apache2", "-d", "/etc/apache2", "-f", "/etc/apache2/apache2.conf", "-k", "start"],
    main: "/etc/apache2/apache2.conf")
  static let envoy = InventedProxy(
    image: "envoyproxy/envoy", process: "envoy", command: ["/usr/bin/envoy", "-c", "/etc/envoy/envoy.yaml"],
    main: "/etc/envoy/envoy.yaml")
  static let lighttpd = InventedProxy(
    image: "lighttpd", process: "lighttpd", command: ["/usr/sbin/lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"],
    main: "/etc/lighttpd/lighttpd.conf")
  /// Its files are TOML.
  static let traefikTOML = InventedProxy(
    image: "traefik", process: "traefik",
    command: ["traefik", "--entryPoints.web.address=:80", "--providers.file.directory=/dynamic"],
    main: "/dynamic/shop.toml")
  static let proxyos = InventedProxy(
    image: "proxyos", process: "caddy", command: ["/usr/bin/caddy", "run"], main: "/etc/caddy/base-config.json")
  static let cloudflared = InventedProxy(
    image: "cloudflare/cloudflared", process: "cloudflared",
    command: ["cloudflared", "tunnel", "--config", "/etc/cloudflared/config.yml", "run"],
    main: "/etc/cloudflared/config.yml", port: 443)
}
