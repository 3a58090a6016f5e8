import Foundation
import Glibc
import Testing

/// A Docker engine that answers, the images in it, and the table of results when all is over.
///
/// An engine that already runs is used; else `dockerd` is started for the suite and ended after it. Without an
/// engine the suite fails.
struct Engine: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let daemon = try await answers() ? nil : start()
    defer { daemon.map(stop) }
    guard try await eventually(within: 60, answers) else {
      throw CommandFailed(description: "no Docker engine answers, and dockerd did not start one within 60 s")
    }
    try await function()
    for table in [Table.shared, .byHand, .answers] { await table.finish() }
    await Tally.shared.finish()
  }

  private func answers() async throws -> Bool {
    try await run(["docker", "version", "--format", "{{.Server.Version}}"], limit: 10).status == 0
  }

  private func start() throws -> Process {
    let daemon = Process()
    daemon.executableURL = URL(filePath: "/usr/bin/env")
    daemon.arguments = ["dockerd"]
    daemon.standardOutput = FileHandle.nullDevice
    daemon.standardError = FileHandle.nullDevice
    // A thread of Swift's pool blocks signals. The engine, and the programs in its containers, would inherit that and
    // hear no signal to reload.
    var none = sigset_t()
    var blocked = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &blocked)
    defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
    try daemon.run()
    return daemon
  }

  private func stop(_ daemon: Process) {
    daemon.terminate()
    daemon.waitUntilExit()
  }
}

extension Trait where Self == Engine {
  static var engine: Engine { Engine() }
}
