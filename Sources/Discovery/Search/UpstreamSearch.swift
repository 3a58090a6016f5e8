public import Model
public import World

/// What stands behind a route's host and port, seen from the proxy's place.
public enum UpstreamFound: Sendable {
  /// A container, and the port inside it that the route's port leads to.
  case container(Container, port: UInt16)
  /// A process of this machine.
  case host
  /// A process in the proxy's own container.
  case besideProxy
  /// Loopback, where nobody listens: the proxy's own container.
  case proxyItself
  /// An address of a Docker network here that no container has.
  case goneAddress
  /// A service of Docker's Swarm of which no container runs.
  case absent(SwarmAbsence)
  /// A name that no container here has; `near` is the most similar one that the proxy could use.
  case noSuchContainer(near: String?)
  /// An address that is not of this machine.
  case elsewhere
}

/// The proxy as the search for its upstream needs it.
public struct ProxyPlace: Sendable {
  public let id: String?
  public let pid: Int32?
  /// True if its loopback is this machine's.
  public let usesHostNetwork: Bool
  /// Whose it is; of one in a container that the engine lists, the engine knows.
  public let standing: Standing
  public init(id: String?, pid: Int32?, usesHostNetwork: Bool, standing: Standing = .own) {
    self.id = id
    self.pid = pid
    self.usesHostNetwork = usesHostNetwork
    self.standing = standing
  }

  /// The place whose files it sees, with the rights that it has there; nil while it does not run.
  public var files: Place? { id == nil && standing == .own ? .host : pid.map { .process($0) } }
}

extension World {
  public func upstream(host: String, port: UInt16, of proxy: ProxyPlace) async throws(Unseen) -> UpstreamFound {
    let host = host.lowercased()
    if host.isLoopback || host.isAnyAddress, !proxy.usesHostNetwork {
      guard let pid = proxy.pid else { return .proxyItself }
      let listening = try await see(Listeners(place: .process(pid)))
      return listening.contains { $0.port == port } ? .besideProxy : .proxyItself
    }
    let containers: [ContainerSummary]
    do throws(Unseen) { containers = try await self.containers() } catch .missing { containers = [] }
    if try await isOfThisMachine(host) {
      if let (container, inside) = try await published(port, at: host, containers) {
        return await absence(of: container).map(UpstreamFound.absent) ?? .container(container, port: inside)
      }
      let isThere = (try? await see(Listeners(place: .host)))?.contains { $0.port == port } != false
      if !isThere, !containers.isEmpty, let absence = await absence(ofService: { $0.publishes(port) }) {
        return .absent(absence)
      }
      return .host
    }
    if host.isAddress {
      if let owner = containers.first(where: { $0.networkOwner == nil && $0.addresses.contains(host) }) {
        return .container(try await container(owner.Id), port: port)
      }
      let networks = containers.isEmpty ? [] : try await networks()
      return networks.contains { $0.holds(host) } ? .goneAddress : .elsewhere
    }
    if let named = try await named(host, containers, near: proxy) {
      return await absence(of: named).map(UpstreamFound.absent) ?? .container(named, port: port)
    }
    if !containers.isEmpty, let absence = await absence(ofService: { $0.answers(to: host) }) { return .absent(absence) }
    let own = containers.first { $0.Id == proxy.id }
    let others = containers.filter { $0.Id != proxy.id && $0.isRunning && $0.sharesNetwork(with: own) }
    return .noSuchContainer(near: await nearName(of: host, port: port, among: others))
  }

  /// Of a container that a Swarm made and that does not run: why its service has none that does.
  private func absence(of container: Container) async -> SwarmAbsence? {
    guard !container.isRunning, let service = container.swarmService else { return nil }
    return await absence(ofService: { $0.name == service })
  }

  private func isOfThisMachine(_ host: String) async throws(Unseen) -> Bool {
    if host.isLoopback || host.isAnyAddress || host == "host.docker.internal" || host == "host.containers.internal" {
      return true
    }
    return host.isAddress ? try await see(OwnAddresses()).contains(host) : false
  }

  /// The container to which a port of this machine leads, running or not, and the port inside.
  private func published(
    _ port: UInt16, at host: String, _ containers: [ContainerSummary]
  ) async throws(Unseen) -> (Container, UInt16)? {
    let running = containers.filter(\.isRunning).flatMap { container in
      (container.Ports ?? []).filter { $0.PublicPort == port }.map { (container, $0) }
    }
    // Two containers may have the same port at different addresses.
    if let (container, mapping) = running.first(where: { $0.1.IP == host || host.isLoopback && $0.1.IP == "127.0.0.1" })
      ?? running.first, let inside = mapping.PrivatePort
    {
      return (try await self.container(container.Id), inside)
    }
    // A container that does not run has no ports in the list, nor has one in an internal network; its wish is in its own
    // description.
    let isSilent: (ContainerSummary) -> Bool = { container in
      !container.isRunning || container.State == "restarting"
        || container.Ports?.contains { $0.PublicPort != nil } != true
    }
    for container in containers.filter(isSilent).sorted(by: { !$0.isRunning && $1.isRunning }).prefix(32) {
      guard let details = try? await self.container(container.Id) else { continue }
      if let binding = details.bindings.first(where: { $0.hostPort == port }) { return (details, binding.inside) }
    }
    return nil
  }

  /// The container that a name means: by its own name, its Compose service, its id, then its network aliases.
  private func named(
    _ name: String, _ containers: [ContainerSummary], near proxy: ProxyPlace
  ) async throws(Unseen) -> Container? {
    let own = containers.first { $0.Id == proxy.id }
    let others = containers.filter { $0.Id != proxy.id }
    // A link of the old kind gives a container another name, for one other container.
    let link = own.map { "/\($0.name)/\(name)" }
    let matching = others.filter { other in
      other.name.lowercased() == name || other.service?.lowercased() == name
        || other.Id.hasPrefix(name) && name.count >= 12
        || link.map { other.Names?.contains($0) == true } == true
    }
    let best = matching.max { left, right in
      (left.rank(for: name, beside: own)) < (right.rank(for: name, beside: own))
    }
    if let best { return try await container(best.Id) }
    for other in others.filter({ $0.sharesNetwork(with: own) || !$0.isRunning }).prefix(24) {
      guard let details = try? await container(other.Id) else { continue }
      if details.Config?.Hostname?.lowercased() == name
        || details.networks.values.contains(where: { $0.names.contains { $0.lowercased() == name } })
      {
        return details
      }
    }
    return nil
  }
}

extension ContainerSummary {
  func sharesNetwork(with other: ContainerSummary?) -> Bool {
    !Set(networks.values.compactMap(\.NetworkID)).isDisjoint(
      with: (other?.networks ?? [:]).values.compactMap(\.NetworkID))
  }

  /// How well a container fits a name: reachable ones first, then running ones, then its own name.
  fileprivate func rank(for name: String, beside proxy: ContainerSummary?) -> Int {
    (sharesNetwork(with: proxy) ? 8 : 0) + (project != nil && project == proxy?.project ? 4 : 0)
      + (isRunning ? 2 : 0) + (self.name.lowercased() == name ? 1 : 0)
  }
}
