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

  @Test(arguments: [["--json"], [], ["--markdown"]])
  func whatWasSavedGivesTheSameBytesWhereTheSiteIsGone(form: [String]) async throws {
    let folder = try Folder()
    let file = folder.path + "/evidence"
    let run: Program.Run
    let url: String
    do {
      let server = try server()
      url = server.url + "page?token=hunter2hunter2"
      run = try await Program.run(["diagnose", url, "--save", file] + form)
      #expect(run.output.contains("502"))
    }
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(try !String(contentsOfFile: file, encoding: .utf8).contains("hunter2"))

    for words in [[url], []] {
      let again = try await Program.run(["diagnose"] + words + ["--from", file] + form)
      #expect(again.status == run.status)
      #expect(again.errors.hasPrefix("wizard502: from what was seen on 20"))
      #expect(again.output == run.output)
    }

    let other = try await Program.run("diagnose", "http://other.invalid/", "--from", file)
    #expect(other.status == 64)
    #expect(other.complaint?.contains("not of http://other.invalid") == true)
    #expect(other.output.isEmpty)
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
