import Checks
import Fixture
import Flow
import Model
import Reader
import Testing
import World

@testable import Pasted

/// A machine beside which somebody pastes.
struct PasteboardTests {
  private static let signs =
    Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog?.signs
    ?? Signs()
  private static let id = String(repeating: "4f", count: 32)

  private func board(_ machine: Sandbox = Sandbox()) -> Pasteboard { Pasteboard(machine, Self.signs) }

  /// A machine of the name `web1` with one container.
  private func web1() -> Sandbox {
    Sandbox(files: ["/proc/sys/kernel/hostname": "web1\n"])
      .containers(#"{"Id": "\#(Self.id)", "Names": ["/shop"], "State": "running"}"#)
      .with(Listeners(place: .host), unseen: .notPermitted(what: "/proc/net/tcp"))
  }

  private static let sockets = """
    State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
    LISTEN 0      511          0.0.0.0:80        0.0.0.0:*    users:(("nginx",pid=7,fd=6))
    """

  @Test func whatIsUnderstoodIsCounted() async throws {
    let text = try ["docker-inspect"].map { try PastedTests.output($0) }.joined(separator: "\n")
    let board = board()
    let understanding = await board.take(text, servesHere: false)
    let counts = Dictionary(uniqueKeysWithValues: understanding.counts.map { ($0.kind, $0.count) })
    #expect(counts["containers"] == 2 && counts["networks"] == 1, "\(counts)")
    #expect(understanding.refusal == nil)
  }

  /// Whoever may ask the engine but read no file copies it out of the container, which only the engine can tell.
  @Test func whichContainerACommandNamesTheMachineTells() async throws {
    let machine = web1().with(
      DockerGet(path: "/containers/shop/json"),
      .init(
        status: 200,
        body: Array(
          #"{"Id": "\#(Self.id)", "Name": "/shop", "State": {"Status": "running", "Pid": 77}, "HostConfig": {}}"#.utf8),
        version: "1.41", engine: "Docker")
    ).with(FileRead(path: "/etc/app.conf", place: .process(77)), unseen: .notPermitted(what: "/etc/app.conf"))
    let board = board(machine)
    let text = "me@web1:~$ docker cp -L shop:/etc/app.conf - | tar -xO\nport = 8080\n"
    let understanding = await board.take(text, servesHere: true)
    #expect(understanding.counts.map(\.kind) == ["files"] && !understanding.isElsewhere)
    #expect(try await board.see(FileRead(path: "/etc/app.conf", place: .process(77))).text == "port = 8080\n")
  }

  /// Of a list the state of the app is known where it has but one, and where that needs no closer look.
  @Test(
    arguments: [
      ("Exited (1) 5 minutes ago", "exited"), ("Exited (137) 5 minutes ago", nil), ("Up 2 hours", "running"),
      ("Up 4 seconds", nil), ("Up 2 hours (unhealthy)", "unhealthy"), ("Restarting (1) 3 seconds ago", "restarting"),
      ("Up 2 hours (Paused)", "paused"), ("Created", "exited"),
    ] as [(String, String?)])
  func theStateOfTheOnlyApp(_ status: String, _ state: String?) async {
    func row(_ cells: [String]) -> String { cells.map { $0.padding(28) }.joined() }
    let rows = [
      ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"],
      ["0123456789ab", "shop:1", "\"run\"", "2 hours ago", status, "", "shop"],
      ["0123456789ac", "nginx:1.25", "\"nginx\"", "2 hours ago", "Up 2 hours", "80/tcp", "web"],
    ]
    let list = (["me@nas:~$ docker ps -a"] + rows.map(row)).joined(separator: "\n")
    #expect(await board().take(list, servesHere: false).tells["container.status"] == state)
    let isDown = state == "exited" || state == "restarting"
    #expect(await board().take(list, servesHere: false).tells["app.listens"] == (isDown ? state : nil))
    let more = list + "\n" + row(["0123456789ad", "postgres:16", "\"run\"", "2 hours ago", status, "", "db"])
    #expect(await board().take(more, servesHere: false).tells["container.status"] == nil)
  }

  /// Of the same machine it fills in what may not be seen, and nothing else.
  @Test func ofThisMachineItFillsInWhatIsHidden() async throws {
    let board = board(web1())
    let text = "root@web1:~# ss -ltnp\n" + Self.sockets
    let understanding = await board.take(text, servesHere: false)
    #expect(!understanding.isElsewhere && understanding.counts.map(\.kind).contains("ports"))
    let listeners = await board.answer(to: Listeners(place: .host))
    #expect(try listeners.result.get().map(\.port) == [80] && listeners.hearsay == .whole)
    let list = await board.answer(to: DockerGet(path: "/containers/json?all=1"))
    #expect(try String(decoding: list.result.get().body, as: UTF8.self).contains("shop") && list.hearsay == nil)
  }

  @Test func ofAnotherMachineItTakesTheMachinesPlace() async throws {
    let board = board(web1())
    let understanding = await board.take("me@db2:~$ ss -ltnp\n" + Self.sockets, servesHere: true)
    #expect(understanding.isElsewhere)
    let list = await board.result(of: DockerGet(path: "/containers/json?all=1"))
    guard case .failure(.notRecorded) = list else {
      Issue.record("this machine is still looked at: \(list)")
      return
    }
    // Another machine's output changes nothing any more.
    let other = await board.take("me@web1:~$ ss -ltnp\n", servesHere: true)
    #expect(other == .refused(.machines(["db2", "web1"])))
    #expect(try await board.see(Listeners(place: .host)).map(\.port) == [80])
  }

  /// Without a name in a prompt a container tells.
  @Test(arguments: [(String(id.prefix(12)), false), ("0123456789ab", true)])
  func aContainerTellsWhoseOutputItIs(_ id: String, _ isElsewhere: Bool) async {
    let text = """
      CONTAINER ID   IMAGE     COMMAND   CREATED       STATUS       PORTS     NAMES
      \(id)   shop:1    "run"     2 hours ago   Up 2 hours   80/tcp    shop
      """
    #expect(await board(web1()).take(text, servesHere: true).isElsewhere == isElsewhere)
  }

  @Test(arguments: [
    ("root@web1:~# id -u\n0\nroot@db2:~# id -u\n0\n", Understanding.Refusal.machines(["db2", "web1"])),
    ("\u{7F}ELF\0\0\0", .binary), (String(repeating: "\u{FFFD}\u{1}", count: 50), .binary),
    (String(repeating: "0123456789\n", count: 100_000), .long),
    ("On branch main\nnothing to commit, working tree clean\n", .nothing), ("\n\n", .nothing),
    ("\u{1B}]0;evil\u{7}\u{1B}[2J\u{1B}[31m", .nothing),
  ])
  func whatCannotBeUsedLeavesWhatWasKnown(_ text: String, _ refusal: Understanding.Refusal) async throws {
    let board = board(web1())
    _ = await board.take("root@web1:~# ss -ltnp\n" + Self.sockets, servesHere: false)
    #expect(await board.take(text, servesHere: false).refusal == refusal)
    #expect(try await board.see(Listeners(place: .host)).map(\.port) == [80])
  }

  /// A name from a paste is a name, whatever a shell would make of it.
  @Test func aContainersNameIsNoCommand() async throws {
    let text = """
      CONTAINER ID   IMAGE     COMMAND   CREATED       STATUS       PORTS     NAMES
      0123456789ab   shop:1    "run"     2 hours ago   Up 2 hours   80/tcp    $(reboot)
      """
    let board = board()
    #expect(await board.take(text, servesHere: false).counts.map(\.kind) == ["containers"])
    let list = try await board.see(DockerGet(path: "/containers/json?all=1"))
    #expect(String(decoding: list.body, as: UTF8.self).contains("$(reboot)"))
  }

  @Test func linesOfLogsAreSeenAndSayWhatTheyShow() async {
    let line =
      #"2026/11/25 04:47:50 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.9, server: shop.example.org, request: "GET / HTTP/1.1", upstream: "http://10.0.0.2:3000/", host: "shop.example.org""#
    let understanding = await board().take(line + "\nsomething else\n", servesHere: false)
    #expect(understanding.shows == ["refused"])
    #expect(understanding.counts.map(\.kind) == ["lines"] && understanding.unread == 1)
  }

  /// What rests on an output that is cut, or has a line that could not be read, says so.
  @Test(arguments: [("", Hearsay.whole), ("broken row\n", .cut), ("--More--\n", .cut)])
  func aCutOutputIsHalfAWord(_ end: String, _ hearsay: Hearsay) async {
    let text = """
      root@web1:~# docker ps -a
      CONTAINER ID   IMAGE     COMMAND   CREATED       STATUS       PORTS     NAMES
      0123456789ab   shop:1    "run"     2 hours ago   Up 2 hours   80/tcp    shop

      """
    let board = board()
    _ = await board.take(text + end, servesHere: false)
    #expect(await board.answer(to: DockerGet(path: "/containers/json?all=1")).hearsay == hearsay)
  }
}

extension String {
  /// As wide as a column of a table.
  fileprivate func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
