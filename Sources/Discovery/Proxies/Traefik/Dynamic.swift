import Model
import Pattern
import Routes
import World

extension Traefik {
  /// The name by which Traefik looks for a container that uses the machine's own network.
  static let thisMachine = "host.docker.internal"

  /// What keeps Traefik from using a router.
  struct Fault: Sendable, Equatable {
    let reason: String
    /// The setting that is wrong, and what it has to be.
    var setting: String?
    var replacement: String?
    /// True if Traefik does without the setting.
    var isNeedless = false
    /// True if a label with the service's port would help.
    var lacksPort = false
    /// The service that a label of the router would have to name.
    var lacksService: String?
    /// The label that is wrong, and the name that it should have.
    var label: String?
    var renamed: String?
    /// True if containers of different apps have the same name for it.
    var isClash = false
    /// The service whose setting it is; nil: the router's own.
    var service: String?
  }

  struct Router: Sendable {
    let name: String
    /// `docker`, `file`, …
    let provider: String
    let rule: String
    let settings: Settings
    /// The service's name with its provider; nil if it has none.
    let service: String?
    /// Its rule; nil until it is read, and where it cannot be.
    var matching: (rule: Rule, syntax: Syntax)?
    var fault: Fault?
    /// What may keep Traefik from taking it: a setting that only some versions know.
    var doubt: Unseen?
    /// The container whose labels make it.
    var container: ContainerSummary?

    var fullName: String { "\(name)@\(provider)" }
    var entryPoints: [String] { settings["entryPoints"]?.list ?? [] }
    var priority: Int {
      settings["priority"]?.text.flatMap { Int($0) }.flatMap { $0 == 0 ? nil : $0 } ?? rule.utf8.count
    }
    var middlewares: [String] { (settings["middlewares"]?.list ?? []).map { $0.qualified(by: provider) } }

    func isTLS(at point: Static.EntryPoint) -> Bool {
      guard let tls = settings["tls"] else { return point.isTLS }
      return tls.text.map { $0.isEmpty || $0.lowercased() == "true" } ?? true || point.isTLS
    }
  }

  struct Server: Sendable, Equatable {
    let scheme: String
    let host: String
    let port: UInt16
    /// `scheme://host:port`, as its owner would write it.
    var url: String { "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
  }

  struct Service: Sendable {
    let settings: Settings
    var servers: [Server] = []
    /// Networks in which its address may be, if Traefik takes any of several.
    var networks: [String] = []
    /// Several containers define it, each in another way: then Traefik has none.
    var fault: Fault?
    /// The running container that was the first to define it.
    var container: String?
  }

  /// Routers, services and middlewares of all sources.
  struct Dynamic: Sendable {
    private(set) var routers: [Router] = []
    /// The first router of each full name, as an index.
    private var places: [String: Int] = [:]
    var services: [String: Service] = [:]
    var middlewares: [String: Settings] = [:]
    var transports: [String: Settings] = [:]
    /// The `http` part of each file that Traefik loads.
    var files: [String: Settings] = [:]
    /// A file that Traefik cannot take, so that it takes none.
    struct Refused: Sendable {
      let file: String
      let reason: String
      var line = 1
      var text: String?
      var fixed: String?
    }
    var refused: [Refused] = []
    /// Sources that could not be read to their end.
    var unseen: [Unseen] = []

    mutating func add(_ router: Router) {
      places[router.fullName] = places[router.fullName] ?? routers.count
      routers.append(router)
    }

    func hasRouter(_ fullName: String) -> Bool { places[fullName] != nil }

    mutating func change(_ index: Int, _ change: (inout Router) -> Void) { change(&routers[index]) }
  }
}

extension Traefik.Dynamic {
  // MARK: Files

