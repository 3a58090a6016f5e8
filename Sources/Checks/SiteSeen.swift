import Discovery
import Model
import Routes
import World

/// What asking the site comes to.
enum SiteOutcome: String, CheckOutcome {
  /// To the very address that was asked, without anything to come back with.
  case sentBack = "sent-back"
  case good, redirected, refusedByApp = "client-error", notFound = "not-found", defaultSite = "default-site"
  case badGateway = "bad-gateway", gatewayTimeout = "gateway-timeout", unavailable, serverError = "server-error"
  case tlsPort = "tls-port"
  /// A service in front of this machine says that it gets no answer from the server behind it.
  case edgeError = "edge-error"
  /// Not well where its name leads, and well when this machine itself is asked.
  case onlyHere = "only-here"
  /// The same, but this machine answers at port 80 in plain HTTP only: `next.url`.
  case otherPort = "other-port"
  case nobodyListens = "nobody-listens", unreachable, noName = "no-name", tlsRefused = "tls-refused"
  case broken, slow, unknown
}

/// What the site answered, and where it was asked.
struct SiteSeen: Sendable {
  var answer: HTTPRequest.Sight
  /// At this machine, since its name has no address, or one of another machine where it does not go well.
  var isHere = false
  var hasName = true
  /// What that other machine answers.
  var elsewhere: HTTPRequest.Sight?
  var isBehindNAT = false
  /// This machine was asked at port 80 in plain HTTP, since nobody answers here at the site's own port.
  var isAtPlainPort = false

  /// Seconds after which the other checks' results are worth more than waiting.
  static let short = 6.0

  /// What it comes to, and its facts.
  func found(of given: Case, asked: Double, _ signs: Signs) throws(Unseen) -> (SiteOutcome, Facts) {
    let sign = signs.read(answer)
    var facts: Facts = [
      .siteAsked: String(asked),
      .siteAskedAt: isHere ? "here" : "",
      .siteSeconds: answer.seconds ?? "",
      .siteServer: sign.by ?? answer.header("Server")?.shortened(to: 60).printable ?? "",
      .siteReason: sign.reason?.excerpt(of: 200) ?? "",
      .siteEdge: signs.edge(of: elsewhere ?? answer) ?? "",
    ]
    if let elsewhere {
      facts.merge([
        .publicStatus: elsewhere.status.map { String($0) } ?? "", .publicSeconds: elsewhere.seconds ?? "",
        .publicError: elsewhere.failure?.inShort ?? "", .publicAddress: elsewhere.address ?? "",
        .publicServer: signs.read(elsewhere).by ?? elsewhere.header("Server")?.shortened(to: 60).printable ?? "",
        .publicBehindNAT: isBehindNAT ? "yes" : "",
      ])
    }
    if let status = answer.status, (300..<400).contains(status), let location = answer.header("Location") {
      facts[.siteRedirect] = try given.site.redirected(to: location)?.url
    }
    if answer.status != nil {
      facts[.siteDelay] = (answer.times.firstByte ?? answer.times.total).map { $0 < 2 ? "at-once" : "later" }
    }
    facts[.siteWaited] = facts[.siteDelay] == "later" ? "yes" : nil
    facts[.siteLate] = facts[.siteWaited]
    facts[.sitePage] = sign.means == "error-page" ? String(decoding: answer.body, as: UTF8.self).excerpt(of: 400) : nil
    facts[.siteOwnWords] = sign.means == nil && answer.isErrorInWords && facts[.siteEdge] == nil ? "yes" : nil
    facts[.siteStatus] = answer.status.map { String($0) }
    facts[.siteError] = answer.failure.map { $0.inShort }
    if isAtPlainPort {
      facts[.nextURL] = try "http://\(given.siteHost)\(given.sitePath)"
      facts[.next(.address)] = answer.address
      facts[.next(.from)] = facts[.siteEdge] ?? facts[.publicAddress]
      return (.otherPort, facts)
    }
    if elsewhere != nil, answer.isWell { return (.onlyHere, facts) }
    if let status = answer.status, (300..<400).contains(status), answer.header("Set-Cookie") == nil,
      let location = answer.header("Location"), try given.site.leadsBack(by: location)
    {
      facts[.siteRedirect] = nil
      facts[.siteSentBack] = "yes"
      return (.sentBack, facts)
    }
    if facts[.siteRedirect] != nil { return (.redirected, facts) }
    if !hasName, answer.status == nil { return (.noName, facts) }
    if facts[.siteEdge] != nil, let status = answer.status, (520...527).contains(status) || status == 530 {
      return (.edgeError, facts)
    }
    return (answer.outcome(means: sign.means), facts)
  }
}

extension HTTPRequest.Sight {
  /// The app, or something in front of it, answers as it should, if only to say no.
  var isWell: Bool { failure == nil && status.map { $0 < 500 && $0 != 404 } == true }

  /// True for a failure that comes with a page.
  fileprivate var isErrorInWords: Bool {
    failure == nil && status.map { $0 >= 500 } == true && (!body.isEmpty || isOfPHP)
  }

