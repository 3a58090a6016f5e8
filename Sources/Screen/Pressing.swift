import Flow
import Model

extension State {
  /// What a key does here, by the table of keys.
  mutating func press(_ key: Key) -> [Effect] {
    hint = ""
    if isAlone, key != .control("c") {
      isAlone = false
      return [.redraw]
    }
    if case .paste(let text) = key { return take(paste: text) }
    guard let binding = Binding.all.first(where: { $0.keys.contains(key) && $0.isValid(self) }) else {
      if isTyping || search != nil, case .character(let character) = key {
        entry.type(character)
        if scene == .start, field.text == Self.leaving { hint = word("hint.lone-q") }
        searchOn()
        return []
      }
      // What no key sends is none.
      if scene == .left, key != .other { return beginAnew() }
      hint = word(isTyping ? "hint.no-key-typing" : "hint.no-key")
      return []
    }
    return perform(binding.action, key)
  }

  mutating func perform(_ action: Action, _ key: Key) -> [Effect] {
    if scene == .path, action != .redraw, action != .suspend { isWatching = false }
    switch action {
    case .choose: return choose()
    case .pick:
      guard case .character(let digit) = key, let number = digit.wholeNumberValue, number <= numbered else {
        hint = word("hint.no-number")
        return []
      }
      return pick(number)
    case .next: return next()
    case .goOn: return goOn()
    case .back: return back()
    case .up: move(by: -1)
    case .down: move(by: 1)
    case .pageUp: page(by: -1)
    case .pageDown: page(by: 1)
    case .first: moveToEdge(isLast: false)
    case .last: moveToEdge(isLast: true)
    case .copy:
      guard let text = nextCopy() else { return [] }
      guard text.utf8.count <= Self.clipboardLimit else {
        hint = word("hint.too-long")
        return []
      }
      hint = word(codes.count > 1 ? "hint.sent-one" : "hint.sent", ["copied.text": text.excerpt(of: 60)])
      return [.copy(text)]
    case .alone:
      isAlone = true
      return [.showAlone((stepText ?? codes.joined(separator: "\n\n")) + "\n\n" + origin + word("alone.return"))]
    case .save: return diagnosis.map { [.save($0)] } ?? []
    case .preview: return diagnosis.map { [.preview($0)] } ?? []
    case .again: return checkAgain()
    case .skip: return skip()
    case .path:
      push(.path)
      focus(on: fault)
    case .otherCause:
      guard case .verdict(let shown) = scene, let diagnosis else { return [] }
      let next = shown.map { $0 + 1 } ?? 0
      let first = diagnosis.verdict == .diagnosed ? 0 : nil
      spot = Spot(scene: .verdict(cause: next < diagnosis.causes.count ? next : first))
    case .edit(let edit):
      entry.edit(edit)
      searchOn()
    case .search: beginSearch()
    case .endSearch: endSearch()
    case .leaveSearch: leaveSearch()
    case .logLine:
      collected = []
      push(.logLine)
    case .help: push(.help)
    case .words: if wordsHere.isEmpty { hint = word("hint.no-words") } else { push(.words) }
    case .redraw: return [.redraw]
    case .suspend: return [.suspend]
    case .quit:
      if case .fix = scene { push(.leaving) } else { return [.quit(exitCode, line: closingLine)] }
    case .begin: return check(asked)
    case .resume: return resume()
    case .anew: return beginAnew()
    case .correct: if let correctable { push(.correction(check: correctable)) }
    case .hint:
      guard let practising else { return [] }
      self.practising?.hints = min(practising.hints + 1, practising.exercise.hints.count)
      if scene != .hints { push(.hints) }
      spot.top = body.count
    case .leave: return [.quit(exitCode, line: closingLine)]
    case .stay: spots.removeLast()
    case .interrupt: return [.quit(130, line: closingLine)]
    }
    return []
  }

  /// Bytes; twice as much Base64 is more than some terminals take.
  private static let clipboardLimit = 50_000

  // MARK: What is possible here

  var items: Int { sheet.items }

