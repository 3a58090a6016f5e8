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
    let servers = Array(given.list(.routeServers).prefix(mostServers))
    let states = await withTaskGroup(of: (String, Result<Bool, Unseen>).self) { group in
      for server in servers { group.addTask { (server, await world.takesConnections(server, given, place)) } }
      return await group.reduce(into: [String: Result<Bool, Unseen>]()) { $0[$1.0] = $1.1 }
    }
    let takes = try servers.map { server throws(Unseen) in (server, try states[server]?.get() ?? false) }
    let (down, up) = (takes.filter { !$0.1 }.map(\.0), takes.filter { $0.1 }.map(\.0))
    var learned: Facts = [
      .serversDown: down.joined(separator: ", "), .serversUp: up.joined(separator: ", "),
    ]
    guard let first = down.first else { return (.allUp, learned) }
    learned[.nextServer] = first
    return (up.isEmpty ? .allDown : .someDown, learned)
  }

  private static let mostServers = 32
}

extension World {
  fileprivate func takesConnections(_ server: String, _ given: Case, _ place: Place) async -> Result<Bool, Unseen> {
    do throws(Unseen) {
      guard case (let host, let port?) = server.hostAndPort else {
        throw .unreadable(what: server, why: .init(.notHostAndPort))
      }
      guard let address = try await dialled(host, by: given, in: place).addresses.first else { return .success(false) }
      let sight = try await see(TCPConnect(address: address, port: port, place: place, limit: 3))
      return .success(sight.outcome == .accepted)
    } catch { return .failure(error) }
  }
}
