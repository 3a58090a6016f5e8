import Checks
import Fixture
import Flow
import Model
import Synchronization
import Testing
import World

/// A site that answers in a fixed order, whatever is asked; names lead to 192.0.2.1, which is this machine's.
private final class Flaky: World {
  private let answers: Mutex<[HTTPRequest.Sight]>
  init(_ answers: [HTTPRequest.Sight]) { self.answers = Mutex(answers) }

  var left: Int { answers.withLock(\.count) }
  func pause(_ seconds: Double) async {}

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    let sight: any Sendable =
      switch look {
      case is HTTPRequest: answers.withLock { $0.isEmpty ? HTTPRequest.Sight(status: 200) : $0.removeFirst() }
      case is SystemLookup, is OwnAddresses: ["192.0.2.1"]
      default: throw Unseen.notRecorded(what: L.kind)
      }
    guard let sight = sight as? L.Sight else { throw .notRecorded(what: L.kind) }
    return sight
  }
}

@Suite struct SometimesTests {
  private let site: Facts = [
    "site.url": "http://shop.example.org/", "site.host": "shop.example.org", "site.port": "80", "site.path": "/",
    "limit.seconds": "30",
  ]

  private func series(_ answers: [HTTPRequest.Sight], count: Int) async throws -> Finding {
    try await look("site.series", Flaky(answers), site.merging(["series.count": String(count)]))
  }

  @Test func aSeriesCountsWhatCameTheMostFrequentFirst() async throws {
    let mixed = try await series(
      [.init(status: 502), .init(status: 200), .init(status: 200), .init(failure: .closed), .init(status: 200)],
      count: 5)
    #expect(mixed.outcome == "some-bad")
    #expect(mixed.facts["series.failed"] == "2")
    #expect(mixed.facts["series.answers"] == "200 × 3, 502 × 1, closed before a full answer × 1")
    #expect(mixed.facts["site.sometimes"] == "yes")

    let good = try await series([], count: 7)
    #expect(good.outcome == "all-good")
    #expect(good.facts["series.failed"] == "0")
    #expect(good.facts["series.answers"] == "200 × 7")

    let bad = try await series(Array(repeating: .init(status: 503), count: 4), count: 4)
    #expect(bad.outcome == "all-bad")
    #expect(bad.facts["site.sometimes"] == nil)
  }

  @Test func aBodyThatBreaksOffIsAFailureARefusedLoginIsAnAnswer() async throws {
    let cut = try await series([.init(status: 200, failure: .closed), .init(status: 401)], count: 2)
    #expect(cut.outcome == "some-bad")
    #expect(cut.facts["series.answers"] == "200, cut × 1, 401 × 1")
  }

  private func steady(_ answers: [HTTPRequest.Sight]) async throws -> Finding {
    try await look("site.steady", Flaky(answers), site.merging(["site.status": "200"]))
  }

  @Test func aSiteThatAnsweredWellIsAskedAFewTimesMore() async throws {
    let well = try await steady([.init(status: 200), .init(status: 304)])
    #expect(well.outcome == "steady")
    #expect(well.facts["site.sometimes"] == nil)

    let every = try await steady((0..<8).map { .init(status: $0 % 4 == 1 ? 502 : 200) })
    #expect(every.outcome == "failing")
    #expect(every.facts["series.answers"] == "200 × 3, 502 × 1")
    #expect(every.facts["series.status"] == "502")
    #expect(every.facts["site.sometimes"] == "yes")

    let closed = try await steady(Array(repeating: .init(failure: .closed), count: 8))
    #expect(closed.outcome == "failing")
    #expect(closed.facts["series.status"] == nil)
  }

  @Test func whatFailsForAMomentOnlyIsNoFault() async throws {
    let loading = try await steady([.init(status: 502), .init(status: 502)])
    #expect(loading.outcome == "steady")
    #expect(loading.facts["series.answers"] == "200 × 4")
  }

  /// What an app answers on purpose is no failure, whichever it is.
  @Test func aMissingPageOrALoginIsAnAnswer() async throws {
    #expect(try await steady(Array(repeating: .init(status: 404), count: 4)).outcome == "steady")
    #expect(try await steady([.init(status: 401), .init(status: 429)]).outcome == "steady")
  }

  @Test func itAsksAsOftenAsItWasToldAndNoMoreOftenThan500Times() async throws {
    let world = Flaky(Array(repeating: .init(status: 200), count: 600))
    _ = try await look("site.series", world, site.merging(["series.count": "100000"]))
    #expect(world.left == 100)
  }

  private let group: Facts = [
    "route.servers": "10.0.0.2:80, 10.0.0.3:8080", "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7",
  ]

  private func connects(_ outcomes: (String, UInt16, TCPConnect.Sight.Outcome)...) -> Sandbox {
    outcomes.reduce(into: Sandbox()) { world, server in
      world.with(
        TCPConnect(address: server.0, port: server.1, place: .process(7), limit: 3),
        .init(outcome: server.2, errno: 0, seconds: 0.01))
    }
  }

  @Test func ofAGroupsServersTheFirstThatTakesNoConnectionIsLookedAtNext() async throws {
    let one = try await look(
      "servers.reach", connects(("10.0.0.2", 80, .accepted), ("10.0.0.3", 8080, .refused)), group)
    #expect(one.outcome == "some-down")
    #expect(one.facts["servers.down"] == "10.0.0.3:8080")
    #expect(one.facts["servers.up"] == "10.0.0.2:80")
    #expect(one.facts["next.server"] == "10.0.0.3:8080")

    let none = try await look(
      "servers.reach", connects(("10.0.0.2", 80, .timeout), ("10.0.0.3", 8080, .refused)), group)
    #expect(none.outcome == "all-down")
    #expect(none.facts["next.server"] == "10.0.0.2:80")

    let all = try await look(
      "servers.reach", connects(("10.0.0.2", 80, .accepted), ("10.0.0.3", 8080, .accepted)), group)
    #expect(all.outcome == "all-up")
    #expect(all.facts["next.server"] == nil)

    let chosen = try await look("servers.reach", Sandbox(), group.merging(["route.server": "10.0.0.3:8080"]))
    #expect(chosen.outcome == "examined")
  }

