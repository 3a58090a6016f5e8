import Discovery
import Model
import World

extension FactName {
  /// The rule as `iptables-save` prints it.
  static let firewallRule: FactName = "firewall.rule"
  static let firewallTable: FactName = "firewall.table"
  static let firewallChain: FactName = "firewall.chain"
  /// Its number in the chain, counted from 1.
  static let firewallNumber: FactName = "firewall.number"
  /// `host`, or `upstream` or `proxy` for the network of that container.
  static let firewallPlace: FactName = "firewall.place"
  /// A process in the network that has the rule, where that is not the host's.
  static let firewallPID: FactName = "firewall.pid"
  /// Packets it has stopped so far.
  static let firewallPackets: FactName = "firewall.packets"
}

private enum FirewallOutcome: String, CheckOutcome { case blocks, nothing, unknown }

extension Check {
  /// Looks for a packet filter rule that stops packets from the proxy to the upstream's port.
  ///
  /// In the upstream's network, the proxy's, and the host's. Source: iptables-save(8).
  static let firewallRules = Check(
    "firewall.rules", needs: [.nameAddress, .upstreamPort, .upstreamInside, .upstreamPlace, .proxyPlace],
    learns: [
      .firewallRule, .firewallTable, .firewallChain, .firewallNumber, .firewallPlace, .firewallPID, .firewallPackets,
    ], outcome: FirewallOutcome.self
  ) { world, facts, _ throws(Unseen) in
    var places: [(String, Place)] = []
    if let upstream = facts.upstreamLooks, upstream != .host { places.append(("upstream", upstream)) }
    if let proxy = facts.proxyLooks, proxy != .host { places.append(("proxy", proxy)) }
    places.append(("host", .host))
    let packet = Packet(to: facts[.nameAddress] ?? "", port: facts.port(.upstreamInside) ?? 0)
    var failure: Unseen?
    for (name, place) in places {
      do throws(Unseen) {
        let saved = try await world.see(CommandRun(.packetFilter, place: place))
        guard saved.exitCode == 0 else {
          failure = .unreadable(what: "the firewall's rules (\(name))", why: "exit code \(saved.exitCode)")
          continue
        }
        guard
          let rule = FilterRule.all(in: saved.output).filter({ $0.stops(packet) }).max(by: { $0.packets < $1.packets })
        else { continue }
        var learned: Facts = [
          .firewallRule: rule.text, .firewallTable: rule.table, .firewallChain: rule.chain,
          .firewallNumber: String(rule.number), .firewallPlace: name, .firewallPackets: String(rule.packets),
        ]
        if case .process(let pid) = place { learned[.firewallPID] = String(pid) }
        return (.blocks, learned)
      } catch { failure = error }
    }
    if let failure { throw failure }
    return (.nothing, [:])
  }
}

/// What has to pass.
private struct Packet {
  let to: String
  let port: UInt16
}

/// One rule of `iptables-save -c`: `[12:720] -A INPUT -p tcp -m tcp --dport 8080 -j DROP`.
private struct FilterRule {
  let text: String
  let table: String
  let chain: String
  let number: Int
  let packets: Int
  private let words: [String]

  static func all(in saved: String) -> [FilterRule] {
    var table = ""
    var counts: [String: Int] = [:]
    var rules: [FilterRule] = []
    for line in saved.split(separator: "\n") {
      if line.hasPrefix("*") { (table, counts) = (String(line.dropFirst()), [:]) }
      let words = line.split(separator: " ").map(String.init)
      guard let add = words.firstIndex(of: "-A"), add < 2, words.count > add + 1 else { continue }
      let chain = words[add + 1]
      counts[chain, default: 0] += 1
      let packets = add == 1 ? Int(words[0].dropFirst().prefix { $0.isNumber }) : nil
      rules.append(
        FilterRule(
          text: words[add...].joined(separator: " "), table: table, chain: chain, number: counts[chain] ?? 1,
          packets: packets ?? 0, words: Array(words[add...])))
    }
    return rules
  }

  /// True if it drops or rejects, and nothing in it excludes this packet. A rule that has met no packet is not it.
  func stops(_ packet: Packet) -> Bool {
    guard let target = value(of: "-j"), ["DROP", "REJECT"].contains(target), packets > 0 else { return false }
    if let name = value(of: "-p"), !["tcp", "all", "6"].contains(name) { return false }
    if let state = value(of: "--ctstate") ?? value(of: "--state"), !state.contains("NEW") { return false }
    if let to = value(of: "-d"), !fits(to, packet.to) { return false }
    // The proxy's own address is in the neighbourhood of the one it dials; a rule for strangers is not it.
    if let from = value(of: "-s"), from.split(separator: ".").prefix(2) != packet.to.split(separator: ".").prefix(2) {
      return false
    }
    // "Not from lo" holds for what comes over a network; any other exception is not judged.
    let exceptions = words.indices.filter { words[$0] == "!" }.map {
      words.indices.contains($0 + 1) ? words[$0 + 1] : ""
    }
    guard exceptions.allSatisfy({ $0 == "-i" || $0 == "-o" }), !words.contains("--dst-type") else { return false }
    if let ports = value(of: "--dport") ?? value(of: "--dports") {
      return ports.split(separator: ",").contains { range in
        let ends = range.split(separator: ":").compactMap { UInt16($0) }
        return ends.count == 2 ? (ends[0]...max(ends[0], ends[1])).contains(packet.port) : ends.first == packet.port
      }
    }
    // Docker's own isolation drops what crosses networks; that is another cause.
    return !chain.hasPrefix("DOCKER-ISOLATION")
  }

  private func value(of option: String) -> String? {
    words.firstIndex(of: option).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
  }

  private func fits(_ range: String, _ address: String) -> Bool {
    range == address || range == address + "/32" || Subnet(range)?.contains(address) == true
  }
}
