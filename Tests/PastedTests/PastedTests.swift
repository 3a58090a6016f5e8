import Checks
import Fixture
import Foundation
import Model
import Pasted
import Testing
import World

/// What real commands have printed (`Outputs`), read as looks; then made-up pastes.
struct PastedTests {
  static func output(_ name: String) throws -> String {
    try String(
      contentsOf: URL(filePath: #filePath).appending(path: "../Outputs/\(name).txt").standardized, encoding: .utf8)
  }

  private func world(_ names: String...) throws -> PastedWorld {
    PastedWorld(try names.map(Self.output).joined(separator: "\n"), before: Sandbox())
  }

  private func containers(in world: PastedWorld) async throws -> [[String: Any]] {
    let answer = try await world.see(DockerGet(path: "/containers/json?all=1"))
    return try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [[String: Any]])
  }

  // MARK: The engine

  @Test func theListOfContainers() async throws {
    let list = try await containers(in: world("docker-ps"))
    #expect(list.map { $0["State"] as? String } == ["exited", "running"])
    #expect(list.map { ($0["Names"] as? [String])?.first } == ["/shop-db", "/shop"])
    let port = try #require((list[1]["Ports"] as? [[String: Any]])?.first)
    #expect(
      port["IP"] as? String == "127.0.0.1" && port["PublicPort"] as? Int == 8087 && port["PrivatePort"] as? Int == 8080)
  }

  /// A list alone says nothing of what only `inspect` tells.
  @Test func aListAloneIsNoDescription() async throws {
    let world = try world("docker-ps")
    let id = try #require(try await containers(in: world).first?["Id"] as? String)
    let seen = await world.result(of: DockerGet(path: "/containers/\(id)/json"))
    guard case .failure(.notRecorded) = seen else {
      Issue.record("the paste says nothing of it, and the answer is \(seen)")
      return
    }
  }

  @Test func containersNetworksAndLogsInFull() async throws {
    let world = try world("docker-inspect")
    let list = try await containers(in: world)
    #expect(list.map { $0["State"] as? String } == ["running", "exited"])
    let id = try #require(list[0]["Id"] as? String)
    let full = try await world.see(DockerGet(path: "/containers/\(id)/json"))
    #expect(String(decoding: full.body, as: UTF8.self).contains(#""Path":"python3""#))
    let networks = try await world.see(DockerGet(path: "/networks"))
    #expect(String(decoding: networks.body, as: UTF8.self).contains(#""Name":"front""#))
    let log = try await world.see(
      DockerGet(path: "/containers/\(id)/logs?stdout=1&stderr=1&timestamps=1&tail=200"))
    #expect(log.body.first == 1 && String(decoding: log.body.dropFirst(8), as: UTF8.self).hasPrefix("2026-"))
  }

  @Test func anEngineThatMayNotBeAsked() async throws {
    let text = """
      $ docker ps -a
      permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.24/containers/json": dial unix /var/run/docker.sock: connect: permission denied
      """
    let world = PastedWorld(text, before: Sandbox())
    let seen = await world.result(of: DockerGet(path: "/containers/json?all=1"))
    guard case .failure(.notPermitted) = seen else {
      Issue.record("it was not permitted, and the answer is \(seen)")
      return
    }
  }

  // MARK: Sockets and names

  @Test(arguments: ["ss", "netstat"]) func whoListens(_ name: String) async throws {
    let listeners = try await world(name).see(Listeners(place: .host))
    let proxied = try #require(listeners.first { $0.port == 8087 || $0.port == 18503 })
    #expect(proxied.address == "127.0.0.1" && proxied.processes.count == 1)
    #expect(listeners.contains { $0.address == "0.0.0.0" && $0.port == 2024 && $0.processes.isEmpty })
  }

  @Test func theKernelsOwnTable() async throws {
    let text = try Self.output("proc-tcp")
    let id = try #require(text.split(separator: "/").lazy.compactMap { Int32($0) }.first)
    let listeners = try await PastedWorld(text, before: Sandbox()).see(Listeners(place: .process(id)))
    #expect(listeners.map(\.address) == ["0.0.0.0"])
  }

  @Test(arguments: ["dig", "nslookup-busybox"]) func namesAsDNSTellsThem(_ name: String) async throws {
    let world = try world(name)
    let known = try await world.see(DNSQuery(name: "shop", servers: ["127.0.0.11"], place: .host))
    #expect(known.addresses == ["192.168.16.2"])
    #expect(try await world.see(DNSQuery(name: "nosuch", servers: ["127.0.0.11"], place: .host)).answer == .noSuchName)
  }

