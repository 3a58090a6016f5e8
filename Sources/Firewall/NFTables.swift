import FoundationEssentials
import Model

extension PacketFilter {
  /// What `nft -j list ruleset` prints; nil if it is none. Tables that iptables keeps are left to iptables.
  init?(ruleset: String, skipping tables: Set<String>) {
    guard let document = try? JSONDecoder().decode(JSON.self, from: Data(ruleset.utf8)),
      let items = document["nftables"]?.list
    else { return nil }
    self.init(program: "nft")
    for item in items {
      if let chain = item["chain"] { declare(chain, skipping: tables) }
      if let rule = item["rule"] { add(rule) }
    }
  }

  private mutating func declare(_ chain: JSON, skipping tables: Set<String>) {
    guard let family = chain["family"]?.text, ["ip", "ip6", "inet"].contains(family), let table = chain["table"]?.text,
      let name = chain["name"]?.text, !tables.contains("\(family) \(table)")
    else { return }
    let isCalled = ["filter", "nat"].contains(chain["type"]?.text)
    chains.append(
      Chain(
        table: "\(family) \(table)", name: name,
        hook: isCalled ? chain["hook"]?.text.flatMap { Hook(rawValue: $0.uppercased()) } : nil,
        priority: chain["prio"]?.number ?? 0, policy: chain["policy"]?.text == "drop" ? .drop : .accept))
  }

  private mutating func add(_ rule: JSON) {
    let table = "\(rule["family"]?.text ?? "") \(rule["table"]?.text ?? "")"
    guard let name = rule["chain"]?.text,
      let index = chains.firstIndex(where: { $0.table == table && $0.name == name })
    else { return }
    let family = rule["family"]?.text ?? ""
    let statements = rule["expr"]?.list ?? []
    var conditions: [Match] = []
    var target = Target.goesOn
    var packets: Int?
    for statement in statements {
      guard let (key, value) = statement.members.first else { continue }
      switch key {
      case "match": conditions.append(Match(value))
      case "counter": packets = value["packets"]?.number
      case "accept": target = .accept
      case "drop", "reject": target = .drop
      case "return": target = .back
      case "jump", "goto": target = .jump(value["target"]?.text ?? "", isGoto: key == "goto")
      case "dnat":
        target = .translate(to: value["addr"]?.text, port: value["port"]?.number.flatMap { UInt16(exactly: $0) })
      case "redirect": target = .translate(to: nil, port: value["port"]?.number.flatMap { UInt16(exactly: $0) })
      case "log", "comment", "mangle": break
      // A limit, a set, a verdict map, an extension of iptables: not judged.
      default: conditions.append(Match(nil))
      }
    }
    let words = conditions.map(\.words).filter { !$0.isEmpty }
    let verdict = statements.last?.members.first.map(\.key) ?? ""
    chains[index].rules.append(
      Rule(
        text: (["\(table) \(name):"] + words + [verdict]).joined(separator: " "), number: rule["handle"]?.number ?? 0,
        packets: packets, target: target, isByUser: conditions.contains { $0.subject == "skuid" }
      ) { packet, hook in
        if family == "ip", packet.to.contains(":") { return false }
        if family == "ip6", !packet.to.contains(":") { return false }
        return conditions.map { $0.holds(for: packet, at: hook) }.all
      })
  }
}

/// `{"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 8080}`
private struct Match {
  let subject: String
  private let isNegated: Bool
  private let values: [JSON]

  /// Nil: a condition that is not judged.
  init(_ match: JSON?) {
    let left = match?["left"]
    if let payload = left?["payload"] {
      subject = "\(payload["protocol"]?.text ?? "") \(payload["field"]?.text ?? "")"
    } else if let meta = left?["meta"] {
      subject = meta["key"]?.text ?? ""
    } else if let fib = left?["fib"], fib["result"]?.text == "type",
      (fib["flags"]?.list?.first ?? fib["flags"])?.text == "daddr"
    {
      subject = "fib daddr"
    } else if let state = left?["ct"] {
      subject = "ct \(state["key"]?.text ?? "")"
    } else {
      subject = ""
    }
    let sign = match?["op"]?.text ?? "=="
    isNegated = sign == "!="
    let right = match?["right"]
    values = ["==", "!=", "in"].contains(sign) ? right?["set"]?.list ?? right?.list ?? [right].compactMap(\.self) : []
  }

