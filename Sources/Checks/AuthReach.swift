import Discovery
import Model
import Routes
import World

extension FactName {
  static let authHost: FactName = "auth.host"
  static let authPort: FactName = "auth.port"
  static let authContainer: FactName = "auth.container"
  static let authNeighbour: FactName = "auth.neighbour"
  static let authStatus: FactName = "auth.status"
}

private enum AuthOutcome: String, CheckOutcome {
  /// It takes connections.
  case reached
  case refused, timeout, unreachable
  /// Its name does not resolve where the proxy runs.
  case nameless
  /// Its container does not run.
  case stopped
  case unknown
}

extension Check {
  /// Connects to the login or authorisation service from the proxy's place.
  static let authReach = Check(
    "auth.reach", needs: [.routeAuth, .proxyPlace, .proxyPID],
    learns: [.authHost, .authPort, .authContainer, .authStatus, .authNeighbour], outcome: AuthOutcome.self
  ) { world, given, signs throws(Unseen) in
    guard let site = Site(try given.text(of: .routeAuth)) else { return (.unknown, [:]) }
    let place = try given.dialsFrom
    let host = site.host.trimmedBrackets
    var learned: Facts = [.authHost: host, .authPort: String(site.port)]
    if case .container(let container, _)? = try? await world.upstream(host: host, port: site.port, of: given.proxy) {
      learned[.authContainer] = container.name
      learned[.authStatus] = container.State?.Status
      if !container.isRunning { return (.stopped, learned) }
    }
    let (answer, _) = try await world.resolve(host, in: place, usesHostNetwork: given.proxy.usesHostNetwork)
    guard let address = answer.addresses.first else {
      return (answer.answer == .silent ? .unknown : .nameless, learned)
    }
    switch try await world.see(TCPConnect(address: address, port: site.port, place: place)).outcome {
    case .accepted: return (.reached, learned)
    case .refused:
      // That is the proxy's own container, and the service lives in another one.
      if address.isLoopback, !given.proxy.usesHostNetwork {
        let others = try await world.neighbours(
          at: site.port, site: given[.siteHost] ?? "", of: given.proxy, gateway: nil, signs
        ).filter { $0.port == site.port && $0.network == nil }
        if others.count == 1 { learned[.authNeighbour] = others[0].host }
      }
      return (.refused, learned)
    case .timeout: return (.timeout, learned)
    case .unreachable: return (.unreachable, learned)
    case .denied, .other: return (.unknown, learned)
    }
  }
}
