import Fixture
import Model
import Testing
import World

@testable import Checks

@Suite("firewall.rules")
struct FirewallRulesTests {
  private let facts: Facts = [
    "name.address": "172.20.0.3", "upstream.port": "8080", "upstream.inside-port": "8080",
    "upstream.place": "container",
    "upstream.pid": "9", "proxy.place": "container", "proxy.pid": "7", "proxy.id": "edge1",
  ]

  private func world(app: String = "", proxy: String = "", host: String = "", nft: String? = nil) -> Sandbox {
    let places: [(Place, String)] = [(.process(9), app), (.process(7), proxy), (.host, host)]
    for (place, rules) in places {
      recording.with(
        CommandRun(.packetFilter, place: place),
        .init(
          exitCode: 0, output: "# Generated\n*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n\(rules)\nCOMMIT\n"))
    }
    if let nft {
      recording.with(CommandRun(.nftables, place: .process(9)), .init(exitCode: 0, output: nft))
    }
    return recording
  }
  private let recording = Sandbox()

  @Test(
    "A rule that stops the packet",
    arguments: [
      "[3:180] -A INPUT -p tcp -m tcp --dport 8080 -j DROP",
      "[3:180] -A INPUT -p tcp -m tcp --dport 8080 -j REJECT --reject-with icmp-port-unreachable",
      "[3:180] -A INPUT ! -i lo -p tcp -m tcp --dport 8080 -j DROP",
      "[3:180] -A INPUT -p tcp -m multiport --dports 443,8000:8100 -j DROP",
      "[3:180] -A INPUT -d 172.20.0.0/16 -j DROP",
      "[3:180] -A INPUT -d 172.20.0.3/32 -p tcp -j REJECT",
      "[3:180] -A INPUT -m conntrack --ctstate NEW -j DROP",
      "[3:180] -A INPUT -p tcp -m comment --comment \"no -j ACCEPT here\" -j DROP",
      "[3:180] -A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
      "[3:180] -A INPUT -m addrtype --dst-type LOCAL -j DROP",
    ])
  func blocks(rule: String) async throws {
    let found = try await look("firewall.rules", world(app: "[9:9] -A INPUT -i lo -j ACCEPT\n" + rule), facts)
    #expect(found.outcome == "blocks")
    #expect(found.facts["firewall.rule"] == String(rule.dropFirst("[3:180] ".count)))
    #expect(found.facts["firewall.program"] == "iptables")
    #expect(found.facts["firewall.table"] == "filter")
    #expect(found.facts["firewall.number"] == "2")
    #expect(found.facts["firewall.place"] == "upstream")
    #expect(found.facts["firewall.pid"] == "9")
    #expect(found.facts["firewall.packets"] == "3")
  }

  @Test(
    "A rule that does not",
    arguments: [
      "[0:0] -A INPUT -p tcp -m tcp --dport 8080 -j DROP",
      "[3:180] -A INPUT -p tcp -m tcp --dport 8081 -j DROP",
      "[3:180] -A INPUT -p udp -m udp --dport 8080 -j DROP",
      "[3:180] -A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT",
      "[3:180] -A INPUT -p tcp -m multiport --dports 443,9000:9100 -j DROP",
      "[3:180] -A INPUT -d 172.21.0.0/16 -j DROP",
      "[3:180] -A INPUT -m conntrack --ctstate INVALID -j DROP",
      "[3:180] -A INPUT ! -p tcp -j DROP",
      "[3:180] -A INPUT -i lo -j DROP",
      "[3:180] -A FORWARD -p tcp --dport 8080 -j DROP",
      "[3:180] -A DOCKER-USER -p tcp --dport 8080 -j DROP",
      "[3:180] -A INPUT -m addrtype --dst-type BROADCAST -j DROP",
      "[3:180] -A INPUT -p tcp --dport 8080 -j ACCEPT\n[3:180] -A INPUT -p tcp --dport 8080 -j DROP",
      "[3:180] -A INPUT -p tcp --dport 8080 -j RETURN\n[3:180] -A INPUT -j DROP",
      ":mine - [0:0]\n[3:180] -A INPUT -p tcp -j mine\n[3:180] -A mine -j ACCEPT\n[3:180] -A INPUT -j DROP",
      "[3:180] -A INPUT -p tcp --dport 8080 -j LOG --log-prefix \"DROP: \"",
      "[3:180] -A",
      "-j DROP [x",
    ])
  func passes(rule: String) async throws {
    let found = try await look("firewall.rules", world(app: rule), facts)
    #expect(found.outcome == "nothing", "\(found.facts)")
  }

