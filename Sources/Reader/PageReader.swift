import Flow
import Markdown
import Model
import YAML

/// Reads one page of `Screens/`, named after its cause.
struct PageReader {
  let file: String
  let cause: String
  let problems: Problems
  private let source: String
  private let markdown: Markdown
  private var explanation: [Page.Paragraph] = []
  private var sections: [Page.Section] = []
  /// The section that is being read; nil before the first heading.
  private var heading: String?
  private var steps: [Page.Step] = []
  /// Words that wait for the fence to which they lead.
  private var words: [Text] = []
  private var when: [Condition] = []

  init(file: String, cause: String, source: String, problems: Problems) {
    self.file = file
    self.cause = cause
    self.source = source
    self.problems = problems
    markdown = Markdown(source)
  }

  mutating func read(into draft: inout Draft) {
    draft.pageStarts[cause] = SourcePlace(file: file, line: 1, column: 1)
    guard let frontMatter = markdown.frontMatter else {
      problems.add(place(1), "a page starts with its front matter between two lines '---'")
      return
    }
    let (root, mistakes) = YAML.read(frontMatter, file: file, firstLine: 2)
    for mistake in mistakes { problems.add(SourcePlace(mistake.place), mistake.message) }
    for block in markdown.blocks { read(block, into: &draft) }
    endSection(into: &draft)
    if !sections.contains(where: { !$0.steps.isEmpty }) { problems.add(place(1), "a page has at least one step") }
    guard let root else { return }

    let record = root.record(["cause", "title", "needs", "hides", "prevention", "sources"], problems)
    if let named = record.requiredText("cause"), named.text != cause {
      problems.add(named.at, "the cause '\(named.text)' is not this file's name, '\(cause)'")
    }
    let title = record.requiredText("title")
    draft.uses += record.texts("needs").map { .init(fact: FactName($0.text), at: $0.at, scope: .page(cause)) }
    let hides = record.texts("hides")
    draft.links += hides.map { .init(target: .page, name: $0) }
    let sources = record.required("sources")
    if let sources, sources.items(problems).isEmpty { problems.add(sources.at, "a page names at least one source") }
    draft.pages[cause] = Page(
      cause: cause, title: title.map { draft.template($0, .page(cause)) } ?? Template(cause),
      hides: hides.map(\.text), explanation: explanation, sections: sections,
      prevention: record.texts("prevention").map { draft.template($0, .page(cause)) },
      sources: record.texts("sources").map(\.text))
  }

  // MARK: Blocks

