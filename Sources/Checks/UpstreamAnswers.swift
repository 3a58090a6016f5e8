import Discovery
import Model
import Routes
import World

extension FactName {
  /// The status that the upstream itself answers.
  static let upstreamStatus: FactName = "upstream.status"
  /// Seconds to its first byte.
  static let upstreamSeconds: FactName = "upstream.seconds"
  static let upstreamError: FactName = "upstream.error"
  /// A time-out, in whole seconds, that its answer would fit into.
  static let timeoutNeeded: FactName = "timeout.needed"
  /// Bytes of its whole header, bytes of the longest line, number of lines.
  static let headerBytes: FactName = "upstream.header-bytes"
  static let headerLongest: FactName = "upstream.header-longest"
  static let headerLines: FactName = "upstream.header-lines"
  /// A size that the header fits into: bytes, a power of two; and twice that, and four times.
  static let headerRoom: FactName = "header.room"
  static let headerDouble: FactName = "header.double"
  static let headerFourfold: FactName = "header.fourfold"
  /// A number of lines that is enough.
  static let headerLinesRoom: FactName = "header.lines-room"
  /// `bytes`, `line` or `lines`: which limit it breaks.
  static let headerExcess: FactName = "header.excess"
  /// When it ended the connection: `at-once` (before it was asked), `after-request`, `in-header`, `in-body`.
  static let dropWhen: FactName = "drop.when"
  /// `closed` or `reset`.
  static let dropHow: FactName = "drop.how"
  static let certificateProblem: FactName = "certificate.problem"
  static let certificateSubject: FactName = "certificate.subject"
  static let certificateExpires: FactName = "certificate.expires"
  /// The first name that it is valid for.
  static let certificateName: FactName = "certificate.name"
  /// Who signed it.
  static let certificateIssuer: FactName = "certificate.issuer"
  /// `expired`, `name`, `self-signed`, `chain` (sent without its issuer's certificate) or `issuer`: what is wrong with it.
  static let certificateFault: FactName = "certificate.fault"
}

private enum AnswerOutcome: String, CheckOutcome {
  case good
  /// The app itself answers 5xx.
  case error
  /// It answers, later than the proxy waits.
  case late
  case never, closes, refused, unknown
  /// A status, and then a body that breaks off.
  case cut
  /// Its header is larger than the proxy takes.
  case tooLarge = "too-large"
  case notHTTP = "not-http"
  /// The route speaks something in which this program asks nothing.
  case notAsked = "not-asked"
}

private enum CertificateOutcome: String, CheckOutcome {
  case trusted, untrusted
  /// The proxy does not verify.
  case notVerified = "not-verified"
  case handshake, unknown
}

extension Check {
  /// Asks the upstream just as the proxy does, from its place, and waits longer than the proxy would.
  static let upstreamAnswer = Check(
    "upstream.answer", needs: [.upstreamDial, .proxyPlace, .upstreamScheme],
    learns: [
      .upstreamStatus, .upstreamSeconds, .upstreamError, .timeoutNeeded, .headerBytes, .headerLongest, .headerLines,
      .headerRoom, .headerDouble, .headerFourfold, .headerLinesRoom, .headerExcess, .dropWhen, .dropHow,
    ], outcome: AnswerOutcome.self, limit: nil
  ) { world, facts, _ throws(Unseen) in
    guard ["http", "h2c", "h2", "grpc", nil].contains(facts[.routeProtocol]) else { return (.notAsked, [:]) }
    // Absent: the proxy waits for ever, and so does the visitor.
    let patience = facts.seconds(.routeReadTimeout)
    // A little less than the check itself has, so that "never" is its own finding.
    let limit = min((facts.seconds(.limitSeconds) ?? 90) - 0.5, patience.map { max(8, $0 * 1.5 + 4) } ?? 60)
    let sight = try await world.see(try facts.asProxy(facts.speaksTLS ? "https" : "http", limit: limit))
    let seconds = sight.times.firstByte
    var learned: Facts = [
      .upstreamStatus: sight.status.map { String($0) } ?? "", .upstreamError: sight.failure?.inShort ?? "",
      .upstreamSeconds: (seconds ?? limit).inWords,
    ]
    if let size = sight.headerSize {
      learned[.headerBytes] = String(size.bytes)
      learned[.headerLongest] = String(size.longest)
      learned[.headerLines] = String(size.lines)
      if let excess = facts.excess(of: size) {
        learned[.headerExcess] = excess
        // A quarter of it stays free: a visitor's cookies may be longer than those of this request.
        let room = (size.bytes * 4 / 3).powerOfTwo
        learned[.headerRoom] = String(room)
        learned[.headerDouble] = String(room * 2)
        learned[.headerFourfold] = String(room * 4)
        learned[.headerLinesRoom] = String((size.lines + 1).powerOfTwo)
        return (.tooLarge, learned)
      }
    }
    if sight.isDropped {
      learned[.dropHow] = sight.failure == .reset ? "reset" : "closed"
      if sight.status != nil {
        learned[.dropWhen] = "in-body"
        return (.cut, learned)
      }
      learned[.dropWhen] = sight.headerSize != nil ? "in-header" : try await world.drop(facts)
      return (.closes, learned)
    }
    switch (sight.status, sight.failure) {
    case (let status?, _):
      if let seconds, let patience, seconds > patience {
        learned[.timeoutNeeded] = String(Int(clamping: (seconds * 2 / 30).rounded(.up)).clampedProduct(30))
        return (.late, learned)
      }
      return (status >= 500 ? .error : .good, learned)
    case (nil, .answerTimeout): return (.never, learned)
    case (nil, .refused), (nil, .connectTimeout), (nil, .unreachable): return (.refused, learned)
    case (nil, .notHTTP): return (.notHTTP, learned)
    default: return (.unknown, learned)
    }
  }

