import Model
import Routes
import World

extension FactName {
  static let caddyIngress: FactName = "caddy.ingress"
}

/// caddy-docker-proxy: Caddy whose sites are the labels of containers, `caddy=HOST` and
/// `caddy.reverse_proxy={{upstreams PORT}}`. The addresses that it puts there are those in its ingress networks alone.
///
/// Source: caddy-docker-proxy's `generator/generator.go` (`getIngressNetworks`) and `containers.go`.
enum CaddyDockerProxy {
  static let layout = "docker-labels"

  /// Why the site of a container's labels has no server; the reading as it is where that is not so.
  static func explained(
    _ reading: Reading, _ request: RouteReading.Request, _ proxy: RunningProxy
  ) async -> Reading {
    guard reading.route == nil, let own = proxy.container, let containers = try? await proxy.world.containers(),
      let (app, port) = containers.lazy.filter({ $0.Id != own.Id })
        .compactMap({ app in app.port(servedFor: request.site.host).map { (app, $0) } })
        .max(by: { !$0.0.isRunning && $1.0.isRunning }),
      let details = try? await proxy.world.container(app.Id)
    else { return reading }
    var reading = reading
    reading.entry = Reading.Entry(
      site: Setting(request.site.host, nil), definedIn: "labels of container \(app.name)", router: nil, service: nil,
      provider: "docker")
    reading.near = nil
    guard app.isRunning else {
      reading.outcome = .found
      reading.route = .written(to: details, port, at: nil, request)
      return reading
    }
    let named = proxy.environment("CADDY_INGRESS_NETWORKS")?.split(separator: ",").map { String($0).trimmed } ?? []
    let ingress = named.isEmpty ? own.networks.keys.sorted() : named
    guard !ingress.isEmpty, !details.networks.keys.contains(where: ingress.contains) else { return reading }
    reading.outcome = .misconfigured
    reading.app = app.name
    reading.own.merge([.caddyIngress: ingress[0]])
    reading.own.merge(await proxy.world.compose(app.Labels ?? [:]))
    reading.problem = Reading.Problem(
      reason:
        "\(app.name) is in \(details.networks.keys.sorted().joined(separator: ", ")), and none of that is an ingress network (\(ingress.joined(separator: ", "))), so the site has no upstreams",
      remedy: nil, label: nil)
    return reading
  }
}

extension ContainerSummary {
  /// The port that its labels name for a host; nil if they do not have that host.
  fileprivate func port(servedFor host: String) -> UInt16? {
    let labels = Labels ?? [:]
    for (name, value) in labels.sorted(by: { $0.key < $1.key })
    where name == "caddy" || name.hasPrefix("caddy_") && !name.contains(".") {
      let hosts = value.split { ", ".contains($0) }.map { address in
        String(address.split(separator: "/").last ?? "").lowercased().hostAndPort.host
      }
      guard hosts.contains(host) else { continue }
      let pass = labels.first { $0.key.hasPrefix(name + ".") && $0.key.hasSuffix("reverse_proxy") }?.value ?? ""
      let words = pass.split { "{} ".contains($0) }
      return words.contains("upstreams") ? words.last.flatMap { UInt16($0) } ?? 80 : nil
    }
    return nil
  }
}