  /// The files of the file provider.
  mutating func read(filesOf proxy: RunningProxy, _ settings: Traefik.Settings, _ version: Traefik.Version) async {
    var paths: [String] = []
    if let folder = settings["directory"]?.text {
      let base = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
      for depth in ["", "/*", "/*/*"] {
        for suffix in ["yml", "yaml", "toml"] {
          paths += (try? await proxy.files.glob("\(base)\(depth)/*.\(suffix)")) ?? []
        }
      }
    } else if let file = settings["filename"]?.text {
      paths = [file]
    }
    for path in proxy.files.bounded(paths) {
      do throws(Unseen) {
        guard var text = try await proxy.files.read(path) else { throw .missing(what: path) }
        files[path] = Traefik.Settings()
        if text.contains("{{") {
          let filled = text.filled { action in String.variable(in: action).map { proxy.environment($0) ?? "" } }
          guard proxy.container != nil, let filled else { throw .unreadable(what: path, why: .init(.template)) }
          proxy.files.note(template: path)
          text = filled
        }
        try read(text, path, version)
      } catch {
        unseen.append(error)
        proxy.files.note(unread: error)
      }
    }
  }

  /// One file; Traefik drops the whole file if anything in it cannot be read.
  mutating func read(_ text: String, _ path: String, _ version: Traefik.Version) throws(Unseen) {
    let notation = DocumentFile.Notation(ofTraefik: path)
    let file = DocumentFile(text, path: path, notation)
    guard let file, file.mistakes.isEmpty else {
      // One that says nothing is none.
      guard let mistake = file?.mistakes.first ?? DocumentFile.mistake(of: text, path, notation) else { return }
      if mistake.isLimit { throw .unreadable(what: path, why: .said(mistake.message)) }
      let place = notation == .yaml ? indented(text, path, around: mistake.place.line, version) : nil
      refused.append(
        Refused(
          file: path, reason: mistake.message, line: place?.line ?? mistake.place.line, text: place?.text,
          fixed: place?.fixed))
      return
    }
    let settings = Traefik.Settings(file)
    let mistake = try Traefik.Fields.all.mistake(in: settings, version)
    if let mistake, mistake.isCertain {
      refused.append(Refused(mistake, in: path))
      return
    }
    let doubt = mistake.map { Unseen.unreadable(what: path, why: .said($0.reason)) }
    guard let http = settings["http"] else { return }
    files[path] = http
    for (name, settings) in http["routers"]?.branches ?? [] {
      let rule = settings["rule"]?.text ?? ""
      add(
        Traefik.Router(
          name: name, provider: "file", rule: rule, settings: settings,
          service: settings["service"]?.text?.qualified(by: "file"), doubt: doubt))
    }
    for (name, settings) in http["services"]?.branches ?? [] {
      let all = (settings["loadBalancer", "servers"]?.branches ?? []).filter { $0.settings["weight"]?.text != "0" }
      let servers = all.compactMap { $0.settings["url"]?.text.flatMap(Traefik.Server.init) }
      services["\(name)@file"] = Traefik.Service(settings: settings, servers: servers)
    }
    for (name, settings) in http["middlewares"]?.branches ?? [] { middlewares["\(name)@file"] = settings }
    for (name, settings) in http["serversTransports"]?.branches ?? [] { transports["\(name)@file"] = settings }
  }

  /// The line of a YAML file that cannot be read, and the only depth near its own at which it makes the file one of
  /// Traefik's.
  private func indented(
    _ text: String, _ path: String, around line: Int, _ version: Traefik.Version
  ) -> (line: Int, text: String, fixed: String)? {
    let lines = text.lines.map(String.init)
    guard lines.count <= 2000 else { return nil }
    func isRead(_ lines: [String]) -> Bool {
      guard let file = DocumentFile(lines.joined(separator: "\n"), path: path, .yaml), file.mistakes.isEmpty else {
        return false
      }
      do { return try Traefik.Fields.all.mistake(in: Traefik.Settings(file), version) == nil } catch { return false }
    }
    for index in [line - 1, line - 2] where lines.indices.contains(index) {
      let words = String(lines[index].drop { $0 == " " })
      let own = lines[index].count - words.count
      // One or two blanks too many or too few: farther away any name may be one of somebody's own.
      let depths = Set(lines[..<index].suffix(40).map { $0.prefix { $0 == " " }.count }).filter {
        $0 > 0 && $0 != own && abs($0 - own) <= 2
      }
      let fitting = depths.sorted().map { String(repeating: " ", count: $0) + words }.filter { fixed in
        var other = lines
        other[index] = fixed
        return isRead(other)
      }
      if !words.isEmpty, fitting.count == 1 { return (index + 1, lines[index], fitting[0]) }
    }
    return nil
  }

