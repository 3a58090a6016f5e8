import Model
import Routes
import World

extension FactName {
  static let nginxLateName: FactName = "nginx.late-name"
  static let nginxParameters: FactName = "nginx.parameters"
  static let nginxNearName: FactName = "nginx.near-name"
  static let nginxDeadLink: FactName = "nginx.dead-link"
  static let nginxDeadLinkInside: FactName = "nginx.dead-link-inside"
  static let nginxAside: FactName = "nginx.aside"
  static let nginxAsideName: FactName = "nginx.aside-name"
}

extension NginxReading {
  /// What keeps an nginx in a container from starting: a name, in whichever of its sites, that no container has.
  ///
  /// A name with a dot may be one that a name server knows, and nobody can ask in the place of a container that does not
  /// run.
  ///
  /// - Parameter site: Where the site that is asked for is passed on to.
  static func lateName(
    in configuration: Nginx.Configuration, _ proxy: RunningProxy, site: [Nginx.Upstream]
  ) async -> (facts: Facts, mistake: Reading.Configuration.Mistake)? {
    guard let container = proxy.container, !container.isRunning, await proxy.world.engineCommand == "docker",
      let known = await proxy.world.names(beside: container)
    else { return nil }
    let names = configuration.literals.merging(configuration.serversFromStart) { first, _ in first }
      .sorted { ($0.value.file, $0.value.line) < ($1.value.file, $1.value.line) }
    for (endpoint, directive) in names {
      let (host, name) = (endpoint.host, endpoint.host.lowercased())
      guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || "-_".contains($0) }), name != "localhost",
        !known.all.contains(name), configuration.upstreams[name] == nil, let place = configuration.span(directive)
      else { continue }
      // A later lookup helps the other sites; of the one that is asked for, the right name is looked for.
      let isOwn = site.contains { $0.host.lowercased() == name }
      let near =
        isOwn
        ? await proxy.world.nearName(of: name, port: endpoint.port ?? 80, among: known.others) : nil
      let right = near.map {
        place.head + (directive.text(0) ?? "").replacing(host, with: $0, maxReplacements: 1) + place.tail
      }
      return (
        [.nginxLateName: name, .nginxNearName: near ?? ""],
        proxy.files.mistake(
          "host not found in upstream \"\(host)\" in \(directive.file):\(directive.line)", in: directive.file,
          line: place.line, text: place.text, fixed: isOwn ? right : place.lookedUpLate(host, directive))
      )
    }
    return nil
  }
}

extension Nginx.Configuration {
  /// The servers of all groups whose names are looked up when nginx starts.
  fileprivate var serversFromStart: [Nginx.Endpoint: Nginx.Directive] {
    upstreams.values.flatMap { ($0.block ?? []).all("server") }.reduce(into: [:]) { found, server in
      guard let address = server.arguments.first, !server.arguments.contains(where: { $0.text == "resolve" }) else {
        return
      }
      let target = Nginx.Target(address: Traced(address, in: server.file), scheme: nil, defaultPort: 80)
      if target.socket == nil { found[target.endpoint] = found[target.endpoint] ?? server }
    }
  }
}

extension Span {
  /// The line with a lookup at each request in the place of the one at the start; nil where more than that would change.
  fileprivate func lookedUpLate(_ host: String, _ directive: Nginx.Directive) -> String? {
    guard directive.name == "proxy_pass", let address = directive.text(0), !text.contains("resolver"),
      let mark = address.firstRange(of: "://"), address[mark.upperBound...].hasPrefix(host),
      !address[mark.upperBound...].contains("/"), head + address + tail == text,
      let start = head.lastRange(of: directive.name)
    else { return nil }
    let late = address[..<mark.upperBound] + "$late_name" + address[mark.upperBound...].dropFirst(host.count)
    return head[..<start] + "resolver 127.0.0.11 valid=10s; set $late_name \(host); \(directive.name) \(late)" + tail
  }
}

extension String {
  /// Where the last of these words begins.
  fileprivate func lastRange(of word: String) -> Index? {
    indices.last { self[$0...].hasPrefix(word) }
  }
}

extension World {
  /// All names by which a container finds others in its networks, and those others that run; nil where they cannot be seen,
  /// or it has no network in which names are known.
  fileprivate func names(beside container: Container) async -> (all: Set<String>, others: [ContainerSummary])? {
    guard !container.usesHostNetwork, container.networkOwner == nil,
      container.networks.keys.contains(where: { !Network.defaults.contains($0) }),
      let containers = try? await containers(), let own = containers.first(where: { $0.Id == container.Id })
    else { return nil }
    let others = containers.filter { $0.sharesNetwork(with: own) }
    // More than that are not all asked, and one that is not asked may have the name.
    guard others.count <= 64 else { return nil }
    var names = Set((container.HostConfig?.ExtraHosts ?? []).map { String($0.prefix { $0 != ":" }).lowercased() })
    for other in others {
      guard let details = try? await self.container(other.Id) else { return nil }
      names.formUnion(
        ([other.name, other.service, details.Config?.Hostname].compactMap { $0 }
          + details.networks.values.flatMap(\.names)).map { $0.lowercased() })
    }
    return (names, others.filter { $0.Id != own.Id && $0.isRunning })
  }
}
