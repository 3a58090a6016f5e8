import FoundationEssentials
public import Model
public import World

/// A container in the engine's list: what one call tells of all of them.
///
/// Source: Docker Engine API, `GET /containers/json`. Every field is optional in some engine's answer.
public struct ContainerSummary: Sendable, Decodable {
  public struct Port: Sendable, Decodable {
    public let IP: String?
    public let PrivatePort: UInt16?
    public let PublicPort: UInt16?
    public let `Type`: String?

    enum CodingKeys: CodingKey { case IP, PrivatePort, PublicPort, `Type` }
    public init(from decoder: any Decoder) throws {
      let port = try decoder.container(keyedBy: CodingKeys.self)
      (IP, `Type`) = (port.readable(.IP), port.readable(.`Type`))
      (PrivatePort, PublicPort) = (port.readable(.PrivatePort), port.readable(.PublicPort))
    }
  }
  public struct Settings: Sendable, Decodable { public let Networks: [String: EndpointSettings]? }
  public struct Host: Sendable, Decodable { public let NetworkMode: String? }

  public let Id: String
  public fileprivate(set) var Names: [String]?
  public let Image: String?
  public let State: String?
  /// `Up 5 minutes (unhealthy)`.
  public let Status: String?
  public fileprivate(set) var Labels: [String: String]?
  /// Those of TCP, by which sites are served.
  public let Ports: [Port]?
  /// Those of other protocols.
  public let otherPorts: [Port]
  public let HostConfig: Host?
  /// Of one that lives in another container's network: that one's.
  public fileprivate(set) var NetworkSettings: Settings?

  enum CodingKeys: CodingKey { case Id, Names, Image, State, Status, Labels, Ports, HostConfig, NetworkSettings }
  /// A field in another form than the engine's own is as one that is not there: one odd container hides no others.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    Id = try container.decode(String.self, forKey: .Id)
    (Names, Image) = (container.readable(.Names), container.readable(.Image))
    (State, Status) = (container.readable(.State), container.readable(.Status))
    Labels = container.readable(.Labels)
    let ports: [Port]? = container.readable(.Ports)
    let isTCP: (Port) -> Bool = { ($0.`Type` ?? "tcp") == "tcp" }
    (Ports, otherPorts) = (ports?.filter(isTCP), ports?.filter { !isTCP($0) } ?? [])
    (HostConfig, NetworkSettings) = (container.readable(.HostConfig), container.readable(.NetworkSettings))
  }

  public var name: String { Names?.first.map { String($0.drop { $0 == "/" }) } ?? String(Id.prefix(12)) }
  public var isRunning: Bool { State == "running" || State == "paused" || State == "restarting" }
  public var networks: [String: EndpointSettings] { NetworkSettings?.Networks ?? [:] }
  /// The image without registry and tag: `jc21/nginx-proxy-manager`.
  public var image: String { Image?.withoutTag ?? "" }
  public var service: String? { Labels?["com.docker.compose.service"] }
  public var project: String? { Labels?["com.docker.compose.project"] }
  /// The service of Docker's Swarm for which it was made.
  public var swarmService: String? { Labels?["com.docker.swarm.service.name"] }
  public var usesHostNetwork: Bool { HostConfig?.NetworkMode == "host" }
  /// The container in whose network it lives (`network_mode: service:…`); it may be there no more.
  public var networkOwner: String? { HostConfig?.NetworkMode?.containerOfMode }
  public var addresses: [String] { networks.values.flatMap(\.addresses) }
}

extension String {
  /// The container's id in a network mode `container:ID`.
  var containerOfMode: String? { hasPrefix("container:") ? String(dropFirst(10)) : nil }
}

extension KeyedDecodingContainer {
  /// A member; nil where there is none, or it is of another form: `99999` is no port.
  fileprivate func readable<Value: Decodable>(_ key: Key) -> Value? { try? decode(Value.self, forKey: key) }
}

