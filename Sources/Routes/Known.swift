/// What a reader knows of one thing that a proxy can be told.
///
/// A reader says by name why it has no value, so that "it is not set" and "nobody looked" are never the same.
public enum Known<Value: Sendable & Equatable>: Sendable, Equatable {
  case known(Value)
  /// The proxy may have it; this program does not read it.
  case notRead
  /// This kind of proxy has no such thing, or not on this way.
  case notApplicable

  public var value: Value? { if case .known(let value) = self { value } else { nil } }
}

/// A value in effect, and where a person can change it; without a place it is the proxy's default, or stands in a file
/// that cannot be patched from here.
public struct Setting<Value: Sendable & Equatable>: Sendable, Equatable {
  public let value: Value
  public let edit: Edit?

  public init(_ value: Value, _ edit: Edit?) { (self.value, self.edit) = (value, edit) }
}

/// A value's place in a file of this machine where a patch fits: no file of a container's own, none that a program
/// writes, none with other line ends than `patch` knows.
public struct Edit: Sendable, Equatable {
  public let span: Span

  /// - Parameter span: Its file is a path of this machine.
  public init(onThisMachine span: Span) { self.span = span }
}

/// A line after which another one can be put.
public struct Insertion: Sendable, Equatable {
  public let after: Edit
  /// The blanks before the new line's first word.
  public let indentation: String
  /// The line that comes next, if a patch may show it.
  public let next: String?

  public init(after: Edit, indentation: String, next: String?) {
    (self.after, self.indentation, self.next) = (after, indentation, next)
  }
}
