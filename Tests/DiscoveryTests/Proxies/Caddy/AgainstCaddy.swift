@testable import Discovery
import Foundation
import Testing

/// The reader of Caddyfiles says what the real Caddy makes of them.
@Suite struct AgainstCaddy {
  static let program = URL(filePath: #filePath).appending(path: "../../../../../.build/peers/bin/caddy")
    .standardizedFileURL
    .path()

  /// Runs `caddy adapt` on files in a folder of their own; JSON, or nil and what Caddy says.
  private func adapt(_ files: [String: String]) throws -> (json: [UInt8]?, errors: String, folder: String) {
    let folder = NSTemporaryDirectory() + "wizard502-caddy-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (name, text) in files {
      let file = URL(filePath: "\(folder)/\(name)")
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let process = Process()
    let (output, errors) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: Self.program)
    process.arguments = ["adapt", "--config", "\(folder)/Caddyfile", "--adapter", "caddyfile"]
    process.environment = ["HOME": folder, "PORT": "4567"]
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let json = output.fileHandleForReading.readDataToEndOfFile()
    let said = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus == 0 ? Array(json) : nil, String(decoding: said, as: UTF8.self), folder)
  }

  private func read(_ files: [String: String]) async -> Caddyfile.Adapted {
    let paths = Dictionary(uniqueKeysWithValues: files.map { ("/etc/caddy/\($0.key)", $0.value) })
    let blocks = await Caddyfile.Blocks.read(
      "/etc/caddy/Caddyfile", text: files["Caddyfile"] ?? "", environment: { $0 == "PORT" ? "4567" : nil },
      files: Caddyfile.Imports(
        read: { paths[$0] },
        glob: { pattern in paths.keys.filter { fnmatch(pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }.sorted() }))
    return Caddyfile.adapt(blocks)
  }

  /// What becomes of a request, in words that do not tell where it is written.
  private func fate(_ request: Caddy.Request, in configuration: Caddy.Configuration) -> String {
    guard let found = configuration.found(request) else { return "no route" }
    let auth = found.auth.map { $0.upstreams.map(\.address).joined(separator: " ") }.joined(separator: ",")
    let served: String =
      switch found.served {
      case .answered: "answered"
      case .files: "files"
      case .empty: "empty"
      case .unclear: "unclear"
      case .proxied(let proxy, let path, _):
        """
        \(proxy.speaks) \(proxy.isTLS ? "tls" : "") \(proxy.verifies) \(proxy.tlsName ?? "-") \
        \(proxy.upstreams.map { "\($0.isDynamic)\($0.address)" }) \(path ?? "?") \(proxy.connectTimeout) \
        \(proxy.answerTimeout ?? -1) \(proxy.headerLimit ?? -1) \(proxy.authorities) \(proxy.hasOtherAuthorities) \
        \(proxy.health.map { "\($0)" } ?? "-") \(proxy.hostHeader ?? "-")
        """
      }
    return "\(found.site?.name ?? "any") \(auth) \(served) \(found.server.handlesErrors)"
  }

  private static let paths = [
    "/", "/api", "/api/", "/api/v1/users", "/API/x", "/apix", "/index.php", "/a/b.php", "/old", "/static/a.css", "/ws",
    "/admin", "/admin/login", "/docs/x?y=1",
  ]
  private static let hosts = [
    "a.test", "b.test", "www.a.test", "x.b.test", "x.y.b.test", "none.test", "localhost", "A.Test", "127.0.0.1",
  ]

  @Test(arguments: Configurations.good)
  func reads(_ files: [String: String]) async throws {
    let real = try adapt(files)
    let json = try #require(real.json, "\(real.errors)")
    let (ours, theirs) = (await read(files), try #require(Caddy.Configuration(json: json)))
    #expect(ours.problem == nil)
    for port in [80, 443, 8080, 9000] as [UInt16] {
      for host in Self.hosts {
        for path in Self.paths {
          let request = Caddy.Request(host: host, path: path, port: port, isTLS: port == 443)
          #expect(
            fate(request, in: ours.configuration) == fate(request, in: theirs),
            "\(host):\(port)\(path) of\n\(files["Caddyfile"] ?? "")")
        }
      }
    }
    let isTLS = { (configuration: Caddy.Configuration) in
      Dictionary(configuration.servers.map { ($0.ports, $0.isTLS) }) { $0 || $1 }
    }
    #expect(isTLS(ours.configuration) == isTLS(theirs))
  }

  @Test func blocksAndMatchersThatAreNestedTooDeepAreRefused() async {
    let blocks = String(repeating: "route {\n", count: 5000) + String(repeating: "}\n", count: 5000)
    #expect(await read(["Caddyfile": "http://a.test {\n\(blocks)}\n"]).problem != nil)
    let matchers = "@x " + String(repeating: "not ", count: 10_000) + "path /a\n  reverse_proxy @x app:1\n"
    #expect(await read(["Caddyfile": "http://a.test {\n  \(matchers)}\n"]).problem != nil)
  }

  @Test(arguments: Configurations.broken)
  func refuses(_ broken: Configurations.Broken) async throws {
    let real = try adapt(["Caddyfile": broken.text])
    #expect(real.json == nil, "Caddy takes it")
    let problem = try #require(await read(["Caddyfile": broken.text]).problem)
    #expect(problem.line == broken.line, "\(problem.description); Caddy: \(real.errors)")
    #expect(problem.near == broken.near)
  }
}
