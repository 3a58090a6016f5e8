import Foundation
import Glibc
import Pane
import Testing

/// A real sshd on a free port of this machine, with keys, settings and a folder of its own; ended with the value.
final class SecureShell {
  let folder: Folder
  private let port: UInt16
  private let server: Process
  /// The folder in which root's sshd locks itself up is the system's; it is made where no sshd was ever started.
  private static let cell = "/run/sshd"
  private let hasMadeCell: Bool

  /// Where the programs of a session keep what they know.
  var states: String { folder.path + "/state" }

  /// - Parameter settings: More lines of its configuration, with the folder's path for FOLDER.
  init(_ settings: String = "") throws {
    let folder = try Folder()
    self.folder = folder
    hasMadeCell = geteuid() == 0 && mkdir(Self.cell, 0o755) == 0
    for key in ["host", "key"] {
      try Self.run("/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "\(folder.path)/\(key)")
    }
    var (port, started) = (UInt16(0), nil as Process?)
    for _ in 0..<20 where started == nil {
      // Bound, so that nobody else takes it, and closed again.
      port = try Server { _ in }.port
      try folder.write(
        """
        Port \(port)
        ListenAddress 127.0.0.1
        HostKey \(folder.path)/host
        AuthorizedKeysFile \(folder.path)/key.pub
        PidFile none
        StrictModes no
        UsePAM no
        PermitRootLogin prohibit-password
        PasswordAuthentication no
        PrintLastLog no
        SetEnv LANG=C.UTF-8 XDG_STATE_HOME=\(folder.path)/state DOCKER_HOST=unix:///nonexistent.sock
        \(settings.replacing("FOLDER", with: folder.path))
        """, to: "config")
      started = try Self.listening(folder)
    }
    self.port = port
    server = try #require(started, "sshd does not start: \(folder.text("log") ?? "")")
  }

  deinit {
    server.terminate()
    server.waitUntilExit()
    if hasMadeCell { rmdir(Self.cell) }
  }

  /// Nil if another one has the port.
  private static func listening(_ folder: Folder) throws -> Process? {
    let server = Process()
    server.executableURL = URL(filePath: "/usr/sbin/sshd")
    server.arguments = ["-D", "-E", folder.path + "/log", "-f", folder.path + "/config"]
    try server.run()
    for _ in 0..<3000 {
      if folder.text("log")?.contains("Server listening") == true { return server }
      if !server.isRunning { return nil }
      usleep(10_000)
    }
    server.terminate()
    return nil
  }

  private static func run(_ words: String...) throws {
    let command = Process()
    command.executableURL = URL(filePath: words[0])
    command.arguments = Array(words.dropFirst())
    try command.run()
    command.waitUntilExit()
    try #require(command.terminationStatus == 0, "\(words)")
  }

  /// Logs in from a terminal and runs a script there, which has the program's process id in `remote`; the ssh client's is in
  /// the pane's `pid`.
  ///
  /// - Parameter command: What the client asks for in place of the script.
  func logIn(_ pane: Pane, _ script: String, asking command: String? = nil) throws {
    let user = String(cString: try #require(getpwuid(geteuid())).pointee.pw_name)
    try? FileManager.default.removeItem(atPath: folder.path + "/remote")
    try folder.write("cd \(folder.path)\n\(script)\n", to: "script")
    try folder.write(
      """
      echo $$ > pid
      exec ssh -tt -F none -p \(port) -i \(folder.path)/key -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \(user)@127.0.0.1 '\(command ?? "sh \(folder.path)/script")'
      """, to: "client")
    // A client that was killed leaves the terminal as it was.
    try pane.shell("clear; sh \(folder.path)/client; stty sane; echo; echo gone")
  }

  /// The program's own process.
  func program() throws -> pid_t {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      if let id = folder.text("remote").flatMap({ pid_t($0.trimmingCharacters(in: .newlines)) }) { return id }
      usleep(10_000)
    }
    throw CancellationError()
  }

  /// The sshd that serves a process's session.
  static func session(of process: pid_t) throws -> pid_t {
    var id = process
    while id > 1 {
      let status = (try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)) ?? ""
      if status.hasPrefix("Name:\tsshd") { return id }
      id = status.firstMatch(of: /PPid:\t(\d+)/).flatMap { pid_t($0.1) } ?? 0
    }
    throw CancellationError()
  }

  // MARK: What a session has kept

  /// What of a session's file the tests look at.
  struct Kept: Decodable {
    struct Record: Decodable {
      var findings: [Finding]
      var answers: [Answer]
    }
    struct Finding: Decodable, Hashable { var check, outcome: String }
    struct Answer: Decodable, Hashable { var node, key: String }
    var record: Record
    var answers: [String: String]
    var line: String
  }
  private struct Written: Decodable { var kept: Kept }

  var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: states + "/wizard502")) ?? []).sorted()
  }

  /// That of the only session; nil if there is none. Expects that it is whole, this user's alone, and nobody's at the moment.
  func kept() throws -> Kept? {
    let files = files
    #expect(files.count <= 1 && files.allSatisfy { $0.hasSuffix(".json") }, "\(files)")
    guard let file = files.first.map({ states + "/wizard502/" + $0 }) else { return nil }
    for (path, mode) in [(file, 0o600), (states + "/wizard502", 0o700)] {
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == mode)
    }
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0, "somebody still has it")
    close(descriptor)
    return try JSONDecoder().decode(Written.self, from: Data(contentsOf: URL(filePath: file))).kept
  }
}

extension Folder {
  /// A file's text; nil if there is none.
  func text(_ name: String) -> String? { try? String(contentsOfFile: path + "/" + name, encoding: .utf8) }
}
