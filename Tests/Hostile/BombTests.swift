import Foundation
import Testing

/// Rows 5, 6, 10, 14 and 15: whatever a file, a label or a site has, memory and time stay within limits.
@Suite struct BombTests {
  static let memory: Double = 200
  /// A bomb is stopped at this many bytes of addresses, so that a failing test does not take the whole machine.
  static let most = 3 << 30

  private func expectBounded(
    _ run: Sandbox.Run, timeout: Double, _ about: String, at place: SourceLocation = #_sourceLocation
  ) {
    #expect(run.megabytes <= Self.memory, "\(about): \(run.description)", sourceLocation: place)
    #expect(run.seconds <= timeout + 1, "\(about): \(run.description)", sourceLocation: place)
    #expect(!run.isLate && run.status < 128, "\(about): \(run.description)", sourceLocation: place)
    #expect(["{", "["].contains(run.output.first), "\(about): no diagnosis; \(run.description)", sourceLocation: place)
  }

  /// A configuration, as one file or some, of a proxy.
  struct Bomb: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let process: String
    let files: @Sendable (_ folder: String, _ port: Int) -> [String: String]
    /// Name of the file that the process names.
    var main = "main"

    static let all: [Bomb] = [
      Bomb(testDescription: "a Traefik file as JSON on one line, 4000 routes", process: "traefik") { folder, port in
        let routers = (0..<4000).map {
          #""r\#($0)":{"rule":"Host(`h\#($0).example`)","service":"s\#($0)","entryPoints":["web"]}"#
        }
        let services = (0..<4000).map {
          #""s\#($0)":{"loadBalancer":{"servers":[{"url":"http://10.0.0.\#($0 % 250):80"}]}}"#
        }
        let file =
          "{\"http\":{\"routers\":{\(routers.joined(separator: ","))},\"services\":{\(services.joined(separator: ","))}}}"
        return ["main": traefik(folder, port), "dynamic.yaml": file]
      },
      Bomb(testDescription: "nginx: 200 times an include of 850 KB", process: "nginx") { folder, port in
        [
          "main": "events {}\nhttp {\nserver { listen \(port); location / { proxy_pass http://127.0.0.1:1; } }\n"
            + String(repeating: "include \(folder)/b;\n", count: 200) + "}\n",
          "b": String(repeating: "server { listen 1; }\n", count: 40_000),
        ]
      },
      Bomb(testDescription: "Apache: 200 times an Include of 850 KB", process: "apache2") { folder, port in
        [
          "main": "Listen \(port)\n<VirtualHost *:\(port)>\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n"
            + String(repeating: "Include \(folder)/b\n", count: 200),
          "b": String(repeating: "Define a\nUnDefine a\n", count: 42_000),
        ]
      },
      Bomb(testDescription: "YAML merge keys, 20,000 times 2000", process: "traefik") { folder, port in
        let keys = (0..<2000).map { "k\($0): 1" }.joined(separator: ", ")
        let merged = String(repeating: "*a,", count: 20_000)
        return ["main": traefik(folder, port), "dynamic.yaml": "a: &a {\(keys)}\nb: {<<: [\(merged)]}\n"]
      },
      Bomb(testDescription: "YAML merge keys in Envoy's file", process: "envoy") { _, _ in
        let keys = (0..<2000).map { "k\($0): 1" }.joined(separator: ", ")
        return ["main": "a: &a {\(keys)}\nb: {<<: [\(String(repeating: "*a,", count: 20_000))]}\n"]
      },
      Bomb(testDescription: "YAML aliases, 9 levels of 10", process: "traefik") { folder, port in
        let levels = (1...9).map { "l\($0): &l\($0) [\(String(repeating: "*l\($0 - 1),", count: 10))]" }
        return ["main": traefik(folder, port), "dynamic.yaml": "l0: &l0 [x]\n" + levels.joined(separator: "\n") + "\n"]
      },
      Bomb(testDescription: "nginx: set that doubles 60 times", process: "nginx") { _, port in
        let sets = (1...60).map { "set $v\($0) $v\($0 - 1)$v\($0 - 1);" }.joined(separator: " ")
        return [
          "main":
            "events {}\nhttp { server { listen \(port); set $v0 aaaaaaaa; \(sets) location / { proxy_pass http://$v60; } } }\n"
        ]
      },
      Bomb(testDescription: "nginx: a file that takes in itself", process: "nginx") { folder, port in
        ["main": "events {}\nhttp { server { listen \(port); } include \(folder)/main; include \(folder)/main; }\n"]
      },
      Bomb(testDescription: "HAProxy: 20,000 routes", process: "haproxy") { _, port in
        let rules = (0..<20_000).map { "  use_backend b\($0) if { hdr(host) -i h\($0).example }\n" }.joined()
        let backends = (0..<20_000).map { "backend b\($0)\n  server s 127.0.0.1:1\n" }.joined()
        return [
          "main": "defaults\n  mode http\nfrontend f\n  bind :\(port)\n" + rules + "  default_backend b1\n" + backends
        ]
      },
      Bomb(testDescription: "Caddy: 20,000 sites", process: "caddy") { _, port in
        ["main": (0..<20_000).map { "http://h\($0).example:\(port) {\n\treverse_proxy 127.0.0.1:1\n}\n" }.joined()]
      },
      Bomb(testDescription: "Caddy: snippets that take in each other", process: "caddy") { _, port in
        let snippets = (1...30).map { "(s\($0)) {\n\timport s\($0 - 1)\n\timport s\($0 - 1)\n}\n" }.joined()
        return [
          "main": "(s0) {\n\theader a b\n}\n" + snippets + ":\(port) {\n\timport s30\n\treverse_proxy 127.0.0.1:1\n}\n"
        ]
      },
      Bomb(testDescription: "Traefik: 20,000 routes in lines", process: "traefik") { folder, port in
        let routers = (0..<20_000).map { "    r\($0): {rule: 'Host(`h\($0).example`)', service: s}\n" }.joined()
        return [
          "main": traefik(folder, port),
          "dynamic.yaml": "http:\n  routers:\n" + routers
            + "  services:\n    s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}\n",
        ]
      },
      Bomb(testDescription: "blocks 300,000 deep", process: "nginx") { _, _ in
        ["main": "events {}\nhttp " + String(repeating: "{ a ", count: 300_000)]
      },
    ]

