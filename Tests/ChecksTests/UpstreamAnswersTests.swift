import Checks
import Fixture
import Model
import Testing
import World

private let facts: Facts = [
  "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "name.address": "10.0.0.2",
  "upstream.port": "8080", "upstream.scheme": "http", "site.host": "shop.example.org", "site.path": "/cart?id=1",
  "route.verifies": "on", "upstream.dial": "10.0.0.2:8080",
]

private func request(_ scheme: String, limit: Double, host: String = "shop.example.org", path: String = "/cart?id=1")
  -> HTTPRequest
{
  HTTPRequest(
    url: "\(scheme)://\(host)\(path)", address: "10.0.0.2", port: 8080, place: .process(7), limit: limit)
}

@Suite struct UpstreamSpeaksTests {
  private func outcome(_ plain: HTTPRequest.Sight, _ encrypted: HTTPRequest.Sight) async throws -> String {
    let signs = Signs(answers: [
      .init(by: nil, means: "tls-port", headers: [:], body: "plain HTTP request was sent to HTTPS")
    ])
    let world = Sandbox().with(request("http", limit: 3), plain).with(request("https", limit: 3), encrypted)
    return try await look("upstream.speaks", world, facts, signs: signs).outcome
  }
  private let notTLS = HTTPRequest.Sight(failure: .notTLS("wrong version number"))
  private let certificate = HTTPRequest.Certificate(
    subject: "CN=shop", issuer: "CN=shop", names: ["shop"], expires: "Jan  1 00:00:00 2030 GMT", problem: nil)

  @Test func plainHTTP() async throws {
    #expect(try await outcome(.init(status: 500), notTLS) == "http")
    #expect(try await outcome(.init(failure: .answerTimeout), notTLS) == "http")
  }

  @Test func tlsAnAnswerACertificateAHandshakeThatFailsAnAlertAPageThatSaysSo() async throws {
    #expect(try await outcome(.init(failure: .closed), .init(status: 200)) == "tls")
    #expect(
      try await outcome(.init(failure: .closed), .init(failure: .answerTimeout, certificate: certificate)) == "tls")
    #expect(try await outcome(.init(failure: .reset), .init(failure: .handshake("alert 40"))) == "tls")
    #expect(try await outcome(.init(body: [0x15, 3, 1], failure: .notHTTP), .init(failure: .tlsTimeout)) == "tls")
    let page = Array("The plain HTTP request was sent to HTTPS port".utf8)
    #expect(try await outcome(.init(status: 400, body: page), .init(failure: .tlsTimeout)) == "tls")
  }

  @Test func neitherSilentOrClosingAtOnce() async throws {
    #expect(try await outcome(.init(body: Array("SSH-2.0".utf8), failure: .notHTTP), notTLS) == "other")
    #expect(try await outcome(.init(failure: .answerTimeout), .init(failure: .tlsTimeout)) == "silent")
    #expect(try await outcome(.init(failure: .closed), .init(failure: .closed)) == "closes")
    #expect(try await outcome(.init(failure: .reset), .init(failure: .reset)) == "closes")
    #expect(try await outcome(.init(failure: .refused), .init(failure: .refused)) == "unknown")
  }

  @Test func bothOnOnePortWhatTheRouteSpeaksCounts() async throws {
    let world = Sandbox().with(request("http", limit: 3), .init(status: 200))
      .with(request("https", limit: 3), .init(status: 200))
    #expect(try await look("upstream.speaks", world, facts).outcome == "http")
    let secure = facts.merging(["upstream.scheme": "https"])
    #expect(try await look("upstream.speaks", world, secure).outcome == "tls")
  }

  @Test func whatTheTLSRequestCouldNotSeeIsUnknown() async throws {
    let world = Sandbox().with(request("http", limit: 3), .init(failure: .closed))
      .with(request("https", limit: 3), unseen: .notPermitted(what: "/proc/7/ns/net"))
    #expect(try await look("upstream.speaks", world, facts).unseen == .notPermitted(what: "/proc/7/ns/net"))
  }
}

@Suite struct UpstreamAnswerTests {
  private func finding(_ sight: HTTPRequest.Sight, _ more: Facts = [:], limit: Double = 60) async throws -> Finding {
    let given = facts.merging(more)
    return try await look("upstream.answer", Sandbox().with(request("http", limit: limit), sight), given)
  }

