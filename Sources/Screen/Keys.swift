/// Everything a key can do.
enum Action: Sendable, Equatable {
  case choose, pick
  case next, goOn, back
  case up, down, pageUp, pageDown, first, last
  case copy, alone, save, again, skip, path, otherCause, words, logLine
  case edit(Field.Edit)
  case help, redraw, suspend, quit, interrupt
  case leave, stay
}

/// One line of the table from which keys are handled, the last line of the screen is drawn, and help is written.
struct Binding: Sendable {
  let keys: [Key]
  /// The keys as a person reads them.
  let shown: String
  let action: Action
  /// Names the words `key.NAME` (short, for the last line) and `help.NAME` (a sentence).
  let name: String
  /// False: it is in the help only.
  let isInBar: Bool
  let isValid: @Sendable (State) -> Bool

  init(
    _ keys: [Key], _ shown: String, _ action: Action, _ name: String, inBar: Bool = true,
    when isValid: @escaping @Sendable (State) -> Bool
  ) {
    self.keys = keys
    self.shown = shown
    self.action = action
    self.name = name
    isInBar = inBar
    self.isValid = isValid
  }

  /// In the order of the last line: what is left of a narrow screen has to be enough.
  static let all: [Binding] = [
    Binding([.character("y")], "y", .leave, "leave") { $0.scene == .leaving },
    Binding([.character("n"), .escape, .character("b")], "n", .stay, "stay") { $0.scene == .leaving },
    Binding([.escape, .character("?"), .function(1), .character("q"), .character("b"), .left], "Esc", .back, "close") {
      $0.scene == .help
    },
    Binding([.escape, .character("w"), .character("q"), .character("b"), .left], "Esc", .back, "close") {
      $0.scene == .words
    },

    Binding([.enter], "Enter", .choose, "check") { $0.isTyping && $0.scene == .start },
    Binding([.enter], "Enter", .choose, "read") { $0.isTyping && $0.scene == .logLine },
    Binding([.enter], "Enter", .choose, "choose") { !$0.isTyping && $0.canChoose },
    Binding((1...9).map { .character(Character(String($0))) }, "1-9", .pick, "pick", inBar: false) {
      !$0.isTyping && $0.numbered > 0
    },
    Binding([.enter, .character("f"), .character("n"), .character(" "), .right], "Enter", .next, "fix") { $0.hasFix },
    Binding([.character("n"), .enter, .character(" "), .right], "n", .next, "next") { $0.nextStep != nil },
    Binding([.character("n"), .character(" "), .right], "n", .goOn, "go-on") { $0.canGoOn },
    Binding([.character("c")], "c", .copy, "copy") { $0.stepText != nil },
    Binding([.character("p")], "p", .alone, "alone") { $0.stepText != nil },
    Binding([.character("r")], "r", .again, "again") { $0.canCheckAgain },
    Binding([.character("b"), .escape, .left], "b", .back, "back") { $0.canGoBack && !$0.isTyping },
    Binding([.escape], "Esc", .back, "back") { $0.canGoBack && $0.isTyping },
    Binding([.tab], "Tab", .otherCause, "other-cause") { $0.otherCauses > 0 },
    Binding([.character("e")], "e", .path, "path") { $0.isVerdict },
    Binding([.character("x")], "x", .skip, "skip") { $0.focusedRunningCheck != nil },
    Binding([.character("l")], "l", .logLine, "log-line") { $0.canReadLine },
    Binding([.character("s")], "s", .save, "save") { $0.canSave },
    Binding([.character("w")], "w", .words, "words") { !$0.isTyping && $0.scene != .words && $0.scene != .leaving },

    Binding([.up, .character("k"), .backTab], "Up k", .up, "up", inBar: false) { $0.canMove },
    Binding([.down, .character("j"), .tab], "Down j", .down, "down", inBar: false) {
      $0.canMove && $0.otherCauses == 0
    },
    Binding([.down, .character("j")], "Down j", .down, "down", inBar: false) { $0.canMove && $0.otherCauses > 0 },
    Binding([.pageUp], "PgUp", .pageUp, "page-up", inBar: false) { $0.canMove },
    Binding([.pageDown], "PgDn", .pageDown, "page-down", inBar: false) { $0.canMove },
    Binding([.home, .character("g")], "Home g", .first, "first", inBar: false) { $0.canMove },
    Binding([.end, .character("G")], "End G", .last, "last", inBar: false) { $0.canMove },

    Binding([.down, .tab], "Down", .down, "routes") { $0.isTyping && $0.scene == .start && $0.numbered > 0 },
    Binding([.down, .tab], "Down", .down, "causes") { $0.isTyping && $0.scene == .logLine && $0.numbered > 0 },
    Binding([.left, .control("b")], "Left", .edit(.left), "left", inBar: false) { $0.isTyping },
    Binding([.right, .control("f")], "Right", .edit(.right), "right", inBar: false) { $0.isTyping },
    Binding([.home, .control("a")], "Home ^A", .edit(.start), "start", inBar: false) { $0.isTyping },
    Binding([.end, .control("e")], "End ^E", .edit(.end), "end", inBar: false) { $0.isTyping },
    Binding([.backspace], "Backspace", .edit(.eraseBack), "erase-back", inBar: false) { $0.isTyping },
    Binding([.delete, .control("d")], "Del ^D", .edit(.erase), "erase", inBar: false) { $0.isTyping },
    Binding([.control("k")], "^K", .edit(.eraseToEnd), "erase-to-end", inBar: false) { $0.isTyping },
    Binding([.control("u")], "^U", .edit(.eraseToStart), "erase-to-start", inBar: false) { $0.isTyping },
    Binding([.control("w")], "^W", .edit(.eraseWord), "erase-word", inBar: false) { $0.isTyping },

    Binding([.character("?"), .function(1)], "?", .help, "help") { !$0.isTyping && !$0.isOverlay },
    Binding([.function(1)], "F1", .help, "help") { $0.isTyping },
    Binding([.character("q")], "q", .quit, "quit") { !$0.isTyping && !$0.isOverlay },
    Binding([.control("c")], "^C", .interrupt, "interrupt") { $0.isTyping },
    Binding([.control("c")], "^C", .interrupt, "interrupt", inBar: false) { !$0.isTyping },
    Binding([.control("l")], "^L", .redraw, "redraw", inBar: false) { _ in true },
    Binding([.control("z")], "^Z", .suspend, "suspend", inBar: false) { _ in true },
  ]
}
