import Flow
import Markdown
import Model
import YAML

/// Reads one page of `Screens/`, named after its cause or its weakness, or a guide.
struct PageReader {
  /// Its front matter names the page by this word.
  enum Kind: String {
    case cause, guide, weakness

    /// `Screens/CAUSE.md`, `Screens/guides/NAME.md` or `Screens/checkup/WEAKNESS.md`; nil for any other file.
    static func page(_ path: String) -> (kind: Kind, id: String)? {
      guard path.hasPrefix("Screens/"), path.hasSuffix(".md") else { return nil }
      let words = path.split(separator: "/")
      let kind: Kind? =
        switch words.dropFirst().dropLast() {
        case []: .cause
        case ["guides"]: .guide
        case ["checkup"]: .weakness
        default: nil
        }
      return kind.map { ($0, String(words[words.count - 1].dropLast(3))) }
    }
  }

  /// What is being read: the page itself, or steps that it takes in from elsewhere.
  private struct Frame {
    var source: PageSource
    /// What holds for all of it.
    var when: [Condition] = []
    /// What stands in the place of `{new.VALUE}`, by the name of the value.
    var values: [String: String] = [:]
    /// The kind of proxy whose recipe it is; nil outside of recipes.
    var proxy: String? = nil
    /// Words of the page that lead to its steps without words.
    var lead: Template? = nil
  }

  private var frame: Frame
  /// What is taken in at the moment, from the outside in, to find circles.
  private var open: [String] = []
  private let kind: Kind
  private let id: String
  /// Steps that several pages share, by name.
  private let parts: [String: Part]
  private let recipes: Recipes
  private let language: Language
  private let problems: Problems
  private var explanation: [Page.Paragraph] = []
  private var drawings: [Page.Drawing] = []
  private var sections: [Page.Section] = []
  /// The section that is being read; nil before the first heading.
  private var heading: String?
  private var steps: [Page.Step] = []
  /// Words that wait for the fence to which they lead.
  private var words: [Text] = []
  private var when: [Condition] = []
  /// How many steps took their words from the page that takes them in.
  private var ledSteps = 0

  init(
    file: String, kind: Kind, id: String, text: String, parts: [String: Part], recipes: Recipes,
    _ language: Language, problems: Problems
  ) {
    frame = Frame(source: PageSource(file: file, text: text))
    self.kind = kind
    self.id = id
    self.parts = parts
    self.recipes = recipes
    self.language = language
    self.problems = problems
  }

  /// All of it.
  mutating func read(into draft: inout Draft) {
    draft.starts[kind, default: [:]][id] = frame.source.place(1)
    guard Markdown.frontMatter(of: frame.source.text) != nil else {
      problems.add(frame.source.place(1), "a page starts with its front matter between two lines '---'")
      return
    }
    let body = body(into: &draft)
    draft.pages[kind, default: [:]][id] = page(into: &draft) { body }
  }

  /// What stands below its front matter.
  mutating func body(into draft: inout Draft) -> Page.Body {
    for block in Markdown(frame.source.text).blocks { read(block, into: &draft) }
    endSection(into: &draft)
    if !sections.contains(where: { !$0.steps.isEmpty }) {
      problems.add(frame.source.place(1), "a page has at least one step")
    }
    return Page.Body(explanation: explanation, drawings: drawings, sections: sections)
  }

