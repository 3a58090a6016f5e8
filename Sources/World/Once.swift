public import Model
import Synchronization

/// Takes each look once: checks that run at the same time and look at the same thing share one look.
///
/// A look belongs to all that wait for it, so it goes on when one of them is cancelled; it ends at its own limit. Looks that
/// go differently far are not shared: who gave a server a second knows less of it than who gave it four.
///
/// Sites that are looked at side by side have one of these each, because a site is asked again on purpose, and one
/// behind them, of which they take what shows the machine (`Look.isOfMachine`). That one forgets: of what runs and
/// listens there it tells nothing older than its looks may last.
public final class Once: World {
  private typealias Taken = Answer<any Sendable>

  private struct Key: Hashable {
    let look: AnyHashable
    let bounds: Bounds
    init<L: Look>(_ look: L) { (self.look, bounds) = (AnyHashable(look), look.bounds) }
  }

  private enum Entry {
    case taken(Taken, at: ContinuousClock.Instant)
    case waiting(since: ContinuousClock.Instant, [Int: CheckedContinuation<Taken, Never>])
  }

  private struct Entries {
    var all: [Key: Entry] = [:]
    var nextWaiter = 0
  }

  /// When it began, for all who ask: one view of the world has one time of day.
  public let now: Double
  private let world: any World
  private let machine: Once?
  private let lifetime: Duration?
  private let entries = Mutex(Entries())

  /// - Parameters:
  ///   - machine: Takes the looks that show the machine, instead of `world`.
  ///   - lifetime: After that a look is taken again; nil: never.
  public init(_ world: any World, machine: Once? = nil, lifetime: Duration? = nil) {
    self.world = world
    self.machine = machine
    self.lifetime = lifetime
    now = world.now
  }

  public var instant: ContinuousClock.Instant { world.instant }
  public func pause(_ seconds: Double) async { await world.pause(seconds) }
  public func deadline(in seconds: Double) async { await world.deadline(in: seconds) }
  public var others: [OtherMachine] { world.others }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { try await answer(to: look).result.get() }

  /// The seconds are those that the asker had to wait: none for what had been seen before.
  public func answer<L: Look>(to look: L) async -> Answer<L.Sight> {
    let asked = world.instant
    // Seconds for which the look has been under way; nil if its answer is there.
    let (waiter, ahead) = entries.withLock { entries -> (Int, Double?) in
      entries.nextWaiter += 1
      switch entries.all[Key(look)] {
      case .waiting(let begun, _): return (entries.nextWaiter, begun.duration(to: asked) / .seconds(1))
      case .taken(_, let then) where lifetime.map({ asked - then <= $0 }) ?? true: return (entries.nextWaiter, nil)
      case .taken, nil:
        entries.all[Key(look)] = .waiting(since: asked, [:])
        Task(executorPreference: Workers.shared) { await self.take(look) }
        return (entries.nextWaiter, 0)
      }
    }
    let taken = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let taken: Taken? = entries.withLock { entries in
          if Task.isCancelled { return Self.cancelled }
          switch entries.all[Key(look)] {
          case .taken(let taken, _): return taken
          case .waiting(let begun, var waiters):
            waiters[waiter] = continuation
            entries.all[Key(look)] = .waiting(since: begun, waiters)
            return nil
          case nil: return Self.cancelled
          }
        }
        if let taken { continuation.resume(returning: taken) }
      }
    } onCancel: {
      let continuation: CheckedContinuation<Taken, Never>? = entries.withLock { entries in
        guard case .waiting(let begun, var waiters) = entries.all[Key(look)] else { return nil }
        let mine = waiters.removeValue(forKey: waiter)
        entries.all[Key(look)] = .waiting(since: begun, waiters)
        return mine
      }
      continuation?.resume(returning: Self.cancelled)
    }
    let result = taken.result.map { sight in
      guard let sight = sight as? L.Sight else { preconditionFailure("a look has one kind of sight") }
      return sight
    }
    return Answer(result, seconds: ahead.map { max(0, taken.seconds - $0) } ?? 0, hearsay: taken.hearsay)
  }

  private static var cancelled: Taken { Answer(.failure(.noAnswer(seconds: 0)), seconds: 0) }

  private func take<L: Look>(_ look: L) async {
    let world: any World = look.isOfMachine ? machine ?? world : world
    let answer = await world.answer(to: look)
    let taken = Taken(answer.result.map { $0 }, seconds: answer.seconds, hearsay: answer.hearsay)
    let waiters = entries.withLock { entries in
      defer { entries.all[Key(look)] = .taken(taken, at: world.instant) }
      if case .waiting(_, let waiters) = entries.all[Key(look)] { return Array(waiters.values) }
      return []
    }
    for waiter in waiters { waiter.resume(returning: taken) }
  }
}
