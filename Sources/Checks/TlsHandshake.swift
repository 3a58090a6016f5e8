import Discovery
import Model
import Routes
import World

extension FactName {
  static let tlsProblem: FactName = "tls.problem"
  static let tlsAlert: FactName = "tls.alert"
  static let tlsWantsCertificate: FactName = "tls.wants-certificate"
  static let tlsRefuses: FactName = "tls.refuses"
  static let tlsNameThatWorks: FactName = "tls.name"
  static let tlsVersion: FactName = "tls.version"
}

private enum HandshakeOutcome: String, CheckOutcome {
  case done
  /// The route does not speak TLS.
  case plain
  /// It works with a name in the handshake (SNI), or with another one.
  case nameNeeded = "name-needed"
  /// The app asks for a certificate of the proxy's.
  case clientCertificate = "client-certificate"
  /// It works with TLS 1.0 or 1.1 only.
  case oldVersion = "old-version"
  /// It works with ciphers that the proxy does not offer.
  case oldCipher = "old-cipher"
  /// It fails, and no variation works.
  case refused
  case unknown
}

extension Check {
  /// Shakes hands with the upstream as the proxy does, and if that fails changes one thing at a time until it works.
  static let tlsHandshake = Check(
    "tls.handshake", needs: [.upstreamDial, .upstreamScheme, .proxyPlace],
    learns: [.tlsProblem, .tlsAlert, .tlsWantsCertificate, .tlsRefuses, .tlsNameThatWorks, .tlsVersion],
    outcome: HandshakeOutcome.self, limit: 12
  ) { world, given, signs throws(Unseen) in
    guard given.speaksTLS else { return (.plain, [:]) }
    let asProxy = try given.asProxy("https", limit: 3)
    let sight = try await world.see(asProxy)
    // TLS 1.3 ends the handshake before the app has looked for a certificate; its alert may be lost with the connection.
    let isMissed =
      sight.wantsCertificate == true && sight.status == nil
      && (sight.failure == .closed || sight.failure == .reset)
    // Some let everybody shake hands, and say so in HTTP.
    if sight.isShaken, signs.read(sight).means == "wants-certificate" {
      return (.clientCertificate, [.tlsWantsCertificate: "yes", .tlsRefuses: "yes"])
    }
    if sight.isShaken, !isMissed { return (.done, [:]) }
    var learned: Facts = [.tlsProblem: sight.failure?.inShort ?? ""]
    if case .handshake(let text) = sight.failure { learned[.tlsAlert] = text.alertNumber }
    let isWanted = isMissed || sight.wantsCertificate == true && ["40", "42", "116"].contains(learned[.tlsAlert])
    learned[.tlsWantsCertificate] = isWanted ? "yes" : nil
    learned[.tlsRefuses] = isWanted || learned[.tlsAlert] != nil ? "yes" : nil
    switch sight.failure {
    case .handshake, .closed, .reset: break
    default: return (.unknown, learned)
    }
    // Asked for a certificate, and refused after none was given: alerts 40, 42 and 116 (RFC 8446, 6.2).
    if isWanted {
      // What comes of the proxy's own certificate only its owner's key could show.
      return (given[.routeSendsCertificate] == "on" ? .unknown : .clientCertificate, learned)
    }
    for name in given.namesToTry where asProxy.sendsTLSName == false || name != asProxy.tlsName {
      var named = asProxy
      (named.tlsName, named.sendsTLSName) = (name, true)
      if try await world.see(named).isShaken {
        learned[.tlsNameThatWorks] = name
        return (.nameNeeded, learned)
      }
    }
    for offer in [HTTPRequest.Offer.usual, .old] where offer != asProxy.offer {
      var other = asProxy
      other.offer = offer
      let sight = try await world.see(other)
      guard sight.isShaken else { continue }
      learned[.tlsVersion] = sight.tlsVersion
      return (["TLSv1", "TLSv1.1"].contains(sight.tlsVersion) ? .oldVersion : .oldCipher, learned)
    }
    return (.refused, learned)
  }
}

extension Case {
  /// Names that an app with several sites may know: what the certificate has to be for, the site's, the upstream's.
  fileprivate var namesToTry: [String] {
    var names: [String] = []
    for fact in [FactName.routeTLSName, .siteHost, .routeSendsHost, .upstreamHost] {
      guard let name = self[fact], name.contains(where: \.isLetter), !name.contains(":"), !names.contains(name) else {
        continue
      }
      names.append(name)
    }
    return names
  }
}

extension HTTPRequest.Sight {
  /// The handshake came to its end, and the certificate of this side was not missed after it.
  fileprivate var isShaken: Bool {
    if case .handshake = failure { return false }
    return status != nil || times.tls != nil
  }
}

extension String {
  /// `40` of `error:0A000410:SSL routines::…`: OpenSSL's reasons from 1000 on are alerts that the other side sent.
  fileprivate var alertNumber: String? {
    guard let start = firstRange(of: "error:")?.upperBound, let code = UInt64(self[start...].prefix(8), radix: 16),
      case let reason = code & 0x7F_FFFF, (1000..<1256).contains(reason)
    else { return nil }
    return String(reason - 1000)
  }
}