    private static func traefik(_ folder: String, _ port: Int) -> String {
      "entryPoints:\n  web:\n    address: ':\(port)'\nproviders:\n  file:\n    filename: \(folder)/dynamic.yaml\n"
    }
  }

  @Test(arguments: Bomb.all)
  func row56AConfigurationBombKeepsMemoryAndTime(_ bomb: Bomb) throws {
    let sandbox = try Sandbox("\(#function) \(bomb.testDescription)")
    let (folder, port) = (sandbox.lair, sandbox.port())
    for (name, text) in bomb.files(folder, port) { try sandbox.write(text, to: "\(folder)/\(name)") }
    try sandbox.compile("impostor.c", to: "/opt/impostor", "-static")
    // A root-owned proxy at its own place: what a user names is read with a user's rights, and may be left out.
    let form = try #require(ProxyForm.all.first { $0.process == bomb.process })
    try sandbox.pose(as: form, at: port, configuration: "\(folder)/\(bomb.main)")
    let timeout = 5 * Sandbox.slowness
    let run = try sandbox.run(
      [Sandbox.program, "diagnose", "http://h7.example:\(port)/", "--json", "--timeout", "\(Int(timeout))"],
      as: .init(limits: ["AS": Self.most]), limit: 20 * Sandbox.slowness)
    expectBounded(run, timeout: timeout, bomb.testDescription)
  }

  @Test func row5ALabelOf20000Dots() throws {
    let sandbox = try Sandbox()
    let port = try sandbox.failing(server: "Traefik")
    let label = "traefik." + String(repeating: "a.", count: 20_000) + "b"
    try sandbox.engine([
      StandIn(
        image: "traefik:v3", ports: [80: port],
        arguments: ["traefik", "--providers.docker=true", "--entrypoints.web.address=:80"]),
      StandIn(name: "app", image: "app", labels: [label: "x", "traefik.enable": "true"], ports: [80: nil]),
    ])
    let run = try sandbox.run(
      [Sandbox.program, "diagnose", "http://localhost:\(port)/", "--json", "--timeout", "5"],
      as: .init(limits: ["AS": Self.most]), limit: 20 * Sandbox.slowness)
    expectBounded(run, timeout: 5 * Sandbox.slowness, "dots")
  }

  @Test func row6RedirectsShareOneLimit() throws {
    let sandbox = try Sandbox()
    let port = try sandbox.failing(server: "loop")
    let run = try sandbox.wizard("diagnose", "http://localhost:\(port)/", "--json", "--timeout", "5", limit: 30)
    #expect(run.seconds <= 6, run.description)
  }

  @Test func row6AllSitesShareOneLimit() throws {
    let sandbox = try Sandbox()
    let port = try sandbox.hangingSites(40)
    let run = try sandbox.wizard("diagnose", "--all", "--json", "--timeout", "4", limit: 20)
    #expect(run.seconds <= 5.5, "\(port): \(run.description)")
    #expect(run.output.first == "[", run.description)
  }

  /// Extreme numbers of each kind, at every place that has one.
  private static func configurations(with number: String) -> [(process: String, text: (Int) -> String)] {
    let haproxy: (Int) -> String = {
      """
      global
        tune.bufsize \(number)
        tune.maxrewrite -1
      defaults
        mode http
        timeout server \(number)
        timeout connect \(number)
        timeout queue \(number)
      frontend f
        bind :\($0)
        maxconn \(number)
        default_backend b
      backend b
        server s app:+\(number) weight \(number) maxconn \(number)

      """
    }
    let apache: (Int) -> String = {
      "Listen \($0)\nProxyTimeout \(number)\nTimeout \(number)\n<VirtualHost *:\($0)>\n"
        + "ProxyPass / http://127.0.0.1:1/ timeout=\(number) connectiontimeout=\(number) max=\(number)\n</VirtualHost>\n"
    }
    let nginx: (Int) -> String = {
      "worker_processes \(number);\nworker_rlimit_nofile \(number);\nevents { worker_connections \(number); }\n"
        + "http { proxy_read_timeout \(number); proxy_buffer_size \(number); proxy_buffers \(number) \(number);\n"
        + "server { listen \($0); location / { proxy_connect_timeout \(number); proxy_pass http://127.0.0.1:1; } } }\n"
    }
    let caddy: (Int) -> String = {
      "(s) {\n\theader {args[-1:]} {args[\(number)]}\n}\n:\($0) {\n\timport s a\n\treverse_proxy 127.0.0.1:1 {\n\t\ttransport http {\n"
        + "\t\t\tdial_timeout \(number)h\n\t\t\tread_timeout \(number)h\n\t\t\tresponse_header_timeout \(number)h\n"
        + "\t\t\tmax_response_header \(number)GB\n\t\t}\n\t}\n}\n"
    }
    let envoy = ProxyForm.all.first { $0.process == "envoy" }
    return [
      ("haproxy", haproxy), ("apache2", apache), ("nginx", nginx), ("caddy", caddy),
      (
        "envoy",
        { port in
          (envoy?.configuration(port) ?? "")
            .replacingOccurrences(
              of: "route: {cluster: c}", with: "route: {cluster: c, timeout: \(number)s, idle_timeout: \(number)s}"
            )
            .replacingOccurrences(
              of: "  - name: c\n",
              with: "  - name: c\n    connect_timeout: \(number)s\n    health_checks:\n    - timeout: \(number)s\n"
                + "      http_health_check: {path: /, expected_statuses: [{start: \(number), end: 5}, {start: 5, end: \(number)}]}\n"
            )
        }
      ),
    ]
  }

  @Test func row10NoNumberEndsTheProgram() throws {
    let sandbox = try Sandbox()
    try sandbox.compile("impostor.c", to: "/opt/impostor", "-static")
    var ports: [(String, Int)] = []
    let numbers = ["99999999999999999999d", "9223372036854775807", "-9223372036854775808", "1e400", "nan"]
    for (index, (process, text)) in numbers.flatMap(Self.configurations).enumerated() {
      let (port, file) = (sandbox.port(), "/srv/conf/\(index)")
      try sandbox.write(text(port), to: file)
      let form = try #require(ProxyForm.all.first { $0.process == process })
      try sandbox.pose(as: form, at: port, configuration: file)
      ports.append((process, port))
    }
    for (process, port) in ports {
      let run = try sandbox.run([Sandbox.program, "diagnose", "http://localhost:\(port)/", "--json", "--timeout", "10"])
      #expect(run.status < 3, "\(process), \(port): \(run.description)")
      _ = try? Diagnosis(run)
    }
  }

  @Test(arguments: [4_611_686_018_427_387_904, Int.max, Int.min])
  func row10DockersNumbers(_ memory: Int) throws {
    let sandbox = try Sandbox("\(#function) \(memory)")
    let port = try sandbox.failing()
    let conf = "events {}\nhttp { server { listen 80; location / { proxy_pass http://app:80; } } }\n"
    try sandbox.engine([
      StandIn(ports: [80: port], files: ["/etc/nginx/nginx.conf": conf], memory: memory),
      StandIn(name: "app", image: "app", isRunning: false, ports: [80: nil], memory: memory),
    ])
    let run = try sandbox.wizard("diagnose", "http://localhost:\(port)/", "--json")
    #expect(run.status < 3, run.description)
  }

  static let views: [(what: String, sql: String)] = [
    ("LIKE", "select '\(String(repeating: "a", count: 50))' like '\(String(repeating: "%a", count: 9000))b' x"),
    ("GLOB", "select '\(String(repeating: "a", count: 50))' glob '\(String(repeating: "*a", count: 20_000))b' x"),
    ("zeroblob", "select hex(zeroblob(499999999)) x"),
    ("rows", "with recursive n(i) as (select 1 union all select i + 1 from n) select i x from n"),
  ]

  @Test(arguments: views.map(\.what))
  func row14AHostileDatabaseOfNginxProxyManager(_ what: String) throws {
    let sandbox = try Sandbox("\(#function) \(what)")
    let port = try sandbox.failing(server: "openresty")
    let sql = try #require(Self.views.first { $0.what == what }).sql
    try sandbox.sh("mkdir -p /srv/root/data /srv/root/bin; cp /bin/busybox /srv/root/bin")
    let columns = [
      "domain_names", "forward_host", "forward_port", "forward_scheme", "enabled", "is_deleted", "meta",
      "advanced_config",
      "locations", "certificate_id", "ssl_forced", "allow_websocket_upgrade", "caching_enabled", "access_list_id",
    ]
    try sandbox.write(
      "create view proxy_host as select 1 id, \(columns.map { "x as \($0)" }.joined(separator: ", ")) from (\(sql));\n",
      to: "/srv/sql")
    try sandbox.sh("/usr/bin/sqlite3 /srv/root/data/database.sqlite </srv/sql", limit: 20)
    let pid = try sandbox.start(["unshare", "--mount", "chroot", "/srv/root", "/bin/busybox", "sleep", "600"])
    var npm = StandIn(
      name: "npm", image: "jc21/nginx-proxy-manager:2", ports: [80: port],
      mounts: [("/srv/root/data", "/data")])
    npm.pid = pid
    try sandbox.engine([npm])
    let run = try sandbox.run(
      [Sandbox.program, "diagnose", "http://localhost:\(port)/", "--json", "--timeout", "5"],
      as: .init(limits: ["AS": Self.most]), limit: 20 * Sandbox.slowness)
    expectBounded(run, timeout: 5 * Sandbox.slowness, what)
  }

  /// What was 6.8, 21 and 1.5 s a line.
  @Test func row15NoLineMakesExplainSlow() throws {
    let sandbox = try Sandbox()
    let pumped = String(repeating: "a", count: 64_000)
    let braces = String(repeating: "{\\\"", count: 21_000)
    let lines = [
      "{\"request\":\"GET /\(pumped)\",\"status\":\"200\",\"termination_state\":\"--\"}",
      "{\"headers\": {\"User-Agent\": [\"\(braces)\"]}, \"status\": 200}",
      "Invalid request from ip=\(String(repeating: "1.", count: 32_000))",
      "Invalid request from ip=\(String(repeating: " ", count: 64_000))x",
      String(repeating: "{", count: 64_000), String(repeating: "\"status\":", count: 7000),
      String(repeating: " ", count: 64_000),
      String(repeating: "[error] ", count: 8000), String(repeating: "upstream ", count: 7000),
    ]
    for line in lines {
      try sandbox.write(line + "\n", to: "/srv/log")
      let run = try sandbox.wizard("explain", "/srv/log", limit: 60)
      #expect(run.processorSeconds < 0.3 * Sandbox.slowness, "\(line.prefix(60)): \(run.processorSeconds) s")
      #expect(run.megabytes < Self.memory)
    }
  }
}

