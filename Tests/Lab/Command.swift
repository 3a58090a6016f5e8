import Dispatch
import Foundation

/// What a finished program left behind.
struct Output: Sendable {
  var status: Int32
  var text: String
  var errors: String
}

/// A program that ended otherwise than its caller needs.
struct CommandFailed: Error, CustomStringConvertible {
  var description: String
}

/// Runs `arguments[0]`, found on the PATH, and waits for its end, at most `limit` seconds.
///
/// Its output goes through files, so a program that leaves a daemon behind does not keep the caller waiting.
func run(_ arguments: [String], limit: Int = 60) async throws -> Output {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async {
      continuation.resume(with: Result { try runNow(arguments, limit: limit) })
    }
  }
}

/// The standard output of `arguments`, without white space around it; throws unless it ends with 0.
@discardableResult
func succeed(_ arguments: String..., limit: Int = 60) async throws -> String {
  let output = try await run(arguments, limit: limit)
  guard output.status == 0 else {
    throw CommandFailed(
      description:
        "\(arguments.joined(separator: " ")) ended with \(output.status): \(output.errors)\(output.text)")
  }
  return output.text.trimmingCharacters(in: .whitespacesAndNewlines)
}

@discardableResult
func docker(_ arguments: [String]) async throws -> String {
  let output = try await run(["docker"] + arguments)
  guard output.status == 0 else {
    throw CommandFailed(description: "docker \(arguments.joined(separator: " ")): \(output.errors)")
  }
  return output.text.trimmingCharacters(in: .whitespacesAndNewlines)
}

@discardableResult
func docker(_ arguments: String...) async throws -> String {
  try await docker(arguments)
}

/// Asks `claim` again and again until it holds or `seconds` are over; tells whether it held.
func eventually(within seconds: Double, _ claim: () async throws -> Bool) async rethrows -> Bool {
  let end = ContinuousClock.now.advanced(by: .seconds(seconds))
  while true {
    if try await claim() { return true }
    if ContinuousClock.now >= end { return false }
    try? await Task.sleep(for: .milliseconds(100))
  }
}

private func runNow(_ arguments: [String], limit: Int) throws -> Output {
  let base = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID().uuidString)")
  let files = ["out", "err"].map { base.appendingPathExtension($0) }
  for file in files { try Data().write(to: file) }
  defer { for file in files { try? FileManager.default.removeItem(at: file) } }
  let process = Process()
  // The threads here block signals, and what they start inherits that: nothing of it would end when its time is over.
  let unblock = "sigprocmask(SIG_SETMASK, POSIX::SigSet->new); exec {$ARGV[0]} @ARGV"
  process.executableURL = URL(filePath: "/usr/bin/perl")
  process.arguments = ["-MPOSIX", "-e", unblock, "--", "timeout", "--kill-after=5", String(limit)] + arguments
  process.standardInput = FileHandle.nullDevice
  let handles = try files.map { try FileHandle(forWritingTo: $0) }
  defer { for handle in handles { try? handle.close() } }
  (process.standardOutput, process.standardError) = (handles[0], handles[1])
  try process.run()
  process.waitUntilExit()
  let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
  return Output(status: process.terminationStatus, text: texts[0], errors: texts[1])
}
