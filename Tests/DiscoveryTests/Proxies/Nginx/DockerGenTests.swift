import Fixture
import Model
import Testing
import World

@testable import Discovery
import Routes

/// nginx-proxy's file has no place for an app that is new, or does not run: then the containers tell.
@Suite struct DockerGenTests {
  private func outcome(_ change: (Sandbox) -> Void) async throws -> Reading.Outcome {
    let world = Sandbox().container("edge1", #""Name": "/edge""#)
      .file(
        "/etc/nginx/nginx.conf",
        "# nginx-proxy version : 1.7.0\nevents {}\nhttp {\nserver { listen 80 default_server; return 503; }\n}\n",
        in: .process(7)
      )
      .containers(#"{"Id": "app1", "Names": ["/shop"], "State": "running"}"#)
    change(world)
    return try await RouteReading.read(
      .init(site: try #require(Site("http://shop.example.org/")), port: 80), kind: "nginx",
      at: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false), in: world, Signs()
    ).outcome
  }

  @Test func aContainerThatWantsTheName() async throws {
    let found = try await outcome {
      $0.container(
        "app1",
        #""Name": "/shop", "State": {"Status": "running", "Pid": 9}, "Config": {"Env": ["VIRTUAL_HOST=shop.example.org"]}"#
      )
    }
    #expect(found == .found)
    let other = try await outcome {
      $0.container("app1", #""Name": "/shop", "Config": {"Env": ["VIRTUAL_HOST=mail.example.org"]}"#)
    }
    #expect(other == .default)
  }

  /// One that has been removed meanwhile wants nothing; one that could not be looked at may want it.
  @Test func aContainerThatWasNotSeen() async throws {
    #expect(try await outcome { $0.docker("/containers/app1/json", "{}", status: 404) } == .default)
    await #expect(throws: Unseen.self) {
      try await outcome { $0.with(DockerGet(path: "/containers/app1/json"), unseen: .noAnswer(seconds: 1)) }
    }
    await #expect(throws: Unseen.self) {
      try await outcome { $0.with(DockerGet(path: "/containers/json?all=1"), unseen: .noAnswer(seconds: 1)) }
    }
  }
}
