import Model
import World

/// Envoy's admin interface, asked from the proxy's own place. Every request only reads.
///
/// Source: https://www.envoyproxy.io/docs/envoy/latest/operations/admin
struct EnvoyAdmin: Sendable {
  private let world: any World
  private let place: Place
  private let address: Message

  /// Nil if the configuration has no admin interface, or the proxy does not run.
  init?(_ bootstrap: Message?, of proxy: RunningProxy) {
    guard let address = bootstrap?["admin", "address"], let place = proxy.network else { return nil }
    (world, self.place, self.address) = (proxy.world, place, address)
  }

  /// What the running Envoy has in use: `configs` by their types.
  func dump() async throws(Unseen) -> [Message] {
    try await get("/config_dump?include_eds")["configs"]?.items ?? []
  }

  /// What Envoy knows of the servers of a cluster at this moment.
  func servers(of cluster: String) async throws(Unseen) -> [Message] {
    let statuses = try await get("/clusters?format=json")["cluster_statuses"]?.items ?? []
    return statuses.first { $0["name"]?.text == cluster }?["host_statuses"]?.items ?? []
  }

  /// `1.40.0`
  func version() async throws(Unseen) -> String? {
    // 9e55809…/1.40.0/Clean/RELEASE/BoringSSL
    try await get("/server_info")["version"]?.text?.split(separator: "/").dropFirst().first.map(String.init)
  }

  private func get(_ path: String) async throws(Unseen) -> Message {
    var request = HTTPRequest(url: "http://admin\(path)", place: place, limit: 2, bodyLimit: 8_388_608)
    if let pipe = address["pipe", "path"]?.text {
      request.unixSocket = pipe
    } else {
      let host = address["socket_address", "address"]?.text ?? ""
      request.address = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
      request.port = address["socket_address", "port_value"]?.text.flatMap { UInt16($0) }
    }
    let what = "Envoy's admin interface (\(path.prefix { $0 != "?" }))"
    let sight = try await world.see(request)
    guard sight.status == 200, sight.failure == nil else {
      throw .unreadable(what: what, why: sight.status.map { .init(.status, "\($0)") } ?? .init(.silent))
    }
    guard let answer = Message(answer: String(decoding: sight.body, as: UTF8.self)) else {
      throw .unreadable(what: what, why: .init(.notFormat, "JSON"))
    }
    return answer
  }
}
