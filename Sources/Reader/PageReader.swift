import Flow
import Markdown
import Model
import YAML

/// Reads one page of `Screens/`, named after its cause, or a guide.
struct PageReader {
  /// Its front matter names the page by this word.
  enum Kind: String { case cause, guide }

  /// The file that is being read: the page, or a part that it takes in.
  private var source: PageSource
  private let kind: Kind
  private let id: String
  /// Steps that several pages share, by name.
  private let parts: [String: Part]
  private let problems: Problems
  private let markdown: Markdown
  private var explanation: [Page.Paragraph] = []
  private var sections: [Page.Section] = []
  /// The section that is being read; nil before the first heading.
  private var heading: String?
  private var steps: [Page.Step] = []
  /// Words that wait for the fence to which they lead.
  private var words: [Text] = []
  private var when: [Condition] = []
  /// What holds for the whole part that is being read.
  private var outer: [Condition] = []

  init(file: String, kind: Kind, id: String, text: String, parts: [String: Part], problems: Problems) {
    self.source = PageSource(file: file, text: text)
    self.kind = kind
    self.id = id
    self.parts = parts
    self.problems = problems
    markdown = Markdown(text)
  }

  mutating func read(into draft: inout Draft) {
    switch kind {
    case .cause: draft.pageStarts[id] = source.place(1)
    case .guide: draft.guideStarts[id] = source.place(1)
    }
    guard let frontMatter = markdown.frontMatter else {
      problems.add(source.place(1), "a page starts with its front matter between two lines '---'")
      return
    }
    let (root, mistakes) = YAML.read(frontMatter, file: source.file, firstLine: 2)
    for mistake in mistakes { problems.add(SourcePlace(mistake.place), mistake.message) }
    for block in markdown.blocks { read(block, into: &draft) }
    endSection(into: &draft)
    if !sections.contains(where: { !$0.steps.isEmpty }) {
      problems.add(source.place(1), "a page has at least one step")
    }
    guard let root else { return }

    let record = root.record(
      [kind.rawValue, "title", "sources"] + (kind == .cause ? ["needs", "hides", "prevention"] : []), problems)
    if let named = record.requiredText(kind.rawValue), named.text != id {
      problems.add(named.at, "the \(kind) '\(named.text)' is not this file's name, '\(id)'")
    }
    let title = record.requiredText("title")
    draft.uses += record.texts("needs").map { .init(fact: FactName($0.text), at: .known($0.at), scope: scope) }
    let hides = record.texts("hides")
    draft.links += hides.map { .init(target: .page, name: $0) }
    let sources = record.required("sources")
    if let sources, sources.items(problems).isEmpty { problems.add(sources.at, "a page names at least one source") }
    let page = Page(
      id: id, title: title.map { draft.template($0, scope) } ?? Template(id),
      hides: hides.map(\.text), explanation: explanation, sections: sections,
      prevention: record.texts("prevention").map { draft.template($0, scope) },
      sources: record.texts("sources").map(\.text))
    switch kind {
    case .cause: draft.pages[id] = page
    case .guide: draft.guides[id] = page
    }
  }

  /// Who must be able to supply the page's facts. A guide can be opened whatever is known.
  private var scope: Draft.Use.Scope {
    switch kind {
    case .cause: .page(id)
    case .guide: .anywhere
    }
  }

  // MARK: Blocks

