import Discovery
import Model
import Routes
import World

extension FactName {
  static let elsewhereUpstream: FactName = "elsewhere.upstream"
  static let elsewhereStatus: FactName = "elsewhere.status"
}

private enum ElsewhereOutcome: String, CheckOutcome {
  /// The app of the site's other paths knows this one, and not every path.
  case known
  /// It answers well to this path, as to any.
  case any
  /// It does not have it, or the site's other paths lead to no app.
  case none
  case unknown
}

extension Check {
  /// Asks the app to which the site's first page leads for a path that the proxy keeps to itself, and does not have.
  static let pathElsewhere = Check(
    "path.elsewhere", needs: [.routeFiles, .sitePath, .proxyKind, .proxyPlace, .proxyPort],
    learns: [.elsewhereUpstream, .elsewhereStatus], outcome: ElsewhereOutcome.self
  ) { world, given, signs throws(Unseen) in
    let site = try given.site
    guard let first = Site("\(site.scheme)://\(site.authority)/") else { return (.none, [:]) }
    let reading = try await RouteReading.read(
      .init(site: first, port: try given.proxyPort, server: nil), kind: try given.proxyKind, at: given.proxy,
      in: world, signs)
    guard reading.outcome == .found, let route = reading.route, route.upstream.speaks == .http,
      case .network(let host, let port) = route.upstream.endpoint
    else { return (.none, [:]) }
    let place = try given.dialsFrom
    let (answer, _) = try await world.resolve(host, in: place, usesHostNetwork: given.proxy.usesHostNetwork)
    guard let address = answer.addresses.first else { return (.unknown, [:]) }
    let start = "\(route.tls == nil ? "http" : "https")://\(site.host)"
    let asked = HTTPRequest(
      url: start + site.path, host: site.authority, address: address, port: port, place: place, limit: 5)
    guard let status = try await world.see(asked).status else { return (.unknown, [:]) }
    let learned: Facts = [.elsewhereUpstream: route.upstream.url, .elsewhereStatus: String(status)]
    guard (200..<300).contains(status) else { return (.none, learned) }
    var nowhere = asked
    nowhere.url = start + PathOutcome.nowhere
    guard let other = try await world.see(nowhere).status else { return (.unknown, learned) }
    return (other == 404 ? .known : .any, learned)
  }
}
