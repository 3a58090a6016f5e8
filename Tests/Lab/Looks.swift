import Checks
import Flow
import Foundation
import Machine
import Model
import Pasted
import Reader
import Testing

@testable import World

/// What a person sees by the command of a look is what the program sees: on one real system each command is run as it is
/// shown, its output is pasted into a session that sees nothing, and what that then sees is compared with the look itself.
extension Lab {
  private static let catalog = Reader.read(
    files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false
  ).catalog

  @Test(.enabled(if: ProcessInfo.processInfo.environment.keys.allSatisfy { !$0.hasPrefix("LAB_") || $0 == "LAB_CORE" }))
  func everyCommandShowsWhatItsLookSees() async throws {
    let catalog = try #require(Self.catalog)
    let stage = try Stage(of: "looks")
    do {
      let rows = try await stage.looks()
      var used: Set<String> = []
      for row in rows { used.formUnion(try await row.check(catalog)) }
      let all = catalog.looks.flatMap { kind, ways in ways.flatMap(\.parts).map { "\(kind): \($0.text.source)" } }
      #expect(Set(all).subtracting(used) == Set(ShownLook.reasons.keys), "neither tried, nor with a reason")
      #expect(Set(rows.map(\.kind)) == Set(Recording.kinds.map { $0.kind }))
    } catch {
      await stage.takeDown()
      throw error
    }
    await stage.takeDown()
  }
}

/// A look, its command, and what of it matters.
private struct ShownLook: Sendable {
  let kind: String
  private let title: String
  private let look: any Look
  /// The name of the look's container, which the command takes.
  private let container: String?
  /// Commands that people type for the same, in the place of the program's own.
  private let typed: [String]
  private let others: [String]
  /// What matters of what the machine shows, and of what a world does.
  private let seen: @Sendable (any World) async -> [String]

  /// Parts of commands that are not tried here, each with its reason.
  static let reasons = [
    "docker: {engine.command} service ps --no-trunc {look.tasks-of}": "the staged system is no Swarm",
    "dns: -p {look.port}": "no server of names has another port here",
  ]

  /// - Parameters:
  ///   - container: Nil: the look is taken by its process, or from this machine.
  ///   - typed: Commands that show less than the program's own, which is not tried then.
  ///   - others: Other commands for the same, such as busybox'.
  ///   - facts: What matters of what was seen.
  init<L: Look>(
    _ title: String, _ look: L, in container: String? = nil, typed: [String] = [], others: [String] = [],
    _ facts: @escaping @Sendable (L.Sight) -> [String]
  ) {
    (kind, self.title, self.look, self.container) = (L.kind, title, look, container)
    (self.typed, self.others) = (typed, others)
    seen = { world in
      switch await world.answer(to: look).result {
      case .success(let sight): facts(sight)
      case .failure(.missing): ["missing"]
      case .failure(let unseen): ["unseen: \(unseen)"]
      }
    }
  }

  /// Runs each command and compares; the parts of the look's own that were used.
  func check(_ catalog: Catalog) async throws -> [String] {
    var facts = look.parts.merging([.userRoot: "yes", .engineCommand: "docker"])
    if let container {
      facts["look.container"] = container
      for fact in ["look.inspected", "look.log", "look.of"] as [FactName] where facts[fact] != nil {
        facts[fact] = container
      }
    }
    let command = try #require(
      try catalog.command(for: Sighting(kind: kind, facts: facts, lines: []), facts), "\(kind), \(title)")
    #expect(!command.contains("sudo"), "for root: \(command)")
    let expected = await seen(Machine())
    #expect(!expected.isEmpty && expected.first?.hasPrefix("unseen") == false, "\(kind), \(title): \(expected)")
    // What else a person would have pasted: which container it is.
    var before: [String] = []
    if let container { before.append(try await Self.pasted("docker inspect \(container)")) }
    for command in typed.isEmpty ? [command] + others : typed {
      let pasted = try await Self.pasted(command)
      let board = Pasteboard(Recording(now: Date().timeIntervalSince1970), catalog.signs)
      let understood = await board.take((before + [pasted]).joined(separator: "\n"), servesHere: false)
      let found = await seen(board)
      #expect(found == expected, "\(kind), \(title):\n\(pasted.prefix(4000))")
      #expect(
        understood.unread == 0 && understood.refusal == nil, "\(kind), \(title): \(understood)\n\(pasted.prefix(4000))")
    }
    guard typed.isEmpty else { return [] }
    let way = catalog.looks[kind]?.first { way in (try? way.command(facts)) != nil }
    return way?.parts.filter { part in
      (part.text.placeholders + [part.condition].compactMap(\.self)).allSatisfy { facts[$0] != nil }
    }.map { "\(kind): \($0.text.source)" } ?? []
  }

  /// A command with its prompt, and what it prints.
  private static func pasted(_ command: String) async throws -> String {
    let output = try await run(["sh", "-c", "exec 2>&1\n" + command], limit: 30)
    return "root@nas:~# \(command)\n\(output.text)"
  }
}

