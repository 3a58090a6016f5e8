import Flow
public import Model

/// The guided session in lines, for screen readers, pipes, serial consoles and terminals that draw nothing: the second
/// face of the same state.
///
/// Takes in what happens and the lines that are typed; what is to be said comes out as text. Does no I/O.
public struct Lines: Sendable {
  /// What is said next, and what the outside is asked to do then.
  public struct Turn: Sendable, Equatable {
    public var text = ""
    /// What was typed before that, or read, as it is written down.
    public var heard = ""
    public var effects: [Effect] = []
    /// The exit code and the last line, if that is the end.
    public var end: (code: Int32, line: String)? {
      effects.lazy.compactMap { if case .quit(let code, let line) = $0 { (code, line) } else { nil } }.first
    }
  }

  private(set) var state: State
  private var transcript: Transcript
  private let width: Int?
  private var isPrompted = false
  /// True if no more lines come.
  private var isOver = false
  /// Seconds for which nothing was said.
  private var silence = 0

  /// Seconds after which it is said what is waited for.
  private static let patience = 10
  /// Lines in a row that are no answer: whoever sends more is nobody who reads.
  private static let mostMisses = 30

  /// - Parameter width: Columns at which sentences are broken; nil: a paragraph is a line.
  public init(_ state: State, width: Int? = nil) {
    self.state = state
    self.width = width
    transcript = Transcript(width: width)
  }

  /// The site's name, for the report's.
  public var host: String { state.host }
  /// What is to be kept, so that the session can go on later.
  public var kept: Kept? { state.kept }
  /// True if a line is wanted now.
  public var isAsking: Bool { isPrompted }
  /// True while seconds count.
  public var isWaiting: Bool { !isPrompted }

  /// - Parameter reason: Why the session is in lines, in words.
  public mutating func begin(url: String?, because reason: String) -> Turn {
    let effects = state.begin(url: url)
    return turn(say("lines.begin", ["lines.reason": reason]), effects)
  }

  public mutating func handle(_ event: Event) -> Turn {
    let effects = state.handle(event)
    guard case .tick = event, isWaiting else { return turn("", effects) }
    silence += 1
    return turn(silence % Self.patience == 0 ? awaited : "", effects)
  }

  /// Takes in a line that was typed, or read because it was wanted.
  ///
  /// - Parameter isCut: It was longer than that.
  public mutating func enter(_ line: String, isCut: Bool = false) -> Turn {
    let heard = line.excerpt(of: Self.heard).drawable(isASCII: state.isASCII) + "\n"
    isPrompted = false
    if state.isAwaited, !state.canEnterMeanwhile(line) {
      return Turn(text: say("lines.busy"), heard: heard)
    }
    let scene = state.scene
    let effects = state.enter(line)
    if isCut, state.hint.isEmpty { state.hint = state.word("hint.cut") }
    // Whoever has chosen what was said last, or nothing from the list of sites, hears it again.
    let isNumber = state.hint.isEmpty && Int(line.trimmed) != nil  // fits: nil if it does not
    if state.scene == scene, isNumber || scene == .start { transcript.repeatAll() }
    var turn = turn("", effects)
    turn.heard = heard
    if state.misses >= Self.mostMisses, turn.end == nil {
      turn.text += "\n" + say("lines.nobody", ["lines.misses": String(Self.mostMisses)])
      turn.effects += [state.leaving]
    }
    return turn
  }

  /// Takes in lines that came at once: a paste, unless the first of them is an answer, which somebody has typed ahead.
  public mutating func enter(all lines: [String]) -> Turn {
    var trial = state
    let (before, _) = (trial.misses, trial.enter(lines.first ?? ""))
    guard lines.count > 1, !state.isAwaited || state.session != nil, trial.misses > before, state.takesEvidence else {
      var turn = Turn()
      for line in lines where turn.end == nil {
        let next = enter(line)
        turn.text += next.text
        turn.heard += next.heard
        turn.effects += next.effects
      }
      return turn
    }
    isPrompted = false
    let effects = state.handle(.key(.paste(lines.joined(separator: "\n"))))
    state.hint = ""
    return Turn(
      text: "", heard: state.word("lines.pasted", ["paste.count": String(lines.count)]) + "\n", effects: effects)
  }

