internal import CNcurses
internal import Dispatch
internal import Glibc
internal import Model
public import Screen

/// The terminal while it shows full screens.
///
/// `open` takes it and gives it back however the body ends; a signal handler gives it back after a crash.
@MainActor
public final class Terminal {
  public struct Options: Sendable {
    /// False: bold, dim and reverse only.
    public var hasColours: Bool
    /// True: nothing but ASCII is drawn.
    public var isASCII: Bool
    /// True: no other program is started, not even tmux for its buffer.
    public var isRestricted = false

    /// What the environment asks for: `NO_COLOR`, the locale, the Linux console, whose font lacks the marks.
    ///
    /// Sets the locale of the process for the kinds of characters.
    public init(colours: Bool, ascii: Bool) {
      hasColours = colours && (variable("NO_COLOR") ?? "").isEmpty
      isASCII = ascii || !Self.setsUTF8() || variable("TERM") == "linux"
    }

    /// A locale that is asked for and not installed, as often over SSH, is replaced by the C locale with UTF-8.
    private static func setsUTF8() -> Bool {
      if setlocale(LC_CTYPE, "") == nil {
        let wanted = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { variable($0) }.first { !$0.isEmpty } ?? ""
        if wanted.uppercased().hasSuffix("UTF-8") || wanted.uppercased().hasSuffix("UTF8") {
          setlocale(LC_CTYPE, "C.UTF-8")
        }
      }
      return nl_langinfo(Int32(CODESET)).map { String(cString: $0) } == "UTF-8"
    }
  }

  public enum Refusal: Error, Sendable {
    /// The shell has put the program into the background.
    case inBackground
    /// ncurses does not start on this terminal.
    case notStarted
  }

  /// What the terminal tells.
  public enum Message: Sendable {
    case key(Key)
    case resized(Size)
    /// Stopped and started again by somebody else.
    case resumed
    /// A signal that asks to end: its number.
    case ended(Int32)
    /// The line is gone.
    case hungUp
  }

  private let options: Options
  private let send: @MainActor ([Message]) -> Void
  private var shown: Grid?
  private var takesPaste = false
  private var isAway = false
  /// True if the next signal that says "resumed" follows from `suspend`, which has answered it.
  private var isBack = false
  private var sources: [any DispatchSourceProtocol] = []

  /// Takes a terminal that can show full screens (`LineInput.reason` is nil), and runs `body` with the terminal's messages, in the order in which they come; several that came at once together.
  public static func open<Result>(
    _ options: Options, send: @escaping @MainActor ([Message]) -> Void,
    body: @MainActor (Terminal) async throws -> Result
  ) async throws -> Result {
    guard tcgetpgrp(STDIN_FILENO) == getpgrp() else { throw Refusal.inBackground }
    let terminal = try Terminal(options, send)
    do {
      let result = try await body(terminal)
      terminal.close()
      return result
    } catch {
      terminal.close()
      throw error
    }
  }

  private init(_ options: Options, _ send: @escaping @MainActor ([Message]) -> Void) throws {
    self.options = options
    self.send = send
    let signals = shim_catch_signals()
    // The size is the terminal's own, whatever LINES and COLUMNS of the environment say. Without the second call it is
    // that of terminfo, which has none for the Linux console.
    use_env(false)
    use_tioctl(true)
    guard shim_start() else { throw Refusal.notStarted }
    shim_guard(Self.givingBack)
    cbreak()
    noecho()
    nonl()
    set_escdelay(Self.escapeDelay)
    keypad(shim_stdscr(), true)
    nodelay(shim_stdscr(), true)
    intrflush(shim_stdscr(), false)
    defineKeys()
    if options.hasColours, has_colors() {
      start_color()
      use_default_colors()
      for (number, colour) in Self.colours.values { init_pair(number, colour, -1) }
    }
    listen(to: STDIN_FILENO) { [unowned self] in readKeys() }
    listen(to: signals) { [unowned self] in readSignals(signals) }
  }

