public import Flow
public import Model

/// What happens to the program.
public enum Event: Sendable {
  case key(Key)
  /// A check of the round with this number ended.
  case found(Finding, round: Int)
  case route(RouteLine)
  /// All routes have been listed.
  case routesEnded
  case resized(Size)
  /// A second has passed.
  case tick
  /// The report was written there; nil: it could not be.
  case saved(String?)
  /// A report as it would be saved, and how many secrets were left out of it.
  case previewed(String, hidden: [HiddenKind: Int])
  /// What was pasted, and what of it was understood.
  case pasted(String, Understanding)
  /// The systems of an exercise stand in the machine's place: what their case is given, and the day they were recorded.
  /// Nil: there are none.
  case practising(Exercise, given: Facts?, date: String)
}

/// What the outside is asked to do.
public enum Effect: Sendable, Equatable {
  /// To start or to cancel checks.
  case order(Run.Order)
  case listRoutes
  case copy(String)
  /// Leaves the screen and shows a text alone, until `redraw`.
  case showAlone(String)
  case save(Diagnosis)
  /// To read what was pasted, and to look with that.
  ///
  /// `servesHere`: the site was seen to be served by the machine on which the program runs.
  case paste(String, servesHere: Bool)
  /// Says the report that would be saved; asked for in lines only.
  case preview(Diagnosis)
  /// To put the systems of an exercise in the machine's place; then the next one of them, after a fix.
  case practise(Exercise)
  case mend
  /// What was seen before is old: all of it is to be seen anew.
  case seeAnew
  /// The session that was left is not wanted any more.
  case forget
  case suspend
  case redraw
  /// Ends the program with this exit code; the line stays on the terminal.
  case quit(Int32, line: String)
}

/// What is on the screen, by name.
enum Scene: Sendable, Equatable {
  case start
  case path
  case evidence(check: String)
  /// What a check found, beside what it could have found.
  case correction(check: String)
  /// The first answers to a question, or those from a number on, counted from 0.
  case question(node: String, from: Int = 0)
  /// The number of the cause that is shown, from 0; nil: the overview of a case without a certain one.
  case verdict(cause: Int?)
  case fix(cause: Int, step: Int)
  /// A guide or the page of a cause, by name.
  case page(String)
  /// A line of a log, given by the user, and what it means.
  case logLine
  /// A report as it would be saved.
  case report
  case help
  /// The technical words of the screen below.
  case words
  case leaving
  /// Offers to go on with a session that was left.
  case left
  // Practice: what there is, what is to be found out, what helps, and what the person takes for the fault.
  case exercises
  case goal
  case hints
  case guess
}

/// One guided session: everything that the screen depends on.
///
/// `handle` is the only way in which it changes; `view` shows it. Neither does any I/O.
public struct State: Sendable {
  /// A scene, with the focused item and the first row in sight.
  struct Spot: Sendable, Equatable {
    var scene: Scene
    var focus = 0
    var top = 0
    /// The row of what was copied last.
    var copied: Int?
    /// The row that has what was looked for.
    var found: Int?
  }

  let catalog: Catalog
  /// All checks, in the order in which a person would make them.
  let shapes: [CheckShape]
  let isASCII: Bool
  /// True if the face reads lines and has no cursor: nothing is typed into fields, and every choice has a number.
  let readsLines: Bool
  /// True if the person is to do nothing here but follow the session.
  let isRestricted: Bool
  /// What the program cannot see here, in sentences.
  let notices: [String]
  /// True if root, or a member of the engine's group, could see more here.
  let lacksRights: Bool
  /// Before each title: what all is of, and a blank; empty if it is this machine's, now.
  var origin: String
  /// What can be practised; empty where this is no practice.
  let exercises: [Exercise]
  var practising: Practising?
  /// The facts of an address as it was typed; nil if it is none.
  let site: @Sendable (String) -> Facts?

