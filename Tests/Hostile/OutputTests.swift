import Foundation
import Testing

/// Rows 4, 16, 21, 22 and 24: what comes out has no secret, nothing that a terminal obeys and no Markdown from outside.
@Suite struct OutputTests {
  static let forms: [[String]] = [["--json"], ["--markdown"], []]

  /// Two containers, nginx and an app that has ended, in which `text` stands wherever an engine takes text.
  static func containers(_ text: String, port: Int) -> [StandIn] {
    let labels = [
      "com.docker.compose.project": text, "com.docker.compose.service": text, text: text,
      "com.docker.compose.project.config_files": "/srv/\(text)",
      "com.docker.compose.project.working_dir": "/srv/\(text)",
    ]
    let log =
      "\(text)\nError: connect ECONNREFUSED \(text)\nnginx: [emerg] host not found in upstream \"\(text)\" in /etc/nginx/nginx.conf:1\n"
      + "2026/01/01 00:00:00 [error] 1#1: *1 connect() failed (111: Connection refused) while connecting to upstream, "
      + "client: 1.2.3.4, server: \(text), request: \"GET /\(text) HTTP/1.1\", upstream: \"http://app:3000/\", host: \"\(text)\"\n"
    let configuration = """
      events {}
      http {
        server {
          listen 80;
          server_name localhost "\(text.filter { !"\"\\\n\r".contains($0) })";
          location / { proxy_pass http://app:3000; }
        }
      }

      """
    return [
      StandIn(
        labels: labels, ports: [80: port], network: text, mounts: [("/srv/\(text)", "/etc/nginx/nginx.conf")],
        files: ["/etc/nginx/nginx.conf": configuration], log: log),
      StandIn(
        name: "app", image: "app", isRunning: false, labels: labels, ports: [3000: nil], network: text, log: log,
        error: text),
    ]
  }

