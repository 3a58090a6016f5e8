import Checks
import Fixture
import Model
import Testing
import World

@Suite struct SiteAnswerTests {
  private let facts: Facts = [
    "site.url": "http://shop.example.org/", "site.scheme": "http", "site.host": "shop.example.org", "site.port": "80",
    "site.path": "/", "limit.seconds": "30",
  ]

  private func request(_ address: String) -> HTTPRequest {
    HTTPRequest(url: "http://shop.example.org/", address: address, port: 80, limit: 30)
  }

  private func world(_ sight: HTTPRequest.Sight, at addresses: String...) -> Sandbox {
    Sandbox(now: 1000.5).with(OwnAddresses(), ["192.0.2.1"])
      .with(SystemLookup(name: "shop.example.org"), addresses)
      .with(request(addresses.first ?? "127.0.0.1"), sight)
  }

  private func finding(_ sight: HTTPRequest.Sight) async throws -> Finding {
    try await look("site.answer", world(sight, at: "192.0.2.1"), facts, signs: realSigns())
  }

  @Test(arguments: [
    (200, "good"), (204, "good"), (304, "good"), (401, "client-error"), (404, "not-found"), (500, "server-error"),
    (502, "bad-gateway"), (503, "unavailable"), (504, "gateway-timeout"), (520, "server-error"),
  ])
  func oneStatusOneOutcome(status: Int, expected: String) async throws {
    let found = try await finding(
      .init(status: status, headers: [.init(name: "Server", value: "nginx/1.27")], times: .init(firstByte: 0.0204)))
    #expect(found.outcome == expected)
    #expect(found.facts["site.status"] == String(status))
    #expect(found.facts["site.seconds"] == "0.02")
    #expect(found.facts["site.delay"] == "at-once")
    #expect(found.facts["site.server"] == "nginx")
    #expect(found.facts["site.asked"] == "1000.5")
    #expect(found.facts["site.asked-at"] == nil)
  }

  /// A browser goes round in a circle, unless it comes back with something new.
  @Test(arguments: [
    (301, "http://shop.example.org/", nil, "sent-back"), (302, "/", nil, "sent-back"),
    (307, "//shop.example.org:80/", nil, "sent-back"), (302, "/", "seen=1", "redirected"),
    (302, "/login", nil, "redirected"), (301, "https://shop.example.org/", nil, "redirected"),
    (301, "https://www.example.com/", nil, "good"), (201, "/", nil, "good"),
  ])
  func aRedirectToWhereOneIs(status: Int, location: String, cookie: String?, outcome: String) async throws {
    let headers = [("Location", location)] + (cookie.map { [("Set-Cookie", $0)] } ?? [])
    let found = try await finding(.init(status: status, headers: headers.map { .init(name: $0, value: $1) }))
    #expect(found.outcome == outcome)
    #expect((found.facts["site.sent-back"] == "yes") == (outcome == "sent-back"))
  }

  @Test(arguments: [("PHP/8.2.30", true), ("PleskLin", false)])
  func anEmptyErrorOfPHP(by: String, isOwn: Bool) async throws {
    let found = try await finding(.init(status: 500, headers: [.init(name: "X-Powered-By", value: by)]))
    #expect((found.facts["site.own-words"] == "yes") == isOwn)
  }

  /// An error page that no proxy is known to write.
  @Test(arguments: [
    (503, "<title>Maintenance</title>the database is away", true), (500, "", false),
    (200, "<title>Shop</title>", false),
    (503, "<center><h1>503 Service Temporarily Unavailable</h1></center><hr><center>nginx</center>", false),
  ])
  func wordsOfTheAppsOwn(status: Int, body: String, isOwn: Bool) async throws {
    let found = try await finding(
      .init(status: status, headers: [.init(name: "Server", value: "nginx/1.27")], body: Array(body.utf8)))
    #expect((found.facts["site.own-words"] == "yes") == isOwn)
  }

  @Test(arguments: [
    (HTTPRequest.Failure.refused, "nobody-listens"), (.name, "no-name"), (.unreachable, "unreachable"),
    (.connectTimeout, "unreachable"), (.handshake("alert"), "tls-refused"), (.notTLS("http"), "tls-refused"),
    (.tlsTimeout, "tls-refused"), (.answerTimeout, "slow"), (.closed, "broken"), (.notHTTP, "broken"),
  ])
  func noStatusWhyNot(failure: HTTPRequest.Failure, expected: String) async throws {
    let found = try await finding(.init(failure: failure))
    #expect(found.outcome == expected)
    #expect(found.facts["site.error"] != nil)
    #expect(found.facts["site.status"] == nil)
  }

  /// An answer that takes a minute is waited for by a second check, and the first one goes on
  @Test func anAnswerThatTakesAMinuteIsWaitedForByASecondCheck() async throws {
    let late = HTTPRequest.Sight(status: 504, times: .init(firstByte: 60.02, total: 60.02))
    let world = Once(
      Sandbox(now: 1000.5).with(OwnAddresses(), ["192.0.2.1"]).with(
        SystemLookup(name: "shop.example.org"), ["192.0.2.1"]
      )
      .with(request("192.0.2.1"), late, seconds: 60.02))
    let first = try await look("site.answer", world, facts)
    #expect(first.outcome == "slow" && first.facts["site.asked"] == "1000.5")
    let second = try await look("site.slow", world, facts.merging(["site.waiting": "yes"]))
    #expect(second.outcome == "gateway-timeout" && second.facts["site.seconds"] == "60.02")
  }

