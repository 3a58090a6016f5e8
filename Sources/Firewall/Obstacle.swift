public import Model
public import World

/// A network that a packet comes through, and where its rules are called there.
public struct Station: Sendable {
  /// For people: `host`.
  public let name: String
  public let place: Place
  public let hooks: [Hook]

  public init(name: String, place: Place, hooks: [Hook]) {
    (self.name, self.place, self.hooks) = (name, place, hooks)
  }
}

/// What stops a packet on its way: a rule, or the policy of a chain.
public struct Obstacle: Sendable {
  public let station: Station
  /// `iptables`, `ip6tables` or `nft`.
  public let program: String
  /// `filter`; of nft with its family: `inet filter`.
  public let table: String
  public let chain: String
  /// The rule as its program prints it; of a policy: `-P INPUT DROP`.
  public let rule: String
  /// Its number in the chain, counted from 1; of nft its handle. Nil for a policy.
  public let number: Int?
  /// Packets it has stopped so far; nil if it does not count.
  public let packets: Int?
  /// False if it depends on a condition that could not be judged.
  public let isCertain: Bool
  /// `ufw` or `firewalld`, if one of them keeps the rules there.
  public let keeper: String?

  public var isPolicy: Bool { number == nil }
}

extension World {
  /// The first thing that stops a packet, in the order in which the kernel asks; nil if nothing does. What only may stop
  /// it is told if nothing stops it for certain.
  ///
  /// - Parameter probe: sends a packet of the same kind. The rules are read before and after it, so that rules that count
  ///   tell by themselves whether they met it.
  /// - Throws: why a station's rules could not be seen, if no other one has an obstacle.
  public func obstacle(
    for packet: Packet, through stations: [Station], probe: () async -> Void
  ) async throws(Unseen) -> Obstacle? {
    let isIPv6 = packet.to.isIPv6
    let before = await filters(at: stations, isIPv6: isIPv6)
    await probe()
    let after = await filters(at: stations, isIPv6: isIPv6)
    var failure: Unseen?
    var possible: Obstacle?
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
          let obstacle = Obstacle(stop, filter, station)
          if stop.isCertain { return obstacle }
          possible = possible ?? obstacle
        }
      }
    }
    if let possible { return possible }
    if let failure { throw failure }
    return nil
  }

  /// The packet filters of each station.
  private func filters(at stations: [Station], isIPv6: Bool) async -> [Result<[PacketFilter], Unseen>] {
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
        throw .unreadable(what: "nft -j list ruleset", why: .init(.notFormat, "JSON"))
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
      throw .unreadable(what: "the firewall's rules (\(station.name))", why: .init(.exitCode, "\(sight.exitCode)"))
    }
    return sight.output
  }
}

extension PacketFilter.Stop {
  /// Docker's own isolation drops what crosses networks; that is another cause.
  fileprivate var isOfDocker: Bool { chain.name.hasPrefix("DOCKER-ISOLATION") }
}

extension Obstacle {
  fileprivate init(_ stop: PacketFilter.Stop, _ filter: PacketFilter, _ station: Station) {
    let chain = stop.chain
    let policy =
      filter.program == "nft" ? "\(chain.table) \(chain.name): policy drop" : "-P \(chain.name) DROP"
    let isOfUFW = filter.chains.contains { $0.name.hasPrefix("ufw-") || $0.name.hasPrefix("ufw6-") }
    self.init(
      station: station, program: filter.program, table: chain.table, chain: chain.name,
      rule: stop.rule?.text.printable ?? policy, number: stop.rule?.number,
      packets: stop.packets, isCertain: stop.isCertain,
      keeper: chain.table.hasSuffix(" firewalld") ? "firewalld" : isOfUFW ? "ufw" : nil)
  }
}
