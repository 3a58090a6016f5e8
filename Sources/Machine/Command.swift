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

/// A program with its arguments: no shell, no input, messages in English.
struct Invocation {
  let program: String
  let arguments: [String]

  static let outputLimit = 1_048_576

  /// Where the system keeps its own programs, which are not on everyone's PATH.
  static func find(_ name: String) -> String? {
    ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].map { $0 + name }.first { access($0, X_OK) == 0 }
  }

  /// Runs the program to its end and kills it, with all it started, after `limit` seconds.
  func run(limit: Double) throws(Unseen) -> CommandRun.Sight {
    let end = timespec.monotonic + limit
    let output = try Pipe()
    let errors = try Pipe()
    let id = try spawn(output, errors)
    output.closeWriter()
    errors.closeWriter()
    var streams = [[UInt8]](repeating: [], count: 2)
    var waits = [output, errors].map { pollfd(fd: $0.reader, events: Int16(POLLIN), revents: 0) }
    var status: Int32 = 0
    var hasEnded = false
    while timespec.monotonic < end {
      if waits.allSatisfy({ $0.fd < 0 }) {
        // It closed its output; it may still run for a moment.
        hasEnded = waitpid(id, &status, WNOHANG) == id
        if hasEnded { break }
        usleep(2000)
        continue
      }
      guard poll(&waits, 2, milliseconds(end - timespec.monotonic)) > 0 else { continue }
      for index in waits.indices where waits[index].revents != 0 {
        let piece = readPiece(waits[index].fd)
        if piece.isEmpty { waits[index].fd = -1 }
        streams[index] += piece.prefix(Self.outputLimit - streams[index].count)
      }
    }
    guard hasEnded else {
      kill(-id, SIGKILL)
      waitpid(id, &status, 0)
      throw .noAnswer(seconds: limit)
    }
    // The wait status: the exit code in the second byte, a signal in the first.
    let exitCode = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    let bytes = (streams[0] + streams[1]).prefix(Self.outputLimit)
    return CommandRun.Sight(exitCode: exitCode, output: String(decoding: bytes, as: UTF8.self))
  }

  private func readPiece(_ descriptor: Int32) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
      count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
  }

  /// Starts the program in a process group of its own, in this thread's network.
  private func spawn(_ output: Pipe, _ errors: Pipe) throws(Unseen) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writer, 1)
    posix_spawn_file_actions_adddup2(&actions, errors.writer, 2)
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    posix_spawnattr_setpgroup(&attributes, 0)
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)

    var words = ([program] + arguments).map { strdup($0) } + [nil]
    var environment = ["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"].map { (text: String) in strdup(text) } + [nil]
    defer { for word in words + environment { free(word) } }
    var id: pid_t = 0
    let code = posix_spawn(&id, program, &actions, &attributes, &words, &environment)
    guard code == 0 else { throw .system(code, program) }
    return id
  }
}

/// A pipe whose ends no other program inherits.
private final class Pipe {
  let reader: Int32
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

  deinit {
    close(reader)
    if writer >= 0 { close(writer) }
  }
}
