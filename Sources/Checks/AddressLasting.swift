import Discovery
import Model
import Routes
import World

extension FactName {
  static let addressHost: FactName = "address.host"
}

private enum LastingOutcome: String, CheckOutcome {
  /// The proxy finds the container made anew, too.
  case lasting
  /// The route has the container's address itself, which the next one may not have.
  case written
  /// The proxy keeps the address that the name had when it loaded its configuration.
  case kept
  case unknown
}

extension Check {
  /// Whether the proxy still finds the app when its container is made anew and has another address.
  ///
  /// Nothing to fear is a published port, an address that the container was given to keep, and a proxy that is told of
  /// containers by the engine.
  static let addressLasting = Check(
    "address.lasting", needs: [.upstreamID, .upstreamHost], learns: [.addressHost], outcome: LastingOutcome.self
  ) { world, given, _ throws(Unseen) in
    let host = try given.upstreamHost
    let container = try await world.container(try given.upstreamID)
    let ends = container.networks.values.filter { !$0.addresses.isEmpty }
    guard given[.upstreamPublished] == nil, given[.sourceKind] == nil, given[.routeContainer] == nil else {
      return (.lasting, [:])
    }
    let mayChange = ends.filter { !$0.keepsAddresses }
    if host.isAddress {
      let isWritten = mayChange.contains { $0.addresses.contains(host.trimmedBrackets) }
      return isWritten ? (.written, [.addressHost: container.name]) : (.lasting, [:])
    }
    return (given[.routeResolves] == Route.Resolution.atStart && !mayChange.isEmpty ? .kept : .lasting, [:])
  }
}