/// A container's end at one network.
public struct EndpointSettings: Sendable, Decodable {
  public let NetworkID: String?
  /// Addresses that the container was given to keep.
  public struct Wanted: Sendable, Decodable {
    public let IPv4Address: String?
    public let IPv6Address: String?
  }

  public let IPAMConfig: Wanted?
  public let IPAddress: String?
  public let GlobalIPv6Address: String?
  public let Gateway: String?
  public let Aliases: [String]?
  public let DNSNames: [String]?

  public var addresses: [String] { [IPAddress, GlobalIPv6Address].compactMap { $0 }.filter { !$0.isEmpty } }
  /// True if a container made anew has the same addresses.
  public var keepsAddresses: Bool {
    let wanted = [IPAMConfig?.IPv4Address, IPAMConfig?.IPv6Address].compactMap { $0 }.filter { !$0.isEmpty }
    return !wanted.isEmpty && addresses.allSatisfy(wanted.contains)
  }
  public var names: [String] { (Aliases ?? []) + (DNSNames ?? []) }
}

/// One container in full. Source: Docker Engine API, `GET /containers/ID/json`.
public struct Container: Sendable, Decodable {
  public struct Status: Sendable, Decodable {
    public struct Health: Sendable, Decodable {
      public struct Probe: Sendable, Decodable {
        public let ExitCode: Int?
        public let Output: String?
      }
      public let Status: String?
      public let Log: [Probe]?
    }
    public let Status: String?
    public let Pid: Int32?
    public let ExitCode: Int?
    public let Error: String?
    public let OOMKilled: Bool?
    public let StartedAt: String?
    public let FinishedAt: String?
    public let Health: Health?
  }
  public struct Binding: Sendable, Decodable {
    public let HostIp: String?
    public let HostPort: String?
  }
  public struct Restart: Sendable, Decodable {
    /// `no`, `always`, `unless-stopped`, `on-failure`; empty as `no`.
    public let Name: String?
  }
  public struct Host: Sendable, Decodable {
    public let NetworkMode: String?
    public let PortBindings: [String: [Binding]?]?
    public let Memory: Int?
    public let RestartPolicy: Restart?
    /// It is removed when it ends, as one that somebody else starts each time anew.
    public let AutoRemove: Bool?
    /// `seccomp={…}` has the whole profile.
    public let SecurityOpt: [String]?
    /// Name servers given with `--dns` or `dns:`.
    public let Dns: [String]?
    /// `name:address`, of `--add-host` or `extra_hosts:`.
    public let ExtraHosts: [String]?
  }
  public struct Configuration: Sendable, Decodable {
    public let Image: String?
    public let Hostname: String?
    /// `1000`, `1000:1000`, `node`; empty: root.
    public let User: String?
    public let Env: [String]?
    public let Labels: [String: String]?
    public let Tty: Bool?
    public let WorkingDir: String?
  }
  public struct Settings: Sendable, Decodable { public let Networks: [String: EndpointSettings]? }
  public struct Mount: Sendable, Decodable {
    public let Source: String?
    public let Destination: String?
    public let RW: Bool?
  }

  public let Id: String
  public let Name: String?
  /// Its first program and that one's arguments: entry point and command.
  public let Path: String?
  public let Args: [String]?
  public let RestartCount: Int?
  public let State: Status?
  public let HostConfig: Host?
  public let Config: Configuration?
  /// Of one that lives in another container's network: that one's.
  public fileprivate(set) var NetworkSettings: Settings?
  public let Mounts: [Mount]?

