import Flow
import Model

extension State {
  func verdictSheet(of index: Int?) -> Sheet {
    guard let session else { return Sheet(title: "") }
    let diagnosis = session.diagnosis()
    var sheet = Sheet(title: word("verdict.title", session.facts))
    if let previous {
      sheet.say(compared(diagnosis, with: previous), Style(isBold: true, colour: .accent))
      if diagnosis.verdict != .working { sheet.blocks.append(.gap) }
    }
    if let index {
      sayCause(index, of: diagnosis, in: &sheet)
    } else if diagnosis.verdict == .working {
      sayWorking(diagnosis, in: &sheet)
    } else {
      sayInconclusive(diagnosis, in: &sheet)
    }
    return sheet
  }

  /// What the second look says of the first.
  private func compared(_ now: Diagnosis, with before: Diagnosis) -> String {
    if now.verdict == .working { return word(before.verdict == .working ? "again.still-works" : "again.works") }
    if now.verdict == .inconclusive, before.verdict != .inconclusive, answersWell { return word("again.answers") }
    guard let cause = now.causes.first else { return word("again.nothing") }
    return word(cause.id == before.causes.first?.id ? "again.same" : "again.next", ["cause.title": cause.title])
  }

  /// True if the first answer of the site was a good one.
  private var answersWell: Bool {
    guard let session, case .check(let first) = catalog.tree.nodes[catalog.tree.start]?.looks else { return false }
    return session.evidence(of: first, session.facts)?.mark == .ok
  }

  private func sayWorking(_ diagnosis: Diagnosis, in sheet: inout Sheet) {
    if previous == nil { sheet.say(word("working.title"), Style(isBold: true, colour: .good)) }
    sheet.say(observed(diagnosis))
    if previous?.verdict != .working, !shownSteps.isEmpty {
      sheet.head(word("working.steps"))
      for step in shownSteps where step.changes { sheet.say("- " + step.text, indent: 2, hanging: 2) }
      if practising != nil {
        sayPractised(in: &sheet)
      } else {
        sheet.blocks.append(.gap)
        sheet.say(word("working.checkup", [.url: diagnosis.url]))
      }
      return
    }
    if practising != nil { return sayPractised(in: &sheet) }
    sheet.blocks.append(.gap)
    sheet.say(word("working.else"))
    sheet.say(word("working.checkup", [.url: diagnosis.url]))
    sayGuides(in: &sheet)
    saySeen(in: &sheet)
  }

  private func observed(_ diagnosis: Diagnosis) -> String {
    guard let status = diagnosis.observed.status else { return diagnosis.observed.error ?? "" }
    return word(
      "verdict.observed",
      [
        .url: diagnosis.url, .siteStatus: String(status), .siteSeconds: diagnosis.observed.seconds?.inWords ?? "?",
      ])
  }

  private func sayCause(_ index: Int, of diagnosis: Diagnosis, in sheet: inout Sheet) {
    guard diagnosis.causes.indices.contains(index) else { return }
    let cause = diagnosis.causes[index]
    sheet.note =
      diagnosis.causes.count > 1
      ? word("verdict.number", ["cause.number": String(index + 1), "cause.count": String(diagnosis.causes.count)]) : ""
    sheet.say(cause.title, Style(isBold: true, colour: .bad))
    sheet.say(word("confidence.sentence.\(cause.confidence.rawValue)"))
    if restsOnAPerson { sheet.say(word("verdict.on-your-word")) }
    if let first = cause.steps.first { sheet.say(word("first-step", ["step.text": first.sentence]), .head) }
    sheet.blocks.append(.gap)
    sheet.say(cause.explanation)
    let places = catalog.pages[cause.id]?.places(session?.facts ?? Facts()) ?? []
    if !places.isEmpty { sheet.blocks += [.gap, .places(places)] }
    sheet.head(word("verdict.evidence"))
    for evidence in deciding(cause) { say(evidence, in: &sheet) }
    sheet.head(word("verdict.path"))
    sheet.blocks += [.way(way), .gap, .text(pathLine, indent: 2, hanging: 0)]
    sayOthers(than: index, of: diagnosis, in: &sheet)
    if !diagnosis.ruledOut.isEmpty {
      sheet.head(word("verdict.ruled-out"))
      for cause in diagnosis.ruledOut {
        sheet.say(
          "- " + word("verdict.because", ["cause.title": cause.title, "cause.because": cause.because]), indent: 2,
          hanging: 2)
      }
    }
    if !cause.sources.isEmpty {
      sheet.head(word("verdict.sources"))
      for source in cause.sources { sheet.say(source, indent: 2, hanging: 2) }
    }
  }