  /// PHP names itself also where it has nothing to say, and no proxy does that.
  private var isOfPHP: Bool { header("X-Powered-By")?.hasPrefix("PHP/") == true }

  fileprivate func outcome(means: String?) -> SiteOutcome {
    if means == "default-site" { return .defaultSite }
    if means == "tls-port" { return .tlsPort }
    switch (status, failure) {
    case (502?, _): return .badGateway
    case (504?, _): return .gatewayTimeout
    case (503?, _): return .unavailable
    case (404?, _): return .notFound
    case (let status?, _) where status >= 500: return .serverError
    case (let status?, _) where status >= 400: return .refusedByApp
    case (_?, nil), (_?, .bodyTimeout): return .good
    case (_?, _): return .broken
    case (nil, .name): return .noName
    case (nil, .refused): return .nobodyListens
    case (nil, .unreachable), (nil, .connectTimeout): return .unreachable
    case (nil, .handshake), (nil, .notTLS), (nil, .tlsTimeout): return .tlsRefused
    case (nil, .answerTimeout): return .slow
    case (nil, _): return .broken
    }
  }

  /// To the first byte, to the millisecond.
  var seconds: String? {
    (times.firstByte ?? times.total).map { String(($0 * 1000).rounded() / 1000) }
  }
}

extension World {
  /// Nil if no answer came in time. Another `attempt` is another request, and `query` is added to the URL's own.
  func site(
    _ given: Case, within seconds: Double?, attempt: Int = 0, query: String? = nil
  ) async throws(Unseen) -> SiteSeen? {
    let (site, port) = (try given.url, try given.sitePort)
    let url = query.map { site + (site.contains("?") ? "&" : "?") + $0 } ?? site
    // Another request than before, as a browser sends when its page is loaded anew.
    let headers = attempt == 0 ? [] : ["Cache-Control: no-cache, max-age=\(attempt - 1)"]
    func request(_ address: String?, _ place: Place = .host) -> HTTPRequest {
      HTTPRequest(
        url: url, address: address, port: port, place: place, headers: headers,
        limit: given.limit)
    }
    if given[.hop(.from)] != nil {
      guard let hop = given[.hop(.address)] else { return SiteSeen(answer: .init(failure: .name)) }
      let place = given[.hop(.pid)].flatMap { Int32($0) }.map { Place.process($0) } ?? .host
      return try await race(request(hop, place), within: seconds).map { SiteSeen(answer: $0) }
    }
    let own = try? await see(OwnAddresses())
    let addresses: [String]
    do throws(Unseen) { addresses = try await see(SystemLookup(name: try given.siteHost)) } catch {
      // Who pastes what the site answered need not say at which address.
      guard let told = try? await race(request(nil), within: seconds), told.status != nil else { throw error }
      return SiteSeen(answer: told)
    }
    guard let address = addresses.first else {
      return try await race(request(await loopback(at: port)), within: seconds).map {
        SiteSeen(answer: $0, isHere: true, hasName: false)
      }
    }
    guard let named = try await race(request(address), within: seconds) else { return nil }
    let isOwn = own.map { own in addresses.contains { own.contains($0) || $0.isLoopback } } ?? true
    guard !isOwn, !named.isWell else { return SiteSeen(answer: named) }
    // The name leads to another machine, and it does not go well there: is this the machine behind it?
    var here = SiteSeen(answer: named, isHere: true, elsewhere: named)
    here.isBehindNAT = !address.isPrivateAddress && own?.contains { !$0.isPrivateAddress } == false
    if let answer = try? await race(request(await loopback(at: port)), within: seconds), answer.status != nil {
      here.answer = answer
      if answer.status == named.status { here.elsewhere = nil }
      return here
    }
    var plain = request(await loopback(at: 80))
    (plain.url, plain.port) = (try "http://\(given.siteHost)\(given.sitePath)", 80)
    if port == 443, let answer = try? await race(plain, within: seconds), answer.status != nil {
      (here.answer, here.isAtPlainPort) = (answer, true)
      return here
    }
    return SiteSeen(answer: named)
  }

  /// The address at which this machine is asked for a port: loopback, unless somebody listens at another one only.
  private func loopback(at port: UInt16) async -> String {
    let listeners = ((try? await see(Listeners(place: .host))) ?? []).filter { $0.port == port }
    let all = listeners.map(\.address)
    if all.isEmpty || all.contains(where: { $0 == "0.0.0.0" || $0.hasPrefix("127.") }) { return "127.0.0.1" }
    return all.contains("::") ? "::1" : all[0]
  }

  /// The answer if it comes within `seconds`; the request itself goes on and can be waited for again.
  private func race(_ request: HTTPRequest, within seconds: Double?) async throws(Unseen) -> HTTPRequest.Sight? {
    do throws(Unseen) { return try await result(of: request, within: seconds).get() } catch {
      guard case .noAnswer = error else { throw error }
      return nil
    }
  }
}
