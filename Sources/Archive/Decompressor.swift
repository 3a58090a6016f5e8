internal import CArchive

/// Reads a compressed stream: gzip, xz, zstd or bzip2, told by its first bytes. What is not compressed comes as it is.
public final class Decompressor {
  /// Gives at least one byte of the stream, or 0 at its end.
  public typealias Source = (UnsafeMutableRawBufferPointer) throws -> Int

  public struct Damaged: Error, Sendable, Equatable {
    public let reason: String
  }

  private let source: Source
  /// What was read last.
  private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 1)
  /// How many bytes of `block` were read to tell what they are, and not given yet.
  private var head: Range<Int>
  private var archive: OpaquePointer?
  private var failure: (any Error)?

  /// Reads the first bytes.
  public init(_ source: @escaping Source) throws {
    self.source = source
    head = 0..<(try source(block))
    if Self.magic.contains(where: { block[head].starts(with: $0) }) { archive = try open() }
  }

  deinit {
    archive_read_free(archive)
    block.deallocate()
  }

  /// Fills the start of `buffer`; 0 is the end.
  public func read(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let archive else {
      if head.isEmpty { return try source(buffer) }
      let count = min(head.count, buffer.count)
      buffer.copyBytes(from: block[head.prefix(count)])
      head.removeFirst(count)
      return count
    }
    let count = archive_read_data(archive, buffer.baseAddress, buffer.count)
    if let failure { throw failure }
    guard count >= 0 else { throw damaged(archive) }
    return count
  }

  /// The first bytes of gzip, xz, zstd and bzip2.
  private static let magic: [[UInt8]] = [
    [0x1F, 0x8B], [0xFD, 0x37, 0x7A, 0x58, 0x5A], [0x28, 0xB5, 0x2F, 0xFD], [0x42, 0x5A, 0x68],
  ]

  private func open() throws -> OpaquePointer {
    guard let archive = archive_read_new() else { fatalError("no memory for an archive") }
    archive_read_support_format_raw(archive)
    archive_read_support_filter_gzip(archive)
    archive_read_support_filter_xz(archive)
    archive_read_support_filter_zstd(archive)
    archive_read_support_filter_bzip2(archive)
    let own = Unmanaged.passUnretained(self).toOpaque()
    let next:
      @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int = {
        _, own, start in
        guard let own else { return 0 }
        return Unmanaged<Decompressor>.fromOpaque(own).takeUnretainedValue().next(start)
      }
    var entry: OpaquePointer?
    guard archive_read_open(archive, own, nil, next, nil) == ARCHIVE_OK,
      archive_read_next_header(archive, &entry) == ARCHIVE_OK
    else {
      defer { archive_read_free(archive) }
      throw failure ?? damaged(archive)
    }
    return archive
  }

  /// The next compressed bytes, for libarchive; they stay where they are until it asks again.
  private func next(_ start: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
    start?.pointee = UnsafeRawPointer(block.baseAddress)
    if !head.isEmpty {
      defer { head = 0..<0 }
      return head.count
    }
    do { return try source(block) } catch {
      failure = error
      return -1
    }
  }

  private func damaged(_ archive: OpaquePointer) -> Damaged {
    Damaged(reason: archive_error_string(archive).map { String(cString: $0) } ?? "error \(archive_errno(archive))")
  }
}
