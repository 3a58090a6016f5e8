import Checks
import Discovery
import Fixture
import Model
import Testing
import World

private let inProxy = Place.process(7)
private let inApp = Place.process(9)
private let facts: Facts = [
  "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.place": "container",
  "upstream.id": "app1", "upstream.pid": "9", "upstream.host": "shop", "upstream.port": "8080",
  "upstream.inside-port": "8080", "site.host": "shop.example.org",
]

@Suite struct PortListeningTests {
  private func finding(_ world: Sandbox, _ more: Facts = [:], _ signs: Signs = Signs()) async throws -> Finding {
    try await look("port.listening", world, facts.merging(more), signs: signs)
  }

  @Test func itListensInReach() async throws {
    let found = try await finding(Sandbox().listening(in: inApp, ("127.0.0.1", 9000), ("0.0.0.0", 8080)))
    #expect(found.outcome == "listening")
    #expect(found.facts["upstream.ports"] == "8080, 9000")
    #expect(found.facts["upstream.bound-to"] == "0.0.0.0")
  }

  @Test(arguments: ["127.0.0.1", "127.0.1.1", "::1", "::ffff:127.0.0.1"])
  func onlyOnLoopback(address: String) async throws {
    let found = try await finding(Sandbox().listening(in: inApp, (address, 8080)))
    #expect(found.outcome == "loopback")
    #expect(found.facts["upstream.bound-to"] == address)
  }

  @Test func onlyOnLoopbackAndOnAnotherPort() async throws {
    #expect(try await finding(Sandbox().listening(in: inApp, ("127.0.0.1", 9000))).outcome == "loopback")
  }

  @Test func aProcessOfTheHostOnLoopbackIsInReachOfAProxyOfTheHost() async throws {
    let world = Sandbox().listening(in: .host, ("127.0.0.1", 8080))
    #expect(try await finding(world, ["upstream.place": "host", "proxy.place": "host"]).outcome == "listening")
    #expect(try await finding(world, ["upstream.place": "host"]).outcome == "loopback")
  }

  @Test func onAnotherPort() async throws {
    let found = try await finding(Sandbox().listening(in: inApp, ("::", 3000)))
    #expect(found.outcome == "other-port")
    #expect(found.facts["upstream.listening"] == "3000")
  }

  @Test func ofSeveralOtherPortsTheOneThatAnswersHTTP() async throws {
    let ask = { (port: UInt16) in
      HTTPRequest(url: "http://shop.example.org/", address: "10.0.0.2", port: port, place: inProxy, limit: 1)
    }
    let world = Sandbox().listening(in: inApp, ("0.0.0.0", 22), ("0.0.0.0", 3000))
      .with(ask(22), .init(failure: .notHTTP)).with(ask(3000), .init(status: 404))
    let found = try await finding(world, ["upstream.addresses": "10.0.0.2"])
    #expect(found.facts["upstream.listening"] == "3000")
  }

  @Test(arguments: [
    ("::", true, "10.0.0.2", "other-family"), ("::", false, "10.0.0.2", "listening"),
    ("::", nil, "10.0.0.2", "listening"), ("::", true, "10.0.0.2, fd00::2", "listening"),
    ("0.0.0.0", nil, "fd00::2", "other-family"), ("::", true, "fd00::2", "listening"),
  ])
  func aSocketOfOneFamily(address: String, isIPv6Only: Bool?, addresses: String, outcome: String) async throws {
    let listener = Listener(address: address, port: 8080, waiting: 0, isIPv6Only: isIPv6Only, processes: [])
    let world = Sandbox().with(Listeners(place: inApp), [listener])
    #expect(try await finding(world, ["upstream.addresses": addresses]).outcome == outcome)
  }

