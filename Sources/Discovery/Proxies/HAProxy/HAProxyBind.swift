import Model

extension HAProxy {
  /// One address of a `bind` line.
  struct Bind: Sendable, Equatable {
    /// Empty: every one.
    let address: String
    let ports: ClosedRange<UInt16>
    let isTLS: Bool

    /// The TCP addresses of a line: `bind :80,:443-445 ssl crt /certs`. Unix sockets, descriptors and QUIC are left out.
    static func all(_ directive: Directive) -> [Bind] {
      guard let list = directive.arguments.first else { return [] }
      let isTLS = directive.arguments.dropFirst().contains("ssl")
      return list.split(separator: ",").compactMap { item in
        var text = String(item)
        for family in ["ipv4@", "ipv6@", "tcp4@", "tcp6@"] where text.hasPrefix(family) {
          text.removeFirst(family.count)
        }
        guard !text.contains("@"), !text.hasPrefix("/"), let colon = text.lastIndex(of: ":") else { return nil }
        let ports = text[text.index(after: colon)...].split(separator: "-").compactMap { UInt16($0) }
        guard let first = ports.first, let last = ports.last, first <= last else { return nil }
        let address = String(text[..<colon]).trimmedBrackets
        return Bind(address: address == "*" ? "" : address, ports: first...last, isTLS: isTLS)
      }
    }
  }
}
