import Model
import World

extension Account {
  static let socketReaders = [
    // `ss -lx`: the path is the fifth word.
    OutputReader(
      claims: { $0.isOf("ss") && ($0.command.contains("-lx") || $0.command.contains("-xl")) },
      read: { passage, account in
        let paths = passage.lines.map { $0.split(separator: " ") }.filter { $0.count > 4 && $0[1] == "LISTEN" }
        account.unixListeners = Set(paths.map { String($0[4]) })
      }),
    // `/proc/net/tcp` and `tcp6`
    OutputReader(
      claims: { $0.lines.first?.contains("local_address") == true },
      read: { passage, account in
        let path = passage.command.first { $0.hasPrefix("/proc/") } ?? ""
        let place = path.split(separator: "/").dropFirst().first.flatMap { Int32($0) }.map { Place.process($0) }
        let found = passage.lines.compactMap { TCPSocket($0[...]) }.filter { $0.state == .listening }.map { socket in
          Listener(address: socket.address, port: socket.port, waiting: socket.waiting, processes: [])
        }
        account.add(found, at: place ?? passage.placeOfContainer(account) ?? .host)
      }),
    // `ss -ltnp`, `netstat -ltnp`, with GNU's or busybox' columns.
    OutputReader(
      claims: { passage in
        passage.lines.prefix(3).contains { $0.contains("Local Address") }
      },
      read: { passage, account in
        let found = passage.lines.compactMap { listener($0) }
        account.add(found, at: passage.placeOfContainer(account) ?? .host)
      }),
  ]

  /// Of several tables that name the same socket the one with its owners counts.
  private mutating func add(_ found: [Listener], at place: Place) {
    var all = listeners[place] ?? []
    for listener in found where listener.address != "127.0.0.11" {
      let known = all.firstIndex { $0.port == listener.port && $0.address == listener.address }
      if let known {
        if all[known].processes.isEmpty, !listener.processes.isEmpty { all[known] = listener }
      } else {
        all.append(listener)
      }
    }
    listeners[place] = all.sorted { ($0.port, $0.address) < ($1.port, $1.address) }
  }

  /// `LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=7,fd=6))`, `tcp 0 0 0.0.0.0:80 0.0.0.0:* LISTEN 7/nginx`
  private static func listener(_ line: String) -> Listener? {
    let words = line.split(separator: " ").map(String.init)
    guard words.contains("LISTEN"), let local = words.first(where: { $0.contains(":") || $0.hasPrefix("*:") }),
      let colon = local.lastIndex(of: ":"), let port = UInt16(local[local.index(after: colon)...])
    else { return nil }
    var address = String(local[..<colon]).filter { !"[]".contains($0) }
    // A scope, `%lo`, says nothing of who is let in.
    address = String(address.prefix { $0 != "%" })
    let isSix = words[0] == "tcp6" || address.contains(":")
    if address == "*" { address = "::" }
    let waiting = words[0] == "LISTEN" ? words.dropFirst().first.flatMap { Int($0) } ?? 0 : 0  // fits: it is a text
    var ids = line.split(separator: ",").filter { $0.hasPrefix("pid=") }.compactMap { Int32($0.dropFirst(4)) }
    if ids.isEmpty, let last = words.last, let slash = last.firstIndex(of: "/"), let id = Int32(last[..<slash]) {
      ids = [id]
    }
    return Listener(
      address: address, port: port, waiting: waiting, isIPv6Only: isSix && address == "::" ? false : nil, processes: ids
    )
  }
}
