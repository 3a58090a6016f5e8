internal import CLinux
internal import Glibc
internal import Model
internal import World

extension CommandRun: MachineLook {
  /// Throws `notPermitted` without root, `missing` where the program is not. Nothing of a proxy's is ever run.
  func taken(on machine: Machine) async throws(Unseen) -> Sight {
    let (name, arguments) = command.words
    guard let program = Invocation.find(name) else { throw .missing(what: name) }
    let invocation = Invocation(program: program, arguments: arguments)
    let limit = limit
    return try await place.inNetwork(limit: limit + 1) { () throws(Unseen) -> Sight in
      let sight = try invocation.run(limit: limit)
      if sight.exitCode != 0, geteuid() != 0 { throw .notPermitted(what: program) }
      return sight
    }
  }
}

extension CommandRun.Command {
  fileprivate var words: (program: String, arguments: [String]) {
    switch self {
    case .packetFilter: ("iptables-save", ["-c"])
    case .packetFilter6: ("ip6tables-save", ["-c"])
    case .nftables: ("nft", ["-j", "list", "ruleset"])
    }
  }
}

/// A program with its arguments: no shell, and, unless it is said, no input and messages in English.
struct Invocation {
  let program: String
  let arguments: [String]
  /// What it reads.
  var input: [UInt8] = []
  var environment = ["LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
  /// Bytes of its output, and of its errors, that are kept.
  var outputLimit = 1_048_576
  /// False: what the terminal tells this program, such as Ctrl-C, it hears as well.
  var isApart = true

  /// How it ended, and what it wrote.
  struct End {
    /// 128 + N after signal N, as a shell says it; nil: it was killed at the limit.
    let exitCode: Int32?
    let output: [UInt8]
    let errors: [UInt8]
  }

  /// Where the system keeps its own programs, which are not on everyone's PATH.
  static func find(_ name: String) -> String? {
    ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].map { $0 + name }.first { access($0, X_OK) == 0 }
  }

  /// Runs the program to its end; throws `noAnswer` after `limit` seconds.
  func run(limit: Double) throws(Unseen) -> CommandRun.Sight {
    let end = try ended(limit: limit)
    guard let exitCode = end.exitCode else { throw .noAnswer(seconds: limit) }
    let bytes = (end.output + end.errors).prefix(outputLimit)
    return CommandRun.Sight(exitCode: exitCode, output: String(decoding: bytes, as: UTF8.self))
  }

  /// Runs the program, and kills it after `limit` seconds, with all it started if it is apart.
  func ended(limit: Double) throws(Unseen) -> End {
    let end = timespec.monotonic + limit
    let (output, errors, input) = (try Pipe(), try Pipe(), try Pipe())
    let id = try spawn(output, errors, input)
    output.closeWriter()
    errors.closeWriter()
    input.closeReader()
    _ = fcntl(input.writer, F_SETFL, O_NONBLOCK)
    var rest = self.input[...]
    var streams = [[UInt8]](repeating: [], count: 2)
    var waits = [output, errors].map { pollfd(fd: $0.reader, events: Int16(POLLIN), revents: 0) }
    waits.append(pollfd(fd: input.writer, events: Int16(POLLOUT), revents: 0))
    var status: Int32 = 0
    var hasEnded = false
    while timespec.monotonic < end {
      if waits[0].fd < 0 {
        // It closed its output; it may still run for a moment, and what it started may keep its errors.
        hasEnded = waitpid(id, &status, WNOHANG) == id
        if hasEnded, waits[1].fd < 0 || poll(&waits[1], 1, 0) == 0 { break }
      }
      if rest.isEmpty, waits[2].fd >= 0 {
        input.closeWriter()
        waits[2].fd = -1
      }
      let pause = waits[0].fd < 0 ? 2 : milliseconds(end - timespec.monotonic)
      guard poll(&waits, 3, pause) > 0 else { continue }
      for index in 0..<2 where waits[index].revents != 0 {
        let piece = readPiece(waits[index].fd)
        if piece.isEmpty { waits[index].fd = -1 }
        streams[index] += piece.prefix(outputLimit - streams[index].count)
      }
      if waits[2].revents != 0 {
        let count = rest.withUnsafeBytes { write(input.writer, $0.baseAddress, $0.count) }
        // Who does not want it any more has closed it: signals are not for this thread (`onOwnThread`).
        rest = count < 0 && errno != EAGAIN ? [] : rest.dropFirst(max(0, count))
      }
    }
    guard hasEnded else {
      kill(isApart ? -id : id, SIGKILL)
      waitpid(id, &status, 0)
      return End(exitCode: nil, output: streams[0], errors: streams[1])
    }
    // The wait status: the exit code in the second byte, a signal in the first.
    let exitCode = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    return End(exitCode: exitCode, output: streams[0], errors: streams[1])
  }

