import Discovery
import Model
import Routes
import World

extension FactName {
  static let socketObstacle: FactName = "socket.obstacle"
  static let socketObstacleKind: FactName = "socket.obstacle-kind"
  static let socketOwner: FactName = "socket.owner"
  static let socketMode: FactName = "socket.mode"
  static let socketUser: FactName = "socket.user"
  static let socketGroup: FactName = "socket.group"
  static let socketFolder: FactName = "socket.folder"
  static let socketNear: FactName = "socket.near"
  static let socketOutside: FactName = "socket.outside"
  static let socketMaker: FactName = "socket.maker"
  static let socketHidden: FactName = "socket.hidden"
  static let socketApp: FactName = "socket.app"
  static let socketAppHost: FactName = "socket.app-host"
  static let socketAppPort: FactName = "socket.app-port"
  static let socketReplaced: FactName = "socket.replaced"
}

private enum SocketOutcome: String, CheckOutcome {
  case accepted, missing, denied, refused, unknown
  /// As many connections wait as may, and the app works on others.
  case full
  /// The same, and the app works on none.
  case stalled
  case notSocket = "not-socket"
}

extension Check {
  /// Connects to the upstream's Unix socket among the proxy's files, with the rights of the proxy's worker.
  static let socketConnect = Check(
    "socket.connect", needs: [.upstreamSocket, .proxyPlace, .proxyPID],
    learns: [
      .socketObstacle, .socketObstacleKind, .socketOwner, .socketMode, .socketUser, .socketGroup, .socketFolder,
      .socketNear, .socketOutside, .socketMaker, .socketHidden, .socketApp,
      .socketAppHost, .socketAppPort, .socketReplaced, .upstreamDial, .upstreamOpen,
    ] + FactName.ofPool, outcome: SocketOutcome.self
  ) { world, given, signs throws(Unseen) in
    let path = try given.upstreamSocket
    let worker = try await world.worker(of: given.proxy, signs)
    // Its own root: a service may have a folder /tmp of its own (PrivateTmp), or be locked into one (chroot).
    let place = Place.process(worker)
    let sight = try await world.see(UnixConnect(path: path, place: place, user: worker))
    let folder = path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    var learned: Facts = [.socketFolder: folder.isEmpty ? "/" : folder]
    switch sight.outcome {
    case .accepted:
      learned[.upstreamDial] = "unix:" + path
      guard sight.isAsUser else { throw .notPermitted(what: "the rights of process \(worker)") }
      return (.accepted, learned)
    case .missing:
      learned[.socketNear] = await world.socket(near: path, in: place, of: worker)
      learned[.socketMaker] = await world.stopped(sharing: path, with: given.proxy)
      if given.proxy.id != nil {
        let outside = try? await world.see(UnixConnect(path: path, place: .host))
        learned[.socketOutside] = outside.flatMap { $0.outcome == .missing ? nil : "yes" }
      }
      if given.proxy.id == nil, (try? await world.isListening(at: path, in: worker)) == true {
        learned[.socketHidden] = "yes"
      }
      if given[.routeProtocol] == "fastcgi", learned[.socketNear] == nil,
        let other = try? await world.poolAtPort(besides: given, signs)
      {
        learned[.socketApp] = other.container
        (learned[.socketAppHost], learned[.socketAppPort]) = (other.host, String(other.port))
      }
      return (.missing, learned)
    case .denied:
      guard sight.isAsUser else { throw .notPermitted(what: path) }
      let users = try? await Users(in: place, world)
      if let (user, group) = try await world.user(of: worker) {
        learned[.socketUser] = users?.name(ofUser: user) ?? String(user)
        learned[.socketGroup] = users?.name(ofGroup: group) ?? String(group)
      }
      if let obstacle = sight.obstacle {
        learned[.socketObstacle] = obstacle.path.printable
        learned[.socketObstacleKind] = obstacle.path == path ? "socket" : "folder"
        let owner = users?.name(ofUser: obstacle.owner) ?? String(obstacle.owner)
        let group = users?.name(ofGroup: obstacle.group) ?? String(obstacle.group)
        learned[.socketOwner] = "\(owner):\(group)"
        learned[.socketMode] = "0" + String(obstacle.mode, radix: 8)
      }
      return (.denied, learned)
    case .refused:
      learned[.socketMaker] = await world.stopped(sharing: path, with: given.proxy)
      learned[.socketReplaced] = await world.isReplaced(path, mountedIn: given.proxy) ? "yes" : ""
      return (.refused, learned)
    case .full:
      let taken = try await world.taken(at: path, in: worker)
      learned[.upstreamOpen] = String(taken)
      if given[.routeProtocol] == "fastcgi", given.proxy.id == nil {
        learned.merge(await world.poolSettings(of: nil, at: .socket(path)))
      }
      return (taken > 0 ? .full : .stalled, learned)
    case .notSocket: return (.notSocket, learned)
    case .other: return (.unknown, learned)
    }
  }
}

