import Model
import Pattern
import World

/// A list of containers as a table: `docker ps`, `docker compose ps`, and those of web pages, copied out of a browser.
///
/// Sources: docker-ps(1); Compose's `ps`; Portainer, `ContainersDatatable/columns`; Unraid, `DockerContainers.page`.
enum ContainerTable {
  /// What a column tells, by its head in capitals.
  private enum Column: String, CaseIterable {
    case id, name, image, status, ports, service, address, network, inside, outside

    var heads: Set<String> {
      switch self {
      case .id: ["CONTAINER ID", "CONTAINERID", "ID"]
      case .name: ["NAMES", "NAME", "APPLICATION", "CONTAINER", "CONTAINER NAME"]
      case .image: ["IMAGE", "REPOSITORY"]
      case .status: ["STATUS", "STATE", "UPTIME"]
      case .ports: ["PORTS", "PUBLISHED PORTS", "PORT BINDINGS"]
      case .service: ["SERVICE"]
      case .address: ["IP ADDRESS", "CONTAINER IP"]
      case .network: ["NETWORK"]
      case .inside: ["CONTAINER PORT"]
      case .outside: ["LAN IP:PORT"]
      }
    }

    init?(_ head: String) {
      let head = head.uppercased()
      guard let column = Self.allCases.first(where: { $0.heads.contains(head) }) else { return nil }
      self = column
    }
  }

  /// The lines of heads: each has a column for the name, and one for the state or the image. None, but rows of `docker ps`
  /// all the same: an empty list. Nil: it is no list of containers.
  static func heads(of passage: Passage) -> [Int]? {
    let found = passage.lines.indices.filter { index in
      let columns = Set(Table(passage.lines[index]).heads.compactMap { Column($0) })
      return columns.contains(.name) && (columns.contains(.status) || columns.contains(.network))
        && (columns.contains(.image) || columns.contains(.id) || columns.contains(.network)
          || passage.isOfEngine("ps", "ls"))
    }
    return !found.isEmpty || passage.lines.contains { bareRow($0) != nil } ? found : nil
  }

  static func read(_ passage: Passage, _ account: inout Account) {
    guard let heads = heads(of: passage) else { return }
    if passage.program == "podman" { account.engine = "Podman" }
    let isAll = passage.words.contains { $0 == "--all" || $0.hasPrefix("-") && !$0.hasPrefix("--") && $0.contains("a") }
    let isOfProject = passage.words.contains("compose") || passage.program.hasSuffix("-compose")
    let isPart = passage.command?.isFiltered == true || passage.words.contains { ["-f", "--filter"].contains($0) }
    if isAll, !isOfProject, !isPart, !heads.isEmpty { account.isListed = true }
    for index in 0..<(heads.first ?? passage.lines.count) {
      if let cells = bareRow(passage.lines[index]) {
        add(cells, index, passage, &account)
      } else {
        account.addUnread(index, of: passage)
      }
    }
    for (head, end) in zip(heads, heads.dropFirst() + [passage.lines.count]) {
      let table = Table(passage.lines[head])
      for (index, cells) in table.rows(below: head, in: Array(passage.lines[..<end])) {
        let known = cells.compactMap { head, cell in Column(head).map { ($0, cell) } }
        add(Dictionary(known) { first, _ in first }, index, passage, &account)
      }
    }
  }

  private static func add(_ cells: [Column: String], _ index: Int, _ passage: Passage, _ account: inout Account) {
    // Unraid has the state below the name.
    let names = (cells[.name] ?? "").split { ",\n".contains($0) }.map { String($0).trimmed }
    guard let name = names.first, !name.contains(" "),
      let state = (names.dropFirst() + [cells[.status]].compactMap(\.self)).lazy.compactMap(state).first
    else { return account.addUnread(index, of: passage) }
    var row: [String: JSON] = ["State": .string(state.name), "Status": .string(state.text)]
    if let id = cells[.id], id.count >= 12, id.allSatisfy(\.isHexDigit) { row["Id"] = .string(id) }
    if let image = cells[.image] { row["Image"] = .string(image) }
    if let ports = cells[.ports] ?? outside(cells) {
      row["Ports"] = .array(ports.split { ", \n".contains($0) }.flatMap { self.ports(String($0)) })
    }
    if let service = cells[.service] {
      row["Labels"] = .object(["com.docker.compose.service": .string(service)])
    }
    if let address = cells[.address], address.isAddress {
      let network = cells[.network] ?? ""
      row["NetworkSettings"] = .object([
        "Networks": .object([network.isEmpty ? "bridge" : network: .object(["IPAddress": .string(address)])])
      ])
    }
    if let network = cells[.network], network == "host" || network.hasPrefix("container:") {
      row["HostConfig"] = .object(["NetworkMode": .string(network)])
    }
    account.list(row, named: name)
  }

  /// Unraid has the ports inside and those of the machine in columns of their own: `3000:TCP`, `192.168.1.2:3000`.
  private static func outside(_ cells: [Column: String]) -> String? {
    guard let outside = cells[.outside]?.lines, let inside = cells[.inside]?.lines, outside.count == inside.count else {
      return nil
    }
    return zip(outside, inside).map { "\($0)->\($1.prefix { $0.isNumber })/tcp" }.joined(separator: ", ")
  }

