internal import CNcurses
internal import Dispatch
internal import Glibc
internal import Model

/// Standard input and output as lines: nothing is drawn, and the modes of a terminal stay as they are.
@MainActor
public final class LineInput {
  public enum Message: Sendable {
    /// A line without its end; `isCut`: it was longer than is kept.
    case line(String, isCut: Bool)
    /// Several that came at once, as a paste does.
    case lines([String])
    /// No line comes any more.
    case ended
    /// A signal: its number.
    case signal(Int32)
  }

  /// Why a session is in lines.
  public enum Reason: Sendable, Equatable {
    case asked, accessible, noTerminal, noKind
    /// A kind of terminal that is not known, or cannot move its cursor.
    case kind(String)
  }

  /// Nil if standard input and output are a terminal that can show full screens, and nobody wants lines.
  public nonisolated static func reason(isAsked: Bool) -> Reason? {
    if isAsked { return .asked }
    if !["", "0"].contains(variable("ACCESSIBLE") ?? "") { return .accessible }
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return .noTerminal }
    guard let kind = variable("TERM"), !kind.isEmpty else { return .noKind }
    return kind == "dumb" || !Terminal.canMoveCursor ? .kind(kind) : nil
  }

  /// Somebody types while the lines come.
  public let isLive = isatty(STDIN_FILENO) == 1
  private let reader: LineReader
  private let signals: any DispatchSourceProtocol

  /// - Parameter keepsStop: False: the terminal's key for it does not stop the program.
  public init(keepsStop: Bool = true, send: @escaping @Sendable (Message) -> Void) throws(Terminal.Refusal) {
    if isLive, tcgetpgrp(STDIN_FILENO) != getpgrp() { throw .inBackground }
    reader = LineReader(gathers: isLive, send)
    let descriptor = shim_catch_signals()
    signals = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .main)
    signals.setEventHandler {
      var bytes = [UInt8](repeating: 0, count: 64)
      let count = read(descriptor, &bytes, bytes.count)
      for byte in bytes.prefix(max(0, count)) {
        switch Int32(byte) {
        case SIGTSTP: if keepsStop { shim_suspend() }
        case SIGCONT, SIGWINCH: break
        case let number: send(.signal(number))
        }
      }
    }
    signals.activate()
    reader.start()
  }

  /// Reads one more line; it comes as a message.
  public func want() { reader.want() }

  /// Columns of the terminal at which sentences are broken; nil where there is none.
  public nonisolated static var width: Int? {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return max(20, min(100, Int(size.ws_col) - 1))  // fits: two bytes
  }

  /// Writes a text to standard output; the exit code with which a program ends that cannot, or nil.
  public nonisolated static func put(_ text: String) -> Int32? {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written >= 0 else { return errno == EPIPE ? 128 + SIGPIPE : 74 }
      bytes = bytes.dropFirst(written)
    }
    return nil
  }
}

/// Reads standard input on a thread of its own, one line whenever one is wanted: what is not wanted yet stays in the pipe.
/// Lines that a person's terminal gives at once come together.
private final class LineReader: Sendable {
  private let wanted = DispatchSemaphore(value: 0)
  private let gathers: Bool
  private let send: @Sendable (LineInput.Message) -> Void

  init(gathers: Bool, _ send: @escaping @Sendable (LineInput.Message) -> Void) {
    (self.gathers, self.send) = (gathers, send)
  }

  func want() { wanted.signal() }

  func start() { DispatchQueue(label: "lines").async { self.run() } }

  /// Milliseconds between two lines of a paste, at most: a slow line brings them in pieces.
  private static let pause: Int32 = 60

  private func run() {
    var source = Source()
    while true {
      wanted.wait()
      guard let first = source.line() else { return send(.ended) }
      var (lines, room) = ([first.text], Limits.pastedAtOnce)
      while gathers, room > 0, source.hasMore(within: Self.pause), let next = source.line() {
        lines.append(next.text)
        room -= next.text.utf8.count + 1
      }
      send(lines.count > 1 ? .lines(lines) : .line(first.text, isCut: first.isCut))
    }
  }

  /// Standard input, cut into lines.
  private struct Source {
    private var waiting: [UInt8] = []
    private var start = 0

    /// True if something comes in so many milliseconds.
    func hasMore(within pause: Int32) -> Bool {
      if start < waiting.count { return true }
      var state = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      return poll(&state, 1, pause) > 0 && state.revents & Int16(POLLIN) != 0
    }

    /// The next line; nil at the end. A last line without its end is one.
    mutating func line() -> (text: String, isCut: Bool)? {
      var line: [UInt8] = []
      var isCut = false
      while true {
        let rest = waiting[start...]
        let end = rest.firstIndex(of: UInt8(ascii: "\n"))
        let part = rest[..<(end ?? rest.endIndex)]
        let room = Limits.inputLine - line.count
        line += part.prefix(room)
        isCut = isCut || part.count > room
        if let end {
          start = end + 1
          return (String(decoding: line, as: UTF8.self), isCut)
        }
        (waiting, start) = (LineReader.more(), 0)
        if waiting.isEmpty { return line.isEmpty ? nil : (String(decoding: line, as: UTF8.self), isCut) }
      }
    }
  }

  /// The bytes that come next; none at the end.
  fileprivate static func more() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(STDIN_FILENO, &bytes, bytes.count)
      if count >= 0 { return Array(bytes.prefix(count)) }
      if errno == EAGAIN {
        var state = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        poll(&state, 1, -1)
      } else if errno != EINTR {
        return []
      }
    }
  }
}
