import Discovery
import Fixture
import Model
import Testing
import World

@testable import Checks

/// Who is offered as the app that was probably meant.
@Suite struct NeighbourFindTests {
  private let facts: Facts = [
    "site.url": "http://shop.example.org/", "site.host": "shop.example.org", "site.port": "80", "site.path": "/",
    "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "proxy.kind": "nginx", "upstream.port": "3000",
    "route.leads-nowhere": "yes",
  ]

  private func summary(_ id: String, image: String = "team/app", ports: String = "") -> String {
    #"{"Id": "\#(id)1", "Names": ["/\#(id)"], "Image": "\#(image)", "State": "running", "Ports": [\#(ports)], "NetworkSettings": {"Networks": {"web": {"NetworkID": "n"}}}}"#
  }

  /// nginx in a container, with a route of the site and another one's, beside containers that listen at port 3000.
  private func world(blog: String, apps: String...) -> Sandbox {
    let own = #""NetworkSettings": {"Networks": {"web": {"NetworkID": "n"}}}"#
    let conf = """
      events {}
      http {
        server { listen 80; server_name shop.example.org; location / { proxy_pass http://shop:3000; } }
        server { listen 80; server_name \(blog); location / { proxy_pass http://blog:3000; } }
      }
      """
    let published = #"{"PrivatePort": 80, "PublicPort": 80}"#
    let world = Sandbox()
      .containers([summary("edge", image: "nginx:1", ports: published)] + apps.map { summary($0) })
      .container("edge1", #""Name": "/edge", "State": {"Pid": 7}, \#(own)"#)
      .file("/etc/nginx/nginx.conf", conf, in: .process(7)).listening(in: .host)
    for (number, app) in apps.enumerated() {
      let pid = Int32(20 + number)
      world.container("\(app)1", #""Name": "/\#(app)", "State": {"Pid": \#(pid)}, \#(own)"#)
        .listening(in: .process(pid), ("0.0.0.0", 3000))
    }
    return world
  }

  private func found(_ world: Sandbox) async throws -> Finding {
    try await look("neighbour.find", world, facts, signs: realSigns())
  }

  @Test func theAppOfAnotherSiteIsNobodysNeighbour() async throws {
    #expect(try await found(world(blog: "blog.example.org", apps: "blog")).outcome == "none")
    let other = try await found(world(blog: "blog.example.org", apps: "blog", "store"))
    #expect(other.outcome == "one")
    #expect(other.facts["neighbour.container"] == "store")
  }

  @Test func theSameSiteUnderItsLongNameIsNoOtherOne() async throws {
    let found = try await found(world(blog: "www.shop.example.org", apps: "blog"))
    #expect(found.facts["neighbour.container"] == "blog")
  }

  /// It has this machine's network, so the proxy reaches it by this machine's address in its own.
  @Test func aContainerInTheMachinesNetwork() async throws {
    let proxy =
      #""Name": "/edge", "State": {"Pid": 7}, "NetworkSettings": {"Networks": {"web": {"NetworkID": "n", "Gateway": "172.20.0.1"}}}"#
    let home = #"{"Id": "h1", "Names": ["/home"], "State": "running", "HostConfig": {"NetworkMode": "host"}}"#
    let world = Sandbox().containers(summary("edge", image: "nginx:1"), home).container("edge1", proxy)
      .container("h1", #""Name": "/home", "State": {"Pid": 30}"#)
      .file("/etc/nginx/nginx.conf", "events {}", in: .process(7))
      .listening(in: .process(30), ("0.0.0.0", 3000)).listening(in: .host, ("0.0.0.0", 3000))
    let found = try await found(world)
    #expect(found.facts["neighbour.host"] == "172.20.0.1")
    #expect(found.facts["neighbour.network"] == nil)
    #expect(found.facts["neighbour.unpublished"] == nil)
  }

  /// Of a proxy on the machine itself: only what answers HTTP and is no proxy.
  @Test func aProxysOwnPortsAreNoApp() async throws {
    let facts = facts.merging(["proxy.place": "host", "proxy.id": "", "proxy.network": "host"])
    let signs = try realSigns()
    let answer = { (port: UInt16) in HTTPRequest(url: "http://localhost/", address: "127.0.0.1", port: port, limit: 1) }
    let proxy = ProcessSeen(
      id: 7, parent: 1, name: "caddy", command: ["caddy", "run"], started: 1, sharesNetwork: true, container: nil)
    let world = Sandbox().with(Processes(names: signs.proxyProcesses), [proxy])
      .with(
        Listeners(place: .host),
        [
          Listener(address: "0.0.0.0", port: 80, waiting: 0, processes: [7]),
          Listener(address: "127.0.0.1", port: 2019, waiting: 0, processes: [7]),
        ]
      )
      .with(answer(2019), .init(status: 404))
    #expect(try await look("neighbour.find", world, facts, signs: signs).outcome == "none")
    world.with(
      Listeners(place: .host),
      [
        Listener(address: "127.0.0.1", port: 2019, waiting: 0, processes: [7]),
        Listener(address: "127.0.0.1", port: 3001, waiting: 0, processes: [30]),
      ]
    ).with(answer(3001), .init(status: 200))
    let app = try await look("neighbour.find", world, facts, signs: signs)
    #expect(app.outcome == "one")
    #expect(app.facts["neighbour.port"] == "3001")
  }
}

/// What this program asks itself is no load.
@Suite struct OwnRequestsTests {
  private let facts: Facts = [
    "site.asked": "1", "upstream.place": "container", "upstream.pid": "9", "upstream.inside-port": "3000",
    "upstream.port": "3000",
  ]

  @Test(arguments: [
    // Waiting, room in the queue, accepted and open.
    (2, 1, 1, "waiting"), (2, 1, 0, "waiting"), (1, 128, 2, "waiting"), (3, 0, 0, "waiting"), (4, 3, 1, "full"),
    (129, 128, 0, "stalled"), (129, 128, 4, "full"), (1, 128, 4, "busy"),
  ])
  func inTheAppsQueue(waiting: Int, most: Int, accepted: Int, outcome: String) async throws {
    let listener = Listener(
      address: "0.0.0.0", port: 3000, waiting: waiting, most: most, accepted: accepted, processes: [])
    let world = Sandbox().with(Listeners(place: .process(9)), [listener])
    #expect(try await look("upstream.queue", world, facts, signs: realSigns()).outcome == outcome)
  }
}
