import Checks
import Discovery
import Fixture
import Model
import Testing
import World

private let facts: Facts = [
  "site.url": "https://shop.example.org/", "site.scheme": "https", "site.host": "shop.example.org", "site.port": "443",
  "site.path": "/", "limit.seconds": "30",
]

private func request(_ address: String, port: UInt16 = 443, place: Place = .host) -> HTTPRequest {
  HTTPRequest(
    url: port == 80 ? "http://shop.example.org/" : "https://shop.example.org/", address: address, port: port,
    place: place, limit: 30)
}

private let cloudflare = [HTTPRequest.Header(name: "Server", value: "cloudflare")]

@Suite struct EdgeTests {
  /// The name leads to 203.0.113.9; this machine has a private address only.
  private func world(_ there: HTTPRequest.Sight, here: HTTPRequest.Sight, own: String = "192.168.1.4") -> Sandbox {
    Sandbox(now: 1000).with(OwnAddresses(), ["127.0.0.1", own]).listening(in: .host, ("0.0.0.0", 443))
      .with(SystemLookup(name: "shop.example.org"), ["203.0.113.9"])
      .with(request("203.0.113.9"), there).with(request("127.0.0.1"), here)
      .with(request("127.0.0.1", port: 80), .init(failure: .refused))
  }

  private func finding(_ world: Sandbox) async throws -> Finding {
    try await look("site.answer", world, facts, signs: realSigns())
  }

  @Test(arguments: [520, 521, 522, 523, 525, 526, 530, 502, 504, 404])
  func badThroughAServiceAndGoodHere(status: Int) async throws {
    let there = HTTPRequest.Sight(status: status, headers: cloudflare, address: "203.0.113.9")
    let found = try await finding(world(there, here: .init(status: 200)))
    #expect(found.outcome == "only-here")
    #expect(found.facts["site.edge"] == "Cloudflare")
    #expect(found.facts["public.status"] == String(status))
    #expect(found.facts["public.address"] == "203.0.113.9")
    #expect(found.facts["public.behind-nat"] == "yes")
    #expect(found.facts["site.status"] == "200")
  }

  @Test(arguments: [(401, "only-here"), (404, "not-found")])
  func thisMachineCountsAsWellWhenItsAppOnlySaysNo(status: Int, outcome: String) async throws {
    let there = HTTPRequest.Sight(status: 521, headers: cloudflare)
    #expect(try await finding(world(there, here: .init(status: status))).outcome == outcome)
  }

  @Test func badThereAndBadHereThisMachinesOwnAnswerGoesOnThePublicOneIsKept() async throws {
    let there = HTTPRequest.Sight(status: 520, headers: cloudflare)
    let found = try await finding(world(there, here: .init(status: 502)))
    #expect(found.outcome == "bad-gateway")
    #expect(found.facts["public.status"] == "520")
    #expect(found.facts["site.asked-at"] == "here")
  }

  /// A service that refuses a program, as with a riddle for browsers, is no fault of the way behind it
  @Test func aServiceThatRefusesAProgramAsWithARiddleForBrowsers() async throws {
    let there = HTTPRequest.Sight(status: 403, headers: cloudflare)
    #expect(try await finding(world(there, here: .init(status: 200))).outcome == "client-error")
  }

  @Test func thisMachineCouldNotBeAskedNoClaimThatItIsWell() async throws {
    let there = HTTPRequest.Sight(status: 521, headers: cloudflare)
    let found = try await finding(world(there, here: .init(failure: .refused)))
    #expect(found.outcome == "edge-error")
    #expect(found.facts["site.asked-at"] == nil)
    #expect(found.facts["public.status"] == nil)
  }

  @Test func a521WithoutASignOfAServiceIsTheProxysOwn() async throws {
    let there = HTTPRequest.Sight(status: 521)
    #expect(try await finding(world(there, here: .init(failure: .refused))).outcome == "server-error")
  }

  @Test func nobodyAtPort443HereAndAnAnswerAtPort80TheCaseGoesOnThere() async throws {
    let there = HTTPRequest.Sight(status: 522, headers: cloudflare)
    let world = world(there, here: .init(failure: .refused))
      .with(request("127.0.0.1", port: 80), .init(status: 502, address: "127.0.0.1"))
    let found = try await finding(world)
    #expect(found.outcome == "other-port")
    #expect(found.facts["next.url"] == "http://shop.example.org/")
    #expect(found.facts["next.address"] == "127.0.0.1")
  }

  @Test func withAPublicAddressOfItsOwnThisMachineIsBehindNoRouter() async throws {
    let found = try await finding(world(.init(status: 404), here: .init(status: 200), own: "198.51.100.7"))
    #expect(found.outcome == "only-here")
    #expect(found.facts["public.behind-nat"] == nil)
    #expect(found.facts["site.edge"] == nil)
  }

