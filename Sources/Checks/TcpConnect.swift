import Discovery
internal import Glibc
import Model
import Routes
import World

extension FactName {
  static let connectErrno: FactName = "connect.errno"
  static let connectSilent: FactName = "connect.silent"
  static let connectFailed: FactName = "connect.failed"
}

private enum ConnectOutcome: String, CheckOutcome {
  case accepted, refused, timeout, unreachable, denied
  /// The place itself has no free port left from which to connect.
  case noPorts = "no-ports"
  case unknown
}

extension Check {
  /// Opens a TCP connection from the proxy's place to the upstream's address, and closes it again.
  static let tcpConnect = Check(
    "tcp.connect", needs: [.nameAddress, .upstreamPort, .proxyPlace],
    learns: [.connectErrno, .connectSilent, .connectFailed, .routeLeadsNowhere],
    outcome: ConnectOutcome.self, limit: 5
  ) { world, given, _ throws(Unseen) in
    let (place, address) = (try given.dialsFrom, try given.address)
    let sight = try await world.see(
      TCPConnect(address: address, port: try given.upstreamPort, place: place, limit: 4))
    let outcome: ConnectOutcome =
      switch sight.outcome {
      case .accepted: .accepted
      case .refused: .refused
      case .timeout: .timeout
      // By IPv6 it is said as well where the place has no such address.
      case .unreachable where sight.errno == EADDRNOTAVAIL && !address.isIPv6: .noPorts
      case .unreachable: .unreachable
      case .denied: .denied
      case .other: .unknown
      }
    let isUnanswered = [.timeout, .unreachable].contains(outcome)
    let silent = isUnanswered ? await world.card(before: address, from: place) : nil
    // An address that a person has written down may be nobody's any more.
    let leadsNowhere = isUnanswered && given[.nameListed] != nil
    return (
      outcome,
      [
        .connectErrno: sight.errno == 0 ? "" : String(sight.errno), .connectSilent: silent ?? "",
        .connectFailed: [.refused, .timeout, .unreachable].contains(outcome) ? "yes" : "",
        .routeLeadsNowhere: leadsNowhere ? "yes" : "",
      ]
    )
  }
}

extension World {
  /// The card behind which an address is that is on a local network of this machine, or of a place, if nobody there says
  /// that it is his.
  ///
  /// Source: proc(5), `/proc/net/arp`: an entry without a flag has had no answer.
  fileprivate func card(before address: String, from place: Place) async -> String? {
    var tables = ["/proc/net/arp"]
    if case .process(let pid) = place { tables.append("/proc/\(pid)/net/arp") }
    for table in tables {
      guard let text = try? await see(FileRead(path: table)).text else { continue }
      for line in text.lines.dropFirst() {
        let columns = line.split(separator: " ")
        guard columns.count > 5, columns[0] == address else { continue }
        return columns[2] == "0x0" ? String(columns[5]).printable : nil
      }
    }
    return nil
  }
}
