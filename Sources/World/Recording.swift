public import Model
import Synchronization

/// A world that is written down: each look has one sight, or the reason why there was none.
public final class Recording: World {
  private let sights: Mutex<[AnyHashable: Result<any Sendable, Unseen>]> = Mutex([:])

  public init() {}

  /// Writes down what `look` sees; returns itself, so that recordings are built in one expression.
  @discardableResult
  public func with<L: Look>(_ look: L, _ sight: L.Sight) -> Recording {
    sights.withLock { $0[AnyHashable(look)] = .success(sight) }
    return self
  }

  @discardableResult
  public func with<L: Look>(_ look: L, unseen: Unseen) -> Recording {
    sights.withLock { $0[AnyHashable(look)] = .failure(unseen) }
    return self
  }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    switch sights.withLock({ $0[AnyHashable(look)] }) {
    case .success(let sight as L.Sight): return sight
    case .failure(let unseen): throw unseen
    default: throw .notRecorded(what: "\(L.kind): \(look)")
    }
  }
}
