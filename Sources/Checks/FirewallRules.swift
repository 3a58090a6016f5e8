import Discovery
import Firewall
import Model
import Routes
import World

extension FactName {
  static let firewallRule: FactName = "firewall.rule"
  static let firewallProgram: FactName = "firewall.program"
  static let firewallTable: FactName = "firewall.table"
  static let firewallChain: FactName = "firewall.chain"
  static let firewallNumber: FactName = "firewall.number"
  static let firewallPolicy: FactName = "firewall.policy"
  static let firewallPlace: FactName = "firewall.place"
  static let firewallPID: FactName = "firewall.pid"
  static let firewallPackets: FactName = "firewall.packets"
  static let firewallKeeper: FactName = "firewall.keeper"
}

private enum FirewallOutcome: String, CheckOutcome {
  case blocks
  /// It would if a condition holds that could not be judged.
  case mayBlock = "may-block"
  case nothing, unknown
}

extension Check {
  /// Leads the connection's first packet through the packet filters in the kernel's order, and tells what stops it.
  ///
  /// In the proxy's network, the host's, and the upstream's; one more connect shows which rules count it.
  static let firewallRules = Check(
    "firewall.rules", needs: [.nameAddress, .upstreamPort, .upstreamInside, .upstreamPlace, .proxyPlace],
    learns: [
      .firewallRule, .firewallProgram, .firewallTable, .firewallChain, .firewallNumber, .firewallPolicy, .firewallPlace,
      .firewallPID, .firewallPackets, .firewallKeeper,
    ], outcome: FirewallOutcome.self
  ) { world, given, _ throws(Unseen) in
    let packet = try await world.packet(given)
    let (port, place) = (try given.upstreamPort, try? given.dialsFrom)
    let obstacle = try await world.obstacle(for: packet, through: given.stations) {
      if let place { _ = try? await world.see(TCPConnect(address: packet.to, port: port, place: place, limit: 1.2)) }
    }
    return obstacle.map { ($0.isCertain ? .blocks : .mayBlock, $0.facts) } ?? (.nothing, [:])
  }
}

extension Case {
  /// The networks that the packet comes through, in its order.
  fileprivate var stations: [Station] {
    let (proxy, upstream) = (try? dialsFrom, try? listensIn)
    let isFromHost = proxy == .host
    let isToHost = upstream == .host
    var stations: [Station] = []
    if let proxy, !isFromHost { stations.append(Station(name: "proxy", place: proxy, hooks: [.output])) }
    let hooks: [Hook] =
      switch (isFromHost, isToHost) {
      case (true, true): [.output, .input]
      case (true, false): [.output]
      case (false, true): [.input]
      case (false, false): [.forward]
      }
    stations.append(Station(name: "host", place: .host, hooks: hooks))
    if let upstream, !isToHost, upstream != proxy {
      stations.append(Station(name: "upstream", place: upstream, hooks: [.input]))
    }
    return stations
  }
}

extension World {
  /// The first packet of the proxy's connection.
  fileprivate func packet(_ given: Case) async throws(Unseen) -> Packet {
    let to = try given.address
    var from: [String] = []
    let (dialsFrom, listensIn) = (try? given.dialsFrom, try? given.listensIn)
    if dialsFrom != .host, let id = given[.proxyID], let container = try? await container(id) {
      from = container.networks.values.flatMap(\.addresses)
      // One that shares the upstream's network sends from its address there.
      let near = from.filter { $0.split(separator: ".").prefix(2) == to.split(separator: ".").prefix(2) }
      if !near.isEmpty { from = near }
    }
    let staysInside = to.isLoopback || dialsFrom == .host && listensIn == .host
    return Packet(
      from: staysInside ? [to] : from, to: to, port: try given.upstreamInside, staysInside: staysInside)
  }
}

extension Obstacle {
  fileprivate var facts: Facts {
    var facts: Facts = [
      .firewallProgram: program, .firewallTable: table, .firewallChain: chain, .firewallPlace: station.name,
      .firewallRule: rule, .firewallNumber: number.map { String($0) } ?? "", .firewallPolicy: isPolicy ? "drop" : "",
      .firewallPackets: packets.map { String($0) } ?? "", .firewallKeeper: keeper ?? "",
    ]
    if case .process(let pid) = station.place { facts[.firewallPID] = String(pid) }
    return facts
  }
}
