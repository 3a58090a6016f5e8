import CProcess
import Glibc
import World

/// What the program needs of the machine before it can look at anything, and what it says where that is missing.
enum Conditions {
  /// Makes the best of what the shell gave: no file may take the number of a standard stream that is closed, and as many
  /// files may be open as this user may allow.
  static func prepare() {
    // Swift's runtime would look for a program beside this one, and run it to describe a crash. The first process says
    // what happened.
    for fault in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(fault, SIG_DFL) }
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
      // Neither read nor written: whoever tries hears that it is closed.
      _ = open("/", O_RDONLY | O_DIRECTORY)
    }
    // Each thread would have 64 MB of addresses to itself, which a limit of memory (ulimit -v) counts.
    shim_share_memory(arenas)
    var files = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
    files.rlim_cur = files.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
  }

  /// Of malloc, which threads share.
  private static let arenas: Int32 = 2

  /// The words of the command line, without the program's name.
  static var arguments: [String] {
    let words = UnsafeBufferPointer(start: shim_arguments(), count: Int(shim_argument_count()))  // fits: C's int
    return words.dropFirst().compactMap { $0.map { String(cString: $0) } }
  }

  static let noThread =
    "this machine gives no more processes, threads or memory (see ulimit -u, ulimit -v and pids.max of the cgroup)"

  static let noFile = "too few files may be open at the same time (see ulimit -n)"

  /// Why nothing can be looked at here, in a sentence; nil if it can. Starts the threads that looking needs.
  static var obstacle: String? {
    if access("/proc/self/stat", F_OK) != 0 {
      return "/proc is not mounted here, and nothing can be looked at without it: mount -t proc proc /proc"
    }
    if !hasFiles { return noFile }
    if Workers.shared.count == 0 || !hasThreads { return noThread }
    return nil
  }

  /// Files that looks, and the runtime below them, have open at the same time.
  private static let files = 10

  private static var hasFiles: Bool {
    var opened: [Int32] = []
    defer { for file in opened { close(file) } }
    while opened.count < files {
      let file = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard file >= 0 else { return false }
      opened.append(file)
    }
    return true
  }

  /// Besides the workers: those of Swift's pool, of the terminal, of HTTP and of looks that block.
  private static let threads = 8
  /// Bytes of addresses that they, and what is looked at, need beside their stacks.
  private static let memory = 128 << 20

  /// The runtime waits for ever for a thread that it does not get, so they are asked for at once, before.
  private static var hasThreads: Bool {
    let end: UnsafeMutablePointer<sem_t> = .allocate(capacity: 1)
    defer { end.deallocate() }
    sem_init(end, 0, 0)
    var started: [pthread_t] = []
    for _ in 0..<threads {
      var thread = pthread_t()
      let code = pthread_create(
        &thread, nil,
        { end in
          while let end, sem_wait(end.assumingMemoryBound(to: sem_t.self)) != 0 {}
          return nil
        }, end)
      guard code == 0 else { break }
      started.append(thread)
    }
    let reserve = mmap(nil, memory, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    let hasMemory = reserve != MAP_FAILED
    if hasMemory { munmap(reserve, memory) }
    for _ in started { sem_post(end) }
    for thread in started { pthread_join(thread, nil) }
    sem_destroy(end)
    return started.count == threads && hasMemory
  }
}
