import Foundation
import Testing

/// The emulated Nginx Proxy Manager, worked through its API as its edit form does.
struct Manager: WebInterface {
  var container: String
  var port: Int
  var admin: Int

  /// A proxy host; its fields are those of the API and of the table `proxy_host`, there in snake case.
  struct ProxyHost: Codable, Sendable {
    var id: Int?
    var domainNames: [String]
    var forwardScheme = "http"
    var forwardHost: String
    var forwardPort: Int
    var enabled = 1
    var advancedConfig = ""
    var locations: [Location] = []
  }

  struct Location: Codable, Sendable {
    var path: String
    var forwardScheme = "http"
    var forwardHost: String
    var forwardPort: Int
    var advancedConfig = ""
  }

  func isUp() async -> Bool {
    let answer = try? await run(["curl", "-s", "--max-time", "1", "http://127.0.0.1:\(admin)/api/"])
    return answer?.text.contains(#""status": "OK""#) ?? false
  }

  @discardableResult
  func create(_ host: ProxyHost) async throws -> ProxyHost {
    try Self.decoder.decode(ProxyHost.self, from: try await call("POST", "", host))
  }

  /// Saves `host`: the database row, the generated file, a test of it and a reload.
  func save(_ host: ProxyHost) async throws {
    try await call("PUT", "/\(try #require(host.id))", host)
  }

  func disable(_ host: ProxyHost) async throws {
    try await call("POST", "/\(try #require(host.id))/disable")
  }

  /// The proxy host that has `domain`, disabled ones included.
  func host(of domain: String) async throws -> ProxyHost {
    let all = try Self.decoder.decode([ProxyHost].self, from: try await call("GET", ""))
    guard let host = all.first(where: { $0.domainNames.contains(domain) }) else {
      throw CommandFailed(description: "the proxy manager has no host \(domain)")
    }
    return host
  }

  /// Does in the edit form what `text` says, line by line, for the proxy host of `domain`, and saves.
  ///
  /// It understands `Set FIELD to VALUE`, `Add to Advanced: LINE` and `Custom location PATH`, after which the
  /// fields are those of that location. Other lines (`Press Save`) are for the reader.
  func carryOut(_ text: String, for domain: String) async throws {
    var host = try await host(of: domain)
    var place: Int?
    for line in text.split(separator: "\n") {
      if let match = line.firstMatch(of: /[Cc]ustom location `?(\/[^\s`:.,]*)/) {
        place = host.locations.firstIndex { $0.path == match.1 }
      }
      if let match = line.firstMatch(of: /Add to Advanced: (.+)/) {
        host.advancedConfig += "\n\(match.1)"
      }
      guard let match = line.firstMatch(of: /Set (.+?) to `?([^`\s]+)`?/) else { continue }
      let value = String(match.2)
      switch (match.1, place) {
      case ("Scheme", nil): host.forwardScheme = value
      case ("Scheme", let place?): host.locations[place].forwardScheme = value
      case ("Forward Hostname / IP", nil): host.forwardHost = value
      case ("Forward Hostname / IP", let place?): host.locations[place].forwardHost = value
      case ("Forward Port", nil): host.forwardPort = Int(value) ?? 0
      case ("Forward Port", let place?): host.locations[place].forwardPort = Int(value) ?? 0
      case ("Enabled", _): host.enabled = value == "on" ? 1 : 0
      default: throw CommandFailed(description: "the edit form has no field \(match.1)")
      }
    }
    try await save(host)
  }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return encoder
  }

  @discardableResult
  private func call(_ method: String, _ path: String, _ host: ProxyHost? = nil) async throws -> Data {
    var command = [
      "curl", "-sS", "--fail-with-body", "--max-time", "10", "-X", method, "-H",
      "Authorization: Bearer lab-token",
    ]
    if let host { command += ["--json", String(decoding: try Self.encoder.encode(host), as: UTF8.self)] }
    let answer = try await run(command + ["http://127.0.0.1:\(admin)/api/nginx/proxy-hosts\(path)"])
    guard answer.status == 0 else {
      throw CommandFailed(description: "proxy manager: \(answer.errors)\(answer.text)")
    }
    return Data(answer.text.utf8)
  }
}
