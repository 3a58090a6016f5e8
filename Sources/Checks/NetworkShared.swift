import Discovery
import Model
import Routes
import World

extension FactName {
  static let networkDialled: FactName = "network.dialled"
  static let networkProxy: FactName = "network.of-proxy"
  static let networkUpstream: FactName = "network.of-upstream"
  static let networkOnly: FactName = "network.only"
  static let networkCommon: FactName = "network.common"
  static let networkJoin: FactName = "network.join"
  static let networkJoiner: FactName = "network.joiner"
  static let networkNew: FactName = "network.new"
  static let networkGateway: FactName = "network.gateway"
  static let networkOwner: FactName = "network.owner"
  static let networkInside: FactName = "network.inside-name"
  static let networkDriver: FactName = "network.driver"
  static let networkParent: FactName = "network.parent"
  static let networkMachine: FactName = "network.machine-address"
  static let networkInternal: FactName = "network.internal"
  static let networkShim: FactName = "network.shim-mode"
}

extension FactName {
  static let joinService: FactName = "join.service"
  static let joinProject: FactName = "join.project"
  static let joinFile: FactName = "join.file"
  static let joinProgram: FactName = "join.program"

  /// What says which container has to join which network, and keeps it there: lines of its Compose file.
  static let ofJoining: [FactName] =
    [.networkJoin, .networkJoiner, .joinProgram, .joinProject, .joinService, .joinFile]
    + [Line.join, .external].flatMap(ofWholeLine)
}

private enum NetworkOutcome: String, CheckOutcome {
  /// A user-defined network, or the addresses of a common default bridge.
  case shared
  case separate
  /// Only Docker's default network, where names do not resolve.
  case defaultBridge = "default-bridge"
  /// The upstream has no network of its own.
  case hostNetwork = "host-network"
  /// The upstream lives in another container's network, so its own name leads nowhere.
  case anothersNetwork = "anothers-network"
  /// They share one, and the proxy dials the address in another.
  case otherAddress = "other-address"
  /// They share one, and the proxy may dial the address in another.
  case chance
  /// The proxy dials a port of this machine, so Docker's networks do not matter.
  case published
  /// The same, but the port is published at another of the machine's addresses.
  case otherBinding = "other-binding"
  /// The same, and the container is in internal networks only, where publishing has no effect.
  case `internal`
  /// The proxy is in the machine's own network, from where every container's address is reached.
  case direct
  /// The same, and the route has a container's name, which only other containers know.
  case noName = "no-name"
  /// One of the two is beside this machine (macvlan, ipvlan), and the way to the other leads through this machine.
  case shutOut = "shut-out"
  case unknown
}

