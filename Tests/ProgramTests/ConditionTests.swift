import Foundation
import Testing

/// A machine that is nearly full, or half there: a sentence and an exit code, and never silence.
@Suite(.serialized) struct ConditionTests {
  private static let isRoot = geteuid() == 0

  // MARK: Output

  @Test(arguments: [["show"], ["graph"], ["--help"], ["diagnose", "http://127.0.0.1:1/", "--json"], ["lint", "."]])
  func aFullDiskIsSaid(_ words: [String]) async throws {
    for (redirection, reason) in [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")] {
      // A folder without mistakes prints nothing, so there is nothing to say about it.
      let folder = try Folder()
      try folder.write("- id: [\n", to: "Flows/start.yaml")
      let words = words.map { $0 == "." ? folder.path : $0 }
      let run = try await shell("exec \"$@\" \(redirection)", words)
      #expect(run.status == 74, "\(words) \(redirection)")
      #expect(run.errors == "wizard502: the output cannot be written: \(reason)\n", "\(words) \(redirection)")
    }
  }

  @Test func explainOnAFullDiskIsSaid() async throws {
    let line = "connect() failed (111: Connection refused) while connecting to upstream"
    let log = "2026/11/25 10:00:00 [error] 7#7: *1 \(line), client: 1.2.3.4, upstream: \\\"http://10.0.0.2:80/\\\""
    let run = try await shell("echo \"\(log)\" | \"$@\" >/dev/full", ["explain"])
    #expect(run.status == 74)
    #expect(run.errors.contains("No space left"))
  }

  @Test func aReaderThatHasSeenEnoughIsNoFault() async throws {
    let run = try await shell("{ \"$@\"; echo $? >&2; } | head -1", ["show", "words"])
    #expect(run.output.split(separator: "\n").count == 1)
    #expect(["141\n", "0\n"].contains(run.errors))
  }

  /// A file or a connection must not take the number of a closed stream.
  @Test func closedStreamsAreNobodyElses() async throws {
    let run = try await shell("exec \"$@\" 0<&- 2>&-", ["diagnose", "http://127.0.0.1:1/", "--json"])
    #expect(run.status == 2)
    #expect(try run.diagnosis.verdict == "inconclusive")
    let input = try await shell("exec \"$@\" 0<&-", ["explain"])
    #expect(input.status == 66)
  }

  // MARK: Libraries

  /// libcurl is loaded when a request is wanted; here is none that can be.
  @Test func withoutLibcurlWhatNeedsItIsUnseen() async throws {
    let folder = try Folder()
    try folder.write("no library", to: "libcurl.so.4")
    let environment = Program.withoutDocker.merging(["LD_LIBRARY_PATH": folder.path]) { $1 }
    for words in [["--version"], ["show", "wrong-port"]] {
      let run = try await Program.run(words, environment: environment)
      #expect(run.status == 0 && run.errors.isEmpty, "\(words): \(run.errors)")
    }
    let run = try await Program.run("diagnose", "http://127.0.0.1:1/", "--json", environment: environment)
    #expect(run.status == 2)
    let answer = try #require(try run.diagnosis.checks.first { $0.id == "site.answer" })
    #expect(answer.outcome == "unknown")
    #expect(answer.summary.contains("libcurl.so.4"), "\(answer.summary)")
  }

  // MARK: Threads, processes, files, memory

  @Test(.enabled(if: isRoot), arguments: [0, 2, 5, 9, 13, 15, 24])
  func noThreadsOrProcessesLeft(_ count: Int) async throws {
    let folder = try Folder()
    let program = folder.path + "/wizard502"
    try FileManager.default.copyItem(atPath: Program.path, toPath: program)
    chmod(folder.path, 0o755)
    chmod(program, 0o755)
    let limited = [
      "setpriv", "--reuid=64999", "--regid=64999", "--clear-groups", "prlimit", "--nproc=\(count)", program,
    ]
    for words in [["--version"], ["--help"], ["show", "wrong-port"], ["graph"]] {
      let run = try await Program.run(words, command: limited, limit: 10)
      #expect(run.status == 0 && run.errors.isEmpty, "\(words): \(run.errors)")
    }
    let explain = try await Program.run(["explain", "/dev/null"], command: limited, limit: 10)
    #expect(explain.status == 2)
    for words in [["diagnose", "http://127.0.0.1:1/", "--timeout", "5"], ["diagnose", "--all", "--timeout", "5"]] {
      let run = try await Program.run(words, command: limited, limit: 20)
      if run.status == 70 {
        #expect(run.complaint?.contains("no more processes, threads or memory") == true, "\(run.errors)")
        #expect(count < 24)
      } else {
        #expect(run.status == 2 && count > 4, "\(run.status): \(run.errors)")
      }
    }
  }

  @Test(arguments: [4, 6, 8, 12, 16, 32])
  func fewFilesMayBeOpen(_ count: Int) async throws {
    // The loader itself opens a library at a time.
    let run = try await shell("ulimit -n \(count); exec \"$@\"", ["diagnose", "http://127.0.0.1:1/"])
    if run.status == 70 {
      #expect(run.complaint?.contains("too few files") == true, "\(run.errors)")
      #expect(count < 32)
    } else {
      #expect(run.status == 2, "\(run.errors)")
    }
    let version = try await shell("ulimit -n \(count); exec \"$@\"", ["--version"])
    #expect(version.status == 0)
  }

  @Test(arguments: [50_000, 100_000, 150_000, 200_000, 250_000, 300_000, 500_000])
  func littleMemory(_ kilobytes: Int) async throws {
    let run = try await shell("ulimit -v \(kilobytes); exec \"$@\"", ["diagnose", "http://127.0.0.1:1/"])
    #expect([2, 70, 127].contains(run.status), "\(run.status)")
    if run.status == 70 {
      #expect(run.errors.split(separator: "\n").last?.hasPrefix("wizard502: ") == true, "\(run.errors)")
      #expect(run.errors.contains("memory"), "\(run.errors)")
    }
    #expect(run.status != 127 || run.errors.contains("shared libraries"), "\(run.errors)")
    #expect(kilobytes < 500_000 || run.status == 2)
  }

  // MARK: A rescue system

  @Test(.enabled(if: isRoot)) func withoutProc() async throws {
    func run(_ words: String...) async throws -> Program.Run {
      let script = "mount -t tmpfs none /proc && exec \"$@\""
      return try await Program.run(
        words, command: ["unshare", "--mount", "sh", "-c", script, "sh", Program.path], limit: 20)
    }
    #expect(try await run("--version").output.hasPrefix("wizard502 "))
    #expect(try await run("show", "wrong-port").status == 0)
    #expect(try await run("explain", "/dev/null").status == 2)
    for words in [["diagnose", "http://127.0.0.1:1/"], ["diagnose", "--all"]] {
      let run =
        words.count == 2 && words[1] == "--all" ? try await run("diagnose", "--all") : try await run(words[0], words[1])
      #expect(run.status == 70)
      #expect(run.complaint?.contains("mount -t proc") == true, "\(run.errors)")
    }
    let misuse = try await run("diagnose")
    #expect(misuse.status == 64 && misuse.complaint?.contains("needs a URL") == true, "arguments were lost")
  }

  private func shell(_ script: String, _ words: [String]) async throws -> Program.Run {
    try await Program.run(words, command: ["sh", "-c", script, "sh", Program.path], limit: 20)
  }
}
