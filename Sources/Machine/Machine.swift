internal import Glibc
public import Model
internal import Synchronization
public import World

/// The real machine: every look of `World`, taken with system calls, libcurl, c-ares and SQLite. It changes nothing.
public final class Machine: World {
  let environment: [String: String]
  /// The engine that answered first; asked for once.
  let engine = Mutex<DockerEngine?>(nil)
  /// `--docker`: an address such as `unix:///run/docker.sock`, before all others.
  let dockerHost: String?

  /// - Parameters:
  ///   - dockerHost: the engine's address, `unix://PATH` or `tcp://HOST:PORT`; nil: as the `docker` command finds it.
  ///   - environment: the variables that the `docker` command reads (`DOCKER_HOST`, `HOME`, `XDG_RUNTIME_DIR` …).
  public init(dockerHost: String? = nil, environment: [String: String] = Machine.environment) {
    self.dockerHost = dockerHost
    self.environment = environment
  }

  /// This process's own environment.
  public static var environment: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
      entry += 1
    }
    return variables
  }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    guard let look = look as? any MachineLook else { throw .unreadable(what: L.kind, why: .init(.noSuchLook)) }
    guard let sight = try await take(look) as? L.Sight else { preconditionFailure("the sight of another look") }
    return sight
  }

  private func take<L: MachineLook>(_ look: L) async throws(Unseen) -> any Sendable {
    try await look.taken(on: self)
  }
}

/// A look as it is taken on the real machine.
protocol MachineLook: Look {
  /// Ends at the look's own limit, or at once with `noAnswer` when the task is cancelled.
  func taken(on machine: Machine) async throws(Unseen) -> Sight
}

extension IsRoot: MachineLook {
  func taken(on machine: Machine) async throws(Unseen) -> Bool { geteuid() == 0 }
}

extension timespec {
  var seconds: Double { Double(tv_sec) + Double(tv_nsec) / 1e9 }

  /// Seconds on a clock of the kernel's.
  static func now(on clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return time.seconds
  }

  /// Seconds on a clock that nobody sets.
  static var monotonic: Double { now(on: CLOCK_MONOTONIC) }
}

/// Seconds as poll(2) wants them, rounded up.
func milliseconds(_ seconds: Double) -> Int32 { Int32(clamping: Int(clamping: (seconds * 1000).rounded(.up))) }

extension Unseen {
  /// The system's error number in words of a look.
  static func system(_ code: Int32, _ what: String) -> Unseen {
    switch code {
    case EPERM, EACCES: .notPermitted(what: what)
    // ESRCH: the process behind a file of /proc ended.
    case ENOENT, ENOTDIR, ESRCH: .missing(what: what)
    case ENOSYS: .unreadable(what: what, why: .init(.oldKernel, "5.6"))
    default: .unreadable(what: what, why: .said(String(cString: strerror(code))))
    }
  }
}
