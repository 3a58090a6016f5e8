import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  static let logAddress: FactName = "log.address"
}

private enum LogOutcome: String, CheckOutcome {
  case sameAddress = "same-address", otherAddress = "other-address", otherPort = "other-port"
  case configError = "config-error"
  /// The system forbids the proxy to connect.
  case denied
  /// No line is about this request.
  case silent
  case unknown
}

extension Check {
  /// Reads what the proxy logged since the site was asked, and compares the address it dialled with the app's.
  static let proxyLog = Check(
    "proxy.log", needs: [.siteAsked, .routeDefinedIn, .proxyPlace, .proxyKind, .nameAddress, .upstreamPort],
    learns: [.logAddress, .logReason], outcome: LogOutcome.self
  ) { world, given, signs throws(Unseen) in
    let keys = given.list(.routeLogKeys)
    let lines = try await world.proxyLog(given, since: try given.asked)
    let writer = signs.writer(try given.proxyKind)
    // A line counts if it is about this route; what keeps the configuration from being loaded is about all of them.
    let shown = lines.reversed().lazy.compactMap { line in writer.reading(of: line).map { (line: line, reading: $0) } }
      .first { $0.reading.sign.shows == "config-error" || keys.contains(where: $0.line.contains) }
    guard let shown else { return (.silent, [:]) }
    let (shows, reading) = (shown.reading.sign.shows, shown.reading)
    let learned: Facts = [
      .logReason: reading.text(of: "reason")?.printable ?? "",
      .logAddress: reading.text(of: "address")?.printable ?? "",
    ]
    if shows == "config-error" { return (.configError, learned) }
    if shows == "denied" { return (.denied, learned) }
    guard let (address, port) = learned[.logAddress]?.hostAndPort, address.isAddress else { return (.silent, learned) }
    let isServer = given.list(.routeServers).contains { $0.hasSuffix(":\(port ?? 0)") }
    if let port, port != given.port(.upstreamPort), !isServer { return (.otherPort, learned) }
    return (given.list(.nameAddresses).contains(address) ? .sameAddress : .otherAddress, learned)
  }
}
