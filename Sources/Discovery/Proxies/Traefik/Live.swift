import FoundationEssentials
import World

extension Traefik {
  /// What Traefik's API says that it runs.
  ///
  /// Source: Traefik's API, `/api/rawdata`, in versions 2.11 and 3. Its "UP" only means that no health check said
  /// otherwise.
  struct Live: Sendable, Decodable {
    struct Router: Sendable, Decodable {
      let entryPoints: [String]?
      let middlewares: [String]?
      let service: String?
      let rule: String?
      let priority: Int?
      /// `enabled`, `warning`, `disabled`.
      let status: String?
      let error: [String]?
    }
    struct Service: Sendable, Decodable {
      struct Balancer: Sendable, Decodable {
        struct Server: Sendable, Decodable { let url: String? }
        let servers: [Server]?
      }
      let loadBalancer: Balancer?
      /// A server's URL to `UP` or `DOWN`.
      let serverStatus: [String: String]?
      let error: [String]?
    }
    let routers: [String: Router]?
    let services: [String: Service]?
  }
}

extension Traefik.Live {
  /// Nil where the API is off, wants a login, or does not answer.
  init?(_ proxy: RunningProxy, _ configuration: Traefik.Static) async {
    guard let api = configuration.openAPI, let place = proxy.network else { return nil }
    let request = HTTPRequest(
      url: "http://127.0.0.1:\(api.port)\(api.path)/api/rawdata", place: place, limit: 2, bodyLimit: 16_777_216)
    guard let answer = try? await proxy.world.see(request), answer.status == 200,
      let live = try? JSONDecoder().decode(Self.self, from: Data(answer.body))
    else { return nil }
    self = live
  }
}
