import Foundation
import Synchronization
import Testing

/// The program under test, as a process: `.build/debug/wizard502` of this package, or what `WIZARD502` names.
enum Program {
  struct Run: Sendable {
    /// 128 + N after signal N, as a shell says it.
    var status: Int32
    var output: String
    var errors: String
    var seconds: Double

    /// The diagnosis; throws if standard output is anything but one JSON object.
    var diagnosis: Diagnosis {
      get throws { try JSONDecoder().decode(Diagnosis.self, from: Data(output.utf8)) }
    }

    /// One sentence of the program on standard error and nothing on standard output.
    var complaint: String? {
      output.isEmpty && errors.hasPrefix("wizard502: ") && errors.split(separator: "\n").count == 1 ? errors : nil
    }
  }

  struct Diagnosis: Decodable {
    struct Cause: Decodable {
      let id: String
      let confidence: String
      let evidence: [String]
      let fix: Fix
    }
    struct Fix: Decodable { let steps: [Step] }
    struct Step: Decodable {
      let command: String?
      let place: String?
    }
    struct Check: Decodable {
      let id: String
      let outcome: String
      let summary: String
    }
    struct Observed: Decodable {
      let status: Int?
      let error: String?
    }
    struct Proxy: Decodable { let kind: String }
    let url: String
    let host: String?
    let proxy: Proxy?
    let verdict: String
    let observed: Observed
    let causes: [Cause]
    let checks: [Check]
  }

  static let path: String =
    ProcessInfo.processInfo.environment["WIZARD502"]
    ?? URL(filePath: #filePath).appending(path: "../../../.build/debug/wizard502").standardizedFileURL.path()

  /// Whether a process is no more. In a container whose first process waits for nobody one that has ended stays in the table.
  static func hasEnded(_ process: pid_t) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    return !status.contains("State:") || status.contains("State:\tZ")
  }

  /// No engine: what a diagnosis of a site sees without Docker is the same everywhere.
  static let withoutDocker = ["DOCKER_HOST": "unix:///nonexistent.sock"]

  /// Runs the program, or `command` in its place, and waits for its end.
  ///
  /// Expects that it ends within `limit` seconds and that none of its output has characters a terminal obeys.
  static func run(
    _ arguments: String..., command: [String] = [path], environment: [String: String] = withoutDocker,
    limit: Double = 30, interruptedWhen: @Sendable () -> Bool = { false },
    at place: SourceLocation = #_sourceLocation
  ) async throws -> Run {
    try await run(
      arguments, command: command, environment: environment, limit: limit, interruptedWhen: interruptedWhen,
      at: place)
  }

  static func run(
    _ arguments: [String], command: [String] = [path], environment: [String: String] = withoutDocker,
    limit: Double = 30, interruptedWhen: @Sendable () -> Bool = { false },
    at place: SourceLocation = #_sourceLocation
  ) async throws -> Run {
    let folder = try Folder()
    let files = ["out", "err"].map { folder.path + "/" + $0 }
    let start = ContinuousClock.now
    let child = try spawn(command + arguments, environment, output: files[0], errors: files[1])
    var state: Int32 = 0
    var isInterrupted = false
    while waitpid(child, &state, WNOHANG) == 0 {
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      if !isInterrupted, interruptedWhen() {
        kill(child, SIGINT)
        isInterrupted = true
      }
      if seconds > limit { kill(child, SIGKILL) }
      try? await Task.sleep(for: .milliseconds(10))
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let texts = try files.map { try Data(contentsOf: URL(filePath: $0)) }.map { String(decoding: $0, as: UTF8.self) }
    let status = state & 0x7F == 0 ? (state >> 8) & 0xFF : 128 + (state & 0x7F)
    #expect(seconds <= limit, "it did not end by itself", sourceLocation: place)
    for text in texts {
      #expect(text.obeyed.isEmpty, "a terminal would obey this", sourceLocation: place)
    }
    return Run(status: status, output: texts[0], errors: texts[1], seconds: seconds)
  }

  private static func spawn(
    _ words: [String], _ environment: [String: String], output: String, errors: String
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT, 0o600)
    // This thread may block or ignore signals; the program is to hear them.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigaddset(&signals, SIGINT)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
    var child = pid_t()
    let program = words[0]
    let failure = withCStrings(words) { words in
      withCStrings(variables) { variables in
        posix_spawnp(&child, program, &actions, &attributes, words, variables)
      }
    }
    guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EIO) }
    return child
  }

  private static func withCStrings<Result>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }
}

