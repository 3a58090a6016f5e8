import Discovery
import Model
import Routes
import World

private enum NetworkLastingOutcome: String, CheckOutcome {
  /// A container made anew is in the network again, or it is nobody's file that says so.
  case lasting
  /// Somebody joined it by hand: the Compose file does not know it.
  case joined
  case unknown
}

extension Check {
  /// Whether proxy and app still have a network in common when Compose makes their containers anew.
  ///
  /// Source: the labels that Compose writes on its containers, and its files.
  static let networkLasting = Check(
    "network.lasting", needs: [.upstreamID, .proxyID, .networkCommon],
    learns: FactName.ofJoining, outcome: NetworkLastingOutcome.self
  ) { world, given, _ throws(Unseen) in
    let upstream = try await world.container(try given.upstreamID)
    let proxy = try await world.container(try given.proxyID)
    let common = upstream.networks.filter { network in
      proxy.networks.values.contains { $0.NetworkID == network.value.NetworkID }
    }.keys.sorted()
    for container in [upstream, proxy] where container.networkOwner == nil {
      guard let service = await ComposeService(of: container.Config?.Labels ?? [:], in: world) else { continue }
      let named = common.compactMap { service.names($0) }
      guard named.count == common.count, let network = common.first else {
        throw .unreadable(what: service.files.joined(separator: ", "), why: .init(.otherForm))
      }
      guard !named.contains(true) else { continue }
      var facts = await world.joining(container, network)
      (facts[.networkJoin], facts[.networkJoiner]) = (network, container.name)
      return (.joined, facts)
    }
    return (.lasting, [:])
  }
}
