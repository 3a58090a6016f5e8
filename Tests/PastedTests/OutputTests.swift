import Checks
import Fixture
import Flow
import Foundation
import Model
import Pasted
import Reader
import Testing
import World

/// What commands have printed, and other places than a terminal: each is read, and nothing of it is left over.
struct OutputTests {
  private func world(_ names: String...) throws -> PastedWorld {
    PastedWorld(
      try names.map(PastedTests.output).joined(separator: "\n"), before: Sandbox(), signs: Self.signs)
  }

  static let signs =
    Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), linting: false, checkingPatterns: false)
    .catalog?.signs ?? Signs()

  private func containers(in world: PastedWorld) async throws -> [JSON] {
    let answer = try await world.see(DockerGet(path: "/containers/json?all=1"))
    return try #require(JSON(answer.body)).elements
  }

  private func connects(_ world: PastedWorld, _ address: String, _ port: UInt16) async throws
    -> TCPConnect.Sight.Outcome
  {
    try await world.see(TCPConnect(address: address, port: port, place: .host)).outcome
  }

  /// What a manager of Docker's Swarm prints. Source: docker-service-ls(1), "EXAMPLES".
  @Test func servicesOfASwarm() async throws {
    let text = """
      $ docker service ls
      ID             NAME        MODE         REPLICAS   IMAGE          PORTS
      c8wgl7q4ndfd   frontend    replicated   5/5        nginx:alpine   *:80->80/tcp
      dmu1ept4cxcf   redis       replicated   0/0        redis:7.4.1
      iwe3278osahj   mongo       global       7/7        mongo:8.0
      """
    let world = PastedWorld(text, before: Sandbox(), signs: Self.signs)
    let services = try #require(JSON(try await world.see(DockerGet(path: "/services")).body)).elements
    #expect(services.compactMap { $0["Spec"]?["Name"]?.text } == ["frontend", "redis", "mongo"])
    let wanted = services.map { $0["Spec"]?["Mode"]?["Replicated"]?["Replicas"]?.number }
    #expect(wanted == [5, 0, nil] && world.unread.isEmpty)
  }

  /// Whether a proxy may use a socket is tried with the rights of the process that uses it: curl 7.88, as `collect` runs it.
  @Test func aSocketWithTheRightsOfAnother() async throws {
    let id = String(repeating: "c", count: 64)
    func tried(_ path: String, _ pid: Int, _ end: String) -> String {
      """
      ##502## setpriv --reuid $(ps -o euid= -p \(pid)) curl -sSv -m 2 --unix-socket \(path) http://localhost/
      *   Trying \(path):0...
      * Immediate connect fail for \(path): \(end)
      * Failed to connect to localhost port 80 after 0 ms: Couldn't connect to server
      * Closing connection 0
      curl: (7) Failed to connect to localhost port 80 after 0 ms: Couldn't connect to server

      """
    }
    let text =
      tried("/run/left.sock", 30, "Connection refused") + tried("/run/closed.sock", 30, "Permission denied")
      + tried("/proc/41/root/run/none.sock", 41, "No such file or directory")
        + """
        ##502## ls -ld /proc/40/root/run/other.sock
        ls: cannot access '/proc/40/root/run/other.sock': No such file or directory

        ##502## cat /proc/30/stat /proc/30/cgroup
        30 (nginx) S 1 30 30 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0
        0::/system.slice/nginx.service

        ##502## cat /proc/41/stat /proc/41/cgroup
        41 (nginx) S 40 40 40 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0
        0::/system.slice/docker-\(id).scope

        ##502## docker inspect web
        [{"Id": "\(id)", "Name": "/web", "State": {"Pid": 40, "Status": "running"}}]
        """
    let world = PastedWorld(text, before: Sandbox(), signs: Self.signs)
    func outcome(_ path: String, _ pid: Int32) async throws -> UnixConnect.Sight.Outcome {
      try await world.see(UnixConnect(path: path, place: .process(pid), user: pid)).outcome
    }
    #expect(try await outcome("/run/left.sock", 30) == .refused)
    #expect(try await outcome("/run/closed.sock", 30) == .denied)
    #expect(try await outcome("/run/none.sock", 41) == .missing)
    // What the container's first process does not see its others do not see either.
    #expect(try await outcome("/run/other.sock", 41) == .missing)
    #expect(world.unread.isEmpty, "\(world.unread)")
  }

  /// The same name at another port is asked for by the address that is dialled, not by the port in the URL.
  @Test func eachPortHasItsOwnAnswer() async throws {
    let text = """
      ##502## curl http://shop.example.test/ --connect-to ::127.0.0.1:80 -sSik -m 8
      curl: (7) Failed to connect to 127.0.0.1 port 80 after 0 ms: Couldn't connect to server

      ##502## curl http://127.0.0.1:3000/ -H Host: shop.example.test:8443 -sSik -m 8
      HTTP/1.0 200 OK

      hello
      ##502## curl http://shop.example.test/ --connect-to ::127.0.0.1:4000 -sSik -m 8
      HTTP/1.0 404 Not Found

      """
    let world = PastedWorld(text, before: Sandbox(), signs: Self.signs)
    for (port, status) in [(3000, 200), (4000, 404), (80, nil)] as [(UInt16, Int?)] {
      let request = HTTPRequest(url: "http://shop.example.test/", address: "127.0.0.1", port: port, place: .host)
      #expect(try await world.see(request).status == status, "\(port)")
    }
  }

  /// A network in common is no way to the address that the other one has in a network of its own.
  @Test func anAddressIsReachedInItsOwnNetworkAlone() async throws {
    func container(_ name: String, _ pid: Int, _ networks: [(String, String)]) -> String {
      let ends = networks.map { #""\#($0)": {"NetworkID": "id-\#($0)", "IPAddress": "\#($1)"}"# }
      let id = String(repeating: String(name.prefix(1)), count: 64)
      return #"{"Id": "\#(id)", "Name": "/\#(name)", "State": {"Pid": \#(pid), "Status": "running"}, "#
        + #""NetworkSettings": {"Networks": {\#(ends.joined(separator: ", "))}}}"#
    }
    let text = """
      $ docker inspect proxy app
      [\(container("proxy", 7, [("web", "172.18.0.2")])),
       \(container("app", 8, [("web", "172.18.0.3"), ("database", "172.19.0.3")]))]
      $ nsenter -t 8 -n ss -ltn
      State  Recv-Q Send-Q Local Address:Port Peer Address:Port
      LISTEN 0      5            0.0.0.0:3001      0.0.0.0:*
      $ curl -i http://172.19.0.3:3001/
      HTTP/1.0 200 OK

      """
    let world = PastedWorld(text, before: Sandbox(), signs: Self.signs)
    for (address, outcome) in [("172.18.0.3", TCPConnect.Sight.Outcome.accepted), ("172.19.0.3", .timeout)] {
      let seen = try await world.see(TCPConnect(address: address, port: 3001, place: .process(7)))
      #expect(seen.outcome == outcome, "\(address)")
    }
    #expect(try await connects(world, "172.19.0.3", 3001) == .accepted)
  }

  /// What `collect` copies out of a container that does not run.
  @Test func filesOfWhatHasStopped() async throws {
    let id = String(repeating: "b", count: 64)
    let text = """
      ##502## docker inspect \(id)
      [{"Id": "\(id)", "Name": "/docs", "State": {"Pid": 0, "Status": "exited"}}]

      ##502## docker cp \(id):/etc/nginx - | tar -tv
      drwxr-xr-x root/root         0 2026-11-30 20:40 nginx/
      -rw-r--r-- root/root         9 2026-11-30 20:40 nginx/nginx.conf
      ==> nginx/nginx.conf <==
      events {}

      """
    let world = PastedWorld(text, before: Sandbox(), signs: Self.signs)
    let copy = try await world.see(DockerGet(path: "/containers/\(id)/archive?path=/etc/nginx"))
    #expect(copy.status == 200 && String(decoding: copy.body, as: UTF8.self).contains("events {}"))
    #expect(world.unread.isEmpty, "\(world.unread)")
  }

  /// What the proxy wrote down of its own resolver stands for that one, and for no other.
  @Test func theProxysOwnResolver() async throws {
    let text = """
      $ docker inspect proxy
      [{"Id": "\(String(repeating: "a", count: 64))", "Name": "/proxy", "State": {"Pid": 7, "Status": "running"},
        "NetworkSettings": {"Networks": {"web": {"IPAddress": "172.18.0.2"}}}}]
      $ docker logs proxy
      2026/11/30 21:37:40 [error] 6#6: *9 shop could not be resolved (3: Host not found), client: 172.18.0.1
      2026/11/30 21:37:49 [error] 6#6: *10 shop could not be resolved (110: Operation timed out), client: 172.18.0.1
      """
    let world = PastedWorld(text, before: Sandbox(), signs: Self.signs)
    let own = DNSQuery(name: "shop", servers: ["127.0.0.53"], place: .process(7))
    #expect(try await world.see(own).answer == .silent)
    for other in [
      DNSQuery(name: "workshop", servers: ["127.0.0.53"], place: .process(7)),
      DNSQuery(name: "shop", servers: ["127.0.0.11"], place: .process(7)),
    ] {
      guard case .failure(.notRecorded) = await world.result(of: other) else {
        Issue.record("\(other) was answered")
        continue
      }
    }
  }

  /// Of samples `collect` prints the names alone: which there are is known, what they say is not.
  @Test func samplesAreKnownByName() async throws {
    let text = """
      ##502## stat -c %Y %s %n /proc/7/root/config/nginx/nginx.conf /proc/7/root/config/nginx/confs/wiki.conf.sample
      1796072146 20 /proc/7/root/config/nginx/nginx.conf
      1796072146 20 /proc/7/root/config/nginx/confs/wiki.conf.sample

      ##502## find /proc/7/root/config/nginx -type l -exec ls -ld {} +

      ##502## cat /proc/7/root/config/nginx/nginx.conf
      events {}
      """
    let world = PastedWorld(text, before: Sandbox(), signs: Self.signs)
    for (name, count) in [("wiki", 1), ("shop", 0)] {
      let path = "/config/nginx/confs/\(name).conf.sample"
      #expect(try await world.see(FileGlob(pattern: path, place: .process(7))).count == count)
    }
    let read = await world.result(of: FileRead(path: "/config/nginx/confs/wiki.conf.sample", place: .process(7)))
    guard case .failure(.notRecorded) = read else {
      Issue.record("\(read)")
      return
    }
  }

  /// A container without `getent` has not said that there is no such name.
  @Test func noAnswerIsNotNoName() async throws {
    let failed = "OCI runtime exec failed: exec failed: exec: \"getent\": executable file not found in $PATH: unknown"
    let text = try PastedTests.output("docker-inspect") + "\n$ docker exec shop getent hosts db\n" + failed
    let world = PastedWorld(text, before: Sandbox(), signs: Self.signs)
    #expect(world.unread.map(\.line) == [failed])
    let seen = await world.result(of: DNSQuery(name: "db", servers: ["1.1.1.1"], place: .process(6379)))
    guard case .failure(.notRecorded) = seen else {
      Issue.record("\(seen)")
      return
    }
  }

  // MARK: Sockets

  @Test(arguments: ["ss-ltn", "netstat-busybox", "lsof"]) func whoListens(_ name: String) async throws {
    let world = try world(name)
    let listeners = try await world.see(Listeners(place: .host))
    #expect(listeners.contains { $0.address == "127.0.0.1" && $0.port == 18080 })
    #expect(listeners.first { $0.port == 18080 }?.processes.isEmpty == (name != "lsof"))
    #expect(world.unread.isEmpty, "\(world.unread)")
    #expect(try await connects(world, "127.0.0.1", 81) == .refused)
  }

  @Test(arguments: ["nc", "ncat"]) func connections(_ name: String) async throws {
    let world = try world(name)
    #expect(try await connects(world, "127.0.0.1", 18080) == .accepted)
    #expect(try await connects(world, "127.0.0.1", 81) == .refused)
    #expect(world.unread.isEmpty, "\(world.unread)")
  }

  @Test(arguments: ["ping", "ping-busybox"]) func namesThatWerePinged(_ name: String) async throws {
    #expect(try await world(name).see(SystemLookup(name: "localhost")) == ["127.0.0.1"])
  }

  // MARK: TLS

  @Test(arguments: ["openssl-s_client", "curl-v-tls"]) func aCertificate(_ name: String) async throws {
    // A request is known from `curl` alone.
    let world = try world(name, "curl-v-tls")
    var request = HTTPRequest(url: "https://127.0.0.1:18443/")
    request.tls = .verify(authorities: nil)
    let seen = try await world.see(request)
    guard case .untrusted(let why)? = seen.failure else {
      Issue.record("it is signed by itself, and the answer is \(seen)")
      return
    }
    #expect(why.contains("self-signed"))
    request.tls = .anyCertificate
    #expect(try await world.see(request).status == 200)
  }

  @Test func aCertificateInFull() async throws {
    let world = try world("curl-v-tls", "openssl-s_client")
    var request = HTTPRequest(url: "https://shop.internal:18443/", address: "127.0.0.1", port: 18443)
    request.tls = .verifyNameAndDate
    let seen = try await world.see(request)
    #expect(seen.status == 200 && seen.certificate?.names == ["shop.internal", "127.0.0.1"])
    request.tlsName = "other.internal"
    guard case .untrusted(let why)? = try await world.see(request).failure else {
      Issue.record("it is for another name")
      return
    }
    #expect(why.contains("mismatch"))
    request.tlsName = nil
    // It is trusted by whoever knows that very one, and by nobody who knows another one alone.
    request.tls = .verify(authorities: try PastedTests.output("openssl-s_client"))
    #expect(try await world.see(request).status == 200)
  }

  /// TLS 1.3 with an app that asks for a certificate: curl 7.88 and OpenSSL 3.0.
  @Test func anAppThatAsksForACertificate() async throws {
    let text = """
      ##502## nsenter -t 1 -n curl https://172.23.0.2:8443/ -H Host: vault.example.test -sSik -m 8
      curl: (56) OpenSSL SSL_read: OpenSSL/3.0.19: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0

      ##502## nsenter -t 1 -n timeout 5 openssl s_client -connect 172.23.0.2:8443
      depth=0 CN = vault
      verify error:num=18:self-signed certificate
      verify return:1
      CONNECTED(00000003)
      ---
      subject=CN = vault
      issuer=CN = vault
      ---
      No client certificate CA names sent
      Requested Signature Algorithms: ECDSA+SHA256:ed25519
      ---
      """
    let world = PastedWorld(text, before: Sandbox(), signs: Self.signs)
    let sight = try await world.see(HTTPRequest(url: "https://172.23.0.2:8443/", place: .host))
    guard case .handshake(let words) = sight.failure else {
      Issue.record("no handshake failed: \(sight)")
      return
    }
    #expect(words.contains("0A00045C") && sight.wantsCertificate == true && sight.certificate?.subject == "CN = vault")
  }

  /// `ss` has brackets for a socket that takes IPv6 alone, and a star for one that takes both kinds of addresses.
  @Test func whichAddressesASocketTakes() async throws {
    let text = """
      $ ss -ltn
      State  Recv-Q Send-Q Local Address:Port  Peer Address:Port
      LISTEN 0      4096            [::]:20192         [::]:*
      LISTEN 0      128                *:4000             *:*
      """
    let all = try await PastedWorld(text, before: Sandbox(), signs: Self.signs).see(Listeners(place: .host))
    #expect(all.map(\.isIPv6Only) == [false, true] && all.map(\.port) == [4000, 20192])
  }

  /// How many wait at a port, how many may, and how many are worked on: the kernel's table has the first and the last.
  @Test func connectionsThatWait() async throws {
    let text = """
      ##502## cat /proc/41/net/tcp /proc/41/net/tcp6
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 00000000:11D7 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 21700347 4 0 100 0 0 10 0
         1: 020014AC:11D7 030014AC:9C40 01 00000000:00000000 00:00000000 00000000     0        0 21700348 1 0 20 4 30 10 -1
         2: 020014AC:11D7 030014AC:9C42 01 00000000:00000042 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1

      ##502## nsenter -t 41 -n ss -ltn
      State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process
      LISTEN 3      2            0.0.0.0:4567      0.0.0.0:*

      ##502## end
      """
    let world = PastedWorld(text, before: Sandbox(), signs: Self.signs)
    let listener = try #require(try await world.see(Listeners(place: .process(41))).first)
    #expect(listener.waiting == 3 && listener.most == 2 && listener.accepted == 1 && world.unread.isEmpty)
  }

  @Test func nobodyToShakeHandsWith() async throws {
    #expect(try await connects(world("openssl-s_client-fails"), "127.0.0.1", 1) == .refused)
  }

  // MARK: The machine

  @Test func aServiceThatRuns() async throws {
    let world = try world("systemctl")
    let found = try await world.see(Processes(names: ["nginx"]))
    #expect(found.map(\.id) == [812, 813, 814] && found[0].command.starts(with: ["nginx:", "master", "process"]))
    let log = try await world.see(FileRead(path: "/var/log/nginx/error.log", limit: 65_536, fromEnd: true))
    #expect(log.text.hasPrefix("2026/11/30 09:12:03 [error]"))
    #expect(world.unread.isEmpty, "\(world.unread)")
  }

  @Test func aServiceThatDoesNot() async throws {
    let world = try world("systemctl-inactive")
    #expect(try await world.see(Processes(names: ["nginx"])) == [])
    #expect(try await world.see(FileGlob(pattern: "/usr/sbin/nginx")) == ["/usr/sbin/nginx"])
    #expect(try await world.see(OnlyRootChanges(path: "/usr/sbin/nginx")))
    #expect(world.unread.isEmpty, "\(world.unread)")
  }

  @Test func theJournal() async throws {
    let log = try await world("journalctl").see(
      FileRead(path: "/var/log/nginx/error.log", limit: 65_536, fromEnd: true))
    #expect(log.text.contains("Connection refused") && !log.text.contains("Reloading"))
  }

  @Test func disks() async throws {
    let seen = try await world("df").see(FileSystem(path: "/var/lib/docker"))
    #expect(seen.size > 200_000_000_000 && seen.free > 50_000_000_000)
  }

  // MARK: Web pages

  @Test(arguments: [
    ("portainer", ["shop-app-1": "exited", "shop-proxy-1": "running"]),
    ("unraid", ["paperless": "exited", "swag": "running"]),
    ("synology", ["shop": "exited", "nginx-proxy": "running"]),
  ])
  func listsOfWebPages(_ name: String, _ states: [String: String]) async throws {
    let world = try world(name)
    let list = try await containers(in: world)
    let found = list.compactMap { row in
      row["Names"]?.texts.first.flatMap { name in row["State"]?.text.map { (String(name.dropFirst()), $0) } }
    }
    #expect(Dictionary(found) { $1 } == states)
    // The line that says where the form is from is none of the list.
    #expect(world.unread.map(\.number) == [1])
  }

  @Test func portsOfWebPages() async throws {
    let list = try await containers(in: world("portainer", "unraid"))
    func ports(_ name: String) -> [[Double?]] {
      let row = list.first { $0["Names"]?.texts == ["/" + name] }
      return (row?["Ports"]?.elements ?? []).map { [$0["PublicPort"]?.number, $0["PrivatePort"]?.number] }
    }
    #expect(ports("shop-proxy-1") == [[8080, 80], [8443, 443]])
    #expect(ports("swag") == [[18443, 443], [180, 80]])
  }
}
