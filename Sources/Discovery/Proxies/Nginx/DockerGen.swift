public import Model
import Routes
public import World

/// nginx-proxy: docker-gen writes nginx's only file from the running containers, by their `VIRTUAL_HOST`, `VIRTUAL_PORT`.
/// It runs beside nginx, or in a container of its own that shares the file's folder.
///
/// No line of that file is to be edited; a route is changed in the environment of the app's container. Source: nginx.tmpl
/// of nginx-proxy 1.7: each server is written below `# Container: NAME` and `#     using port: PORT`; without one that
/// the proxy can reach, the group has `server 127.0.0.1 down;`.
enum DockerGen {
  static let layout = "docker-gen"

  /// The program, which its image and its process are called by.
  static let program = "docker-gen"

  /// Its file says so at its start, whatever image nginx runs from.
  static func hasWritten(_ configuration: Nginx.Configuration) -> Bool {
    configuration.files.contains { file in configuration.line(1, of: file)?.hasPrefix("# nginx-proxy") == true }
  }

  /// What nginx's file says, with the app's container in the place of its address.
  static func reading(
    of request: RouteReading.Request, in configuration: Nginx.Configuration, _ proxy: RunningProxy
  ) async throws(Unseen) -> Reading {
    var generated = proxy
    generated.files.isGenerated = true
    var reading = try await NginxReading.reading(of: request, in: configuration, generated)
    (reading.configuration.container, reading.configuration.folder) = (nil, nil)
    reading.own.merge([.proxyLayout: layout, .sourceKind: program, .variableForPort: "VIRTUAL_PORT"])
    let isLeftOut = [.default, .missing].contains(reading.outcome)
    let containers: [ContainerSummary]
    do throws(Unseen) { containers = try await proxy.world.containers() } catch {
      // Whether a container wants to be served by that name is not known then.
      if isLeftOut { throw error }
      return reading
    }
    let upstreams = configuration.route(request)?.upstreams ?? []
    guard reading.outcome == .found, let server = upstreams.chosen(nil, by: \.server)?.hostSpan else {
      // Containers that do not run have no place in its file, nor those that it has not seen yet.
      guard isLeftOut,
        let app = try await serving(request.site.host, among: containers, in: proxy.world)
      else { return reading }
      let port = Variables(app).port ?? 80
      reading.route = Route.written(to: app, port, at: await portEdit(of: app, in: proxy.world), request)
      if app.isRunning { reading.route?.runs = .known(.otherwise(to: nil)) }
      return found(reading, app, request)
    }
    let comments = Comments(above: server, in: configuration)
    var app: Container?
    if let name = comments.container, let listed = containers.first(where: { $0.name == name }) {
      app = try? await proxy.world.container(listed.Id)
    } else if comments.container != nil {
      // It was made anew under another name.
      app = try? await serving(request.site.host, among: containers, in: proxy.world)
    }
    guard let app, var route = reading.route, case .network(let address, let dialled) = route.upstream.endpoint else {
      return reading
    }
    let wanted = Route.written(
      to: app, comments.port ?? dialled, at: await portEdit(of: app, in: proxy.world), request)
    let isCurrent = !app.isRunning || app.networks.values.contains { $0.addresses.contains(address) }
    route.runs = .known(isCurrent || !address.isAddress ? .asWritten : .otherwise(to: route.upstream.url))
    (route.upstream, route.servers) = (wanted.upstream, wanted.servers)
    (route.path, route.container) = (wanted.path, wanted.container)
    reading.route = route
    return found(reading, app, request)
  }

  private static func found(_ reading: Reading, _ app: Container, _ request: RouteReading.Request) -> Reading {
    var reading = reading
    reading.outcome = .found
    reading.near = nil
    reading.entry = Reading.Entry(
      site: Setting(request.site.host, nil), definedIn: "VIRTUAL_HOST of the container \(app.name)", router: nil,
      service: nil, provider: nil)
    return reading
  }

  /// The line of the container's Compose file that says the port, if there is exactly one.
  private static func portEdit(of app: Container, in world: any World) async -> Edit? {
    guard
      let path = app.Config?.Labels?["com.docker.compose.project.config_files"]?.split(separator: ",").first,
      let host = try? await ProxyFiles(of: ProxyPlace(id: nil, pid: nil, usesHostNetwork: true), in: world),
      let text = try? await host.read(String(path))
    else { return nil }
    return host.edit(portSpan(in: text, of: String(path)))
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

  /// A container that would serve the host: one that runs before one that does not, the newest first. Throws what kept one
  /// from being looked at if none of the others would; one that has been removed meanwhile serves nothing.
  private static func serving(
    _ host: String, among containers: [ContainerSummary], in world: any World
  ) async throws(Unseen) -> Container? {
    var unseen: Unseen?
    let running = containers.filter(\.isRunning).prefix(48)
    for container in running + containers.filter({ !$0.isRunning }).prefix(24) {
      do throws(Unseen) {
        let app = try await world.container(container.Id)
        if Variables(app).hosts.contains(host) { return app }
      } catch {
        if case .missing = error { continue }
        unseen = error
      }
    }
    if let unseen { throw unseen }
    return nil
  }

  /// The container in which docker-gen runs, or would: the proxy's own, else the one that shares its files.
  ///
  /// Nil if there is none that can be told to be the one.
  static func generator(of proxy: ProxyPlace, in world: any World) async throws(Unseen) -> Container? {
    let processes = try await world.see(Processes(names: [program]))
    guard let id = proxy.id else { return nil }
    let own = try await world.container(id)
    if processes.contains(where: { $0.container == id }) { return own }
    let shared = Set((own.Mounts ?? []).compactMap(\.Source))
    for summary in try await world.containers() where summary.Id != id {
      let isOne =
        summary.image.split(separator: "/").last.map(String.init) == program
        || summary.Labels?["com.github.nginx-proxy.docker-gen"] != nil
      guard isOne, let container = try? await world.container(summary.Id),
        !shared.isDisjoint(with: (container.Mounts ?? []).filter { $0.RW != false }.compactMap(\.Source))
      else { continue }
      return container
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

extension World {
  /// The container whose docker-gen writes the files of this proxy, running or not.
  public func generator(of proxy: ProxyPlace) async throws(Unseen) -> Container? {
    try await DockerGen.generator(of: proxy, in: self)
  }
}
