import Foundation
import Pane
import Synchronization
import Testing

/// One limit for a run, many sites side by side, and a program that fails at one of them.
@Suite(.serialized) struct RunTests {
  /// A proxy in a container that serves these paths of one name, all published at the site's port.
  private struct Sites {
    let engine: Server
    let environment: [String: String]
    let folder: Folder

    init(_ paths: [String], at port: UInt16) throws {
      folder = try Folder()
      var proxy = FakeContainer(id: "aaaa", name: "proxy", image: "nginx:1.27", hostPort: port)
      proxy.names = "server_name shop.localhost;"
      proxy.locations = paths
      engine = try Server(unixSocket: folder.path + "/docker.sock") { [proxy] in FakeContainer.answer([proxy], to: $0) }
      environment = ["DOCKER_HOST": "unix://\(folder.path)/docker.sock"]
    }

    func diagnose(_ options: String...) async throws -> Program.Run {
      let run = try await Program.run(
        ["diagnose", "--all", "--json"] + options, environment: environment, limit: 60)
      withExtendedLifetime(engine) {}
      return run
    }
  }

  /// How many requests are answered at the same time.
  private final class Crowd: Sendable {
    private let counts = Mutex((now: 0, most: 0, all: 0))
    var most: Int { counts.withLock { $0.most } }
    var all: Int { counts.withLock { $0.all } }

    func join(_ body: () -> Void) {
      counts.withLock {
        $0.now += 1
        $0.all += 1
        $0.most = max($0.most, $0.now)
      }
      body()
      counts.withLock { $0.now -= 1 }
    }
  }

  private func diagnoses(_ run: Program.Run) throws -> [Program.Diagnosis] {
    try JSONDecoder().decode([Program.Diagnosis].self, from: Data(run.output.utf8))
  }

  private static let paths = (10..<50).map { "/p\($0)/" }

  @Test func aChainOfRedirectsHasOneLimit() async throws {
    let server = try Server { peer in
      let path = peer.request() ?? "/"
      sleep(2)
      peer.answer("302 Found", headers: "Location: \(path)x\r\n", body: [])
    }
    let run = try await Program.run("diagnose", server.url, "--json", "--timeout", "3", limit: 20)
    #expect(run.status == 2 && run.errors.isEmpty)
    #expect(run.seconds < 5)
  }

  @Test func hangingSitesShareOneLimitAndNoneIsLeftOut() async throws {
    let crowd = Crowd()
    let server = try Server { peer in
      _ = peer.request()
      crowd.join { peer.hold() }
    }
    let run = try await Sites(Self.paths, at: server.port).diagnose("--timeout", "4")
    #expect(run.seconds < 7)
    let diagnoses = try diagnoses(run)
    #expect(diagnoses.map { $0.url.suffix(5) } == Self.paths.map { $0.suffix(5) })
    #expect(diagnoses.allSatisfy { $0.verdict == "inconclusive" })
    #expect(run.status == 2)
    let unreached = diagnoses.filter { $0.observed.error?.contains("the time for all sites together (4 s") == true }
    #expect(unreached.count >= 28 && unreached.count <= 32, "\(unreached.count)")
    // A check may ask once more of its own, so a site can have two requests open.
    #expect(crowd.most >= 4 && crowd.most <= 16, "\(crowd.most)")
  }

