import Discovery
import Model
import World

extension FactName {
  /// The status that the upstream itself answers.
  static let upstreamStatus: FactName = "upstream.status"
  /// Seconds to its first byte.
  static let upstreamSeconds: FactName = "upstream.seconds"
  static let upstreamError: FactName = "upstream.error"
  /// A time-out, in whole seconds, that its answer would fit into.
  static let timeoutNeeded: FactName = "timeout.needed"
  static let certificateProblem: FactName = "certificate.problem"
  static let certificateSubject: FactName = "certificate.subject"
  static let certificateExpires: FactName = "certificate.expires"
  /// The first name that it is valid for.
  static let certificateName: FactName = "certificate.name"
  /// `expired`, `name` or `issuer`: what is wrong with it.
  static let certificateFault: FactName = "certificate.fault"
}

private enum SpeaksOutcome: String, CheckOutcome {
  case http, tls
  /// Something, but neither HTTP/1 nor TLS.
  case other
  /// It accepts and closes at once, whatever it is told.
  case closes
  case silent, unknown
}

private enum AnswerOutcome: String, CheckOutcome {
  case good
  /// The app itself answers 5xx.
  case error
  /// It answers, later than the proxy waits.
  case late
  case never, closes, refused, unknown
}

private enum CertificateOutcome: String, CheckOutcome {
  case trusted, untrusted
  /// The proxy does not verify.
  case notVerified = "not-verified"
  case handshake, unknown
}

extension Check {
  /// Tells whether plain HTTP or TLS is spoken at the upstream's port: tries both from the proxy's place.
  static let upstreamSpeaks = Check(
    "upstream.speaks", needs: [.nameAddress, .upstreamPort, .proxyPlace], outcome: SpeaksOutcome.self, limit: 6
  ) { world, facts, signs throws(Unseen) in
    let requests = (plain: try facts.asProxy("http", limit: 3), encrypted: try facts.asProxy("https", limit: 3))
    async let plain = world.result(of: requests.plain)
    let tls = try await world.see(requests.encrypted)
    if tls.status != nil || tls.certificate != nil { return (.tls, [:]) }
    if case .handshake = tls.failure { return (.tls, [:]) }
    guard let http = try? await plain.get() else { return (.unknown, [:]) }
    if http.status != nil { return (signs.read(http).means == "tls-port" ? .tls : .http, [:]) }
    switch (http.failure, tls.failure) {
    case (.notHTTP, _): return (http.body.first == 0x15 ? .tls : .other, [:])
    case (_, .notTLS): return (.http, [:])
    case (.answerTimeout, _): return (.silent, [:])
    case (.closed, _), (.reset, _): return (.closes, [:])
    default: return (.unknown, [:])
    }
  }

  /// Asks the upstream just as the proxy does, from its place, and waits longer than the proxy would.
  static let upstreamAnswer = Check(
    "upstream.answer", needs: [.nameAddress, .upstreamPort, .proxyPlace, .upstreamScheme],
    learns: [.upstreamStatus, .upstreamSeconds, .upstreamError, .timeoutNeeded], outcome: AnswerOutcome.self, limit: nil
  ) { world, facts, _ throws(Unseen) in
    let patience = facts.seconds(.routeReadTimeout) ?? 60
    // A little less than the check itself has, so that "never" is its own finding.
    let limit = min((facts.seconds(.limitSeconds) ?? 90) - 0.5, max(8, patience * 1.5 + 4))
    let sight = try await world.see(try facts.asProxy(facts[.upstreamScheme] ?? "http", limit: limit))
    let seconds = sight.times.firstByte
    var learned: Facts = [
      .upstreamStatus: sight.status.map { String($0) } ?? "", .upstreamError: sight.failure?.inShort ?? "",
      .upstreamSeconds: (seconds ?? limit).inWords,
    ]
    switch (sight.status, sight.failure) {
    case (let status?, _):
      if let seconds, seconds > patience {
        learned[.timeoutNeeded] = String(Int((seconds * 2 / 30).rounded(.up)) * 30)
        return (.late, learned)
      }
      return (status >= 500 ? .error : .good, learned)
    case (nil, .answerTimeout): return (.never, learned)
    case (nil, .refused), (nil, .connectTimeout), (nil, .unreachable): return (.refused, learned)
    case (nil, .closed), (nil, .reset), (nil, .notHTTP): return (.closes, learned)
    default: return (.unknown, learned)
    }
  }

