import Foundation
import Testing

/// `explain` as a user calls it.
@Suite struct ExplainTests {
  private struct Entry: Decodable, Equatable {
    let line: Int
    let proxy: String
    let causes: [String]
    let meaning: String
    let file: String?
  }

  private static let refused =
    #"2026/11/25 04:47:50 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.9, server: shop.example.org, request: "GET /?token=geheim HTTP/1.1", upstream: "http://172.18.0.3:3000/", host: "shop.example.org""#
  private static let good = #"10.0.0.9 - - [25/Nov/2026:04:47:50 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8""#
  private static let hostile =
    "2026/11/25 04:47:50 [error] 29#29: *1 \u{1B}]0;owned\u{07}\u{202E} connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.9"

  private func entries(_ text: String) throws -> [Entry] {
    try text.split(separator: "\n").map { try JSONDecoder().decode(Entry.self, from: Data($0.utf8)) }
  }

  @Test func everyRecognisedLineIsAnObject() async throws {
    let folder = try Folder()
    try folder.write([Self.good, Self.refused, "", Self.refused, Self.good].joined(separator: "\n"), to: "error.log")
    let run = try await Program.run("explain", "--json", folder.path + "/error.log")
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    let found = try entries(run.output)
    #expect(found.map(\.line) == [2, 4])
    #expect(found.allSatisfy { $0.proxy == "nginx" && $0.causes.first == "wrong-port" && !$0.meaning.isEmpty })
    #expect(found.allSatisfy { $0.file == nil })
  }

  @Test func severalFilesAreNamed() async throws {
    let folder = try Folder()
    try folder.write(Self.refused, to: "a.log")
    try folder.write(Self.good + "\n" + Self.refused + "\n", to: "b.log")
    let run = try await Program.run("explain", folder.path + "/a.log", folder.path + "/b.log", "--json")
    #expect(
      try entries(run.output).map { [$0.file ?? "", String($0.line)] } == [
        [folder.path + "/a.log", "1"], [folder.path + "/b.log", "2"],
      ])
  }

  @Test func asTextTheFirstIsExplainedAndTheOthersAreCounted() async throws {
    let folder = try Folder()
    try folder.write(String(repeating: Self.refused + "\n", count: 50), to: "error.log")
    let run = try await Program.run("explain", folder.path + "/error.log")
    #expect(run.status == 0)
    #expect(run.output.components(separatedBy: "connect() failed").count == 2)
    #expect(run.output.contains("172.18.0.3:3000"))
    #expect(run.output.contains("wizard502 show wrong-port"))
    #expect(run.output.contains("49 times more, last in line 50"))
    #expect(!run.output.contains("geheim"))
    #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 400 })
  }

  @Test func aLineIsNeverDrawnRaw() async throws {
    let folder = try Folder()
    try folder.write(Self.hostile, to: "error.log")
    let run = try await Program.run("explain", folder.path + "/error.log")
    #expect(run.status == 0)
    #expect(run.output.contains("^["))
  }

  @Test func nothingRecognisedIsTwo() async throws {
    let folder = try Folder()
    try folder.write(Self.good, to: "access.log")
    let text = try await Program.run("explain", folder.path + "/access.log")
    #expect(text.status == 2)
    #expect(text.output.contains("No line here"))
    let json = try await Program.run("explain", "--json", folder.path + "/access.log")
    #expect(json.status == 2)
    #expect(json.output.isEmpty)
    // Standard input, which has nothing in these tests.
    #expect(try await Program.run("explain").status == 2)
    #expect(try await Program.run("explain", "-").status == 2)
  }

  @Test(arguments: ["/nonexistent.log", "/"])
  func whatCannotBeReadIsSixtySix(file: String) async throws {
    let run = try await Program.run("explain", file)
    #expect(run.status == 66)
    #expect(run.complaint?.contains(file) == true)
  }

  @Test func aCompressedFileIsRead() async throws {
    let folder = try Folder()
    try folder.write(Self.refused + "\n", to: "error.log")
    let log = folder.path + "/error.log"
    let run = try await Program.run(
      "-c",
      #"gzip "$1" && "$2" explain --json "$1.gz" && "$2" explain --json <"$1.gz" && zcat "$1.gz" | "$2" explain --json -"#,
      "sh", log, Program.path, command: ["/bin/sh"])
    #expect(run.status == 0)
    #expect(try entries(run.output).map(\.line) == [1, 1, 1])
  }

  /// What `docker logs --follow` writes is explained while it still runs.
  @Test func aPipeIsFollowed() async throws {
    let folder = try Folder()
    try folder.write(Self.refused + "\n", to: "line")
    // The writer goes on only when the first line's meaning has arrived.
    let run = try await Program.run(
      "-c",
      #"""
      { cat "$1/line"; n=0; until [ -s "$1/out" ] || [ $n -ge 100 ]; do sleep 0.1; n=$((n+1)); done; echo "$n" >"$1/waited"; cat "$1/line"; } |
        "$2" explain --json - >"$1/out"; cat "$1/out"; [ "$(cat "$1/waited")" -lt 100 ]
      """#, "sh", folder.path, Program.path, command: ["/bin/sh"])
    #expect(run.status == 0)
    #expect(try entries(run.output).map(\.line) == [1, 2])
  }
}
