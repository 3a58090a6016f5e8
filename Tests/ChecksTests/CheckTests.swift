import Model
import Testing
import World

@testable import Checks

/// A check's outcome and facts in a recorded world.
private func found(_ check: String, in world: any World, _ facts: Facts, _ signs: Signs = Signs()) async throws
  -> Finding
{
  let check = try #require(Check.named(check))
  return await check.finding(in: world, facts: facts, signs: signs)
}

private func json(_ text: String) -> DockerGet.Sight {
  DockerGet.Sight(status: 200, body: Array(text.utf8), version: "1.41", engine: "Docker")
}

@Suite struct ContainerStateTests {
  private static func inspected(_ state: String, restarts: Int = 0, memory: Int = 0) -> DockerGet.Sight {
    json(
      """
      {"Id":"abc","Name":"/shop","RestartCount":\(restarts),"State":{\(state)},"HostConfig":{"Memory":\(memory)},
       "Config":{},"NetworkSettings":{"Networks":{}},"Mounts":[]}
      """)
  }

  @Test(arguments: [
    ("\"Status\":\"running\",\"Pid\":7,\"StartedAt\":\"2026-01-01T00:00:00Z\"", "running"),
    ("\"Status\":\"running\",\"Pid\":7,\"Health\":{\"Status\":\"starting\"}", "starting"),
    ("\"Status\":\"running\",\"Pid\":7,\"Health\":{\"Status\":\"unhealthy\"}", "unhealthy"),
    ("\"Status\":\"paused\",\"Pid\":7", "paused"),
    ("\"Status\":\"exited\",\"Pid\":0,\"ExitCode\":1", "stopped"),
    // Killed by `docker stop`: the code of a memory kill alone is no proof of one.
    ("\"Status\":\"exited\",\"Pid\":0,\"ExitCode\":137", "stopped"),
    ("\"Status\":\"exited\",\"Pid\":0,\"ExitCode\":137,\"OOMKilled\":true", "out-of-memory"),
    ("\"Status\":\"created\",\"Pid\":0,\"Error\":\"port is already allocated\"", "stopped"),
    ("\"Status\":\"restarting\",\"Pid\":0,\"ExitCode\":3", "restarting"),
  ])
  func theStateDecides(state: String, outcome: String) async throws {
    let world = Recording().with(DockerGet(path: "/containers/abc/json"), Self.inspected(state)).with(
      Clock(), 1_800_000_000)
    #expect(try await found("container.state", in: world, ["upstream.id": "abc"]).outcome == outcome)
  }

  @Test(arguments: [("oom", "out-of-memory"), ("die", "restarting")])
  func betweenTwoEndsTheEnginesEventsTell(action: String, outcome: String) async throws {
    let started = "\"Status\":\"running\",\"Pid\":7,\"StartedAt\":\"2027-01-15T08:00:00Z\""
    let filters = "%7B%22container%22%3A%5B%22abc%22%5D%2C%22event%22%3A%5B%22die%22%2C%22oom%22%5D%7D"
    let events = """
      {"Action":"\(action)","Actor":{"Attributes":{}}}
      {"Action":"die","Actor":{"Attributes":{"exitCode":"9"}}}

      """
    let world = Recording().with(Clock(), 1_800_000_005)
      .with(DockerGet(path: "/containers/abc/json"), Self.inspected(started, restarts: 4))
      .with(DockerGet(path: "/events?since=1799999405&until=1800000005&filters=\(filters)"), json(events))
    let finding = try await found("container.state", in: world, ["upstream.id": "abc"])
    #expect(finding.outcome == outcome)
    #expect(finding.facts["container.exit-code"] == "9")
  }

  @Test func whatCannotBeSeenIsUnknownWithItsReason() async throws {
    let world = Recording().with(DockerGet(path: "/containers/abc/json"), unseen: .notPermitted(what: "the socket"))
    let finding = try await found("container.state", in: world, ["upstream.id": "abc"])
    #expect(finding.outcome == "unknown")
    #expect(finding.unseen == .notPermitted(what: "the socket"))
  }
}

@Suite struct PortListeningTests {
  private static func listener(_ address: String, _ port: UInt16, waiting: Int = 0) -> Listener {
    Listener(address: address, port: port, waiting: waiting, processes: [])
  }

  @Test(arguments: [
    ([listener("0.0.0.0", 3000)], "listening", nil),
    ([listener("::", 3000)], "listening", nil),
    ([listener("127.0.0.1", 3000)], "loopback", nil),
    ([listener("::1", 3000)], "loopback", nil),
    ([listener("127.0.0.1", 3000), listener("172.18.0.2", 3000)], "listening", nil),
    ([listener("0.0.0.0", 8080)], "other-port", "8080"),
    ([listener("127.0.0.1", 8080)], "loopback", nil),
    ([], "nothing", nil),
    ([listener("0.0.0.0", 3000, waiting: 3)], "stuck", nil),
  ])
  func theTableDecides(listeners: [Listener], outcome: String, listening: String?) async throws {
    let world = Recording().with(Listeners(place: .process(7)), listeners)
    let finding = try await found(
      "port.listening", in: world,
      [
        "upstream.place": "container", "upstream.pid": "7", "upstream.inside-port": "3000", "upstream.port": "3000",
        "proxy.place": "container", "proxy.network": "own",
      ])
    #expect(finding.outcome == outcome)
    #expect(finding.facts["upstream.listening"] == listening)
  }

