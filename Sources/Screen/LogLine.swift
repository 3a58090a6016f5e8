import Flow
import LogLines
import Model

extension State {
  var logLineSheet: Sheet {
    var sheet = Sheet(title: word("line.title"))
    sheet.say(word("line.ask"), .bold)
    sheet.blocks.append(.field(field.text, cursor: field.cursor))
    guard let explanation else {
      sheet.blocks.append(.gap)
      sheet.say(word("line.find-out"))
      return sheet
    }
    sheet.blocks.append(.gap)
    sheet.say(explanation.meaning, .bold)
    for detail in explanation.details { sheet.say(detail, indent: 2, hanging: 2) }
    sheet.head(word(explanation.causes.isEmpty ? "line.no-reason" : "line.causes"))
    for (index, cause) in explanation.causes.enumerated() {
      sheet.blocks.append(.item(label: Span(String(index + 1), spoken: ""), words: [Span(cause.title)], note: ""))
    }
    return sheet
  }

  /// A pasted line takes the place of the one before. What was copied from a narrow window comes in pieces.
  mutating func take(line text: String) {
    (field, explanation, spot.focus) = (Field(), nil, 0)
    if !field.insert(text.filter { !$0.isNewline }) { hint = word("hint.cut") }
  }

  /// Reads the line that was given, or opens the page of the cause that the cursor is on. A line that says nothing alone is
  /// collected, as terminals without a mark of their own for a paste give it line by line; an empty one ends that.
  mutating func readLine() -> [Effect] {
    if let explanation, spot.focus > 0 {
      push(.page(explanation.causes[spot.focus - 1].id))
      return []
    }
    if field.text.trimmed.isEmpty, !collected.isEmpty { return useCollected() }
    field.edit(.start)
    explanation = explanation(of: field.text, session?.facts ?? Facts())
    if explanation == nil || !collected.isEmpty {
      if !field.text.trimmed.isEmpty { collected.append(field.text) }
      if explanation == nil { field = Field() }
      hint =
        collected.count > 1
        ? word("paste.collected", ["paste.count": String(collected.count)]) : word("line.nothing")
    }
    spot.focus = explanation?.causes.isEmpty ?? true ? 0 : 1
    showFocus()
    return []
  }

  /// What a line means; nil if it is about no app that does not answer.
  func explanation(of line: String, _ facts: Facts) -> LogExplanation? {
    let kind = facts[.proxyKind].map { catalog.signs.logs(of: $0) }
    return LogReader(catalog.signs).reading(of: writtenLine(line.utf8), by: kind)
      .map { catalog.explanation(of: $0, facts) }
  }
}
