import Glibc
import Model
import Testing
import World

@testable import Machine

private let machine = Machine()

/// A name server on a free port: an answer for each name it knows, silence for the others.
final class TestNameServer: Sendable {
  let port: UInt16
  private let listener: Int32

  enum Answer { case addresses([[UInt8]]), code(UInt8) }

  /// - Parameter answers: what to say to `NAME TYPE`, such as `app 1` for A and `app 28` for AAAA.
  init(address: String = "127.0.0.1", place: Place = .host, answers: [String: Answer]) async throws {
    (listener, port) = try await place.inNetwork(limit: 5) { () throws(Unseen) in
      guard let target = SocketAddress(address, port: 0) else { throw .missing(what: address) }
      let listener = socket(target.family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard target.with({ bind(listener, $0, $1) }) == 0 else { throw .system(errno, address) }
      return (listener, boundPort(listener))
    }
    let listener = listener
    startThread {
      var bytes = [UInt8](repeating: 0, count: 512)
      while true {
        var sender = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isOpen = withUnsafeMutablePointer(to: &sender) {
          $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sender in
            let count = recvfrom(listener, &bytes, bytes.count, 0, sender, &size)
            guard count > 12 else { return false }
            if let reply = Self.reply(to: Array(bytes[..<count]), answers) {
              sendto(listener, reply, reply.count, 0, sender, size)
            }
            return true
          }
        }
        if !isOpen { break }
      }
      close(listener)
    }
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  private static func reply(to query: [UInt8], _ answers: [String: Answer]) -> [UInt8]? {
    var labels: [String] = []
    var at = 12
    while at < query.count, query[at] > 0 {
      labels.append(String(decoding: query[(at + 1)...(at + Int(query[at]))], as: UTF8.self))
      at += Int(query[at]) + 1
    }
    let question = query[12..<(at + 5)]
    guard let answer = answers["\(labels.joined(separator: ".")) \(query[at + 2])"] else { return nil }
    var code: UInt8 = 0
    var records: [[UInt8]] = []
    switch answer {
    case .addresses(let addresses): records = addresses
    case .code(let number): code = number
    }
    var reply = Array(query[0..<2]) + [0x85, 0x80 | code, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0] + question
    for record in records {
      reply += [0xC0, 0x0C, 0, query[at + 2], 0, 1, 0, 0, 0, 60, 0, UInt8(record.count)]
      reply += record
    }
    return reply
  }
}

private let six = [UInt8](repeating: 0, count: 15) + [9]

@Test(arguments: [
  ("app", DNSQuery.Sight.Answer.addresses, ["10.0.0.2", "10.0.0.3", "::9"]),
  ("four", .addresses, ["10.0.0.4"]),
  ("none", .noSuchName, []),
  ("empty", .noData, []),
  ("broken", .serverFailure, []),
  ("closed", .refused, []),
  ("quiet", .silent, []),
  ("half", .silent, []),
])
func aNameServersAnswerIsNamed(name: String, answer: DNSQuery.Sight.Answer, addresses: [String]) async throws {
  for address in ["127.0.0.1", "::1"] {
    let server = try await TestNameServer(
      address: address,
      answers: [
        "app 1": .addresses([[10, 0, 0, 2], [10, 0, 0, 3]]), "app 28": .addresses([six]),
        "four 1": .addresses([[10, 0, 0, 4]]), "four 28": .addresses([]),
        "none 1": .code(3), "none 28": .code(3), "empty 1": .addresses([]), "empty 28": .addresses([]),
        "broken 1": .code(2), "broken 28": .code(2), "closed 1": .code(5), "closed 28": .code(5),
        "half 1": .addresses([]),
      ])
    let named = address.contains(":") ? "[\(address)]:\(server.port)" : "\(address):\(server.port)"
    let sight = try await machine.see(DNSQuery(name: name, servers: [named], place: .host, limit: 0.5))
    #expect(sight == DNSQuery.Sight(answer: answer, addresses: addresses))
  }
}

@Test func theSecondNameServerIsAskedWhenTheFirstIsSilent() async throws {
  let silent = try await TestNameServer(answers: [:])
  let good = try await TestNameServer(answers: ["app 1": .addresses([[10, 0, 0, 2]]), "app 28": .addresses([])])
  let sight = try await machine.see(
    DNSQuery(name: "app", servers: ["127.0.0.1:\(silent.port)", "127.0.0.1:\(good.port)"], place: .host, limit: 1))
  #expect(sight == DNSQuery.Sight(answer: .addresses, addresses: ["10.0.0.2"]))
  withExtendedLifetime(silent) {}
}

@Test func whatIsNoNameServerIsSaid() async {
  let none = await unseen { try await machine.see(DNSQuery(name: "app", servers: [], place: .host)) }
  #expect(none == .unreadable(what: "DNS", why: .init(.noServer)))
  let bad = await unseen { try await machine.see(DNSQuery(name: "app", servers: ["dns.test"], place: .host)) }
  #expect(bad == .unreadable(what: "DNS", why: .init(.notServer, "dns.test")))
}

@Test func theSystemsResolverKnowsLocalhost() async throws {
  #expect(try await machine.see(SystemLookup(name: "localhost")).contains("127.0.0.1"))
  #expect(try await machine.see(SystemLookup(name: "10.1.2.3")) == ["10.1.2.3"])
  #expect(try await machine.see(OwnAddresses()).contains("127.0.0.1"))
}

// MARK: Another network

@Test func aListenerInAnotherNetworkIsReachedOnlyFromThere() async throws {
  let network = try TestProgram.inOwnNetwork()
  let server = try await TestServer.saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nin", place: network.place)
  let request = HTTPRequest(url: "http://127.0.0.1:\(server.port)/")
  #expect(try await machine.see(request).failure == .refused)
  var inside = request
  inside.place = network.place
  let sight = try await machine.see(inside)
  #expect(sight.status == 200)
  #expect(sight.body == Array("in".utf8))

  let connect = TCPConnect(address: "127.0.0.1", port: server.port, place: network.place)
  #expect(try await machine.see(connect).outcome == .accepted)
  #expect(try await machine.see(TCPConnect(address: "127.0.0.1", port: server.port, place: .host)).outcome == .refused)

  let listeners = try await machine.see(Listeners(place: network.place))
  // The test's own process holds the socket, and it is not in that network.
  #expect(listeners.map(\.address) == ["127.0.0.1"])
  #expect(listeners.map(\.port) == [server.port])
  #expect(listeners.map(\.processes) == [[]])
  #expect(!(try await machine.see(Listeners(place: .host))).contains { $0.port == server.port })
}

@Test func aNetworkThatSwallowsPacketsTimesOut() async throws {
  let network = try TestProgram.inOwnNetwork()
  let sight = try await machine.see(
    HTTPRequest(url: "http://127.0.0.1:9/", place: network.place, limit: 0.3))
  #expect(sight.failure == .connectTimeout)
  let connect = TCPConnect(address: "127.0.0.1", port: 9, place: network.place, limit: 0.3)
  #expect(try await machine.see(connect).outcome == .timeout)
  let noRoute = HTTPRequest(url: "http://192.0.2.1/", place: network.place, limit: 2)
  #expect(try await machine.see(noRoute).failure == .unreachable)
  let noRouteEither = TCPConnect(address: "192.0.2.1", port: 80, place: network.place, limit: 2)
  #expect(try await machine.see(noRouteEither).outcome == .unreachable)
}

@Test func namesAreAskedForInTheOtherNetwork() async throws {
  let network = try TestProgram.inOwnNetwork()
  let server = try await TestNameServer(
    place: network.place, answers: ["app 1": .addresses([[10, 0, 0, 2]]), "app 28": .addresses([])])
  var query = DNSQuery(name: "app", servers: ["127.0.0.1:\(server.port)"], place: network.place, limit: 1)
  #expect(try await machine.see(query).addresses == ["10.0.0.2"])
  query.place = .host
  #expect(try await machine.see(query).answer == .silent)
  withExtendedLifetime(server) {}
}

@Test func aNameIsNotDialledInAnotherNetwork() async throws {
  let network = try TestProgram.inOwnNetwork()
  let sight = try await machine.see(HTTPRequest(url: "http://localhost/", place: network.place))
  #expect(sight.failure == .badURL("localhost is no IP address; names are not looked up in another network"))
}

@Test func theNetworkOfAProcessThatIsGoneIsMissing() async throws {
  let gone: Int32 = 999_999_999
  let reason = await unseen { try await machine.see(TCPConnect(address: "127.0.0.1", port: 1, place: .process(gone))) }
  #expect(reason == .missing(what: "the network of process \(gone)"))
}

/// In a process of its own: the threads of other tests are in other networks.
@Test func theThreadsOfTheProgramStayInItsNetwork() async {
  await #expect(processExitsWith: .success) {
    let network = try TestProgram.inOwnNetwork()
    let before = linkTarget("/proc/self/ns/net")
    _ = try await Machine().see(TCPConnect(address: "127.0.0.1", port: 1, place: network.place))
    // The thread that was there ends right after it has given its answer.
    var others = 1
    for _ in 0..<1000 where others > 0 {
      let tasks = try Descriptor(open("/proc/self/task", O_RDONLY | O_DIRECTORY), "tasks").names("tasks")
      others = tasks.compactMap { linkTarget("/proc/self/task/\($0)/ns/net") }.count { $0 != before }
      usleep(1000)
    }
    #expect(others == 0)
    withExtendedLifetime(network) {}
  }
}

