/// What a check declares of itself, so that flows can be checked without running anything.
public struct CheckShape: Sendable, Equatable {
  public let id: String
  /// Facts without which it cannot start.
  public let needs: [FactName]
  /// Facts it may bring; which ones depends on the outcome.
  public let learns: [FactName]
  /// Every outcome, `unknown` among them.
  public let outcomes: [String]

  public init(id: String, needs: [FactName], learns: [FactName], outcomes: [String]) {
    self.id = id
    self.needs = needs
    self.learns = learns
    self.outcomes = outcomes
  }
}

/// Why something could not be seen. "Not seen" is never shown as "fine".
public enum Unseen: Error, Sendable, Equatable, Hashable, Codable {
  /// The system refused; `what` names the thing: a path, a socket, a namespace.
  case notPermitted(what: String)
  /// There is no such thing: a file, a socket, a process, a container.
  case missing(what: String)
  /// Nothing came within the time limit, in seconds.
  case noAnswer(seconds: Double)
  /// It is there and cannot be read: damaged, locked, cut, in an unknown form.
  case unreadable(what: String, why: String)
  /// Facts that no check could supply.
  case notEnoughKnown([FactName])
  /// This recording holds no such look.
  case notRecorded(what: String)

  /// What was not seen: a path, a socket; empty where it has no name.
  public var what: String {
    switch self {
    case .notPermitted(let what), .missing(let what), .unreadable(let what, _), .notRecorded(let what): what
    case .noAnswer: ""
    case .notEnoughKnown(let names): names.map(\.text).joined(separator: ", ")
    }
  }

  /// True where the thing is known not to be there.
  public var isMissing: Bool { if case .missing = self { true } else { false } }
}

/// What one check found.
public struct Finding: Sendable, Equatable, Codable {
  public static let unknown = "unknown"

  public let check: String
  public let outcome: String
  public let facts: Facts
  /// Set where the outcome is `unknown`.
  public let unseen: Unseen?
  /// How long the check took.
  public let seconds: Double

  public init(check: String, outcome: String, facts: Facts = Facts(), unseen: Unseen? = nil, seconds: Double = 0) {
    self.check = check
    self.outcome = outcome
    self.facts = facts
    self.unseen = unseen
    self.seconds = seconds
  }
}
