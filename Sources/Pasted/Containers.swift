import Model
import World

// What several outputs tell of the same container, put together.

extension Account {
  /// Adds what a list says of a container to what others say of it.
  mutating func list(_ row: [String: JSON], named name: String) {
    let id = row["Id"]?.text
    let known = listed.firstIndex { other in
      other.name == name || id.map { id in other["Id"]?.text?.hasPrefix(id) == true } == true
    }
    var row = row
    row["Names"] = .array([.string("/" + name)])
    guard let known else {
      if id == nil { row["Id"] = .string(name) }
      listed.append(row)
      return
    }
    listed[known].merge(row) { $1 }
  }

  /// Completes the containers by what networks, Compose's files and lists of processes say of them, when all of that is
  /// read.
  mutating func settle() {
    // Ports and names alone make no container.
    listed.removeAll { $0["State"] == nil && $0["Id"]?.text == $0.name }
    let ids = Dictionary((networks ?? []).compactMap(\.nameAndID)) { first, _ in first }
    for index in listed.indices {
      let row = listed[index]
      for network in networks ?? [] { join(index, network) }
      guard let name = row.name else { continue }
      let first = firstProcess(of: name)
      for (id, process) in processes where process.container == name {
        processes[id]?.container = row["Id"]?.text
      }
      let service = row["Labels"]?["com.docker.compose.service"]?.text
      let found = compose.reversed().lazy.compactMap { file in
        file.service(of: name, called: service).map { (file, $0) }
      }.first
      guard let (file, (service, project)) = found else { continue }
      let owners = listed.compactMap { row in
        row.name.flatMap { file.service(of: $0, called: nil)?.name }.flatMap { name in
          row["Id"]?.text.map { (name, $0) }
        }
      }
      let settings = file.settings(
        of: service, in: project, ids: ids, owners: Dictionary(owners) { first, _ in first })
      listed[index].add(settings)
      guard let id = row["Id"]?.text, container(id) == nil, container(name) == nil,
        let full = full(listed[index], settings, first ?? Self.standIn(index))
      else { continue }
      containers.append(full)
    }
    for (id, process) in processes {
      guard let name = process.container, let full = container(name)?["Id"]?.text else { continue }
      processes[id]?.container = full
    }
  }

  /// The process whose parent is none of the container's own.
  private func firstProcess(of name: String) -> Int32? {
    let own = processes.filter { $0.value.container == name }
    return own.filter { own[$0.value.parent] == nil }.keys.min()
  }

  /// Stands for a process of which it is only known that it runs: beyond the largest number that Linux gives.
  /// Source: proc(5), `/proc/sys/kernel/pid_max`.
  private static func standIn(_ index: Int) -> Int32 { 4_194_305 + Int32(clamping: index) }

  /// The address that `docker network inspect` shows of a container.
  private mutating func join(_ index: Int, _ network: JSON) {
    guard let id = listed[index]["Id"]?.text, let name = network["Name"]?.text else { return }
    let own = network["Containers"]?.members.first { other, end in
      other.hasPrefix(id) || end["Name"]?.text == listed[index].name
    }
    guard let address = own?.value["IPv4Address"]?.text?.split(separator: "/").first else { return }
    var networks = listed[index]["NetworkSettings"]?["Networks"]?.members ?? [:]
    networks[name] = .object([
      "NetworkID": network["Id"] ?? .null, "IPAddress": .string(String(address)),
    ])
    listed[index]["NetworkSettings"] = .object(["Networks": .object(networks)])
  }

  /// A container as `inspect` prints it, of its line in a list and the settings of its service.
  private func full(_ row: [String: JSON], _ settings: [String: JSON], _ process: Int32) -> JSON? {
    guard let state = row["State"]?.text, let status = row["Status"]?.text else { return nil }
    let isUp = ["running", "paused"].contains(state)
    var members: [String: JSON] = [
      "Status": .string(state), "Running": .bool(isUp), "Paused": .bool(state == "paused"),
      "Restarting": .bool(state == "restarting"), "Pid": .whole(isUp ? Int(process) : 0),  // fits: 32 bits
    ]
    if let code = status.components(around: "(").flatMap({ Int($0.1.prefix { $0.isNumber }) }) {  // fits: it is a text
      members["ExitCode"] = .whole(code)
    }
    for health in ["unhealthy", "healthy", "starting"]
    where status.contains("(\(health)") || status.contains(": \(health)") {
      members["Health"] = members["Health"] ?? .object(["Status": .string(health)])
    }
    var full = settings
    full["Id"] = row["Id"]
    full["Name"] = row.name.map { .string("/" + $0) }
    full["State"] = .object(members)
    // The addresses that others have shown.
    if let shown = row["NetworkSettings"] {
      full["NetworkSettings"] = .object([
        "Networks": shown["Networks"] ?? .null, "Ports": settings["NetworkSettings"]?["Ports"] ?? .null,
      ])
    }
    return .object(full)
  }
}

extension [String: JSON] {
  var name: String? { self["Names"]?.texts.first.map { String($0.drop { $0 == "/" }) } }

  /// Adds what a service's settings say to its line in the list.
  fileprivate mutating func add(_ settings: [String: JSON]) {
    self["Labels"] = settings["Config"]?["Labels"]
    if self["Image"]?.text?.isEmpty != false { self["Image"] = settings["Config"]?["Image"] }
    self["HostConfig"] = .object(["NetworkMode": settings["HostConfig"]?["NetworkMode"] ?? .string("")])
    let shown = self["NetworkSettings"]?["Networks"]?.members ?? [:]
    let meant = settings["NetworkSettings"]?["Networks"]?.members ?? [:]
    let ends = meant.merging(shown) { meant, shown in .object(meant.members.merging(shown.members) { $1 }) }
    self["NetworkSettings"] = .object(["Networks": .object(ends)])
  }
}

extension JSON {
  fileprivate var nameAndID: (String, String)? {
    self["Name"]?.text.flatMap { name in self["Id"]?.text.map { (name, $0) } }
  }
}
