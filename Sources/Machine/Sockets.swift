internal import CLinux
internal import Glibc
internal import Model
internal import World

extension Exchange: MachineLook {
  func taken(on machine: Machine) async throws(Unseen) -> Sight {
    let look = self
    return try await place.inNetwork(limit: limit + 1) { () throws(Unseen) -> Sight in
      let end = timespec.monotonic + look.limit
      let (connection, code) = try look.connected()
      // It may be reset before this side has seen that it was taken.
      guard code == 0 else { return Sight(end: code == ECONNRESET ? .reset : .none) }
      return connection.exchange(look.sends, enough: look.enough, until: end)
    }
  }

  /// With the error number of the connect, or 0.
  private func connected() throws(Unseen) -> (Descriptor, Int32) {
    if let unixSocket {
      // Its file is held open until the connect is done, so that the path below stays valid.
      let file = try Root(place).socket(unixSocket)
      let connection = try Descriptor(socket(AF_UNIX, shim_stream_socket | shim_nonblocking, 0), "a socket")
      return (connection, withExtendedLifetime(file) { connection.connect(toSocketAt: file.path) })
    }
    guard let address, let target = SocketAddress(address, port: port ?? 0) else {
      throw .unreadable(what: address ?? "", why: .init(.notAddress))
    }
    let connection = try Descriptor(socket(target.family, shim_stream_socket | shim_nonblocking, 0), "a socket")
    return (connection, connection.connect(to: target, limit: limit))
  }
}

extension Descriptor {
  /// 0, or the error number. The path has at most 107 bytes.
  fileprivate func connect(toSocketAt path: String) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return ENAMETOOLONG }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    return result == 0 ? 0 : errno
  }

  /// Sends, then reads until `enough` bytes came, the other side is done, or `end` (on the monotonic clock).
  fileprivate func exchange(_ sends: [UInt8], enough: Int, until end: Double) -> Exchange.Sight {
    var left = sends[...]
    var received: [UInt8] = []
    while true {
      var wait = pollfd(fd: number, events: Int16(POLLIN | (left.isEmpty ? 0 : POLLOUT)), revents: 0)
      let time = end - timespec.monotonic
      guard time > 0, poll(&wait, 1, milliseconds(time)) != 0 else {
        return .init(received: received, end: .open)
      }
      if wait.revents & Int16(POLLOUT) != 0 {
        let count = left.withUnsafeBytes { send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // What it says before it closes can still be read.
        left = count < 0 ? [] : left.dropFirst(count)
      }
      guard wait.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 else { continue }
      var bytes = [UInt8](repeating: 0, count: 65_536)
      let count = recv(number, &bytes, bytes.count, 0)
      switch count {
      case 0: return .init(received: received, end: .closed)
      case ..<0 where errno == EAGAIN || errno == EINTR: continue
      case ..<0: return .init(received: received, end: errno == ECONNRESET ? .reset : .closed)
      default: received += bytes.prefix(count)
      }
      if received.count >= enough { return .init(received: received, end: .open) }
    }
  }
}

extension UnixConnect: MachineLook {
  func taken(on machine: Machine) async throws(Unseen) -> Sight {
    let (path, place, user) = (path, place, user)
    return try await onOwnThread(limit: fileLimit) { () throws(Unseen) -> Sight in
      let root = try Root(place, asProgram: true)
      let connection = try Descriptor(socket(AF_UNIX, shim_stream_socket | shim_nonblocking, 0), "a socket")
      // From here on this thread, which does nothing else and ends, has the rights of that process.
      let isAsUser = try user.map { id throws(Unseen) in try Credentials(of: id).take() } ?? false
      let code: Int32
      do throws(Unseen) {
        let file = try root.find(path)
        guard try file.status(path).st_mode & S_IFMT == S_IFSOCK else {
          return Sight(outcome: .notSocket, errno: 0, isAsUser: isAsUser)
        }
        code = withExtendedLifetime(file) { connection.connect(toSocketAt: file.path) }
      } catch .missing {
        code = ENOENT
      } catch .notPermitted {
        code = EACCES
      }
      return Sight(
        outcome: .init(code), errno: code, isAsUser: isAsUser,
        obstacle: code == EACCES ? root.obstacle(on: path) : nil)
    }
  }
}

extension UnixConnect.Sight.Outcome {
  fileprivate init(_ code: Int32) {
    switch code {
    case 0: self = .accepted
    case ENOENT, ENOTDIR: self = .missing
    case EACCES, EPERM: self = .denied
    case ECONNREFUSED: self = .refused
    case EAGAIN: self = .full
    case EPROTOTYPE: self = .notSocket
    default: self = .other
    }
  }
}

extension Root {
  /// The first folder on the way to `path` that this thread may not pass; else the thing at `path` itself.
  fileprivate func obstacle(on path: String) -> UnixConnect.Obstacle? {
    var last: (path: String, status: stat)?
    var prefix = ""
    for name in path.split(separator: "/") {
      prefix += "/" + name
      guard let status = try? find(prefix).status(prefix) else { break }
      last = (prefix, status)
    }
    return last.map {
      .init(path: $0.path, owner: $0.status.st_uid, group: $0.status.st_gid, mode: $0.status.st_mode & 0o7777)
    }
  }
}
