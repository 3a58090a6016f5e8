import FoundationEssentials
import Glibc

/// Runs drivers, each in a process of its own that may die, and counts what they find.
struct Hunt {
  let drivers: [String]
  let repository: String
  /// The folder for inputs that are findings, and for those that went new ways.
  let out: String
  /// For each driver.
  let seconds: Int
  let runs: Int
  let seed: UInt64
  /// How many run at a time.
  let jobs: Int

  /// True if there was no finding.
  func run() -> Bool {
    for folder in [out] + drivers.map({ "\(out)/\($0)" }) {
      _ = try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    var waiting = drivers[...]
    var running: [Chase] = []
    var done: [Chase] = []
    while !waiting.isEmpty || !running.isEmpty {
      while running.count < jobs, let name = waiting.popFirst() {
        guard let chase = Chase(name, self) else {
          print("\(name): its memory cannot be shared, or it cannot be started")
          return false
        }
        running.append(chase)
      }
      usleep(50_000)
      running.removeAll { chase in
        let isDone = chase.isDone()
        if isDone { done.append(chase) }
        return isDone
      }
    }
    print(row("name", "runs", "CPU s", "new ways", "findings", "slowest", "memory"))
    for chase in drivers.compactMap({ name in done.first { $0.name == name } }) {
      print(
        row(
          chase.name, "\(chase.slate.runs)", "\(Int(chase.cpu))", "\(chase.slate.found)", "\(chase.findings.count)",
          "\(chase.slate.slowest) ms", "\(chase.slate.memory / 1024) MB"))
    }
    return done.allSatisfy { $0.findings.isEmpty && $0.slate.runs > 0 }
  }

  private func row(_ cells: String...) -> String {
    zip(cells, [20, 9, 7, 9, 9, 10, 9]).enumerated().map { index, cell in
      let blanks = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
      return index == 0 ? cell.0 + blanks : blanks + cell.0
    }.joined(separator: " ")
  }
}

/// One driver's processes, one after the other.
private final class Chase {
  let name: String
  let slate: Slate
  private(set) var cpu = 0.0
  private(set) var findings: [Flaw] = []
  private let hunt: Hunt
  private let end: Int
  private var process: Process
  /// What ended the process from outside.
  private var reason: String?

  init?(_ name: String, _ hunt: Hunt) {
    let path = "\(hunt.out)/\(name).slate"
    unlink(path)
    guard let slate = Slate(path: path) else { return nil }
    let end = milliseconds(CLOCK_MONOTONIC) + hunt.seconds * 1000
    guard let process = Self.start(name, hunt, from: 0, until: end) else { return nil }
    (self.name, self.slate, self.hunt, self.end, self.process) = (name, slate, hunt, end, process)
  }

  deinit { unlink("\(hunt.out)/\(name).slate") }

  private static func start(_ name: String, _ hunt: Hunt, from: Int, until end: Int) -> Process? {
    let left = max(1, (end - milliseconds(CLOCK_MONOTONIC)) / 1000)
    return Process(
      [
        name, "--slate", "\(hunt.out)/\(name).slate", "--repository", hunt.repository, "--seed", "\(hunt.seed)",
        "--seconds", "\(left)", "--runs", "\(hunt.runs)", "--from", "\(from)", "--corpus", "\(hunt.out)/\(name)",
      ], environment: environment(tracing: false), output: "\(hunt.out)/\(name).out")
  }

  /// The same for each process, so that the same input goes the same way.
  private static func environment(tracing: Bool) -> [String] {
    [
      "SWIFT_DETERMINISTIC_HASHING=1", "PATH=/usr/bin:/bin",
      "LD_LIBRARY_PATH=\(getenv("LD_LIBRARY_PATH").map { String(cString: $0) } ?? "")",
      // A trace takes seconds.
      tracing && !Limit.isSanitized
        ? "SWIFT_BACKTRACE=enable=yes,color=no,threads=crashed,images=none,registers=none,interactive=no,timeout=60s"
        : "SWIFT_BACKTRACE=enable=no",
      "ASAN_OPTIONS=detect_leaks=0:handle_sigill=\(tracing ? 1 : 0):handle_sigtrap=\(tracing ? 1 : 0):handle_abort=\(tracing ? 1 : 0):symbolize=\(tracing ? 1 : 0):quarantine_size_mb=8:thread_local_quarantine_size_kb=64:allocator_may_return_null=0:abort_on_error=0",
    ]
  }

  /// Looks after the process; true once the time is over.
  func isDone() -> Bool {
    let began = slate.began
    if began > 0, milliseconds(CLOCK_MONOTONIC) - began > Limit.hang { stop("hang") }
    if process.memory > Limit.mostKilobytes { stop("memory") }
    guard let ended = process.ended() else { return false }
    cpu += ended.seconds
    let complaint = slate.complaint
    if let reason {
      note(reason, reason)
    } else if ended.signal != 0 || ended.code != 0 {
      crashed(ended.signal == 0 ? "exit \(ended.code)" : "signal \(ended.signal)")
    } else if complaint != .none {
      note(complaint == .slow ? "slow" : "memory", "\(slate.last) ms CPU, \(slate.memory / 1024) MB")
    } else {
      return true
    }
    guard milliseconds(CLOCK_MONOTONIC) + 1000 < end, slate.number + 1 < hunt.runs,
      findings.reduce(0, { $0 + $1.count }) < 200,
      let next = Self.start(name, hunt, from: slate.number + 1, until: end)
    else { return true }
    (reason, slate.complaint, slate.began) = (nil, .none, 0)
    process = next
    return false
  }

  private func stop(_ why: String) {
    if reason == nil { kill(process.id, SIGKILL) }
    reason = reason ?? why
  }

  /// Runs the input once more, alone and with a trace.
  private func crashed(_ how: String) {
    let file = save(slate.input)
    guard
      let again = Process(
        [name, "--input", file], environment: Self.environment(tracing: true), output: "\(hunt.out)/\(name).trace")
    else { return }
    let ended = again.end(within: 120_000)
    let trace = again.words
    let isSeen = ended.signal != 0 || ended.code != 0
    let words = trace.split(whereSeparator: \.isNewline).first {
      ["atal error", "untime failure", "ERROR: "].contains(where: $0.contains)
    }
    add(
      Flaw(
        place: isSeen ? Flaw.place(in: trace) ?? how : "\(how), not seen again",
        words: words.map { String($0) } ?? how, file: file))
  }

  private func note(_ place: String, _ words: String) {
    add(Flaw(place: place, words: words, file: save(slate.input)))
  }

  private func add(_ finding: Flaw) {
    if let index = findings.firstIndex(where: { $0.place == finding.place }) {
      findings[index].count += 1
      // The first one tells; of slow ones each may have a reason of its own.
      if findings[index].count > 5, finding.file != findings[index].file { unlink(finding.file) }
      return
    }
    findings.append(finding)
    print("\(name): \(finding.place): \(finding.words) (\(finding.file))")
    fflush(nil)
  }

  private func save(_ input: [UInt8]) -> String {
    let path = "\(hunt.out)/crash-\(name)-\(String(input.fingerprint, radix: 16))"
    _ = FileManager.default.createFile(atPath: path, contents: Data(input))
    return path
  }
}
