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
  static let swarmService: FactName = "swarm.service"
  static let routeLeadsNowhere: FactName = "route.leads-nowhere"
}

private enum UpstreamOutcome: String, CheckOutcome {
  case container, host, beside, itself, gone, scaled, nameless, elsewhere, unknown
  /// The route has an address; a container has it that does not listen on that port.
  case occupied
  /// Loopback, where nobody listens on that port, in a container in which a program besides the proxy listens.
  case mixed
}

extension Check {
  /// Finds what stands behind the route's host and port: a container, a process, or nothing.
  static let upstreamFind = Check(
    "upstream.find", needs: [.upstreamHost, .upstreamPort, .proxyPlace],
    learns: [
      .upstreamContainer, .upstreamOwnName, .upstreamID, .upstreamPID, .upstreamPlace, .upstreamInside,
      .upstreamPublished, .upstreamAddresses, .upstreamNear, .routeLeadsNowhere, .swarmService,
      .composeUnmade,
    ] + FactName.ofPool + FactName.ofOrigin, outcome: UpstreamOutcome.self
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
      var facts = learned(container, inside, routePort: port, host)
        .merging(await world.origin(of: container, signs))
      if given[.routeProtocol] == "fastcgi" {
        facts.merge(await world.poolSettings(of: container, at: .network(host: host, port: inside)))
      }
      guard host.isAddress, facts[.upstreamPublished] == nil, let place = container.pid.map({ Place.process($0) }),
        let listeners = try? await world.see(Listeners(place: place)),
        !listeners.contains(where: { $0.port == inside && !$0.isLoopback })
      else { return (.container, facts) }
      facts[.routeLeadsNowhere] = "yes"
      return (.occupied, facts)
    case .host:
      let isThere = try await world.see(Listeners(place: .host)).contains { $0.port == port }
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
      else { return (.itself, [.routeLeadsNowhere: "yes"]) }
      return (
        .mixed,
        [
          .upstreamPlace: "proxy", .upstreamInside: String(port), .upstreamPID: String(pid), .routeLeadsNowhere: "yes",
        ]
      )
    case .goneAddress: return (.gone, [.routeLeadsNowhere: "yes"])
    case .scaledToZero: return (.scaled, [.swarmService: host])
    case .noSuchContainer(let near):
      var facts: Facts = [.upstreamNear: near ?? ""]
      if near == nil, let id = given[.proxyID], let labels = (try? await world.container(id))?.Config?.Labels {
        facts.merge(await world.unmade(host, beside: labels))
      }
      return (.nameless, facts)
    case .elsewhere: return (.elsewhere, [:])
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

extension Container {
  /// True if it has this name in one of its networks.
  fileprivate func answers(toAlias name: String) -> Bool { networks.values.contains { $0.names.contains(name) } }
}