  public var name: String { Name.map { String($0.drop { $0 == "/" }) } ?? String(Id.prefix(12)) }
  /// The image's name without registry and tag: `vaultwarden/server`, `nextcloud`.
  public var imageName: String { Config?.Image?.withoutTag.withoutLibrary ?? "" }
  public var networks: [String: EndpointSettings] { NetworkSettings?.Networks ?? [:] }
  public var usesHostNetwork: Bool { HostConfig?.NetworkMode == "host" }
  /// The container in whose network it lives (`network_mode: service:…`); it may be there no more.
  public var networkOwner: String? { HostConfig?.NetworkMode?.containerOfMode }
  /// Its first process; nil while it does not run.
  public var pid: Int32? { State?.Pid.flatMap { $0 > 0 ? $0 : nil } }
  public var isRunning: Bool { pid != nil }
  /// Seconds since 1970.
  public var started: Double? { State?.StartedAt.flatMap(secondsSince1970) }
  public var finished: Double? { State?.FinishedAt.flatMap(secondsSince1970) }

  /// The service of Docker's Swarm for which it was made.
  public var swarmService: String? { Config?.Labels?["com.docker.swarm.service.name"] }

  /// Published ports as wanted: host port and address to the port inside.
  public var bindings: [PublishedPort] {
    (HostConfig?.PortBindings ?? [:]).sorted { $0.key < $1.key }.flatMap { key, bindings in
      let inside = UInt16(key.prefix { $0 != "/" })
      return (bindings ?? []).compactMap { binding -> PublishedPort? in
        guard key.hasSuffix("/tcp"), let inside, let outside = binding.HostPort.flatMap({ UInt16($0) }) else {
          return nil
        }
        return PublishedPort(hostAddress: binding.HostIp ?? "", hostPort: outside, inside: inside)
      }
    }
  }

  /// The path on the host of a path inside, if a mount brings it in; nil if it is part of the container itself.
  public func hostPath(of path: String) -> String? {
    let mount = mounted.filter { path.isWithin($0.inside) }.max { $0.inside.count < $1.inside.count }
    return mount.map { $0.outside + path.dropFirst($0.inside.count) }
  }

  /// The path inside of a path on the host; nil if no mount brings it in.
  public func insidePath(of path: String) -> String? {
    let mount = mounted.filter { path.isWithin($0.outside) }.max { $0.outside.count < $1.outside.count }
    return mount.map { $0.inside + path.dropFirst($0.outside.count) }
  }

  private var mounted: [(outside: String, inside: String)] {
    (Mounts ?? []).compactMap { mount in
      mount.Destination.flatMap { inside in mount.Source.map { (outside: $0, inside: inside) } }
    }
  }
}

/// A port of the host that leads to a port inside a container.
public struct PublishedPort: Sendable, Equatable {
  /// Empty: every address.
  public let hostAddress: String
  public let hostPort: UInt16
  public let inside: UInt16

  public var isEverywhere: Bool { hostAddress.isEmpty || hostAddress.isAnyAddress }

  /// Whether it is reached at an address, or a name, of this machine. Loopback is reached by programs of the machine only.
  public func isReached(at host: String, fromMachine: Bool) -> Bool {
    if hostAddress.isLoopback { return fromMachine && host.isLoopback }
    return isEverywhere || hostAddress == host || !host.isAddress && !host.isLoopback
  }
}

/// How a container ended lately.
public struct Deaths: Sendable {
  /// Of the last end; nil if none is remembered.
  public let exitCode: Int?
  public let outOfMemory: Bool
  public let count: Int
}

/// One container that a service is to have. Source: Docker Engine API, `GET /tasks`.
struct SwarmTask: Sendable, Decodable {
  struct State: Sendable, Decodable {
    let State: String?
    let Message: String?
    let Err: String?
  }
  let UpdatedAt: String?
  let Status: State?
}

/// Why a service of Docker's Swarm has no container that runs.
public struct SwarmAbsence: Sendable {
  public let service: String
  /// What the Swarm says of the newest one; nil if the service was told to have none.
  public let reason: String?
  /// How many of those that it remembers have ended by a failure.
  public let failures: Int
  /// What a machine has to be for it: `node.labels.disk==ssd`.
  public let constraints: [String]
}

