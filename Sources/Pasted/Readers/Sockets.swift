import Model
import Pattern
import World

extension Account {
  static let socketReaders = [
    // `ss -lx`: the path is the fifth word.
    OutputReader(
      claims: { $0.isOf("ss") && $0.words.dropFirst().contains { $0.hasPrefix("-") && $0.contains("x") } },
      read: { passage, account in
        let paths = passage.lines.map { $0.split(separator: " ") }.filter { $0.count > 4 && $0[1] == "LISTEN" }
        account.unixListeners = Set(paths.map { String($0[4]) })
      }),
    // `/proc/net/tcp` and `tcp6`
    OutputReader(
      claims: { $0.lines.first?.contains("local_address") == true },
      read: { passage, account in
        let path = passage.words.first { $0.hasPrefix("/proc/") } ?? ""
        let process = path.split(separator: "/").dropFirst().first.flatMap { Int32($0) }.map { Place.process($0) }
        guard let place = process ?? account.place(of: passage) else { return account.addUnread(0, of: passage) }
        let all = passage.lines.compactMap { TCPSocket($0[...]) }
        // Until it is accepted, a connection belongs to no file.
        let accepted = all.filter { $0.state != .listening && $0.inode != 0 }.reduce(into: [:]) {
          $0[$1.port, default: 0] += 1
        }
        let found = all.filter { $0.state == .listening }.map { socket in
          Listener(
            address: socket.address, port: socket.port, waiting: socket.waiting, accepted: accepted[socket.port] ?? 0,
            processes: [])
        }
        account.add(found, at: place)
      }),
    // `ss -ltnp`, `netstat -ltnp`, with GNU's or busybox' columns.
    OutputReader(
      claims: { passage in
        passage.lines.prefix(3).contains { $0.contains("Local Address") }
          || (passage.isOf("ss") || passage.isOf("netstat")) && !passage.lines.isEmpty
      },
      read: { passage, account in
        guard let place = account.place(of: passage) else { return account.addUnread(0, of: passage) }
        let found = passage.lines.compactMap { listener($0) }
        for (index, line) in passage.lines.enumerated() where listener(line) == nil {
          let isOther = ["tcp", "udp", "ESTAB", "TIME-WAIT", "CLOSE", "SYN", "FIN", "LAST", "UNCONN"]
          let isHead = ["Local Address", "Active ", "unix "].contains(where: line.contains)
          if !isHead, !isOther.contains(where: line.hasPrefix) { account.addUnread(index, of: passage) }
        }
        // What other programs have left of a list, or what has no sockets that listen, is not all of them.
        let isList =
          passage.command == nil || passage.words.contains { $0.hasPrefix("-") && $0.contains { "la".contains($0) } }
        guard passage.command?.isFiltered != true, !found.isEmpty || isList && passage.command != nil else { return }
        account.add(found.map(\.listener), at: place)
        account.addProcesses(found.map(\.names))
      }),
    // `lsof -i -P -n`. Source: lsof(8), "OUTPUT".
    OutputReader(
      claims: { passage in passage.lines.prefix(3).contains { $0.hasPrefix("COMMAND ") && $0.contains(" FD ") } },
      read: { passage, account in
        guard let place = account.place(of: passage) else { return account.addUnread(0, of: passage) }
        var found: [Listener] = []
        for (index, line) in passage.lines.enumerated() where !line.hasPrefix("COMMAND ") {
          let words = line.split(separator: " ").map(String.init)
          guard words.count > 8, let id = Int32(words[1]),
            let kind = words.firstIndex(of: "TCP") ?? words.firstIndex(of: "UDP")
          else {
            account.addUnread(index, of: passage)
            continue
          }
          guard words[kind] == "TCP", words.last == "(LISTEN)", words.count > kind + 1,
            let (address, port) = ends(words[kind + 1])
          else { continue }
          let isSix = words.contains("IPv6")
          found.append(
            Listener(
              address: address == "*" ? isSix ? "::" : "0.0.0.0" : address, port: port, waiting: 0,
              isIPv6Only: isSix && address == "*" ? false : nil, processes: [id]))
          account.addProcesses([[id: words[0]]])
          if account.processes[id]?.owner == nil { account.processes[id]?.owner = words[2] }
        }
        guard passage.command?.isFiltered != true else { return }
        account.add(found.merged, at: place)
      }),
    // `nc -zv HOST PORT`: OpenBSD's, Nmap's and busybox'.
    OutputReader(
      claims: { ["nc", "ncat", "netcat"].contains($0.program) },
      read: { passage, account in
        guard let place = account.place(of: passage) else { return account.addUnread(0, of: passage) }
        let ends = passage.words.dropFirst().filter { !$0.hasPrefix("-") }.suffix(2)
        let port = ends.last.flatMap { UInt16($0) }
        for (index, line) in passage.lines.enumerated() {
          if line.hasPrefix("Ncat: Version") || line.hasPrefix("Ncat: 0 bytes") { continue }
          guard let outcome = outcome(line), let port, let host = ends.first else {
            account.addUnread(index, of: passage)
            continue
          }
          // What a name was found to be stands in the line.
          let address = line.split { " ,:()".contains($0) }.map(String.init).first(where: \.isAddress) ?? host
          account.connections[Connection(place: place, address: address, port: port)] = outcome
        }
        // busybox says nothing where all is well.
        if passage.lines.isEmpty, let host = ends.first, host.isAddress, let port, passage.words.contains("-z") {
          account.connections[Connection(place: place, address: host, port: port)] = .accepted
        }
      }),
    // A connection that curl makes for nothing but itself: `curl -v telnet://HOST:PORT`, `curl -v --unix-socket PATH …`. By
    // Unix sockets it also asks for pages, which `requestReaders` read.
    OutputReader(
      claims: { passage in
        passage.program == "curl" && passage.command?.input == nil
          && passage.lines.contains { $0.trimmed.hasPrefix("*   Trying ") }
          && passage.words.contains { $0.hasPrefix("telnet://") || $0 == "--unix-socket" }
      },
      read: { passage, account in
        guard let outcome = passage.lines.lazy.compactMap(connected).first else {
          return account.addUnread(0, of: passage)
        }
        if let option = passage.words.firstIndex(of: "--unix-socket"), option + 1 < passage.words.count,
          let (place, path) = passage.inside(passage.words[option + 1], account)
        {
          account.sockets[place, default: [:]][Socket(path: path, user: passage.command?.user)] = outcome.socket
        } else if let place = account.place(of: passage),
          let target = passage.words.first(where: { $0.hasPrefix("telnet://") })?.dropFirst(9),
          let (address, port) = ends(String(target))
        {
          account.connections[Connection(place: place, address: address, port: port)] = outcome.connection
        } else {
          account.addUnread(0, of: passage)
        }
      }),
    // What came back for bytes: as `od -c` prints it, or in hexadecimal below `collect`'s heading, which ends with the bytes.
    OutputReader(
      claims: { passage in
        passage.program == "curl" && passage.words.contains { $0.hasPrefix("telnet://") }
          && !passage.lines.contains { $0.hasPrefix("# pxname,") || $0.hasPrefix("Name: HAProxy") }
      },
      read: { passage, account in
        guard let target = passage.words.first(where: { $0.hasPrefix("telnet://") })?.dropFirst(9),
          let sent = passage.command?.input ?? passage.words.last.flatMap(bytes) ?? (passage.isDump ? [] : nil)
        else { return account.addUnread(0, of: passage) }
        let received = passage.isDump ? passage.dumped : bytes(passage.lines.joined(separator: " ")) ?? []
        if let option = passage.words.firstIndex(of: "--unix-socket"), option + 1 < passage.words.count,
          let (place, path) = passage.inside(passage.words[option + 1], account)
        {
          account.exchanges[Connection(place: place, address: path, port: 0), default: [:]][sent] = received
        } else if let place = account.place(of: passage), let (address, port) = ends(String(target)) {
          account.exchanges[Connection(place: place, address: address, port: port), default: [:]][sent] = received
        } else {
          account.addUnread(0, of: passage)
        }
      }),
  ]

