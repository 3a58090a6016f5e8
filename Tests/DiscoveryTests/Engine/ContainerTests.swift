@testable import Discovery
import Fixture
import Model
import Testing
import World

@Suite struct ContainerTests {
  /// As engine 20.10 has it: addresses at the top level too, no `DNSNames`.
  private let old = #"""
    "Name": "/shop", "RestartCount": 0,
    "State": {"Status": "running", "Running": true, "Pid": 812, "ExitCode": 0, "Error": "", "OOMKilled": false,
      "StartedAt": "1970-01-02T00:00:00.25Z", "FinishedAt": "0001-01-01T00:00:00Z"},
    "HostConfig": {"NetworkMode": "web", "Memory": 0, "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}],
      "53/udp": [{"HostIp": "", "HostPort": "53"}], "9000/tcp": null, "9001/tcp": [{"HostIp": "", "HostPort": ""}]}},
    "Config": {"Image": "shop:1", "Hostname": "abc", "Labels": null, "Tty": false},
    "NetworkSettings": {"IPAddress": "", "Bridge": "", "Networks": {"web": {"NetworkID": "n1", "IPAddress": "172.20.0.3",
      "GlobalIPv6Address": "", "Gateway": "172.20.0.1", "Aliases": ["shop", "abc"]}}},
    "Mounts": [{"Type": "bind", "Source": "/srv/shop", "Destination": "/data", "RW": true},
      {"Type": "bind", "Source": "/srv/special", "Destination": "/data/special"}, {"Type": "tmpfs", "Destination": "/tmp"}]
    """#

  @Test func engine2010() async throws {
    let shop = try await Sandbox().container("a1", old).container("a1")
    #expect(shop.name == "shop")
    #expect(shop.pid == 812)
    #expect(shop.started == 86_400.25)
    #expect(shop.finished == nil)
    #expect(shop.networks["web"]?.addresses == ["172.20.0.3"])
    #expect(shop.networks["web"]?.names == ["shop", "abc"])
    #expect(!shop.usesHostNetwork)
  }

  @Test func publishedPortsAsWantedTCPOnlyAndOnlyThoseWithAPortOfTheHost() async throws {
    let shop = try await Sandbox().container("a1", old).container("a1")
    #expect(shop.bindings == [PublishedPort(hostAddress: "127.0.0.1", hostPort: 18080, inside: 8080)])
  }

  /// A path inside is the host's path by the deepest mount; a folder's name that only begins the same is none
  @Test func aPathInsideIsTheHostsPathByTheDeepestMount() async throws {
    let shop = try await Sandbox().container("a1", old).container("a1")
    #expect(shop.hostPath(of: "/data/conf/a") == "/srv/shop/conf/a")
    #expect(shop.hostPath(of: "/data") == "/srv/shop")
    #expect(shop.hostPath(of: "/data/special/a") == "/srv/special/a")
    #expect(shop.hostPath(of: "/data2/a") == nil)
    #expect(shop.hostPath(of: "/tmp/a") == nil)
  }

  @Test func aNewerEngineLeavesFieldsOutAndAddsOthers() async throws {
    let shop = try await Sandbox().container(
      "0123456789abcdef",
      #""State": {"Status": "exited", "Pid": 0, "Health": null}, "ImageManifestDescriptor": {"digest": "x"}, "NetworkSettings": {"Networks": {"web": {"DNSNames": ["shop"], "GwPriority": 0}}}"#
    ).container("0123456789abcdef")
    #expect(shop.name == "0123456789ab")
    #expect(shop.pid == nil)
    #expect(shop.networks["web"]?.names == ["shop"])
    #expect(shop.networks["web"]?.addresses == [])
    #expect(shop.bindings.isEmpty)
    #expect(shop.hostPath(of: "/data") == nil)
  }

  @Test func theListOfContainersInBothShapes() async throws {
    let world = Sandbox().containers(
      #"{"Id": "a1", "Names": ["/shop", "/edge/alias"], "Image": "registry.lan:5000/team/shop:1.2@sha256:ab", "State": "paused", "Labels": {"com.docker.compose.service": "web", "com.docker.compose.project": "shop"}, "Ports": [{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp", "IP": "::"}], "HostConfig": {"NetworkMode": "host"}}"#,
      #"{"Id": "0123456789abcdef", "Names": null, "Ports": null, "NetworkSettings": null}"#)
    let list = try await world.containers()
    #expect(list.map(\.name) == ["shop", "0123456789ab"])
    #expect(list.map(\.isRunning) == [true, false])
    #expect(list[0].image == "team/shop")
    #expect(list[0].service == "web")
    #expect(list[0].project == "shop")
    #expect(list[0].usesHostNetwork)
    #expect(list[1].image.isEmpty && list[1].addresses.isEmpty)
  }

  @Test(arguments: [
    ("nginx", "nginx"), ("nginx:1.27-alpine", "nginx"), ("docker.io/library/nginx", "library/nginx"),
    ("localhost/nginx:1", "nginx"), ("localhost:5000/nginx", "nginx"),
    ("jc21/nginx-proxy-manager:2", "jc21/nginx-proxy-manager"),
    ("nginx@sha256:0123", "nginx"), ("", ""),
  ])
  func anImagesNameWithoutRegistryAndTag(text: String, expected: String) { #expect(text.withoutTag == expected) }

  @Test func jsonThatIsNoneOrLacksTheIdIsUnreadable() async throws {
    for body in ["", "{", "[]", #"{"Name": "/shop"}"#] {
      await #expect { try await Sandbox().docker("/containers/a1/json", body).container("a1") } throws: { error in
        guard case Unseen.unreadable(let what, _) = error else { return false }
        return what == "Docker's /containers/a1/json"
      }
    }
  }

  @Test(arguments: [
    ("1970-01-02T00:00:00Z", 86_400.0), ("1970-01-01T00:00:01.500000000Z", 1.5), ("0001-01-01T00:00:00Z", nil),
    ("1970-01-02T01:00:00.25+01:00", 86_400.25), ("1970-01-01T23:00:00-01:00", 86_400), ("x", nil), ("", nil),
  ])
  func aTimeIsReadWithItsFractionYear1IsNever(text: String, expected: Double?) {
    #expect(secondsSince1970(text) == expected)
  }
}

@Suite struct LogTests {
  private func lines(_ bytes: [UInt8], tty: Bool = false) async throws -> [String] {
    let world = Sandbox().container("a1", "\"Config\": {\"Tty\": \(tty)}").log(of: "a1", bytes)
    return try await world.log(of: try await world.container("a1"))
  }

  @Test func framesOfBothStreamsInOrderALineMayBeSplitOverTwoOfThem() async throws {
    let bytes = frame("one\ntw", stream: 1) + frame("o\r\n", stream: 1) + frame("three\n")
    #expect(try await lines(bytes) == ["one", "two", "three"])
  }

  @Test func onlyWhatWasWrittenFromATimeOnWhateverElseWasKeptOfTheLog() async throws {
    let bytes = ["1970-01-01T00:00:09.9Z", "1970-01-01T00:00:10.2Z", "1970-01-01T01:00:11+01:00"].flatMap { time in
      frame("at \(time)\n", at: time)
    }
    let world = Sandbox().container("a1", "\"Config\": {}").log(of: "a1", bytes)
    let container = try await world.container("a1")
    #expect(
      try await world.log(of: container, since: 10.5).map { $0.prefix(22) } == [
        "at 1970-01-01T00:00:10", "at 1970-01-01T01:00:11",
      ])
    #expect(try await world.log(of: container, lines: 1) == ["at 1970-01-01T01:00:11+01:00"])
  }

  @Test func aFrameThatIsCutGivesWhatThereIsAHeaderThatIsCutEndsIt() async throws {
    #expect(try await lines(Array((frame("one\n") + frame("two and more\n")).dropLast(5))) == ["one", "two and "])
    #expect(try await lines(frame("one\n") + [2, 0, 0]) == ["one"])
    #expect(try await lines([]) == [])
  }

  @Test func aLengthBeyondTheEndDoesNotReadPastIt() async throws {
    #expect(try await lines([1, 0, 0, 0, 255, 255, 255, 255] + Array("rest".utf8)) == ["rest"])
  }

  @Test func withATerminalThereAreNoFrames() async throws {
    #expect(try await lines(Array("one\r\ntwo\r\n".utf8), tty: true) == ["one", "two"])
    let stamped = "2100-01-01T00:00:00Z one\r\n2100-01-01T00:00:00Z two\r\n"
    #expect(try await lines(Array(stamped.utf8), tty: true) == ["one", "two"])
  }

  @Test func bytesThatAreNoUTF8DoNotLoseTheLine() async throws {
    let broken: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 3, 0x61, 0xFF, 0x62]
    #expect(try await lines(broken) == ["a\u{FFFD}b"])
  }
}

@Suite struct NameTests {
  @Test(arguments: [
    ("shp", ["shop", "wiki"], "shop"), ("shop", ["shop", "wiki"], nil),
    ("db", ["web", "shop"], nil), ("wikki", ["wiki", "shop"], "wiki"), ("shop", [], nil),
    ("app_web_1", ["app-web-1", "app-web-2"], "app-web-1"),
  ])
  func theMostSimilarName(name: String, names: [String], expected: String?) {
    #expect(name.nearest(among: names) == expected)
  }

  @Test func itDoesNotDependOnTheOrderOfTheNames() {
    #expect("shap".nearest(among: ["ship", "shop"]) == "ship")
    #expect("shap".nearest(among: ["shop", "ship"]) == "ship")
  }
}
