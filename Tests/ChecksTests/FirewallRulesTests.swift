import Checks
import Model
import Recorded
import Testing
import World

@Suite("firewall.rules")
struct FirewallRulesTests {
  private let facts: Facts = [
    "name.address": "172.20.0.3", "upstream.port": "8080", "upstream.inside-port": "8080",
    "upstream.place": "container",
    "upstream.pid": "9", "proxy.place": "container", "proxy.pid": "7", "proxy.id": "edge1",
  ]

  private func world(app: String = "", proxy: String = "", host: String = "") -> Recording {
    let places: [(Place, String)] = [(.process(9), app), (.process(7), proxy), (.host, host)]
    for (place, rules) in places {
      recording.with(
        CommandRun(.packetFilter, place: place),
        .init(exitCode: 0, output: "# Generated\n*filter\n:INPUT ACCEPT [0:0]\n\(rules)\nCOMMIT\n"))
    }
    return recording
  }
  private let recording = Recording()

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
      "[3:180] -A DOCKER-USER -p tcp --dport 8080 -j DROP",
    ])
  func blocks(rule: String) async throws {
    let found = try await look("firewall.rules", world(app: "[9:9] -A INPUT -i lo -j ACCEPT\n" + rule), facts)
    #expect(found.outcome == "blocks")
    #expect(found.facts["firewall.rule"] == String(rule.dropFirst("[3:180] ".count)))
    #expect(found.facts["firewall.table"] == "filter")
    #expect(found.facts["firewall.number"] == (rule.contains("DOCKER-USER") ? "1" : "2"))
    #expect(found.facts["firewall.place"] == "upstream")
    #expect(found.facts["firewall.pid"] == "9")
    #expect(found.facts["firewall.packets"] == "3")
  }

  @Test(
    "A rule that does not",
    arguments: [
      "[0:0] -A INPUT -p tcp -m tcp --dport 8080 -j DROP",
      "-A INPUT -p tcp -m tcp --dport 8080 -j DROP",
      "[3:180] -A INPUT -p tcp -m tcp --dport 8081 -j DROP",
      "[3:180] -A INPUT -p udp -m udp --dport 8080 -j DROP",
      "[3:180] -A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT",
      "[3:180] -A INPUT -p tcp -m multiport --dports 443,9000:9100 -j DROP",
      "[3:180] -A INPUT -d 172.21.0.0/16 -j DROP",
      "[3:180] -A INPUT -m conntrack --ctstate INVALID -j DROP",
      "[3:180] -A INPUT ! -s 10.0.0.0/8 -p tcp --dport 8080 -j DROP",
      "[3:180] -A DOCKER-ISOLATION-STAGE-2 -o br-1 -j DROP",
      "[3:180] -A INPUT -m addrtype --dst-type BROADCAST -j DROP",
      "[3:180] -A",
      "-j DROP [x",
    ])
  func passes(rule: String) async throws {
    let found = try await look("firewall.rules", world(app: rule, proxy: rule, host: rule), facts)
    #expect(found.outcome == "nothing", "\(found.facts)")
  }

  @Test("The rule that stopped most packets is named; the place where it stands, too")
  func busiest() async throws {
    let rules = "[2:9] -A INPUT -p tcp --dport 8080 -j DROP\n[40:9] -A FORWARD -p tcp --dport 8080 -j DROP"
    let onHost = try await look("firewall.rules", world(host: rules), facts)
    #expect(onHost.facts["firewall.chain"] == "FORWARD")
    #expect(onHost.facts["firewall.place"] == "host")
    #expect(onHost.facts["firewall.pid"] == nil)
    let inProxy = try await look("firewall.rules", world(proxy: rules), facts)
    #expect(inProxy.facts["firewall.place"] == "proxy")
    #expect(inProxy.facts["firewall.pid"] == "7")
  }

  @Test("One place that cannot be seen is not taken as free, unless a rule is found elsewhere")
  func unseen() async throws {
    let world = world().with(CommandRun(.packetFilter, place: .process(9)), unseen: .notPermitted(what: "iptables"))
    #expect(try await look("firewall.rules", world, facts).unseen == .notPermitted(what: "iptables"))
    let rule = "*filter\n[1:60] -A OUTPUT -p tcp --dport 8080 -j REJECT\n"
    world.with(CommandRun(.packetFilter, place: .process(7)), .init(exitCode: 0, output: rule))
    #expect(try await look("firewall.rules", world, facts).outcome == "blocks")
  }

  @Test("A listing that fails is not taken as free")
  func failingListing() async throws {
    let world = Recording()
    for place in [Place.process(9), .process(7), .host] {
      world.with(CommandRun(.packetFilter, place: place), .init(exitCode: 4, output: "Permission denied"))
    }
    let found = try await look("firewall.rules", world, facts)
    #expect(found.outcome == "unknown")
  }
}
