import Foundation
import Glibc
import Pane
import Testing

/// A line that drops, or a terminal that is closed, loses nothing of a guided session.
@Suite(.serialized) struct LeftSessionTests {
  private func server() throws -> Server {
    try Server { peer in
      _ = peer.request()
      peer.answer("502 Bad Gateway", body: "<center>nginx/1.27.0</center>".utf8)
    }
  }

  /// Starts the program in the terminal, its home there.
  private func start(_ pane: Pane, _ words: String, home: String) throws {
    try? FileManager.default.removeItem(at: pane.folder.appending(path: "pid"))
    let engine = Program.withoutDocker.map { "\($0.key)=\($0.value)" }.joined()
    try pane.shell(
      "clear; sh -c 'echo $$ > pid; exec env \(engine) XDG_STATE_HOME= HOME=\(home) \(Program.path) \(words)'; echo code $?"
    )
    try pane.waits("it never started") { pane.text("pid").map { !$0.isEmpty } ?? false }
  }

  private func files(_ home: String) -> [String] {
    let folder = home + "/.local/state/wizard502"
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map { folder + "/" + $0 }
  }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test func aSessionGoesOnAfterItsTerminalWasClosed() throws {
    let (folder, server) = (try Folder(), try server())
    do {
      let pane = try Pane()
      try start(pane, server.url, home: folder.path)
      try pane.waits(for: "Question 1", seconds: 40)
      try pane.keys("1")
      try pane.waits(for: "Question 2")
      try pane.tmux("kill-server")
    }
    let file = try #require(files(folder.path).first)
    #expect(files(folder.path).count == 1)
    #expect(try mode(file) == 0o600)
    #expect(try mode(folder.path + "/.local/state/wizard502") == 0o700)

    let pane = try Pane()
    try start(pane, "", home: folder.path)
    try pane.waits(for: "ago.")
    #expect(try pane.screen.contains(server.url))
    // A session that runs is nobody else's.
    let second = try Pane()
    try start(second, "", home: folder.path)
    try second.waits(for: "Which address")
    try second.keys("C-c")
    try pane.keys("Enter")
    try pane.waits(for: "Question 2")
    try pane.keys("q")
    try pane.waits(for: "code ")
  }

  @Test func dropsAtAnyMomentLoseNothing() throws {
    let (folder, server) = (try Folder(), try server())
    var pane = try Pane()
    try start(pane, server.url, home: folder.path)
    var known = 0
    for turn in 0..<6 {
      usleep(UInt32.random(in: 50_000...700_000))
      if turn % 2 == 0 { kill(try pane.pid(), SIGHUP) } else { try pane.tmux("kill-server") }
      try pane.waits("the file is still locked", seconds: 20) { try Program.hasEnded(pane.pid()) }
      let texts = try files(folder.path).map { try String(contentsOfFile: $0, encoding: .utf8) }
      let found = texts.map { $0.components(separatedBy: "\"outcome\"").count - 1 }.max() ?? 0
      #expect(found >= known, "what was found is still there")
      known = found
      if turn % 2 == 1 { pane = try Pane() }
      // Before anything was kept nothing can go on.
      try start(pane, texts.isEmpty ? server.url : "", home: folder.path)
      guard !texts.isEmpty else { continue }
      try pane.waits(for: "ago.")
      try pane.keys("Enter")
    }
    try pane.waits(for: "Question 1", seconds: 40)
    #expect(known > 0)
    try pane.keys("q")
  }

  @Test func anotherKeyStartsANewOneAndForgetsTheOld() throws {
    let (folder, server) = (try Folder(), try server())
    let pane = try Pane()
    try start(pane, server.url, home: folder.path)
    try pane.waits(for: "Question 1", seconds: 40)
    kill(try pane.pid(), SIGHUP)
    try pane.waits(for: "code ")
    try start(pane, "", home: folder.path)
    try pane.waits(for: "ago.")
    try pane.keys("n")
    try pane.waits(for: "Which address")
    #expect(files(folder.path).isEmpty)
    try pane.keys("C-c")
  }

  /// In lines, too; and nobody is offered what was seen under another restriction.
  @Test func aSessionGoesOnInLinesAndWithinItsRestriction() throws {
    let (folder, server) = (try Folder(), try server())
    let pane = try Pane()
    for restriction in ["", "--restricted "] {
      try start(pane, restriction + "--plain \(server.url)", home: folder.path)
      try pane.waits(for: "I do not know", seconds: 40)
      #expect(try !pane.screen.contains("ago."), "the one before was seen under another restriction")
      kill(try pane.pid(), SIGHUP)
      try pane.waits(for: "code ")
    }
    #expect(files(folder.path).count == 2)
    for restriction in ["", "--restricted "] {
      try start(pane, restriction + "--plain \(server.url)", home: folder.path)
      try pane.waits(for: "Enter to go on with it", seconds: 40)
      try pane.keys("Enter")
      try pane.waits(for: "I do not know", seconds: 40)
      try pane.keys("q", "Enter")
      try pane.waits(for: "code ")
    }
    // Where lines come from no terminal, nobody is asked, and nothing is kept.
    let before = files(folder.path)
    try start(pane, "\(server.url) </dev/null", home: folder.path)
    try pane.waits(for: "code ", seconds: 40)
    #expect(try !pane.screen.contains("ago."))
    #expect(files(folder.path) == before)
  }

  @Test func nothingIsWrittenThroughALinkNorWithASecret() throws {
    let (folder, server) = (try Folder(), try server())
    let (state, elsewhere) = (folder.path + "/.local/state", folder.path + "/elsewhere")
    for path in [state, elsewhere] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    try FileManager.default.createSymbolicLink(atPath: state + "/wizard502", withDestinationPath: elsewhere)
    let pane = try Pane()
    try start(pane, server.url, home: folder.path)
    try pane.waits(for: "Question 1", seconds: 40)
    try pane.keys("q")
    try pane.waits(for: "code ")
    #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere) == [])

    try FileManager.default.removeItem(atPath: state + "/wizard502")
    try start(pane, "'\(server.url)?token=hunter2hunter2'", home: folder.path)
    try pane.waits(for: "Question 1", seconds: 40)
    try pane.keys("q")
    try pane.waits(for: "code ")
    #expect(files(folder.path).isEmpty, "an address with a secret is not kept")
  }

  @Test func whatIsOldOrBrokenIsNotOffered() throws {
    let folder = try Folder()
    let place = folder.path + "/.local/state/wizard502"
    try FileManager.default.createDirectory(
      atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for (name, text) in [("1-1", "{"), ("2-2", String(repeating: "x", count: 5 << 20)), ("3-3", "{}")] {
      try text.write(toFile: place + "/session-\(name).json", atomically: false, encoding: .utf8)
    }
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -8 * 24 * 3600)], ofItemAtPath: place + "/session-3-3.json")
    mkfifo(place + "/session-4-4.json", 0o600)
    let pane = try Pane()
    try start(pane, "", home: folder.path)
    try pane.waits(for: "Which address")
    #expect(!files(folder.path).contains { $0.hasSuffix("session-3-3.json") }, "a week is enough")
    try pane.keys("C-c")
  }
}
