import Discovery
import Model
import World

extension FactName {
  /// The addresses that the proxy dials for the route's host, as they are now.
  static let nameAddresses: FactName = "name.addresses"
  /// The first of them.
  static let nameAddress: FactName = "name.address"
  /// Its other addresses, which this proxy never tries.
  static let nameOthers: FactName = "name.others"
  /// The DNS servers that were asked; without a resolver of the proxy's own, the first one of its place.
  static let nameServers: FactName = "name.servers"
}

private enum NameOutcome: String, CheckOutcome {
  /// The route has an address, no name.
  case address
  case found
  case notFound = "not-found"
  case failing, silent
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
    learns: [.nameAddresses, .nameAddress, .nameOthers, .nameServers], outcome: NameOutcome.self
  ) { world, facts, _ throws(Unseen) in
    let name = facts[.upstreamHost] ?? ""
    guard let place = facts.proxyLooks else { throw .notEnoughKnown([.proxyPID]) }
    if name.isAddress { return (.address, addresses([name.trimmedBrackets], nil)) }
    let family = facts[.routeFamily]
    let dialled = facts.list(.routeDials)
    if !dialled.isEmpty { return (.found, addresses(dialled, nil)) }
    // A proxy that asks DNS itself knows both loopback addresses by this name (RFC 6761), whatever the files say.
    if name == "localhost", family != nil { return (.found, addresses(["127.0.0.1", "::1"], family)) }
    if facts[.routeResolves] == RouteReading.eachRequest, facts[.routeResolver] == nil {
      return (.noResolver, [.nameServers: (try? await world.nameServers(in: place))?.first ?? ""])
    }
    let servers: [String]
    if facts[.routeResolves] == RouteReading.eachRequest {
      servers = facts.list(.routeResolver)
    } else {
      if let listed = try await world.hosts(in: place)[name.lowercased()] { return (.found, addresses(listed, family)) }
      servers = try await world.nameServers(in: place)
      if facts.proxy.usesHostNetwork, name == "localhost" { return (.found, addresses(["127.0.0.1"], family)) }
    }
    let answer = try await world.see(DNSQuery(name: name, servers: servers, place: place))
    var learned = addresses(answer.addresses, family)
    learned[.nameServers] = servers.joined(separator: ", ")
    let outcome: NameOutcome =
      switch answer.answer {
      case .addresses: .found
      case .noSuchName, .noData: .notFound
      case .serverFailure, .refused: .failing
      case .silent: .silent
      }
    return (outcome, learned)
  }

  /// What of a name's addresses a proxy dials, by its `route.family`.
  private static func addresses(_ all: [String], _ family: String?) -> Facts {
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
    ]
  }
}

extension World {
  /// The hosts file of a place: name in lower case to its addresses.
  fileprivate func hosts(in place: Place) async throws(Unseen) -> [String: [String]] {
    var hosts: [String: [String]] = [:]
    for line in try await see(FileRead(path: "/etc/hosts", place: place)).text.split(separator: "\n") {
      let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }.map(String.init)
      guard let address = words.first else { continue }
      for name in words.dropFirst() { hosts[name.lowercased(), default: []].append(address) }
    }
    return hosts
  }

  /// The DNS servers of a place's `/etc/resolv.conf`.
  fileprivate func nameServers(in place: Place) async throws(Unseen) -> [String] {
    try await see(FileRead(path: "/etc/resolv.conf", place: place)).text.split(separator: "\n").compactMap { line in
      let words = line.split { $0 == " " || $0 == "\t" }
      return words.count > 1 && words[0] == "nameserver" ? String(words[1]) : nil
    }
  }
}

extension String {
  /// Of an address: true for the newer of the two families.
  var isIPv6: Bool { contains(":") }
}
