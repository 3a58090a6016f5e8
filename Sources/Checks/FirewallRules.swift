import Discovery
import Model
import Routes
import World

extension FactName {
  /// The rule as its program prints it; of a chain's policy: `-P INPUT DROP`.
  static let firewallRule: FactName = "firewall.rule"
  /// `iptables`, `ip6tables` or `nft`.
  static let firewallProgram: FactName = "firewall.program"
  /// `filter`; of nft with its family: `inet filter`.
  static let firewallTable: FactName = "firewall.table"
  static let firewallChain: FactName = "firewall.chain"
  /// Its number in the chain, counted from 1; of nft its handle. Absent for a policy.
  static let firewallNumber: FactName = "firewall.number"
  /// Known if no rule but the chain's policy stops the packets.
  static let firewallPolicy: FactName = "firewall.policy"
  /// `host`, or `upstream` or `proxy` for the network of that container.
  static let firewallPlace: FactName = "firewall.place"
  /// A process in the network that has the rule, where that is not the host's.
  static let firewallPID: FactName = "firewall.pid"
  /// Packets it has stopped so far.
  static let firewallPackets: FactName = "firewall.packets"
  /// `ufw` or `firewalld`, if one of them keeps the rules there.
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
  /// In the proxy's network, the host's, and the upstream's. The rules are read before and after one more connect, so
  /// that rules that count tell by themselves whether they met it.
  static let firewallRules = Check(
    "firewall.rules", needs: [.nameAddress, .upstreamPort, .upstreamInside, .upstreamPlace, .proxyPlace],
    learns: [
      .firewallRule, .firewallProgram, .firewallTable, .firewallChain, .firewallNumber, .firewallPolicy, .firewallPlace,
      .firewallPID, .firewallPackets, .firewallKeeper,
    ], outcome: FirewallOutcome.self
  ) { world, facts, _ throws(Unseen) in
    let stations = facts.stations
    let packet = await world.packet(facts)
    let isIPv6 = packet.to.contains(":")
    let before = await world.filters(at: stations, isIPv6: isIPv6)
    if let place = facts.proxyLooks {
      _ = try? await world.see(
        TCPConnect(address: packet.to, port: facts.port(.upstreamPort) ?? 0, place: place, limit: 1.2))
    }
    let after = await world.filters(at: stations, isIPv6: isIPv6)
    var failure: Unseen?
    var possible: Facts?
    for (index, station) in stations.enumerated() {
      guard case .success(let filters) = after[index] else {
        if case .failure(let unseen) = after[index] { failure = unseen }
        continue
      }
      let old = try? before[index].get()
      for (number, filter) in filters.enumerated() {
        let earlier = old.flatMap { $0.indices.contains(number) && filter.differs(from: $0[number]) ? $0[number] : nil }
        for hook in station.hooks {
          guard let stop = filter.stop(of: packet, at: hook, before: earlier), !stop.isOfDocker else { continue }
          let learned = stop.facts(filter, station)
          if stop.isCertain { return (.blocks, learned) }
          possible = possible ?? learned
        }
      }
    }
    if let possible { return (.mayBlock, possible) }
    if let failure { throw failure }
    return (.nothing, [:])
  }
}

/// A network that the packet comes through, and where its rules are called there.
private struct Station {
  /// `proxy`, `host`, `upstream`.
  let name: String
  let place: Place
  let hooks: [PacketFilter.Hook]
}

