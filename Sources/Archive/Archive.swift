internal import CArchive

/// Reads tar archives, such as the Docker Engine API answers with. Nothing is written to disk.
public enum Archive {
  /// Bounds for an archive from outside.
  public struct Limits: Sendable {
    /// More entries than this are an error.
    public var entries: Int
    /// Of each file, at most this many bytes are kept.
    public var bytesPerFile: Int
    /// More kept bytes than this in all are an error.
    public var bytes: Int
    public init(entries: Int = 10_000, bytesPerFile: Int = 16 << 20, bytes: Int = 32 << 20) {
      self.entries = entries
      self.bytesPerFile = bytesPerFile
      self.bytes = bytes
    }
  }

  public struct Entry: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
      case file, directory
      /// A symbolic or hard link.
      case link(target: String)
      case other
    }
    /// As the archive has it: it may be absolute or lead upwards.
    public let path: String
    public let kind: Kind
    /// Contents of a file; fewer than `size` where it is longer than the limit.
    public let bytes: [UInt8]
    /// In bytes, as the archive says.
    public let size: Int
    /// Seconds since 1970; nil if the archive does not say.
    public let modified: Int?
  }

  public enum Failure: Error, Sendable, Equatable {
    /// Not a tar archive, cut or damaged.
    case damaged(reason: String)
    case tooLarge(reason: String)
  }

  /// All entries in the order of the archive. An empty array of bytes has none.
  public static func entries(tar: [UInt8], limits: Limits = Limits()) throws(Failure) -> [Entry] {
    if tar.isEmpty { return [] }
    let result = tar.withUnsafeBytes { bytes in
      Result { () throws(Failure) in try entries(bytes, limits) }
    }
    return try result.get()
  }

  private static func entries(_ tar: UnsafeRawBufferPointer, _ limits: Limits) throws(Failure) -> [Entry] {
    guard let archive = archive_read_new() else { fatalError("no memory for an archive") }
    defer { archive_read_free(archive) }
    archive_read_support_format_tar(archive)
    guard archive_read_open_memory(archive, tar.baseAddress, tar.count) == ARCHIVE_OK else {
      throw .damaged(reason: reason(archive))
    }
    var entries: [Entry] = []
    var kept = 0
    var header: OpaquePointer?
    while true {
      let code = archive_read_next_header(archive, &header)
      if code == ARCHIVE_EOF { return entries }
      guard code == ARCHIVE_OK || code == ARCHIVE_WARN, let header else { throw .damaged(reason: reason(archive)) }
      guard entries.count < limits.entries else { throw .tooLarge(reason: "more than \(limits.entries) entries") }
      let kind = kind(header)
      let bytes = kind == .file ? try contents(archive, atMost: limits.bytesPerFile) : []
      kept += bytes.count
      guard kept <= limits.bytes else { throw .tooLarge(reason: "more than \(limits.bytes) bytes") }
      entries.append(
        Entry(
          path: text(archive_entry_pathname_utf8(header) ?? archive_entry_pathname(header)) ?? "", kind: kind,
          bytes: bytes, size: Int(archive_entry_size(header)),
          modified: archive_entry_mtime_is_set(header) == 0 ? nil : archive_entry_mtime(header)))
    }
  }

  private static func kind(_ header: OpaquePointer) -> Entry.Kind {
    if let target = text(archive_entry_hardlink_utf8(header) ?? archive_entry_hardlink(header)) {
      return .link(target: target)
    }
    // The type bits of a mode: see inode(7).
    switch archive_entry_filetype(header) {
    case 0o100000: return .file
    case 0o040000: return .directory
    case 0o120000:
      return .link(target: text(archive_entry_symlink_utf8(header) ?? archive_entry_symlink(header)) ?? "")
    default: return .other
    }
  }

  private static func contents(_ archive: OpaquePointer, atMost limit: Int) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: min(limit, 64 * 1024))
    while bytes.count < limit {
      let count = archive_read_data(archive, &block, min(block.count, limit - bytes.count))
      guard count >= 0 else { throw .damaged(reason: reason(archive)) }
      if count == 0 { break }
      bytes += block[..<count]
    }
    return bytes
  }

  private static func text(_ string: UnsafePointer<CChar>?) -> String? { string.map { String(cString: $0) } }

  private static func reason(_ archive: OpaquePointer) -> String {
    text(archive_error_string(archive)) ?? "error \(archive_errno(archive))"
  }
}
