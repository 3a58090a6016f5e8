import Model
import Pattern
import World

extension Account {
  static let engineReaders = [
    // `docker inspect`, `docker network inspect`; what a person takes out of one may be cut at both ends.
    OutputReader(
      claims: { passage in
        guard passage.command == nil || CommandLine.engines.contains(passage.program), passage.command?.container == nil
        else { return false }
        return passage.lines.contains { $0 == "[" || $0 == "[]" } || passage.isOfEngine("inspect", "network", "image")
          || passage.command == nil && InspectedPart.looksSo(passage.lines)
      },
      read: { passage, account in
        if passage.program == "podman" { account.engine = "Podman" }
        guard let list = InspectedPart.json(passage.lines)?.elements else {
          // A list of networks has no more than their names.
          if !passage.isOf("docker", "network", "ls") { account.addUnread(0, of: passage) }
          return
        }
        account.containers += list.filter { $0["State"] != nil && $0["Id"]?.text != nil }
        account.images += list.filter { $0["RootFS"] != nil && $0["Id"]?.text != nil }
        let networks = list.filter { $0["IPAM"] != nil && $0["Id"]?.text != nil }
        let isEmpty = list.isEmpty && passage.isOfEngine("network")
        if !networks.isEmpty || isEmpty { account.networks = (account.networks ?? []) + networks }
        if list.contains(where: { $0["Id"]?.text == nil }) { account.addUnread(0, of: passage) }
      }),
    OutputReader(
      claims: { passage in passage.command?.container == nil && ContainerTable.heads(of: passage) != nil },
      read: { passage, account in ContainerTable.read(passage, &account) }),
    // What the engine's command says if it cannot tell anything.
    OutputReader(
      claims: { passage in
        CommandLine.engines.contains(passage.program) && passage.lines.count < 4
          && passage.lines.contains { line in
            line.contains("permission denied") || line.contains("Cannot connect to the Docker") || passage.lacks(line)
          }
      },
      read: { passage, account in
        account.engineProblem =
          if passage.text.contains("permission denied") { .notPermitted(what: "/var/run/docker.sock") } else {
            passage.lines.contains(where: passage.lacks)
              ? .missing(what: "a Docker engine") : .unreadable(what: "/var/run/docker.sock", why: .init(.engineDown))
          }
      }),
    // `docker service ls`: how many of each shall run. Only a manager of a Swarm tells it.
    OutputReader(
      claims: { $0.isOfEngine("service") && $0.isOf($0.program, "service", "ls") },
      read: { passage, account in
        if passage.text.contains("not a swarm manager") {
          account.swarm = DockerGet.Sight(status: 503, body: [], version: "", engine: account.engine)
          return
        }
        guard let head = passage.lines.first, Table(head).heads.contains("REPLICAS") else {
          return account.addUnread(0, of: passage)
        }
        let services = Table(head).rows(below: 0, in: passage.lines).compactMap { _, cells -> JSON? in
          // `1/3`: of three one runs.
          let wanted = cells["REPLICAS"]?.components(around: "/").flatMap { _, all in
            Int(all.prefix { $0.isNumber })  // fits: it is a text
          }
          guard let name = cells["NAME"] else { return nil }
          let mode: [String: JSON] =
            cells["MODE"] == "replicated"
            ? ["Replicated": .object(["Replicas": wanted.map { .whole($0) } ?? .null])] : ["Global": .object([:])]
          return .object([
            "ID": .string(cells["ID"] ?? ""), "Spec": .object(["Name": .string(name), "Mode": .object(mode)]),
          ])
        }
        account.swarm = DockerGet.Sight(
          status: 200, body: JSON.array(services).written, version: "", engine: account.engine)
      }),
    // `docker events --format '{{json .}}'`: a line for each, as the API has them.
    OutputReader(
      claims: { $0.isOfEngine("events") },
      read: { passage, account in
        let values = zip(passage.words, passage.words.dropFirst()).filter { ["-f", "--filter"].contains($0.0) }.map(\.1)
        let kinds = values.compactMap { $0.components(around: "event=")?.1 }
        let container = values.lazy.compactMap { $0.components(around: "container=")?.1 }.first
        for (index, line) in passage.lines.enumerated() where JSON(line.utf8)?["Action"] == nil {
          account.addUnread(index, of: passage)
        }
        let known = passage.lines.filter { JSON($0.utf8)?["Action"] != nil }
        guard !known.isEmpty || passage.lines.isEmpty else { return }
        account.events[Events(kinds: Set(kinds), container: container)] = known
      }),
    // `docker port NAME`: `80/tcp -> 0.0.0.0:8080`
    OutputReader(
      claims: { $0.isOfEngine("port") && $0.words.count > 2 },
      read: { passage, account in
        guard let name = passage.subject else { return }
        var ports: [JSON] = []
        for (index, line) in passage.lines.enumerated() {
          let sides = line.components(around: " -> ")
          guard let sides, let port = Account.port("\(sides.1)->\(sides.0)") else {
            account.addUnread(index, of: passage)
            continue
          }
          ports.append(port)
        }
        account.list(["Ports": .array(ports)], named: name)
      }),
    // `docker top NAME`: the ids are those of this machine. Docker's and Podman's columns.
    OutputReader(
      claims: { $0.isOfEngine("top") && $0.words.count > 2 },
      read: { passage, account in
        guard let name = passage.subject, let head = passage.lines.first?.split(separator: " ").map(String.init),
          let id = head.firstIndex(of: "PID"), let parent = head.firstIndex(of: "PPID"),
          let command = head.firstIndex(where: { ["CMD", "COMMAND"].contains($0) })
        else { return account.addUnread(0, of: passage) }
        for (index, line) in passage.lines.enumerated().dropFirst() {
          let words = line.split(separator: " ", maxSplits: command).map(String.init)
          guard words.count > command, let id = Int32(words[id]) else {
            account.addUnread(index, of: passage)
            continue
          }
          let line = words[command].split(separator: " ").map(String.init)
          let program = line.first?.split(separator: "/").last.map { $0.filter { $0 != ":" } } ?? ""
          account.processes[id] = Process(
            parent: Int32(words[parent]) ?? 0, name: program, command: line, owner: words[0], container: name)
        }
      }),
  ]

