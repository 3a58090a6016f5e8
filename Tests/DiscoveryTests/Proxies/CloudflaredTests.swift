import Discovery
import Fixture
import Model
import Routes
import Testing
import World

@Suite struct CloudflaredTests {
  private let signs = Signs(proxies: [
    .init(kind: "cloudflared", name: "cloudflared", images: ["(^|/)cloudflared$"], processes: ["cloudflared"])
  ])
  private let place = ProxyPlace(id: nil, pid: 40, usesHostNetwork: true)
  private let configuration = """
    tunnel: 6ff42ae2
    originRequest:
      connectTimeout: 10s
    ingress:
      - hostname: shop.example.org
        path: ^/api
        service: http://localhost:9000
      - hostname: shop.example.org
        service: "https://shop.lan:8443"
        originRequest:
          noTLSVerify: true
          httpHostHeader: inner.lan
      - hostname: "*.example.org"
        service: http_status:503
      - service: http_status:404

    """

  private func world(_ command: String..., text: String? = nil) -> Sandbox {
    let world = Sandbox().with(
      Processes(names: ["cloudflared"]),
      [
        ProcessSeen(
          id: 40, parent: 1, name: "cloudflared", command: command, started: 5, sharesNetwork: true, container: nil)
      ])
    return text.map { world.file("/etc/cloudflared/config.yml", $0) } ?? world
  }

  private func read(_ url: String, _ world: Sandbox) async throws -> (Reading.Outcome, Facts) {
    let site = try #require(Site(url))
    let reading = try await RouteReading.read(
      .init(site: site, port: 443), kind: "cloudflared", at: place, in: world, signs)
    return (reading.outcome, reading.facts)
  }

  @Test func theFirstRuleThatFitsTheHostAndThePath() async throws {
    let world = world("cloudflared", "tunnel", "run", text: configuration)
    let (outcome, facts) = try await read("https://shop.example.org/", world)
    #expect(outcome == .found)
    #expect(facts["route.upstream"] == "https://shop.lan:8443")
    #expect(facts["route.verifies"] == "off")
    #expect(facts["route.sends-host"] == "inner.lan")
    #expect(facts["route.connect-timeout"] == "10")
    #expect(facts["route.defined-in"] == "/etc/cloudflared/config.yml:9")
    #expect(facts["port-line.head"] == #"    service: "https://shop.lan:"#)
    #expect(facts["port-line.tail"] == "\"")
    #expect(facts["host-line.head"] == #"    service: "https://"#)
    #expect(facts["host-line.tail"] == ":8443\"")
    #expect(try await read("https://shop.example.org/api/x", world).1["route.upstream"] == "http://localhost:9000")
  }

  @Test func theRuleThatEndsTheListIsNoRouteAnotherStatusOfItsOwnIsAnAnswer() async throws {
    let world = world("cloudflared", "tunnel", "run", text: configuration)
    #expect(try await read("https://other.test/", world).0 == .default)
    #expect(try await read("https://wiki.example.org/", world).0 == .static)
  }

  @Test(arguments: [["--url", "http://localhost:3000"], ["--url=http://localhost:3000"]])
  func anAddressOnTheCommandLine(options: [String]) async throws {
    let world = Sandbox().with(
      Processes(names: ["cloudflared"]),
      [
        ProcessSeen(
          id: 40, parent: 1, name: "cloudflared", command: ["cloudflared", "tunnel"] + options, started: 5,
          sharesNetwork: true, container: nil)
      ])
    let (outcome, facts) = try await read("https://any.test/", world)
    #expect(outcome == .found)
    #expect(facts["route.upstream"] == "http://localhost:3000")
  }

  @Test func routesThatAreKeptAtCloudflareCannotBeRead() async throws {
    let world = world("cloudflared", "tunnel", "run", "--token", "secret")
    await #expect(throws: Unseen.self) { _ = try await read("https://shop.example.org/", world) }
  }

  @Test func foundByItsProcessAndByTheNameInItsConfiguration() async throws {
    let world = world("cloudflared", "tunnel", "run", text: configuration)
    #expect(try await world.tunnel(naming: nil, signs)?.pid == 40)
    #expect(try await world.tunnel(naming: "shop.example.org", signs)?.pid == 40)
    #expect(try await world.tunnel(naming: "other.test", signs) == nil)
  }
}
