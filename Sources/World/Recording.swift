public import Model
import Synchronization

/// A world that is written down: each look has one answer, or the reason why there was none. What it has not is
/// `notRecorded`: not seen, and never fine.
///
/// Nothing in it has to be waited for: pauses end at once, and no deadline is ever reached, but that an answer which took
/// longer than somebody waits comes too late here, too.
public final class Recording: World {
  private let records: Mutex<[AnyHashable: any AnyRecord]> = Mutex([:])
  /// When it was made.
  public let now: Double
  /// How the diagnosis went that took the looks; nil if there was none.
  public let course: Course?
  /// Its texts have lost their secrets: looks are found by what is left of them.
  let isRedacted: Bool
  public let instant = ContinuousClock.now

  /// - Parameter now: Seconds since 1970.
  public convenience init(now: Double = 0) { self.init(now: now, course: nil, isRedacted: false) }

  init(now: Double, course: Course?, isRedacted: Bool) {
    self.now = now
    self.course = course
    self.isRedacted = isRedacted
  }

  public func pause(_ seconds: Double) async {}
  public func deadline(in seconds: Double) async { while (try? await Task.sleep(for: .seconds(3600))) != nil {} }

  /// Writes down what `look` sees; returns itself, so that recordings are built in one expression.
  @discardableResult
  public func with<L: Look>(_ look: L, _ sight: L.Sight, seconds: Double = 0) -> Recording {
    put(Record(look: look, answer: Answer(.success(sight), seconds: seconds)))
    return self
  }

  @discardableResult
  public func with<L: Look>(_ look: L, unseen: Unseen) -> Recording {
    put(Record(look: look, answer: Answer(.failure(unseen), seconds: 0)))
    return self
  }

  func put(_ record: any AnyRecord) { records.withLock { $0[record.identity] = record } }

  /// Writes down an answer unless there is one already that tells more.
  func keep<L: Look>(_ look: L, _ answer: Answer<L.Sight>) {
    records.withLock { records in
      if let kept = records[AnyHashable(look)] as? Record<L>, kept.tellsMore(than: look.bounds, answer) { return }
      records[AnyHashable(look)] = Record(look: look, answer: answer)
    }
  }

  /// By kind and then by what is looked at.
  var sorted: [any AnyRecord] {
    records.withLock { Array($0.values) }.map { ($0, $0.order) }.sorted { $0.1 < $1.1 }.map(\.0)
  }

  public var count: Int { records.withLock { $0.count } }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { try await answer(to: look).result.get() }

  public func answer<L: Look>(to look: L) async -> Answer<L.Sight> {
    let found = record(of: look) ?? (isRedacted ? look.withoutSecrets.flatMap { record(of: $0) } : nil)
    guard let answer = found?.answer else {
      return Answer(.failure(.notRecorded(what: look.inShort)), seconds: 0)
    }
    guard case .success(let sight) = answer.result else { return answer }
    guard let part = look.part(of: sight) else {
      return Answer(.failure(.notRecorded(what: look.inShort)), seconds: 0)
    }
    return Answer(.success(part), seconds: answer.seconds)
  }

  private func record<L: Look>(of look: L) -> Record<L>? { records.withLock { $0[AnyHashable(look)] } as? Record<L> }
}

/// A world that writes down what is seen in the one behind it.
///
/// For whoever looks through it there is one time of day, that of the recording. What shares looks (`Once`) stands before it,
/// so that a look which goes on after a check was given up is still kept.
public final class Recorder: World {
  private let world: any World
  private let kept: Recording
  /// Looks that are under way, and what a recording has of them.
  private let begun = Mutex<(count: Int, unfinished: [Int: @Sendable (Recording) -> Void])>((0, [:]))

  public init(_ world: any World) {
    self.world = world
    kept = Recording(now: world.now)
  }

  /// All that was seen so far; what has not answered yet has not answered for so long. What is seen later is in the next.
  public var recording: Recording { recording(of: nil) }

  /// The same, with how the diagnosis went that looked.
  public func recording(of course: Course?) -> Recording {
    let recording = Recording(now: kept.now, course: course, isRedacted: false)
    for record in kept.sorted { recording.put(record) }
    for unanswered in begun.withLock({ $0.unfinished.values.map { $0 } }) { unanswered(recording) }
    return recording
  }

  public var now: Double { kept.now }
  public var instant: ContinuousClock.Instant { world.instant }
  public func pause(_ seconds: Double) async { await world.pause(seconds) }
  public func deadline(in seconds: Double) async { await world.deadline(in: seconds) }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { try await answer(to: look).result.get() }

  public func answer<L: Look>(to look: L) async -> Answer<L.Sight> {
    let start = world.instant
    let number = begun.withLock { begun in
      begun.count += 1
      begun.unfinished[begun.count] = { [world] recording in
        let seconds = start.duration(to: world.instant) / .seconds(1)
        recording.keep(look, Answer(.failure(.noAnswer(seconds: seconds)), seconds: seconds))
      }
      return begun.count
    }
    let seen = await world.answer(to: look)
    // To the millisecond, for whoever looks on as well: what is read later is what they saw.
    let answer = Answer(seen.result, seconds: (seen.seconds * 1000).rounded() / 1000, hearsay: seen.hearsay)
    begun.withLock { $0.unfinished[number] = nil }
    kept.keep(look, answer)
    return answer
  }
}

/// A look and what came of it.
struct Record<L: Look>: Sendable {
  let look: L
  let answer: Answer<L.Sight>

  /// True if an answer within `bounds` has nothing that this one lacks. Of two that are alike the newer one counts.
  func tellsMore(than bounds: Bounds, _ other: Answer<L.Sight>) -> Bool {
    switch (answer.result, other.result) {
    case (.success, .failure): true
    case (.failure, .success): false
    default: look.bounds != bounds && look.bounds.contains(bounds)
    }
  }
}

/// A record whatever its look is.
protocol AnyRecord: Sendable, Codable {
  var identity: AnyHashable { get }
  var kind: String { get }
  /// What it looks at, for a sentence.
  var inShort: String { get }
  /// Texts by which records have an order.
  var order: String { get }
}
