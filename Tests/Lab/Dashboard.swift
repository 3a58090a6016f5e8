import Foundation
import Testing

/// The emulated ProxyOS, worked through the calls that its dashboard's pages make.
struct ProxyOS: WebInterface {
  var container: String
  var port: Int
  var tlsPort: Int
  var dashboard: Int

  /// A row of its table `routes`; only what the lab reads or sets.
  struct Route: Codable, Sendable {
    var id: String?
    var domain: String
    var upstreams: [Upstream]
    var upstreamProtocol = "http"
    /// The real default is 30 s, which a test does not wait for.
    var healthCheckInterval = 1
    var healthCheckEnabled = 1
    var healthCheckPath = "/"
    var healthCheckStatusCodes: [Int]?
    var skipTlsVerify = 0
    var tlsMode = "internal"
    var enabled = 1
  }

  struct Upstream: Codable, Sendable {
    var address: String
  }

  func comesUp() async throws {
    let isUp = try await eventually(within: 20) {
      try await run(["curl", "-s", "--max-time", "1", "http://127.0.0.1:\(dashboard)/api/health"]).text
        .contains(#""status": "ok""#)
    }
    guard isUp else { throw CommandFailed(description: "ProxyOS does not answer") }
  }

  func expose(_ route: Route) async throws { try await call("routes.expose", route) }

  func update(_ route: Route) async throws { try await call("routes.update", route) }

  /// Takes the route out, as a scheduled change does.
  func disable(_ domain: String) async throws {
    try await call("routes.toggle", Switched(id: try #require(try await route(of: domain).id), enabled: false))
  }

  func restart() async throws {
    try await docker("restart", "-t", "1", container)
    try await comesUp()
  }

  func route(of domain: String) async throws -> Route {
    let all = try Self.decoder.decode([Route].self, from: try await call("routes.list", Nothing()))
    guard let route = all.first(where: { $0.domain == domain }) else {
      throw CommandFailed(description: "ProxyOS has no route \(domain)")
    }
    return route
  }

  /// Does in the dashboard what `text` says, line by line.
  ///
  /// A line that opens the row of a domain is about that one. `Set FIELD to VALUE`, `Switch FIELD on`, and the buttons by
  /// their names are understood; what is no field of the form is a mistake of the page.
  func carryOut(_ text: String, for domain: String) async throws {
    var domain = domain
    var fields: [String: String] = [:]
    for line in text.split(separator: "\n") {
      if let match = line.firstMatch(of: /the row of ([^\s,]+)/) { domain = String(match.1) }
      if line.hasSuffix(", Delete") {
        try await call("routes.delete", Named(id: try #require(try await route(of: domain).id)))
      } else if let match = line.firstMatch(of: /^Set (.+?) to (.+)$/) {
        fields[String(match.1)] = String(match.2)
      } else if let match = line.firstMatch(of: /^Switch (.+) (on|off)$/) {
        fields[String(match.1)] = String(match.2)
      } else if let match = line.firstMatch(of: /^Press (.+)$/) {
        try await press(String(match.1), fields, domain)
      }
    }
  }

  private func press(_ button: String, _ fields: [String: String], _ domain: String) async throws {
    var fields = fields
    func take(_ field: String) throws -> String {
      guard let value = fields.removeValue(forKey: field) else {
        throw CommandFailed(description: "the form needs \(field)")
      }
      return value
    }
    switch button {
    case "Save":
      var route = try await route(of: domain)
      if let upstream = fields.removeValue(forKey: "Upstream") { route.upstreams = [.init(address: upstream)] }
      if let path = fields.removeValue(forKey: "Health check path") { route.healthCheckPath = path }
      if let skips = fields.removeValue(forKey: "Skip Upstream TLS Verify") {
        route.skipTlsVerify = skips == "on" ? 1 : 0
      }
      if let codes = fields.removeValue(forKey: "Expect status codes") {
        route.healthCheckStatusCodes = codes.split(separator: ",").compactMap {
          Int($0.trimmingCharacters(in: .whitespaces))
        }
      }
      try await update(route)
    case "Expose":
      let protocols = [
        "HTTP": "http", "HTTPS (trusted certificate)": "https-trusted",
        "HTTPS (self-signed certificate)": "https-insecure",
      ]
      let speaks = try #require(protocols[try take("Upstream protocol")])
      let address = "\(speaks == "http" ? "http" : "https")://\(try take("IP address")):\(try take("Port"))"
      _ = try take("Service name")
      try await expose(
        Route(
          domain: try take("Public domain"), upstreams: [.init(address: address)], upstreamProtocol: speaks,
          healthCheckEnabled: fields.removeValue(forKey: "Upstream health check") == "off" ? 0 : 1,
          tlsMode: try take("TLS mode")))
    case "Add rule":
      try await call(
        "routeRules.create",
        Rule(
          id: try #require(try await route(of: domain).id), matcherType: "path", matcherValue: try take("path"),
          upstream: try take("target")))
    case "Schedule":
      _ = try take("Execute at")
      let actions = ["Enable route": "enable", "Disable route": "disable"]
      try await call(
        "scheduledChanges.create",
        Change(
          id: try #require(try await route(of: try take("Route")).id),
          action: try #require(actions[try take("Action")])))
    case "Rebuild from DB": try await call("caddy.reload", Nothing())
    // Due changes have been carried out when they were made.
    case "Run due": return
    default: throw CommandFailed(description: "the dashboard has no button \(button)")
    }
    guard button == "Rebuild from DB" || fields.isEmpty else {
      throw CommandFailed(description: "the form has no \(fields.keys.sorted())")
    }
  }

  private struct Nothing: Encodable {}
  private struct Named: Encodable { var id: String }
  private struct Switched: Encodable {
    var id: String
    var enabled: Bool
  }
  private struct Change: Encodable {
    var id: String
    var action: String
  }
  private struct Rule: Encodable {
    var id: String
    var matcherType: String
    var matcherValue: String
    var upstream: String
  }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }

  @discardableResult
  private func call(_ procedure: String, _ sent: some Encodable) async throws -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let answer = try await run([
      "curl", "-sS", "--fail-with-body", "--max-time", "10", "--json",
      String(decoding: try encoder.encode(sent), as: UTF8.self),
      "http://127.0.0.1:\(dashboard)/api/trpc/\(procedure)",
    ])
    guard answer.status == 0 else { throw CommandFailed(description: "ProxyOS: \(answer.errors)\(answer.text)") }
    return Data(answer.text.utf8)
  }
}
