public import Flow
public import Model

/// The diagnosis as lines for a terminal's scrollback, without any colour, cursor movement or secret.
public func textReport(_ diagnosis: Diagnosis, catalog: Catalog) -> String {
  Writing(catalog: catalog, isMarkdown: false).report(diagnosis.withoutSecrets(catalog, showsCut: true))
}

/// The diagnosis as Markdown, to paste into an issue or a forum; without secrets.
public func markdownReport(_ diagnosis: Diagnosis, catalog: Catalog) -> String {
  Writing(catalog: catalog, isMarkdown: true).report(diagnosis.withoutSecrets(catalog, showsCut: true))
}

/// How many secrets of each kind are left out of that report.
public func hiddenInReport(_ diagnosis: Diagnosis, catalog: Catalog) -> [HiddenKind: Int] {
  Writing(catalog: catalog, isMarkdown: false).report(diagnosis).redaction.hidden
}

/// A page, its placeholders shown by their names.
public func pageText(_ page: Page, catalog: Catalog) -> String {
  Writing(catalog: catalog, isMarkdown: false).page(page)
}

/// The glossary, a word a paragraph.
public func glossaryText(_ glossary: Glossary) -> String {
  glossary.words.map { $0.forms[0] + "\n    " + $0.explanation }.joined(separator: "\n\n") + "\n"
}

/// One report in two dresses: what differs is how headings, lists and commands look.
struct Writing {
  let catalog: Catalog
  let isMarkdown: Bool

