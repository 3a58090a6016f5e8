import Flow
import Model

/// What can be opened on the path.
enum PathItem: Sendable, Equatable {
  case check(String)
  case answer(node: String)
}

extension State {
  /// Checks of a hop that have begun.
  private func begun(_ hop: String) -> [String] {
    guard let session else { return [] }
    return shapes.map(\.id).filter { id in
      catalog.checks[id]?.hop == hop && (session.running.contains(id) || session.finding(of: id) != nil)
    }
  }

  private var answered: [Session.Record.Answer] { session?.record.answers ?? [] }

  var pathItems: [PathItem] {
    catalog.hops.flatMap { begun($0).map(PathItem.check) } + answered.map { .answer(node: $0.node) }
  }

  /// The hop of the first check: what the browser sees, which is the question and not its answer.
  var firstHop: String? {
    guard case .check(let check) = catalog.tree.nodes[catalog.tree.start]?.looks else { return nil }
    return catalog.checks[check]?.hop
  }

  /// The mark of each hop: its worst finding on the way to the result; nil where the way did not look.
  var hopMarks: [(hop: String, mark: Diagnosis.Evidence.Mark?)] {
    let seen = session.map { $0.evidence(on: $0.walk(), $0.facts) } ?? []
    return catalog.hops.map { hop in
      let marks = seen.filter { catalog.checks[$0.check]?.hop == hop }.map(\.mark)
      let worst: [Diagnosis.Evidence.Mark] = [.bad, .unknown, .note, .ok]
      return (hop, hop == saidHop ? .bad : worst.first(where: marks.contains))
    }
  }

  /// The hop of the cause that a person's answers name; nil if what was seen names it.
  var saidHop: String? {
    guard let walk = session?.walk(), let cause = walk.causes.first?.cause,
      let naming = walk.steps.last(where: { $0.branch?.names.contains { $0.cause == cause } ?? false }),
      case .fact = naming.node.looks, !said.isEmpty
    else { return nil }
    return catalog.hop(of: cause)
  }

  /// Answers on the way but "I do not know", the last one first.
  var said: [Session.Record.Answer] {
    let steps = session?.walk().steps.filter { $0.source == .answer && $0.key != Node.unsure } ?? []
    return steps.reversed().compactMap { step in session?.record.answers.last { $0.node == step.node.id } }
  }

  /// The first hop with a cross behind what the browser sees, or the one that a person's answers lead to.
  var faultyHop: String? {
    if let saidHop { return saidHop }
    let bad = hopMarks.filter { $0.mark == .bad }.map(\.hop)
    return bad.first { $0 != firstHop } ?? bad.first
  }

  /// The first cross, as a line of the path.
  var fault: PathItem? {
    faultyHop.flatMap { hop in begun(hop).first { evidence(of: $0)?.mark == .bad } }.map(PathItem.check)
  }

  func evidence(of check: String) -> Diagnosis.Evidence? {
    session.flatMap { $0.evidence(of: check, $0.facts) }
  }

  var pathSheet: Sheet {
    let facts = session?.facts ?? Facts()
    var sheet = Sheet(title: word(isSettled ? "path.title" : previous == nil ? "path.checking" : "path.again", facts))
    if let session, !isSettled {
      let done = session.record.findings.count
      sheet.note = word(
        "path.count", ["checks.done": String(done), "checks.begun": String(done + session.running.count)])
    }
    let fault = faultyHop
    for hop in catalog.hops {
      let checks = begun(hop)
      let name = word("hop.\(hop)")
      if checks.isEmpty {
        sheet.say(word(isSettled ? "path.not-seen" : "path.not-yet", ["hop.name": name]), .dim)
        continue
      }
      sheet.say(name, .head)
      for check in checks {
        if let evidence = evidence(of: check), let finding = session?.finding(of: check) {
          let isFault = evidence.mark == .bad && hop == fault
          sheet.blocks.append(
            .item(
              label: label(evidence.mark), words: [Span(evidence.text, isFault ? .bold : .plain)],
              note: duration(finding.seconds) ?? ""))
        } else {
          sheet.blocks.append(
            .item(
              label: Span(padded("…"), spoken: word("lines.running")),
              words: [Span(catalog.checks[check]?.title ?? check)],
              note: duration(Double(elapsed[check] ?? 0)) ?? ""))
        }
      }
    }
    if !answered.isEmpty {
      sheet.head(word("path.answers"))
      for answer in answered {
        sheet.blocks.append(
          .item(label: Span(""), words: [Span(question(answer.node) + " "), Span(text(of: answer), .bold)], note: ""))
      }
    }
    if isSettled {
      sheet.blocks.append(.gap)
      sheet.say(word(hasEnded ? "path.ended" : "path.asks"))
    }
    return sheet
  }

  /// A time that a person has noticed as waiting.
  private func duration(_ seconds: Double) -> String? {
    seconds < Self.noticed ? nil : word("seconds", ["check.seconds": seconds.inWords])
  }

  private static let noticed = 0.5

  /// The hops in one line, each with its mark; the first cross stands out.
  var pathLine: [Span] {
    let fault = faultyHop
    var spans: [Span] = []
    for (hop, mark) in hopMarks {
      if !spans.isEmpty { spans.append(Span(" → ", .dim, spoken: ", ")) }
      let name = word("hop.short.\(hop)")
      let spoken = mark.map { "\(name) \(word("mark.\($0.rawValue)"))" }
      switch mark {
      case .bad where hop == fault:
        let style = Style(isBold: true, isReverse: true, colour: .bad)
        spans.append(Span("✗ \(word("mark.bad")) \(name)", style, spoken: spoken))
      case .bad where hop != firstHop: spans.append(Span("✗ \(name)", Style(colour: .bad), spoken: spoken))
      case .ok: spans.append(Span("✓ \(name)", Style(colour: .good), spoken: spoken))
      case .unknown: spans.append(Span("? \(name)", Style(colour: .unsure), spoken: spoken))
      case .bad, .note: spans.append(Span(name))
      case nil: spans.append(Span(name, .dim))
      }
    }
    return spans
  }

