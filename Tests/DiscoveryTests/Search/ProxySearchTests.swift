import Discovery
import Fixture
import Model
import Testing
import World

@Suite struct ProxySearchTests {
  private let signs = Signs(proxies: [
    .init(
      kind: "nginx-proxy-manager", name: "Nginx Proxy Manager", images: ["(^|/)nginx-proxy-manager$"], processes: []),
    .init(kind: "nginx", name: "nginx", images: ["(^|/)nginx$"], processes: ["nginx"]),
    .init(kind: "caddy", name: "Caddy", images: ["(^|/)caddy$"], processes: ["caddy"]),
  ])

  private func process(
    _ id: Int32, _ parent: Int32, _ name: String = "nginx", container: String? = nil, command: [String] = []
  ) -> ProcessSeen {
    ProcessSeen(
      id: id, parent: parent, name: name, command: command, started: Double(id), sharesNetwork: nil,
      container: container)
  }

  private func world(_ processes: [ProcessSeen], containers: String...) -> Sandbox {
    Sandbox().with(Processes(names: signs.proxyProcesses), processes)
      .docker("/containers/json?all=1", "[" + containers.joined(separator: ",") + "]")
  }

  @Test func byItsImageAtAPublishedPort() async throws {
    let world = world(
      [],
      containers:
        #"{"Id": "e1", "Names": ["/edge"], "Image": "jc21/nginx-proxy-manager:2", "State": "running", "Ports": [{"PrivatePort": 80, "PublicPort": 8080}, {"PrivatePort": 443, "PublicPort": 8443}, {"PrivatePort": 81}]}"#
    ).container("e1", #""State": {"Pid": 31, "StartedAt": "1970-01-02T00:00:00Z"}"#).listening(in: .host)
    let found = try #require(try await world.proxies(at: 8080, signs).first)
    #expect(found.sign.kind == "nginx-proxy-manager")
    #expect(found.container?.name == "edge")
    #expect(found.pid == 31)
    #expect(found.port == 80)
    #expect(found.outside == [80: 8080, 443: 8443])
    #expect(!found.usesHostNetwork)
    #expect(try await world.proxies(at: 8443, signs).first?.port == 443)
    #expect(try await world.proxies(at: 80, signs).isEmpty)
  }

  @Test func byAProcessInAContainerWhoseImageTellsNothing() async throws {
    let world = world(
      [process(40, 1, container: "e1")],
      containers:
        #"{"Id": "e1", "Names": ["/gate"], "Image": "team/gate:3", "State": "running", "Ports": [{"PrivatePort": 8000, "PublicPort": 80}]}"#
    ).container("e1", #""State": {"Pid": 40}"#).listening(in: .host)
    let found = try #require(try await world.proxies(at: 80, signs).first)
    #expect(found.sign.kind == "nginx")
    #expect(found.port == 8000)
  }

  @Test func aProxyWhoseFilesCannotBeReadIsNamedWhereSitesAreListed() async throws {
    let world = world([process(50, 1, command: ["nginx: master process /usr/sbin/nginx -c /srv/n.conf"])])
      .listening(in: .host, ("0.0.0.0", 80), processes: [50])
    let listed = try await RouteReading.sites(in: world, signs)
    #expect(listed.sites.isEmpty)
    #expect(listed.unseen.count == 1)
  }

  @Test func anAppWithAPublishedPortIsNoProxy() async throws {
    let world = world(
      [],
      containers:
        #"{"Id": "a1", "Image": "shop:1", "State": "running", "Ports": [{"PrivatePort": 3000, "PublicPort": 80}]}"#
    ).listening(in: .host)
    #expect(try await world.proxies(at: 80, signs).isEmpty)
  }

  @Test func aProcessOfTheHostItsMasterIsNamedByTheWorkerThatListens() async throws {
    let command = ["nginx: master process /usr/sbin/nginx -c /srv/n.conf"]
    let world = world([process(50, 1, command: command), process(51, 50)])
      .listening(in: .host, ("0.0.0.0", 80), processes: [51])
    let found = try #require(try await world.proxies(at: 80, signs).first)
    #expect(found.container == nil)
    #expect(found.pid == 50)
    #expect(found.command == command)
    #expect(found.usesHostNetwork)
  }

  @Test func aContainerInTheHostsNetwork() async throws {
    let world = world(
      [process(60, 1, container: "e1")],
      containers:
        #"{"Id": "e1", "Names": ["/edge"], "Image": "nginx:1", "State": "running", "HostConfig": {"NetworkMode": "host"}}"#
    ).listening(in: .host, ("0.0.0.0", 80), processes: [60])
    let found = try #require(try await world.proxies(at: 80, signs).first)
    #expect(found.container?.name == "edge")
    #expect(found.usesHostNetwork)
  }

  /// One that ends at once for its configuration is "running" half of the time.
  @Test func oneThatIsStartedAgainAndAgainAndNeverListens() async throws {
    func loop(restarts: Int, started: String = "1970-01-01T00:16:38Z") -> Sandbox {
      Sandbox(now: 1000).container(
        "e1", #""RestartCount": \#(restarts), "State": {"Status": "running", "Pid": 7, "StartedAt": "\#(started)"}"#)
    }
    let silent = loop(restarts: 3).listening(in: .process(7))
    #expect(await silent.keepsEnding("e1", before: 80))
    let gone = loop(restarts: 3).with(Listeners(place: .process(7)), unseen: .missing(what: "7"))
    #expect(await gone.keepsEnding("e1", before: 80))
    #expect(await !loop(restarts: 0).listening(in: .process(7)).keepsEnding("e1", before: 80))
    #expect(await !loop(restarts: 3).listening(in: .process(7), ("0.0.0.0", 80)).keepsEnding("e1", before: 80))
    let old = loop(restarts: 3, started: "1970-01-01T00:01:00Z").listening(in: .process(7))
    #expect(await !old.keepsEnding("e1", before: 80))
    // Nobody can see where it listens, and the list, a moment before, had it restarting.
    let listed = { (state: String) in
      loop(restarts: 3).with(Listeners(place: .process(7)), unseen: .notPermitted(what: "7"))
        .containers(#"{"Id": "e1", "Names": ["/e"], "State": "\#(state)"}"#)
    }
    #expect(await listed("restarting").keepsEnding("e1", before: 80))
    #expect(await !listed("running").keepsEnding("e1", before: 80))
    let denied = loop(restarts: 3).with(Listeners(place: .process(7)), unseen: .notPermitted(what: "7"))
    #expect(await !denied.keepsEnding("e1", before: 80))
  }

  @Test func oneThatWouldServeThePortAndHasStopped() async throws {
    let world = world(
      [], containers: #"{"Id": "e1", "Names": ["/edge"], "Image": "nginx:1", "State": "exited"}"#,
      #"{"Id": "e2", "Names": ["/loop"], "Image": "caddy:2", "State": "restarting"}"#
    ).container("e1", #""HostConfig": {"PortBindings": {"8000/tcp": [{"HostPort": "80"}]}}"#)
      .container("e2", #""HostConfig": {"PortBindings": {"443/tcp": [{"HostPort": "443"}]}}"#)
    let found = try #require(try await world.stoppedProxy(at: 80, signs))
    #expect(found.container?.name == "edge")
    #expect(found.port == 8000)
    #expect(found.pid == nil)
    #expect(try await world.stoppedProxy(at: 443, signs)?.container?.name == "loop")
    #expect(try await world.stoppedProxy(at: 8080, signs) == nil)
  }

  @Test func anEngineThatRefusesIsToldUnlessAProxyIsSeenWithoutIt() async throws {
    let engine = DockerGet(path: "/containers/json?all=1")
    let nothing = world([]).with(engine, unseen: .notPermitted(what: "socket")).listening(in: .host)
    await #expect(throws: Unseen.notPermitted(what: "socket")) { try await nothing.proxies(at: 80, signs) }
    let onHost = world([process(50, 1)]).with(engine, unseen: .notPermitted(what: "socket"))
      .listening(in: .host, ("::", 80), processes: [50])
    #expect(try await onHost.proxies(at: 80, signs).map(\.pid) == [50])
  }
}
