import Discovery
import Model
import Routes
import World

extension FactName {
  static let upstreamListening: FactName = "upstream.listening"
  static let upstreamPorts: FactName = "upstream.ports"
  static let upstreamBoundTo: FactName = "upstream.bound-to"
  static let upstreamWaiting: FactName = "upstream.waiting"
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
      .upstreamListening, .upstreamPorts, .upstreamBoundTo, .upstreamWaiting, .familyDialled, .familyListens,
      .familyAddress,
    ] + FactName.ofListenSetting,
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
      return (listener.waiting > 0 ? .stuck : .listening, learned)
    }
    if let isIPv6, !here.isEmpty, here.allSatisfy({ !$0.isLoopback || given.reachesLoopback }) {
      learned[.familyAddress] = given.address(isIPv6: !isIPv6)
      return (.otherFamily, learned.merging(.families(dialledIsIPv6: isIPv6)))
    }
    if !here.isEmpty {
      if let id = given[.upstreamID], let container = try? await world.container(id) {
        learned.merge(await world.listenSetting(of: container, port, given, signs))
      }
      return (.loopback, learned)
    }
    // On the host every program listens: which of them is meant, nobody can see.
    guard given[.upstreamPlace] != "host" else { return (.nothing, learned) }
    let best = await world.best(of: Set(outside.map(\.port)).sorted(), given)
    learned[.upstreamListening] = best.map { String($0) }
    if best == nil, outside.isEmpty, !listeners.isEmpty { return (.loopback, learned) }
    return (best == nil ? .nothing : .otherPort, learned)
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

extension World {
  /// The port that answers HTTP first of all; else the lowest. Beside a proxy only one that answers counts: programs
  /// that help it live there, too.
  fileprivate func best(of ports: [UInt16], _ given: Case) async -> UInt16? {
    let isBesideProxy = given[.upstreamPlace] == "proxy"
    let address = isBesideProxy ? "127.0.0.1" : given.list(.upstreamAddresses).first
    guard ports.count > 1 || isBesideProxy, let host = try? given.siteHost, let address else { return ports.first }
    let place = (try? given.dialsFrom) ?? .host
    let answers = await withTaskGroup(of: (UInt16, Bool).self) { group in
      for port in ports.prefix(6) {
        group.addTask {
          let request = HTTPRequest(
            url: "http://\(host)/", address: address, port: port, place: place, limit: 1)
          return (port, (try? await see(request))?.status != nil)
        }
      }
      return await group.reduce(into: [UInt16: Bool]()) { $0[$1.0] = $1.1 }
    }
    // Where several answer, the one that such an app usually has.
    let usual = [given.port(.appPort), given.port(.appTLSPort)].compactMap { $0 }.first(where: ports.contains)
    if let usual, answers[usual] == true { return usual }
    return ports.first { answers[$0] == true } ?? usual ?? (isBesideProxy ? nil : ports.first)
  }
}
