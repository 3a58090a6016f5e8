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

  /// Carries out a command with each shell and prints what became of it: shell, `PWNED` or nothing, and the
  /// invocations with their arguments, parted by the control characters RS, US, GS and NUL.
  private static let trying = """
    #!/bin/bash
    for shell in sh dash bash "busybox sh"; do
      rm -f /opt/PWNED /opt/arguments
      timeout 5 env PATH=/opt/bin:/usr/bin:/bin $shell -c "$1" </dev/null >/dev/null 2>&1
      printf '\\036%s\\037%s\\037' "$shell" "$(ls /opt/PWNED 2>/dev/null)"
      [ ! -e /opt/arguments ] || cat /opt/arguments
    done

    """

  /// A value that is recognised wherever it comes to stand: between two marks, or behind a dash.
  private struct Marked {
    let mark: String
    let whole: String

    init(_ value: String, _ sandbox: Sandbox) {
      mark = sandbox.name()
      whole = value.hasPrefix("-") ? value + mark : mark + value + mark
    }

    /// What is wrong with the arguments of one invocation: part of the value, or an option that it has become.
    func mistake(in arguments: [String]) -> String? {
      for (index, argument) in arguments.enumerated() where argument.contains(mark) {
        guard Array(argument.utf8).containsRun(of: Array(whole.utf8)) else {
          return "not the value: \(argument.debugDescription)"
        }
        let isTaken = index > 0 && arguments[index - 1].hasPrefix("-") || arguments[..<index].contains("--")
        if argument.hasPrefix("-"), argument.hasPrefix(whole), !isTaken {
          return "an option: \(argument.debugDescription)"
        }
      }
      return nil
    }
  }

  /// nginx in a container before an app in one that has ended. Every text is hostile, or the file's alone is.
  /// - Parameter pid: Of the proxy, whose files are then those of the sandbox.
  private static func containers(_ values: [Marked], inFile: Bool, port: Int, pid: Int32) -> [StandIn] {
    func chosen(_ number: Int, _ otherwise: String) -> String { inFile ? otherwise : values[number].whole }
    func labels(_ service: String) -> [String: String] {
      [
        "com.docker.compose.project": chosen(0, "shop"), "com.docker.compose.service": chosen(1, service),
        "com.docker.compose.project.config_files": "/srv/" + chosen(2, "compose.yaml"),
        "com.docker.compose.project.working_dir": "/srv/" + chosen(2, "shop"),
      ]
    }
    let socket = values[0].whole.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    let upstream = inFile ? "\"http://unix:/srv/\(socket)/app.sock\"" : "http://app:3000"
    let configuration =
      "events {}\nhttp {\n  server {\n    listen 80;\n    location / {\n      proxy_pass \(upstream);\n    }\n  }\n}\n"
    return [
      StandIn(
        name: chosen(3, "proxy"), labels: labels("proxy"), ports: [80: port], network: chosen(4, "shop"),
        mounts: [("/srv/" + chosen(5, "nginx.conf"), "/etc/nginx/nginx.conf")],
        files: [
          "/etc/nginx/nginx.conf": configuration, "/etc/hosts": "127.0.0.1 localhost\n",
          "/etc/resolv.conf": "nameserver 127.0.0.11\n",
        ], pid: pid),
      StandIn(
        name: inFile ? "app" : "app" + values[1].whole, image: "shop/app", isRunning: false, labels: labels("app"),
        ports: [3000: nil], network: chosen(4, "shop"), aliases: ["app"], log: "Error: listen EADDRINUSE\n"),
    ]
  }

  @Test(arguments: [true, false])
  func row2HostileLabelsNamesPathsAndNetworksStayValuesInEveryCommand(_ inFile: Bool) throws {
    let sandbox = try Sandbox("\(#function) \(inFile)")
    let port = try sandbox.failing()
    let note = "#!/bin/sh\n{ for a; do printf '%s\\0' \"$a\"; done; printf '\\035'; } >>/opt/arguments\n"
    for name in Self.stood {
      let goesOn = name == "sudo" ? "case $1 in -*) shift;; esac\nexec \"$@\"\n" : ""
      try sandbox.write(note + goesOn, to: "/opt/bin/" + name, mode: 0o755)
    }
    try sandbox.write("#!/bin/sh\n: >/opt/PWNED\n", to: "/opt/bin/DO", mode: 0o755)
    try sandbox.write(Self.trying, to: "/opt/try", mode: 0o755)
    try sandbox.sh("mkdir /tmp/work")
    // A socket can only be looked for among the files of a process.
    let proxy = inFile ? try sandbox.start(["sleep", "300"]) : 0
    var tried = 0
    for value in Self.hostile {
      let values = (0..<6).map { _ in Marked(value, sandbox) }
      let containers = Self.containers(values, inFile: inFile, port: port, pid: proxy)
      if inFile {
        for (path, text) in containers[0].files { try sandbox.write(text, to: path) }
      }
      let engine = try sandbox.engineOf(containers)
      let run = try sandbox.wizard(
        "diagnose", "http://localhost:\(port)/", "--json", as: .init(variables: ["DOCKER_HOST": "unix://\(engine)"]))
      for command in Set(try Diagnosis(run).commands) where values.contains(where: { command.contains($0.mark) }) {
        tried += 1
        let result = try sandbox.run(["/opt/try", command], as: .init(folder: "/tmp/work"), limit: 30)
        let shells = result.output.split(separator: "\u{1E}")
        #expect(shells.count == 4, result.description)
        for shell in shells {
          let parts = shell.split(separator: "\u{1F}", maxSplits: 2, omittingEmptySubsequences: false)
          #expect(parts[1].isEmpty, "\(parts[0]) runs what stands in a value: \(command.debugDescription)")
          for invocation in parts[2].split(separator: "\u{1D}") {
            let arguments = invocation.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
            let mistake = values.lazy.compactMap { $0.mistake(in: arguments) }.first
            #expect(mistake == nil, "\(parts[0]): \(command.debugDescription): \(mistake ?? "")")
          }
        }
      }
    }
    print("Hostile: \(tried) commands with hostile values were run by four shells")
    #expect(tried >= 10, "nearly no command has any of the values: nothing was tried")
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
