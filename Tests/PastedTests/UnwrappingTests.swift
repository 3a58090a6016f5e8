import Fixture
import Foundation
import Model
import Pasted
import Testing
import World

/// What carries a paste, from a terminal, a browser, a mail or a forum: it is taken away once, for all readers.
struct UnwrappingTests {
  private static let wrappings: [(name: String, wrap: @Sendable ([Substring]) -> [String])] = [
    ("line ends of Windows", { $0.map { "\($0)\r" } }),
    ("colours", { $0.map { "\u{1B}[1;32m\($0)\u{1B}[0m" } }),
    ("a title and the marks of bracketed paste", { $0.map { "\u{1B}]0;root@nas: ~\u{07}\u{1B}[?2004h\($0)" } }),
    ("quoting", { $0.map { "> \($0)" } }),
    ("quoting twice", { $0.map { ">> \($0)" } }),
    ("a fence", { ["Here is what it says:", "", "```console"] + $0.map(String.init) + ["```", ""] }),
    ("cat -n", { $0.enumerated().map { String(repeating: " ", count: 6 - "\($0 + 1)".count) + "\($0 + 1)\t\($1)" } }),
    ("numbers with a colon", { $0.enumerated().map { "\($0 + 12): \($1)" } }),
    (
      "numbers of an editor",
      { $0.enumerated().map { String(repeating: " ", count: 4 - "\($0 + 1)".count) + "\($0 + 1) \($1)" } }
    ),
    ("blanks of a browser", { $0.map { String($0).replacing("  ", with: "\u{A0} ") } }),
  ]

  /// What a paste has to tell of the engine and the sockets.
  private func told(by text: String) async -> [[UInt8]] {
    let world = PastedWorld(text, before: Sandbox(), signs: OutputTests.signs)
    let list = try? await world.see(DockerGet(path: "/containers/json?all=1"))
    let listeners = try? await world.see(Listeners(place: .host))
    return [list?.body ?? [], (listeners ?? []).flatMap { Array("\($0.address):\($0.port) \($0.processes)".utf8) }]
  }

  @Test(arguments: wrappings.indices) func aWrapping(_ index: Int) async throws {
    let wrapping = Self.wrappings[index]
    for name in ["docker-ps", "docker-inspect", "ss", "netstat"] {
      let plain = try PastedTests.output(name)
      let carried = wrapping.wrap(plain.lines).joined(separator: "\n")
      #expect(await told(by: carried) == told(by: plain), "\(name) behind \(wrapping.name)")
    }
  }

  /// What a terminal of that width has cut into several lines.
  @Test(arguments: [72, 80, 100]) func wrappedLines(_ width: Int) async throws {
    for name in ["docker-ps", "docker-inspect", "ss"] {
      let plain = try PastedTests.output(name)
      let wrapped = plain.lines.flatMap { line -> [String] in
        stride(from: 0, to: max(line.count, 1), by: width).map { String(line.dropFirst($0).prefix(width)) }
      }
      #expect(await told(by: wrapped.joined(separator: "\n")) == told(by: plain), "\(name) in \(width) columns")
    }
  }

  @Test(arguments: [
    "root@nas:~# docker ps -a", "nas% docker ps -a", "➜  ~ docker ps -a", "➜  shop git:(main) ✗ docker ps -a",
    "me@nas ~> docker ps -a", "(venv) me@nas:~/shop$ sudo docker ps -a", "/ # docker ps -a",
    "[root@nas ~]# docker ps -a",
    "sh-5.1$ docker ps -a", "❯ docker ps -a", "nas:~$ docker ps -a 2>&1",
    "admin@nas:/volume1$ sudo /usr/bin/docker ps -a | tee list",
  ])
  func prompts(_ prompt: String) async throws {
    let plain = try PastedTests.output("docker-ps")
    let other = ([prompt] + plain.lines.dropFirst().map(String.init)).joined(separator: "\n")
    #expect(await told(by: other) == told(by: plain), "\(prompt)")
  }

  /// The command may stand above the fence; what stands around is unread, line by line.
  @Test func aCommandAboveItsFence() async throws {
    let output = try PastedTests.output("docker-ps").lines.dropFirst().joined(separator: "\n")
    let text = "It says 502.\n\nThe output of `docker ps -a`:\n\n```\n\(output)\n```\n\nThank you!\n"
    let world = PastedWorld(text, before: Sandbox(), signs: OutputTests.signs)
    #expect(try await told(by: text) == told(by: PastedTests.output("docker-ps")))
    #expect(world.unread.map(\.line) == ["It says 502.", "The output of `docker ps -a`:", "Thank you!"])
  }

  /// Whoever copies by hand misses the first lines and the last.
  @Test(arguments: [(1, 0), (0, 1), (30, 0), (0, 30), (30, 40)])
  func whatIsCut(_ first: Int, _ last: Int) async throws {
    let lines = try PastedTests.output("docker-inspect").lines
    let end = try #require(lines.firstIndex(of: "]"))
    let cut = lines[1...end].dropFirst(first).dropLast(last).joined(separator: "\n")
    let world = PastedWorld(cut, before: Sandbox(), signs: OutputTests.signs)
    let answer = try await world.see(DockerGet(path: "/containers/json?all=1"))
    let names = try #require(JSON(answer.body)).elements.flatMap { $0["Names"]?.texts ?? [] }
    #expect(names.contains("/shop-db"), "\(names)")
  }

  /// Numbers of processes that follow each other are no numbers of lines.
  @Test func processesInARow() async throws {
    let rows = [1, 3, 12, 13, 14, 15, 900].map { "   \($0 < 10 ? " " : "")\($0)     1 root     nginx: worker process" }
    let text = "# ps -eo pid,ppid,user,args\n  PID  PPID USER     COMMAND\n" + rows.joined(separator: "\n")
    let world = PastedWorld(text, before: Sandbox(), signs: OutputTests.signs)
    #expect(try await world.see(Processes(names: ["nginx"])).map(\.id) == [1, 3, 12, 13, 14, 15, 900])
  }

  /// Each of the two answers says so, under a header of its own.
  @Test func aNameWithoutAddressesOfBothKinds() async throws {
    let answer = ";; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 7\n;; QUESTION SECTION:\n;shop.test.  IN  "
    let text = "# dig +time=3 +tries=1 @10.1.1.1 shop.test A shop.test AAAA\n\(answer)A\n\n\(answer)AAAA\n"
    let world = PastedWorld(text, before: Sandbox(), signs: OutputTests.signs)
    #expect(try await world.see(DNSQuery(name: "shop.test", servers: ["10.1.1.1"], place: .host)).answer == .noSuchName)
  }

  /// A remark in a configuration is no command, and what other programs have left of a list is not all of it.
  @Test func whatIsNoCommand() async throws {
    let nginx = "server {\n    # nginx for the shop\n    # docker runs it\n    listen 80;\n}\n"
    let text = "$ cat /etc/nginx/conf.d/shop.conf\n" + nginx
    let world = PastedWorld(text, before: Sandbox(), signs: OutputTests.signs)
    #expect(try await world.see(FileRead(path: "/etc/nginx/conf.d/shop.conf")).text == nginx)
    let part = PastedWorld(
      "$ ss -ltn | grep :80\nLISTEN 0 5 0.0.0.0:80 0.0.0.0:*", before: Sandbox(), signs: OutputTests.signs)
    #expect(await (try? part.see(Listeners(place: .host)))?.isEmpty != false)
  }
}