  /// The page by its front matter alone; nil if that cannot be read.
  func page(into draft: inout Draft, body: @escaping @Sendable () -> Page.Body) -> Page? {
    guard let frontMatter = Markdown.frontMatter(of: frame.source.text) else { return nil }
    let (root, mistakes) = YAML.read(frontMatter, file: frame.source.file, firstLine: 2)
    for mistake in mistakes { problems.add(SourcePlace(mistake.place), mistake.message) }
    guard let root else { return nil }
    let record = language(root, of: frame.source.file).record(
      [kind.rawValue, "title", "sources"] + (kind == .cause ? ["needs", "hides", "prevention"] : []), problems)
    if let named = record.requiredText(kind.rawValue), named.text != id {
      problems.add(named.at, "the \(kind) '\(named.text)' is not this file's name, '\(id)'")
    }
    let title = record.requiredText("title")
    for name in record.texts("needs") { draft.use(FactName(name.text), scope, at: .known(name.at)) }
    let hides = record.texts("hides")
    for name in hides { draft.link(to: .page, name) }
    let sources = record.required("sources")
    if let sources, sources.items(problems).isEmpty { problems.add(sources.at, "a page names at least one source") }
    return Page(
      id: id, title: title.map { draft.template($0, scope) } ?? Template(id), hides: hides.map(\.text),
      prevention: record.texts("prevention").map { draft.template($0, scope) },
      sources: record.texts("sources").map(\.text), body: body)
  }

  /// Who must be able to supply the page's facts. A guide can be opened whatever is known, and what a checkup sees comes
  /// in no order.
  private var scope: Draft.Use.Scope { kind == .cause ? .page(id) : .anywhere }

  // MARK: Blocks

  private mutating func read(_ block: Markdown.Block, into draft: inout Draft) {
    switch block.content {
    case .heading(let level, let text):
      if level != 2 { problems.add(frame.source.place(block.line), "a section of a page starts with '##'") }
      endSection(into: &draft)
      heading = language(text)
      when = frame.when
    case .paragraph(let text), .item(let text):
      let text = Text(text: language(text), at: frame.source.place(block.line))
      if heading == nil {
        explanation.append(.init(text: template(text, into: &draft), when: when))
      } else {
        words.append(text)
      }
    case .comment(let text): comment(text, line: block.line, into: &draft)
    case .code(["places"], let text) where heading == nil: places(text, line: block.line, into: &draft)
    case .code(let info, let text): step(info, text, line: block.line, into: &draft)
    case .other(let kind): problems.add(frame.source.place(block.line), "a page has no \(kind)")
    }
  }

  private mutating func endSection(into draft: inout Draft) {
    endWords(into: &draft)
    if let heading { sections.append(.init(heading: heading, steps: steps)) }
    steps = []
  }

  /// Words without a fence are a step of their own.
  private mutating func endWords(into draft: inout Draft) {
    if words.isEmpty { return }
    let text = takeWords(into: &draft)
    steps.append(.init(text: text, when: when, body: .none, place: nil, changes: false))
  }

  /// The words before a fence. A step without any has those of the page that takes it in, or is called like its section.
  private mutating func takeWords(into draft: inout Draft) -> Template {
    if words.isEmpty {
      guard let lead = frame.lead else { return Template(heading ?? "") }
      ledSteps += 1
      return lead
    }
    let templates = words.map { template($0, into: &draft) }
    words = []
    return Template(templates.map(\.source).joined(separator: "\n"))
  }

  // MARK: Comments

  /// `when: a.b = c | d, !e.f`, `always`, `part: NAME …` or `do: RECIPE …`; any other comment is the author's own.
  private mutating func comment(_ comment: String, line: Int, into draft: inout Draft) {
    if comment == "always" {
      endWords(into: &draft)
      when = frame.when
    } else if comment.hasPrefix("when:") {
      endWords(into: &draft)
      when = frame.when + conditions(comment.dropFirst(5), line: line, into: &draft)
    } else if comment.hasPrefix("part:") {
      endWords(into: &draft)
      part(call(comment.dropFirst(5), line: line, into: &draft), line: line, into: &draft)
      when = frame.when
    } else if comment.hasPrefix("do:") {
      recipe(call(comment.dropFirst(3), line: line, into: &draft), line: line, into: &draft)
      when = frame.when
    }
  }

  /// `NAME value=… when: …`
  private struct Call {
    let name: String
    var values: [String: String] = [:]
    var when: [Condition] = []
  }