  /// Scalars of a line that are written down.
  private static let heard = 200

  /// There are no more lines: what nobody can say any more stays open, and the result is the end.
  public mutating func inputEnded() -> Turn {
    let end = isPrompted ? "\n" + say("lines.end") : ""
    (isOver, isPrompted) = (true, false)
    return turn(end, state.stopAsking())
  }

  /// Says a report as it would be saved.
  public mutating func preview(_ report: String, hidden: [HiddenKind: Int] = [:]) -> Turn {
    let lines = report.lines.map { String($0).drawable(isASCII: state.isASCII) + "\n" }
    let sentence = state.sentence(ofHidden: hidden).drawable(isASCII: state.isASCII)
    return turn("\n" + lines.joined() + sentence.filled(width).map { $0 + "\n" }.joined(), [])
  }

  /// The key that ends a program was pressed.
  public mutating func interrupted() -> Turn { Turn(text: "\n", effects: state.handle(.key(.control("c")))) }

  // MARK: What is said

  /// What is new, and then the prompt; answers that were given ahead are taken at once.
  private mutating func turn(_ text: String, _ effects: [Effect]) -> Turn {
    var turn = Turn(text: text, effects: effects)
    // What an exercise is about is said when its systems are there.
    while turn.end == nil, !turn.effects.contains(where: \.isPractise) {
      let news = news()
      if !news.isEmpty { silence = 0 }
      turn.text += news
      // What becomes of a report is said first.
      guard !state.isAwaited, !turn.effects.contains(where: \.isReport) else { break }
      if isOver, !state.collected.isEmpty {
        turn.effects += state.useCollected()
        continue
      }
      if isOver {
        turn.text += "\n"
        turn.effects.append(state.leaving)
        break
      }
      if isPrompted, turn.text.isEmpty { break }
      if isPrompted { turn.text = "\n" + turn.text }
      turn.text += "\n" + state.prompt.filled(width).joined(separator: "\n") + " "
      isPrompted = true
      guard let (line, effects) = state.takeAhead() else { break }
      isPrompted = false
      turn.text += line.excerpt(of: Self.heard).drawable(isASCII: state.isASCII) + "\n"
      turn.effects += effects
    }
    return turn
  }

  private mutating func news() -> String {
    let news = transcript.news(of: state)
    state.hint = ""
    transcript.forgetHint()
    if state.scene == .help || state.scene == .words {
      state.spots.removeLast()
      transcript.isBack(at: state)
    }
    return news
  }

  /// What the way to the result waits for.
  private var awaited: String {
    guard case .waiting(let check) = state.session?.walk().state else { return "" }
    let facts: Facts = [
      "check.title": state.catalog.checks[check]?.title ?? check, "check.seconds": String(state.elapsed[check] ?? 0),
    ]
    return say("lines.waiting", facts)
  }

  /// The program's own words, as lines.
  private func say(_ word: String, _ facts: Facts = Facts()) -> String {
    state.word(word, facts).drawable(isASCII: state.isASCII).filled(width).map { $0 + "\n" }.joined()
  }
}

extension Effect {
  fileprivate var isReport: Bool {
    switch self {
    case .save, .preview, .paste: true
    default: false
    }
  }
  fileprivate var isPractise: Bool { if case .practise = self { true } else { false } }
}

extension State {
  /// What can be done about what runs: wait no longer, go back, leave.
  fileprivate func canEnterMeanwhile(_ line: String) -> Bool {
    Binding.lettered(in: self).contains {
      [.skip, .back, .quit, .help].contains($0.action) && $0.letter.map { String($0) } == line.trimmed.lowercased()
    }
  }

  fileprivate var leaving: Effect { .quit(exitCode, line: closingLine) }
}