  @Test func withoutAProcessNothingIsClaimed() async throws {
    let finding = try await found(
      "port.listening", in: Recording(),
      ["upstream.place": "container", "upstream.inside-port": "3000", "upstream.port": "3000"])
    #expect(finding.unseen == .notEnoughKnown(["upstream.pid"]))
  }
}

@Suite struct FirewallTests {
  private func outcome(_ rule: String) async throws -> (String, Facts) {
    let saved = "*filter\n:INPUT ACCEPT [0:0]\n[9:9] -A INPUT -i lo -j ACCEPT\n\(rule)\nCOMMIT\n"
    let empty = CommandRun.Sight(exitCode: 0, output: "*filter\nCOMMIT\n")
    let world = Recording().with(CommandRun(.packetFilter, place: .process(7)), .init(exitCode: 0, output: saved))
      .with(CommandRun(.packetFilter, place: .process(8)), empty).with(CommandRun(.packetFilter, place: .host), empty)
    let finding = try await found(
      "firewall.rules", in: world,
      [
        "name.address": "172.18.0.3", "upstream.port": "3000", "upstream.inside-port": "3000",
        "upstream.place": "container", "upstream.pid": "7", "proxy.place": "container", "proxy.network": "own",
        "proxy.pid": "8",
      ])
    return (finding.outcome, finding.facts)
  }

  @Test(arguments: [
    "[7:420] -A INPUT -p tcp -m tcp --dport 3000 -j DROP",
    "[1:60] -A INPUT ! -i lo -p tcp -m tcp --dport 3000 -j REJECT --reject-with icmp-port-unreachable",
    "[2:120] -A INPUT -d 172.18.0.0/16 -p tcp -m multiport --dports 80,2999:3001 -j DROP",
    "[2:120] -A INPUT -j DROP",
  ])
  func aRuleThatStopsThesePacketsIsNamedByItsNumber(rule: String) async throws {
    let (outcome, facts) = try await outcome(rule)
    #expect(outcome == "blocks")
    #expect(facts["firewall.number"] == "2")
    #expect(facts["firewall.chain"] == "INPUT")
    #expect(facts["firewall.place"] == "upstream")
    #expect(facts["firewall.pid"] == "7")
  }

  @Test(arguments: [
    "[7:420] -A INPUT -p tcp -m tcp --dport 3001 -j DROP",
    "[0:0] -A INPUT -p tcp -m tcp --dport 3000 -j DROP",
    "[7:420] -A INPUT -p udp -m udp --dport 3000 -j DROP",
    "[7:420] -A INPUT ! -s 10.0.0.0/8 -p tcp -m tcp --dport 3000 -j DROP",
    "[7:420] -A INPUT -d 10.0.0.1/32 -p tcp -j DROP",
    "[7:420] -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP",
    "[7:420] -A INPUT -m conntrack --ctstate INVALID -j DROP",
    "[7:420] -A INPUT -p tcp -m tcp --dport 3000 -j ACCEPT",
  ])
  func otherRulesAreNotBlamed(rule: String) async throws {
    #expect(try await outcome(rule).0 == "nothing")
  }
}

@Suite struct NameTests {
  private let proxy: Facts = [
    "upstream.host": "shop", "upstream.port": "3000", "proxy.place": "container", "proxy.network": "own",
    "proxy.pid": "8",
  ]

  private func world(_ answer: DNSQuery.Sight, hosts: String = "127.0.0.1 localhost\n") -> Recording {
    Recording().with(FileRead(path: "/etc/hosts", place: .process(8)), file(hosts))
      .with(FileRead(path: "/etc/resolv.conf", place: .process(8)), file("nameserver 127.0.0.11\noptions ndots:0\n"))
      .with(DNSQuery(name: "shop", servers: ["127.0.0.11"], place: .process(8)), answer)
  }

  private func file(_ text: String) -> FileRead.Sight {
    FileRead.Sight(bytes: Array(text.utf8), size: text.utf8.count, modified: 0)
  }

  @Test(arguments: [
    (DNSQuery.Sight.Answer.addresses, ["172.18.0.3"], "found"), (.noSuchName, [], "not-found"),
    (.noData, [], "not-found"),
    (.serverFailure, [], "failing"), (.refused, [], "failing"), (.silent, [], "silent"),
  ])
  func theProxysOwnServersDecide(answer: DNSQuery.Sight.Answer, addresses: [String], outcome: String) async throws {
    let finding = try await found("name.resolve", in: world(.init(answer: answer, addresses: addresses)), proxy)
    #expect(finding.outcome == outcome)
    #expect(finding.facts["name.address"] == addresses.first)
  }

