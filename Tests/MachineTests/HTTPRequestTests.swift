import Glibc
import Machine
import Model
import Synchronization
import Testing
import World

private let machine = Machine()

private func ask(_ server: TestServer, path: String = "/", limit: Double = 5) async throws -> HTTPRequest.Sight {
  try await machine.see(HTTPRequest(url: "http://127.0.0.1:\(server.port)\(path)", limit: limit))
}

@Test func anAnswerIsTakenAsSent() async throws {
  let requests = Mutex<[String]>([])
  let server = try await TestServer { connection in
    requests.withLock { $0.append(connection.readRequest()) }
    let header = ["Server: nginx", "X-Two: a", "x-two:  b ", "Content-Length: 5"]
    connection.send("HTTP/1.1 502 Bad Gateway\r\n" + header.joined(separator: "\r\n") + "\r\n\r\nhello")
  }
  let sight = try await machine.see(
    HTTPRequest(
      url: "http://127.0.0.1:\(server.port)/a?b=1", host: "shop.test", headers: ["X-Probe: 1"]))
  #expect(sight.status == 502)
  #expect(sight.failure == nil)
  #expect(
    sight.headers == [
      .init(name: "Server", value: "nginx"), .init(name: "X-Two", value: "a"), .init(name: "x-two", value: "b"),
      .init(name: "Content-Length", value: "5"),
    ])
  #expect(sight.body == Array("hello".utf8))
  #expect(sight.address == "127.0.0.1")
  #expect(sight.certificate == nil)
  let times = [sight.times.name, sight.times.connect, sight.times.firstByte, sight.times.total].compactMap { $0 }
  #expect(times.count == 4)
  #expect(times == times.sorted())
  let sent = "GET /a?b=1 HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: wizard502\r\nAccept: */*\r\nX-Probe: 1\r\n\r\n"
  #expect(requests.withLock { $0 } == [sent])
}

@Test func aRefusedPortIsRefused() async throws {
  let port = try await TestServer().port
  let sight = try await machine.see(HTTPRequest(url: "http://127.0.0.1:\(port)/"))
  #expect(sight.failure == .refused)
  #expect(sight.status == nil)
  #expect(sight.address == "127.0.0.1")
}

@Test(arguments: [
  ("", HTTPRequest.Failure.closed, ""),
  ("HTTP/1.1 200 OK\r\nContent-Le", .closed, ""),
  ("SSH-2.0-OpenSSH_9.2\r\n", .notHTTP, "SSH-2.0-OpenSSH_9.2\r\n"),
  ("\u{15}\u{03}\u{01}\u{00}\u{02}\u{02}\u{46}", .notHTTP, "\u{15}\u{03}\u{01}\u{00}\u{02}\u{02}\u{46}"),
  ("\u{00}\u{00}\u{06}\u{04}\u{00}\u{00}", .notHTTP, "\u{00}\u{00}\u{06}\u{04}\u{00}\u{00}"),
  ("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", .notHTTP, "HTTP/1.1 200 OK\r\n"),
  ("HTTP/1.1 xyz OK\r\n\r\n", .notHTTP, ""),
])
func aBrokenAnswerIsNamed(answer: String, failure: HTTPRequest.Failure, body: String) async throws {
  let sight = try await ask(TestServer.saying(answer))
  #expect(sight.failure == failure)
  #expect(sight.status == nil)
  #expect(sight.body == Array(body.utf8))
}

@Test func anAnswerCutShortKeepsItsStatus() async throws {
  let sight = try await ask(.saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))
  #expect(sight.failure == .closed)
  #expect(sight.status == 200)
  #expect(sight.body == Array("half".utf8))
}

@Test func aResetIsNotAClose() async throws {
  let before = try await TestServer { connection in
    connection.readRequest()
    connection.reset()
  }
  #expect(try await ask(before).failure == .reset)
}

@Test func aSilentServerEndsAtTheLimit() async throws {
  let server = try await TestServer { connection in
    connection.readRequest()
    connection.hold()
  }
  let sight = try await ask(server, limit: 0.3)
  #expect(sight.failure == .answerTimeout)
  #expect(sight.times.connect != nil)
  #expect(try #require(sight.times.total) < 3)
}

@Test func aServerThatStopsInTheBodyEndsAtTheLimit() async throws {
  let server = try await TestServer { connection in
    connection.readRequest()
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    connection.hold()
  }
  let sight = try await ask(server, limit: 0.3)
  #expect(sight.failure == .bodyTimeout)
  #expect(sight.status == 200)
  #expect(sight.body == Array("half".utf8))
}

