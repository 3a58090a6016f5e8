import Model
import World

/// nginx-proxy: docker-gen writes nginx's only file from the running containers, by their `VIRTUAL_HOST`, `VIRTUAL_PORT`.
///
/// No line of that file is to be edited; a route is changed in the environment of the app's container. Source: nginx.tmpl
/// of nginx-proxy 1.7: each server is written below `# Container: NAME` and `#     using port: PORT`; without one that
/// the proxy can reach, the group has `server 127.0.0.1 down;`.
enum DockerGen {
  static let layout = "docker-gen"

  /// What nginx's file says, with the app's container in the place of its address.
  static func route(
    _ outcome: RouteReading.Outcome, _ read: Facts, at server: Span?, of request: RouteReading.Request,
    in configuration: Nginx.Configuration, _ proxy: RunningProxy
  ) async -> (RouteReading.Outcome, Facts) {
    var facts = Facts(read.values.filter { !$0.key.text.contains("-line.") })
    facts[.configInside] = nil
    facts[.configDirectory] = nil
    guard let containers = try? await proxy.world.containers() else { return (outcome, facts) }
    guard outcome == .found, let server else {
      // Containers that do not run have no place in its file.
      guard [.default, .missing].contains(outcome),
        let app = await stopped(serving: request.site.host, among: containers, in: proxy.world)
      else { return (outcome, facts) }
      let variables = Variables(app)
      return (.found, facts.merging(await described(app, "http", variables.port ?? 80, request, proxy)))
    }
    let comments = Comments(above: server, in: configuration)
    guard let name = comments.container, let listed = containers.first(where: { $0.name == name }),
      let app = try? await proxy.world.container(listed.Id)
    else { return (outcome, facts) }
    let port = comments.port ?? facts[.upstreamPort].flatMap { UInt16($0) } ?? 80
    return (
      .found, facts.merging(await described(app, facts[.upstreamScheme] ?? "http", port, request, proxy))
    )
  }

  private static func described(
    _ app: Container, _ scheme: String, _ port: UInt16, _ request: RouteReading.Request, _ proxy: RunningProxy
  ) async -> Facts {
    var facts: Facts = [
      .routeContainer: app.Id, .routeHost: request.site.host, .upstreamHost: app.name, .upstreamPort: String(port),
      .upstreamScheme: scheme, .upstreamPath: request.site.path, .routeUpstream: "\(scheme)://\(app.name):\(port)",
      .routeDefinedIn: "VIRTUAL_HOST of the container \(app.name)",
    ]
    // The line of the Compose file that says the port, if there is exactly one.
    if let path = app.Config?.Labels?["com.docker.compose.project.config_files"]?.split(separator: ",").first,
      let host = try? await ProxyFiles(of: ProxyPlace(id: nil, pid: nil, usesHostNetwork: true), in: proxy.world),
      let text = try? await host.read(String(path))
    {
      facts.set(portSpan(in: text, of: String(path)), "port", host)
    }
    return facts
  }

  /// The value of the one `VIRTUAL_PORT` of a Compose file: `VIRTUAL_PORT: "3000"`, `- VIRTUAL_PORT=3000`.
  static func portSpan(in text: String, of path: String) -> Span? {
    let lines = text.lines.map(String.init)
    let found = lines.enumerated().filter { $0.element.contains("VIRTUAL_PORT") }
    guard found.count == 1, let (index, line) = found.first, let name = line.firstRange(of: "VIRTUAL_PORT"),
      let start = line[name.upperBound...].firstIndex(where: \.isNumber)
    else { return nil }
    let end = line[start...].firstIndex { !$0.isNumber } ?? line.endIndex
    return Span(file: path, line: index + 1, text: line, head: String(line[..<start]), tail: String(line[end...]))
  }

  /// A container that does not run and would serve the host. Only such ones are looked at, the newest first.
  private static func stopped(
    serving host: String, among containers: [ContainerSummary], in world: any World
  ) async -> Container? {
    for container in containers.filter({ !$0.isRunning }).prefix(24) {
      if let app = try? await world.container(container.Id), Variables(app).hosts.contains(host) { return app }
    }
    return nil
  }

  /// What docker-gen reads of a container's environment.
  struct Variables {
    let hosts: [String]
    let port: UInt16?

    init(_ container: Container) {
      func value(_ name: String) -> Substring? {
        container.Config?.Env?.first { $0.hasPrefix(name + "=") }?.dropFirst(name.count + 1)
      }
      hosts = (value("VIRTUAL_HOST") ?? "").split { ", ".contains($0) }.map { $0.lowercased() }
      port = value("VIRTUAL_PORT").flatMap { UInt16($0) }
    }
  }

  /// What docker-gen wrote above a `server` of a group.
  struct Comments {
    private(set) var container: String?
    private(set) var port: UInt16?

    init(above server: Span, in configuration: Nginx.Configuration) {
      for number in stride(from: server.line - 1, to: 0, by: -1) {
        let words = (configuration.line(number, of: server.file) ?? "").split(separator: " ")
        guard words.isEmpty || words[0].hasPrefix("#") else { return }
        if words.count == 3, words[1] == "Container:" {
          container = String(words[2])
          return
        }
        if port == nil, words.count == 4, words[1] == "using", words[2] == "port:" { port = UInt16(words[3]) }
      }
    }
  }
}
