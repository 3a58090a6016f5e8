public import Flow
public import Model

/// What of a guided session is kept, so that it can go on later.
public struct Kept: Sendable, Codable, Equatable {
  /// What was given for the address that was asked for.
  public let given: Facts
  /// Where the case is: all that was found and answered there.
  public var record: Session.Record
  /// Answers that were given to questions, also to those that are no longer asked.
  public let answers: [String: String]
  /// The line of a log that was given; empty: none.
  public var line: String
  /// The step that was shown last of those in sight; nil: none.
  public let step: Step?

  public struct Step: Sendable, Codable, Equatable {
    public let cause: String
    /// From 0.
    public let number: Int
  }
  /// What was pasted.
  public let pastes: [String]
}

/// A session that was left before its end.
public struct Left: Sendable {
  public let kept: Kept
  /// Seconds since then.
  public let age: Double
  public init(_ kept: Kept, age: Double) { (self.kept, self.age) = (kept, age) }
}

extension State {
  /// What is to be kept of the case; nil if there is nothing to go on with: none has begun, the site works, or it is not
  /// of this machine now.
  public var kept: Kept? {
    guard let session, origin.isEmpty, session.walk().state != .ended(.working) else { return nil }
    return Kept(given: first, record: session.record, answers: given, line: line.text, step: keptStep, pastes: pastes)
  }

  private var keptStep: Kept.Step? {
    let causes = diagnosis?.causes ?? []
    return spots.lazy.reversed().compactMap { spot in
      guard case .fix(let cause, let number) = spot.scene, causes.indices.contains(cause) else { return nil }
      return Kept.Step(cause: causes[cause].id, number: number)
    }.first
  }

  var leftSheet: Sheet {
    var sheet = Sheet(title: word("left.title"))
    guard let left else { return sheet }
    let (name, number) = Self.age(left.age)
    let age = word("left.age.\(name)", ["left.number": String(number)])
    let facts: Facts = [.url: left.kept.given[.url] ?? "", "left.age": age]
    sheet.say(word("left.text", facts), .bold)
    sheet.blocks.append(.gap)
    sheet.say(word("left.go-on"))
    let anew = Span(word("left.anew"), spoken: word("lines.anew"))
    sheet.blocks.append(.text([anew], indent: 0, hanging: 0))
    return sheet
  }

  /// How long ago, as a person says it: the name of the words, and a number for them.
  private static func age(_ seconds: Double) -> (name: String, number: Int) {
    let minutes = Int(clamping: Int64(max(0, min(seconds, 1e9)) / 60))  // fits: an Int64
    let units = [("day", minutes / 1440), ("hour", minutes / 60), ("minute", minutes)]
    guard let (unit, number) = units.first(where: { $0.1 > 0 }) else { return ("now", 0) }
    return (number == 1 ? unit : unit + "s", number)
  }

  /// Goes on with the session that was left: what it found stays, and what it had not found is looked at.
  mutating func resume() -> [Effect] {
    guard let kept = left?.kept else { return [] }
    left = nil
    (first, given, wantedStep) = (kept.given, kept.answers, kept.step)
    let session = Session(catalog: catalog, shapes: shapes, asks: true, record: kept.record)
    line = Field(kept.line)
    explanation = explanation(of: kept.line, session.facts)
    let effects = start(Run(session, round: round + 1, from: kept.given))
    guard !kept.pastes.isEmpty else { return effects }
    return effects + [.paste(kept.pastes.joined(separator: "\n"), servesHere: session.facts[.proxyWhere] != nil)]
  }

  /// Back to the step that was shown before the session was left, if the result still has it.
  mutating func returnToStep() {
    guard let step = wantedStep, let causes = diagnosis?.causes else { return }
    wantedStep = nil
    guard let index = causes.firstIndex(where: { $0.id == step.cause }),
      causes[index].steps.indices.contains(step.number)
    else { return }
    shownSteps = Array(causes[index].steps.prefix(step.number + 1))
    spot = Spot(scene: .verdict(cause: index))
    push(.fix(cause: index, step: step.number))
  }

  /// Begins as if none had been left.
  mutating func beginAnew() -> [Effect] {
    left = nil
    spots = [Spot(scene: .start)]
    return [.forget] + begin(url: wanted)
  }
}