/// A service of Docker's Swarm. Source: Docker Engine API, `GET /services`.
struct SwarmService: Sendable, Decodable {
  struct Replicated: Sendable, Decodable { let Replicas: Int? }
  struct Mode: Sendable, Decodable { let Replicated: Replicated? }
  struct Placement: Sendable, Decodable { let Constraints: [String]? }
  struct Template: Sendable, Decodable { let Placement: Placement? }
  struct Port: Sendable, Decodable {
    let PublishedPort: UInt16?
    let `Protocol`: String?
  }
  struct Endpoint: Sendable, Decodable { let Ports: [Port]? }
  struct Wanted: Sendable, Decodable {
    let Name: String?
    let Labels: [String: String]?
    let Mode: Mode?
    let TaskTemplate: Template?
    let EndpointSpec: Endpoint?
  }
  let ID: String?
  let Spec: Wanted?

  var name: String { Spec?.Name ?? ID.map { String($0.prefix(12)) } ?? "" }
  var isScaledToZero: Bool { Spec?.Mode?.Replicated?.Replicas == 0 }

  /// By its own name, or by that which it has within its stack, in lower case.
  func answers(to host: String) -> Bool {
    let stack = Spec?.Labels?["com.docker.stack.namespace"].map { "\($0)_\(host)" }
    return [host, stack].contains(name.lowercased()) || host == "tasks." + name.lowercased()
  }

  /// True if this port of each machine is to lead to it.
  func publishes(_ port: UInt16) -> Bool {
    Spec?.EndpointSpec?.Ports?.contains { $0.PublishedPort == port && ($0.`Protocol` ?? "tcp") == "tcp" } == true
  }

  /// Its containers, each by its name and its labels; if none of them is on this machine, one without an address that
  /// stands for them.
  func tasks(among containers: [ContainerSummary]) -> [ContainerSummary] {
    let tasks = containers.filter { ID != nil && $0.isRunning && $0.Labels?["com.docker.swarm.service.id"] == ID }
    return (tasks.isEmpty ? [ContainerSummary(State: isScaledToZero ? "exited" : "running")] : tasks).map { task in
      var task = task
      (task.Names, task.Labels) = ([name], Spec?.Labels)
      return task
    }
  }
}

extension ContainerSummary {
  /// One of which nothing is known but whether it runs.
  fileprivate init(State: String) {
    (Id, self.State) = ("", State)
    (Names, Image, Status, Labels, Ports, HostConfig, NetworkSettings) = (nil, nil, nil, nil, nil, nil, nil)
    otherPorts = []
  }
}

private struct Event: Decodable {
  struct Actor: Decodable { let Attributes: [String: String]? }
  let Action: String?
  let Actor: Actor?
  /// Seconds since 1970.
  let time: Double?
}

extension Network {
  /// What Docker and Podman call the network of a container that names none. Names do not resolve there.
  public static let defaults: Set<String> = ["bridge", "podman"]
}

/// One network. Source: Docker Engine API, `GET /networks`.
public struct Network: Sendable, Decodable {
  public struct Plan: Sendable, Decodable {
    public struct Range: Sendable, Decodable {
      public let Subnet: String?
      public let Gateway: String?
    }
    public let Config: [Range]?
  }
  public let Id: String
  public let Name: String
  public let Driver: String?
  /// Nothing leads out of it or in: a port that a container publishes has no effect there.
  public let Internal: Bool?
  public let IPAM: Plan?
  public let Options: [String: String]?

  /// The bridge of this machine by which Docker leads its packets; nil for a network of another kind.
  public var interface: String? {
    guard Driver == "bridge" else { return nil }
    return Options?["com.docker.network.bridge.name"] ?? "br-\(Id.prefix(12))"
  }

  /// True for one whose containers are machines of their own on the network of this machine's own card, its parent. The
  /// kernel lets none of them and this machine reach each other.
  ///
  /// Source: Docker, "Macvlan network driver" and "IPvlan network driver".
  public var isBesideMachine: Bool { Driver == "macvlan" || Driver == "ipvlan" }
  /// The card of this machine on whose network they are; nil for a network of another kind.
  public var parent: String? { isBesideMachine ? Options?["parent"] : nil }

