public import Model
public import World

/// A network that a packet comes through.
public struct Station: Sendable {
  /// For people: `host`.
  public let name: String
  public let place: Place

  public init(name: String, place: Place) { (self.name, self.place) = (name, place) }
}

/// The way of a connection's first packet: from its sender through this machine to its receiver.
///
/// A port that the engine publishes leads there by a translation of the address or, where a packet meets none, to a
/// program of this machine that dials the receiver itself.
public struct Passage: Sendable {
  /// As it is sent.
  public var packet: Packet
  /// The networks of its ends; nil is this machine's own.
  public var sender: Station?
  public var receiver: Station?
  public let host = Station(name: "host", place: .host)
  /// This machine's own addresses.
  public var own: [String]
  /// The receiver's addresses, and the port on which it listens itself.
  public var inside: (addresses: [String], port: UInt16)
  /// This machine's interfaces by which a packet comes from the sender and goes to the receiver; nil if not known.
  public var enters: String?
  public var leaves: String?
  /// True if it comes from another machine.
  public var comesFromOutside = false

  public init(
    packet: Packet, sender: Station?, receiver: Station?, own: [String], inside: (addresses: [String], port: UInt16),
    enters: String? = nil, leaves: String? = nil
  ) {
    (self.packet, self.sender, self.receiver, self.own) = (packet, sender, receiver, own)
    (self.inside, self.enters, self.leaves) = (inside, enters, leaves)
  }

  fileprivate var stations: [Station] {
    let ends = [sender, receiver].compactMap(\.self)
    return ends.count == 2 && ends[0].place == ends[1].place ? [ends[0]] : [host] + ends
  }
}

/// What stops a packet on its way: a rule, or the policy of a chain.
public struct Obstacle: Sendable {
  public let station: Station
  public let hook: Hook
  /// The packet as it meets it.
  public let packet: Packet
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
  /// Who keeps the rules there, and writes them again: `ufw`, `firewalld`, `docker`.
  public let keeper: String?
  /// True if it takes what its keeper's own user wrote down, not what is left over: another entry has to come before it.
  public let isUsersOwn: Bool

  public var isPolicy: Bool { number == nil }
  /// True if it does not stop the packet, but leads it away from the app.
  public var leadsAway: Bool { packet.isTranslated && !packet.isLocal && !packet.app.contains(packet.to) }
}

extension World {
  /// The first thing that stops a packet, in the order in which the kernel asks; nil if nothing does. What only may stop
  /// it is told if nothing stops it for certain.
  ///
  /// - Parameter probe: sends a packet of the same kind. The rules are read before and after it, so that rules that count
  ///   tell by themselves whether they met it.
  /// - Throws: why a station's rules could not be seen, if no other one has an obstacle.
  public func obstacle(on passage: Passage, probe: () async -> Void) async throws(Unseen) -> Obstacle? {
    let isIPv6 = passage.packet.to.isIPv6
    var rules: [Place: Rules] = [:]
    for station in passage.stations { rules[station.place] = Rules(before: await filters(at: station, isIPv6: isIPv6)) }
    await probe()
    for station in passage.stations { rules[station.place]?.after = await filters(at: station, isIPv6: isIPv6) }
    var search = Search(rules: rules)
    search.goes(along: passage)
    if let found = search.found ?? search.possible { return found }
    if let failure = search.failure { throw failure }
    return nil
  }

  /// The packet filters of a station.
  private func filters(at station: Station, isIPv6: Bool) async -> Result<[PacketFilter], Unseen> {
    do throws(Unseen) { return .success(try await listed(at: station, isIPv6: isIPv6)) } catch {
      return .failure(error)
    }
  }

