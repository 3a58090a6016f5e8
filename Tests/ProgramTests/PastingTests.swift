import Foundation
import Pane
import Testing

/// What a person pastes into a real terminal is evidence on every screen, whether the terminal marks it as a paste or sends
/// it as if it was typed, and no key of it is pressed.
@Suite(.serialized) struct PastingTests {
  /// As people copy it: with prompts, with ends of lines of two kinds, with colours; and a container with a name that a
  /// shell would obey.
  private static let outputs = """
    root@nas:~# docker ps -a\r
    CONTAINER ID   IMAGE        COMMAND     CREATED       STATUS                     PORTS                NAMES\r
    4f6a2f3f00b8   shop:1.4     "python3"   2 hours ago   Exited (1) 5 minutes ago                        $(reboot)\r
    9a6a2f3f00b9   nginx:1.25   "nginx"     2 hours ago   Up 2 hours                 0.0.0.0:80->80/tcp   web\r
    root@nas:~# docker logs web
    \u{1B}[31m2026/11/30 10:00:00 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, \
    client: 10.0.0.9, server: shop.example.org, request: "GET / HTTP/1.1", upstream: "http://10.0.0.2:8080/", host: \
    "shop.example.org"\u{1B}[0m

    """

  /// Of a machine of its own: nginx, its site, and nobody at the port to which that leads.
  private static let system = """
    root@nas:~# ss -ltnp
    State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
    LISTEN 0      511          0.0.0.0:80        0.0.0.0:*    users:(("nginx",pid=812,fd=6))
    root@nas:~# cat /etc/nginx/conf.d/shop.conf
    server {
      listen 80;
      server_name shop.invalid;
      location / { proxy_pass http://127.0.0.1:3000; }
    }
    root@nas:~# curl -i http://shop.invalid/
    HTTP/1.1 502 Bad Gateway
    Server: nginx/1.22.1

    <html><center><h1>502 Bad Gateway</h1></center><hr><center>nginx/1.22.1</center></html>

    """

  /// Bytes of which no terminal and no program is to do anything: Ctrl-C, Ctrl-Z and Ctrl-\ among them, keys, and no UTF-8.
  private static let binary = Data(
    [0x7F, 0x45, 0x4C, 0x46, 0x20, 0, 0x03, 0x1A, 0x1C, 0x13, 0x0A] + Array("q y 1\n".utf8)
      + (0..<600).map { UInt8($0 % 256) }.filter { $0 != 0x1B })
  private static let sequences =
    "some\u{1B}[2J\u{1B}[1;1H words\u{1B}]0;stolen title\u{07} q y\nand\u{1B}[?2004l a second line\n"

  /// `make pastes`: in every size by both ways, and ten megabytes; otherwise half of that.
  private static let isLong = ProcessInfo.processInfo.environment["PASTES"] != nil
  private static let walks = [(80, 24, true), (40, 12, false)] + (isLong ? [(80, 24, false), (40, 12, true)] : [])

  private func start(_ pane: Pane, _ words: String) throws {
    let engine = Program.withoutDocker.map { "\($0.key)=\($0.value)" }.joined()
    try pane.shell(
      "clear; env \(engine) XDG_STATE_HOME= HOME=\(pane.folder.path) \(Program.path) \(words); echo code $?")
  }

  /// - Parameter isMarked: As terminals do it that know of pastes.
  private func paste(_ data: Data, _ pane: Pane, isMarked: Bool) throws {
    try data.write(to: pane.folder.appending(path: "paste"))
    try pane.tmux("load-buffer", pane.folder.path + "/paste")
    if isMarked { try pane.tmux("paste-buffer", "-p") } else { try pane.tmux("paste-buffer") }
  }
  private func paste(_ text: String, _ pane: Pane, isMarked: Bool) throws {
    try paste(Data(text.utf8), pane, isMarked: isMarked)
  }

  private func title(_ pane: Pane) throws -> String {
    String(try pane.screen.split(separator: "\n").first ?? "").prefix(20).trimmingCharacters(in: .whitespaces)
  }

