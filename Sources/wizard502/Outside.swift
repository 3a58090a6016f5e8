import Flow
import Model
import Screen

/// What both faces of a guided session ask of the outside: checks, the list of sites, exercises, what is kept, and seconds.
@MainActor
final class Outside {
  private let guide: Guide
  private let send: @Sendable (Event) -> Void
  private let runner: Runner
  private var listing: Task<Void, Never>?
  private var seconds: Task<Void, Never>?
  /// What was written down last.
  private var kept: Kept?

  /// - Parameter send: Is told what happens.
  init(_ guide: Guide, send: @escaping @Sendable (Event) -> Void) {
    self.guide = guide
    self.send = send
    runner = Runner(look: guide.look) { send(.found($0, round: $1)) }
  }

  func carryOut(_ order: Run.Order) { runner.carryOut([order]) }

  func listRoutes() {
    listing = Task { [guide, send] in
      for await line in guide.routes() { send(.route(line)) }
      send(.routesEnded)
    }
  }

  /// Has a paste read, and says what came of it.
  func paste(_ text: String, _ servesHere: Bool) {
    Task { [guide, send] in send(.pasted(text, await guide.paste(text, servesHere))) }
  }

  /// Puts the systems of an exercise in the machine's place, and says what came of it.
  func practise(_ exercise: Exercise) -> Event {
    let taken = guide.practise(exercise)
    return .practising(exercise, given: taken?.given, date: taken?.date ?? "")
  }

  /// Writes down where the session is, if that is not where it was.
  func keep(_ now: Kept?) {
    guard now != kept else { return }
    kept = now
    guide.keep(now)
  }

  /// The session that was left is not wanted any more.
  func forget() {
    kept = nil
    guide.keep(nil)
  }

  /// A tick a second while seconds are shown, and none otherwise.
  func countSeconds(_ isNeeded: Bool) {
    if !isNeeded {
      seconds?.cancel()
      seconds = nil
    } else if seconds == nil {
      seconds = Task { [send] in
        while (try? await Task.sleep(for: .seconds(1))) != nil { send(.tick) }
      }
    }
  }

  /// Nothing goes on any more.
  func end() {
    runner.carryOut([.cancelAll])
    for task in [listing, seconds] { task?.cancel() }
  }
}