  /// How many things can be chosen.
  var choices: Int { isVerdict ? openable.count : items - (hasField ? 1 : 0) }

  /// How many of them have a number on the screen.
  var numbered: Int { scene == .path ? 0 : choices }

  var canChoose: Bool { items > 0 && !isVerdict }
  var canMove: Bool { items > 1 || body.count > page }
  var canGoBack: Bool { spots.count > 1 && scene != .left }
  /// The report of an exercise would give away what is to be found.
  var canSave: Bool { session != nil && !hasField && practising?.isFound != false }

  /// True if the tree has come to a question or to its end.
  var isSettled: Bool {
    guard let session else { return false }
    if case .waiting = session.walk().state { return false }
    return true
  }
  var hasEnded: Bool {
    guard let session, case .ended = session.walk().state else { return false }
    return true
  }
  var canGoOn: Bool { scene == .path && isSettled }
  var canCheckAgain: Bool {
    switch scene {
    case .verdict: true
    // What is not carried out is taken as done when all of it was read.
    case .fix: practising == nil || nextStep == nil
    case .path: hasEnded
    default: false
    }
  }
  /// Causes besides the one that is shown.
  var otherCauses: Int {
    guard case .verdict(let shown) = scene else { return 0 }
    return (diagnosis?.causes.count ?? 0) - (shown == nil ? 0 : 1)
  }
  var hasFix: Bool { cause.map { !$0.steps.isEmpty } ?? false }

  /// The cause that is shown.
  var cause: Diagnosis.Cause? {
    guard case .verdict(let index?) = scene, let causes = diagnosis?.causes, causes.indices.contains(index) else {
      return nil
    }
    return causes[index]
  }

  /// The step that is shown, with its number from 0 and how many there are.
  var step: (step: Diagnosis.Step, number: Int, count: Int)? {
    guard case .fix(let cause, let number) = scene, let causes = diagnosis?.causes, causes.indices.contains(cause),
      causes[cause].steps.indices.contains(number)
    else { return nil }
    return (causes[cause].steps[number], number, causes[cause].steps.count)
  }

  var nextStep: Int? { step.flatMap { $0.number + 1 < $0.count ? $0.number + 1 : nil } }

  /// What carries out the step that is shown, when it is pasted into a shell.
  var stepText: String? { step.flatMap { shellText(of: $0.step) } }

  /// A command as it is; a change of a file as a command that has it in a here-document, which each of its own lines, as
  /// they begin with a sign of the diff, leaves open.
  func shellText(of step: Diagnosis.Step) -> String? {
    if let command = step.command { return command }
    guard let patch = step.patch else { return nil }
    return shellText("fix.patch-command", of: step).map { "\($0) <<'END'\n\(patch)END" } ?? patch
  }

  /// A command of the program's own about the file of a step; nil if that cannot be written for a shell.
  func shellText(_ word: String, of step: Diagnosis.Step) -> String? {
    var facts = session?.facts ?? Facts()
    facts["step.file"] = step.file
    return try? catalog.words[word]?.command(facts)
  }

  /// What can be copied here, in the order in which it stands: of a step as it is, of other screens all that is to be run
  /// or applied.
  var codes: [String] {
    switch scene {
    case .fix: return [stepText].compactMap(\.self)
    case .evidence, .page: break
    default: return []
    }
    return sheet.blocks.compactMap { if case .code(let code, _) = $0 { code } else { nil } }
  }

  /// What is copied now: the first one in sight, or below; and if that was copied before, the next one.
  private mutating func nextCopy() -> String? {
    if let stepText { return stepText }
    let rows = body
    let starts = rows.indices.filter { rows[$0].code != nil }
    guard let first = starts.first else { return nil }
    let inSight = starts.first { $0 >= spot.top } ?? first
    let next = spot.copied.flatMap { copied in starts.first { $0 > copied } }
    let row = spot.copied.map { $0 >= inSight && $0 < spot.top + page } == true ? next ?? first : inSight
    spot.copied = row
    return rows[row].code
  }

  var focusedPathItem: PathItem? {
    guard scene == .path, pathItems.indices.contains(spot.focus) else { return nil }
    return pathItems[spot.focus]
  }

