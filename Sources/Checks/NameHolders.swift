import Discovery
import Model
import Routes
import World

extension FactName {
  static let holdersAll: FactName = "holders.all"
  static let holdersRight: FactName = "holders.right"
}

private enum HoldersOutcome: String, CheckOutcome {
  /// One container has the name, or replicas of one app have it.
  case one
  /// Containers of different apps, and not all of them listen on the route's port.
  case several
  case unknown
}

extension Check {
  /// Looks whose the addresses are to which the route's name leads: a name of several apps leads to each of them in turn.
  static let nameHolders = Check(
    "name.holders", needs: [.upstreamHost, .upstreamPort, .nameAddresses, .nameMany, .proxyPlace],
    learns: [.holdersAll, .holdersRight], outcome: HoldersOutcome.self
  ) { world, given, _ throws(Unseen) in
    let addresses = Set(given.list(.nameAddresses))
    let (name, port) = (try given.upstreamHost, try given.upstreamPort)
    let holders = try await world.containers().filter {
      $0.isRunning && $0.networkOwner == nil && !addresses.isDisjoint(with: $0.addresses)
    }.sorted { $0.name < $1.name }
    guard Set(holders.map(\.app)).count > 1 else { return (.one, [:]) }
    var right: [ContainerSummary] = []
    for holder in holders.prefix(8) {
      guard let pid = try await world.container(holder.Id).pid else { continue }
      let listeners = try await world.see(Listeners(place: .process(pid)))
      if listeners.contains(where: { $0.port == port && !$0.isLoopback }) { right.append(holder) }
    }
    guard right.count < min(holders.count, 8) else { return (.one, [:]) }
    var learned: Facts = [.holdersAll: holders.map(\.name).joined(separator: ", ")]
    // Its own name leads to it alone.
    if Set(right.map(\.app)).count == 1, right[0].name != name { learned[.holdersRight] = right[0].name }
    return (.several, learned)
  }
}

extension ContainerSummary {
  /// What replicas of one app have in common.
  fileprivate var app: [String] { service.map { [project ?? "", $0] } ?? [image] }
}
