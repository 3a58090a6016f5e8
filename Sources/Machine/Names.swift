internal import CAres
internal import CLinux
internal import Glibc
internal import Model
internal import World

extension DNSQuery: MachineLook {
  /// `servers` may name a port: `127.0.0.11`, `10.0.0.2:5353`, `[::1]:5353`. Asks for A and AAAA at once.
  func taken(on machine: Machine) async throws(Unseen) -> Sight {
    let (name, servers, limit) = (name, servers, limit)
    return try await place.inNetwork(limit: limit + 1) { () throws(Unseen) -> Sight in
      guard !servers.isEmpty else { throw .unreadable(what: "DNS", why: .init(.noServer)) }
      let end = timespec.monotonic + limit
      var best = Sight(answer: .silent, addresses: [])
      for (index, server) in servers.enumerated() {
        let share = (end - timespec.monotonic) / Double(servers.count - index)
        let sight = try Sight(of: name, from: server, limit: share)
        switch sight.answer {
        case .addresses, .noSuchName, .noData: return sight
        case .serverFailure, .refused: best = sight
        case .silent: break
        }
      }
      return best
    }
  }
}

extension DNSQuery.Sight {
  fileprivate init(of name: String, from server: String, limit: Double) throws(Unseen) {
    let channel = try Channel(server, limit: limit)
    let four = channel.ask(name, ns_t_a)
    let six = channel.ask(name, ns_t_aaaa)
    channel.wait(limit: limit)
    let addresses = four.addresses + six.addresses
    // A name that does not exist has no address of either kind; else the answer that tells least decides.
    let order: [Answer] = addresses.isEmpty ? [.noSuchName, .silent, .serverFailure, .refused, .noData] : [.addresses]
    self.init(
      answer: order.first { $0 == four.answer || $0 == six.answer } ?? .silent, addresses: addresses)
  }
}

/// c-ares counts its starts without a lock, so there is one.
private let isLibraryReady = ares_library_init(ARES_LIB_INIT_ALL) == shim_success

/// One use of c-ares, on one thread: questions to one server.
private final class Channel {
  private let channel: ares_channel
  private var questions: [Question] = []

  init(_ server: String, limit: Double) throws(Unseen) {
    guard isLibraryReady else { throw .unreadable(what: "DNS", why: .init(.notStarted, "c-ares")) }
    var options = ares_options()
    // The server's own words, SERVFAIL and REFUSED too.
    options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP
    // c-ares doubles the wait for the second try: together they are the limit.
    options.tries = 2
    options.timeout = milliseconds(max(0.05, limit / 3))
    var channel: ares_channel?
    let code = ares_init_options(&channel, &options, ARES_OPT_FLAGS | ARES_OPT_TRIES | ARES_OPT_TIMEOUTMS)
    guard code == shim_success, let channel else {
      throw .unreadable(what: "DNS", why: .said(String(cString: ares_strerror(code))))
    }
    self.channel = channel
    guard ares_set_servers_ports_csv(channel, server) == shim_success else {
      throw .unreadable(what: "DNS", why: .init(.notServer, server))
    }
  }

  deinit { ares_destroy(channel) }

  func ask(_ name: String, _ type: ns_type) -> Question {
    let question = Question(type)
    questions.append(question)
    ares_query(
      channel, name, Int32(ns_c_in.rawValue), Int32(type.rawValue),
      { question, code, _, bytes, count in
        question.map { Unmanaged<Question>.fromOpaque($0).takeUnretainedValue().take(code, bytes, count) }
      }, Unmanaged.passUnretained(question).toOpaque())
    return question
  }

