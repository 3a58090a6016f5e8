/// A look on which a finding rests: what a person needs to take it by hand, and the lines that it showed.
public struct Sighting: Sendable, Equatable, Codable {
  /// The kind of look, by which `Screens/looks.yaml` has its commands.
  public let kind: String
  /// What was looked at: `look.path`, `look.url`.
  public let facts: Facts
  /// The lines that show it, as they were seen; without secrets, and nothing in them that a terminal would obey.
  public let lines: [String]
  public init(kind: String, facts: Facts, lines: [String]) {
    (self.kind, self.facts, self.lines) = (kind, facts, lines)
  }
}

/// Whether a finding rests on what a person has pasted.
public enum Hearsay: String, Sendable, Codable, Comparable {
  /// On all that was printed there.
  case whole
  /// On an output of which a part was cut or could not be read.
  case cut

  public static func < (left: Hearsay, right: Hearsay) -> Bool { left == .whole && right == .cut }
}
