/// What says how a look is taken, and not what it looks at: how long it may last, how much of the answer is kept, from
/// when on. It is no part of the look's identity: two looks that differ in nothing else are the same look, and none of it
/// is written down with one.
@propertyWrapper
public struct Beside<Value: Unbounded>: Hashable, Sendable {
  public var wrappedValue: Value
  public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

  public static func == (left: Self, right: Self) -> Bool { true }
  public func hash(into hasher: inout Hasher) {}
}

/// A bound, and the value of it that bounds nothing: that of looks which were read, and are not taken any more.
public protocol Unbounded: Sendable { static var unbounded: Self { get } }

extension Double: Unbounded { public static var unbounded: Double { .infinity } }
extension Int: Unbounded { public static var unbounded: Int { .max } }
extension Optional: Unbounded where Wrapped: Unbounded { public static var unbounded: Wrapped? { nil } }

extension Beside: Codable {
  public init(from decoder: any Decoder) throws { self.init(wrappedValue: .unbounded) }
  public func encode(to encoder: any Encoder) throws {}
}

// Chosen by the compiler where it makes a look's `Codable`: the member is neither written nor asked for.
extension KeyedEncodingContainer {
  mutating func encode<Value>(_ value: Beside<Value>, forKey key: Key) throws {}
}

extension KeyedDecodingContainer {
  func decode<Value>(_ type: Beside<Value>.Type, forKey key: Key) throws -> Beside<Value> {
    Beside(wrappedValue: .unbounded)
  }
}

/// All that was given beside a look.
public struct Bounds: Hashable, Sendable {
  /// For the whole look; nil where it ends by itself.
  public let seconds: Double?
  /// Of the answer that are kept; nil: all.
  public let bytes: Int?
  /// Seconds since 1970 from which on something is told; nil: from the beginning.
  public let since: Double?
  public init(seconds: Double? = nil, bytes: Int? = nil, since: Double? = nil) {
    self.seconds = seconds
    self.bytes = bytes
    self.since = since
  }

  /// True if nothing that is seen within `other` can be missing within these.
  func contains(_ other: Bounds) -> Bool {
    (seconds ?? .infinity) >= (other.seconds ?? .infinity) && (bytes ?? .max) >= (other.bytes ?? .max)
      && (since ?? -.infinity) <= (other.since ?? -.infinity)
  }
}
