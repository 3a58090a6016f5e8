import Glibc
import Synchronization

/// Standard output. Where it cannot be written, that is said, and the program ends: half a result is none.
enum Output {
  private static let buffer = Mutex<[UInt8]>([])
  private static let size = 1 << 16

  static func put(_ text: String) {
    let isFull = buffer.withLock { buffer in
      buffer += text.utf8
      return buffer.count >= size
    }
    if isFull { flush() }
  }

  /// Writes what was put so far.
  static func flush() {
    var rest = buffer.withLock { buffer in
      defer { buffer.removeAll(keepingCapacity: true) }
      return buffer
    }[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count >= 0 { rest = rest.dropFirst(count) } else { recover(from: errno) }
    }
  }

  /// Writes all of it to another descriptor; false if that failed, as `errno` tells.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno != EINTR { return false }
      rest = rest.dropFirst(max(0, count))
    }
    return true
  }

  private static func recover(from code: Int32) {
    switch code {
    case EINTR: return
    case EAGAIN:
      var wait = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
      poll(&wait, 1, -1)
    case EPIPE:
      // Nobody reads on, which is no fault; SIGPIPE, which says so elsewhere, is ignored here.
      _exit(128 + SIGPIPE)
    default:
      Wizard502.complain("wizard502: the output cannot be written: \(String(cString: strerror(code)))")
      _exit(Wizard502.Exit.unwritable.rawValue)
    }
  }
}
