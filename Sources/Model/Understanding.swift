/// What the program has understood of what a person pasted.
public struct Understanding: Sendable, Equatable {
  /// Why nothing of it is used. Its sentence is a word of `Screens/words.yaml`: `paste.KIND`.
  public enum Refusal: Sendable, Equatable {
    /// More than is read at once.
    case long
    /// Bytes that are no text.
    case binary
    /// No line says anything that is known.
    case nothing
    /// Prompts of these machines stand in it, or in it and in what was pasted before.
    case machines([String])
  }

  /// What was read, by its kind: `containers`, `files`, `lines`; never 0. The words of a kind are `paste.what.KIND`.
  public var counts: [(kind: String, count: Int)] = []
  /// Lines that say nothing that is known.
  public var unread = 0
  /// What the lines of logs show, by their signs, in their order.
  public var shows: [String] = []
  /// What it tells of the app, as facts that nobody has to be asked for.
  public var tells = Facts()
  /// It tells of another machine than the one on which the program runs, which is not looked at any more.
  public var isElsewhere = false
  public var refusal: Refusal?

  public init() {}

  public static func refused(_ refusal: Refusal) -> Understanding {
    var none = Understanding()
    none.refusal = refusal
    return none
  }

  public static func == (one: Self, other: Self) -> Bool {
    one.counts.map(\.kind) == other.counts.map(\.kind) && one.counts.map(\.count) == other.counts.map(\.count)
      && (one.unread, one.shows, one.isElsewhere, one.refusal) == (
        other.unread, other.shows, other.isElsewhere, other.refusal
      ) && one.tells == other.tells
  }
}
