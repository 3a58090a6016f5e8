import Discovery
import Foundation
import Routes
import Testing

@testable import bomb

/// What the child process of one reading printed.
private struct Run {
  let outcome: String
  /// Of the processor.
  let seconds: Double
  let megabytes: Int

  init(_ bomb: Bomb) throws {
    let process = Process()
    process.executableURL = URL(filePath: #filePath).appending(path: "../../../.build/debug/bomb").standardizedFileURL
    process.arguments = [bomb.rawValue]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    let cells = text.split(separator: "\t").map { String($0).trimmingCharacters(in: .newlines) }
    try #require(cells.count == 3, "\(text)")
    (outcome, seconds, megabytes) = (cells[0], try #require(Double(cells[1])), try #require(Int(cells[2])))
  }
}

/// Whatever a configuration holds, reading it takes at most so much.
@Suite(.serialized) struct BombTests {
  /// A debug build is some ten times as slow as the program that people have, which has to keep to 6 seconds, and
  /// to 2 where it comes to an answer at the first reading.
  private static let seconds = 60.0

  @Test(arguments: Bomb.allCases)
  func noConfigurationTakesMoreThanItMay(bomb: Bomb) throws {
    let run = try Run(bomb)
    #expect(run.megabytes <= 200)
    #expect(run.seconds <= Self.seconds)
    if let outcome = bomb.outcome {
      #expect(run.outcome == outcome.rawValue)
    } else {
      #expect(run.outcome.contains("unreadable") || run.outcome == "unknown")
    }
  }
}
