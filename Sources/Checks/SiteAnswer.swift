import Discovery
import Model
import World

extension FactName {
  static let siteAddress: FactName = "site.address"
  /// Seconds since 1970 just before the site was asked.
  static let siteAsked: FactName = "site.asked"
  /// `here`: at this machine, since its name leads nowhere or elsewhere; else absent.
  static let siteAskedAt: FactName = "site.asked-at"
  /// Known while no answer has come within the first seconds.
  static let siteWaiting: FactName = "site.waiting"
  /// `at-once` or `later`: how soon the answer came.
  static let siteDelay: FactName = "site.delay"
  /// What the answer means by a sign of `signs.yaml`: `default-site`, `tls-port`, …
  static let siteMeans: FactName = "site.means"
  /// Why the proxy could not pass on an answer, as its own error page says.
  static let siteReason: FactName = "site.reason"
}

private enum AgainOutcome: String, CheckOutcome { case good, bad, unknown }

private enum SiteOutcome: String, CheckOutcome {
  case good, redirected, refusedByApp = "client-error", notFound = "not-found", defaultSite = "default-site"
  case badGateway = "bad-gateway", gatewayTimeout = "gateway-timeout", unavailable, serverError = "server-error"
  case tlsPort = "tls-port"
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
      .siteMeans, .siteReason, .siteRedirect, .siteDelay,
    ], outcome: SiteOutcome.self, limit: nil
  ) { world, facts, signs throws(Unseen) in
    let asked = try await world.see(Clock())
    guard let sight = try await world.site(facts, within: siteShort) else {
      return (.slow, [.siteAsked: String(asked), .siteWaiting: "yes", .siteDelay: "later"])
    }
    return described(sight, of: facts, asked: asked, signs)
  }

  /// Goes on waiting for an answer that did not come within the first seconds.
  static let siteSlow = Check(
    "site.slow", needs: [.url, .siteWaiting],
    learns: [.siteStatus, .siteSeconds, .siteError, .siteServer, .siteMeans, .siteReason, .siteRedirect, .siteDelay],
    outcome: SiteOutcome.self, limit: nil
  ) { world, facts, signs throws(Unseen) in
    guard let sight = try await world.site(facts, within: nil) else { return (.slow, [:]) }
    var (outcome, learned) = described(sight, of: facts, asked: 0, signs)
    learned[.siteAsked] = nil
    return (outcome, learned)
  }

  /// Asks once more, after the app itself has answered well.
  ///
  /// While a proxy loads its configuration, its old processes still answer for a moment: if that has just happened,
  /// the last of a few answers counts.
  static let siteAgain = Check(
    "site.again", needs: [.url, .siteStatus, .upstreamStatus, .proxyPlace], learns: [.siteStatus, .siteSeconds],
    outcome: AgainOutcome.self
  ) { world, facts, signs throws(Unseen) in
    let loaded = try? await world.lastLoad(facts, signs)
    let hasJustLoaded = try await world.see(Clock()) - (loaded ?? 0) < 3
    for attempt in 1...(hasJustLoaded ? 4 : 1) {
      if attempt > 1 { try? await Task.sleep(for: .milliseconds(400)) }
      guard let seen = try await world.site(facts, within: siteShort, attempt: attempt),
        let status = seen.answer.status,
        status < 400, seen.answer.failure == nil
      else { continue }
      let seconds = seen.answer.times.firstByte ?? seen.answer.times.total ?? 0
      return (.good, [.siteStatus: String(status), .siteSeconds: String((seconds * 1000).rounded() / 1000)])
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
      .siteSeconds: (answer.times.firstByte ?? answer.times.total).map { String(($0 * 1000).rounded() / 1000) } ?? "",
      .siteServer: sign.by ?? answer.header("Server")?.shortened(to: 60).printable ?? "",
      .siteMeans: sign.means ?? "", .siteReason: sign.reason?.shortened(to: 200).printable ?? "",
    ]
    if let status = answer.status, (300..<400).contains(status), let location = answer.header("Location") {
      facts[.siteRedirect] = Site(given[.url] ?? "")?.redirected(to: location)?.url
    }
    facts[.siteDelay] = (answer.times.firstByte ?? answer.times.total).map { $0 < 2 ? "at-once" : "later" }
    facts[.siteStatus] = answer.status.map { String($0) }
    facts[.siteError] = answer.failure.map { $0.inShort }
    if facts[.siteRedirect] != nil { return (.redirected, facts) }
    if !sight.hasName, answer.status == nil { return (.noName, facts) }
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
private struct SiteSeen: Sendable {
  let answer: HTTPRequest.Sight
  /// At this machine, since its name has no address, or one of another machine where it does not go well.
  let isHere: Bool
  let hasName: Bool
}

extension World {
  /// Nil if no answer came in time.
  fileprivate func site(_ facts: Facts, within seconds: Double?, attempt: Int = 0) async throws(Unseen) -> SiteSeen? {
    let whole = facts.seconds(.limitSeconds) ?? 90
    let port = facts.port(.sitePort) ?? 80
    let url = facts[.url] ?? ""
    let own = try? await see(OwnAddresses())
    let addresses = try await see(SystemLookup(name: facts[.siteHost] ?? ""))
    let isHere =
      addresses.isEmpty || own.map { own in !addresses.contains { own.contains($0) || $0.hasPrefix("127.") } } ?? false
    // Another request than before, as a browser sends when its page is loaded anew.
    let headers = attempt == 0 ? [] : ["Cache-Control: no-cache, max-age=\(attempt - 1)"]
    let named = HTTPRequest(url: url, address: addresses.first, port: port, headers: headers, limit: whole)
    let local = HTTPRequest(url: url, address: "127.0.0.1", port: port, headers: headers, limit: whole)
    let answer = await race(addresses.isEmpty ? local : named, within: seconds)
    guard isHere, !addresses.isEmpty, let failed = answer, failed.status.map({ $0 >= 400 }) ?? true else {
      return answer.map { SiteSeen(answer: $0, isHere: addresses.isEmpty, hasName: !addresses.isEmpty) }
    }
    // The name leads to another machine, and it does not go well there: is this the machine behind it?
    guard let direct = await race(local, within: seconds), direct.status != nil else {
      return SiteSeen(answer: failed, isHere: false, hasName: true)
    }
    return SiteSeen(answer: direct, isHere: true, hasName: true)
  }

  /// The answer if it comes within `seconds`; the request itself goes on and can be waited for again.
  private func race(_ request: HTTPRequest, within seconds: Double?) async -> HTTPRequest.Sight? {
    await withTaskGroup(of: HTTPRequest.Sight?.self) { group in
      group.addTask { try? await see(request) }
      if let seconds {
        group.addTask {
          try? await Task.sleep(for: .seconds(seconds))
          return nil
        }
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }
}
