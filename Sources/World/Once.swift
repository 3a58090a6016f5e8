public import Model
import Synchronization

/// Takes each look once: checks that run at the same time and look at the same thing share one look.
///
/// A look belongs to all that wait for it, so it goes on when one of them is cancelled; it ends at its own limit.
public final class Once: World {
  private let world: any World
  private let taken: Mutex<[AnyHashable: any Sendable]> = Mutex([:])

  public init(_ world: any World) { self.world = world }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    let world = world
    let task = taken.withLock { taken in
      if let task = taken[AnyHashable(look)] as? Task<Result<L.Sight, Unseen>, Never> { return task }
      let task = Task { () async -> Result<L.Sight, Unseen> in
        do throws(Unseen) { return .success(try await world.see(look)) } catch { return .failure(error) }
      }
      taken[AnyHashable(look)] = task
      return task
    }
    return try await task.value.get()
  }
}
