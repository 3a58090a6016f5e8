public import Model
import Pattern
import Routes
public import World

/// A reverse proxy found on this machine.
public struct ProxyFound: Sendable, Equatable {
  public var sign: Signs.Proxy
  /// Its container; nil if it runs on the host itself.
  public var container: ContainerSummary.Reference?
  /// The process that accepts connections, or the container's first one; nil while it does not run.
  public var pid: Int32?
  /// The port on which it listens in its own network.
  public var port: UInt16
  /// The command line of its first process, where it could be seen.
  public var command: [String]
  /// Seconds since 1970 of the start of its first process.
  public var started: Double?
  public var usesHostNetwork: Bool
  /// Its own ports to those by which this machine is asked for them.
  public var outside: [UInt16: UInt16]
  /// The addresses of this machine at which it takes connections to the port that was asked for: `0.0.0.0`, `::`, …
  public var addresses: [String] = []
  /// The file that its first process runs; nil if that may not be seen.
  public var program: String? = nil
  public var standing = Standing.own

  public var place: ProxyPlace {
    ProxyPlace(
      id: container?.id, pid: pid, usesHostNetwork: usesHostNetwork, standing: container == nil ? standing : .own)
  }

  /// `container shop`, `process 812 of user caddy`, `service nginx`: where it runs, or would, in words.
  public var whereabouts: String? {
    if let container { return "container \(container.name)" }
    guard let pid else { return sign.service.map { "service \($0.unit)" } }
    return "process \(pid)" + (place.standing.user.map { " of user \($0)" } ?? "")
  }
}

extension Standing {
  /// The user it belongs to, if that is neither root nor this program's own.
  public var user: String? {
    switch self {
    case .own, .apart: nil
    case .service(let user), .user(let user): user
    }
  }
}

extension ContainerSummary {
  /// A container's id, name and image.
  public struct Reference: Sendable, Equatable {
    public let id: String
    public let name: String
    public let image: String
  }

  public var reference: Reference { Reference(id: Id, name: name, image: Image ?? "") }
}

extension Signs.Proxy {
  /// True for an image, without registry and tag, that is one of its own.
  func isImage(_ image: String) -> Bool { images.contains { (try? Pattern($0))?.matches(image) == true } }
}

extension Signs {
  /// The kind of a container by its image, else by a process that runs in it.
  public func proxy(of container: ContainerSummary, _ processes: [ProcessSeen]) -> Proxy? {
    proxies.first { $0.isImage(container.image) }
      ?? processes.first { $0.container == container.Id }.flatMap { proxy(named: $0.name) }
  }

  public func proxy(named process: String) -> Proxy? { proxies.first { $0.processes.contains(process) } }

  public var proxyProcesses: [String] { Array(Set(proxies.flatMap(\.processes))) }
}

extension World {
  /// The proxies that run here, on the host and in containers, each port on which one can be reached.
  ///
  /// `port` nil: all of them.
  public func proxies(at port: UInt16?, _ signs: Signs) async throws(Unseen) -> [ProxyFound] {
    async let listening = result(of: Listeners(place: .host))
    async let running = result(of: Processes(names: signs.proxyProcesses))
    async let engine = listed()
    let processes = (try? await running.get()) ?? []
    let listed = await engine
    let containers = try? listed.get()
    var found = try await published(containers ?? [], at: port, processes, signs)
    for listener in try await listening.get() where port == nil || listener.port == port {
      guard let process = listener.processes.lazy.compactMap({ id in processes.first { $0.id == id } }).first,
        let sign = containers?.first(where: { $0.Id == process.container }).flatMap({ signs.proxy(of: $0, processes) })
          ?? signs.proxy(named: process.name),
        !found.contains(where: { $0.pid == process.id || $0.port == listener.port && $0.usesHostNetwork })
      else { continue }
      let first = processes.first { $0.id == process.parent && $0.name == process.name } ?? process
      found.append(
        ProxyFound(
          sign: sign, container: containers?.first { $0.Id == process.container }?.reference, pid: first.id,
          port: listener.port, command: first.command, started: first.started, usesHostNetwork: true,
          outside: [listener.port: listener.port], addresses: [listener.address], program: first.program,
          standing: first.standing))
    }
    // Without an engine there are no containers; with one that may not be asked, nobody knows.
    if found.isEmpty, case .failure(let unseen) = listed, !unseen.isMissing { throw unseen }
    return found
  }