  public func holds(_ address: String) -> Bool { subnets.contains { Subnet($0)?.contains(address) == true } }

  public var subnets: [String] { IPAM?.Config?.compactMap(\.Subnet) ?? [] }
  public var gateways: [String] { IPAM?.Config?.compactMap(\.Gateway) ?? [] }
}

extension World {
  /// True if root is told of the containers by an ordinary user's own engine.
  var isEngineUsers: Bool {
    get async { (try? await see(DockerGet(path: "/containers/json?all=1")))?.isUsers ?? false }
  }

  /// The engine's command: `docker`, `podman`; nil if none answers.
  public var engineCommand: String? {
    get async { (try? await see(DockerGet(path: "/containers/json?all=1")))?.engine.lowercased() }
  }

  /// Every container, stopped ones too.
  public func containers() async throws(Unseen) -> [ContainerSummary] {
    var containers = try await docker("/containers/json?all=1", as: [ContainerSummary].self)
    for index in containers.indices {
      guard let owner = containers[index].networkOwner else { continue }
      containers[index].NetworkSettings = containers.first { $0.Id == owner }?.NetworkSettings
    }
    return containers
  }

  public func container(_ id: String) async throws(Unseen) -> Container {
    var container = try await docker("/containers/\(id)/json", as: Container.self)
    if let owner = try await networkHolder(of: container), owner.Id != container.Id {
      container.NetworkSettings = owner.NetworkSettings
    }
    return container
  }

  /// The container in whose network this one lives, most often its own; nil if that one is there no more.
  public func networkHolder(of container: Container) async throws(Unseen) -> Container? {
    guard let owner = container.networkOwner else { return container }
    do throws(Unseen) { return try await docker("/containers/\(owner)/json", as: Container.self) } catch .missing {
      return nil
    }
  }

  public func networks() async throws(Unseen) -> [Network] { try await docker("/networks", as: [Network].self) }

  /// How a container ended since a time (seconds since 1970), as far as the engine remembers (256 events). What was
  /// before its limits were last changed does not count.
  public func deaths(of id: String, since: Double) async throws(Unseen) -> Deaths {
    let events = try await events(
      #"{"container":["\#(id)"],"event":["die","oom","update"]}"#, since: since)
    let valid = events.lastIndex { $0.Action == "update" }.map { events[($0 + 1)...] } ?? events[...]
    let code = valid.last { $0.Action == "die" }?.Actor?.Attributes?["exitCode"].flatMap { Int($0) }
    return Deaths(
      exitCode: code, outOfMemory: valid.contains { $0.Action == "oom" }, count: valid.count { $0.Action == "die" })
  }

  /// When one of these containers, by name or Compose service, last started (seconds since 1970), as far as the engine
  /// remembers; nil if it does not.
  public func lastStart(of names: [String], since: Double) async throws(Unseen) -> Double? {
    try await events(#"{"type":["container"],"event":["start"]}"#, since: since).last { event in
      let attributes = event.Actor?.Attributes ?? [:]
      return [attributes["name"], attributes["com.docker.compose.service"]].contains { $0.map(names.contains) ?? false }
    }?.time
  }

  /// - Parameter filters: as the engine's API takes them, in JSON.
  private func events(_ filters: String, since: Double) async throws(Unseen) -> [Event] {
    let answer = try await see(DockerGet(path: "/events?filters=\(Self.escaped(filters))", since: since))
    guard answer.status == 200 else { throw .notPermitted(what: "Docker's events") }
    return answer.body.split(separator: UInt8(ascii: "\n")).compactMap {
      try? JSONDecoder().decode(Event.self, from: Data($0))
    }.filter { $0.time.map { $0 >= since.rounded(.down) } ?? true }
  }

  private static func escaped(_ filters: String) -> String {
    filters.utf8.map { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
        ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16, uppercase: true)
    }.joined()
  }

