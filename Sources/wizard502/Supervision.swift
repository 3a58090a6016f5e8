import CProcess
import Glibc
import Terminal

/// A process of the program's own for what may fail: whatever traps there, or takes all memory, is told by the one that
/// started it.
///
/// It is made by `fork`, so the process that starts it has one thread, and none of Swift's concurrency, for ever.
struct Child {
  let id: pid_t

  /// Does `work` in a new process, which ends with this one at the latest; nil if there is none to be had.
  static func start(endingBy signal: Int32 = SIGKILL, _ work: () -> Never) -> Child? {
    let parent = getpid()
    let id = shim_fork()
    guard id == 0 else { return id > 0 ? Child(id: id) : nil }
    if shim_die_with_parent(signal, parent) != 0 { _exit(128 + signal) }
    work()
  }

  /// How a process ended: the wait status, made a value.
  enum End {
    case code(Int32)
    case signal(Int32)

    init(_ status: Int32) { self = status & 0x7F == 0 ? .code((status >> 8) & 0xFF) : .signal(status & 0x7F) }

    /// Signals by which a process is told to end; all others are its own fault.
    private static let requests: Set = [
      SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ,
    ]

    /// The sentence to be said if the program itself has failed.
    var fault: String? {
      guard case .signal(let number) = self, !Self.requests.contains(number) else { return nil }
      if number == SIGKILL { return "wizard502 was killed, as Linux does where memory runs out" }
      var memory = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &memory)
      let limit = memory.rlim_cur == rlim_t.max ? "" : " It may use \(memory.rlim_cur >> 20) MB of memory (ulimit -v)."
      return "wizard502 itself has failed (signal \(number)). Please report it, with what you typed.\(limit)"
    }
  }

  /// Waits until it ends.
  func end() -> End {
    var status: Int32 = 0
    while waitpid(id, &status, 0) < 0, errno == EINTR {}
    return End(status)
  }
}

extension Wizard502 {
  /// Does `work` in a process of its own, ends as that one does, and with 70 if it failed.
  ///
  /// Where no other process can be had, the work, which needs no thread, is done here.
  static func supervised(_ work: () -> Exit) -> Never {
    guard let child = Child.start({ end(work().rawValue) }) else { end(work().rawValue) }
    end(as: child.end())
  }

  /// The same for work that has the terminal: that is given back for it, and it is stopped and goes on with its shell.
  static func supervisedOnTerminal(_ work: () -> Never) -> Never {
    let modes = Terminal.Modes()
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGCHLD, SIGTTOU] + Self.forwarded { sigaddset(&signals, signal) }
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, &signals, &before)
    let child = Child.start(endingBy: SIGTERM) {
      pthread_sigmask(SIG_SETMASK, &before, nil)
      work()
    }
    guard let child else { refuse(Conditions.noThread) }
    sigdelset(&signals, SIGTTOU)
    while true {
      var cause = siginfo_t()
      let signal = sigwaitinfo(&signals, &cause)
      // A signal for the whole group is heard by the child, too: to be stopped twice would be once too often.
      if signal == SIGTSTP { usleep(100_000) }
      var status: Int32 = 0
      guard waitpid(child.id, &status, WNOHANG | WUNTRACED) == child.id else {
        // Those that the terminal sends always go to the whole group.
        if forwarded.contains(signal), cause.si_code <= 0 { kill(child.id, signal) }
        continue
      }
      if status & 0xFF == 0x7F {
        raise(SIGSTOP)
        // Whoever woke up this process alone meant both.
        if waitpid(child.id, &status, WNOHANG | Int32(WCONTINUED)) != child.id { kill(child.id, SIGCONT) }
        continue
      }
      modes.restore()
      pthread_sigmask(SIG_SETMASK, &before, nil)
      end(as: Child.End(status))
    }
  }

  /// Signals for the one that works.
  private static let forwarded = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2]

  /// Ends as another process has ended.
  static func end(as other: Child.End) -> Never {
    switch other {
    case .code(let code): end(code)
    case .signal(let number):
      if let fault = other.fault { refuse(fault) }
      var core = rlimit()
      setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core)
      signal(number, SIG_DFL)
      raise(number)
      end(128 + number)
    }
  }

  /// Says why the program cannot do its work, and ends.
  static func refuse(_ sentence: String) -> Never {
    complain("wizard502: \(sentence)")
    end(Exit.fault.rawValue)
  }
}
