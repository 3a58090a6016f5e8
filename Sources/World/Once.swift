public import Model
import Synchronization

/// Takes each look once: checks that run at the same time and look at the same thing share one look.
///
/// A look belongs to all that wait for it, so it goes on when one of them is cancelled; it ends at its own limit.
public final class Once: World {
  private typealias Answer = Result<any Sendable, Unseen>

  private enum Entry {
    case taken(Answer)
    case waiting([Int: CheckedContinuation<Answer, Never>])
  }

  private struct Entries {
    var all: [AnyHashable: Entry] = [:]
    var nextWaiter = 0
  }

  private let world: any World
  private let entries = Mutex(Entries())

  public init(_ world: any World) { self.world = world }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    let waiter = entries.withLock { entries in
      entries.nextWaiter += 1
      if entries.all[AnyHashable(look)] == nil {
        entries.all[AnyHashable(look)] = .waiting([:])
        Task { await self.take(look) }
      }
      return entries.nextWaiter
    }
    let answer = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer: Answer? = entries.withLock { entries in
          if Task.isCancelled { return .failure(.noAnswer(seconds: 0)) }
          switch entries.all[AnyHashable(look)] {
          case .taken(let answer): return answer
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

  private func take<L: Look>(_ look: L) async {
    let answer: Answer
    do throws(Unseen) { answer = .success(try await world.see(look)) } catch { answer = .failure(error) }
    let waiters = entries.withLock { entries in
      defer { entries.all[AnyHashable(look)] = .taken(answer) }
      if case .waiting(let waiters) = entries.all[AnyHashable(look)] { return Array(waiters.values) }
      return []
    }
    for waiter in waiters { waiter.resume(returning: answer) }
  }
}