  func report(_ diagnosis: Diagnosis) -> String {
    var parts = [heading(1, diagnosis.url.printable), observed(diagnosis)]
    parts += diagnosis.causes.map { self.cause($0) }
    if diagnosis.causes.isEmpty || diagnosis.verdict == .inconclusive {
      parts.append(heading(2, word("report.checks")) + "\n" + list(diagnosis.checks.map(\.summary)))
    }
    if !diagnosis.questions.isEmpty {
      parts.append(heading(2, word("report.questions")) + "\n" + list(diagnosis.questions))
    }
    if !diagnosis.ruledOut.isEmpty {
      parts.append(
        heading(2, word("report.ruled-out")) + "\n" + list(diagnosis.ruledOut.map { "\($0.title): \($0.because)" }))
    }
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  func page(_ page: Page) -> String {
    let facts = Facts(
      Dictionary(page.placeholders.map { ($0, "<" + $0.text + ">") }) { first, _ in first })
    let given = Facts(Dictionary(FactName.given.map { ($0, "<" + $0.text + ">") }) { first, _ in first })
    // What holds whatever is seen, and what is done first, stand before all that depends on what is seen.
    let (general, special) = page.explanation.reduce(into: ([String](), [String]())) { texts, paragraph in
      guard let text = paragraph.text.prose(facts) else { return }
      if paragraph.when.allSatisfy({ $0.holds(given) }) { texts.0.append(text) } else { texts.1.append(text) }
    }
    var parts = [heading(1, page.title(facts))] + general
    if catalog.pages[page.id] != nil, let first = page.sections(given, catalog).first?.steps.first {
      parts.append(word("first-step", ["step.text": first.sentence]))
    }
    if !special.isEmpty { parts.append(heading(2, word("report.variants")) + "\n" + list(special)) }
    var prose = parts
    for section in page.sections {
      parts.append(heading(2, section.heading))
      parts += section.steps.map { step in
        let name = step.text.prose(facts) ?? ""
        prose.append(name)
        return switch step.body {
        case .none: name
        case .command(let command): name + "\n" + block("sh", command.prose(facts) ?? "")
        case .form(let form): name + "\n" + block("", form.prose(facts) ?? "")
        case .patch(let file, _, let lines):
          name + "\n" + block("diff", ([file] + lines).compactMap { $0.prose(facts) }.joined(separator: "\n"))
        }
      }
    }
    let prevention = page.prevention.compactMap { $0.prose(facts) }
    parts += ending(prevention: prevention, sources: page.sources)
    let words = catalog.glossary.words(in: prose + page.sections.map(\.heading) + prevention)
    if !words.isEmpty {
      parts.append(heading(2, word("report.words")) + "\n" + list(words.map { "\($0.forms[0]): \($0.explanation)" }))
    }
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  private func observed(_ diagnosis: Diagnosis) -> String {
    var lines = [word("report.verdict.\(diagnosis.verdict.rawValue)")]
    if let host = diagnosis.host { lines.append(word("report.host", ["report.host": host.machineInWords])) }
    if let status = diagnosis.observed.status {
      lines.append(
        word(
          "report.answer",
          ["site.status": String(status), "site.seconds": diagnosis.observed.seconds?.inWords ?? "?"]))
    } else if let error = diagnosis.observed.error {
      lines.append(word("report.no-answer", ["site.error": error]))
    }
    if let proxy = diagnosis.proxy {
      lines.append(word("report.proxy", ["proxy.kind": proxy.kind, "proxy.where": proxy.place]))
    }
    if let route = diagnosis.route {
      lines.append(
        word(
          "report.route",
          [
            "route.host": route.host ?? "?", "route.upstream": route.upstream ?? "?",
            "route.defined-in": route.definedIn ?? "?",
          ]))
    }
    return list(lines)
  }

  private func cause(_ cause: Diagnosis.Cause) -> String {
    let confidence = word("confidence.\(cause.confidence.rawValue)")
    var parts = [heading(2, "\(cause.title) (\(confidence), \(cause.id))"), said(cause.explanation)]
    parts.append(heading(3, word("report.evidence")) + "\n" + list(cause.evidence.map { "\($0.text) (\($0.check))" }))
    // What is wrong, and what could not be seen, is worth a look of one's own.
    let commands = cause.evidence.filter { $0.mark == .bad || $0.mark == .unknown }.compactMap(\.command)
    let shown = commands.enumerated().filter { !commands[..<$0.offset].contains($0.element) }.map(\.element)
    if !shown.isEmpty {
      parts.append(heading(3, word("evidence.by-hand")) + "\n" + block("sh", shown.joined(separator: "\n")))
    }
    parts.append(heading(3, word("report.fix")))
    parts += cause.steps.enumerated().map { self.step($0.element, number: $0.offset + 1) }
    parts += ending(prevention: cause.prevention, sources: cause.sources)
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  func step(_ step: Diagnosis.Step, number: Int) -> String {
    var lines = ["\(number). " + said(step.text)]
    let place = step.place.map { word("place.\($0.rawValue)", ["step.file": step.file ?? ""]) }
    let effect = word(step.changes ? "step.changes" : "step.looks")
    if step.command != nil || step.patch != nil || step.changes {
      lines[0] += " [" + [place, effect].compactMap { $0.map(said) }.joined(separator: ", ") + "]"
    }
    if let command = step.command { lines.append(block("sh", command)) }
    if let patch = step.patch { lines.append(block("diff", patch)) }
    return lines.joined(separator: "\n")
  }

  private func ending(prevention: [String], sources: [String]) -> [String] {
    let links = isMarkdown ? sources.map { "<\($0)>" } : sources
    return [
      ("report.prevention", list(prevention)), ("report.sources", links.map { "- " + $0 }.joined(separator: "\n")),
    ]
    .filter { !$0.1.isEmpty }.map { heading(3, word($0.0)) + "\n" + $0.1 }
  }

  func word(_ name: String, _ facts: Facts = Facts()) -> String { catalog.word(name, facts) }

  func heading(_ level: Int, _ text: String) -> String {
    isMarkdown ? String(repeating: "#", count: level) + " " + said(text) : level == 3 ? text + ":" : text
  }

  func list(_ items: [String]) -> String { items.map { "- " + said($0) }.joined(separator: "\n") }

  /// A sentence, which may have text from outside in it.
  func said(_ text: String) -> String { isMarkdown ? text.inMarkdown : text }

  private func block(_ language: String, _ text: String) -> String {
    let text = text.hasSuffix("\n") ? String(text.dropLast()) : text
    if isMarkdown { return "\n" + text.fenced(language) }
    return "\n"
      + text.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(separator: "\n")
  }
}