  /// Checks the upstream's certificate as the proxy is told to: against its authorities, for its name.
  static let upstreamCertificate = Check(
    "upstream.certificate", needs: [.nameAddress, .upstreamPort, .proxyPlace, .routeVerifies],
    learns: [
      .certificateProblem, .certificateSubject, .certificateExpires, .certificateName, .certificateFault,
    ], outcome: CertificateOutcome.self
  ) { world, facts, _ throws(Unseen) in
    guard facts[.routeVerifies] == "on" else { return (.notVerified, [:]) }
    let authorities: String?
    if let path = facts[.routeAuthorities] {
      guard let place = facts.proxyFiles else { throw .notEnoughKnown([.proxyPID]) }
      authorities = try await world.see(FileRead(path: path, place: place)).text
    } else {
      authorities = nil
    }
    var request = try facts.asProxy("https", limit: 4)
    if let name = facts[.routeTLSName] {
      request.url = "https://\(name):\(facts[.upstreamPort] ?? "443")/"
    }
    request.tls = .verify(authorities: authorities)
    var sight = try await world.see(request)
    // Whoever does not compare names minds everything else: ask again by a name that the certificate has.
    if facts[.routeVerifiesName] == "off", case .untrusted(let why) = sight.failure, fault(why) == "name",
      let name = sight.certificate?.names.first?.replacing("*.", with: "any.")
    {
      request.url = "https://\(name):\(facts[.upstreamPort] ?? "443")/"
      sight = try await world.see(request)
    }
    var learned: Facts = [
      .certificateSubject: sight.certificate?.subject ?? "", .certificateExpires: sight.certificate?.expires ?? "",
      .certificateName: sight.certificate?.names.first ?? "",
    ]
    switch sight.failure {
    case .untrusted(let why):
      learned[.certificateProblem] = why
      learned[.certificateFault] = fault(why)
      return (.untrusted, learned)
    case .handshake, .notTLS, .tlsTimeout: return (.handshake, learned)
    default: return (sight.status == nil ? .unknown : .trusted, learned)
    }
  }

  /// What OpenSSL's reason comes down to.
  private static func fault(_ reason: String) -> String {
    let reason = reason.lowercased()
    if reason.contains("expired") || reason.contains("not yet valid") { return "expired" }
    if reason.contains("mismatch") || reason.contains("subject") || reason.contains("match") { return "name" }
    return "issuer"
  }
}

extension Facts {
  /// The request that the proxy sends to its upstream.
  func asProxy(_ scheme: String, limit: Double) throws(Unseen) -> HTTPRequest {
    guard let place = proxyLooks else { throw .notEnoughKnown([.proxyPID]) }
    // A configuration that is cut may name a host that is none.
    let sent = self[.routeSendsHost].flatMap { Site("http://\($0)") == nil ? nil : $0 }
    let host = sent ?? self[.siteHost] ?? "localhost"
    return HTTPRequest(
      url: "\(scheme)://\(host)\(self[.upstreamPath] ?? self[.sitePath] ?? "/")", address: self[.nameAddress],
      port: port(.upstreamPort), place: place, limit: limit)
  }

  /// The place whose files the proxy sees.
  var proxyFiles: Place? {
    self[.proxyPlace] == "host" ? .host : self[.proxyPID].flatMap { Int32($0) }.map { .process($0) }
  }
}
