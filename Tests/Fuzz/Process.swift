import Glibc

/// This program again, with other arguments.
struct Process {
  let id: pid_t
  /// Where its output goes.
  let output: String

  /// Nil where it cannot be started.
  init?(_ arguments: [String], environment: [String], output: String) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var words = (["fuzz"] + arguments).map { strdup($0) } + [nil]
    var variables = environment.map { strdup($0) } + [nil]
    defer { for text in words + variables { free(text) } }
    var id: pid_t = 0
    guard posix_spawn(&id, "/proc/self/exe", &actions, nil, &words, &variables) == 0 else { return nil }
    (self.id, self.output) = (id, output)
  }

  /// What it was at its end; nil while it runs.
  func ended() -> (signal: Int32, code: Int32, seconds: Double)? {
    var (status, usage): (Int32, rusage) = (0, rusage())
    guard wait4(id, &status, WNOHANG, &usage) == id else { return nil }
    let times = [usage.ru_utime, usage.ru_stime].map { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }
    return (status & 0x7F, (status >> 8) & 0xFF, times.reduce(0, +))
  }

  /// Waits so many milliseconds at most, then ends it.
  func end(within limit: Int) -> (signal: Int32, code: Int32, seconds: Double) {
    let end = milliseconds(CLOCK_MONOTONIC) + limit
    while true {
      if let ended = ended() { return ended }
      if milliseconds(CLOCK_MONOTONIC) > end { kill(id, SIGKILL) }
      usleep(20_000)
    }
  }

  /// Its resident memory in kilobytes.
  var memory: Int {
    guard let text = text(of: "/proc/\(id)/statm", most: 256), let pages = text.split(separator: " ").dropFirst().first
    else {
      return 0
    }
    return (Int(pages) ?? 0) * 4
  }

  var words: String { text(of: output, most: 1 << 20) ?? "" }
}

/// The most resident memory that this process has had, in kilobytes. (`ru_maxrss` begins with that of who started it.)
func mostMemory() -> Int {
  let lines = text(of: "/proc/self/status", most: 4096)?.split(separator: "\n") ?? []
  let line = lines.first { $0.hasPrefix("VmHWM:") }
  return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
}

/// The first bytes of a file, as text.
private func text(of path: String, most: Int) -> String? {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return nil }
  defer { close(file) }
  var bytes = [UInt8](repeating: 0, count: most)
  let count = read(file, &bytes, bytes.count)
  return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
}
