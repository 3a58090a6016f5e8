import Discovery
import Model
import Routes
import World

extension FactName {
  /// The addresses that the proxy dials for the route's host, as they are now.
  static let nameAddresses: FactName = "name.addresses"
  /// Its other addresses, which this proxy never tries.
  static let nameOthers: FactName = "name.others"
  /// The DNS servers that were asked; without a resolver of the proxy's own, the first one of its place.
  static let nameServers: FactName = "name.servers"
  /// What the resolver of the proxy's own place, or this machine's, answers where the proxy's does not.
  static let nameOtherwise: FactName = "name.otherwise"
  /// `hosts-file`, `place` (its own DNS servers) or `machine`: who answers so.
  static let nameKnownBy: FactName = "name.known-by"
  /// The DNS servers of the proxy's place.
  static let namePlaceServers: FactName = "name.place-servers"
  /// What is dialled: `10.0.0.2:80`, `unix:/run/app.sock`.
  static let upstreamDial: FactName = "upstream.dial"
}

private enum NameOutcome: String, CheckOutcome {
  /// The route has an address, no name.
  case address
  case found
  case notFound = "not-found"
  case failing, silent
  /// Not for the resolver that the proxy uses, but for the system in its place.
  case differs
  /// Not in the proxy's container, but on this machine.
  case onlyOutside = "only-outside"
  /// nginx: a variable in the route and no `resolver`.
  case noResolver = "no-resolver"
  case unknown
}

extension Check {
  /// Resolves the route's host from the proxy's place, by the rules of its own kind.
  ///
  /// A literal name: hosts file, then the place's DNS servers. A name that the proxy resolves at each request
  /// through its own resolver (`route.resolver`): only those servers. What the running proxy says itself
  /// (`route.dials`) goes before all that.
  static let nameResolve = Check(
    "name.resolve", needs: [.upstreamHost, .upstreamPort, .proxyPlace, .proxyPID],
    learns: [
      .nameAddresses, .nameAddress, .nameOthers, .nameServers, .nameOtherwise, .nameKnownBy, .namePlaceServers,
      .upstreamDial,
    ], outcome: NameOutcome.self
  ) { world, facts, _ throws(Unseen) in
    let name = facts[.upstreamHost] ?? ""
    guard let place = facts.proxyLooks else { throw .notEnoughKnown([.proxyPID]) }
    let port = facts.port(.upstreamPort) ?? 80
    if name.isAddress { return (.address, addresses([name.trimmedBrackets], port, nil)) }
    let family = facts[.routeAddressFamily]
    let dialled = facts.list(.routeDials)
    if !dialled.isEmpty { return (.found, addresses(dialled, port, nil)) }
    // A proxy that asks DNS itself knows both loopback addresses by this name (RFC 6761), whatever the files say.
    if name == "localhost", family != nil { return (.found, addresses(["127.0.0.1", "::1"], port, family)) }
    let asksOwn = facts[.routeResolves] == Route.Resolution.eachRequest
    if asksOwn, facts[.routeResolver] == nil {
      return (.noResolver, [.nameServers: (try? await world.nameServers(in: place))?.first ?? ""])
    }
    let (answer, servers) = try await world.resolve(
      name, in: place, servers: asksOwn ? facts.list(.routeResolver) : nil,
      usesHostNetwork: facts.proxy.usesHostNetwork)
    var learned = addresses(answer.addresses, port, family)
    learned[.nameServers] = servers.joined(separator: ", ")
    let outcome: NameOutcome
    switch answer.answer {
    case .addresses: return (.found, learned)
    case .noSuchName, .noData: outcome = .notFound
    case .serverFailure, .refused: outcome = .failing
    case .silent: outcome = .silent
    }
    if asksOwn {
      guard let (known, by) = await world.lookup(name, in: place, except: servers) else { return (outcome, learned) }
      learned[.nameOtherwise] = known.joined(separator: ", ")
      learned[.nameKnownBy] = by
      learned[.namePlaceServers] = (try? await world.nameServers(in: place))?.joined(separator: " ")
      return (.differs, learned)
    }
    if place != .host, let known = try? await world.see(SystemLookup(name: name)), !known.isEmpty {
      learned[.nameOtherwise] = known.joined(separator: ", ")
      learned[.nameKnownBy] = "machine"
      return (.onlyOutside, learned)
    }
    return (outcome, learned)
  }

  /// What of a name's addresses a proxy dials, by its `route.address-family`.
  private static func addresses(_ all: [String], _ port: UInt16, _ family: String?) -> Facts {
    let (new, old) = (all.filter(\.isIPv6), all.filter { !$0.isIPv6 })
    let taken =
      switch family {
      case "ipv6-only": new
      case "ipv4-only": old
      case "ipv6-first": new.isEmpty ? old : new
      case "ipv4-first": old.isEmpty ? new : old
      default: all
      }
    return [
      .nameAddresses: taken.joined(separator: ", "), .nameAddress: taken.first ?? "",
      .nameOthers: all.filter { !taken.contains($0) }.joined(separator: ", "),
      .upstreamDial: taken.first.map { $0.isIPv6 ? "[\($0)]:\(port)" : "\($0):\(port)" } ?? "",
    ]
  }
}

extension World {
  /// What a name is for programs in a place: by its hosts file, then by the place's DNS servers, which are told as
  /// well; by `servers` alone if those are given.
  func resolve(_ name: String, in place: Place, servers own: [String]? = nil, usesHostNetwork: Bool)
    async throws(Unseen)
    -> (DNSQuery.Sight, servers: [String])
  {
    if own == nil {
      if let listed = try await hosts(in: place)[name.lowercased()] {
        return (.init(answer: .addresses, addresses: listed), [])
      }
      if usesHostNetwork, name == "localhost" { return (.init(answer: .addresses, addresses: ["127.0.0.1"]), []) }
    }
    let servers = if let own { own } else { try await nameServers(in: place) }
    return (try await see(DNSQuery(name: name, servers: servers, place: place)), servers)
  }

  /// The hosts file of a place: name in lower case to its addresses.
  fileprivate func hosts(in place: Place) async throws(Unseen) -> [String: [String]] {
    var hosts: [String: [String]] = [:]
    for line in try await see(FileRead(path: "/etc/hosts", place: place)).text.lines {
      let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }.map(String.init)
      guard let address = words.first else { continue }
      for name in words.dropFirst() { hosts[name.lowercased(), default: []].append(address) }
    }
    return hosts
  }

  /// A name as the system of a place sees it: its hosts file, then its own DNS servers. Nil if it has no address there.
  fileprivate func lookup(_ name: String, in place: Place, except asked: [String]) async -> ([String], by: String)? {
    if let listed = try? await hosts(in: place)[name.lowercased()] { return (listed, "hosts-file") }
    guard let servers = try? await nameServers(in: place), servers != asked else { return nil }
    let answer = try? await see(DNSQuery(name: name, servers: servers, place: place))
    return answer.flatMap { $0.addresses.isEmpty ? nil : ($0.addresses, "place") }
  }

  /// The DNS servers of a place's `/etc/resolv.conf`.
  fileprivate func nameServers(in place: Place) async throws(Unseen) -> [String] {
    try await see(FileRead(path: "/etc/resolv.conf", place: place)).text.lines.compactMap { line in
      let words = line.split { $0 == " " || $0 == "\t" }
      return words.count > 1 && words[0] == "nameserver" ? String(words[1]) : nil
    }
  }
}

extension String {
  /// Of an address: true for the newer of the two families.
  var isIPv6: Bool { contains(":") }
}
