import Discovery
import Model
import Routes
import World

extension Facts {
  /// True if the route speaks TLS to its upstream.
  var speaksTLS: Bool { ["https", "grpcs", "suwsgi"].contains(self[.upstreamScheme]) }

  /// The request that the proxy sends to its upstream, or the same for another path.
  func asProxy(_ scheme: String, path: String? = nil, limit: Double) throws(Unseen) -> HTTPRequest {
    guard let place = self[.upstreamSocket] == nil ? proxyDialsFrom : proxy.files else {
      throw .notEnoughKnown([.proxyPID])
    }
    // A configuration that is cut may name a host that is none.
    let sent = self[.routeSendsHost].flatMap { Site("http://\($0)") == nil ? nil : $0 }
    let host = sent ?? self[.siteHost] ?? "localhost"
    var request = HTTPRequest(
      url: "\(scheme)://\(host)\(path ?? self[.upstreamPath] ?? self[.sitePath] ?? "/")", address: self[.nameAddress],
      port: port(.upstreamPort), unixSocket: self[.upstreamSocket], place: place, limit: limit)
    if ["h2c", "h2", "grpc"].contains(self[.routeProtocol]) { request.version = .two }
    if scheme == "https" {
      request.tlsName = self[.routeTLSName]
      request.sendsTLSName = self[.routeSendsTLSName] != "off"
      if let offer = self[.routeTLSOffer].flatMap({ HTTPRequest.Offer(rawValue: $0) }) { request.offer = offer }
    }
    return request
  }
}