  /// The way in one drawing, with the names of this system, and the worst that was seen on it.
  var way: Way {
    let facts = session?.facts ?? Facts()
    func filled(_ word: String) -> String? { catalog.words[word]?.prose(facts) }
    let stations = ["browser", "proxy", "app"].map { name in
      Way.Station(
        name: filled("way.\(name).named") ?? word("way.\(name)"), place: filled("way.\(name).place") ?? "")
    }
    let marks = hopMarks
    let middle = marks.firstIndex { $0.hop == catalog.middle } ?? 0
    return Way(stations: stations, links: [link(marks[...middle]), link(marks[(middle + 1)...])])
  }

  /// The first cross of some hops, or else what is not known of them.
  private func link(_ marks: ArraySlice<(hop: String, mark: Diagnosis.Evidence.Mark?)>) -> Span {
    func sign(_ mark: Diagnosis.Evidence.Mark, _ style: Style, _ sign: String, _ hop: String?) -> Span {
      let words = [hop.map { word("hop.short.\($0)") }].compactMap(\.self)
      return Span(
        ([sign] + words).joined(separator: " "), style,
        spoken: (words + [word("mark.\(mark.rawValue)")]).joined(separator: " "))
    }
    if let fault = faultyHop, marks.contains(where: { $0.hop == fault }) {
      return sign(.bad, Style(isBold: true, colour: .bad), "✗", fault)
    }
    let seen = marks.filter { $0.hop != firstHop }.compactMap(\.mark)
    return seen.contains(.ok) || seen.contains(.note)
      ? sign(.ok, Style(colour: .good), "✓", nil) : sign(.unknown, Style(colour: .unsure), "?", nil)
  }

  // MARK: One finding

  /// The check that is shown, if it could have found something else.
  var correctable: String? {
    guard case .evidence(let check) = scene, !otherOutcomes(of: check).isEmpty else { return nil }
    return check
  }

  /// Outcomes of a check that it did not find, in its own order, each as a sentence.
  func otherOutcomes(of check: String) -> [(outcome: String, sentence: String)] {
    guard let found = session?.finding(of: check)?.outcome, let text = catalog.checks[check] else { return [] }
    let facts = session?.facts ?? Facts()
    let outcomes = shapes.first { $0.id == check }?.outcomes.filter { $0 != found && $0 != Finding.unknown } ?? []
    return outcomes.compactMap { outcome in
      text.outcomes[outcome]?.sentences.firstMapped { $0.prose(facts) }.map { (outcome, $0) }
    }
  }

  func evidenceSheet(of check: String) -> Sheet {
    let text = catalog.checks[check]
    var sheet = Sheet(title: text?.title ?? check)
    if let evidence = evidence(of: check), let finding = session?.finding(of: check) {
      let label = label(evidence.mark)
      sheet.blocks.append(.text([label, Span(" " + evidence.text)], indent: 0, hanging: label.text.columns + 1))
      sheet.blocks.append(.gap)
      let seen = word("evidence.seen-by", ["check.id": check])
      sheet.say(([seen] + [duration(finding.seconds)].compactMap(\.self)).joined(separator: " "), .dim)
    } else {
      sheet.say(word("evidence.running", ["check.seconds": String(elapsed[check] ?? 0)]))
    }
    sayProof(of: check, in: &sheet)
    if correctable != nil { sheet.say(word("evidence.correct"), .dim) }
    return sheet
  }

  func correctionSheet(of check: String) -> Sheet {
    var sheet = Sheet(title: catalog.checks[check]?.title ?? check)
    if let evidence = evidence(of: check) { sheet.say(evidence.text) }
    sheet.blocks.append(.gap)
    sheet.say(word("correction.choose"))
    let sentences = [word("correction.keep")] + otherOutcomes(of: check).map(\.sentence)
    for (index, sentence) in sentences.enumerated() {
      let label = Span(String(index + 1), spoken: "")
      sheet.blocks.append(.item(label: label, words: [Span(sentence)], note: ""))
    }
    return sheet
  }

  /// What the finding rests on: the lines that were seen, each with the command that shows a person the same.
  private func sayProof(of check: String, in sheet: inout Sheet) {
    let facts = session?.facts ?? Facts()
    var said: Set<String> = []
    func sayCommand(_ command: () throws(Template.Unfilled) -> String?) {
      do throws(Template.Unfilled) {
        guard let command = try command(), said.insert(command).inserted else { return }
        sheet.say(word("evidence.by-hand"), .head)
        sheet.blocks.append(.code(command, .typed))
      } catch {
        if case .withheld(let value) = error { sheet.say(catalog.withheld(value)) }
      }
    }
    for sighting in session?.sightings(of: check) ?? [] {
      if !sighting.lines.isEmpty { sheet.head(word("evidence.lines")) } else { sheet.blocks.append(.gap) }
      for line in sighting.lines { sheet.say(line, indent: 2, hanging: 2) }
      sheet.blocks.append(.gap)
      sayCommand { () throws(Template.Unfilled) in try catalog.command(for: sighting, facts) }
    }
    sheet.blocks.append(.gap)
    sayCommand { () throws(Template.Unfilled) in try catalog.checks[check]?.byHand?.shell(facts) }
  }
}
