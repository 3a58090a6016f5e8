internal import CNcurses
internal import Glibc
internal import Model

/// The way to the clipboard of the person at the other end of the line.
enum Clipboard {
  /// tmux takes it from its own client and passes it on, whatever its settings.
  case tmux
  /// GNU screen passes on what is wrapped, in small pieces.
  case screen
  case terminal

  static var here: Clipboard {
    if variable("TMUX") != nil { return .tmux }
    if variable("STY") != nil || (variable("TERM") ?? "").hasPrefix("screen") { return .screen }
    return .terminal
  }

  /// `put` writes to the terminal.
  func take(_ text: String, put: (String) -> Void) {
    let sequence = "\u{1B}]52;c;\(base64(Array(text.utf8)))\u{07}"
    switch self {
    case .tmux:
      if !loadBuffer(text) { put(sequence) }
    case .screen:
      var rest = Substring(sequence)
      while !rest.isEmpty {
        put("\u{1B}P\(rest.prefix(Self.pieceLimit))\u{1B}\\")
        rest = rest.dropFirst(Self.pieceLimit)
      }
    case .terminal: put(sequence)
    }
  }

  /// screen drops longer strings.
  private static let pieceLimit = 500

  /// Seconds that tmux may take.
  private static let patience = 2.0

  /// `tmux load-buffer -w -` with the text as its input; false if there is no such tmux (it came with 3.2).
  ///
  /// Its input is a file: a pipe to a tmux that died would end this program, too.
  private func loadBuffer(_ text: String) -> Bool {
    guard let program = SystemPrograms.places("tmux").first(where: { access($0, X_OK) == 0 }) else { return false }
    let bytes = Array(text.utf8)
    let input = shim_memory_file(bytes, bytes.count)
    guard input >= 0 else { return false }
    defer { close(input) }
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO)
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", O_WRONLY, 0)
    }
    let words = [program, "load-buffer", "-w", "-"].map { (word: String) in strdup(word) }
    defer { for word in words { free(word) } }
    var child = pid_t()
    guard posix_spawn(&child, program, &files, nil, words + [nil], environ) == 0 else { return false }
    var status: Int32 = 0
    for _ in 0..<Int(Self.patience / 0.005) {  // fits: two constants
      if waitpid(child, &status, WNOHANG) == child { return status == 0 }
      usleep(5000)
    }
    kill(child, SIGKILL)
    waitpid(child, &status, 0)
    return false
  }
}

/// RFC 4648, section 4.
func base64(_ bytes: [UInt8]) -> String {
  let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var result: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
    for place in 0..<4 {
      result.append(place <= group.count ? letters[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
    }
  }
  return String(decoding: result, as: UTF8.self)
}