  @Test func aProxyThatListensAtOneAddressOnlyIsAskedThere() async throws {
    let world = world(.init(status: 521, headers: cloudflare), here: .init(failure: .refused))
      .listening(in: .host, ("192.168.1.4", 443)).with(request("192.168.1.4"), .init(status: 200))
    #expect(try await finding(world).outcome == "only-here")
  }

  @Test(arguments: [
    ("CF-RAY", "8f3b2c1d4e5f6a7b-FRA", "Cloudflare"), ("Server", "awselb/2.0", "AWS load balancer"),
    ("Via", "1.1 0a1b.cloudfront.net (CloudFront)", "CloudFront"), ("Via", "1.1 google", "Google load balancer"),
    ("X-Azure-Ref", "20240101T", "Azure Front Door"), ("Server", "AkamaiGHost", "Akamai"),
    ("Server", "Microsoft-Azure-Application-Gateway/v2", "Azure Application Gateway"),
    ("ngrok-error-code", "ERR_NGROK_8012", "ngrok"), ("Server", "nginx", nil), ("Via", "1.1 Caddy", nil),
  ])
  func byWhatEachServiceIsKnown(name: String, value: String, edge: String?) async throws {
    let found = try await finding(
      world(.init(status: 200, headers: [.init(name: name, value: value)]), here: .init(status: 200)))
    #expect(found.outcome == "good")
    #expect(found.facts["site.edge"] == edge)
  }

  @Test func theNextProxyIsAskedFromThePlaceOfTheOneBeforeIt() async throws {
    let hop = facts.merging([
      "site.url": "http://shop.example.org:8080/", "site.port": "8080", "hop.address": "10.0.0.3", "hop.pid": "7",
      "hop.from": "nginx (container edge)",
    ])
    let asked = HTTPRequest(
      url: "http://shop.example.org:8080/", address: "10.0.0.3", port: 8080, place: .process(7), limit: 30)
    let world = Sandbox(now: 1000).with(asked, .init(status: 502))
    #expect(try await look("site.answer", world, hop).outcome == "bad-gateway")
    var stopped = hop
    stopped["hop.address"] = nil
    #expect(try await look("site.answer", world, stopped).outcome == "no-name")
  }
}

@Suite struct SiteAddressesTests {
  private func world(_ four: HTTPRequest.Sight, _ six: HTTPRequest.Sight, own: String...) -> Sandbox {
    func at(_ address: String) -> HTTPRequest {
      HTTPRequest(url: "https://shop.example.org/", address: address, port: 443, limit: 6)
    }
    return Sandbox().with(SystemLookup(name: "shop.example.org"), ["203.0.113.9", "2001:db8::9"])
      .with(OwnAddresses(), own).file("/etc/hosts", "127.0.0.1 localhost\n203.0.113.9\tshop.example.org shop # old\n")
      .with(at("203.0.113.9"), four).with(at("2001:db8::9"), six)
  }

  @Test func oneKindGoesWellTheOtherDoesNot() async throws {
    let found = try await look(
      "site.addresses", world(.init(status: 200), .init(failure: .connectTimeout), own: "2001:db8::4"), facts)
    #expect(found.outcome == "differ")
    #expect(found.facts["families.bad"] == "2001:db8::9")
    #expect(found.facts["families.good"] == "203.0.113.9")
    #expect(found.facts["hosts-line.number"] == "2")
    #expect(found.facts["hosts-line.text"] == "203.0.113.9\tshop.example.org shop # old")
  }

  @Test(arguments: ["fe80::1", "::1", "192.168.1.4"])
  func aMachineWithoutIPv6CannotTell(own: String) async throws {
    let found = try await look(
      "site.addresses", world(.init(status: 200), .init(failure: .unreachable), own: own), facts)
    #expect(found.outcome == "single")
  }

  @Test func bothAlike() async throws {
    let world = world(.init(status: 502), .init(status: 502), own: "2001:db8::4")
    #expect(try await look("site.addresses", world, facts).outcome == "same")
  }
}

@Suite struct HairpinTests {
  private let route = facts.merging([
    "name.address": "203.0.113.9", "upstream.host": "203.0.113.9", "upstream.port": "8443", "proxy.place": "container",
  ])

  private func world(_ outcome: TCPConnect.Sight.Outcome, own: String = "192.168.1.4") -> Sandbox {
    Sandbox().with(OwnAddresses(), [own]).with(SystemLookup(name: "shop.example.org"), ["203.0.113.9"])
      .with(
        TCPConnect(address: "127.0.0.1", port: 8443, place: .host, limit: 2),
        .init(outcome: outcome, errno: 0, seconds: 0))
  }

  @Test func theSitesOwnPublicAddressAndThisMachineTakesConnectionsThere() async throws {
    let found = try await look("route.hairpin", world(.accepted), route)
    #expect(found.outcome == "own")
    #expect(found.facts["route.leads-nowhere"] == "yes")
  }

