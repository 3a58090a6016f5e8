internal import Glibc
internal import Model
internal import Synchronization

/// Connections to other machines, each of which all commands there share.
///
/// One is kept by an `ssh` that runs `cat` there and so ends when its input does: with this process, however that ends.
/// Where the person's own configuration shares connections, or has a socket for that, nothing is added.
///
/// Source: ssh_config(5), ControlMaster, ControlPath; ssh(1), -M, -S.
final class SharedConnections: Sendable {
  /// Of this process.
  static let own = SharedConnections()

  private struct Kept {
    var count = 0
    /// Those to which a command has gone.
    var asked: Set<SecureShell> = []
    var opening: [SecureShell: Task<Result<Connection, Unseen>, Never>] = [:]
  }
  private let kept = Mutex(Kept())

  /// What a command's `ssh` is told of the connection to use.
  struct Connection: Sendable {
    var words: [String] = []
    /// Ends it.
    var keeper: Invocation.Running?
  }

  /// The connection to a machine, opened if there is none. The first command there has one of its own: most machines are
  /// asked once. Throws why there can be none.
  ///
  /// - Parameters:
  ///   - folder: For the sockets; this user's own.
  ///   - keeper: An `ssh` of that machine with the words that come before the host's name.
  func connection(
    to shell: SecureShell, in folder: String, limit: Double, _ keeper: @escaping @Sendable ([String]) -> Invocation
  ) async throws(Unseen) -> Connection {
    if kept.withLock({ $0.asked.insert(shell).inserted }) { return Connection() }
    let task = kept.withLock { kept in
      if let task = kept.opening[shell] { return task }
      kept.count += 1
      let socket = "\(folder)/ssh-\(getpid())-\(kept.count)"
      let task = Task<Result<Connection, Unseen>, Never> {
        do throws(Unseen) {
          let connection = try await onOwnThread(limit: limit + 1) { () throws(Unseen) in
            try Self.opened(at: socket, limit: limit, shell, keeper)
          }
          return .success(connection)
        } catch { return .failure(error) }
      }
      kept.opening[shell] = task
      return task
    }
    let result = await task.value
    // Next time it may be there.
    if case .failure = result { kept.withLock { $0.opening[shell] = nil } }
    return try result.get()
  }

  private static func opened(
    at socket: String, limit: Double, _ shell: SecureShell, _ keeper: ([String]) -> Invocation
  ) throws(Unseen) -> Connection {
    // The name has to fit, with the 17 letters that ssh puts behind it for a moment.
    guard socket.utf8.count + 17 < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else { return Connection() }
    let configured = try keeper(["-G"]).ended(limit: limit)
    let settings = String(decoding: configured.output, as: UTF8.self).lines.map { $0.split(separator: " ") }
    let sharesItself = settings.contains { line in
      line.count > 1
        && (line[0] == "controlpath" && line[1] != "none" || line[0] == "controlmaster" && line[1] != "false")
    }
    // One that does not know -G is older than 6.8.
    guard configured.exitCode == 0, !sharesItself else { return Connection() }
    unlink(socket)
    switch try keeper(["-M", "-S", socket]).started(limit: limit) {
    case .running(let running):
      return Connection(words: ["-S", socket, "-o", "ControlMaster=no"], keeper: running)
    case .ended(let end): throw shell.failure(end, limit: limit)
    }
  }
}
