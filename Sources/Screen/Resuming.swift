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
    return Kept(given: first, record: session.record, answers: given)
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
    (first, given) = (kept.given, kept.answers)
    let session = Session(catalog: catalog, shapes: shapes, asks: true, record: kept.record)
    return start(Run(session, round: round + 1, from: kept.given))
  }

  /// Begins as if none had been left.
  mutating func beginAnew() -> [Effect] {
    left = nil
    spots = [Spot(scene: .start)]
    return [.forget] + begin(url: wanted)
  }
}
