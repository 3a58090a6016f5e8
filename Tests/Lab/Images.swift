import Foundation

/// An image made from this machine's Debian packages and a folder below `Images/`.
struct Image: Sendable {
  /// Its tag in the engine, of the shape real ones have.
  var tag: String
  /// The folder below `Images/` that is copied over it.
  var overlay: String
  /// What of Debian it has: the parts that `tree.sh` knows.
  var parts: [String]
  /// Dockerfile instructions: command, ports.
  var instructions: [String]

  static let nginx = Image(
    tag: "wizlab/nginx:1.22", overlay: "nginx", parts: ["nginx"],
    instructions: [#"CMD ["nginx", "-g", "daemon off;"]"#, "EXPOSE 80"])
  static let manager = Image(
    tag: "wizlab/nginx-proxy-manager:2", overlay: "npm", parts: ["nginx", "python"],
    instructions: [#"CMD ["python3", "/app/manager.py"]"#, "EXPOSE 80 81 443"])
  static let app = Image(
    tag: "wizlab/app:1.4", overlay: "app", parts: ["python"],
    instructions: [#"ENTRYPOINT ["python3", "/srv/server.py"]"#])

  static let odd = Image(
    tag: "wizlab/intranet:3.2", overlay: "odd", parts: ["python"],
    instructions: [#"ENTRYPOINT ["python3", "/srv/odd.py"]"#])
  static let php = Image(
    tag: "wizlab/php:8.2-fpm", overlay: "php", parts: ["php"],
    instructions: [#"CMD ["php-fpm8.2", "-F", "-y", "/usr/local/etc/php-fpm.conf"]"#, "EXPOSE 9000"])
  static let uwsgi = Image(
    tag: "wizlab/uwsgi:2.0", overlay: "uwsgi", parts: ["python", "uwsgi"],
    instructions: [
      #"CMD ["uwsgi-core", "--plugin", "python311", "--uwsgi-socket", ":3031", "--wsgi-file", "/srv/app.py", "--master", "--die-on-term"]"#,
      "EXPOSE 3031",
    ])

  /// The real ones, by the names of their official images. The entry points are those of the official images, too.
  static let newNginx = Image(
    tag: "wizlab/nginx:1.31", overlay: "nginx", parts: ["new-nginx"],
    instructions: [#"CMD ["nginx", "-g", "daemon off;"]"#, "WORKDIR /etc/nginx", "EXPOSE 80"])
  static let traefik = Image(
    tag: "wizlab/traefik:v3.7", overlay: "traefik", parts: ["traefik"],
    instructions: [#"ENTRYPOINT ["traefik"]"#, "EXPOSE 80"])
  static let caddy = Image(
    tag: "wizlab/caddy:2.11", overlay: "caddy", parts: ["caddy"],
    instructions: [
      #"CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]"#, "EXPOSE 80",
      "ENV XDG_CONFIG_HOME=/config", "ENV XDG_DATA_HOME=/data",
    ])
  static let haproxy = Image(
    tag: "wizlab/haproxy:2.6", overlay: "haproxy", parts: ["haproxy"],
    instructions: [#"CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]"#])
  static let lighttpd = Image(
    tag: "wizlab/lighttpd:1.4", overlay: "lighttpd", parts: ["lighttpd"],
    instructions: [#"CMD ["lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"]"#, "EXPOSE 80"])
  static let apache = Image(
    tag: "wizlab/httpd:2.4", overlay: "httpd", parts: ["apache"],
    instructions: [
      #"CMD ["httpd", "-D", "FOREGROUND", "-d", "/usr/local/apache2", "-f", "conf/httpd.conf"]"#, "EXPOSE 80",
      "ENV PATH=/usr/local/apache2/bin:/usr/local/bin:/usr/bin:/bin",
    ])
  static let envoy = Image(
    tag: "wizlab/envoy:v1.40", overlay: "envoy", parts: ["envoy"],
    instructions: [#"CMD ["envoy", "-c", "/etc/envoy/envoy.yaml"]"#, "EXPOSE 10000"])

  static let jlesage = Image(
    tag: "wizlab/jlesage/nginx-proxy-manager:24", overlay: "npm", parts: ["nginx", "python", "jlesage"],
    instructions: [#"CMD ["python3", "/app/manager.py"]"#, "EXPOSE 8080 8181 4443"])
  static let nginxProxy = Image(
    tag: "wizlab/nginx-proxy:1.7", overlay: "nginx-proxy", parts: ["nginx", "python"],
    instructions: [#"CMD ["python3", "/app/docker-gen.py"]"#, "EXPOSE 80"])
  /// The application, and nginx beside it.
  static let both = Image(
    tag: "wizlab/appliance:1", overlay: "app", parts: ["nginx", "python"], instructions: ["EXPOSE 80"])
  /// docker-gen in a container of its own.
  static let dockerGen = Image(
    tag: "wizlab/docker-gen:0.16", overlay: "nginx-proxy", parts: ["python"],
    instructions: [#"CMD ["python3", "/app/docker-gen.py"]"#])
  static let swag = Image(
    tag: "wizlab/swag:4", overlay: "swag", parts: ["nginx"], instructions: [#"ENTRYPOINT ["/init"]"#, "EXPOSE 80 443"])
  static let proxyOS = Image(
    tag: "wizlab/proxyos:latest", overlay: "proxyos", parts: ["caddy", "python"],
    instructions: [
      #"CMD ["python3", "/app/apps/web/dashboard.py"]"#, "EXPOSE 80 443 3000", "ENV XDG_DATA_HOME=/data/caddy",
      "ENV XDG_CONFIG_HOME=/config/caddy", "ENV PROXYOS_DB_PATH=/data/proxyos/proxyos.db",
    ])

  /// Imports the image unless that is done; a fault asks for the ones it needs.
  func made() async throws { try await Made.shared.make(self) }

  /// Which images this run has made: each is looked at once.
  private actor Made {
    static let shared = Made()
    private var tags: Set<String> = []
    func make(_ image: Image) async throws {
      guard !tags.contains(image.tag) else { return }
      try await image.build()
      tags.insert(image.tag)
    }
  }

  /// Imports the image unless the engine has it from the same sources.
  private func build() async throws {
    let sources = Bundle.module.bundleURL.appending(path: "Images").path()
    let hash = try await succeed(
      "sh", "-c", #"cd "$1" && find tree.sh "$2" -type f | sort | xargs sha256sum | sha256sum | cut -c 1-16"#,
      "sh",
      sources, overlay)
    let present = try await run(["docker", "image", "inspect", "-f", "{{.Config.Labels.sources}}", tag])
    if present.text.hasPrefix(hash) { return }
    let tree = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: tree) }
    let filled = try await run(
      ["sh", sources + "/tree.sh", tree.path(), sources + "/" + overlay, Self.peers] + parts)
    guard filled.status == 0 else { throw CommandFailed(description: "tree.sh: \(filled.errors)") }
    let changes = (instructions + ["LABEL sources=\(hash)"]).flatMap { ["-c", $0] }
    let imported = try await run(
      ["sh", "-c", #"tree=$1; shift; tar -C "$tree" -c . | docker import "$@""#, "sh", tree.path()]
        + changes + ["-", tag])
    guard imported.status == 0 else { throw CommandFailed(description: "docker import: \(imported.errors)") }
  }

  /// The folder with the programs that `Tests/wheels` brought.
  static let peers = URL(filePath: #filePath).appending(path: "../../../.build/peers/bin").standardizedFileURL.path()
}
