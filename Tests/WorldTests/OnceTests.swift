import Model
import Synchronization
import Testing
import World

/// A world that counts looks and answers when it is told to.
private final class Slow: World {
  let looks = Mutex(0)
  let seconds: Double
  init(seconds: Double) { self.seconds = seconds }

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    looks.withLock { $0 += 1 }
    try? await Task.sleep(for: .seconds(seconds))
    guard let sight = 12.5 as? L.Sight else { throw .notRecorded(what: L.kind) }
    return sight
  }
}

@Suite struct OnceTests {
  @Test func looksOfTheSameKindAreSharedByThoseThatWait() async throws {
    let slow = Slow(seconds: 0.01)
    let once = Once(slow)
    async let first = once.see(Clock())
    async let second = once.see(Clock())
    let third = try await once.see(Clock())
    #expect(try await [first, second, third] == [12.5, 12.5, 12.5])
    #expect(slow.looks.withLock { $0 } == 1)
  }

  @Test func aCancelledWaiterDoesNotWaitForTheLook() async {
    let once = Once(Slow(seconds: 30))
    let task = Task { try await once.see(Clock()) }
    let start = ContinuousClock.now
    task.cancel()
    await #expect(throws: Unseen.self) { try await task.value }
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test func sitesSideBySideShareWhatShowsTheMachine() async throws {
    let slow = Slow(seconds: 0)
    let machine = Once(slow, lifetime: .milliseconds(200))
    let sites = (0..<3).map { _ in Once(slow, machine: machine) }
    for site in sites { await #expect(throws: Unseen.self) { try await site.see(OwnAddresses()) } }
    #expect(slow.looks.withLock { $0 } == 1)
    for site in sites { _ = try await site.see(Clock()) }
    #expect(slow.looks.withLock { $0 } == 4)
    try await Task.sleep(for: .milliseconds(300))
    await #expect(throws: Unseen.self) { try await Once(slow, machine: machine).see(OwnAddresses()) }
    #expect(slow.looks.withLock { $0 } == 5, "what is older than its time is looked at again")
  }

  @Test func logsAndAnswersShowNoMachine() {
    #expect(FileRead(path: "/etc/nginx/nginx.conf").isOfMachine)
    #expect(!FileRead(path: "/var/log/nginx/error.log", fromEnd: true).isOfMachine)
    #expect(!FileRead(path: "/proc/meminfo").isOfMachine)
    #expect(DockerGet(path: "/containers/json?all=1").isOfMachine)
    #expect(!DockerGet(path: "/containers/a/logs?stdout=1").isOfMachine)
    #expect(!DockerGet(path: "/events?since=1").isOfMachine)
  }

  @Test func whatCouldNotBeSeenIsRememberedToo() async {
    let slow = Slow(seconds: 0)
    let once = Once(slow)
    for _ in 0..<2 {
      await #expect(throws: Unseen.notRecorded(what: "addresses")) { try await once.see(OwnAddresses()) }
    }
    #expect(slow.looks.withLock { $0 } == 1)
  }
}

@Suite struct RecordingTests {
  @Test func aRecordingGivesWhatWasWrittenDown() async throws {
    let recording = Recording().with(Clock(), 5).with(OwnAddresses(), unseen: .noAnswer(seconds: 1))
    #expect(try await recording.see(Clock()) == 5)
    await #expect(throws: Unseen.noAnswer(seconds: 1)) { try await recording.see(OwnAddresses()) }
  }
}