  var size = Size(columns: 80, rows: 24)
  /// From the first screen to the one in sight; never empty.
  var spots = [Spot(scene: .start)]
  private var address = Field()
  var line = Field()
  /// Lines that were given one by one where they are read, and say nothing alone.
  var collected: [String] = []
  /// What was pasted, without secrets, and what lines of logs in it show.
  private(set) var pastes: [String] = []
  private(set) var shown: [String] = []
  /// What pastes tell of the app.
  private(set) var told = Facts()
  /// What the line that was given means.
  var explanation: LogExplanation?
  var routes: [RouteLine] = []
  var isListing = true
  /// Seconds for which they have been listed.
  var listed = 0
  private(set) var run: Run?
  /// The number of the last round.
  private(set) var round = 0
  /// How often a person has wanted everything to be looked at.
  private(set) var looks = 0
  /// Seconds since each running check began.
  var elapsed: [String: Int] = [:]
  /// True while the screen goes on by itself: until the user moves.
  var isWatching = true
  /// Answers that were given to questions, also to those that are no longer asked.
  var given: [String: String] = [:]
  /// The result before everything was looked at again.
  var previous: Diagnosis?
  /// Steps of the fix that were shown, in order.
  var shownSteps: [Diagnosis.Step] = []
  var report: String?
  /// A report to be read before it is saved.
  var preview: (text: String, hidden: [HiddenKind: Int])?
  var hint = ""
  /// What is looked for now, and what was looked for last.
  var search: Search?
  var sought = ""
  /// Answers that were given before they are asked for, the next one first.
  var ahead: [String]
  /// How many lines in a row were no answer.
  var misses = 0
  /// True while a text is shown alone, outside of the full screen.
  public internal(set) var isAlone = false
  /// What was given for the address that was asked for.
  var first = Facts()
  /// A session that can be gone on with, and the address that is wanted otherwise.
  var left: Left?
  var wanted: String?
  /// The step at which it was left, until there is a result again.
  var wantedStep: Kept.Step?
  /// What the case of an exercise is given.
  var asked = Facts()

  public init(
    catalog: Catalog, shapes: [CheckShape], notices: [String] = [], lacksRights: Bool = false, origin: String? = nil,
    exercises: [Exercise] = [],
    left: Left? = nil, isASCII: Bool = false, readsLines: Bool = false, isRestricted: Bool = false,
    ahead: [String] = [],
    site: @escaping @Sendable (String) -> Facts?
  ) {
    self.catalog = catalog
    self.shapes = shapes
    self.notices = notices
    self.lacksRights = lacksRights
    self.origin = origin.map { $0 + " " } ?? ""
    self.exercises = exercises
    self.left = left
    self.isASCII = isASCII
    self.readsLines = readsLines
    self.isRestricted = isRestricted
    self.ahead = ahead
    self.site = site
  }

  /// The first effects; with an address the checks start at once.
  public mutating func begin(url: String?) -> [Effect] {
    if let exercise = exercises.first {
      spots = [Spot(scene: .exercises)]
      return exercises.count == 1 ? [.practise(exercise)] : []
    }
    if left != nil {
      wanted = url
      push(.left)
      return []
    }
    guard let url else { return [.listRoutes] }
    address = Field(url.printable)
    return [.listRoutes] + check(url)
  }

  /// True while a check runs, so that seconds count.
  public var isRunning: Bool { !(session?.running.isEmpty ?? true) }