  private func listed() async -> Result<[ContainerSummary], Unseen> {
    do throws(Unseen) { return .success(try await containers()) } catch { return .failure(error) }
  }

  private func published(
    _ containers: [ContainerSummary], at port: UInt16?, _ processes: [ProcessSeen], _ signs: Signs
  ) async throws(Unseen) -> [ProxyFound] {
    var found: [ProxyFound] = []
    for container in containers where container.isRunning {
      let ports = (container.Ports ?? []).filter { $0.PublicPort != nil && (port == nil || $0.PublicPort == port) }
      // Who publishes the port, or who lives in the network of that one.
      let behind = [container] + containers.filter { $0.isRunning && $0.networkOwner == container.Id }
      guard let inside = ports.first?.PrivatePort,
        let (proxy, sign) = behind.lazy.compactMap({ one in signs.proxy(of: one, processes).map { (one, $0) } }).first
      else { continue }
      let details = try? await self.container(proxy.Id)
      found.append(
        ProxyFound(
          sign: sign, container: proxy.reference, pid: details?.pid, port: inside, command: [],
          started: details?.started, usesHostNetwork: false,
          outside: Dictionary(
            (container.Ports ?? []).compactMap { port in
              port.PublicPort.flatMap { outside in port.PrivatePort.map { ($0, outside) } }
            }
          ) { first, _ in first }, addresses: ports.compactMap(\.IP)))
    }
    return found
  }

  /// The one of several that takes connections to an address of this machine: who has that very address comes before
  /// who has all of them, as the kernel has it.
  public func proxy(at port: UInt16, reachedAt address: String, _ signs: Signs) async throws(Unseen) -> ProxyFound? {
    let all = address.contains(":") ? ["::"] : ["0.0.0.0", "::", ""]
    let found = try await proxies(at: port, signs)
    return found.first { $0.addresses.contains(address) }
      ?? found.first { $0.addresses.contains(where: all.contains) } ?? found.first
  }

  /// The program of a Cloudflare Tunnel that runs here: requests come to it from inside, by no port of this machine.
  ///
  /// - Parameter host: The site's name, if only one whose configuration has that name is wanted.
  public func tunnel(naming host: String?, _ signs: Signs) async throws(Unseen) -> ProxyFound? {
    guard let sign = signs.proxies.first(where: { $0.kind == CloudflaredReading.kind }) else { return nil }
    let processes = try await see(Processes(names: sign.processes))
    let containers = processes.contains { $0.container != nil } ? try await containers() : []
    for process in processes.prefix(4) {
      let container = containers.first { $0.Id == process.container }
      let found = ProxyFound(
        sign: sign, container: container?.reference, pid: process.id, port: 443, command: process.command,
        started: process.started, usesHostNetwork: process.sharesNetwork ?? (container == nil), outside: [:],
        program: process.program, standing: process.standing)
      guard let host else { return found }
      if let running = try? await RunningProxy(kind: sign.kind, place: found.place, in: self, signs),
        await CloudflaredReading.names(host, running)
      {
        return found
      }
    }
    return nil
  }

  /// Whether a name leads to this machine itself, as far as its own addresses tell.
  public func leadsHere(_ host: String) async -> Bool {
    guard let addresses = try? await see(SystemLookup(name: host)), let own = try? await see(OwnAddresses()) else {
      return true
    }
    return addresses.contains { own.contains($0) || $0.isLoopback }
  }

