import Flow
import Model
import YAML

/// Reads the files of nodes: `Flows/*.yaml` but for `checks.yaml`.
struct FlowReader {
  let shapes: [String: CheckShape]
  let problems: Problems
  private var forms: [String: Form] = [:]

  init(shapes: [String: CheckShape], problems: Problems) {
    self.shapes = shapes
    self.problems = problems
  }

  /// Reads all of them, since a form of one may be that of another one's nodes.
  mutating func read(_ roots: [(root: YAML.Node, isStart: Bool)], into draft: inout Draft) {
    let files = roots.map { root, isStart in
      (
        isStart,
        root.record(["title", "start", "hops", "middle", "follow", "contradictions", "forms", "nodes"], problems)
      )
    }
    for (isStart, file) in files { readHead(file, isStart: isStart, into: &draft) }
    for field in files.flatMap({ $0.1["forms"]?.fields(problems) ?? [] }) {
      if let earlier = forms[field.name.text] {
        problems.add(field.name.at, "there is already a form '\(field.name.text)' at \(earlier.name.at.inWords)")
      } else {
        forms[field.name.text] = Form(field, problems)
      }
    }
    for field in files.flatMap({ $0.1.required("nodes")?.fields(problems) ?? [] }) {
      if let earlier = draft.nodes[field.name.text] {
        problems.add(field.name.at, "there is already a node '\(field.name.text)' at \(earlier.at.inWords)")
        continue
      }
      draft.nodes[field.name.text] = node(field, into: &draft)
    }
    for form in forms.values where !form.isUsed {
      problems.add(form.name.at, "no node has the form '\(form.name.text)'")
    }
  }

  // MARK: The head of a file

  /// What is said once for the whole tree: where it starts, the hops of the way, how a case goes on elsewhere, and what
  /// cannot be true together.
  private func readHead(_ file: Record, isStart: Bool, into draft: inout Draft) {
    _ = file.requiredText("title")
    guard isStart else {
      for key in ["start", "hops", "middle", "follow", "contradictions"] {
        if let field = file.field(key) { problems.add(field.name.at, "only Flows/start.yaml has a '\(key)'") }
      }
      return
    }
    draft.start = file.requiredText("start")
    if let start = draft.start { draft.link(to: .node, start) }
    draft.hops = file.required("hops")?.texts(problems) ?? []
    draft.middle = file["middle"]?.text(problems)
    for field in file["follow"]?.fields(problems) ?? [] {
      draft.follows.append((field.name, follow(field, into: &draft)))
    }
    draft.contradictions = file["contradictions"]?.items(problems).map(contradiction) ?? []
  }

  private func contradiction(_ node: YAML.Node) -> [String: Set<String>] {
    var outcomes: [String: Set<String>] = [:]
    let fields = node.fields(problems)
    if fields.count < 2 { problems.add(node.at, "two checks or more contradict each other") }
    for field in fields {
      let keys = field.value.texts(problems)
      shape(of: field.name)?.expect(keys, problems)
      outcomes[field.name.text] = Set(keys.map(\.text))
    }
    return outcomes
  }

  private func follow(_ field: Field, into draft: inout Draft) -> Follow {
    let record = field.value.record(["how", "to", "give", "keep"], problems)
    _ = record.required("how")
    let how = record.choice("how", of: Follow.How.allCases)
    let to = record.requiredText("to")
    var used = [to].compactMap { $0 }
    var gives: [FactName: [FactName]] = [:]
    for given in record["give"]?.fields(problems) ?? [] {
      let isList = if case .sequence = given.value.content { true } else { false }
      let sources = isList ? given.value.texts(problems) : [given.value.text(problems)].compactMap { $0 }
      used += sources
      gives[FactName(given.name.text)] = sources.map { FactName($0.text) }
    }
    if let how, how != .within, let keep = record.field("keep") {
      problems.add(keep.name.at, "'keep' is only for a case that goes on 'within' itself")
    }
    let keeps = record.texts("keep")
    draft.usedHops += keeps
    for name in used { draft.use(FactName(name.text), .anywhere, at: .known(name.at)) }
    return Follow(how: how ?? .anew, to: FactName(to?.text ?? ""), gives: gives, keeps: keeps.map(\.text))
  }

  // MARK: Nodes

  private mutating func node(_ field: Field, into draft: inout Draft) -> Node {
    let value = field.value.has("form") ? filled(field.value) : field.value
    let looks: Node.Looks
    let branches: [Branch]
    // Told apart by either of their keys, so that a misspelt one does not hide the rest.
    if let value, value.has("check") || value.has("outcomes") {
      (looks, branches) = check(value.record(["check", "outcomes"], problems), into: &draft)
    } else if let value, value.has("fact") || value.has("answers") {
      let record = value.record(["fact", "ask", "why", "find-out", "run", "example", "answers"], problems)
      (looks, branches) = fact(record, field.name.text, into: &draft)
    } else {
      if value != nil { problems.add(field.name.at, "a node has a 'check', a 'fact' or a 'form'") }
      (looks, branches) = (.check(""), [])
    }
    return Node(id: field.name.text, looks: looks, branches: branches, at: field.name.at)
  }

