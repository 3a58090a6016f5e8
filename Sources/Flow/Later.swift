import Synchronization

/// A part of the data that is read when it is first wanted, once for all who want it.
@propertyWrapper public struct Later<Value: Sendable>: Sendable {
  private final class Box: Sendable {
    let read: @Sendable () -> Value
    let known = Mutex<Value?>(nil)
    init(_ read: @escaping @Sendable () -> Value) { self.read = read }
  }

  private var box: Box

  public init(_ read: @escaping @Sendable () -> Value) { box = Box(read) }

  public var wrappedValue: Value {
    // Whoever comes while it is being read waits for that.
    get {
      box.known.withLock { known in
        if let known { return known }
        let value = box.read()
        known = value
        return value
      }
    }
    set { box = Box { newValue } }
  }
}

extension Later: Equatable where Value: Equatable {
  public static func == (one: Later, other: Later) -> Bool { one.wrappedValue == other.wrappedValue }
}
