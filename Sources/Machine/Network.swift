internal import CLinux
internal import Glibc
internal import Model
internal import World

extension Place {
  /// The process whose /proc entry stands for this place.
  var proc: String {
    switch self {
    case .host: "/proc/self"
    case .process(let id): "/proc/\(id)"
    }
  }

  /// Runs `work` on a thread of its own that is in this place's network.
  func inNetwork<Value: Sendable>(
    limit: Double, _ work: @escaping @Sendable () throws(Unseen) -> Value
  ) async throws(Unseen) -> Value {
    try await onOwnThread(limit: limit) { () throws(Unseen) -> Value in
      try enterNetwork()
      return try work()
    }
  }

  /// Moves this thread, for the rest of its life, into the place's network namespace.
  private func enterNetwork() throws(Unseen) {
    guard case .process(let id) = self else { return }
    let what = "the network of process \(id)"
    let wanted = try Descriptor(open("\(proc)/ns/net", O_RDONLY | O_CLOEXEC), what)
    let current = try Descriptor(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "this thread's network")
    if try wanted.status(what).isSameFile(as: current.status(what)) { return }
    guard shim_enter_namespace(wanted.number) == 0 else { throw .system(errno, what) }
  }
}

extension stat {
  func isSameFile(as other: stat) -> Bool { st_dev == other.st_dev && st_ino == other.st_ino }
}

/// An IP address and a port in the system's own form.
struct SocketAddress: Sendable {
  private let bytes: [UInt8]
  let family: Int32

  /// Nil if `address` is not an IP address; `fe80::1%eth0` is one, where there is an `eth0`.
  init?(_ address: String, port: UInt16) {
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
    hints.ai_socktype = shim_stream
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, String(port), &hints, &list) == 0, let first = list?.pointee else { return nil }
    defer { freeaddrinfo(list) }
    bytes = Array(UnsafeRawBufferPointer(start: first.ai_addr, count: Int(first.ai_addrlen)))
    family = first.ai_family
  }

  func with<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
    bytes.withUnsafeBytes { bytes in
      guard let address = bytes.bindMemory(to: sockaddr.self).baseAddress else { preconditionFailure("never empty") }
      return body(address, socklen_t(bytes.count))
    }
  }
}

extension UnsafePointer<sockaddr> {
  /// The address in text, without port and zone; nil if it is neither IPv4 nor IPv6.
  var ipAddress: String? {
    let length: Int
    switch Int32(pointee.sa_family) {
    case AF_INET: length = MemoryLayout<sockaddr_in>.size
    case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
    default: return nil
    }
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    guard getnameinfo(self, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else {
      return nil
    }
    return String(decoding: text.prefix { $0 != 0 && $0 != 0x25 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
