import Discovery
import Model
import World

extension FactName {
  /// The addresses that the proxy dials for the route's host, as they are now.
  static let nameAddresses: FactName = "name.addresses"
  /// The first of them.
  static let nameAddress: FactName = "name.address"
  /// The DNS servers that were asked.
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
  /// through its own resolver (`route.resolver`): only those servers.
  static let nameResolve = Check(
    "name.resolve", needs: [.upstreamHost, .upstreamPort, .proxyPlace, .proxyPID],
    learns: [.nameAddresses, .nameAddress, .nameServers], outcome: NameOutcome.self
  ) { world, facts, _ throws(Unseen) in
    let name = facts[.upstreamHost] ?? ""
    guard let place = facts.proxyLooks else { throw .notEnoughKnown([.proxyPID]) }
    if name.isAddress { return (.address, addresses([name.trimmedBrackets])) }
    if facts[.routeResolves] == RouteReading.eachRequest, facts[.routeResolver] == nil { return (.noResolver, [:]) }
    let own = facts[.routeResolves] == RouteReading.eachRequest ? facts.list(.routeResolver) : nil
    let (answer, servers) = try await world.lookUp(
      name, in: place, servers: own, usesHostNetwork: facts.proxy.usesHostNetwork)
    var learned = addresses(answer.addresses)
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

  private static func addresses(_ addresses: [String]) -> Facts {
    [.nameAddresses: addresses.joined(separator: ", "), .nameAddress: addresses.first ?? ""]
  }
}

extension World {
  /// What a name is for programs in a place: by its hosts file, then by the place's DNS servers, which are told as
  /// well; by `servers` alone if those are given.
  func lookUp(_ name: String, in place: Place, servers own: [String]? = nil, usesHostNetwork: Bool) async throws(Unseen)
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
