import Discovery
import Fixture
import Model
import Routes
import Testing
import World

@Suite struct ProxyOSReadingTests {
  /// A row as the table `routes` has it, recorded from the lab.
  private func row(_ domain: String, _ upstream: String, _ changes: [String: String] = [:]) -> [String: String] {
    [
      "id": "k60q4DanpZl7", "name": "shop", "domain": domain, "enabled": "1", "upstream_type": "http",
      "upstreams": #"[{"address": "\#(upstream)"}]"#, "tls_mode": "internal", "sso_enabled": "0",
      "health_check_enabled": "1", "health_check_path": "/", "health_check_interval": "30",
      "maintenance_mode": "0", "upstream_protocol": "http", "origin": "local", "sync_status": "ok",
    ].merging(changes) { $1 }
  }

  /// What Caddy answers while it runs routes of these domains and dial addresses.
  private func running(_ routes: [(domain: String, dial: String)], transport: String = "") -> String {
    let list = routes.map { route in
      #"{"@id":"proxyos-route-\#(route.domain)","match":[{"host":["\#(route.domain)"]}],"handle":[{"encodings":{"gzip":{},"zstd":{}},"handler":"encode"},{"handler":"reverse_proxy","headers":{"request":{"set":{"Host":["{http.request.host}"]}}},\#(transport)"health_checks":{"active":{"interval":"30s","path":"/","timeout":"5s"}},"upstreams":[{"dial":"\#(route.dial)"}]}],"terminal":true}"#
    }.joined(separator: ",")
    return
      #"{"apps":{"http":{"servers":{"dashboard":{"listen":[":3071"],"routes":[{"handle":[{"handler":"reverse_proxy","upstreams":[{"dial":"localhost:3000"}]}]}]},"main":{"errors":{"routes":[{"handle":[{"handler":"static_response","status_code":503}]}]},"listen":[":80",":443"],"routes":[\#(list)]}}}}}"#
  }

  private func read(
    _ rows: [[String: String]]?, running: String, fixed: [[String: String]] = [],
    _ url: String = "http://shop.example.org/"
  ) async throws -> (outcome: Reading.Outcome, facts: Facts) {
    let (place, path) = (Place.process(7), "/data/proxyos/proxyos.db")
    let world = Sandbox().container(
      "edge1",
      #""Name": "/proxyos", "HostConfig": {"Dns": ["8.8.8.8", "1.1.1.1"]}, "Config": {"Image": "proxyos:latest"}"#
    )
    .with(
      HTTPRequest(url: "http://localhost:2019/config/", address: "127.0.0.1", port: 2019, place: place),
      HTTPRequest.Sight(status: 200, body: Array(running.utf8))
    )
    .with(SQLiteQuery(path: path, place: place, sql: "SELECT name, host FROM static_upstreams"), fixed)
    let routes = SQLiteQuery(path: path, place: place, sql: "SELECT * FROM routes")
    if let rows { world.with(routes, rows) }
    let reading = try await RouteReading.read(
      .init(site: try #require(Site(url)), port: 80), kind: "proxyos",
      at: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false), in: world, Signs())
    return (reading.outcome, reading.facts)
  }

