import Discovery
import Model
import Routes
import World

extension FactName {
  static let upstreamSpeaks: FactName = "upstream.speaks"
}

private enum SpeaksOutcome: String, CheckOutcome {
  case http, tls, fastcgi, uwsgi
  /// HTTP/2 without TLS; to a route that speaks HTTP/1: nothing but that.
  case http2
  /// Something else.
  case other
  /// It accepts and closes at once, whatever it is told.
  case closes
  case silent, unknown
}

extension Check {
  /// Tells what is spoken at the upstream's port or socket, from the proxy's place: first what the route speaks, then
  /// plain HTTP and TLS, then everything else that can be told by a harmless question.
  static let upstreamSpeaks = Check(
    "upstream.speaks", needs: [.upstreamDial, .proxyPlace], learns: [.upstreamSpeaks], outcome: SpeaksOutcome.self,
    limit: 8
  ) { world, given, signs throws(Unseen) in
    let expected: Language.Question? =
      switch given[.routeProtocol] {
      case "fastcgi": Language.fastCGI
      case "uwsgi": try Language.uwsgi(given)
      case "h2c", "grpc": given.speaksTLS ? nil : Language.http2
      default: nil
      }
    if let expected, let language = await world.language(given, [expected]) { return language.found }

    // What speaks HTTP/2 alone has answered by now.
    let inPlain = try given.asProxy("http", limit: 3).with { $0.version = .one }
    let inTLS = try given.asProxy("https", limit: 3)
    async let plain = world.result(of: inPlain)
    async let encrypted = world.result(of: inTLS)
    // An app may speak both on one port: what the route speaks counts, and need not wait for the other.
    if !given.speaksTLS, let http = try? await plain.get(), http.status != nil {
      return (signs.read(http).means == "tls-port" ? .tls : .http, [:])
    }
    let tls = try await encrypted.get()
    if tls.status != nil || tls.certificate != nil { return (.tls, [:]) }
    if case .handshake = tls.failure { return (.tls, [:]) }
    guard let http = try? await plain.get() else { return (.unknown, [:]) }
    if http.status != nil { return (signs.read(http).means == "tls-port" ? .tls : .http, [:]) }
    if http.failure == .notHTTP, http.body.first == 0x15 { return (.tls, [:]) }
    // A header that is too large, or cut, is HTTP all the same.
    if http.headerSize != nil { return (.http, [:]) }
    if [.refused, .connectTimeout, .unreachable].contains(http.failure) { return (.unknown, [:]) }
    if let language = await world.language(given, try Language.all(given)) { return language.found }
    switch (http.failure, tls.failure) {
    case (.notHTTP, _): return (.other, [:])
    case (_, .notTLS): return (.http, [:])
    case (.answerTimeout, _): return (.silent, [:])
    case (.closed, _), (.reset, _): return (.closes, [:])
    default: return (.unknown, [:])
    }
  }
}

extension Language {
  fileprivate static func all(_ given: Case) throws(Unseen) -> [Question] {
    [fastCGI, try uwsgi(given), http2, greeting, text, postgres]
  }

  fileprivate var found: (SpeaksOutcome, Facts) {
    (outcome.flatMap { SpeaksOutcome(rawValue: $0) } ?? .other, [.upstreamSpeaks: name])
  }
}
