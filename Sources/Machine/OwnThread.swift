internal import CLinux
internal import Glibc
internal import Model
internal import Synchronization

/// Runs `work`, which may block, on a thread of its own and returns what it gives.
///
/// Throws `noAnswer` as soon as the task is cancelled or `limit` seconds have passed. The thread is not stopped then:
/// it ends with its system call, and frees what it holds.
func onOwnThread<Value: Sendable>(
  limit: Double, _ work: @escaping @Sendable () throws(Unseen) -> Value
) async throws(Unseen) -> Value {
  let handover = Handover<Value>()
  let start = timespec.monotonic
  let timer = Task {
    try? await Task.sleep(for: .seconds(limit))
    handover.give(.failure(.noAnswer(seconds: limit)))
  }
  defer { timer.cancel() }
  let result = await withTaskCancellationHandler {
    await withCheckedContinuation { continuation in
      handover.wait(continuation)
      let job = Job {
        do throws(Unseen) { handover.give(.success(try work())) } catch { handover.give(.failure(error)) }
      }
      if let code = job.start() { handover.give(.failure(.system(code, "a thread"))) }
    }
  } onCancel: {
    handover.give(.failure(.noAnswer(seconds: timespec.monotonic - start)))
  }
  return try result.get()
}

/// One result for one waiting task; later results are dropped.
private final class Handover<Value: Sendable>: Sendable {
  private enum State {
    case empty
    case waiting(CheckedContinuation<Result<Value, Unseen>, Never>)
    case given(Result<Value, Unseen>)
    case done
  }

  private let state = Mutex(State.empty)

  func wait(_ continuation: CheckedContinuation<Result<Value, Unseen>, Never>) {
    let early = state.withLock { state -> Result<Value, Unseen>? in
      guard case .given(let result) = state else {
        state = .waiting(continuation)
        return nil
      }
      state = .done
      return result
    }
    if let early { continuation.resume(returning: early) }
  }

  func give(_ result: Result<Value, Unseen>) {
    let waiting = state.withLock { state -> CheckedContinuation<Result<Value, Unseen>, Never>? in
      switch state {
      case .empty:
        state = .given(result)
        return nil
      case .waiting(let continuation):
        state = .done
        return continuation
      case .given, .done: return nil
      }
    }
    waiting?.resume(returning: result)
  }
}

/// A detached thread.
private final class Job: Sendable {
  private let work: @Sendable () -> Void

  init(_ work: @escaping @Sendable () -> Void) { self.work = work }

  /// The error number if the system gives no thread.
  func start() -> Int32? {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 1 << 20)
    var thread = pthread_t()
    let me = Unmanaged.passRetained(self)
    // Signals are for the program's own threads.
    var signals = sigset_t()
    var before = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let code = pthread_create(
      &thread, &attributes,
      { job in
        job.map { Unmanaged<Job>.fromOpaque($0).takeRetainedValue().work() }
        return nil
      }, me.toOpaque())
    guard code != 0 else { return nil }
    me.release()
    return code
  }
}
