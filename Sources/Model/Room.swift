internal import Synchronization

/// How many parts one reading of a configuration may make.
///
/// What needs few is read at once, beside others. What needs more is read again, with all that `Limits.nodes` allows and
/// in its turn, so that readings at the same time do not take more memory than one of them does.
public final class Room: Sendable {
  /// The share of `Limits.nodes` that is there for each without waiting.
  private static let share = 16

  @TaskLocal private static var own: Room?
  private static let turns = Turns()

  private let parts: Int
  private let isTooSmall = Mutex(false)

  private init(_ parts: Int) { self.parts = parts }

  /// For the reading that the running task belongs to.
  public static var parts: Int { own?.parts ?? Limits.nodes }

  /// Says that the reading needs more than `parts`. Whoever meets that ends the reading as at any other limit.
  public static func overrun() { own?.isTooSmall.withLock { $0 = true } }

  /// Carries out a reading, a second time if it did not have room enough.
  public static func read<Value: Sendable, Failure: Error>(
    _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    guard own == nil else { return try await body() }
    let small = Room(Limits.nodes / share)
    let result = await $own.withValue(small) { await outcome(of: body) }
    guard small.isTooSmall.withLock({ $0 }), !Task.isCancelled else { return try result.get() }
    await turns.begin()
    let whole = await $own.withValue(Room(Limits.nodes)) { await outcome(of: body) }
    await turns.end()
    return try whole.get()
  }

  private static func outcome<Value, Failure: Error>(
    of body: () async throws(Failure) -> Value
  ) async -> Result<Value, Failure> {
    do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
  }
}

/// One at a time, in the order in which they came.
private actor Turns {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func begin() async {
    guard isTaken else { return isTaken = true }
    await withCheckedContinuation { waiting.append($0) }
  }

  func end() {
    if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
  }
}
