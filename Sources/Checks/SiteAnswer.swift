import Discovery
import Model
import Routes
import World

extension FactName {
  static let siteAddress: FactName = "site.address"
  /// Seconds since 1970 just before the site was asked.
  static let siteAsked: FactName = "site.asked"
  /// `here`: at this machine, since its name leads nowhere or elsewhere; else absent. `site.*` is its answer then.
  static let siteAskedAt: FactName = "site.asked-at"
  /// The service in front of this machine through which the answer at the name's address came: `Cloudflare`.
  static let siteEdge: FactName = "site.edge"
  /// The address to which the name leads, if that is another machine's and it does not go well there.
  static let publicAddress: FactName = "public.address"
  /// Known if that address is public and none of this machine's own is: a router stands between them.
  static let publicBehindNAT: FactName = "public.behind-nat"
  /// Known while no answer has come within the first seconds.
  static let siteWaiting: FactName = "site.waiting"
  /// `at-once` or `later`: how soon the answer came.
  static let siteDelay: FactName = "site.delay"
  /// Known if an answer came within the first seconds, but not at once.
  static let siteLate: FactName = "site.late"
  /// Known if an answer came at all, but not at once.
  static let siteWaited: FactName = "site.waited"
  /// What the answer means by a sign of `signs.yaml`: `default-site`, `tls-port`, …
  static let siteMeans: FactName = "site.means"
  /// Why the proxy could not pass on an answer, as its own error page says.
  static let siteReason: FactName = "site.reason"
}

private enum AgainOutcome: String, CheckOutcome {
  /// The proxy has just loaded its configuration: the answer before was from the old one.
  case good
  /// It failed before and answers well now, and nothing was loaded in between.
  case sometimes
  case bad, unknown
}

private enum SiteOutcome: String, CheckOutcome {
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

extension Check {
  /// Asks the site as a browser would: GET, its host name, its TLS name, no redirect followed.
  ///
  /// A name that has no address here, or one of another machine, is asked at this machine instead.
  static let siteAnswer = Check(
    "site.answer", needs: [.url],
    learns: [
      .siteStatus, .siteSeconds, .siteError, .siteServer, .siteAddress, .siteAsked, .siteAskedAt, .siteWaiting,
      .siteMeans, .siteReason, .siteRedirect, .siteDelay, .siteLate, .siteWaited, .siteEdge, .publicStatus,
      .publicSeconds,
      .publicError,
      .publicServer,
      .publicAddress, .publicBehindNAT, .nextURL, .next(.address), .next(.from), .next(.name),
    ], outcome: SiteOutcome.self, limit: nil
  ) { world, facts, signs throws(Unseen) in
    let asked = world.now
    guard let sight = try await world.site(facts, within: siteShort) else {
      return (.slow, [.siteAsked: String(asked), .siteWaiting: "yes", .siteDelay: "later"])
    }
    return described(sight, of: facts, asked: asked, signs)
  }

  /// Goes on waiting for an answer that did not come within the first seconds.
  static let siteSlow = Check(
    "site.slow", needs: [.url, .siteWaiting],
    learns: [
      .siteStatus, .siteSeconds, .siteError, .siteServer, .siteMeans, .siteReason, .siteRedirect, .siteDelay,
      .siteWaited, .siteEdge,
    ],
    outcome: SiteOutcome.self, limit: nil
  ) { world, facts, signs throws(Unseen) in
    guard let sight = try await world.site(facts, within: nil) else { return (.slow, [:]) }
    var (outcome, learned) = described(sight, of: facts, asked: 0, signs)
    (learned[.siteAsked], learned[.siteLate]) = (nil, nil)
    return (outcome, learned)
  }

  /// Asks once more, after the app itself has answered well.
  ///
  /// While a proxy loads its configuration, its old processes still answer for a moment: if that has just happened,
  /// the last of a few answers counts. The proxy's default page is no good answer, unless the route that runs is the
  /// right one: then the app itself answers so.
  static let siteAgain = Check(
    "site.again", needs: [.url, .siteStatus, .upstreamStatus, .proxyPlace],
    learns: [.siteStatus, .siteSeconds, .siteSometimes], outcome: AgainOutcome.self
  ) { world, facts, signs throws(Unseen) in
    let failedBefore = facts[.siteStatus].flatMap { Int($0) }.map { $0 >= 400 } ?? true
    let loaded = try? await world.lastLoad(facts, signs)
    let hasJustLoaded = world.now - (loaded ?? 0) < 3
    for attempt in 1...(hasJustLoaded ? 4 : 1) {
      if attempt > 1 { await world.pause(0.4) }
      guard let seen = try await world.site(facts, within: siteShort, attempt: attempt),
        let status = seen.answer.status,
        status < 400, seen.answer.failure == nil,
        facts[.configRuns] == "same" || signs.read(seen.answer).means != "default-site"
      else { continue }
      let learned: Facts = [.siteStatus: String(status), .siteSeconds: seen.answer.seconds ?? ""]
      if hasJustLoaded || !failedBefore { return (.good, learned) }
      return (.sometimes, learned.merging([.siteSometimes: "yes"]))
    }
    return (.bad, [:])
  }

  /// Seconds after which the other checks' results are worth more than waiting.
  private static let siteShort = 6.0

