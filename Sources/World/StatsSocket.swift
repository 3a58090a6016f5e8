/// What HAProxy tells of itself at its stats socket. Only these questions can be put, and none changes anything.
///
/// Source: HAProxy's management guide, section 9.3.
public struct StatsSocket: Look {
  public static let kind = "stats-socket"

  public enum Question: String, Hashable, Sendable, Codable {
    case info = "show info"
    /// A table with a line for each frontend, server and backend: CSV, its first line the columns after `# `.
    case statistics = "show stat"
  }

  /// The socket's absolute path among the files of `place`.
  public var path: String
  public var place: Place
  public var question: Question
  @Beside public var limit: Double
  public var bounds: Bounds { Bounds(seconds: limit) }
  public init(path: String, place: Place, question: Question, limit: Double = 2) {
    self.path = path
    self.place = place
    self.question = question
    self.limit = limit
  }

  /// The answer's text, at most 1 MB.
  public typealias Sight = String
}
