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
    let (failing, learned) = try await given.examine(
      learning: .serversDown, and: .serversUp, in: world
    ) { address, port throws(Unseen) in
      try await world.see(TCPConnect(address: address, port: port, place: place, limit: 3)).outcome == .accepted
    }
    return (failing.outcome(.allUp, .someDown, .allDown), learned)
  }
}

/// How many servers of a group are not well.
enum Failing {
  case none, some, all

  func outcome<Outcome>(_ none: Outcome, _ some: Outcome, _ all: Outcome) -> Outcome {
    switch self {
    case .none: none
    case .some: some
    case .all: all
    }
  }
}

extension Case {
  private static let mostServers = 32

  /// Asks the servers of the route's group at once, each where the proxy dials it: those of which `isWell` says no are
  /// the fact `bad`, and the first of them is the next one to look at; the others are the fact `good`.
  ///
  /// One that is bad counts, whatever could not be told of the others; where none is, throws what kept it from telling.
  func examine(
    learning bad: FactName, and good: FactName, in world: any World,
    _ isWell: @escaping @Sendable (_ address: String, _ port: UInt16) async throws(Unseen) -> Bool
  ) async throws(Unseen) -> (failing: Failing, learned: Facts) {
    let (servers, place) = (Array(list(.routeServers).prefix(Self.mostServers)), try dialsFrom)
    @Sendable func answers(_ server: String) async throws(Unseen) -> Bool {
      guard let (address, port) = try await world.address(of: server, self, place) else { return false }
      return try await isWell(address, port)
    }
    let results = await withTaskGroup(of: (String, Result<Bool, Unseen>).self) { group in
      for server in servers {
        group.addTask {
          // First by itself: the optimizer of Swift 6.3 spoils a string that stands in a tuple before what throws.
          let result: Result<Bool, Unseen>
          do throws(Unseen) { result = .success(try await answers(server)) } catch { result = .failure(error) }
          return (server, result)
        }
      }
      return await group.reduce(into: [String: Result<Bool, Unseen>]()) { $0[$1.0] = $1.1 }
    }
    let failing = servers.filter { results[$0] == .success(false) }
    if failing.isEmpty { for server in servers { _ = try results[server]?.get() } }
    var learned: Facts = [bad: failing.joined(separator: ", ")]
    learned[good] = servers.filter { results[$0] == .success(true) }.joined(separator: ", ")
    learned[.nextServer] = failing.first
    return (failing.isEmpty ? .none : failing.count == servers.count ? .all : .some, learned)
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