  /// The running check that is no longer waited for on request: the one under the cursor; where there is none, the one on
  /// which the way depends.
  var focusedRunningCheck: String? {
    if readsLines {
      guard scene == .path, case .waiting(let check) = session?.walk().state else { return nil }
      return check
    }
    guard case .check(let check) = focusedPathItem, session?.running.contains(check) == true else { return nil }
    return check
  }

  // MARK: What it does

  /// Chooses the thing with a number, from 1 to `choices`.
  mutating func pick(_ number: Int) -> [Effect] {
    if isVerdict {
      // A guide is looked into and left again; a cause takes the place of the one in sight.
      let opened = openable[number - 1]
      if case .page = opened { push(opened) } else { spot = Spot(scene: opened) }
      return []
    }
    spot.focus = hasField ? number : number - 1
    showFocus()
    return choose()
  }

  /// What nobody means as an address.
  private static let leaving = "q"

  private mutating func choose() -> [Effect] {
    switch scene {
    case .start:
      if isTyping, field.text.isEmpty, !routes.isEmpty {
        move(by: 1)
        return []
      }
      if spot.focus > 0, routes.indices.contains(spot.focus - 1) {
        field = Field(routes[spot.focus - 1].url.printable)
      }
      return field.text == Self.leaving ? perform(.quit, .enter) : check(field.text)
    case .logLine: return readLine()
    case .path:
      switch focusedPathItem {
      case nil: break
      case .check(let check): push(.evidence(check: check))
      case .answer(let node): ask(node)
      }
      return []
    case .question(let node, let first):
      if let key = offers(node, from: first)[spot.focus].key { return answer(node, key) }
      ask(node, from: first + Self.offered)
      return []
    case .correction(let check): return correct(check)
    case .exercises: return [.practise(exercises[spot.focus])]
    case .guess: return guess(guesses[spot.focus])
    default: return []
    }
  }

  mutating func answer(_ node: String, _ key: String) -> [Effect] {
    given[node] = key
    let answers = session?.record.answers ?? []
    if let index = answers.firstIndex(where: { $0.node == node }), answers[index].key == key {
      // The same answer as before: what was asked after it still holds.
      if answers.indices.contains(index + 1) {
        let next = answers[index + 1].node
        ask(next)
        return []
      }
      return goOn()
    }
    return order { $0.answer(node, with: key) } + goOn()
  }

  /// Takes the person's word for what a check should have found; the first choice leaves all as it was seen.
  private mutating func correct(_ check: String) -> [Effect] {
    guard spot.focus > 0 else {
      spots.removeLast()
      return []
    }
    let outcome = otherOutcomes(of: check)[spot.focus - 1].outcome
    spots.removeLast(2)
    hint = word("hint.overruled")
    return order { $0.overrule(check, with: outcome) }
  }

  /// The focused check is no longer waited for.
  private mutating func skip() -> [Effect] {
    guard let check = focusedRunningCheck else { return [] }
    let waited = Double(elapsed[check] ?? 0)
    return order { $0.skip(check, after: waited) }
  }

  /// From the verdict to the first step, from there to the next one.
  private mutating func next() -> [Effect] {
    switch scene {
    case .verdict(let index?): push(.fix(cause: index, step: 0))
    case .fix(let cause, _): if let nextStep { spot = Spot(scene: .fix(cause: cause, step: nextStep)) }
    default: break
    }
    if let step = step?.step, !shownSteps.contains(step) { shownSteps.append(step) }
    return []
  }

  private mutating func back() -> [Effect] {
    if case .fix(let cause, let step) = scene, step > 0 {
      spot = Spot(scene: .fix(cause: cause, step: step - 1))
      return []
    }
    let said = scene == .logLine && explanation != nil ? field.text : ""
    spots.removeLast()
    showFocus()
    // What a line says is known from here on.
    if !said.isEmpty, takesEvidence { return [.paste(said, servesHere: session?.facts[.proxyWhere] != nil)] }
    return spots.count == 1 && run != nil ? leave() : []
  }
}
