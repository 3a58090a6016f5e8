import Foundation
import Pane
import Testing

extension Lab {
  /// The guided session as its user goes through it: a real terminal, keys only, from the broken site to the working
  /// one. What is carried out is what the session put on the clipboard.
  @Test(arguments: [(80, 24), (40, 12)])
  func guided(columns: Int, rows: Int) async throws {
    let fault = try #require(Fault.address.first { $0.name == "host port instead of container port" })
    try await standing(fault, as: "\(fault.name) \(columns)x\(rows)") { site, _, _ in
      let pane = try Pane(columns: columns, rows: rows)
      try pane.shell("stty -a > before; '\(Wizard.program)'; echo code $?; stty -a > after")
      try pane.waits(for: "Which address")
      try pane.tmux("send-keys", "-l", site.url)
      try pane.keys("Enter")
      try pane.waits(for: "wrong port", seconds: 20)
      try pane.keys("Enter")
      try pane.waits(for: "1 of")

      try pane.keys("c")
      try pane.waits("the patch was not copied") { try pane.tmux("show-buffer").contains("+++ ") }
      let patch = try pane.tmux("show-buffer")
      try Data(patch.utf8).write(to: pane.folder.appending(path: "copied.patch"))
      let file = try #require(patch.split(separator: "\n").first { $0.hasPrefix("+++ ") }).dropFirst(4)
      #expect(
        try await run(["patch", "--batch", String(file), pane.folder.appending(path: "copied.patch").path()]).status
          == 0)

      try pane.keys("n")
      try pane.waits(for: "2 of")
      try pane.keys("c")
      try pane.waits("the command was not copied") { try pane.tmux("show-buffer").contains("nginx -s reload") }
      let command = try pane.tmux("show-buffer")
      #expect(try await run(["sh", "-c", command]).status == 0)

      try pane.keys("r")
      try pane.waits(for: "works again", seconds: 20)
      try pane.keys("q")
      try pane.waits(for: "code 0")
      try pane.waits("the shell's modes never came back") { pane.text("after").map { !$0.isEmpty } ?? false }
      #expect(pane.text("before") == pane.text("after"))
      #expect(try !pane.isOnAlternateScreen)
    }
  }
}
