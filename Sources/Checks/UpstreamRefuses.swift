import Discovery
import Model
import Routes
import World

extension FactName {
  static let refusedBy: FactName = "refused.by"
  static let refusedStatus: FactName = "refused.status"
  static let takenStatus: FactName = "taken.status"
}

private enum RefusalOutcome: String, CheckOutcome {
  /// It takes the request with the visitor's `Host`, and not with the one that the proxy sends.
  case host
  /// It takes the request without the headers in which a proxy names the visitor, and not with them.
  case forwarded
  /// It takes HTTP/1.1, and not HTTP/1.0.
  case version
  /// It takes the request without the PROXY protocol before it, which the proxy sends.
  case preamble
  /// It takes the request unless that asks for another protocol, as each of the proxy's does.
  case upgrade
  /// It takes the request with the header that says by which scheme the visitor came.
  case scheme
  /// It takes the request for `localhost`, and says of the site's name that it is not on its list.
  case names
  /// None of these makes a difference.
  case same
  case unknown
}

extension Check {
  /// Asks the app as the proxy does, and with one thing changed at a time, after the site has answered with a refusal, or
  /// has sent the visitor back to where he is.
  ///
  /// A difference counts if one of the two answers is the site's own.
  static let upstreamRefuses = Check(
    "upstream.refuses", needs: [.siteStatus, .upstreamDial, .proxyPlace, .upstreamScheme],
    learns: [.refusedBy, .refusedStatus, .takenStatus], outcome: RefusalOutcome.self
  ) { world, given, _ throws(Unseen) in
    guard ["http", nil].contains(given[.routeProtocol]) else { return (.same, [:]) }
    let asked = try given.asProxy(given.speaksTLS ? "https" : "http", limit: 6)
    let site = try given.site
    async let plain = world.result(of: asked)
    async let forHost = world.result(of: asked.with { $0.host = site.authority })
    async let withNames = world.result(
      of: asked.with { $0.headers += ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: \(site.scheme)"] })
    async let inOld = world.result(of: asked.with { $0.version = .oneZero })
    guard let base = try await plain.get().status else { return (.unknown, [:]) }
    let answered = given.number(.siteStatus)
    func found(_ outcome: RefusalOutcome, refused: Int, taken: Int) -> (RefusalOutcome, Facts) {
      (
        outcome,
        [.refusedBy: outcome.rawValue, .refusedStatus: String(refused), .takenStatus: String(taken)]
      )
    }
    // Of one that sends on, only what is an answer is taken.
    let least = answered.map { (300..<400).contains($0) } == true ? 300 : 400
    if base == answered, let other = try await forHost.get().status, other < least {
      return found(.host, refused: base, taken: other)
    }
    if least == 300, base == answered, let other = try await withNames.get().status, other < least {
      return found(.scheme, refused: base, taken: other)
    }
    guard base < least else {
      // An app that knows its host names from a list says so, or that the request is bad.
      guard least == 400, base == answered, let body = try? await plain.get().body,
        base == 400 || String(decoding: body, as: UTF8.self).lowercased().contains("host"),
        let other = try await world.see(asked.with { $0.host = "localhost" }).status, other < least
      else { return (.same, [:]) }
      return found(.names, refused: base, taken: other)
    }
    if let other = try await withNames.get().status, other == answered {
      return found(.forwarded, refused: other, taken: base)
    }
    if let other = try await inOld.get().status, other == answered {
      return found(.version, refused: other, taken: base)
    }
    if given[.routeAsksUpgrade] != nil,
      let other = try await world.see(asked.with { $0.headers.append("Connection: upgrade") }).status, other == answered
    {
      return found(.upgrade, refused: other, taken: base)
    }
    if given[.routePreamble] != nil, answered == 400 { return found(.preamble, refused: 400, taken: base) }
    return (.same, [:])
  }
}
