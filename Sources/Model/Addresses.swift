import Glibc

/// Hosts and addresses as text, as configurations, engines and logs write them.
extension String {
  /// True for a name or address that means the asking machine, or container, itself.
  public var isLoopback: Bool { self == "localhost" || hasPrefix("127.") || self == "::1" || self == "[::1]" }

  /// True for what a server listens at when it means every address; dialled, it is the machine or container itself.
  public var isAnyAddress: Bool { ["0.0.0.0", "::", "[::]"].contains(self) }

  /// True for an address that only has a meaning inside a network: RFC 1918, RFC 6598, RFC 4193, link-local, loopback.
  public var isPrivateAddress: Bool {
    if isIPv6 {
      let address = lowercased()
      return address == "::1" || ["fc", "fd", "fe8", "fe9", "fea", "feb"].contains { address.hasPrefix($0) }
    }
    return ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"]
      .contains { Subnet($0)?.contains(self) == true }
  }

  /// True for an IPv4 or IPv6 address.
  public var isAddress: Bool { isIPv6 || Subnet.bytes(of: self) != nil }

  /// Of an address: true for the newer of the two families.
  public var isIPv6: Bool { contains(":") }

  /// An IPv6 address without the brackets it has in a URL.
  public var trimmedBrackets: String { hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self }

  /// A host as a URL has it: an IPv6 address in brackets.
  public var inURL: String { isIPv6 && !hasPrefix("[") ? "[\(self)]" : self }

  /// A host without the port after it.
  public var withoutPort: String {
    guard let colon = lastIndex(of: ":"), self[colon...].dropFirst().allSatisfy(\.isNumber), !hasSuffix("]") else {
      return self
    }
    return String(self[..<colon])
  }

  /// `10.0.0.3:80`, `[::1]:80`, `app`, `::1` taken apart: the host without brackets, and the port if there is one.
  public var hostAndPort: (host: String, port: UInt16?) {
    if hasPrefix("["), let end = firstIndex(of: "]") {
      return (String(self[index(after: startIndex)..<end]), UInt16(self[end...].dropFirst(2)))
    }
    let parts = split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 2 ? (String(parts[0]), UInt16(parts[1])) : (self, nil)
  }

  /// `app:3000` of `http://app:3000/api`: without a scheme and what follows host and port.
  public var authority: String {
    let rest = firstRange(of: "://").map { self[$0.upperBound...] } ?? self[...]
    return String(rest.prefix { $0 != "/" })
  }
}

/// A subnet: `172.18.0.0/16`, `fd00:7::/64`.
public struct Subnet: Sendable {
  private let network: [UInt8]
  private let bits: Int

  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let network = Self.bytes(of: String(parts[0])), let bits = UInt8(parts[1]),
      bits <= network.count * 8
    else { return nil }
    (self.network, self.bits) = (network, Int(bits))  // fits: a byte
  }

  public func contains(_ address: String) -> Bool {
    guard let bytes = Self.bytes(of: address), bytes.count == network.count else { return false }
    return zip(bytes, network).enumerated().allSatisfy { index, pair in
      let counts = min(max(bits - index * 8, 0), 8)
      return counts == 0 || (pair.0 ^ pair.1) >> (8 - counts) == 0
    }
  }

  /// The four or sixteen bytes of an address; nil for what is none.
  fileprivate static func bytes(of address: String) -> [UInt8]? {
    guard address.contains(":") else {
      let parts = address.split(separator: ".", omittingEmptySubsequences: false)
      let bytes = parts.compactMap { UInt8($0) }
      return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }
    var bytes = [UInt8](repeating: 0, count: 16)
    return inet_pton(AF_INET6, address, &bytes) == 1 ? bytes : nil
  }
}