extension Sandbox {
  /// A process of root's with a proxy's name and, as far as a test can have that, its place: nothing to distrust.
  func pose(as form: ProxyForm, at port: Int, configuration file: String, by uid: UInt32 = 0) throws {
    let program = form.program ?? "/usr/bin/\(form.process)"
    // The file system of programs is read-only: the impostor is bound over the program, where there is one.
    if try run(["test", "-e", program]).status != 0 {
      if try run(["mountpoint", "-q", "/usr/local/bin"]).status != 0 {
        try sh("mount -t tmpfs -o mode=0755 none /usr/local/bin")
      }
      try sh("[ -e /usr/local/bin/\(form.process) ] || install -m 0755 /opt/impostor /usr/local/bin/\(form.process)")
      try start(
        ["/usr/local/bin/" + form.process] + form.options(file),
        as: .init(uid: uid, variables: ["COMM": form.process, "PORT": "\(port)"]))
    } else {
      try sh("grep -q ' \(program) ' /proc/self/mountinfo || mount --bind /opt/impostor \(program)")
      try start(
        [program] + form.options(file), as: .init(uid: uid, variables: ["COMM": form.process, "PORT": "\(port)"]))
    }
    try waitForPorts([port])
  }

  /// An nginx of root's with many sites, each of which never answers.
  func hangingSites(_ count: Int) throws -> Int {
    let port = port()
    try start(["/usr/bin/python3", "-", "\(port)", "hang"], script: "site.py")
    try waitForPorts([port])
    // The names of the sites, and a server that the program takes for nginx.
    let hosts = (0..<count).map { "127.0.0.1 h\($0).example\n" }.joined()
    try write("127.0.0.1 localhost\n" + hosts, to: "/etc/hosts")
    let servers = (0..<count).map {
      "server { listen \(port); server_name h\($0).example; location / { proxy_pass http://127.0.0.1:1; } }\n"
    }.joined()
    let conf = "events {}\nhttp {\n\(servers)}\n"
    try engine([
      StandIn(ports: [port: port], network: "host", files: ["/etc/nginx/nginx.conf": conf])
    ])
    return port
  }
}