  /// The services of Docker's Swarm; only a manager tells them.
  func services() async throws(Unseen) -> [SwarmService] { try await docker("/services", as: [SwarmService].self) }

  /// Why the service of Docker's Swarm that is meant has no container that runs; nil if it has one, or there is no such
  /// service.
  func absence(ofService isMeant: (SwarmService) -> Bool) async -> SwarmAbsence? {
    guard let service = ((try? await services()) ?? []).first(where: isMeant) else { return nil }
    let constraints = service.Spec?.TaskTemplate?.Placement?.Constraints ?? []
    func absence(_ reason: String?, failures: Int = 0) -> SwarmAbsence {
      SwarmAbsence(service: service.name, reason: reason, failures: failures, constraints: constraints)
    }
    if service.isScaledToZero { return absence(nil) }
    guard let tasks = try? await tasks(ofService: service.name), !tasks.isEmpty,
      !tasks.contains(where: { $0.Status?.State == "running" })
    else { return nil }
    // The next one waits already, and knows of no failure.
    let latest = tasks.sorted { ($0.UpdatedAt ?? "") > ($1.UpdatedAt ?? "") }.compactMap(\.Status)
    let told =
      latest.lazy.compactMap(\.Err).first { !$0.isEmpty } ?? latest.lazy.compactMap(\.Message).first { !$0.isEmpty }
    return absence(
      told?.excerpt(of: 200) ?? latest.first?.State ?? "", failures: tasks.count { $0.Status?.State == "failed" })
  }

  /// How many containers of a service of Docker's Swarm have ended by a failure since a time (seconds since 1970), of those
  /// that it remembers.
  public func failures(ofService name: String, since: Double) async throws(Unseen) -> Int {
    try await tasks(ofService: name).count { task in
      task.Status?.State == "failed" && task.UpdatedAt.flatMap(secondsSince1970).map { $0 >= since } == true
    }
  }

  private func tasks(ofService name: String) async throws(Unseen) -> [SwarmTask] {
    try await docker("/tasks?filters=\(Self.escaped(#"{"service":["\#(name)"]}"#))", as: [SwarmTask].self)
  }

  private func docker<Value: Decodable>(_ path: String, as type: Value.Type) async throws(Unseen) -> Value {
    let answer = try await see(DockerGet(path: path))
    switch answer.status {
    case 200: break
    case 403: throw .notPermitted(what: "Docker's \(path)")
    case 404: throw .missing(what: "Docker's \(path)")
    default: throw .unreadable(what: "Docker's \(path)", why: .init(.status, "\(answer.status)"))
    }
    do { return try JSONDecoder().decode(type, from: Data(answer.body)) } catch {
      throw .unreadable(what: "Docker's \(path)", why: .said("\(error)"))
    }
  }
}

/// Seconds since 1970 of Docker's time text `2026-11-21T12:21:37.734612287Z`, or of Podman's `…37.734612287+01:00`; nil for
/// "never", year 1.
func secondsSince1970(_ text: String) -> Double? {
  guard !text.hasPrefix("0001-"), let hour = text.firstIndex(of: "T"),
    let end = text[hour...].firstIndex(where: { ".Z+-".contains($0) })
  else { return nil }
  let fraction = text[end...].first == "." ? text[end...].dropFirst().prefix { $0.isNumber } : ""
  let zone = text[end...].drop { $0 == "." || $0.isNumber }
  guard let date = try? Date(text[..<end] + zone, strategy: .iso8601) else { return nil }
  return date.timeIntervalSince1970 + (Double("0." + fraction) ?? 0)
}

extension String {
  /// Docker's own images are below `library/`, which some engines say.
  fileprivate var withoutLibrary: String { hasPrefix("library/") ? String(dropFirst(8)) : self }
}

extension String {
  /// True for the folder itself, and for what is below it.
  fileprivate func isWithin(_ folder: String) -> Bool { self == folder || hasPrefix(folder + "/") }
}
