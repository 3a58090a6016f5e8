import Discovery
import Model
import Routes
import World

extension FactName {
  static let connectErrno: FactName = "connect.errno"
}

private enum ConnectOutcome: String, CheckOutcome { case accepted, refused, timeout, unreachable, denied, unknown }

extension Check {
  /// Opens a TCP connection from the proxy's place to the upstream's address, and closes it again.
  static let tcpConnect = Check(
    "tcp.connect", needs: [.nameAddress, .upstreamPort, .proxyPlace], learns: [.connectErrno, .routeLeadsNowhere],
    outcome: ConnectOutcome.self, limit: 5
  ) { world, given, _ throws(Unseen) in
    let place = try given.dialsFrom
    let sight = try await world.see(
      TCPConnect(address: try given.address, port: try given.upstreamPort, place: place, limit: 4))
    let outcome: ConnectOutcome =
      switch sight.outcome {
      case .accepted: .accepted
      case .refused: .refused
      case .timeout: .timeout
      case .unreachable: .unreachable
      case .denied: .denied
      case .other: .unknown
      }
    // An address that a person has written down may be nobody's any more.
    let leadsNowhere = given[.nameListed] != nil && [.timeout, .unreachable].contains(outcome)
    return (
      outcome,
      [
        .connectErrno: sight.errno == 0 ? "" : String(sight.errno), .routeLeadsNowhere: leadsNowhere ? "yes" : "",
      ]
    )
  }
}
