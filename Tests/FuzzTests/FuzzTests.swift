import Foundation
import Testing

@Suite struct FuzzTests {
  private static let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

  /// `fuzz` beside these tests, with its exit code and what it says.
  private func fuzz(_ arguments: [String]) throws -> (code: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: "fuzz")
    process.arguments = arguments
    process.currentDirectoryURL = Self.root
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.environment = ["SWIFT_BACKTRACE": "enable=no", "PATH": "/usr/bin:/bin"]
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
  }

  @Test(.timeLimit(.minutes(5)))
  func aShortRunOfEveryDriverEachFromTheSameSeedFindsNothing() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "fuzz-\(UUID())").path()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (code, output) = try fuzz(["--all", "--seconds", "3", "--seed", "502", "--out", folder])
    #expect(code == 0, "\(output)")
    print(output)
  }

  @Test func anInputThatMakesADriverCrashIsKeptAndNamedWithItsPlace() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "fuzz-\(UUID())").path()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (code, output) = try fuzz(["self-test", "--seconds", "60", "--runs", "200", "--out", folder])
    #expect(code == 1)
    #expect(output.contains("Tests/Fuzz/SelfTest.swift"), "\(output)")
    let kept = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("crash-self-test-") }
    #expect(!kept.isEmpty)
    for name in kept { #expect(try fuzz(["self-test", "--input", folder + "/" + name]).code != 0) }
  }
}
