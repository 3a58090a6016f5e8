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

  /// What is no text, or of two machines, is refused in one sentence, whichever way it comes.
  @Test(arguments: [
    (Data([0x7F, 0x45, 0x4C, 0x46, 0, 0, 0]), "is no text, so nothing of it was used"),
    (Data("root@web1:~# id -u\n0\nroot@db2:~# id -u\n0\n".utf8), "is of more than one machine (db2, web1)"),
  ])
  func aPasteThatCannotBeUsedIsSaidToBeNone(paste: Data, sentence: String) async throws {
    let folder = try Folder()
    let file = folder.path + "/paste"
    try paste.write(to: URL(filePath: file))
    let words = ["diagnose", "http://nobody.invalid/", "--paste"]
    let asInput = ["/bin/sh", "-c", "exec \"$0\" \"$@\" < '\(file)'", Program.path]
    for run in [
      try await Program.run(words + [file], limit: 10),
      try await Program.run(words + ["-"], command: asInput, limit: 10),
    ] {
      #expect(run.status == 66 && run.output.isEmpty)
      #expect(run.complaint?.contains(sentence) == true, "\(run.errors)")
    }
  }

  /// Ten megabytes of another program's output are read in time, and it is said that they tell nothing.
  @Test func aHugePasteOfSomethingElseEnds() async throws {
    let folder = try Folder()
    let file = folder.path + "/paste"
    let lines = (0..<220_000).map { "\($0) of 220000 files were copied from here to there\n" }
    try Data(lines.joined().utf8).write(to: URL(filePath: file))
    let run = try await Program.run(
      "diagnose", "http://nobody.invalid/", "--paste", file, "--timeout", "90", limit: 100)
    #expect(run.status == 2 && run.errors.contains("more lines of the paste could not be read"), "\(run.errors)")
  }
}
