/// Everything a key can do.
enum Action: Sendable, Equatable {
  case choose, pick
  case next, goOn, back
  case up, down, pageUp, pageDown, first, last
  case correct
  case copy, alone, save, preview, again, skip, path, otherCause, words, logLine
  case edit(Field.Edit)
  case help, redraw, suspend, quit, interrupt
  case leave, stay
  case begin, hint
  case resume, anew
  case search, endSearch, leaveSearch
}

/// What keys mean depends on it: the same one types, closes or leads on.
enum Mode: Sendable, CaseIterable {
  /// A screen with something to choose or to read.
  case screen
  /// The cursor stands in a field.
  case typing
  /// What is typed is looked for in the screen.
  case searching
  // Laid over a screen.
  case help, words, leaving
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
  private let modes: Set<Mode>
  private let condition: @Sendable (State) -> Bool

  init(
    _ keys: [Key], _ shown: String, _ action: Action, _ name: String, inBar: Bool = true, in modes: Set<Mode>,
    when condition: @escaping @Sendable (State) -> Bool = { _ in true }
  ) {
    self.keys = keys
    self.shown = shown
    self.action = action
    self.name = name
    isInBar = inBar
    self.modes = modes
    self.condition = condition
  }

  func isValid(_ state: State) -> Bool { modes.contains(state.mode) && condition(state) }

  private static let screen: Set<Mode> = [.screen]
  private static let typing: Set<Mode> = [.typing]
  /// Where characters are text.
  private static let writing: Set<Mode> = [.typing, .searching]
  private static let everywhere = Set(Mode.allCases)
  /// Where no character is text.
  private static let reading = everywhere.subtracting(writing)