  @Test func inUseWhatRunsAndWhatTheFormHas() async throws {
    let (outcome, facts) = try await read(
      [row("shop.example.org", "http://shop:3000")], running: running([("shop.example.org", "shop:3000")]))
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "http://shop:3000")
    #expect(facts[.routeDefinedIn] == "routes row k60q4DanpZl7")
    #expect(facts[.routeHealthPath] == "/")
    #expect(facts[.routeHealthExpects] == "200-299")
    #expect(facts["proxyos.domain"] == "shop.example.org")
    #expect(facts["proxyos.scheme"] == "http")
    #expect(facts["proxyos.health"] == "on")
    #expect(facts["proxyos.interval"] == "30")
    #expect(facts["proxyos.tls"] == nil)
    #expect(facts["proxyos.dns"] == "8.8.8.8, 1.1.1.1")
  }

  @Test func withoutItsDatabaseTheRouteIsStillToldByWhatRuns() async throws {
    let (outcome, facts) = try await read(nil, running: running([("shop.example.org", "shop:3000")]))
    #expect(outcome == .found)
    #expect(facts["proxyos.domain"] == nil)
  }

  @Test(arguments: [
    ("http://shop:9090", "http", "port"), ("https://shop:3000", "http", "address"),
    ("https://shop:3000", "https-insecure", "protocol"),
  ])
  func aPortOfHTTPSIsDialledWithTLSWhateverTheAddressSays(address: String, upstreamProtocol: String, reason: String)
    async throws
  {
    let dial = address.replacing("http://", with: "").replacing("https://", with: "")
    let (outcome, facts) = try await read(
      [
        row(
          "shop.example.org", address, ["upstream_protocol": upstreamProtocol, "health_check_enabled": "0"])
      ],
      running: running(
        [("shop.example.org", dial)],
        transport: #""transport":{"protocol":"http","tls":{"insecure_skip_verify":true}},"#))
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "https://\(dial)")
    #expect(facts["proxyos.tls"] == reason)
  }

  /// A route that Caddy refuses is offline, and says why; at the start it keeps out the others, too
  @Test func aRouteThatCaddyRefusesIsOfflineAndSaysWhy() async throws {
    let portainer = row("portainer.example.org", "https://portainer:9443", ["id": "j6Y"])
    let own = try await read(
      [portainer], running: running([]), "http://portainer.example.org/")
    #expect(own.outcome == .offline)
    #expect(own.facts[.configProblem]?.contains(#"unknown field "tls""#) == true)
    #expect(own.facts["proxyos.keeps-out"] == nil)
    let other = try await read([row("shop.example.org", "http://shop:3000"), portainer], running: running([]))
    #expect(other.outcome == .offline)
    #expect(other.facts["proxyos.refused"] == "portainer.example.org")
    #expect(other.facts["proxyos.keeps-out"] == "shop.example.org")
    #expect(other.facts["proxyos.port"] == "9443")
  }

  @Test func aChangeThatCaddyRefusedItGoesOnWithTheOldOne() async throws {
    let (outcome, facts) = try await read(
      [row("shop.example.org", "https://shop:9443")], running: running([("shop.example.org", "shop:3000")]))
    #expect(outcome == .offline)
    #expect(facts["proxyos.refused"] == "shop.example.org")
  }

  @Test func knownAndNotLoadedLoadedInAnOlderForm() async throws {
    let shop = row("shop.example.org", "http://shop:3000")
    #expect(try await read([shop], running: running([])).outcome == .notLoaded)
    #expect(
      try await read([shop], running: running([("shop.example.org", "shop:3001")])).outcome == .notLoaded)
  }

  @Test func aStaticUpstreamsHostInThePlaceOfItsNameIsNoDifference() async throws {
    let (outcome, _) = try await read(
      [row("shop.example.org", "http://nas:5000")], running: running([("shop.example.org", "192.168.1.5:5000")]),
      fixed: [["name": "nas", "host": "192.168.1.5"]])
    #expect(outcome == .found)
  }

  @Test func disabledArchivedUnknownOfAnotherSite() async throws {
    let disabled = try await read(
      [row("shop.example.org", "http://shop:3000", ["enabled": "0"])], running: running([("a.example.org", "a:1")]))
    #expect(disabled.outcome == .disabled)
    #expect(disabled.facts["proxyos.disabled"] == "yes")
    for change in [["archived_at": "1795573038"], ["site_id": "berlin"]] {
      let (outcome, _) = try await read(
        [row("shop.example.org", "http://shop:3000", change)], running: running([]))
      #expect(outcome == .missing)
    }
    let near = try await read(
      [row("shop.example.org", "http://shop:3000")], running: running([("shop.example.org", "shop:3000")]),
      "http://shpo.example.org/")
    #expect(near.outcome == .missing)
    #expect(near.facts[.routeNear] == "shop.example.org")
  }

  @Test func aliasesAndWildcards() async throws {
    let alias = row("shop.example.org", "http://shop:3000", ["aliases": #"["www.example.org"]"#, "enabled": "0"])
    #expect(try await read([alias], running: running([]), "http://www.example.org/").outcome == .disabled)
    let wildcard = row("*.example.org", "http://shop:3000", ["enabled": "0"])
    #expect(try await read([wildcard], running: running([])).outcome == .disabled)
  }
}
