internal import CLinux
internal import Glibc
internal import HTTP
internal import Model
internal import World

extension HTTPRequest: MachineLook {
  /// In a process's network only an IP address can be dialled (names there are asked for with `DNSQuery`); a name
  /// gives `badURL`. A Unix socket's path is looked up in the process's own root.
  func taken(on machine: Machine) async throws(Unseen) -> Sight { try await taken(identity: nil) }

  func taken(identity: Dial.Identity?) async throws(Unseen) -> Sight {
    try HTTPClient.prepare()
    var dial: Dial
    do throws(BadURL) { dial = try Dial(self) } catch { return Sight(failure: .badURL(error.reason)) }
    dial.identity = identity
    // Keeps the socket file open, so that its path below stays valid.
    var held: Descriptor?
    defer { withExtendedLifetime(held) {} }
    if let unixSocket {
      let place = place
      held = try await onOwnThread(limit: limit) { () throws(Unseen) in try Root(place).socket(unixSocket) }
      dial.unixSocket = held?.path
    } else if place != .host {
      guard let address = SocketAddress(dial.address, port: dial.port) else {
        return Sight(failure: .badURL("\(dial.address) is no IP address; names are not looked up in another network"))
      }
      dial.socket = try await place.inNetwork(limit: limit) { () throws(Unseen) -> Int32 in
        let number = socket(address.family, shim_stream_socket, 0)
        guard number >= 0 else { throw .system(errno, "a socket") }
        return number
      }
    }
    return try await HTTPClient.send(self, over: dial)
  }
}

extension TCPConnect: MachineLook {
  func taken(on machine: Machine) async throws(Unseen) -> Sight {
    let (address, port, limit) = (address, port, limit)
    // The connect keeps to `limit` itself; the thread's own limit is for a system that does not.
    return try await place.inNetwork(limit: limit + 1) { () throws(Unseen) -> Sight in
      guard let target = SocketAddress(address, port: port) else {
        throw .unreadable(what: address, why: .init(.notAddress))
      }
      let socket = try Descriptor(socket(target.family, shim_stream_socket | shim_nonblocking, 0), "a socket")
      let start = timespec.monotonic
      let code = socket.connect(to: target, limit: limit)
      return Sight(outcome: .init(code), errno: code, seconds: timespec.monotonic - start)
    }
  }
}

extension Descriptor {
  /// 0, or the error number; ETIMEDOUT after `limit` seconds.
  func connect(to target: SocketAddress, limit: Double) -> Int32 {
    if target.with({ Glibc.connect(number, $0, $1) }) == 0 { return 0 }
    guard errno == EINPROGRESS else { return errno }
    let end = timespec.monotonic + limit
    var wait = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
    while true {
      let left = end - timespec.monotonic
      guard left > 0 else { return ETIMEDOUT }
      let ready = poll(&wait, 1, milliseconds(left))
      if ready < 0, errno != EINTR { return errno }
      if ready > 0 { break }
    }
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
  }
}

extension TCPConnect.Sight.Outcome {
  fileprivate init(_ code: Int32) {
    switch code {
    case 0: self = .accepted
    case ECONNREFUSED: self = .refused
    case ETIMEDOUT: self = .timeout
    // The last two: there is no IPv6 where it was tried.
    case ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT: self = .unreachable
    case EACCES, EPERM: self = .denied
    default: self = .other
    }
  }
}
