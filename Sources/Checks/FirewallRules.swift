import Discovery
import Firewall
import Model
import Routes
import World

extension FactName {
  static let firewallUser: FactName = "firewall.user"
  static let firewallRule: FactName = "firewall.rule"
  static let firewallProgram: FactName = "firewall.program"
  static let firewallTable: FactName = "firewall.table"
  static let firewallChain: FactName = "firewall.chain"
  static let firewallHook: FactName = "firewall.hook"
  static let firewallNumber: FactName = "firewall.number"
  static let firewallPolicy: FactName = "firewall.policy"
  static let firewallPlace: FactName = "firewall.place"
  static let firewallPID: FactName = "firewall.pid"
  static let firewallPackets: FactName = "firewall.packets"
  static let firewallKeeper: FactName = "firewall.keeper"
  static let firewallEntry: FactName = "firewall.entry"
  static let firewallPort: FactName = "firewall.port"
  static let firewallSubnet: FactName = "firewall.subnet"
  static let firewallTo: FactName = "firewall.to"
  static let firewallAway: FactName = "firewall.away"
  static let firewallCommand: FactName = "firewall.command-words"
  static let firewallAllow: FactName = "firewall.allow-words"
  static let firewallDelete: FactName = "firewall.delete-words"
}

private enum FirewallOutcome: String, CheckOutcome {
  case blocks
  /// Those of the proxy's user; root's pass.
  case forUser = "for-user"
  /// It would if a condition holds that could not be judged.
  case mayBlock = "may-block"
  /// The engine's own rules, which keep its networks apart.
  case apart
  /// A rule that changes the packet's address, to one that is not the app's.
  case ledAway = "led-away"
  case nothing, unknown
}

extension Check {
  /// Leads the connection's first packet through the packet filters in the kernel's order, and tells what stops it.
  ///
  /// In the proxy's network, the host's, and the upstream's; one more connect shows which rules count it.
  static let firewallRules = Check(
    "firewall.rules", needs: [.nameAddress, .upstreamPort, .upstreamInside, .upstreamPlace, .proxyPlace],
    learns: [
      .firewallRule, .firewallProgram, .firewallTable, .firewallChain, .firewallHook, .firewallNumber, .firewallPolicy,
      .firewallPlace, .firewallPID, .firewallPackets, .firewallKeeper, .firewallEntry, .firewallPort, .firewallSubnet,
      .firewallTo, .firewallAway, .firewallCommand, .firewallAllow, .firewallDelete, .firewallUser,
    ], outcome: FirewallOutcome.self
  ) { world, given, signs throws(Unseen) in
    let (to, port, place) = (try given.address, try given.upstreamPort, try given.dialsFrom)
    var ends = try await Ends(given, in: world)
    let worker = try? await world.worker(of: given.proxy, signs)
    ends.passage.packet.user = if let worker { (try? await world.user(of: worker))?.0 } else { nil }
    var passes = false
    let obstacle = try await world.obstacle(on: ends.passage) {
      passes =
        (try? await world.see(TCPConnect(address: to, port: port, place: place, limit: 1.2)))?.outcome == .accepted
    }
    guard let obstacle else { return (.nothing, [:]) }
    if obstacle.leadsAway {
      let rule = obstacle.facts.values.filter { [.firewallRule, .firewallTable, .firewallChain].contains($0.key) }
      return (.ledAway, Facts(rule).merging([.firewallAway: obstacle.packet.to]))
    }
    let facts = obstacle.facts.merging(ends.facts(at: obstacle))
    if obstacle.keeper == "docker", given[.upstreamPublished] == nil { return (.apart, facts) }
    if obstacle.isCertain, passes, let user = ends.passage.packet.user, user != 0 {
      let name = try? await Users(in: try given.files, world).name(ofUser: user)
      return (.forUser, facts.merging([.firewallUser: name ?? String(user)]))
    }
    return (obstacle.isCertain ? .blocks : .mayBlock, facts)
  }
}

/// Both ends of the connection, and the networks of the engine that they are in.
private struct Ends {
  var passage: Passage
  /// Subnets from which this machine and the upstream see the packets come.
  private let proxySubnet: String?
  private let upstreamSubnet: String?

