public import LogLines
public import Model

/// What one line of a log means, in words.
public struct LogExplanation: Sendable, Equatable {
  public let meaning: String
  /// The address, the name and the reason in the line.
  public let details: [String]
  /// Most likely first; empty if the reason is not in the line.
  public let causes: [(id: String, title: String)]

  public static func == (one: Self, other: Self) -> Bool {
    one.meaning == other.meaning && one.details == other.details && one.causes.map(\.id) == other.causes.map(\.id)
  }
}

extension Catalog {
  /// What a line means, with the causes' titles as far as the facts fill them in.
  public func explanation(of reading: LogReading, _ facts: Facts = Facts()) -> LogExplanation {
    LogExplanation(
      meaning: word("explain.meaning", ["explain.meaning": reading.sign.meaning]),
      details: ["address", "name", "reason"].compactMap { group in
        guard let text = reading.text(of: group), !text.isEmpty else { return nil }
        return word("explain.\(group)", ["explain.text": text.excerpt(of: 200)])
      },
      causes: reading.sign.causes.map { ($0, title(of: $0, facts)) })
  }
}
