import Flow
import Model
import YAML

/// Reads a file of nodes: `Flows/*.yaml` but for `checks.yaml`.
struct FlowReader {
  let shapes: [String: CheckShape]
  let problems: Problems

  func read(_ root: YAML.Node, isStart: Bool, into draft: inout Draft) {
    let file = root.record(["title", "start", "nodes"], problems)
    _ = file.requiredText("title")
    if isStart {
      draft.start = file.requiredText("start")
      if let start = draft.start { draft.links.append(.init(target: .node, name: start)) }
    } else if let start = file.values["start"] {
      problems.add(start.name.at, "only Flows/start.yaml has a 'start'")
    }
    for field in file.required("nodes")?.fields(problems) ?? [] {
      if let earlier = draft.nodes[field.name.text] {
        problems.add(
          field.name.at, "there is already a node '\(field.name.text)' at \(earlier.at.file):\(earlier.at.line)")
        continue
      }
      draft.nodes[field.name.text] = node(field, into: &draft)
    }
  }

  private func node(_ field: Field, into draft: inout Draft) -> Node {
    let looks: Node.Looks
    let branches: [Branch]
    // Told apart by either of their keys, so that a misspelt one does not hide the rest.
    if field.value.has("check") || field.value.has("outcomes") {
      (looks, branches) = check(field.value.record(["check", "outcomes"], problems), into: &draft)
    } else if field.value.has("fact") || field.value.has("answers") {
      let record = field.value.record(["fact", "ask", "why", "find-out", "answers"], problems)
      (looks, branches) = fact(record, field.name.text, into: &draft)
    } else {
      problems.add(field.name.at, "a node has either a 'check' or a 'fact'")
      (looks, branches) = (.check(""), [])
    }
    return Node(id: field.name.text, looks: looks, branches: branches, at: field.name.at)
  }

  // MARK: Checks

  private func check(_ record: Record, into draft: inout Draft) -> (Node.Looks, [Branch]) {
    let fields = record.required("outcomes")?.fields(problems) ?? []
    let check = record.requiredText("check")
    if let check, let shape = shapes[check.text] {
      compare(fields, with: shape, at: check.at)
    } else if let check {
      problems.add(check.at, "there is no check '\(check.text)'", check.text, notIn: shapes.keys)
    }
    return (.check(check?.text ?? ""), fields.map { branch($0, asks: false, in: nil, into: &draft) })
  }

  private func compare(_ fields: [Field], with shape: CheckShape, at: SourcePlace) {
    for field in fields where !shape.outcomes.contains(field.name.text) {
      problems.add(
        field.name.at, "'\(shape.id)' does not end in '\(field.name.text)'", field.name.text, notIn: shape.outcomes)
    }
    for outcome in shape.outcomes where !fields.contains(where: { $0.name.text == outcome }) {
      problems.add(at, "'\(shape.id)' can also end in '\(outcome)'; say where that leads")
    }
  }

  // MARK: Facts

  private func fact(_ record: Record, _ id: String, into draft: inout Draft) -> (Node.Looks, [Branch]) {
    let question = question(record, id, into: &draft)
    let asks = record["ask"] != nil
    let fields = record.required("answers")?.fields(problems) ?? []
    if let answers = record["answers"], !fields.contains(where: { $0.name.text == Node.unsure }) {
      problems.add(answers.at, "'\(Node.unsure)' is missing; say where it leads if nobody knows")
    }
    let fact = record.requiredText("fact")
    if let fact, !asks { draft.uses.append(.init(fact: FactName(fact.text), at: .known(fact.at), scope: .anywhere)) }
    return (
      .fact(FactName(fact?.text ?? ""), question),
      fields.map { branch($0, asks: asks, in: id, into: &draft) }
    )
  }

  private func question(_ record: Record, _ id: String, into draft: inout Draft) -> Question? {
    guard let ask = record.text("ask") else {
      for key in ["why", "find-out"] {
        if let field = record.values[key] { problems.add(field.name.at, "'\(key)' is only for a node that asks") }
      }
      return nil
    }
    let parts = [ask, record.requiredText("why"), record.requiredText("find-out")].map { text in
      text.map { draft.template($0, .node(id)) } ?? Template("")
    }
    return Question(text: parts[0], why: parts[1], findOut: parts[2])
  }

  // MARK: Branches

  /// - Parameter node: The node that it is an answer of; nil for the outcome of a check.
  private func branch(_ field: Field, asks: Bool, in node: String?, into draft: inout Draft) -> Branch {
    let key = field.name
    let record = field.value.record(
      (node == nil ? [] : ["text"]) + ["cause", "confidence", "go", "end", "follow"], problems)
    if ["cause", "go", "end"].allSatisfy({ record[$0] == nil }) {
      problems.add(key.at, "'\(key.text)' leads nowhere; give it a 'cause', a 'go' or an 'end'")
    }
    if record["go"] != nil, let end = record.values["end"] {
      problems.add(end.name.at, "'\(key.text)' cannot both go on and end")
    }
    if record["go"] != nil, let follow = record.values["follow"] {
      problems.add(follow.name.at, "'\(key.text)' cannot both go on and follow another address")
    }
    if asks, key.text == Node.unsure { _ = record.required("text") }
    if !asks, let text = record.values["text"] {
      problems.add(text.name.at, "'text' is only for a node that asks")
    }
    let go = record.text("go")
    let follow = record.text("follow")
    if let follow { draft.uses.append(.init(fact: FactName(follow.text), at: .known(follow.at), scope: .anywhere)) }
    if let go { draft.links.append(.init(target: .node, name: go)) }
    return Branch(
      key: key.text, text: record.text("text").map { draft.template($0, .node(node ?? "")) },
      names: names(record, into: &draft), go: go?.text,
      end: record.choice("end", of: [Diagnosis.Verdict.working, .inconclusive]),
      follow: follow.map { FactName($0.text) }, at: key.at)
  }

  private func names(_ record: Record, into draft: inout Draft) -> Branch.Names? {
    guard let cause = record.text("cause") else {
      if let confidence = record.values["confidence"] {
        problems.add(confidence.name.at, "'confidence' belongs to a 'cause'")
      }
      return nil
    }
    draft.links.append(.init(target: .page, name: cause))
    _ = record.required("confidence")
    let confidence = record.choice("confidence", of: Confidence.allCases)
    return Branch.Names(cause: cause.text, confidence: confidence ?? .possible)
  }
}

extension YAML.Node {
  fileprivate func has(_ key: String) -> Bool {
    if case .mapping(let pairs) = content { pairs.contains { $0.key == key } } else { false }
  }
}
