internal import CLinux
internal import Glibc
internal import Model

/// An open file, socket or directory, closed with its last owner.
final class Descriptor: Sendable {
  let number: Int32

  /// Takes what a system call returned: -1 throws `errno`'s reason, about `what`.
  init(_ result: Int32, _ what: @autoclosure () -> String) throws(Unseen) {
    guard result >= 0 else { throw .system(errno, what()) }
    number = result
  }

  deinit { close(number) }

  /// This very file, whatever its path leads to by now.
  var path: String { "/proc/self/fd/\(number)" }

  func status(_ what: String) throws(Unseen) -> stat {
    var status = stat()
    guard fstat(number, &status) == 0 else { throw .system(errno, what) }
    return status
  }

  /// Up to `count` bytes from `offset` on; fewer only at the end of the file.
  func read(at offset: Int, count: Int, _ what: String) throws(Unseen) -> [UInt8] {
    var bytes: [UInt8] = []
    // Files of /proc tell no size, so the buffer grows with what comes.
    while bytes.count < count {
      let wanted = min(count - bytes.count, 1 << 16)
      var code: Int32 = 0
      let piece = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
        var result: Int
        repeat {
          result = pread(number, buffer.baseAddress, wanted, off_t(offset + bytes.count))
        } while result < 0 && errno == EINTR
        if result < 0 { code = errno }
        filled = max(0, result)
      }
      guard code == 0 else { throw .system(code, what) }
      if piece.isEmpty { break }
      bytes += piece
    }
    return bytes
  }
}