  private func listen(to descriptor: Int32, _ action: @escaping @MainActor () -> Void) {
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .main)
    source.setEventHandler { MainActor.assumeIsolated(action) }
    source.activate()
    sources.append(source)
  }

  private func close() {
    for source in sources { source.cancel() }
    sources = []
    if takesPaste { Self.put(Self.pasteOff) }
    if isAway { reset_shell_mode() } else { leave() }
    shim_stop()
    shim_unguard()
  }

  /// The modes in which a shell has left the terminal, for whoever gives it back when the program that had it is dead.
  public struct Modes {
    private let modes: termios?

    public init() { modes = Self.now }

    private static var now: termios? {
      var modes = termios()
      return tcgetattr(STDIN_FILENO, &modes) == 0 ? modes : nil
    }

    /// Gives the terminal back if it is still in other modes.
    public func restore() {
      guard var modes, let now = Self.now, !modes.isEqual(to: now) else { return }
      tcsetattr(STDIN_FILENO, TCSANOW, &modes)
      if shim_know() { Terminal.put(Terminal.givingBack) }
    }
  }

  private func leave() {
    shown = nil
    endwin()
    // Where there is no other screen to go back to, the cursor is on the row with the keys.
    if Self.capability("rmcup").isEmpty { Self.put(Self.capability("el")) }
  }

  public var size: Size {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return Size(columns: Int(getmaxx(shim_stdscr())), rows: Int(getmaxy(shim_stdscr())))
    }
    return Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
  }

  // MARK: Drawing

  /// Shows a grid; only rows that changed are given to ncurses, and only cells that changed to the terminal.
  public func draw(_ grid: Grid) {
    guard !isAway else { return }
    if shown?.size != grid.size {
      resizeterm(Int32(grid.size.rows), Int32(grid.size.columns))
      erase()
      shown = nil
    }
    for row in grid.rows.indices where shown?.rows[row] != grid.rows[row] { draw(grid.rows[row], at: row) }
    if grid.takesPaste != takesPaste {
      takesPaste = grid.takesPaste
      Self.put(takesPaste ? Self.pasteOn : Self.pasteOff)
    }
    if let cursor = grid.cursor { move(Int32(cursor.row), Int32(cursor.column)) }
    refresh()
    shown = grid
  }

  private func draw(_ cells: [Grid.Cell], at row: Int) {
    var column = 0
    while column < cells.count {
      let style = cells[column].style
      let end = cells[column...].firstIndex { $0.style != style } ?? cells.count
      let scalars = cells[column..<end].flatMap { Array($0.text.unicodeScalars) }.map { wchar_t(bitPattern: $0.value) }
      move(Int32(row), Int32(column))
      attr_set(attributes(style), Self.colours[style.colour]?.0 ?? 0, nil)
      addnwstr(scalars, Int32(scalars.count))
      column = end
    }
  }

  private func attributes(_ style: Style) -> attr_t {
    (style.isBold ? shim_bold : shim_normal) | (style.isDim ? shim_dim : shim_normal)
      | (style.isReverse ? shim_reverse : shim_normal)
  }

  /// Everything anew, on a screen that something else has written to.
  public func redraw(_ grid: Grid) {
    isAway = false
    takesPaste = false
    shown = nil
    clearok(shim_stdscr(), true)
    draw(grid)
  }

  /// Leaves the full screen and writes a text to the cleared main one; the next key is read as ever.
  public func showAlone(_ text: String) {
    if takesPaste { Self.put(Self.pasteOff) }
    takesPaste = false
    leave()
    isAway = true
    Self.put(Self.capability("clear"))
    Self.put(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n"))
    reset_prog_mode()
  }

  /// Gives the terminal to the shell until the user brings the program back.
  public func suspend() {
    if takesPaste { Self.put(Self.pasteOff) }
    leave()
    isBack = true
    shim_suspend()
    reset_prog_mode()
  }

  /// Takes the terminal's modes back after somebody else stopped and resumed the program.
  public func resume() { reset_prog_mode() }

  /// Bytes for the terminal itself; what ncurses had to say has been flushed before.
  private nonisolated static func put(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return }
      bytes = bytes.dropFirst(written)
    }
  }

  /// Sends a text to the clipboard; whether it arrives is not known.
  public func copy(_ text: String) {
    (options.isRestricted ? Clipboard.terminal : .here).take(text, put: Self.put)
  }

  // MARK: Listening

  /// Milliseconds that the rest of a key's sequence may take on a slow line.
  private static let escapeDelay: Int32 = 90
  private nonisolated static let pasteOn = "\u{1B}[?2004h"
  private nonisolated static let pasteOff = "\u{1B}[?2004l"
  private static let colours: [Style.Colour: (Int16, Int16)] = [
    .good: (1, Int16(COLOR_GREEN)), .bad: (2, Int16(COLOR_RED)), .unsure: (3, Int16(COLOR_YELLOW)),
    .accent: (4, Int16(COLOR_CYAN)),
  ]

  /// What the terminal is told so that a shell finds it as it was.
  private nonisolated static var givingBack: String {
    pasteOff + ["op", "sgr0", "rmkx", "cnorm", "rmcup"].map(capability).joined() + "\r"
  }

  /// Whether the terminal is of a known kind on which a screen can be drawn.
  nonisolated static var canMoveCursor: Bool { shim_know() && !capability("cup").isEmpty }

  /// A capability's bytes without `$<5>`, the pauses that old terminals need; empty if the terminal lacks it.
  private nonisolated static func capability(_ name: String) -> String {
    var result = ""
    var rest = Substring(shim_capability(name).map { String(cString: $0) } ?? "")
    while let start = rest.firstIndex(of: "$"), rest[start...].hasPrefix("$<") {
      result += rest[..<start]
      rest = rest[start...].drop { $0 != ">" }.dropFirst()
    }
    return result + rest
  }

  /// Sequences that terminals send whatever their terminfo entry says.
  private func defineKeys() {
    for (sequence, code) in Self.sequences { define_key("\u{1B}" + sequence, code) }
  }

  private static let pasteStart: Int32 = 2000
  private static let pasteEnd: Int32 = 2001
  private static let sequences: [(String, Int32)] = [
    ("[200~", pasteStart), ("[201~", pasteEnd), ("[A", KEY_UP), ("[B", KEY_DOWN), ("[C", KEY_RIGHT), ("[D", KEY_LEFT),
    ("OA", KEY_UP), ("OB", KEY_DOWN), ("OC", KEY_RIGHT), ("OD", KEY_LEFT), ("[H", KEY_HOME), ("[F", KEY_END),
    ("OH", KEY_HOME), ("OF", KEY_END), ("[1~", KEY_HOME), ("[4~", KEY_END), ("[7~", KEY_HOME), ("[8~", KEY_END),
    ("OP", KEY_F0 + 1), ("[11~", KEY_F0 + 1), ("[[A", KEY_F0 + 1), ("[Z", KEY_BTAB), ("[3~", KEY_DC),
    ("[5~", KEY_PPAGE), ("[6~", KEY_NPAGE),
  ]

  private func readKeys() {
    var state = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    var waiting: Int32 = 0
    _ = poll(&state, 1, 0)
    _ = ioctl(STDIN_FILENO, UInt(FIONREAD), &waiting)
    if state.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 || (state.revents & Int16(POLLIN) != 0 && waiting == 0)
    {
      for source in sources { source.cancel() }
      send([.hungUp])
      return
    }
    var keys: [Message] = []
    while let key = nextKey() { keys.append(.key(key)) }
    if !keys.isEmpty { send(keys) }
  }

  private func nextCode() -> (code: wint_t, isKey: Bool)? {
    var code: wint_t = 0
    switch get_wch(&code) {
    case OK: return (code, false)
    case Int32(KEY_CODE_YES): return (code, true)
    default: return nil
    }
  }

  private func nextKey() -> Key? {
    guard let (code, isKey) = nextCode() else { return nil }
    if isKey {
      let number = Int32(bitPattern: code)
      if number == Self.pasteStart { return .paste(readPaste()) }
      return Self.named[number] ?? .other
    }
    switch code {
    case 9: return .tab
    case 10, 13: return .enter
    case 8, 127: return .backspace
    case 27: return isSequence() ? .other : .escape
    case 1..<27: return .control(Character(UnicodeScalar(UInt8(code) + 0x60)))
    default: return UnicodeScalar(code).map { .character(Character($0)) } ?? .other
    }
  }

  /// True if the rest of a sequence that no key here sends follows; it is taken away, for its characters are no keys.
  private func isSequence() -> Bool {
    guard let (code, isKey) = nextCode() else { return false }
    guard !isKey, code == 0x5B || code == 0x4F else {
      // A key of its own, typed at the same time.
      if isKey { ungetch(Int32(bitPattern: code)) } else { unget_wch(wchar_t(bitPattern: code)) }
      return false
    }
    while let (code, isKey) = nextCode(), !isKey, !(0x40...0x7E).contains(code) {}
    return true
  }

  /// Up to the end mark; a paste over a slow line comes in pieces.
  private func readPaste() -> String {
    var text = String.UnicodeScalarView()
    // One more tells whoever reads it that there is more.
    var count = 0
    timeout(500)
    defer { timeout(0) }
    var isAfterReturn = false
    while let (code, isKey) = nextCode() {
      if isKey, Int32(bitPattern: code) == Self.pasteEnd { break }
      guard !isKey, let scalar = UnicodeScalar(code) else { continue }
      defer { isAfterReturn = scalar == "\r" }
      // A terminal sends the key's code for a line end.
      if scalar == "\n" && isAfterReturn || count > Limits.pastedAtOnce { continue }
      text.append(scalar == "\r" ? "\n" : scalar)
      count += 1
    }
    return String(text)
  }

  private static let named: [Int32: Key] = [
    KEY_UP: .up, KEY_DOWN: .down, KEY_LEFT: .left, KEY_RIGHT: .right, KEY_PPAGE: .pageUp, KEY_NPAGE: .pageDown,
    KEY_HOME: .home, KEY_END: .end, KEY_BTAB: .backTab, KEY_BACKSPACE: .backspace, KEY_DC: .delete,
    KEY_ENTER: .enter, KEY_F0 + 1: .function(1),
  ]

  private func resumed() -> Message? {
    defer { isBack = false }
    return isBack ? nil : .resumed
  }

  private func readSignals(_ descriptor: Int32) {
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0 else { return }
    send(
      bytes.prefix(count).compactMap { byte -> Message? in
        switch Int32(byte) {
        case SIGWINCH: .resized(size)
        case SIGCONT: resumed()
        case SIGINT: .key(.control("c"))
        case SIGTSTP: .key(.control("z"))
        case SIGHUP: .hungUp
        default: .ended(Int32(byte))
        }
      })
  }
}

extension termios {
  fileprivate func isEqual(to other: termios) -> Bool {
    (c_iflag, c_oflag, c_cflag, c_lflag) == (other.c_iflag, other.c_oflag, other.c_cflag, other.c_lflag)
  }
}

/// A variable of the environment.
func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