  /// What `curl -v` says of its connection; nil for another line. `Immediate connect fail` is how it says that of a socket.
  private static func connected(_ line: String) -> (
    connection: TCPConnect.Sight.Outcome, socket: UnixConnect.Sight.Outcome
  )? {
    let text = line.components(around: "* ")?.1 ?? ""
    if text.hasPrefix("Connected to ") { return (.accepted, .accepted) }
    guard text.contains("onnect") || line.hasPrefix("curl: (") else { return nil }
    if text.hasSuffix("No such file or directory") { return (.other, .missing) }
    if text.hasSuffix("Permission denied") { return (.denied, .denied) }
    if text.hasSuffix("Resource temporarily unavailable") { return (.other, .full) }
    return outcome(line).map { ($0, $0 == .refused ? .refused : .other) }
  }

  /// `0109 00 01`; nil for what is none. `-` stands for no byte at all.
  private static func bytes(_ text: String) -> [UInt8]? {
    let digits = text.filter { !$0.isWhitespace }
    if digits == "-" || digits.isEmpty { return [] }
    guard digits.count.isMultiple(of: 2), digits.allSatisfy(\.isHexDigit) else { return nil }
    let all = Array(digits)
    return stride(from: 0, to: all.count, by: 2).compactMap { UInt8(String(all[$0...($0 + 1)]), radix: 16) }
  }

