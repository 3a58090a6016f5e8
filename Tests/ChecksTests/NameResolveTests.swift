import Checks
import Fixture
import Model
import Testing
import World

@Suite struct NameResolveTests {
  private let place = Place.process(7)
  private let facts: Facts = [
    "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.host": "shop", "upstream.port": "80",
  ]

  private func world(_ answer: DNSQuery.Sight.Answer, _ addresses: String..., servers: [String] = ["127.0.0.11"])
    -> Sandbox
  {
    Sandbox().file(
      "/etc/hosts", "127.0.0.1 localhost\n# 10.9.9.9 shop\n10.0.0.7\tlegacy Legacy.local # old\n", in: place
    )
    .file("/etc/resolv.conf", "search lan\nnameserver 127.0.0.11\noptions ndots:0\n", in: place)
    .with(DNSQuery(name: "shop", servers: servers, place: place), .init(answer: answer, addresses: addresses))
  }

  @Test(arguments: [
    (DNSQuery.Sight.Answer.noSuchName, "not-found"), (.noData, "not-found"), (.serverFailure, "failing"),
    (.refused, "failing"), (.silent, "silent"),
  ])
  func oneAnswerOfTheServerOneOutcome(answer: DNSQuery.Sight.Answer, expected: String) async throws {
    let found = try await look("name.resolve", world(answer), facts)
    #expect(found.outcome == expected)
    #expect(found.facts["name.servers"] == "127.0.0.11")
    #expect(found.facts["name.address"] == nil)
  }

  @Test func foundWithAllItsAddresses() async throws {
    let found = try await look("name.resolve", world(.addresses, "10.0.0.2", "10.0.0.3"), facts)
    #expect(found.outcome == "found")
    #expect(found.facts["name.addresses"] == "10.0.0.2, 10.0.0.3")
    #expect(found.facts["name.address"] == "10.0.0.2")
  }

  @Test(arguments: [
    "legacy", "LEGACY", "legacy.local",
  ])
  func theHostsFileComesFirstInAnyCaseOfLettersACommentInItDoesNotCount(name: String) async throws {
    let found = try await look("name.resolve", world(.noSuchName), facts.merging(["upstream.host": name]))
    #expect(found.outcome == "found")
    #expect(found.facts["name.address"] == "10.0.0.7")
  }

  /// nginx asks one of its resolvers at a time.
  @Test func oneOfSeveralResolversThatAreAskedInTurnDoesNotKnowTheName() async throws {
    let servers = ["127.0.0.11", "10.0.0.53"]
    let all = facts.merging(["route.resolves": "each-request", "route.resolver": "127.0.0.11, 10.0.0.53"])
    let inTurn = all.merging(["route.resolvers-in-turn": "yes"])
    let world = world(.addresses, "10.0.0.2", servers: servers)
    for (server, answer) in zip(servers, [DNSQuery.Sight.Answer.addresses, .noSuchName]) {
      world.with(DNSQuery(name: "shop", servers: [server], place: place), .init(answer: answer, addresses: []))
    }
    let found = try await look("name.resolve", world, inTurn)
    #expect(found.outcome == "some-servers")
    #expect(found.facts["name.failing-servers"] == "10.0.0.53")
    #expect(found.facts["name.address"] == "10.0.0.2")
    // A proxy that asks all of them takes the good answer.
    #expect(try await look("name.resolve", world, all).outcome == "found")
    world.with(DNSQuery(name: "shop", servers: ["10.0.0.53"], place: place), unseen: .notPermitted(what: "it"))
    #expect(try await look("name.resolve", world, inTurn).outcome == "found")
  }

  @Test func anAddressNeedsNoLook() async throws {
    for (host, expected) in [("10.0.0.9", "10.0.0.9"), ("fd00::2", "fd00::2"), ("[fd00::2]", "fd00::2")] {
      let found = try await look("name.resolve", Sandbox(), facts.merging(["upstream.host": host]))
      #expect(found.outcome == "address")
      #expect(found.facts["name.address"] == expected)
    }
  }

