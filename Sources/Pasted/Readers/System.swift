import Model
import World

extension Account {
  static let systemReaders = [
    OutputReader(
      claims: { $0.isOf("date") },
      read: { passage, account in account.now = passage.lines.first.flatMap { Double($0) } ?? account.now }),
    OutputReader(
      claims: { $0.isOf("id") },
      read: { passage, account in
        guard let line = passage.lines.first else { return }
        account.isRoot = line == "0" || line.hasPrefix("uid=0(")
      }),
    // `ip -o addr`, `ip addr`, `ifconfig`: an address stands behind `inet` or `inet6`.
    OutputReader(
      claims: { $0.isOf("ip") || $0.isOf("ifconfig") },
      read: { passage, account in
        let found = passage.lines.compactMap { line -> String? in
          let words = line.split(separator: " ").map(String.init)
          guard let word = words.firstIndex(where: { $0 == "inet" || $0 == "inet6" }), word + 1 < words.count else {
            return nil
          }
          let address = words[word + 1] == "addr:" && word + 2 < words.count ? words[word + 2] : words[word + 1]
          return String((address.hasPrefix("addr:") ? String(address.dropFirst(5)) : address).prefix { $0 != "/" })
        }
        if !found.isEmpty { account.ownAddresses = found.filter { !$0.isIPv6 } + found.filter(\.isIPv6) }
      }),
    OutputReader(
      claims: { $0.isOf("iptables-save") || $0.isOf("ip6tables-save") || $0.isOf("nft") },
      read: { passage, account in
        guard let command = CommandRun.Command(rawValue: passage.command[0]),
          !passage.lines.isEmpty, !passage.text.contains("not found"), !passage.text.contains("ermission denied")
        else { return }
        account.packetFilters[command] = passage.text + "\n"
      }),
  ]
}
