import Checks
import Fixture
import Model
import Testing
import World

private let facts: Facts = [
  "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "name.address": "10.0.0.2",
  "upstream.port": "8080", "upstream.scheme": "http", "upstream.dial": "10.0.0.2:8080", "route.sends-host": "app:8080",
  "site.host": "shop.example.org", "site.path": "/cart", "site.status": "400",
]

/// The app says no: to the proxy's request only, or to everybody?
@Suite struct RefusalTests {
  /// What the app answers to the request as the proxy sends it, and with one thing changed.
  private func finding(
    plain: Int, host: Int, forwarded: Int, old: Int, site: Int = 400, _ more: Facts = [:]
  ) async throws -> Finding {
    let asked = HTTPRequest(
      url: "http://app:8080/cart", address: "10.0.0.2", port: 8080, place: .process(7), limit: 6)
    var (visited, named, first) = (asked, asked, asked)
    visited.host = "shop.example.org"
    named.headers = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http"]
    first.version = .oneZero
    let world = Sandbox().with(asked, .init(status: plain)).with(visited, .init(status: host))
      .with(named, .init(status: forwarded)).with(first, .init(status: old))
    return try await look(
      "upstream.refuses", world, facts.merging(["site.status": String(site)]).merging(more))
  }

  @Test func theOneThingThatMakesTheDifferenceIsNamed() async throws {
    let host = try await finding(plain: 400, host: 200, forwarded: 400, old: 400)
    #expect(host.outcome == "host")
    #expect(host.facts["refused.status"] == "400" && host.facts["taken.status"] == "200")
    #expect(try await finding(plain: 200, host: 200, forwarded: 400, old: 200).outcome == "forwarded")
    #expect(try await finding(plain: 302, host: 302, forwarded: 302, old: 426, site: 426).outcome == "version")
  }

  @Test func whatTheProxyAddsToEachRequest() async throws {
    let preamble: Facts = ["route.sends-preamble": "yes"]
    #expect(try await finding(plain: 200, host: 200, forwarded: 200, old: 200, preamble).outcome == "preamble")
    #expect(try await finding(plain: 400, host: 400, forwarded: 400, old: 400, preamble).outcome == "same")
    #expect(try await finding(plain: 200, host: 200, forwarded: 200, old: 200, site: 403, preamble).outcome == "same")
    let asked = HTTPRequest(
      url: "http://app:8080/cart", address: "10.0.0.2", port: 8080, place: .process(7), limit: 6)
    var upgraded = asked
    upgraded.headers = ["Connection: upgrade"]
    let world = Sandbox().with(asked, .init(status: 200)).with(upgraded, .init(status: 400))
    let found = try await look("upstream.refuses", world, facts.merging(["route.asks-upgrade": "yes"]))
    #expect(found.outcome == "upgrade")
    #expect(try await look("upstream.refuses", world, facts).outcome == "same")
  }

  /// It sends the visitor back to where he is, unless it is asked with the right name, or told of the scheme.
  @Test func anAppThatSendsEverybodyBack() async throws {
    #expect(try await finding(plain: 301, host: 200, forwarded: 301, old: 301, site: 301).outcome == "host")
    #expect(try await finding(plain: 301, host: 301, forwarded: 200, old: 301, site: 301).outcome == "scheme")
    #expect(try await finding(plain: 301, host: 301, forwarded: 301, old: 301, site: 301).outcome == "same")
  }

  /// No difference counts that the site's own answer does not show.
  @Test func anAppThatSaysNoToAllIsLeftAlone() async throws {
    #expect(try await finding(plain: 403, host: 403, forwarded: 403, old: 403, site: 403).outcome == "same")
    #expect(try await finding(plain: 200, host: 200, forwarded: 200, old: 200).outcome == "same")
    #expect(try await finding(plain: 200, host: 200, forwarded: 403, old: 505).outcome == "same")
    #expect(try await finding(plain: 404, host: 200, forwarded: 404, old: 404).outcome == "same")
    let fastcgi = try await finding(
      plain: 400, host: 200, forwarded: 400, old: 400, ["route.protocol": "fastcgi"])
    #expect(fastcgi.outcome == "same")
  }
}

/// One of several servers may fail where the others serve.
@Suite struct ServersAnswerTests {
  @Test(arguments: [
    (200, 200, "all-good", nil), (500, 200, "some-fail", "10.0.0.2:8080"), (200, 503, "some-fail", "10.0.0.3:8080"),
    (500, 502, "all-fail", "10.0.0.2:8080"), (404, 302, "all-good", nil),
  ])
  func theFirstThatFailsIsTheNext(first: Int, second: Int, outcome: String, next: String?) async throws {
    func request(_ address: String) -> HTTPRequest {
      HTTPRequest(url: "http://app:8080/cart", address: address, port: 8080, place: .process(7), limit: 8)
    }
    let world = Sandbox().with(request("10.0.0.2"), .init(status: first))
      .with(request("10.0.0.3"), .init(status: second))
    let found = try await look(
      "servers.answer", world, facts.merging(["route.servers": "10.0.0.2:8080, 10.0.0.3:8080"]))
    #expect(found.outcome == outcome)
    #expect(found.facts["next.server"] == next)
  }
}

/// PHP runs a file by its whole path, which is that of the proxy only if both have it at the same place.
@Suite struct ScriptFindTests {
  @Test(arguments: [
    ("/srv/site", "/srv/site", "/app", "elsewhere", "/app/public"),
    ("/srv/site", "/srv/site", "/web", "there", "/web/public"),
    ("/srv/site", "/srv", "/all", "elsewhere", "/all/site/public"),
  ])
  func theProxysFolderInTheApp(proxy: String, app: String, inside: String, outcome: String, right: String) async throws
  {
    let world = Sandbox()
      .container("edge1", #""Name": "/edge", "Mounts": [{"Source": "\#(proxy)", "Destination": "/web"}]"#)
      .container(
        "app1", #""Name": "/php", "State": {"Pid": 9}, "Mounts": [{"Source": "\#(app)", "Destination": "\#(inside)"}]"#)
    let found = try await look(
      "script.find", world, facts.merging(["scripts.folder": "/web/public", "upstream.id": "app1"]))
    #expect(found.outcome == outcome)
    #expect(found.facts["scripts.right"] == right)
  }

  @Test(arguments: [([String](), "missing"), (["/web/public"], "there")])
  func anAppThatSharesNothing(folders: [String], outcome: String) async throws {
    let world = Sandbox()
      .container("edge1", #""Name": "/edge""#).container("app1", #""Name": "/php", "State": {"Pid": 9}"#)
      .with(FileGlob(pattern: "/web/public", place: .process(9)), folders)
    let found = try await look(
      "script.find", world, facts.merging(["scripts.folder": "/web/public", "upstream.id": "app1"]))
    #expect(found.outcome == outcome)
  }
}
