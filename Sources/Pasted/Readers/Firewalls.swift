import Model
import Pattern
import World

extension Account {
  static let firewallReaders = [
    OutputReader(
      claims: { passage in
        ["iptables-save", "ip6tables-save"].contains(passage.program)
          || passage.isOf("nft") && passage.words.contains("-j")
          || passage.command == nil && passage.lines.contains { ["*filter", "*nat"].contains($0) }
      },
      read: { passage, account in
        let said = CommandRun.Command(rawValue: passage.program) ?? .packetFilter
        guard let place = account.place(of: passage), !passage.lines.isEmpty, !passage.isFailure else { return }
        account.packetFilters[place, default: [:]][said] = passage.text + "\n"
      }),
    // `iptables -S`, `iptables -L -n -v`: one table, with its chains in lines or in words.
    OutputReader(
      claims: { passage in
        ["iptables", "ip6tables"].contains(passage.program)
          || passage.command == nil
            && passage.lines.contains { $0.hasPrefix("Chain ") && $0.contains("(policy ") || $0.hasPrefix("-P INPUT ") }
      },
      read: { passage, account in
        guard let place = account.place(of: passage), !passage.lines.isEmpty, !passage.isFailure else { return }
        let option = passage.words.firstIndex(of: "-t").map { $0 + 1 }
        let table = option.flatMap { passage.words.indices.contains($0) ? passage.words[$0] : nil } ?? "filter"
        let isListed = passage.lines.contains { $0.hasPrefix("Chain ") }
        let (rules, unread) = isListed ? listed(passage.lines) : (passage.lines.compactMap(policy), [])
        for index in unread { account.addUnread(index, of: passage) }
        let command = passage.program == "ip6tables" ? CommandRun.Command.packetFilter6 : .packetFilter
        account.packetFilters[place, default: [:]][command, default: ""] +=
          "*\(table)\n" + rules.map { $0 + "\n" }.joined() + "COMMIT\n"
      }),
    // `nft list ruleset`
    OutputReader(
      claims: { passage in
        passage.isOf("nft", "list")
          || passage.command == nil
            && passage.lines.contains { $0.hasPrefix("table ") && $0.hasSuffix("{") }
      },
      read: { passage, account in
        guard let place = account.place(of: passage), !passage.isFailure else { return }
        var ruleset = Ruleset()
        for (index, line) in passage.lines.enumerated() where !ruleset.read(line.trimmed) {
          account.addUnread(index, of: passage)
        }
        account.packetFilters[place, default: [:]][.nftables] = String(decoding: ruleset.written, as: UTF8.self)
      }),
  ]

  /// `-P INPUT DROP` as `iptables-save` has it.
  private static func policy(_ line: String) -> String? {
    let words = line.split(separator: " ").map(String.init)
    if words.count == 3, words[0] == "-P" { return ":\(words[1]) \(words[2])" }
    if words.count == 2, words[0] == "-N" { return ":\(words[1]) -" }
    return line.hasPrefix("-A ") ? line : nil
  }

  /// The chains of `iptables -L -n -v`, or without `-v`, as `iptables-save` has them; and the lines that are neither.
  ///
  /// Source: iptables(8), `--list`, and the matches' own words in iptables-extensions(8).
  private static func listed(_ lines: [String]) -> (rules: [String], unread: [Int]) {
    var rules: [String] = [], unread: [Int] = []
    var chain: String?, hasCounters = false
    for (index, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
      let words = line.split(separator: " ").map(String.init)
      if words[0] == "Chain", words.count > 2 {
        chain = words[1]
        let policy = line.components(around: "(policy ")?.1.prefix { $0.isLetter }
        rules.append(":\(words[1]) \(policy.map(String.init) ?? "-")")
      } else if words[0] == "pkts" || words[0] == "num" || words[0] == "target" {
        hasCounters = words.contains("pkts")
      } else if let chain, let rule = rule(words, hasCounters) {
        rules.append("-A \(chain) \(rule)".replacing("#\(chain)#", with: chain))
      } else {
        unread.append(index)
      }
    }
    return (rules, unread)
  }

  private static let targets: Set = [
    "ACCEPT", "DROP", "REJECT", "RETURN", "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "LOG", "MARK",
  ]

