import Checks
import Model
import Synchronization
import Testing
import World

/// A world whose looks end only when their task is cancelled; it counts those that did.
private final class Hanging: World {
  let begun = Atomic(0)
  let ended = Atomic(0)

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    begun.add(1, ordering: .sequentiallyConsistent)
    try? await Task.sleep(for: .seconds(3600))
    ended.add(1, ordering: .sequentiallyConsistent)
    throw .noAnswer(seconds: 3600)
  }
}

/// A world whose looks compute and never ask whether they are cancelled.
private final class Computing: World {
  let isOver = Atomic(false)

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    let end = ContinuousClock.now.advanced(by: .seconds(3))
    while ContinuousClock.now < end, !isOver.load(ordering: .relaxed) {}
    throw .missing(what: L.kind)
  }
}

@Suite("Every check ends")
struct LimitTests {
  /// Values for every fact that a check needs before it takes its first look.
  private let facts: Facts = [
    "site.url": "http://shop.example.org/", "site.host": "shop.example.org", "site.port": "80", "site.path": "/",
    "site.asked": "1", "site.waiting": "yes", "site.status": "502", "proxy.kind": "nginx", "proxy.place": "container",
    "proxy.id": "edge1", "proxy.pid": "7", "proxy.port": "80", "proxy.stopped": "yes", "route.defined-in": "a:1",
    "route.verifies": "on", "route.leads-nowhere": "yes", "upstream.host": "shop", "upstream.port": "80",
    "upstream.scheme": "https", "upstream.dial": "10.0.0.2:80", "upstream.socket": "/run/app.sock",
    "upstream.place": "container", "upstream.id": "app1", "upstream.pid": "9",
    "upstream.inside-port": "80", "upstream.status": "404", "upstream.path": "/x", "route.auth": "http://auth:9091",
    "name.address": "10.0.0.2", "limit.seconds": "0.2",
    "series.count": "3", "site.sometimes": "yes", "route.servers": "shop-1:80, shop-2:80", "route.log-keys": "shop",
  ]

  /// They answer without a look: the seconds are known, and in a container the proxy's own test is not run.
  private static let looking = Check.all.map(\.shape.id).filter { !["config.valid", "site.timer"].contains($0) }

  @Test("At its limit, whatever hangs", arguments: looking)
  func limit(check: String) async throws {
    let world = Hanging()
    let found = try await look(check, world, facts)
    #expect(found.outcome == "unknown" || found.outcome == "slow", "\(found)")
    if found.outcome == "unknown" { #expect(found.unseen == .noAnswer(seconds: 0.2)) }
    #expect(found.seconds >= 0.19 && found.seconds < 5)
    let begun = world.begun.load(ordering: .sequentiallyConsistent)
    #expect(begun > 0)
    let end = ContinuousClock.now.advanced(by: .seconds(5))
    while world.ended.load(ordering: .sequentiallyConsistent) < begun, ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(world.ended.load(ordering: .sequentiallyConsistent) >= begun, "looks go on")
  }

  @Test("At its limit, whatever computes, on all threads that compute")
  func computing() async throws {
    let world = Computing()
    defer { world.isOver.store(true, ordering: .relaxed) }
    let start = ContinuousClock.now
    try await withThrowingTaskGroup(of: Finding.self) { group in
      for check in ["site.answer", "proxy.find", "route.find", "tcp.connect", "host.resources", "name.resolve"] {
        group.addTask { try await look(check, world, facts) }
        group.addTask { try await look(check, Once(world), facts) }
      }
      for try await found in group { #expect(found.outcome == "unknown" && found.seconds < 1.5, "\(found)") }
    }
    #expect(ContinuousClock.now - start < .seconds(2))
  }

  @Test("The limit of a run holds for those that begin late")
  func deadline() async throws {
    let check = try #require(Check.named("site.answer"))
    let facts = facts.merging(["limit.seconds": "60"])
    let end = ContinuousClock.now.advanced(by: .seconds(0.3))
    let found = await check.finding(in: Hanging(), facts: facts, signs: Signs(), until: end)
    #expect(found.outcome == "unknown" && found.unseen == .noAnswer(seconds: 60), "\(found)")
    #expect(found.seconds < 2)
    let late = await check.finding(in: Hanging(), facts: facts, signs: Signs(), until: end)
    #expect(late.unseen == .noAnswer(seconds: 60) && late.seconds < 0.5, "\(late)")
  }

  @Test("When it is cancelled", arguments: looking)
  func cancelled(check: String) async throws {
    let world = Hanging()
    let task = Task { try await look(check, world, facts.merging(["limit.seconds": "60"])) }
    let end = ContinuousClock.now.advanced(by: .seconds(5))
    while world.begun.load(ordering: .sequentiallyConsistent) == 0, ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(5))
    }
    task.cancel()
    let found = try await task.value
    #expect(found.outcome == "unknown" || found.outcome == "slow", "\(found)")
    #expect(found.seconds < 5)
  }

  @Test("A recording without the look is unknown, and names it", arguments: looking)
  func nothingRecorded(check: String) async throws {
    let found = try await look(check, Recording(), facts)
    #expect(found.outcome == "unknown" || found.outcome == "none", "\(found)")
    guard case .notRecorded(let what) = found.unseen else {
      Issue.record("no reason: \(found)")
      return
    }
    #expect(!what.isEmpty)
  }

  @Test("Ids are one of a kind, and each has the outcome unknown")
  func shapes() {
    #expect(Set(Check.all.map(\.shape.id)).count == Check.all.count)
    for check in Check.all { #expect(check.shape.outcomes.contains("unknown"), "\(check.shape.id)") }
    #expect(Check.named("no.such") == nil)
  }
}
