import Checks
import Flow
import Foundation
import Machine
import Model
import Reader
import Testing
import World

/// The command that is shown for a look, run by a shell, shows what the look saw: of each kind at least one, on a real
/// system.
@Suite(.serialized) struct LooksByHand {
  @Test func eachCommandShowsWhatTheLookSaw() async throws {
    let stage = try Stage(of: "looks by hand")
    do { try await compareAll(on: stage) } catch {
      await stage.takeDown()
      throw error
    }
    await stage.takeDown()
  }

  private let machine = Machine()

  private func compareAll(on stage: Stage) async throws {
    let network = try await stage.network()
    let (app, edge) = (stage.named("app"), stage.named("edge"))
    let host = try await stage.site("shop")
    let port = stage.appPort()
    try await stage.app(app, on: network, port: port)
    let gate = try await stage.nginx(edge, on: network, Conf.variable(host, "http://\(app):1"))
    // Programs that images of real proxies have.
    let programs = stage.directory.appending(path: "root/usr/bin")
    try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: "/usr/bin/getent", toPath: programs.appending(path: "getent").path())
    try await docker("cp", stage.directory.appending(path: "root").path() + "/.", "\(edge):/")
    let (address, inside) = (try await stage.address(app, on: network), try await pid(of: edge))
    let folder = gate.file.deletingLastPathComponent().path()
    try await succeed(
      "sqlite3", folder + "/sites.sqlite", "CREATE TABLE host (name TEXT); INSERT INTO host VALUES ('\(host)')")
    let socket = stage.directory.appending(path: "stats.sock").path()
    let answering = try stage.write(
      """
      import socket, sys
      s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
      while True:
          c, _ = s.accept(); c.recv(100); c.sendall(b"Maxconn: 1717\\n"); c.close()

      """, to: "stats.py")
    try await stage.launch(["python3", answering.path(), socket], in: stage.directory)
    let other = try await stage.launch(
      ["setpriv", "--reuid", "33", "--regid", "33", "--clear-groups", "sleep", "300"], in: stage.directory)
    let secure = stage.freePort()
    let certificate = try await stage.selfSigned(host)
    try await stage.launch(
      [
        "openssl", "s_server", "-www", "-port", String(secure), "-cert", certificate.certificate.path(), "-key",
        certificate.key.path(),
      ], in: stage.directory)
    try await stage.answersTCP(secure)

