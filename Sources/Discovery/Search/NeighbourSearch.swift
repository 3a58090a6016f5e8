public import Model
public import World

/// An app that a route with a wrong host or port probably meant.
public struct Neighbour: Sendable, Equatable {
  /// Its container's name; nil for a process of the host.
  public let container: String?
  /// Host and port as the proxy would reach it.
  public let host: String
  public let port: UInt16
  /// The network that the proxy has to join first; nil if it can reach it already.
  public let network: String?
  /// True for a container's port that this machine does not publish.
  public var isUnpublished = false
  /// All by which a route may name it, and its container's id.
  fileprivate var names: Set<String> = ["127.0.0.1", "localhost", "::1"]
  fileprivate let rank: Int
}

extension World {
  /// Apps that fit a port at which the route's own host has nobody, best first.
  ///
  /// For a proxy with a network of its own: containers that listen on that port or publish it. For one in the
  /// host's network: published ports that lead to it, then processes of the host that answer HTTP. A proxy with sites of
  /// its own is none, nor is the app of another site.
  public func neighbours(
    at port: UInt16, site: String, of proxy: ProxyPlace, gateway: String?, _ signs: Signs
  ) async throws(Unseen) -> [Neighbour] {
    let found = try await fitting(port, site: site, of: proxy, gateway: gateway, signs)
    guard !found.isEmpty else { return [] }
    let served = try await RouteReading.sites(in: self, signs).sites
    return found.filter { neighbour in
      !served.contains { listed in
        if let container = listed.container, neighbour.names.contains(container) { return true }
        let (host, port) = listed.upstream.authority.hostAndPort
        return listed.site.host.withoutWWW != site.withoutWWW && neighbour.port == port
          && neighbour.names.contains(host)
      }
    }
  }

  /// The app in reach of a proxy with a network of its own, whatever its port, if there is only one: a container that
  /// listens on a single port, and answers for no other site.
  public func onlyNeighbour(site: String, of proxy: ProxyPlace, _ signs: Signs) async throws(Unseen) -> [Neighbour] {
    guard !proxy.usesHostNetwork, let own = try await containers().first(where: { $0.Id == proxy.id }) else {
      return []
    }
    var found: [Neighbour] = []
    for container in try await containers().prefix(48) {
      guard container.Id != own.Id, container.Id != own.networkOwner, container.State == "running",
        container.sharesNetwork(with: own), let pid = (try? await self.container(container.Id))?.pid,
        let listeners = try? await besideProxies(in: .process(pid), signs)
      else { continue }
      let ports = Set(listeners.filter { !$0.isLoopback }.map(\.port))
      guard ports.count == 1, let port = ports.first else { continue }
      let others = try await neighbours(at: port, site: site, of: proxy, gateway: nil, signs)
      found += others.filter { $0.container == container.name && $0.network == nil }
    }
    return found.count == 1 ? found : []
  }

