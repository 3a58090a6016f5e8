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
  /// The looks on which it rests, the one that shows most first.
  public let sightings: [Sighting]
  /// Nil if all was seen by the program itself.
  public let hearsay: Hearsay?

  public init(
    check: String, outcome: String, facts: Facts = Facts(), unseen: Unseen? = nil, seconds: Double = 0,
    sightings: [Sighting] = [], hearsay: Hearsay? = nil
  ) {
    self.check = check
    self.outcome = outcome
    self.facts = facts
    self.unseen = unseen
    self.seconds = seconds
    self.sightings = sightings
    self.hearsay = hearsay
  }
}
