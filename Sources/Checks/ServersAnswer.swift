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
    let place = try given.dialsFrom
    let asked = try given.asProxy(given.speaksTLS ? "https" : "http", limit: 8)
    let (bad, good) = try await given.servers { server throws(Unseen) in
      guard let (address, port) = try await world.address(of: server, given, place) else { return false }
      var request = asked
      (request.address, request.port) = (address, port)
      return try await world.see(request).status.map { $0 < 500 } ?? false
    }
    var learned: Facts = [
      .serversFailing: bad.joined(separator: ", "), .serversWell: good.joined(separator: ", "),
    ]
    guard let first = bad.first else { return (.allGood, learned) }
    learned[.nextServer] = first
    return (bad.count == given.examinedServers.count ? .allFail : .someFail, learned)
  }
}
