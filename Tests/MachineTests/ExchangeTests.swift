import Glibc
import Machine
import Model
import Testing
import World

@Suite struct ExchangeTests {
  private let machine = Machine()

  private func ask(_ server: TestServer, _ text: String = "", enough: Int = 1, limit: Double = 2) async throws
    -> Exchange.Sight
  {
    try await machine.see(
      Exchange(
        address: "127.0.0.1", port: server.port, place: .host, sends: Array(text.utf8), enough: enough, limit: limit))
  }

  @Test func aGreetingAnAnswerACloseAResetSilenceNobody() async throws {
    let greeting = try await TestServer { connection in
      connection.send("220 mail.example.org ESMTP\r\n")
      connection.hold()
    }
    #expect(try await ask(greeting) == .init(received: Array("220 mail.example.org ESMTP\r\n".utf8), end: .open))
    let answering = try await TestServer.saying("+PONG\r\n")
    #expect(
      try await ask(answering, "PING\r\n\r\n", enough: 100) == .init(received: Array("+PONG\r\n".utf8), end: .closed))
    #expect(try await ask(try await TestServer { _ in }) == .init(end: .closed))
    #expect(try await ask(try await TestServer { $0.reset() }).end == .reset)
    #expect(try await ask(try await TestServer { $0.hold() }, limit: 0.2) == .init(end: .open))
    let gone = try await machine.see(Exchange(address: "127.0.0.1", port: 1, place: .host, limit: 1))
    #expect(gone == .init(end: .none))
  }
}

@Suite(.serialized)
struct UnixSocketTests {
  private let machine = Machine()

  @Test func takenMissingLeftBehindNoSocket() async throws {
    let folder = try TestFolder()
    let server = TestServer(unixSocket: folder.path + "/app.sock") { $0.send("hi") }
    func outcome(_ name: String) async throws -> UnixConnect.Sight.Outcome {
      try await machine.see(UnixConnect(path: "\(folder.path)/\(name)", place: .host)).outcome
    }
    #expect(try await outcome("app.sock") == .accepted)
    #expect(try await outcome("none.sock") == .missing)
    #expect(try await outcome("none/app.sock") == .missing)
    try run("touch", folder.path + "/file")
    #expect(try await outcome("file") == .notSocket)
    try run("python3", "-c", "import socket, sys; socket.socket(1).bind(sys.argv[1])", folder.path + "/old.sock")
    #expect(try await outcome("old.sock") == .refused)
    let said = try await machine.see(Exchange(unixSocket: folder.path + "/app.sock", place: .host, limit: 1))
    #expect(said.received == Array("hi".utf8))
    withExtendedLifetime(server) {}
  }

  @Test(.enabled(if: geteuid() == 0))
  func withTheRightsOfAnotherProcessTheSocketOrTheFolderAboveItDenies() async throws {
    let folder = try TestFolder()
    chmod(folder.path, 0o755)
    let path = folder.path + "/app.sock"
    let server = TestServer(unixSocket: path) { _ in }
    chmod(path, 0o600)
    let other = try TestProgram(
      ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", "echo up; exec sleep 60"], until: "up"
    )
    let look = UnixConnect(path: path, place: .host, user: other.id)
    let denied = try await machine.see(look)
    #expect(denied.outcome == .denied)
    #expect(denied.isAsUser)
    #expect(denied.obstacle?.path == path)
    #expect(denied.obstacle?.mode == 0o600)
    chmod(path, 0o666)
    #expect(try await machine.see(look).outcome == .accepted)
    chmod(folder.path, 0o700)
    #expect(try await machine.see(look).obstacle?.path == folder.path)
    // This program's own rights are what they were.
    #expect(try await machine.see(UnixConnect(path: path, place: .host)).outcome == .accepted)
    withExtendedLifetime((server, other)) {}
  }
}

@Test func theSizeOfAHeaderIsToldAlsoIfItIsCut() async throws {
  let machine = Machine()
  let whole = try await TestServer.saying("HTTP/1.1 200 OK\r\nA: bcd\r\nContent-Length: 0\r\n\r\n")
  let sight = try await machine.see(HTTPRequest(url: "http://127.0.0.1:\(whole.port)/"))
  #expect(sight.headerSize == .init(bytes: 46, longest: 17, lines: 2))
  let cut = try await TestServer.saying("HTTP/1.1 200 OK\r\nA: bcd\r\n")
  let begun = try await machine.see(HTTPRequest(url: "http://127.0.0.1:\(cut.port)/"))
  #expect(begun.status == nil)
  #expect(begun.headerSize?.lines == 1)
  let silent = try await TestServer { $0.readRequest() }
  #expect(try await machine.see(HTTPRequest(url: "http://127.0.0.1:\(silent.port)/")).headerSize == nil)
}
