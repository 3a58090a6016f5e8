import Foundation
import Testing

/// The guided session where nothing is drawn: pipes, files, nobody at all.
@Suite(.serialized) struct LineModeTests {
  private func server() throws -> Server {
    try Server { peer in
      _ = peer.request()
      peer.answer("502 Bad Gateway", body: "<center>nginx/1.27.0</center>".utf8)
    }
  }

  /// - Parameter input: A command of a shell whose output is typed.
  private func run(_ input: String, _ words: String..., environment: [String: String] = [:], limit: Double = 60)
    async throws -> Program.Run
  {
    try await Program.run(
      words, command: ["sh", "-c", "\(input) | exec \"$@\"", "sh", Program.path],
      environment: Program.withoutDocker.merging(environment) { $1 }, limit: limit)
  }

  @Test func withoutInputItIsLikeADiagnosis() async throws {
    let server = try server()
    let plain = try await Program.run("diagnose", server.url, "--json")
    let run = try await Program.run(server.url)
    #expect(run.status == plain.status && run.errors == "")
    #expect(run.output.hasPrefix("wizard502 in line mode, because input or output is not a terminal."))
    #expect(run.output.contains("\nNO: \(server.url) answers 502 Bad Gateway"))
    #expect(run.output.contains("\nResult for 127.0.0.1"))
  }

  @Test func linesOfAPipeWaitUntilTheyAreWanted() async throws {
    let server = try server()
    let run = try await run("printf '%s\\n' '\(server.url)' '?' quit", "--timeout", "20")
    #expect(run.output.contains("q quit: \(server.url)\n\nChecking 127.0.0.1\n"))
    #expect(run.output.contains("quit: ?\n\nWhat you can type here\n"))
    #expect(run.output.contains("quit: quit\n\(server.url): "))
    #expect([1, 2].contains(run.status))
  }

  @Test(arguments: ["head -c 10000000 /dev/urandom", "head -c 10000000 /dev/zero", "yes", "yes ''", "yes \u{1B}[31m"])
  func garbageIsNoAnswerAndNoEnd(input: String) async throws {
    let server = try server()
    let run = try await run(input, server.url)
    #expect([1, 2].contains(run.status))
    #expect(run.output.utf8.count < 100_000, "\(run.output.utf8.count)")
  }

  @Test func asciiWhereTheLocaleHasNoMore() async throws {
    let server = try server()
    let run = try await run("printf q", server.url, environment: ["LC_ALL": "C"])
    #expect(run.output.utf8.allSatisfy { $0 < 0x80 })
  }

  @Test func aSessionIsWrittenDownWithoutSecretsAndNeverOverAFile() async throws {
    let (server, folder) = (try server(), try Folder())
    let file = folder.path + "/session"
    let words = [server.url + "?token=hunter2hunter2", "--record", file]
    let run = try await Program.run(words)
    let text = try String(contentsOfFile: file, encoding: .utf8)
    #expect(text.contains("Result for 127.0.0.1") && !text.contains("hunter2"))
    #expect(text.hasSuffix(" no cause could be found for certain.\n") == run.output.hasSuffix(" certain.\n"))
    #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
    let again = try await Program.run(words)
    #expect(again.status == 74 && again.complaint?.contains("File exists") == true)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
  }

  @Test func answersComeFromAFileUntilOneDoesNotFit() async throws {
    let (server, folder) = (try server(), try Folder())
    try folder.write("# the site\n\n\(server.url)\nquite another thing\nquit\n", to: "answers")
    let run = try await Program.run("--answers", folder.path + "/answers")
    #expect(run.output.contains("quit: \(server.url)\n"))
    #expect(run.output.contains("The answer \"quite another thing\" from the file does not fit here."))
    #expect(run.output.contains("The input has ended."))
    for file in ["/nonexistent", folder.path, "/dev/zero"] {
      let run = try await Program.run("--answers", file, limit: 10)
      #expect(run.status == 66 && run.complaint != nil, "\(file)")
    }
  }

  @Test(arguments: [
    ["--restricted", "--flows", "/etc"], ["--restricted", "--from=/etc/shadow"], ["--restricted", "--record", "x"],
    ["--restricted", "--answers", "/etc/shadow"], ["--restricted", "diagnose", "http://shop.example/"],
    ["--restricted", "explain", "/etc/shadow"], ["--restricted", "show"],
  ])
  func aRestrictedSessionTakesNoFile(words: [String]) async throws {
    let run = try await Program.run(words, limit: 5)
    #expect(run.status == 64 && run.complaint?.contains("--restricted") == true)
  }

  @Test func aRestrictedSessionWritesIntoItsStateFolderOnly() async throws {
    let (server, folder) = (try server(), try Folder())
    let run = try await run(
      "printf '%s\\n' unsure unsure unsure unsure unsure unsure unsure unsure s q", server.url, "--restricted",
      environment: [
        "HOME": folder.path, "XDG_STATE_HOME": folder.path + "/state", "SSH_ORIGINAL_COMMAND": "--flows /etc",
      ])
    #expect([1, 2].contains(run.status))
    let reports = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".md") }
    #expect(reports.count == 1 && reports[0].hasPrefix("state/wizard502/wizard502-127.0.0.1-"), "\(run.output)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["state"])
  }
}
