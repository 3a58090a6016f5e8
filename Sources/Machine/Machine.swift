import Glibc
public import Model
import Synchronization
public import World

/// This machine: every look taken for real. Nothing it does changes anything.
public final class Machine: World {
  let engine = Engine()

  public init() {}

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    let sight: any Sendable =
      switch look {
      case let look as HTTPRequest: try await ask(look)
      case let look as TCPConnect: try await connect(look)
      case let look as DNSQuery: try await query(look)
      case let look as SystemLookup: try await lookUp(look)
      case is OwnAddresses: try await ownAddresses()
      case let look as Listeners: try await listeners(look)
      case let look as DockerGet: try await engine.get(look)
      case let look as FileRead: try await read(look)
      case let look as FileGlob: try await glob(look)
      case let look as SQLiteQuery: try await rows(look)
      case let look as Processes: try await processes(look)
      case let look as CommandRun: try await run(look)
      case is Clock: now()
      default: throw .unreadable(what: L.kind, why: "there is no such look")
      }
    guard let sight = sight as? L.Sight else { preconditionFailure("\(L.kind) gave another kind of sight") }
    return sight
  }

  private func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
