import Flow
import Model

/// A session where lines are read: each is a number, a letter with its Enter, or what the screen asks for.
extension State {
  /// True while the person has nothing to choose: what comes next depends on what still runs.
  var isAwaited: Bool {
    switch scene {
    case .path: !isSettled && isWatching
    case .start: isListing && listed < Self.listing
    default: false
    }
  }

  /// Seconds for which the list of sites may keep somebody waiting who wants to type an address.
  private static let listing = 3

  /// Takes a line in and says what the outside is asked to do about it. What is no answer here leaves a hint.
  public mutating func enter(_ line: String) -> [Effect] {
    hint = ""
    let wasAwaited = isAwaited
    guard var effects = taken(line.trimmed) else {
      misses += 1
      if hint.isEmpty { hint = word("lines.no-answer") }
      return []
    }
    misses = 0
    if wasAwaited, scene == .path {
      isWatching = true
      effects += advance()
    }
    return effects
  }

  /// Takes the next answer that was given ahead, if one is wanted now; nil if there is none.
  public mutating func takeAhead() -> (line: String, effects: [Effect])? {
    guard !isAwaited, !ahead.isEmpty else { return nil }
    let line = ahead.removeFirst()
    let effects = enter(line)
    if misses > 0 {
      // What follows was meant for what comes after another answer.
      ahead = []
      hint = word("lines.ahead", ["lines.answer": line.excerpt(of: 100)])
    }
    return (line, effects)
  }

  /// Nil if it is no answer here.
  private mutating func taken(_ text: String) -> [Effect]? {
    if text.isEmpty {
      if scene == .logLine { take(line: "") }
      guard let action = actionOfEnter else {
        hint = word("lines.nothing-marked")
        return nil
      }
      return perform(action, .enter)
    }
    if case .question(let node, _) = scene, let key = answer(to: node, saidAs: text) { return answer(node, key) }
    if let number = number(saidAs: text) { return pick(number) }
    if text.allSatisfy({ $0.isASCII && $0.isNumber }) {
      guard let number = Int(text), number >= 1, number <= choices else {  // fits: nil if it does not
        hint = word("hint.no-number")
        return nil
      }
      return pick(number)
    }
    if let binding = Binding.lettered(in: self).first(where: { $0.isMeant(by: text, self) }) {
      return perform(binding.action, .other)
    }
    switch scene {
    case .start:
      (field, spot.focus) = (Field(text.printable), 0)
      let effects = check(text)
      return hint.isEmpty ? effects : nil
    case .logLine:
      take(line: text)
      return readLine()
    default: return nil
    }
  }

  /// The answer of which a person says the words, or its name in the tree.
  private func answer(to node: String, saidAs text: String) -> String? {
    answers(to: node).first { $0.key == text || $0.text.lowercased() == text.lowercased() }?.key
  }

  /// What an empty line does: nothing that answers, overrules or asks anything anew.
  private var actionOfEnter: Action? {
    switch scene {
    case .logLine where !collected.isEmpty: .choose
    case .path: canGoOn ? .goOn : nil
    case .question(let node, _): isAnswered(node) ? .choose : nil
    case .verdict: hasFix ? .next : nil
    case .fix: nextStep == nil ? nil : .next
    case .evidence, .correction, .page, .logLine, .hints: .back
    case .left: .resume
    case .goal: .begin
    case .leaving: .stay
    default: nil
    }
  }

  /// What can be entered now, in one line.
  var prompt: String {
    var parts: [String] = []
    if choices > 0, openable != [scene] {
      let numbers = choices == 1 ? "1" : "1-\(choices)"
      parts.append(word("lines.pick", ["lines.numbers": numbers]))
    }
    if hasField { parts.append(word(scene == .start ? "lines.address" : "lines.log-line")) }
    let action = actionOfEnter
    if action == .choose { parts.append(word("lines.keep")) }
    if action == .resume { parts.append(word("lines.resume")) }
    for binding in Binding.lettered(in: self) {
      let letter = binding.letter.map { String($0) } ?? ""
      let keys = binding.action == action ? word("lines.enter", ["lines.letter": letter]) : letter
      parts.append("\(keys) \(word("key.\(binding.name)"))")
    }
    return parts.joined(separator: ", ").drawable(isASCII: isASCII) + ":"
  }
}

extension Binding {
  /// Keys that have a letter and a meaning where nothing is drawn.
  static func lettered(in state: State) -> [Binding] {
    all.filter { $0.letter != nil && $0.isInLines && $0.isValid(state) }
  }

  /// The first letter among its keys.
  var letter: Character? {
    keys.lazy.compactMap { key -> Character? in
      if case .character(let character) = key, character.isLetter || character == "?" { character } else { nil }
    }.first
  }

  private var isInLines: Bool {
    switch action {
    case .next, .goOn, .back, .save, .preview, .again, .skip, .correct, .path, .otherCause, .words, .logLine, .help,
      .quit,
      .leave, .stay, .begin, .hint, .anew:
      true
    case .choose, .pick, .up, .down, .pageUp, .pageDown, .first, .last, .copy, .alone, .edit, .redraw, .suspend,
      .interrupt, .resume, .search, .endSearch, .leaveSearch:
      false
    }
  }

  /// The letter, the word behind it, or both.
  fileprivate func isMeant(by text: String, _ state: State) -> Bool {
    guard let letter else { return false }
    let name = state.word("key.\(name)")
    return [String(letter), name, "\(letter) \(name)"].contains(text.lowercased())
  }
}