  private func call(_ text: Substring, line: Int, into draft: inout Draft) -> Call {
    let condition = text.firstRange(of: "when:")
    let words = text[..<(condition?.lowerBound ?? text.endIndex)].split(separator: " ")
    var call = Call(name: words.first.map(String.init) ?? "")
    for word in words.dropFirst() {
      guard let sign = word.firstIndex(of: "=") else {
        problems.add(
          frame.source.place(line), "behind the name only values ('port={upstream.port}') and 'when:' may follow")
        continue
      }
      let value = Text(text: String(word[word.index(after: sign)...]), at: frame.source.place(line))
      call.values[String(word[..<sign])] = template(value, into: &draft).source
    }
    if let condition { call.when = conditions(text[condition.upperBound...], line: line, into: &draft) }
    return call
  }

  /// Reads the steps of `Screens/parts/NAME.md` as if they stood here.
  private mutating func part(_ call: Call, line: Int, into draft: inout Draft) {
    guard let part = parts[call.name] else {
      problems.add(
        frame.source.place(of: call.name, from: line), "there is no part '\(call.name)'", call.name, notIn: parts.keys)
      return
    }
    draft.usedParts.insert(call.name)
    for value in call.values.keys.sorted() where !part.source.text.contains("{\(Part.values)\(value)}") {
      problems.add(frame.source.place(of: value, from: line), "the part '\(call.name)' has no {\(Part.values)\(value)}")
    }
    var inside = frame
    (inside.when, inside.values) = (frame.when + call.when, call.values)
    take(part, inside, called: "part \(call.name)", line: line, into: &draft)
  }

  /// Reads how each kind of proxy does it. Words right before it lead to the steps that have none of their own, under
  /// the conditions of those words.
  private mutating func recipe(_ call: Call, line: Int, into draft: inout Draft) {
    guard recipes.sentences[call.name] != nil else {
      endWords(into: &draft)
      problems.add(
        frame.source.place(of: call.name, from: line), "there is no recipe '\(call.name)'", call.name,
        notIn: recipes.sentences.keys)
      return
    }
    draft.usedRecipes.insert(call.name)
    let wanted = recipes.values(of: call.name)
    for value in wanted where call.values[value] == nil {
      problems.add(frame.source.place(of: call.name, from: line), "'\(call.name)' wants '\(value)='")
    }
    for value in call.values.keys.sorted() where !wanted.contains(value) {
      problems.add(
        frame.source.place(of: value, from: line), "'\(call.name)' takes no '\(value)'", value, notIn: wanted)
    }
    let before = ledSteps
    let hasWords = !words.isEmpty
    var inside = frame
    (inside.when, inside.values) = ((hasWords ? when : frame.when) + call.when, call.values)
    if hasWords { inside.lead = takeWords(into: &draft) }
    let first = steps.count
    if let proxy = frame.proxy {
      if let steps = recipes.answer(of: proxy, to: call.name) {
        take(steps, inside, called: call.name, line: line, into: &draft)
      }
    } else {
      let common = inside.when
      for (proxy, answer) in recipes.answers(to: call.name) {
        let own = steps.count
        inside.proxy = proxy
        inside.when = [Condition(fact: .proxyKind, test: .oneOf([proxy]))] + common
        take(answer, inside, called: call.name, line: line, into: &draft)
        join(from: own, with: first)
      }
    }
    if hasWords, ledSteps == before {
      problems.add(
        frame.source.place(line),
        "every step of '\(call.name)' has words of its own; put '<!-- always -->' between it and the words before it")
    }
  }

  /// Steps that one kind of proxy has in common with those before it become one, in an order that is each one's own.
  private mutating func join(from own: Int, with first: Int) {
    let mine = Array(steps[own...])
    steps.removeSubrange(own...)
    var next = first
    for step in mine {
      guard let same = steps[next...].firstIndex(where: { $0.isSame(as: step) }) else {
        steps.insert(step, at: next)
        next += 1
        continue
      }
      steps[same] = steps[same].also(for: step)
      next = same + 1
    }
  }