extension Check {
  /// Compares the Docker networks of proxy and upstream, by id.
  static let networkShared = Check(
    "network.shared", needs: [.upstreamID, .proxyPlace, .upstreamHost],
    learns: [
      .networkProxy, .networkUpstream, .networkCommon, .networkOnly, .networkNew, .networkGateway,
      .networkDialled, .networkInside, .networkOwner, .networkDriver, .networkParent, .networkMachine, .networkShim,
      .networkInternal,
      .publishedAt,
      .publishedHost, .publishedPort,
    ] + FactName.ofJoining + FactName.ofPublishing, outcome: NetworkOutcome.self
  ) { world, given, _ throws(Unseen) in
    let upstream = try await world.container(try given.upstreamID)
    let theirs = upstream.networks
    let name = try given.upstreamHost
    var learned: Facts = [.networkUpstream: theirs.keys.sorted().joined(separator: ", ")]
    let bindings = upstream.bindings.filter { $0.hostPort == given.port(.upstreamPort) }
    let fromMachine = given.proxy.usesHostNetwork
    let isElsewhere =
      !bindings.isEmpty && !bindings.contains { $0.isReached(at: name, fromMachine: fromMachine) }
    if let inside = given.port(.upstreamInside) { learned.merge(upstream.published(inside)) }
    let networks = (try? await world.networks()) ?? []
    let beside = networks.filter(\.isBesideMachine)
    let isInternal =
      !theirs.isEmpty
      && theirs.values.allSatisfy { own in
        networks.contains { $0.Id == own.NetworkID && $0.Internal == true }
      }
    if isInternal { learned[.networkInternal] = "yes" }
    let theirSide = beside.first { $0.isOnly(in: theirs) }
    if let theirSide {
      learned[.networkDriver] = theirSide.Driver
      learned[.networkParent] = theirSide.parent
      learned[.networkShim] = theirSide.Driver == "ipvlan" ? "l2" : "bridge"
      learned[.networkMachine] = ((try? await world.see(OwnAddresses())) ?? []).first(where: theirSide.holds)
    }
    guard let id = given[.proxyID], !fromMachine else {
      if given[.upstreamPublished] != nil {
        return (isInternal ? .internal : isElsewhere ? .otherBinding : .published, learned)
      }
      if theirSide != nil { return (.shutOut, learned) }
      guard fromMachine, !name.isAddress, given[.routeContainer] == nil, !upstream.usesHostNetwork else {
        return (.direct, learned)
      }
      if learned[.publishedPort] == nil, let inside = given.port(.upstreamInside) {
        learned.merge(await world.publishing(inside, of: upstream, at: inside))
      }
      return (.noName, learned)
    }
    // A proxy that lives in another container's network has that one's networks, and only that one can join others.
    let own = try await world.container(id)
    let proxy = try await world.networkHolder(of: own) ?? own
    let ours = proxy.networks
    learned[.networkProxy] = ours.keys.sorted().joined(separator: ", ")
    learned[.networkGateway] = ours.sorted { $0.key < $1.key }.lazy.compactMap(\.value.Gateway).first { !$0.isEmpty }
    let common = ours.filter { network in theirs.values.contains { $0.NetworkID == network.value.NetworkID } }
    let named = common.keys.filter { !Network.defaults.contains($0) }.sorted()
    if given[.upstreamPublished] != nil, try await world.see(OwnAddresses()).contains(name) || name.hasPrefix("host.") {
      // The way past the published port: by name, in a network that both are in.
      let join = named.isEmpty ? joining(ours, proxy, theirs, upstream) : nil
      learned[.networkInside] = named.isEmpty && join == nil ? nil : upstream.name
      learned[.networkJoin] = join?.network
      learned[.networkJoiner] = join?.joiner
      if let own = beside.first(where: { $0.isOnly(in: ours) }) {
        learned[.networkDriver] = own.Driver
        return (.shutOut, learned)
      }
      return (isInternal ? .internal : isElsewhere ? .otherBinding : .published, learned)
    }
    if upstream.usesHostNetwork { return (.hostNetwork, learned) }
    learned[.networkCommon] = common.keys.sorted().joined(separator: ", ")
    learned[.networkOnly] = common.count == 1 ? common.keys.first : nil
    let dialled = theirs.first { $0.value.addresses.contains(name) }?.key
    if !common.isEmpty, !name.isAddress, upstream.networkOwner != nil,
      let owner = try await world.networkHolder(of: upstream)
    {
      learned[.networkOwner] = owner.Config?.Labels?["com.docker.compose.service"] ?? owner.name
      return (.anothersNetwork, learned)
    }
    let apart = given.list(.routeNetworks).filter { network in
      !ours.values.contains { $0.NetworkID == theirs[network]?.NetworkID }
    }
    if !common.isEmpty, let dialled, common[dialled] == nil || !apart.isEmpty {
      learned[.networkCommon] = named.first ?? common.keys.sorted().first
      learned[.networkDialled] = apart.first ?? dialled
      learned[.networkJoin] = learned[.networkDialled]
      learned[.networkJoiner] = proxy.name
      learned.merge(await world.joining(proxy, dialled))
      return (apart.isEmpty ? .otherAddress : .chance, learned)
    }
    if let network = named.first {
      learned[.networkCommon] = network
      return (.shared, learned)
    }
    if !common.isEmpty, name.isAddress { return (.shared, learned) }
    // A proxy that joins a network beside the machine may lose its published ports, so there the app joins the proxy's.
    let join =
      theirSide == nil
      ? joining(ours, proxy, theirs, upstream)
      : joining([:], upstream, ours, proxy).map {
        (network: $0.network, joiner: upstream.name)
      }
    learned[.networkJoin] = join?.network
    learned[.networkJoiner] = join?.joiner
    learned[.networkInside] = theirSide != nil && name.isAddress ? upstream.name : nil
    learned[.networkNew] = "\(proxy.name)-net"
    if let (network, name) = join { learned.merge(await world.joining(name == proxy.name ? proxy : upstream, network)) }
    return (common.isEmpty ? .separate : .defaultBridge, learned)
  }

  /// Whoever has a network of its own takes the other one in; the proxy joins rather than the app.
  private static func joining(
    _ ours: [String: EndpointSettings], _ proxy: Container, _ theirs: [String: EndpointSettings], _ upstream: Container
  ) -> (network: String, joiner: String)? {
    func first(_ networks: [String: EndpointSettings]) -> String? {
      networks.keys.filter { !Network.defaults.contains($0) && $0 != "none" }.sorted().first
    }
    return first(theirs).map { ($0, proxy.name) } ?? first(ours).map { ($0, upstream.name) }
  }
}

extension Network {
  /// True if these are all in it.
  fileprivate func isOnly(in ends: [String: EndpointSettings]) -> Bool {
    !ends.isEmpty && ends.values.allSatisfy { $0.NetworkID == Id }
  }
}

extension World {
  /// What keeps a container in a network for good: its Compose file's lines; empty where it has none.
  func joining(_ container: Container, _ network: String) async -> Facts {
    let labels = container.Config?.Labels ?? [:]
    guard let service = await ComposeService(of: labels, in: self), service.files.count == 1,
      let lines = service.joining(network)
    else { return [:] }
    var facts: Facts = [
      .joinService: service.name, .joinProject: service.project, .joinFile: service.files[0],
      .joinProgram: await compose(labels)[.composeProgram] ?? "",
    ]
    facts.set(lines.service, .join)
    facts.set(lines.file, .external)
    return facts
  }
}
