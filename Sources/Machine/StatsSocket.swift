internal import CLinux
internal import Glibc
internal import Model
internal import World

extension StatsSocket: MachineLook {
  /// One line is sent; HAProxy answers and closes.
  func taken(on machine: Machine) async throws(Unseen) -> String {
    let (path, place, question, limit) = (path, place, question, limit)
    return try await onOwnThread(limit: limit) { () throws(Unseen) -> String in
      // Keeps the socket file open, so that its path below stays valid.
      let file = try Root(place).socket(path)
      defer { withExtendedLifetime(file) {} }
      let end = timespec.monotonic + limit
      let socket = try Descriptor(socket(AF_UNIX, shim_stream_socket | shim_nonblocking, 0), "a socket")
      guard socket.connect(toFile: file.path) == 0 else { throw .system(errno, path) }
      let line = Array((question.rawValue + "\n").utf8)
      guard send(socket.number, line, line.count, Int32(MSG_NOSIGNAL)) == line.count else {
        throw .system(errno, path)
      }
      var answer: [UInt8] = []
      var wait = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
      while answer.count < 1 << 20 {
        let left = end - timespec.monotonic
        guard left > 0 else { throw .noAnswer(seconds: limit) }
        guard poll(&wait, 1, milliseconds(left)) > 0 else { continue }
        let piece = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
          count = max(0, recv(socket.number, buffer.baseAddress, buffer.count, 0))
        }
        if piece.isEmpty { break }
        answer += piece
      }
      return String(decoding: answer, as: UTF8.self)
    }
  }
}

extension Descriptor {
  /// Connects a Unix socket to the one at this path, of at most 107 bytes; 0, or -1 with `errno`.
  fileprivate func connect(toFile path: String) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8.prefix(107))
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
