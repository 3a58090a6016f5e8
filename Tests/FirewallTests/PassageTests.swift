import Fixture
import Model
import Testing
import World

@testable import Firewall

/// A container at 172.20.0.2 dials port 3001 of its machine, 10.1.1.5, which leads to 172.21.0.3:80.
@Suite struct PassageTests {
  private func obstacle(
    _ rules: String = "", nft: String? = nil, enters: String? = "br-aaaabbbbcccc", to: String = "10.1.1.5"
  ) async throws -> Obstacle? {
    let world = Sandbox()
    for place in [Place.process(7), .process(9)] {
      world.with(CommandRun(.packetFilter, place: place), .init(exitCode: 0, output: ""))
    }
    world.with(CommandRun(.packetFilter, place: .host), .init(exitCode: 0, output: rules))
    if let nft { world.with(CommandRun(.nftables, place: .host), .init(exitCode: 0, output: nft)) }
    let passage = Passage(
      packet: Packet(from: ["172.20.0.2"], to: to, port: 3001), sender: Station(name: "proxy", place: .process(7)),
      receiver: Station(name: "upstream", place: .process(9)), own: ["127.0.0.1", "10.1.1.5", "172.20.0.1"],
      inside: (["172.21.0.3"], 80), enters: enters, leaves: "br-ddddeeeeffff")
    return try await world.obstacle(on: passage) {}
  }

  /// As Docker 20.10 writes it, with its program that takes connections (`userland-proxy`) or without.
  private func nat(returns: Bool) -> String {
    """
    *nat
    :PREROUTING ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :DOCKER - [0:0]
    [9:540] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
    [9:540] -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
    \(returns ? "[9:540] -A DOCKER -i br-aaaabbbbcccc -j RETURN\n" : "")\
    [9:540] -A DOCKER ! -i br-ddddeeeeffff -p tcp -m tcp --dport 3001 -j DNAT --to-destination 172.21.0.3:80
    COMMIT

    """
  }

  private func filter(_ rules: String...) -> String {
    "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n" + rules.joined(separator: "\n")
      + "\nCOMMIT\n"
  }

  @Test func aPublishedPortThatTheEngineTakesIsMetAtInputWithItsOwnNumber() async throws {
    let rule = "-A INPUT -s 172.20.0.0/16 -p tcp -m tcp --dport 3001 -j DROP"
    let found = try #require(try await obstacle(nat(returns: true) + filter("[3:180] " + rule)))
    #expect(found.isCertain)
    #expect(found.hook == .input)
    #expect(found.packet.port == 3001)
    #expect(found.rule == rule)
    for other in ["INPUT -p tcp --dport 80", "FORWARD -p tcp --dport 80", "FORWARD -p tcp --dport 3001"] {
      #expect(try await obstacle(nat(returns: true) + filter("[3:180] -A \(other) -j DROP")) == nil)
    }
  }

  @Test func aPublishedPortThatIsTranslatedIsMetAtForwardWithTheAppsNumber() async throws {
    let rules = nat(returns: false) + filter("[3:180] -A FORWARD -o br-ddddeeeeffff -p tcp --dport 80 -j DROP")
    let found = try #require(try await obstacle(rules))
    #expect(found.hook == .forward)
    #expect(found.packet.to == "172.21.0.3")
    #expect(found.packet.port == 80)
    #expect(try await obstacle(nat(returns: false) + filter("[3:180] -A INPUT -j DROP")) == nil)
  }

  @Test func whatIsLedAwayFromTheAppGoesNoFurther() async throws {
    let away = "[2:120] -A PREROUTING -d 10.1.1.5/32 -p tcp -m tcp --dport 3001 -j DNAT --to-destination 192.0.2.7:3001"
    let rules =
      nat(returns: true).replacing("[9:540] -A PREROUTING", with: away + "\n[9:540] -A PREROUTING")
      + filter("[2:120] -A FORWARD -d 192.0.2.7/32 -j DROP")
    let found = try #require(try await obstacle(rules))
    #expect(found.leadsAway)
    #expect(found.packet.to == "192.0.2.7")
    #expect(found.table == "nat")
    #expect(try await obstacle(nat(returns: false))?.leadsAway == nil)
  }

  @Test func whatTheEngineDialsItselfLeavesByOutput() async throws {
    let rules = nat(returns: true) + filter("[3:180] -A OUTPUT -d 172.21.0.3/32 -p tcp --dport 80 -j DROP")
    let found = try #require(try await obstacle(rules))
    #expect(found.hook == .output)
    #expect(found.packet.to == "172.21.0.3")
  }

