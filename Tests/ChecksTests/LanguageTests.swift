import Checks
import Model
import Fixture
import Testing
import World

private let facts: Facts = [
  "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "name.address": "10.0.0.2",
  "upstream.port": "9000", "upstream.scheme": "http", "upstream.dial": "10.0.0.2:9000",
  "site.host": "shop.example.org", "site.path": "/", "site.port": "80",
]

/// A world in which the upstream answers no HTTP and no TLS, and says `received` to whoever sends what begins so.
private struct Odd: World {
  let begins: [UInt8]
  let received: [UInt8]
  var http = HTTPRequest.Sight(failure: .closed)

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    if let request = look as? HTTPRequest {
      let sight = request.url.hasPrefix("https") ? HTTPRequest.Sight(failure: .closed) : http
      if let sight = sight as? L.Sight { return sight }
    }
    if let exchange = look as? Exchange {
      let fits = begins.isEmpty ? exchange.sends.isEmpty : exchange.sends.starts(with: begins)
      if let sight = Exchange.Sight(received: fits ? received : [], end: .closed) as? L.Sight { return sight }
    }
    throw .notRecorded(what: L.kind)
  }
}

@Suite struct LanguageTests {
  @Test(
    arguments: [
      ([1, 9], [1, 10, 0, 0, 0, 0, 0, 0], "fastcgi", "FastCGI"),
      ([0], Array("HTTP/1.1 200 OK\r\n".utf8), "uwsgi", "uwsgi"),
      (Array("PRI".utf8), [0, 0, 6, 4, 0, 0, 0, 0, 0], "http2", "HTTP/2"),
      ([], Array("SSH-2.0-OpenSSH".utf8), "other", "SSH"),
      ([], [74, 0, 0, 0, 10] + Array("8.0.33".utf8), "other", "the MySQL or MariaDB protocol"),
      (Array("PING".utf8), Array("+PONG\r\n".utf8), "other", "the Redis protocol"),
      ([0, 0, 0, 8, 4], [0x4E], "other", "the PostgreSQL protocol"),
    ] as [([UInt8], [UInt8], String, String)])
  func eachIsKnownByWhatItSaysToItsOwnQuestion(begins: [UInt8], received: [UInt8], outcome: String, name: String)
    async throws
  {
    let found = try await look("upstream.speaks", Odd(begins: begins, received: received), facts)
    #expect(found.outcome == outcome)
    #expect(found.facts["upstream.speaks"] == name)
  }

  @Test func answersThatAreNoSuchThing() async throws {
    // A web server that complains of the form of a uwsgi request.
    let web = Odd(begins: [0], received: Array("HTTP/1.1 400 Bad Request\r\n".utf8))
    #expect(try await look("upstream.speaks", web, facts).outcome == "closes")
    let garbage = Odd(begins: [1], received: [7, 7], http: .init(body: [7, 7], failure: .notHTTP))
    let found = try await look("upstream.speaks", garbage, facts)
    #expect(found.outcome == "other")
    #expect(found.facts["upstream.speaks"] == nil)
    // HTTP that breaks off is HTTP.
    let cut = HTTPRequest.Sight(failure: .closed, headerSize: .init(bytes: 20, longest: 15, lines: 0))
    #expect(try await look("upstream.speaks", Odd(begins: [9], received: [], http: cut), facts).outcome == "http")
  }

  @Test func whatTheRouteSpeaksIsAskedFirst() async throws {
    let given = facts.merging(["route.protocol": "fastcgi", "upstream.scheme": "fastcgi"])
    let good = Odd(begins: [1, 9], received: [1, 10, 0, 0, 0, 0, 0, 0], http: .init(status: 200))
    #expect(try await look("upstream.speaks", good, given).outcome == "fastcgi")
    let web = Odd(begins: [9], received: [], http: .init(status: 200))
    #expect(try await look("upstream.speaks", web, given).outcome == "http")
  }
}

@Suite struct HandshakeTests {
  private let facts: Facts = [
    "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "name.address": "10.0.0.2",
    "upstream.port": "443", "upstream.scheme": "https", "upstream.dial": "10.0.0.2:443", "upstream.host": "app",
    "site.host": "shop.example.org", "site.path": "/", "route.tls-name": "app", "route.sends-tls-name": "off",
  ]

  /// A world in which the handshake succeeds for the requests that `takes`.
  private struct Server: World {
    let fails: HTTPRequest.Sight
    let takes: @Sendable (HTTPRequest) -> Bool