  // MARK: Containers

  /// How the Docker provider takes containers.
  struct DockerProvider: Sendable {
    /// As names of its routers have it behind their `@`.
    let name: String
    let settings: Traefik.Settings
    /// True if the labels are those of a Swarm's services.
    let isOfServices: Bool
    var endpoint: String? { settings["endpoint"]?.text }
    var exposesAll: Bool { settings["exposedByDefault"].map { $0.text?.lowercased() != "false" } ?? true }
    var keepsEmptyServices: Bool { settings["allowEmptyServices"]?.isOn == true }
    var network: String? { settings["network"]?.text }

    /// What it finds, with the labels that count.
    func containers(in world: any World) async throws(Unseen) -> [ContainerSummary] {
      let containers = try await world.containers()
      return isOfServices ? try await world.services().flatMap { $0.tasks(among: containers) } : containers
    }

    /// True if Traefik looks at a container at all; nil where its constraints cannot be read.
    func takes(_ labels: [String: String]) -> Bool? {
      let enable = labels.first { $0.key.lowercased() == "traefik.enable" }?.value
      guard enable.map({ !$0.isGoFalse }) ?? exposesAll else { return false }
      guard let text = settings["constraints"]?.text, !text.isEmpty else { return true }
      guard let constraints = try? Traefik.Rule(text, .constraint) else { return nil }
      let verdict = constraints.verdict { name, values in
        let value = labels[values[0]]
        if name == "label" { return value == values[1] ? .yes : .no }
        return value.flatMap { value in (try? Pattern(values[1]))?.matches(value) } == true ? .yes : .no
      }
      return verdict == .yes
    }

    /// The rule of a router that has none; nil where the template is more than this reads.
    func rule(for container: ContainerSummary) -> String? {
      let template = settings["defaultRule"]?.text ?? "Host(`{{ normalize .Name }}`)"
      let labels = container.Labels ?? [:]
      return template.filled { action in
        switch action {
        case ["normalize", ".Name"], [".Name"]: container.traefikName
        case [".ContainerName"], ["normalize", ".ContainerName"]:
          action.count > 1 ? container.name.normalized : container.name
        case let words where words.count == 3 && words[0] == "index" && words[1] == ".Labels":
          labels[words[2].filter { $0 != "\"" && $0 != "`" }] ?? ""
        default: nil
        }
      }
    }
  }

