import Checks
import Fixture
import Model
import Testing
import World

@Suite struct AddressFamilyTests {
  private func facts(_ address: String, _ more: Facts = [:]) -> Facts {
    let facts: Facts = [
      "proxy.place": "host", "proxy.network": "host", "upstream.place": "host", "upstream.port": "3000",
      "name.address": address, "name.addresses": address,
    ]
    return facts.merging(more)
  }

  private func world(_ outcomes: [String: TCPConnect.Sight.Outcome]) -> Sandbox {
    let world = Sandbox()
    for (address, outcome) in outcomes {
      for limit in [1.0, 2.0] {
        world.with(
          TCPConnect(address: address, port: 3000, place: .host, limit: limit),
          .init(outcome: outcome, errno: outcome == .refused ? 111 : 0, seconds: 0))
      }
    }
    return world
  }

  @Test func when1RefusesAnd127001TakesTheConnectionOrTheOtherWayRound() async throws {
    let found = try await look(
      "address.family", world(["::1": .refused, "127.0.0.1": .accepted]), facts("::1"))
    #expect(found.outcome == "other")
    #expect(found.facts["family.dialled"] == "IPv6")
    #expect(found.facts["family.listens"] == "IPv4")
    #expect(found.facts["family.address"] == "127.0.0.1")
    let back = try await look(
      "address.family", world(["::1": .accepted, "127.0.0.1": .refused]), facts("127.0.0.1"))
    #expect(back.facts["family.listens"] == "IPv6")
  }

  /// Nothing is said where both refuse, where the first one answers, or where the proxy tries both itself
  @Test func nothingIsSaidWhereBothRefuseWhereTheFirstOneAnswers() async throws {
    let both = world(["::1": .refused, "127.0.0.1": .refused])
    #expect(try await look("address.family", both, facts("::1")).outcome == "none")
    let fine = world(["::1": .accepted, "127.0.0.1": .accepted])
    #expect(try await look("address.family", fine, facts("::1")).outcome == "none")
    let tried = facts("::1", ["name.addresses": "::1, 127.0.0.1"])
    #expect(
      try await look("address.family", world(["::1": .refused, "127.0.0.1": .accepted]), tried).outcome == "none")
  }

  @Test(arguments: [
    ("", "10.0.0.2, fd00::2", ""), ("ipv6-first", "fd00::2", "10.0.0.2"), ("ipv4-first", "10.0.0.2", "fd00::2"),
    ("ipv6-only", "fd00::2", "10.0.0.2"), ("ipv4-only", "10.0.0.2", "fd00::2"),
    // A private address of IPv6 comes after IPv4.
    ("system-first", "10.0.0.2", "fd00::2"),
  ])
  func whichOfANamesAddressesAProxyTakes(family: String, addresses: String, others: String) async throws {
    let place = Place.process(7)
    let world = Sandbox().file("/etc/hosts", "127.0.0.1 localhost\n", in: place)
      .file("/etc/resolv.conf", "nameserver 127.0.0.11\n", in: place)
      .with(
        DNSQuery(name: "shop", servers: ["127.0.0.11"], place: place),
        .init(answer: .addresses, addresses: ["10.0.0.2", "fd00::2"]))
    let facts: Facts = [
      "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.host": "shop",
      "upstream.port": "80", "route.address-family": family,
    ]
    let found = try await look("name.resolve", world, facts)
    #expect(found.facts["name.addresses"] == addresses)
    #expect(found.facts["name.others"] ?? "" == others)
    let said = try await look("name.resolve", world, facts.merging(["route.dials": "fd00::9"]))
    #expect(said.facts["name.address"] == "fd00::9")
  }

  /// The system's own lookup puts a global address of IPv6 first where the place has one itself
  @Test(arguments: [
    ("20010db8000000000000000000000003 02 40 00 80 eth0\n", "2001:db8::2"),
    ("fe80000000000000000000000000000f 02 40 20 80 eth0\n", "10.0.0.2"), ("", "10.0.0.2"),
  ])
  func theFirstAddressOfTheSystemsOwnLookup(interfaces: String, first: String) async throws {
    let place = Place.process(7)
    let world = Sandbox().file("/etc/hosts", "", in: place)
      .file("/etc/resolv.conf", "nameserver 127.0.0.11\n", in: place).file("/proc/7/net/if_inet6", interfaces)
      .with(
        DNSQuery(name: "shop", servers: ["127.0.0.11"], place: place),
        .init(answer: .addresses, addresses: ["10.0.0.2", "2001:db8::2"]))
    let found = try await look(
      "name.resolve", world,
      [
        "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.host": "shop",
        "upstream.port": "80", "route.address-family": "system-first",
      ])
    #expect(found.facts["name.address"] == first)
  }

  @Test func aNameWithoutAnAddressOfTheKindThatTheProxyTakes() async throws {
    let place = Place.process(7)
    let world = Sandbox().file("/etc/hosts", "10.0.0.2 shop\n", in: place)
    let facts: Facts = [
      "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.host": "shop",
      "upstream.port": "80",
    ]
    let found = try await look("name.resolve", world, facts.merging(["route.address-family": "ipv6-only"]))
    #expect(found.outcome == "other-family")
    #expect(found.facts["family.dialled"] == "IPv6")
    #expect(found.facts["family.address"] == "10.0.0.2")
    let listed = try await look("name.resolve", world, facts)
    #expect(listed.outcome == "found")
    #expect(listed.facts["name.listed"] == "yes")
  }

  /// Refused a moment ago, and taken now from both places: no packet filter is between them
  @Test(arguments: [(TCPConnect.Sight.Outcome.accepted, "meanwhile"), (.refused, "accepted")])
  func whatIsTakenInsideIsTriedOnceMoreFromTheProxy(again: TCPConnect.Sight.Outcome, outcome: String) async throws {
    let world = Sandbox()
    for (place, result) in [(Place.process(9), TCPConnect.Sight.Outcome.accepted), (.process(7), again)] {
      world.with(
        TCPConnect(address: "10.0.0.2", port: 80, place: place), .init(outcome: result, errno: 0, seconds: 0))
    }
    let found = try await look(
      "inside.connect", world,
      [
        "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.place": "container",
        "upstream.pid": "9", "upstream.port": "80", "upstream.inside-port": "80", "name.address": "10.0.0.2",
        "upstream.addresses": "10.0.0.2", "connect.errno": "111",
      ])
    #expect(found.outcome == outcome)
  }
}