  private static func described(_ sight: SiteSeen, of given: Facts, asked: Double, _ signs: Signs) -> (
    SiteOutcome, Facts
  ) {
    let answer = sight.answer
    let sign = signs.read(answer)
    var facts: Facts = [
      .siteAsked: String(asked), .siteAddress: answer.address ?? "",
      .siteAskedAt: sight.isHere ? "here" : "",
      .siteSeconds: answer.seconds ?? "",
      .siteServer: sign.by ?? answer.header("Server")?.shortened(to: 60).printable ?? "",
      .siteMeans: sign.means ?? "", .siteReason: sign.reason?.excerpt(of: 200) ?? "",
      .siteEdge: signs.edge(of: sight.elsewhere ?? answer) ?? "",
    ]
    if let elsewhere = sight.elsewhere {
      facts.merge([
        .publicStatus: elsewhere.status.map { String($0) } ?? "", .publicSeconds: elsewhere.seconds ?? "",
        .publicError: elsewhere.failure?.inShort ?? "", .publicAddress: elsewhere.address ?? "",
        .publicServer: signs.read(elsewhere).by ?? elsewhere.header("Server")?.shortened(to: 60).printable ?? "",
        .publicBehindNAT: sight.isBehindNAT ? "yes" : "",
      ])
    }
    if let status = answer.status, (300..<400).contains(status), let location = answer.header("Location") {
      facts[.siteRedirect] = Site(given[.url] ?? "")?.redirected(to: location)?.url
    }
    facts[.siteDelay] = (answer.times.firstByte ?? answer.times.total).map { $0 < 2 ? "at-once" : "later" }
    facts[.siteWaited] = facts[.siteDelay] == "later" && answer.status != nil ? "yes" : nil
    facts[.siteLate] = facts[.siteWaited]
    facts[.siteStatus] = answer.status.map { String($0) }
    facts[.siteError] = answer.failure.map { $0.inShort }
    if sight.isAtPlainPort {
      facts[.nextURL] = "http://\(given[.siteHost] ?? "")\(given[.sitePath] ?? "/")"
      facts[.next(.address)] = sight.answer.address
      facts[.next(.from)] = facts[.siteEdge] ?? facts[.publicAddress]
      return (.otherPort, facts)
    }
    if sight.elsewhere != nil, answer.isWell { return (.onlyHere, facts) }
    if facts[.siteRedirect] != nil { return (.redirected, facts) }
    if !sight.hasName, answer.status == nil { return (.noName, facts) }
    if facts[.siteEdge] != nil, let status = answer.status, (520...527).contains(status) || status == 530 {
      return (.edgeError, facts)
    }
    return (outcome(of: answer, means: sign.means), facts)
  }

  private static func outcome(of answer: HTTPRequest.Sight, means: String?) -> SiteOutcome {
    if means == "default-site" { return .defaultSite }
    if means == "tls-port" { return .tlsPort }
    switch (answer.status, answer.failure) {
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
}

extension HTTPRequest.Sight {
  /// The app, or something in front of it, answers as it should, if only to say no.
  var isWell: Bool { failure == nil && status.map { $0 < 500 && $0 != 404 } == true }

  /// To the first byte, to the millisecond.
  fileprivate var seconds: String? {
    (times.firstByte ?? times.total).map { String(($0 * 1000).rounded() / 1000) }
  }
}

extension World {
  /// Nil if no answer came in time. Another `attempt` is another request.
  func site(_ facts: Facts, within seconds: Double?, attempt: Int = 0) async throws(Unseen) -> SiteSeen? {
    let port = facts.port(.sitePort) ?? 80
    // Another request than before, as a browser sends when its page is loaded anew.
    let headers = attempt == 0 ? [] : ["Cache-Control: no-cache, max-age=\(attempt - 1)"]
    func request(_ address: String?, _ place: Place = .host) -> HTTPRequest {
      HTTPRequest(
        url: facts[.url] ?? "", address: address, port: port, place: place, headers: headers,
        limit: facts.seconds(.limitSeconds) ?? 90)
    }
    if facts[.hop(.from)] != nil {
      guard let hop = facts[.hop(.address)] else { return SiteSeen(answer: .init(failure: .name)) }
      let place = facts[.hop(.pid)].flatMap { Int32($0) }.map { Place.process($0) } ?? .host
      return await race(request(hop, place), within: seconds).map { SiteSeen(answer: $0) }
    }
    let own = try? await see(OwnAddresses())
    let addresses = try await see(SystemLookup(name: facts[.siteHost] ?? ""))
    guard let address = addresses.first else {
      return await race(request(await loopback(at: port)), within: seconds).map {
        SiteSeen(answer: $0, isHere: true, hasName: false)
      }
    }
    guard let named = await race(request(address), within: seconds) else { return nil }
    let isOwn = own.map { own in addresses.contains { own.contains($0) || $0.isLoopback } } ?? true
    guard !isOwn, !named.isWell else { return SiteSeen(answer: named) }
    // The name leads to another machine, and it does not go well there: is this the machine behind it?
    var here = SiteSeen(answer: named, isHere: true, elsewhere: named)
    here.isBehindNAT = !address.isPrivateAddress && own?.contains { !$0.isPrivateAddress } == false
    if let answer = await race(request(await loopback(at: port)), within: seconds), answer.status != nil {
      here.answer = answer
      if answer.status == named.status { here.elsewhere = nil }
      return here
    }
    var plain = request(await loopback(at: 80))
    (plain.url, plain.port) = ("http://\(facts[.siteHost] ?? "")\(facts[.sitePath] ?? "/")", 80)
    if port == 443, let answer = await race(plain, within: seconds), answer.status != nil {
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
  private func race(_ request: HTTPRequest, within seconds: Double?) async -> HTTPRequest.Sight? {
    try? await result(of: request, within: seconds).get()
  }
}
