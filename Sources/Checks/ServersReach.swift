import Discovery
import Model
import Routes
import World

extension FactName {
  static let serversDown: FactName = "servers.down"
  static let serversUp: FactName = "servers.up"
}

private enum ServersOutcome: String, CheckOutcome {
  case allUp = "all-up", someDown = "some-down", allDown = "all-down"
  /// One of them is being examined.
  case examined
  case unknown
}

extension Check {
  /// Connects to each server of the route's group from the proxy's place.
  ///
  /// If some take no connection the case goes on with the first of those (`next.server`).
  static let serversReach = Check(
    "servers.reach", needs: [.routeServers, .proxyPlace, .proxyPID],
    learns: [.serversDown, .serversUp, .nextServer], outcome: ServersOutcome.self
  ) { world, given, _ throws(Unseen) in
    if given[.routeServer] != nil { return (.examined, [:]) }
    let place = try given.dialsFrom
    let (down, up) = try await given.servers { server throws(Unseen) in
      guard let (address, port) = try await world.address(of: server, given, place) else { return false }
      return try await world.see(TCPConnect(address: address, port: port, place: place, limit: 3)).outcome == .accepted
    }
    var learned: Facts = [
      .serversDown: down.joined(separator: ", "), .serversUp: up.joined(separator: ", "),
    ]
    guard let first = down.first else { return (.allUp, learned) }
    learned[.nextServer] = first
    return (down.count == given.examinedServers.count ? .allDown : .someDown, learned)
  }
}

extension Case {
  private static let mostServers = 32

  var examinedServers: [String] { Array(list(.routeServers).prefix(Self.mostServers)) }

  /// The servers of the route's group of which `isWell` says no, and those of which it says yes, asked at once. One that
  /// is bad counts, whatever could not be told of the others; where none is, throws what kept it from telling.
  func servers(
    _ isWell: @escaping @Sendable (String) async throws(Unseen) -> Bool
  ) async throws(Unseen) -> (bad: [String], good: [String]) {
    let servers = examinedServers
    let results = await withTaskGroup(of: (String, Result<Bool, Unseen>).self) { group in
      for server in servers {
        group.addTask {
          // First by itself: the optimizer of Swift 6.3 spoils a string that stands in a tuple before what throws.
          let result: Result<Bool, Unseen>
          do throws(Unseen) { result = .success(try await isWell(server)) } catch { result = .failure(error) }
          return (server, result)
        }
      }
      return await group.reduce(into: [String: Result<Bool, Unseen>]()) { $0[$1.0] = $1.1 }
    }
    let bad = servers.filter { results[$0] == .success(false) }
    if bad.isEmpty { for server in servers { _ = try results[server]?.get() } }
    return (bad, servers.filter { results[$0] == .success(true) })
  }
}

extension World {
  /// Where the proxy dials a server of its route; nil if its name has no address there, as that of a container that does
  /// not run.
  func address(
    of server: String, _ given: Case, _ place: Place
  ) async throws(Unseen) -> (address: String, port: UInt16)? {
    guard case (let host, let port?) = server.hostAndPort else {
      throw .unreadable(what: server, why: .init(.notHostAndPort))
    }
    // The engine knows it at once; Docker's DNS first asks the servers outside.
    if !host.isAddress,
      case .container(let container, _)? = try? await upstream(host: host, port: port, of: given.proxy),
      !container.isRunning
    {
      return nil
    }
    return try await dialled(host, by: given, in: place).addresses.first.map { ($0, port) }
  }
}
