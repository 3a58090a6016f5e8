import Discovery
import Model
import Routes
import World

extension FactName {
  static let upstreamContainer: FactName = "upstream.container"
  static let upstreamOwnName: FactName = "upstream.own-name"
  static let upstreamID: FactName = "upstream.id"
  static let upstreamPID: FactName = "upstream.pid"
  static let upstreamPlace: FactName = "upstream.place"
  static let upstreamInside: FactName = "upstream.inside-port"
  static let upstreamPublished: FactName = "upstream.published"
  static let upstreamAddresses: FactName = "upstream.addresses"
  static let upstreamNear: FactName = "upstream.near"
  static let twinOf: FactName = "twin.of"
  static let upstreamTenant: FactName = "upstream.tenant"
  static let publishProtocol: FactName = "publish.protocol"
  static let upstreamStarter: FactName = "upstream.starter"
  static let swarmService: FactName = "swarm.service"
  static let swarmReason: FactName = "swarm.reason"
  static let swarmConstraints: FactName = "swarm.constraints"
  static let routeLeadsNowhere: FactName = "route.leads-nowhere"
  static let upstreamElsewhere: FactName = "upstream.elsewhere"
  static let upstreamGatewayLike: FactName = "upstream.gateway-like"
}

private enum UpstreamOutcome: String, CheckOutcome {
  case container, host, beside, itself, gone, scaled, nameless, elsewhere, unknown
  /// A service of Docker's Swarm of which no container runs, though some should; or those that it makes end again and again.
  case absent, failing
  /// The route has an address; a container has it that does not listen on that port.
  case occupied
  /// The route has an address that a container was given to keep; it does not run, and another one has the address.
  case displaced
  /// The container that the name means does not run; another one of its image, for the same service of another Compose
  /// project, does, in no network of the proxy's.
  case replaced
  /// A port of this machine where nobody listens: it is published, and for another protocol than TCP.
  case datagram
  /// Loopback, where nobody listens on that port, in a container whose own start command names the port.
  case ended
  /// Loopback, where nobody listens on that port, in a container in which a program besides the proxy listens.
  case mixed
}

extension Check {
  /// Finds what stands behind the route's host and port: a container, a process, or nothing.
  static let upstreamFind = Check(
    "upstream.find", needs: [.upstreamHost, .upstreamPort, .proxyPlace],
    learns: [
      .upstreamContainer, .upstreamOwnName, .upstreamID, .upstreamPID, .upstreamPlace, .upstreamInside,
      .upstreamPublished, .upstreamAddresses, .upstreamNear, .twinOf, .upstreamTenant, .upstreamStarter,
      .routeLeadsNowhere, .upstreamElsewhere, .upstreamGatewayLike,
      .swarmService, .swarmReason, .swarmConstraints,
      .composeUnmade, .publishProtocol,
    ] + FactName.ofPublishing + FactName.ofPool + FactName.ofOrigin, outcome: UpstreamOutcome.self
  ) { world, given, signs throws(Unseen) in
    let host = try given.upstreamHost
    let port = try given.upstreamPort
    if let id = given[.routeContainer] {
      let container = try await world.container(id)
      return (
        .container,
        learned(container, port, routePort: port, host).merging(await world.origin(of: container, signs))
      )
    }
    let found = try await world.upstream(host: host, port: port, of: given.proxy)
    switch found {
    case .container(let container, let inside):
      if !container.isRunning, let twin = try? await world.twin(of: container, apartFrom: given[.proxyID]) {
        let facts = learned(twin, inside, routePort: port, host).merging(await world.origin(of: twin, signs))
        return (.replaced, facts.merging([.twinOf: container.name]))
      }
      var facts = learned(container, inside, routePort: port, host)
        .merging(await world.origin(of: container, signs))
      if given[.routeProtocol] == "fastcgi" {
        facts.merge(await world.poolSettings(of: container, at: .network(host: host, port: inside)))
      }
      guard host.isAddress, facts[.upstreamPublished] == nil, let place = container.pid.map({ Place.process($0) }),
        let listeners = try? await world.see(Listeners(place: place)),
        !listeners.contains(where: { $0.port == inside && !$0.isLoopback })
      else { return (.container, facts) }
      if let owner = try? await world.keeper(of: host) {
        facts = learned(owner, port, routePort: port, host).merging(await world.origin(of: owner, signs))
        facts[.upstreamTenant] = container.name
        return (.displaced, facts)
      }
      facts[.routeLeadsNowhere] = "yes"
      return (.occupied, facts)
    case .host:
      let isThere = try await world.see(Listeners(place: .host)).contains { $0.port == port }
      if !isThere, let facts = try? await world.otherwisePublished(at: port) { return (.datagram, facts) }
      var facts: Facts = [
        .upstreamPlace: "host", .upstreamInside: String(port), .routeLeadsNowhere: isThere ? "" : "yes",
      ]
      if isThere { facts.merge(await world.app(listeningAt: port, signs)) }
      if isThere, given[.routeProtocol] == "fastcgi" {
        facts.merge(await world.poolSettings(of: nil, at: .network(host: host, port: port)))
      }
      return (.host, facts)
    case .besideProxy:
      return (.beside, [.upstreamPlace: "proxy", .upstreamInside: String(port), .upstreamPID: given[.proxyPID] ?? ""])
    case .proxyItself:
      guard let pid = given.proxy.pid, let others = try? await world.besideProxies(in: .process(pid), signs),
        !others.isEmpty
      else {
        let own = if let id = given[.proxyID] { try? await world.container(id) } else { nil as Container? }
        guard let line = own?.shellLine, line.names(port: port) else { return (.itself, [.routeLeadsNowhere: "yes"]) }
        return (.ended, [.upstreamStarter: line.excerpt(of: 200), .routeLeadsNowhere: "yes"])
      }
      return (
        .mixed,
        [
          .upstreamPlace: "proxy", .upstreamInside: String(port), .upstreamPID: String(pid), .routeLeadsNowhere: "yes",
        ]
      )
    case .goneAddress: return (.gone, [.routeLeadsNowhere: "yes"])
    case .absent(let absence):
      guard let reason = absence.reason else { return (.scaled, [.swarmService: absence.service]) }
      return (
        absence.failures > 1 ? .failing : .absent,
        [
          .swarmService: absence.service, .swarmReason: reason,
          .swarmConstraints: absence.constraints.joined(separator: ", ").excerpt(of: 200),
        ]
      )
    case .noSuchContainer(let near):
      var facts: Facts = [.upstreamNear: near ?? "", .upstreamElsewhere: "yes"]
      if near == nil, let id = given[.proxyID], let labels = (try? await world.container(id))?.Config?.Labels {
        facts.merge(await world.unmade(host, beside: labels))
      }
      return (.nameless, facts)
    case .elsewhere:
      let isLike = given[.proxyID] != nil && host.isPrivateAddress && host.hasSuffix(".1") ? "yes" : ""
      return (.elsewhere, [.upstreamElsewhere: "yes", .upstreamGatewayLike: isLike, .routeLeadsNowhere: isLike])
    }
  }

