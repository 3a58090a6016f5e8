public import Foundation
public import Testing

/// A shell in a real terminal: tmux on a socket of its own, ended with the value.
public final class Pane {
  public let folder: URL
  private let socket = "wizard502-\(UUID().uuidString.prefix(8))"

  /// The program beside the tests.
  public static let demo = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appending(path: "screen-demo").path

  public init(columns: Int = 80, rows: Int = 24) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: socket)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let shell =
      "cd \(folder.path); exec env -u NO_COLOR LANG=C.UTF-8 LC_ALL= HOME=\(folder.path) PS1='$ ' ENV= SWIFT_BACKTRACE=enable=no sh -i"
    try tmux("-u", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", shell)
    try tmux("set", "-g", "status", "off")
    try tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    try waits(for: "$")
  }

  deinit {
    _ = try? tmux("kill-server")
    try? FileManager.default.removeItem(at: folder)
  }

  /// Runs one command of tmux; what it prints. (`Process` would wait for the server as well.)
  @discardableResult
  public func tmux(_ words: String...) throws -> String {
    let quoted = words.map { "'" + $0.replacingOccurrences(of: "'", with: "'\\''") + "'" }.joined(separator: " ")
    let output = try #require(
      popen("env -u TMUX TERM=xterm-256color tmux -L \(socket) -f /dev/null \(quoted) 2>&1", "r"))
    defer { pclose(output) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while case let count = fread(&part, 1, part.count, output), count > 0 { bytes += part.prefix(count) }
    return String(decoding: bytes, as: UTF8.self)
  }

  public func keys(_ names: String...) throws { for name in names { try tmux("send-keys", name) } }

  /// Types a line into the shell.
  public func shell(_ line: String) throws {
    try tmux("send-keys", "-l", line)
    try keys("Enter")
  }

  /// Starts the program; its process id is in the file `pid`.
  public func start(_ words: String = "") throws {
    try shell("stty -a > before; sh -c 'echo $$ > pid; exec \(Self.demo) \(words)'; echo code $?; stty -a > after")
  }

  public var screen: String { get throws { try tmux("capture-pane", "-p") } }
  public var isOnAlternateScreen: Bool { get throws { try format("#{alternate_on}") == "1" } }

  public func format(_ text: String) throws -> String {
    try tmux("display-message", "-p", text).trimmingCharacters(in: .newlines)
  }

  public func text(_ file: String) -> String? { try? String(contentsOf: folder.appending(path: file), encoding: .utf8) }

  public func pid() throws -> pid_t {
    try #require(text("pid").flatMap { pid_t($0.trimmingCharacters(in: .newlines)) })
  }

  /// Returns as soon as the screen has the text; fails after `seconds`.
  public func waits(for wanted: String, seconds: Double = 10, _ location: SourceLocation = #_sourceLocation) throws {
    try waits("'\(wanted)' never came", location, seconds: seconds) { try screen.contains(wanted) }
  }

  public func waits(
    _ failure: Comment, _ location: SourceLocation = #_sourceLocation, seconds: Double = 10,
    until isTrue: () throws -> Bool
  ) throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while try !isTrue() {
      guard ContinuousClock.now < end else {
        Issue.record("\(failure); the screen:\n\(try screen)", sourceLocation: location)
        throw CancellationError()
      }
      usleep(10_000)
    }
  }
}
