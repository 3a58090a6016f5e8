import Fixture
import Foundation
import Glibc
import Pane
import Testing

/// The guided session over a real ssh: its line drops, its terminal is resized or closed, and whoever may only follow it
/// tries for more.
@Suite(.serialized) struct SecureShellTests {
  private static let environment = ProcessInfo.processInfo.environment

  private func server() throws -> Server {
    try Server { peer in
      _ = peer.request()
      peer.answer("502 Bad Gateway", body: "<center>nginx/1.27.0</center>".utf8)
    }
  }

  /// Waits until the program of the last login has ended.
  private func waitForEnd(of program: pid_t, _ pane: Pane) throws {
    try pane.waits("the program runs on", seconds: 60) { Program.hasEnded(program) }
  }

  // MARK: Drops

  /// `DROPS` in the place of as many as there is time for in a minute; `DROPS_SEED`: those of another run.
  /// `make drops`: it takes minutes.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["DROPS"] != nil))
  func dropsAtRandomMomentsLoseNothing() throws {
    let wanted = Self.environment["DROPS"].flatMap { Int($0) }
    let seed = Self.environment["DROPS_SEED"].flatMap { UInt64($0) } ?? .random(in: 0..<1_000_000)
    let (site, shell, start) = (try server(), try SecureShell(), ContinuousClock.now)
    var walk = Walk(pane: try Pane(), shell: shell, url: site.url, random: SeededGenerator(seed: seed))
    var drops = 0
    while drops < wanted ?? 50, wanted != nil || drops < 3 || ContinuousClock.now - start < .seconds(60) {
      try walk.goOn()
      try walk.drop(by: Int.random(in: 0..<3, using: &walk.random))
      drops += 1
    }
    print(
      "ssh drops: \(drops) with seed \(seed) in \((ContinuousClock.now - start) / .seconds(1)) s, at the end "
        + "\(walk.answered) answers, \(walk.found.count) findings, \(walk.begun) sessions")
    #expect(!walk.found.isEmpty)
  }

  /// A person who answers, pastes, and is cut off; with what has to be there afterwards.
  private struct Walk {
    let pane: Pane
    let shell: SecureShell
    let url: String
    var random: SeededGenerator
    private(set) var begun = 0
    /// Answers that the screen has shown to be taken.
    private(set) var answered = 0
    private(set) var found: Set<SecureShell.Kept.Finding> = []
    private var answers: [String: String] = [:]
    private var line = ""
    private var hasResult = false
    /// What was pressed last, of which nobody knows whether it has arrived.
    private var sent = Sent.nothing
    private enum Sent: Equatable { case nothing, answer, line(String) }

    init(pane: Pane, shell: SecureShell, url: String, random: SeededGenerator) {
      (self.pane, self.shell, self.url, self.random) = (pane, shell, url, random)
    }

    /// Logs in, goes on with what was left, and does a few things.
    mutating func goOn() throws {
      let isLeft = !shell.files.isEmpty
      #expect(isLeft || found.isEmpty && answered == 0, "nothing is offered")
      try shell.logIn(pane, "exec sh -c 'echo $$ > remote; exec \(Program.path) \(url)'")
      sent = .nothing
      if isLeft {
        try pane.waits(for: "ago.", seconds: 60)
        #expect(try pane.screen.contains("A session for \(url) was left"))
      }
      if isLeft, !hasResult {
        try pane.keys("Enter")
      } else {
        if isLeft { try pane.keys("n") }
        begun += 1
        (answered, found, answers, line, hasResult) = (0, [], [:], "", false)
      }
      try arrive()
      for number in (0..<Int.random(in: 0...3, using: &random)).reversed() where !hasResult {
        let isSeen = number > 0 || Bool.random(using: &random)
        if Int.random(in: 0..<3, using: &random) == 0 { try paste(isSeen) } else { try answer(isSeen) }
      }
    }

