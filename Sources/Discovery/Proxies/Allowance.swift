import Model

/// How much of one configuration is still taken in, all of its files together.
///
/// Each grammar asks it for what it makes. So neither a long text, nor a short one that multiplies itself by includes,
/// snippets or variables, takes more memory than the parts of its room do, and nobody goes on for a check that was given up.
struct Allowance: Sendable {
  /// Bytes of filled-in variables that count as one part.
  private static let bytesOfPart = 64

  private var rest = Room.parts

  /// Takes so many directives, words or nodes of `what`, a file or a proxy.
  ///
  /// Throws once there are too many of them, or where the task is cancelled.
  mutating func take(_ count: Int = 1, of what: String) throws(Unseen) {
    let before = rest
    rest -= count
    guard rest >= 0 else {
      Room.overrun()
      throw .unreadable(what: what, why: .init(.tooManyParts, "\(Limits.nodes)"))
    }
    // Asking costs more than counting.
    guard before >> 10 != rest >> 10, Task.isCancelled else { return }
    throw .unreadable(what: what, why: .init(.givenUp))
  }

  /// Takes what variables have added to a value.
  mutating func take(bytes: Int, of what: String) throws(Unseen) {
    try take(bytes / Self.bytesOfPart, of: what)
  }
}