  /// The node of a form, filled in; nil if there is no such form.
  private mutating func filled(_ node: YAML.Node) -> YAML.Node? {
    guard let name = node["form"]?.text(problems) else { return nil }
    guard let form = forms[name.text] else {
      problems.add(name.at, "there is no form '\(name.text)'", name.text, notIn: forms.keys)
      return nil
    }
    forms[name.text]?.isUsed = true
    return form.filled(by: node, problems)
  }

  private func check(_ record: Record, into draft: inout Draft) -> (Node.Looks, [Branch]) {
    let lines = Line.lines(of: record.required("outcomes"), problems)
    let check = record.requiredText("check")
    let shape = check.flatMap { self.shape(of: $0) }
    if draft.isLinted, let check, let shape { compare(lines, with: shape, at: check.at) }
    let branches = lines.expanded(to: shape?.outcomes, kind: "outcome", problems).map {
      branch($0, unseen: Finding.unknown, asks: false, in: nil, into: &draft)
    }
    return (.check(check?.text ?? ""), branches)
  }

  /// The check of that name; nil, which is a problem, if there is none.
  private func shape(of check: Text) -> CheckShape? {
    if let shape = shapes[check.text] { return shape }
    problems.add(check.at, "there is no check '\(check.text)'", check.text, notIn: shapes.keys)
    return nil
  }

  private func compare(_ lines: [Line], with shape: CheckShape, at: SourcePlace) {
    shape.expect(lines.keys, besides: [Line.otherwise], problems)
    for outcome in shape.outcomes where !lines.has(outcome) && !lines.has(Line.otherwise) {
      problems.add(at, "'\(shape.id)' can also end in '\(outcome)'; say where that leads")
    }
  }

  private func fact(_ record: Record, _ id: String, into draft: inout Draft) -> (Node.Looks, [Branch]) {
    let question = question(record, id, into: &draft)
    let asks = record["ask"] != nil
    let lines = Line.lines(of: record.required("answers"), problems)
    let (unknown, foreign) = asks ? (Node.unsure, Node.absent) : (Node.absent, Node.unsure)
    if let answers = record["answers"], !lines.has(unknown), asks || !lines.has(Line.otherwise) {
      problems.add(
        answers.at, "'\(unknown)' is missing; say where it leads if \(asks ? "nobody knows" : "it is not known")")
    }
    for key in lines.keys where key.text == foreign {
      problems.add(
        key.at, "'\(foreign)' is only for a node that \(asks ? "does not ask" : "asks"); here it is '\(unknown)'")
    }
    let fact = record.requiredText("fact")
    if let fact {
      let name = FactName(fact.text)
      if !asks { draft.use(name, .anywhere, at: .known(fact.at)) }
      let words = [Node.other, Node.absent, Node.unsure, Line.otherwise]
      if draft.isLinted {
        for key in lines.keys where !words.contains(key.text) { draft.compare(name, with: key.text, .known(key.at)) }
      }
    }
    // Somebody who is asked says "I do not know" in words of its own.
    let branches = lines.expanded(to: asks ? [Node.other] : [Node.other, Node.absent], kind: "value", problems).map {
      branch($0, unseen: asks ? Node.unsure : nil, asks: asks, in: id, into: &draft)
    }
    return (.fact(FactName(fact?.text ?? ""), question), branches)
  }

  private func question(_ record: Record, _ id: String, into draft: inout Draft) -> Question? {
    guard let ask = record.text("ask") else {
      for key in ["why", "find-out", "run", "example"] {
        if let field = record.field(key) { problems.add(field.name.at, "'\(key)' is only for a node that asks") }
      }
      return nil
    }
    let parts = [ask, record.requiredText("why")].map { text in
      text.map { draft.template($0, .node(id)) } ?? Template("")
    }
    if let example = record.field("example"), record["run"] == nil {
      problems.add(example.name.at, "'example' is what a 'run' prints")
    }
    func wording(_ key: String) -> Wording? { record[key].map { self.wording($0, id, into: &draft) } }
    _ = record.required("find-out")
    return Question(
      text: parts[0], why: parts[1], findOut: wording("find-out") ?? Wording(Template("")), run: wording("run"),
      example: wording("example"))
  }

