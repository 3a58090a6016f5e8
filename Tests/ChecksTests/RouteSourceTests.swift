import Fixture
import LogLines
import Model
import Testing
import World

@testable import Checks

@Suite struct RouteSourceTests {
  private let facts: Facts = [
    "site.asked": "1000.5", "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "proxy.kind": "traefik",
    "source.kind": "docker-api", "source.endpoint": "unix:///var/run/docker.sock", "source.version": "3",
  ]
  private let socket = "/var/run/docker.sock"

  private func complaint(_ reason: String) -> String {
    "2026-11-29T11:50:20Z ERR Provider error, retrying in 4.4s error=\"\(reason)\" providerName=docker\n"
  }

  /// A Traefik that Compose made, what it wrote, and how a connection to its socket ends.
  private func world(
    _ outcome: UnixConnect.Sight.Outcome?, _ lines: String..., obstacle: UnixConnect.Obstacle? = nil
  ) -> Sandbox {
    let labels =
      #""com.docker.compose.project": "edge", "com.docker.compose.service": "traefik", "com.docker.compose.project.config_files": "/srv/edge/compose.yml""#
    let world = Sandbox()
      .container("edge1", #""Name": "/edge", "State": {"Pid": 7}, "Config": {"Labels": {\#(labels)}}"#)
      .file(
        "/srv/edge/compose.yml",
        "services:\n  traefik:\n    image: traefik:v3.1\n    volumes:\n      - ./acme:/acme\n  other: {}\n"
      )
      .log(of: "edge1", lines.flatMap { frame($0) })
    guard let outcome else { return world }
    return world.with(
      UnixConnect(path: socket, place: .process(7), user: 7),
      .init(outcome: outcome, errno: 0, isAsUser: true, obstacle: obstacle))
  }

  private func found(_ world: Sandbox, _ more: Facts = [:]) async throws -> Finding {
    try await look("route.source", world, facts.merging(more), signs: realSigns())
  }

  @Test func aSocketThatTakesConnectionsAndNoComplaint() async throws {
    #expect(try await found(world(.accepted)).outcome == "fine")
    #expect(
      try await found(world(.accepted, "2026-11-29T11:50:20Z INF Starting provider *docker.Provider\n")).outcome
        == "fine")
  }

  @Test func whatNobodyCanSeeIsUnknown() async throws {
    let unseen = Sandbox().with(
      UnixConnect(path: socket, place: .process(7), user: 7), unseen: .notPermitted(what: socket))
    #expect(try await found(unseen).outcome == "unknown")
  }

  @Test func withoutALogTheConnectionAloneTells() async throws {
    let world = Sandbox().with(
      UnixConnect(path: socket, place: .process(7), user: 7), .init(outcome: .accepted, errno: 0, isAsUser: true))
    #expect(try await found(world).outcome == "open")
  }

  @Test func aSocketThatIsNotMountedGetsALineAmongTheVolumes() async throws {
    let reason = "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct"
    let world = world(.missing, complaint(reason)).with(
      UnixConnect(path: socket, place: .host), .init(outcome: .accepted, errno: 0, isAsUser: false))
    let found = try await found(world)
    #expect(found.outcome == "missing")
    #expect(found.facts["source.fault"] == "missing")
    #expect(found.facts["source.reason"] == reason)
    #expect(found.facts["source.outside"] == socket)
    #expect(found.facts["source-line.text"] == "    volumes:")
    #expect(
      found.facts["source-line.with"] == "    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock:ro")
    #expect(found.facts["source.service"] == "traefik")
  }

  @Test func aSocketThatDoesNotLetItInGetsItsGroup() async throws {
    let mine = try await found(
      world(.denied, obstacle: .init(path: socket, owner: 0, group: 998, mode: 0o660)))
    #expect(mine.outcome == "denied")
    #expect(mine.facts["source.group"] == "998")
    #expect(mine.facts["source-line.with"] == "  traefik:\n    group_add:\n      - \"998\"")
    let roots = try await found(world(.denied, obstacle: .init(path: socket, owner: 0, group: 0, mode: 0o600)))
    #expect(roots.outcome == "denied")
    #expect(roots.facts["source.group"] == nil)
  }

  @Test func theEnginesOwnWordsComeBeforeAnOpenSocket() async throws {
    let old = try await found(
      world(
        .accepted,
        complaint("Error response from daemon: client version 1.24 is too old. Minimum supported API version is 1.44")))
    #expect(old.outcome == "too-old")
    #expect(old.facts["source-line.head"] == "    image: traefik:")
    #expect(
      try await found(world(.accepted, complaint("Error response from daemon: Forbidden"))).outcome == "forbidden")
    #expect(try await found(world(.accepted, complaint("unexpected EOF"))).outcome == "failing")
  }

  @Test func aSocketProxyThatDoesNotRunIsNamed() async throws {
    let world = world(nil, complaint("lookup guard on 127.0.0.11:53: no such host"))
      .containers(#"{"Id": "guard1", "Names": ["/guard"], "State": "exited"}"#, #"{"Id": "edge1", "Names": ["/edge"]}"#)
      .container("guard1", #""Name": "/guard", "State": {"Status": "exited", "Pid": 0}"#)
    let found = try await found(world, ["source.endpoint": "tcp://guard:2375"])
    #expect(found.outcome == "stopped")
    #expect(found.facts["source.container"] == "guard")
    #expect(found.facts["source.status"] == "exited")
  }

  @Test func whatWritesTheFilesDoesNotRun() async throws {
    let world = Sandbox()
      .containers(
        #"{"Id": "edge1", "Names": ["/edge"], "Image": "nginx:1.27"}"#,
        #"{"Id": "other", "Names": ["/other"], "Image": "nginxproxy/docker-gen:0.16"}"#,
        #"{"Id": "gen1", "Names": ["/gen"], "Image": "nginxproxy/docker-gen:0.16"}"#
      )
      .container(
        "edge1", #""Name": "/edge", "Mounts": [{"Source": "/srv/conf.d", "Destination": "/etc/nginx/conf.d"}]"#
      )
      .container("other", #""Name": "/other", "State": {"Pid": 9}"#)
      .container(
        "gen1",
        #""Name": "/gen", "State": {"Status": "exited"}, "Mounts": [{"Source": "/srv/conf.d", "Destination": "/x"}]"#)
    var given = facts.merging(["source.kind": "docker-gen", "config.runs": "other"])
    given["source.endpoint"] = nil
    let stale = try await look("route.source", world, given, signs: realSigns())
    #expect(stale.outcome == "stale")
    #expect(stale.facts["source.container"] == "gen")
    given["config.runs"] = "same"
    #expect(try await look("route.source", world, given, signs: realSigns()).outcome == "held")
  }
}
