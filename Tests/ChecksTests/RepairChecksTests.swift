import Fixture
import Model
import Testing
import World

/// What checks learn so that a page can mend what they find.
@Suite struct RepairChecksTests {
  /// `/proc/PID/stat` of a process in a state.
  private func stat(_ id: Int, _ state: String) -> String {
    "\(id) (no (de)) \(state) 1 " + (0..<20).map(String.init).joined(separator: " ")
  }

  private func queue(_ world: Sandbox) async throws -> Facts {
    try await look(
      "upstream.queue", world.listening(in: .host, ("127.0.0.1", 3000), processes: [41, 40]),
      ["upstream.place": "host", "upstream.inside-port": "3000", "upstream.port": "3000", "site.asked": "1"]
    ).facts
  }

  @Test func theProcessThatIsStoppedIsTold() async throws {
    let facts = try await queue(
      Sandbox().file("/proc/40/stat", stat(40, "S")).file("/proc/41/stat", stat(41, "T"))
        .file("/proc/41/cgroup", "0::/user.slice/user-0.slice/session-3.scope\n"))
    #expect(facts["listener.pid"] == "41")
    #expect(facts["listener.name"] == "no (de)")
    #expect(facts["listener.stopped"] == "yes")
    #expect(facts["listener.unit"] == nil)
  }

  @Test(arguments: [
    ("0::/system.slice/shop.service\n", "shop.service"),
    ("1:name=systemd:/system.slice/shop.service\n", "shop.service"),
    // A restart of this one would end all that the user runs.
    ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service\n", nil), ("", nil),
  ])
  func itsServiceIsOneOfTheMachine(cgroup: String, unit: String?) async throws {
    let facts = try await queue(Sandbox().file("/proc/40/stat", stat(40, "S")).file("/proc/40/cgroup", cgroup))
    #expect(facts["listener.pid"] == "40")
    #expect(facts["listener.stopped"] == nil)
    #expect(facts["listener.unit"] == unit)
  }

  @Test(arguments: [
    ("1000:1000", "/srv/shop/data", "/srv/shop/data"), ("", "/srv/shop/data", nil), ("node", "/srv/shop/data", nil),
    // Nobody gives these away.
    ("1000", "/etc/shop", nil), ("1000", "/var/run", nil),
  ])
  func aFolderThatTheAppMayNotUseIsGivenToItsUser(user: String, source: String, folder: String?) async throws {
    let lines =
      frame("Error: EACCES: permission denied, mkdir '/data/logos'\n") + frame("    at Object.mkdirSync (node:fs)\n")
      + frame("  code: 'EACCES',\n")
    let world = Sandbox().container(
      "app1",
      #""Name": "/shop", "RestartCount": 3, "State": {"Status": "restarting", "ExitCode": 1}, "Config": {"User": "\#(user)"},"#
        + #""Mounts": [{"Source": "\#(source)", "Destination": "/data"}]"#
    ).log(of: "app1", lines).with(FileGlob(pattern: "\(source)/."), [source])
    let facts = try await look("container.state", world, ["upstream.id": "app1"], signs: try realSigns()).facts
    #expect(facts["container.last-words"] == "Error: EACCES: permission denied, mkdir '/data/logos'")
    #expect(facts["container.last-file"] == "\(source)/logos")
    #expect(facts["container.last-folder"] == folder)
    #expect(facts["container.last-user"] == (folder == nil ? nil : user))
  }

  private let pool = "[www]\nlisten = /run/php/shop.sock\npm.max_children = 5 ; few\nrequest_terminate_timeout = 0\n"

  @Test func aPoolOfTheMachineIsFoundByWhereItListens() async throws {
    let world = Sandbox().file("/proc/7/net/unix", "").file(
      "/etc/php/fpm.conf", "[global]\ninclude = /etc/php/pool.d/*.conf\n"
    )
    .file("/etc/php/pool.d/shop.conf", pool).file("/etc/php/pool.d/blog.conf", "[blog]\nlisten = 9001\n")
    .with(
      UnixConnect(path: "/run/php/shop.sock", place: .process(7), user: 7),
      .init(outcome: .full, errno: 11, isAsUser: true))
    let fpm = ProcessSeen(
      id: 70, parent: 1, name: "php-fpm8.2", command: ["php-fpm: master process (/etc/php/fpm.conf)"], started: 1,
      sharesNetwork: true, container: nil)
    let names =
      ["php-fpm"]
      + (["5.6"] + (0...4).map { "7.\($0)" } + (0...5).map { "8.\($0)" })
      .flatMap { ["php-fpm\($0)", "php-fpm" + $0.filter { $0 != "." }] }
    world.with(Processes(names: names), [fpm])
    let facts = try await look(
      "socket.connect", world,
      [
        "upstream.socket": "/run/php/shop.sock", "proxy.place": "host", "proxy.pid": "7", "proxy.kind": "nginx",
        "route.protocol": "fastcgi",
      ]
    ).facts
    #expect(facts["pool.children"] == "5")
    #expect(facts["pool.more-children"] == "20")
    #expect(facts["pool.master"] == "70")
    #expect(facts["pool.timeout"] == nil)
    #expect(facts["pool-children-line.file"] == "/etc/php/pool.d/shop.conf")
    #expect(facts["pool-children-line.head"] == "pm.max_children = ")
    #expect(facts["pool-children-line.tail"] == " ; few")
  }

  @Test(arguments: [(200, 404, "better"), (404, 404, "same"), (200, 200, "same")])
  func theAppIsAskedWithoutThePartOfThePath(below: Int, nowhere: Int, outcome: String) async throws {
    let facts: Facts = [
      "name.address": "10.0.0.2", "upstream.port": "3000", "proxy.place": "host", "upstream.scheme": "http",
      "site.path": "/app/x", "site.host": "shop.example.org", "upstream.status": "404", "route.prefix": "/app",
    ]
    let world = Sandbox()
    for (path, status) in [("/x", below), ("/wizard502-no-such-page", nowhere)] {
      world.with(
        HTTPRequest(url: "http://shop.example.org\(path)", address: "10.0.0.2", port: 3000, limit: 8),
        .init(status: status))
    }
    let found = try await look("path.below", world, facts)
    #expect(found.outcome == outcome)
    #expect(found.facts["below.status"] == "\(below)")
  }

  @Test func aPortIsNotPublishedWhereNothingLeadsIn() async throws {
    func outcome(_ isInternal: Bool) async throws -> String {
      let binding = #"{"8080/tcp": [{"HostIp": "", "HostPort": "3001"}]}"#
      let world = Sandbox().container(
        "app1",
        #""Name": "/shop", "HostConfig": {"PortBindings": \#(binding)}, "NetworkSettings": {"Networks": {"apps": {"NetworkID": "n2"}}}"#
      ).docker("/networks", #"[{"Id": "n2", "Name": "apps", "Internal": \#(isInternal)}]"#)
      return try await look(
        "network.shared", world,
        [
          "upstream.id": "app1", "proxy.place": "host", "upstream.published": "yes", "upstream.host": "127.0.0.1",
          "upstream.port": "3001", "upstream.inside-port": "8080",
        ]
      ).outcome
    }
    #expect(try await outcome(true) == "internal")
    #expect(try await outcome(false) == "published")
  }
}
