import Discovery
import Model
import Routes
import World

extension FactName {
  static let proxyName: FactName = "proxy.name"
  static let proxyPlace: FactName = "proxy.place"
  static let proxyUser: FactName = "proxy.user"
  static let proxyContainer: FactName = "proxy.container"
  static let proxyID: FactName = "proxy.id"
  static let proxyPID: FactName = "proxy.pid"
  static let proxyPort: FactName = "proxy.port"
  static let proxyArrival: FactName = "proxy.arrival"
  static let proxyNetwork: FactName = "proxy.network"
  static let proxyStopped: FactName = "proxy.stopped"
  static let proxyProgram: FactName = "proxy.program"
  static let proxyUnit: FactName = "proxy.unit"
  static let proxyStarter: FactName = "proxy.starter"
  static let proxyAdminPort: FactName = "proxy.admin-port"
}

private enum ProxyOutcome: String, CheckOutcome {
  /// Its routes can be read.
  case found
  /// Its kind is known, its routes cannot be read yet.
  case recognised
  case stopped
  /// It listens in a network that the container which owns it has left: nobody reaches it.
  case leftBehind = "left-behind"
  /// Something listens there that is no known proxy.
  case other
  case none, unknown
}

extension Check {
  /// Finds the proxy that serves the site's port: by published ports and by who listens on this machine.
  static let proxyFind = Check(
    "proxy.find", needs: [.sitePort],
    learns: [
      .proxyKind, .proxyName, .proxyWhere, .proxyVersion, .proxyPlace, .proxyContainer, .proxyID, .proxyPID, .proxyPort,
      .proxyNetwork, .proxyStopped, .proxyProgram, .proxyUnit, .proxyStarter, .proxyUser, .proxyLayout, .proxyAdminPort,
      .engineCommand, .guestOwner, .proxyArrival,
    ], outcome: ProxyOutcome.self
  ) { world, given, signs throws(Unseen) in
    let (outcome, learned) = try await search(world, given, signs)
    return (outcome, learned.merging([.engineCommand: await world.engineCommand ?? ""]))
  }

  private static func search(
    _ world: any World, _ given: Case, _ signs: Signs
  ) async throws(Unseen) -> (ProxyOutcome, Facts) {
    if let id = given[.hop(.id)], let port = given.port(.hop(.port)) {
      guard let proxy = try await world.proxy(inContainer: id, at: port, signs) else { return (.none, [:]) }
      guard proxy.pid != nil else { return (.stopped, learned(proxy).merging([.proxyStopped: "yes"])) }
      return (RouteReading.kinds.contains(proxy.sign.kind) ? .found : .recognised, learned(proxy))
    }
    let port = if let own = given.port(.hop(.port)) { own } else { try given.sitePort }
    let host = try given.siteHost
    let isElsewhere = given[.hop(.from)] == nil ? await !world.leadsHere(host) : false
    if isElsewhere, let tunnel = try? await world.tunnel(naming: host, signs) { return (.found, learned(tunnel)) }
    let address = await world.dialled(given, host, isElsewhere: isElsewhere)
    if let proxy = try await world.proxy(at: port, reachedAt: address, signs) {
      if let container = proxy.container, await world.keepsEnding(container.id, before: proxy.port) {
        return (.stopped, learned(proxy).merging([.proxyStopped: "yes", .proxyPID: ""]))
      }
      if let owner = try? await world.owner(leaving: proxy) {
        return (.leftBehind, learned(proxy).merging([.guestOwner: owner]))
      }
      let isHere = proxy.container == nil || proxy.usesHostNetwork
      return (
        RouteReading.kinds.contains(proxy.sign.kind) ? .found : .recognised,
        learned(proxy).merging([.proxyArrival: isHere ? address : ""])
      )
    }
    if let proxy = try? await world.stoppedProxy(at: port, signs) {
      return (.stopped, learned(proxy).merging([.proxyStopped: "yes"]))
    }
    let listeners = try await world.see(Listeners(place: .host)).filter { $0.port == port }
    if listeners.isEmpty, !isElsewhere, let proxy = await world.stoppedService(of: try given.site, signs) {
      return (.stopped, learned(proxy).merging([.proxyStopped: "yes"]).merging(await world.starter(of: proxy)))
    }
    guard let listener = listeners.first else {
      guard isElsewhere, let tunnel = try? await world.tunnel(naming: nil, signs) else { return (.none, [:]) }
      return (.found, learned(tunnel))
    }
    guard let process = listener.processes.first else { throw .notPermitted(what: "the process behind port \(port)") }
    let container = (try? await world.containers())?.first { container in
      container.isRunning && container.Ports?.contains { $0.PublicPort == port } == true
    }
    return (
      .other, [.proxyKind: "unknown", .proxyWhere: container.map { "container \($0.name)" } ?? "process \(process)"]
    )
  }