    func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
      if let request = look as? HTTPRequest,
        let sight = (takes(request) ? HTTPRequest.Sight(status: 200, tlsVersion: "TLSv1.1") : fails) as? L.Sight
      {
        return sight
      }
      throw .notRecorded(what: L.kind)
    }
  }

  private let alert = HTTPRequest.Sight(
    failure: .handshake("error:0A000410:SSL routines::sslv3 alert handshake failure"))

  @Test func itSucceedsOrTheRouteHasNone() async throws {
    #expect(try await look("tls.handshake", Server(fails: alert) { _ in true }, facts).outcome == "done")
    let plain = facts.merging(["upstream.scheme": "http"])
    #expect(try await look("tls.handshake", Recording(), plain).outcome == "plain")
  }

  @Test func itSucceedsWithANameWhichIsTold() async throws {
    let server = Server(fails: alert) { $0.sendsTLSName && $0.tlsName == "shop.example.org" }
    let found = try await look("tls.handshake", server, facts)
    #expect(found.outcome == "name-needed")
    #expect(found.facts["tls.name"] == "shop.example.org")
    #expect(found.facts["tls.alert"] == "40")
    let sending = facts.merging(["route.sends-tls-name": "on"])
    #expect(try await look("tls.handshake", server, sending).facts["tls.name"] == "shop.example.org")
  }

  /// A certificate of the client's that is missed after the handshake, its alert lost with the connection
  @Test func aCertificateOfTheClientsThatIsMissedAfterTheHandshake() async throws {
    var dropped = HTTPRequest.Sight(times: .init(tls: 0.01), failure: .reset)
    dropped.wantsCertificate = true
    #expect(
      try await look("tls.handshake", Server(fails: dropped) { _ in false }, facts).outcome == "client-certificate")
    dropped.wantsCertificate = false
    #expect(try await look("tls.handshake", Server(fails: dropped) { _ in false }, facts).outcome == "done")
  }

  @Test func oldVersionsOnlyACertificateOfTheClientsNothingHelpsNotSeen() async throws {
    let old = try await look("tls.handshake", Server(fails: alert) { $0.offer == .old }, facts)
    #expect(old.outcome == "old-version")
    #expect(old.facts["tls.version"] == "TLSv1.1")
    let missed = HTTPRequest.Sight(
      times: .init(tls: 0.1), failure: .handshake("error:0A00045C:SSL routines::tlsv13 alert certificate required"),
      wantsCertificate: true)
    let client = try await look("tls.handshake", Server(fails: missed) { _ in false }, facts)
    #expect(client.outcome == "client-certificate")
    #expect(client.facts["tls.alert"] == "116")
    // A proxy that has a certificate of its own is not judged by a handshake without it.
    let own = facts.merging(["route.sends-certificate": "on"])
    #expect(try await look("tls.handshake", Server(fails: missed) { _ in false }, own).outcome == "unknown")
    #expect(try await look("tls.handshake", Server(fails: alert) { _ in false }, facts).outcome == "refused")
    let gone = Server(fails: .init(failure: .refused)) { _ in false }
    #expect(try await look("tls.handshake", gone, facts).outcome == "unknown")
  }
}

@Suite struct SocketConnectTests {
  private let facts: Facts = [
    "proxy.place": "host", "proxy.pid": "7", "upstream.socket": "/run/php/php8.2-fpm.sock",
  ]

  private func world(_ sight: UnixConnect.Sight) -> Sandbox {
    Sandbox()
      .with(
        Processes(names: []),
        [
          .init(
            id: 9, parent: 7, name: "nginx", command: [], started: 1, sharesNetwork: true, container: nil)
        ]
      )
      .with(UnixConnect(path: "/run/php/php8.2-fpm.sock", place: .process(9), user: 9), sight)
  }

  @Test func asTheWorkerAcceptedRefusedFullNoSocket() async throws {
    for (outcome, expected) in [
      (UnixConnect.Sight.Outcome.accepted, "accepted"), (.refused, "refused"),
      (.notSocket, "not-socket"), (.other, "unknown"),
    ] {
      let found = try await look("socket.connect", world(.init(outcome: outcome, errno: 0, isAsUser: true)), facts)
      #expect(found.outcome == expected)
    }
  }

  /// What still waits has no inode, and is no work of the app's
  @Test(arguments: [("42531", "full"), ("0", "stalled")])
  func aFullQueueWithWorkAndWithout(inode: String, outcome: String) async throws {
    let path = "/run/php/php8.2-fpm.sock"
    let table = """
      Num       RefCount Protocol Flags    Type St Inode Path
      0000000000000000: 00000002 00000000 00010000 0001 01 42530 \(path)
      0000000000000000: 00000003 00000000 00000000 0001 03 \(inode) \(path)
      0000000000000000: 00000003 00000000 00000000 0001 03 42532 \(path).old

      """
    let world = world(.init(outcome: .full, errno: 11, isAsUser: true)).file("/proc/9/net/unix", table)
    #expect(try await look("socket.connect", world, facts).outcome == outcome)
  }

  /// With this program's own rights neither success nor failure tells about the worker
  @Test func withThisProgramsOwnRightsNeitherSuccessNorFailureTellsAboutThe() async throws {
    for outcome in [UnixConnect.Sight.Outcome.accepted, .denied] {
      let found = try await look("socket.connect", world(.init(outcome: outcome, errno: 0, isAsUser: false)), facts)
      #expect(found.outcome == "unknown")
    }
  }

