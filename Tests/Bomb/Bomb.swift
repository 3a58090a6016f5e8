import CProcess
import Discovery
import Glibc
import Model
import Routes
import World

/// A configuration that asks for more than its size tells, or is simply large.
enum Bomb: String, CaseIterable, Sendable {
  case traefikRoutes, traefikOneLine, traefikLabels, traefikDots, traefikMerge, traefikAliases
  case envoyRoutes, envoyOneLine, envoyMerge
  case nginxRoutes, nginxLocations, nginxFiles, nginxIncludes, nginxSet, nginxMap, nginxWords
  case apacheRoutes, apacheIncludes, apacheDefine, apacheWords
  case haproxyRoutes, haproxyWords
  case caddyRoutes, caddySnippets, caddyArguments, caddyWords

  static let routes = 16_000

  var kind: String {
    ["traefik", "envoy", "nginx", "apache", "haproxy", "caddy"].first { rawValue.hasPrefix($0) } ?? ""
  }

  /// What reading has to come to: an outcome, or nil where it cannot be read to its end.
  var outcome: Reading.Outcome? {
    switch self {
    case .traefikRoutes, .traefikOneLine, .traefikLabels, .envoyRoutes, .envoyOneLine, .nginxRoutes, .nginxLocations,
      .nginxFiles, .nginxSet, .nginxMap, .apacheRoutes, .apacheIncludes, .haproxyRoutes, .caddyRoutes:
      .found
    case .traefikDots: .missing
    default: nil
    }
  }

  /// The path of the main file, and what else the command line has.
  private var command: (main: String, words: [String]) {
    switch kind {
    case "traefik": ("/etc/traefik/traefik.yml", ["traefik"])
    case "envoy": ("/etc/envoy/envoy.yaml", ["envoy", "-c", "/etc/envoy/envoy.yaml"])
    case "nginx": ("/etc/nginx/nginx.conf", ["nginx"])
    case "apache": ("/usr/local/apache2/conf/httpd.conf", ["httpd-foreground"])
    case "haproxy": ("/etc/haproxy/haproxy.cfg", ["haproxy", "-f", "/etc/haproxy/haproxy.cfg"])
    default: ("/etc/caddy/Caddyfile", ["caddy", "run", "--config", "/etc/caddy/Caddyfile"])
    }
  }

  /// A world in which the proxy is a container with these files.
  func world() -> Container {
    let (main, words) = command
    let arguments = words.map { "\"\($0)\"" }
    var files = files
    if kind == "traefik" {
      let provider = files["/dynamic.yml"] == nil ? "docker: {}" : "file: {filename: /dynamic.yml}"
      files[main] = "entryPoints: {web: {address: \":80\"}}\nproviders: {\(provider)}\n"
    }
    return Container(
      files: files.mapValues { Array($0.utf8) },
      answers: [
        "/containers/edge/json":
          "{\"Id\": \"edge\", \"Path\": \(arguments[0]), \"Args\": [\(arguments.dropFirst().joined(separator: ","))]}",
        "/containers/json?all=1":
          "[{\"Id\": \"app\", \"Names\": [\"/app\"], \"State\": \"running\", \"Labels\": {\(labels)}}]",
      ])
  }

  /// Reads the route of a site in the middle, then the list of sites.
  func read() async -> String {
    guard let site = Site("http://s\(Self.routes / 2).example.org/") else { return "no site" }
    let (world, place) = (world(), ProxyPlace(id: "edge", pid: 7, usesHostNetwork: false))
    do {
      let port: UInt16 = kind == "envoy" ? 10_000 : 80
      return try await RouteReading.read(.init(site: site, port: port), kind: kind, at: place, in: world, Signs())
        .outcome.rawValue
    } catch { return "\(error)" }
  }
}

extension Bomb {
  private func each(_ count: Int = Bomb.routes, separator: String = "\n", _ line: (Int) -> String) -> String {
    (0..<count).map(line).joined(separator: separator)
  }

  private var labels: String {
    switch self {
    case .traefikDots: "\"traefik.\(String(repeating: "a.", count: 20_000))b\": \"1\""
    case .traefikLabels:
      each(separator: ",") {
        """
        "traefik.http.routers.r\($0).rule": "Host(`s\($0).example.org`)", "traefik.http.routers.r\($0).service": "s", \
        "traefik.http.services.s.loadbalancer.server.port": "80"
        """
      }
    default: ""
    }
  }