  private static func learned(_ proxy: ProxyFound) -> Facts {
    var facts: Facts = [
      .proxyLayout: proxy.sign.layout ?? "", .proxyKind: proxy.sign.kind, .proxyName: proxy.sign.name,
      .proxyPort: String(proxy.port),
      .proxyPlace: proxy.container == nil ? proxy.standing.place : "container", .proxyWhere: proxy.whereabouts ?? "",
      .proxyNetwork: proxy.usesHostNetwork ? "host" : "own",
      .proxyPID: proxy.pid.map { String($0) } ?? "",
    ]
    if let own = proxy.sign.adminPort {
      facts[.proxyAdminPort] = String(proxy.usesHostNetwork ? own : proxy.outside[own] ?? own)
    }
    if let container = proxy.container {
      facts[.proxyContainer] = container.name
      facts[.proxyID] = container.id
      facts[.proxyVersion] = container.image.version
    } else {
      facts[.proxyProgram] = proxy.program
      facts[.proxyUser] = proxy.standing.user
    }
    return facts
  }
}

extension Standing {
  /// As `proxy.place` says it.
  fileprivate var place: String {
    switch self {
    case .own, .service: "host"
    case .user, .apart: "foreign"
    }
  }
}

extension World {
  /// The container in whose network the proxy was started, if it has another one since: there nobody listens at the
  /// proxy's port, and the proxy does.
  fileprivate func owner(leaving proxy: ProxyFound) async throws(Unseen) -> String? {
    guard let id = proxy.container?.id, let pid = proxy.pid else { return nil }
    let own = try await container(id)
    guard own.networkOwner != nil, let owner = try await networkHolder(of: own), let holder = owner.pid else {
      return nil
    }
    async let theirs = result(of: Listeners(place: .process(holder)))
    let listens = try await see(Listeners(place: .process(pid))).contains { $0.port == proxy.port }
    return try await theirs.get().contains { $0.port == proxy.port } || !listens ? nil : owner.name
  }

  /// By what a service of this machine is started.
  fileprivate func starter(of proxy: ProxyFound) async -> Facts {
    guard let unit = proxy.sign.service?.unit else { return [:] }
    for (path, starter) in [("/run/systemd/system", "systemd"), ("/etc/init.d/\(unit)", "script")] {
      if (try? await see(FileGlob(pattern: path)))?.isEmpty == false {
        return [.proxyUnit: unit, .proxyStarter: starter]
      }
    }
    return [.proxyUnit: unit]
  }

  /// The address of this machine by which the site is asked.
  fileprivate func dialled(_ given: Case, _ host: String, isElsewhere: Bool) async -> String {
    if let address = given[.hop(.address)] { return address }
    let named = isElsewhere ? nil : (try? await see(SystemLookup(name: host)))?.first
    return named ?? "127.0.0.1"
  }
}

extension String {
  /// The tag of an image where it is a version number: `1.27-alpine`.
  fileprivate var version: String? {
    let tag = split(separator: "/").last?.split(separator: ":").dropFirst().last.map(String.init)
    return tag.flatMap { $0.first?.isNumber == true ? $0 : nil }
  }
}
