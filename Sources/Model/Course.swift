/// How a diagnosis went: what it was given, and which checks had ended when its result was there, in their order.
///
/// Which checks come in time is a matter of chance; with this, what was seen gives the same result again.
public struct Course: Sendable, Codable, Equatable {
  public struct Ended: Sendable, Codable, Equatable {
    /// Counts the times that everything was looked at, from 1.
    public let round: Int
    public let check: String
    public let seconds: Double
    /// Set if the check was given up: then it has seen nothing, however much its looks saw later.
    public let givenUp: Unseen?

    public init(_ finding: Finding, round: Int) {
      (self.round, check, seconds) = (round, finding.check, finding.seconds)
      givenUp = if case .noAnswer = finding.unseen { finding.unseen } else { nil }
    }
  }

  /// The parts of the address, and how it was to be looked at.
  public private(set) var given: Facts
  public private(set) var ended: [Ended] = []

  public init(given: Facts) { self.given = given }

  public mutating func add(_ finding: Finding, round: Int) { ended.append(Ended(finding, round: round)) }

  /// What it was given, to be looked at again: what was taken out of the address is written so that it is one.
  public var givenAgain: Facts { Facts(given.values.mapValues { $0.replacing("…", with: "%E2%80%A6") }) }
}

extension Course.Ended {
  /// The finding of the same check, as it came then.
  public func finding(_ again: Finding) -> Finding {
    Finding(
      check: check, outcome: givenUp == nil ? again.outcome : Finding.unknown,
      facts: givenUp == nil ? again.facts : [:],
      unseen: givenUp ?? again.unseen, seconds: seconds, sightings: again.sightings, hearsay: again.hearsay)
  }
}