  @Test func row4ASecretOfTheURLIsInNoOutput() throws {
    let sandbox = try Sandbox()
    let port = try sandbox.failing()
    let secret = "S3cr3t" + sandbox.name()
    let names = [
      "token", "key", "code", "X-Amz-Credential", "PHPSESSID", "sid", "pass", "refreshToken", "password[]",
      "client_secret",
      "token%5B%5D", "otp",
    ]
    let query = names.map { "\($0)=\(secret)" }.joined(separator: "&")
    for tail in ["?\(query)", "?token=a,\(secret)", "?token%3D\(secret)", "?token=a;\(secret)"] {
      for output in Self.forms {
        let run = try sandbox.run([Sandbox.program, "diagnose", "http://localhost:\(port)/\(tail)"] + output)
        #expect(run.output.contains("502"), run.description)
        #expect(
          !run.all.contains(secret), "\(output): \(run.all.split(separator: "\n").first { $0.contains(secret) } ?? "")")
      }
    }
    let user = try sandbox.run([Sandbox.program, "diagnose", "http://u:\(secret)@localhost:\(port)/", "--json"])
    #expect(!user.all.contains(secret), "user: \(user.all.prefix(300))")
  }

  @Test func row4SecretsOfLogsAndErrorsAreInNoReport() throws {
    let sandbox = try Sandbox()
    let secret = "S3cr3t" + sandbox.name()
    let port = try sandbox.failing()
    let carriers = [
      "DB_PASS=\(secret)", "PGPASSWORD=\(secret)", "{\"password\":\"\(secret)\"}", "password = \(secret)",
      "--password \(secret)",
      "Authorization: Token \(secret)", "Cookie: a=1; b=\(secret)", "postgres://u:\(secret)@db/x", "?code=\(secret)",
      "u:\(secret)@tcp(db:3306)/x", "private_key=\(secret)",
    ]
    for carrier in carriers {
      let socket = try sandbox.engineOf(Self.containers(carrier, port: port))
      for output in carrier == carriers[0] ? Self.forms : [Self.forms[0]] {
        let run = try sandbox.run(
          [Sandbox.program, "diagnose", "http://localhost:\(port)/"] + output,
          as: .init(variables: ["DOCKER_HOST": "unix://\(socket)"]))
        // A command that the person is to run has the values that it needs; all else has not.
        let lines = run.all.split(separator: "\n").filter {
          $0.contains(secret) && !$0.contains("\"command\"") && !$0.contains("docker ") && !$0.contains("\"patch\"")
        }
        #expect(lines.isEmpty, "\(carrier) \(output): \(lines.first ?? "")")
      }
      try sandbox.write(
        "2026/01/01 00:00:00 [error] 1#1: *1 connect() failed (111: Connection refused) while connecting to upstream, \(carrier)\n",
        to: "/srv/log")
      for output in [["--json"], []] {
        let run = try sandbox.run([Sandbox.program, "explain"] + output + ["/srv/log"])
        #expect(!run.all.contains(secret), "explain \(output): \(carrier)")
      }
    }
  }

  static let obeyed = [
    "\u{1B}[31mred\u{1B}]0;title\u{7}", "\u{9B}31m", "a\u{202E}b\u{2066}c", "a\u{200B}b\u{FEFF}", "a\rb",
    "a\u{8}\u{8}b", "\u{85}x\u{2028}y",
    "\u{1B}]52;c;cHduZWQ=\u{7}", "\u{E0041}\u{E007F}",
  ]

  static func raw(_ text: String) -> [String] {
    let kinds: [Unicode.GeneralCategory] = [.control, .format, .lineSeparator, .paragraphSeparator]
    return text.unicodeScalars.filter { $0 != "\n" && $0 != "\t" && kinds.contains($0.properties.generalCategory) }
      .map { $0.escaped(asASCII: true) }
  }

  @Test(arguments: 0..<3)
  func row21NothingThatATerminalObeysComesOut(_ part: Int) throws {
    let text = Self.obeyed.enumerated().filter { $0.offset % 3 == part }.map(\.element).joined(separator: " ")
    let sandbox = try Sandbox("\(#function) \(part)")
    let port = try sandbox.failing()
    try sandbox.engine(Self.containers(text, port: port))
    func expectPlain(_ run: Sandbox.Run, _ what: String) {
      #expect(Self.raw(run.all).isEmpty, "\(what): \(Self.raw(run.all))")
      #expect(run.status < 128, "\(what): \(run.description)")
    }
    for output in Self.forms {
      expectPlain(try sandbox.run([Sandbox.program, "diagnose", "http://localhost:\(port)/"] + output), "\(output)")
      expectPlain(try sandbox.run([Sandbox.program, "diagnose", "--all"] + output), "--all \(output)")
    }
    expectPlain(try sandbox.run([Sandbox.program, "diagnose", "http://\(text)/"]), "an argument")
    expectPlain(try sandbox.run([Sandbox.program, "show", text]), "show")
    expectPlain(try sandbox.run([Sandbox.program, "--\(text)"]), "an option")
    expectPlain(try sandbox.run([Sandbox.program, "explain", "/srv/\(text)"]), "a file's name")
    expectPlain(
      try sandbox.run(
        [Sandbox.program, "diagnose", "--all"], as: .init(variables: ["DOCKER_HOST": "unix:///\(text)"])), "DOCKER_HOST"
    )
    try sandbox.write("[error] 1#1: *1 connect() failed (111: Connection refused), \(text)\n", to: "/srv/log")
    for output in [["--json"], []] {
      expectPlain(try sandbox.run([Sandbox.program, "explain"] + output + ["/srv/log"]), "explain")
    }
    // A folder of one's own, with the text as names, keys and values.
    let name = text.replacingOccurrences(of: "/", with: "")
    try sandbox.write("\(name): [\(text)\n\"\(text)\": x\n", to: "/srv/own/Flows/\(name).yaml")
    try sandbox.write(
      "# \(text)\n\n<!-- part: \(text) -->\n<!-- when: \(text) -->\n{\(text)}\n", to: "/srv/own/Screens/\(name).md")
    expectPlain(try sandbox.run([Sandbox.program, "lint", "/srv/own"]), "lint")
    expectPlain(try sandbox.run([Sandbox.program, "--flows", "/srv/own", "show"]), "--flows")
  }

  @Test func row22MarkdownHasNoHTMLPictureLinkOrNameFromOutside() throws {
    let sandbox = try Sandbox()
    let mark = sandbox.name()
    let port = try sandbox.failing()
    let texts = [
      "<img src=x onerror=\(mark)>", "![\(mark)](http://\(mark).example/x.png)", "[x](javascript:\(mark))",
      "<b>\(mark)</b>", "@\(mark)",
      "` ![\(mark)](http://\(mark).example/) `", "``` <i>\(mark)</i> ```", "<http://\(mark).example/>",
      "\n# \(mark)\n<hr \(mark)>",
      "\\<b>\(mark)", "*\(mark)* <!-- \(mark) -->", "\n```\n<s>\(mark)</s>\n",
    ]
    var isSeen = false
    for text in texts {
      let socket = try sandbox.engineOf(Self.containers(text, port: port))
      let run = try sandbox.run(
        [Sandbox.program, "diagnose", "http://localhost:\(port)/", "--markdown"],
        as: .init(variables: ["DOCKER_HOST": "unix://\(socket)"]))
      isSeen = isSeen || run.output.contains(mark)
      try sandbox.write(run.output, to: "/srv/report.md")
      let tree = try sandbox.sh("cmark -t xml /srv/report.md")
      for node in tree.split(separator: "\n") where node.contains(mark) {
        let isFromOutside = ["<html", "<image", "<link"].contains { node.contains($0) }
        #expect(!isFromOutside, "\(text.debugDescription): \(node)")
        if text.hasPrefix("@") { #expect(!(node.contains("<text") && node.contains("@\(mark)")), "\(node)") }
      }
      for (node, next) in zip(tree.split(separator: "\n"), tree.split(separator: "\n").dropFirst())
      where next.contains(mark) {
        #expect(!node.contains("<image"), "\(text.debugDescription): \(node)")
      }
    }
    #expect(isSeen, "no text from outside came into the report: nothing was tried")
  }

  @Test(arguments: [
    "ln -s ../../../../../../etc/shadow", "ln -s /proc/self/root/etc/shadow", "ln -s /proc/1/root/etc/shadow",
    "ln -s /proc/self/fd/0",
    "mkfifo", "mknod-zero", "truncate -s 1T", "ln -s /proc/kmsg", "proc",
  ])
  func row24AContainersFilesLeadNowhereOutsideItAndAreBounded(_ how: String) throws {
    let sandbox = try Sandbox("\(#function) \(how)")
    let secret = "S3cr3t" + sandbox.name()
    try sandbox.write("root:$6$\(secret):1\n", to: "/etc/shadow", mode: 0o600)
    let port = try sandbox.failing()
    let root = "/srv/root"
    try sandbox.sh(
      "mkdir -p \(root)/etc/nginx \(root)/bin \(root)/proc; cp /bin/busybox \(root)/bin; mount -t proc none \(root)/proc"
    )
    let file = root + "/etc/nginx/nginx.conf"
    let talker = try sandbox.start(["sh", "-c", "sleep 600; :", "unknown\(secret) x;"])
    switch how {
    case "mknod-zero": try sandbox.sh("ln -s /dev/zero \(file); mkdir \(root)/dev; mknod \(root)/dev/zero c 1 5")
    case "proc": try sandbox.sh("ln -s /proc/\(talker)/cmdline \(file)")
    default: try sandbox.sh("\(how) \(file)")
    }
    let pid = try sandbox.start(["unshare", "--mount", "chroot", root, "/bin/busybox", "sleep", "600"])
    try sandbox.engine([StandIn(ports: [80: port], pid: pid)])
    let run = try sandbox.run(
      [
        "strace", "-f", "-qq", "-e", "trace=openat,openat2", "-o", "/run/trace", Sandbox.program, "diagnose",
        "http://localhost:\(port)/", "--json", "--timeout", "5",
      ],
      limit: 20)
    #expect(!run.isLate && run.status < 128 && run.megabytes < 200, run.description)
    #expect(!run.all.contains(secret))
    if how.hasSuffix("kmsg") {
      // Found as a path and refused is well; opened to be read is not.
      let trace = try sandbox.read("/run/trace") ?? ""
      let opened = trace.split(separator: "\n").filter {
        $0.contains("kmsg") && !$0.contains("O_PATH") && !$0.contains("= -1")
      }
      #expect(opened.isEmpty, "\(opened)")
    }
    #expect(try sandbox.engineChanges.isEmpty)
  }
}