  @Test(
    "A condition that cannot be judged makes it less certain",
    arguments: [
      "[3:180] -A INPUT ! -s 10.0.0.0/8 -p tcp --dport 8080 -j DROP",
      "[3:180] -A INPUT -m set --match-set bad src -j DROP",
      "[3:180] -A INPUT -i eth0 -p tcp --dport 8080 -j DROP",
      "[9:9] -A INPUT -m set --match-set good src -j ACCEPT\n[3:180] -A INPUT -p tcp --dport 8080 -j DROP",
      ":mine - [0:0]\n[3:9] -A INPUT -m mark --mark 0x1 -j mine\n[3:180] -A mine -j DROP",
    ])
  func mayBlock(rule: String) async throws {
    #expect(try await look("firewall.rules", world(app: rule), facts).outcome == "may-block")
  }

  @Test("Jumps are followed; a chain's policy stops what no rule takes")
  func chains() async throws {
    let jump = ":mine - [0:0]\n[3:180] -A INPUT -p tcp -j mine\n[3:180] -A mine -p tcp --dport 8080 -j DROP"
    let found = try await look("firewall.rules", world(app: jump), facts)
    #expect(found.outcome == "blocks")
    #expect(found.facts["firewall.chain"] == "mine")
    #expect(found.facts["firewall.number"] == "1")
  }

  @Test("A policy, and what is allowed before it")
  func policy() async throws {
    let ufw = """
      *filter
      :INPUT DROP [12:720]
      :ufw-user-input - [0:0]
      [40:9] -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      [40:9] -A INPUT -j ufw-user-input
      [0:0] -A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
      COMMIT
      """
    let world = world()
    world.with(CommandRun(.packetFilter, place: .host), .init(exitCode: 0, output: ufw))
    let onHost: Facts = facts.merging(["upstream.place": "host"])
    let found = try await look("firewall.rules", world, onHost)
    #expect(found.outcome == "blocks")
    #expect(found.facts["firewall.rule"] == "-P INPUT DROP")
    #expect(found.facts["firewall.policy"] == "drop")
    #expect(found.facts["firewall.number"] == nil)
    #expect(found.facts["firewall.keeper"] == "ufw")
    let open = ufw.replacing("--dport 22", with: "--dport 8080").replacing("[0:0] -A ufw", with: "[5:9] -A ufw")
    world.with(CommandRun(.packetFilter, place: .host), .init(exitCode: 0, output: open))
    #expect(try await look("firewall.rules", world, onHost).outcome == "nothing")
  }

  @Test("A rule that counts and did not count the probe did not meet it")
  func counted() {
    func filter(_ first: Int, _ second: Int, _ third: Int) -> PacketFilter {
      PacketFilter(
        saved: """
          *filter
          :INPUT ACCEPT [0:0]
          [\(first):0] -A INPUT -m set --match-set good src -j ACCEPT
          [\(second):0] -A INPUT -m set --match-set bad src -j DROP
          [\(third):0] -A INPUT -p tcp -j DROP
          COMMIT
          """, program: "iptables")
    }
    let packet = Packet(from: [], to: "172.20.0.3", port: 8080, staysInside: false)
    let third = filter(5, 7, 10).stop(of: packet, at: .input, before: filter(5, 7, 8))
    #expect(third?.rule?.number == 3)
    #expect(third?.isCertain == true)
    let second = filter(5, 9, 8).stop(of: packet, at: .input, before: filter(5, 7, 8))
    #expect(second?.rule?.number == 2)
    #expect(second?.isCertain == true)
    #expect(filter(6, 7, 8).stop(of: packet, at: .input, before: filter(5, 7, 8)) == nil)
    #expect(filter(5, 7, 8).stop(of: packet, at: .input, before: nil)?.isCertain == false)
  }

