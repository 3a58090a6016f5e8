import Glibc

/// Cuts a stream of bytes into lines, in the memory of one buffer however long the stream or a line is.
public struct LineSplitter {
  /// Of a longer line only the first bytes are given.
  public static let longest = 64 * 1024
  private static let capacity = 1024 * 1024

  private var buffer = [UInt8](repeating: 0, count: Self.capacity)
  /// Bytes of a line whose end has not been read.
  private var kept = 0
  /// True while the rest of a line that was too long is passed over.
  private var isPassingOver = false
  /// Lines given so far.
  private var number = 0

  public init() {}

  /// Reads once and gives each line that has ended, without its newline, and its number from 1; at the stream's end also
  /// a last line without one. False at the end. A read may give less than there is room for; 0 bytes are the end.
  public mutating func advance(
    reading read: (UnsafeMutableRawBufferPointer) throws -> Int, each give: (Int, UnsafeBufferPointer<UInt8>) -> Void
  ) rethrows -> Bool {
    let count = try buffer.withUnsafeMutableBytes { try read(UnsafeMutableRawBufferPointer(rebasing: $0[kept...])) }
    let filled = kept + count
    var start = 0
    buffer.withUnsafeBufferPointer { buffer in
      let bytes = UnsafeBufferPointer(rebasing: buffer[..<filled])
      while let end = bytes.firstIndex(of: UInt8(ascii: "\n"), from: start) {
        take(bytes[start..<end], give)
        start = end + 1
      }
      if start < filled, count == 0 || filled - start == Self.capacity {
        take(bytes[start...], give)
        isPassingOver = count > 0
        start = filled
      }
    }
    kept = filled - start
    buffer.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<filled])) }
    return count > 0
  }

  private mutating func take(
    _ line: Slice<UnsafeBufferPointer<UInt8>>, _ give: (Int, UnsafeBufferPointer<UInt8>) -> Void
  ) {
    defer { isPassingOver = false }
    if isPassingOver { return }
    number += 1
    give(number, UnsafeBufferPointer(rebasing: line.prefix(Self.longest)))
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// The first place of a byte from there on.
  func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    guard let base = baseAddress, start < count else { return nil }
    return memchr(base + start, CInt(byte), count - start).map { UnsafeRawPointer($0) - UnsafeRawPointer(base) }
  }
}
