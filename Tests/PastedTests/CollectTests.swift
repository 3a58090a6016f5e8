import Foundation
import Reader
import Testing

/// The script that a person runs where the program is not.
struct CollectTests {
  private let script = Reader.builtIn.first { $0.path == Reader.collectingScript }?.text ?? ""

  /// What a shell prints that is given the script's own functions and then these commands.
  private func printed(by commands: String, in shell: [String]) throws -> String {
    let functions = script.split(separator: "\n{ run date").first ?? ""
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = shell + ["-c", functions + "\n" + commands]
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  @Test func aPersonCanReadIt() {
    #expect(script.split(separator: "\n").count <= 60)
  }

  @Test(arguments: [["dash"], ["bash"], ["busybox", "sh"]])
  func itPrintsNoSecret(_ shell: [String]) throws {
    let secret = "s3cr3t"
    let lines = [
      "\"MYSQL_ROOT_PASSWORD=\(secret)\",", "\"DATABASE_URL=postgres://user:\(secret)@db:5432/x\",",
      "SMTP_PASS=\(secret)",
      "\"auth.basicauth.users\": \"bob:$apr1$\(secret)$value\"", "proxy_set_header Authorization \"Basic \(secret)\";",
      "password: \(secret)", "api_key: \"\(secret)\"", "X-Api-Key: \(secret)", "GET /?token=\(secret) HTTP/1.1",
      "Set-Cookie: session=\(secret); Path=/", "\"secret\":\"\(secret)\"", "authorization: Bearer \(secret)",
      "--token \(secret)",
      "-----BEGIN EC PRIVATE KEY-----", secret, "-----END EC PRIVATE KEY-----",
    ]
    let shown = try printed(by: "hide <<'END'\n\(lines.joined(separator: "\n"))\nEND\n", in: shell)
    #expect(shown.contains("MYSQL_ROOT_PASSWORD=***") && !shown.contains(secret), "\(shown)")
  }

  /// What a proxy is set up with is no secret.
  @Test(arguments: [
    "proxy_pass http://tokenizer:8080;", "server authelia:9091;", "reverse_proxy app:3000", "passHostHeader: true",
  ])
  func itKeepsWhatIsNone(_ line: String) throws {
    #expect(try printed(by: "hide <<'END'\n\(line)\nEND\n", in: ["dash"]) == line + "\n")
  }

  /// Each command stands above what it printed, and what has a NUL in it is text all the same.
  @Test func itNamesItsCommands() throws {
    #expect(try printed(by: "run printf 'a\\000b'", in: ["dash"]) == "\n##502## printf a\\000b\na b")
  }

  /// What a proxy includes is copied wherever it is, however deep, and so is what a link leads to.
  @Test(arguments: [["dash"], ["bash"], ["busybox", "sh"]])
  func itCopiesWhatIsIncluded(_ shell: [String]) throws {
    let shown = try copied(
      [
        "etc/nginx.conf": "include \(Self.top)/srv/*.conf;\n  include \"\(Self.top)/none/*\";",
        "srv/one.conf": "import \(Self.top)/opt/two", "opt/two": "Include \(Self.top)/a/b/c/d/e/f/three",
        "a/b/c/d/e/f/three": "directory: \(Self.top)/dynamic", "dynamic/x/four.yml": "filename = \"\(Self.top)/five\"",
        "five": "include \(Self.top)/etc/nginx.conf", "home/six": "server {}", "home/seven": "not included",
        "home/key.key": "none",
      ], links: ["etc/enabled/six": "../../home/six", "etc/out": "../../../../../../../../../six"], in: shell)
    #expect(
      shown == [
        "etc/nginx.conf", "srv/one.conf", "opt/two", "a/b/c/d/e/f/three", "dynamic/x/four.yml", "five", "home/six",
      ])
  }

  /// Nothing by way of a folder that is a link, nor what only its owner may read.
  @Test func itCopiesNothingThroughALink() throws {
    let shown = try copied(
      [
        "etc/nginx.conf": "include \(Self.top)/way/hidden;\ninclude \(Self.top)/shadow;", "there/hidden": "x",
        "shadow": "x",
      ],
      links: ["way": "there"], in: ["dash"])
    #expect(shown == ["etc/nginx.conf"])
  }

  private static let top = "@TOP@"

  /// The files that are copied of a machine whose proxy has its folder in `etc`. `@TOP@` is where that machine is.
  private func copied(_ files: [String: String], links: [String: String], in shell: [String]) throws -> Set<String> {
    let manager = FileManager.default
    let top = manager.temporaryDirectory.appending(path: "collect-\(UUID().uuidString)")
    defer { try? manager.removeItem(at: top) }
    func place(_ path: String) throws -> URL {
      let place = top.appending(path: path)
      try manager.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
      return place
    }
    for (path, text) in files {
      try Data((text.replacing(Self.top, with: top.path()) + "\n").utf8).write(to: place(path))
    }
    for (path, end) in links {
      try manager.createSymbolicLink(atPath: try place(path).path(), withDestinationPath: end)
    }
    let printed = try printed(by: "folders=\(top.path())/etc; files host ''", in: ["timeout", "20"] + shell)
    return Set(
      printed.split(separator: "\n").filter { $0.hasPrefix("##502## cat \(top.path())") }
        .map { String($0.dropFirst("##502## cat \(top.path())/".count)) })
  }

  /// How much was hidden, and in what, beside the output and not in it.
  @Test(arguments: [["dash"], ["busybox", "sh"]]) func itSaysWhatIsHidden(_ shell: [String]) throws {
    let lines = "##502## cat /x\npassword=***\n##502## docker inspect a\n***, ***\n##502## end\n"
    let input = "told <<'END' FROM\n\(lines)END\n"
    #expect(try printed(by: input.replacing("FROM", with: "2>/dev/null"), in: shell) == lines)
    let said = try printed(by: input.replacing("FROM", with: "2>&1 >/dev/null"), in: shell).split(separator: "\n")
    #expect(said.first == "3 values are hidden as ***. Read the file before you pass it on.")
    #expect(Set(said.dropFirst()) == ["  1: cat /x", "  2: docker inspect a"])
  }
}