extension Facts {
  /// In the order in which the packet comes through them.
  fileprivate var stations: [Station] {
    let (proxy, upstream) = (proxyLooks, upstreamLooks)
    let isFromHost = proxy == .host
    let isToHost = upstream == .host
    var stations: [Station] = []
    if let proxy, !isFromHost { stations.append(Station(name: "proxy", place: proxy, hooks: [.output])) }
    let hooks: [PacketFilter.Hook] =
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
  fileprivate func packet(_ facts: Facts) async -> Packet {
    let to = facts[.nameAddress] ?? ""
    var from: [String] = []
    if facts.proxyLooks != .host, let id = facts[.proxyID], let container = try? await container(id) {
      from = container.networks.values.flatMap(\.addresses)
      // One that shares the upstream's network sends from its address there.
      let near = from.filter { $0.split(separator: ".").prefix(2) == to.split(separator: ".").prefix(2) }
      if !near.isEmpty { from = near }
    }
    let staysInside = to.isLoopback || facts.proxyLooks == .host && facts.upstreamLooks == .host
    return Packet(
      from: staysInside ? [to] : from, to: to, port: facts.port(.upstreamInside) ?? 0, staysInside: staysInside)
  }

  /// The packet filters of each station.
  fileprivate func filters(at stations: [Station], isIPv6: Bool) async -> [Result<[PacketFilter], Unseen>] {
    var results: [Result<[PacketFilter], Unseen>] = []
    for station in stations {
      do throws(Unseen) {
        results.append(.success(try await filters(at: station, isIPv6: isIPv6)))
      } catch { results.append(.failure(error)) }
    }
    return results
  }

  /// iptables' rules and nft's own. A machine without one of the two programs has the other's rules only.
  private func filters(at station: Station, isIPv6: Bool) async throws(Unseen) -> [PacketFilter] {
    var filters: [PacketFilter] = []
    var tables: Set<String> = []
    do throws(Unseen) {
      let saved = try await listing(isIPv6 ? .packetFilter6 : .packetFilter, at: station)
      filters.append(PacketFilter(saved: saved, program: isIPv6 ? "ip6tables" : "iptables"))
      for line in saved.lines where line.hasPrefix("*") {
        tables.insert("\(isIPv6 ? "ip6" : "ip") \(line.dropFirst())")
      }
    } catch .missing {}
    do throws(Unseen) {
      let ruleset = try await listing(.nftables, at: station)
      guard let filter = PacketFilter(ruleset: ruleset, skipping: tables) else {
        throw .unreadable(what: "nft -j list ruleset", why: "it is no JSON")
      }
      filters.append(filter)
    } catch {
      guard error.isMissing, !filters.isEmpty else { throw error }
    }
    return filters
  }

  private func listing(_ command: CommandRun.Command, at station: Station) async throws(Unseen) -> String {
    let sight = try await see(CommandRun(command, place: station.place))
    guard sight.exitCode == 0 else {
      throw .unreadable(what: "the firewall's rules (\(station.name))", why: "exit code \(sight.exitCode)")
    }
    return sight.output
  }
}

extension PacketFilter.Stop {
  /// Docker's own isolation drops what crosses networks; that is another cause.
  fileprivate var isOfDocker: Bool { chain.name.hasPrefix("DOCKER-ISOLATION") }

  fileprivate func facts(_ filter: PacketFilter, _ station: Station) -> Facts {
    var facts: Facts = [
      .firewallProgram: filter.program, .firewallTable: chain.table, .firewallChain: chain.name,
      .firewallPlace: station.name,
    ]
    if let rule {
      facts[.firewallRule] = rule.text.printable
      facts[.firewallNumber] = String(rule.number)
      facts[.firewallPackets] = rule.packets.map { String($0) }
    } else {
      facts[.firewallRule] =
        filter.program == "nft" ? "\(chain.table) \(chain.name): policy drop" : "-P \(chain.name) DROP"
      facts[.firewallPolicy] = "drop"
      facts[.firewallPackets] = chain.policyPackets.map { String($0) }
    }
    if case .process(let pid) = station.place { facts[.firewallPID] = String(pid) }
    let names = filter.chains.map(\.name)
    if names.contains(where: { $0.hasPrefix("ufw-") || $0.hasPrefix("ufw6-") }) { facts[.firewallKeeper] = "ufw" }
    if chain.table.hasSuffix(" firewalld") { facts[.firewallKeeper] = "firewalld" }
    return facts
  }
}
