import Glibc
import Model
import World

extension Machine {
  /// Source: proc(5). Addresses are hexadecimal in host order, state 0A is LISTEN, rx_queue the accept queue.
  func listeners(_ look: Listeners) async throws(Unseen) -> [Listener] {
    let base: String
    switch look.place {
    case .host: base = "/proc/self/net/"
    case .process(let pid): base = "/proc/\(pid)/net/"
    }
    return try await onOwnThread {
      guard let v4 = contents(of: base + "tcp") else { return .failure(Unseen(errno: errno, what: base + "tcp")) }
      let rows = (v4 + (contents(of: base + "tcp6") ?? "")).split(separator: "\n").compactMap { ListenRow($0) }
        .filter { $0.address != "127.0.0.11" }  // Docker's own name server
      let owners = look.place == .host ? socketOwners(Set(rows.map(\.inode))) : [:]
      return .success(
        rows.map { Listener(address: $0.address, port: $0.port, waiting: $0.waiting, processes: owners[$0.inode] ?? []) })
    }
  }

  func processes(_ look: Processes) async throws(Unseen) -> [ProcessSeen] {
    try await onOwnThread {
      let names = Set(look.names)
      let boot = bootTime()
      let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
      let own = linkTarget("/proc/self/ns/net")
      return .success(
        processIDs().compactMap { id in
          guard let line = contents(of: "/proc/\(id)/stat"), let open = line.firstIndex(of: "("),
            let end = line.lastIndex(of: ")")
          else { return nil }
          let name = String(line[line.index(after: open)..<end])
          guard names.contains(name) else { return nil }
          let fields = line[end...].dropFirst().split(separator: " ")
          guard fields.count > 19, let parent = Int32(fields[1]), let started = Double(fields[19]) else { return nil }
          let command = (contents(of: "/proc/\(id)/cmdline") ?? "").split(separator: "\0").map(String.init)
          let network = linkTarget("/proc/\(id)/ns/net")
          return ProcessSeen(
            id: id, parent: parent, name: name, command: command, started: boot + started / ticks,
            sharesNetwork: network.flatMap { network in own.map { $0 == network } },
            container: contents(of: "/proc/\(id)/cgroup").flatMap { containerID(in: $0) })
        })
    }
  }
}

/// One LISTEN row of `/proc/net/tcp` or `tcp6`.
private struct ListenRow {
  let address: String
  let port: UInt16
  let waiting: Int
  let inode: String

  init?(_ row: Substring) {
    let fields = row.split(separator: " ")
    guard fields.count > 9, fields[3] == "0A" else { return nil }
    let local = fields[1].split(separator: ":")
    let queues = fields[4].split(separator: ":")
    guard local.count == 2, let port = UInt16(local[1], radix: 16), let address = Self.address(local[0]) else { return nil }
    self.address = address
    self.port = port
    waiting = queues.last.flatMap { Int($0, radix: 16) } ?? 0
    inode = String(fields[9])
  }

  /// Each 32 bits are in the machine's (little-endian) order.
  private static func address(_ hex: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = hex
    while rest.count >= 8 {
      guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
      bytes += withUnsafeBytes(of: word) { Array($0) }
      rest = rest.dropFirst(8)
    }
    var text = [CChar](repeating: 0, count: 64)
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    guard bytes.count == 4 || bytes.count == 16, inet_ntop(family, bytes, &text, 64) != nil else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// A whole small file of /proc; nil, with errno set, if it cannot be read.
func contents(of path: String) -> String? {
  let fd = open(path, O_RDONLY | O_CLOEXEC)
  guard fd >= 0 else { return nil }
  defer { close(fd) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 16_384)
  while bytes.count < 8_388_608 {
    let count = read(fd, &buffer, buffer.count)
    guard count >= 0 else { return nil }
    if count == 0 { break }
    bytes += buffer.prefix(count)
  }
  return String(decoding: bytes, as: UTF8.self)
}

private func linkTarget(_ path: String) -> String? {
  var buffer = [CChar](repeating: 0, count: 256)
  let count = readlink(path, &buffer, buffer.count)
  return count > 0 ? String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
}

private func names(in folder: String) -> [String] {
  guard let open = opendir(folder) else { return [] }
  defer { closedir(open) }
  var names: [String] = []
  while let entry = readdir(open) {
    names.append(
      withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      })
  }
  return names
}

private func processIDs() -> [Int32] { names(in: "/proc").compactMap { Int32($0) }.sorted() }

/// Which processes hold which of these sockets, as far as this user may see it.
private func socketOwners(_ inodes: Set<String>) -> [String: [Int32]] {
  var owners: [String: [Int32]] = [:]
  for id in processIDs() {
    for fd in names(in: "/proc/\(id)/fd") {
      guard let target = linkTarget("/proc/\(id)/fd/\(fd)"), target.hasPrefix("socket:[") else { continue }
      let inode = String(target.dropFirst(8).dropLast())
      if inodes.contains(inode), owners[inode]?.last != id { owners[inode, default: []].append(id) }
    }
  }
  return owners
}

/// Seconds since 1970.
private func bootTime() -> Double {
  contents(of: "/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
    .flatMap { Double($0.dropFirst(6)) } ?? 0
}

/// The 64 hexadecimal digits that Docker and Podman put into a cgroup's path.
private func containerID(in cgroups: String) -> String? {
  cgroups.split { !$0.isHexDigit }.first { $0.count == 64 }.map(String.init)
}