  /// In the order of the last line: what is left of a narrow screen has to be enough.
  static let all: [Binding] = [
    Binding([.character("y")], "y", .leave, "leave", in: [.leaving]),
    Binding([.character("n"), .escape, .character("b")], "n", .stay, "stay", in: [.leaving]),
    Binding(
      [.escape, .character("?"), .function(1), .character("q"), .character("b"), .left], "Esc", .back, "close",
      in: [.help]),
    Binding([.escape, .character("w"), .character("q"), .character("b"), .left], "Esc", .back, "close", in: [.words]),

    Binding([.enter], "Enter", .endSearch, "found", in: [.searching]),
    Binding([.escape], "Esc", .leaveSearch, "leave-search", in: [.searching]),
    Binding([.enter], "Enter", .choose, "check", in: typing) { $0.scene == .start },
    Binding([.enter], "Enter", .choose, "read", in: typing) { $0.scene == .logLine },
    Binding([.enter], "Enter", .choose, "choose", in: screen) { $0.canChoose },
    Binding((1...9).map { .character(Character(String($0))) }, "1-9", .pick, "pick", inBar: false, in: screen) {
      $0.numbered > 0
    },
    Binding([.enter, .character("f"), .character("n"), .character(" "), .right], "Enter", .next, "fix", in: screen) {
      $0.hasFix
    },
    Binding([.enter], "Enter", .resume, "resume", in: screen) { $0.scene == .left },
    Binding([.character("n"), .escape, .character("b"), .left], "n", .anew, "anew", in: screen) { $0.scene == .left },
    Binding([.enter, .character("n"), .character(" "), .right], "Enter", .begin, "begin", in: screen) {
      $0.scene == .goal
    },
    Binding([.character("n"), .enter, .character(" "), .right], "n", .next, "next", in: screen) { $0.nextStep != nil },
    Binding([.character("n"), .character(" "), .right], "n", .goOn, "go-on", in: screen) { $0.canGoOn },
    Binding([.character("c")], "c", .copy, "copy", in: screen) { !$0.codes.isEmpty },
    Binding([.character("d")], "d", .correct, "correct", in: screen) { $0.correctable != nil },
    Binding([.character("p")], "p", .alone, "alone", in: screen) { !$0.codes.isEmpty },
    Binding([.character("r")], "r", .again, "again", in: screen) { $0.canCheckAgain },
    Binding([.character("b"), .escape, .left], "b", .back, "back", in: screen) { $0.canGoBack },
    Binding([.escape], "Esc", .back, "back", in: typing) { $0.canGoBack },
    Binding([.tab, .character("o")], "Tab", .otherCause, "other-cause", in: screen) { $0.otherCauses > 0 },
    Binding([.character("e")], "e", .path, "path", in: screen) { $0.isVerdict },
    Binding([.character("h")], "h", .hint, "hint", in: screen) { $0.practising != nil && $0.scene != .exercises },
    Binding([.character("x")], "x", .skip, "skip", in: screen) { $0.focusedRunningCheck != nil },
    Binding([.character("l")], "l", .logLine, "log-line", in: screen) { $0.takesEvidence && $0.scene != .logLine },
    Binding([.character("s")], "s", .save, "save", in: screen) { $0.canSave },
    Binding([.character("v")], "v", .preview, "preview", inBar: false, in: screen) {
      $0.canSave && $0.scene != .report
    },
    Binding([.character("w")], "w", .words, "words", in: [.screen, .help]),

    Binding([.up, .character("k"), .backTab], "Up k", .up, "up", inBar: false, in: reading) { $0.canMove },
    Binding([.down, .character("j"), .tab], "Down j", .down, "down", inBar: false, in: reading) {
      $0.canMove && $0.otherCauses == 0
    },
    Binding([.down, .character("j")], "Down j", .down, "down", inBar: false, in: reading) {
      $0.canMove && $0.otherCauses > 0
    },
    Binding([.pageUp], "PgUp", .pageUp, "page-up", inBar: false, in: reading) { $0.canMove },
    Binding([.pageDown], "PgDn", .pageDown, "page-down", inBar: false, in: reading) { $0.canMove },
    Binding([.home, .character("g")], "Home g", .first, "first", inBar: false, in: reading) { $0.canMove },
    Binding([.end, .character("G")], "End G", .last, "last", inBar: false, in: reading) { $0.canMove },

    Binding([.down, .tab], "Down", .down, "routes", in: typing) { $0.scene == .start && $0.numbered > 0 },
    Binding([.down, .tab], "Down", .down, "causes", in: typing) { $0.scene == .logLine && $0.numbered > 0 },
    Binding([.character("/")], "/", .search, "search", inBar: false, in: [.screen, .help, .words]) {
      $0.canMove && !$0.readsLines
    },

    Binding([.left, .control("b")], "Left", .edit(.left), "left", inBar: false, in: writing),
    Binding([.right, .control("f")], "Right", .edit(.right), "right", inBar: false, in: writing),
    Binding([.home, .control("a")], "Home ^A", .edit(.start), "start", inBar: false, in: writing),
    Binding([.end, .control("e")], "End ^E", .edit(.end), "end", inBar: false, in: writing),
    Binding([.backspace], "Backspace", .edit(.eraseBack), "erase-back", inBar: false, in: writing),
    Binding([.delete, .control("d")], "Del ^D", .edit(.erase), "erase", inBar: false, in: writing),
    Binding([.control("k")], "^K", .edit(.eraseToEnd), "erase-to-end", inBar: false, in: writing),
    Binding([.control("u")], "^U", .edit(.eraseToStart), "erase-to-start", inBar: false, in: writing),
    Binding([.control("w")], "^W", .edit(.eraseWord), "erase-word", inBar: false, in: writing),

    Binding([.character("?"), .function(1)], "?", .help, "help", in: screen),
    Binding([.character("?"), .function(1)], "F1", .help, "help", in: typing) { $0.field.text.isEmpty },
    Binding([.function(1)], "F1", .help, "help", in: typing) { !$0.field.text.isEmpty },
    Binding([.character("q")], "q", .quit, "quit", in: screen),
    Binding([.control("c")], "^C", .interrupt, "interrupt", in: writing),
    Binding([.control("c")], "^C", .interrupt, "interrupt", inBar: false, in: reading),
    Binding([.control("l")], "^L", .redraw, "redraw", inBar: false, in: everywhere),
    Binding([.control("z")], "^Z", .suspend, "suspend", inBar: false, in: everywhere) { !$0.isRestricted },
  ]
}