  @Test func deniedWhatStandsInTheWayAndForWhom() async throws {
    let sight = UnixConnect.Sight(
      outcome: .denied, errno: 13, isAsUser: true,
      obstacle: .init(path: "/run/php", owner: 0, group: 34, mode: 0o750))
    let world = world(sight)
      .file("/proc/9/status", "Name:\tnginx\nUid:\t33\t33\t33\t33\nGid:\t33\t33\t33\t33\n", in: .host)
      .file("/etc/passwd", "root:x:0:0::/:\nwww-data:x:33:33::/:\n", in: .process(9))
      .file("/etc/group", "root:x:0:\nwww-data:x:33:\n", in: .process(9))
    let found = try await look("socket.connect", world, facts)
    #expect(found.outcome == "denied")
    #expect(found.facts["socket.obstacle"] == "/run/php")
    #expect(found.facts["socket.obstacle-kind"] == "folder")
    #expect(found.facts["socket.owner"] == "root:34")
    #expect(found.facts["socket.mode"] == "0750")
    #expect(found.facts["socket.user"] == "www-data")
    #expect(found.facts["socket.group"] == "www-data")
  }

  @Test func missingTheNearestOneThatTakesConnections() async throws {
    let world = world(.init(outcome: .missing, errno: 2, isAsUser: true))
      .with(
        FileGlob(pattern: "/run/php/*", place: .process(9)),
        ["/run/php/php8.1-fpm.sock", "/run/php/php8.2-fpm.sok", "/run/php/php-fpm.pid"]
      )
      .with(
        UnixConnect(path: "/run/php/php8.1-fpm.sock", place: .process(9), user: 9),
        .init(outcome: .refused, errno: 111, isAsUser: true)
      )
      .with(
        UnixConnect(path: "/run/php/php8.2-fpm.sok", place: .process(9), user: 9),
        .init(outcome: .accepted, errno: 0, isAsUser: true))
    let found = try await look("socket.connect", world, facts)
    #expect(found.outcome == "missing")
    #expect(found.facts["socket.near"] == "/run/php/php8.2-fpm.sok")
  }

  /// A socket that is mounted itself stays the one that was there when the container started.
  @Test(arguments: [("/run/php/php8.2-fpm.sock", "yes"), ("/run/php", nil)] as [(String, String?)])
  func refusedAndAnotherHasTakenItsPlace(mounted: String, replaced: String?) async throws {
    let outside = "/srv/fpm.sock"
    let world = world(.init(outcome: .refused, errno: 111, isAsUser: true))
      .container("edge1", #""Name": "/edge", "Mounts": [{"Source": "\#(outside)", "Destination": "\#(mounted)"}]"#)
      .with(UnixConnect(path: outside, place: .host), .init(outcome: .accepted, errno: 0, isAsUser: false))
    let found = try await look("socket.connect", world, facts.merging(["proxy.id": "edge1"]))
    #expect(found.outcome == "refused")
    #expect(found.facts["socket.replaced"] == replaced)
  }

  /// The official image listens on port 9000, whatever the pool's own file says.
  @Test(arguments: [("fastcgi", "php", "9000"), ("http", nil, nil)] as [(String, String?, String?)])
  func missingAndTheAppListensOnAPort(speaks: String, app: String?, port: String?) async throws {
    let own = #""NetworkSettings": {"Networks": {"web": {"NetworkID": "n"}}}"#
    let names = [("edge", "nginx:1", 9), ("php", "php:8-fpm", 20)]
    let world = Sandbox().containers(
      names.map { name, image, _ in
        #"{"Id": "\#(name)1", "Names": ["/\#(name)"], "Image": "\#(image)", "State": "running", \#(own)}"#
      }
    ).file("/etc/nginx/nginx.conf", "events {}", in: .process(9)).listening(in: .host)
    for (name, _, pid) in names {
      for key in [name, name + "1"] {
        world.container(key, #""Name": "/\#(name)", "State": {"Pid": \#(pid)}, \#(own)"#)
      }
    }
    world.with(
      UnixConnect(path: "/run/php/php8.2-fpm.sock", place: .process(9), user: 9),
      .init(outcome: .missing, errno: 2, isAsUser: true)
    )
    .listening(in: .process(20), ("::", 9000))
    .with(
      FileGlob(pattern: "/usr/local/etc/php-fpm.d/*.conf", place: .process(20)), ["/usr/local/etc/php-fpm.d/z.conf"]
    )
    .file("/usr/local/etc/php-fpm.d/z.conf", "[www]\nlisten = 9000\npm.max_children = 5\n", in: .process(20))
    let found = try await look(
      "socket.connect", world,
      facts.merging([
        "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "9", "route.protocol": speaks,
        "site.host": "shop.example.org",
      ]), signs: realSigns())
    #expect(found.outcome == "missing")
    #expect(found.facts["socket.app"] == app)
    #expect(found.facts["socket.app-host"] == app)
    #expect(found.facts["socket.app-port"] == port)
  }
}
