import Discovery
import Model
import Routes
import World

extension FactName {
  static let circleItself: FactName = "circle.itself"
}

private enum CircleOutcome: String, CheckOutcome {
  /// The route leads to the proxy itself, at the port and with the name by which it was asked: to the same route again.
  case itself
  case other, unknown
}

extension Check {
  /// Tells whether what the route leads to is the proxy itself, by the same route again.
  static let routeCircle = Check(
    "route.circle", needs: [.nameAddress, .upstreamPort, .siteHost, .proxyPlace],
    learns: [.circleItself, .routeLeadsNowhere], outcome: CircleOutcome.self
  ) { world, given, _ throws(Unseen) in
    guard given.asksSameAgain, try await world.isOfProxy(try given.address, given) else { return (.other, [:]) }
    return (.itself, [.circleItself: "yes", .routeLeadsNowhere: "yes"])
  }
}

extension Case {
  /// True if the upstream is asked for the same host and path, at the port at which the proxy itself listens.
  fileprivate var asksSameAgain: Bool {
    port(.upstreamPort) == port(.proxyPort) && self[.upstreamPort] != nil && self[.upstreamSocket] == nil
      && self[.routeSendsHost].map { $0.hostAndPort.host } == self[.siteHost]
      && (self[.upstreamPath] ?? self[.sitePath]) == self[.sitePath]
  }
}

extension World {
  /// Whether an address is one of the proxy's own network.
  fileprivate func isOfProxy(_ address: String, _ given: Case) async throws(Unseen) -> Bool {
    if address.isLoopback { return true }
    if given.proxy.usesHostNetwork { return try await see(OwnAddresses()).contains(address) }
    guard let id = given[.proxyID] else { return false }
    return try await container(id).networks.values.contains { $0.addresses.contains(address) }
  }
}
