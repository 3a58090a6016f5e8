import Glibc
import Model
import World

extension Machine {
  func run(_ look: CommandRun) async throws(Unseen) -> CommandRun.Sight {
    let words: [String]
    switch look.command {
    case .nginxTest(let program, let configuration, let prefix):
      guard geteuid() == 0 else { throw .notPermitted(what: "nginx -t without being root") }
      words = [program, "-t"] + (prefix.map { ["-p", $0] } ?? []) + (configuration.map { ["-c", $0] } ?? [])
    case .packetFilter:
      guard geteuid() == 0 else { throw .notPermitted(what: "the firewall's rules without being root") }
      words = ["iptables-save", "-c"]
    }
    guard let program = found(words[0]) else { throw .missing(what: "program \(words[0])") }
    return try await onOwnThread(in: look.place) { spawn(program, words, limit: look.limit) }
  }
}

/// A program's path: as given, or from the folders of the system.
private func found(_ name: String) -> String? {
  if name.hasPrefix("/") { return access(name, X_OK) == 0 ? name : nil }
  return ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/", "/usr/local/sbin/", "/usr/local/bin/"].lazy.map { $0 + name }
    .first { access($0, X_OK) == 0 }
}

/// Runs a program without a shell, in the calling thread's namespaces, with nothing on its standard input.
private func spawn(_ program: String, _ words: [String], limit: Double) -> Result<CommandRun.Sight, Unseen> {
  var ends: [Int32] = [0, 0]
  guard pipe(&ends) == 0, fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0, fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0 else { return .failure(Unseen(errno: errno, what: program)) }
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
  defer { posix_spawn_file_actions_destroy(&actions) }
  var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
  var environment: [UnsafeMutablePointer<CChar>?] = [strdup("LC_ALL=C"), strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil]
  defer { (arguments + environment).forEach { free($0) } }
  var pid = pid_t()
  let code = posix_spawn(&pid, program, &actions, nil, &arguments, &environment)
  close(ends[1])
  defer { close(ends[0]) }
  guard code == 0 else { return .failure(Unseen(errno: code, what: program)) }
  var output: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 16_384)
  let end = ContinuousClock.now + .seconds(limit)
  var isLate = false
  while output.count < 4_194_304 {
    let left = Int32(max(0, (end - .now) / .milliseconds(1)))
    var waiting = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, left) > 0 else {
      isLate = true
      break
    }
    let count = read(ends[0], &buffer, buffer.count)
    if count <= 0 { break }
    output += buffer.prefix(count)
  }
  if isLate { kill(pid, SIGKILL) }
  var status: Int32 = 0
  waitpid(pid, &status, 0)
  if isLate { return .failure(.noAnswer(seconds: limit)) }
  let exitCode = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
  return .success(CommandRun.Sight(exitCode: exitCode, output: String(decoding: output, as: UTF8.self)))
}
