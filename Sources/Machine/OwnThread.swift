internal import CLinux
internal import Glibc
internal import Model
internal import World

/// Runs `work`, which may block, on a thread of its own and returns what it gives.
///
/// Throws `noAnswer` as soon as the task is cancelled or `limit` seconds have passed. The thread is not stopped then:
/// it ends with its system call, and frees what it holds.
func onOwnThread<Value: Sendable>(
  limit: Double, _ work: @escaping @Sendable () throws(Unseen) -> Value
) async throws(Unseen) -> Value {
  let handover = Handover<Value>()
  let job = Job {
    do throws(Unseen) { handover.give(.success(try work())) } catch { handover.give(.failure(error)) }
  }
  if let code = job.start() { throw .system(code, "a thread") }
  return try await handover.result(within: limit).get()
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
