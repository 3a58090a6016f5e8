import Discovery
import Model
import Routes
import World

extension FactName {
  static let connectSeconds: FactName = "connect.seconds"
  /// The system's error number of a failed connect: 111, 113, …
  static let connectErrno: FactName = "connect.errno"
}

private enum ConnectOutcome: String, CheckOutcome { case accepted, refused, timeout, unreachable, denied, unknown }

extension Check {
  /// Opens a TCP connection from the proxy's place to the upstream's address, and closes it again.
  static let tcpConnect = Check(
    "tcp.connect", needs: [.nameAddress, .upstreamPort, .proxyPlace], learns: [.connectSeconds, .connectErrno],
    outcome: ConnectOutcome.self, limit: 5
  ) { world, facts, _ throws(Unseen) in
    guard let place = facts.proxyDialsFrom else { throw .notEnoughKnown([.proxyPID]) }
    let sight = try await world.see(
      TCPConnect(address: facts[.nameAddress] ?? "", port: facts.port(.upstreamPort) ?? 0, place: place, limit: 4))
    let outcome: ConnectOutcome =
      switch sight.outcome {
      case .accepted: .accepted
      case .refused: .refused
      case .timeout: .timeout
      case .unreachable: .unreachable
      case .denied: .denied
      case .other: .unknown
      }
    return (
      outcome, [.connectSeconds: sight.seconds.inWords, .connectErrno: sight.errno == 0 ? "" : String(sight.errno)]
    )
  }
}
