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
    let takes = try await given.eachServer { server throws(Unseen) in
      guard let (address, port) = try await world.address(of: server, given, place) else { return false }
      return try await world.see(TCPConnect(address: address, port: port, place: place, limit: 3)).outcome == .accepted
    }
    let (down, up) = (takes.filter { !$0.1 }.map(\.0), takes.filter { $0.1 }.map(\.0))
    var learned: Facts = [
      .serversDown: down.joined(separator: ", "), .serversUp: up.joined(separator: ", "),
    ]
    guard let first = down.first else { return (.allUp, learned) }
    learned[.nextServer] = first
    return (up.isEmpty ? .allDown : .someDown, learned)
  }
}

extension Case {
  private static let mostServers = 32

  /// What `look` tells of each server of the route's group, all at once; throws what kept it from telling.
  func eachServer<Value: Sendable>(
    _ look: @escaping @Sendable (String) async throws(Unseen) -> Value
  ) async throws(Unseen) -> [(server: String, value: Value)] {
    let servers = Array(list(.routeServers).prefix(Self.mostServers))
    let results = await withTaskGroup(of: (Int, Result<Value, Unseen>).self) { group in
      for (index, server) in servers.enumerated() {
        group.addTask {
          do throws(Unseen) { return (index, .success(try await look(server))) } catch {
            return (index, .failure(error))
          }
        }
      }
      return await group.reduce(into: [Int: Result<Value, Unseen>]()) { $0[$1.0] = $1.1 }
    }
    var values: [(String, Value)] = []
    for (index, server) in servers.enumerated() {
      if let result = results[index] { values.append((server, try result.get())) }
    }
    return values
  }
}

extension World {
  /// Where the proxy dials a server of its route; nil if its name has no address there.
  func address(
    of server: String, _ given: Case, _ place: Place
  ) async throws(Unseen) -> (address: String, port: UInt16)? {
    guard case (let host, let port?) = server.hostAndPort else {
      throw .unreadable(what: server, why: .init(.notHostAndPort))
    }
    return try await dialled(host, by: given, in: place).addresses.first.map { ($0, port) }
  }
}
