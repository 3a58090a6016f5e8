import Model
import World

extension Caddy {
  /// The configuration that runs, as Caddy's admin API tells it.
  ///
  /// Source: caddyserver.com/docs/api. It listens on the loopback address of its own network unless told otherwise.
  struct Admin: Equatable {
    /// `localhost:2019`, `unix//run/caddy.sock`; `off`: there is none.
    let address: String

    /// - Parameter written: what the configuration says; else the environment, else Caddy's default.
    init(written: String? = nil, of proxy: RunningProxy) {
      address = written ?? proxy.environment("CADDY_ADMIN") ?? "localhost:2019"
    }

    /// Throws what keeps it from being seen; `missing` if it is switched off.
    func configuration(of proxy: RunningProxy) async throws(Unseen) -> JSON {
      guard address != "off" else { throw .missing(what: "Caddy's admin API: it is switched off") }
      guard let place = proxy.network else { throw .notEnoughKnown([]) }
      let dial = Dial(address)
      let host = dial.host.isEmpty || dial.host == "0.0.0.0" || dial.host == "::" ? "127.0.0.1" : dial.host
      let request: HTTPRequest
      if dial.network.hasPrefix("unix") {
        // Among the proxy's own files, also where it uses the machine's network.
        request = HTTPRequest(
          url: "http://127.0.0.1/config/", unixSocket: String(dial.host.prefix { $0 != "|" }),
          place: proxy.container == nil ? .host : proxy.place.pid.map { .process($0) } ?? place, limit: 4,
          bodyLimit: 8_388_608)
      } else {
        request = HTTPRequest(
          url: "http://\(host == "127.0.0.1" ? "localhost" : host):\(dial.port)/config/",
          address: host == "localhost" ? "127.0.0.1" : host, port: UInt16(dial.port) ?? 2019, place: place, limit: 4,
          bodyLimit: 8_388_608)
      }
      let answer = try await proxy.world.see(request)
      guard let status = answer.status else { throw .unreadable(what: "Caddy's admin API", why: .init(.silent)) }
      guard status == 200 else { throw .unreadable(what: "Caddy's admin API", why: .init(.status, "\(status)")) }
      guard let document = JSON(answer.body) else {
        throw .unreadable(what: "Caddy's admin API", why: .init(.notFormat, "JSON"))
      }
      return document
    }
  }
}