  /// The routers that a container's labels make, running or not.
  mutating func read(
    _ container: ContainerSummary, _ provider: DockerProvider, _ version: Traefik.Version
  ) throws(Unseen) {
    var labels = container.Labels ?? [:]
    let mistake = try Traefik.Fields.all.mistake(inLabels: labels, version)
    let refused = mistake.flatMap { $0.isCertain ? container.fault(of: $0) : nil }
    // Where a name is misspelled, the labels are read as they were meant: the route is known by that.
    if let wrong = refused?.label, let meant = refused?.renamed, labels[meant] == nil {
      labels[meant] = labels.removeValue(forKey: wrong)
    }
    let all = Traefik.Settings(labels: labels)
    let http = all["http"]
    let isOther = all["tcp"] != nil || all["udp"] != nil
    if isOther, http == nil { return }
    var own = (http?["services"]?.branches ?? []).map { (name: $0.name, settings: $0.settings) }
    if own.isEmpty { own = [(container.traefikName, Traefik.Settings())] }
    let isActive = container.isActive
    var fault = refused
    if mistake?.isCertain != true, isActive {
      fault = own.lazy.compactMap { $0.settings.serviceFault(named: $0.name) }.first
    }
    // It is left out as a whole.
    let isLeftOut = fault != nil
    for (name, settings) in isLeftOut ? [] : http?["middlewares"]?.branches ?? [] {
      middlewares[name.qualified(by: provider.name)] = settings
    }
    for (name, settings) in isLeftOut ? [] : own {
      let (server, networks) = container.server(of: settings, all, provider)
      if server == nil, isActive, fault == nil {
        fault = Traefik.Fault(
          reason: "its service \(name) has no port: the image exposes none, and no label names one", lacksPort: true)
      }
      let qualified = name.qualified(by: provider.name)
      var service = services[qualified] ?? Traefik.Service(settings: settings)
      if isActive, let other = service.container, !service.settings.isSame(asService: settings) {
        service.fault = Traefik.Fault(
          reason: "the containers \(other) and \(container.name) both define the service \(name), each in another way",
          isClash: true)
      }
      if isActive, service.container == nil { service = service.defined(by: container.name, settings) }
      // A stopped container adds no server; where it is the only one, it is what should be there.
      if let server, isActive { service.servers.append(server) }
      service.networks = networks
      services[qualified] = service
    }
    var named = http?["routers"]?.branches ?? []
    if named.isEmpty { named = own.count == 1 ? [(container.traefikName, Traefik.Settings())] : [] }
    for (name, settings) in named {
      guard let rule = settings["rule"]?.text ?? provider.rule(for: container), !rule.isEmpty else { continue }
      var router = Traefik.Router(
        name: name, provider: provider.name, rule: rule, settings: settings,
        service: (settings["service"]?.text ?? (own.count == 1 ? own[0].name : nil))?.qualified(by: provider.name),
        fault: fault,
        doubt: mistake.flatMap { mistake in
          mistake.isCertain ? nil : .unreadable(what: "labels of \(container.name)", why: .said(mistake.reason))
        }, container: container)
      if router.service == nil, fault == nil {
        // A service that is called like another router is that one's.
        let left = own.map(\.name).filter { service in service == name || !named.contains { $0.name == service } }
        router.fault = Traefik.Fault(
          reason:
            "the container has several services (\(own.map(\.name).sorted().joined(separator: ", "))), and the router does not name one",
          lacksService: left.contains(name) ? name : left.count == 1 ? left[0] : nil)
      }
      // Several containers of one service have the same router.
      if let same = places[router.fullName] {
        if routers[same].isSame(as: router) {
          if !routers[same].isActive, router.isActive { routers[same] = router }
          continue
        }
        if routers[same].isActive, router.isActive {
          let other = routers[same].container?.name ?? ""
          let clash = Traefik.Fault(
            reason: "the containers \(other) and \(container.name) both define the router \(name), each in another way",
            isClash: true)
          routers[same].fault = clash
          router.fault = clash
        }
      }
      add(router)
    }
  }
}

extension Traefik.Dynamic.Refused {
  /// With the line that would do, where only a name is wrong.
  fileprivate init(_ mistake: Traefik.Fields.Mistake, in path: String) {
    let line = mistake.settings?.line
    (file, reason, self.line, text) = (path, mistake.reason, line?.line ?? 1, line?.text)
    fixed = line.flatMap { line in
      guard let name = mistake.name, let meant = mistake.meant, line.text.ranges(of: name).count == 1 else {
        return nil
      }
      return line.text.replacing(name, with: meant)
    }
  }
}

extension Traefik.Service {
  fileprivate func defined(by container: String, _ settings: Traefik.Settings) -> Self {
    var own = Traefik.Service(settings: settings, servers: servers, networks: networks, fault: fault)
    own.container = container
    return own
  }
}

extension Traefik.Settings {
  /// True if containers that set it so add their servers to one service.
  fileprivate func isSame(asService other: Self) -> Bool { values(below: "") == other.values(below: "") }

