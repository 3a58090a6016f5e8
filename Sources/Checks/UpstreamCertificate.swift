import Discovery
import FoundationEssentials
import Model
import Routes
import World

extension FactName {
  static let certificateProblem: FactName = "certificate.problem"
  static let certificateExpires: FactName = "certificate.expires"
  static let certificateName: FactName = "certificate.name"
  static let certificateIssuer: FactName = "certificate.issuer"
  static let certificateFault: FactName = "certificate.fault"
  static let certificateSoon: FactName = "certificate.soon"
}

private enum CertificateOutcome: String, CheckOutcome {
  case trusted, untrusted
  /// The proxy does not verify.
  case notVerified = "not-verified"
  case handshake, unknown
}

extension Check {
  /// Checks the upstream's certificate as the proxy is told to: against its authorities, for its name.
  static let upstreamCertificate = Check(
    "upstream.certificate", needs: [.upstreamDial, .proxyPlace, .routeVerifies],
    learns: [
      .certificateProblem, .certificateIssuer, .certificateExpires, .certificateName,
      .certificateFault, .certificateSoon,
    ], outcome: CertificateOutcome.self
  ) { world, given, _ throws(Unseen) in
    guard let verifies = given[.routeVerifies], verifies != "off" else { return (.notVerified, [:]) }
    let authorities: String?
    if let path = given[.routeAuthorities] {
      guard let place = given.proxy.files else { throw .notEnoughKnown([.proxyPID]) }
      authorities = try await world.see(FileRead(path: path, place: place)).text
    } else {
      authorities = nil
    }
    var request = try given.asProxy("https", limit: 4)
    request.tls = verifies == Route.TLS.nameAndDate ? .verifyNameAndDate : .verify(authorities: authorities)
    var sight = try await world.see(request)
    // A proxy that minds no names minds the rest: ask again by a name that the certificate has, since OpenSSL compares
    // names first.
    if given[.routeVerifiesParts] != nil, !given.list(.routeVerifiesParts).contains("name"),
      case .untrusted(let why) = sight.failure, fault(why, sight.certificate) == "name",
      let name = sight.certificate?.names.first?.replacing("*.", with: "any.")
    {
      request.url = "https://\(name):\(given[.upstreamPort] ?? "443")/"
      sight = try await world.see(request)
    }
    var learned: Facts = [
      .certificateIssuer: sight.certificate?.issuer ?? "",
      .certificateExpires: sight.certificate?.expires ?? "",
      .certificateName: sight.certificate?.names.first ?? "",
      .certificateSoon: (sight.certificate?.end).map { $0 - world.now < 30 * 86400 } == true ? "yes" : "",
    ]
    switch sight.failure {
    case .untrusted(let why):
      let fault = fault(why, sight.certificate)
      let looks = given.list(.routeVerifiesParts)
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

extension HTTPRequest.Certificate {
  /// Seconds since 1970 of its last moment; nil where that is not written as OpenSSL does: `Jan  1 00:00:00 2030 GMT`.
  fileprivate var end: Double? {
    let words = expires.split(separator: " ")
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard words.count == 5, words[4] == "GMT", let month = months.firstIndex(of: String(words[0])) else { return nil }
    let (number, day) = ("0\(month + 1)".suffix(2), "0\(words[1])".suffix(2))
    return (try? Date("\(words[3])-\(number)-\(day)T\(words[2])Z", strategy: .iso8601))?.timeIntervalSince1970
  }
}