  /// iptables' rules and nft's own. A machine without one of the two programs has the other's rules only.
  private func listed(at station: Station, isIPv6: Bool) async throws(Unseen) -> [PacketFilter] {
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

/// The rules of a station, before a packet was sent and after it.
private struct Rules {
  var before: Result<[PacketFilter], Unseen>
  var after: Result<[PacketFilter], Unseen>?
}

/// A packet on its way, and what it has met.
private struct Search {
  let rules: [Place: Rules]
  var found: Obstacle?
  var possible: Obstacle?
  var failure: Unseen?

  init(rules: [Place: Rules]) { self.rules = rules }

  mutating func goes(along passage: Passage) {
    var packet = passage.packet
    packet.app = passage.inside.addresses
    let host = passage.host
    if passage.comesFromOutside { return goes(in: passage, &packet) }
    packet.isSentHere = true
    guard let sender = passage.sender else {
      packet.own = passage.own
      packet.leaves = passage.leaves
      meets(host, .output, &packet)
      if packet.isLocal { arrives(at: host, &packet) }
      return ends(passage, packet)
    }
    packet.own = packet.from
    meets(sender, .output, &packet)
    if sender.place == passage.receiver?.place { return arrives(at: sender, &packet) }
    goes(in: passage, &packet)
  }

  /// Into this machine, from another network.
  private mutating func goes(in passage: Passage, _ packet: inout Packet) {
    packet.isSentHere = false
    packet.own = passage.own
    (packet.enters, packet.leaves) = (passage.enters, passage.leaves)
    meets(passage.host, .prerouting, &packet)
    meets(passage.host, packet.isLocal ? .input : .forward, &packet)
    ends(passage, packet)
  }

  private mutating func arrives(at station: Station, _ packet: inout Packet) {
    meets(station, .prerouting, &packet)
    meets(station, .input, &packet)
  }

  /// From this machine on.
  private mutating func ends(_ passage: Passage, _ packet: Packet) {
    guard let receiver = passage.receiver else { return }
    let to = passage.inside.addresses.first { $0.isIPv6 == packet.to.isIPv6 } ?? packet.to
    var last = packet
    if packet.isLocal {
      // A program of the engine's takes it, and dials the receiver from this machine.
      last = Packet(from: [], to: to, port: passage.inside.port, own: passage.own)
      (last.isSentHere, last.leaves) = (true, passage.leaves)
      meets(passage.host, .output, &last)
    }
    (last.isSentHere, last.enters, last.leaves) = (false, nil, nil)
    last.own = passage.inside.addresses
    arrives(at: receiver, &last)
  }

  private mutating func meets(_ station: Station, _ hook: Hook, _ packet: inout Packet) {
    guard found == nil, let rules = rules[station.place] else { return }
    switch rules.after {
    case .success(let filters):
      let before = try? rules.before.get()
      // Where no rule counted anything, the probe did not come by.
      let earlier = filters.indices.map { index in
        before.flatMap { $0.indices.contains(index) && filters[index].differs(from: $0[index]) ? $0[index] : nil }
      }
      guard let (filter, stop) = filters.stop(of: &packet, at: hook, before: earlier) else { return }
      let obstacle = Obstacle(stop, filter, station, hook, packet)
      if stop.isCertain { found = obstacle } else { possible = possible ?? obstacle }
    case .failure(let unseen): failure = unseen
    case nil: break
    }
  }
}

extension Obstacle {
  fileprivate init(
    _ stop: PacketFilter.Stop, _ filter: PacketFilter, _ station: Station, _ hook: Hook, _ packet: Packet
  ) {
    let chain = stop.chain
    let policy =
      filter.program == "nft" ? "\(chain.table) \(chain.name): policy drop" : "-P \(chain.name) DROP"
    self.init(
      station: station, hook: hook, packet: packet, program: filter.program, table: chain.table, chain: chain.name,
      rule: stop.rule?.text.printable ?? policy, number: stop.rule?.number,
      packets: stop.packets, isCertain: stop.isCertain, keeper: filter.keeper(of: stop)?.rawValue,
      isUsersOwn: stop.rule != nil && chain.name.hasPrefix("ufw") && chain.name.contains("-user-"))
  }
}
