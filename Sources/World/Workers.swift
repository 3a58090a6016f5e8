internal import Glibc
internal import Synchronization

/// Threads for what computes: checks that read configurations, and looks that take answers apart.
///
/// Swift's own pool has as many threads as there are cores, and work that never waits keeps them all. It is left to time
/// limits, sessions and the terminal, which therefore go on however long a reader takes.
public final class Workers: TaskExecutor {
  public static let shared = Workers()

  /// How many threads the system gave: none where the machine is full.
  public let count: Int
  private let queue: Queue

  private static let counts = 4...16
  /// Bytes, whatever `ulimit -s` says: readers go into nested text by recursion.
  private static let stackSize = 8 << 20

  private init() {
    queue = Queue()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, Self.stackSize)
    // Signals are for the program's own threads.
    var signals = sigset_t()
    var before = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    count = (0..<min(max(cores, Self.counts.lowerBound), Self.counts.upperBound)).reduce(0) { [queue] count, _ in
      let argument = Unmanaged.passRetained(queue)
      var thread = pthread_t()
      let code = pthread_create(
        &thread, &attributes,
        { argument in
          if let argument { Unmanaged<Queue>.fromOpaque(argument).takeRetainedValue().work() }
          return nil
        }, argument.toOpaque())
      if code != 0 { argument.release() }
      return code == 0 ? count + 1 : count
    }
  }

  public func enqueue(_ job: consuming ExecutorJob) { queue.add(UnownedJob(job)) }

  /// Jobs in the order in which they came.
  private final class Queue: Sendable {
    private let jobs = Mutex<[UnownedJob]>([])
    /// Posted once for each job.
    private nonisolated(unsafe) let posts = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(posts, 0, 0) }

    func add(_ job: UnownedJob) {
      jobs.withLock { $0.append(job) }
      sem_post(posts)
    }

    func work() {
      while true {
        while sem_wait(posts) != 0 {}
        let job = jobs.withLock { $0.removeFirst() }
        job.runSynchronously(on: Workers.shared.asUnownedTaskExecutor())
      }
    }
  }
}
