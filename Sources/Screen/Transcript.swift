import Flow
import Model

/// What a session says, one line after the other: nothing that was said is changed, and nothing of it is for a terminal to
/// obey.
///
/// Follows a state whatever its face: a session in lines is nothing else, and of a full screen it is what is written down.
public struct Transcript: Sendable {
  /// Columns at which sentences are broken; nil: a paragraph is a line.
  private let width: Int?
  private var shown: Shown?
  private var hint = ""
  /// True if the checks ran on when something was said last.
  private var isFollowing = false
  /// The look of which findings are said, and what of them was.
  private var looks = 0
  private var told: Set<String> = []

  /// What is not said again while it stays.
  private struct Shown: Equatable {
    let scene: Scene
    let explanation: LogExplanation?
    let hints: Int?
    let isListing: Bool

    init(_ state: State) {
      (scene, explanation, hints) = (state.scene, state.explanation, state.practising?.hints)
      isListing = state.scene == .start && state.isListing
    }
  }

  public init(width: Int? = nil) { self.width = width }

  /// What is new since the last time: lines, each with its end.
  public mutating func news(of state: State) -> String {
    defer { (hint, isFollowing) = (state.hint, state.isAwaited) }
    let hints = state.hint.isEmpty || state.hint == hint ? [] : [state.hint.drawable(isASCII: state.isASCII)]
    let seen = isFollowing || state.isAwaited ? progress(of: state) : []
    let sheet = state.isAwaited ? [] : sheet(of: state)
    return (seen + sheet + hints.flatMap { $0.filled(width) }).map { $0 + "\n" }.joined()
  }

  /// What is laid over a screen is said, and then the one below is in sight again.
  mutating func isBack(at state: State) { shown = Shown(state) }

  /// The screen in sight is said as a whole once more.
  mutating func repeatAll() { shown = nil }

  /// The same hint may come once more.
  mutating func forgetHint() { hint = "" }

  private mutating func sheet(of state: State) -> [String] {
    guard Shown(state) != shown else { return [] }
    shown = Shown(state)
    var sheet = state.sheet
    sheet.title = state.origin + sheet.title
    return sheet.lines(width: width, isASCII: state.isASCII)
  }

  /// What has been seen on the way to the result: a line each, when the way has come to it.
  private mutating func progress(of state: State) -> [String] {
    shown = nil
    if state.looks != looks { (looks, told) = (state.looks, []) }
    let session = state.session
    let title = session == nil ? state.word("start.listing") : state.origin + state.pathSheet.title
    var lines: [String] = []
    if state.isAwaited, told.insert(title).inserted {
      lines += [""] + title.drawable(isASCII: state.isASCII).filled(width)
    }
    for evidence in session.map({ $0.evidence(on: $0.walk(), $0.facts) }) ?? []
    where told.insert(evidence.text).inserted {
      lines += "\(state.label(evidence.mark).spoken) \(evidence.text)".drawable(isASCII: state.isASCII).filled(width)
    }
    return lines
  }
}

extension Sheet {
  /// As lines: words in the place of marks, sentences broken at blanks, and what is run or applied as it is.
  ///
  /// An item has a number, by which it is chosen.
  func lines(width: Int?, isASCII: Bool) -> [String] {
    let heading = note.isEmpty ? title : "\(title) (\(note))"
    var lines = [""] + heading.drawable(isASCII: isASCII).filled(width)
    var items: [String] = []
    for block in blocks {
      switch block {
      case .gap: Self.gap(&lines)
      case .text(let spans, let indent, let hanging):
        lines += spans.spoken.drawable(isASCII: isASCII).filled(width, indent: indent, hanging: hanging > 0 ? 2 : 0)
      case .item(let label, let words, let note, _):
        let parts = [String(items.count + 1), label.spoken, words.spoken, note.isEmpty ? "" : "(\(note))"]
        let item = parts.filter { !$0.isEmpty }.joined(separator: " ").drawable(isASCII: isASCII)
        items.append(item)
        if !isChoice { lines += item.filled(width, hanging: 2) }
      case .code(let code, _):
        Self.gap(&lines)
        lines += code.lines.map { Self.codeLine(String($0), isASCII) } + [""]
      case .way(let way): lines += way.spoken.drawable(isASCII: isASCII).filled(width)
      case .places(let places):
        for place in places {
          let words = place.prefix(1) + [place.dropFirst().joined(separator: "; ")]
          lines += words.joined(separator: ": ").drawable(isASCII: isASCII).filled(width, hanging: 2)
        }
      case .field: break
      }
    }
    if isChoice { lines += [""] + items.flatMap { $0.filled(width, hanging: 2) } }
    while lines.last == "" { lines.removeLast() }
    return lines
  }

  private static func gap(_ lines: inout [String]) { if lines.last != "" { lines.append("") } }

  /// A line that can be copied: never broken, and a tab stays one.
  private static func codeLine(_ line: String, _ isASCII: Bool) -> String {
    line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0).drawable(isASCII: isASCII) }
      .joined(separator: "\t")
  }
}

extension [Span] {
  fileprivate var spoken: String { map(\.spoken).joined().trimmed }
}

extension String {
  /// Lines of at most `width` columns, broken at blanks; a word that is longer stays whole.
  func filled(_ width: Int?, indent: Int = 0, hanging: Int = 0) -> [String] {
    var lines: [String] = []
    var line = String(repeating: " ", count: indent)
    let start = String(repeating: " ", count: indent + hanging)
    var isEmpty = true
    for word in split(separator: " ") {
      if !isEmpty, let width, line.columns + 1 + word.unicodeScalars.reduce(0, { $0 + $1.columns }) > width {
        lines.append(line)
        (line, isEmpty) = (start, true)
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return lines + [line]
  }
}