extension Stage {
  /// A site with an app behind nginx, HAProxy, and what else there is to look at; with looks at all of it.
  fileprivate func looks() async throws -> [ShownLook] {
    let (host, app, port) = (try site("shop"), named("shop"), appPort())
    let (proxy, gone, banner) = (named("edge"), named("gone"), named("ssh"))
    let web = try await network()
    let share = try write("one\n", to: "run/notes.txt").deletingLastPathComponent().path()
    let shared = ["-v", "\(share):/run/app"]
    try await self.app(app, on: web, port: port, options: shared)
    try await docker("cp", "-L", "/usr/bin/getent", "\(app):/usr/bin/getent")
    let certificate = try await selfSigned(host)
    try await succeed("cp", certificate.certificate.path(), certificate.key.path(), share)
    let upstream = "http://\(app):\(port)"
    let tls =
      "server { listen 443 ssl http2; server_name \(host); ssl_protocols TLSv1.2 TLSv1.3; "
      + "ssl_certificate /run/app/\(host).crt; ssl_certificate_key /run/app/\(host).key; location / { return 200 yes; } }\n"
    let gate = try await nginx(
      proxy, on: web, Conf.literal(host, upstream) + tls, options: shared + ["-v", "\(share):/etc/nginx/more"])
    let own = try await hostNginx { Conf.literal(host, "http://127.0.0.1:1", listen: $0) }
    // Its socket lies in a folder that this machine and the containers share.
    let balancing = HAProxyConf.site(host, "server app \(app):\(port)").replacing(
      "/tmp/haproxy-80", with: "/run/app/haproxy")
    _ = try await self.proxy(
      named("haproxy"), .haproxy, on: web, "haproxy.cfg", in: "/usr/local/etc/haproxy", balancing, options: shared,
      reload: [])
    try await container(gone, .nginx, options: ["--entrypoint", "sh"], command: ["-c", "echo bye; exit 3"])
    try await awaits(gone, "exited")
    try await container(banner, .odd, on: web, command: ["--name", banner, "--port", "2222", "--first", "banner"])
    try await socketApp(app, at: share + "puma.sock")
    try await socketApp(app, at: share + "closed.sock", "--mode", "600")
    try await succeed(
      "python3", "-c", "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", share + "left.sock")
    try await succeed(
      "sqlite3", share + "data.sqlite",
      "CREATE TABLE host(id INTEGER, name TEXT, note TEXT); INSERT INTO host VALUES(1, 'a|b''c', NULL), (2, 'd', 'x y');"
    )

    let pids = try await [proxy, app, banner].asyncMap {
      try await Int32(docker("inspect", "-f", "{{.State.Pid}}", $0)) ?? 0
    }
    let (inProxy, inApp) = (Place.process(pids[0]), Place.process(pids[1]))
    try await succeed(
      "nsenter", "-t", "\(pids[0])", "-n", "ip6tables", "-A", "INPUT", "-p", "tcp", "--dport", "9", "-j", "DROP")
    let (appAddress, bannerAddress) = try await (address(app, on: web), address(banner, on: web))
    let proxyAddress = try await address(proxy, on: web)
    let worker = try await Int32(succeed("pgrep", "-o", "-u", "www-data", "nginx")) ?? 0
    let id = try await docker("inspect", "-f", "{{.Id}}", app)
    let goneID = try await docker("inspect", "-f", "{{.Id}}", gone)
    let image = try await docker("inspect", "-f", "{{.Image}}", app)
    let now = Date().timeIntervalSince1970
    return rowsOfMachine(share, inProxy, proxy, worker, own.port)
      + rowsOfEngine(app, id, gone, goneID, image, now)
      + rowsOfNetwork(
        host, share, (app, inApp, appAddress, port), (proxy, inProxy, proxyAddress, gate.port), bannerAddress)
  }

