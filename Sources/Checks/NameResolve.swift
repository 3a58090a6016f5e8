import Discovery
import Model
import Routes
import World

extension FactName {
  static let nameAddresses: FactName = "name.addresses"
  static let nameMany: FactName = "name.many"
  static let nameListed: FactName = "name.listed"
  static let nameOthers: FactName = "name.others"
  static let nameServers: FactName = "name.servers"
  static let nameFailingServers: FactName = "name.failing-servers"
  static let nameOtherwise: FactName = "name.otherwise"
  static let nameKnownBy: FactName = "name.known-by"
  static let namePlaceServers: FactName = "name.place-servers"
  static let namePlaceServer: FactName = "name.place-server"
  static let nameKnowingServers: FactName = "name.knowing-servers"
  static let upstreamDial: FactName = "upstream.dial"
}

private enum NameOutcome: String, CheckOutcome {
  /// The route has an address, no name.
  case address
  case found
  /// It has addresses, and none of the kind that the proxy takes.
  case otherFamily = "other-family"
  case notFound = "not-found"
  case failing, silent
  /// For some of the resolvers that the proxy asks in turn, and not for all of them.
  case someServers = "some-servers"
  /// Not for the resolver that the proxy uses, but for the system in its place.
  case differs
  /// Not in the proxy's container, but on this machine.
  case onlyOutside = "only-outside"
  /// nginx: a variable in the route and no `resolver`.
  case noResolver = "no-resolver"
  case unknown
}

extension Check {
  /// Resolves the route's host from the proxy's place, by the rules of its own kind; where that fails, looks who else
  /// knows the name.
  static let nameResolve = Check(
    "name.resolve", needs: [.upstreamHost, .upstreamPort, .proxyPlace, .proxyPID],
    learns: [
      .nameAddresses, .nameAddress, .nameOthers, .nameServers, .nameOtherwise, .nameKnownBy, .namePlaceServers,
      .upstreamDial, .nameFailingServers, .namePlaceServer, .nameKnowingServers, .nameMany, .nameListed, .familyDialled,
      .familyListens, .familyAddress,
    ] + FactName.ofProxyService + FactName.making("gateway", of: "proxy"), outcome: NameOutcome.self
  ) { world, given, _ throws(Unseen) in
    let (name, port, place) = (try given.upstreamHost, try given.upstreamPort, try given.dialsFrom)
    let dialled = try await world.dialled(name, by: given, in: place)
    let first = dialled.addresses.first
    var learned: Facts = [
      .nameAddresses: dialled.addresses.joined(separator: ", "), .nameAddress: first ?? "",
      .nameOthers: dialled.others.joined(separator: ", "), .nameServers: dialled.servers.joined(separator: ", "),
      .upstreamDial: first.map { "\($0.inURL):\(port)" } ?? "",
    ]
    let outcome: NameOutcome
    switch dialled.answer {
    case .address: return (.address, learned)
    case .known: return (.found, learned)
    case .asked(.addresses):
      guard first != nil else {
        let other = dialled.others.first
        return (
          .otherFamily,
          learned.merging(.families(dialledIsIPv6: other?.isIPv6 == false)).merging([.familyAddress: other ?? ""])
        )
      }
      if dialled.isListed { learned[.nameListed] = "yes" }
      if dialled.addresses.count > 1 { learned[.nameMany] = "yes" }
      let failing = await world.failing(dialled.servers, to: name, by: given, in: place)
      guard !failing.isEmpty else { return (.found, learned) }
      learned[.nameFailingServers] = failing.joined(separator: ", ")
      learned[.nameKnowingServers] = dialled.servers.filter { !failing.contains($0) }.joined(separator: " ")
      return (.someServers, learned)
    case .noResolver:
      return (.noResolver, [.nameServers: (try? await world.nameServers(in: place))?.first ?? ""])
    case .asked(.noSuchName), .asked(.noData): outcome = .notFound
    case .asked(.serverFailure), .asked(.refused): outcome = .failing
    case .asked(.silent): outcome = .silent
    }
    if ["host.docker.internal", "host.containers.internal"].contains(name) {
      learned.merge(await world.machineNamed(name, given))
    }
    if given[.routeResolves] == Route.Resolution.eachRequest {
      guard let (known, by) = await world.lookup(name, in: place, except: dialled.servers) else {
        return (outcome, learned)
      }
      learned[.nameOtherwise] = known.joined(separator: ", ")
      learned[.nameKnownBy] = by
      let servers = try? await world.nameServers(in: place)
      learned[.namePlaceServers] = servers?.joined(separator: " ")
      learned[.namePlaceServer] = servers?.first
      return (.differs, learned)
    }
    if place != .host, let known = try? await world.see(SystemLookup(name: name)), !known.isEmpty {
      learned[.nameOtherwise] = known.joined(separator: ", ")
      learned[.nameKnownBy] = "machine"
      return (.onlyOutside, learned)
    }
    return (outcome, learned)
  }
}

extension World {
  /// What gives the proxy's container a name for this machine.
  fileprivate func machineNamed(_ name: String, _ given: Case) async -> Facts {
    let line = "\(name):host-gateway"
    let written = await composed(given) { $1.set($0.adding("\"\(line)\"", to: "extra_hosts"), .source) }
    guard let id = given[.proxyID] else { return written }
    return written.merging(await making(of: id)?.adding("--add-host", line).facts("gateway", of: "proxy") ?? [:])
  }

  /// Those of several resolvers that do not know the name, for a proxy that asks each of them in its turn.
  fileprivate func failing(
    _ servers: [String], to name: String, by given: Case, in place: Place
  ) async -> [String] {
    guard given[.routeResolversInTurn] != nil, servers.count > 1 else { return [] }
    return await withTaskGroup(of: String?.self) { group in
      for server in servers.prefix(8) {
        group.addTask {
          let look = DNSQuery(name: name, servers: [server], place: place)
          guard let answer = try? await see(look).answer, answer != .addresses else { return nil }
          return server
        }
      }
      return await group.reduce(into: []) { if let server = $1 { $0.append(server) } }.sorted()
    }
  }
}
