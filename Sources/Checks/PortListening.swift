import Discovery
import Model
import Routes
import World

extension FactName {
  static let upstreamListening: FactName = "upstream.listening"
  static let upstreamPorts: FactName = "upstream.ports"
  static let upstreamBoundTo: FactName = "upstream.bound-to"
  static let upstreamUnheard: FactName = "upstream.unheard"
  static let upstreamWaiting: FactName = "upstream.waiting"
  static let upstreamWebPort: FactName = "upstream.web-port"
  static let upstreamUsual: FactName = "upstream.usual-port"
}

private enum ListeningOutcome: String, CheckOutcome {
  case listening
  /// Bound to loopback, so nothing outside its own network can connect.
  case loopback
  /// It listens, on other ports.
  case otherPort = "other-port"
  case nothing
  /// Bound to IPv4 or to IPv6 alone, and dialled by the other.
  case otherFamily = "other-family"
  /// Connections wait in the queue: the app does not accept them.
  case stuck
  case unknown
}

extension Check {
  /// Reads the upstream's table of listening sockets. Source: proc(5), `/proc/PID/net/tcp`.
  static let portListening = Check(
    "port.listening", needs: [.upstreamPlace, .upstreamInside, .upstreamPort],
    learns: [
      .upstreamListening, .upstreamPorts, .upstreamUsual, .upstreamWebPort, .upstreamBoundTo, .upstreamUnheard,
      .upstreamWaiting,
      .familyDialled,
      .familyListens,
      .familyAddress,
    ] + FactName.ofListenSetting + FactName.ofPort + FactName.ofListener + [.neededContainer],
    outcome: ListeningOutcome.self
  ) { world, given, signs throws(Unseen) in
    let place = try given.listensIn
    let port = try given.upstreamInside
    let listeners =
      given[.upstreamPlace] == "proxy"
      ? try await world.besideProxies(in: place, signs) : try await world.see(Listeners(place: place))
    let isIPv6 = given.dialsIPv6
    let isInReach: (Listener) -> Bool = {
      (!$0.isLoopback || given.reachesLoopback) && isIPv6.map($0.takes(isIPv6:)) != false
    }
    let outside = listeners.filter(isInReach)
    let here = listeners.filter { $0.port == port }
    var learned: Facts = [
      .upstreamPorts: Set(listeners.map(\.port)).sorted().map { String($0) }.joined(separator: ", "),
      .upstreamBoundTo: here.first?.address ?? "",
      .upstreamWaiting: here.map(\.waiting).max().flatMap { $0 > 0 ? String($0) : nil } ?? "",
    ]
    if let listener = here.first(where: isInReach) {
      if here.count == 1, !listener.address.isAnyAddress, let id = given[.upstreamID],
        let container = try? await world.container(id)
      {
        learned.merge(await world.listenSetting(of: container, at: listener.address, port, given, signs))
      }
      if let usual = given.port(.appPort), usual != port, outside.contains(where: { $0.port == usual }) {
        learned[.upstreamUsual] = String(usual)
      }
      learned[.upstreamWebPort] = await world.webPort(besides: port, of: outside, given).map { String($0) }
      return (listener.waiting > 0 ? .stuck : .listening, learned)
    }
    if let isIPv6, !here.isEmpty, here.allSatisfy({ !$0.isLoopback || given.reachesLoopback }) {
      learned[.familyAddress] = given.address(isIPv6: !isIPv6)
      return (.otherFamily, learned.merging(.families(dialledIsIPv6: isIPv6)))
    }
    if !here.isEmpty {
      if let id = given[.upstreamID], let container = try? await world.container(id) {
        learned.merge(
          await world.listenSetting(of: container, at: here[0].address, port, given, signs))
      } else if given[.upstreamPlace] == "host" {
        learned.merge(await world.program(of: here[0]))
      }
      return (.loopback, learned)
    }
    // On the host every program listens: which of them is meant, nobody can see.
    guard given[.upstreamPlace] != "host" else { return (.nothing, learned) }
    let best = await world.best(of: Set(outside.map(\.port)).sorted(), given)
    learned[.upstreamListening] = best.map { String($0) }
    if let best { learned.merge(await world.leading(to: best, given)) }
    if best == nil, outside.isEmpty, !listeners.isEmpty { return (.loopback, learned) }
    guard best == nil else { return (.otherPort, learned) }
    if let id = given[.upstreamID] { learned.merge(await world.needed(by: id)) }
    learned[.upstreamUnheard] = "yes"
    return (.nothing, learned)
  }
}

