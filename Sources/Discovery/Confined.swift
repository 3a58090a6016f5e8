public import Model
public import World

/// A world in which only this machine and one site are asked anything over the network: for a person who may learn about
/// both, and is to reach nothing else through this program.
///
/// Names are looked up as the system does that; a server of names that is asked directly has to be on this machine.
public struct Confined: World {
  private let world: any World
  /// The host of the site; nil: no site but those of this machine.
  private let host: String?

  public init(_ world: any World, to host: String?) {
    self.world = world
    self.host = host
  }

  public var now: Double { world.now }
  public var instant: ContinuousClock.Instant { world.instant }
  public func pause(_ seconds: Double) async { await world.pause(seconds) }
  public func deadline(in seconds: Double) async { await world.deadline(in: seconds) }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    for target in Self.targets(of: look) where await !isWithin(target) {
      throw .notPermitted(what: "\(target.printable) (--restricted)")
    }
    return try await world.see(look)
  }

  /// The hosts and addresses to which a look sends something.
  private static func targets(of look: any Look) -> [String] {
    switch look {
    case let look as HTTPRequest:
      if look.unixSocket != nil { return [] }
      return [look.address ?? Site(look.url)?.host ?? look.url]
    case let look as TCPConnect: return [look.address]
    case let look as Exchange: return look.unixSocket == nil ? [look.address].compactMap { $0 } : []
    case let look as DNSQuery: return look.servers.map { $0.withoutPort }
    default: return []
    }
  }

  private func isWithin(_ target: String) async -> Bool {
    if target == host || target.isLoopback { return true }
    async let own = own()
    async let site = addresses(of: host)
    let addresses = target.isAddress ? [target.bare] : await self.addresses(of: target)
    let known = await own.union(site)
    return !addresses.isEmpty && addresses.allSatisfy { $0.isLoopback || $0.isAnyAddress || known.contains($0) }
  }

  private func addresses(of name: String?) async -> [String] {
    guard let name else { return [] }
    return name.isAddress ? [name.bare] : (try? await world.result(of: SystemLookup(name: name)).get()) ?? []
  }

  /// The addresses of this machine, and of the containers on it.
  private func own() async -> Set<String> {
    async let machine = world.result(of: OwnAddresses())
    let containers = (try? await world.containers()) ?? []
    let inside = containers.flatMap { $0.networks.values.flatMap(\.addresses) }
    return await Set(((try? machine.get()) ?? []) + inside)
  }
}

extension String {
  /// An IPv6 address without its brackets.
  fileprivate var bare: String { hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self }

  /// `10.0.0.2:5353` and `[::1]:5353` without the port.
  fileprivate var withoutPort: String {
    if hasPrefix("[") { return String(dropFirst().prefix { $0 != "]" }) }
    return utf8.count { $0 == UInt8(ascii: ":") } == 1 ? String(prefix { $0 != ":" }) : self
  }
}