  /// A program that has printed something and runs until its input ends: with this value, or with this process.
  final class Running: Sendable {
    private let pipes: [Pipe]
    private let id: pid_t

    fileprivate init(_ id: pid_t, _ pipes: [Pipe]) { (self.id, self.pipes) = (id, pipes) }

    deinit {
      pipes.forEach { $0.closeWriter() }
      waitpid(id, nil, WNOHANG)
    }
  }

  enum Start {
    case running(Running)
    case ended(End)
  }

  /// Starts the program and waits for the first that it prints, or for its end; kills it after `limit` seconds without both.
  func started(limit: Double) throws(Unseen) -> Start {
    let (output, errors, input) = (try Pipe(), try Pipe(), try Pipe())
    let id = try spawn(output, errors, input)
    output.closeWriter()
    errors.closeWriter()
    input.closeReader()
    var wait = pollfd(fd: output.reader, events: Int16(POLLIN), revents: 0)
    if poll(&wait, 1, milliseconds(limit)) > 0, !readPiece(output.reader).isEmpty {
      return .running(Running(id, [output, errors, input]))
    }
    var status: Int32 = 0
    // Its output is closed, so it ends in a moment; or it is silent.
    let end = timespec.monotonic + (wait.revents != 0 ? 1 : 0)
    var hasEnded = waitpid(id, &status, WNOHANG) == id
    while !hasEnded, timespec.monotonic < end {
      usleep(2000)
      hasEnded = waitpid(id, &status, WNOHANG) == id
    }
    if !hasEnded {
      kill(id, SIGKILL)
      waitpid(id, &status, 0)
    }
    let exitCode = status & 0x7F == 0 ? (status >> 8) & 0xFF : nil
    return .ended(End(exitCode: hasEnded ? exitCode : nil, output: [], errors: readPiece(errors.reader)))
  }

  private func readPiece(_ descriptor: Int32) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
      count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
  }

  /// Starts the program in this thread's network.
  private func spawn(_ output: Pipe, _ errors: Pipe, _ input: Pipe) throws(Unseen) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input.reader, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writer, 1)
    posix_spawn_file_actions_adddup2(&actions, errors.writer, 2)
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    let group = isApart ? POSIX_SPAWN_SETPGROUP : 0
    posix_spawnattr_setflags(&attributes, Int16(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    posix_spawnattr_setpgroup(&attributes, 0)
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)

    var words = ([program] + arguments).map { strdup($0) } + [nil]
    var environment = self.environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for word in words + environment { free(word) } }
    var id: pid_t = 0
    let code = posix_spawn(&id, program, &actions, &attributes, &words, &environment)
    guard code == 0 else { throw .system(code, program) }
    return id
  }
}

/// A pipe whose ends no other program inherits.
private final class Pipe: @unchecked Sendable {
  private(set) var reader: Int32
  private(set) var writer: Int32

  init() throws(Unseen) {
    var ends: [Int32] = [-1, -1]
    guard shim_pipe(&ends) == 0 else { throw .system(errno, "a pipe") }
    reader = ends[0]
    writer = ends[1]
  }

  func closeWriter() {
    close(writer)
    writer = -1
  }

  func closeReader() {
    close(reader)
    reader = -1
  }

  deinit {
    if reader >= 0 { close(reader) }
    if writer >= 0 { close(writer) }
  }
}