  @Test func lookedUpAtEachRequestOnlyTheRoutesOwnResolverIsAskedNoHostsFile() async throws {
    let each = facts.merging(["route.resolves": "each-request"])
    #expect(try await look("name.resolve", Sandbox(), each).outcome == "no-resolver")
    let world = Sandbox().with(
      DNSQuery(name: "shop", servers: ["10.0.0.53", "10.0.0.54:5353"], place: place),
      .init(answer: .addresses, addresses: ["10.0.0.2"]))
    let found = try await look("name.resolve", world, each.merging(["route.resolver": "10.0.0.53, 10.0.0.54:5353"]))
    #expect(found.outcome == "found")
    #expect(found.facts["name.servers"] == "10.0.0.53, 10.0.0.54:5353")
    #expect(found.facts["upstream.dial"] == "10.0.0.2:80")
  }

  @Test func theRoutesResolverDoesNotKnowWhatTheSystemOfThePlaceKnows() async throws {
    let each = facts.merging(["route.resolves": "each-request", "route.resolver": "10.0.0.53"])
    let own = DNSQuery(name: "shop", servers: ["10.0.0.53"], place: place)
    for answer in [DNSQuery.Sight.Answer.noSuchName, .serverFailure, .silent] {
      let byPlace = world(.addresses, "10.0.0.2").with(own, .init(answer: answer, addresses: []))
      let found = try await look("name.resolve", byPlace, each)
      #expect(found.outcome == "differs")
      #expect(found.facts["name.otherwise"] == "10.0.0.2")
      #expect(found.facts["name.known-by"] == "place")
      #expect(found.facts["name.place-servers"] == "127.0.0.11")
      #expect(found.facts["name.address"] == nil)
    }
    let neither = world(.noSuchName).with(own, .init(answer: .noSuchName, addresses: []))
    #expect(try await look("name.resolve", neither, each).outcome == "not-found")
    let legacy = world(.noSuchName).with(
      DNSQuery(name: "legacy", servers: ["10.0.0.53"], place: place), .init(answer: .noSuchName, addresses: []))
    let found = try await look("name.resolve", legacy, each.merging(["upstream.host": "legacy"]))
    #expect(found.outcome == "differs")
    #expect(found.facts["name.known-by"] == "hosts-file")
  }

  @Test func aHostsFileAndAResolvConfWithRNAtTheirEndsOfLinesAreUnderstood() async throws {
    let each = facts.merging([
      "route.resolves": "each-request", "route.resolver": "10.0.0.53", "upstream.host": "legacy",
    ])
    let world = Sandbox()
      .with(
        DNSQuery(name: "legacy", servers: ["10.0.0.53"], place: place), .init(answer: .noSuchName, addresses: [])
      )
      .file("/etc/hosts", "127.0.0.1\tlocalhost\r\n10.0.0.9\tlegacy\r\n", in: place)
      .file("/etc/resolv.conf", "nameserver 127.0.0.11\r\n", in: place)
    let found = try await look("name.resolve", world, each)
    #expect(found.outcome == "differs")
    #expect(found.facts["name.otherwise"] == "10.0.0.9")
    #expect(found.facts["name.place-servers"] == "127.0.0.11")
  }

  @Test func theMachineKnowsANameThatTheContainerDoesNot() async throws {
    let world = world(.noSuchName).with(SystemLookup(name: "shop"), ["192.168.1.9"])
    let found = try await look("name.resolve", world, facts)
    #expect(found.outcome == "only-outside")
    #expect(found.facts["name.otherwise"] == "192.168.1.9")
  }

  @Test(arguments: [
    Unseen.missing(what: "/etc/hosts"), .notPermitted(what: "/etc/hosts"), .noAnswer(seconds: 1),
  ])
  func noHostsFileNoRightToReadItUnknownWithTheReason(reason: Unseen) async throws {
    let world = Sandbox().with(FileRead(path: "/etc/hosts", place: place), unseen: reason)
    let found = try await look("name.resolve", world, facts)
    #expect(found.outcome == "unknown")
    #expect(found.unseen == reason)
  }
}
