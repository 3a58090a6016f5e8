internal import CLinux
internal import Glibc
internal import Model
internal import World

extension Listeners: MachineLook {
  /// From `/proc/PID/net/tcp` and `tcp6`, which need no privilege; sorted by port. Docker's own DNS server at
  /// 127.0.0.11 is left out.
  func taken(on machine: Machine) async throws(Unseen) -> [Listener] {
    let place = place
    let more = (try? await place.inNetwork(limit: fileLimit) { () throws(Unseen) in try socketDetails() }) ?? [:]
    return try await onOwnThread(limit: fileLimit) { () throws(Unseen) -> [Listener] in
      var all = try TCPSocket.read("\(place.proc)/net/tcp")
      do throws(Unseen) { all += try TCPSocket.read("\(place.proc)/net/tcp6") } catch {
        // No IPv6 in this kernel.
        guard case .missing = error else { throw error }
      }
      let sockets = all.filter { $0.state == .listening && $0.address != "127.0.0.11" }
      // Until it is accepted, a connection belongs to no file. One whose visitor has given up is still worked on.
      let accepted = all.filter { $0.state != .listening && $0.inode != 0 }.reduce(into: [:]) {
        $0[$1.port, default: 0] += 1
      }
      let owners = try socketOwners(of: Set(sockets.map(\.inode)), in: place)
      return sockets.map { socket in
        Listener(
          address: socket.address, port: socket.port, waiting: socket.waiting, most: more[socket.inode]?.most,
          accepted: accepted[socket.port] ?? 0, isIPv6Only: more[socket.inode]?.isIPv6Only,
          processes: owners[socket.inode] ?? [])
      }.sorted { ($0.port, $0.address) < ($1.port, $1.address) }
    }
  }
}

extension TCPSocket {
  fileprivate static func read(_ path: String) throws(Unseen) -> [TCPSocket] {
    let text = String(decoding: try contents(of: path), as: UTF8.self)
    return text.lines.compactMap(TCPSocket.init)
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

/// How many connections may wait at each listening TCP socket of this thread's network, and whether it is for IPv6 alone,
/// by the socket's inode.
///
/// The table in /proc has neither. Source: sock_diag(7); linux/inet_diag.h for the attribute.
private func socketDetails() throws(Unseen) -> [UInt64: (most: Int, isIPv6Only: Bool?)] {
  let what = "the kernel's table of sockets"
  let socket = try Descriptor(socket(AF_NETLINK, shim_raw_socket, NETLINK_SOCK_DIAG), what)
  var details: [UInt64: (most: Int, isIPv6Only: Bool?)] = [:]
  for family in [AF_INET, AF_INET6] {
    var request = shim_listening_request(UInt8(family))
    let size = MemoryLayout.size(ofValue: request)
    guard send(socket.number, &request, size, 0) == size else { throw .system(errno, what) }
    var isDone = false
    while !isDone {
      let piece = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
        count = max(0, recv(socket.number, buffer.baseAddress, buffer.count, 0))
      }
      guard !piece.isEmpty else { throw .system(errno, what) }
      isDone = piece.withUnsafeBytes { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while rest.count >= MemoryLayout<nlmsghdr>.size {
          let head = rest.loadUnaligned(as: nlmsghdr.self)
          let length = Int(head.nlmsg_len)
          guard head.nlmsg_type == UInt16(shim_by_family), length <= rest.count,
            length >= MemoryLayout<nlmsghdr>.size + MemoryLayout<inet_diag_msg>.size
          else { return true }
          let message = rest.loadUnaligned(fromByteOffset: MemoryLayout<nlmsghdr>.size, as: inet_diag_msg.self)
          let attributes = UnsafeRawBufferPointer(
            rebasing: rest[MemoryLayout<nlmsghdr>.size..<length].dropFirst(MemoryLayout<inet_diag_msg>.size))
          details[UInt64(message.idiag_inode)] = (
            Int(message.idiag_wqueue), attribute(UInt16(INET_DIAG_SKV6ONLY), in: attributes).map { $0 != 0 }
          )
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst((length + 3) & ~3))
        }
        return false
      }
    }
  }
  return details
}

/// The first byte of a netlink attribute: length and kind, 16 bits each, the value, all filled up to 32 bits.
private func attribute(_ kind: UInt16, in bytes: UnsafeRawBufferPointer) -> UInt8? {
  var rest = bytes
  while rest.count > 4 {
    let length = Int(rest.loadUnaligned(as: UInt16.self))
    guard length > 4, length <= rest.count else { return nil }
    if rest.loadUnaligned(fromByteOffset: 2, as: UInt16.self) == kind { return rest[4] }
    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst((length + 3) & ~3))
  }
  return nil
}
