import Model
import Pattern
import World

extension Account {
  static let engineReaders = [
    // `docker inspect`, `docker network inspect`
    OutputReader(
      claims: { ["docker", "podman", ""].contains($0.command.first ?? "") && $0.lines.first?.hasPrefix("[") == true },
      read: { passage, account in
        // What went wrong for one of several stands before or behind the list.
        let text = passage.lines.prefix { $0 != "]" } + ["]"]
        guard let list = JSON(text.joined(separator: "\n").utf8) else {
          account.unread.append((passage.start, passage.lines[0]))
          return
        }
        let containers = list.elements.filter { $0["State"] != nil && $0["Id"]?.text != nil }
        account.containers += containers
        let networks = list.elements.filter { $0["IPAM"] != nil && $0["Id"]?.text != nil }
        if !networks.isEmpty || passage.isOf("docker", "network") {
          account.networks = (account.networks ?? []) + networks
        }
        if passage.command.first == "podman" { account.engine = "Podman" }
      }),
    // `docker ps`: a table whose columns are as wide as their heads say.
    OutputReader(
      claims: { $0.lines.contains { $0.hasPrefix("CONTAINER ID ") } },
      read: { passage, account in
        guard let head = passage.lines.firstIndex(where: { $0.hasPrefix("CONTAINER ID ") }) else { return }
        let columns = Table(passage.lines[head])
        if passage.command.contains("-a") || passage.command.contains("--all") { account.isListed = true }
        for (index, line) in passage.lines.enumerated() where index > head {
          guard let row = containerRow(columns.cells(line)) else {
            account.unread.append((passage.start + index, line))
            continue
          }
          account.listed.append(row)
        }
      }),
    // What the engine's command says if it cannot tell anything.
    OutputReader(
      claims: { passage in
        ["docker", "podman"].contains(passage.command.first) && passage.lines.count < 4
          && passage.lines.contains { $0.contains("permission denied") || $0.contains("Cannot connect to the Docker") }
      },
      read: { passage, account in
        let isDenied = passage.text.contains("permission denied")
        account.engineProblem =
          isDenied
          ? .notPermitted(what: "/var/run/docker.sock")
          : .unreadable(what: "/var/run/docker.sock", why: .init(.engineDown))
      }),
    OutputReader(
      claims: { $0.isOf("docker", "logs") || $0.isOf("podman", "logs") },
      read: { passage, account in
        guard let name = passage.command.dropFirst(2).last(where: { !$0.hasPrefix("-") }) else { return }
        account.logs[name, default: ""] += passage.lines.map { $0 + "\n" }.joined()
      }),
  ]

  /// A line of `docker ps` as the engine's own list has it.
  private static func containerRow(_ cells: [String: String]) -> JSON? {
    guard let id = cells["CONTAINER ID"], id.count >= 12, id.allSatisfy(\.isHexDigit), let name = cells["NAMES"],
      let status = cells["STATUS"]
    else { return nil }
    let state =
      switch status.split(separator: " ").first {
      case "Up": status.contains("(Paused)") ? "paused" : "running"
      case "Exited": "exited"
      case "Restarting": "restarting"
      case "Created": "created"
      case "Dead": "dead"
      default: ""
      }
    return .object([
      "Id": .string(id), "Names": .array(name.split(separator: ",").map { .string("/" + $0) }),
      "Image": .string(cells["IMAGE"] ?? ""), "State": .string(state), "Status": .string(status),
      "Ports": .array((cells["PORTS"] ?? "").split(separator: ",").compactMap { port(String($0)) }),
    ])
  }

  /// `0.0.0.0:8080->80/tcp`, `[::]:8080->80/tcp`, `80/tcp`
  private static func port(_ text: String) -> JSON? {
    let ends = text.trimmed.split(separator: "/")
    guard ends.count == 2 else { return nil }
    let sides = String(ends[0]).split(separator: ">")
    guard let inside = sides.last.flatMap({ Int($0) }) else { return nil }  // fits: it is a text
    var members: [String: JSON] = ["PrivatePort": .whole(inside), "Type": .string(String(ends[1]))]
    if sides.count == 2 {
      let outside = sides[0].dropLast()
      guard let colon = outside.lastIndex(of: ":"),
        let port = Int(outside[outside.index(after: colon)...])  // fits: it is a text
      else {
        return nil
      }
      members["PublicPort"] = .whole(port)
      members["IP"] = .string(String(outside[..<colon].filter { !"[]".contains($0) }))
    }
    return .object(members)
  }
}

/// A table with a line of heads, each column as wide as its head and the blanks behind it.
struct Table {
  private let columns: [(name: String, start: Int)]

  init(_ head: String) {
    var columns: [(String, Int)] = []
    var name = "", start = 0, blanks = 2
    for (index, character) in head.enumerated() {
      if character == " " {
        blanks += 1
        continue
      }
      if blanks > 1 {
        if !name.isEmpty { columns.append((name, start)) }
        (name, start) = ("", index)
      } else if blanks == 1 {
        name += " "
      }
      name.append(character)
      blanks = 0
    }
    if !name.isEmpty { columns.append((name, start)) }
    self.columns = columns
  }

  /// The cells of a line by their columns' names; those that are empty are not there.
  func cells(_ line: String) -> [String: String] {
    let characters = Array(line)
    var cells: [String: String] = [:]
    for (index, column) in columns.enumerated() where column.start < characters.count {
      let end = index + 1 < columns.count ? min(columns[index + 1].start, characters.count) : characters.count
      let text = String(characters[column.start..<max(column.start, end)]).trimmed
      if !text.isEmpty { cells[column.name] = text }
    }
    return cells
  }
}

extension String {
  var trimmed: String {
    let start = drop { $0.isWhitespace }
    return String(start.prefix(start.count - start.reversed().prefix { $0.isWhitespace }.count))
  }
}
