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