  /// As nft 1.0.6 prints it.
  private static func ruleset(_ rules: String, policy: String = "accept") -> String {
    """
    {"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}},
    {"table": {"family": "inet", "name": "guard", "handle": 1}},
    {"chain": {"family": "inet", "table": "guard", "name": "in", "handle": 1, "type": "filter", "hook": "input",
    "prio": 0, "policy": "\(policy)"}}\(rules)]}
    """
  }

  private static func rule(_ handle: Int, _ expressions: String) -> String {
    #", {"rule": {"family": "inet", "table": "guard", "chain": "in", "handle": \#(handle), "expr": [\#(expressions)]}}"#
  }

  private static let port =
    #"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 8080}}"#
  private static let ports =
    #"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22, {"range": [8000, 8100]}]}}}"#
  private static let near =
    #"{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": {"prefix": {"addr": "172.20.0.0", "len": 16}}}}"#
  private static let set =
    #"{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@bad"}}"#

  @Test("Rules in nft's own form")
  func nft() async throws {
    let found = try await look(
      "firewall.rules", world(nft: Self.ruleset(Self.rule(4, Self.port + #", {"drop": null}"#))), facts)
    #expect(found.outcome == "blocks")
    #expect(found.facts["firewall.program"] == "nft")
    #expect(found.facts["firewall.rule"] == "inet guard in: tcp dport 8080 drop")
    #expect(found.facts["firewall.number"] == "4")
    for stops in [Self.ports, Self.near] {
      let listing = Self.ruleset(Self.rule(4, stops + #", {"reject": {"type": "tcp reset"}}"#))
      #expect(try await look("firewall.rules", world(nft: listing), facts).outcome == "blocks")
    }
    let allowed = Self.ruleset(
      Self.rule(4, Self.port + #", {"accept": null}"#) + Self.rule(5, #"{"drop": null}"#), policy: "drop")
    #expect(try await look("firewall.rules", world(nft: allowed), facts).outcome == "nothing")
    let policy = Self.ruleset("", policy: "drop")
    let stopped = try await look("firewall.rules", world(nft: policy), facts)
    #expect(stopped.facts["firewall.rule"] == "inet guard in: policy drop")
    let unsure = Self.ruleset(Self.rule(4, Self.set + #", {"drop": null}"#))
    #expect(try await look("firewall.rules", world(nft: unsure), facts).outcome == "may-block")
    #expect(try await look("firewall.rules", world(nft: "no JSON"), facts).outcome == "unknown")
  }

  @Test("One place that cannot be seen is not taken as free, unless a rule is found elsewhere")
  func unseen() async throws {
    let world = world().with(CommandRun(.packetFilter, place: .process(9)), unseen: .notPermitted(what: "iptables"))
    #expect(try await look("firewall.rules", world, facts).unseen == .notPermitted(what: "iptables"))
    let rule = "*filter\n[1:60] -A OUTPUT -p tcp --dport 8080 -j REJECT\n"
    world.with(CommandRun(.packetFilter, place: .process(7)), .init(exitCode: 0, output: rule))
    let found = try await look("firewall.rules", world, facts)
    #expect(found.outcome == "blocks")
    #expect(found.facts["firewall.place"] == "proxy")
    #expect(found.facts["firewall.pid"] == "7")
  }

  @Test("A listing that fails is not taken as free")
  func failingListing() async throws {
    let world = Sandbox()
    for place in [Place.process(9), .process(7), .host] {
      world.with(CommandRun(.packetFilter, place: place), .init(exitCode: 4, output: "Permission denied"))
    }
    let found = try await look("firewall.rules", world, facts)
    #expect(found.outcome == "unknown")
  }
}