  /// The proxy in a container, running or not; nil if what runs there is no known proxy.
  ///
  /// - Parameter port: The one on which it listens inside.
  public func proxy(
    inContainer id: String, at port: UInt16, _ signs: Signs
  ) async throws(Unseen) -> ProxyFound? {
    let processes = (try? await see(Processes(names: signs.proxyProcesses))) ?? []
    guard let container = try await containers().first(where: { $0.Id == id }),
      let sign = signs.proxy(of: container, processes)
    else { return nil }
    let details = try await self.container(id)
    return ProxyFound(
      sign: sign, container: container.reference, pid: details.State?.Status == "restarting" ? nil : details.pid,
      port: port, command: [], started: details.started, usesHostNetwork: details.usesHostNetwork,
      outside: [port: port])
  }

  /// True for a container that is started again and again, and in whose short life nobody listens on the port.
  public func keepsEnding(_ id: String, before port: UInt16) async -> Bool {
    guard let container = try? await container(id), (container.RestartCount ?? 0) > 0,
      now - (container.started ?? 0) < 60
    else { return false }
    guard let pid = container.pid else { return true }
    switch await result(of: Listeners(place: .process(pid))) {
    case .success(let listeners): return !listeners.contains { $0.port == port }
    case .failure(let unseen):
      // The list is from a moment before.
      let listed = try? await containers()
      return unseen.isMissing || listed?.contains { $0.Id == id && $0.State == "restarting" } == true
    }
  }

  /// A proxy's container that would serve the port and does not run.
  public func stoppedProxy(at port: UInt16, _ signs: Signs) async throws(Unseen) -> ProxyFound? {
    let candidates = try await containers().lazy.filter { !$0.isRunning || $0.State == "restarting" }
      .compactMap { container in signs.proxy(of: container, []).map { (container, $0) } }
    for (container, sign) in candidates.prefix(8) {
      guard let details = try? await self.container(container.Id),
        let holder = try? await networkHolder(of: details),
        let binding = holder.bindings.first(where: { $0.hostPort == port })
      else { continue }
      return ProxyFound(
        sign: sign, container: container.reference, pid: nil, port: binding.inside, command: [], started: nil,
        usesHostNetwork: false, outside: [binding.inside: port])
    }
    return nil
  }

  /// A proxy of this machine that is installed and not started, and whose files have the site's name or a mistake.
  ///
  /// Only what nobody but root can change is read: its program and its files are root's.
  public func stoppedService(of site: Site, _ signs: Signs) async -> ProxyFound? {
    let processes = (try? await see(Processes(names: signs.proxyProcesses))) ?? []
    // A worker's command line tells nothing of how it was started.
    let running = processes.filter { process in
      process.container == nil
        && !processes.contains { $0.id == process.parent && $0.program == process.program }
    }
    var mistaken: ProxyFound?
    for sign in signs.proxies {
      guard let service = sign.service, let program = service.command.first,
        !running.contains(where: { $0.runs(service) }),
        await isRoots(program), await isRoots(service.main)
      else { continue }
      let found = ProxyFound(
        sign: sign, container: nil, pid: nil, port: site.port, command: service.command, usesHostNetwork: true,
        outside: [site.port: site.port], program: program)
      let reading = try? await RouteReading.read(
        RouteReading.Request(site: site, port: site.port), kind: sign.kind, at: found.place, in: self, signs)
      if reading?.entry?.site != nil { return found }
      if reading?.configuration.mistake != nil, mistaken == nil { mistaken = found }
    }
    return mistaken
  }

  private func isRoots(_ path: String) async -> Bool {
    guard (try? await see(FileGlob(pattern: path)))?.isEmpty == false else { return false }
    return (try? await see(OnlyRootChanges(path: path))) == true
  }
}

extension ProcessSeen {
  /// Whether it was started as the service is, not with files of somebody's own.
  fileprivate func runs(_ service: Signs.Service) -> Bool {
    guard program == service.command.first else { return false }
    let words = command.flatMap { $0.split(separator: " ") }
    return words.contains(service.main[...]) || !words.contains { ["-c", "-f", "-p", "-d", "--config"].contains($0) }
  }
}