  @Test(arguments: [
    (200, "good"), (302, "good"), (404, "good"), (499, "good"), (500, "error"), (502, "error"),
  ])
  func goodAlsoWithAnErrorOfTheClientsAnErrorOfItsOwn(status: Int, expected: String) async throws {
    let found = try await finding(.init(status: status, times: .init(firstByte: 0.02)))
    #expect(found.outcome == expected)
    #expect(found.facts["upstream.status"] == String(status))
    #expect(found.facts["upstream.seconds"] == "0.02")
  }

  /// It answers later than the proxy waits: the time-out that would do is twice as long, in half minutes
  @Test func itAnswersLaterThanTheProxyWaits() async throws {
    let found = try await finding(
      .init(status: 200, times: .init(firstByte: 7)), ["route.read-timeout": "5"], limit: 11.5)
    #expect(found.outcome == "late")
    #expect(found.facts["timeout.needed"] == "30")
    let longer = try await finding(
      .init(status: 200, times: .init(firstByte: 31)), ["route.read-timeout": "30"], limit: 49)
    #expect(longer.facts["timeout.needed"] == "90")
    let inTime = try await finding(
      .init(status: 200, times: .init(firstByte: 5)), ["route.read-timeout": "5"], limit: 11.5)
    #expect(inTime.outcome == "good")
  }

  @Test(arguments: [
    (HTTPRequest.Failure.answerTimeout, "never", "connected, but no answer in time"),
    (.refused, "refused", "connection refused"), (.connectTimeout, "refused", "no TCP connection in time"),
    (.unreachable, "refused", "no route to host"), (.closed, "closes", "closed before a full answer"),
    (.reset, "closes", "connection reset"), (.notHTTP, "not-http", "the answer is not HTTP"),
    (.other("odd\u{1B}[2J"), "unknown", "odd^[[2J"),
  ])
  func noAnswerAndWhy(failure: HTTPRequest.Failure, expected: String, words: String) async throws {
    let found = try await finding(.init(failure: failure))
    #expect(found.outcome == expected)
    #expect(found.facts["upstream.error"] == words)
    #expect(found.facts["upstream.status"] == nil)
  }

  @Test(arguments: [
    ("route.header-limit", "4096", "bytes"), ("route.header-line-limit", "4000", "line"),
    ("route.header-lines-limit", "9", "lines"),
  ])
  func aHeaderThatIsLargerThanTheProxyTakes(limit: FactName, value: String, excess: String) async throws {
    let sight = HTTPRequest.Sight(status: 200, headerSize: .init(bytes: 5000, longest: 4500, lines: 10))
    let found = try await finding(sight, [limit: value])
    #expect(found.outcome == "too-large")
    #expect(found.facts["header.excess"] == excess)
    #expect(found.facts["upstream.header-bytes"] == "5000")
    #expect(found.facts["header.room"] == "8192")
    #expect(found.facts["header.double"] == "16384")
    #expect(try await finding(sight, [limit: "5000"]).outcome == "good")
    let endless = HTTPRequest.Sight(status: 200, headerSize: .init(bytes: .max, longest: .max, lines: .max))
    #expect(try await finding(endless, [limit: value]).facts["header.room"] == String(1 << 62))
  }

  @Test func whereAnAnswerBreaksOffAndHow() async throws {
    let begun = HTTPRequest.HeaderSize(bytes: 40, longest: 30, lines: 1)
    let cut = try await finding(.init(status: 200, failure: .reset, headerSize: begun))
    #expect(cut.outcome == "cut")
    #expect(cut.facts["drop.when"] == "in-body")
    #expect(cut.facts["drop.how"] == "reset")
    let length = HTTPRequest.Header(name: "content-length", value: "9")
    #expect(try await finding(.init(status: 200, headers: [length], failure: .closed)).outcome == "cut")
    // Where no length was announced, the end of the connection is the end of the answer.
    #expect(try await finding(.init(status: 200, failure: .closed)).outcome == "good")
    let header = try await finding(.init(failure: .closed, headerSize: begun))
    #expect(header.outcome == "closes")
    #expect(header.facts["drop.when"] == "in-header")
    let quiet = Exchange(address: "10.0.0.2", port: 8080, place: .process(7), limit: 1.5)
    for (end, when) in [(Exchange.Sight.End.closed, "at-once"), (.open, "after-request")] {
      let world = Sandbox().with(request("http", limit: 60), .init(failure: .closed)).with(quiet, .init(end: end))
      #expect(try await look("upstream.answer", world, facts).facts["drop.when"] == when)
    }
  }

  @Test func whatARouteOfAnotherProtocolGoesToIsNotAskedInHTTP() async throws {
    let given = facts.merging(["route.protocol": "fastcgi", "upstream.scheme": "fastcgi"])
    #expect(try await look("upstream.answer", Sandbox(), given).outcome == "not-asked")
  }

