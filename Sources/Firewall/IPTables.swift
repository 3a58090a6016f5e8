import Model

extension PacketFilter {
  /// The tables of `iptables-save -c`.
  init(saved: String, program: String) {
    self.init(program: program)
    var table = ""
    for line in saved.lines {
      if line.hasPrefix("*") { table = String(line.dropFirst()) }
      if line.hasPrefix(":") { declare(line, table) } else { add(line, table) }
    }
  }

  /// `:INPUT DROP [12:720]`
  private mutating func declare(_ line: Substring, _ table: String) {
    let words = line.dropFirst().split(separator: " ")
    guard words.count > 1 else { return }
    chains.append(
      Chain(
        table: table, name: String(words[0]), hook: Hook(rawValue: String(words[0])), priority: Self.priority(table),
        policy: words[1] == "DROP" ? .drop : .accept,
        policyPackets: words.count > 2 ? Int(words[2].dropFirst().prefix { $0.isNumber }) : nil))
  }

  /// In the order in which the kernel calls them, `raw` first. Source: linux/netfilter_ipv4.h.
  private static func priority(_ table: String) -> Int {
    ["raw": -300, "mangle": -150, "nat": -100, "security": 50][table] ?? 0
  }

  /// `[12:720] -A INPUT -p tcp -m tcp --dport 8080 -j DROP`
  private mutating func add(_ line: Substring, _ table: String) {
    let words = line.words
    guard let start = words.firstIndex(of: "-A"), start < 2, words.count > start + 1 else { return }
    let name = words[start + 1]
    if !chains.contains(where: { $0.table == table && $0.name == name }) {
      chains.append(Chain(table: table, name: name, hook: Hook(rawValue: name), priority: Self.priority(table)))
    }
    guard let index = chains.firstIndex(where: { $0.table == table && $0.name == name }) else { return }
    let (conditions, target) = Condition.parse(Array(words[(start + 2)...]))
    chains[index].rules.append(
      Rule(
        text: String(start == 1 ? line.drop { $0 != " " }.dropFirst() : line), number: chains[index].rules.count + 1,
        packets: start == 1 ? Int(words[0].dropFirst().prefix { $0.isNumber }) : nil, target: target,
        isByUser: conditions.contains { $0.name == "--uid-owner" }
      ) { packet, hook in
        conditions.map { $0.holds(for: packet, at: hook) }.all
      })
  }
}

/// One option of a rule with its values.
private struct Condition {
  let name: String
  let values: [String]
  let isNegated: Bool

  static func parse(_ words: [String]) -> ([Condition], PacketFilter.Target) {
    var conditions: [Condition] = []
    var target = PacketFilter.Target.goesOn
    var index = 0
    var isNegated = false
    while index < words.count {
      let word = words[index]
      index += 1
      guard word.hasPrefix("-") else {
        isNegated = word == "!"
        continue
      }
      let values = words[index...].prefix { $0 != "!" && !($0.hasPrefix("-") && Int($0) == nil) }
      index += values.count
      switch word {
      case "-j", "-g":
        target =
          switch values.first ?? "" {
          case "ACCEPT": .accept
          case "DROP", "REJECT": .drop
          case "RETURN": .back
          case "DNAT", "REDIRECT": .translation(Array(words[index...]))
          case let name where name.allSatisfy { $0.isUppercase } && extensions.contains(name): .goesOn
          case let name: .jump(name, isGoto: word == "-g")
          }
        // What follows are the target's own options.
        return (conditions, target)
      case "-m", "--comment": break
      default: conditions.append(Condition(name: word, values: Array(values), isNegated: isNegated))
      }
      isNegated = false
    }
    return (conditions, target)
  }

  private static let extensions: Set = [
    "LOG", "NFLOG", "MARK", "CONNMARK", "TCPMSS", "CT", "NOTRACK", "CLASSIFY", "DSCP", "TOS", "TTL", "HL", "AUDIT",
    "SECMARK", "CONNSECMARK", "ULOG", "TRACE", "SET", "CHECKSUM",
  ]

  /// Nil if it cannot be judged.
  func holds(for packet: Packet, at hook: Hook) -> Bool? {
    judged(packet, hook).map { $0 != isNegated }
  }

  private func judged(_ packet: Packet, _ hook: Hook) -> Bool? {
    let value = values.first ?? ""
    switch name {
    case "-p": return ["tcp", "all", "6"].contains(value)
    case "-d": return Subnet.covers(value, packet.to)
    case "-s": return packet.comes(from: value)
    case "-i": return packet.comes(in: value, at: hook)
    case "-o": return packet.goes(out: value, at: hook)
    case "--dport", "--dports", "--ports":
      return value.split(separator: ",").contains { range in
        let ends = range.split(separator: ":", omittingEmptySubsequences: false)
        let low = UInt16(ends[0]) ?? 0
        return (low...max(low, ends.count > 1 ? UInt16(ends[1]) ?? .max : low)).contains(packet.port)
      }
    case "--ctstate", "--state":
      return value.split(separator: ",").contains { $0 == "NEW" || $0 == "DNAT" && packet.isTranslated }
    case "--syn": return true
    case "--uid-owner":
      guard packet.isSentHere else { return false }
      let ends = value.split(separator: "-").map { UInt32($0) }  // fits: a text
      guard let user = packet.user, let low = ends.first ?? nil, let high = ends.last ?? nil else { return nil }
      return low <= user && user <= high
    case "--tcp-flags":
      guard values.count > 1 else { return nil }
      let mask = value == "ALL" ? ["SYN"] : value.split(separator: ",").map(String.init)
      let wanted = values[1] == "NONE" ? [] : values[1].split(separator: ",").map(String.init)
      return mask.filter { $0 == "SYN" } == wanted
    case "--dst-type":
      if value == "LOCAL" { return packet.isLocal || hook == .input }
      return ["BROADCAST", "MULTICAST", "ANYCAST"].contains(value) ? false : nil
    default: return nil
    }
  }
}

extension PacketFilter.Target {
  /// `--to-destination 172.18.0.2:80`, `[fd00::2]:80`, `--to-ports 8080`. Of a range of addresses one cannot be told.
  fileprivate static func translation(_ options: [String]) -> Self {
    func value(_ name: String) -> String? { options.firstIndex(of: name).flatMap { options.dropFirst($0 + 1).first } }
    if let ports = value("--to-ports") { return .translate(to: nil, port: UInt16(ports.prefix { $0 != "-" })) }
    guard let to = value("--to-destination") else { return .translate(to: nil, port: nil) }
    let hasPort = to.hasPrefix("[") ? to.contains("]:") : to.count { $0 == ":" } == 1
    let colon = hasPort ? to.lastIndex(of: ":") : nil
    let address = to[..<(colon ?? to.endIndex)].filter { $0 != "[" && $0 != "]" }
    let port = colon.flatMap { UInt16(to[to.index(after: $0)...].prefix { $0 != "-" }) }
    return .translate(to: address.contains("-") ? nil : address, port: port)
  }
}

extension [Bool?] {
  /// False if one is; nil if one is not known.
  var all: Bool? { contains(false) ? false : contains { $0 == nil } ? nil : true }
}
