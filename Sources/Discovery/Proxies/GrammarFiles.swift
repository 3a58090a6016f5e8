/// The files of a configuration as its grammar comes to them.
public struct GrammarFiles: Sendable {
  /// Reads a file; nil if there is none.
  public let read: @Sendable (_ path: String) async throws -> String?
  /// Paths that match a shell pattern.
  public let glob: @Sendable (_ pattern: String) async throws -> [String]

  public init(
    read: @escaping @Sendable (_ path: String) async throws -> String?,
    glob: @escaping @Sendable (_ pattern: String) async throws -> [String]
  ) {
    (self.read, self.glob) = (read, glob)
  }

  /// Those of a proxy.
  init(_ files: ProxyFiles) {
    self.init(read: { try await files.read($0) }, glob: { try await files.glob($0) })
  }

  /// A file or pattern that could not be read though it may be there, and why.
  public struct Unread: Sendable {
    public let path: String
    public let error: any Error
  }
}