  @Test func aLiteralNameMayStandInTheHostsFile() async throws {
    let world = world(.init(answer: .noSuchName, addresses: []), hosts: "10.1.1.1  Shop other # own\n")
    #expect(try await found("name.resolve", in: world, proxy).facts["name.addresses"] == "10.1.1.1")
  }

  @Test func aVariableIsAskedOfTheResolverAlone() async throws {
    let world = world(.init(answer: .noSuchName, addresses: []), hosts: "10.1.1.1 shop\n")
    let facts = proxy.merging(["route.resolves": "each-request", "route.resolver": "127.0.0.11"])
    #expect(try await found("name.resolve", in: world, facts).outcome == "not-found")
    #expect(
      try await found("name.resolve", in: world, proxy.merging(["route.resolves": "each-request"])).outcome
        == "no-resolver")
  }
}

@Suite struct UpstreamAnswerTests {
  private let facts: Facts = [
    "site.host": "shop.example", "name.address": "172.18.0.3", "upstream.port": "3000", "upstream.scheme": "http",
    "proxy.place": "container", "proxy.network": "own", "proxy.pid": "8", "route.read-timeout": "4",
  ]

  private func outcome(_ sight: HTTPRequest.Sight) async throws -> Finding {
    let request = HTTPRequest(
      url: "http://shop.example/", address: "172.18.0.3", port: 3000, place: .process(8), limit: 10)
    return try await found("upstream.answer", in: Recording().with(request, sight), facts)
  }

  @Test func theAppsOwnAnswerIsComparedWithTheProxysPatience() async throws {
    #expect(try await outcome(.init(status: 200, times: .init(firstByte: 0.1))).outcome == "good")
    #expect(try await outcome(.init(status: 404, times: .init(firstByte: 0.1))).outcome == "good")
    #expect(try await outcome(.init(status: 503, times: .init(firstByte: 0.1))).outcome == "error")
    #expect(try await outcome(.init(failure: .answerTimeout)).outcome == "never")
    #expect(try await outcome(.init(failure: .reset)).outcome == "closes")
    #expect(try await outcome(.init(failure: .refused)).outcome == "refused")
    let late = try await outcome(.init(status: 200, times: .init(firstByte: 5.5)))
    #expect(late.outcome == "late")
    #expect(late.facts["timeout.needed"] == "30")
  }
}

@Suite struct LimitTests {
  /// A world that never answers.
  private struct Silent: World {
    func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
      try? await Task.sleep(for: .seconds(600))
      throw .noAnswer(seconds: 600)
    }
  }

  @Test func aCheckEndsAtTheLimitOfTheSession() async throws {
    let finding = try await found("container.state", in: Silent(), ["upstream.id": "abc", "limit.seconds": "0.05"])
    #expect(finding.outcome == "unknown")
    #expect(finding.unseen == .noAnswer(seconds: 0.05))
  }
}

@Suite struct ProxyLogTests {
  private let signs = Signs(lines: [
    .init(
      proxy: "nginx", pattern: "connect\\(\\) failed \\(111: .*upstream: \"[a-z]+://(?<address>[^/\"]+)",
      shows: "refused",
      meaning: "", causes: []),
    .init(proxy: "nginx", pattern: "\\[emerg\\] (?<reason>.+)$", shows: "config-error", meaning: "", causes: []),
  ])

  private func outcome(_ line: String) async throws -> String {
    let log = line.utf8.count + 1
    let world = Recording().with(
      FileRead(path: "/var/log/nginx/error.log", place: .host, limit: 65_536, fromEnd: true),
      FileRead.Sight(bytes: Array((line + "\n").utf8), size: log, modified: 0))
    return try await found(
      "proxy.log", in: world,
      [
        "site.asked": "1", "site.host": "shop.example", "route.defined-in": "x:1",
        "route.log": "/var/log/nginx/error.log",
        "proxy.place": "host", "proxy.kind": "nginx", "name.address": "10.0.0.3",
        "name.addresses": "10.0.0.3, 10.0.0.4",
        "upstream.port": "3000",
      ], signs
    ).outcome
  }

  @Test func theAddressThatWasDialledIsCompared() async throws {
    func line(_ upstream: String, host: String = "shop.example") -> String {
      "2026/01/01 00:00:00 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, "
        + "upstream: \"http://\(upstream)/\", host: \"\(host)\""
    }
    #expect(try await outcome(line("10.0.0.4:3000")) == "same-address")
    #expect(try await outcome(line("10.0.0.9:3000")) == "other-address")
    #expect(try await outcome(line("10.0.0.3:8080")) == "other-port")
    #expect(try await outcome(line("10.0.0.9:3000", host: "other.example")) == "silent")
    #expect(try await outcome("2026/01/01 00:00:00 [emerg] unexpected end of file") == "config-error")
  }
}