  nonisolated private func rowsOfMachine(
    _ share: String, _ inProxy: Place, _ proxy: String, _ worker: Int32, _ port: Int
  ) -> [ShownLook] {
    let listens: @Sendable ([Listener]) -> [String] = { all in
      all.map { "\($0.address.inURL):\($0.port) \($0.processes)" }.sorted()
    }
    let text: @Sendable (FileRead.Sight) -> [String] = { [$0.text.trimmingCharacters(in: .newlines)] }
    let space: @Sendable (FileSystem.Sight) -> [String] = { sight in
      // What others write meanwhile is nothing beside all there is.
      ["\(sight.size)", "\(sight.files)", "\(sight.free * 100 / max(sight.size, 1)) %"]
    }
    let rules: @Sendable (CommandRun.Sight) -> [String] = { sight in
      sight.output.split(separator: "\n").filter { "*:-[".contains($0.first ?? " ") }.map { line in
        line.split(separator: " ").filter { !$0.hasPrefix("[") }.joined(separator: " ")
      }
    }
    let database = "SELECT id, name, note FROM host WHERE name <> 'it''s'"
    return [
      ShownLook("as root", IsRoot(), others: ["busybox id -u", "id", "busybox id"]) { ["\($0)"] },
      ShownLook(
        "its addresses", OwnAddresses(), others: ["ip addr", "ip -o addr", "busybox ip addr", "busybox ifconfig -a"]
      ) {
        $0.filter { !$0.isIPv6 }.sorted()
      },
      ShownLook("this machine's", Listeners(place: .host), others: ["ss -ltnpH"]) {
        listens($0)
      },
      ShownLook(
        "this machine's ports", Listeners(place: .host), typed: ["netstat -ltnp", "busybox netstat -ltn", "ss -ltn"]
      ) { $0.map { "\($0.address.inURL):\($0.port)" }.sorted() },
      ShownLook("a container's", Listeners(place: inProxy)) { listens($0) },
      ShownLook(
        "nginx", Processes(names: ["nginx"]),
        others: ["busybox ps -o pid,ppid,user,args", "ps -eo pid,ppid,user,args"]
      ) {
        $0.map {
          "\($0.id) \($0.parent) \($0.name) \($0.command.joined(separator: " "))".trimmingCharacters(in: .whitespaces)
        }
      },
      ShownLook("none", Processes(names: ["envoy"])) { ["\($0.count)"] },
      ShownLook(
        "only root", OnlyRootChanges(path: "/usr/sbin/nginx"),
        others: ["busybox ls -ld / /usr /usr/sbin /usr/sbin/nginx"]
      ) { ["\($0)"] },
      ShownLook("by a link", OnlyRootChanges(path: "/bin/sh")) { ["\($0)"] },
      ShownLook("not only root", OnlyRootChanges(path: share + "notes.txt")) { ["\($0)"] },

      ShownLook("this machine's", FileRead(path: share + "notes.txt"), others: ["busybox cat \(share)notes.txt"]) {
        text($0)
      },
      ShownLook("one that is not there", FileRead(path: share + "none.txt")) { text($0) },
      ShownLook(
        "the end of one", FileRead(path: share + "notes.txt", fromEnd: true),
        others: ["busybox tail -n 50 \(share)notes.txt"]
      ) { text($0) },
      ShownLook("a container's", FileRead(path: "/etc/nginx/nginx.conf", place: inProxy)) { text($0) },
      ShownLook("a container's, the end", FileRead(path: "/etc/nginx/nginx.conf", place: inProxy, fromEnd: true)) {
        text($0)
      },
      ShownLook(
        "a container's, by the engine", FileRead(path: "/etc/nginx/nginx.conf", place: inProxy), in: proxy,
        others: ["docker exec \(proxy) cat /etc/nginx/nginx.conf"]
      ) { text($0) },
      ShownLook(
        "a container's, by the engine, the end", FileRead(path: "/etc/nginx/nginx.conf", place: inProxy, fromEnd: true),
        in: proxy
      ) { text($0) },
      ShownLook("one that the container has not", FileRead(path: "/etc/nginx/none.conf", place: inProxy), in: proxy) {
        text($0)
      },

      ShownLook("this machine's", FileSystem(path: share), others: ["busybox df -k \(share) && busybox df -i \(share)"])
      { space($0) },
      ShownLook("a container's", FileSystem(path: "/etc", place: inProxy)) { space($0) },
      ShownLook(
        "this machine's", FileGlob(pattern: share + "*.sock"),
        others: ["busybox find \(share) -maxdepth 1 -path '\(share)*.sock'"]
      ) { $0 },
      ShownLook("nothing", FileGlob(pattern: share + "none/*.conf")) { $0 + ["nothing else"] },
      ShownLook("a container's", FileGlob(pattern: "/etc/nginx/*/*.conf", place: inProxy)) { $0 },

      ShownLook("this machine's", SQLiteQuery(path: share + "data.sqlite", place: .host, sql: database)) { rows in
        rows.map { "\($0.sorted { $0.key < $1.key })" }
      },
      ShownLook("a container's", SQLiteQuery(path: "/run/app/data.sqlite", place: inProxy, sql: database)) { rows in
        rows.map { "\($0.sorted { $0.key < $1.key })" }
      },
      ShownLook(
        "a container's, by the engine", SQLiteQuery(path: "/run/app/data.sqlite", place: inProxy, sql: database),
        in: proxy
      ) { rows in rows.map { "\($0.sorted { $0.key < $1.key })" } },

      ShownLook("this machine's", CommandRun(.packetFilter)) { rules($0) },
      ShownLook("a container's, IPv6", CommandRun(.packetFilter6, place: inProxy)) { rules($0) },
      ShownLook("a container's", CommandRun(.packetFilter, place: inProxy)) { rules($0) },
      ShownLook("of nft", CommandRun(.nftables)) { $0.output.chains },
      ShownLook("of nft, a container's", CommandRun(.nftables, place: inProxy)) { $0.output.chains },
    ].map { $0 } + sockets(share, inProxy, worker) + [
      ShownLook(
        "its statistics", StatsSocket(path: share + "haproxy.sock", place: .host, question: .statistics)
      ) { $0.split(separator: "\n").map { $0.split(separator: ",").prefix(2).joined(separator: ",") } },
      ShownLook("about itself", StatsSocket(path: share + "haproxy.sock", place: .host, question: .info)) {
        $0.split(separator: "\n").filter { $0.hasPrefix("Name") || $0.hasPrefix("Version") || $0.hasPrefix("Pid") }.map
        { String($0) }
      },
      ShownLook(
        "a container's", StatsSocket(path: "/run/app/haproxy.sock", place: inProxy, question: .statistics)
      ) { $0.split(separator: "\n").map { $0.split(separator: ",").prefix(2).joined(separator: ",") } },
    ]
  }