    let container: Facts = ["look.container": edge]
    let place = Place.process(inside)
    let sent = Array("GET / HTTP/1.0\r\n\r\n".utf8)
    // Of this machine.
    try await compare(OwnAddresses(), show: ["127.0.0.1"])
    try await compare(IsRoot(), show: [], commandShows: ["0"])
    try await compare(CommandRun(.packetFilter), show: ["DOCKER"])
    try await compare(CommandRun(.packetFilter6), show: [])
    try await compare(CommandRun(.nftables), show: ["DOCKER"])
    try await compare(Listeners(place: .host), show: [":\(gate.port)"])
    try await compare(SystemLookup(name: host), show: ["127.0.0.1"])
    try await compare(OnlyRootChanges(path: "/etc/hostname"), show: [], commandShows: ["root", "hostname"])
    try await compare(Processes(names: ["dockerd"]), show: ["dockerd"])
    try await compare(FileSystem(path: "/"), show: [try await succeed("stat", "-f", "-c", "%c", "/")])
    try await compare(FileRead(path: gate.file.path()), show: ["proxy_pass http", host])
    try await compare(FileRead(path: gate.file.path(), limit: 100_000, fromEnd: true), show: ["proxy_pass http"])
    try await compare(FileGlob(pattern: folder + "/*.conf"), show: ["/sites.conf"])
    try await compare(
      SQLiteQuery(path: folder + "/sites.sqlite", place: .host, sql: "SELECT name FROM host WHERE name LIKE '%shop%'"),
      show: [host])
    try await compare(StatsSocket(path: socket, place: .host, question: .info), show: ["Maxconn: 1717"])
    try await compare(UnixConnect(path: socket, place: .host), show: [socket])
    try await compare(
      UnixConnect(path: "/var/run/docker.sock", place: .host, user: other.processIdentifier),
      show: ["Permission denied"])
    // Of the engine.
    try await compare(DockerGet(path: "/containers/json?all=1"), show: [app, edge])
    try await compare(DockerGet(path: "/containers/\(app)/json"), show: [app, "running"])
    try await compare(
      DockerGet(path: "/containers/\(app)/logs?stdout=1&stderr=1&timestamps=1&tail=200"), show: ["listening on"])
    try await compare(DockerGet(path: "/networks"), show: [network])
    try await compare(
      DockerGet(
        path: "/events?filters=%7B%22event%22%3A%5B%22start%22%5D%7D", since: Date.now.timeIntervalSince1970 - 600),
      show: [edge])
    try await compare(
      DockerGet(path: "/containers/\(edge)/archive?path=/etc/nginx"), show: [], commandShows: ["nginx.conf"])
    try await compare(DockerGet(path: "/services"), show: ["swarm"])
    try await compare(DockerGet(path: "/version"), show: ["ApiVersion"])
    // In the proxy's own place.
    for more in [container, Facts()] {
      try await compare(
        FileRead(path: "/etc/nginx/conf.d/sites.conf", place: place), more, show: ["proxy_pass http", host])
      try await compare(
        FileRead(path: "/etc/nginx/conf.d/sites.conf", place: place, limit: 100_000, fromEnd: true), more,
        show: ["proxy_pass http"])
      try await compare(
        SQLiteQuery(path: "/etc/nginx/conf.d/sites.sqlite", place: place, sql: "SELECT name FROM host"), more,
        show: [host])
      try await compare(DNSQuery(name: app, servers: ["127.0.0.11"], place: place), more, show: [address])
    }
    try await compare(FileRead(path: "/proc/sys/net/core/somaxconn", place: place), container, show: ["4096"])
    try await compare(
      FileGlob(pattern: "/etc/nginx/conf.d/*.conf", place: place), show: ["/etc/nginx/conf.d/sites.conf"])
    try await compare(
      FileSystem(path: "/etc/nginx", place: place),
      show: [try await succeed("stat", "-f", "-c", "%c", "/proc/\(inside)/root/etc/nginx")])
    try await compare(Listeners(place: place), show: ["0.0.0.0:80"])
    try await compare(CommandRun(.packetFilter, place: place), show: ["127.0.0.11"])
    try await compare(TCPConnect(address: address, port: UInt16(port), place: place), show: ["\(address)"])
    try await compare(TCPConnect(address: address, port: 1, place: place), show: ["Connection refused"])
    try await compare(
      Exchange(address: address, port: UInt16(port), place: place, sends: sent, enough: 5, limit: 2), show: ["HTTP/1."])
    try await compare(
      Exchange(unixSocket: "/var/run/docker.sock", place: .host, sends: sent, enough: 5, limit: 2), show: ["HTTP/1."])
    try await compare(HTTPRequest(url: "http://\(address):\(port)/", host: host, place: place), show: ["200"])
    // Requests.
    try await compare(
      HTTPRequest(url: "http://\(host):\(gate.port)/", address: "127.0.0.1", headers: ["X-Name: a b"]),
      show: ["502", "Server: nginx"])
    try await compare(HTTPRequest(url: "http://127.0.0.1:1/"), show: ["Connection refused"])
    try await compare(
      HTTPRequest(url: "http://localhost/_ping", unixSocket: "/var/run/docker.sock"), show: ["200", "Api-Version"])
    try await compare(
      HTTPRequest(url: "https://127.0.0.1:\(secure)/", host: host), show: ["200", "CN", host])
    try await compare(
      HTTPRequest(url: "https://127.0.0.1:\(secure)/", host: host, tls: .verify(authorities: nil)),
      show: ["certificate"])
    #expect(compared.kinds == Set(Set(catalog.looks.keys)), "\(Set(catalog.looks.keys).subtracting(compared.kinds))")
  }

  private func pid(of container: String) async throws -> Int32 {
    try #require(Int32(try await docker("inspect", "-f", "{{.State.Pid}}", container)))
  }

  // MARK: Comparing

  private final class Compared { var kinds: Set<String> = [] }
  private let compared = Compared()
  private let catalog: Catalog

  init() throws {
    catalog = try #require(
      Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog)
  }

  /// Takes the look and runs its command: both show the same texts.
  private func compare<L: Look>(
    _ look: L, _ more: Facts = Facts(), show texts: [String], commandShows: [String] = [],
    _ location: SourceLocation = #_sourceLocation
  ) async throws {
    compared.kinds.insert(L.kind)
    let seen: String
    switch await machine.answer(to: look).result {
    case .success(let sight): seen = String(decoding: look.lines(of: sight), as: UTF8.self)
    case .failure(let unseen):
      Issue.record("\(look.inShort): \(unseen)", sourceLocation: location)
      return
    }
    let sighting = Sighting(kind: L.kind, facts: look.parts.merging(more), lines: [])
    let command = try #require(
      try catalog.command(for: sighting, ["engine.command": "docker", "user.root": "yes"]), sourceLocation: location)
    let output = try await run(["sh", "-c", command], limit: 20)
    let shown = output.text + output.errors
    for text in texts {
      #expect(
        seen.plain.contains(text.plain), "the look \(look.inShort): \(seen.prefix(600))", sourceLocation: location)
    }
    for text in texts + commandShows {
      #expect(shown.plain.contains(text.plain), "\(command)\n\(shown.prefix(1500))", sourceLocation: location)
    }
  }
}

extension String {
  /// Without blanks and in one case, as one program lays out what another one joins.
  fileprivate var plain: String { filter { !$0.isWhitespace }.lowercased() }
}

extension Stage {
  /// Waits until a port of this machine takes connections.
  fileprivate func answersTCP(_ port: Int) async throws {
    let takes = await eventually(within: 10) {
      (try? await Machine().see(TCPConnect(address: "127.0.0.1", port: UInt16(port), place: .host)))?.outcome
        == .accepted
    }
    guard takes else { throw CommandFailed(description: "nobody listens at \(port)") }
  }
}