  @Test func aServerThatCouldNotBeTriedIsUnknownNotDown() async throws {
    let world = connects(("10.0.0.2", 80, .accepted))
      .with(TCPConnect(address: "10.0.0.3", port: 8080, place: .process(7)), unseen: .notPermitted(what: "its network"))
    let found = try await look("servers.reach", world, group)
    #expect(found.outcome == "unknown")
  }

  @Test func aServerThatIsDownCountsWhateverIsUnknownOfTheOthers() async throws {
    let world = connects(("10.0.0.2", 80, .refused))
      .with(TCPConnect(address: "10.0.0.3", port: 8080, place: .process(7)), unseen: .notPermitted(what: "its network"))
    let found = try await look("servers.reach", world, group)
    #expect(found.outcome == "some-down")
    #expect(found.facts["next.server"] == "10.0.0.2:80")
    #expect(found.facts["servers.up"] == nil)
  }

  /// Docker's DNS hands on the name of a stopped container to servers that may be slow, or not there at all.
  @Test func aStoppedContainerIsDownWithoutAWordOfDNS() async throws {
    let world = connects(("10.0.0.2", 80, .accepted))
      .containers(#"{"Id": "app1", "Names": ["/shop-2"], "Image": "team/shop", "State": "exited"}"#)
      .container("app1", #""Name": "/shop-2", "State": {"Status": "exited", "Pid": 0}"#)
    let found = try await look("servers.reach", world, group.merging(["route.servers": "10.0.0.2:80, shop-2:8080"]))
    #expect(found.outcome == "some-down")
    #expect(found.facts["next.server"] == "shop-2:8080")
  }

  private func deaths(_ events: String) async throws -> Finding {
    let filters =
      "%7B%22container%22%3A%5B%22app1%22%5D%2C%22event%22%3A%5B%22die%22%2C%22oom%22%2C%22update%22%5D%7D"
    let world = Sandbox(now: 90_000)
      .docker("/events?filters=\(filters)", events)
    return try await look("container.deaths", world, ["upstream.id": "app1", "site.sometimes": "yes"])
  }

  @Test func deathsOfTheLastHoursWithoutThoseBeforeTheLimitsWereChanged() async throws {
    let die = #"{"Action": "die", "Actor": {"Attributes": {"exitCode": "137"}}}"#
    let killed = try await deaths(#"{"Action": "oom"}"# + "\n" + die + "\n" + die)
    #expect(killed.outcome == "out-of-memory")
    #expect(killed.facts["deaths.count"] == "2")
    #expect(killed.facts["deaths.exit-code"] == "137")
    #expect(try await deaths(die).outcome == "ended")
    #expect(try await deaths("").outcome == "none")
    #expect(try await deaths(#"{"Action": "oom"}"# + "\n" + die + "\n" + #"{"Action": "update"}"#).outcome == "none")
  }

  private func past(_ lines: [String], _ more: Facts = [:]) async throws -> Finding {
    let facts = group.merging([
      "site.sometimes": "yes", "route.defined-in": "/etc/nginx/a.conf:3", "proxy.kind": "nginx",
      "route.log-keys": "host: \"shop.example.org", "upstream.host": "shop",
    ]).merging(more)
    let filters = "%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22start%22%5D%7D"
    let started = #"{"Action": "start", "time": 5000, "Actor": {"Attributes": {"name": "shop"}}}"#
    let other = #"{"Action": "start", "time": 6000, "Actor": {"Attributes": {"name": "wiki"}}}"#
    let world = Sandbox(now: 90_000).container("edge1", #""Name": "/edge""#)
      .docker("/events?filters=\(filters)", started + "\n" + other)
      .log(
        of: "edge1", frame(line(refused, "PUT") + "\n", at: "1970-01-01T01:23:19Z") + lines.flatMap { frame($0 + "\n") }
      )
    return try await look("proxy.past", world, facts, signs: realSigns())
  }

  private func line(_ text: String, _ method: String = "GET", host: String = "shop.example.org") -> String {
    "2026/11/25 14:00:00 [error] 29#29: *1 \(text), client: 10.0.0.1, server: \(host), "
      + "request: \"\(method) / HTTP/1.1\", upstream: \"http://10.0.0.2:80/\", host: \"\(host)\""
  }

  private let reset = "recv() failed (104: Connection reset by peer) while reading response header from upstream"
  private let refused = "connect() failed (111: Connection refused) while connecting to upstream"

  @Test func whatTheLogShowsMostSinceTheAppStartedOfThisSiteOnly() async throws {
    let found = try await past([
      line(reset), line(refused), line(reset), line(refused, host: "wiki.example.org"),
      line(refused, host: "wiki.example.org"),
    ])
    #expect(found.outcome == "dropped")
    #expect(found.facts["past.count"] == "2")
    #expect(try await past([line(refused)]).outcome == "refused")
    #expect(try await past([]).outcome == "silent")
  }

  /// After a series without a failure only requests that the program does not make count
  @Test func afterASeriesWithoutAFailureOnlyRequestsThatTheProgramDoesNotMake() async throws {
    let good: Facts = ["series.failed": "0"]
    #expect(try await past([line(reset), line(refused)], good).outcome == "silent")
    #expect(try await past([line(refused), line(reset, "POST")], good).outcome == "dropped")
  }
}