  func wait(limit: Double) {
    let end = timespec.monotonic + limit
    while questions.contains(where: { $0.isOpen }) {
      var left = end - timespec.monotonic
      guard left > 0 else { return ares_cancel(channel) }
      var longest = timeval(
        tv_sec: Int(clamping: left), tv_usec: Int(clamping: left.truncatingRemainder(dividingBy: 1) * 1e6))
      var next = timeval()
      if let chosen = ares_timeout(channel, &longest, &next)?.pointee {
        left = Double(chosen.tv_sec) + Double(chosen.tv_usec) / 1e6
      }
      var sockets = [ares_socket_t](repeating: ARES_SOCKET_BAD, count: Int(ARES_GETSOCK_MAXNUM))
      let bits = ares_getsock(channel, &sockets, ARES_GETSOCK_MAXNUM)
      var waits = sockets.enumerated().compactMap { index, socket -> pollfd? in
        let reads = bits & (1 << index) != 0
        let writes = bits & (1 << (index + Int(ARES_GETSOCK_MAXNUM))) != 0
        guard reads || writes else { return nil }
        return pollfd(fd: socket, events: Int16((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), revents: 0)
      }
      poll(&waits, nfds_t(waits.count), milliseconds(left))
      // Time limits are looked at even when no socket is ready.
      ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD)
      for wait in waits where wait.revents != 0 {
        let writes = wait.revents & Int16(POLLOUT) != 0
        let reads = wait.revents & ~Int16(POLLOUT) != 0
        ares_process_fd(channel, reads ? wait.fd : ARES_SOCKET_BAD, writes ? wait.fd : ARES_SOCKET_BAD)
      }
    }
  }
}

private final class Question {
  private let type: ns_type
  private(set) var isOpen = true
  private(set) var answer = DNSQuery.Sight.Answer.silent
  private(set) var addresses: [String] = []

  init(_ type: ns_type) { self.type = type }

  func take(_ code: Int32, _ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int32) {
    isOpen = false
    switch code {
    case shim_success:
      addresses = type == ns_t_a ? parseFour(bytes, count) : parseSix(bytes, count)
      answer = addresses.isEmpty ? .noData : .addresses
    case shim_no_data: answer = .noData
    case shim_not_found, shim_bad_name: answer = .noSuchName
    case shim_server_failed, shim_malformed, shim_not_implemented, shim_bad_answer: answer = .serverFailure
    case shim_refused: answer = .refused
    default: answer = .silent
    }
  }

  private func parseFour(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int32) -> [String] {
    var records = [ares_addrttl](repeating: ares_addrttl(), count: 64)
    var found = Int32(records.count)
    guard ares_parse_a_reply(bytes, count, nil, &records, &found) == 0 else { return [] }
    return records.prefix(Int(found)).map { record in withUnsafeBytes(of: record.ipaddr) { String(address: $0) } }
  }

  private func parseSix(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int32) -> [String] {
    var records = [ares_addr6ttl](repeating: ares_addr6ttl(), count: 64)
    var found = Int32(records.count)
    guard ares_parse_aaaa_reply(bytes, count, nil, &records, &found) == 0 else { return [] }
    return records.prefix(Int(found)).map { record in withUnsafeBytes(of: record.ip6addr) { String(address: $0) } }
  }
}

extension SystemLookup: MachineLook {
  /// Ends after 5 seconds; `unreadable` where the resolver itself fails.
  func taken(on machine: Machine) async throws(Unseen) -> [String] {
    let name = name
    return try await onOwnThread(limit: 5) { () throws(Unseen) -> [String] in
      var hints = addrinfo()
      hints.ai_socktype = shim_stream
      var list: UnsafeMutablePointer<addrinfo>?
      let code = getaddrinfo(name, nil, &hints, &list)
      switch code {
      case 0: break
      case EAI_NONAME, -5: return []
      default: throw .unreadable(what: name, why: .said(String(cString: gai_strerror(code))))
      }
      defer { freeaddrinfo(list) }
      var addresses: [String] = []
      var entry = list
      while let found = entry?.pointee {
        if let address = UnsafePointer(found.ai_addr)?.ipAddress { addresses.append(address) }
        entry = found.ai_next
      }
      return addresses.fourBeforeSix
    }
  }
}

extension OwnAddresses: MachineLook {
  func taken(on machine: Machine) async throws(Unseen) -> [String] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { throw .system(errno, "the network interfaces") }
    defer { freeifaddrs(list) }
    var addresses: [String] = []
    var entry = list
    while let found = entry?.pointee {
      if let address = UnsafePointer(found.ifa_addr)?.ipAddress { addresses.append(address) }
      entry = found.ifa_next
    }
    return addresses.fourBeforeSix
  }
}

extension [String] {
  /// Each address once, IPv4 before IPv6, otherwise in the system's order.
  fileprivate var fourBeforeSix: [String] {
    var seen: Set<String> = []
    let once = filter { seen.insert($0).inserted }
    return once.filter { !$0.contains(":") } + once.filter { $0.contains(":") }
  }
}