  private static func learned(_ container: Container, _ inside: UInt16, routePort: UInt16, _ host: String) -> Facts {
    let addresses = container.networks.sorted { $0.key < $1.key }.flatMap(\.value.addresses)
    return [
      .upstreamContainer: container.name,
      .upstreamOwnName: container.answers(toAlias: host) && host != container.name ? container.name : "",
      .upstreamID: container.Id, .upstreamPlace: "container",
      .upstreamPID: container.pid.map { String($0) } ?? "", .upstreamInside: String(inside),
      // By a port of this machine: a name of the container itself leads to the ports inside it.
      .upstreamPublished: container.bindings.contains { $0.hostPort == routePort } && !addresses.contains(host)
        && (host.isAddress || host.isLoopback || host.hasPrefix("host.")) ? "yes" : "",
      .upstreamAddresses: addresses.joined(separator: ", "),
    ]
  }
}

extension World {
  /// The one running container that Compose made of the same service and image in another project, as after a rename of
  /// the project's folder, and that is in no network with the proxy.
  fileprivate func twin(of stopped: Container, apartFrom proxy: String?) async throws(Unseen) -> Container? {
    let all = try await containers()
    guard let old = all.first(where: { $0.Id == stopped.Id }), let service = old.service, let proxy,
      let own = all.first(where: { $0.Id == proxy })
    else { return nil }
    let twins = all.filter { other in
      other.State == "running" && other.service == service && other.project != old.project && other.image == old.image
    }
    guard twins.count == 1, Set(twins[0].networks.keys).isDisjoint(with: own.networks.keys) else { return nil }
    return try await container(twins[0].Id)
  }

  /// What publishes a port of this machine that is published for another protocol than TCP as it should be.
  fileprivate func otherwisePublished(at port: UInt16) async throws(Unseen) -> Facts? {
    for summary in try await containers() where summary.isRunning {
      guard let other = summary.otherPorts.first(where: { $0.PublicPort == port }), let inside = other.PrivatePort
      else { continue }
      let facts = await publishing(inside, of: try await container(summary.Id), at: port)
      return facts.merging([.publishProtocol: other.`Type`?.uppercased() ?? "", .routeLeadsNowhere: "yes"])
    }
    return nil
  }

  /// The container that does not run and was given this address to keep.
  fileprivate func keeper(of address: String) async throws(Unseen) -> Container? {
    let owner = try await containers().first { container in
      !container.isRunning && container.networkOwner == nil
        && container.networks.values.contains { $0.IPAMConfig?.addresses.contains(address) == true }
    }
    guard let owner else { return nil }
    return try await container(owner.Id)
  }
}

extension EndpointSettings.Wanted {
  fileprivate var addresses: [String] { [IPv4Address, IPv6Address].compactMap { $0 } }
}

extension String {
  /// True if a word of a command line is this port, or ends with it: `8080`, `--port=8080`, `127.0.0.1:8080`.
  fileprivate func names(port: UInt16) -> Bool {
    split { !($0.isLetter || $0.isNumber || "._-".contains($0)) }.contains { $0 == String(port) }
  }
}

extension Container {
  /// What its first program, a shell, was told to run (`sh -c …`); nil of any other.
  fileprivate var shellLine: String? {
    let words = [Path ?? ""] + (Args ?? [])
    return words.firstIndex(of: "-c").flatMap { words.dropFirst($0 + 1).first }
  }

  /// True if it has this name in one of its networks.
  fileprivate func answers(toAlias name: String) -> Bool { networks.values.contains { $0.names.contains(name) } }
}
