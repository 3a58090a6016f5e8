import Checks
import Fixture
import Model
import Testing
import World

private let route: Facts = [
  "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.port": "8080",
]
private let edge =
  #"{"Id": "edge1", "Names": ["/edge"], "State": "running", "NetworkSettings": {"Networks": {"web": {}}}}"#

/// The name, the address or the place of the app has another holder, or none.
@Suite struct OtherHolderTests {
  @Test(arguments: [("docs_default", "replaced"), ("web", "container")])
  func theAppRunsInAnotherProject(network: String, outcome: String) async throws {
    func made(_ id: String, _ project: String, _ state: String, _ network: String) -> String {
      """
      {"Id": "\(id)", "Names": ["/\(project)-web-1"], "Image": "gitea:1", "State": "\(state)", "Labels": \
      {"com.docker.compose.project": "\(project)", "com.docker.compose.service": "web"}, \
      "NetworkSettings": {"Networks": {"\(network)": {"IPAddress": "10.0.0.2"}}}}
      """
    }
    let world = Sandbox().containers(
      edge, made("old", "wiki", "exited", "web"), made("new", "docs", "running", network)
    )
    .container("old", #""Name": "/wiki-web-1", "State": {"Status": "exited"}"#)
    .container("new", #""Name": "/docs-web-1", "State": {"Status": "running", "Pid": 9}"#)
    let found = try await look("upstream.find", world, route.merging(["upstream.host": "wiki-web-1"]))
    #expect(found.outcome == outcome)
    #expect(found.facts["upstream.container"] == (outcome == "replaced" ? "docs-web-1" : "wiki-web-1"))
    #expect(found.facts["twin.of"] == (outcome == "replaced" ? "wiki-web-1" : nil))
  }

  @Test(arguments: [("10.0.0.40", "displaced", "ghost"), ("10.0.0.41", "occupied", "queue")])
  func anotherContainerHasTheAddress(kept: String, outcome: String, container: String) async throws {
    let world = Sandbox()
      .containers(
        edge,
        #"{"Id": "app", "Names": ["/ghost"], "State": "exited", "NetworkSettings": {"Networks": {"web": {"IPAMConfig": {"IPv4Address": "\#(kept)"}}}}}"#,
        #"{"Id": "queue", "Names": ["/queue"], "State": "running", "NetworkSettings": {"Networks": {"web": {"IPAddress": "10.0.0.40"}}}}"#
      )
      .container("app", #""Name": "/ghost", "State": {"Status": "exited"}"#)
      .container("queue", #""Name": "/queue", "State": {"Status": "running", "Pid": 9}"#)
      .listening(in: .process(9), ("0.0.0.0", 6379))
    let found = try await look("upstream.find", world, route.merging(["upstream.host": "10.0.0.40"]))
    #expect(found.outcome == outcome)
    #expect(found.facts["upstream.container"] == container)
    #expect(found.facts["upstream.tenant"] == (outcome == "displaced" ? "queue" : nil))
  }

  @Test(arguments: [
    (#"["-c", "app 8080 127.0.0.1 & exec nginx"]"#, "ended"), (#"["-c", "app --port=8080; nginx"]"#, "ended"),
    (#"["-c", "app 18080 & nginx"]"#, "itself"), (#"["nginx", "-g", "daemon off;"]"#, "itself"),
  ])
  func aProgramOfTheProxysOwnContainer(arguments: String, outcome: String) async throws {
    let world = Sandbox().containers(edge)
      .container("edge1", #""Name": "/edge", "Path": "sh", "Args": \#(arguments), "State": {"Pid": 7}"#)
      .listening(in: .process(7), ("0.0.0.0", 80), processes: [7])
      .with(
        Processes(names: []),
        [
          ProcessSeen(
            id: 7, parent: 1, name: "nginx", command: [], started: 0, sharesNetwork: false, container: "edge1")
        ])
    let found = try await look("upstream.find", world, route.merging(["upstream.host": "127.0.0.1"]))
    #expect(found.outcome == outcome)
    #expect((found.facts["upstream.starter"] != nil) == (outcome == "ended"))
  }

  @Test(arguments: [
    ("restarting", 0, 0.0, "restarting"), ("running", 3, 30, "restarting"), ("running", 3, 3600, "silent"),
    ("running", 1, 30, "silent"),
  ])
  func aGuestThatStartsAgainAndAgain(state: String, restarts: Int, age: Double, outcome: String) async throws {
    let facts: Facts = ["upstream.id": "vpn", "upstream.inside-port": "8080", "upstream.container": "vpn"]
    let world = Sandbox(now: 86_400 + age)
      .containers(
        #"{"Id": "vpn", "Names": ["/vpn"], "State": "running"}"#,
        #"{"Id": "app", "Names": ["/app"], "State": "\#(state)", "HostConfig": {"NetworkMode": "container:vpn"}}"#
      )
      .container(
        "app",
        #""Name": "/app", "RestartCount": \#(restarts), "State": {"Status": "\#(state)", "ExitCode": 1, "StartedAt": "1970-01-02T00:00:00Z"}"#
      )
    let found = try await look("network.guests", world, facts)
    #expect(found.outcome == outcome)
    #expect(found.facts["upstream.container"] == (outcome == "restarting" ? "app" : nil))
  }

  @Test(arguments: [("0x0", "eth0"), ("0x2", nil)])
  func nobodyAnswersForTheAddress(flags: String, card: String?) async throws {
    let world = Sandbox(files: [
      "/proc/net/arp":
        "IP address  HW type  Flags  HW address  Mask  Device\n192.0.2.9  0x1  \(flags)  00:00:00:00:00:00  *  eth0\n"
    ]).with(
      TCPConnect(address: "192.0.2.9", port: 8080, place: .process(7), limit: 4),
      .init(outcome: .unreachable, errno: 113, seconds: 3))
    let found = try await look("tcp.connect", world, route.merging(["name.address": "192.0.2.9"]))
    #expect(found.outcome == "unreachable")
    #expect(found.facts["connect.silent"] == card)
  }

  @Test(arguments: [
    ("/app", "//v1/list", 200, 404, "better"), ("/app", "//v1/list", 200, 200, "same"),
    ("/app", "/v1/list", 404, 404, "same"),
  ])
  func aSlashTooMany(site: String, asked: String, single: Int, again: Int, outcome: String) async throws {
    func request(_ path: String) -> HTTPRequest {
      HTTPRequest(
        url: "http://localhost\(path)", address: "10.0.0.2", port: 8080, place: .process(7), limit: 8)
    }
    let world = Sandbox().with(request(site), .init(status: 404)).with(request("/v1/list"), .init(status: single))
      .with(request(asked), .init(status: again))
    let facts: Facts = [
      "name.address": "10.0.0.2", "upstream.scheme": "http", "upstream.path": asked, "site.path": site,
      "upstream.status": "404", "site.host": "localhost",
    ]
    let found = try await look("path.original", world, route.merging(facts))
    #expect(found.outcome == outcome)
  }

  @Test(arguments: [("udp", "datagram"), ("tcp", "container")])
  func aPortOfTheMachineForAnotherProtocol(protocol: String, outcome: String) async throws {
    let app = """
      {"Id": "app", "Names": ["/wiki"], "State": "running", "Ports": [{"PrivatePort": 3000, "PublicPort": 8080, \
      "Type": "\(`protocol`)", "IP": "127.0.0.1"}]}
      """
    let world = Sandbox().containers(app).with(Listeners(place: .host), [])
      .listening(in: .process(9), ("0.0.0.0", 3000))
      .container("app", #""Name": "/wiki", "State": {"Status": "running", "Pid": 9}"#)
    let facts: Facts = ["proxy.place": "host", "upstream.host": "127.0.0.1", "upstream.port": "8080"]
    let found = try await look("upstream.find", world, facts)
    #expect(found.outcome == outcome)
    #expect(found.facts["publish.protocol"] == (outcome == "datagram" ? "UDP" : nil))
    #expect(found.facts["publish.inside-port"] == (outcome == "datagram" ? "3000" : nil))
  }

  @Test func theAppsOwnListOfNames() async throws {
    let facts: Facts = [
      "name.address": "10.0.0.2", "upstream.scheme": "http", "upstream.dial": "10.0.0.2:8080",
      "site.host": "shop.example.org", "site.path": "/", "site.status": "403",
    ]
    let asked = HTTPRequest(
      url: "http://shop.example.org/", address: "10.0.0.2", port: 8080, place: .process(7), limit: 6)
    var (visited, local) = (asked, asked)
    visited.host = "shop.example.org"
    local.host = "localhost"
    func outcome(_ body: String) async throws -> String {
      let no = HTTPRequest.Sight(status: 403, body: Array(body.utf8))
      let world = Sandbox().with(asked, no).with(visited, no).with(local, .init(status: 200))
      return try await look("upstream.refuses", world, route.merging(facts)).outcome
    }
    #expect(try await outcome("Blocked request. This host is not allowed.") == "names")
    #expect(try await outcome("Members only") == "same")
  }

  @Test(
    arguments: [
      (["0.0.0.0:80", "127.0.0.1:2019"], "hears", nil),
      (["0.0.0.0:8443", "0.0.0.0:8080", "127.0.0.1:2019"], "deaf", "8080, 8443"),
      // Nobody listens yet, or the port is bound to one address of the container.
      ([], "hears", nil), (["127.0.0.1:80", "0.0.0.0:8080"], "hears", nil),
    ] as [([String], String, String?)])
  func theProxyListensElsewhereInItsContainer(_ listens: [String], _ outcome: String, _ ports: String?) async throws {
    let listeners = listens.map { text in
      let parts = text.split(separator: ":")
      return Listener(address: String(parts[0]), port: UInt16(parts[1])!, waiting: 0, processes: [7])
    }
    let world = Sandbox().with(Listeners(place: .process(7)), listeners)
    let found = try await look("proxy.hears", world, ["site.error": "cut", "proxy.pid": "7", "proxy.port": "80"])
    #expect(found.outcome == outcome)
    #expect(found.facts["proxy.listening"] == ports)
  }

  @Test(arguments: [
    ("connection refused", ["::"], "other-family"), ("connection refused", ["::", "0.0.0.0"], "hears"),
    ("closed before a full answer", ["::"], "hears"),
  ])
  func theProxyListensByTheOtherKindOfAddress(error: String, addresses: [String], outcome: String) async throws {
    let listeners = addresses.map { Listener(address: $0, port: 80, waiting: 0, processes: [7]) }
    let world = Sandbox().with(Listeners(place: .process(7)), listeners)
    let found = try await look("proxy.hears", world, ["site.error": error, "proxy.pid": "7", "proxy.port": "80"])
    #expect(found.outcome == outcome)
  }

  /// `docker run --link store:backend` gives the proxy alone another name for a container.
  @Test(arguments: [("/edge/backend", "container"), ("/other/backend", "nameless")])
  func aLinkOfTheOldKindNamesAContainer(link: String, outcome: String) async throws {
    let world = Sandbox()
      .containers(
        edge,
        #"{"Id": "app", "Names": ["/store", "\#(link)"], "State": "running", "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.3"}}}}"#
      )
      .container("app", #""Name": "/store", "State": {"Status": "running", "Pid": 9}"#)
    let found = try await look("upstream.find", world, route.merging(["upstream.host": "backend"]))
    #expect(found.outcome == outcome)
    #expect(found.facts["upstream.container"] == (outcome == "container" ? "store" : nil))
  }

  @Test(
    arguments: [
      ("store", #"{"State": "pending", "Err": "no suitable node"}"#, "absent", "no suitable node"),
      (
        "shop_store", #"{"State": "failed", "Message": "started", "Err": "task: non-zero exit (1)"}"#, "failing",
        "task: non-zero exit (1)"
      ),
      ("shop_store", #"{"State": "running"}"#, "nameless", nil),
      ("blog_store", #"{"State": "pending"}"#, "nameless", nil),
    ] as [(String, String, String, String?)])
  func aServiceOfASwarmWithoutAContainer(service: String, status: String, outcome: String, reason: String?) async throws
  {
    let labels = service.contains("_") ? #""com.docker.stack.namespace": "shop""# : ""
    let filters = "%7B%22service%22%3A%5B%22\(service.replacing("_", with: "%5F"))%22%5D%7D"
    let world = Sandbox().containers(edge)
      .docker(
        "/services",
        #"[{"ID": "s1", "Spec": {"Name": "\#(service)", "Labels": {\#(labels)}, "Mode": {"Replicated": {"Replicas": 1}}}}]"#
      )
      .docker(
        "/tasks?filters=\(filters)",
        #"[{"UpdatedAt": "2026-01-02T00:00:00Z", "Status": \#(status)}, {"UpdatedAt": "2026-01-01T00:00:00Z", "Status": {"State": "failed", "Err": "older"}}]"#
      )
    let found = try await look("upstream.find", world, route.merging(["upstream.host": "store"]))
    #expect(found.outcome == outcome)
    #expect(found.facts["swarm.reason"] == reason)
    #expect(found.facts["swarm.service"] == (reason == nil ? nil : service))
  }

  /// A proxy of the machine knows a service by a port alone: by the container that had it last, or by what the Swarm says.
  @Test(arguments: [(true, "failing"), (false, "absent")])
  func aPortOfASwarmsServiceWithoutAContainer(hasEnded: Bool, outcome: String) async throws {
    let label = #""Labels": {"com.docker.swarm.service.name": "store"}"#
    let last = #"{"Id": "t1", "Names": ["/store.1.abc"], "State": "exited", \#(label)}"#
    let failed = #"{"Status": {"State": "failed", "Err": "task: non-zero exit (3)"}}"#
    let world = Sandbox().containers(hasEnded ? [edge, last] : [edge]).listening(in: .host)
      .container(
        "t1",
        #""Name": "/store.1.abc", "Config": {\#(label)}, "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8088"}]}}"#
      )
      .docker(
        "/services",
        #"[{"ID": "s1", "Spec": {"Name": "store", "EndpointSpec": {"Ports": [{"PublishedPort": 8088, "Protocol": "tcp"}]}}}]"#
      )
      .docker(
        "/tasks?filters=%7B%22service%22%3A%5B%22store%22%5D%7D", "[\(failed)\(hasEnded ? "," + failed : "")]")
    let onHost: Facts = ["proxy.place": "host", "upstream.host": "127.0.0.1", "upstream.port": "8088"]
    let found = try await look("upstream.find", world, onHost)
    #expect(found.outcome == outcome)
    #expect(found.facts["swarm.service"] == "store")
    #expect(found.facts["swarm.reason"] == "task: non-zero exit (3)")
  }

  /// A program that a supervisor has given up leaves its container running.
  @Test(arguments: [
    (
      ["INFO spawned: 'httpd'", "INFO gave up: httpd entered FATAL state, too many start retries too quickly"], "ended"
    ),
    (["app listening on 8080"], "none"), ([], "none"),
  ])
  func theProgramInAContainerHasEnded(lines: [String], outcome: String) async throws {
    let world = Sandbox().containers(edge).container(
      "app", #""Name": "/app", "State": {"Status": "running", "Pid": 9}"#
    )
    .log(of: "app", lines.flatMap { frame($0 + "\n") })
    let found = try await look("app.ended", world, ["upstream.id": "app"], signs: realSigns())
    #expect(found.outcome == outcome)
    #expect(found.facts["container.last-words"] == (outcome == "ended" ? lines.last : nil))
  }

  /// From a place without a free port of its own nobody is reached; by IPv6 the error says that it has no such address.
  @Test(arguments: [("10.0.0.2", "no-ports"), ("fd00::2", "unreachable")])
  func thePlaceHasNoFreePort(address: String, outcome: String) async throws {
    let world = Sandbox().with(
      TCPConnect(address: address, port: 8080, place: .process(7), limit: 4),
      .init(outcome: .unreachable, errno: 99, seconds: 0))
    let found = try await look("tcp.connect", world, route.merging(["name.address": address]))
    #expect(found.outcome == outcome)
  }

  /// The same page under a URL that nobody has asked for.
  @Test(arguments: [(200, "good"), (502, "bad")])
  func anErrorThatACacheHasKept(status: Int, outcome: String) async throws {
    let site: Facts = [
      "site.status": "502", "site.asked": "1700000000.5", "route.keeps-errors": "proxy_cache_valid any 1m",
    ]
    let request = HTTPRequest(
      url: "http://127.0.0.1/?wizard502=1700000000.5", address: "127.0.0.1", port: 80, place: .host, limit: 10)
    let world = Sandbox().with(SystemLookup(name: "127.0.0.1"), ["127.0.0.1"]).with(request, .init(status: status))
    let found = try await look("site.uncached", world, site.merging(["site.url": "http://127.0.0.1/"]))
    #expect(found.outcome == outcome)
    #expect(found.facts["uncached.status"] == (outcome == "good" ? "200" : nil))
  }
}
