import Discovery
import Model
import Routes
import World

extension FactName {
  static let serversFailing: FactName = "servers.failing"
  static let serversWell: FactName = "servers.well"
}

private enum ServersAnswerOutcome: String, CheckOutcome {
  case allGood = "all-good", someFail = "some-fail", allFail = "all-fail"
  /// One of them is being examined.
  case examined
  case unknown
}

extension Check {
  /// Asks each server of the route's group for the page, as the proxy does.
  ///
  /// If some answer with an error, or not at all, the case goes on with the first of those (`next.server`).
  static let serversAnswer = Check(
    "servers.answer", needs: [.routeServers, .proxyPlace, .proxyPID, .upstreamScheme],
    learns: [.serversFailing, .serversWell, .nextServer], outcome: ServersAnswerOutcome.self
  ) { world, given, _ throws(Unseen) in
    if given[.routeServer] != nil { return (.examined, [:]) }
    let asked = try given.asProxy(given.speaksTLS ? "https" : "http", limit: 8)
    let (failing, learned) = try await given.examine(
      learning: .serversFailing, and: .serversWell, in: world
    ) { address, port throws(Unseen) in
      var request = asked
      (request.address, request.port) = (address, port)
      return try await world.see(request).status.map { $0 < 500 } ?? false
    }
    return (failing.outcome(.allGood, .someFail, .allFail), learned)
  }
}
