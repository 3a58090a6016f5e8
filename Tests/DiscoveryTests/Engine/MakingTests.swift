import Fixture
import Model
import Testing
import World

@testable import Discovery

@Suite struct MakingTests {
  private static let settings = [
    "Image": #""example/shop:2""#, "Hostname": #""cafe0123""#, "Cmd": #"["serve"]"#, "Entrypoint": #"["/start"]"#,
    "Env": #"["PATH=/bin", "TOKEN=hunter2"]"#, "Labels": #"{"maintainer": "somebody"}"#,
  ]
  private static let host = [
    "NetworkMode": #""web""#, "AutoRemove": "false", "MaskedPaths": #"["/proc/kcore"]"#,
    "ReadonlyPaths": #"["/proc/sys"]"#, "ShmSize": "67108864", "IpcMode": #""private""#, "Runtime": #""runc""#,
    "ConsoleSize": "[0, 0]", "LogConfig": #"{"Type": "json-file", "Config": {}}"#, "CgroupnsMode": #""private""#,
    "RestartPolicy": #"{"Name": "no", "MaximumRetryCount": 0}"#,
  ]

  /// A container that `docker run` made, with these members in the place of its own or beside them.
  private static func container(
    host: [String: String] = [:], config: [String: String] = [:], mounts: String = "[]",
    networks: String = #"{"web": {"IPAMConfig": null}}"#
  ) -> String {
    func object(_ members: [String: String], _ others: [String: String]) -> String {
      let all = members.merging(others) { $1 }.map { "\"\($0.key)\": \($0.value)" }
      return "{\(all.sorted().joined(separator: ", "))}"
    }
    return """
      "Name": "/shop", "Image": "sha256:abc", "State": {"Status": "running", "Pid": 42}, "Mounts": \(mounts),
      "HostConfig": \(object(self.host, host)), "Config": \(object(settings, config)),
      "NetworkSettings": {"Networks": \(networks)}
      """
  }

  private static let image = """
    {"Id": "sha256:abc", "RepoTags": ["example/shop:2"], "Config": {"Cmd": ["serve"], "Entrypoint": ["/start"],
      "Labels": {"maintainer": "somebody"}, "ExposedPorts": {"3000/tcp": {}}}}
    """
  private static let id = "cafe0123456789"

