internal import CArchive

/// Reading tar archives that came from somebody else.
public enum Archive {
  public struct Entry: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
      case file
      case directory
      case link(target: String)
      case other
    }
    public let path: String
    public let kind: Kind
    public let bytes: [UInt8]
  }

  public struct Failure: Error, Equatable { public let message: String }

  /// The entries in their order; a file larger than `fileLimit` bytes comes without its bytes.
  ///
  /// Throws for what is no tar archive or is cut.
  public static func entries(tar: [UInt8], fileLimit: Int = 4_194_304, countLimit: Int = 20_000) throws(Failure) -> [Entry] {
    guard let reader = archive_read_new() else { throw Failure(message: "out of memory") }
    defer { archive_read_free(reader) }
    archive_read_support_format_tar(reader)
    let result: Result<[Entry], Failure> = tar.withUnsafeBytes { memory in
      guard archive_read_open_memory(reader, memory.baseAddress, memory.count) == ARCHIVE_OK else {
        return .failure(failure(of: reader))
      }
      var entries: [Entry] = []
      var entry: OpaquePointer?
      while entries.count < countLimit {
        switch archive_read_next_header(reader, &entry) {
        case ARCHIVE_OK, ARCHIVE_WARN:
          guard let entry, let path = archive_entry_pathname(entry) else { continue }
          entries.append(
            Entry(path: String(cString: path), kind: kind(of: entry), bytes: bytes(of: entry, reader, fileLimit)))
        case ARCHIVE_EOF: return .success(entries)
        default: return .failure(failure(of: reader))
        }
      }
      return .success(entries)
    }
    return try result.get()
  }

  private static func kind(of entry: OpaquePointer) -> Entry.Kind {
    if let target = archive_entry_symlink(entry) { return .link(target: String(cString: target)) }
    if let target = archive_entry_hardlink(entry) { return .link(target: "/" + String(cString: target)) }
    switch archive_entry_filetype(entry) {
    case 0o100000: return .file
    case 0o040000: return .directory
    default: return .other
    }
  }

  private static func bytes(of entry: OpaquePointer, _ reader: OpaquePointer, _ limit: Int) -> [UInt8] {
    let size = Int(archive_entry_size(entry))
    guard size > 0, size <= limit else { return [] }
    var bytes = [UInt8](repeating: 0, count: size)
    let read = archive_read_data(reader, &bytes, size)
    return read < 0 ? [] : Array(bytes.prefix(Int(read)))
  }

  private static func failure(of reader: OpaquePointer) -> Failure {
    Failure(message: archive_error_string(reader).map { String(cString: $0) } ?? "unknown error")
  }
}