  /// For people: `tcp dport 8080`.
  var words: String {
    subject.isEmpty
      ? ""
      : ([subject] + (isNegated ? ["!="] : []) + [values.map(\.words).joined(separator: ", ")]).joined(separator: " ")
  }

  func holds(for packet: Packet, at hook: Hook) -> Bool? {
    // `@name` is a set that is kept elsewhere.
    guard !values.isEmpty, !values.contains(where: { $0.text?.hasPrefix("@") == true }) else { return nil }
    let each = values.map { judged($0, packet, hook) }
    let any: Bool? = each.contains(true) ? true : each.contains { $0 == nil } ? nil : false
    return any.map { $0 != isNegated }
  }

  private func judged(_ value: JSON, _ packet: Packet, _ hook: Hook) -> Bool? {
    switch subject {
    case "tcp dport", "th dport":
      if let ends = value["range"]?.list, ends.count == 2, let low = ends[0].number, let high = ends[1].number {
        return low <= packet.port && packet.port <= high
      }
      return value.number.map { $0 == packet.port }
    case "udp dport", "udp sport", "icmp type", "icmpv6 type": return false
    case "skuid":
      guard packet.isSentHere else { return false }
      guard let user = packet.user else { return nil }
      if let ends = value["range"]?.list, ends.count == 2, let low = ends[0].number, let high = ends[1].number {
        return low <= Int(user) && Int(user) <= high  // fits: 32 bits
      }
      return value.number.map { $0 == Int(user) }  // fits: 32 bits
    case "ip daddr", "ip6 daddr": return value.range.flatMap { Subnet.covers($0, packet.to) }
    case "ip saddr", "ip6 saddr": return value.range.flatMap { packet.comes(from: $0) }
    case "iifname", "iif": return value.text.flatMap { packet.comes(in: $0, at: hook) }
    case "oifname", "oif": return value.text.flatMap { packet.goes(out: $0, at: hook) }
    case "fib daddr": return value.text == "local" ? packet.isLocal || hook == .input : nil
    case "l4proto", "ip protocol", "ip6 nexthdr": return value.text.map { $0 == "tcp" } ?? value.number.map { $0 == 6 }
    case "nfproto": return value.text == (packet.to.contains(":") ? "ipv6" : "ipv4")
    case "ct state": return value.text == "new"
    case "ct status": return value.text == "dnat" ? packet.isTranslated : nil
    default: return nil
    }
  }
}

/// Any JSON value. nft's listing has another shape for each kind of statement.
enum JSON: Decodable {
  case object([String: JSON])
  case array([JSON])
  case string(String)
  case integer(Int)
  case other

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let object = try? container.decode([String: JSON].self) {
      self = .object(object)
    } else if let array = try? container.decode([JSON].self) {
      self = .array(array)
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let number = try? container.decode(Int.self) {
      self = .integer(number)
    } else {
      self = .other
    }
  }

  subscript(_ key: String) -> JSON? { if case .object(let members) = self { members[key] } else { nil } }
  var members: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
  var list: [JSON]? { if case .array(let list) = self { list } else { nil } }
  var text: String? { if case .string(let text) = self { text } else { nil } }
  var number: Int? { if case .integer(let number) = self { number } else { nil } }

  /// An address or a prefix: `10.0.0.0/8`.
  fileprivate var range: String? {
    if let prefix = self["prefix"], let address = prefix["addr"]?.text, let length = prefix["len"]?.number {
      return "\(address)/\(length)"
    }
    return text
  }

  fileprivate var words: String {
    if let ends = self["range"]?.list { return ends.map(\.words).joined(separator: "-") }
    return range ?? number.map { String($0) } ?? ""
  }
}
