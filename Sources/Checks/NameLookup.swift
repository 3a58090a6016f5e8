import Discovery
import Model
import Routes
import World

/// What a proxy gets for the host that it wants to dial, by the rules of its own kind.
struct DialledName {
  enum Answer: Equatable {
    /// It is an address, or known without asking: by what the running proxy itself says, or by an RFC.
    case address, known
    case asked(DNSQuery.Sight.Answer)
    /// It would ask its own resolver at each request, and has none.
    case noResolver
  }

  var answer: Answer
  /// The addresses that it dials, in its order, and those that it never tries.
  var addresses: [String] = []
  var others: [String] = []
  /// The DNS servers that were asked.
  var servers: [String] = []
  /// True if a hosts file has it, so that no DNS server was asked.
  var isListed = false

  /// What of a name's addresses a proxy dials, by its `route.address-family`.
  fileprivate init(_ answer: Answer, _ all: [String] = [], family: String? = nil, servers: [String] = []) {
    self.answer = answer
    self.servers = servers
    let (new, old) = (all.filter(\.isIPv6), all.filter { !$0.isIPv6 })
    addresses =
      switch family {
      case "ipv6-only": new
      case "ipv4-only": old
      case "ipv6-first": new.isEmpty ? old : new
      case "ipv4-first": old.isEmpty ? new : old
      default: all
      }
    others = all.filter { !addresses.contains($0) }
  }
}

extension World {
  /// The addresses that the proxy dials for a host, from its own place.
  ///
  /// A literal name: hosts file, then the place's DNS servers. A name that the proxy resolves at each request
  /// through its own resolver (`route.resolver`): only those servers. What the running proxy says itself
  /// (`route.dials`) goes before all that.
  func dialled(_ host: String, by given: Case, in place: Place) async throws(Unseen) -> DialledName {
    if host.isAddress { return DialledName(.address, [host.trimmedBrackets]) }
    let family = given[.routeAddressFamily]
    let said = host == given[.upstreamHost] ? given.list(.routeDials) : []
    if !said.isEmpty { return DialledName(.known, said) }
    // A proxy that asks DNS itself knows both loopback addresses by this name (RFC 6761), whatever the files say.
    if host == "localhost", family != nil, family != Route.Resolution.Family.systemFirst.rawValue {
      return DialledName(.known, ["127.0.0.1", "::1"], family: family)
    }
    let asksOwn = given[.routeResolves] == Route.Resolution.eachRequest
    if asksOwn, given[.routeResolver] == nil { return DialledName(.noResolver) }
    let (answer, servers) = try await resolve(
      host, in: place, servers: asksOwn ? given.list(.routeResolver) : nil,
      usesHostNetwork: given.proxy.usesHostNetwork)
    let chosen =
      family == Route.Resolution.Family.systemFirst.rawValue
      ? try await systemFirst(answer.addresses, in: place) : family
    var dialled = DialledName(.asked(answer.answer), answer.addresses, family: chosen, servers: servers)
    dialled.isListed = !asksOwn && servers.isEmpty && answer.answer == .addresses
    return dialled
  }

  /// Which kind of address a system's own lookup puts first: global ones of IPv6, if the place has one itself. Source:
  /// RFC 6724, sections 2.1 and 6; proc(5), `net/if_inet6`.
  fileprivate func systemFirst(_ addresses: [String], in place: Place) async throws(Unseen) -> String {
    guard addresses.contains(where: \.isGlobalIPv6), addresses.contains(where: { !$0.isIPv6 }) else {
      return "ipv4-first"
    }
    let path = if case .process(let id) = place { "/proc/\(id)/net/if_inet6" } else { "/proc/net/if_inet6" }
    // `20010db8000000000000000000000002 02 40 00 80 eth0`: address, interface, prefix, scope, flags, name.
    let own = try await see(FileRead(path: path)).text.lines.contains { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      return fields.count > 3 && fields[3] == "00" && (fields[0].hasPrefix("2") || fields[0].hasPrefix("3"))
    }
    return own ? "ipv6-first" : "ipv4-first"
  }

  /// What a name is for programs in a place: by its hosts file, then by the place's DNS servers, which are told as
  /// well; by `servers` alone if those are given. An address is itself.
  func resolve(_ name: String, in place: Place, servers own: [String]? = nil, usesHostNetwork: Bool)
    async throws(Unseen)
    -> (DNSQuery.Sight, servers: [String])
  {
    if name.isAddress { return (.init(answer: .addresses, addresses: [name]), []) }
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
  func lookup(_ name: String, in place: Place, except asked: [String]) async -> ([String], by: String)? {
    if let listed = try? await hosts(in: place)[name.lowercased()] { return (listed, "hosts-file") }
    guard let servers = try? await nameServers(in: place), servers != asked else { return nil }
    let answer = try? await see(DNSQuery(name: name, servers: servers, place: place))
    return answer.flatMap { $0.addresses.isEmpty ? nil : ($0.addresses, "place") }
  }

  /// The DNS servers of a place's `/etc/resolv.conf`.
  func nameServers(in place: Place) async throws(Unseen) -> [String] {
    try await see(FileRead(path: "/etc/resolv.conf", place: place)).text.lines.compactMap { line in
      let words = line.split { $0 == " " || $0 == "\t" }
      return words.count > 1 && words[0] == "nameserver" ? String(words[1]) : nil
    }
  }
}

extension String {
  /// True of `2000::/3`, which routers pass on.
  fileprivate var isGlobalIPv6: Bool { isIPv6 && (hasPrefix("2") || hasPrefix("3")) }
}