  private mutating func read(_ block: Markdown.Block, into draft: inout Draft) {
    switch block.content {
    case .heading(let level, let text):
      if level != 2 { problems.add(place(block.line), "a section of a page starts with '##'") }
      endSection(into: &draft)
      heading = text
      when = []
    case .paragraph(let text), .item(let text):
      let text = Text(text: text, at: place(block.line))
      if heading == nil {
        explanation.append(.init(text: template(text, into: &draft), when: when))
      } else {
        words.append(text)
      }
    case .comment(let text): condition(text, line: block.line, into: &draft)
    case .code(let info, let text): step(info, text, line: block.line, into: &draft)
    case .other(let kind): problems.add(place(block.line), "a page has no \(kind)")
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

  private mutating func takeWords(into draft: inout Draft) -> Template {
    let templates = words.map { template($0, into: &draft) }
    words = []
    return Template(templates.map(\.source).joined(separator: "\n"))
  }

  // MARK: Conditions

  /// `when: a.b = c | d, !e.f` or `always`; any other comment is the author's own.
  private mutating func condition(_ comment: String, line: Int, into draft: inout Draft) {
    if comment == "always" {
      endWords(into: &draft)
      when = []
    } else if comment.hasPrefix("when:") {
      endWords(into: &draft)
      when = comment.dropFirst(5).split(separator: ",", omittingEmptySubsequences: false).compactMap {
        condition($0.trimmed, line: line, into: &draft)
      }
    }
  }

  private func condition(_ text: Substring, line: Int, into draft: inout Draft) -> Condition? {
    var fact = text
    var test = Condition.Test.known
    if let sign = text.firstIndex(of: "=") {
      let isNot = text[..<sign].last == "!"
      fact = text[..<sign].dropLast(isNot ? 1 : 0).trimmed
      let values = text[text.index(after: sign)...].split(separator: "|", omittingEmptySubsequences: false)
        .map { String($0.trimmed) }
      if values.contains("") { problems.add(place(line), "a value is missing in '\(text)'") }
      test = isNot ? .noneOf(values) : .oneOf(values)
    } else if text.first == "!" {
      fact = text.dropFirst().trimmed
      test = .unknown
    }
    guard !fact.isEmpty else {
      problems.add(place(line), "'when:' is followed by a fact: 'when: a.b', '!a.b', 'a.b = c | d' or 'a.b != c'")
      return nil
    }
    let name = FactName(String(fact))
    draft.uses.append(.init(fact: name, at: place(of: name.text, from: line), scope: .anywhere))
    return Condition(fact: name, test: test)
  }

  // MARK: Steps

  private mutating func step(_ info: [String], _ code: String, line: Int, into draft: inout Draft) {
    if heading == nil { problems.add(place(line), "a step belongs below a '##'") }
    let text = takeWords(into: &draft)
    var lines = code.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    let kind = Text(text: info.first ?? "", at: place(line)).choice(of: Fence.allCases, what: "kind of step", problems)
    var words = Words(info.dropFirst().map { Text(text: $0, at: place(of: $0, from: line)) }, problems)
    let changes = words.changes(place(line))
    let body: Page.Step.Body
    let runsAt: Diagnosis.Place?
    switch kind {
    case .sh:
      runsAt = words.place(place(line))
      quotes(code, line: line)
      body = .command(template(Text(text: lines.joined(separator: "\n"), at: place(line)), into: &draft))
    case .diff:
      runsAt = .file
      body = patch(&words, lines, line: line, into: &draft)
    case .form:
      runsAt = .webUI
      body = .form(template(Text(text: lines.joined(separator: "\n"), at: place(line)), into: &draft))
    case nil: return
    }
    words.end()
    steps.append(.init(text: text, when: when, body: body, place: runsAt, changes: changes))
  }

  private enum Fence: String, CaseIterable { case sh, diff, form }

  private func patch(
    _ words: inout Words, _ lines: [String], line: Int, into draft: inout Draft
  ) -> Page.Step.Body {
    let file = words.value("file", place(line))
    let number = words.value("line", place(line))
    for (offset, text) in lines.enumerated() where !text.isEmpty && !["+", "-", " "].contains(text.first) {
      problems.add(place(line + 1 + offset), "a line of a diff starts with '+', '-' or a space")
    }
    return .patch(
      file: template(file, into: &draft), line: template(number, into: &draft),
      lines: lines.enumerated().map { offset, text in
        template(Text(text: text.isEmpty ? " " : text, at: place(line + 1 + offset)), into: &draft)
      })
  }

  /// A value is filled in as one shell word, which only means the same outside of quotes.
  private func quotes(_ code: String, line: Int) {
    for name in placeholdersInQuotes(of: code) {
      problems.add(
        place(of: "{\(name)}", from: line),
        "'{\(name)}' stands in quotes; leave them out, it is filled in as one shell word")
    }
  }

  // MARK: Places

  private func place(_ line: Int) -> SourcePlace { SourcePlace(file: file, line: line, column: 1) }

  /// Where `text` first stands from that line on; blocks only know their line.
  private func place(of text: String, from line: Int) -> SourcePlace {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(line - 1)
    for (index, candidate) in lines.enumerated() {
      if let start = candidate.firstRange(of: text)?.lowerBound {
        return SourcePlace(
          file: file, line: line + index, column: candidate.distance(from: candidate.startIndex, to: start) + 1)
      }
    }
    return place(line)
  }

  private func template(_ text: Text, into draft: inout Draft) -> Template {
    let template = Template(text.text)
    draft.uses += template.placeholders.map {
      .init(fact: $0, at: place(of: "{\($0.text)}", from: text.at.line), scope: .page(cause))
    }
    return template
  }
}

/// The words behind the backticks of a fence, taken one after the other.
private struct Words {
  private var words: [Text]
  private let problems: Problems

  init(_ words: [Text], _ problems: Problems) {
    self.words = words
    self.problems = problems
  }

  mutating func changes(_ at: SourcePlace) -> Bool {
    if let index = words.firstIndex(where: { $0.text == "looks" || $0.text == "changes" }) {
      return words.remove(at: index).text == "changes"
    }
    problems.add(at, "say whether this step 'looks' or 'changes'")
    return false
  }

  mutating func place(_ at: SourcePlace) -> Diagnosis.Place? {
    guard !words.isEmpty else {
      problems.add(at, "say where this runs: 'host', 'container' or 'upstream-host'")
      return nil
    }
    return words.removeFirst().choice(
      of: [Diagnosis.Place.host, .container, .upstreamHost], what: "place", problems)
  }

  /// The value of `key=value`; empty, and a problem, if there is none.
  mutating func value(_ key: String, _ at: SourcePlace) -> Text {
    guard let index = words.firstIndex(where: { $0.text.hasPrefix(key + "=") }) else {
      problems.add(at, "'\(key)=' is missing")
      return Text(text: "", at: at)
    }
    let word = words.remove(at: index)
    return Text(text: String(word.text.dropFirst(key.utf8.count + 1)), at: word.at)
  }

  func end() {
    for word in words { problems.add(word.at, "'\(word.text)' means nothing here") }
  }
}

extension Substring {
  var trimmed: Substring {
    var text = drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