  private mutating func read(_ block: Markdown.Block, into draft: inout Draft) {
    switch block.content {
    case .heading(let level, let text):
      if level != 2 { problems.add(source.place(block.line), "a section of a page starts with '##'") }
      endSection(into: &draft)
      heading = text
      when = outer
    case .paragraph(let text), .item(let text):
      let text = Text(text: text, at: source.place(block.line))
      if heading == nil {
        explanation.append(.init(text: template(text, into: &draft), when: when))
      } else {
        words.append(text)
      }
    case .comment(let text): condition(text, line: block.line, into: &draft)
    case .code(let info, let text): step(info, text, line: block.line, into: &draft)
    case .other(let kind): problems.add(source.place(block.line), "a page has no \(kind)")
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

  /// The words before a fence; a step without any is called like its section.
  private mutating func takeWords(into draft: inout Draft) -> Template {
    if words.isEmpty { return Template(heading ?? "") }
    let templates = words.map { template($0, into: &draft) }
    words = []
    return Template(templates.map(\.source).joined(separator: "\n"))
  }

  // MARK: Conditions

  /// `when: a.b = c | d, !e.f`, `always` or `part: NAME when: …`; any other comment is the author's own.
  private mutating func condition(_ comment: String, line: Int, into draft: inout Draft) {
    if comment == "always" {
      endWords(into: &draft)
      when = outer
    } else if comment.hasPrefix("when:") {
      endWords(into: &draft)
      when = outer + conditions(comment.dropFirst(5), line: line, into: &draft)
    } else if comment.hasPrefix("part:") {
      endWords(into: &draft)
      let words = comment.dropFirst(5).trimmed
      let name = String(words.prefix { $0 != " " })
      let condition = words.dropFirst(name.count).trimmed
      let isCondition = condition.hasPrefix("when:")
      if !condition.isEmpty, !isCondition {
        problems.add(source.place(line), "behind a part's name only 'when:' may follow")
      }
      let conditions = isCondition ? conditions(condition.dropFirst(5), line: line, into: &draft) : []
      take(part: name, when: conditions, line: line, into: &draft)
      when = outer
    }
  }

  private func conditions(_ text: Substring, line: Int, into draft: inout Draft) -> [Condition] {
    text.isEmpty
      ? []
      : text.split(separator: ",", omittingEmptySubsequences: false).compactMap {
        condition($0.trimmed, line: line, into: &draft)
      }
  }

  /// Reads the steps of `Screens/parts/NAME.md` as if they stood here.
  private mutating func take(part name: String, when conditions: [Condition], line: Int, into draft: inout Draft) {
    guard let part = parts[name] else {
      problems.add(source.place(of: name, from: line), "there is no part '\(name)'", name, notIn: parts.keys)
      return
    }
    guard outer.isEmpty, part.source.file != source.file else {
      problems.add(source.place(line), "a part has no parts of its own")
      return
    }
    draft.usedParts.insert(name)
    let page = source
    (source, outer, when) = (part.source, conditions, conditions)
    for block in part.blocks { read(block, into: &draft) }
    endWords(into: &draft)
    (source, outer) = (page, [])
  }

  private func condition(_ text: Substring, line: Int, into draft: inout Draft) -> Condition? {
    var fact = text
    var test = Condition.Test.known
    if let sign = text.firstIndex(of: "=") {
      let isNot = text[..<sign].last == "!"
      fact = text[..<sign].dropLast(isNot ? 1 : 0).trimmed
      let values = text[text.index(after: sign)...].split(separator: "|", omittingEmptySubsequences: false)
        .map { String($0.trimmed) }
      if values.contains("") { problems.add(source.place(line), "a value is missing in '\(text)'") }
      test = isNot ? .noneOf(values) : .oneOf(values)
    } else if text.first == "!" {
      fact = text.dropFirst().trimmed
      test = .unknown
    }
    guard !fact.isEmpty else {
      problems.add(
        source.place(line), "'when:' is followed by a fact: 'when: a.b', '!a.b', 'a.b = c | d' or 'a.b != c'")
      return nil
    }
    let name = FactName(String(fact))
    use(name, name.text, line: line, .anywhere, &draft)
    return Condition(fact: name, test: test)
  }

  // MARK: Steps

  private mutating func step(_ info: [String], _ code: String, line: Int, into draft: inout Draft) {
    if heading == nil { problems.add(source.place(line), "a step belongs below a '##'") }
    let text = takeWords(into: &draft)
    var lines = code.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    let kind = Text(text: info.first ?? "", at: source.place(line)).choice(
      of: Fence.allCases, what: "kind of step", problems)
    var words = FenceWords(words: Array(info.dropFirst()), source: source, line: line, problems: problems)
    let changes = words.changes()
    let body: Page.Step.Body
    let runsAt: Diagnosis.Place?
    switch kind {
    case .sh:
      runsAt = words.place()
      quotes(code, line: line)
      body = .command(template(Text(text: lines.joined(separator: "\n"), at: source.place(line)), into: &draft))
    case .diff:
      runsAt = .file
      body = patch(&words, lines, line: line, into: &draft)
    case .form:
      runsAt = .webUI
      body = .form(template(Text(text: lines.joined(separator: "\n"), at: source.place(line)), into: &draft))
    case nil: return
    }
    words.end()
    steps.append(.init(text: text, when: when, body: body, place: runsAt, changes: changes))
  }

  private enum Fence: String, CaseIterable { case sh, diff, form }

  private func patch(
    _ words: inout FenceWords, _ lines: [String], line: Int, into draft: inout Draft
  ) -> Page.Step.Body {
    let file = words.value("file")
    let number = words.value("line")
    for (offset, text) in lines.enumerated() where !text.isEmpty && !["+", "-", " "].contains(text.first) {
      problems.add(source.place(line + 1 + offset), "a line of a diff starts with '+', '-' or a space")
    }
    return .patch(
      file: template(file, into: &draft), line: template(number, into: &draft),
      lines: lines.enumerated().map { offset, text in
        template(Text(text: text.isEmpty ? " " : text, at: source.place(line + 1 + offset)), into: &draft)
      })
  }

  /// A value is filled in as one shell word, which only means the same outside of quotes.
  private func quotes(_ code: String, line: Int) {
    for name in placeholdersInQuotes(of: code) {
      problems.add(
        source.place(of: "{\(name)}", from: line),
        "'{\(name)}' stands in quotes; leave them out, it is filled in as one shell word")
    }
  }

  private func template(_ text: Text, into draft: inout Draft) -> Template {
    let template = Template(text.text)
    for fact in template.placeholders { use(fact, "{\(fact.text)}", line: text.at.line, scope, &draft) }
    return template
  }

  private func use(_ fact: FactName, _ written: String, line: Int, _ scope: Draft.Use.Scope, _ draft: inout Draft) {
    draft.uses.append(.init(fact: fact, at: .found(in: source, written, line: line), scope: scope))
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

extension Substring {
  var trimmed: Substring {
    var text = drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