  private func words(
    _ members: String, image: String = image, others: String..., change: (Making) -> Making? = { $0 }
  ) async -> String? {
    let world = Sandbox().container(Self.id, members).docker("/images/sha256:abc/json", image)
      .containers([#"{"Id": "\#(Self.id)", "Names": ["/shop"]}"#] + others)
    guard let making = await world.making(of: Self.id).flatMap(change) else { return nil }
    let facts: Facts = making.facts("new", of: "app")
    return try? Template("{new.create-words}").shell(facts)
  }

  @Test func isAsShortAsItsImageLetsItBe() async {
    #expect(await words(Self.container()) == "--network web example/shop:2")
  }

  @Test func hasAnOptionForEachSetting() async throws {
    let made = try #require(
      await words(
        Self.container(
          host: [
            "PortBindings":
              #"{"3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "53/udp": [{"HostIp": "", "HostPort": "53"}]}"#,
            "Memory": "104857600", "ExtraHosts": #"["db:10.0.0.9"]"#, "CapAdd": #"["NET_ADMIN"]"#, "Init": "true",
            "Ulimits": #"[{"Name": "nofile", "Soft": 48, "Hard": 64}]"#, "Tmpfs": #"{"/cache": "size=1m"}"#,
            "Sysctls": #"{"net.core.somaxconn": "512"}"#, "NanoCpus": "1500000000",
            "Devices":
              #"[{"PathOnHost": "/dev/dri", "PathInContainer": "/dev/dri", "CgroupPermissions": "rwm"}]"#,
          ],
          config: [
            "User": #""1000""#,
            "Healthcheck": #"{"Test": ["CMD-SHELL", "curl -f http://localhost || exit 1"], "Interval": 5000000000}"#,
          ],
          mounts: #"""
            [{"Type": "bind", "Source": "/srv/shop", "Destination": "/data", "Mode": "ro", "RW": false,
              "Propagation": "rprivate"},
             {"Type": "volume", "Name": "shop-db", "Destination": "/db", "Mode": "z", "RW": true}]
            """#)))
    let options = [
      "--publish 127.0.0.1:8080:3000", "--publish 53:53/udp", "--memory 104857600", "--add-host db:10.0.0.9",
      "--ulimit 'nofile=48:64'", "--sysctl 'net.core.somaxconn=512'", "--tmpfs '/cache:size=1m'", "--init",
      "--cpus 1.500", "--device /dev/dri:/dev/dri:rwm", "--cap-add NET_ADMIN", "--user 1000",
      "--health-cmd 'curl -f http://localhost || exit 1'", "--health-interval 5000000000ns",
      "--volume /srv/shop:/data:ro", "--volume shop-db:/db",
    ]
    #expect(options.filter { !made.contains($0) } == [])
    #expect(made.hasSuffix(" example/shop:2"))
    #expect(!made.contains("hunter2"), "the environment is handed over unseen")
  }

  @Test(arguments: [
    ("AutoRemove", "true"), ("SecurityOpt", #"["seccomp={\"defaultAction\":\"x\"}"]"#), ("Links", #"["/db:/db"]"#),
    ("DeviceRequests", #"[{"Driver": "nvidia"}]"#), ("SomethingNew", #""on""#), ("MaskedPaths", "[]"),
  ])
  func isNotToldWhereASettingWouldBeLost(_ name: String, _ value: String) async {
    #expect(await words(Self.container(host: [name: value])) == nil)
  }

  @Test(arguments: [
    ("Labels", #"{"com.docker.compose.project": "shop"}"#), ("Labels", #"{"net.unraid.docker.managed": "dockerman"}"#),
    ("Env", #"["KEY=first\nsecond"]"#), ("Cmd", #"["serve", "--password", "hunter2"]"#), ("Entrypoint", "[]"),
    ("Healthcheck", #"{"Test": ["CMD", "curl", "localhost"]}"#),
  ])
  func isNotToldOfWhatIsAnothersOrSecret(_ name: String, _ value: String) async {
    #expect(await words(Self.container(config: [name: value])) == nil)
  }

  @Test func keepsItsImageWhereTheTagHasMovedOn() async {
    let moved = Self.image.replacing(#"["example/shop:2"]"#, with: "[]")
    #expect(await words(Self.container(), image: moved) == "--network web sha256:abc")
  }

  @Test func staysWhereOthersLiveInItsNetwork() async {
    let guest = #"{"Id": "b", "Names": ["/guest"], "HostConfig": {"NetworkMode": "container:\#(Self.id)"}}"#
    #expect(await words(Self.container(), others: guest) == nil)
  }

  @Test func joinsItsOtherNetworksAfterwards() async throws {
    let world = Sandbox().container(
      Self.id, Self.container(networks: #"{"web": {}, "db": {}, "apps": {}}"#)
    ).docker("/images/sha256:abc/json", Self.image).containers(#"{"Id": "\#(Self.id)"}"#)
    let facts = try #require(await world.making(of: Self.id)).facts("new", of: "app")
    #expect(try Template("{app.join-words}").shell(facts) == "apps db")
    #expect(facts["app.old-name"] == "shop-old-cafe01")
  }

  @Test func changesOneThing() async {
    let labelled = Self.container(
      host: ["PortBindings": #"{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}"#],
      config: ["Cmd": #"["serve", "--host", "127.0.0.1"]"#, "Labels": #"{"a.b": "1", "c": "2"}"#])
    #expect(
      await words(labelled) { $0.labelled("a.b", nil).labelled("c", "3") }
        == "--network web --publish 8080:80 --label 'c=3' example/shop:2 serve --host 127.0.0.1")
    #expect(await words(labelled) { $0.replacing("127.0.0.1", with: "0.0.0.0") }?.hasSuffix("--host 0.0.0.0") == true)
    #expect(await words(labelled) { $0.replacing("localhost", with: "0.0.0.0") } == nil)
    #expect(await words(labelled) { $0.publishing(80, instead: 3000) }?.contains("--publish 8080:3000 ") == true)
    #expect(await words(labelled) { $0.unchecked }?.contains("--no-healthcheck") == true)
  }
}
