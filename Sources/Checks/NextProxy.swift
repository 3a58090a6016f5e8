import Discovery
import Model
import Routes
import World

private enum NextProxyOutcome: String, CheckOutcome {
  /// A proxy of a known kind that passes requests on: `next.url` is how it is asked.
  case proxy
  case app, unknown
}

extension Check {
  /// Tells whether what stands behind the route is a proxy itself, and how this one asks it.
  static let nextProxy = Check(
    "next.proxy", needs: [.upstreamPlace, .upstreamInside, .upstreamScheme, .upstreamPort, .proxyPlace],
    learns: [.nextURL, .next(.pid), .next(.id), .next(.port), .next(.from), .next(.name)],
    outcome: NextProxyOutcome.self
  ) { world, given, signs throws(Unseen) in
    let port = try given.upstreamInside
    let found: ProxyFound?
    switch given[.upstreamID] {
    case let id?: found = try await world.proxy(inContainer: id, at: port, signs)
    case nil: found = try await world.proxies(at: port, signs).first
    }
    // A proxy that asks itself is a loop, not a way.
    guard let found, found.container?.id != given[.proxyID] || found.pid.map({ String($0) }) != given[.proxyPID],
      let request = try? given.asProxy(try given.upstreamScheme, limit: 1)
    else { return (.app, [:]) }
    guard let site = Site(request.url)?.at(port: given.port(.upstreamPort) ?? port),
      await RouteReading.passesOn(.init(site: site, port: port), found, in: world, signs)
    else { return (.app, [:]) }
    var learned: Facts = [
      .next(.port): String(port), .next(.id): found.container?.id ?? "", .next(.from): given.proxyInWords,
      .next(.name): found.inWords,
    ]
    if case .process(let pid) = request.place { learned[.next(.pid)] = String(pid) }
    learned[.nextURL] = site.url
    return (.proxy, learned)
  }
}

extension Case {
  /// `nginx (container proxy)`.
  fileprivate var proxyInWords: String { "\(self[.proxyName] ?? "the proxy") (\(self[.proxyWhere] ?? "here"))" }
}

extension ProxyFound {
  fileprivate var inWords: String { "\(sign.name) (\(whereabouts ?? "here"))" }
}
