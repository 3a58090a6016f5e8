import Foundation
import Synchronization
import Testing

/// Docker engines that are of no use, and ones whose containers have hostile names.
@Suite(.serialized) struct DockerTests {
  // MARK: Engines of no use

  @Test func noSocket() async throws {
    try await expectUnseen(in: Program.withoutDocker, reason: "/nonexistent.sock")
  }

  @Test func socketWithoutPermission() async throws {
    let folder = try Folder()
    let socket = folder.path + "/docker.sock"
    let server = try Server(unixSocket: socket) { $0.hold() }
    defer { withExtendedLifetime(server) {} }
    chmod(socket, 0)
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    try await expectUnseen(
      in: ["DOCKER_HOST": "unix://\(socket)"], command: geteuid() == 0 ? nobody + [Program.path] : [Program.path],
      reason: "permi")
    #expect(server.requests.isEmpty)
  }

  /// Where Docker could not be asked, nobody can say that there is no proxy.
  @Test func allRoutesWithoutDocker() async throws {
    let run = try await Program.run("diagnose", "--all", "--json")
    #expect(run.status == 2 && run.output == "[]\n")
    #expect(run.errors.contains("/nonexistent.sock"))
  }

  /// A proxy's process somewhere on the machine says nothing about who serves the site's port.
  @Test func noSocketBesideAnotherProxy() async throws {
    let folder = try Folder()
    let proxy = folder.path + "/nginx"
    try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: proxy)
    let isOver = Atomic(false)
    async let running = Program.run(
      "20", command: [proxy], limit: 25, interruptedWhen: { isOver.load(ordering: .relaxed) })
    defer { isOver.store(true, ordering: .relaxed) }
    try await expectUnseen(in: Program.withoutDocker, reason: "/nonexistent.sock")
    isOver.store(true, ordering: .relaxed)
    _ = try await running
  }

  @Test func socketThatNeverAnswers() async throws {
    try await expectUnseen(reason: "no answer") { $0.hold() }
  }

  @Test func engineThatForbids() async throws {
    try await expectUnseen(reason: "Docker") { peer in
      _ = peer.request()
      peer.answer("403 Forbidden", body: "{\"message\":\"authorization denied\"}".utf8)
    }
  }

  @Test func garbage() async throws {
    try await expectUnseen(reason: "Docker") { peer in
      _ = peer.request()
      peer.send("\u{1B}[2J\u{1B}]0;title\u{7}\0\0\r\n\r\n")
    }
  }

  @Test func garbageForJSON() async throws {
    try await expectUnseen(reason: "Docker") { peer in
      _ = peer.request()
      peer.answer("200 OK", headers: "Api-Version: 1.41\r\n", body: "[{\"Id\": \u{1B}[31m".utf8)
    }
  }

  @Test func bodyOf100Megabytes() async throws {
    try await expectUnseen(reason: "bytes") { peer in
      let isPing = peer.request() == "/_ping"
      peer.send("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: \(isPing ? 2 : 100_000_000)\r\n\r\n")
      if isPing {
        peer.send("OK")
      } else {
        let block = [UInt8](repeating: UInt8(ascii: " "), count: 1_000_000)
        for _ in 0..<100 where !peer.send(block) { return }
      }
    }
  }

  private func expectUnseen(reason: String, engine: @escaping @Sendable (Peer) -> Void) async throws {
    let folder = try Folder()
    let server = try Server(unixSocket: folder.path + "/docker.sock", engine)
    try await expectUnseen(in: ["DOCKER_HOST": "unix://\(folder.path)/docker.sock"], reason: reason)
    withExtendedLifetime(server) {}
  }

  /// Nobody listens at the site's port, and what Docker could tell about it is said to be unseen, not to be fine.
  private func expectUnseen(
    in environment: [String: String], command: [String] = [Program.path], reason: String,
    at place: SourceLocation = #_sourceLocation
  ) async throws {
    let port = try Server { _ in }.port
    let run = try await Program.run(
      "diagnose", "http://127.0.0.1:\(port)/", "--json", command: command, environment: environment, limit: 25,
      at: place)
    #expect(run.status == 2 && run.errors.isEmpty, sourceLocation: place)
    let search = try run.diagnosis.checks.first { $0.id == "proxy.find" }
    #expect(search?.outcome == "unknown", sourceLocation: place)
    #expect(search?.summary.contains(reason) == true, "\(search?.summary ?? "")", sourceLocation: place)
  }

  // MARK: Hostile names

  /// What can be shown as it is, so it may be a word of a command.
  static let quotable = [
    "$(reboot)", "`reboot`", "a;reboot", "a b", "it's \"so\"", "'; reboot; '", "a\\b", "*", "~root", "#a", "a&&reboot",
    "$HOME", "!!", "naïve", "{upstream.host}",
  ]
  /// What no quoting shows, so there is no command at all.
  static let unquotable = [
    "a\u{1B}[31mb", "a\nreboot", "a\r\nb", "\u{202E}gpj.exe", "a\u{2066}b", "\u{9B}31m", "--privileged",
    "a\u{7F}", "a\u{200B}b",
  ]

  @Test(arguments: quotable + unquotable)
  func stoppedProxy(_ hostile: String) async throws {
    let port = try Server { _ in }.port
    let proxy = FakeContainer(id: "aaaa", name: hostile, image: "nginx:1.27", hostPort: port, isRunning: false)
    // Without an app of the name that its file has, it would be the file that keeps it from starting.
    let app = FakeContainer(id: "bbbb", name: "app", image: "team/app")
    try await expectSafe(hostile, cause: "proxy-stopped", "http://127.0.0.1:\(port)/", [proxy, app])
  }

  @Test(arguments: quotable + unquotable)
  func stoppedApp(_ hostile: String) async throws {
    let site = try Self.badGateway()
    let proxy = FakeContainer(id: "aaaa", name: "proxy", image: "nginx:1.27", hostPort: site.port)
    let app = FakeContainer(
      id: "bbbb", name: hostile, image: hostile, hostname: "app",
      labels: ["com.docker.compose.service": hostile, "com.docker.compose.project.config_files": hostile],
      isRunning: false)
    try await expectSafe(hostile, cause: "backend-stopped", site.url, [proxy, app])
  }

  @Test(arguments: quotable + unquotable)
  func separateNetworks(_ hostile: String) async throws {
    let site = try Self.badGateway()
    let proxy = FakeContainer(id: "aaaa", name: "proxy", image: "nginx:1.27", hostPort: site.port)
    let app = FakeContainer(id: "bbbb", name: "app", image: hostile, network: hostile)
    try await expectSafe(hostile, cause: "network-mismatch", site.url, [proxy, app])
  }

  @Test(arguments: unquotable)
  func imageVersion(_ hostile: String) async throws {
    let site = try Self.badGateway()
    let proxy = FakeContainer(id: "aaaa", name: "proxy", image: "nginx:1" + hostile, hostPort: site.port)
    let app = FakeContainer(id: "bbbb", name: "app", image: "app", isRunning: false)
    try await expectSafe("app", cause: "backend-stopped", site.url, [proxy, app])
  }

  @Test(arguments: unquotable)
  func routeToAHostileName(_ hostile: String) async throws {
    let site = try Self.badGateway()
    let proxy = FakeContainer(
      id: "aaaa", name: "proxy", image: "nginx:1.27", upstream: "http://\(hostile):3000", hostPort: site.port)
    let folder = try Folder()
    let engine = try Server(unixSocket: folder.path + "/docker.sock") { FakeContainer.answer([proxy], to: $0) }
    let run = try await Program.run(
      "diagnose", site.url, "--json", environment: ["DOCKER_HOST": "unix://\(folder.path)/docker.sock"])
    withExtendedLifetime(engine) {}
    #expect(run.status == 1 || run.status == 2)
    #expect(try run.diagnosis.url == site.url)
  }

  @Test(arguments: [[], ["--markdown"]])
  func hostileNamesInText(_ form: [String]) async throws {
    let site = try Self.badGateway()
    let hostile = Self.unquotable.joined()
    let folder = try Folder()
    let containers = [
      FakeContainer(id: "aaaa", name: "proxy" + hostile, image: "nginx:1" + hostile, hostPort: site.port),
      FakeContainer(id: "bbbb", name: hostile, image: hostile, hostname: "app", network: hostile, isRunning: false),
    ]
    let engine = try Server(unixSocket: folder.path + "/docker.sock") { FakeContainer.answer(containers, to: $0) }
    let run = try await Program.run(
      ["diagnose", site.url] + form, environment: ["DOCKER_HOST": "unix://\(folder.path)/docker.sock"])
    withExtendedLifetime(engine) {}
    #expect(run.status == 1 && run.errors.isEmpty)
    #expect(run.output.contains("<U+202E>"))
  }

  private static func badGateway() throws -> Server {
    try Server { peer in
      _ = peer.request()
      peer.answer("502 Bad Gateway", headers: "Server: nginx\r\n", body: [])
    }
  }

  private func expectSafe(_ hostile: String, cause: String, _ url: String, _ containers: [FakeContainer]) async throws {
    let folder = try Folder()
    let engine = try Server(unixSocket: folder.path + "/docker.sock") { FakeContainer.answer(containers, to: $0) }
    let run = try await Program.run(
      "diagnose", url, "--json", environment: ["DOCKER_HOST": "unix://\(folder.path)/docker.sock"])
    withExtendedLifetime(engine) {}
    #expect(run.status == 1 && run.errors.isEmpty, "\(run.output)")
    let found = try #require(try run.diagnosis.causes.first { $0.id == cause })
    var isNamed = false
    for command in found.fix.steps.compactMap(\.command) {
      #expect(!command.contains("\n") && command.obeyed.isEmpty)
      #expect(try await Program.run("-n", "-c", command, command: ["/bin/sh"]).errors.isEmpty)
      let words = try await words(of: command)
      #expect(!words.contains { $0 != hostile && $0.contains("reboot") })
      isNamed = isNamed || words.contains(hostile)
    }
    #expect(isNamed == !Self.unquotable.contains(hostile))
  }

  /// What a shell makes of a command: each argument that `docker` would get. Beside it `ss` may stand there.
  private func words(of command: String) async throws -> [String] {
    let script = "PATH=/nonexistent\ndocker() { printf '%s\\n' \"$@\"; }\nss() { :; }\nsudo() { \"$@\"; }\n" + command
    let run = try await Program.run("-c", script, command: ["/bin/sh"])
    #expect(run.status == 0 && run.errors.isEmpty, "\(command)")
    return run.output.split(separator: "\n").map(String.init)
  }
}