  nonisolated private func sockets(_ share: String, _ inProxy: Place, _ worker: Int32) -> [ShownLook] {
    let outcome: @Sendable (UnixConnect.Sight) -> [String] = { [$0.outcome.rawValue, "\($0.errno)"] }
    return [
      ShownLook("this machine's", UnixConnect(path: share + "puma.sock", place: .host)) { outcome($0) },
      ShownLook("none", UnixConnect(path: share + "none.sock", place: .host)) { outcome($0) },
      ShownLook("left behind", UnixConnect(path: share + "left.sock", place: .host)) { outcome($0) },
      ShownLook("as another user", UnixConnect(path: share + "closed.sock", place: .host, user: worker)) {
        outcome($0)
      },
      ShownLook("a container's", UnixConnect(path: "/run/app/puma.sock", place: inProxy)) { outcome($0) },
    ]
  }

  nonisolated private func rowsOfEngine(
    _ app: String, _ id: String, _ gone: String, _ goneID: String, _ image: String, _ now: Double
  ) -> [ShownLook] {
    let whole: @Sendable (DockerGet.Sight) -> [String] = { sight in
      ["\(sight.status)"] + (JSON(sight.body)?["Config"].map { [String(decoding: $0.written, as: UTF8.self)] } ?? [])
        + (JSON(sight.body)?["State"].map { [String(decoding: $0.written, as: UTF8.self)] } ?? [])
    }
    let lines: @Sendable (DockerGet.Sight) -> [String] = { sight in
      Bytes.pieces(of: sight.body).map { String(decoding: $0, as: UTF8.self) }
    }
    let log = "stdout=1&stderr=1&timestamps=1&tail=200"
    return [
      ShownLook("every container", DockerGet(path: "/containers/json?all=1"), others: ["docker ps -a --no-trunc"]) {
        sight in
        (JSON(sight.body)?.elements ?? []).map { container in
          let ports = (container["Ports"]?.elements ?? []).map {
            "\($0["IP"]?.text ?? "") \($0["PublicPort"]?.number ?? 0) \($0["PrivatePort"]?.number ?? 0) \($0["Type"]?.text ?? "")"
          }
          return "\(container["Id"]?.text?.prefix(12) ?? "") \(container["Names"]?.texts ?? []) "
            + "\(container["Image"]?.text ?? "") \(container["State"]?.text ?? "") \(ports.sorted())"
        }.sorted()
      },
      ShownLook("a container", DockerGet(path: "/containers/\(id)/json"), in: app) { whole($0) },
      ShownLook("one that ended", DockerGet(path: "/containers/\(goneID)/json"), in: gone) { whole($0) },
      ShownLook("a log", DockerGet(path: "/containers/\(id)/logs?\(log)"), in: app) { lines($0) },
      ShownLook("a log since", DockerGet(path: "/containers/\(goneID)/logs?\(log)", since: now - 3600), in: gone) {
        lines($0)
      },
      ShownLook(
        "a folder", DockerGet(path: "/containers/\(goneID)/archive?path=/etc/nginx"), in: gone,
        others: [
          "docker cp \(gone):/etc/nginx - | busybox tar -tv; docker cp \(gone):/etc/nginx - | busybox tar -x --to-command='echo \"==> $TAR_FILENAME <==\"; cat; echo'"
        ]
      ) { $0.files },
      ShownLook("no such folder", DockerGet(path: "/containers/\(goneID)/archive?path=/etc/none"), in: gone) {
        ["\($0.status)"]
      },
      ShownLook("an image", DockerGet(path: "/images/\(image)/json")) { whole($0) },
      ShownLook("the networks", DockerGet(path: "/networks")) { sight in
        (JSON(sight.body)?.elements ?? []).map { network in
          let ranges = (network["IPAM"]?["Config"]?.elements ?? []).compactMap { $0["Subnet"]?.text }
          return
            "\(network["Id"]?.text ?? "") \(network["Name"]?.text ?? "") \(network["Driver"]?.text ?? "") \(ranges)"
        }.sorted()
      },
      // That of a manager would make one of this engine: `OutputTests` reads what it prints.
      ShownLook("no Swarm", DockerGet(path: "/services")) { ["\($0.status)"] },
      ShownLook(
        "how it ended",
        DockerGet(
          path:
            "/events?filters=%7B%22container%22%3A%5B%22\(goneID)%22%5D%2C%22event%22%3A%5B%22die%22%2C%22oom%22%5D%7D",
          since: now - 3600), in: gone
      ) { $0.events },
      ShownLook(
        "what started",
        DockerGet(
          path: "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22start%22%5D%7D",
          since: now - 3600)
      ) { $0.events },
    ]
  }

