import Foundation
import Testing

/// Row 2: every command that is shown runs what it shows, whatever names and paths it was filled in with.
@Suite struct PasteTests {
  /// Text that breaks out of quotes, options or lines where it can. `DO` is a command that would be noticed.
  static let hostile: [String] = [
    "'\u{301}$(DO)'\u{301}", "'\u{301}`DO`'\u{301}", "';DO;'", "\";DO;\"", "$(DO)", "`DO`", "\nDO\n", "\r\nDO\r\n",
    "\u{2028}DO", "|DO", "&&DO", "'\u{20E0};DO;'\u{FE0F}", "'\u{34F}$(DO)", "\\'$(DO)", "\\\n$(DO)", "${x:=$(DO)}",
    "$'\\n'DO", "\u{3164}$(DO)", "\u{202E}$(DO)", "'\"'\"'$(DO)", "\nEOF\nDO\n", "!DO", "~root/$(DO)", "a b\tc",
    "'\u{200D};DO;'", "\u{301}", "'\u{301}", "--help", "-v/:/host", "#DO", "{a,b}*?[x]", "%s%n", "\u{7F}\u{1B}[31m",
  ]

  /// Programs that a page names, which here only write down their arguments.
  static let stood = [
    "docker", "docker-compose", "podman", "sudo", "nginx", "apache2ctl", "apachectl", "caddy", "haproxy", "envoy",
    "traefik",
    "systemctl", "journalctl", "curl", "ss", "ip", "ls", "cat", "tail", "head", "grep", "stat", "chmod", "chown",
    "patch", "sed",
    "openssl", "getent", "dig", "kill", "ps", "nsenter", "nft", "iptables", "ip6tables", "ufw", "ping", "vi", "nano",
    "rm",
    "mv", "cp", "mkdir", "touch", "df", "free", "dmesg", "sysctl", "lsof", "usermod", "setfacl", "namei", "find",
    "diff",
  ]

  private enum Place: String, CaseIterable { case names, paths, labels, networks, configuration }

  private static func containers(_ value: String, _ place: Place, port: Int, mark: String) -> [StandIn] {
    func chosen(_ here: Place, _ otherwise: String) -> String { here == place ? mark + value + mark : otherwise }
    let project = chosen(.labels, "shop")
    func labels(_ service: String) -> [String: String] {
      [
        "com.docker.compose.project": project, "com.docker.compose.service": chosen(.labels, service),
        "com.docker.compose.project.config_files": chosen(.paths, "/srv/shop/compose.yaml"),
        "com.docker.compose.project.working_dir": chosen(.paths, "/srv/shop"),
      ]
    }
    let configuration = chosen(.configuration, "app").replacingOccurrences(of: "\\", with: "\\\\")
      .replacingOccurrences(of: "\"", with: "\\\"")
    let upstream =
      place == .configuration ? "\"http://unix:/srv/\(configuration)/app.sock\"" : "http://app:3000"
    let text = """
      events {}
      http {
        server {
          listen 80;
          location / {
            proxy_pass \(upstream);
          }
        }
      }

      """
    let proxy = StandIn(
      name: chosen(.names, "proxy"), labels: labels("proxy"), ports: [80: port], network: chosen(.networks, "shop"),
      mounts: [(chosen(.paths, "/srv/shop/nginx.conf"), "/etc/nginx/nginx.conf")],
      files: [
        "/etc/nginx/nginx.conf": text, "/etc/hosts": "127.0.0.1 localhost\n",
        "/etc/resolv.conf": "nameserver 127.0.0.11\n",
      ])
    let app = StandIn(
      name: place == .names ? mark + value + "app" + mark : "app", image: "shop/app", isRunning: false,
      labels: labels("app"), ports: [3000: nil], network: chosen(.networks, "shop"),
      log: "Error: listen EADDRINUSE\n")
    return [proxy, app]
  }

  /// All commands of the diagnosis are run, by each shell, with programs that write down what they are given.
  @Test("row 2: hostile labels, names, paths and networks stay values in every command", arguments: 0..<4)
  func commandsAreExact(_ part: Int) throws {
    let sandbox = try Sandbox("\(#function) \(part)")
    let port = try sandbox.failing()
    let log = "/opt/arguments"
    let note = "#!/bin/sh\nfor a; do printf '%s\\0' \"$a\"; done >>\(log)\n"
    for name in Self.stood {
      let goesOn = name == "sudo" ? "case $1 in -*) shift;; esac\nexec \"$@\"\n" : "cat >/dev/null </dev/null\nexit 0\n"
      try sandbox.write(
        note + goesOn.replacingOccurrences(of: "cat >/dev/null </dev/null\n", with: ""), to: "/opt/bin/" + name,
        mode: 0o755)
    }
    try sandbox.write("#!/bin/sh\n: >/opt/PWNED\n", to: "/opt/bin/DO", mode: 0o755)
    let shells = [["sh"], ["dash"], ["bash"], ["busybox", "sh"]]
    var tried: Set<String> = []
    for (index, value) in Self.hostile.enumerated() where index % 4 == part {
      for place in Place.allCases {
        let mark = sandbox.name()
        let lone = Self.containers(value, place, port: port, mark: value.hasPrefix("-") ? "" : mark)
        let whole = value.hasPrefix("-") ? value : mark + value + mark
        let engine = try sandbox.engineOf(lone)
        let run = try sandbox.wizard(
          "diagnose", "http://localhost:\(port)/", "--json", "--timeout", "20",
          as: .init(variables: ["DOCKER_HOST": "unix://\(engine)"]))
        for command in try Diagnosis(run).commands {
          guard tried.insert(command).inserted, command.contains(mark) || value.hasPrefix("-") else { continue }
          for shell in shells {
            try sandbox.sh("rm -f \(log) /opt/PWNED; mkdir -p /tmp/work")
            _ = try sandbox.run(
              shell + ["-c", command],
              as: .init(folder: "/tmp/work", variables: ["PATH": "/opt/bin:/usr/bin:/bin"]), limit: 5)
            let isRun = try sandbox.run(["test", "-e", "/opt/PWNED"]).status == 0
            #expect(!isRun, "\(shell.joined(separator: " ")), \(place.rawValue): \(command)")
            let arguments = (try sandbox.read(log) ?? "").split(separator: "\0")
            for argument in arguments where argument.contains(mark) {
              #expect(
                Array(argument.utf8).containsRun(of: Array(whole.utf8))
                  || argument.contains("\(mark)\(value)app\(mark)"),
                "\(shell.joined(separator: " ")), \(place.rawValue): \(command) gives \(argument.debugDescription)")
            }
          }
        }
      }
    }
    #expect(!tried.isEmpty, "no command has any of the values: nothing was tried")
    #expect(try sandbox.engineChanges.isEmpty)
  }
}

extension Sandbox {
  /// Starts one more engine; its socket.
  func engineOf(_ containers: [StandIn]) throws -> String {
    let socket = "/run/\(name()).sock"
    try sh("rm -f /run/docker.sock")
    try engine(containers)
    try sh("mv /run/docker.sock \(socket)")
    return socket
  }
}

extension [UInt8] {
  func containsRun(of other: [UInt8]) -> Bool {
    guard !other.isEmpty, other.count <= count else { return other.isEmpty }
    return (0...(count - other.count)).contains { self[$0..<($0 + other.count)].elementsEqual(other) }
  }
}
