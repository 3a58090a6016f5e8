internal import CLinux
import Glibc
import Model
import Synchronization
import World

/// Work that may block, on a thread of its own, never on the pool that all tasks share.
///
/// The task gets its answer when the work ends, or at once when it is cancelled; the thread then ends by itself, at
/// the work's own limit.
func onOwnThread<Value: Sendable>(
  in place: Place = .host, _ work: @escaping @Sendable () -> Result<Value, Unseen>
) async throws(Unseen) -> Value {
  let waiter = Waiter<Value>()
  let answer = await withTaskCancellationHandler {
    await withCheckedContinuation { continuation in
      waiter.wait(continuation)
      startThread {
        do throws(Unseen) {
          try enterNetwork(of: place)
          waiter.end(work())
        } catch { waiter.end(.failure(error)) }
      }
    }
  } onCancel: {
    waiter.end(.failure(.noAnswer(seconds: 0)))
  }
  return try answer.get()
}

/// The first answer counts, whoever gives it.
private final class Waiter<Value: Sendable>: Sendable {
  private enum State {
    case new
    case waiting(CheckedContinuation<Result<Value, Unseen>, Never>)
    case ended(Result<Value, Unseen>)
  }
  private let state = Mutex<State>(.new)

  func wait(_ continuation: CheckedContinuation<Result<Value, Unseen>, Never>) {
    let answer: Result<Value, Unseen>? = state.withLock { state in
      if case .ended(let answer) = state { return answer }
      state = .waiting(continuation)
      return nil
    }
    if let answer { continuation.resume(returning: answer) }
  }

  func end(_ answer: Result<Value, Unseen>) {
    let continuation: CheckedContinuation<Result<Value, Unseen>, Never>? = state.withLock { state in
      switch state {
      case .new:
        state = .ended(answer)
        return nil
      case .waiting(let continuation):
        state = .ended(answer)
        return continuation
      case .ended: return nil
      }
    }
    continuation?.resume(returning: answer)
  }
}

private final class Work: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func startThread(_ run: @escaping @Sendable () -> Void) {
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  pthread_attr_setstacksize(&attributes, 256 * 1024)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  var thread = pthread_t()
  let work = Unmanaged.passRetained(Work(run))
  let code = pthread_create(
    &thread, &attributes,
    { context in
      guard let context else { return nil }
      Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
      return nil
    }, work.toOpaque())
  pthread_attr_destroy(&attributes)
  if code != 0 { work.takeRetainedValue().run() }
}

/// Moves the calling thread, which must be one of its own, into a place's network namespace.
private func enterNetwork(of place: Place) throws(Unseen) {
  guard case .process(let pid) = place else { return }
  let path = "/proc/\(pid)/ns/net"
  let fd = open(path, O_RDONLY | O_CLOEXEC)
  guard fd >= 0 else { throw Unseen(errno: errno, what: path) }
  defer { close(fd) }
  guard shim_enter_network(fd) == 0 else { throw Unseen(errno: errno, what: "the network of process \(pid)") }
}

private final class Made: Sendable { let socket = Mutex<Int32>(-1) }

/// A socket made in a place's network namespace; it stays there, and can be used from anywhere. -1 on failure.
func makeSocket(in place: Place, _ family: Int32, _ type: Int32, _ protocolNumber: Int32) -> Int32 {
  guard place != .host else { return socket(family, type | Int32(SOCK_CLOEXEC.rawValue), protocolNumber) }
  let made = Made()
  var thread = pthread_t()
  let work = Unmanaged.passRetained(
    Work {
      guard (try? enterNetwork(of: place)) != nil else { return }
      made.socket.withLock { $0 = socket(family, type | Int32(SOCK_CLOEXEC.rawValue), protocolNumber) }
    })
  let code = pthread_create(
    &thread, nil,
    { context in
      guard let context else { return nil }
      Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().run()
      return nil
    }, work.toOpaque())
  guard code == 0 else { return -1 }
  pthread_join(thread, nil)
  work.release()
  return made.socket.withLock { $0 }
}

extension Unseen {
  /// Why the system did not let something be seen.
  init(errno code: Int32, what: String) {
    switch code {
    case EACCES, EPERM: self = .notPermitted(what: what)
    case ENOENT, ESRCH, ENOTDIR: self = .missing(what: what)
    default: self = .unreadable(what: what, why: String(cString: strerror(code)))
    }
  }
}