  /// The values by their paths in lower case, without those of a container's own server.
  private func values(below path: String) -> [String: String] {
    var values = text.map { [path: $0.lowercased()] } ?? [:]
    for (name, settings) in branches {
      let inner = path + "." + name.lowercased()
      if inner != ".loadbalancer.server" { values.merge(settings.values(below: inner)) { first, _ in first } }
    }
    return values
  }

  /// What of a container's service Traefik refuses, with the whole container.
  fileprivate func serviceFault(named name: String) -> Traefik.Fault? {
    guard !branches.isEmpty else { return nil }
    guard let balancer = self["loadBalancer"] else {
      return Traefik.Fault(reason: "its service \(name) has no load balancer, so Traefik leaves the container out")
    }
    guard let server = balancer["server"] else { return nil }
    let beside = ["scheme", "port"].compactMap { server[$0] }.first { $0.text?.isEmpty == false }
    if server["url"]?.text?.isEmpty == false, let beside {
      return Traefik.Fault(
        reason:
          "its service \(name) has url and \(beside.label ?? ""): beside url Traefik takes neither scheme nor port, and leaves the container out",
        label: beside.label)
    }
    if let port = server["port"], let text = port.text, !text.isEmpty, UInt16(text) == nil {
      return Traefik.Fault(reason: "its service \(name) has the port \(text), which is none", label: port.label)
    }
    return nil
  }
}

extension ContainerSummary {
  fileprivate func fault(of mistake: Traefik.Fields.Mistake) -> Traefik.Fault {
    let label = mistake.label ?? mistake.settings?.firstLabel
    let renamed = label.flatMap { label -> String? in
      guard let name = mistake.name, let meant = mistake.meant, label.ranges(of: name).count == 1 else { return nil }
      return label.replacing(name, with: meant)
    }
    return Traefik.Fault(
      reason: "Traefik leaves the container \(self.name) out for one of its labels: \(mistake.reason)", label: label,
      renamed: renamed)
  }
}

extension Traefik.Router {
  /// True if Traefik keeps it now: it is in a file, or its container runs and is not unhealthy or starting.
  var isActive: Bool { container?.isActive ?? true }

  fileprivate func isSame(as other: Self) -> Bool {
    rule == other.rule && service == other.service && entryPoints == other.entryPoints
      && middlewares == other.middlewares && (settings["tls"] == nil) == (other.settings["tls"] == nil)
      && settings["priority"]?.text == other.settings["priority"]?.text
  }
}

extension Traefik.Server {
  /// `http://shop:3000/`; the path of a server's URL is left to the route.
  init?(url: String) {
    guard let mark = url.firstRange(of: "://") else { return nil }
    scheme = url[..<mark.lowerBound].lowercased()
    let authority = url[mark.upperBound...].prefix { !"/?#".contains($0) }
    let usual: UInt16 = scheme == "https" ? 443 : 80
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      host = String(authority[authority.index(after: authority.startIndex)..<end])
      port = UInt16(authority[end...].dropFirst(2)) ?? usual
    } else {
      let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = parts.first, !name.isEmpty else { return nil }
      host = String(name)
      guard let number = parts.count > 1 ? UInt16(parts[1]) : usual else { return nil }  // fits: optional
      port = number
    }
  }
}

extension ContainerSummary {
  /// Its own name, or `SERVICE-PROJECT` if Compose made it, as Traefik writes it.
  var traefikName: String {
    if let service, let project { return "\(service)_\(project)".normalized }
    return name.normalized
  }

  /// What Docker's own health check says: `starting`, `unhealthy`, `healthy`; nil without one.
  var health: String? {
    guard let status = Status, let open = status.lastIndex(of: "("), status.hasSuffix(")") else { return nil }
    let word = status[status.index(after: open)...].dropLast()
    if word == "health: starting" { return "starting" }
    return ["healthy", "unhealthy"].contains(word) ? String(word) : nil
  }

