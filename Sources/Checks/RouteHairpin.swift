import Discovery
import Model
import Routes
import World

extension FactName {
  static let hairpinHere: FactName = "hairpin.here"
  static let hairpinMachine: FactName = "hairpin.machine"
}

private enum HairpinOutcome: String, CheckOutcome {
  /// The route goes to the site's own public address, and this machine takes connections at that port.
  case own
  /// The same, but nobody takes connections here at that port: a router may lead it to another one.
  case ownElsewhere = "own-elsewhere"
  /// The route goes to an address of this machine at which nothing arrives, and the app takes connections past it.
  case machine
  case other, unknown
}

extension Check {
  /// Tells whether the route goes out to the address to which the site's own name leads.
  static let routeHairpin = Check(
    "route.hairpin", needs: [.nameAddress, .upstreamHost, .upstreamPort, .siteHost, .proxyPlace],
    learns: [.hairpinHere, .hairpinMachine, .routeLeadsNowhere], outcome: HairpinOutcome.self
  ) { world, given, _ throws(Unseen) in
    let dialled = try given.address
    let host = try given.siteHost
    let own = try await world.see(OwnAddresses())
    guard !dialled.isLoopback else { return (.other, [:]) }
    if own.contains(dialled) {
      let port = try given.upstreamPort
      let asDialled = TCPConnect(address: dialled, port: port, place: try given.dialsFrom, limit: 1.5)
      let past = TCPConnect(address: "127.0.0.1", port: port, place: .host, limit: 1.5)
      guard try await world.see(asDialled).outcome != .accepted, try await world.see(past).outcome == .accepted else {
        return (.other, [:])
      }
      return (.machine, [.hairpinMachine: "yes"])
    }
    let addresses = try await world.see(SystemLookup(name: host))
    guard given[.upstreamHost] == host || addresses.contains(dialled) else { return (.other, [:]) }
    let here = try await world.see(
      TCPConnect(address: "127.0.0.1", port: try given.upstreamPort, place: .host, limit: 2))
    guard here.outcome == .accepted else { return (.ownElsewhere, [:]) }
    return (.own, [.hairpinHere: "yes", .routeLeadsNowhere: "yes"])
  }
}