  /// `pkts bytes target prot opt in out source destination …`; without counters, without `in` and `out`.
  private static func rule(_ words: [String], _ hasCounters: Bool) -> String? {
    var rest = words[...]
    if hasCounters { rest = rest.dropFirst(2) }
    // A rule may have no target.
    let protocols: Set = ["all", "tcp", "udp", "icmp", "ipv6-icmp", "icmpv6", "0", "6", "17", "1", "esp", "ah"]
    guard let first = rest.first else { return nil }
    var target: String?
    if !protocols.contains(first) || rest.dropFirst().first.map(protocols.contains) == true {
      target = rest.popFirst()
    }
    guard rest.count > (hasCounters ? 5 : 3), let kind = rest.popFirst() else { return nil }
    if rest.first?.hasPrefix("-") == true { rest = rest.dropFirst() }
    var rule: [String] = []
    if !["all", "0"].contains(kind) { rule += ["-p", kind] }
    func add(_ option: String, _ value: String?, unless any: Set<String>) {
      guard let value, !any.contains(value) else { return }
      rule += value.hasPrefix("!") ? ["!", option, String(value.dropFirst())] : [option, value]
    }
    if hasCounters {
      add("-i", rest.popFirst(), unless: ["*", "any"])
      add("-o", rest.popFirst(), unless: ["*", "any"])
    }
    add("-s", rest.popFirst(), unless: ["0.0.0.0/0", "::/0", "anywhere"])
    add("-d", rest.popFirst(), unless: ["0.0.0.0/0", "::/0", "anywhere"])
    rule += options(Array(rest), target)
    return rule.joined(separator: " ")
  }

  /// What stands behind the addresses; what is not known becomes a condition that nobody can judge.
  private static func options(_ words: [String], _ target: String?) -> [String] {
    var options: [String] = [], own: [String] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      let value = word.components(around: ":")
      switch (value?.0 ?? word, value?.1) {
      case ("tcp", nil), ("udp", nil), ("multiport", nil), ("/*", nil):
        if word == "/*" { rest = rest.drop { $0 != "*/" }.dropFirst() }
      case ("dpt", let port?):
        options += port.hasPrefix("!") ? ["!", "--dport", String(port.dropFirst())] : ["--dport", port]
      case ("dpts", let ports?): options += ["--dport", ports]
      case ("dports", nil): options += ["--dports", rest.popFirst() ?? ""]
      case ("state", nil), ("ctstate", nil): options += ["--ctstate", rest.popFirst() ?? ""]
      case ("ADDRTYPE", nil):
        while rest.first == "match" || rest.first?.hasSuffix("-type") == true {
          if let type = rest.popFirst(), type.hasSuffix("-type"), let value = rest.popFirst() {
            options += ["--\(type)", value]
          }
        }
      case ("reject-with", nil): rest = rest.dropFirst()
      case ("to", let address?): own += ["--to-destination", address]
      case ("redir", nil), ("ports", nil):
        if rest.first == "ports" { rest = rest.dropFirst() }
        own += ["--to-ports", rest.popFirst() ?? ""]
      case ("[goto]", nil): break
      default: options += ["--unknown", word]
      }
    }
    return options + (target.map { [words.contains("[goto]") ? "-g" : "-j", $0] } ?? []) + own
  }
}

extension Passage {
  fileprivate var isFailure: Bool {
    text.contains("not found") || text.contains("ermission denied") || text.contains("Operation not permitted")
  }
}

/// What `nft list ruleset` prints, in the form of `nft -j list ruleset`. Source: nft(8), libnftables-json(5).
private struct Ruleset {
  private var items: [JSON] = []
  private var table: (family: String, name: String)?
  private var chain: String?
  /// Sets and maps, whose lines say nothing of packets by themselves.
  private var depth = 0
  private var handle = 0

  var written: [UInt8] { JSON.object(["nftables": .array(items)]).written }