  private static func outcome(_ line: String) -> TCPConnect.Sight.Outcome? {
    let said: [(String, TCPConnect.Sight.Outcome)] = [
      ("succeeded!", .accepted), ("Connected to", .accepted), (") open", .accepted), ("efused", .refused),
      ("timed out", .timeout), ("TIMEOUT", .timeout), ("o route to host", .unreachable),
      ("nreachable", .unreachable), ("in progress", .timeout),
    ]
    return said.first { line.contains($0.0) }?.1
  }

  /// `127.0.0.1:80`, `[::1]:80`, `*:80`, of an interface `127.0.0.53%lo:53`.
  private static func ends(_ text: String) -> (address: String, port: UInt16)? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    // A scope says nothing of who is let in.
    return (String(text[..<colon].filter { !"[]".contains($0) }.prefix { $0 != "%" }), port)
  }

  /// Of several tables that name the same socket each tells what the others do not.
  private mutating func add(_ found: [Listener], at place: Place) {
    var all = listeners[place] ?? []
    for listener in found where listener.address != "127.0.0.11" {
      let known = all.firstIndex { $0.port == listener.port && $0.address == listener.address }
      if let known {
        let other = all[known]
        all[known] = Listener(
          address: other.address, port: other.port, waiting: max(other.waiting, listener.waiting),
          most: other.most ?? listener.most, accepted: max(other.accepted, listener.accepted),
          isIPv6Only: other.isIPv6Only ?? listener.isIPv6Only,
          processes: other.processes.isEmpty ? listener.processes : other.processes)
      } else {
        all.append(listener)
      }
    }
    listeners[place] = all.sorted { ($0.port, $0.address) < ($1.port, $1.address) }
  }

  /// What a table of sockets calls the processes that hold them; what /proc tells of one goes before.
  mutating func addProcesses(_ found: [[Int32: String]]) {
    for (id, name) in found.joined() where processes[id]?.name.isEmpty != false {
      processes[id, default: Process()].name = name
    }
  }

  private static let users = try? Pattern(#"\("(?<name>[^"]+)",pid=(?<id>\d+),fd=\d+\)(?<rest>.*)"#)

  /// `LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=7,fd=6))`, `tcp 0 0 0.0.0.0:80 0.0.0.0:* LISTEN 7/nginx`
  private static func listener(_ line: String) -> (listener: Listener, names: [Int32: String])? {
    let words = line.split(separator: " ").map(String.init)
    guard words.contains("LISTEN"), let local = words.first(where: { $0.contains(":") }), let end = ends(local)
    else { return nil }
    let isSix = words[0] == "tcp6" || end.address.contains(":")
    let (address, port) = (end.address == "*" ? "::" : end.address, end.port)
    // `ss` calls the two Recv-Q and Send-Q: how many wait, and how many may.
    let queue = words[0] == "LISTEN" ? words.dropFirst().prefix(2).compactMap { Int($0) } : []  // fits: it is a text
    var names: [Int32: String] = [:]
    var rest = line
    while let user = users?.firstMatch(in: rest), let id = user.text(of: "id").flatMap({ Int32($0) }) {
      names[id] = user.text(of: "name")
      rest = user.text(of: "rest") ?? ""
    }
    if names.isEmpty, let (id, name) = words.last.flatMap({ $0.components(around: "/") }), let id = Int32(id) {
      names[id] = name.filter { $0 != ":" }
    } else if names.isEmpty, words.count > 1, let state = words.firstIndex(of: "LISTEN"), state + 1 < words.count,
      let (id, name) = words[state + 1].components(around: "/"), let id = Int32(id)
    {
      // `7/nginx: master`
      names[id] = name.filter { $0 != ":" }
    }
    // `ss` has brackets for a socket that takes IPv6 alone, and a star for one that takes both.
    let isIPv6Only: Bool? =
      words[0] == "LISTEN" && local.hasPrefix("[::]:")
      ? true : local.hasPrefix("*:") || isSix && address == "::" ? false : nil
    let listener = Listener(
      address: address, port: port, waiting: queue.first ?? 0, most: queue.count == 2 ? queue[1] : nil,
      isIPv6Only: isIPv6Only, processes: names.keys.sorted())
    return (listener, names)
  }
}

