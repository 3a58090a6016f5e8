import Glibc
import Model
import Synchronization
import World

@testable import Machine

/// A server of the test's own: on a free loopback port, in a process's network, or on a Unix socket. `answer` runs on
/// a thread of its own for each connection, which is closed afterwards.
final class TestServer: Sendable {
  let port: UInt16
  private let listener: Int32

  init(
    address: String = "127.0.0.1", place: Place = .host, backlog: Int32 = 16,
    answer: (@Sendable (Connection) -> Void)? = nil
  ) async throws {
    (listener, port) = try await place.inNetwork(limit: 5) { () throws(Unseen) in
      guard let target = SocketAddress(address, port: 0) else { throw .missing(what: address) }
      let listener = socket(target.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard target.with({ bind(listener, $0, $1) }) == 0, listen(listener, backlog) == 0 else {
        throw .system(errno, address)
      }
      return (listener, boundPort(listener))
    }
    if let answer { accept(answer) }
  }

  init(unixSocket: String, answer: @escaping @Sendable (Connection) -> Void) {
    port = 0
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(unixSocket.utf8)) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    precondition(bound == 0 && listen(listener, 16) == 0)
    accept(answer)
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private func accept(_ answer: @escaping @Sendable (Connection) -> Void) {
    let listener = listener
    startThread {
      while true {
        let connection = Glibc.accept(listener, nil, nil)
        guard connection >= 0 else { return }
        startThread {
          answer(Connection(number: connection))
          close(connection)
        }
      }
    }
  }

  /// Answers each request with these bytes and closes.
  static func saying(_ text: String, place: Place = .host) async throws -> TestServer {
    try await TestServer(place: place) { connection in
      connection.readRequest()
      connection.send(text)
    }
  }
}

struct Connection: Sendable {
  let number: Int32

  /// All up to the empty line, or to the end of what comes.
  @discardableResult
  func readRequest() -> String {
    var text = ""
    var bytes = [UInt8](repeating: 0, count: 4096)
    while !text.contains("\r\n\r\n") {
      let count = read(number, &bytes, bytes.count)
      guard count > 0 else { break }
      text += String(decoding: bytes.prefix(count), as: UTF8.self)
    }
    return text
  }

  /// False once the other side is gone.
  @discardableResult
  func send(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  /// Says nothing more until the other side closes.
  func hold() {
    var byte: UInt8 = 0
    while read(number, &byte, 1) > 0 {}
  }

  /// Makes the close that follows a reset.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }
}

func boundPort(_ socket: Int32) -> UInt16 {
  var address = sockaddr_storage()
  var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
  return withUnsafeMutablePointer(to: &address) { storage in
    storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(socket, $0, &size) }
    // The port is at the same place in both families.
    return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin_port) }
  }
}

func startThread(_ work: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
  }
  var thread = pthread_t()
  let box = Unmanaged.passRetained(Box(work)).toOpaque()
  pthread_create(
    &thread, nil,
    { box in
      box.map { Unmanaged<Box>.fromOpaque($0).takeRetainedValue().work() }
      return nil
    }, box)
  pthread_detach(thread)
}
