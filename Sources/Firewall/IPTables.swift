import Model

extension PacketFilter {
  /// The table `filter` (and `mangle`, `raw`, `security`) of `iptables-save -c`.
  init(saved: String, program: String) {
    self.init(program: program)
    var table = ""
    for line in saved.lines {
      if line.hasPrefix("*") { table = String(line.dropFirst()) }
      // Addresses are translated in `nat`; nothing is stopped there.
      guard table != "nat" else { continue }
      if line.hasPrefix(":") { declare(line, table) } else { add(line, table) }
    }
  }

  /// `:INPUT DROP [12:720]`
  private mutating func declare(_ line: Substring, _ table: String) {
    let words = line.dropFirst().split(separator: " ")
    guard words.count > 1 else { return }
    // In the order in which the kernel calls them.
    let priority = ["raw": 0, "mangle": 1, "filter": 2, "security": 3][table] ?? 2
    chains.append(
      Chain(
        table: table, name: String(words[0]), hook: Hook(rawValue: String(words[0])), priority: priority,
        policy: words[1] == "DROP" ? .drop : .accept,
        policyPackets: words.count > 2 ? Int(words[2].dropFirst().prefix { $0.isNumber }) : nil))
  }

  /// `[12:720] -A INPUT -p tcp -m tcp --dport 8080 -j DROP`
  private mutating func add(_ line: Substring, _ table: String) {
    let words = line.words
    guard let start = words.firstIndex(of: "-A"), start < 2, words.count > start + 1 else { return }
    let name = words[start + 1]
    if !chains.contains(where: { $0.table == table && $0.name == name }) {
      chains.append(Chain(table: table, name: name, hook: Hook(rawValue: name), priority: 2))
    }
    guard let index = chains.firstIndex(where: { $0.table == table && $0.name == name }) else { return }
    let (conditions, target) = Condition.parse(Array(words[(start + 2)...]))
    chains[index].rules.append(
      Rule(
        text: String(start == 1 ? line.drop { $0 != " " }.dropFirst() : line), number: chains[index].rules.count + 1,
        packets: start == 1 ? Int(words[0].dropFirst().prefix { $0.isNumber }) : nil, target: target
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
    case "-i": return hook == .output ? false : packet.passes(value)
    case "-o": return hook == .input ? false : packet.passes(value)
    case "--dport", "--dports", "--ports":
      return value.split(separator: ",").contains { range in
        let ends = range.split(separator: ":", omittingEmptySubsequences: false)
        let low = UInt16(ends[0]) ?? 0
        return (low...max(low, ends.count > 1 ? UInt16(ends[1]) ?? .max : low)).contains(packet.port)
      }
    case "--ctstate", "--state": return value.split(separator: ",").contains("NEW")
    case "--syn": return true
    case "--tcp-flags":
      guard values.count > 1 else { return nil }
      let mask = value == "ALL" ? ["SYN"] : value.split(separator: ",").map(String.init)
      let wanted = values[1] == "NONE" ? [] : values[1].split(separator: ",").map(String.init)
      return mask.filter { $0 == "SYN" } == wanted
    case "--dst-type":
      if value == "LOCAL" { return hook == .input }
      return ["BROADCAST", "MULTICAST", "ANYCAST"].contains(value) ? false : nil
    default: return nil
    }
  }
}

extension [Bool?] {
  /// False if one is; nil if one is not known.
  var all: Bool? { contains(false) ? false : contains { $0 == nil } ? nil : true }
}

extension Substring {
  /// Words separated by blanks; quotes keep blanks.
  fileprivate var words: [String] {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    var isEscaped = false
    for character in self {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
        word = word ?? ""
      } else if character == " ", !isQuoted {
        if let word { words.append(word) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    return words + (word.map { [$0] } ?? [])
  }
}