extension Passage {
  /// Whether it is what `od -c` prints, which ends with the number of bytes.
  fileprivate var isDump: Bool {
    lines.last.map { $0.count == 7 && $0.allSatisfy { ("0"..."7").contains($0) } } == true
  }

  /// The bytes in what `od -c` prints: behind each line's number cells of four columns. Source: POSIX, od.
  fileprivate var dumped: [UInt8] {
    let escapes: [String: UInt8] = ["\\0": 0, "\\a": 7, "\\b": 8, "\\t": 9, "\\n": 10, "\\v": 11, "\\f": 12, "\\r": 13]
    return lines.dropLast().flatMap { line -> [UInt8] in
      guard line.prefix(7).allSatisfy({ ("0"..."7").contains($0) }) else { return [] }
      let cells = Array(line.dropFirst(7))
      return stride(from: 0, to: cells.count, by: 4).compactMap { start in
        let cell = String(cells[start..<min(start + 4, cells.count)]).trimmed
        if cell.count == 3, let byte = UInt8(cell, radix: 8) { return byte }
        return escapes[cell] ?? (cell.isEmpty ? 0x20 : cell.utf8.first)
      }
    }
  }
}

extension [Listener] {
  /// Each socket once, with all who hold it.
  fileprivate var merged: [Listener] {
    var merged: [Listener] = []
    for listener in self {
      guard let known = merged.firstIndex(where: { $0.address == listener.address && $0.port == listener.port }) else {
        merged.append(listener)
        continue
      }
      merged[known] = Listener(
        address: listener.address, port: listener.port, waiting: 0, isIPv6Only: listener.isIPv6Only,
        processes: merged[known].processes + listener.processes)
    }
    return merged
  }
}