@Test func thePacketFilterOfANetworkIsItsOwn() async throws {
  let network = try TestProgram.inOwnNetwork()
  let sight = try await machine.see(CommandRun(.packetFilter, place: network.place))
  #expect(sight.exitCode == 0)
  #expect(sight.output.contains("[0:0] -A INPUT -p tcp -m tcp --dport 9 -j DROP"))
  #expect(!(try await machine.see(CommandRun(.packetFilter))).output.contains("--dport 9 -j DROP"))
}

@Test func waitingConnectionsAndOwnersAreCounted() async throws {
  let server = try await TestServer(backlog: 5)
  for _ in 0..<3 { _ = try await machine.see(TCPConnect(address: "127.0.0.1", port: server.port, place: .host)) }
  let listener = try await machine.see(Listeners(place: .host)).first { $0.port == server.port }
  #expect(listener == Listener(address: "127.0.0.1", port: server.port, waiting: 3, most: 5, processes: [getpid()]))
  let six = try await TestServer(address: "::1")
  let other = try await machine.see(Listeners(place: .process(getpid()))).first { $0.port == six.port }
  #expect(
    other == Listener(address: "::1", port: six.port, waiting: 0, most: 16, isIPv6Only: true, processes: [getpid()]))
}

@Test func aCancelledConnectEndsAtOnce() async throws {
  let network = try TestProgram.inOwnNetwork()
  let task = Task {
    await unseen { try await machine.see(TCPConnect(address: "127.0.0.1", port: 9, place: network.place)) }
  }
  try await Task.sleep(for: .milliseconds(50))
  let start = ContinuousClock.now
  task.cancel()
  guard case .noAnswer = await task.value else {
    Issue.record("it was answered")
    return
  }
  #expect(ContinuousClock.now - start < .seconds(3))
}