  @Test func theProxyItselfByTheSameRouteAgain() async throws {
    let asked: Facts = [
      "name.address": "10.0.0.3", "upstream.host": "shop.example.org", "upstream.port": "80", "proxy.port": "80",
      "proxy.id": "edge1", "proxy.pid": "7", "route.sends-host": "shop.example.org", "upstream.path": "/",
    ]
    let world = world(.refused).container(
      "edge1", #""State": {"Pid": 7}, "NetworkSettings": {"Networks": {"web": {"IPAddress": "10.0.0.3"}}}"#)
    #expect(try await look("route.circle", world, route.merging(asked)).outcome == "itself")
    for other: Facts in [["upstream.port": "81"], ["route.sends-host": "app"], ["name.address": "10.0.0.4"]] {
      #expect(try await look("route.circle", world, route.merging(asked).merging(other)).outcome == "other")
    }
  }

  @Test func nobodyTakesConnectionsHereAtThatPort() async throws {
    let found = try await look("route.hairpin", world(.refused), route)
    #expect(found.outcome == "own-elsewhere")
    #expect(found.facts["route.leads-nowhere"] == nil)
  }

  @Test func anAddressOfThisMachinesOwnAtWhichNothingArrives() async throws {
    let own = route.merging(["proxy.pid": "7"])
    let world = world(.accepted, own: "203.0.113.9")
    let found = try await look("route.hairpin", world, own)
    #expect(found.outcome == "machine")
    #expect(found.facts["hairpin.machine"] == "yes")
    #expect(try await look("route.hairpin", self.world(.refused, own: "203.0.113.9"), own).outcome == "other")
    world.with(
      TCPConnect(address: "203.0.113.9", port: 8443, place: .process(7), limit: 2),
      .init(outcome: .accepted, errno: 0, seconds: 0))
    #expect(try await look("route.hairpin", world, own).outcome == "other")
  }

  @Test func anotherAddress() async throws {
    let another = route.merging(["name.address": "203.0.113.10", "upstream.host": "203.0.113.10"])
    #expect(try await look("route.hairpin", world(.accepted), another).outcome == "other")
  }
}

@Suite struct NextProxyTests {
  private let route: Facts = [
    "site.host": "shop.example.org", "site.path": "/", "proxy.place": "container", "proxy.id": "e1", "proxy.pid": "7",
    "proxy.name": "nginx", "proxy.where": "container edge", "upstream.place": "container", "upstream.id": "i1",
    "upstream.inside-port": "80", "upstream.port": "8080", "upstream.scheme": "http", "name.address": "10.0.0.3",
  ]

  private func world(_ image: String) throws -> Sandbox {
    Sandbox().with(Processes(names: try realSigns().proxyProcesses), [])
      .containers(#"{"Id": "i1", "Names": ["/inner"], "Image": "\#(image)", "State": "running"}"#)
      .container("i1", #""State": {"Status": "running", "Pid": 9}"#)
  }

  @Test func aProxyBehindAProxyAndHowItIsAsked() async throws {
    let found = try await look("next.proxy", world("nginx:1.27"), route, signs: realSigns())
    #expect(found.outcome == "proxy")
    #expect(found.facts["next.url"] == "http://shop.example.org:8080/")
    #expect(found.facts["next.pid"] == "7")
    #expect(found.facts["next.id"] == "i1")
    #expect(found.facts["next.port"] == "80")
    #expect(found.facts["next.from"] == "nginx (container edge)")
    #expect(found.facts["next.name"] == "nginx (container inner)")
  }

  /// An nginx that serves its own files is an app, one that knows other sites is a proxy
  @Test(arguments: [
    ("server { listen 80; server_name localhost; root /srv; }", "app"),
    ("server { listen 80; location / { proxy_pass http://10.0.0.9; } }", "proxy"),
    ("server { listen 80; return 404; } server { server_name a.test; location / { proxy_pass http://b; } }", "proxy"),
  ])
  func anNginxThatServesItsOwnFilesIsAnApp(configuration: String, outcome: String) async throws {
    let inside = Place.process(9)
    let world = try world("nginx:1.27").file("/etc/nginx/nginx.conf", "events {} http { \(configuration) }", in: inside)
    #expect(try await look("next.proxy", world, route, signs: realSigns()).outcome == outcome)
  }

  @Test func anAppIsNoProxy() async throws {
    let found = try await look("next.proxy", world("team/shop:4"), route, signs: realSigns())
    #expect(found.outcome == "app")
    #expect(found.facts["next.url"] == nil)
  }

  @Test func theProxyIsFoundByItsContainerNotByAPortOfThisMachine() async throws {
    let hop: Facts = ["hop.id": "i1", "hop.port": "80", "hop.from": "nginx (container edge)", "site.port": "8080"]
    let running = try await look("proxy.find", world("nginx:1.27"), hop, signs: realSigns())
    #expect(running.outcome == "found")
    #expect(running.facts["proxy.port"] == "80")
    #expect(running.facts["proxy.container"] == "inner")
    let stopped = try world("nginx:1.27").container("i1", #""State": {"Status": "exited", "Pid": 0}"#)
    #expect(try await look("proxy.find", stopped, hop, signs: realSigns()).outcome == "stopped")
  }
}
