import Discovery
import Model
import Routes
import World

extension FactName {
  static let nameOld: FactName = "name.old"
}

private enum InsideOutcome: String, CheckOutcome {
  /// It takes connections inside, and from the proxy's place none.
  case accepted
  case refused
  /// It takes them from the proxy's place as well: what was refused there was refused at another moment.
  case meanwhile
  /// Refused at the kind of address that the proxy dials, and taken at the other kind.
  case otherFamily = "other-family"
  /// Taken, at an address that is not the one which the proxy dials: that one is not the app's.
  case elsewhere
  case unknown
}

extension Check {
  /// Connects to the app's port inside its own network. What is refused there, too, no packet filter on the way refuses.
  static let insideConnect = Check(
    "inside.connect",
    needs: [
      .nameAddress, .upstreamInside, .upstreamPlace, .upstreamPort, .proxyPlace, .connectErrno,
    ],
    learns: [.familyDialled, .familyListens, .nameOld, .siteSometimes] + FactName.making("hosts", of: "proxy"),
    outcome: InsideOutcome.self, limit: 5
  ) { world, given, _ throws(Unseen) in
    let (dialled, port, place) = (try given.address, try given.upstreamInside, try given.listensIn)
    let own = given.list(.upstreamAddresses)
    // By a port of this machine, the engine dials the address that the app has.
    let isIPv6 = own.isEmpty || own.contains(dialled) ? dialled.isIPv6 : own.allSatisfy(\.isIPv6)
    let target = own.contains(dialled) ? dialled : own.first { $0.isIPv6 == isIPv6 } ?? (isIPv6 ? "::1" : "127.0.0.1")
    switch try await world.see(TCPConnect(address: target, port: port, place: place, limit: 1)).outcome {
    case .accepted:
      let isOld = !own.isEmpty && given[.upstreamPublished] == nil && !own.contains(dialled)
      if isOld { return (.elsewhere, ([.nameOld: dialled] as Facts).merging(await world.withoutHost(given))) }
      let again = TCPConnect(address: dialled, port: try given.upstreamPort, place: try given.dialsFrom, limit: 1.5)
      return try await world.see(again).outcome == .accepted ? (.meanwhile, [.siteSometimes: "yes"]) : (.accepted, [:])
    case .refused: break
    case .timeout, .unreachable, .denied, .other: return (.unknown, [:])
    }
    let other = isIPv6 ? "127.0.0.1" : "::1"
    guard try await world.see(TCPConnect(address: other, port: port, place: place, limit: 1)).outcome == .accepted
    else {
      return (.refused, [:])
    }
    return (.otherFamily, .families(dialledIsIPv6: isIPv6))
  }
}

extension World {
  /// How the proxy's container is made again without the address that it was given for the route's name.
  fileprivate func withoutHost(_ given: Case) async -> Facts {
    guard let id = given[.proxyID], let name = given[.upstreamHost],
      let hosts = (try? await container(id))?.HostConfig?.ExtraHosts,
      hosts.contains(where: { $0.hasPrefix(name + ":") })
    else { return [:] }
    return await making(of: id)?.withoutHost(name).facts("hosts", of: "proxy") ?? [:]
  }
}