  @Test func aBodyThatStopsEarlyIsBrokenOneThatTakesLongIsNot() async throws {
    #expect(try await finding(.init(status: 200, failure: .closed)).outcome == "broken")
    #expect(try await finding(.init(status: 200, failure: .bodyTimeout)).outcome == "good")
  }

  @Test(arguments: [
    (400, "<center>The plain HTTP request was sent to HTTPS port</center>", "tls-port"),
    (400, "Client sent an HTTP request to an HTTPS server.\n", "tls-port"),
    (200, "<title>Default Site</title>", "default-site"),
    (200, "<title>Welcome to nginx!</title>", "default-site"),
  ])
  func whatAPageMeansByItsSign(status: Int, page: String, expected: String) async throws {
    let found = try await finding(
      .init(status: status, headers: [.init(name: "server", value: "nginx")], body: Array(page.utf8)))
    #expect(found.outcome == expected)
  }

  @Test func aPageThatOnlyQuotesTheWordsOfASignIsTheAppsOwn() async throws {
    let found = try await finding(.init(status: 200, body: Array("<title>Welcome to nginx!</title>".utf8)))
    #expect(found.outcome == "good")
  }

  /// A redirect within the host is followed by others, one to another host is an answer
  @Test(arguments: [
    ("https://shop.example.org/", "redirected", "https://shop.example.org/"),
    ("/login", "redirected", "http://shop.example.org/login"),
    ("//shop.example.org:8443/a", "redirected", "http://shop.example.org:8443/a"),
    ("https://login.example.org/", "good", nil), ("http://shop.example.org/", "sent-back", nil),
    ("javascript:alert(1)", "good", nil),
  ])
  func aRedirectWithinTheHostIsFollowedByOthers(location: String, expected: String, target: String?) async throws {
    let found = try await finding(.init(status: 302, headers: [.init(name: "Location", value: location)]))
    #expect(found.outcome == expected)
    #expect(found.facts["site.redirect"] == target)
  }

  @Test func aNameWithoutAnAddressIsAskedAtThisMachine() async throws {
    let answered = try await look("site.answer", world(.init(status: 502)), facts, signs: realSigns())
    #expect(answered.outcome == "bad-gateway")
    #expect(answered.facts["site.asked-at"] == "here")
    let refused = try await look("site.answer", world(.init(failure: .refused)), facts, signs: realSigns())
    #expect(refused.outcome == "no-name")
  }

  @Test func aNameOfAnotherMachineThatAnswersBadlyThereIsAskedHereToo() async throws {
    let bad = world(.init(status: 520), at: "203.0.113.9").with(request("127.0.0.1"), .init(status: 502))
    let here = try await look("site.answer", bad, facts, signs: realSigns())
    #expect(here.outcome == "bad-gateway")
    #expect(here.facts["site.asked-at"] == "here")
    let nobody = world(.init(status: 520), at: "203.0.113.9").with(request("127.0.0.1"), .init(failure: .refused))
    let there = try await look("site.answer", nobody, facts, signs: realSigns())
    #expect(there.outcome == "server-error")
    #expect(there.facts["site.asked-at"] == nil)
    #expect(here.facts["public.status"] == "520")
    let good = world(.init(status: 200), at: "203.0.113.9")
    #expect(try await look("site.answer", good, facts, signs: realSigns()).outcome == "good")
  }

  @Test func aServersOwnNameIsShownHarmlessAndShort() async throws {
    let server = "evil\u{1B}[31m\u{202E}" + String(repeating: "x", count: 500)
    let found = try await finding(.init(status: 200, headers: [.init(name: "Server", value: server)]))
    let shown = try #require(found.facts["site.server"])
    #expect(shown.hasPrefix("evil^[[31m<U+202E>"))
    #expect(shown.count < 80)
  }

  @Test func onceMoreGoodSoThatItFailsOnlySometimesOrBad() async throws {
    let given = facts.merging(["site.status": "502", "upstream.status": "200", "proxy.place": "host"])
    var fresh = request("192.0.2.1")
    fresh.headers = ["Cache-Control: no-cache, max-age=0"]
    for (sight, expected) in [
      (HTTPRequest.Sight(status: 200, times: .init(firstByte: 0.1)), "sometimes"), (.init(status: 502), "bad"),
      (.init(status: 200, failure: .closed), "bad"), (.init(failure: .refused), "bad"),
    ] {
      let found = try await look("site.again", world(.init(), at: "192.0.2.1").with(fresh, sight), given)
      #expect(found.outcome == expected)
    }
  }

  @Test func aSiteThatWasWellAndIsWellDoesNotFailSometimes() async throws {
    let given = facts.merging(["site.status": "200", "upstream.status": "200", "proxy.place": "host"])
    var fresh = request("192.0.2.1")
    fresh.headers = ["Cache-Control: no-cache, max-age=0"]
    let found = try await look(
      "site.again", world(.init(), at: "192.0.2.1").with(fresh, .init(status: 200)), given)
    #expect(found.outcome == "good")
    #expect(found.facts["site.sometimes"] == nil)
  }

  @Test func waitingOnWhatItLearnsDoesNotMoveTheTimeAtWhichTheSiteWasAsked() async throws {
    let found = try await look(
      "site.slow", world(.init(status: 504, times: .init(firstByte: 60.04)), at: "192.0.2.1"),
      facts.merging(["site.waiting": "yes"]), signs: realSigns())
    #expect(found.outcome == "gateway-timeout")
    #expect(found.facts["site.delay"] == "later")
    #expect(found.facts["site.asked"] == nil)
  }
}