  /// The findings that make the cause: the one that named it, and every cross on the way behind what the browser sees.
  private func deciding(_ cause: Diagnosis.Cause) -> [Diagnosis.Evidence] {
    guard let session else { return [] }
    // What a person has said is the proof, and not what could be seen without it.
    if cause.id == session.walk().causes.first?.cause, saidHop != nil { return said.map { evidence(of: $0) } }
    let naming = session.walk().steps.last { $0.branch?.names.contains { $0.cause == cause.id } ?? false }
    var named: Diagnosis.Evidence?
    switch naming?.node.looks {
    case .check(let check): named = evidence(of: check)
    case .fact(_, _?):
      let answer = session.record.answers.last { $0.node == naming?.node.id }
      named = answer.map { evidence(of: $0) }
    default: break
    }
    let crosses = cause.evidence.filter { $0.mark == .bad && catalog.checks[$0.check]?.hop != firstHop }
    let all = [named].compactMap { $0 } + crosses.filter { $0.check != named?.check }
    let deciding = all.isEmpty ? cause.evidence.filter { $0.mark == .bad } : all
    return deciding.filter { $0.mark == .bad } + deciding.filter { $0.mark != .bad }
  }

  private func evidence(of answer: Session.Record.Answer) -> Diagnosis.Evidence {
    let facts: Facts = ["question.text": question(answer.node), "question.answer": text(of: answer)]
    return .init(check: answer.node, mark: .note, text: word("verdict.you-said", facts))
  }

  /// True if the way to the causes goes by an answer or by a person's word for a finding.
  private var restsOnAPerson: Bool {
    guard let session else { return false }
    return session.walk().steps.contains { step in
      if case .check(let check) = step.node.looks { return session.record.overruled[check] != nil }
      return step.source == .answer && step.key != Node.unsure
    }
  }

  private func sayOthers(than index: Int, of diagnosis: Diagnosis, in sheet: inout Sheet) {
    guard diagnosis.causes.count > 1 else { return }
    sheet.head(word("verdict.others"))
    for (number, cause) in diagnosis.causes.enumerated() where number != index {
      let confidence = word("confidence.\(cause.confidence.rawValue)")
      sheet.say("\(number + 1) \(cause.title) (\(confidence))", indent: 2, hanging: 2)
    }
  }

  private func sayInconclusive(_ diagnosis: Diagnosis, in sheet: inout Sheet) {
    sheet.say(word("inconclusive.title"), .bold)
    sheet.say(observed(diagnosis))
    if !diagnosis.causes.isEmpty {
      sheet.head(word("inconclusive.causes"))
      for (number, cause) in diagnosis.causes.enumerated() {
        sheet.say("\(number + 1) \(cause.title)", indent: 2, hanging: 2)
      }
    }
    let unseen = seen.filter { $0.mark == .unknown }
    if !unseen.isEmpty {
      sheet.head(word("inconclusive.unseen"))
      for evidence in unseen { say(evidence, in: &sheet) }
    }
    sheet.head(word("inconclusive.next"))
    if lacksRights { sheet.say("- " + word("inconclusive.rights"), indent: 2, hanging: 2) }
    for name in ["answers", "report"] { sheet.say("- " + word("inconclusive.\(name)"), indent: 2, hanging: 2) }
    sayGuides(in: &sheet)
    saySeen(in: &sheet)
  }

  /// What the numbers open: the causes, and where none is certain the guides after them.
  var openable: [Scene] {
    guard case .verdict(let shown) = scene else { return [] }
    let causes = (diagnosis?.causes ?? []).indices.map { Scene.verdict(cause: $0) }
    return shown == nil ? causes + catalog.guides.keys.sorted().map { .page($0) } : causes
  }

  private func sayGuides(in sheet: inout Sheet) {
    guard !catalog.guides.isEmpty else { return }
    sheet.head(word("verdict.guides"))
    for (number, scene) in openable.enumerated() {
      guard case .page(let name) = scene, let guide = catalog.guides[name] else { continue }
      sheet.say("\(number + 1) \(guide.title(session?.facts ?? Facts()))", indent: 2, hanging: 2)
    }
  }

  /// Everything that was seen, in the order of the path.
  private var seen: [Diagnosis.Evidence] {
    pathItems.compactMap { if case .check(let check) = $0 { evidence(of: check) } else { nil } }
  }

  private func saySeen(in sheet: inout Sheet) {
    let seen = seen.filter { $0.mark != .unknown }
    guard !seen.isEmpty else { return }
    sheet.head(word("verdict.seen"))
    for evidence in seen { say(evidence, in: &sheet) }
  }

  func say(_ evidence: Diagnosis.Evidence, in sheet: inout Sheet) {
    let label = label(evidence.mark)
    sheet.blocks.append(.text([label, Span(" " + evidence.text)], indent: 2, hanging: label.text.columns + 1))
  }
}