  private mutating func take(
    _ part: Part, _ inside: Frame, called name: String, line: Int, into draft: inout Draft
  ) {
    guard !open.contains(name) else {
      problems.add(
        frame.source.place(line),
        "this leads in a circle: \((open.drop { $0 != name } + [name]).joined(separator: " → "))")
      return
    }
    open.append(name)
    let outside = frame
    (frame, when) = (inside, inside.when)
    frame.source = part.source
    for block in part.blocks { read(block, into: &draft) }
    endWords(into: &draft)
    frame = outside
    open.removeLast()
  }

  private func conditions(_ text: Substring, line: Int, into draft: inout Draft) -> [Condition] {
    text.isEmpty
      ? []
      : text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).compactMap {
        condition(Substring($0).trimmed, line: line, into: &draft)
      }
  }

  private func condition(_ text: Substring, line: Int, into draft: inout Draft) -> Condition? {
    guard let condition = Condition(text, { problems.add(frame.source.place(line), $0) }) else { return nil }
    let name = condition.fact
    if frame.proxy != nil, name == .proxyKind {
      problems.add(
        frame.source.place(of: name.text, from: line), "a recipe is that of its own proxy; it does not ask for the kind"
      )
    }
    use(name, name.text, line: line, .anywhere, &draft)
    for value in condition.values { draft.compare(name, with: value, .found(in: frame.source, value, line: line)) }
    return condition
  }

  // MARK: Steps

  private mutating func step(_ info: [String], _ code: String, line: Int, into draft: inout Draft) {
    if heading == nil { problems.add(frame.source.place(line), "a step belongs below a '##'") }
    let text = takeWords(into: &draft)
    var lines = code.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    let kind = Text(text: info.first ?? "", at: frame.source.place(line)).choice(
      of: Fence.allCases, what: "kind of step", problems)
    var words = FenceWords(words: Array(info.dropFirst()), source: frame.source, line: line, problems: problems)
    let changes = words.changes()
    let body: Page.Step.Body
    let runsAt: Diagnosis.Place?
    switch kind {
    case .sh:
      runsAt = words.place()
      if draft.isLinted { quotes(code, line: line) }
      body = .command(template(Text(text: lines.joined(separator: "\n"), at: frame.source.place(line)), into: &draft))
    case .diff:
      runsAt = .file
      body = patch(&words, lines, line: line, into: &draft)
    case .form:
      runsAt = .webUI
      let lines = lines.map { language($0) }
      body = .form(template(Text(text: lines.joined(separator: "\n"), at: frame.source.place(line)), into: &draft))
    case nil: return
    }
    words.end()
    steps.append(.init(text: text, when: when, body: body, place: runsAt, changes: changes))
  }

  static func cells(_ row: Substring) -> [String] {
    row.split(separator: "|", omittingEmptySubsequences: false).map { String($0).trimmed }
  }

  /// Two places side by side, the name of each in the first line, with ` | ` between them.
  private mutating func places(_ text: String, line: Int, into draft: inout Draft) {
    var places: [[Template]] = [[], []]
    for (offset, row) in text.lines.enumerated() where !row.isEmpty {
      let at = frame.source.place(line + 1 + offset)
      let cells = Self.cells(row)
      if cells.count != places.count { problems.add(at, "a line of places has one '|'") }
      for (place, cell) in zip(places.indices, cells) where !cell.isEmpty {
        places[place].append(template(Text(text: language(cell), at: at), into: &draft))
      }
    }
    if places.contains(where: \.isEmpty) { problems.add(frame.source.place(line), "each place has a name") }
    drawings.append(.init(places: places, when: when))
  }

  private enum Fence: String, CaseIterable { case sh, diff, form }

  private func patch(
    _ words: inout FenceWords, _ lines: [String], line: Int, into draft: inout Draft
  ) -> Page.Step.Body {
    let file = words.value("file")
    let number = words.value("line")
    for (offset, text) in lines.enumerated() where !text.isEmpty && !["+", "-", " "].contains(text.first) {
      problems.add(frame.source.place(line + 1 + offset), "a line of a diff starts with '+', '-' or a space")
    }
    return .patch(
      file: template(file, into: &draft), line: template(number, into: &draft),
      lines: lines.enumerated().map { offset, text in
        template(Text(text: text.isEmpty ? " " : text, at: frame.source.place(line + 1 + offset)), into: &draft)
      })
  }

  /// A value is filled in as one shell word, which only means the same outside of quotes.
  private func quotes(_ code: String, line: Int) {
    for name in placeholdersInQuotes(of: code) {
      problems.add(
        frame.source.place(of: "{\(name)}", from: line),
        "'{\(name)}' stands in quotes; leave them out, it is filled in as one shell word")
    }
  }

  /// The text with its placeholders noted as used, and the values that were given in their places.
  private func template(_ text: Text, into draft: inout Draft) -> Template {
    let template = Template(text.text)
    var isFilled = false
    let filled = template.parts.map { part in
      switch part {
      case .text(let text): return text
      case .fact(let fact):
        if fact.text.hasPrefix(Part.values), let value = frame.values[String(fact.text.dropFirst(Part.values.count))] {
          isFilled = true
          return value
        }
        use(fact, "{\(fact.text)}", line: text.at.line, scope, &draft)
        return "{\(fact.text)}"
      }
    }
    return isFilled ? Template(filled.joined()) : template
  }

  private func use(_ fact: FactName, _ written: String, line: Int, _ scope: Draft.Use.Scope, _ draft: inout Draft) {
    draft.use(fact, scope, at: .found(in: frame.source, written, line: line))
  }
}