extension String {
  /// Characters that a terminal obeys, hides or reorders; line ends and tabs are none.
  var obeyed: [String] {
    let kinds: [Unicode.GeneralCategory] = [.control, .format, .lineSeparator, .paragraphSeparator]
    return unicodeScalars.filter { $0 != "\n" && $0 != "\t" && kinds.contains($0.properties.generalCategory) }
      .map { $0.escaped(asASCII: true) }
  }
}

/// A temporary folder, removed with its last reference.
final class Folder: Sendable {
  let path = FileManager.default.temporaryDirectory.appending(path: "program-\(UUID().uuidString)").path()

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws {
    let file = URL(filePath: path).appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }
}

/// A server of the test's own on a free loopback port or on a Unix socket.
///
/// `answer` runs on a thread of its own for each connection, which is closed afterwards.
final class Server: Sendable {
  let port: UInt16
  private let listener: Int32
  private let heard = Heard()

  var url: String { "http://127.0.0.1:\(port)/" }
  /// The first line of each request so far.
  var requests: [String] { heard.lines.withLock { $0 } }

  init(_ answer: @escaping @Sendable (Peer) -> Void) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    try Self.listen(listener, &address)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { [listener] in
      _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
    }
    port = UInt16(bigEndian: address.sin_port)
    accept(answer)
  }

  init(unixSocket: String, _ answer: @escaping @Sendable (Peer) -> Void) throws {
    port = 0
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(unixSocket.utf8)) }
    try Self.listen(listener, &address)
    accept(answer)
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  private static func listen<Address>(_ listener: Int32, _ address: inout Address) throws {
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<Address>.size))
      }
    }
    guard bound == 0, Glibc.listen(listener, 64) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
  }

  private func accept(_ answer: @escaping @Sendable (Peer) -> Void) {
    // Its number is free for others only once nobody waits on it any more.
    Thread.detachNewThread { [listener, heard] in
      defer { close(listener) }
      while true {
        let connection = Glibc.accept(listener, nil, nil)
        guard connection >= 0 else { return }
        Thread.detachNewThread {
          answer(Peer(number: connection, heard: heard))
          close(connection)
        }
      }
    }
  }
}

private final class Heard: Sendable {
  let lines = Mutex<[String]>([])
}

/// The other end of a connection to a `Server`.
struct Peer: Sendable {
  let number: Int32
  fileprivate let heard: Heard

  /// The path of the next request, read up to its empty line; nil once the other side is gone.
  func request() -> String? {
    var text = ""
    var bytes = [UInt8](repeating: 0, count: 4096)
    while !text.contains("\r\n\r\n") {
      let count = read(number, &bytes, bytes.count)
      guard count > 0 else { return nil }
      text += String(decoding: bytes.prefix(count), as: UTF8.self)
    }
    let line = String(text.prefix { $0 != "\r\n" })
    heard.lines.withLock { $0.append(line) }
    return line.split(separator: " ").dropFirst().first.map(String.init)
  }

  /// False once the other side is gone.
  @discardableResult
  func send(_ bytes: some Sequence<UInt8>) -> Bool {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  @discardableResult
  func send(_ text: String) -> Bool { send(text.utf8) }

  func answer(_ status: String, headers: String = "", body: some Sequence<UInt8>) {
    let body = Array(body)
    send("HTTP/1.1 \(status)\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\(headers)\r\n")
    send(body)
  }

  /// Ends the process at the other side by a signal, as a fault of its own would; it may be dead already, by another of
  /// its connections.
  func kill(_ signal: Int32) {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(number, $0, &size) }
    }
    let digits = String(UInt16(bigEndian: address.sin_port), radix: 16, uppercase: true)
    let local = "0100007F:" + String(repeating: "0", count: 4 - digits.count) + digits
    // A table that changes while it is read may lack a row.
    for _ in 0..<50 {
      if let owner = Self.owner(ofSocketAt: local) {
        Glibc.kill(owner, signal)
        return
      }
      usleep(2000)
    }
  }

  private static func owner(ofSocketAt local: String) -> pid_t? {
    // Read piece by piece: the kernel does not give a long table at once.
    let table = FileHandle(forReadingAtPath: "/proc/net/tcp")?.readDataToEndOfFile() ?? Data()
    let rows = String(decoding: table, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
    guard let inode = rows.first(where: { $0.count > 9 && $0[1] == local && $0[9] != "0" })?[9] else { return nil }
    let processes = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
    return processes.first { process in
      let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []
      return files.contains {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\($0)")) == "socket:[\(inode)]"
      }
    }
  }

  /// Says nothing until the other side closes.
  func hold() {
    var byte: UInt8 = 0
    while read(number, &byte, 1) > 0 {}
  }
}