  @Test(arguments: walks) func onAQuestionAndOnItsPages(columns: Int, rows: Int, isMarked: Bool) throws {
    let pane = try Pane(columns: columns, rows: rows)
    try start(pane, "http://shop.invalid/")
    try pane.waits(for: "Question 1", seconds: 40)
    try paste(Self.outputs, pane, isMarked: isMarked)
    try pane.waits(for: "Read: 2 containers", seconds: 20)
    try pane.waits(for: "Question 1", seconds: 20)
    let name = try pane.format("#{pane_title}")
    for page in ["", "?", "w"] {
      if !page.isEmpty { try pane.keys(page) }
      try pane.waits("\(page) opens nothing") { try page.isEmpty || !title(pane).hasPrefix("Question") }
      let before = try title(pane)
      for (bad, sentence) in [(Self.binary, "is no text"), (Data(Self.sequences.utf8), "Nothing of what you")] {
        try paste(bad, pane, isMarked: isMarked)
        try pane.waits(for: sentence, seconds: 20)
        #expect(try title(pane) == before, "\(page)")
      }
      if !page.isEmpty { try pane.keys("Escape") }
      try pane.waits(for: "Question 1")
    }
    #expect(try pane.format("#{pane_title}") == name)
    // What was known before stays: the app's state is asked of nobody, and neither is what the log says.
    try pane.keys("1")
    try pane.waits(for: "The app does not run", seconds: 20)
    // On the result: what comes of this machine takes the place of the answers.
    try paste(Self.system, pane, isMarked: isMarked)
    try pane.waits(for: "Read: ", seconds: 20)
    try pane.keys("C-c")
    try pane.waits(for: "code 130")
    #expect(try !pane.screen.contains("not found"), "the shell has got a part of it")
  }

  @Test(arguments: walks) func onTheFirstScreenAndWithoutAnyQuestion(columns: Int, rows: Int, isMarked: Bool) throws {
    let pane = try Pane(columns: columns, rows: rows)
    try start(pane, "")
    try pane.waits(for: "Which address", seconds: 40)
    for (bad, sentence) in [(Self.binary, "is no text"), (Data(Self.sequences.utf8), "Nothing of what you")] {
      try paste(bad, pane, isMarked: isMarked)
      try pane.waits(for: sentence, seconds: 20)
    }
    try paste(Self.system, pane, isMarked: isMarked)
    try pane.waits(for: "Read: 2 files", seconds: 20)
    // The field is as empty as before, and an address is typed as ever.
    try pane.tmux("send-keys", "-l", "http://shop.invalid/")
    try pane.keys("Enter")
    try pane.waits(for: "Result for shop.invalid", seconds: 40)
    try pane.keys("e")
    try pane.waits(for: "What was seen")
    try pane.keys("Home")
    var isSaid = false
    for _ in 0..<30 where !isSaid {
      let words = try pane.screen.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      isSaid = words.joined(separator: " ").contains("pasted it)")
      try pane.keys("PageDown")
      usleep(100_000)
    }
    #expect(isSaid, "nothing says that it was pasted")
    try pane.keys("C-c")
    try pane.waits(for: "code 130")
  }

  @Test func moreThanIsReadAtOnceIsRefusedInOneSentence() throws {
    let pane = try Pane()
    try start(pane, "http://shop.invalid/")
    try pane.waits(for: "Question 1", seconds: 40)
    try paste(
      String(repeating: "a line of nothing known, q y 1\n", count: Self.isLong ? 350_000 : 70_000), pane, isMarked: true
    )
    try pane.waits(for: "That is more than 1 megabyte", seconds: 40)
    try pane.keys("1")
    try pane.waits(for: "Question 2", seconds: 20)
    try pane.keys("C-c")
    try pane.waits(for: "code 130")
  }

  /// In lines the terminal itself reads Ctrl-C, so a paste with that ends the session; anything else is one sentence.
  @Test func inLines() throws {
    let pane = try Pane(rows: 60)
    try start(pane, "--plain http://shop.invalid/")
    try pane.waits(for: "quit:", seconds: 40)
    try paste(Self.outputs, pane, isMarked: false)
    try pane.waits(for: "Read: 2 containers, 1 container's log.", seconds: 20)
    try paste(Data(Self.binary.filter { $0 == 0x0A || $0 > 0x1F || $0 == 0 }), pane, isMarked: false)
    try pane.waits(for: "What you pasted is no text, so nothing of it was used.", seconds: 20)
    try paste(Self.sequences, pane, isMarked: false)
    try pane.waits(for: "Nothing of what you pasted could be read.", seconds: 20)
    try pane.shell("1")
    try pane.waits(for: "The app does not run", seconds: 20)
    try pane.shell("q")
    try pane.waits(for: "code ")
  }

  /// A report is read before it is saved, with what was hidden in it.
  @Test func aPreviewShowsWhatWasHidden() throws {
    let pane = try Pane()
    try start(pane, "'http://shop.invalid/?token=hunter2hunter2'")
    try pane.waits(for: "Question 1", seconds: 40)
    try pane.keys("v")
    try pane.waits(for: "The report, before it is saved")
    let screen = try pane.screen
    #expect(screen.contains("Hidden in this report, as …: ") && screen.contains("token=…"))
    #expect(!screen.contains("hunter2"))
    try pane.keys("s")
    try pane.waits(for: "Saved to ")
    try pane.keys("b")
    try pane.waits(for: "Question 1")
    try pane.keys("C-c")
    try pane.waits(for: "code 130")
  }
}