/// The words behind the backticks of a fence, taken one after the other.
private struct FenceWords {
  var words: [String]
  let source: PageSource
  let line: Int
  let problems: Problems

  mutating func changes() -> Bool {
    if let index = words.firstIndex(where: { $0 == "looks" || $0 == "changes" }) {
      return words.remove(at: index) == "changes"
    }
    problems.add(source.place(line), "say whether this step 'looks' or 'changes'")
    return false
  }

  mutating func place() -> Diagnosis.Place? {
    guard !words.isEmpty else {
      problems.add(source.place(line), "say where this runs: 'host', 'container' or 'upstream-host'")
      return nil
    }
    let word = words.removeFirst()
    let places = [Diagnosis.Place.host, .container, .upstreamHost]
    if let place = places.first(where: { $0.rawValue == word }) { return place }
    return Text(text: word, at: source.place(of: word, from: line)).choice(of: places, what: "place", problems)
  }

  /// The value of `key=value`; empty, and a problem, if there is none.
  mutating func value(_ key: String) -> Text {
    guard let index = words.firstIndex(where: { $0.hasPrefix(key + "=") }) else {
      problems.add(source.place(line), "'\(key)=' is missing")
      return Text(text: "", at: source.place(line))
    }
    return Text(text: String(words.remove(at: index).dropFirst(key.utf8.count + 1)), at: source.place(line))
  }

  func end() {
    for word in words { problems.add(source.place(of: word, from: line), "'\(word)' means nothing here") }
  }
}

extension Page.Step {
  /// The same for another kind of proxy; the first condition is that it is this kind.
  fileprivate func isSame(as other: Page.Step) -> Bool {
    text == other.text && body == other.body && place == other.place && changes == other.changes
      && when.dropFirst() == other.when.dropFirst()
  }

  /// This step for the kind of `other`, too.
  fileprivate func also(for other: Page.Step) -> Page.Step {
    guard case .oneOf(let kinds)? = when.first?.test, case .oneOf(let more)? = other.when.first?.test else {
      return self
    }
    let kind = Condition(fact: .proxyKind, test: .oneOf(kinds + more))
    return Page.Step(text: text, when: [kind] + when.dropFirst(), body: body, place: place, changes: changes)
  }
}

extension Substring {
  /// Without the blanks around it.
  var trimmed: Substring {
    func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte) }
    var bytes = utf8.drop(while: isBlank)
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    return Substring(bytes)
  }
}
