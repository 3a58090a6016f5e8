import Checks
import Fixture
import Model
import Testing
import World

@Suite struct HealthCheckTests {
  private func finding(_ expects: String, _ sight: HTTPRequest.Sight) async throws -> Finding {
    let facts: Facts = [
      "name.address": "10.0.0.3", "upstream.port": "3000", "upstream.host": "shop", "upstream.scheme": "http",
      "proxy.place": "container", "proxy.pid": "7", "proxy.id": "edge1", "route.health-path": "/up",
      "route.health-expects": expects, "route.health-port": "3001", "site.host": "shop.example.org",
    ]
    let world = Sandbox().with(
      HTTPRequest(url: "http://shop:3001/up", address: "10.0.0.3", port: 3001, place: .process(7), limit: 5), sight)
    return try await look("health.check", world, facts)
  }

  @Test(arguments: [
    ("200-299", 204, "passing"), ("200-299", 302, "failing"), ("200", 200, "passing"), ("200", 204, "failing"),
    ("2xx", 299, "passing"), ("200-399, 404", 404, "passing"), ("nonsense", 200, "failing"),
  ])
  func aStatusIsHealthyIfTheProxyTakesIt(expects: String, status: Int, outcome: String) async throws {
    let found = try await finding(expects, HTTPRequest.Sight(status: status))
    #expect(found.outcome == outcome)
    #expect(found.facts["health.status"] == String(status))
  }

  /// A check without a path only connects
  @Test(arguments: [
    (TCPConnect.Sight.Outcome.accepted, "passing", nil), (.refused, "failing", "connection refused"),
    (.timeout, "failing", "no TCP connection in time"), (.denied, "unknown", nil),
  ])
  func aPortOfItsOwn(outcome: TCPConnect.Sight.Outcome, expected: String, error: String?) async throws {
    let facts: Facts = [
      "name.address": "10.0.0.3", "upstream.port": "3000", "upstream.host": "shop", "upstream.scheme": "http",
      "proxy.place": "container", "proxy.pid": "7", "proxy.id": "edge1", "route.health-port": "3001",
    ]
    let world = Sandbox().with(
      TCPConnect(address: "10.0.0.3", port: 3001, place: .process(7)), .init(outcome: outcome, errno: 0, seconds: 0))
    let found = try await look("health.check", world, facts)
    #expect(found.outcome == expected)
    #expect(found.facts["health.error"] == error)
  }

  @Test func noAnswerFailsIt() async throws {
    let found = try await finding("200", HTTPRequest.Sight(failure: .refused))
    #expect(found.outcome == "failing")
    #expect(found.facts["health.error"] == "connection refused")
  }
}
