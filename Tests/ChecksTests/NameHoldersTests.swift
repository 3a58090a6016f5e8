import Checks
import Fixture
import Model
import Testing
import World

/// One name of several apps: which of them is meant, and when it is no fault at all.
@Suite struct NameHoldersTests {
  private let facts: Facts = [
    "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.host": "app", "upstream.port": "3000",
    "name.addresses": "10.0.0.2, 10.0.0.3", "name.many": "yes",
  ]

  private struct App {
    var name: String
    var image: String
    var port: UInt16
    /// Its Compose project.
    var project: String?
  }

  private func world(_ apps: App...) -> Sandbox {
    let world = Sandbox().containers(
      apps.enumerated().map { index, app in
        let labels = app.project.map {
          #", "Labels": {"com.docker.compose.project": "\#($0)", "com.docker.compose.service": "app"}"#
        }
        return
          #"{"Id": "\#(app.name)1", "Names": ["/\#(app.name)"], "Image": "\#(app.image)", "State": "running"\#(labels ?? ""), "NetworkSettings": {"Networks": {"web": {"NetworkID": "n", "IPAddress": "10.0.0.\#(index + 2)"}}}}"#
      })
    for (index, app) in apps.enumerated() {
      let pid = Int32(20 + index)
      world.container("\(app.name)1", #""Name": "/\#(app.name)", "State": {"Pid": \#(pid)}"#)
        .listening(in: .process(pid), ("0.0.0.0", app.port))
    }
    return world
  }

  @Test func theOnlyOneThatListensOnTheRoutesPortIsMeant() async throws {
    let found = try await look(
      "name.holders",
      world(
        App(name: "shop-app-1", image: "team/shop", port: 4000, project: "shop"),
        App(name: "blog-app-1", image: "team/blog", port: 3000, project: "blog")), facts)
    #expect(found.outcome == "several")
    #expect(found.facts["holders.all"] == "blog-app-1, shop-app-1")
    #expect(found.facts["holders.right"] == "blog-app-1")
  }

  @Test func whereNoneListensThereNobodyCanSayWhichIsMeant() async throws {
    let found = try await look(
      "name.holders",
      world(App(name: "shop", image: "team/shop", port: 4000), App(name: "blog", image: "team/blog", port: 5000)), facts
    )
    #expect(found.outcome == "several")
    #expect(found.facts["holders.right"] == nil)
  }

  @Test func replicasOfOneAppAreOneApp() async throws {
    let byImage = world(
      App(name: "web-1", image: "team/web", port: 4000), App(name: "web-2", image: "team/web", port: 3000))
    #expect(try await look("name.holders", byImage, facts).outcome == "one")
    let byService = world(
      App(name: "web-1", image: "team/web:1", port: 4000, project: "shop"),
      App(name: "web-2", image: "team/web:2", port: 3000, project: "shop"))
    #expect(try await look("name.holders", byService, facts).outcome == "one")
  }

  @Test func appsThatAllListenThereAreNoFaultOfTheName() async throws {
    let world = world(App(name: "old", image: "a", port: 3000), App(name: "new", image: "b", port: 3000))
    #expect(try await look("name.holders", world, facts).outcome == "one")
  }

  @Test func whatCannotBeSeenIsUnknown() async throws {
    let world = Sandbox().with(DockerGet(path: "/containers/json?all=1"), unseen: .notPermitted(what: "Docker"))
    #expect(try await look("name.holders", world, facts).outcome == "unknown")
  }
}

/// A name that no container has: it may be that of a service that runs none.
@Suite struct SwarmServiceTests {
  private let facts: Facts = [
    "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.host": "shop", "upstream.port": "3000",
  ]
  private let world = Sandbox().containers(#"{"Id": "edge1", "Names": ["/edge"], "State": "running"}"#)

  private func services(_ replicas: Int) -> String {
    #"[{"Spec": {"Name": "shop", "Mode": {"Replicated": {"Replicas": \#(replicas)}}}}, {"Spec": {"Name": "log", "Mode": {"Global": {}}}}]"#
  }

  @Test func aServiceWithoutContainersIsNamed() async throws {
    let found = try await look("upstream.find", world.docker("/services", services(0)), facts)
    #expect(found.outcome == "scaled")
    #expect(found.facts["swarm.service"] == "shop")
  }

  @Test func aServiceWithContainersAndAnEngineWithoutSwarmAreNot() async throws {
    #expect(try await look("upstream.find", world.docker("/services", services(2)), facts).outcome == "nameless")
    let none = world.docker("/services", #"{"message": "This node is not a swarm manager."}"#, status: 503)
    #expect(try await look("upstream.find", none, facts).outcome == "nameless")
  }
}