  /// Takes `event` in and says what the outside is asked to do about it.
  public mutating func handle(_ event: Event) -> [Effect] {
    switch event {
    case .key(let key):
      return press(key)
    case .found(let finding, let round):
      guard round == self.round, run != nil else { return [] }
      elapsed[finding.check] = nil
      let focused = focusedPathItem
      let effects = order { $0.learn(finding, round: round) }
      focus(on: focused)
      return effects + advance()
    case .route(let line):
      if let index = routes.firstIndex(where: { $0.url == line.url }) {
        routes[index] = line
      } else {
        routes.append(line)
      }
      orderRoutes()
      return []
    case .routesEnded:
      orderRoutes()
      isListing = false
      return []
    case .resized(let size):
      self.size = size
      // What stands above the first items is in sight again when there is room.
      if items > 0 { spot.top = 0 }
      showFocus()
      return []
    case .tick:
      for check in elapsed.keys { elapsed[check]? += 1 }
      if isListing { listed += 1 }
      return []
    case .saved(let path):
      report = path ?? report
      hint = path.map { word("hint.saved", ["report.file": $0]) } ?? word("hint.not-saved")
      return []
    case .previewed(let text, let hidden):
      preview = (text, hidden)
      push(.report)
      return []
    case .pasted(let text, let understanding): return learn(text, understanding)
    case .practising(let exercise, let given, let date):
      guard let given else {
        hint = word("practice.unreadable", ["practice.name": exercise.name])
        return []
      }
      (practising, asked) = (Practising(exercise: exercise), given)
      origin = word("title.practice", ["recording.day": date]) + " "
      if exercises.count == 1 { spots = [Spot(scene: .goal)] } else { push(.goal) }
      return []
    }
  }

  // MARK: Where we are

  var spot: Spot {
    get { spots[spots.count - 1] }
    set { spots[spots.count - 1] = newValue }
  }
  var scene: Scene { spot.scene }
  var mode: Mode {
    if search != nil { return .searching }
    return switch scene {
    case .help: .help
    case .words: .words
    case .leaving: .leaving
    default: isTyping ? .typing : .screen
    }
  }
  /// True if the first item is a field.
  var hasField: Bool { scene == .start || scene == .logLine }
  /// True if the cursor stands in the field of the screen.
  var isTyping: Bool { hasField && spot.focus == 0 && !readsLines }
  var field: Field {
    get { scene == .logLine ? line : address }
    set { if scene == .logLine { line = newValue } else { address = newValue } }
  }
  /// The field in which the cursor stands.
  var entry: Field {
    get { search?.field ?? field }
    set { if search == nil { field = newValue } else { search?.field = newValue } }
  }
  var isVerdict: Bool { if case .verdict = scene { true } else { false } }

  func word(_ name: String, _ facts: Facts = Facts()) -> String { catalog.word(name, facts) }

  /// Keeps the focus on the same line of the path when lines come in above it.
  mutating func focus(on item: PathItem?) {
    guard scene == .path, let item, let index = pathItems.firstIndex(of: item) else { return }
    spot.focus = index
    showFocus()
  }

  mutating func push(_ scene: Scene, focus: Int = 0) {
    spots.append(Spot(scene: scene, focus: focus))
    showFocus()
  }

  /// Back to the path, which goes on by itself.
  mutating func watch() {
    spots = [spots[0], Spot(scene: .path)]
    isWatching = true
  }

  // MARK: The case

  var session: Session? { run?.session }

  /// Starts a session for an address as it was typed.
  mutating func check(_ typed: String) -> [Effect] {
    guard let facts = site(typed) else {
      hint = word("hint.no-address")
      return []
    }
    return check(facts)
  }

  /// Starts a session for what is given.
  mutating func check(_ facts: Facts) -> [Effect] {
    if first != facts { (given, previous, shownSteps, report) = ([:], nil, [], nil) }
    first = facts
    return start(Run(Session(catalog: catalog, shapes: shapes, asks: true, given: facts), round: round + 1))
  }

  /// Follows another case.
  mutating func start(_ run: Run) -> [Effect] {
    looks += 1
    // Another session's checks have nothing to say any more.
    let cancel = self.run == nil ? [] : leave()
    self.run = run
    let begun = order { $0.begin() }
    watch()
    return cancel + begun + advance()
  }

  /// Looks at everything anew, on the path; nothing if the run has nothing to look at.
  private mutating func look(_ change: (inout Run) -> [Run.Order]) -> [Effect] {
    let effects = order(change)
    if effects.isEmpty { return [] }
    watch()
    return effects + advance()
  }