  nonisolated private func rowsOfNetwork(
    _ host: String, _ share: String, _ app: (name: String, place: Place, address: String, port: Int),
    _ proxy: (name: String, place: Place, address: String, port: Int), _ banner: String
  ) -> [ShownLook] {
    let answer: @Sendable (HTTPRequest.Sight) -> [String] = { sight in
      let certificate = sight.certificate.map {
        [$0.subject, $0.issuer, $0.expires].joined(separator: "; ").filter { $0 != " " }
      }
      return [
        "\(sight.status ?? 0)", sight.header("Server") ?? "", sight.header("Content-Length") ?? "",
        sight.failure.map { String("\($0)".prefix { $0 != "(" }) } ?? "", certificate ?? "",
      ]
    }
    let site = "http://\(host):\(proxy.port)/"
    let secure = "https://\(host)/"
    func inside(_ url: String, _ more: (inout HTTPRequest) -> Void) -> HTTPRequest {
      var request = HTTPRequest(url: url, place: proxy.place)
      more(&request)
      return request
    }
    let names: @Sendable (DNSQuery.Sight) -> [String] = { [$0.answer.rawValue] + $0.addresses.sorted() }
    let appPort = UInt16(app.port)
    return [
      ShownLook(
        "the site", HTTPRequest(url: site), others: ["curl -i \(site)", "curl -v \(site)", "curl -sSI \(site)"]
      ) { answer($0) },
      ShownLook(
        "the site at an address", HTTPRequest(url: "http://\(host)/", address: "127.0.0.1", port: UInt16(proxy.port))
      ) { answer($0) },
      ShownLook(
        "nobody", HTTPRequest(url: "http://127.0.0.1:9/"),
        others: [
          "curl -i http://127.0.0.1:9/", "busybox wget -S -O /dev/null http://127.0.0.1:9/",
          "wget -S -O /dev/null http://127.0.0.1:9/",
        ]
      ) { answer($0) },
      ShownLook("no such name", HTTPRequest(url: "http://none.invalid/")) { answer($0) },
      ShownLook("by another name", HTTPRequest(url: "http://127.0.0.1:\(proxy.port)/", host: "other.example.org")) {
        answer($0)
      },
      ShownLook("any certificate", HTTPRequest(url: secure, address: proxy.address)) { answer($0) },
      ShownLook(
        "a certificate that nobody trusts",
        HTTPRequest(url: secure, address: proxy.address, tls: .verify(authorities: nil))
      ) { answer($0).dropLast().map { $0 } },
      ShownLook(
        "the app as the proxy asks it",
        inside("http://\(host)/") {
          ($0.address, $0.port, $0.headers) = (app.address, appPort, ["X-One: 1", "X-Two: it's 2", "X-Three: 3"])
        }
      ) { answer($0) },
      ShownLook(
        "the app by another name", inside("http://\(app.address):\(app.port)/") { $0.host = "other.example.org" }
      ) { answer($0) },
      ShownLook("the app in HTTP/1.0", inside("http://\(app.address):\(app.port)/") { $0.version = .oneZero }) {
        answer($0)
      },
      ShownLook("HTTP/2", inside("https://\(host)/") { ($0.address, $0.version) = ("127.0.0.1", .two) }) { answer($0) },
      ShownLook("an old client", inside("https://\(host)/") { ($0.address, $0.offer) = ("127.0.0.1", .old) }) {
        answer($0).dropLast().map { $0 }
      },
      ShownLook("at a socket", HTTPRequest(url: "http://localhost/", unixSocket: share + "puma.sock")) { answer($0) },
      ShownLook("at a socket in a container", inside("http://localhost/") { $0.unixSocket = "/run/app/puma.sock" }) {
        answer($0)
      },

      ShownLook(
        "the app", TCPConnect(address: app.address, port: appPort, place: .host),
        typed: [
          "nc -zv \(app.address) \(app.port)"
        ]
      ) { [$0.outcome.rawValue] },
      ShownLook("the app from the proxy", TCPConnect(address: app.address, port: appPort, place: proxy.place)) {
        [$0.outcome.rawValue]
      },
      ShownLook("nobody", TCPConnect(address: app.address, port: 9, place: proxy.place)) { [$0.outcome.rawValue] },

      ShownLook("who speaks first", Exchange(address: banner, port: 2222, place: proxy.place, limit: 1)) {
        [String(decoding: $0.received.prefix(8), as: UTF8.self)]
      },
      ShownLook(
        "what is answered",
        Exchange(
          address: app.address, port: appPort, place: .host, sends: Array("GET / HTTP/1.0\r\n\r\n".utf8), limit: 1)
      ) {
        [String(decoding: $0.received.prefix(15), as: UTF8.self)]
      },
      ShownLook(
        "what is answered to bytes",
        Exchange(address: "127.0.0.1", port: 443, place: proxy.place, sends: [22, 3, 1, 0, 0xFF, 39], limit: 1)
      ) {
        ["\($0.received.prefix(3))"]
      },
      ShownLook(
        "at a socket",
        Exchange(unixSocket: share + "puma.sock", place: .host, sends: Array("GET / HTTP/1.0\r\n\r\n".utf8), limit: 1)
      ) {
        [String(decoding: $0.received.prefix(15), as: UTF8.self)]
      },
      ShownLook(
        "at a socket in a container",
        Exchange(
          unixSocket: "/run/app/puma.sock", place: proxy.place, sends: Array("GET / HTTP/1.0\r\n\r\n".utf8), limit: 1)
      ) {
        [String(decoding: $0.received.prefix(15), as: UTF8.self)]
      },

      ShownLook("the site's name", SystemLookup(name: host), others: ["getent hosts \(host)"]) { $0 },
      ShownLook(
        "a name of a network", DNSQuery(name: proxy.name, servers: ["127.0.0.11"], place: app.place), in: app.name,
        others: [
          "docker exec \(app.name) nslookup \(proxy.name)"
        ]
      ) { names($0) },
      ShownLook(
        "a name of a network, by its server", DNSQuery(name: app.name, servers: ["127.0.0.11"], place: proxy.place)
      ) { names($0) },
      ShownLook("no such name", DNSQuery(name: "none-\(suffix)", servers: ["127.0.0.11"], place: proxy.place)) {
        names($0)
      },
    ]
  }
}

