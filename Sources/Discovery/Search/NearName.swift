import Model
import World

/// A container in reach of a proxy, and the name by which a route may have meant it.
private struct Meant {
  let container: ContainerSummary
  let name: String
  /// True if it is the name that Compose gives to this container: nothing but how it is written differs.
  let isItsOwn: Bool
}

extension World {
  /// The name that was probably meant by one that nobody has.
  ///
  /// A similar name alone is not enough: the container behind it listens on the route's port, or on none at all, or it
  /// cannot be seen where it listens. So a route to an app is not led to the database beside it.
  ///
  /// - Parameter others: Those that the proxy could reach by a name.
  func nearName(of name: String, port: UInt16, among others: [ContainerSummary]) async -> String? {
    var silent: String?
    for meant in others.meant(by: name.lowercased()).prefix(8) {
      if meant.isItsOwn { return meant.name }
      let open = try? await openPorts(of: meant.container)
      if open?.contains(port) == true { return meant.name }
      if open?.isEmpty != false { silent = silent ?? meant.name }
    }
    return silent
  }

  /// The ports on which a container listens for others, and those of this machine that lead to them; nil where that
  /// cannot be seen.
  private func openPorts(of container: ContainerSummary) async throws(Unseen) -> Set<UInt16>? {
    guard let pid = try await self.container(container.Id).pid else { return nil }
    let inside = Set(try await see(Listeners(place: .process(pid))).filter { !$0.isLoopback }.map(\.port))
    let published = (container.Ports ?? []).filter { $0.PrivatePort.map(inside.contains) == true }
    return inside.union(published.compactMap(\.PublicPort))
  }
}

extension [ContainerSummary] {
  /// Those whose name may be meant: written in another way, then with a few letters changed, then a part of it.
  fileprivate func meant(by name: String) -> [Meant] {
    let services = Dictionary(grouping: self, by: \.service).mapValues(\.count)
    var written: [Meant] = []
    var mistyped: [Meant] = []
    var contained: [Meant] = []
    for container in sorted(by: { $0.name < $1.name }) {
      // A service's name lasts longer than the container's, where it means only one.
      let service = container.service.flatMap { services[$0] == 1 ? $0 : nil }
      let names = [service, container.name].compactMap { $0 }
      if container.givenNames.contains(name.dashed) {
        written.append(Meant(container: container, name: names[0], isItsOwn: true))
      } else if let near = names.first(where: { container.bare(name).nearest(among: [container.bare($0)]) != nil }) {
        mistyped.append(Meant(container: container, name: near, isItsOwn: false))
      } else if let near = names.first(where: { $0.count > 2 && name.contains($0) || $0.contains(name) }) {
        contained.append(Meant(container: container, name: near, isItsOwn: false))
      }
    }
    return written + mistyped + contained
  }
}

extension ContainerSummary {
  /// Its name, and what Compose calls it by default, whatever stands between the parts: `shop-web-1`, `shop_web_1`.
  ///
  /// The container has another name while Compose makes it anew: `0f3a…_shop-web-1`.
  fileprivate var givenNames: Set<String> {
    var names: Set = [name.dashed]
    if let service, let project { names.insert("\(project)-\(service)-\(number ?? "1")".dashed) }
    return names
  }

  /// What a name says of the app: without the project before it and the number after it.
  fileprivate func bare(_ name: String) -> String {
    var words = name.lowercased().dashed[...]
    if let project, words.hasPrefix(project.dashed + "-") { words = words.dropFirst(project.count + 1) }
    if let end = words.lastIndex(of: "-"), words[words.index(after: end)...].allSatisfy(\.isNumber) {
      words = words[..<end]
    }
    return String(words)
  }

  private var number: String? { Labels?["com.docker.compose.container-number"] }
}

extension String {
  fileprivate var dashed: String { lowercased().replacing("_", with: "-") }
}
