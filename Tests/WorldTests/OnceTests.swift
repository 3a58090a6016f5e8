import Model
import Synchronization
import Testing
import World

/// A world that counts looks and answers names when it is told to, in a time that passes when it is told to.
private final class Slow: World {
  private struct State {
    var looks = 0
    var passed = 0.0
    var isOpen: Bool
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let state: Mutex<State>
  private let start = ContinuousClock.now

  init(isOpen: Bool = true) { state = Mutex(State(isOpen: isOpen)) }

  var looks: Int { state.withLock(\.looks) }
  var instant: ContinuousClock.Instant { start.advanced(by: .seconds(state.withLock(\.passed))) }
  var now: Double { 1000 + state.withLock(\.passed) }
  func pass(_ seconds: Double) { state.withLock { $0.passed += seconds } }

  /// Ends when a look has begun.
  func begins() async { while looks == 0 { await Task.yield() } }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        state.looks += 1
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
    guard look is SystemLookup, let sight = ["192.0.2.1"] as? L.Sight else { throw .notRecorded(what: L.kind) }
    return sight
  }
}

private let name = SystemLookup(name: "shop.example.org")
private let port = TCPConnect(address: "192.0.2.1", port: 80, place: .host, limit: 1)

@Suite struct OnceTests {
  @Test func looksOfTheSameKindAreSharedByThoseThatWait() async throws {
    let slow = Slow(isOpen: false)
    let once = Once(slow)
    async let first = once.see(name)
    async let second = once.see(name)
    slow.open()
    let third = try await once.see(name)
    #expect(try await [first, second, third] == [["192.0.2.1"], ["192.0.2.1"], ["192.0.2.1"]])
    #expect(slow.looks == 1)
  }

  @Test func aCancelledWaiterDoesNotWaitForTheLook() async {
    let slow = Slow(isOpen: false)
    defer { slow.open() }
    let task = Task { try await Once(slow).see(name) }
    task.cancel()
    await #expect(throws: Unseen.self) { try await task.value }
  }

  @Test func sitesSideBySideShareWhatShowsTheMachine() async throws {
    let slow = Slow()
    let machine = Once(slow, lifetime: .seconds(2))
    let sites = (0..<3).map { _ in Once(slow, machine: machine) }
    for site in sites { await #expect(throws: Unseen.self) { try await site.see(OwnAddresses()) } }
    #expect(slow.looks == 1)
    for site in sites { _ = try await site.see(name) }
    #expect(slow.looks == 4)
    slow.pass(1.9)
    await #expect(throws: Unseen.self) { try await Once(slow, machine: machine).see(OwnAddresses()) }
    #expect(slow.looks == 4)
    slow.pass(0.2)
    await #expect(throws: Unseen.self) { try await Once(slow, machine: machine).see(OwnAddresses()) }
    #expect(slow.looks == 5, "what is older than its time is looked at again")
  }

  @Test func logsAndAnswersShowNoMachine() {
    #expect(FileRead(path: "/etc/nginx/nginx.conf").isOfMachine)
    #expect(!FileRead(path: "/var/log/nginx/error.log", fromEnd: true).isOfMachine)
    #expect(!FileRead(path: "/proc/meminfo").isOfMachine)
    #expect(DockerGet(path: "/containers/json?all=1").isOfMachine)
    #expect(!DockerGet(path: "/containers/a/logs?stdout=1").isOfMachine)
    #expect(!DockerGet(path: "/events?filters=%7B%7D").isOfMachine)
  }

  @Test func whatCouldNotBeSeenIsRememberedToo() async {
    let slow = Slow()
    let once = Once(slow)
    for _ in 0..<2 {
      await #expect(throws: Unseen.notRecorded(what: "addresses")) { try await once.see(OwnAddresses()) }
    }
    #expect(slow.looks == 1)
  }

  @Test func oneViewHasOneTimeOfDay() {
    let slow = Slow()
    let once = Once(slow)
    slow.pass(60)
    #expect(once.now == 1000 && slow.now == 1060)
  }

  @Test func whoeverAskedLessPatientlyKnowsLess() async {
    let slow = Slow()
    let once = Once(slow)
    var longer = port
    longer.limit = 4
    #expect(port == longer && port.hashValue == longer.hashValue, "a limit is no part of a look")
    for look in [port, longer, port] { await #expect(throws: Unseen.self) { try await once.see(look) } }
    #expect(slow.looks == 2)
  }

  @Test func whatHasNotAnsweredYetIsRecordedAsThat() async throws {
    let slow = Slow(isOpen: false)
    let recorder = Recorder(slow)
    let once = Once(recorder)
    async let answer = once.see(name)
    await slow.begins()
    slow.pass(12.5)
    let early = recorder.recording
    slow.open()
    _ = try await answer
    #expect(await early.result(of: name) == .failure(.noAnswer(seconds: 12.5)), "it does not change any more")
    #expect(await recorder.recording.result(of: name) == .success(["192.0.2.1"]))
  }

  @Test func aSlowAnswerCanBeWaitedForAgain() async {
    let recording = Recording().with(name, ["192.0.2.1"], seconds: 60)
    for world in [recording, Once(recording)] as [any World] {
      #expect(await world.result(of: name, within: 6) == .failure(.noAnswer(seconds: 6)))
      #expect(await world.result(of: name, within: nil) == .success(["192.0.2.1"]))
    }
  }
}
