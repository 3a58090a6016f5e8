/// The bytes of a database file with the committed part of its write-ahead log put in, as a reader would see it.
///
/// Source: "Database File Format", sections 1.3 and 4, sqlite.org/fileformat.html.
struct DatabaseImage {
  private(set) var bytes: [UInt8]

  init(file: [UInt8], log: [UInt8]) throws(SQLiteError) {
    guard file.count >= 100 else { throw SQLiteError(reason: file.isEmpty ? "it is empty" : "it is cut off") }
    guard file.starts(with: Array("SQLite format 3\0".utf8)) else {
      throw SQLiteError(reason: "it is no SQLite database, or an encrypted one")
    }
    bytes = file
    apply(log)
    // SQLite would take what is missing for zeros. The page count holds if it was written with the last change.
    let isCounted = bytes.word(24) == bytes.word(92)
    guard !isCounted || bytes.count >= Int(bytes.word(28)) * pageSize else {
      throw SQLiteError(reason: "it is cut off")
    }
    // Read and write version 2 mean "with a write-ahead log", which a database in memory cannot have.
    bytes[18] = 1
    bytes[19] = 1
  }

  /// A power of two; 1 stands for 65536.
  private var pageSize: Int {
    let size = Int(bytes.word(16) >> 16)
    return size == 1 ? 65_536 : size
  }

  private mutating func apply(_ log: [UInt8]) {
    guard log.count >= 32, log.word(0) & 0xFFFF_FFFE == 0x377F_0682 else { return }
    let isBigEndian = log.word(0) & 1 == 1
    let pageSize = Int(log.word(8))
    guard (512...65_536).contains(pageSize), pageSize & (pageSize - 1) == 0 else { return }
    var sum = Checksum(isBigEndian: isBigEndian)
    sum.add(log, 0..<24)
    guard sum.first == log.word(24), sum.second == log.word(28) else { return }

    // Frames that wait for the commit that makes them valid: page number and where its content starts.
    var pending: [(page: Int, content: Int)] = []
    var frame = 32
    while frame + 24 + pageSize <= log.count {
      let content = frame + 24
      sum.add(log, frame..<frame + 8)
      sum.add(log, content..<content + pageSize)
      let salts = log[16..<24].elementsEqual(log[frame + 8..<frame + 16])
      guard salts, sum.first == log.word(frame + 16), sum.second == log.word(frame + 20) else { return }
      pending.append((Int(log.word(frame)), content))
      let pages = Int(log.word(frame + 4))
      if pages > 0 {
        commit(pending, of: log, pages: pages, pageSize: pageSize)
        pending = []
      }
      frame = content + pageSize
    }
  }

  private mutating func commit(_ frames: [(page: Int, content: Int)], of log: [UInt8], pages: Int, pageSize: Int) {
    let size = pages * pageSize
    if bytes.count > size { bytes.removeLast(bytes.count - size) }
    // A damaged page count cannot ask for more than the file and its log can fill.
    guard size <= bytes.count + log.count else { return }
    bytes += [UInt8](repeating: 0, count: size - bytes.count)
    for frame in frames where (1...pages).contains(frame.page) {
      let start = (frame.page - 1) * pageSize
      bytes.replaceSubrange(start..<start + pageSize, with: log[frame.content..<frame.content + pageSize])
    }
  }
}

/// The log's running checksum over 32-bit words.
private struct Checksum {
  let isBigEndian: Bool
  private(set) var first: UInt32 = 0
  private(set) var second: UInt32 = 0

  init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

  /// `range` has a multiple of 8 bytes.
  mutating func add(_ bytes: [UInt8], _ range: Range<Int>) {
    bytes.withUnsafeBytes { bytes in
      for offset in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
        first &+= word(bytes, offset) &+ second
        second &+= word(bytes, offset + 4) &+ first
      }
    }
  }

  private func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
    let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
  }
}

extension [UInt8] {
  /// The big-endian word at `offset`.
  fileprivate func word(_ offset: Int) -> UInt32 {
    withUnsafeBytes { UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
  }
}