  /// `0.0.0.0:8080->80/tcp`, `[::]:8080->80/tcp`, `80/tcp`, `8080:80`
  static func port(_ text: String) -> JSON? {
    let ends = text.trimmed.split(separator: "/", maxSplits: 1)
    guard let first = ends.first else { return nil }
    let type = ends.count > 1 ? ends[1].prefix { $0.isLetter }.lowercased() : "tcp"
    let arrow = String(first).components(around: "->")
    guard let inside = Int(arrow?.1 ?? String(first)) else { return nil }  // fits: it is a text
    var members: [String: JSON] = ["PrivatePort": .whole(inside), "Type": .string(type)]
    if let outside = arrow?.0 {
      guard let colon = outside.lastIndex(of: ":"),
        let port = Int(outside[outside.index(after: colon)...])  // fits: it is a text
      else { return nil }
      members["PublicPort"] = .whole(port)
      members["IP"] = .string(String(outside[..<colon].filter { !"[]".contains($0) }))
    }
    return .object(members)
  }
}

extension Passage {
  /// The container that a command of the engine names: its first word behind the verb that is no option.
  var subject: String? {
    guard let verb = words.firstIndex(where: { ["port", "top", "logs", "inspect"].contains($0) }) else { return nil }
    let options: Set = ["-n", "--tail", "--since", "--until"]
    return words.indices.dropFirst(verb + 1).first { !words[$0].hasPrefix("-") && !options.contains(words[$0 - 1]) }
      .map { words[$0] }
  }
}

extension String {
  /// What stands before and behind the first of these.
  func components(around mark: String) -> (String, String)? {
    firstRange(of: mark).map { (String(self[..<$0.lowerBound]), String(self[$0.upperBound...])) }
  }
}

/// JSON as `inspect` prints it, or a piece of that: what a person has copied may begin and end anywhere.
enum InspectedPart {
  /// True for lines such as `"Id": "8103…",`, two at least.
  static func looksSo(_ lines: [String]) -> Bool {
    let known = ["\"Id\": \"", "\"NetworkSettings\": {", "\"HostConfig\": {", "\"State\": {", "\"IPAM\": {"]
    return lines.count { line in known.contains { line.trimmed.hasPrefix($0) } } > 1
  }

  /// The list that it is; nil for what is none.
  static func json(_ lines: [String]) -> JSON? {
    // What went wrong for one of several stands before or behind the list.
    if let start = lines.firstIndex(where: { $0 == "[" || $0 == "[]" }) {
      let whole = lines[start...]
      if whole.first == "[]" { return .array([]) }
      let text = Array(whole.prefix { $0 != "]" }) + ["]"]
      if let json = JSON(text.joined(separator: "\n").utf8) { return json }
    }
    if let json = JSON(lines.joined(separator: "\n").utf8) { return json.members.isEmpty ? json : .array([json]) }
    return mended(lines)
  }

  /// Without a cut first or last line, and with the brackets that are missing at both ends.
  private static func mended(_ lines: [String]) -> JSON? {
    guard looksSo(lines) else { return nil }
    for (first, last) in [(0, 0), (0, 1), (1, 0), (1, 1)] where lines.count > first + last {
      let body = lines.dropFirst(first).dropLast(last)
      var closers: [Character] = [], openers: [Character] = []
      var isQuoted = false, isEscaped = false
      for character in body.joined(separator: "\n") {
        if isEscaped {
          isEscaped = false
        } else if character == "\\" {
          isEscaped = true
        } else if character == "\"" {
          isQuoted.toggle()
        } else if !isQuoted, "{[".contains(character) {
          openers.append(character)
        } else if !isQuoted, "}]".contains(character) {
          if openers.isEmpty { closers.append(character) } else { openers.removeLast() }
        }
      }
      var text = body.joined(separator: "\n").trimmed
      if text.hasSuffix(",") { text.removeLast() }
      text += openers.reversed().map { $0 == "{" ? "}" : "]" }.joined()
      // What the piece is in: objects without a name of which nothing else is known.
      var around = closers
      if around.last == "}" {
        around.append("]")
      } else if around.isEmpty {
        around = text.hasPrefix("[") ? [] : text.hasPrefix("{") ? ["]"] : ["}", "]"]
      }
      text += around.dropFirst(closers.count)
      var start = ""
      for (index, closer) in around.reversed().enumerated() {
        let isNamed = index > 0 && around[around.count - index] == "}"
        start += (isNamed ? "\"\":" : "") + (closer == "}" ? "{" : "[")
      }
      if let json = JSON((start + text).utf8) { return json }
    }
    return nil
  }
}

extension Passage {
  /// True if a line is a shell's word that there is no such program: `sh: 1: docker: not found`,
  /// `bash: docker: command not found`.
  fileprivate func lacks(_ line: String) -> Bool {
    ["\(program): not found", "\(program): command not found"].contains(where: line.hasSuffix)
  }
}
