import Discovery
import Model
import World

extension FactName {
  static let proxyListening: FactName = "proxy.listening"
}

private enum HearsOutcome: String, CheckOutcome {
  case hears
  /// It runs, and listens on other ports than the one in its container to which the site's port leads.
  case deaf
  case unknown
}

extension Check {
  /// Does the proxy listen at the port of its container to which the site's port leads?
  ///
  /// Whoever answers in HTTP was reached: only asked where nobody did.
  static let proxyHears = Check(
    "proxy.hears", needs: [.siteError, .proxyPID, .proxyPort], learns: [.proxyListening], outcome: HearsOutcome.self
  ) { world, given, _ throws(Unseen) in
    let port = try given.proxyPort
    let listeners = try await world.see(Listeners(place: .process(try given.proxyPID)))
    let ports = Set(listeners.filter { !$0.isLoopback }.map(\.port))
    if ports.isEmpty || listeners.contains(where: { $0.port == port }) { return (.hears, [:]) }
    return (.deaf, [.proxyListening: ports.sorted().map { String($0) }.joined(separator: ", ")])
  }
}
