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
  /// It listens there by IPv6 only, and was asked by IPv4.
  case otherFamily = "other-family"
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
    let there = listeners.filter { $0.port == port }
    // The same socket may take both; that nobody was there tells that this one does not.
    let isRefused = given[.siteError] == HTTPRequest.Failure.refused.inShort
    if isRefused, !there.isEmpty, there.allSatisfy({ $0.address.contains(":") }) { return (.otherFamily, [:]) }
    if ports.isEmpty || !there.isEmpty { return (.hears, [:]) }
    return (.deaf, [.proxyListening: ports.sorted().map { String($0) }.joined(separator: ", ")])
  }
}