  @Test func manySitesAreDoneInTheOrderOfTheList() async throws {
    let server = try Server { peer in
      guard let path = peer.request() else { return }
      usleep(path.contains("1") ? 300_000 : 1000)
      peer.answer(path.contains("2") ? "502 Bad Gateway" : "200 OK", headers: "Server: nginx\r\n", body: [])
    }
    let run = try await Sites(Self.paths, at: server.port).diagnose()
    let diagnoses = try diagnoses(run)
    #expect(diagnoses.map { $0.url.suffix(5) } == Self.paths.map { $0.suffix(5) })
    for diagnosis in diagnoses { #expect((diagnosis.observed.status == 502) == diagnosis.url.suffix(5).contains("2")) }
  }

  // MARK: A program that fails

  @Test func aProgramThatFailsSaysSo() async throws {
    for signal in [SIGSEGV, SIGILL, SIGABRT, SIGKILL] {
      let server = try Server { peer in
        _ = peer.request()
        peer.kill(signal)
        peer.hold()
      }
      let run = try await Program.run("diagnose", server.url, "--json", limit: 10)
      #expect(run.status == 70)
      let complaint = try #require(run.complaint)
      #expect(complaint.contains(signal == SIGKILL ? "memory runs out" : "has failed (signal \(signal))"))
    }
  }

  @Test func aSiteAtWhichTheProgramFailsCostsNoOtherOne() async throws {
    let server = try Server { peer in
      let path = peer.request() ?? ""
      if path.hasPrefix("/p23/") || path.hasPrefix("/p24/") {
        peer.kill(SIGSEGV)
        peer.hold()
      } else {
        usleep(20_000)
        peer.answer("200 OK", body: "fine".utf8)
      }
    }
    let run = try await Sites(Self.paths, at: server.port).diagnose()
    #expect(run.status == 70)
    #expect(run.errors.contains("has failed (signal 11)"))
    let diagnoses = try diagnoses(run)
    #expect(diagnoses.map { $0.url.suffix(5) } == Self.paths.map { $0.suffix(5) })
    for diagnosis in diagnoses {
      if diagnosis.url.hasSuffix("/p23/") || diagnosis.url.hasSuffix("/p24/") {
        #expect(diagnosis.verdict == "inconclusive")
        #expect(diagnosis.observed.error?.contains("wizard502 itself failed") == true)
      } else {
        #expect(diagnosis.observed.status == 200, "\(diagnosis.url)")
      }
    }
  }

  /// A whole run that was told to end leaves nobody behind.
  @Test func noWorkerOutlivesTheProgram() async throws {
    let isOpen = Atomic(0)
    let server = try Server { peer in
      _ = peer.request()
      isOpen.add(1, ordering: .sequentiallyConsistent)
      peer.hold()
      isOpen.subtract(1, ordering: .sequentiallyConsistent)
    }
    let run = try await Program.run(
      "diagnose", server.url, limit: 10, interruptedWhen: { isOpen.load(ordering: .sequentiallyConsistent) > 0 })
    #expect(run.status == 130)
    let end = ContinuousClock.now + .seconds(3)
    while isOpen.load(ordering: .sequentiallyConsistent) > 0, ContinuousClock.now < end { usleep(10_000) }
    #expect(isOpen.load(ordering: .sequentiallyConsistent) == 0)
  }

  // MARK: On a terminal

  @Test func theStartScreenAsksAFewSitesAtATime() async throws {
    let crowd = Crowd()
    let server = try Server { peer in
      _ = peer.request()
      crowd.join { usleep(300_000) }
      peer.answer("200 OK", body: [])
    }
    let sites = try Sites(Self.paths, at: server.port)
    let pane = try Pane(columns: 130, rows: 60)
    try pane.shell("DOCKER_HOST=\(sites.environment["DOCKER_HOST"] ?? "") \(Program.path); echo code $?")
    try pane.waits(for: "/p49/")
    try pane.waits("not all were asked", seconds: 20) { crowd.all >= Self.paths.count }
    #expect(crowd.most > 2 && crowd.most <= 16, "\(crowd.most)")
    try pane.keys("C-c")
    try pane.waits(for: "code 130")
  }

  @Test(arguments: [SIGSEGV, SIGKILL]) func aGuidedSessionThatFailsGivesTheTerminalBack(_ signal: Int32) async throws {
    let server = try Server { peer in
      _ = peer.request()
      usleep(500_000)
      peer.kill(signal)
      peer.hold()
    }
    let pane = try Pane()
    try pane.shell(
      "stty -a > before; DOCKER_HOST=unix:///nonexistent.sock \(Program.path) \(server.url); echo code $?; stty -a > after"
    )
    try pane.waits("it did not begin") { try pane.isOnAlternateScreen }
    try pane.waits(for: "code 70")
    #expect(try !pane.isOnAlternateScreen)
    try pane.waits("the shell did not go on") { pane.text("after").map { !$0.isEmpty } ?? false }
    #expect(pane.text("after") == pane.text("before"))
    #expect(try pane.screen.contains("wizard502: wizard502 "))
  }

  @Test func aGuidedSessionIsStoppedAndGoesOnWithItsShell() async throws {
    let server = try Server { peer in
      _ = peer.request()
      peer.hold()
    }
    let pane = try Pane()
    try pane.shell("DOCKER_HOST=unix:///nonexistent.sock sh -c 'echo $$ > pid; exec \(Program.path) \(server.url)'")
    for stop in ["C-z", "TSTP"] {
      try pane.waits("it did not come") { try pane.isOnAlternateScreen && pane.screen.contains("q quit") }
      if stop == "C-z" { try pane.keys(stop) } else { kill(try pane.pid(), SIGTSTP) }
      try pane.waits("it did not leave the screen") { try !pane.isOnAlternateScreen }
      try pane.shell("echo at the prompt; fg")
      try pane.waits(for: "q quit")
    }
    kill(try pane.pid(), SIGTERM)
    try pane.waits("it did not end") { try !pane.isOnAlternateScreen }
    try pane.shell("echo code $?")
    try pane.waits(for: "code 143")
  }
}
