import Flow
import LogLines
import Model

extension State {
  /// True where what is pasted is evidence: not in an exercise, and not where something else has to be said first.
  var takesEvidence: Bool {
    switch scene {
    case .left, .leaving, .exercises, .goal, .hints, .guess: false
    default: practising == nil
    }
  }

  /// Takes a paste: one line into the field that the cursor is in, and whatever is more as evidence.
  mutating func take(paste text: String) -> [Effect] {
    let lines = text.lines.filter { line in line.contains { !$0.isWhitespace } }
    guard let first = lines.first else { return [] }
    if search != nil {
      entry.insert(text)
      searchOn()
      return []
    }
    if scene == .logLine, lines.count == 1 || isOneLine(lines) {
      take(line: text)
      return []
    }
    if scene == .start, lines.count == 1 || site(String(first).trimmed) != nil {
      spot.focus = 0
      if !field.insert(text) { hint = word("hint.cut") }
      return []
    }
    guard takesEvidence else {
      hint = word(practising == nil && exercises.isEmpty ? "paste.not-now" : "paste.not-in-practice")
      return []
    }
    hint = word("paste.reading")
    return [.paste(text, servesHere: session?.facts[.proxyWhere] != nil)]
  }

  /// True for one line of a log that a narrow window has broken.
  private func isOneLine(_ pieces: [Substring]) -> Bool {
    guard pieces.count <= Self.mostPieces else { return false }
    let reader = LogReader(catalog.signs)
    func says(_ line: String) -> Bool { reader.reading(of: writtenLine(line.utf8), by: nil) != nil }
    return !pieces.contains { says(String($0)) } && (says(pieces.joined()) || says(pieces.joined(separator: " ")))
  }

  /// Rows of a narrow window that a long line of a log takes.
  private static let mostPieces = 12

  /// Says what was understood of a paste, and looks again with it.
  mutating func learn(_ text: String, _ understanding: Understanding) -> [Effect] {
    if let refusal = understanding.refusal {
      hint = word(refusal.word, refusal.facts)
      return []
    }
    let effects = lookAgain(after: text, with: understanding)
    hint = sentence(of: understanding)
    return effects
  }

  /// `Read: 2 containers, 1 file. 3 lines were not understood.`
  private func sentence(of understanding: Understanding) -> String {
    let whats = understanding.counts.map { kind, count in counted("paste.what.\(kind)", count) }
    var sentences = [word("paste.understood", ["paste.whats": whats.joined(separator: ", ")])]
    if understanding.unread > 0 { sentences.append(counted("paste.unread", understanding.unread)) }
    if understanding.isElsewhere, origin.isEmpty { sentences.append(word("paste.elsewhere")) }
    return sentences.joined(separator: " ")
  }

  private func counted(_ name: String, _ count: Int) -> String {
    word(count == 1 ? "\(name).one" : "\(name).many", ["paste.count": String(count)])
  }

  /// The answer to a question that a paste gives; nil if none does, or if it was answered.
  func pastedAnswer(to node: String) -> String? {
    guard !isAnswered(node), given[node] == nil else { return nil }
    let branches = catalog.tree.nodes[node]?.branches ?? []
    if case .fact(let fact, _)? = catalog.tree.nodes[node]?.looks, let value = told[fact],
      branches.contains(where: { $0.written == value })
    {
      return value
    }
    return shown.lazy.compactMap { shows in branches.first { $0.shows.contains(shows) }?.written }.first
  }

  /// What was collected line by line is used.
  mutating func useCollected() -> [Effect] {
    let text = collected.joined(separator: "\n")
    collected = []
    back(from: .logLine)
    hint = word("paste.reading")
    return [.paste(text, servesHere: session?.facts[.proxyWhere] != nil)]
  }

  private mutating func back(from scene: Scene) {
    if self.scene == scene, spots.count > 1 { spots.removeLast() }
  }
}

extension Understanding.Refusal {
  fileprivate var word: String {
    switch self {
    case .long: "paste.long"
    case .binary: "paste.binary"
    case .nothing: "paste.nothing"
    case .machines: "paste.machines"
    }
  }

  fileprivate var facts: Facts {
    switch self {
    case .long: ["paste.limit": String(Limits.pastedAtOnce >> 20)]
    case .machines(let names): ["paste.machines": names.prefix(4).joined(separator: ", ").excerpt(of: 100)]
    case .binary, .nothing: [:]
    }
  }
}