  @Test func aProxyOfTheHostThatDialsTheMachinesAddressDoesNotReachLoopback() async throws {
    let world = Sandbox().listening(in: .host, ("127.0.0.1", 8080))
    let onHost: Facts = ["upstream.place": "host", "proxy.place": "host"]
    #expect(try await finding(world, onHost.merging(["upstream.host": "192.0.2.10"])).outcome == "loopback")
    #expect(try await finding(world, onHost.merging(["upstream.host": "localhost"])).outcome == "listening")
  }

  @Test func theAddressOfTheOtherFamily() async throws {
    let onHost: Facts = ["upstream.place": "host", "proxy.place": "host", "upstream.host": "::1"]
    let world = Sandbox().listening(in: .host, ("0.0.0.0", 8080))
    let found = try await finding(world, onHost)
    #expect(found.outcome == "other-family")
    #expect(found.facts["family.address"] == "127.0.0.1")
  }

  @Test func nothingListens() async throws {
    #expect(try await finding(Sandbox().listening(in: inApp)).outcome == "nothing")
    let other = Sandbox().listening(in: .host, ("0.0.0.0", 3000))
    let onHost = try await finding(other, ["upstream.place": "host"])
    #expect(onHost.outcome == "nothing")
    #expect(onHost.facts["upstream.listening"] == nil)
  }

  @Test func besideTheProxyOnlyAnotherProgramThatAnswersHTTP() async throws {
    let signs = try realSigns()
    let proxy = ProcessSeen(
      id: 7, parent: 1, name: "nginx", command: ["nginx"], started: 1, sharesNetwork: false, container: "edge1")
    let sockets = [("0.0.0.0", 80, 7), ("127.0.0.1", 9000, 30), ("127.0.0.1", 9400, 31)].map {
      Listener(address: $0.0, port: UInt16($0.1), waiting: 0, processes: [Int32($0.2)])
    }
    let ask = { (port: UInt16) in
      HTTPRequest(url: "http://shop.example.org/", address: "127.0.0.1", port: port, place: inProxy, limit: 1)
    }
    let beside: Facts = ["upstream.place": "proxy", "upstream.pid": "7", "upstream.host": "127.0.0.1"]
    let world = Sandbox().with(Listeners(place: inProxy), sockets)
      .with(Processes(names: signs.proxyProcesses), [proxy]).with(ask(9000), .init(failure: .notHTTP))
    let helper = try await finding(world.with(ask(9400), .init(failure: .notHTTP)), beside, signs)
    #expect(helper.outcome == "nothing")
    let app = try await finding(world.with(ask(9400), .init(status: 200)), beside, signs)
    #expect(app.outcome == "other-port")
    #expect(app.facts["upstream.listening"] == "9400")
  }

  @Test func connectionsWaitInTheQueue() async throws {
    let found = try await finding(Sandbox().listening(in: inApp, ("0.0.0.0", 8080), waiting: 12))
    #expect(found.outcome == "stuck")
    #expect(found.facts["upstream.waiting"] == "12")
  }

  @Test func withoutAProcessToLookIntoOrWithoutTheRightToItIsUnknown() async throws {
    let denied = Sandbox().with(Listeners(place: inApp), unseen: .notPermitted(what: "/proc/9/ns/net"))
    #expect(try await finding(denied).unseen == .notPermitted(what: "/proc/9/ns/net"))
    let gone = try await finding(denied, ["upstream.pid": ""])
    #expect(gone.unseen == .notPermitted(what: "/proc/9/ns/net"), "an empty fact does not take a known one away")
    var unknownPID = facts
    unknownPID["upstream.pid"] = nil
    #expect(try await look("port.listening", Sandbox(), unknownPID).unseen == .notEnoughKnown(["upstream.pid"]))
  }
}

@Suite struct NetworkSharedTests {
  private func networks(_ ids: [String: String]) -> String {
    let ends = ids.map { "\"\($0)\": {\"NetworkID\": \"\($1)\", \"Gateway\": \"172.20.0.1\"}" }
    return "\"NetworkSettings\": {\"Networks\": {\(ends.joined(separator: ","))}}"
  }