  /// The proxy's files. Those of Traefik are its dynamic one, or none.
  private var files: [String: String] {
    let main = command.main
    switch self {
    case .traefikRoutes:
      let routers = each { "    r\($0):\n      rule: Host(`s\($0).example.org`)\n      service: s\($0)" }
      let services = each {
        "    s\($0):\n      loadBalancer:\n        servers:\n        - url: http://10.0.0.1:\($0 % 60_000 + 1)"
      }
      return ["/dynamic.yml": "http:\n  routers:\n\(routers)\n  services:\n\(services)\n"]
    case .traefikOneLine:
      let routers = each(separator: ",") {
        "\"r\($0)\":{\"rule\":\"Host(`s\($0).example.org`)\",\"service\":\"s\($0)\"}"
      }
      let services = each(separator: ",") {
        "\"s\($0)\":{\"loadBalancer\":{\"servers\":[{\"url\":\"http://10.0.0.1:\($0 % 60_000 + 1)\"}]}}"
      }
      return ["/dynamic.yml": "{\"http\":{\"routers\":{\(routers)},\"services\":{\(services)}}}"]
    case .traefikLabels, .traefikDots: return [:]
    case .traefikMerge: return ["/dynamic.yml": merge]
    case .traefikAliases: return ["/dynamic.yml": aliases]
    case .envoyMerge: return [main: merge]
    case .envoyRoutes:
      let hosts = each {
        "          - name: h\($0)\n            domains: [s\($0).example.org]\n            routes:\n"
          + "            - match: {prefix: /}\n              route: {cluster: c\($0)}"
      }
      let clusters = each {
        "  - name: c\($0)\n    load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: "
          + "{address: app, port_value: 80}}}}]}]}"
      }
      return [
        main: """
        static_resources:
          listeners:
          - address: {socket_address: {address: 0.0.0.0, port_value: 10000}}
            filter_chains:
            - filters:
              - typed_config:
                  "@type": type.googleapis.com/x.HttpConnectionManager
                  route_config:
                    virtual_hosts:
        \(hosts.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
          clusters:
        \(clusters)
        """
      ]
    case .envoyOneLine:
      let hosts = each(separator: ",") {
        "{\"name\":\"h\($0)\",\"domains\":[\"s\($0).example.org\"],\"routes\":[{\"match\":{\"prefix\":\"/\"},"
          + "\"route\":{\"cluster\":\"c\"}}]}"
      }
      return [
        main: "{\"static_resources\":{\"listeners\":[{\"address\":{\"socket_address\":{\"port_value\":10000}},"
          + "\"filter_chains\":[{\"filters\":[{\"typed_config\":{\"@type\":\"x.HttpConnectionManager\",\"route_config\":"
          + "{\"virtual_hosts\":[\(hosts)]}}}]}]}],\"clusters\":[{\"name\":\"c\",\"load_assignment\":{\"endpoints\":"
          + "[{\"lb_endpoints\":[{\"endpoint\":{\"address\":{\"socket_address\":{\"address\":\"app\",\"port_value\":80"
          + "}}}}]}]}}]}}"
      ]
    case .nginxRoutes:
      return [main: "events {}\nhttp {\n\(each { nginxServer($0) })\n}\n"]
    case .nginxLocations:
      let locations = each { "location /l\($0)/ { proxy_pass http://10.0.0.1:80; }" }
      let name = "server_name s\(Self.routes / 2).example.org;"
      return [
        main:
          "events {}\nhttp { server { listen 80; \(name)\n\(locations)\nlocation / { proxy_pass http://10.0.0.1; } } }"
      ]
    case .nginxFiles:
      return (0..<9_999).reduce(into: [main: "events {}\nhttp { include sites/*; \(nginxServer(Self.routes / 2)) }"]) {
        $0["/etc/nginx/sites/s\($1).conf"] = nginxServer($1)
      }
    case .nginxIncludes:
      let include = String(repeating: "include b.conf;\n", count: 200)
      return [
        main: "events {}\nhttp {\n\(include)}\n", "/etc/nginx/b.conf": each(30_000) { "server { listen \($0 + 1); }" },
      ]
    case .nginxSet, .nginxMap:
      let sets = (1...60).map { "set $v\($0) $v\($0 - 1)$v\($0 - 1);" }.joined()
      let maps = (1...60).map { "map $uri $m\($0) { default \"\(String(repeating: "$m\($0 + 1)", count: 500))\"; }" }
      let variable = self == .nginxSet ? "set $v0 aaaaaaaa; \(sets) set $x $v60;" : "set $x \"$m1\";"
      return [
        main: "events {}\nhttp { \(self == .nginxMap ? maps.joined() : "") server { listen 80; \(variable) "
          + "location / { proxy_pass http://10.0.0.1; proxy_set_header X $x; } } }"
      ]
    case .nginxWords: return [main: "events {}\nhttp { log_format x \(String(repeating: "a ", count: 8_000_000)); }"]
    case .apacheRoutes:
      return [main: "Listen 80\n\(each { apacheHost($0) })\n"]
    case .apacheIncludes:
      let include = String(repeating: "Include conf/b.conf\n", count: 200)
      return [main: "Listen 80\n" + include, "/usr/local/apache2/conf/b.conf": each { apacheHost($0) }]
    case .apacheDefine:
      let defines = (1...60).map { "Define V\($0) ${V\($0 - 1)}${V\($0 - 1)}\n" }.joined()
      return [main: "Listen 80\nDefine V0 aaaaaaaa\n\(defines)ServerName ${V60}\n"]
    case .apacheWords: return [main: "Listen 80\nServerAlias \(String(repeating: "a ", count: 8_000_000))\n"]
    case .haproxyRoutes:
      let rules = each { "  acl h\($0) hdr(host) -i s\($0).example.org\n  use_backend b\($0) if h\($0)" }
      let backends = each { "backend b\($0)\n  server s 10.0.0.1:80" }
      return [main: "defaults\n  mode http\nfrontend web\n  bind :80\n\(rules)\n\(backends)\n"]
    case .haproxyWords:
      return [main: "frontend web\n  bind :80\n  acl a \(String(repeating: "a ", count: 8_000_000))\n"]
    case .caddyRoutes:
      return [
        main: "(common) {\n  encode gzip\n}\n"
          + each { "http://s\($0).example.org {\n  import common\n  reverse_proxy app:80\n}" }
      ]
    case .caddySnippets:
      let snippets = (1...30).map { "(s\($0)) {\n  import s\($0 - 1)\n  import s\($0 - 1)\n}\n" }.joined()
      return [main: "(s0) {\n  encode gzip\n}\n\(snippets)http://a {\n  import s30\n}\n"]
    case .caddyArguments:
      let snippets = (1...30).map { "(s\($0)) {\n  import s\($0 - 1) {args[0]}{args[0]}\n}\n" }.joined()
      return [main: "(s0) {\n  header X {args[0]}\n}\n\(snippets)http://a {\n  import s30 aaaaaaaa\n}\n"]
    case .caddyWords: return [main: "http://a {\n  respond \(String(repeating: "a ", count: 8_000_000))\n}\n"]
    }
  }