  /// True if Traefik takes it: it runs, and has no health check that says otherwise.
  var isActive: Bool { isRunning && State != "restarting" && (health ?? "healthy") == "healthy" }

  /// Where Traefik would dial it, and the networks of which it would take any; nil if no port is known.
  fileprivate func server(
    of service: Traefik.Settings, _ all: Traefik.Settings, _ provider: Traefik.Dynamic.DockerProvider
  ) -> (Traefik.Server?, [String]) {
    let server = service["loadBalancer", "server"]
    if let url = server?["url"]?.text, !url.isEmpty { return (Traefik.Server(url: url), []) }
    let scheme = server?["scheme"]?.text.flatMap { $0.isEmpty ? nil : $0 } ?? "http"
    let lowest = (Ports ?? []).compactMap(\.PrivatePort).min()
    guard let port = server?["port"]?.text.flatMap({ UInt16($0) }) ?? lowest else { return (nil, []) }
    if provider.settings["useBindPortIP"]?.isOn == true,
      let bound = Ports?.first(where: { $0.PrivatePort == port && $0.PublicPort != nil }), let address = bound.IP,
      address != "0.0.0.0", !address.isEmpty, let outside = bound.PublicPort
    {
      return (Traefik.Server(scheme: scheme, host: address, port: outside), [])
    }
    if usesHostNetwork { return (Traefik.Server(scheme: scheme, host: Traefik.thisMachine, port: port), []) }
    let wanted = all[provider.name, "network"]?.text ?? all["docker", "network"]?.text ?? provider.network
    if let wanted, let address = networks[wanted]?.addresses.first {
      return (Traefik.Server(scheme: scheme, host: address, port: port), [])
    }
    let names = networks.filter { !$0.value.addresses.isEmpty }.keys.sorted()
    guard let first = names.first, let address = networks[first]?.addresses.first else {
      // It does not run, so it has no address: its name stands for it.
      return (Traefik.Server(scheme: scheme, host: name, port: port), [])
    }
    return (Traefik.Server(scheme: scheme, host: address, port: port), names.count > 1 ? names : [])
  }
}

extension String {
  /// `name@provider`.
  func qualified(by provider: String) -> String { contains("@") ? self : "\(self)@\(provider)" }

  /// True for what Go reads as false.
  fileprivate var isGoFalse: Bool { ["0", "f", "F", "FALSE", "false", "False"].contains(self) }

  /// Only letters and numbers, everything else as one hyphen.
  fileprivate var normalized: String {
    split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
  }
}

extension String {
  /// A Go template with the value of each action filled in, of which the words are given; nil if one of them has none.
  ///
  /// Source: Go's `text/template`; a dash at an action's end takes blanks away, which mean nothing here.
  fileprivate func filled(_ value: (_ action: [String]) -> String?) -> String? {
    var result = ""
    var rest = self[...]
    while let open = rest.firstRange(of: "{{") {
      guard let close = rest[open.upperBound...].firstRange(of: "}}") else { return nil }
      let words = rest[open.upperBound..<close.lowerBound].split { " \t\n".contains($0) }.filter { $0 != "-" }
      guard let value = value(words.map(String.init)) else { return nil }
      result += rest[..<open.lowerBound] + value
      rest = rest[close.upperBound...]
      guard result.utf8.count <= Limits.file else { return nil }
    }
    return result + rest
  }

  /// The name in `env "NAME"`, as the file provider has it; nil for any other action.
  fileprivate static func variable(in action: [String]) -> String? {
    guard action.count == 2, action[0] == "env", let quote = action[1].first, quote == "\"" || quote == "`",
      action[1].last == quote, action[1].count > 2
    else { return nil }
    return String(action[1].dropFirst().dropLast())
  }
}