  @Test func rawComesBeforeTheTranslation() async throws {
    let raw =
      "*raw\n:PREROUTING ACCEPT [0:0]\n[3:180] -A PREROUTING -i br-aaaabbbbcccc -p tcp --dport 3001 -j DROP\nCOMMIT\n"
    for returns in [true, false] {
      let found = try #require(try await obstacle(raw + nat(returns: returns) + filter()))
      #expect(found.isCertain)
      #expect(found.table == "raw")
      #expect(found.hook == .prerouting)
    }
    #expect(try await obstacle(raw.replacing("aaaa", with: "0000") + nat(returns: true)) == nil)
    #expect(try await obstacle(raw + nat(returns: true), enters: nil)?.isCertain == false)
  }

  @Test func aHookOfNftsOwnBeforeTheRouting() async throws {
    // As nft 1.0.6 prints it.
    let listing = #"""
      {"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}},
      {"table": {"family": "ip", "name": "guard", "handle": 9}}, {"chain": {"family": "ip", "table": "guard", "name": "pre",
      "handle": 1, "type": "filter", "hook": "prerouting", "prio": -300, "policy": "accept"}}, {"rule": {"family": "ip",
      "table": "guard", "chain": "pre", "handle": 2, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}},
      "right": "br-aaaabbbbcccc"}}, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}},
      "right": 3001}}, {"counter": {"packets": 6, "bytes": 360}}, {"drop": null}]}}]}
      """#
    let found = try #require(try await obstacle(nat(returns: true), nft: listing))
    #expect(found.isCertain)
    #expect(found.rule == "ip guard pre: iifname br-aaaabbbbcccc tcp dport 3001 drop")
    #expect(found.keeper == nil)
  }

  @Test func ufwsPolicyIsUFWs() async throws {
    let found = try #require(try await obstacle(nat(returns: true) + Self.ufw))
    #expect(found.isCertain)
    #expect(found.rule == "-P INPUT DROP")
    #expect(found.keeper == "ufw")
    #expect(!found.isUsersOwn)
    let allow = "[4:240] -A ufw-user-input -s 172.20.0.0/16 -p tcp -m tcp --dport 3001 -j ACCEPT"
    #expect(try await obstacle(nat(returns: true) + Self.ufw.replacing("COMMIT", with: allow + "\nCOMMIT")) == nil)
    let denied = try #require(
      try await obstacle(
        nat(returns: true) + Self.ufw.replacing("COMMIT", with: allow.replacing("ACCEPT", with: "DROP") + "\nCOMMIT")))
    #expect(denied.isUsersOwn)
    let own = try #require(try await obstacle(Self.ufw.replacing(":INPUT", with: "[1:1] -A INPUT -j DROP\n:INPUT")))
    #expect(own.keeper == nil, "what stands beside ufw's chains is not ufw's")
  }

  @Test func firewalldsZoneIsFirewallds() async throws {
    let found = try #require(try await obstacle(nat(returns: true), nft: Self.firewalld))
    #expect(found.isCertain)
    #expect(found.chain == "filter_IN_public")
    #expect(found.keeper == "firewalld")
    let open = Self.firewalld.replacing(#""right": 22}"#, with: #""right": 3001}"#)
    #expect(try await obstacle(nat(returns: true), nft: open) == nil)
    #expect(try await obstacle(nat(returns: false), nft: Self.firewalld) == nil, "it lets pass what was translated")
  }

  @Test func whatDocker28DropsIsDockers() async throws {
    let rules = """
      *raw
      :PREROUTING ACCEPT [0:0]
      [4:240] -A PREROUTING -d 172.21.0.3/32 ! -i br-ddddeeeeffff -j DROP
      COMMIT

      """
    let found = try #require(try await obstacle(rules + nat(returns: true), to: "172.21.0.3"))
    #expect(found.isCertain)
    #expect(found.keeper == "docker")
    #expect(try await obstacle(rules + nat(returns: true)) == nil, "the published port is not touched")
  }

  /// What `iptables-save -c` of ufw 0.36.2 has for INPUT, and as many packets as have come.
  private static let ufw = #"""
    *filter
    :INPUT DROP [4:240]
    :ufw-after-input - [0:0]
    :ufw-after-logging-input - [0:0]
    :ufw-before-input - [0:0]
    :ufw-before-logging-input - [0:0]
    :ufw-logging-allow - [0:0]
    :ufw-logging-deny - [0:0]
    :ufw-not-local - [0:0]
    :ufw-reject-input - [0:0]
    :ufw-user-input - [0:0]
    :ufw-user-logging-input - [0:0]
    [4:240] -A INPUT -j ufw-before-logging-input
    [4:240] -A INPUT -j ufw-before-input
    [4:240] -A INPUT -j ufw-after-input
    [4:240] -A INPUT -j ufw-after-logging-input
    [4:240] -A INPUT -j ufw-reject-input
    [4:240] -A ufw-before-input -i lo -j ACCEPT
    [4:240] -A ufw-before-input -p icmp -m icmp --icmp-type 3 -j ACCEPT
    [4:240] -A ufw-before-input -p icmp -m icmp --icmp-type 11 -j ACCEPT
    [4:240] -A ufw-before-input -p icmp -m icmp --icmp-type 12 -j ACCEPT
    [4:240] -A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
    [4:240] -A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
    [4:240] -A ufw-before-input -j ufw-not-local
    [4:240] -A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
    [4:240] -A ufw-before-input -d 239.255.255.250/32 -p udp -m udp --dport 1900 -j ACCEPT
    [4:240] -A ufw-before-input -j ufw-user-input
    [4:240] -A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
    [4:240] -A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
    [4:240] -A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN
    [4:240] -A ufw-not-local -j DROP
    [4:240] -A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
    [4:240] -A ufw-user-input -p tcp -m tcp --dport 80 -j ACCEPT
    COMMIT

    """#

  /// What `nft -j list ruleset` of firewalld 1.3.3 has for INPUT.
  private static let firewalld = #"""
    {"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"table": {"family": "inet", "name": "firewalld", "handle": 1}},
    {"chain": {"family": "inet", "table": "firewalld", "name": "filter_INPUT", "handle": 22, "type": "filter", "hook": "input", "prio": 10, "policy": "accept"}},
    {"chain": {"family": "inet", "table": "firewalld", "name": "filter_INPUT_POLICIES_pre", "handle": 30}},
    {"chain": {"family": "inet", "table": "firewalld", "name": "filter_INPUT_ZONES", "handle": 31}},
    {"chain": {"family": "inet", "table": "firewalld", "name": "filter_INPUT_POLICIES_post", "handle": 32}},
    {"chain": {"family": "inet", "table": "firewalld", "name": "filter_IN_public", "handle": 59}},
    {"chain": {"family": "inet", "table": "firewalld", "name": "filter_IN_public_pre", "handle": 60}},
    {"chain": {"family": "inet", "table": "firewalld", "name": "filter_IN_public_log", "handle": 61}},
    {"chain": {"family": "inet", "table": "firewalld", "name": "filter_IN_public_deny", "handle": 62}},
    {"chain": {"family": "inet", "table": "firewalld", "name": "filter_IN_public_allow", "handle": 63}},
    {"chain": {"family": "inet", "table": "firewalld", "name": "filter_IN_public_post", "handle": 64}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_INPUT", "handle": 26, "expr": [{"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": {"set": ["established", "related"]}}}, {"accept": null}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_INPUT", "handle": 27, "expr": [{"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}}, {"accept": null}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_INPUT", "handle": 28, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}}, {"accept": null}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_INPUT", "handle": 29, "expr": [{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "invalid"}}, {"drop": null}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_INPUT", "handle": 33, "expr": [{"jump": {"target": "filter_INPUT_ZONES"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_INPUT", "handle": 34, "expr": [{"reject": {"type": "icmpx", "expr": "admin-prohibited"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_INPUT_POLICIES_pre", "handle": 168, "expr": [{"jump": {"target": "filter_IN_policy_allow-host-ipv6"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_INPUT_ZONES", "handle": 130, "expr": [{"goto": {"target": "filter_IN_public"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public", "handle": 65, "expr": [{"jump": {"target": "filter_INPUT_POLICIES_pre"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public", "handle": 66, "expr": [{"jump": {"target": "filter_IN_public_pre"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public", "handle": 67, "expr": [{"jump": {"target": "filter_IN_public_log"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public", "handle": 68, "expr": [{"jump": {"target": "filter_IN_public_deny"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public", "handle": 69, "expr": [{"jump": {"target": "filter_IN_public_allow"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public", "handle": 70, "expr": [{"jump": {"target": "filter_IN_public_post"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public", "handle": 71, "expr": [{"jump": {"target": "filter_INPUT_POLICIES_post"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public", "handle": 129, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": ["icmp", "ipv6-icmp"]}}}, {"accept": null}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public", "handle": 72, "expr": [{"reject": {"type": "icmpx", "expr": "admin-prohibited"}}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public_allow", "handle": 73, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 22}}, {"accept": null}]}},
    {"rule": {"family": "inet", "table": "firewalld", "chain": "filter_IN_public_allow", "handle": 74, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip6", "field": "daddr"}}, "right": {"prefix": {"addr": "fe80::", "len": 64}}}}, {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 546}}, {"accept": null}]}}]}
    """#
}
