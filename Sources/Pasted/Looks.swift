import Glibc
import Model
import World

extension IsRoot: PastedLook {
  func pasted(in account: Account) -> Bool? { account.isRoot }
}

extension OwnAddresses: PastedLook {
  func pasted(in account: Account) -> [String]? { account.ownAddresses }
}

extension Listeners: PastedLook {
  func pasted(in account: Account) -> [Listener]? {
    account.listeners[account.home(place)]
      ?? account.container(at: place).flatMap { account.networkPlace(of: $0) }.flatMap { account.listeners[$0] }
  }
}

extension Processes: PastedLook {
  func pasted(in account: Account) -> [ProcessSeen]? {
    let areAll = account.processesOf.map { !$0.isDisjoint(with: names) } == true
    guard !account.processes.isEmpty || account.isStopped(names) || areAll else { return nil }
    let start = account.files[.host]?["/proc/stat"]?.text.flatMap { bootTime(stat: $0) }
    return account.processes.sorted { $0.key < $1.key }.compactMap { id, process in
      let name = process.program?.split(separator: "/").last.map(String.init) ?? process.name
      guard names.contains(name) else { return nil }
      return ProcessSeen(
        id: id, parent: process.parent, name: name, command: process.command, program: process.program,
        // A hundred ticks a second, on every machine that Linux runs on today.
        started: start.flatMap { start in process.started.map { start + $0 / 100 } } ?? 0,
        sharesNetwork: process.network.map { $0 == account.processes[1]?.network }, container: process.container,
        standing: process.standing)
    }
  }
}

extension Account.Process {
  /// Whose it is; of one of which that was not printed nothing says that it is somebody else's.
  fileprivate var standing: Standing {
    guard container == nil, let owner, owner != "root" else { return .own }
    return .user(owner)
  }
}

extension Account {
  /// True if a service of that kind was said not to run.
  fileprivate func isStopped(_ names: [String]) -> Bool {
    signs.proxies.contains { proxy in
      proxy.service.map { services[$0.unit] == false } == true && proxy.processes.contains(where: names.contains)
    }
  }

  /// True for the program or the main file of a service that is installed: what its package has brought is root's.
  fileprivate func isOfService(_ path: String) -> Bool {
    signs.proxies.contains { proxy in
      guard let service = proxy.service, services[service.unit] != nil else { return false }
      return service.command.first == path || service.main == path
    }
  }
}

extension CommandRun: PastedLook {
  func pasted(in account: Account) throws(Unseen) -> Sight? {
    let listings = account.packetFilters[account.home(place)]
    if let listing = listings?[command] { return Sight(exitCode: 0, output: listing) }
    // nft's own list has the tables of iptables as well.
    if command != .nftables, listings?[.nftables] != nil { throw .missing(what: command.rawValue) }
    return nil
  }
}

extension OnlyRootChanges: PastedLook {
  func pasted(in account: Account) -> Bool? {
    if let known = account.isOnlyRoots[path] { return known }
    let parts = path.split(separator: "/")
    let ways = (0...parts.count).map { "/" + parts.prefix($0).joined(separator: "/") }
    let owners = ways.map { account.owners[$0] }
    if owners.contains(where: { $0.map { !$0.isRoot || !$0.isClosed && !$0.isLink } == true }) { return false }
    if owners.allSatisfy({ $0 != nil }) { return true }
    return account.isOfService(path) ? true : nil
  }
}

extension FileSystem: PastedLook {
  func pasted(in account: Account) -> Sight? {
    let home = account.home(place)
    guard let known = account.fileSystems[home] else { return nil }
    if home != .host { return known[path] }
    let mount = known.keys.filter { $0 == "/" || path == $0 || path.hasPrefix($0 + "/") }
    return mount.max { $0.count < $1.count }.flatMap { known[$0] }
  }
}

