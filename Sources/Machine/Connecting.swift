internal import CLinux
import Glibc
import Model
import World

extension Machine {
  func connect(_ look: TCPConnect) async throws(Unseen) -> TCPConnect.Sight {
    try Self.checkPermission(for: look.place)
    return try await onOwnThread(in: look.place) {
      guard let address = SocketAddress(look.address, port: look.port) else {
        return .failure(.unreadable(what: look.address, why: "not an address"))
      }
      let start = ContinuousClock.now
      let code = address.tryConnect(limit: look.limit)
      let seconds = Double((ContinuousClock.now - start) / .microseconds(1)) / 1_000_000
      return .success(TCPConnect.Sight(outcome: .init(errno: code), errno: code, seconds: seconds))
    }
  }

  func query(_ look: DNSQuery) async throws(Unseen) -> DNSQuery.Sight {
    try Self.checkPermission(for: look.place)
    return try await onOwnThread(in: look.place) {
      // An answer that says nothing is kept while the next server is asked.
      var answer = DNSQuery.Sight(answer: .silent, addresses: [])
      let each = max(1, Int(look.limit) / max(1, look.servers.count))
      for server in look.servers.prefix(3) {
        answer = answerOf(server, for: look.name, seconds: each)
        if [.addresses, .noSuchName, .noData].contains(answer.answer) { break }
      }
      return .success(answer)
    }
  }

  func lookUp(_ look: SystemLookup) async throws(Unseen) -> [String] {
    try await onOwnThread {
      var hints = addrinfo()
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
      var found: UnsafeMutablePointer<addrinfo>?
      let name = look.name.hasPrefix("[") ? String(look.name.dropFirst().dropLast()) : look.name
      guard getaddrinfo(name, nil, &hints, &found) == 0 else { return .success([]) }
      defer { freeaddrinfo(found) }
      var addresses: [String] = []
      var entry = found
      while let current = entry {
        if let text = text(of: current.pointee.ai_addr, length: current.pointee.ai_addrlen) { addresses.append(text) }
        entry = current.pointee.ai_next
      }
      return .success(addresses.filter { !$0.contains(":") } + addresses.filter { $0.contains(":") })
    }
  }

  func ownAddresses() async throws(Unseen) -> [String] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { throw Unseen(errno: errno, what: "this machine's addresses") }
    defer { freeifaddrs(list) }
    var addresses: Set<String> = []
    var entry = list
    while let current = entry {
      if let address = current.pointee.ifa_addr, [AF_INET, AF_INET6].contains(Int32(address.pointee.sa_family)),
        let text = text(of: address, length: socklen_t(MemoryLayout<sockaddr_in6>.size))
      {
        addresses.insert(String(text.prefix { $0 != "%" }))
      }
      entry = current.pointee.ifa_next
    }
    return addresses.sorted()
  }
}

private func text(of address: UnsafePointer<sockaddr>?, length: socklen_t) -> String? {
  guard let address else { return nil }
  var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
  let size = address.pointee.sa_family == sa_family_t(AF_INET) ? socklen_t(MemoryLayout<sockaddr_in>.size) : length
  guard getnameinfo(address, size, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
  return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// An IP address and a port, as the system wants it.
struct SocketAddress {
  private(set) var v4: sockaddr_in?
  private(set) var v6: sockaddr_in6?

  init?(_ text: String, port: UInt16) {
    var address = sockaddr_in()
    if inet_pton(AF_INET, text, &address.sin_addr) == 1 {
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      v4 = address
      return
    }
    var long = sockaddr_in6()
    guard inet_pton(AF_INET6, text, &long.sin6_addr) == 1 else { return nil }
    long.sin6_family = sa_family_t(AF_INET6)
    long.sin6_port = port.bigEndian
    v6 = long
  }

  /// Connects and closes again; 0, or the error number (ETIMEDOUT at the limit, in seconds).
  func tryConnect(limit: Double) -> Int32 {
    let fd = socket(v4 == nil ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { return errno }
    defer { close(fd) }
    let started: Int32
    if var v4 {
      started = withUnsafePointer(to: &v4) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
      }
    } else if var v6 {
      started = withUnsafePointer(to: &v6) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
      }
    } else {
      return EINVAL
    }
    if started == 0 { return 0 }
    guard errno == EINPROGRESS else { return errno }
    var waiting = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
    guard poll(&waiting, 1, Int32(limit * 1000)) > 0 else { return ETIMEDOUT }
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size)
    return code
  }
}

extension TCPConnect.Sight.Outcome {
  init(errno code: Int32) {
    switch code {
    case 0: self = .accepted
    case ECONNREFUSED: self = .refused
    case ETIMEDOUT: self = .timeout
    case EHOSTUNREACH, ENETUNREACH: self = .unreachable
    case EACCES, EPERM: self = .denied
    default: self = .other
    }
  }
}

/// Asks one server, `address` or `address:port`, for A and AAAA.
private func answerOf(_ server: String, for name: String, seconds: Int) -> DNSQuery.Sight {
  let (host, port) = split(server)
  guard let address = SocketAddress(host, port: port) else { return .init(answer: .silent, addresses: []) }
  var addresses: [String] = []
  var worst: DNSQuery.Sight.Answer?
  for (type, family, width) in [(Int32(1), AF_INET, 4), (Int32(28), AF_INET6, 16)] {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let length = send(name, type, to: address, seconds, &buffer)
    guard length > 0 else { return .init(answer: addresses.isEmpty ? .silent : .addresses, addresses: addresses) }
    switch shim_dns_code(buffer) {
    case 0: worst = worst ?? .noData
    case 3: worst = .noSuchName
    case 5: worst = .refused
    default: worst = .serverFailure
    }
    var raw = [UInt8](repeating: 0, count: 32 * width)
    let count = shim_dns_addresses(buffer, length, type, Int32(width), &raw, 32)
    for index in 0..<Int(count) {
      var text = [CChar](repeating: 0, count: 64)
      _ = raw[(index * width)...].withUnsafeBytes { inet_ntop(family, $0.baseAddress, &text, 64) }
      addresses.append(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    // Who does not know the name at all need not be asked for its other addresses.
    if worst == .noSuchName { break }
  }
  return .init(answer: addresses.isEmpty ? worst ?? .noData : .addresses, addresses: addresses)
}

private func send(_ name: String, _ type: Int32, to address: SocketAddress, _ seconds: Int, _ buffer: inout [UInt8]) -> Int32 {
  let room = Int32(buffer.count)
  if var v4 = address.v4 {
    return shim_dns_query(&v4, Int32(MemoryLayout<sockaddr_in>.size), name, type, Int32(seconds), &buffer, room)
  }
  guard var v6 = address.v6 else { return -1 }
  return shim_dns_query(&v6, Int32(MemoryLayout<sockaddr_in6>.size), name, type, Int32(seconds), &buffer, room)
}

/// `1.2.3.4`, `1.2.3.4:5353`, `::1`, `[::1]:5353`.
private func split(_ server: String) -> (String, UInt16) {
  if server.hasPrefix("["), let end = server.firstIndex(of: "]") {
    return (String(server[server.index(after: server.startIndex)..<end]), UInt16(server[end...].dropFirst(2)) ?? 53)
  }
  let parts = server.split(separator: ":")
  return parts.count == 2 ? (String(parts[0]), UInt16(parts[1]) ?? 53) : (server, 53)
}
