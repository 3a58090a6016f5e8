import Flow
import Model

extension State {
  func question(_ node: String) -> String {
    guard case .fact(let name, let question) = catalog.tree.nodes[node]?.looks else { return node }
    return question?.text.prose(session?.facts ?? Facts()) ?? name.text
  }

  /// What can be answered, in order; the last one is always "I do not know".
  func answers(to node: String) -> [(key: String, text: String)] {
    let facts = session?.facts ?? Facts()
    let branches = catalog.tree.nodes[node]?.branches ?? []
    let known = branches.compactMap { branch in branch.text?.prose(facts).map { (branch.written, $0) } }
    let unsure = known.first { $0.0 == Node.unsure } ?? (Node.unsure, word("question.unsure"))
    return known.filter { $0.0 != Node.unsure } + [unsure]
  }

  func text(of answer: Session.Record.Answer) -> String {
    answers(to: answer.node).first { $0.key == answer.key }?.text ?? answer.key
  }

  func isAnswered(_ node: String) -> Bool { session?.record.answers.contains { $0.node == node } ?? false }

  /// So many answers are offered at once, where there are more than two besides.
  static let offered = 5

  /// What is offered from an answer on: the next few, the way to the others (nil), and "I do not know".
  func offers(_ node: String, from first: Int) -> [(key: String?, text: String)] {
    let known = answers(to: node)
    let rest = known.dropFirst(first)
    guard rest.count > Self.offered + 2, let unsure = rest.last else { return rest.map { ($0.key, $0.text) } }
    return rest.prefix(Self.offered).map { ($0.key, $0.text) } + [
      (nil, word("question.others")), (unsure.key, unsure.text),
    ]
  }

  /// Asks, with the mark at the answer that was given before, or at the way to it.
  mutating func ask(_ node: String, from first: Int = 0) {
    let (offers, key) = (offers(node, from: first), given[node])
    let later =
      answers(to: node).dropFirst(first).contains { $0.key == key } ? offers.firstIndex { $0.key == nil } : nil
    let focus = key == nil ? nil : offers.firstIndex { $0.key == key } ?? later
    push(.question(node: node, from: first), focus: focus ?? 0)
  }

  /// Causes that the tree can still name from this node on.
  func possibleCauses(from start: String) -> Int {
    var causes = Set(session?.walk().causes.map(\.cause) ?? [])
    var seen: Set<String> = []
    var open = [start]
    while let id = open.popLast() {
      guard seen.insert(id).inserted, let node = catalog.tree.nodes[id] else { continue }
      causes.formUnion(node.branches.flatMap { $0.names.map(\.cause) })
      open += node.branches.compactMap(\.go)
    }
    return causes.count
  }

  func questionSheet(of node: String, from first: Int) -> Sheet {
    let facts = session?.facts ?? Facts()
    let before = session?.record.answers.prefix { $0.node != node } ?? []
    var sheet = Sheet(title: word("question.title", ["question.number": String(before.count + 1)]))
    sheet.isChoice = true
    sheet.note = word("question.causes", ["question.causes": String(possibleCauses(from: node))])
    if before.isEmpty, lacksRights, !isRestricted {
      sheet.say(word("question.rights"))
      sheet.blocks.append(.code(("sudo wizard502 " + (facts[.url]?.shellWord ?? "")).trimmed, .typed))
      sheet.blocks.append(.gap)
    }
    sheet.say(question(node), .bold)
    sheet.blocks.append(.gap)
    for (index, answer) in offers(node, from: first).enumerated() {
      let note = isAnswered(node) && given[node] == answer.key ? word("question.given") : ""
      sheet.blocks.append(.item(label: Span(String(index + 1), spoken: ""), words: [Span(answer.text)], note: note))
    }
    sayKnown(before: before, in: &sheet)
    if case .fact(_, let question?) = catalog.tree.nodes[node]?.looks { say(question, facts, in: &sheet) }
    return sheet
  }

  /// How to find out, what that prints, and why it is asked.
  private func say(_ question: Question, _ facts: Facts, in sheet: inout Sheet) {
    if let findOut = question.findOut.prose(facts) {
      sheet.head(word("question.find-out"))
      sheet.say(findOut)
      if let run = question.run?.shell(facts) {
        sheet.blocks.append(.code(run, .typed))
        if let example = question.example?.prose(facts) {
          sheet.say(word("question.example"))
          for line in example.lines { sheet.say(String(line), .dim, indent: 2, hanging: 2) }
        }
      }
    }
    if let why = question.why.prose(facts) {
      sheet.head(word("question.why"))
      sheet.say(why)
    }
  }

  /// What led to the question: findings, facts and answers, in the order of the way.
  private func sayKnown(before: [Session.Record.Answer], in sheet: inout Sheet) {
    let steps = session?.walk().steps ?? []
    guard !steps.isEmpty else { return }
    sheet.head(word("question.known"))
    for step in steps {
      switch step.node.looks {
      case .check(let check):
        if let evidence = evidence(of: check) { say(evidence, in: &sheet) }
      case .fact(_, .some) where step.source == .fact || before.contains { $0.node == step.node.id }:
        let answer = answers(to: step.node.id).first { $0.key == step.key }?.text ?? step.key
        sheet.say("\(question(step.node.id)) \(answer)", indent: 2, hanging: 2)
      default: break
      }
    }
  }
}
