import Foundation
import Screen
import Pane
import Testing

@testable import Terminal

/// The real program in a real terminal.
@Suite(.serialized)
struct TerminalTests {
  @Test(arguments: [
    (SIGTERM, 143), (SIGINT, 130), (SIGHUP, 129), (SIGQUIT, 131), (SIGSEGV, 139), (SIGABRT, 134), (SIGTRAP, 133),
    (SIGILL, 132), (SIGBUS, 135), (SIGFPE, 136),
  ])
  func aSignalGivesTheTerminalBack(signal: Int32, code: Int) throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    #expect(try pane.isOnAlternateScreen)
    kill(try pane.pid(), signal)
    try pane.waits(for: "code \(code)")
    try expectGivenBack(pane)
  }

  @Test func theKeysThatLeaveGiveTheTerminalBack() throws {
    for (key, code) in [("q", 1), ("C-c", 130)] {
      let pane = try Pane()
      try pane.start("shop.example.org")
      try pane.waits(for: "Result for shop.example.org")
      try pane.keys(key)
      try pane.waits(for: "code \(code)")
      try expectGivenBack(pane)
      #expect(try pane.screen.contains("http://shop.example.org/: The proxy dials a port nobody listens on (certain)."))
    }
  }

  @Test func whatACrashSaidIsReadAfterwards() throws {
    let pane = try Pane()
    try pane.start("--crash shop.example.org")
    try pane.waits(for: "code 132")
    try expectGivenBack(pane)
    #expect(try pane.tmux("capture-pane", "-p", "-S", "-100").contains("Fatal error: as asked"))
  }

  @Test func aStoppedProgramGivesTheTerminalBackAndComesBackAfterAResize() throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    try pane.keys("C-z")
    try pane.waits("it did not leave the screen") { try !pane.isOnAlternateScreen }
    try pane.shell("stty -a > stopped; echo at the prompt")
    try pane.waits(for: "at the prompt")
    try pane.tmux("resize-window", "-x", "60", "-y", "20")
    try pane.shell("stty -a > resized; fg")
    try pane.waits("it did not come back") { try pane.isOnAlternateScreen }
    try pane.waits(for: "Result for shop.example.org")
    try pane.waits(for: "q quit")
    #expect(pane.text("stopped").map(Self.modes) == pane.text("before").map(Self.modes))
    #expect(try pane.screen.split(separator: "\n").allSatisfy { $0.count <= 60 })
    try pane.keys("q")
    try pane.waits("it did not end") { try !pane.isOnAlternateScreen }
  }

  @Test func aStopFromOutsideIsTheSame() throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    kill(try pane.pid(), SIGTSTP)
    try pane.waits("it did not leave the screen") { try !pane.isOnAlternateScreen }
    try pane.shell("fg")
    try pane.waits("it did not come back") { try pane.isOnAlternateScreen }
    try pane.waits(for: "Result for shop.example.org")
  }

  /// A terminal sends what is pasted with the key's code for each line end.
  @Test func aPasteOfManyLinesPressesNothing() throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    try pane.tmux("set-buffer", "root@web1:~# docker ps -a\nq\ny\n1\n")
    try pane.tmux("paste-buffer", "-p")
    try pane.waits(for: "Nothing of what you pasted could be read.")
    #expect(try pane.screen.contains("Result for shop.example.org"))
    try pane.keys("q")
    try pane.waits(for: "code 1")
  }

  @Test func aResizeIsFollowed() throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    try pane.keys("e")
    try pane.waits(for: "What was seen for")
    try pane.keys("End")
    try pane.tmux("resize-window", "-x", "40", "-y", "12")
    try pane.waits(for: "rows ")
    #expect(try pane.screen.contains("> ✗ NO     nobody listens on port"))
    #expect(try pane.format("#{cursor_x}") == "2")
    try pane.tmux("resize-window", "-x", "20", "-y", "5")
    try pane.waits(for: "This window is too")
    try pane.tmux("resize-window", "-x", "80", "-y", "24")
    try pane.waits(for: "Route in the proxy's configuration")
  }

  @Test func aCopyArrivesInTheBufferOfTmux() throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    try pane.keys("Enter", "n", "c")
    try pane.waits(for: "Sent to your terminal's clipboard")
    #expect(
      try pane.tmux("show-buffer") == """
        sudo patch /etc/nginx/conf.d/shop.conf <<'END'
        --- /etc/nginx/conf.d/shop.conf
        +++ /etc/nginx/conf.d/shop.conf
        @@ -7,1 +7,1 @@
        -    proxy_pass http://shop:3000;
        +    proxy_pass http://shop:8080;
        END
        """)
  }

  @Test func aTextShownAloneStandsOnTheMainScreen() throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    try pane.keys("Enter", "p")
    try pane.waits(for: "[press any key to go back]")
    #expect(try !pane.isOnAlternateScreen)
    #expect(try pane.screen.hasPrefix("docker exec shop ss -ltn\n\n[press any key to go back]"))
    try pane.keys("q")
    try pane.waits(for: "step 1 of 4")
    #expect(try pane.isOnAlternateScreen)
  }

  @Test func aTextShownAloneIsLeftForGoodWithControlC() throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    try pane.keys("Enter", "p")
    try pane.waits(for: "[press any key to go back]")
    try pane.keys("C-c")
    try pane.waits(for: "code 130")
    try expectGivenBack(pane)
  }

  @Test func aProgramThatWasHaltedDrawsAnew() throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    kill(try pane.pid(), SIGSTOP)
    try pane.waits(for: "Stopped")
    // The shell has the program's modes now, in which Enter ends no line.
    try pane.tmux("send-keys", "-l", "clear; stty sane; fg")
    try pane.keys("C-j")
    try pane.waits("it did not draw anew") {
      let screen = try pane.screen
      return screen.contains("q quit") && !screen.contains("Stopped")
    }
    try pane.keys("e")
    try pane.waits(for: "What was seen for")
  }

  @Test func controlLDrawsWhatSomebodyElseHasWrittenOver() throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    let terminal = try #require(FileHandle(forWritingAtPath: pane.format("#{pane_tty}")))
    try terminal.write(contentsOf: Data("\u{1B}[5;1Hscribbled".utf8))
    try pane.waits(for: "scribbled")
    try pane.keys("C-l")
    try pane.waits("it is still there") { try !pane.screen.contains("scribbled") }
    try pane.waits(for: "q quit")
  }

  /// An answer of the terminal is a round trip on a slow line, and none is a wait. Nor is the mouse taken from whoever
  /// selects text, nor the clipboard read, nor a set of characters for lines entered, nor the bell rung.
  @Test func nothingIsAskedOfTheTerminal() throws {
    let pane = try Pane()
    try pane.tmux("pipe-pane", "-O", "cat > '\(pane.folder.path)/raw'")
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    try pane.keys("F9", "Down", "e")
    try pane.waits(for: "What was seen for")
    try pane.keys("q")
    try pane.waits(for: "code 1")
    let sent = try #require(pane.text("raw"))
    #expect(sent.contains("\u{1B}[?1049h") && sent.contains("What was seen for"))
    for question in ["c", "n", "$p", "u", "x"] {
      let isAsked = sent.matches(of: /\u{1B}\[[?>=]?[0-9;]*([A-Za-z$]p?)/).contains { $0.1 == question }
      #expect(!isAsked, "it asks by \(question)")
    }
    #expect(!sent.contains(/\u{1B}\][0-9;a-z]*\?/))
    #expect(!sent.contains(/\u{1B}\[\?100[0-6]h/))
    #expect(!sent.contains(/\u{1B}\(0|\u{0E}|\u{07}/))
  }

  /// A machine's own console, the multiplexers, and what people have on their desks.
  @Test(arguments: [
    "linux", "vt100", "vt102", "vt220", "ansi", "rxvt", "rxvt-unicode", "screen", "screen-256color", "tmux",
    "tmux-256color", "xterm", "xterm-256color", "xterm-mono", "cygwin", "Eterm",
  ])
  func aTerminalOfThisKindOpensInItsOwnSize(kind: String) throws {
    let pane = try Pane(columns: 90, rows: 21)
    // Neither terminfo's size nor the environment's is taken for the terminal's.
    try pane.shell("LINES=50 COLUMNS=132 TERM=\(kind) \(Pane.demo) shop.example.org; echo code $?")
    try pane.waits(for: "Result for shop.example.org")
    #expect(
      try pane.screen.split(separator: "\n", omittingEmptySubsequences: false).prefix(21).last?.contains("q quit")
        == true)
    try pane.keys("q")
    try pane.waits(for: "code 1")
    let rows = try pane.screen.split(separator: "\n")
    #expect(rows.contains("http://shop.example.org/: The proxy dials a port nobody listens on (certain)."), "\(rows)")
  }

  /// Every byte that a terminal gets of a session in lines.
  @Test(arguments: [
    "TERM=dumb", "TERM=", "TERM=no-such-kind", "TERM=unknown", "TERM=dumb LC_ALL=C", "ACCESSIBLE=1",
  ])
  func aTerminalThatDrawsNothingGetsLines(environment: String) throws {
    let pane = try Pane(columns: 60)
    try pane.tmux("pipe-pane", "cat > \(pane.folder.path)/bytes")
    try pane.shell("stty -a > before; \(environment) \(Pane.demo); echo code $?; stty -a > after")
    try pane.waits(for: "quit:")
    try pane.shell("shop.example.org")
    try pane.waits(for: "Enter or f show fix")
    let result = "\nResult for shop.example.org\nThe proxy dials a port nobody listens on\n"
    #expect(try pane.tmux("capture-pane", "-p", "-S", "-100").contains(result))
    #expect(try !pane.isOnAlternateScreen)
    try pane.shell("")
    try pane.waits(for: "\n\ndocker exec shop ss -ltn\n\n")
    try pane.keys("C-d")
    try pane.waits(for: "code 1")
    try pane.waits("the shell did not go on") { pane.text("after").map { !$0.isEmpty } ?? false }
    #expect(pane.text("after") == pane.text("before"))
    let bytes = try #require(pane.text("bytes"))
    #expect(bytes.contains("The input has ended."))
    // The terminal itself goes back over the ^D that it shows.
    #expect(!bytes.unicodeScalars.contains { $0.value < 0x20 && !"\r\n\u{8}".unicodeScalars.contains($0) })
    #expect(!environment.contains("LC_ALL=C") || bytes.utf8.allSatisfy { $0 < 0x80 })
    // What is said fits, but for what is to be copied.
    let typed = "q quit: shop.example.org"
    for line in bytes.split(whereSeparator: \.isNewline) where line.count > 60 && !line.hasSuffix(typed) {
      #expect(line.contains("://") || line.hasPrefix("curl") || line.contains(Pane.demo))
    }
  }

  @Test func linesAreStoppedAndLeftByTheUsualKeys() throws {
    let pane = try Pane()
    try pane.start("--plain --slow shop.example.org")
    try pane.waits(for: "OK: shop.example.org goes to")
    try pane.shell("3")
    try pane.waits(for: "The checks are still running.")
    try pane.keys("C-z")
    try pane.waits(for: "Stopped")
    try pane.shell("fg")
    try pane.shell("x")
    try pane.waits(for: "What does the app behind shop.example.org run in?")
    try pane.keys("C-c")
    try pane.waits(for: "http://shop.example.org/: left before the result.")
    try pane.shell("echo code $?")
    try pane.waits(for: "code 130")
  }

  @Test func aSlowLinesArrowIsNoEscape() throws {
    let pane = try Pane()
    try pane.start("--slow shop.example.org")
    try pane.waits(for: "2 of 3 done")
    try pane.tmux("send-keys", "-H", "1b")
    usleep(40_000)
    try pane.tmux("send-keys", "-H", "5b", "42")
    try pane.waits("the arrow did not move") { try pane.format("#{cursor_y}") == "5" }
    #expect(try pane.screen.contains("2 of 3 done"))
  }

  @Test func anUnknownSequencePressesNoKeys() throws {
    let pane = try Pane()
    try pane.start("--unseen shop.example.org")
    try pane.waits(for: "Question 1")
    // Shift with an arrow, as xterm sends it: it holds a 1 and a 2, which would be answers.
    try pane.tmux("send-keys", "-H", "1b", "5b", "31", "3b", "32", "50")
    try pane.waits(for: "That key does nothing here")
    #expect(try pane.screen.contains("Question 1"))
  }

  @Test func keysTypedBeforeTheFirstScreenAreKept() throws {
    let pane = try Pane()
    try pane.shell("sleep 0.3; \(Pane.demo)")
    try pane.tmux("send-keys", "-l", "shop.example.org")
    try pane.keys("Enter")
    try pane.waits(for: "Result for shop.example.org")
  }

  @Test func aReportIsForItsOwnerOnlyAndNeverWrittenOver() throws {
    let pane = try Pane()
    try pane.start("shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    try pane.keys("s")
    try pane.waits(for: "Saved to ")
    try pane.keys("s")
    try pane.waits(for: "-2.md")
    let reports = try FileManager.default.contentsOfDirectory(atPath: pane.folder.path).filter { $0.hasSuffix(".md") }
    #expect(reports.count == 2)
    for report in reports {
      let attributes = try FileManager.default.attributesOfItem(atPath: pane.folder.appending(path: report).path)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      #expect(pane.text(report)?.hasPrefix("# http://shop.example.org/") == true)
    }
  }

  @Test func itIsNotStartedInTheBackground() throws {
    let pane = try Pane()
    try pane.shell("\(Pane.demo) > /dev/tty &")
    try pane.waits(for: "refused: inBackground")
    #expect(try !pane.isOnAlternateScreen)
  }

  @Test func withoutColoursNothingIsColoured() throws {
    let pane = try Pane()
    try pane.shell("NO_COLOR=1 \(Pane.demo) shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    #expect(try !pane.tmux("capture-pane", "-e", "-p").contains(/\u{1B}\[[0-9;]*3[0-7]m/))
    let coloured = try Pane()
    try coloured.shell("\(Pane.demo) shop.example.org")
    try coloured.waits(for: "Result for shop.example.org")
    let screen = try coloured.tmux("capture-pane", "-e", "-p")
    #expect(screen.contains(/\u{1B}\[[0-9;]*31m/), "\(screen.debugDescription)")
  }

  @Test(arguments: ["LC_ALL=C ", "LC_ALL=POSIX "]) func withoutUTF8NothingButASCIIIsDrawn(_ environment: String) throws
  {
    let pane = try Pane()
    try pane.shell("\(environment)\(Pane.demo) shop.example.org")
    try pane.waits(for: "Result for shop.example.org")
    #expect(try pane.screen.contains("x NO     nobody listens"))
    #expect(try !pane.screen.utf8.contains { $0 > 0x7F })
  }

  @Test func aLocaleThatIsNotInstalledIsReplaced() throws {
    let pane = try Pane()
    try pane.shell("LANG=xx_XX.UTF-8 \(Pane.demo) shop.example.org")
    try pane.waits(for: "✗ NO     nobody listens")
  }

  /// The line drops and no signal says so: it was ignored, as by `nohup`.
  @Test func aDroppedLineEndsItWithoutASignal() throws {
    var (main, side): (Int32, Int32) = (0, 0)
    try #require(openpty(&main, &side, nil, nil, nil) == 0)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["setsid", "--ctty", "--wait", "sh", "-c", "trap '' HUP; exec \(Pane.demo) shop.example.org"]
    process.environment = [
      "TERM": "xterm-256color", "LANG": "C.UTF-8", "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "",
    ]
    let line = FileHandle(fileDescriptor: side, closeOnDealloc: false)
    (process.standardInput, process.standardOutput, process.standardError) = (line, line, line)
    try process.run()
    close(side)
    defer { process.terminate() }
    var seen = ""
    var bytes = [UInt8](repeating: 0, count: 4096)
    while !seen.contains("What shows it") {
      var state = pollfd(fd: main, events: Int16(POLLIN), revents: 0)
      try #require(poll(&state, 1, 20_000) > 0, "nothing more comes: \(seen)")
      let count = read(main, &bytes, bytes.count)
      try #require(count > 0, "it ended early: \(seen)")
      seen += String(decoding: bytes.prefix(count), as: UTF8.self)
    }
    close(main)
    let end = ContinuousClock.now + .seconds(5)
    while process.isRunning, ContinuousClock.now < end { usleep(5_000) }
    try #require(!process.isRunning, "it lives on")
    #expect(process.terminationStatus == 129)
  }

  private func expectGivenBack(_ pane: Pane, _ location: SourceLocation = #_sourceLocation) throws {
    #expect(try !pane.isOnAlternateScreen, sourceLocation: location)
    #expect(try pane.format("#{cursor_flag}") == "1", sourceLocation: location)
    try pane.waits("the shell did not go on") { pane.text("after").map { !$0.isEmpty } ?? false }
    #expect(pane.text("after") == pane.text("before"), sourceLocation: location)
  }

  /// `stty -a` without the size.
  private static func modes(_ text: String) -> [Substring] { Array(text.split(separator: "\n").dropFirst()) }
}

struct WidthTests {
  /// ncurses counts with `wcwidth`, the grid with a table: a difference would shift the rest of a row.
  @Test func columnsAreThoseOfTheCLibrary() throws {
    let locale = try #require(newlocale(LC_CTYPE_MASK, "C.UTF-8", nil))
    let before = uselocale(locale)
    defer {
      uselocale(before)
      freelocale(locale)
    }
    let symbol = try #require(dlsym(nil, "wcwidth"))
    let wcwidth = unsafeBitCast(symbol, to: (@convention(c) (wchar_t) -> Int32).self)
    var different: [String] = []
    for value in UInt32(0x20)...0x1FFFF {
      guard let scalar = UnicodeScalar(value) else { continue }
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: continue
      default: break
      }
      let width = wcwidth(wchar_t(bitPattern: value))
      // Characters that are newer than the library have no width there; one mark has become a spacing one since.
      if width >= 0, width != scalar.columns, !(width == 0 && scalar.properties.generalCategory == .spacingMark) {
        different.append("U+" + String(value, radix: 16))
      }
    }
    #expect(different == [])
  }
}

