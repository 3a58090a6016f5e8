import Model
import Routes
public import World

/// A proxy whose configuration is read: where it runs, how it was started, its files, and the world around it.
public struct RunningProxy: Sendable {
  /// As `diagnosis.schema.json` names it.
  public let kind: String
  public let place: ProxyPlace
  /// Its container in full; nil if it runs on the host itself.
  public let container: Container?
  /// The command line of its own first process: program and arguments. Where that cannot be seen, of a container its
  /// entry point, then its command; of a service of the machine as its package starts it.
  public let command: [String]
  public internal(set) var files: ProxyFiles
  public let world: any World
  /// By what it was recognised; of a container by its image.
  let sign: Signs.Proxy?

  init(kind: String, place: ProxyPlace, in world: any World, _ signs: Signs) async throws(Unseen) {
    self.kind = kind
    self.place = place
    self.world = world
    files = try await ProxyFiles(of: place, in: world)
    container = files.container
    let image = container?.Config?.Image?.withoutTag
    let signs = (own: signs.proxies.filter { $0.kind == kind }, all: signs)
    sign = image.flatMap { image in signs.own.first { $0.isImage(image) } } ?? signs.own.first
    let look = Processes(names: signs.all.proxyProcesses)
    if let container {
      // Its entry point may be a script, or start an app besides.
      let names = Set(signs.own.flatMap(\.processes))
      let own = ((try? await world.see(look)) ?? []).filter { $0.container == container.Id && names.contains($0.name) }
      let first = own.first { process in !own.contains { $0.id == process.parent } }
      command = first?.command.unlessEmpty ?? ([container.Path].compactMap { $0 } + (container.Args ?? []))
    } else if let pid = place.pid {
      command = try await world.see(look).first { $0.id == pid }?.command ?? []
    } else {
      command = sign?.service?.command ?? []
    }
  }

  /// The place from which it dials; nil while it does not run.
  public var network: Place? { place.usesHostNetwork ? .host : place.pid.map { .process($0) } }

  /// The value of a variable of its container's environment. Never show it: it may be a secret.
  public func environment(_ name: String) -> String? {
    container?.Config?.Env?.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
  }

  /// The value of an option of its command line: `--name value`, `--name=value`, in any of the given spellings.
  public func option(_ names: String...) -> String? {
    for (index, word) in command.enumerated() {
      for name in names {
        if word == name, command.indices.contains(index + 1) { return command[index + 1] }
        if word.hasPrefix(name + "=") { return String(word.dropFirst(name.count + 1)) }
      }
    }
    return nil
  }
}

/// How one kind of proxy is read. Everything it does only looks.
protocol ProxyReader: Sendable {
  /// What only this kind of proxy has, by the names that its own pages use (`Reading.own`).
  static var facts: [FactName] { get }

  /// What its configuration says of the request.
  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading

  /// Every site that it passes on.
  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed]

  /// Seconds since 1970 when it last loaded its configuration.
  static func loaded(_ proxy: RunningProxy, _ processes: [ProcessSeen]) async throws(Unseen) -> Double

  /// What it tells of its use and its limits right now ; nil where it does not tell.
  static func use(of request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> ProxyUse?
}

extension ProxyReader {
  static var facts: [FactName] { [] }

  static func use(of request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> ProxyUse? { nil }

  /// The start of its youngest process: most proxies start new workers at each load.
  static func loaded(_ proxy: RunningProxy, _ processes: [ProcessSeen]) async throws(Unseen) -> Double {
    guard let youngest = processes.map(\.started).max() else { throw .missing(what: "the proxy's processes") }
    return youngest
  }
}

extension Array {
  fileprivate var unlessEmpty: Self? { isEmpty ? nil : self }
}
