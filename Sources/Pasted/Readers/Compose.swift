import Model
import World
import YAML

/// What a Compose file says of its services, as it stands there or as `docker compose config` prints it.
///
/// Source: Compose Specification, "services", "networks".
struct ComposeFile: Sendable {
  private let root: YAML.Node

  /// Nil for what is none: a mapping with `services`.
  init?(_ text: String) {
    guard let root = YAML.read(text, file: "", .foreign).root, let services = root["services"],
      services.pairs.contains(where: { !$0.value.pairs.isEmpty })
    else { return nil }
    self.root = root
  }

  var project: String? { root["name"]?.text }
  var services: [(name: String, node: YAML.Node)] { root["services"]?.pairs.map { ($0.key, $0.value) } ?? [] }

  /// The service from which a container was made: by the name that it was given, or that Compose gives.
  func service(of container: String, called service: String?) -> (name: String, project: String)? {
    for (name, node) in services {
      if node["container_name"]?.text == container { return (name, project ?? "") }
      for mark in ["-", "_"] {
        guard let end = container.range(of: mark + name + mark), container[end.upperBound...].allSatisfy(\.isNumber),
          !container[end.upperBound...].isEmpty
        else { continue }
        return (name, String(container[..<end.lowerBound]))
      }
    }
    return service.flatMap { called in services.first { $0.name == called }.map { ($0.name, project ?? "") } }
  }

  /// A service's settings in the form in which `inspect` prints them.
  ///
  /// - Parameters:
  ///   - ids: Those of networks, by their names, as far as they are known.
  ///   - owners: The containers of services.
  func settings(
    of service: String, in project: String, ids: [String: String], owners: [String: String]
  ) -> [String: JSON] {
    guard let node = root["services"]?[service] else { return [:] }
    var labels = node["labels"].map { Self.texts($0, "=") } ?? [:]
    (labels["com.docker.compose.service"], labels["com.docker.compose.project"]) = (service, project)
    let mode = node["network_mode"]?.text.map { mode in
      mode.components(around: "service:").flatMap { owners[$0.1] }.map { "container:" + $0 } ?? mode
    }
    var ends: [String: JSON] = [:]
    if mode == nil {
      let named = node["networks"].map { $0.pairs.map(\.key) + $0.items.compactMap(\.text) } ?? ["default"]
      for key in named {
        let network = network(key, in: project)
        let aliases = node["networks"]?[key]?["aliases"]?.items.compactMap(\.text) ?? []
        ends[network] = .object([
          "NetworkID": .string(ids[network] ?? network), "Aliases": .array(([service] + aliases).map { .string($0) }),
        ])
      }
    }
    let bindings = Self.bindings(node["ports"])
    return [
      "Config": .object([
        "Image": .string(node["image"]?.text ?? ""),
        "Labels": .object(labels.mapValues { .string($0) }),
        "Env": .array(
          (node["environment"].map { Self.texts($0, "=") } ?? [:]).map { .string("\($0.key)=\($0.value)") }),
      ]),
      "HostConfig": .object([
        "NetworkMode": .string(mode ?? ends.keys.sorted().first ?? ""),
        "PortBindings": .object(bindings),
        "RestartPolicy": .object(["Name": .string(node["restart"]?.text ?? "no")]),
      ]),
      "NetworkSettings": .object(["Networks": .object(ends), "Ports": .object(bindings)]),
      "Mounts": .array(
        (node["volumes"]?.items ?? []).compactMap(Self.mount)),
    ]
  }

  private func network(_ key: String, in project: String) -> String {
    let declared = root["networks"]?[key]
    if let name = declared?["name"]?.text { return name }
    return declared?["external"]?.text == "true" ? key : "\(project)_\(key)"
  }

  /// A mapping, or a list of `name=value`.
  private static func texts(_ node: YAML.Node, _ mark: String) -> [String: String] {
    var texts: [String: String] = [:]
    for pair in node.pairs { texts[pair.key] = pair.value.text ?? "" }
    for item in node.items {
      guard let text = item.text else { continue }
      let parts = text.components(around: mark)
      texts[parts?.0 ?? text] = parts?.1 ?? ""
    }
    return texts
  }

  /// `8080:80`, `127.0.0.1:8080:80/tcp`, `80`, and the long form.
  private static func bindings(_ ports: YAML.Node?) -> [String: JSON] {
    var bindings: [String: [JSON]] = [:]
    for port in ports?.items ?? [] {
      let target: String, published: String, address: String, type: String
      if let text = port.text {
        let ends = text.components(around: "/")
        var parts = (ends?.0 ?? text).split(separator: ":").map(String.init)
        (target, type) = (parts.popLast() ?? "", ends?.1 ?? "tcp")
        published = parts.popLast() ?? ""
        address = parts.joined(separator: ":").filter { !"[]".contains($0) }
      } else {
        target = port["target"]?.text ?? ""
        (published, type) = (port["published"]?.text ?? "", port["protocol"]?.text ?? "tcp")
        address = port["host_ip"]?.text ?? ""
      }
      guard UInt16(target) != nil else { continue }
      let binding: [JSON] =
        published.isEmpty ? [] : [.object(["HostIp": .string(address), "HostPort": .string(published)])]
      bindings["\(target)/\(type)", default: []] += binding
    }
    return bindings.mapValues { .array($0) }
  }

  private static func mount(_ node: YAML.Node) -> JSON? {
    let parts = node.text?.split(separator: ":").map(String.init) ?? []
    guard let source = node["source"]?.text ?? parts.first, source.hasPrefix("/"),
      let target = node["target"]?.text ?? parts.dropFirst().first
    else { return nil }
    let isReadOnly = node["read_only"]?.text == "true" || parts.last == "ro"
    return .object(["Source": .string(source), "Destination": .string(target), "RW": .bool(!isReadOnly)])
  }
}

extension String {
  /// The last place at which a text stands.
  fileprivate func range(of mark: String) -> Range<Index>? { ranges(of: mark).last }
}