  /// A text, several of which the first that can be filled in is said, or a mapping of kinds of proxies to those;
  /// `otherwise` is any other kind, and one that is not known.
  private func wording(_ node: YAML.Node, _ id: String, into draft: inout Draft) -> Wording {
    func texts(_ node: YAML.Node) -> [Template] {
      let isList = if case .sequence = node.content { true } else { false }
      let texts = isList ? node.texts(problems) : [node.text(problems)].compactMap { $0 }
      return texts.map { draft.template($0, .node(id)) }
    }
    guard case .mapping = node.content else { return Wording(forms: [.init(kinds: nil, texts: texts(node))]) }
    return Wording(
      forms: Line.lines(of: node, problems).map { line in
        for key in line.keys where !line.isRest { draft.compare(.proxyKind, with: key.text, .known(key.at)) }
        return .init(kinds: line.isRest ? nil : line.keys.map(\.text), texts: texts(line.value))
      })
  }

  // MARK: Branches

  /// - Parameters:
  ///   - unseen: The key of what could not be seen.
  ///   - node: The node that it is an answer of; nil for the outcome of a check.
  private func branch(
    _ line: Line, unseen: String?, asks: Bool, in node: String?, into draft: inout Draft
  ) -> Branch {
    let (key, keys) = (line.written, line.keys.map(\.text))
    let record = line.value.record(
      (node == nil ? [] : ["text", "shows", "give"]) + ["cause", "confidence", "causes", "go", "end", "follow"],
      problems)
    if ["cause", "causes", "go", "end"].allSatisfy({ record[$0] == nil }) {
      problems.add(key.at, "'\(key.text)' leads nowhere; give it a 'cause', a 'go' or an 'end'")
    }
    for (name, does) in [("end", "end"), ("follow", "follow another address")] {
      if record["go"] != nil, let field = record.field(name) {
        problems.add(field.name.at, "'\(key.text)' cannot both go on and \(does)")
      }
    }
    if asks, keys.contains(Node.unsure) { _ = record.required("text") }
    if let text = record.field("text"), !asks || keys.count > 1 {
      problems.add(text.name.at, asks ? "'text' is that of one answer" : "'text' is only for a node that asks")
    }
    for name in ["shows", "give"] where !asks {
      if let field = record.field(name) { problems.add(field.name.at, "'\(name)' is only for a node that asks") }
    }
    var gives = Facts()
    for given in record["give"]?.fields(problems) ?? [] {
      guard let value = given.value.text(problems) else { continue }
      draft.compare(FactName(given.name.text), with: value.text, .known(value.at))
      gives[FactName(given.name.text)] = value.text
    }
    let go = record.text("go")
    if let go { draft.link(to: .node, go) }
    let follow = record.text("follow")
    if let follow { draft.link(to: .follow, follow) }
    return Branch(
      keys: keys, written: key.text, text: record["text"].map { wording($0, node ?? "", into: &draft) },
      shows: record.texts("shows").map(\.text), gives: gives,
      names: names(record, key, isUnseen: keys.contains { $0 == unseen } ? unseen : nil, into: &draft), go: go?.text,
      end: record.choice("end", of: [Diagnosis.Verdict.working, .inconclusive]), follow: follow?.text, at: key.at)
  }

  // MARK: Causes

  /// - Parameter unseen: Set if the line is, or stands for, what could not be seen.
  private func names(
    _ record: Record, _ key: Text, isUnseen unseen: String?, into draft: inout Draft
  ) -> [Branch.Names] {
    var named: [(cause: Text, confidence: Text?)] = []
    if let cause = record.text("cause") {
      if let causes = record.field("causes") {
        problems.add(causes.name.at, "'cause' and 'causes' exclude each other")
      }
      named = [(cause, record.requiredText("confidence"))]
    } else {
      if let confidence = record.field("confidence") {
        problems.add(confidence.name.at, "'confidence' belongs to a 'cause'")
      }
      let fields = record["causes"]?.fields(problems) ?? []
      if let causes = record["causes"], case .mapping([]) = causes.content {
        problems.add(causes.at, "a cause belongs here")
      }
      named = fields.map { ($0.name, $0.value.text(problems)) }
    }
    return named.map { cause, word in
      draft.link(to: .page, cause)
      let confidence = word?.choice(of: Confidence.allCases, what: "confidence", problems)
      if let word, let unseen, confidence == .certain {
        problems.add(
          word.at,
          key.text == unseen
            ? "'\(unseen)' leaves other causes, so it is 'likely' at most"
            : "'\(key.text)' stands for '\(unseen)', too, which is 'likely' at most; give that a line of its own")
      }
      return Branch.Names(cause: cause.text, confidence: confidence ?? .possible)
    }
  }
}

extension YAML.Node {
  fileprivate func has(_ key: String) -> Bool { pairs.contains { $0.key == key } }
}

extension SourcePlace {
  fileprivate var inWords: String { "\(file):\(line)" }
}
