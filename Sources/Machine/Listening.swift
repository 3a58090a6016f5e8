internal import Glibc
internal import Model
internal import World

extension Listeners: MachineLook {
  /// From `/proc/PID/net/tcp` and `tcp6`, which need no privilege; sorted by port. Docker's own DNS server at
  /// 127.0.0.11 is left out.
  func taken(on machine: Machine) async throws(Unseen) -> [Listener] {
    let place = place
    return try await onOwnThread(limit: fileLimit) { () throws(Unseen) -> [Listener] in
      var sockets = try ListeningSocket.read("\(place.proc)/net/tcp")
      do throws(Unseen) { sockets += try ListeningSocket.read("\(place.proc)/net/tcp6") } catch {
        // No IPv6 in this kernel.
        guard case .missing = error else { throw error }
      }
      sockets.removeAll { $0.address == "127.0.0.11" }
      let owners = try socketOwners(of: Set(sockets.map(\.inode)), in: place)
      return sockets.map { socket in
        Listener(
          address: socket.address, port: socket.port, waiting: socket.waiting, processes: owners[socket.inode] ?? [])
      }.sorted { ($0.port, $0.address) < ($1.port, $1.address) }
    }
  }
}

private struct ListeningSocket {
  let address: String
  let port: UInt16
  let waiting: Int
  let inode: UInt64

  /// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …`, the numbers in
  /// hexadecimal up to the queues. State 0A is LISTEN; its receive queue counts connections.
  private init?(_ line: Substring) {
    let fields = line.split(separator: " ", omittingEmptySubsequences: true)
    guard fields.count > 9, fields[3] == "0A" else { return nil }
    let local = fields[1].split(separator: ":")
    guard local.count == 2, let port = UInt16(local[1], radix: 16), let inode = UInt64(fields[9]),
      let waiting = Int(fields[4].drop { $0 != ":" }.dropFirst(), radix: 16)
    else { return nil }
    // Words of 32 bits in this machine's order.
    let words = stride(from: 0, to: local[0].count, by: 8).compactMap {
      UInt32(local[0].dropFirst($0).prefix(8), radix: 16)
    }
    guard words.count == 1 || words.count == 4 else { return nil }
    address = words.withUnsafeBytes { text(words.count == 1 ? AF_INET : AF_INET6, $0) }
    self.port = port
    self.waiting = waiting
    self.inode = inode
  }

  static func read(_ path: String) throws(Unseen) -> [ListeningSocket] {
    let text = String(decoding: try contents(of: path), as: UTF8.self)
    return text.split(separator: "\n").compactMap(ListeningSocket.init)
  }
}

/// Which processes hold these sockets: one pass over the processes that share the place's network and may be looked
/// into; the others own nothing here.
private func socketOwners(of inodes: Set<UInt64>, in place: Place) throws(Unseen) -> [UInt64: [Int32]] {
  guard !inodes.isEmpty, let network = linkTarget("\(place.proc)/ns/net") else { return [:] }
  var owners: [UInt64: [Int32]] = [:]
  for id in try processIDs() where linkTarget("/proc/\(id)/ns/net") == network {
    // A process that ends meanwhile, or that may not be looked into, has no names.
    let path = "/proc/\(id)/fd"
    let names = try? Descriptor(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path).names(path)
    var own: Set<UInt64> = []
    for name in names ?? [] {
      guard let target = linkTarget("\(path)/\(name)"), target.hasPrefix("socket:["),
        let inode = UInt64(target.dropFirst(8).dropLast()), inodes.contains(inode), own.insert(inode).inserted
      else { continue }
      owners[inode, default: []].append(id)
    }
  }
  return owners
}
