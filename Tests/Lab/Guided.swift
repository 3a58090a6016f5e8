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
      var newcomer = try Newcomer(at: pane)
      try newcomer.follow()
      #expect(newcomer.walk.isFixed, "\(newcomer.walk.end)")
      try pane.keys("q")
      try pane.waits(for: "code 0")
      try pane.waits("the shell's modes never came back") { pane.text("after").map { !$0.isEmpty } ?? false }
      #expect(pane.text("before") == pane.text("after"))
      #expect(try !pane.isOnAlternateScreen)
    }
  }

  /// Faults that commands can mend, each walked by somebody who knows only the screen, in turn on a usual and on a small
  /// one. Prints how each went, and all together.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["LAB_WALKS"] != nil), arguments: Fault.walked)
  func walked(_ fault: Fault) async throws {
    let number = Fault.walked.firstIndex { $0.name == fault.name } ?? 0
    let (columns, rows) = number.isMultiple(of: 2) ? (80, 24) : (40, 12)
    try await standing(fault) { site, _, _ in
      let isForHands = site.findings.contains { $0.byHand != nil } || site.webInterface != nil || site.series != nil
      if isForHands || site.findings.isEmpty || site.engine != nil { return }
      let pane = try Pane(columns: columns, rows: rows)
      try pane.shell("'\(Wizard.program)' '\(site.url)'")
      var newcomer = try Newcomer(at: pane)
      try newcomer.follow()
      let walk = newcomer.walk
      let (screen, isWell) = (try pane.screen, try await isWell(site, within: 5))
      #expect(walk.isFixed, "\(walk.end)\n\(screen)")
      #expect(walk.isFixed == isWell)
      await Walks.shared.add(walk, "\(fault.name), \(columns)x\(rows)")
    }
  }
}

extension Fault {
  /// The core, since that has every kind of proxy and cause.
  static let walked = all.filter(\.isCore)
}

/// All walks of this run.
private actor Walks {
  static let shared = Walks()

  private var all: [Newcomer.Walk] = []

  func add(_ walk: Newcomer.Walk, _ name: String) {
    all.append(walk)
    let keys = all.filter(\.isFixed).map(\.keys).sorted()
    let median = keys.isEmpty ? 0 : keys[keys.count / 2]
    print(
      "walk: \(name): \(walk.isFixed ? "fixed" : walk.end), \(walk.keys) keys, \(Int(walk.seconds)) s; "
        + "so far \(keys.count) of \(all.count) fixed, \(median) keys in the median, \(keys.last ?? 0) at most")
  }
}
