public import Model
import Synchronization

/// Takes each look once: checks that run at the same time and look at the same thing share one look.
///
/// A look belongs to all that wait for it, so it goes on when one of them is cancelled; it ends at its own limit.
///
/// Sites that are looked at side by side have one of these each, because a site is asked again on purpose, and one
/// behind them, of which they take what shows the machine (`Look.isOfMachine`). That one forgets: of what runs and
/// listens there it tells nothing older than its looks may last.
public final class Once: World {
  private typealias Answer = Result<any Sendable, Unseen>

  private enum Entry {
    case taken(Answer, at: ContinuousClock.Instant)
    case waiting([Int: CheckedContinuation<Answer, Never>])
  }

  private struct Entries {
    var all: [AnyHashable: Entry] = [:]
    var nextWaiter = 0
  }

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
  }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    let waiter = entries.withLock { entries in
      entries.nextWaiter += 1
      if isWanted(entries.all[AnyHashable(look)]) {
        entries.all[AnyHashable(look)] = .waiting([:])
        Task(executorPreference: Workers.shared) { await self.take(look) }
      }
      return entries.nextWaiter
    }
    let answer = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer: Answer? = entries.withLock { entries in
          if Task.isCancelled { return .failure(.noAnswer(seconds: 0)) }
          switch entries.all[AnyHashable(look)] {
          case .taken(let answer, _): return answer
          case .waiting(var waiters):
            waiters[waiter] = continuation
            entries.all[AnyHashable(look)] = .waiting(waiters)
            return nil
          case nil: return .failure(.noAnswer(seconds: 0))
          }
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let continuation: CheckedContinuation<Answer, Never>? = entries.withLock { entries in
        guard case .waiting(var waiters) = entries.all[AnyHashable(look)] else { return nil }
        let mine = waiters.removeValue(forKey: waiter)
        entries.all[AnyHashable(look)] = .waiting(waiters)
        return mine
      }
      continuation?.resume(returning: .failure(.noAnswer(seconds: 0)))
    }
    switch answer {
    case .success(let sight):
      guard let sight = sight as? L.Sight else { preconditionFailure("a look has one kind of sight") }
      return sight
    case .failure(let unseen): throw unseen
    }
  }

  /// True if the look was never taken, or too long ago.
  private func isWanted(_ entry: Entry?) -> Bool {
    switch entry {
    case nil: true
    case .waiting: false
    case .taken(_, let instant): lifetime.map { ContinuousClock.now - instant > $0 } ?? false
    }
  }

  private func take<L: Look>(_ look: L) async {
    let world: any World = look.isOfMachine ? machine ?? world : world
    let answer: Answer
    do throws(Unseen) { answer = .success(try await world.see(look)) } catch { answer = .failure(error) }
    let waiters = entries.withLock { entries in
      defer { entries.all[AnyHashable(look)] = .taken(answer, at: .now) }
      if case .waiting(let waiters) = entries.all[AnyHashable(look)] { return Array(waiters.values) }
      return []
    }
    for waiter in waiters { waiter.resume(returning: answer) }
  }
}
