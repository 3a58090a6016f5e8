import Model

/// The connection's first packet, as far as it is known.
public struct Packet: Sendable {
  /// Addresses that the sender has; empty if they are not known.
  public let from: [String]
  public let to: String
  public let port: UInt16
  /// True if it stays inside one network (`lo`).
  public let staysInside: Bool

  public init(from: [String], to: String, port: UInt16, staysInside: Bool) {
    (self.from, self.to, self.port, self.staysInside) = (from, to, port, staysInside)
  }
}

/// Where the kernel calls the rules of a packet filter.
public enum Hook: String, Sendable { case input = "INPUT", forward = "FORWARD", output = "OUTPUT" }

/// The rules that a packet meets at one place, whichever program printed them.
///
/// Source: iptables-save(8), iptables-extensions(8), libnftables-json(5), nft(8).
struct PacketFilter {
  enum Target: Equatable {
    case accept, drop
    case jump(String, isGoto: Bool)
    case back
    /// It counts, logs, marks, …: the packet goes on.
    case goesOn
  }

  struct Rule {
    /// As its program prints it, or the like of it.
    let text: String
    /// Its number in the chain, from 1; of nft its handle.
    let number: Int
    /// Packets that it has met; nil if it does not count.
    let packets: Int?
    let target: Target
    /// Whether its conditions hold for a packet; nil if one of them could not be judged.
    let holds: (Packet, Hook) -> Bool?
  }

  struct Chain {
    var table: String
    var name: String
    /// Of a chain that the kernel itself calls.
    var hook: Hook?
    var priority = 0
    var policy = Target.accept
    /// Packets that its policy has met.
    var policyPackets: Int?
    var rules: [Rule] = []
  }

  /// `iptables`, `ip6tables` or `nft`.
  let program: String
  var chains: [Chain] = []

  /// What stops the packet.
  struct Stop {
    let chain: Chain
    /// Nil if the chain's policy stops it.
    let rule: Rule?
    /// True if nothing before it, and nothing in it, was left unjudged, or if it counted the probe.
    var isCertain: Bool
    /// Those it has stopped so far; nil if it does not count.
    var packets: Int? { if let rule { rule.packets } else { chain.policyPackets } }
  }

  /// The first thing that stops the packet at a hook; nil if it passes.
  ///
  /// - Parameter before: the same rules as they were before a packet of the same kind was sent. A rule that counts and
  ///   has not counted that packet did not meet it.
  func stop(of packet: Packet, at hook: Hook, before: PacketFilter?) -> Stop? {
    for chain in chains.filter({ $0.hook == hook }).sorted(by: { $0.priority < $1.priority }) {
      var walk = Walk(filter: self, packet: packet, hook: hook, before: before)
      switch walk.verdict(of: chain, depth: 0) {
      case .stopped(let stop): return stop
      case .accepted: continue
      case .ended:
        let count = before?.chain(chain.table, chain.name)?.policyPackets
        let hasMet = count == nil || chain.policyPackets == nil || chain.policyPackets != count
        if chain.policy == .drop, hasMet, chain.policyPackets != 0 {
          return Stop(
            chain: chain, rule: nil, isCertain: !walk.isUnsure || count.map { $0 != chain.policyPackets } == true)
        }
      }
    }
    return nil
  }

  fileprivate func chain(_ table: String, _ name: String) -> Chain? {
    chains.first { $0.table == table && $0.name == name }
  }

  /// True if any counter differs: the packets in between came by here.
  func differs(from other: PacketFilter) -> Bool {
    for chain in chains {
      guard let old = other.chain(chain.table, chain.name) else { return false }
      if chain.policyPackets != old.policyPackets || chain.rules.map(\.packets) != old.rules.map(\.packets) {
        return true
      }
    }
    return false
  }

  private struct Walk {
    enum Verdict { case stopped(Stop), accepted, ended }
    private static let deepest = 32

    let filter: PacketFilter
    let packet: Packet
    let hook: Hook
    let before: PacketFilter?
    var isUnsure = false

    mutating func verdict(of chain: Chain, depth: Int) -> Verdict {
      let old = before?.chain(chain.table, chain.name)?.rules ?? []
      for (index, rule) in chain.rules.enumerated() {
        guard let holds = met(rule, old.indices.contains(index) ? old[index] : nil) else { continue }
        switch rule.target {
        case .goesOn: continue
        case .drop:
          return .stopped(Stop(chain: chain, rule: rule, isCertain: holds && !isUnsure))
        case .accept, .back:
          // It may have passed here already; what comes later is no longer certain.
          guard holds else {
            isUnsure = true
            continue
          }
          return rule.target == .accept ? .accepted : .ended
        case .jump(let name, let isGoto):
          guard depth < Self.deepest, let next = filter.chain(chain.table, name) else { continue }
          let wasUnsure = isUnsure
          if !holds { isUnsure = true }
          switch verdict(of: next, depth: depth + 1) {
          case .stopped(let stop): return .stopped(stop)
          case .accepted:
            if holds { return .accepted }
            isUnsure = true
          case .ended:
            if holds, isGoto { return .ended }
            if !holds { isUnsure = wasUnsure }
          }
        }
      }
      return .ended
    }

    /// Nil: the packet does not meet the rule. False: whether it does was not seen.
    private func met(_ rule: Rule, _ old: Rule?) -> Bool? {
      let holds = rule.holds(packet, hook)
      if holds == false || rule.packets == 0 { return nil }
      if let old, let count = old.packets, let now = rule.packets, old.text == rule.text {
        // It counts: then it has counted the probe, or the probe did not come by.
        return now == count ? nil : true
      }
      return holds == true
    }
  }
}

extension Subnet {
  /// Whether an address is one of `range`: `10.0.0.1`, `10.0.0.0/8`; nil for what is no IPv4 range.
  static func covers(_ range: String, _ address: String) -> Bool? {
    if range == address || range == address + "/32" || range == address + "/128" { return true }
    if let subnet = Subnet(range) { return subnet.contains(address) }
    return range.contains(":") || range.contains("/") ? nil : false
  }
}

extension Packet {
  /// Whether it comes from one of these addresses.
  func comes(from range: String) -> Bool? {
    if from.isEmpty { return nil }
    let fits = from.map { Subnet.covers(range, $0) }
    if fits.allSatisfy({ $0 == true }) { return true }
    return fits.allSatisfy { $0 == false } ? false : nil
  }

  /// Whether it enters or leaves by an interface of that name.
  func passes(_ interface: String) -> Bool? {
    if interface == "lo" { return staysInside }
    return staysInside ? false : nil
  }
}