  private static let hook = try? Pattern(
    #"type (?<type>\w+) hook (?<hook>\w+)(?: device \S+)? priority (?<prio>[^;]+);(?: policy (?<policy>\w+);)?"#)
  private static let priorities = [
    "raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100,
  ]

  /// False for a line that is nothing known.
  mutating func read(_ line: String) -> Bool {
    let words = line.split(separator: " ").map(String.init)
    guard let first = words.first, !line.hasPrefix("#") else { return true }
    if depth > 0 {
      depth += line.count { $0 == "{" } - line.count { $0 == "}" }
      return true
    }
    switch first {
    case "table" where words.count > 3: table = (words[1], words[2])
    case "chain" where words.count > 2 && line.hasSuffix("{"):
      chain = words[1]
      add("chain", ["name": .string(words[1])])
    case "set", "map", "flowtable", "ct", "counter", "limit":
      guard line.hasSuffix("{"), chain == nil else { return rule(line) }
      depth = 1
    case "}":
      if chain != nil { chain = nil } else { table = nil }
    case "type" where words.contains("hook"):
      guard let match = Self.hook?.firstMatch(in: line), let name = chain else { return false }
      items.removeLast()
      let priority = match.text(of: "prio")?.trimmed ?? ""
      add(
        "chain",
        [
          "name": .string(name), "type": .string(match.text(of: "type") ?? ""),
          "hook": .string(match.text(of: "hook") ?? ""),
          "prio": .whole(Int(priority) ?? Self.priorities[priority] ?? 0),  // fits: it is a text
          "policy": .string(match.text(of: "policy") ?? "accept"),
        ])
    default: return rule(line)
    }
    return true
  }

  private mutating func add(_ kind: String, _ members: [String: JSON]) {
    guard let table else { return }
    let place: [String: JSON] = ["family": .string(table.family), "table": .string(table.name)]
    items.append(.object([kind: .object(place.merging(members) { $1 })]))
  }

  private mutating func rule(_ line: String) -> Bool {
    guard let chain else { return false }
    handle += 1
    var statements: [JSON] = []
    // `{ 80, 443 }` is one value.
    var rest = line.replacing("{ ", with: "{").replacing(" }", with: "}").replacing(", ", with: ",")
      .split(separator: " ").map(String.init)[...]
    while let word = rest.popFirst() {
      switch word {
      case "accept", "drop", "return": statements.append(.object([word: .null]))
      case "reject":
        statements.append(.object(["reject": .null]))
        rest = []
      case "jump", "goto": statements.append(.object([word: .object(["target": .string(rest.popFirst() ?? "")])]))
      case "counter":
        guard rest.first == "packets", rest.count > 3 else { continue }
        let packets = Int(rest.dropFirst().first ?? "")  // fits: it is a text
        statements.append(.object(["counter": .object(["packets": packets.map { .whole($0) } ?? .null])]))
        rest = rest.dropFirst(4)
      case "dnat":
        while let next = rest.first, ["to", "ip", "ip6"].contains(next) { rest = rest.dropFirst() }
        let to = rest.popFirst() ?? ""
        let ends = to.hasPrefix("[") ? to.dropFirst().components(around: "]:") : to.components(around: ":")
        var members: [String: JSON] = ["addr": .string(ends?.0 ?? to)]
        if let port = ends.flatMap({ Int($0.1) }) { members["port"] = .whole(port) }  // fits: it is a text
        statements.append(.object(["dnat": .object(members)]))
      case "comment", "log": rest = []
      case "iifname", "oifname", "iif", "oif", "tcp", "udp", "ip", "ip6", "ct", "th", "meta", "fib":
        statements.append(match(word, &rest))
      // Nobody judges what is not known.
      default: statements.append(.object(["unknown": .string(word)]))
      }
    }
    add("rule", ["chain": .string(chain), "handle": .whole(handle), "expr": .array(statements)])
    return true
  }

  private func match(_ word: String, _ rest: inout ArraySlice<String>) -> JSON {
    let left: JSON
    switch word {
    case "tcp", "udp", "ip", "ip6", "th":
      left = .object(["payload": .object(["protocol": .string(word), "field": .string(rest.popFirst() ?? "")])])
    case "ct": left = .object(["ct": .object(["key": .string(rest.popFirst() ?? "")])])
    case "meta": left = .object(["meta": .object(["key": .string(rest.popFirst() ?? "")])])
    case "fib":
      let (flags, result) = (rest.popFirst() ?? "", rest.popFirst() ?? "")
      left = .object(["fib": .object(["result": .string(result), "flags": .string(flags)])])
    default: left = .object(["meta": .object(["key": .string(word)])])
    }
    var sign = "=="
    if let first = rest.first, ["==", "!=", "<", ">", "<=", ">="].contains(first) { sign = rest.popFirst() ?? sign }
    let text = rest.popFirst() ?? ""
    let values = text.filter { !"{}".contains($0) }.split(separator: ",").map { value(String($0)) }
    let right: JSON = values.count == 1 ? values[0] : .object(["set": .array(values)])
    return .object(["match": .object(["op": .string(sign), "left": left, "right": right])])
  }

  /// `8080`, `80-90`, `10.0.0.0/8`, `"eth0"`, `new`
  private func value(_ text: String) -> JSON {
    let text = text.filter { $0 != "\"" }
    if let number = Int(text) { return .whole(number) }  // fits: it is a text
    let ends = text.split(separator: "-").compactMap { Int($0) }  // fits: it is a text
    if ends.count == 2, !text.contains(".") { return .object(["range": .array(ends.map { .whole($0) })]) }
    if let (address, length) = text.components(around: "/"), let length = Int(length) {  // fits: it is a text
      return .object(["prefix": .object(["addr": .string(address), "len": .whole(length)])])
    }
    return .string(text)
  }
}

extension Substring {
  fileprivate func components(around mark: String) -> (String, String)? { String(self).components(around: mark) }
}