  @Test func namesAsTheSystemSeesThem() async throws {
    let world = try world("getent")
    #expect(try await world.see(SystemLookup(name: "localhost")) == ["127.0.0.1"])
    #expect(try await world.see(SystemLookup(name: "nosuch.example")) == [])
  }

  @Test(arguments: ["ip", "ifconfig"]) func ownAddresses(_ name: String) async throws {
    #expect(try await world(name).see(OwnAddresses()) == ["127.0.0.1", "::1"])
  }

  // MARK: Requests

  @Test(arguments: ["curl-v", "wget", "wget-busybox"]) func aGoodAnswer(_ name: String) async throws {
    let answer = try await world(name).see(HTTPRequest(url: "http://127.0.0.1:8123/"))
    #expect(answer.status == 200 && answer.failure == nil)
    #expect(answer.header("Server")?.hasPrefix("SimpleHTTP") == true)
  }

  @Test func anAnswerOfTheAppsOwnAndNoTLS() async throws {
    let world = try world("curl-i")
    let missing = try await world.see(HTTPRequest(url: "http://127.0.0.1:8123/x"))
    #expect(missing.status == 404 && String(decoding: missing.body, as: UTF8.self).contains("File not found"))
    guard case .notTLS? = try await world.see(HTTPRequest(url: "https://127.0.0.1:8123/")).failure else {
      Issue.record("what answered speaks no TLS")
      return
    }
  }

  @Test func nobodyAnswers() async throws {
    let text = try Self.output("curl-refused")
    let url = try #require(text.split(separator: " ").first { $0.hasPrefix("http") }.map { $0.prefix { $0 != "\n" } })
    let site = try #require(Site(String(url)))
    let world = PastedWorld(text, before: Sandbox())
    #expect(try await world.see(HTTPRequest(url: String(url))).failure == .refused)
    #expect(try await world.see(TCPConnect(address: site.host, port: site.port, place: .host)).outcome == .refused)
    #expect(try await self.world("wget-busybox").see(HTTPRequest(url: "http://127.0.0.1:81/")).failure == .refused)
  }

  // MARK: What may come

  /// A paste that tells of a machine is not mixed with this one; one that tells of none leaves this one in sight.
  @Test func twoMachinesAreNotMixed() async throws {
    let here = Sandbox(files: ["/etc/hostname": "here"]).listening(in: .host, (address: "0.0.0.0", port: 80))
    let pasted = PastedWorld(try Self.output("docker-ps"), before: here)
    #expect(await (try? pasted.see(FileRead(path: "/etc/hostname"))) == nil)
    #expect(await (try? pasted.see(Listeners(place: .host))) == nil)
    let line = PastedWorld("connect() failed (111: Connection refused) while connecting to upstream", before: here)
    #expect(try await line.see(Listeners(place: .host)).map(\.port) == [80])
  }

  /// Prompts, colours, carriage returns, and commands behind sudo and an environment.
  @Test(arguments: [
    "root@nas:~# date +%s\r\n1796018903\r\n", "[me@host ~]$ sudo TZ=UTC /bin/date +%s\n\u{1B}[32m1796018903\u{1B}[0m\n",
    "❯ date +%s\n1796018903", "##502## date +%s\n1796018903\n",
  ])
  func promptsAreKnown(_ text: String) {
    #expect(PastedWorld(text, before: Sandbox()).now == 1_796_018_903)
  }

  @Test(arguments: [
    "", "\u{0}\u{1}\u{2}", "$ docker inspect x\n[", "$ docker inspect x\n[{\"Id\": 7, \"State\": []}]",
    "CONTAINER ID   IMAGE\nx",
    "$ curl http://[/\nHTTP/1.1", "$ cat /proc/99999999999/stat\n(", "$ ss\nLISTEN 0 0 x:y z:*",
    "# configuration file /:\n",
    String(repeating: "a", count: 1 << 20), "$ cat /proc/7/stat\n7 ($(reboot)) S 1",
    "$ docker logs $(reboot)\n\u{1B}]0;x\u{7}",
  ])
  func nothingIsMadeOfWhatIsNothing(_ text: String) async {
    let world = PastedWorld(text, before: Sandbox())
    #expect(await (try? world.see(DockerGet(path: "/containers/json?all=1"))) == nil)
    #expect(await (try? world.see(Processes(names: ["nginx"]))) ?? [] == [])
  }
}