extension Sequence {
  fileprivate func asyncMap<Value>(_ change: (Element) async throws -> Value) async rethrows -> [Value] {
    var values: [Value] = []
    for element in self { values.append(try await change(element)) }
    return values
  }
}

extension String {
  /// Of the rules of nft, in JSON: each chain with its policy, and what its rules do.
  fileprivate var chains: [String] {
    (JSON(utf8)?["nftables"]?.elements ?? []).compactMap { item -> String? in
      if let chain = item["chain"] {
        return "\(chain["family"]?.text ?? "") \(chain["table"]?.text ?? "") \(chain["name"]?.text ?? "") "
          + "\(chain["hook"]?.text ?? "") \(chain["policy"]?.text ?? "") \(chain["prio"]?.number ?? 0)"
      }
      guard let rule = item["rule"] else { return nil }
      let ends = (rule["expr"]?.elements ?? []).compactMap { part in
        ["accept", "drop", "return", "reject"].first { part[$0] != nil } ?? part["jump"]?["target"]?.text
      }
      return "\(rule["family"]?.text ?? "") \(rule["table"]?.text ?? "") \(rule["chain"]?.text ?? "") \(ends)"
    }.sorted()
  }
}

extension DockerGet.Sight {
  /// The files of an archive with their texts, and its links.
  fileprivate var files: [String] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID().uuidString).tar")
    defer { try? FileManager.default.removeItem(at: folder) }
    try? Data(body).write(to: folder)
    let listing = Process()
    listing.executableURL = URL(filePath: "/bin/tar")
    listing.arguments = ["-xf", folder.path(), "--to-command", "echo $TAR_FILENAME; cat"]
    let pipe = Pipe()
    listing.standardOutput = pipe
    try? listing.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    listing.waitUntilExit()
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  fileprivate var events: [String] {
    body.split(separator: 0x0A).compactMap { line in
      JSON(line).map {
        "\($0["Action"]?.text ?? "") \($0["Actor"]?["Attributes"]?["exitCode"]?.text ?? "") \($0["time"]?.number ?? 0)"
      }
    }
  }
}
