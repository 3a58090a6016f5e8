import Checks
import Fixture
import Model
import Testing
import World

/// What is known of an app by its image or its process, and where that leads.
@Suite struct KnownAppTests {
  private let route: Facts = [
    "proxy.place": "host", "upstream.host": "127.0.0.1", "upstream.port": "8080", "site.host": "shop.example.org",
  ]

  private func container(_ members: String) -> Sandbox {
    Sandbox()
      .containers(
        #"{"Id": "app1", "Names": ["/shop"], "State": "running", "Ports": [{"PrivatePort": 80, "PublicPort": 8080}]}"#
      )
      .container("app1", #""Name": "/shop", "State": {"Status": "running"}, \#(members)"#)
  }

  @Test func everyImageOfEveryAppIsRecognised() async throws {
    let signs = try realSigns()
    #expect(signs.apps.all.count >= 100)
    var images: Set<String> = []
    for app in signs.apps.all {
      for image in app.images {
        #expect(images.insert(image).inserted, "\(image) is claimed twice")
        // From whatever registry, in whatever version.
        let tagged =
          image.contains("/") ? "registry.example.org:5000/\(image):1.2" : "docker.io/library/\(image)@sha256:0"
        let found = try await look(
          "upstream.find", container(#""Config": {"Image": "\#(tagged)"}"#), route, signs: signs)
        #expect(found.outcome == "container")
        #expect(found.facts["app.name"] == app.name)
        #expect(found.facts["app.image"] == tagged)
        #expect(found.facts.port("app.port") == app.port)
        #expect(found.facts.port("app.tls-port") == app.tlsPort)
        #expect(found.facts["app.listen-setting"] == app.settings[.listen]?.name)
      }
    }
  }

  @Test func anImageOfOnesOwnIsNoAppThatIsKnown() async throws {
    for image in ["vaultwarden/server-of-mine:1", "team/grafana", "sha256:0123"] {
      let found = try await look(
        "upstream.find", container(#""Config": {"Image": "\#(image)"}"#), route, signs: realSigns())
      #expect(found.facts["app.name"] == nil)
    }
  }

  @Test func aKeysFileIsThatOfThisMachine() async throws {
    let found = try await look(
      "upstream.find",
      container(
        #""Config": {"Image": "matrixdotorg/synapse:v1"}, "Mounts": [{"Source": "/srv/chat", "Destination": "/data"}]"#),
      route, signs: realSigns())
    #expect(found.facts["app.upload-file"] == "/srv/chat/homeserver.yaml")
    #expect(found.facts["app.upload-inside"] == "/data/homeserver.yaml")
  }

  @Test func aProgramOfTheMachineIsKnownByItsProcess() async throws {
    let signs = try realSigns()
    let names = signs.apps.all.flatMap(\.processes)
    let process = ProcessSeen(
      id: 42, parent: 1, name: "syncthing", command: ["syncthing"], started: 0, sharesNetwork: true, container: nil)
    let world = Sandbox().listening(in: .host, ("127.0.0.1", 8080), processes: [42])
      .with(Processes(names: names), [process])
      .file("/etc/systemd/system/multi-user.target.wants/syncthing@ann.service", "")
    let found = try await look("upstream.find", world, route, signs: signs)
    #expect(found.outcome == "host")
    #expect(found.facts["app.name"] == "Syncthing")
    #expect(found.facts["app.unit"] == "syncthing@ann.service")
  }

  @Test func aSlowAppIsFreshForLonger() async throws {
    let world = Sandbox(now: 86_600).container(
      "app1", #""Name": "/git", "State": {"Status": "running", "StartedAt": "1970-01-02T00:00:00Z"}"#)
    let facts: Facts = ["upstream.id": "app1"]
    #expect(try await look("container.state", world, facts).facts["container.fresh"] == nil)
    let slow = facts.merging(["app.start-seconds": "300"])
    #expect(try await look("container.state", world, slow).facts["container.fresh"] == "yes")
  }

  @Test func ofSeveralPortsThatAnswerTheUsualOneIsMeant() async throws {
    let inProxy = Place.process(7)
    let facts: Facts = [
      "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.place": "container",
      "upstream.pid": "9", "upstream.host": "shop", "upstream.port": "8080", "upstream.inside-port": "8080",
      "upstream.addresses": "10.0.0.2", "app.port": "9443",
    ]
    let world = Sandbox().listening(in: .process(9), ("0.0.0.0", 8000), ("0.0.0.0", 9443))
    for port: UInt16 in [8000, 9443] {
      world.with(
        HTTPRequest(url: "http://localhost/", address: "10.0.0.2", port: port, place: inProxy, limit: 1),
        .init(status: 200))
    }
    let found = try await look("port.listening", world, facts)
    #expect(found.facts["upstream.listening"] == "9443")
  }
}

/// By what an app listens on loopback, and the line that changes it.
@Suite struct ListenSettingTests {
  private let facts: Facts = [
    "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "upstream.place": "container",
    "upstream.id": "app1", "upstream.pid": "9", "upstream.host": "shop", "upstream.port": "3000",
    "upstream.inside-port": "3000",
  ]

  private func finding(
    env: String = "", args: String = "", _ more: Facts = [:], compose: String? = nil
  ) async throws -> Facts {
    let labels =
      #""com.docker.compose.project": "shop", "com.docker.compose.service": "shop", "com.docker.compose.project.config_files": "/srv/compose.yml""#
    let world = Sandbox().listening(in: .process(9), ("127.0.0.1", 3000)).container(
      "app1",
      #""Name": "/shop", "Path": "serve", "Args": [\#(args)], "Config": {"Env": [\#(env)], "Labels": {\#(compose == nil ? "" : labels)}}"#
    )
    if let compose { world.file("/srv/compose.yml", compose) }
    let found = try await look("port.listening", world, facts.merging(more), signs: realSigns())
    #expect(found.outcome == "loopback")
    return found.facts
  }

  @Test(arguments: [
    ("HOST=127.0.0.1", "0.0.0.0"), ("HOST=localhost", "0.0.0.0"), ("APP_BIND_ADDRESS=127.0.0.1", "0.0.0.0"),
    ("LISTEN_ADDR=127.0.0.1:3000", "0.0.0.0:3000"), ("ASPNETCORE_URLS=http://localhost:3000", "http://0.0.0.0:3000"),
    ("STREAMLIT_SERVER_ADDRESS=::1", "::"), ("SERVER=[::1]:3000", "[::]:3000"),
  ])
  func aVariableThatSaysLoopback(variable: String, wanted: String) async throws {
    let found = try await finding(env: #""PATH=/bin", "\#(variable)""#)
    #expect(found["listen.found"] == variable)
    #expect(found["app.listen-by"] == "variable")
    #expect(found["app.listen-value"] == wanted)
  }

  /// What an app dials, and addresses with another port, are none of it.
  @Test(arguments: [
    "DB_HOST=127.0.0.1", "REDIS_URL=redis://127.0.0.1:6379", "POSTGRES_HOST=localhost",
    "DATABASE_ADDRESS=localhost:5432",
    "HOST=0.0.0.0", "API_URL=http://localhost:9200", "SMTP_HOST=localhost", "HOST=shop.example.org",
  ])
  func aVariableThatIsNone(variable: String) async throws {
    #expect(try await finding(env: #""\#(variable)""#)["listen.found"] == nil)
  }

  @Test(arguments: [
    (#""--host", "127.0.0.1""#, "--host=127.0.0.1", "0.0.0.0"),
    (#""--bind=localhost:3000""#, "--bind=localhost:3000", "0.0.0.0:3000"),
    (#""-b", "127.0.0.1:3000""#, "-b=127.0.0.1:3000", "0.0.0.0:3000"),
    (#""127.0.0.1:3000""#, "127.0.0.1:3000", "0.0.0.0:3000"),
  ])
  func anArgumentThatSaysLoopback(args: String, found text: String, wanted: String) async throws {
    let found = try await finding(args: args)
    #expect(found["listen.found"] == text)
    #expect(found["app.listen-by"] == "option")
    #expect(found["app.listen-value"] == wanted)
  }

  @Test func theComposeFilesLine() async throws {
    let variable = try await finding(
      env: #""HOST=127.0.0.1""#, compose: "services:\n  shop:\n    environment:\n      HOST: \"127.0.0.1\" # ours\n")
    #expect(variable["listen-line.number"] == "4")
    #expect(variable["listen-line.with"] == "      HOST: \"0.0.0.0\" # ours")
    let command = try await finding(
      args: #""--host", "127.0.0.1""#, compose: "services:\n  shop:\n    command: serve --host 127.0.0.1\n")
    #expect(command["listen-line.with"] == "    command: serve --host 0.0.0.0")
  }

  @Test func whatIsKnownOfTheAppIsWrittenIntoItsComposeFile() async throws {
    let known: Facts = [
      "app.listen-setting": "ROCKET_ADDRESS", "app.listen-by": "variable", "app.listen-value": "0.0.0.0",
    ]
    let list = try await finding(known, compose: "services:\n  shop:\n    environment:\n      - A=b\n")
    #expect(list["listen-line.with"] == "    environment:\n      - ROCKET_ADDRESS=0.0.0.0")
    let map = try await finding(known, compose: "services:\n  shop:\n    environment:\n      A: b\n")
    #expect(map["listen-line.with"] == "    environment:\n      ROCKET_ADDRESS: \"0.0.0.0\"")
    let none = try await finding(known, compose: "services:\n  shop:\n    image: shop\n")
    #expect(none["listen-line.with"] == "  shop:\n    environment:\n      - ROCKET_ADDRESS=0.0.0.0")
    // By a file of variables, or one of the whole environment in a line, there is no line to change.
    let flow = try await finding(known, compose: "services:\n  shop:\n    environment: {A: b}\n")
    #expect(flow["listen-line.with"] == nil)
  }
}

/// Why a container ended, in its own words.
@Suite struct LastWordsTests {
  private func found(_ lines: [String], mounts: String = "") async throws -> Facts {
    let world = Sandbox(now: 90_000).container(
      "app1", #""Name": "/chat", "State": {"Status": "exited", "ExitCode": 1}, "Mounts": [\#(mounts)]"#)
    world.log(of: "app1", lines.flatMap { frame($0 + "\n") })
    return try await look("container.state", world, ["upstream.id": "app1"], signs: realSigns()).facts
  }

  @Test func theLineThatSaysWhatIsWrong() async throws {
    let line = "Config file '/data/homeserver.yaml' does not exist. You should either create a new config file"
    let data = #"{"Source": "/srv/chat", "Destination": "/data"}"#
    let told = try await found(["starting", line, "bye"], mounts: data)
    #expect(told["container.last-words"] == line)
    #expect(told["container.last-path"] == "/data/homeserver.yaml")
    #expect(told["container.last-file"] == "/srv/chat/homeserver.yaml")
    #expect(try await found([line])["container.last-file"] == nil)
  }

  @Test(arguments: [
    (["Error: connect ECONNREFUSED 10.0.0.2:5432", "    at TCPConnectWrap", "Node.js v20.11.0"], 0),
    (["Traceback (most recent call last):", "  File \"app.py\", line 1", "ValueError: bad value"], 2),
    (["panic: runtime error", "goroutine 1 [running]:", "exit status 2"], 0), (["hello", "bye"], 1),
  ])
  func eachKindOfEnd(lines: [String], expected: Int) async throws {
    #expect(try await found(lines)["container.last-words"] == lines[expected])
  }

  @Test(arguments: [
    ("exec /srv/server: exec format error", "other-processor"),
    ("Error: EROFS: read-only file system, open '/var/app.pid'", "read-only"), ("bye", nil),
  ])
  func whatALastLineTells(line: String, reason: String?) async throws {
    #expect(try await found([line])["container.last-reason"] == reason)
  }

  @Test func aHostileLogIsShownAndNotSent() async throws {
    let told = try await found(["fatal: \u{1B}]52;c;cHdu\u{07} \(String(repeating: "x", count: 5_000))"])
    let words = try #require(told["container.last-words"])
    #expect(words.count < 400)
    #expect(!words.unicodeScalars.contains { $0.value < 0x20 })
  }

  @Test func whoSaidNothingHasNoLastWords() async throws {
    #expect(try await found([])["container.last-words"] == nil)
  }
}

/// What should listen where nobody does.
@Suite struct AppCandidatesTests {
  private func finding(_ world: Sandbox, port: String = "8384", site: String = "files.example.org") async throws
    -> Finding
  {
    try await look(
      "app.candidates", world, ["upstream.port": port, "site.host": site, "route.leads-nowhere": "yes"],
      signs: realSigns())
  }

  @Test func aStoppedContainerWithTheUsualPort() async throws {
    let world = Sandbox()
      .containers(
        #"{"Id": "a1", "Names": ["/sync"], "State": "exited"}"#,
        #"{"Id": "b1", "Names": ["/other"], "State": "exited"}"#
      )
      .container("a1", #""Name": "/sync", "Config": {"Image": "syncthing/syncthing:1"}"#)
      .container("b1", #""Name": "/other", "Config": {"Image": "team/other"}"#)
    let found = try await finding(world)
    #expect(found.outcome == "container")
    #expect(found.facts["candidate.container"] == "sync")
    #expect(found.facts["candidate.apps"] == "Syncthing")
    #expect(found.facts["candidate.stopped"] == "other, sync")
  }

  @Test func aServiceOfTheUsualApp() async throws {
    let enabled = "/etc/systemd/system/multi-user.target.wants/syncthing@ann.service"
    let template = "/lib/systemd/system/syncthing@.service"
    let found = try await finding(Sandbox(files: [enabled: "", template: ""]))
    #expect(found.outcome == "service")
    #expect(found.facts["candidate.unit"] == "syncthing@ann.service")
    // A template that nobody has an instance of cannot be started.
    #expect(try await finding(Sandbox(files: [template: ""])).outcome == "usual")
  }

  @Test func aServiceCalledLikeTheSite() async throws {
    let world = Sandbox(files: ["/etc/systemd/system/shop.service": ""])
    let found = try await finding(world, port: "4711", site: "shop.example.org")
    #expect(found.facts["candidate.unit"] == "shop.service")
    #expect(try await finding(world, port: "4711", site: "*.example.org").outcome == "none")
  }

  @Test func aPortThatManyHaveNamesNobody() async throws {
    let found = try await finding(Sandbox(), port: "8080")
    #expect(found.facts["candidate.apps"] == nil)
    #expect(found.outcome == "none")
  }
}

/// Containers that a web page made.
@Suite struct ManagerTests {
  private func facts(_ labels: String, files: [String: String] = [:]) async throws -> Facts {
    let world = Sandbox(files: files)
      .containers(
        #"{"Id": "app1", "Names": ["/shop"], "State": "running", "Ports": [{"PrivatePort": 80, "PublicPort": 8080}]}"#
      )
      .container("app1", #""Name": "/shop", "State": {"Status": "running"}, "Config": {"Labels": {\#(labels)}}"#)
    return try await look(
      "upstream.find", world,
      ["proxy.place": "host", "upstream.host": "127.0.0.1", "upstream.port": "8080", "site.host": "shop.example.org"],
      signs: realSigns()
    ).facts
  }

  private func compose(_ file: String) -> String {
    #""com.docker.compose.project": "shop", "com.docker.compose.service": "web", "com.docker.compose.project.config_files": "\#(file)""#
  }

  @Test(arguments: [
    ("/data/compose/12/docker-compose.yml", "portainer"), ("/var/lib/casaos/apps/shop/docker-compose.yml", "casaos"),
    ("/mnt/.ix-apps/app_configs/shop/versions/1.0/templates/rendered/docker-compose.yaml", "truenas"),
    ("/srv/shop/compose.yml", nil),
  ])
  func byTheComposeFile(file: String, manager: String?) async throws {
    let gone = try await facts(compose(file))
    #expect(gone["container.manager"] == manager)
    #expect(gone["compose.service"] == "web")
    #expect(gone["compose.file"] == nil)
    #expect(try await facts(compose(file), files: [file: ""])["compose.file"] == file)
  }

  @Test(arguments: [
    (#""coolify.managed": "true""#, "coolify"), (#""net.unraid.docker.managed": "dockerman""#, "unraid"),
    (#""coolify.managed": "false""#, nil),
  ])
  func byALabel(label: String, manager: String?) async throws {
    #expect(try await facts(label)["container.manager"] == manager)
  }
}