    /// Waits for the question that comes after all answers, or the result.
    private mutating func arrive() throws {
      try pane.waits("no question \(answered + 1), no result", seconds: 60) {
        let screen = try pane.screen
        hasResult = screen.contains("Result for")
        return hasResult || screen.contains("Question \(answered + 1) ")
      }
    }

    private mutating func answer(_ isSeen: Bool) throws {
      let choices = try pane.screen.matches(of: #/(?m)^[> ] ([1-9]) /#).map { String($0.1) }
      try pane.keys(try #require(choices.randomElement(using: &random)))
      sent = .answer
      guard isSeen else { return }
      answered += 1
      sent = .nothing
      try arrive()
    }

    private mutating func paste(_ isSeen: Bool) throws {
      let number = Int.random(in: 100_000..<1_000_000, using: &random)
      let new =
        "2026/11/30 10:00:00 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, "
        + "client: 10.0.0.9, server: shop, request: \"GET / HTTP/1.1\", upstream: \"http://10.0.0.2:8080/\", host: \"shop-\(number)\""
      try pane.keys("l")
      try pane.waits(for: "Paste what you have", seconds: 60)
      try pane.tmux("set-buffer", new)
      try pane.tmux("paste-buffer", "-p")
      sent = .line(new)
      guard isSeen else { return }
      try pane.waits(for: "shop-\(number)", seconds: 60)
      try pane.keys("Enter")
      try pane.waits(for: "What can be the cause", seconds: 60)
      (line, sent) = (new, .nothing)
      // With what the line says everything is looked at again, now and when the session goes on.
      found = []
      try pane.keys("Escape")
      try arrive()
    }

    /// Cuts the line, and looks at what is left.
    mutating func drop(by way: Int) throws {
      let program = try shell.program()
      usleep(UInt32.random(in: 0...400_000, using: &random))
      switch way {
      case 0: kill(try pane.pid(), SIGKILL)
      case 1: kill(try SecureShell.session(of: program), SIGKILL)
      default: kill(try pane.pid(), SIGHUP)
      }
      try pane.waits("the program runs on", seconds: 60) { Program.hasEnded(program) }
      try pane.waits(for: "gone", seconds: 60)
      guard let kept = try shell.kept() else {
        #expect(found.isEmpty && answered == 0, "the session is lost")
        return
      }
      let count = kept.record.answers.count
      #expect(count == answered || sent == .answer && count == answered + 1, "\(count) answers, not \(answered)")
      // Of what was cut in the middle of its way there may be the beginning.
      let isArriving = if case .line(let new) = sent { new.hasPrefix(kept.line) } else { false }
      #expect(kept.line == line || isArriving, "'\(kept.line)', not '\(line)'")
      #expect(found.isSubset(of: kept.record.findings), "a finding is lost")
      for (node, key) in answers { #expect(kept.answers[node] == key, "the answer to \(node) is lost") }
      for answer in kept.record.answers { #expect(kept.answers[answer.node] == answer.key) }
      (answered, line, found, answers) = (count, kept.line, Set(kept.record.findings), kept.answers)
      // What was sent may have led to the result.
      if sent == .answer, count > 0 { hasResult = false }
    }
  }

  // MARK: The terminal

  @Test func theTerminalIsGivenBackAndTheSessionKept() throws {
    let (site, shell, pane) = (try server(), try SecureShell(), try Pane())
    let script = """
      stty -a > before
      sh -c 'echo $$ > remote; exec \(Program.path) \(site.url)'
      echo code $?
      stty -a > after
      exec sleep 600
      """
    try shell.logIn(pane, script)
    try pane.waits(for: "Question 1 ", seconds: 60)
    try pane.keys("1")
    try pane.waits(for: "Question 2 ", seconds: 60)
    for (columns, rows) in [(40, 12), (20, 5), (80, 24)] {
      try pane.tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
      let isSmall = columns < 40
      try pane.waits("nothing is drawn for \(columns) columns and \(rows) rows", seconds: 60) {
        let screen = try pane.screen.split(separator: "\n", omittingEmptySubsequences: false)
        if isSmall { return try !pane.screen.contains("Question 2") }
        return screen.first?.drop { $0 == " " }.hasPrefix("Question 2") == true && rows <= screen.count
          && screen[rows - 1].hasPrefix("Enter")
      }
    }
    kill(try shell.program(), SIGHUP)
    try pane.waits(for: "code 129", seconds: 60)
    try pane.waits("the terminal's modes never came back", seconds: 60) { shell.folder.text("after")?.isEmpty == false }
    #expect(shell.folder.text("before") == shell.folder.text("after"))
    #expect(try !pane.isOnAlternateScreen)
    #expect(try shell.kept()?.record.answers.count == 1)

    // The terminal of the client is closed.
    let other = try Pane()
    try shell.logIn(other, "exec sh -c 'echo $$ > remote; exec \(Program.path)'")
    try other.waits(for: "ago.", seconds: 60)
    try other.keys("Enter")
    try other.waits(for: "Question 2 ", seconds: 60)
    let program = try shell.program()
    try other.tmux("kill-server")
    try waitForEnd(of: program, pane)
    #expect(try shell.kept()?.record.answers.count == 1)
  }

  // MARK: Who may only follow a session

  /// As the README sets up sshd for it, with every file, program and connection written down by strace.
  @Test func aRestrictedSessionTouchesNothingElse() throws {
    let site = try server()
    let readme = URL(filePath: #filePath).appending(path: "../../../README.md").standardizedFileURL
    let text = try String(contentsOf: readme, encoding: .utf8)
    let lines = try #require(text.firstMatch(of: /( {4}Match User learner\n(?: {8}.*\n)+)/)).1
    let user = String(cString: try #require(getpwuid(geteuid())).pointee.pw_name)
    let calls =
      "%file,execve,execveat,connect,sendto,sendmsg,sendmmsg,fchmod,fchown,ftruncate"
    let program = "/usr/bin/strace -f -y -qq --seccomp-bpf -o FOLDER/trace -e trace=\(calls) \(Program.path)"
    let settings = lines.replacing("learner", with: user).replacing("https://shop.example.org", with: site.url)
      .replacing("ForceCommand wizard502", with: "ForceCommand \(program)")
    #expect(settings.contains("strace") && settings.contains(site.url))
    let shell = try SecureShell(String(settings))
    let pane = try Pane()
    try shell.logIn(pane, "", asking: "touch \(shell.folder.path)/escaped; sh")
    try pane.waits(for: "Question 1 ", seconds: 90)
    try pane.keys("C-z", "s")
    try pane.waits(for: "Saved to \(shell.states)", seconds: 60)
    #expect(shell.files.contains { $0.hasPrefix("wizard502-127.0.0.1-") && $0.hasSuffix(".md") })
    // Another host, and one of this machine's own files.
    for _ in 0..<4 where try !pane.screen.contains("Which address") {
      try pane.keys("b")
      usleep(1_000_000)
    }
    try pane.waits(for: "Which address", seconds: 60)
    try pane.keys("C-e", "C-u")
    try pane.tmux("send-keys", "-l", "http://192.0.2.7:81/")
    try pane.keys("Enter")
    try pane.waits("the other host is not refused", seconds: 60) {
      let screen = try pane.screen
      return screen.contains("192.0.2.7") && (screen.contains("Question") || screen.contains("Result"))
    }
    try pane.keys("q")
    try pane.waits(for: "gone", seconds: 60)
    #expect(shell.folder.text("escaped") == nil)

    let trace = Trace(try #require(shell.folder.text("trace")))
    #expect(trace.started.first == Program.path)
    let filters: Set = ["iptables-save", "ip6tables-save", "iptables", "ip6tables", "nft", "iptables-legacy-save"]
    let started = trace.started.dropFirst().filter {
      !filters.contains($0.split(separator: "/").last.map(String.init) ?? "")
    }
    #expect(started.allSatisfy { $0 == Program.path }, "\(started)")
    let written = trace.written.filter { !$0.hasPrefix(shell.states) && !$0.hasPrefix("/dev/") }
    #expect(written.isEmpty, "\(written)")
    #expect(
      trace.written.contains { $0.hasPrefix(shell.states + "/wizard502/session-") }, "the trace shows what is written")
    let asked = trace.asked.filter {
      !$0.hasPrefix("127.") && !["::1", "::"].contains($0) && !Self.resolvers.contains($0)
    }
    #expect(asked.isEmpty, "\(asked)")
    #expect(trace.asked.contains("127.0.0.1"), "the trace shows who is asked")
  }

  /// Whom the system asks for names.
  private static let resolvers: Set<String> = {
    let text = (try? String(contentsOfFile: "/etc/resolv.conf", encoding: .utf8)) ?? ""
    return Set(text.matches(of: /(?m)^nameserver\s+(\S+)/).map { String($0.1) })
  }()

  /// What strace has seen of calls that did not fail.
  private struct Trace {
    private(set) var started: [String] = []
    /// Files that were opened to be written, made, moved or removed.
    private(set) var written: Set<String> = []
    /// Addresses to which something was sent.
    private(set) var asked: Set<String> = []

    private static let changing: Set = [
      "creat", "mkdir", "mkdirat", "mknod", "mknodat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir",
      "link", "linkat", "symlink", "symlinkat", "truncate", "ftruncate", "chmod", "fchmod", "fchmodat", "chown",
      "fchown",
      "lchown", "fchownat", "utimensat", "setxattr", "lsetxattr", "fsetxattr",
    ]

    init(_ text: String) {
      for line in Self.whole(text) {
        guard let match = line.firstMatch(of: /^\d+ +(\w+)\((.*)/) else { continue }
        let (call, words) = (String(match.1), String(match.2))
        // A connection that is under way, or refused, was tried all the same.
        let isAsking = ["connect", "sendto", "sendmsg", "sendmmsg"].contains(call)
        if !isAsking, words.contains(" = -1 ") { continue }
        switch call {
        case "execve", "execveat": if let path = words.firstMatch(of: /"([^"]*)"/) { started.append(String(path.1)) }
        case "open", "openat", "openat2":
          if words.contains(/O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)/) { written.formUnion(Self.paths(words)) }
        case _ where isAsking:
          for address in words.matches(of: /inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/) {
            if let text = address.1 ?? address.2 { asked.insert(String(text)) }
          }
        case _ where Self.changing.contains(call): written.formUnion(Self.paths(words))
        default: break
        }
      }
    }

    /// Its calls, a line each: one during which another thread was heard has two.
    private static func whole(_ text: String) -> [String] {
      var (lines, begun) = ([] as [String], [:] as [Substring: Substring])
      for line in text.split(separator: "\n") {
        let thread = line.prefix { $0.isNumber }
        if let end = line.firstRange(of: " <unfinished ...>") {
          begun[thread] = line[..<end.lowerBound]
        } else if let end = line.firstRange(of: " resumed>") {
          lines.append("\(begun.removeValue(forKey: thread) ?? "")\(line[end.upperBound...])")
        } else {
          lines.append(String(line))
        }
      }
      return lines + begun.values.map(String.init)
    }

    /// Each path of a call's words; a relative one below the folder before it. Of a call on a descriptor, that.
    private static func paths(_ words: String) -> [String] {
      var (folder, paths) = ("", [] as [String])
      for match in words.matches(of: /(?:\d+|AT_FDCWD)<([^>]*)>|"([^"]*)"/) {
        if let path = match.1 { folder = String(path) }
        if let path = match.2 { paths.append(path.hasPrefix("/") ? String(path) : "\(folder)/\(path)") }
      }
      return paths.isEmpty ? [folder] : paths
    }
  }
}
