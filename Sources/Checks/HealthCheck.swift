import Discovery
import Model
import Routes
import World

extension FactName {
  static let healthStatus: FactName = "health.status"
  static let healthError: FactName = "health.error"
}

private enum HealthOutcome: String, CheckOutcome {
  case passing
  /// The proxy takes the upstream out of service.
  case failing
  case unknown
}

extension Check {
  /// Asks the upstream for the proxy's own health check, from the proxy's place, and compares the status with what the
  /// proxy takes; of a check without a path, whether it gets a connection.
  static let healthCheck = Check(
    "health.check",
    needs: [.nameAddress, .upstreamPort, .proxyPlace, .upstreamScheme, .upstreamHost, .routeHealth],
    learns: [.healthStatus, .healthError], outcome: HealthOutcome.self
  ) { world, given, _ throws(Unseen) in
    let (scheme, host) = (try given.upstreamScheme, try given.upstreamHost)
    let port = if let own = given.port(.routeHealthPort) { own } else { try given.upstreamPort }
    guard let path = given[.routeHealthPath] else {
      let address = try given.text(of: .nameAddress)
      let outcome = try await world.see(TCPConnect(address: address, port: port, place: given.dialsFrom)).outcome
      switch outcome {
      case .accepted: return (.passing, [:])
      case .refused: return (.failing, [.healthError: HTTPRequest.Failure.refused.inShort])
      case .timeout: return (.failing, [.healthError: HTTPRequest.Failure.connectTimeout.inShort])
      case .unreachable: return (.failing, [.healthError: HTTPRequest.Failure.unreachable.inShort])
      case .denied, .other: throw .notPermitted(what: "\(address):\(port)")
      }
    }
    var request = try given.asProxy(scheme, limit: 5)
    request.url = "\(scheme)://\(host.inURL):\(port)" + (path.hasPrefix("/") ? path : "/" + path)
    request.port = port
    let sight = try await world.see(request)
    guard let status = sight.status else {
      return (.failing, [.healthError: sight.failure?.inShort ?? ""])
    }
    let isTaken = (given[.routeHealthExpects] ?? "200-399").includes(status: status)
    return (isTaken ? .passing : .failing, [.healthStatus: String(status)])
  }
}

extension String {
  /// True if the status is in one of the ranges: `200-299, 404`, `2xx`.
  fileprivate func includes(status: Int) -> Bool {
    split { $0 == "," || $0 == " " }.contains { range in
      let low = range.replacing("x", with: "0").replacing("X", with: "0").split(separator: "-").compactMap { Int($0) }
      let high = range.replacing("x", with: "9").replacing("X", with: "9").split(separator: "-").compactMap { Int($0) }
      guard let first = low.first, let last = high.last else { return false }
      return (first...max(first, last)).contains(status)
    }
  }
}
