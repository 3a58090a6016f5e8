public import Model
internal import Synchronization

/// One result for one waiting task; later results are dropped.
public final class Handover<Value: Sendable>: Sendable {
  private enum State {
    case empty
    case waiting(CheckedContinuation<Result<Value, Unseen>, Never>)
    case given(Result<Value, Unseen>)
    case done
  }

  private let state = Mutex(State.empty)

  public init() {}

  public func give(_ result: Result<Value, Unseen>) {
    let waiting = state.withLock { state -> CheckedContinuation<Result<Value, Unseen>, Never>? in
      switch state {
      case .empty:
        state = .given(result)
        return nil
      case .waiting(let continuation):
        state = .done
        return continuation
      case .given, .done: return nil
      }
    }
    waiting?.resume(returning: result)
  }

  /// Waits for what is given: `noAnswer` as soon as `deadline`, which is given the limit's seconds, has ended or the task
  /// is cancelled.
  public func result(
    within limit: Double,
    deadline: @escaping @Sendable (Double) async -> Void = { try? await Task.sleep(for: .seconds($0)) }
  ) async -> Result<Value, Unseen> {
    let timer = Task {
      await deadline(limit)
      give(.failure(.noAnswer(seconds: limit)))
    }
    defer { timer.cancel() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { wait($0) }
    } onCancel: {
      give(.failure(.noAnswer(seconds: limit)))
    }
  }

  private func wait(_ continuation: CheckedContinuation<Result<Value, Unseen>, Never>) {
    let early = state.withLock { state -> Result<Value, Unseen>? in
      guard case .given(let result) = state else {
        state = .waiting(continuation)
        return nil
      }
      state = .done
      return result
    }
    if let early { continuation.resume(returning: early) }
  }
}
