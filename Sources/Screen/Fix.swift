import Flow
import Model

extension State {
  var fixSheet: Sheet {
    guard let (step, number, count) = step, case .fix(let index, _) = scene,
      let cause = diagnosis?.causes[index]
    else { return Sheet(title: "") }
    var sheet = Sheet(title: cause.title)
    sheet.note = word("fix.number", ["step.number": String(number + 1), "step.count": String(count)])
    if practising != nil { sheet.say(word("practice.read-only"), .dim) }
    sheet.say(step.text, .bold)
    sayCode(of: step, in: &sheet)
    if step.patch != nil {
      sheet.blocks.append(.gap)
      let facts: Facts = ["step.editor": shellText("fix.editor", of: step) ?? "?"]
      let how = Span(word("fix.patch", facts), spoken: word("lines.patch", facts))
      sheet.blocks.append(.text([how], indent: 0, hanging: 0))
    }
    if number + 1 == count {
      sheet.blocks.append(.gap)
      sheet.say(word(practising == nil ? "fix.last" : "practice.last"))
      if !cause.prevention.isEmpty {
        sheet.head(word("fix.prevention"))
        for line in cause.prevention { sheet.say("- " + line, indent: 2, hanging: 2) }
      }
    }
    return sheet
  }

  /// Where a step is done, what it does, and its lines.
  private func sayCode(of step: Diagnosis.Step, in sheet: inout Sheet) {
    let code = shellText(of: step)
    if code != nil || step.changes {
      sheet.say(placed(step), Style(isBold: step.changes, colour: step.changes ? .unsure : .plain))
    }
    if let code {
      sheet.blocks.append(.gap)
      let text = code.hasSuffix("\n") ? String(code.dropLast()) : code
      sheet.blocks.append(.code(text, step.patch == nil ? .lines : .patch))
    }
  }

  /// A guide, or the page of a cause that nobody has proven, as one text.
  func pageSheet(of name: String) -> Sheet {
    let facts = session?.facts ?? Facts()
    guard let page = catalog.guides[name] ?? catalog.pages[name] else { return Sheet(title: name) }
    var sheet = Sheet(title: page.title(facts))
    sheet.say(page.explanation(facts))
    for section in page.sections(facts, catalog) {
      sheet.head(section.heading)
      for step in section.steps {
        sheet.say(step.text)
        sayCode(of: step, in: &sheet)
        sheet.blocks.append(.gap)
      }
    }
    if !page.sources.isEmpty {
      sheet.head(word("verdict.sources"))
      for source in page.sources { sheet.say(source, indent: 2, hanging: 2) }
    }
    return sheet
  }

  /// The place of a step and what it does, in words.
  private func placed(_ step: Diagnosis.Step) -> String {
    let effect = word(step.changes ? "step.changes" : "step.looks")
    guard let place = step.place else { return effect }
    let words = word("place.\(place.rawValue)", ["step.file": step.file ?? "?"])
    return word("fix.place", ["step.place": words, "step.effect": effect])
  }

  var leavingSheet: Sheet {
    var sheet = Sheet(title: word("leaving.title"))
    sheet.say(word("leaving.text"))
    return sheet
  }

  /// The state as it is below what is laid over it.
  private var below: State {
    var below = self
    below.spots.removeLast()
    return below
  }

  var helpSheet: Sheet {
    var sheet = Sheet(title: word(readsLines ? "lines.help" : "help.title"))
    let below = below
    let valid = readsLines ? Binding.lettered(in: below) : Binding.all.filter { $0.isValid(below) }
    let width = (valid.map { $0.shown.columns }.max() ?? 0) + 2
    for binding in valid {
      let gap = String(repeating: " ", count: width - binding.shown.columns)
      let keys = Span(binding.shown, .bold, spoken: binding.letter.map { "\($0):" })
      let meaning = word("help.\(binding.name)")
      sheet.blocks.append(.text([keys, Span(gap + meaning, spoken: " " + meaning)], indent: 1, hanging: width))
    }
    sheet.blocks.append(.gap)
    sheet.say(word("help.marks"))
    return sheet
  }

  /// The report that `preview` has, with what was hidden in it, and each line where that is.
  var reportSheet: Sheet {
    var sheet = Sheet(title: word("preview.title"))
    guard let preview else { return sheet }
    sheet.say(sentence(ofHidden: preview.hidden), .bold)
    sheet.blocks.append(.gap)
    for line in preview.text.lines {
      if line.isEmpty {
        sheet.blocks.append(.gap)
      } else {
        sheet.say(String(line), line.contains("…") ? Style(colour: .unsure) : .plain)
      }
    }
    return sheet
  }

  /// What a report has lost: `Hidden in it, as …: 2 behind a name such as password or secret.`
  func sentence(ofHidden hidden: [HiddenKind: Int]) -> String {
    let kinds = HiddenKind.allCases.compactMap { kind in
      hidden[kind].map { word("hidden.\(kind.rawValue)", ["hidden.count": String($0)]) }
    }
    return kinds.isEmpty
      ? word("preview.nothing") : word("preview.something", ["hidden.kinds": kinds.joined(separator: ", ")])
  }

  /// The technical words on the screen in sight.
  var wordsHere: [Glossary.Word] { catalog.glossary.words(in: sheet.prose) }

  var wordsSheet: Sheet {
    var sheet = Sheet(title: word("words.title"))
    for word in below.wordsHere {
      sheet.blocks.append(.text([Span(word.forms[0], .head), Span(": " + word.explanation)], indent: 0, hanging: 2))
    }
    return sheet
  }
}