extension Case {
  /// Whether the proxy dials a loopback address of the place in which the app listens.
  fileprivate var reachesLoopback: Bool {
    if self[.upstreamPlace] == "proxy" { return true }
    guard proxy.usesHostNetwork, self[.upstreamPlace] == "host", let host = try? upstreamHost else { return false }
    return host.isLoopback || !host.isAddress
  }

  /// The app's address of a family, for a proxy that now dials it by the other; nil where none is known.
  fileprivate func address(isIPv6: Bool) -> String? {
    reachesLoopback ? isIPv6 ? "::1" : "127.0.0.1" : list(.upstreamAddresses).first { $0.isIPv6 == isIPv6 }
  }

  /// The family of the address at which the app itself is dialled; nil for a name with addresses of both.
  fileprivate var dialsIPv6: Bool? {
    let families = Set(list(.upstreamAddresses).map(\.isIPv6))
    if let host = try? upstreamHost, host.isAddress, self[.upstreamPublished] == nil { return host.isIPv6 }
    return families.count == 1 ? families.first : nil
  }
}

extension FactName {
  /// What leads to the port on which the app listens: its container's published port, or the label that names the port.
  fileprivate static let ofPort: [FactName] =
    making("published", "port", of: "upstream") + FactName.ofWholeLine(.published)
}

extension World {
  /// How the app's container is made again so that what names its port leads to that one.
  fileprivate func leading(to port: UInt16, _ given: Case) async -> Facts {
    guard let id = given[.upstreamID] else { return [:] }
    var facts: Facts = [:]
    let making = await making(of: id)
    if given[.upstreamPublished] != nil, let inside = given.port(.upstreamInside) {
      let labels = (try? await container(id))?.Config?.Labels ?? [:]
      facts.set(await ComposeService(of: labels, in: self)?.publishing(inside, instead: port), .published)
      facts.merge(making?.publishing(inside, instead: port).facts("published", of: "upstream") ?? [:])
    }
    if let label = given[.labelForPort] {
      facts.merge(making?.labelled(label, String(port)).facts("port", of: "upstream") ?? [:])
    }
    if let variable = given[.variableForPort] {
      facts.merge(making?.adding("--env", "\(variable)=\(port)").facts("port", of: "upstream") ?? [:])
    }
    return facts
  }

  /// The one other port of a container that answers HTTP, where the dialled one does not.
  fileprivate func webPort(besides port: UInt16, of listeners: [Listener], _ given: Case) async -> UInt16? {
    let others = Set(listeners.map(\.port)).subtracting([port]).sorted()
    // The others are left alone where the dialled one answers.
    guard given[.upstreamPlace] == "container", !others.isEmpty, given[.upstreamScheme] == "http",
      await answers(of: [port], given)?[port] == false, let answers = await answers(of: Array(others.prefix(5)), given)
    else { return nil }
    let web = answers.filter(\.value).keys
    return web.count == 1 ? web.first : nil
  }

  /// The port that answers HTTP first of all; else the lowest. Beside a proxy only one that answers counts: programs
  /// that help it live there, too.
  fileprivate func best(of ports: [UInt16], _ given: Case) async -> UInt16? {
    let isBesideProxy = given[.upstreamPlace] == "proxy"
    guard ports.count > 1 || isBesideProxy, let answers = await answers(of: ports, given) else { return ports.first }
    // Where several answer, the one that such an app usually has.
    let usual = [given.port(.appPort), given.port(.appTLSPort)].compactMap { $0 }.first(where: ports.contains)
    if let usual, answers[usual] == true { return usual }
    return ports.first { answers[$0] == true } ?? usual ?? (isBesideProxy ? nil : ports.first)
  }

  /// Which of an app's ports, the first six, answer HTTP; nil where its address is not known.
  private func answers(of ports: [UInt16], _ given: Case) async -> [UInt16: Bool]? {
    let address = given[.upstreamPlace] == "proxy" ? "127.0.0.1" : given.list(.upstreamAddresses).first
    guard let host = try? given.siteHost, let address else { return nil }
    let place = (try? given.dialsFrom) ?? .host
    return await withTaskGroup(of: (UInt16, Bool).self) { group in
      for port in ports.prefix(6) {
        group.addTask {
          let request = HTTPRequest(
            url: "http://\(host)/", address: address, port: port, place: place, limit: 1)
          return (port, (try? await see(request))?.status != nil)
        }
      }
      return await group.reduce(into: [UInt16: Bool]()) { $0[$1.0] = $1.1 }
    }
  }
}
