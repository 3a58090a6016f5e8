import Discovery
import Model
import Routes
import World

extension HTTPRequest {
  /// The same request with a change.
  func with(_ change: (inout Self) -> Void) -> Self {
    var other = self
    change(&other)
    return other
  }
}

extension Case {
  /// True if the route speaks TLS to its upstream.
  var speaksTLS: Bool { ["https", "grpcs", "suwsgi"].contains(self[.upstreamScheme]) }

  /// The request that the proxy sends to its upstream, or the same for another path.
  func asProxy(_ scheme: String, path: String? = nil, limit: Double) throws(Unseen) -> HTTPRequest {
    let place = self[.upstreamSocket] == nil ? try dialsFrom : try files
    // A configuration that is cut may name a host that is none.
    let sent = self[.routeSendsHost].flatMap { Site("http://\($0)") == nil ? nil : $0 }
    let host = if let sent { sent } else { try siteHost }
    let asked = if let path = path ?? self[.upstreamPath] { path } else { try sitePath }
    var request = HTTPRequest(
      url: "\(scheme)://\(host)\(asked)", address: self[.nameAddress],
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
