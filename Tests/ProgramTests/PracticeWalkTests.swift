import Foundation
import Pane
import Testing

/// Exercises and recordings in a real terminal, by keys.
@Suite(.serialized) struct PracticeWalkTests {
  private static let exercises = URL(filePath: #filePath).appending(path: "../../../Screens/practice")
    .standardizedFileURL
    .path()

  /// A teacher's own folder, with one exercise.
  private func teachersFolder() throws -> Folder {
    let folder = try Folder()
    for file in ["yaml", "1.xz", "2.xz"] {
      try FileManager.default.copyItem(
        atPath: "\(Self.exercises)/nginx-wrong-port.\(file)", toPath: "\(folder.path)/mine.\(file)")
    }
    return folder
  }

  /// Starts the program; whatever is on its screen is of another day.
  private func start(_ pane: Pane, _ words: String) throws {
    try pane.shell("clear; \(Program.path) \(words); echo code $?")
  }

  /// Waits for words, wherever their rows break.
  private func wait(_ pane: Pane, for words: String, _ location: SourceLocation = #_sourceLocation) throws {
    try pane.waits("'\(words)' never came", location, seconds: 90) {
      try pane.screen.split { $0.isWhitespace }.joined(separator: " ").contains(words)
    }
  }

  private func isOfAnotherDay(_ pane: Pane, _ mark: String, _ location: SourceLocation = #_sourceLocation) throws {
    #expect(try pane.screen.contains("[\(mark) 20"), sourceLocation: location)
  }

  @Test(arguments: [(80, 24), (40, 12)], [false, true])
  func anExerciseIsDoneByKeys(size: (columns: Int, rows: Int), isTeachers: Bool) throws {
    let folder = try teachersFolder()
    let pane = try Pane(columns: size.columns, rows: size.rows)
    try start(pane, isTeachers ? "practice --from \(folder.path)" : "practice nginx-wrong-port")
    try wait(pane, for: "The shop answers 502.")
    try isOfAnotherDay(pane, "practice")
    try pane.keys("h")
    try wait(pane, for: "1 Does the app run?")
    try isOfAnotherDay(pane, "practice")
    try pane.keys("b", "Enter")
    try wait(pane, for: "What is the cause?")
    try isOfAnotherDay(pane, "practice")
    try pane.keys("1")
    try wait(pane, for: "No, ")
    // backend-stopped, listens-on-localhost, network-mismatch, timeout-too-short, wrong-port
    try pane.keys("5")
    try wait(pane, for: "That is right.")
    try isOfAnotherDay(pane, "practice")
    try pane.keys("Enter")
    try wait(pane, for: "Practice: read the step")
    for _ in 0..<12 where try !pane.screen.contains("That key does nothing here") {
      try isOfAnotherDay(pane, "practice")
      let before = try pane.screen
      try pane.keys("n")
      try pane.waits("the next step never came", seconds: 90) { try pane.screen != before }
    }
    try pane.keys("r")
    try wait(pane, for: "It works again.")
    try isOfAnotherDay(pane, "practice")
    try pane.keys("End")
    try wait(pane, for: "two numbers, one look.")
    try pane.keys("q")
    try wait(pane, for: "code 0")
  }

  @Test(arguments: [(80, 24), (40, 12)])
  func oneOfAllIsChosen(columns: Int, rows: Int) throws {
    let pane = try Pane(columns: columns, rows: rows)
    try start(pane, "practice")
    try wait(pane, for: "Practice:")
    try pane.keys("End", "Enter")
    try wait(pane, for: "Press Enter to start")
    try isOfAnotherDay(pane, "practice")
    try pane.keys("b")
    try wait(pane, for: "Enter choose")
    try pane.keys("Home", "1")
    try wait(pane, for: "Press Enter to start")
    try pane.keys("q")
    try wait(pane, for: "code 0")
  }

  /// On every screen, and beside what is shown alone.
  @Test(arguments: [(80, 24), (40, 12)])
  func whatWasRecordedIsNeverTakenForNow(columns: Int, rows: Int) throws {
    let folder = try teachersFolder()
    let pane = try Pane(columns: columns, rows: rows)
    try start(pane, "--from \(folder.path)/mine.1.xz")
    try wait(pane, for: "[recorded 20")
    try wait(pane, for: "wrong port")
    // The path and a finding of it, words, help, two steps, a step alone, the question whether to leave.
    for keys in [
      ["e"], ["Enter"], ["w"], ["Escape"], ["?"], ["Escape"], ["b"], ["b"], ["Enter"], ["n"], ["p"], ["x"], ["q"],
    ] {
      let before = try pane.screen
      for key in keys { try pane.keys(key) }
      try pane.waits("\(keys) changed nothing", seconds: 90) { try pane.screen != before }
      try isOfAnotherDay(pane, "recorded")
    }
    try pane.keys("y")
    try wait(pane, for: "code 1")
  }
}