extension World {
  /// Whether a program listens at that path, in whatever folders it lives. Source: proc(5), `net/unix`: the flag 10000 is
  /// that of a listening socket.
  fileprivate func isListening(at path: String, in process: Int32) async throws(Unseen) -> Bool {
    try await unixSockets(at: path, in: process).contains { $0[3] == "00010000" }
  }

  /// True of a socket that is mounted itself, not its folder, and takes connections on this machine: the container has the
  /// one that was there when it started.
  fileprivate func isReplaced(_ path: String, mountedIn proxy: ProxyPlace) async -> Bool {
    guard let id = proxy.id, let container = try? await container(id),
      let source = container.Mounts?.first(where: { $0.Destination == path })?.Source
    else { return false }
    return (try? await see(UnixConnect(path: source, place: .host)))?.outcome == .accepted
  }

  /// How many connections at a socket its program has taken. Source: proc(5), `net/unix`; those that still wait have no
  /// inode yet.
  fileprivate func taken(at path: String, in process: Int32) async throws(Unseen) -> Int {
    // State 03 is connected.
    try await unixSockets(at: path, in: process).count { $0[5] == "03" && $0[6] != "0" }
  }

  /// The fields of each socket with that path: `0000000000000000: 00000003 00000000 00000000 0001 03 42531 /run/app.sock`.
  private func unixSockets(at path: String, in process: Int32) async throws(Unseen) -> [[Substring]] {
    try await see(FileRead(path: "/proc/\(process)/net/unix")).text.lines.compactMap { line in
      let fields = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: true)
      return fields.count > 7 && fields[7] == path ? fields : nil
    }
  }

  /// The only PHP-FPM in a container that the proxy reaches at its usual port, as the official image has it by itself,
  /// and that serves no other site. Source: `zz-docker.conf` of that image.
  fileprivate func poolAtPort(besides given: Case, _ signs: Signs) async throws(Unseen) -> Neighbour? {
    let found = try await neighbours(
      at: 9000, site: try given.siteHost, of: given.proxy, gateway: nil, signs
    ).filter { $0.network == nil && !($0.isUnpublished && given.proxy.usesHostNetwork) }
    guard found.count == 1, let name = found[0].container,
      await !poolSettings(of: try await container(name), at: .network(host: found[0].host, port: found[0].port)).values
        .isEmpty
    else { return nil }
    return found[0]
  }

  /// The only container that has the socket's folder as well, and does not run.
  fileprivate func stopped(sharing path: String, with proxy: ProxyPlace) async -> String? {
    var outside: String? = path
    if let id = proxy.id { outside = (try? await container(id))?.hostPath(of: path) }
    guard let outside, let containers = try? await containers() else { return nil }
    let others = containers.filter { $0.Id != proxy.id && !$0.isRunning }
    var found: [String] = []
    for other in others.prefix(24) {
      guard let mounts = (try? await container(other.Id))?.Mounts else { continue }
      // A mount of nearly everything tells nothing.
      if mounts.contains(where: { $0.Source.map { $0.count > 8 && outside.hasPrefix($0 + "/") } == true }) {
        found.append(other.name)
      }
    }
    return found.count == 1 ? found[0] : nil
  }

  /// A socket that takes connections, in the same folder or where sockets usually lie: the one with the nearest name.
  fileprivate func socket(near path: String, in place: Place, of user: Int32) async -> String? {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let folder = path.dropLast(name.count)
    // By `/run` first: `/var/run` is a link to it.
    let patterns = ["\(folder)*", "\(folder)*/*.sock", "/run/*/*.sock", "/run/*.sock", "/tmp/*.sock"]
    var found: [String: String] = [:]
    for pattern in patterns {
      for other in (try? await see(FileGlob(pattern: pattern, place: place))) ?? [] where other != path {
        let name = other.split(separator: "/").last.map(String.init) ?? other
        if found[name] == nil { found[name] = other }
      }
    }
    // The same name in another folder is the nearest one.
    var names = Array(found.keys.sorted().prefix(200))
    while let near = names.contains(name) ? name : name.nearest(among: names), let other = found[near] {
      let sight = try? await see(UnixConnect(path: other, place: place, user: user))
      if sight?.outcome == .accepted { return other }
      names.removeAll { $0 == near }
    }
    return nil
  }
}
