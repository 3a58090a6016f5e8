import Foundation
import Testing

/// Every way out of the program: no secret goes along, and what was left out can be seen.
@Suite(.serialized) struct SecretTests {
  private static let secret = "hunter2hunter2"

  /// A site that shows a secret wherever it can.
  private func server() throws -> Server {
    try Server { peer in
      _ = peer.request()
      peer.answer(
        "502 Bad Gateway", headers: "Set-Cookie: session=\(Self.secret)\r\nX-Api-Key: \(Self.secret)\r\n",
        body: "<center>nginx/1.27.0</center> password=\(Self.secret) https://u:\(Self.secret)@db.example.test/".utf8)
    }
  }

  private func expectNone(_ text: String, _ what: Comment, _ location: SourceLocation = #_sourceLocation) {
    #expect(!text.contains(Self.secret), what, sourceLocation: location)
  }

  @Test(arguments: [[], ["--json"], ["--markdown"]]) func noReportHasOne(form: [String]) async throws {
    let server = try server()
    for words in [
      ["diagnose", "\(server.url)?token=\(Self.secret)"], ["checkup", "\(server.url)?token=\(Self.secret)"],
    ] {
      let form = form == ["--markdown"] && words[0] == "checkup" ? [] : form
      let run = try await Program.run(words + form, limit: 60)
      if words[0] == "diagnose" { #expect(run.output.contains("token=…")) }
      expectNone(run.output + run.errors, "\(words)")
    }
  }

  /// What is said, what is saved and previewed, the record, and the session that is kept.
  @Test func noSessionHasOne() async throws {
    let (server, folder) = (try server(), try Folder())
    let line =
      "2026/11/30 10:00:00 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, "
      + "client: 10.0.0.9, server: shop, upstream: \"http://10.0.0.2:80/?token=\(Self.secret)\""
    try "l\n\(line)\nb\nv\ns\n".write(toFile: folder.path + "/answers", atomically: false, encoding: .utf8)
    let run = try await Program.run(
      [
        "-C", folder.path, Program.path, "\(server.url)?token=\(Self.secret)", "--answers", "answers", "--record",
        "record",
      ],
      command: ["env"], environment: Program.withoutDocker.merging(["XDG_STATE_HOME": folder.path]) { $1 }, limit: 60)
    #expect(run.output.contains("Saved to "), "\(run.output)")
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    #expect(files.contains("record") && files.contains { $0.hasSuffix(".md") })
    for file in files where file != "answers" { expectNone(folder.text(file) ?? "", "\(file)") }
    expectNone(run.output + run.errors, "what was said")
  }

  @Test func whatASavedFileHidesIsSaid() async throws {
    let (server, folder) = (try server(), try Folder())
    let run = try await Program.run(
      "diagnose", "\(server.url)?token=\(Self.secret)", "--save", folder.path + "/seen", limit: 60)
    let saved = try #require(folder.text("seen"))
    expectNone(saved + run.output + run.errors, "the file and all that is said")
    let lines = run.errors.split(separator: "\n")
    #expect(lines.first?.hasPrefix("wizard502: hidden in \(folder.path)/seen, as …: ") == true, "\(run.errors)")
    let total = run.errors.matches(of: /(\d+) (?:behind a name|with the form|in an address)/).compactMap { Int($0.1) }
    let placed = lines.dropFirst().compactMap { $0.firstMatch(of: /^  .*: (\d+)$/).flatMap { Int($0.1) } }
    #expect(total.reduce(0, +) > 2 && total.reduce(0, +) == placed.reduce(0, +), "\(run.errors)")
    #expect(lines.dropFirst().contains { $0.contains(server.url + "?token=…") }, "\(run.errors)")
  }

  /// Nor a name, where names are not to be told: not in a line that could not be read either.
  @Test func noWordOfAPasteIsTold() async throws {
    let folder = try Folder()
    let name = "acme-intranet"
    try """
    what is this of \(name)? \(Self.secret)
    $ curl -i http://\(name).example.test/
    HTTP/1.1 502 Bad Gateway
    Server: nginx
    X-Api-Key: \(Self.secret)

    <center>nginx</center>
    """.write(toFile: folder.path + "/paste", atomically: false, encoding: .utf8)
    let words = ["diagnose", "http://\(name).example.test/", "--paste", folder.path + "/paste"]
    let open = try await Program.run(words, limit: 60)
    #expect(open.output.contains(name))
    let run = try await Program.run(words + ["--anonymize"], limit: 60)
    for text in [run.output, run.errors] {
      #expect(!text.contains(name) && !text.contains("X-Api-Key: \(Self.secret)"), "\(text)")
    }
  }

  @Test func explainHasNone() async throws {
    let folder = try Folder()
    let line =
      "2026/11/30 10:00:00 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: "
      + "10.0.0.9, server: shop, request: \"GET /?token=\(Self.secret) HTTP/1.1\", upstream: \"http://10.0.0.2:80/?token=\(Self.secret)\""
    try line.write(toFile: folder.path + "/log", atomically: false, encoding: .utf8)
    for form in [[], ["--json"]] {
      let run = try await Program.run(["explain", folder.path + "/log"] + form)
      #expect(run.status == 0)
      expectNone(run.output + run.errors, "explain")
    }
  }
}