  /// Changes the run, and says what the outside is asked to do about it.
  mutating func order(_ change: (inout Run) -> [Run.Order]) -> [Effect] {
    guard var changed = run else { return [] }
    let orders = change(&changed)
    (run, round) = (changed, changed.round)
    for order in orders {
      switch order {
      case .start(let checks, _, _): for check in checks { elapsed[check] = 0 }
      case .cancel(let check): elapsed[check] = nil
      case .cancelAll: elapsed = [:]
      }
    }
    return orders.map { .order($0) }
  }

  /// The case is left; its checks have nothing to say any more.
  mutating func leave() -> [Effect] {
    run = nil
    elapsed = [:]
    return [.order(.cancelAll)]
  }

  /// Goes on by itself if the way is clear and the user looks on.
  mutating func advance() -> [Effect] {
    guard scene == .path, isWatching else { return [] }
    return goOn()
  }

  /// To the question or the verdict that the tree has come to; stays on the path while a check is awaited.
  mutating func goOn() -> [Effect] {
    guard let session else { return [] }
    switch session.walk().state {
    case .waiting:
      if scene != .path { watch() }
      return []
    case .asking(let node):
      if let key = pastedAnswer(to: node) { return answer(node, key) }
      ask(node)
      return []
    case .ended:
      let onward = look { $0.goOn() }
      if !onward.isEmpty { return onward }
      if let practising, !practising.isFound {
        push(.guess)
        return []
      }
      if scene == .guess { spots.removeLast() }
      if let shown = spots.firstIndex(where: { if case .verdict = $0.scene { true } else { false } }) {
        spots.removeSubrange(shown...)
      }
      push(.verdict(cause: session.diagnosis().verdict == .diagnosed ? 0 : nil))
      returnToStep()
      return []
    }
  }

  /// More can be seen now than before, by what was pasted.
  mutating func lookAgain(after text: String, with understanding: Understanding) -> [Effect] {
    pastes.append(text.redacted)
    shown = understanding.shows + shown
    told.merge(understanding.tells)
    looks += 1
    guard run != nil else {
      (routes, isListing, listed) = ([], true, 0)
      return [.listRoutes]
    }
    return look { $0.lookAgain() }
  }

  /// From the address that was asked for, over every redirect and every proxy.
  mutating func checkAgain() -> [Effect] {
    let mend = mend()
    previous = diagnosis
    looks += 1
    let mended: Facts = [.problemMended: previous?.verdict == .working ? "" : "yes"]
    return mend + [.seeAnew] + look { $0.again(given: mended) }
  }

  /// Nobody is there any more who could answer: what only a person knows stays open, and the case goes on to its end.
  mutating func stopAsking() -> [Effect] {
    guard run != nil, !hasEnded else { return [] }
    run?.stopAsking()
    watch()
    return advance()
  }

  var diagnosis: Diagnosis? { session?.diagnosis() }

  /// As the command line documents it: 0 works, 1 a cause was found, 2 inconclusive.
  var exitCode: Int32 {
    guard let session else { return 0 }
    guard case .ended = session.walk().state else { return 2 }
    return switch session.diagnosis().verdict {
    case .working: 0
    case .diagnosed: 1
    case .inconclusive: 2
    }
  }

  /// The site's name, for the report's.
  public var host: String { session?.facts[.siteHost] ?? "" }

  /// The line that stays when the screen is gone.
  var closingLine: String {
    guard let session else { return "" }
    var facts: Facts = ["report.file": report ?? "", .url: session.facts[.url] ?? ""]
    var line = word("closing.unfinished", facts)
    if case .ended = session.walk().state, practising?.isFound != false {
      let diagnosis = session.diagnosis()
      if let cause = diagnosis.causes.first, diagnosis.verdict == .diagnosed {
        facts.merge(["cause.title": cause.title, "cause.confidence": word("confidence.\(cause.confidence.rawValue)")])
      }
      line = word("closing.\(diagnosis.verdict.rawValue)", facts)
    }
    return report == nil ? line : line + " " + word("closing.report", facts)
  }
}