/// A container as a Docker engine of the test's own tells of it.
struct FakeContainer: Sendable {
  var id: String
  var name: String
  var image: String
  var hostname = ""
  var labels: [String: String] = [:]
  var network = "front"
  /// Where its nginx sends everything.
  var upstream = "http://app:3000"
  var locations = ["/"]
  var names = ""
  /// The published one, which leads to port 80.
  var hostPort: UInt16?
  var isRunning = true

  private var networks: [String: Any] {
    ["Networks": [network: ["NetworkID": "id of \(network)", "IPAddress": isRunning ? "10.255.255.1" : ""]]]
  }

  private var summary: [String: Any] {
    [
      "Id": id, "Names": ["/" + name], "Image": image, "State": isRunning ? "running" : "exited", "Labels": labels,
      "Ports": isRunning ? hostPort.map { [["PrivatePort": 80, "PublicPort": Int($0), "Type": "tcp"]] } ?? [] : [],
      "NetworkSettings": networks,
    ]
  }

  /// Without a process: its files come as an archive, and nothing can be tried from its network.
  private var details: [String: Any] {
    [
      "Id": id, "Name": "/" + name, "State": ["Status": isRunning ? "running" : "exited", "Pid": 0, "ExitCode": 1],
      "HostConfig": ["PortBindings": hostPort.map { ["80/tcp": [["HostPort": String($0)]]] } ?? [:]],
      "Config": ["Image": image, "Hostname": hostname, "Labels": labels], "NetworkSettings": networks, "Mounts": [],
    ]
  }