  private func fitting(
    _ port: UInt16, site: String, of proxy: ProxyPlace, gateway: String?, _ signs: Signs
  ) async throws(Unseen) -> [Neighbour] {
    let containers: [ContainerSummary]
    do throws(Unseen) { containers = try await self.containers() } catch .missing { containers = [] }
    let own = containers.first { $0.Id == proxy.id }
    // The container whose network the proxy lives in is the proxy's own place.
    let running = containers.filter { $0.Id != proxy.id && $0.Id != own?.networkOwner && $0.State == "running" }
    let labels = site.split(separator: ".").map(String.init).filter { $0.count > 2 }
    func rank(_ container: ContainerSummary) -> Int {
      let names = [container.name, container.service ?? ""].joined(separator: " ").lowercased()
      return (container.sharesNetwork(with: own) ? 4 : 0) + (labels.contains { names.contains($0) } ? 2 : 0)
    }
    var found: [Neighbour] = []
    if proxy.usesHostNetwork {
      for container in running {
        for mapping in container.Ports ?? [] where mapping.PrivatePort == port {
          guard let outside = mapping.PublicPort else { continue }
          found.append(
            Neighbour(
              container: container.name, host: "127.0.0.1", port: outside, network: nil,
              names: container.allNames.union(["127.0.0.1", "localhost"]), rank: rank(container)))
        }
      }
      if found.isEmpty {
        for container in running.prefix(24) where container.Ports?.contains(where: { $0.PublicPort != nil }) != true {
          guard try await listeningPort(of: container, fitting: port) == port,
            let address = container.addresses.first
          else { continue }
          found.append(
            Neighbour(
              container: container.name, host: address, port: port, network: nil, isUnpublished: true,
              names: container.allNames, rank: rank(container)))
        }
      }
      if found.isEmpty, try await besideProxies(in: .host, signs).contains(where: { $0.port == port }) {
        found.append(Neighbour(container: nil, host: "127.0.0.1", port: port, network: nil, rank: 0))
      }
      if found.isEmpty { found = try await answering(besides: port, signs) }
    } else {
      // Those in reach first; a host with hundreds of containers is not searched through.
      let nearest = running.map { ($0, rank($0)) }.sorted { ($1.1, $0.0.name) < ($0.1, $1.0.name) }.map(\.0)
      for container in nearest.prefix(24) {
        guard let inside = try await listeningPort(of: container, fitting: port) else { continue }
        // One that lives in another container's network is reached by that one's name, one in this machine's network by
        // this machine's address.
        let named = container.networkOwner.map { owner in containers.first { $0.Id == owner } } ?? container
        guard let named, let host = container.usesHostNetwork ? gateway : named.service ?? named.name else { continue }
        let shares = container.sharesNetwork(with: own) || container.usesHostNetwork
        found.append(
          Neighbour(
            container: container.name, host: host, port: inside,
            network: shares ? nil : container.networks.keys.filter { !Network.defaults.contains($0) }.sorted().first,
            isUnpublished: !container.usesHostNetwork
              && container.Ports?.contains { $0.PublicPort != nil && $0.PrivatePort == inside } != true,
            names: container.allNames.union(named.allNames),
            rank: rank(container)
              + (container.Ports?.contains { $0.PublicPort == port || $0.PrivatePort == port } == true ? 1 : 0)))
      }
      if found.isEmpty, let gateway,
        try await see(Listeners(place: .host)).contains(where: { $0.port == port && !$0.isLoopback })
      {
        found.append(Neighbour(container: nil, host: gateway, port: port, network: nil, names: [gateway], rank: 0))
      }
    }
    return found.sorted { ($1.rank, $0.container ?? "") < ($0.rank, $1.container ?? "") }
  }

  /// The port inside a container that a dialled port means: itself, or the one behind a published port.
  private func listeningPort(of container: ContainerSummary, fitting port: UInt16) async throws(Unseen) -> UInt16? {
    let published = container.Ports?.first { $0.PublicPort == port }?.PrivatePort
    guard let pid = (try? await self.container(container.Id))?.pid,
      let listeners = try? await see(Listeners(place: .process(pid)))
    else { return published }
    let open = Set(listeners.filter { !$0.isLoopback }.map(\.port))
    return [port, published].compactMap { $0 }.first { open.contains($0) }
  }

  /// The listening sockets of a place that no proxy's process holds.
  public func besideProxies(in place: Place, _ signs: Signs) async throws(Unseen) -> [Listener] {
    let proxies = Set(try await see(Processes(names: signs.proxyProcesses)).map(\.id))
    return try await see(Listeners(place: place)).filter { proxies.isDisjoint(with: $0.processes) }
  }

  /// Processes of the host, other than proxies, that answer HTTP on an unprivileged port.
  private func answering(besides port: UInt16, _ signs: Signs) async throws(Unseen) -> [Neighbour] {
    let listeners = try await besideProxies(in: .host, signs)
    let ports = Set(listeners.map(\.port).filter { $0 > 1023 && $0 != port }).sorted()
    var unseen: Unseen?
    var answering: [UInt16] = []
    await withTaskGroup(of: (UInt16, Result<HTTPRequest.Sight, Unseen>).self) { group in
      for port in ports.prefix(12) {
        let request = HTTPRequest(url: "http://localhost/", address: "127.0.0.1", port: port, limit: 1)
        group.addTask { (port, await result(of: request)) }
      }
      for await (port, result) in group {
        switch result {
        case .success(let sight): if sight.status != nil { answering.append(port) }
        case .failure(let problem): unseen = problem
        }
      }
    }
    if answering.isEmpty, let unseen { throw unseen }
    return answering.sorted()
      .map { Neighbour(container: nil, host: "127.0.0.1", port: $0, network: nil, rank: 0) }
  }
}

extension ContainerSummary {
  /// All by which others may name it.
  fileprivate var allNames: Set<String> {
    Set([Id, String(Id.prefix(12)), name] + addresses + [service].compactMap { $0 })
  }
}

extension String {
  fileprivate var withoutWWW: Substring { hasPrefix("www.") ? dropFirst(4) : self[...] }
}
