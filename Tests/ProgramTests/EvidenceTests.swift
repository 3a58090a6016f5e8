import Foundation
import Testing

/// What a diagnosis saw is kept in a file, and is enough for the same diagnosis elsewhere.
@Suite(.serialized) struct EvidenceTests {
  private func server() throws -> Server {
    try Server { peer in
      _ = peer.request()
      peer.answer("502 Bad Gateway", body: "<center>nginx/1.27.0</center>".utf8)
    }
  }

  /// A result without its list of checks: which of them ended before the result was certain is a matter of chance.
  private func lasting(_ output: String) throws -> NSDictionary {
    let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
    return try #require(object as? [String: Any]).filter { $0.key != "checks" } as NSDictionary
  }

  @Test func whatWasSavedGivesTheSameDiagnosisWhereTheSiteIsGone() async throws {
    let folder = try Folder()
    let file = folder.path + "/evidence"
    let run: Program.Run
    let url: String
    do {
      let server = try server()
      url = server.url + "page?token=hunter2hunter2"
      run = try await Program.run("diagnose", url, "--json", "--save", file)
      #expect(try run.diagnosis.observed.status == 502)
    }
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(try !String(contentsOfFile: file, encoding: .utf8).contains("hunter2"))

    let again = try await Program.run("diagnose", url, "--json", "--from", file)
    #expect(again.status == run.status)
    #expect(again.errors.hasPrefix("wizard502: from what was seen on 20"))
    #expect(try lasting(again.output) == lasting(run.output))
    let before = try Dictionary(run.diagnosis.checks.map { ($0.id, $0.summary) }) { $1 }
    for check in try again.diagnosis.checks { #expect(check.summary == before[check.id] ?? check.summary) }
    #expect(try again.diagnosis.checks.contains { $0.id == "site.answer" && $0.outcome == "bad-gateway" })
  }

  @Test func itIsNeverWrittenOverAnotherFile() async throws {
    let folder = try Folder()
    let file = folder.path + "/there"
    try "mine".write(toFile: file, atomically: true, encoding: .utf8)
    let run = try await Program.run("diagnose", "http://nobody.invalid/", "--save", file)
    #expect(run.status == 74)
    #expect(run.complaint?.contains("File exists") == true)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
  }

  @Test(arguments: [nil, "", "no recording", "{\"now\":1,\"records\":2,\"version\":1,\"wizard502\":\"recording\"}\n"])
  func whatIsNoEvidenceIsSaidToBeNone(text: String?) async throws {
    let folder = try Folder()
    let file = folder.path + "/evidence"
    try text?.write(toFile: file, atomically: true, encoding: .utf8)
    let run = try await Program.run("diagnose", "http://nobody.invalid/", "--from", file, limit: 10)
    #expect(run.status == 66)
    #expect(run.complaint?.contains("evidence") == true)
  }
}