  private func finding(
    proxy: [String: String], app: [String: String], more: String = "", host: String = "shop"
  ) async throws -> Finding {
    let world = Sandbox().container("edge1", #""Name": "/edge","# + networks(proxy))
      .container("app1", #""Name": "/shop","# + more + networks(app))
    return try await look("network.shared", world, facts.merging(["upstream.host": host]))
  }

  @Test func theyShareANetworkOfTheirOwn() async throws {
    let found = try await finding(proxy: ["web": "n1", "bridge": "b"], app: ["web": "n1", "db": "n2"])
    #expect(found.outcome == "shared")
    #expect(found.facts["network.common"] == "web")
    #expect(found.facts["network.of-upstream"] == "db, web")
    #expect(found.facts["network.gateway"] == "172.20.0.1")
  }

  @Test func theSameNameIsAnotherNetworkIfItsIdDiffersTheProxyJoinsTheApps() async throws {
    let found = try await finding(proxy: ["web": "n1"], app: ["web": "n2"])
    #expect(found.outcome == "separate")
    #expect(found.facts["network.join"] == "web")
    #expect(found.facts["network.joiner"] == "edge")
  }

  @Test func anAppWithOnlyTheDefaultNetworkJoinsTheProxys() async throws {
    let found = try await finding(proxy: ["web": "n1"], app: ["bridge": "b"])
    #expect(found.outcome == "separate")
    #expect(found.facts["network.join"] == "web")
    #expect(found.facts["network.joiner"] == "shop")
  }

  @Test func onlyTheDefaultNetworkInCommonNamesDoNotResolveThereAddressesWork() async throws {
    let named = try await finding(proxy: ["bridge": "b"], app: ["bridge": "b"])
    #expect(named.outcome == "default-bridge")
    #expect(named.facts["network.new"] == "edge-net")
    #expect(named.facts["network.join"] == nil)
    let address = try await finding(proxy: ["bridge": "b"], app: ["bridge": "b"], host: "172.17.0.3")
    #expect(address.outcome == "shared")
  }

  @Test func theAppUsesTheHostsNetwork() async throws {
    let found = try await finding(
      proxy: ["web": "n1"], app: ["host": "h"], more: #""HostConfig": {"NetworkMode": "host"},"#)
    #expect(found.outcome == "host-network")
  }

  @Test func aProxyOfTheHostDialsAPublishedPort() async throws {
    let world = Sandbox().container("app1", networks(["web": "n1"]))
    let onHost = try await look(
      "network.shared", world,
      facts.merging(["proxy.place": "host", "upstream.published": "yes", "upstream.host": "127.0.0.1"]))
    #expect(onHost.outcome == "published")
    world.container("edge1", networks(["web": "n1"])).with(OwnAddresses(), ["192.0.2.10"])
    let byAddress = facts.merging(["upstream.published": "yes", "upstream.host": "192.0.2.10"])
    #expect(try await look("network.shared", world, byAddress).outcome == "published")
  }

  /// Port 3001 of the machine 192.0.2.10 leads to the app's port 8080, by these of its addresses.
  private func published(at address: String, dialled host: String, proxy place: String) async throws -> Finding {
    let binding = #"{"8080/tcp": [{"HostIp": "\#(address)", "HostPort": "3001"}]}"#
    let world = Sandbox().container("edge1", #""Name": "/edge","# + networks(["web": "n1"]))
      .container("app1", #""Name": "/shop", "HostConfig": {"PortBindings": \#(binding)},"# + networks(["apps": "n2"]))
      .with(OwnAddresses(), ["127.0.0.1", "192.0.2.10", "192.0.2.11", "172.20.0.1"])
    return try await look(
      "network.shared", world,
      facts.merging([
        "proxy.place": place, "upstream.published": "yes", "upstream.host": host, "upstream.port": "3001",
      ]))
  }

  @Test(arguments: [
    ("", "192.0.2.10", "container", "published"), ("127.0.0.1", "192.0.2.10", "container", "other-binding"),
    ("127.0.0.1", "host.docker.internal", "container", "other-binding"),
    ("192.0.2.10", "192.0.2.10", "container", "published"), ("192.0.2.10", "172.20.0.1", "container", "other-binding"),
    ("127.0.0.1", "127.0.0.1", "host", "published"), ("127.0.0.1", "localhost", "host", "published"),
    ("127.0.0.1", "192.0.2.10", "host", "other-binding"), ("192.0.2.10", "127.0.0.1", "host", "other-binding"),
    ("0.0.0.0", "127.0.0.1", "host", "published"),
  ])
  func whereAPortIsPublishedCounts(address: String, host: String, place: String, outcome: String) async throws {
    let found = try await published(at: address, dialled: host, proxy: place)
    #expect(found.outcome == outcome)
    #expect(found.facts["published.port"] == "3001")
    #expect(found.facts["published.host"] == (["", "0.0.0.0"].contains(address) ? "127.0.0.1" : address))
    #expect(found.facts["network.inside-name"] == (place == "host" ? nil : "shop"))
    #expect(found.facts["network.join"] == (place == "host" ? nil : "apps"))
  }

  @Test func aProxyOfTheHostKnowsNoContainersName() async throws {
    let world = Sandbox().container("app1", #""Name": "/shop","# + networks(["apps": "n2"]))
    let onHost = facts.merging(["proxy.place": "host"])
    let named = try await look("network.shared", world, onHost)
    #expect(named.outcome == "no-name")
    #expect(named.facts["publish.container"] == "shop")
    #expect(named.facts["publish.port"] == "8080")
    let byAddress = try await look("network.shared", world, onHost.merging(["upstream.host": "172.21.0.3"]))
    #expect(byAddress.outcome == "direct")
  }

  @Test func aContainerThatIsGoneIsUnknown() async throws {
    let world = Sandbox().docker("/containers/app1/json", "{}", status: 404)
    #expect(
      try await look("network.shared", world, facts).unseen == .missing(what: "Docker's /containers/app1/json"))
  }
}

@Suite struct TCPConnectTests {
  private let connect = TCPConnect(address: "10.0.0.2", port: 8080, place: inProxy, limit: 4)
  private let dialling = facts.merging(["name.address": "10.0.0.2"])

  @Test(arguments: [
    (TCPConnect.Sight.Outcome.accepted, Int32(0), "accepted"), (.refused, 111, "refused"),
    (.timeout, 110, "timeout"), (.unreachable, 113, "unreachable"), (.denied, 1, "denied"), (.other, 99, "unknown"),
  ])
  func oneOutcomeOfTheSystemOneOfTheCheck(seen: TCPConnect.Sight.Outcome, errno: Int32, expected: String) async throws {
    let world = Sandbox().with(connect, .init(outcome: seen, errno: errno, seconds: 0.25))
    let found = try await look("tcp.connect", world, dialling)
    #expect(found.outcome == expected)
    #expect(found.facts["connect.errno"] == (errno == 0 ? nil : String(errno)))
  }

  @Test func aProxyOfTheHostDialsFromTheHost() async throws {
    var fromHost = connect
    fromHost.place = .host
    let world = Sandbox().with(fromHost, .init(outcome: .accepted, errno: 0, seconds: 0))
    #expect(try await look("tcp.connect", world, dialling.merging(["proxy.place": "host"])).outcome == "accepted")
    #expect(try await look("tcp.connect", world, dialling.merging(["proxy.network": "host"])).outcome == "accepted")
  }

  @Test func withoutTheProxysProcessItIsUnknown() async throws {
    var stopped = dialling
    stopped["proxy.pid"] = nil
    #expect(try await look("tcp.connect", Sandbox(), stopped).unseen == .notEnoughKnown(["proxy.pid"]))
  }
}
