import Checks
import Fixture
import Model
import Testing
import World

/// The checks that only a checkup makes.
@Suite struct CheckupChecksTests {
  // MARK: Restarts

  @Test(arguments: [
    (#""HostConfig": {"RestartPolicy": {"Name": "no"}}"#, "never", "no"),
    (#""HostConfig": {"RestartPolicy": {"Name": ""}}"#, "never", "no"),
    (#""HostConfig": {"RestartPolicy": {"Name": "on-failure"}}"#, "never", "on-failure"),
    (#""HostConfig": {"RestartPolicy": {"Name": "always"}}"#, "restarts", nil),
    (#""HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}}"#, "restarts", nil),
    (#""HostConfig": {"RestartPolicy": {"Name": "no"}, "AutoRemove": true}"#, "restarts", nil),
    (
      #""HostConfig": {"RestartPolicy": {"Name": ""}}, "Config": {"Labels": {"PODMAN_SYSTEMD_UNIT": "shop.service"}}"#,
      "restarts", nil
    ),
    (#""HostConfig": {}"#, "unknown", nil),
  ])
  func aPolicyIsARestartOrNone(members: String, outcome: String, policy: String?) async throws {
    let world = Sandbox().container("app1", "\"Name\": \"/shop\", " + members)
    let own = try await look("container.restart", world, ["upstream.id": "app1"])
    #expect((own.outcome, own.facts["restart.policy"]) == (outcome, policy))
    let proxy = try await look("proxy.restart", world, ["proxy.id": "app1"])
    #expect((proxy.outcome, proxy.facts["proxy-restart.policy"]) == (outcome, policy))
  }

  private static let labels = """
    "Config": {"Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "app", \
    "com.docker.compose.project.config_files": "/srv/compose.yml"}}
    """

  @Test(arguments: [
    ("services:\n  app:\n    image: shop\n", "  app:", "  app:\n    restart: unless-stopped"),
    ("services:\n  app:\n    image: shop\n    restart: \"no\"\n", "    restart: \"no\"", "    restart: unless-stopped"),
    ("services:\n  app: {image: shop}\n", nil, nil),
  ])
  func theComposeFilesLine(text: String, old: String?, new: String?) async throws {
    let world = Sandbox(files: ["/srv/compose.yml": text]).container(
      "app1", #""HostConfig": {"RestartPolicy": {"Name": "no"}}, "# + Self.labels)
    let found = try await look("container.restart", world, ["upstream.id": "app1"])
    #expect((found.facts["restart-line.text"], found.facts["restart-line.with"]) == (old, new))
  }

  // MARK: Addresses

  private func network(_ more: String = "") -> String {
    #""NetworkSettings": {"Networks": {"web": {"NetworkID": "n1", "IPAddress": "172.20.0.5"\#(more)}}}"#
  }

  @Test(
    arguments: [
      (["upstream.host": "172.20.0.5"], "", "written"),
      (["upstream.host": "172.20.0.5"], #", "IPAMConfig": {"IPv4Address": "172.20.0.5"}"#, "lasting"),
      (["upstream.host": "172.20.0.5", "source.kind": "docker-gen"], "", "lasting"),
      (["upstream.host": "172.20.0.5", "route.container": "app1"], "", "lasting"),
      (["upstream.host": "10.0.0.1", "upstream.published": "yes"], "", "lasting"),
      (["upstream.host": "shop", "route.resolves": "start"], "", "kept"),
      (
        ["upstream.host": "shop", "route.resolves": "start"], #", "IPAMConfig": {"IPv4Address": "172.20.0.5"}"#,
        "lasting"
      ),
      (["upstream.host": "shop", "route.resolves": "each-request"], "", "lasting"),
    ] as [(Facts, String, String)])
  func anAddressLastsOrNot(facts: Facts, more: String, outcome: String) async throws {
    let world = Sandbox().container("app1", network(more))
    #expect(try await look("address.lasting", world, facts.merging(["upstream.id": "app1"])).outcome == outcome)
  }

  // MARK: Networks

  @Test(arguments: [
    ("services:\n  app:\n    image: shop\n", "joined"),
    ("services:\n  app:\n    networks: [front]\nnetworks:\n  front:\n    name: web\n    external: true\n", "lasting"),
    ("services:\n  app:\n    networks: [web]\nnetworks:\n  web:\n    external: true\n", "lasting"),
    ("services:\n  app:\n    networks:\n      web:\nnetworks:\n  web: {}\n", "joined"),
  ])
  func aNetworkIsInTheComposeFileOrNot(text: String, outcome: String) async throws {
    let world = Sandbox(files: ["/srv/compose.yml": text])
      .container("app1", "\"Name\": \"/shop\", \(network()), \(Self.labels)").container("edge1", network())
    let facts: Facts = ["upstream.id": "app1", "proxy.id": "edge1", "network.common": "web"]
    let found = try await look("network.lasting", world, facts)
    #expect(found.outcome == outcome)
    #expect(found.facts["network.joiner"] == (outcome == "joined" ? "shop" : nil))
  }

  @Test func aComposeFileThatIsNotThereIsNotSeen() async throws {
    let world = Sandbox().container("app1", "\(network()), \(Self.labels)").container("edge1", network())
    let facts: Facts = ["upstream.id": "app1", "proxy.id": "edge1", "network.common": "web"]
    #expect(try await look("network.lasting", world, facts).outcome == "unknown")
  }

  // MARK: Memory and disks

  private static let events =
    "/events?filters=%7B%22container%22%3A%5B%22app1%22%5D%2C%22event%22%3A%5B%22die%22%2C%22oom%22%2C%22update%22%5D%7D"

  @Test(arguments: [
    ("low 0\noom 1\noom_kill 3\n", "", "hit", "3"), ("oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", "", "never", nil),
    ("oom_kill 0\n", #"{"Action": "oom", "time": 5}"#, "hit", nil),
    ("oom_kill 0\n", #"{"Action": "oom", "time": 5}\#n{"Action": "update", "time": 6}"#, "never", nil),
  ])
  func memoryThatWasNotEnough(counter: String, events: String, outcome: String, kills: String?) async throws {
    let world = Sandbox().container("app1", #""State": {"Pid": 9}, "HostConfig": {"Memory": 67108864}"#)
      .docker(Self.events, events).file("/sys/fs/cgroup/memory.events", counter, in: .process(9))
    let found = try await look("memory.past", world, ["upstream.id": "app1"])
    #expect((found.outcome, found.facts["memory.kills"]) == (outcome, kills))
    let asked: Facts = ["upstream.id": "app1", "drop.when": "in-body", "site.asked": "60"]
    #expect(try await look("memory.hit", world, asked).outcome == outcome)
  }

  @Test func memoryWithoutALimitOrWithoutACounter() async throws {
    let free = Sandbox().container("app1", #""State": {"Pid": 9}, "HostConfig": {"Memory": 0}"#)
    #expect(try await look("memory.past", free, ["upstream.id": "app1"]).outcome == "unlimited")
    let blind = Sandbox().container("app1", #""State": {"Pid": 9}, "HostConfig": {"Memory": 1}"#)
      .docker(Self.events, "")
    #expect(try await look("memory.past", blind, ["upstream.id": "app1"]).outcome == "unknown")
  }

  @Test(arguments: [
    (100 << 20, 20 << 20, 0, 0, "enough"), (100 << 20, 9 << 20, 0, 0, "little"), (1 << 42, 1 << 38, 0, 0, "enough"),
    (100 << 20, 50 << 20, 1000, 99, "inodes"), (Int.max, Int.min, 0, 0, "little"), (0, 0, 0, 0, "enough"),
  ])
  func aDisk(size: Int, free: Int, files: Int, freeFiles: Int, outcome: String) async throws {
    let place = Place.process(9)
    let world = Sandbox(files: ["/proc/9/mounts": "none /data ext4 rw,relatime 0 0\nnone /old ext4 ro 0 0\n"])
      .with(FileSystem(path: "/data", place: place), .init(size: size, free: free, files: files, freeFiles: freeFiles))
      .with(FileSystem(path: "/old", place: place), .init(size: 100, free: 0, files: 0, freeFiles: 0))
    let found = try await look("disk.space", world, ["upstream.place": "container", "upstream.pid": "9"])
    #expect(found.outcome == outcome)
    #expect(found.facts["resource.path"] == (outcome == "enough" ? nil : "/data"))
  }

  // MARK: Logs

  /// 2026-11-30, 12:00.
  private let now = 1_796_040_000.0

  @Test(arguments: [
    ("2026/11/29", "late"), ("2026/11/12", "silent"), ("2025/11/29", "silent"),
  ])
  func answersThatTookTooLong(day: String, outcome: String) async throws {
    let line =
      "\(day) 14:00:00 [error] 29#29: *1 upstream timed out (110: Connection timed out) while reading response header "
      + "from upstream, client: 10.0.0.1, server: shop, request: \"GET / HTTP/1.1\", "
      + "upstream: \"http://10.0.0.2:80/\", host: \"shop.example.org\"\n"
    let world = Sandbox(now: now).container("edge1", #""Name": "/edge""#).log(of: "edge1", frame(line))
    let facts: Facts = [
      "route.defined-in": "/etc/nginx/a.conf:3", "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7",
      "proxy.kind": "nginx", "route.log-keys": "host: \"shop.example.org", "route.read-timeout": "30",
    ]
    let found = try await look("proxy.week", world, facts, signs: realSigns())
    #expect(found.outcome == outcome)
    #expect(found.facts["week.room"] == (outcome == "late" ? "60" : nil))
    let other = try await look(
      "proxy.week", world, facts.merging(["route.log-keys": "host: \"wiki.example.org"]), signs: realSigns())
    #expect(other.outcome == "silent")
  }

  @Test(arguments: [
    ("WARNING: [pool www] server reached pm.max_children setting (5), consider raising it\n", "full"),
    ("[29-Nov-2026 10:00:00] WARNING: [pool www] server reached pm.max_children setting (5)\n", "full"),
    ("2026-10-01 10:00:00 FATAL: sorry, too many clients already\n", "silent"), ("ready\n", "silent"),
  ])
  func aPoolThatWasFull(line: String, outcome: String) async throws {
    let world = Sandbox(now: now).container("app1", #""Name": "/shop""#).log(of: "app1", frame(line))
    #expect(try await look("app.week", world, ["upstream.id": "app1"], signs: realSigns()).outcome == outcome)
  }
}
