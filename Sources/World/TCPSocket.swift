internal import Glibc

/// A socket in the kernel's table. Source: proc(5), `/proc/net/tcp` and `tcp6`.
public struct TCPSocket: Sendable {
  public enum State: Substring, Sendable { case established = "01", closeWait = "08", listening = "0A" }

  public let state: State
  public let address: String
  public let port: UInt16
  /// Of one that listens: connections that wait to be accepted.
  public let waiting: Int
  public let inode: UInt64

  /// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …`, the numbers in
  /// hexadecimal up to the queues. The receive queue of a listening one counts connections. Nil for the line of heads, and
  /// for sockets in other states.
  public init?(_ line: Substring) {
    let fields = line.split(separator: " ", omittingEmptySubsequences: true)
    guard fields.count > 9, let state = State(rawValue: fields[3]) else { return nil }
    let local = fields[1].split(separator: ":")
    guard local.count == 2, let port = UInt16(local[1], radix: 16), let inode = UInt64(fields[9]),
      let waiting = Int(fields[4].drop { $0 != ":" }.dropFirst(), radix: 16)
    else { return nil }
    // Words of 32 bits in this machine's order.
    let words = stride(from: 0, to: local[0].count, by: 8).compactMap {
      UInt32(local[0].dropFirst($0).prefix(8), radix: 16)
    }
    guard words.count == 1 || words.count == 4 else { return nil }
    self.state = state
    address = words.withUnsafeBytes { String(address: $0) }
    self.port = port
    self.waiting = waiting
    self.inode = inode
  }
}

extension String {
  /// An address of 4 or 16 bytes in network order; empty for another number of them.
  public init(address: UnsafeRawBufferPointer) {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard [4, 16].contains(address.count),
      inet_ntop(address.count == 4 ? AF_INET : AF_INET6, address.baseAddress, &text, socklen_t(text.count)) != nil
    else {
      self = ""
      return
    }
    self.init(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