  /// One of a list, with Portainer's `8080:80` and its addresses; a range is each of its ports.
  private static func ports(_ text: String) -> [JSON] {
    if let port = Account.port(text) { return [port] }
    let sides = text.split(separator: ":").map(String.init)
    if sides.count == 2, let port = Account.port("0.0.0.0:\(sides[0])->\(sides[1])") { return [port] }
    // `0.0.0.0:8000-8001->8000-8001/tcp`
    guard let (outside, inside) = text.components(around: "->"), let colon = outside.lastIndex(of: ":") else {
      return []
    }
    let type = inside.components(around: "/")
    let (from, to) = ((type?.0 ?? inside).range, String(outside[outside.index(after: colon)...]).range)
    guard let from, let to, from.count == to.count, from.count < 200 else { return [] }
    return zip(to, from).compactMap {
      Account.port("\(outside[..<colon]):\($0)->\($1)/\(type?.1 ?? "tcp")")
    }
  }

  /// The engine's word for a state, of what tables say.
  private static func state(_ status: String) -> (name: String, text: String)? {
    let words = status.lowercased()
    let text = status
    switch words.split(whereSeparator: { !$0.isLetter }).first.map(String.init) ?? "" {
    case "up", "running", "started", "healthy", "unhealthy", "uptime", "starting":
      let state = words.contains("paused") ? "paused" : "running"
      let health = ["unhealthy", "healthy"].first(where: words.contains)
      let isShort = !words.hasPrefix("up ")
      return (state, isShort ? "Up" + (health.map { " (\($0))" } ?? "") : text)
    case "exited", "exit", "stopped":
      return ("exited", words.hasPrefix("exited (") ? text : "Exited (?)")
    case "restarting": return ("restarting", text)
    case "created": return ("created", text)
    case "paused": return ("paused", text)
    case "dead": return ("dead", text)
    default: return nil
    }
  }

  private static let row = try? Pattern(
    #"^(?<id>[0-9a-f]{12}) +(?<image>\S+) +".*" +(?<created>\S.* ago|About .* ago|Less .* ago) {2,}(?<status>(?:Up|Exited|Restarting|Created|Dead|Paused|Removal)\b.*?)(?: {2,}(?<ports>\S*\d/(?:tcp|udp).*?))? {2,}(?<name>\S+)$"#
  )

  /// A line of `docker ps` whose heads were left out, as `grep` does.
  private static func bareRow(_ line: String) -> [Column: String]? {
    guard line.first?.isHexDigit == true, let match = row?.firstMatch(in: line) else { return nil }
    return [
      .id: match.text(of: "id"), .image: match.text(of: "image"), .status: match.text(of: "status"),
      .ports: match.text(of: "ports"), .name: match.text(of: "name"),
    ].compactMapValues(\.self)
  }
}

extension String {
  /// `8000-8001`, `80`
  fileprivate var range: ClosedRange<Int>? {
    let ends = split(separator: "-").compactMap { Int($0) }  // fits: it is a text
    guard let low = ends.first, let high = ends.last, low <= high else { return nil }
    return low...high
  }
}

/// A table with a line of heads, each column as wide as its head and the blanks behind it, or parted by tabs.
struct Table {
  private let columns: [(name: String, start: Int)]
  let isTabbed: Bool
  var heads: [String] { columns.map(\.name) }

  init(_ head: String) {
    isTabbed = head.contains("\t")
    if isTabbed {
      columns = head.split(separator: "\t", omittingEmptySubsequences: false).enumerated().map {
        (String($1).trimmed, $0)
      }
      return
    }
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

  /// The rows below the head, each with the number of its first line. What a cell has in several lines, as web pages and
  /// older versions of Compose print it, is one text again.
  func rows(below head: Int, in lines: [String]) -> [(line: Int, cells: [String: String])] {
    var rows: [(line: Int, cells: [String: String])] = []
    var open: (line: Int, text: String)?
    // Where the last whole row has ended.
    var end = head
    for (index, line) in lines.enumerated().dropFirst(head + 1) {
      if line.allSatisfy({ $0.isWhitespace || $0 == "-" }) { continue }
      guard isTabbed else {
        let cells = cells(line)
        if let first = columns.first?.name, cells[first] == nil, !rows.isEmpty {
          rows[rows.count - 1].cells.merge(cells) { $0 + " " + $1 }
        } else {
          rows.append((index, cells))
        }
        continue
      }
      // What goes on in the last cell has no tab, and no row begins so that the next line has none either.
      let next = lines.indices.contains(index + 1) ? lines[index + 1] : ""
      if open == nil, end > head, index - end < 3, !line.contains("\t"), !next.contains("\t") { continue }
      let isWhole = line.count { $0 == "\t" } >= columns.count - 1
      if isWhole, let before = open, before.text.contains("\t") {
        rows.append((before.line, cells(before.text)))
        open = nil
      }
      open = open.map { ($0.line, $0.text + "\n" + line) } ?? (index, line)
      if let row = open, row.text.count(where: { $0 == "\t" }) >= columns.count - 1 {
        rows.append((row.line, cells(row.text)))
        (open, end) = (nil, index)
      }
    }
    if let open { rows.append((open.line, cells(open.text))) }
    return rows
  }

  /// The cells of a line by their columns' names; those that are empty are not there.
  func cells(_ line: String) -> [String: String] {
    var cells: [String: String] = [:]
    if isTabbed {
      for (column, cell) in zip(columns, line.split(separator: "\t", omittingEmptySubsequences: false)) {
        let text = String(cell).trimmed
        if !text.isEmpty, !column.name.isEmpty { cells[column.name] = text }
      }
      return cells
    }
    let characters = Array(line)
    for (index, column) in columns.enumerated() where column.start < characters.count {
      let end = index + 1 < columns.count ? min(columns[index + 1].start, characters.count) : characters.count
      let text = String(characters[column.start..<max(column.start, end)]).trimmed
      if !text.isEmpty { cells[column.name] = text }
    }
    return cells
  }
}
