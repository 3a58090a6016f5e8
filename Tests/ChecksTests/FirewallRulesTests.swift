import Fixture
import Model
import Testing
import World

@Suite struct FirewallRulesTests {
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

  @Test func whatStopsThePacketAndWhere() async throws {
    let rule = "-A INPUT -p tcp -m tcp --dport 8080 -j DROP"
    let found = try await look("firewall.rules", world(app: "[3:180] " + rule), facts)
    #expect(found.outcome == "blocks")
    #expect(found.facts["firewall.rule"] == rule)
    #expect(found.facts["firewall.program"] == "iptables")
    #expect(found.facts["firewall.table"] == "filter")
    #expect(found.facts["firewall.chain"] == "INPUT")
    #expect(found.facts["firewall.number"] == "1")
    #expect(found.facts["firewall.place"] == "upstream")
    #expect(found.facts["firewall.pid"] == "9")
    #expect(found.facts["firewall.packets"] == "3")
    #expect(found.facts["firewall.hook"] == "input")
    #expect(found.facts["firewall.port"] == "8080")
    #expect(found.facts["firewall.command-words"] == "nsenter -t 9 -n iptables")
    #expect(found.facts["firewall.delete-words"] == "-p tcp -m tcp --dport 8080 -j DROP")
    #expect(try await look("firewall.rules", world(app: "[0:0] " + rule), facts).outcome == "nothing")
    let unsure = "[3:180] -A INPUT -m set --match-set bad src -j DROP"
    #expect(try await look("firewall.rules", world(app: unsure), facts).outcome == "may-block")
  }

  @Test func aPolicyAndWhatIsAllowedBeforeIt() async throws {
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
    world.with(OwnAddresses(), ["172.20.0.3"])
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

  /// The proxy at 172.20.0.2 of edge dials the machine's 10.1.1.5:3001, which leads to port 80 of an app of another network.
  @Test func aPublishedPortIsOpenedForTheProxysNetworkAlone() async throws {
    let world = world(host: "[2:120] -A INPUT -s 172.20.0.0/16 -p tcp -m tcp --dport 3001 -j DROP")
      .with(OwnAddresses(), ["127.0.0.1", "10.1.1.5"])
      .containers()
      .docker(
        "/networks",
        """
        [{"Name": "edge", "Id": "aaaabbbbccccdddd", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.20.0.0/16"}]}},
        {"Name": "apps", "Id": "ddddeeeeffff0000", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.21.0.0/16"}]}}]
        """
      )
      .container(
        "edge1",
        #""NetworkSettings": {"Networks": {"edge": {"NetworkID": "aaaabbbbccccdddd", "IPAddress": "172.20.0.2"}}}"#)
    let found = try await look(
      "firewall.rules", world,
      facts.merging([
        "name.address": "10.1.1.5", "upstream.port": "3001", "upstream.inside-port": "80", "upstream.published": "yes",
        "upstream.addresses": "172.21.0.3",
      ]))
    #expect(found.outcome == "blocks")
    #expect(found.facts["firewall.place"] == "host")
    #expect(found.facts["firewall.port"] == "3001")
    #expect(found.facts["firewall.subnet"] == "172.20.0.0/16")
    #expect(found.facts["firewall.allow-words"] == "-s 172.20.0.0/16 -p tcp --dport 3001 -j ACCEPT")
  }

  /// One place that cannot be seen is not taken as free, unless a rule is found elsewhere
  @Test func onePlaceThatCannotBeSeenIsNotTakenAsFree() async throws {
    let world = world().with(CommandRun(.packetFilter, place: .process(9)), unseen: .notPermitted(what: "iptables"))
    #expect(try await look("firewall.rules", world, facts).unseen == .notPermitted(what: "iptables"))
    let rule = "*filter\n[1:60] -A OUTPUT -p tcp --dport 8080 -j REJECT\n"
    world.with(CommandRun(.packetFilter, place: .process(7)), .init(exitCode: 0, output: rule))
    let found = try await look("firewall.rules", world, facts)
    #expect(found.outcome == "blocks")
    #expect(found.facts["firewall.place"] == "proxy")
    #expect(found.facts["firewall.pid"] == "7")
  }

  @Test func aListingThatFailsIsNotTakenAsFree() async throws {
    let world = Sandbox()
    for place in [Place.process(9), .process(7), .host] {
      world.with(CommandRun(.packetFilter, place: place), .init(exitCode: 4, output: "Permission denied"))
    }
    let found = try await look("firewall.rules", world, facts)
    #expect(found.outcome == "unknown")
  }
}