  @Test func itIsAskedWithTheHostAndThePathThatTheProxySends() async throws {
    let given = facts.merging(["route.sends-host": "inner.lan", "upstream.path": "/api"])
    let world = Sandbox().with(request("http", limit: 60, host: "inner.lan", path: "/api"), .init(status: 200))
    #expect(try await look("upstream.answer", world, given).outcome == "good")
    let cut = facts.merging(["route.sends-host": "a b\u{7}"])
    let own = Sandbox().with(request("http", limit: 60), .init(status: 200))
    #expect(try await look("upstream.answer", own, cut).outcome == "good")
  }

  @Test func theWholeSessionsLimitBoundsItsPatience() async throws {
    let found = try await finding(.init(failure: .answerTimeout), ["limit.seconds": "20"], limit: 19.5)
    #expect(found.outcome == "never")
    #expect(found.facts["upstream.seconds"] == "20")
  }
}

@Suite struct UpstreamCertificateTests {
  private func world(_ sight: HTTPRequest.Sight, host: String = "shop.example.org", authorities: String? = nil)
    -> Sandbox
  {
    var asked = request("https", limit: 4, host: host)
    asked.tls = .verify(authorities: authorities)
    return Sandbox().with(asked, sight)
  }
  private let certificate = HTTPRequest.Certificate(
    subject: "CN=inner", issuer: "CN=ca", names: ["inner.lan"], expires: "Jan  1 00:00:00 2030 GMT", problem: nil)

  @Test func aProxyThatDoesNotVerifyTakesAny() async throws {
    let found = try await look("upstream.certificate", Sandbox(), facts.merging(["route.verifies": "off"]))
    #expect(found.outcome == "not-verified")
  }

  @Test func trustedWithWhatTheCertificateSays() async throws {
    let found = try await look("upstream.certificate", world(.init(status: 404, certificate: certificate)), facts)
    #expect(found.outcome == "trusted")
    #expect(found.facts["certificate.name"] == "inner.lan")
  }

  /// 2029-12-20, 2029-11-01, and a date in another form.
  @Test(arguments: [
    (1_892_419_200.0, "Jan  1 00:00:00 2030 GMT", "yes"), (1_888_185_600.0, "Jan  1 00:00:00 2030 GMT", nil),
    (1_892_419_200.0, "2030-01-01", nil),
  ])
  func theEndOfACertificateIsNearOrNot(now: Double, expires: String, soon: String?) async throws {
    var certificate = certificate
    certificate.expires = expires
    var asked = request("https", limit: 4)
    asked.tls = .verify(authorities: nil)
    let world = Sandbox(now: now).with(asked, .init(status: 200, certificate: certificate))
    #expect(try await look("upstream.certificate", world, facts).facts["certificate.soon"] == soon)
  }

  @Test(arguments: [
    ("certificate has expired", "expired"), ("certificate is not yet valid", "expired"),
    ("Hostname mismatch", "name"), ("self-signed certificate", "self-signed"),
    ("unable to get local issuer certificate", "issuer"),
  ])
  func notTrustedWhatTheReasonComesDownTo(reason: String, fault: String) async throws {
    let found = try await look("upstream.certificate", world(.init(failure: .untrusted(reason))), facts)
    #expect(found.outcome == "untrusted")
    #expect(found.facts["certificate.fault"] == fault)
    #expect(found.facts["certificate.problem"] == reason)
  }

  @Test func noHandshakeNoAnswer() async throws {
    for failure in [HTTPRequest.Failure.handshake("alert"), .notTLS("http"), .tlsTimeout] {
      #expect(try await look("upstream.certificate", world(.init(failure: failure)), facts).outcome == "handshake")
    }
    #expect(try await look("upstream.certificate", world(.init(failure: .refused)), facts).outcome == "unknown")
  }

  @Test func theRoutesOwnAuthoritiesAndNameCountAsTheProxysFilesHaveThem() async throws {
    var asked = request("https", limit: 4)
    asked.tlsName = "inner.lan"
    asked.tls = .verify(authorities: "PEM")
    let given = facts.merging(["route.authorities": "/etc/ca.pem", "route.tls-name": "inner.lan"])
    let world = Sandbox().file("/etc/ca.pem", "PEM", in: .process(7)).with(asked, .init(status: 200))
    #expect(try await look("upstream.certificate", world, given).outcome == "trusted")
    #expect(try await look("upstream.certificate", Sandbox(), given).unseen == .missing(what: "/etc/ca.pem"))
  }
}