@Suite(.serialized) struct ClipboardTests {
  /// Whatever tmux lies on the PATH, and whatever becomes of the right one: there is no such socket, so it ends before it
  /// has read anything.
  @Test func aTmuxOfSomebodyElseIsNotRunAndADeadOneIsNoEnd() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "clipboard-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let planted = folder.appending(path: "tmux").path
    try Data("#!/bin/sh\ntouch \(folder.path)/run\n".utf8).write(to: URL(filePath: planted))
    chmod(planted, 0o755)
    let before = ["PATH", "TMUX"].map { ($0, ProcessInfo.processInfo.environment[$0]) }
    defer { for (name, value) in before { if let value { setenv(name, value, 1) } else { unsetenv(name) } } }
    setenv("PATH", folder.path, 1)
    setenv("TMUX", "/nonexistent/socket,1,0", 1)
    var pieces: [String] = []
    Clipboard.here.take(String(repeating: "x", count: 1_000_000)) { pieces.append($0) }
    #expect(pieces.count == 1 && pieces[0].hasPrefix("\u{1B}]52;c;eHh4"), "the terminal is not asked instead")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"), "what lies on the PATH was run")
  }

  @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
  func base64IsThatOfTheStandard(text: String, encoded: String) {
    #expect(base64(Array(text.utf8)) == encoded)
  }

  @Test func screenGetsSmallPieces() {
    var pieces: [String] = []
    Clipboard.screen.take(String(repeating: "x", count: 3000)) { pieces.append($0) }
    #expect(pieces.count == 9)
    for piece in pieces {
      #expect(piece.hasPrefix("\u{1B}P") && piece.hasSuffix("\u{1B}\\"))
      #expect(piece.utf8.count <= 504)
    }
    #expect(pieces[0].hasPrefix("\u{1B}P\u{1B}]52;c;eHh4"))
  }

  @Test func anotherTerminalGetsOneSequence() {
    var pieces: [String] = []
    Clipboard.terminal.take("foo") { pieces.append($0) }
    #expect(pieces == ["\u{1B}]52;c;Zm9v\u{07}"])
  }
}
