import Foundation
import Testing

/// `checkup` as a process: what it prints, how it ends, what it keeps.
@Suite struct CheckupTests {
  private struct Site: Decodable {
    struct Found: Decodable {
      let id: String
      let urgency: String
    }
    let url: String?
    let weaknesses: [Found]
    let unseen: [String]
  }

  /// Nobody listens there.
  private static let url = "http://localhost:1/"

  private func sites(_ run: Program.Run) throws -> [Site] {
    try JSONDecoder().decode([Site].self, from: Data(run.output.utf8))
  }

  @Test func aSiteThatFailsIsSaidFirst() async throws {
    let run = try await Program.run("checkup", Self.url, "--json")
    let site = try #require(try sites(run).first)
    #expect((run.status, run.errors, site.url) == (1, "", Self.url))
    #expect(site.weaknesses.map(\.id) == ["site-fails"])
    #expect(!site.unseen.isEmpty, "there is no proxy to look at")
    let text = try await Program.run("checkup", Self.url)
    #expect(text.status == 1)
    #expect(text.output.contains("wizard502 diagnose \(Self.url)"))
    #expect(text.output.hasPrefix(Self.url + "\n"))
  }

  @Test(arguments: [
    (["checkup", "no site"], "is no address of a site"), (["checkup", "a.test", "b.test"], "one word too many"),
    (["checkup", "--since", "yesterday"], "--since takes last"),
    (["checkup", "a.test", "--save", "x"], "--save goes with"),
  ])
  func wrongUse(words: [String], sentence: String) async throws {
    let run = try await Program.run(words)
    #expect(run.status == 64)
    #expect(run.complaint?.contains(sentence) == true, "\(run.errors)")
  }

  @Test func onlyWhatIsNewSinceLastTime() async throws {
    let folder = try Folder()
    let environment = Program.withoutDocker.merging(["XDG_STATE_HOME": folder.path]) { $1 }
    let words = ["checkup", Self.url, "--json", "--since", "last"]
    let first = try await Program.run(words, environment: environment)
    #expect(try sites(first).flatMap(\.weaknesses).map(\.id) == ["site-fails"])
    #expect(first.status == 1)
    let second = try await Program.run(words, environment: environment)
    #expect(try sites(second).isEmpty)
    #expect(second.status == 2, "nothing is new, and not everything could be seen")
    let text = try await Program.run(["checkup", Self.url, "--since=last"], environment: environment)
    #expect((text.output, text.errors) == ("", ""))
    let path = folder.path + "/wizard502/checkup.json"
    let kept = try FileManager.default.attributesOfItem(atPath: path)
    #expect(kept[.posixPermissions] as? Int == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/wizard502") == ["checkup.json"])
    // Whoever wants to see it all need not.
    #expect(try await Program.run("checkup", Self.url, environment: environment).output.contains("site-fails"))
  }

  /// Root would follow a link that somebody else has put there.
  @Test func theStateIsNeverKeptThroughALink() async throws {
    let (folder, other) = (try Folder(), try Folder())
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/wizard502", withDestinationPath: other.path)
    let environment = Program.withoutDocker.merging(["XDG_STATE_HOME": folder.path]) { $1 }
    let run = try await Program.run(["checkup", Self.url, "--since", "last"], environment: environment)
    #expect(run.status == 74)
    #expect(run.complaint?.contains("cannot be kept") == true, "\(run.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: other.path) == [])
    // Nor is the file itself followed: the link goes, and what it led to stays as it was.
    let own = try Folder()
    try FileManager.default.createDirectory(atPath: own.path + "/wizard502", withIntermediateDirectories: true)
    let victim = other.path + "/victim"
    try Data("untouched".utf8).write(to: URL(filePath: victim))
    try FileManager.default.createSymbolicLink(
      atPath: own.path + "/wizard502/checkup.json", withDestinationPath: victim)
    let second = try await Program.run(
      ["checkup", Self.url, "--since", "last"],
      environment: Program.withoutDocker.merging(["XDG_STATE_HOME": own.path]) { $1 })
    #expect(second.status == 1)
    #expect(try String(contentsOfFile: victim, encoding: .utf8) == "untouched")
  }
}
