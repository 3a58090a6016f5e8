import Fixture
import Model
import Pasted
import Testing

@testable import World

/// Every kind of look that the program takes can be answered by a person who pastes what a command prints.
struct LookTests {
  /// Something that is pasted, and a look that it answers.
  private struct Answered: Sendable {
    let paste: String
    let isSeen: @Sendable (PastedWorld) async -> Bool

    init<L: Look>(_ look: L, _ paste: String, _ fits: @escaping @Sendable (L.Sight) -> Bool) {
      self.paste = paste
      isSeen = { world in (try? await world.see(look)).map(fits) ?? false }
    }
  }

  private static let examples: [String: Answered] = [
    CommandRun.kind: Answered(CommandRun(.packetFilter), "# iptables -S\n-P INPUT DROP") {
      $0.output.contains(":INPUT DROP")
    },
    DNSQuery.kind: Answered(
      DNSQuery(name: "app", servers: ["1.1.1.1"], place: .host), "$ dig +short app\n172.18.0.2"
    ) { $0.addresses == ["172.18.0.2"] },
    DockerGet.kind: Answered(
      DockerGet(path: "/containers/json?all=1"),
      """
      $ docker ps -a
      CONTAINER ID   IMAGE     COMMAND   CREATED         STATUS         PORTS     NAMES
      8103622a0925   nginx     "nginx"   4 seconds ago   Up 2 seconds   80/tcp    shop
      """
    ) { $0.status == 200 },
    Exchange.kind: Answered(
      Exchange(address: "127.0.0.1", port: 22, place: .host, limit: 1),
      "##502## curl telnet://127.0.0.1:22 -\n 53 53 48 2d"
    ) { $0.received == Array("SSH-".utf8) },
    FileGlob.kind: Answered(FileGlob(pattern: "/etc/nginx/*.conf"), "$ cat /etc/nginx/nginx.conf\nevents {}") {
      $0 == ["/etc/nginx/nginx.conf"]
    },
    FileRead.kind: Answered(FileRead(path: "/etc/nginx/nginx.conf"), "$ cat /etc/nginx/nginx.conf\nevents {}") {
      $0.text == "events {}\n"
    },
    FileSystem.kind: Answered(
      FileSystem(path: "/"),
      "$ df /\nFilesystem     1K-blocks     Used Available Use% Mounted on\n/dev/vda  1000 900 100  90% /"
    ) { $0.size == 1_024_000 && $0.free == 102_400 },
    HTTPRequest.kind: Answered(
      HTTPRequest(url: "http://127.0.0.1:8080/"), "$ curl -i http://127.0.0.1:8080/\nHTTP/1.1 200 OK\n\nhello"
    ) { $0.status == 200 },
    IsRoot.kind: Answered(IsRoot(), "$ id\nuid=0(root) gid=0(root) groups=0(root)") { $0 },
    Listeners.kind: Answered(
      Listeners(place: .host),
      "$ ss -ltn\nState Recv-Q Send-Q Local Address:Port Peer Address:Port\nLISTEN 0 5 0.0.0.0:80 0.0.0.0:*"
    ) { $0.map(\.port) == [80] },
    OnlyRootChanges.kind: Answered(
      OnlyRootChanges(path: "/usr/sbin"),
      """
      $ ls -ld / /usr /usr/sbin
      drwxr-xr-x 21 root root  4096 Nov 30 09:28 /
      drwxr-xr-x 13 root root  4096 Nov 30 09:28 /usr
      drwxr-xr-x  2 root root 20480 Nov 30 09:28 /usr/sbin
      """
    ) { $0 },
    OwnAddresses.kind: Answered(OwnAddresses(), "$ ip -o addr\n1: lo    inet 127.0.0.1/8 scope host lo") {
      $0 == ["127.0.0.1"]
    },
    Processes.kind: Answered(
      Processes(names: ["nginx"]),
      "$ ss -ltnp\nLISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:((\"nginx\",pid=7,fd=6))"
    ) { $0.map(\.id) == [7] },
    SQLiteQuery.kind: Answered(
      SQLiteQuery(path: "/data/database.sqlite", place: .host, sql: "SELECT * FROM proxy_host"),
      "$ sqlite3 -json /data/database.sqlite 'select * from proxy_host;'\n[{\"id\":1,\"enabled\":1,\"meta\":null}]"
    ) { $0 == [["id": "1", "enabled": "1"]] },
    UnixConnect.kind: Answered(
      UnixConnect(path: "/run/app.sock", place: .host),
      "$ ls -l /run/app.sock\nls: cannot access '/run/app.sock': No such file or directory"
    ) { $0.outcome == .missing },
    StatsSocket.kind: Answered(
      StatsSocket(path: "/run/haproxy/admin.sock", place: .host, question: .statistics),
      "$ echo 'show stat' | socat stdio /run/haproxy/admin.sock\n# pxname,svname,qcur\nshop,app,0"
    ) { $0.hasPrefix("# pxname") },
    SystemLookup.kind: Answered(SystemLookup(name: "app"), "$ getent hosts app\n172.18.0.2      app") {
      $0 == ["172.18.0.2"]
    },
    TCPConnect.kind: Answered(
      TCPConnect(address: "172.18.0.2", port: 80, place: .host),
      "$ nc -zv 172.18.0.2 80\nnc: connect to 172.18.0.2 port 80 (tcp) failed: Connection refused"
    ) { $0.outcome == .refused },
  ]

  /// Kinds that nobody can give by hand, each with its reason.
  private static let reasons: [String: String] = [:]

  @Test func everyKindOfLook() async {
    for look in Recording.kinds {
      #expect(
        (Self.examples[look.kind] == nil) != (Self.reasons[look.kind] == nil),
        "\(look.kind): a person can paste it, or there is a reason why not")
    }
    for (kind, example) in Self.examples {
      let world = PastedWorld(example.paste, before: Recording(), signs: OutputTests.signs)
      #expect(await example.isSeen(world), "\(kind) is not seen in \(example.paste)")
      #expect(world.unread.isEmpty, "\(kind): \(world.unread)")
    }
  }
}
