import Discovery
import Model
import Routes
import World

extension FactName {
  static let neighbourContainer: FactName = "neighbour.container"
  static let neighbourHost: FactName = "neighbour.host"
  static let neighbourPort: FactName = "neighbour.port"
  static let neighbourSamePort: FactName = "neighbour.same-port"
  static let neighbourNetwork: FactName = "neighbour.network"
  static let neighbourUnpublished: FactName = "neighbour.unpublished"
}

private enum NeighbourOutcome: String, CheckOutcome { case one, several, none, unknown }

extension Check {
  /// Looks for the app that was probably meant by a route that leads to nobody.
  static let neighbourFind = Check(
    "neighbour.find", needs: [.upstreamHost, .upstreamPort, .proxyPlace, .siteHost, .routeLeadsNowhere],
    learns: [
      .neighbourContainer, .neighbourHost, .neighbourPort, .neighbourSamePort, .neighbourNetwork, .neighbourUnpublished,
    ] + FactName.ofPublishing,
    outcome: NeighbourOutcome.self
  ) { world, given, signs throws(Unseen) in
    var gateway: String?
    if let id = given[.proxyID], let proxy = try? await world.container(id) {
      gateway = proxy.networks.sorted { $0.key < $1.key }.lazy.compactMap(\.value.Gateway).first { !$0.isEmpty }
    }
    let proxyPort = given.port(.sitePort)
    var found = try await world.neighbours(
      at: try given.upstreamPort, site: try given.siteHost, of: given.proxy, gateway: gateway,
      signs
    ).filter { $0.container != nil || $0.port != proxyPort }
    // A route to itself says nothing of the app's port.
    if found.isEmpty, given[.circleItself] != nil {
      found = try await world.onlyNeighbour(site: try given.siteHost, of: given.proxy, signs)
    }
    guard let best = found.first else { return (.none, [:]) }
    var learned: Facts = [
      .neighbourContainer: best.container ?? "", .neighbourHost: best.host, .neighbourPort: String(best.port),
      .neighbourSamePort: best.port == given.port(.upstreamPort) ? "yes" : "",
      .neighbourNetwork: best.network ?? "", .neighbourUnpublished: best.isUnpublished ? "yes" : "",
    ]
    if best.isUnpublished, given.proxy.usesHostNetwork, let name = best.container {
      // By its address a program of this machine reaches it as well, until it has another one. Where the route had such
      // an address before, that is the way that was meant.
      let wasAddress = try given.upstreamHost.isAddress && given[.upstreamPlace] != "host"
      if !wasAddress { learned[.neighbourHost] = "" }
      if let container = try? await world.container(name) {
        learned.merge(await world.publishing(best.port, of: container, at: best.port))
      }
    }
    return (found.count == 1 || best.container != nil ? .one : .several, learned)
  }
}
