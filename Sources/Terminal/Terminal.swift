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
  private var isColoured = false
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
    // Bytes that are keys of the terminal's driver, such as Ctrl-C, may stand in what is pasted.
    raw()
    noecho()
    nonl()
    set_escdelay(Self.escapeDelay)
    keypad(shim_stdscr(), true)
    nodelay(shim_stdscr(), true)
    intrflush(shim_stdscr(), false)
    defineKeys()
    isColoured = options.hasColours && has_colors()
    if isColoured {
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
    let textEnd = cells.lastIndex { !$0.isBlank }.map { $0 + 1 } ?? 0
    var column = 0
    while column < cells.count {
      let style = cells[column].style
      // A blank within the text looks the same in any style but a reverse one: no byte is spent on a change there.
      let end =
        cells[column...].indices.first { index in
          cells[index].style != style && (style.isReverse || !cells[index].isBlank || index >= textEnd)
        } ?? cells.count
      let scalars = cells[column..<end].flatMap { Array($0.text.unicodeScalars) }.map { wchar_t(bitPattern: $0.value) }
      move(Int32(row), Int32(column))
      attr_set(attributes(style), Self.colours[style.colour]?.0 ?? 0, nil)
      addnwstr(scalars, Int32(scalars.count))
      column = end
    }
  }

  private func attributes(_ style: Style) -> attr_t {
    // What a colour would set apart is bold where there is none.
    let isBold = style.isBold || (style.colour == .accent && !isColoured)
    return (isBold ? shim_bold : shim_normal) | (style.isDim ? shim_dim : shim_normal)
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
    var keys: [Key] = []
    while let (code, isKey) = nextCode() { keys += self.keys(code, isKey) }
    if !keys.isEmpty { send(keys.map { .key($0) }) }
  }

  private func nextCode() -> (code: wint_t, isKey: Bool)? {
    var code: wint_t = 0
    switch get_wch(&code) {
    case OK: return (code, false)
    case Int32(KEY_CODE_YES): return (code, true)
    default: return nil
    }
  }

  /// What a code means, together with what belongs to it.
  private func keys(_ code: wint_t, _ isKey: Bool) -> [Key] {
    if isKey {
      let number = Int32(bitPattern: code)
      if number == Self.pasteStart { return pasted([]) }
      return [Self.named[number] ?? .other]
    }
    if code == 28 {
      // Ctrl-\, which the driver would have sent.
      raise(SIGQUIT)
      return []
    }
    guard code != 27 else { return [isSequence() ? .other : .escape] }
    if let scalar = UnicodeScalar(code), bytesWaiting >= Self.burst { return burst(Array(String(scalar).utf8)) }
    return [Self.key(code)]
  }

  private static func key(_ code: wint_t) -> Key {
    switch code {
    case 9: .tab
    case 10, 13: .enter
    case 8, 127: .backspace
    case 27: .escape
    case 1..<27: .control(Character(UnicodeScalar(UInt8(code) + 0x60)))
    default: UnicodeScalar(code).map { .character(Character($0)) } ?? .other
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

  // MARK: Pastes

  /// So many bytes at once nobody types: where words or lines are among them, they are pasted into a terminal that has no
  /// mark for that.
  private static let burst = 24
  private static let startMark = Array("\u{1B}[200~".utf8)
  private static let endMark = Array("\u{1B}[201~".utf8)
  /// Milliseconds between two pieces of a paste, at most, with its marks and without them.
  private static let (pause, shortPause): (Int32, Int32) = (500, 100)

  private var bytesWaiting: Int {
    var waiting: Int32 = 0
    return ioctl(STDIN_FILENO, UInt(FIONREAD), &waiting) == 0 ? Int(waiting) : 0  // fits: 32 bits
  }

  /// What comes within so many milliseconds; nil if nothing does, or nothing will any more.
  private func bytes(within pause: Int32) -> [UInt8]? {
    var state = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard poll(&state, 1, pause) > 0, state.revents & Int16(POLLIN) != 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = read(STDIN_FILENO, &bytes, bytes.count)
    return count > 0 ? Array(bytes.prefix(count)) : nil
  }

  /// A paste up to its end mark, and the keys behind that; a slow line brings it in pieces.
  private func pasted(_ start: [UInt8]) -> [Key] {
    var text = start
    var (known, isTooLong) = (0, false)
    while true {
      // The mark may lie across two pieces.
      if let end = text[max(0, known - Self.endMark.count)...].firstRange(of: Self.endMark) {
        return [.paste(Self.text(text[..<end.lowerBound], isTooLong))] + keys(text[end.upperBound...])
      }
      if text.count > Limits.pastedAtOnce {
        isTooLong = true
        text.removeSubrange(Limits.pastedAtOnce..<max(Limits.pastedAtOnce, text.count - Self.endMark.count))
      }
      known = text.count
      guard let more = bytes(within: Self.pause) else { return [.paste(Self.text(text[...], isTooLong))] }
      text += more
    }
  }

  /// Many bytes that came at once.
  private func burst(_ start: [UInt8]) -> [Key] {
    var text = start
    while let more = bytes(within: Self.shortPause) {
      let known = text.count
      text += more
      if let mark = text[max(0, known - Self.startMark.count)...].firstRange(of: Self.startMark) {
        return keys(text[..<mark.lowerBound]) + pasted(Array(text[mark.upperBound...]))
      }
      if text.count > Limits.pastedAtOnce * 2 {
        text.removeSubrange(Limits.pastedAtOnce..<text.count - Self.startMark.count)
      }
    }
    // A name or an address and Enter are typed ahead.
    let words = text.split { " \t\r\n".utf8.contains($0) }
    guard words.count > 1, words.joined().count >= Self.burst / 2 else { return keys(text[...]) }
    return [.paste(Self.text(text[...], text.count > Limits.pastedAtOnce))]
  }

  private func keys(_ bytes: ArraySlice<UInt8>) -> [Key] {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.map { Self.key($0.value) }
  }

  /// A terminal sends the key's code for a line end. One more sign tells whoever reads it that there is more.
  private static func text(_ bytes: ArraySlice<UInt8>, _ isTooLong: Bool) -> String {
    let text = String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    guard isTooLong else { return text }
    return text + String(repeating: "\n", count: max(1, Limits.pastedAtOnce + 1 - text.unicodeScalars.count))
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

extension Grid.Cell {
  /// True if nothing is seen of its style.
  fileprivate var isBlank: Bool { text == " " && !style.isReverse }
}
