/// A program that keeps the rules of a packet filter: what is changed beside it is gone when it writes them again.
enum Keeper: String { case ufw, firewalld, docker }

extension PacketFilter {
  /// Who keeps the rule, or the policy, that stops a packet.
  ///
  /// Source: the names of the chains that ufw 0.36 (ufw-framework(8)), firewalld 1.3 and Docker 20.10 to 29 write.
  func keeper(of stop: Stop) -> Keeper? {
    let chain = stop.chain
    if chain.isOfUFW { return .ufw }
    if chain.isOfFirewalld { return .firewalld }
    if let rule = stop.rule { return isOfDocker(rule, chain) ? .docker : nil }
    // A policy takes what is left over: it belongs to whoever else has rules in that chain.
    let next = chain.rules.compactMap { rule -> Chain? in
      guard case .jump(let name, _) = rule.target else { return nil }
      return chains.first { $0.table == chain.table && $0.name == name }
    }
    return next.contains(where: \.isOfUFW) ? .ufw : next.contains(where: \.isOfFirewalld) ? .firewalld : nil
  }

  /// Docker keeps its networks apart, and since its version 28 it lets nothing pass it by: no packet straight to a
  /// container's address from outside the container's network, and none from elsewhere to a port published on loopback.
  private func isOfDocker(_ rule: Rule, _ chain: Chain) -> Bool {
    let own = ["DOCKER", "DOCKER-FORWARD", "DOCKER-INTERNAL"]
    if chain.name.hasPrefix("DOCKER-ISOLATION") || own.contains(chain.name) || chain.table == "ip docker-bridges" {
      return true
    }
    guard chain.table == "raw", chain.hook == .prerouting, chains.contains(where: { $0.name == "DOCKER" }) else {
      return false
    }
    // `-A PREROUTING -d 172.18.0.2/32 ! -i br-0123456789ab -j DROP`
    let words = rule.text.split(separator: " ")
    return words.count > 6 && words[2] == "-d" && words[3].hasSuffix("/32") && words[4] == "!" && words[5] == "-i"
  }
}

extension PacketFilter.Chain {
  fileprivate var isOfUFW: Bool { name.hasPrefix("ufw-") || name.hasPrefix("ufw6-") }

  fileprivate var isOfFirewalld: Bool {
    table.hasSuffix(" firewalld") || ["INPUT_ZONES", "FORWARD_IN_ZONES", "FORWARD_OUT_ZONES"].contains(name)
      || ["IN_", "FWDI_", "FWDO_", "PRE_"].contains { name.hasPrefix($0) }
  }
}