  private func nginxServer(_ number: Int) -> String {
    "server { listen 80; server_name s\(number).example.org; location / { proxy_pass http://10.0.0.1:8080; } }"
  }

  private func apacheHost(_ number: Int) -> String {
    "<VirtualHost *:80>\nServerName s\(number).example.org\nProxyPass / http://10.0.0.1:8080/\n</VirtualHost>"
  }

  /// Keys that are taken in more often than anybody has memory for.
  private var merge: String {
    let list = String(repeating: "*a, ", count: 20_000)
    return "a: &a {\(each(2000, separator: ", ") { "k\($0): 1" })}\nb:\n  <<: [\(list)*a]\n"
  }

  /// Ten times ten times ten.
  private var aliases: String {
    (1...9).reduce(into: "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n") { text, level in
      text += "a\(level): &a\(level) [\(String(repeating: "*a\(level - 1), ", count: 9))*a\(level - 1)]\n"
    } + "http: *a9\n"
  }
}

/// A proxy's container, by its files and what the engine says of it.
struct Container: World {
  let files: [String: [UInt8]]
  let answers: [String: String]

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    let sight: (any Sendable)? =
      switch look {
      case let look as FileRead: files[look.path].map { FileRead.Sight(bytes: $0, size: $0.count, modified: 5) }
      case let look as FileGlob: files.keys.filter { fnmatch(look.pattern, $0, FNM_PATHNAME) == 0 }.sorted()
      case let look as DockerGet:
        answers[look.path].map {
          DockerGet.Sight(status: 200, body: Array($0.utf8), version: "1.41", engine: "Docker")
        }
      default: nil
      }
    guard let sight = sight as? L.Sight else { throw .missing(what: L.kind) }
    return sight
  }
}

/// `bomb NAME`: reads one and prints what came out, the CPU seconds and the megabytes that it took.
@main struct Program {
  static func main() async {
    guard let bomb = CommandLine.arguments.dropFirst().first.flatMap(Bomb.init) else { exit(64) }
    // As the program itself does.
    shim_share_memory(2)
    let outcome = await bomb.read()
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds = Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6
    print("\(outcome)\t\(seconds)\t\(usage.ru_maxrss / 1024)")
  }
}