  /// Checks the upstream's certificate as the proxy is told to: against its authorities, for its name.
  static let upstreamCertificate = Check(
    "upstream.certificate", needs: [.upstreamDial, .proxyPlace, .routeVerifies],
    learns: [
      .certificateProblem, .certificateSubject, .certificateIssuer, .certificateExpires, .certificateName,
      .certificateFault,
    ], outcome: CertificateOutcome.self
  ) { world, facts, _ throws(Unseen) in
    guard let verifies = facts[.routeVerifies], verifies != "off" else { return (.notVerified, [:]) }
    let authorities: String?
    if let path = facts[.routeAuthorities] {
      guard let place = facts.proxy.files else { throw .notEnoughKnown([.proxyPID]) }
      authorities = try await world.see(FileRead(path: path, place: place)).text
    } else {
      authorities = nil
    }
    var request = try facts.asProxy("https", limit: 4)
    request.tls = verifies == Route.TLS.nameAndDate ? .verifyNameAndDate : .verify(authorities: authorities)
    var sight = try await world.see(request)
    // A proxy that minds no names minds the rest: ask again by a name that the certificate has, since OpenSSL compares
    // names first.
    if facts[.routeVerifiesParts] != nil, !facts.list(.routeVerifiesParts).contains("name"),
      case .untrusted(let why) = sight.failure, fault(why, sight.certificate) == "name",
      let name = sight.certificate?.names.first?.replacing("*.", with: "any.")
    {
      request.url = "https://\(name):\(facts[.upstreamPort] ?? "443")/"
      sight = try await world.see(request)
    }
    var learned: Facts = [
      .certificateSubject: sight.certificate?.subject ?? "", .certificateIssuer: sight.certificate?.issuer ?? "",
      .certificateExpires: sight.certificate?.expires ?? "",
      .certificateName: sight.certificate?.names.first ?? "",
    ]
    switch sight.failure {
    case .untrusted(let why):
      let fault = fault(why, sight.certificate)
      let looks = facts.list(.routeVerifiesParts)
      if !looks.isEmpty, !looks.contains(part(of: fault)) { return (.notVerified, learned) }
      learned[.certificateProblem] = why
      learned[.certificateFault] = fault
      return (.untrusted, learned)
    case .handshake, .notTLS, .tlsTimeout: return (.handshake, learned)
    default: return (sight.status == nil ? .unknown : .trusted, learned)
    }
  }

  /// The part of a certificate, as `route.verifies-parts` names it, that has the fault.
  private static func part(of fault: String) -> String {
    switch fault {
    case "expired": "expiry"
    case "name": "name"
    default: "issuer"
    }
  }

  /// What OpenSSL's reason comes down to.
  private static func fault(_ reason: String, _ certificate: HTTPRequest.Certificate?) -> String {
    let reason = reason.lowercased()
    if reason.contains("expired") || reason.contains("not yet valid") { return "expired" }
    if reason.contains("mismatch") || reason.contains("subject") || reason.contains("match") { return "name" }
    if reason.contains("self-signed certificate") || reason.contains("self signed certificate") { return "self-signed" }
    // The server sent its own one alone, and another one signed it.
    if let certificate, certificate.sent == 1, certificate.subject != certificate.issuer { return "chain" }
    return "issuer"
  }
}

extension World {
  /// Whether it ends a connection before it is asked anything.
  fileprivate func drop(_ facts: Facts) async throws(Unseen) -> String {
    guard let quiet = facts.exchange([]), let end = try? await see(quiet).end else { return "after-request" }
    return end == .closed || end == .reset ? "at-once" : "after-request"
  }
}

extension HTTPRequest.Sight {
  /// True if the connection ended before the answer did. Without a length the end of the connection is that of the
  /// answer, also where TLS is not closed in good form.
  fileprivate var isDropped: Bool {
    switch failure {
    case .reset: true
    case .closed: status == nil || header("Content-Length") != nil || header("Transfer-Encoding") != nil
    default: false
    }
  }
}

extension Int {
  /// The lowest power of two that is larger.
  fileprivate var powerOfTwo: Int {
    var power = 1
    while power <= self { power *= 2 }
    return power
  }
}

extension Facts {
  /// Which of the proxy's limits the header of an answer breaks; nil if none is known to be broken.
  fileprivate func excess(of size: HTTPRequest.HeaderSize) -> String? {
    func limit(_ name: FactName) -> Int { self[name].flatMap { Int($0) } ?? .max }
    if size.bytes > limit(.routeHeaderLimit) { return "bytes" }
    if size.longest > limit(.routeHeaderLineLimit) { return "line" }
    return size.lines > limit(.routeHeaderLines) ? "lines" : nil
  }

  /// True if the route speaks TLS to its upstream.
  var speaksTLS: Bool { ["https", "grpcs", "suwsgi"].contains(self[.upstreamScheme]) }

  /// The request that the proxy sends to its upstream, or the same for another path.
  func asProxy(_ scheme: String, path: String? = nil, limit: Double) throws(Unseen) -> HTTPRequest {
    guard let place = self[.upstreamSocket] == nil ? proxyLooks : proxy.files else {
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