  static func answer(_ containers: [FakeContainer], to peer: Peer) {
    guard let path = peer.request() else { return }
    let parts = path.prefix { $0 != "?" }.split(separator: "/").map(String.init)
    let container = containers.first { parts.contains($0.id) }
    switch (parts.last, container) {
    case ("_ping", _): peer.answer("200 OK", headers: "Api-Version: 1.41\r\n", body: "OK".utf8)
    case ("json", nil): peer.answer("200 OK", body: json(containers.map(\.summary)))
    case ("json", let container?): peer.answer("200 OK", body: json(container.details))
    case ("archive", let container?): peer.answer("200 OK", body: container.configuration)
    case ("logs", _): peer.answer("200 OK", body: [])
    default: peer.answer("404 Not Found", body: "{}".utf8)
    }
  }

  private static func json(_ value: Any) -> Data { (try? JSONSerialization.data(withJSONObject: value)) ?? Data() }

  /// `/etc/nginx` as a ustar archive of one file.
  private var configuration: [UInt8] {
    let locations = locations.map { "location \($0) { proxy_pass \"\(upstream)\"; }\n" }.joined()
    let text = Array("events {}\nhttp { server { listen 80; \(names) \(locations) } }\n".utf8)
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    func octal(_ number: Int, digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put("nginx/nginx.conf", at: 0)
    put(octal(0o644, digits: 7), at: 100)
    put(octal(text.count, digits: 11), at: 124)
    put(octal(0, digits: 11), at: 136)
    put("        0", at: 148)
    put("ustar\u{0}00", at: 257)
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\u{0}", at: 148)
    return header + text + [UInt8](repeating: 0, count: 512 - text.count % 512 + 1024)
  }
}
