import Checks
import Model
import Synchronization
import Testing
import World

/// A world whose looks end only when their task is cancelled. Its time stands still until one of them has begun; then so
/// many seconds have passed.
private final class Hanging: World {
  private struct State {
    var (begun, ended) = (0, 0)
    var waiting: [(isOver: @Sendable (Int, Int) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
  }
  private let state = Mutex(State())
  private let start = ContinuousClock.now
  private let passes: Double

  init(passes: Double) { self.passes = passes }

  var begun: Int { state.withLock(\.begun) }
  var instant: ContinuousClock.Instant { begun > 0 ? start.advanced(by: .seconds(passes)) : start }

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    begin()
    await cancellation()
    change { $0.ended += 1 }
    throw .noAnswer(seconds: 3600)
  }

  func begin() { change { $0.begun += 1 } }

  func pause(_ seconds: Double) async { await deadline(in: seconds) }
  func deadline(in seconds: Double) async {
    if seconds > passes { await cancellation() } else { await until { begun, _ in begun > 0 } }
  }

  /// Ends when that many looks have begun and ended.
  func until(_ isOver: @escaping @Sendable (_ begun: Int, _ ended: Int) -> Bool) async {
    await withCheckedContinuation { continuation in
      change { $0.waiting.append((isOver, continuation)) }
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let over = state.withLock { state in
      body(&state)
      let over = state.waiting.filter { $0.isOver(state.begun, state.ended) }
      state.waiting.removeAll { $0.isOver(state.begun, state.ended) }
      return over.map(\.continuation)
    }
    for continuation in over { continuation.resume() }
  }

  private func cancellation() async {
    let (never, sink) = AsyncStream.makeStream(of: Never.self)
    for await _ in never {}
    sink.finish()
  }
}

/// A world whose looks compute and never ask whether they are cancelled; its time passes when all of them do.
private final class Computing: World {
  let isOver = Atomic(false)
  private let hanging = Hanging(passes: 0.2)

  var instant: ContinuousClock.Instant { hanging.instant }
  func pause(_ seconds: Double) async {}
  func deadline(in seconds: Double) async { await hanging.deadline(in: seconds) }

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    hanging.begin()
    let end = ContinuousClock.now.advanced(by: .seconds(30))
    while ContinuousClock.now < end, !isOver.load(ordering: .relaxed) {}
    throw .missing(what: L.kind)
  }
}

@Suite struct LimitTests {
  /// Values for every fact that a check needs before it takes its first look.
  private let facts: Facts = [
    "site.url": "http://shop.example.org/", "site.host": "shop.example.org", "site.port": "80", "site.path": "/",
    "site.asked": "1", "site.asked-at": "here", "site.waiting": "yes", "site.status": "502", "proxy.kind": "nginx",
    "proxy.place": "container",
    "proxy.id": "edge1", "proxy.pid": "7", "proxy.port": "80", "proxy.stopped": "yes", "route.defined-in": "a:1",
    "route.verifies": "on", "route.leads-nowhere": "yes", "upstream.host": "shop", "upstream.port": "80",
    "upstream.scheme": "https", "upstream.dial": "10.0.0.2:80", "upstream.socket": "/run/app.sock",
    "upstream.place": "container", "upstream.id": "app1", "upstream.pid": "9",
    "upstream.inside-port": "80", "upstream.status": "404", "upstream.path": "/x", "route.prefix": "/",
    "route.auth": "http://auth:9091",
    "name.address": "10.0.0.2", "limit.seconds": "0.2", "route.health-path": "/health",
    "scripts.folder": "/srv", "series.count": "3", "site.sometimes": "yes", "route.servers": "shop-1:80, shop-2:80",
    "route.log-keys": "shop",
  ]

  /// The others answer without a look: the seconds are known, in a container the proxy's own test is not run, and a route to
  /// another path is no circle.
  private static let looking = Check.all.map(\.shape.id).filter {
    !["config.valid", "site.timer", "route.circle"].contains($0)
  }

  @Test(arguments: looking)
  func atItsLimitWhateverHangs(check: String) async throws {
    let world = Hanging(passes: 0.2)
    let found = try await look(check, world, facts)
    #expect(found.outcome == "unknown" || found.outcome == "slow", "\(found)")
    if found.outcome == "unknown" { #expect(found.unseen == .noAnswer(seconds: 0.2)) }
    #expect(found.seconds == 0.2)
    #expect(world.begun > 0)
    // Looks do not go on.
    await world.until { begun, ended in ended >= begun }
  }

  @Test(.timeLimit(.minutes(1)))
  func atItsLimitWhateverComputesOnAllThreadsThatCompute() async throws {
    let world = Computing()
    defer { world.isOver.store(true, ordering: .relaxed) }
    try await withThrowingTaskGroup(of: Finding.self) { group in
      for check in ["site.answer", "proxy.find", "route.find", "tcp.connect", "host.resources", "name.resolve"] {
        group.addTask { try await look(check, world, facts) }
        group.addTask { try await look(check, Once(world), facts) }
      }
      for try await found in group {
        #expect(found.outcome == "unknown" && found.unseen == .noAnswer(seconds: 0.2), "\(found)")
      }
    }
  }

  @Test func theLimitOfARunHoldsForThoseThatBeginLate() async throws {
    let check = try #require(Check.named("site.answer"))
    let facts = facts.merging(["limit.seconds": "60"])
    let world = Hanging(passes: 0.3)
    let end = world.instant.advanced(by: .seconds(0.3))
    let found = await check.finding(in: world, facts: facts, signs: Signs(), until: end)
    #expect(found.outcome == "unknown" && found.unseen == .noAnswer(seconds: 60), "\(found)")
    #expect(found.seconds == 0.3)
    let late = await check.finding(in: world, facts: facts, signs: Signs(), until: end)
    #expect(late.unseen == .noAnswer(seconds: 60) && late.seconds == 0, "\(late)")
  }

  @Test(arguments: looking)
  func whenItIsCancelled(check: String) async throws {
    let world = Hanging(passes: 0)
    let task = Task { try await look(check, world, facts.merging(["limit.seconds": "60"])) }
    await world.until { begun, _ in begun > 0 }
    task.cancel()
    let found = try await task.value
    #expect(found.outcome == "unknown" || found.outcome == "slow", "\(found)")
  }

  @Test(arguments: looking)
  func aRecordingWithoutTheLookIsUnknownAndNamesIt(check: String) async throws {
    let found = try await look(check, Recording(), facts)
    #expect(found.outcome == "unknown" || found.outcome == "none", "\(found)")
    guard case .notRecorded(let what) = found.unseen else {
      Issue.record("no reason: \(found)")
      return
    }
    #expect(!what.isEmpty)
  }

  @Test func idsAreOneOfAKindAndEachHasTheOutcomeUnknown() {
    #expect(Set(Check.all.map(\.shape.id)).count == Check.all.count)
    for check in Check.all { #expect(check.shape.outcomes.contains("unknown"), "\(check.shape.id)") }
    #expect(Check.named("no.such") == nil)
  }
}
