internal import Glibc
public import Model

/// One read-only look at the world: what to look at. Its answer can be written down, so a look can be recorded.
///
/// Its identity is what it looks at; how far it goes (`bounds`) is given beside that, each as a `Beside`.
public protocol Look: Hashable, Sendable, Codable {
  associatedtype Sight: Sendable, Codable
  /// The kind of look in recordings: `http`, `docker`, `file`.
  static var kind: String { get }
  /// True if it shows the machine: what is set up, runs and listens there, which is the same for every site that is
  /// looked at in the same moment. False if it shows what comes of asking: an answer, a log, a load.
  var isOfMachine: Bool { get }
  /// How far it goes.
  var bounds: Bounds { get }
  /// What it shows of a sight that may have been taken within other bounds; nil if that one has not enough.
  func part(of sight: Sight) -> Sight?
  /// What a command is made of that shows a person the same: `look.path`, `look.url`.
  var parts: Facts { get }
  /// What was seen, as lines of text: those of the thing itself where it has some, such as a file or a log.
  func lines(of sight: Sight) -> [UInt8]
  /// False if what was asked gave no answer.
  func isAnswered(by sight: Sight) -> Bool
}

extension Look {
  public var isOfMachine: Bool { false }
  public var bounds: Bounds { Bounds() }
  public func part(of sight: Sight) -> Sight? { sight }
  public func isAnswered(by sight: Sight) -> Bool { true }
}

/// What came of a look, and how long that took.
public struct Answer<Sight: Sendable>: Sendable {
  public let result: Result<Sight, Unseen>
  /// Between the question and this.
  public let seconds: Double
  /// Set if that is what a person has pasted.
  public let hearsay: Hearsay?
  public init(_ result: Result<Sight, Unseen>, seconds: Double, hearsay: Hearsay? = nil) {
    self.result = result
    self.seconds = seconds
    self.hearsay = hearsay
  }
}

/// All that a check may touch: the real machine, a recording, or what a person pasted; and the time that passes there.
public protocol World: Sendable {
  /// Takes the look. Ends early, with `noAnswer`, when its task is cancelled.
  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight
  /// The same, with the seconds that it took there.
  func answer<L: Look>(to look: L) async -> Answer<L.Sight>

  /// The time of day, in seconds since 1970.
  var now: Double { get }
  /// The present on a clock that nobody sets.
  var instant: ContinuousClock.Instant { get }
  /// Waits on purpose; ends early when its task is cancelled.
  func pause(_ seconds: Double) async
  /// Ends when somebody who began to wait now has waited for so long, or when its task is cancelled. Where nothing has to
  /// be waited for, as in a recording, nobody has.
  func deadline(in seconds: Double) async
  /// Other machines that were named beside this one.
  var others: [OtherMachine] { get }
}

/// Another machine, at which is looked only if the way leads there.
public struct OtherMachine: Sendable {
  /// Its name, for a sentence.
  public let name: String
  /// What is seen there of a port for whoever dials it at one of that machine's addresses; where the address is none of
  /// them, little more than that.
  public let world: @Sendable (_ address: String, _ port: UInt16) async throws(Unseen) -> any World

  public init(
    name: String, world: @escaping @Sendable (_ address: String, _ port: UInt16) async throws(Unseen) -> any World
  ) {
    (self.name, self.world) = (name, world)
  }
}

/// A world has the system's time unless it has one of its own.
extension World {
  public func answer<L: Look>(to look: L) async -> Answer<L.Sight> {
    let start = instant
    let result: Result<L.Sight, Unseen>
    do throws(Unseen) { result = .success(try await see(look)) } catch { result = .failure(error) }
    return Answer(result, seconds: start.duration(to: instant) / .seconds(1))
  }

  public var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  public var instant: ContinuousClock.Instant { .now }
  public func pause(_ seconds: Double) async { try? await Task.sleep(for: .seconds(seconds)) }
  public func deadline(in seconds: Double) async { try? await Task.sleep(for: .seconds(seconds)) }
  public var others: [OtherMachine] { [] }
}

/// A world with other machines beside it.
public struct AmongOthers: World {
  private let world: any World
  public let others: [OtherMachine]

  public init(_ world: any World, _ others: [OtherMachine]) { (self.world, self.others) = (world, others) }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { try await world.see(look) }
  public func answer<L: Look>(to look: L) async -> Answer<L.Sight> { await world.answer(to: look) }
  public var now: Double { world.now }
  public var instant: ContinuousClock.Instant { world.instant }
  public func pause(_ seconds: Double) async { await world.pause(seconds) }
  public func deadline(in seconds: Double) async { await world.deadline(in: seconds) }
}

extension World {
  /// The look's result as a value, for looks that are taken side by side with `async let`.
  public func result<L: Look>(of look: L) async -> Result<L.Sight, Unseen> { await answer(to: look).result }

  /// The same, `noAnswer` if it takes more than `seconds`; nil: as long as it takes. In a world that shares its looks it
  /// goes on, and can be waited for again.
  public func result<L: Look>(of look: L, within seconds: Double?) async -> Result<L.Sight, Unseen> {
    guard let seconds else { return await result(of: look) }
    let late = Answer<L.Sight>(.failure(.noAnswer(seconds: seconds)), seconds: 0)
    let first = await withTaskGroup(of: Answer<L.Sight>.self) { group in
      group.addTask { await answer(to: look) }
      group.addTask {
        await deadline(in: seconds)
        return late
      }
      defer { group.cancelAll() }
      return await group.next() ?? late
    }
    return first.seconds > seconds ? late.result : first.result
  }

  /// What `work` gives within `limit` seconds, computed by the `Workers`.
  ///
  /// Goes on without it, and cancels it, when the time is over or the own task is cancelled: what never asks whether it
  /// is cancelled keeps one of the workers, and nobody waits for it.
  public func result<Value: Sendable>(
    within limit: Double, of work: @escaping @Sendable () async throws(Unseen) -> Value
  ) async -> Result<Value, Unseen> {
    let handover = Handover<Value>()
    let working = Task(executorPreference: Workers.shared) {
      do throws(Unseen) { handover.give(.success(try await work())) } catch { handover.give(.failure(error)) }
    }
    defer { working.cancel() }
    return await handover.result(within: limit) { await deadline(in: $0) }
  }
}

/// Where a look is taken from: decides which network, names and files it meets.
public enum Place: Hashable, Sendable {
  /// This machine as the program itself sees it.
  case host
  /// The namespaces of the process with this id (on this machine).
  case process(Int32)
}

/// `"host"`, `"process 7"`.
extension Place: Codable {
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    let words = try value.decode(String.self).split(separator: " ", omittingEmptySubsequences: false)
    if words == ["host"] {
      self = .host
    } else if words.count == 2, words[0] == "process", let id = Int32(words[1]) {
      self = .process(id)
    } else {
      throw DecodingError.dataCorruptedError(in: value, debugDescription: "it is no place")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .host: try value.encode("host")
    case .process(let id): try value.encode("process \(id)")
    }
  }
}
