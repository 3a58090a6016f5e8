import Model

/// The connection's first packet, as far as it is known, at one point of its way.
public struct Packet: Sendable {
  /// Addresses that the sender has; empty if they are not known.
  public var from: [String]
  public var to: String
  public var port: UInt16
  /// Addresses of the network in which it is now.
  public var own: [String]
  /// Addresses of the app, if they are known.
  public var app: [String] = []
  /// The user whose process sends it; nil if that is not known.
  public var user: UInt32?
  /// True while it is in the network that it was sent from.
  public var isSentHere = false
  /// True if it was on its way to another address, or port.
  public var isTranslated = false
  /// The interfaces by which it comes into this network and goes on; nil if they are not known.
  public var enters: String?
  public var leaves: String?

  public init(from: [String], to: String, port: UInt16, own: [String] = []) {
    (self.from, self.to, self.port, self.own) = (from, to, port, own)
  }

  /// True if it is for the network in which it is.
  public var isLocal: Bool { to.isLoopback || own.contains(to) }
  /// True if it stays inside one network (`lo`).
  public var staysInside: Bool { isSentHere && isLocal }
}

/// Where the kernel calls the rules of a packet filter.
public enum Hook: String, Sendable {
  case prerouting = "PREROUTING"
  case input = "INPUT"
  case forward = "FORWARD"
  case output = "OUTPUT"
}

/// The rules that a packet meets at one place, whichever program printed them.
///
/// Source: iptables-save(8), iptables-extensions(8), libnftables-json(5), nft(8).
struct PacketFilter {
  enum Target: Equatable {
    case accept, drop
    case jump(String, isGoto: Bool)
    case back
    /// The packet goes to another address or port; nil: the same one, or one that cannot be told.
    case translate(to: String?, port: UInt16?)
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
    /// True if it asks for the user whose packet it is.
    var isByUser = false
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

  fileprivate func chain(_ table: String, _ name: String) -> Chain? {
    chains.first { $0.table == table && $0.name == name }
  }

  /// True if what it does to this packet may be something else than what it does to the probe, which is root's.
  fileprivate func tellsUsers(of packet: Packet) -> Bool {
    ![nil, 0].contains(packet.user) && chains.contains { $0.rules.contains(where: \.isByUser) }
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

  fileprivate struct Walk {
    enum Verdict { case stopped(Stop), accepted, ended, translated(by: Stop, to: String?, port: UInt16?) }
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
        case .translate(let to, let port):
          guard holds else {
            isUnsure = true
            continue
          }
          return .translated(by: Stop(chain: chain, rule: rule, isCertain: !isUnsure), to: to, port: port)
        case .jump(let name, let isGoto):
          guard depth < Self.deepest, let next = filter.chain(chain.table, name) else { continue }
          let wasUnsure = isUnsure
          if !holds { isUnsure = true }
          switch verdict(of: next, depth: depth + 1) {
          case .stopped(let stop): return .stopped(stop)
          case .translated(let rule, let to, let port):
            if holds { return .translated(by: rule, to: to, port: port) }
            isUnsure = true
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

extension [PacketFilter] {
  /// The first thing that stops the packet at a hook, of all programs' chains in the kernel's order; nil if it passes. What
  /// only may stop it is told if nothing stops it for certain. On its way the packet's address may be translated.
  ///
  /// - Parameter before: the same rules as they were before a packet of the same kind was sent. A rule that counts and
  ///   has not counted that packet did not meet it.
  func stop(of packet: inout Packet, at hook: Hook, before: [PacketFilter?]) -> (PacketFilter, PacketFilter.Stop)? {
    let called = enumerated().flatMap { index, filter in
      let old = before.indices.contains(index) && !filter.tellsUsers(of: packet) ? before[index] : nil
      return filter.chains.filter { $0.hook == hook }.map { (filter, old, $0) }
    }
    var possible: (PacketFilter, PacketFilter.Stop)?
    for (filter, old, chain) in called.sorted(by: { $0.2.priority < $1.2.priority }) {
      var walk = PacketFilter.Walk(filter: filter, packet: packet, hook: hook, before: old)
      switch walk.verdict(of: chain, depth: 0) {
      case .stopped(let stop):
        if stop.isCertain { return (filter, stop) }
        possible = possible ?? (filter, stop)
      case .accepted: continue
      case .translated(let rule, let to, let port):
        packet.to = to ?? packet.to
        packet.port = port ?? packet.port
        packet.isTranslated = true
        // Where it goes then is no longer the way to the app.
        if !packet.isLocal, !packet.app.isEmpty, !packet.app.contains(packet.to) { return (filter, rule) }
      case .ended:
        let count = old?.chain(chain.table, chain.name)?.policyPackets
        let hasMet = count == nil || chain.policyPackets == nil || chain.policyPackets != count
        guard chain.policy == .drop, hasMet, chain.policyPackets != 0 else { continue }
        let isCertain = !walk.isUnsure || count.map { $0 != chain.policyPackets } == true
        let stop = PacketFilter.Stop(chain: chain, rule: nil, isCertain: isCertain)
        if isCertain { return (filter, stop) }
        possible = possible ?? (filter, stop)
      }
    }
    return possible
  }
}

extension Subnet {
  /// Whether an address is one of `range`: `10.0.0.1`, `10.0.0.0/8`; nil for what is no range of addresses.
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

  /// Whether it comes in by an interface of that name; `br-+` and `br-*` are all that begin so.
  func comes(in name: String, at hook: Hook) -> Bool? { hook == .output ? false : passes(name, enters) }

  /// Whether it goes out by an interface of that name.
  func goes(out name: String, at hook: Hook) -> Bool? {
    hook == .input || hook == .prerouting ? false : passes(name, leaves)
  }

  private func passes(_ name: String, _ interface: String?) -> Bool? {
    if name == "lo" { return staysInside }
    if staysInside { return false }
    return interface.map { name.hasSuffix("+") || name.hasSuffix("*") ? $0.hasPrefix(name.dropLast()) : $0 == name }
  }
}
