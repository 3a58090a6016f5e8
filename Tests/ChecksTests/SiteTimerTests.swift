import Checks
import Fixture
import Model
import Testing
import World

@Suite struct SiteTimerTests {
  private func timer(_ kind: String, _ status: Int, _ seconds: Double, _ more: Facts = [:]) async throws -> Finding {
    let facts: Facts = [
      "site.waited": "yes", "site.status": String(status), "site.seconds": String(seconds), "proxy.kind": kind,
      "route.defined-in": "a:1",
    ]
    return try await look("site.timer", Sandbox(), facts.merging(more), signs: realSigns())
  }

  @Test(arguments: ["nan", "inf", "-inf", "1e400", "9223372036854775807"])
  func aTimeOutThatIsNoNumberOrBeyondAllNumbersNamesNothing(limit: String) async throws {
    let facts: Facts = [
      "site.late": "yes", "site.seconds": "60", "site.status": "504", "site.asked": "1", "proxy.kind": "nginx",
      "route.read-timeout": limit, "route.connect-timeout": limit,
    ]
    #expect(try await look("site.timer", Sandbox(), facts).outcome == "none")
  }

  @Test(arguments: [
    ("nginx", 504, 60.05, "60 s each"), ("nginx", 502, 30.02, "resolver_timeout"),
    ("nginx-proxy-manager", 504, 90.1, "Nginx Proxy Manager"), ("traefik", 504, 30.0, "dialTimeout"),
    ("caddy", 502, 3.01, "dial_timeout"), ("haproxy", 503, 3.05, "retries"), ("haproxy", 503, 20.1, "connect"),
    ("haproxy", 504, 50.0, "server"), ("apache", 502, 60.1, "Timeout"), ("envoy", 504, 15.0, "route timeout"),
    ("envoy", 503, 5.02, "connect_timeout"),
  ])
  func theSecondsOfStatusMapsMeasurementsNameTheTimeOutOfEachProxy(
    kind: String, status: Int, seconds: Double, part: String
  ) async throws {
    let found = try await timer(kind, status, seconds)
    #expect(found.outcome == "named")
    #expect(found.facts["timer.name"]?.contains(part) == true)
  }

  @Test func theRoutesOwnTimeOutsGoBeforeThoseThatTheKindHasByItself() async throws {
    #expect(try await timer("nginx", 504, 60.2, ["route.read-timeout": "60"]).outcome == "answer")
    #expect(try await timer("nginx", 504, 5.1, ["route.connect-timeout": "5"]).outcome == "connection")
  }

  @Test func anotherStatusAnotherProxyOrOtherSecondsNameNone() async throws {
    #expect(try await timer("nginx", 502, 60).outcome == "none")
    #expect(try await timer("caddy", 504, 15).outcome == "none")
    #expect(try await timer("envoy", 504, 9).outcome == "none")
    #expect(try await timer("nginx", 200, 60).outcome == "none")
  }
}