  init(_ given: Case, in world: any World) async throws(Unseen) {
    let (to, inside, dialsFrom) = (try given.address, try given.upstreamInside, try given.dialsFrom)
    let networks = (try? await world.networks()) ?? []
    // Another engine names its interfaces otherwise.
    let isDocker = await world.engineCommand == "docker"
    var packet = Packet(from: [], to: to, port: try given.upstreamPort)
    var (sender, receiver): (Station?, Station?) = (nil, nil)
    var (near, far): (Network?, Network?) = (nil, nil)
    if dialsFrom != .host {
      sender = Station(name: "proxy", place: dialsFrom)
      if let id = given[.proxyID], let container = try? await world.container(id) {
        let all = container.networks.values
        packet.from = all.flatMap(\.addresses)
        let gateway = await world.defaultGateway(in: dialsFrom)
        let end =
          all.first { end in networks.first { $0.Id == end.NetworkID }?.holds(to) == true }
          ?? (all.count == 1 ? all.first : all.first { $0.Gateway == gateway })
        if let end {
          packet.from = end.addresses
          near = networks.first { $0.Id == end.NetworkID }
        }
      }
    }
    let listensIn = try? given.listensIn
    if let listensIn, listensIn != .host { receiver = Station(name: "upstream", place: listensIn) }
    let addresses = given.list(.upstreamAddresses)
    let last = addresses.contains(to) ? to : addresses.first
    if let last { far = networks.first { $0.holds(last) } }
    passage = Passage(
      packet: packet, sender: sender, receiver: receiver, own: (try? await world.see(OwnAddresses())) ?? [],
      inside: (last.map { [$0] } ?? [], inside), enters: isDocker ? near?.interface : nil,
      leaves: isDocker ? far?.interface : nil)
    proxySubnet = near?.subnets.first { $0.contains(":") == to.isIPv6 }
    upstreamSubnet = far?.subnets.first { $0.contains(":") == to.isIPv6 }
  }

  /// What of the packet a rule has to name to let it pass, and nothing else.
  func facts(at obstacle: Obstacle) -> Facts {
    let packet = obstacle.packet
    var facts: Facts = [.firewallPort: String(packet.port), .firewallHook: obstacle.hook.rawValue.lowercased()]
    let match: String
    if obstacle.hook == .output {
      facts[.firewallTo] = packet.to
      match = "-d \(packet.to)"
    } else {
      let subnet = obstacle.station.name == "upstream" ? upstreamSubnet : proxySubnet
      guard let subnet = subnet ?? (packet.staysInside ? packet.to : packet.from.first) else { return facts }
      facts[.firewallSubnet] = subnet
      match = "-s \(subnet)"
    }
    // What keeps the rules is told in its own words.
    guard obstacle.keeper == nil else { return facts }
    let family = packet.to.isIPv6 ? "ip6" : "ip"
    facts[.firewallAllow] =
      obstacle.program == "nft"
      ? "\(family) \(match.replacing("-s", with: "saddr").replacing("-d", with: "daddr")) tcp dport \(packet.port) accept"
      // What Docker asks first and leaves to others goes on to Docker's own rules.
      : "\(match) -p tcp --dport \(packet.port) -j \(obstacle.chain == "DOCKER-USER" ? "RETURN" : "ACCEPT")"
    return facts
  }
}

extension World {
  /// The address of the router that a place sends everything to that it does not know. Source: proc(5), `net/route`.
  fileprivate func defaultGateway(in place: Place) async -> String? {
    guard case .process(let id) = place, let table = try? await see(FileRead(path: "/proc/\(id)/net/route")).text else {
      return nil
    }
    // `eth0 00000000 010012AC 0003 …`: the destination and the router, their bytes in this machine's order.
    let line = table.lines.map { $0.split(whereSeparator: \.isWhitespace) }.first {
      $0.count > 2 && $0[1] == "00000000"
    }
    guard let line, let number = UInt32(line[2], radix: 16) else { return nil }
    return withUnsafeBytes(of: number) { $0.map { String($0) } }.joined(separator: ".")
  }
}

extension Obstacle {
  fileprivate var facts: Facts {
    var facts: Facts = [
      .firewallProgram: program, .firewallTable: table, .firewallChain: chain, .firewallPlace: station.name,
      .firewallRule: rule, .firewallNumber: number.map { String($0) } ?? "", .firewallPolicy: isPolicy ? "drop" : "",
      .firewallPackets: packets.map { String($0) } ?? "", .firewallKeeper: keeper ?? "",
      .firewallEntry: isUsersOwn ? "yes" : "", .firewallCommand: program,
    ]
    if case .process(let pid) = station.place {
      facts[.firewallPID] = String(pid)
      facts[.firewallCommand] = "nsenter -t \(pid) -n \(program)"
    }
    // `-A INPUT -p tcp … -j DROP`
    if program != "nft", !isPolicy, rule.hasPrefix("-A \(chain) ") {
      facts[.firewallDelete] = String(rule.dropFirst("-A \(chain) ".count))
    }
    return facts
  }
}
