import Foundation
import Glibc
import Model
import Testing
import World

/// A folder of the test's own, removed with it.
final class TestFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "wizard502-\(UUID().uuidString.prefix(8))").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws -> String {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(filePath: file))
    return file
  }
}

/// A program that runs beside the test and is ended with it.
final class TestProgram: Sendable {
  let id: Int32
  private let output: Int32
  /// What it said until the sign came.
  let text: String

  /// Starts it and waits until it said a line with `sign`.
  init(_ arguments: [String], until sign: String) throws {
    (id, output) = try spawn(arguments)
    var text = ""
    while !text.contains(sign) || !text.hasSuffix("\n") {
      guard let piece = readPiece(output) else { throw Unseen.missing(what: "\(arguments): \(text)") }
      text += piece
    }
    self.text = text
  }

  deinit {
    kill(id, SIGKILL)
    waitpid(id, nil, 0)
    close(output)
  }

  var place: Place { .process(id) }

  /// A process in a network of its own: loopback only, and what is sent to port 9 is dropped.
  static func inOwnNetwork() throws -> TestProgram {
    let setUp = "ip link set lo up && iptables -A INPUT -p tcp --dport 9 -j DROP && echo ready && exec sleep 600"
    return try TestProgram(["unshare", "--net", "sh", "-c", setUp], until: "ready")
  }

  /// A process whose root is `folder`.
  static func withRoot(_ folder: TestFolder) throws -> TestProgram {
    let program = "$| = 1; chroot $ARGV[0] or die $!; chdir '/'; print qq(ready\\n); sleep 600"
    return try TestProgram(["perl", "-e", program, folder.path], until: "ready")
  }
}

/// Runs a program to its end; throws what it said if it failed.
@discardableResult
func run(_ arguments: String..., in folder: String? = nil) throws -> String {
  try run(arguments: arguments, in: folder)
}

@discardableResult
func run(arguments: [String], in folder: String? = nil) throws -> String {
  let (id, output) = try spawn(arguments, in: folder)
  defer { close(output) }
  var text = ""
  while let piece = readPiece(output) { text += piece }
  var status: Int32 = 0
  waitpid(id, &status, 0)
  guard status == 0 else { throw Unseen.unreadable(what: arguments[0], why: .said(text)) }
  return text
}

/// Starts a program of the PATH; gives its id and where its output and errors can be read.
private func spawn(_ arguments: [String], in folder: String? = nil) throws -> (Int32, Int32) {
  var ends: [Int32] = [0, 0]
  pipe(&ends)
  for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  defer { close(ends[1]) }
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
  // `env -C` goes into the folder.
  var words = (["env"] + (folder.map { ["-C", $0] } ?? []) + arguments).map { strdup($0) } + [nil]
  defer { for word in words { free(word) } }
  var id: pid_t = 0
  let code = posix_spawn(&id, "/usr/bin/env", &actions, nil, &words, environ)
  guard code == 0 else { throw Unseen.missing(what: arguments[0]) }
  return (id, ends[0])
}

/// Nil at the end.
private func readPiece(_ descriptor: Int32) -> String? {
  var bytes = [UInt8](repeating: 0, count: 4096)
  let count = read(descriptor, &bytes, bytes.count)
  return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
}

/// What a look throws; nil if it does not.
func unseen(_ look: () async throws -> some Any) async -> Unseen? {
  do {
    _ = try await look()
    return nil
  } catch {
    return error as? Unseen
  }
}
