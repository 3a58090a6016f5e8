import Model
import Testing
import World

@testable import Firewall

/// The first packet to 172.20.0.3:8080, at the network of process 9 and what is listed there.
@Suite struct ObstacleTests {
  private let packet = Packet(from: [], to: "172.20.0.3", port: 8080)
  private let upstream = Station(name: "upstream", place: .process(9))

  private func obstacle(iptables: String = "", policy: String = "ACCEPT [0:0]", nft: String? = nil) async throws
    -> Obstacle?
  {
    let recording = Recording()
    recording.with(
      CommandRun(.packetFilter, place: .process(9)),
      .init(
        exitCode: 0, output: "# Generated\n*filter\n:INPUT \(policy)\n:OUTPUT ACCEPT [0:0]\n\(iptables)\nCOMMIT\n"))
    if let nft {
      recording.with(CommandRun(.nftables, place: .process(9)), .init(exitCode: 0, output: nft))
    } else {
      recording.with(CommandRun(.nftables, place: .process(9)), unseen: .missing(what: "nft"))
    }
    recording.with(CommandRun(.packetFilter, place: .host), .init(exitCode: 0, output: ""))
    recording.with(CommandRun(.nftables, place: .host), unseen: .missing(what: "nft"))
    let passage = Passage(
      packet: packet, sender: nil, receiver: upstream, own: [], inside: (["172.20.0.3"], 8080))
    return try await recording.obstacle(on: passage) {}
  }

  @Test(arguments: [
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
  func aRuleStopsThePacket(rule: String) async throws {
    let found = try #require(try await obstacle(iptables: "[9:9] -A INPUT -i lo -j ACCEPT\n" + rule))
    #expect(found.isCertain)
    #expect(found.rule == String(rule.dropFirst("[3:180] ".count)))
    #expect(found.program == "iptables")
    #expect(found.table == "filter")
    #expect(found.number == 2)
    #expect(found.packets == 3)
  }

  @Test(arguments: [
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
  func aRuleLetsThePacketPass(rule: String) async throws {
    #expect(try await obstacle(iptables: rule) == nil)
  }

  @Test(arguments: [
    "[3:180] -A INPUT ! -s 10.0.0.0/8 -p tcp --dport 8080 -j DROP",
    "[3:180] -A INPUT -m set --match-set bad src -j DROP",
    "[3:180] -A INPUT -i eth0 -p tcp --dport 8080 -j DROP",
    "[9:9] -A INPUT -m set --match-set good src -j ACCEPT\n[3:180] -A INPUT -p tcp --dport 8080 -j DROP",
    ":mine - [0:0]\n[3:9] -A INPUT -m mark --mark 0x1 -j mine\n[3:180] -A mine -j DROP",
  ])
  func aConditionThatCannotBeJudgedIsNotCertain(rule: String) async throws {
    #expect(try #require(try await obstacle(iptables: rule)).isCertain == false)
  }

  @Test func jumpsAreFollowed() async throws {
    let jump = ":mine - [0:0]\n[3:180] -A INPUT -p tcp -j mine\n[3:180] -A mine -p tcp --dport 8080 -j DROP"
    let found = try #require(try await obstacle(iptables: jump))
    #expect(found.isCertain)
    #expect(found.chain == "mine")
    #expect(found.number == 1)
  }

  @Test func aPolicyStopsWhatNoRuleTakes() async throws {
    let found = try #require(try await obstacle(policy: "DROP [12:720]"))
    #expect(found.isPolicy)
    #expect(found.rule == "-P INPUT DROP")
    #expect(found.packets == 12)
    #expect(
      try await obstacle(iptables: "[5:9] -A INPUT -p tcp --dport 8080 -j ACCEPT", policy: "DROP [12:720]") == nil)
  }

  @Test func aRuleThatDidNotCountTheProbeDidNotMeetIt() {
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
    func stop(_ now: PacketFilter, _ before: PacketFilter?) -> PacketFilter.Stop? {
      var packet = packet
      return [now].stop(of: &packet, at: .input, before: [before])?.1
    }
    let third = stop(filter(5, 7, 10), filter(5, 7, 8))
    #expect(third?.rule?.number == 3)
    #expect(third?.isCertain == true)
    let second = stop(filter(5, 9, 8), filter(5, 7, 8))
    #expect(second?.rule?.number == 2)
    #expect(second?.isCertain == true)
    #expect(stop(filter(6, 7, 8), filter(5, 7, 8)) == nil)
    #expect(stop(filter(5, 7, 8), nil)?.isCertain == false)
  }

  /// The probe is root's, so that a rule for another user never counts it.
  @Test(
    arguments: [
      ("-m owner --uid-owner 33", 33, true), ("-m owner --uid-owner 30-40", 33, true),
      ("-m owner --uid-owner 33", 34, false), ("-m owner ! --uid-owner 33", 34, true),
      ("-m owner ! --uid-owner 33", 33, false), ("-m owner --uid-owner 33", nil, nil),
    ] as [(String, UInt32?, Bool?)])
  func aRuleForAUser(condition: String, user: UInt32?, stops: Bool?) {
    let filter = PacketFilter(
      saved: "*filter\n:OUTPUT ACCEPT [0:0]\n[3:180] -A OUTPUT -p tcp \(condition) -j REJECT\nCOMMIT\n",
      program: "iptables")
    var packet = packet
    (packet.user, packet.isSentHere) = (user, true)
    let stop = [filter].stop(of: &packet, at: .output, before: user == nil ? [] : [filter])?.1
    #expect(stop?.isCertain == (stops == false ? nil : stops ?? false))
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

  @Test func rulesInNftsOwnForm() async throws {
    let found = try #require(
      try await obstacle(nft: Self.ruleset(Self.rule(4, Self.port + #", {"drop": null}"#))))
    #expect(found.isCertain)
    #expect(found.program == "nft")
    #expect(found.rule == "inet guard in: tcp dport 8080 drop")
    #expect(found.number == 4)
    for stops in [Self.ports, Self.near] {
      let listing = Self.ruleset(Self.rule(4, stops + #", {"reject": {"type": "tcp reset"}}"#))
      #expect(try await obstacle(nft: listing)?.isCertain == true)
    }
    let allowed = Self.ruleset(
      Self.rule(4, Self.port + #", {"accept": null}"#) + Self.rule(5, #"{"drop": null}"#), policy: "drop")
    #expect(try await obstacle(nft: allowed) == nil)
    let policy = Self.ruleset("", policy: "drop")
    #expect(try await obstacle(nft: policy)?.rule == "inet guard in: policy drop")
    let unsure = Self.ruleset(Self.rule(4, Self.set + #", {"drop": null}"#))
    #expect(try await obstacle(nft: unsure)?.isCertain == false)
    await #expect(throws: Unseen.self) { try await obstacle(nft: "no JSON") }
  }
}
