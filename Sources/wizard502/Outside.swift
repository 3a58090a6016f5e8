import Flow
import Screen

/// What both faces of a guided session ask of the outside: checks, the list of sites, and seconds.
@MainActor
final class Outside {
  private let guide: Guide
  private let send: @Sendable (Event) -> Void
  private let runner: Runner
  private var listing: Task<Void, Never>?
  private var seconds: Task<Void, Never>?

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
