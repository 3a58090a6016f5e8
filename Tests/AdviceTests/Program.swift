import Foundation
import Glibc

/// The package's own folder, found from this file.
let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

/// Runs a program to its end; its status and what it wrote to both outputs.
func run(
  _ program: String, _ arguments: [String], environment: [String: String]? = nil
) throws -> (status: Int32, output: String) {
  let process = Process()
  let output = Pipe()
  process.executableURL = URL(filePath: program)
  process.arguments = arguments
  if let environment { process.environment = environment }
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = output
  process.standardError = output
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}

extension Process {
  /// Ends it for good: a child of a thread that blocks signals does not hear SIGTERM.
  func end() {
    kill(processIdentifier, SIGKILL)
    waitUntilExit()
  }
}

/// A folder of a test's own.
struct Folder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "advice-\(UUID().uuidString.prefix(8))").path()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func write(_ text: String, to name: String) throws {
    let file = URL(filePath: "\(path)/\(name)")
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}
