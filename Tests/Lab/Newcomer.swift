import Foundation
import Pane
import Testing

/// Somebody in front of a terminal who knows nothing but what it shows: presses what the bar names, copies what is offered,
/// runs it in a second shell, and has it checked again.
struct Newcomer {
  /// How it went.
  struct Walk {
    var isFixed = false
    /// Why it went no further, in words.
    var end = ""
    var keys = 0
    var seconds = 0.0
  }

  /// What a walk may ask of a person.
  private static let (rounds, steps) = (6, 12)
  private static let shell = "second"

  let pane: Pane
  private(set) var walk = Walk()

  init(at pane: Pane) throws {
    self.pane = pane
    try pane.tmux("new-window", "-d", "-n", Self.shell, "sh")
  }

  /// From the verdict to the site that works, or to where the screen leads no further.
  mutating func follow() throws {
    let start = ContinuousClock.now
    defer { walk.seconds = (ContinuousClock.now - start) / .seconds(1) }
    for _ in 0..<Self.rounds {
      try settle()
      let (screen, asked) = (try pane.screen, ContinuousClock.now)
      if screen.contains("works again") || screen.contains("site works") {
        walk.isFixed = true
        return
      }
      let words = screen.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      if words.contains("press r once more"), try names("recheck") {
        try pane.waits("no second passes") { ContinuousClock.now > asked + .seconds(3) }
        try press("recheck")
        continue
      }
      if try !names("show fix") {
        walk.end = "nothing to show: \(screen.split(separator: "\n").first ?? "")"
        return
      }
      try press("show fix")
      try fix()
    }
    walk.end = "\(Self.rounds) fixes, and it does not work"
  }

  /// Carries out each step of a fix, and has the site checked again.
  private mutating func fix() throws {
    for _ in 0..<Self.steps {
      try pane.waits("no step is shown") { try step != nil }
      if try names("copy") {
        // What was copied before may be the same.
        try pane.tmux("delete-buffer")
        try press("copy")
        try pane.waits("nothing was copied") { try !pane.tmux("list-buffers").isEmpty }
        try run(try pane.tmux("show-buffer"))
      }
      guard let (number, count) = try step else { return }
      if number == count { return try press("recheck") }
      try press("next step")
      try pane.waits("the next step is not shown") { try step?.number != number }
    }
  }

  /// `step 1 of 3` in the first row; on a narrow screen the words before may be gone.
  private var step: (number: Int, count: Int)? {
    get throws {
      let title = try pane.screen.split(separator: "\n").first ?? ""
      guard let match = title.firstMatch(of: /(\d+) of (\d+)$/), let number = Int(match.1), let count = Int(match.2)
      else { return nil }
      return (number, count)
    }
  }

  /// Pastes into the second shell, and waits until it has done that.
  private func run(_ command: String) throws {
    try pane.tmux("set-buffer", "-b", "copied", command)
    try pane.tmux("paste-buffer", "-d", "-b", "copied", "-t", ":" + Self.shell)
    if !command.hasSuffix("\n") { try pane.tmux("send-keys", "-t", ":" + Self.shell, "Enter") }
    let mark = Int.random(in: 1000...9999)
    try pane.tmux("send-keys", "-t", ":" + Self.shell, "echo done-$((\(mark) + 1))", "Enter")
    try pane.waits("a command does not end: \(command)", seconds: 60) {
      try pane.tmux("capture-pane", "-p", "-J", "-t", ":" + Self.shell).contains("done-\(mark + 1)")
    }
  }

  /// The keys that the bar names, each with what it does.
  private var bar: [(key: String, does: String)] {
    get throws {
      let row = try pane.screen.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) } ?? ""
      return row.split(separator: /\ \ +/).compactMap { entry in
        entry.firstIndex(of: " ").map { (String(entry[..<$0]), String(entry[$0...].dropFirst())) }
      }
    }
  }

  private func names(_ does: String) throws -> Bool { try bar.contains { $0.does == does } }

  private mutating func press(_ does: String) throws {
    let (bar, screen) = (try bar, try pane.screen)
    let key = try #require(bar.first { $0.does == does }?.key, "no key '\(does)' is named:\n\(screen)")
    walk.keys += 1
    try pane.keys(key)
  }

  /// Waits for the result.
  private func settle() throws {
    try pane.waits("it never came to a result", seconds: 60) {
      try pane.screen.split(separator: "\n").first?.drop { $0 == " " }.hasPrefix("Result") == true
    }
  }
}