@Test func aFullAcceptQueueIsAConnectTimeout() async throws {
  // Nobody accepts: with a backlog of 0 one connection waits, and the system drops what else comes.
  let server = try await TestServer(backlog: 0)
  let waiting = try await machine.see(TCPConnect(address: "127.0.0.1", port: server.port, place: .host))
  #expect(waiting.outcome == .accepted)
  // The queue keeps a connection that the client has closed.
  let sight = try await ask(server, limit: 0.4)
  #expect(sight.failure == .connectTimeout)
  #expect(sight.times.connect == nil)
  let connect = try await machine.see(TCPConnect(address: "127.0.0.1", port: server.port, place: .host, limit: 0.3))
  #expect(connect.outcome == .timeout)
}

@Test func anEndlessBodyStopsAtItsLimit() async throws {
  let server = try await TestServer { connection in
    connection.readRequest()
    connection.send("HTTP/1.1 200 OK\r\n\r\n")
    while connection.send(String(repeating: "x", count: 10_000)) {}
  }
  let sight = try await machine.see(HTTPRequest(url: "http://127.0.0.1:\(server.port)/", bodyLimit: 5000))
  #expect(sight.failure == nil)
  #expect(sight.status == 200)
  #expect(sight.body == [UInt8](repeating: 0x78, count: 5000))
}

@Test(arguments: [1000, 10_000_000])
func tenMegabytesOfHeaderAreTooMany(lineLength: Int) async throws {
  let line = "X-Long: " + String(repeating: "y", count: lineLength) + "\r\n"
  let header = String(repeating: line, count: 10_000_000 / lineLength)
  let server = try await TestServer { connection in
    connection.readRequest()
    connection.send("HTTP/1.1 200 OK\r\n" + header + "\r\n")
  }
  let sight = try await ask(server)
  #expect(sight.failure == .headerTooLarge)
  #expect(sight.status == nil)
}

@Test func aRedirectIsAnAnswer() async throws {
  let sight = try await ask(.saying("HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"))
  #expect(sight.status == 301)
  #expect(sight.header("location") == "http://127.0.0.1:1/")
  #expect(sight.failure == nil)
}

@Test func anInterimAnswerIsNotTheAnswer() async throws {
  let sight = try await ask(
    .saying("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\nServer: x\r\n\r\n"))
  #expect(sight.status == 204)
  #expect(sight.headers == [.init(name: "Server", value: "x")])
}

@Test func aChunkedBodyIsPutTogetherAndItsTrailersAreNoHeaders() async throws {
  let chunks = "5\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: 1\r\n\r\n"
  let sight = try await ask(.saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks))
  #expect(sight.failure == nil)
  #expect(sight.body == Array("hello!".utf8))
  #expect(sight.headers == [.init(name: "Transfer-Encoding", value: "chunked")])
}

@Test func aCompressedBodyStaysAsItIs() async throws {
  let sight = try await ask(.saying("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"))
  #expect(sight.failure == nil)
  #expect(sight.body == Array("nope".utf8))
}

@Test func aNameWithoutAddressIsSaid() async throws {
  #expect(try await machine.see(HTTPRequest(url: "http://nothing.invalid/", limit: 10)).failure == .name)
}

@Test func aBadURLIsSaid() async throws {
  #expect(
    try await machine.see(HTTPRequest(url: "gopher://127.0.0.1/")).failure == .badURL("the scheme is gopher"))
}

@Test func aCancelledRequestEndsAtOnce() async throws {
  let server = try await TestServer { connection in
    connection.readRequest()
    connection.hold()
  }
  let task = Task { await unseen { try await machine.see(HTTPRequest(url: "http://127.0.0.1:\(server.port)/")) } }
  try await Task.sleep(for: .milliseconds(50))
  let start = ContinuousClock.now
  task.cancel()
  let reason = await task.value
  #expect(ContinuousClock.now - start < .seconds(3))
  guard case .noAnswer = reason else {
    Issue.record("\(String(describing: reason))")
    return
  }
}

@Test func aRequestCancelledBeforeItStartsIsNotSent() async throws {
  let task = Task { () -> Unseen? in
    withUnsafeCurrentTask { $0?.cancel() }
    return await unseen { try await machine.see(HTTPRequest(url: "http://127.0.0.1:1/")) }
  }
  guard case .noAnswer = await task.value else {
    Issue.record("it was answered")
    return
  }
}

@Test func manyRequestsRunAtOnce() async throws {
  let server = try await TestServer.saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
  let statuses = try await withThrowingTaskGroup { group in
    for _ in 0..<40 { group.addTask { try await ask(server, limit: 20).status } }
    return try await group.reduce(into: [Int?]()) { $0.append($1) }
  }
  #expect(statuses == [Int?](repeating: 200, count: 40))
}