extension SQLiteQuery: PastedLook {
  func pasted(in account: Account) -> Sight? {
    account.rows[account.home(place)]?[.init(path: path, sql: sql.comparableSQL)]
  }
}

extension StatsSocket: PastedLook {
  func pasted(in account: Account) -> String? { account.statistics[question] }
}

// MARK: Files

extension FileRead: PastedLook {
  func pasted(in account: Account) throws(Unseen) -> Sight? {
    let place = account.home(place)
    guard let file = account.file(path, in: place) else {
      if account.hasFolder(of: account.resolved(path, in: place), in: place)
        || account.begins(otherThan: path, in: place)
      {
        throw .missing(what: path)
      }
      return nil
    }
    if let problem = file.problem { throw problem }
    guard let text = file.text else { return nil }
    let bytes = Array(text.utf8)
    return part(of: Sight(bytes: bytes, size: bytes.count, modified: file.modified ?? 0))
  }
}

extension FileGlob: PastedLook {
  func pasted(in account: Account) -> [String]? {
    let place = account.home(place)
    if let known = account.matches[place]?[pattern] {
      return known.filter { fnmatch(pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }.sorted()
    }
    if place == .host, account.isOfService(pattern) { return [pattern] }
    if place == .host, !pattern.contains(where: { "*?[".contains($0) }), account.owners[pattern] != nil {
      return [pattern]
    }
    guard let files = account.files[place], !files.isEmpty else { return nil }
    let fixed = pattern.split(separator: "/").prefix { !$0.contains { "*?[".contains($0) } }
    let asked = "/" + fixed.joined(separator: "/")
    let real = account.resolved(asked, in: place)
    let wanted = real + pattern.dropFirst(asked.count)
    // In a file there are no others.
    if wanted != real, files[real]?.text != nil { return [] }
    var paths = Set(files.keys)
    for path in files.keys {
      let parts = path.split(separator: "/")
      for count in 1..<max(parts.count, 1) { paths.insert("/" + parts.prefix(count).joined(separator: "/")) }
    }
    let found = paths.filter { fnmatch(wanted, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }.sorted()
    return found.isEmpty && !account.hasFolder(of: wanted, in: place)
      ? nil : found.map { asked + $0.dropFirst(real.count) }
  }
}

extension Account {
  /// A file, through the links on the way.
  fileprivate func file(_ path: String, in place: Place) -> File? { files[place]?[resolved(path, in: place)] }

  /// A path without links, as far as they were printed.
  fileprivate func resolved(_ path: String, in place: Place) -> String {
    var rest = path.split(separator: "/").map(String.init)[...]
    var done: [String] = []
    var links = 0
    while let part = rest.popFirst() {
      if part == "." { continue }
      if part == ".." {
        _ = done.popLast()
        continue
      }
      done.append(part)
      guard let link = files[place]?["/" + done.joined(separator: "/")]?.link, links < 16 else { continue }
      links += 1
      if link.hasPrefix("/") { done = [] } else { done.removeLast() }
      rest = (link.split(separator: "/").map(String.init) + rest)[...]
    }
    return "/" + done.joined(separator: "/")
  }

  /// True if everything in its folder that sets up a proxy was printed: what is not there is not there. Keys and
  /// passwords never are; of samples the names are, by a `collect` that prints any.
  fileprivate func hasFolder(of path: String, in place: Place) -> Bool {
    let hidden = [".key", ".so", ".default", "passwd"]
    guard !hidden.contains(where: path.hasSuffix) else { return false }
    if path.hasSuffix(".sample"), files[place]?.keys.contains(where: { $0.hasSuffix(".sample") }) != true {
      return false
    }
    return folders[place]?.contains { path == $0 || path.hasPrefix($0 + "/") } == true
  }
}

// MARK: The engine

extension DockerGet: PastedLook {
  func pasted(in account: Account) throws(Unseen) -> Sight? {
    // Of two engines one may be there.
    let isListed = account.isListed || !account.containers.isEmpty
    if let problem = account.engineProblem, !isListed || !problem.isMissing { throw problem }
    let parts = path.split(separator: "/", maxSplits: 2).map(String.init)
    switch (parts.first, parts.count) {
    case ("containers", 2) where parts[1].hasPrefix("json"):
      let full = account.containers.map(\.summary)
      let rest = account.onlyListed.map { JSON.object($0) }
      return full.isEmpty && rest.isEmpty && !account.isListed ? nil : answer(.array(full + rest), account)
    case ("containers", 3) where parts[2] == "json":
      if let container = account.container(parts[1]) { return answer(container, account) }
      return account.hasEveryContainer ? Sight(status: 404, body: [], version: "", engine: account.engine) : nil
    case ("containers", 3) where parts[2].hasPrefix("logs?"): return log(of: parts[1], account)
    case ("containers", 3) where parts[2].hasPrefix("archive?path="):
      let copy = account.copies.last { copy in
        copy.folder == parts[2].dropFirst("archive?path=".count) && account.isSame(copy.container, parts[1])
      }
      return copy.map { Sight(status: $0.isMissing ? 404 : 200, body: $0.tar, version: "", engine: account.engine) }
    case ("networks", 1): return account.networks.map { answer(.array($0), account) }
    case ("images", 3):
      let name = self.parts["look.image"] ?? ""
      return account.images.first { image in
        image["Id"]?.text == name || image["RepoTags"]?.texts.contains(name) == true
      }.map { answer($0, account) }
    case ("services", 1): return account.swarm
    case (_, 1) where parts[0].hasPrefix("events?"): return events(account)
    default: return nil
    }
  }

  /// Those that were printed for the same question.
  private func events(_ account: Account) -> Sight? {
    let wanted = self.parts
    let kinds = Set((wanted["look.event-words"] ?? "").split(separator: " ").filter { $0.hasPrefix("event=") })
    let found = account.events.first { question, _ in
      question.kinds == Set(kinds.map { String($0.dropFirst(6)) })
        && (question.container == wanted["look.of"]
          || question.container.map { name in wanted["look.of"].map { account.isSame(name, $0) } == true } == true)
    }
    return found.map {
      Sight(status: 200, body: $1.flatMap { Array($0.utf8) + [0x0A] }, version: "", engine: account.engine)
    }
  }

  private func answer(_ body: JSON, _ account: Account) -> Sight {
    Sight(status: 200, body: body.written, version: "", engine: account.engine)
  }

  /// In the frames in which the engine sends it, or plain where the container has a terminal.
  private func log(of id: String, _ account: Account) -> Sight? {
    let container = account.container(id)
    let listed = account.listed.first { $0["Id"]?.text.map(id.hasPrefix) == true }
    let names = [id, String(id.prefix(12)), container?.containerName, listed?.name].compactMap { $0 }
    guard let text = names.lazy.compactMap({ account.logs[$0] }).first else { return nil }
    let lines = text.utf8.split(separator: 0x0A).map { Array($0) + [0x0A] }
    let isPlain = container?["Config"]?["Tty"]?.bool == true
    let body = isPlain ? lines.flatMap { $0 } : lines.flatMap { Bytes.framed($0) }
    return Sight(status: 200, body: body, version: "", engine: account.engine)
  }
}

extension JSON {
  /// A container as the engine's list has it, made of what `inspect` prints. Source: Docker Engine API,
  /// `GET /containers/json`.
  fileprivate var summary: JSON {
    let state = self["State"]
    let ports = (self["NetworkSettings"]?["Ports"]?.members ?? [:]).sorted { $0.key < $1.key }.flatMap {
      port, bindings in
      let ends = port.split(separator: "/").map(String.init)
      let inside: [String: JSON] = [
        "PrivatePort": .whole(ends.first.flatMap { Int($0) } ?? 0),  // fits: it is a text
        "Type": .string(ends.last ?? "tcp"),
      ]
      guard !bindings.elements.isEmpty else { return [JSON.object(inside)] }
      return bindings.elements.map { binding in
        .object(
          inside.merging([
            "IP": binding["HostIp"] ?? .string(""),
            "PublicPort": binding["HostPort"]?.text
              .flatMap { Int($0) }.map { .whole($0) } ?? .null,  // fits: it is a text
          ]) { $1 })
      }
    }
    let health = state?["Health"]?["Status"]?.text.map { " (\($0 == "starting" ? "health: starting" : $0))" } ?? ""
    let isUp = pid != nil
    return .object([
      "Id": self["Id"] ?? .null, "Names": .array([self["Name"] ?? .string("")]),
      "Image": self["Config"]?["Image"] ?? .string(""),
      "State": state?["Status"] ?? .string(isUp ? "running" : "exited"),
      "Status": .string(isUp ? "Up" + health : "Exited (\(state?["ExitCode"]?.number.map { String($0) } ?? "?"))"),
      "Labels": self["Config"]?["Labels"] ?? .object([:]), "Ports": .array(ports),
      "HostConfig": .object(["NetworkMode": .string(networkMode)]),
      "NetworkSettings": .object(["Networks": .object(endpoints)]),
    ])
  }
}

// MARK: The network

extension SystemLookup: PastedLook {
  func pasted(in account: Account) -> [String]? {
    if let known = account.names[.host]?[name.lowercased()] { return known }
    return account.answers.first { question, answer in
      question.place == .host && answer.address != nil && Site(question.url)?.host == name.lowercased()
    }.flatMap { $0.value.address.map { [$0] } }
  }
}

extension DNSQuery: PastedLook {
  /// Docker's own server knows the running containers of the networks in which the asking one is.
  func pasted(in account: Account) -> Sight? {
    let name = name.lowercased()
    if let answer = account.unanswered[place]?[name] { return Sight(answer: answer, addresses: []) }
    if let known = account.names[place]?[name] ?? (servers.contains("127.0.0.11") ? nil : account.names[.host]?[name]) {
      return Sight(answer: known.isEmpty ? .noSuchName : .addresses, addresses: known)
    }
    // A server that only the proxy asks is known by what the proxy says of it.
    if !servers.contains("127.0.0.11") {
      return account.lookup(logged: name, at: place).map { Sight(answer: $0, addresses: []) }
    }
    guard let own = account.container(at: place), account.hasEveryContainer else { return nil }
    let networks = Set(account.holder(of: own).endpoints.keys).subtracting(["bridge", "podman", "host"])
    let ends = account.containers.filter { $0.pid != nil }.flatMap { container in
      container.endpoints.filter { networks.contains($0.key) && container.names(in: $0.value).contains(name) }.values
    }
    let addresses = ends.flatMap(\.endpointAddresses)
    if !addresses.isEmpty { return Sight(answer: .addresses, addresses: addresses) }
    // It has one, which nobody has printed.
    if !ends.isEmpty { return nil }
    if !name.contains(".") { return Sight(answer: .noSuchName, addresses: []) }
    // A name with dots goes on to servers elsewhere.
    return account.lookup(logged: name, at: place).map { Sight(answer: $0, addresses: []) }
  }
}

extension Account {
  /// What the server of names said last of one, as nginx writes it down. Source: nginx's `src/core/ngx_resolver.c`.
  fileprivate func lookup(logged name: String, at place: Place) -> DNSQuery.Sight.Answer? {
    guard let container = container(at: place),
      let log = [container["Id"]?.text, container.containerName].lazy.compactMap({ $0.flatMap { logs[$0] } }).first
    else { return nil }
    let said = " \(name) could not be resolved ("
    guard let line = log.lines.last(where: { $0.lowercased().contains(said) }),
      let code = line.lowercased().components(around: said)?.1.prefix(while: \.isNumber)
    else { return nil }
    switch code {
    case "2": return .serverFailure
    case "3": return .noSuchName
    case "5": return .refused
    case "60", "110": return .silent
    default: return nil
    }
  }
}

extension JSON {
  /// The names, in lower case, that a container has in a network.
  fileprivate func names(in endpoint: JSON) -> Set<String> {
    let names =
      [containerName].compactMap { $0 } + (endpoint["Aliases"]?.texts ?? []) + (endpoint["DNSNames"]?.texts ?? [])
    return Set(names.map { $0.lowercased() })
  }
}

extension Account {
  /// The container in whose network this one lives, most often itself.
  fileprivate func holder(of container: JSON) -> JSON {
    guard container.networkMode.hasPrefix("container:") else { return container }
    return self.container(String(container.networkMode.dropFirst(10))) ?? container
  }

  /// The place whose network a running container uses.
  fileprivate func networkPlace(of container: JSON) -> Place? {
    if container.networkMode == "host" { return .host }
    return holder(of: container).pid.map { .process($0) }
  }
}

extension TCPConnect: PastedLook {
  func pasted(in account: Account) -> Sight? {
    for wanted in account.places(of: address, from: place) {
      guard let outcome = account.connections[.init(place: wanted, address: address, port: port)] else { continue }
      return sight(outcome)
    }
    let asked = ["http", "https"].lazy.compactMap { scheme in
      account.asked(scheme, address, port, path: nil, from: place).flatMap(\.connected)
    }
    return (asked.first ?? account.reach(address, port, from: place)).map(sight)
  }

  private func sight(_ outcome: Sight.Outcome) -> Sight {
    let errno: Int32 =
      switch outcome {
      case .refused: ECONNREFUSED
      case .timeout: ETIMEDOUT
      case .unreachable: EHOSTUNREACH
      case .accepted, .denied, .other: 0
      }
    return Sight(outcome: outcome, errno: errno, seconds: 0)
  }
}

extension Exchange: PastedLook {
  func pasted(in account: Account) -> Sight? {
    let places = address.map { account.places(of: $0, from: place) } ?? [account.home(place)]
    for wanted in unixSocket == nil ? places : [account.home(place)] {
      let told = account.exchanges[.init(place: wanted, address: unixSocket ?? address ?? "", port: port ?? 0)]
      if let received = told?[sends] { return Sight(received: received, end: received.isEmpty ? .closed : .open) }
    }
    return nil
  }
}

extension HTTPRequest.Sight {
  /// What the connection came to; nil where the answer does not tell.
  fileprivate var connected: TCPConnect.Sight.Outcome? {
    if status != nil { return .accepted }
    switch failure {
    case .refused: return .refused
    case .connectTimeout: return .timeout
    case .unreachable: return .unreachable
    case nil, .name, .badURL, .other: return nil
    default: return .accepted
    }
  }
}

extension Account {
  /// Where an address is reached as it is from this place: from this machine itself a container is, as from any other one of
  /// its network.
  fileprivate func places(of address: String, from place: Place) -> [Place] {
    [home(place)] + (isApart(address, from: place) ? [] : [.host])
  }

  /// True for the address that a container has in a network in which the container at this place is not: no way leads from
  /// one network of Docker's to another, whichever else both are in.
  private func isApart(_ address: String, from place: Place) -> Bool {
    guard let own = container(at: place), own.networkMode != "host",
      let end = containers.filter({ $0.pid != nil }).flatMap(\.endpoints.values)
        .first(where: { $0.endpointAddresses.contains(address) })
    else { return false }
    return !holder(of: own).endpoints.values.contains { $0["NetworkID"]?.text == end["NetworkID"]?.text }
  }

  /// What a connection comes to, by who has the address and what listens there; nil where that is not known.
  fileprivate func reach(_ address: String, _ port: UInt16, from place: Place) -> TCPConnect.Sight.Outcome? {
    func listens(in other: Place, at wanted: String) -> TCPConnect.Sight.Outcome? {
      guard let all = listeners[other] else { return nil }
      let takes = all.contains { listener in
        listener.port == port
          && (listener.address == wanted || listener.address == "0.0.0.0" && !wanted.isIPv6
            || listener.address == "::" && (wanted.isIPv6 || listener.isIPv6Only != true))
      }
      return takes ? .accepted : .refused
    }
    let home = container(at: place).flatMap { networkPlace(of: $0) } ?? self.home(place)
    if address.isLoopback { return listens(in: home, at: address) }
    if let owner = containers.first(where: { $0.pid != nil && $0.addresses.contains(address) }) {
      if isApart(address, from: place) { return .timeout }
      return networkPlace(of: owner).flatMap { listens(in: $0, at: address) }
    }
    if ownAddresses?.contains(address) == true { return listens(in: .host, at: address) }
    let isDocker = networks?.contains { network in
      network["IPAM"]?["Config"]?.elements.contains { range in
        range["Subnet"]?.text.flatMap { Subnet($0) }?.contains(address) == true
      } == true
    }
    // An address that nobody has.
    return isDocker == true && hasEveryContainer ? .unreachable : nil
  }

  /// What somebody who asked by hand got there.
  ///
  /// - Parameters:
  ///   - path: Nil: whatever it was asked for.
  ///   - host: The name that it was asked for; nil: whatever that was.
  fileprivate func asked(
    _ scheme: String, _ address: String, _ port: UInt16, path: String?, host name: String? = nil, from place: Place
  ) -> HTTPRequest.Sight? {
    let host = address.isIPv6 ? "[\(address)]" : address
    let start = "\(scheme)://\(host):\(port)/"
    for wanted in places(of: address, from: place) {
      let found = answers.filter { question, _ in
        home(question.place) == wanted && question.socket == nil && question.version == .one
          && (question.host == nil || path == nil || question.host == name && question.headers.isEmpty)
          && (path.map { question.url == start + $0.dropFirst() } ?? question.url.hasPrefix(start))
      }
      // What was asked for by that very name goes before.
      if let best = found.first(where: { $0.key.host == name }) ?? found.first { return best.value }
    }
    return nil
  }
}

extension HTTPRequest: PastedLook {
  func pasted(in account: Account) -> Sight? {
    guard var sight = answered(in: account) else { return nil }
    let handshake = handshake(in: account)
    // What the server has shown to somebody else it shows to whoever asks.
    if sight.certificate == nil, let handshake, !handshake.chain.isEmpty {
      (sight.certificate, sight.wantsCertificate) = (handshake.chain.first, handshake.wantsCertificate ? true : nil)
    }
    let name: String?
    let authorities: String?
    switch tls {
    case .anyCertificate: return sight
    case .verify(let trusted): (name, authorities) = (verifiedName, trusted)
    case .verifyNameAndDate: (name, authorities) = (verifiedName, nil)
    }
    // Who did not come so far has not seen the certificate.
    guard url.hasPrefix("https:"), sight.status != nil || sight.failure == .closed else { return sight }
    guard let handshake,
      let problem = handshake.judgement(
        name: name, authorities: authorities, trustsAll: tls == .verifyNameAndDate, now: account.now)
    else { return nil }
    var judged = sight
    judged.certificate = handshake.chain.first
    judged.certificate?.problem = problem
    guard let problem else { return judged }
    (judged.status, judged.failure) = (nil, .untrusted(problem))
    return judged
  }

  /// What was seen of the server's handshake from there, or from the machine.
  private func handshake(in account: Account) -> Handshake? {
    guard url.hasPrefix("https:"), let site = Site(url) else { return nil }
    return [account.home(place), .host].lazy.compactMap {
      account.certificates[.init(place: $0, address: address ?? site.host, port: port ?? site.port)]
    }.first
  }

  /// The name for which the certificate has to be.
  private var verifiedName: String? {
    tlsName ?? host.map { String($0.prefix { $0 != ":" }) } ?? Site(url)?.host
  }

  private func answered(in account: Account) -> Sight? {
    let asked = headers.filter { !$0.hasPrefix("X-Forwarded") }
    guard let site = Site(url) else { return nil }
    let name = host ?? site.authority
    if unixSocket != nil || version != .one || place != .host {
      let dialled = "\(site.scheme)://\((address ?? site.host).inURL):\(port ?? site.port)\(site.path)"
      let exact = account.answers[
        .init(
          place: account.home(place), url: unixSocket == nil ? dialled : "http://localhost\(site.path)",
          headers: headers,
          host: name, socket: unixSocket, version: version)]
      if exact != nil || unixSocket != nil || version == .two { return exact }
    }
    // What was asked of another port than the one in the address is known by whom it was asked of.
    if place == .host, (port ?? site.port) == site.port {
      if let address,
        let answer = account.answers[.init(place: place, url: url.withPath, headers: asked, address: address)]
      {
        return answer
      }
      let answer = account.answers[.init(place: place, url: url.withPath, headers: asked)]
      // Whoever has the name may be somebody else than who is meant here.
      if let answer,
        address == nil || answer.address == nil && address == account.names[.host]?[site.host]?.first
          || address == answer.address
      {
        return answer
      }
    }
    guard asked.isEmpty else { return nil }
    let (scheme, port, address) = (url.hasPrefix("https:") ? "https" : "http", port ?? site.port, address ?? site.host)
    if let answer = account.asked(scheme, address, port, path: site.path, host: name, from: place) { return answer }
    // What a proxy tells of itself is the same wherever it was asked for that.
    if address.isLoopback || site.host == "admin",
      let path = Account.adminPaths.first(where: { site.path.hasSuffix($0) })
    {
      let body =
        account.told[path] ?? account.told["/config_dump"].flatMap { path.hasPrefix("/config_dump") ? $0 : nil }
      if let body { return Sight(status: 200, body: body) }
    }
    // What does not depend on what is asked for.
    if let other = account.asked(scheme, address, port, path: nil, from: place), other.status == nil { return other }
    switch account.reach(address, port, from: place) {
    case .refused: return Sight(failure: .refused)
    case .unreachable: return Sight(failure: .unreachable)
    case .timeout: return Sight(failure: .connectTimeout)
    case .accepted, .denied, .other, nil: return nil
    }
  }
}

extension UnixConnect.Sight.Outcome {
  fileprivate var errno: Int32 {
    switch self {
    case .missing: ENOENT
    case .denied: EACCES
    case .refused: ECONNREFUSED
    case .full: EAGAIN
    case .notSocket, .accepted, .other: 0
    }
  }
}

extension UnixConnect: PastedLook {
  /// Who may connect is not known by what is there.
  func pasted(in account: Account) -> Sight? {
    let tried = [place, account.home(place)].lazy.compactMap { account.sockets[$0]?[.init(path: path, user: user)] }
    if let outcome = tried.first {
      return Sight(outcome: outcome, errno: outcome.errno, isAsUser: true)
    }
    if path.hasSuffix("/docker.sock"), place == .host, user == nil {
      if case .notPermitted? = account.engineProblem { return Sight(outcome: .denied, errno: EACCES, isAsUser: true) }
      if account.isListed || !account.containers.isEmpty { return Sight(outcome: .accepted, errno: 0, isAsUser: true) }
    }
    let home = account.home(place)
    if case .missing? = account.files[home]?[path]?.problem {
      return Sight(outcome: .missing, errno: ENOENT, isAsUser: true)
    }
    guard home == .host, let all = account.unixListeners, !all.isEmpty, !all.contains(path) else { return nil }
    return Sight(outcome: .refused, errno: ECONNREFUSED, isAsUser: true)
  }
}
