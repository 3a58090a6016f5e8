public import Model

/// One read-only look at the world: what to look at. Its answer can be written down, so a look can be recorded.
public protocol Look: Hashable, Sendable, Codable {
  associatedtype Sight: Sendable, Codable
  /// The kind of look in recordings: `http`, `docker`, `file`.
  static var kind: String { get }
  /// True if it shows the machine: what is set up, runs and listens there, which is the same for every site that is
  /// looked at in the same moment. False if it shows what comes of asking: an answer, a log, a load.
  var isOfMachine: Bool { get }
}

extension Look {
  public var isOfMachine: Bool { false }
}

/// All that a check may touch: the real machine, a recording, or what a person pasted.
public protocol World: Sendable {
  /// Takes the look. Ends early, with `noAnswer`, when its task is cancelled.
  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight
}

extension World {
  /// The look's result as a value, for looks that are taken side by side with `async let`.
  public func result<L: Look>(of look: L) async -> Result<L.Sight, Unseen> {
    do throws(Unseen) { return .success(try await see(look)) } catch { return .failure(error) }
  }
}

/// Where a look is taken from: decides which network, names and files it meets.
public enum Place: Hashable, Sendable, Codable {
  /// This machine as the program itself sees it.
  case host
  /// The namespaces of the process with this id (on this machine).
  case process(Int32)
}
