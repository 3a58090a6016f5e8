internal import FoundationEssentials
internal import Model

/// Words that stand for the names in a recording: the same word for the same name everywhere, so that what belongs
/// together still does, and a slip of the pen stays one.
///
/// Replaced are the names of sites, containers, networks, services and users, part by part (`shop-app_1`), and public
/// addresses. What the system and its programs are called stays, and so do private addresses and ids.
struct Aliases {
  /// Tokens that are names, in small letters.
  private var names: Set<String> = []
  /// What is no name of anybody, whatever is called so: members of the engine's answers, programs, images.
  private var kept: Set<String> = Self.everyday
  /// The last two labels of domains.
  private var domains: Set<String> = []
  private var words: [String: String] = [:]
  private var domainWords: [String: String] = [:]
  private var addresses: [String: String] = [:]

  /// - Parameter host: That of the site.
  init(for records: [any AnyRecord], host: String?) {
    for record in records { collect(record) }
    if let host { add(domain: host) }
    for record in records { JSON(of: record)?.eachText { scan($0) } }
    names.subtract(kept)
    // In the order of the names, so that what is sorted by them stays so as far as it can.
    for part in Set(names.flatMap { Self.parts($0) }).subtracting(kept).sorted() where part.contains(where: \.isLetter)
    {
      words[part] = Self.alias(of: part, among: words, number: words.count)
    }
    for domain in domains.sorted() {
      domainWords[domain] = Self.alias(of: domain, among: domainWords, number: words.count + domainWords.count)
    }
  }

  // MARK: What is a name

  private mutating func collect(_ record: any AnyRecord) {
    switch record {
    case let record as Record<DockerGet>:
      guard case .success(let sight) = record.answer.result,
        let answer = JSON(sight.body)
      else { return }
      collect(answer, under: "", isNetwork: record.look.path.hasPrefix("/networks"))
    case let record as Record<DNSQuery>: add(name: record.look.name)
    case let record as Record<SystemLookup>: add(name: record.look.name)
    case let record as Record<Processes>:
      kept.formUnion(record.look.names)
      guard case .success(let seen) = record.answer.result else { return }
      for process in seen {
        kept.insert(process.name.lowercased())
        if case .user(let user) = process.standing { add(name: user) }
      }
    default: break
    }
  }

  /// Names in an answer of the engine.
  private mutating func collect(_ answer: JSON, under key: String, isNetwork: Bool) {
    switch answer {
    case .array(let array):
      for item in array { collect(item, under: key, isNetwork: isNetwork) }
    case .object(let members):
      for (name, member) in members {
        if key == "Networks" { add(name: name) } else if key != "Labels" { kept.insert(name.lowercased()) }
        collect(member, under: name, isNetwork: isNetwork)
      }
    case .string(let text):
      switch key {
      case "Names", "Aliases", "DNSNames", "Hostname", "com.docker.compose.project", "com.docker.compose.service":
        for part in text.split(separator: "/") { add(name: String(part)) }
      case "Name" where text.hasPrefix("/") || isNetwork: add(name: String(text.drop { $0 == "/" }))
      case "Image": kept.formUnion(text.lowercased().split { "/:@".contains($0) }.map(String.init))
      default: break
      }
    default: break
    }
  }

  private mutating func add(name: String) {
    if name.contains(".") { return add(domain: name) }
    let name = name.lowercased()
    let isID = name.count >= 12 && name.allSatisfy(\.isHexDigit)
    if name.count > 2, !isID { names.insert(name) }
  }

  private mutating func add(domain: String) {
    let labels = domain.lowercased().split(separator: ".").map(String.init)
    guard labels.count > 1, !labels.allSatisfy({ UInt8($0) != nil }), !domain.hasSuffix(".invalid") else { return }
    let base = labels.suffix(2).joined(separator: ".")
    guard !Self.publicDomains.contains(base) else { return }
    domains.insert(base)
    names.formUnion(labels.dropLast(2).filter { $0.count > 2 })
  }

  /// Domains, users' folders and addresses in any text.
  private mutating func scan(_ text: String) {
    for run in Runs(text).all {
      switch run {
      case .other: break
      case .address6(let text): note(text)
      case .word(let text):
        if let octets = Self.octets(text) {
          if Self.isPublic(octets) { note(text) }
        } else if let last = text.split(separator: ".").last, Self.topLevels.contains(last.lowercased()) {
          add(domain: text)
        }
      }
    }
    for part in text.split(separator: "/home/", omittingEmptySubsequences: false).dropFirst() {
      add(name: String(part.prefix { $0.isLetter || $0.isNumber || "_-".contains($0) }))
    }
  }

  private mutating func note(_ address: String) {
    guard addresses[address] == nil else { return }
    let number = addresses.count + 1
    addresses[address] =
      address.contains(":")
      ? "2001:db8::\(String(number, radix: 16))"
      : "\(number < 255 ? "203.0.113" : "198.51.100").\((number - 1) % 254 + 1)"
  }

  private static func octets(_ text: String) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }  // fits: nil if not
    return parts.count == 4 ? parts.reduce([]) { list, part in part.flatMap { part in list.map { $0 + [part] } } } : nil
  }

  private static func isPublic(_ octets: [UInt8]) -> Bool {
    // That of the visitor whom checks name to an app.
    if octets.starts(with: [192, 0, 2]) { return false }
    return switch (octets[0], octets[1]) {
    case (0, _), (10, _), (127, _), (169, 254), (172, 16...31), (192, 168), (100, 64...127), (224..., _): false
    // What everybody asks, and no one's own.
    default: ![[1, 1, 1, 1], [8, 8, 8, 8], [8, 8, 4, 4], [9, 9, 9, 9]].contains(octets)
    }
  }

  // MARK: What stands for it

  /// Far from each other, so that none is a slip of the pen of another one.
  private static let alphabet = [
    "alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett", "kilo", "lima", "mike",
    "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor", "whiskey", "xray", "yankee",
    "zulu",
  ]

  private static func alias(of name: String, among known: [String: String], number: Int) -> String {
    if let near = name.nearest(among: known.keys), let alias = known[near] {
      var alias = alias
      repeat { alias += "x" } while known.values.contains(alias)
      return alias
    }
    let (times, place) = number.quotientAndRemainder(dividingBy: alphabet.count)
    return alphabet[place] + (times == 0 ? "" : alphabet[(place + times) % alphabet.count])
  }

  private static func parts(_ name: String) -> [String] { name.split { "-_".contains($0) }.map(String.init) }

  /// The text with the words in the place of its names.
  func applied(to text: String) -> String {
    Runs(text).all.map { run in
      switch run {
      case .other(let text): text
      case .address6(let text): addresses[text] ?? text
      case .word(let text): addresses[text] ?? word(text)
      }
    }.joined()
  }

  /// - Parameter text: Tokens with dots between.
  private func word(_ text: String) -> String {
    var labels = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    var end = ""
    let dots = labels.reversed().prefix { $0.isEmpty }.count
    if labels.count - dots > 1 {
      let base = labels.dropLast(dots).suffix(2).joined(separator: ".").lowercased()
      if let alias = domainWords[base] {
        end = alias + ".example" + String(repeating: ".", count: dots)
        labels.removeLast(2 + dots)
      }
    }
    return (labels.map(token) + (end.isEmpty ? [] : [end])).joined(separator: ".")
  }

  private func token(_ text: String) -> String {
    guard names.contains(text.lowercased()) else { return text }
    var (result, part) = ("", "")
    for character in text + "-" {
      guard "-_".contains(character) else {
        part.append(character)
        continue
      }
      result += (words[part.lowercased()] ?? part) + String(character)
      part = ""
    }
    return String(result.dropLast())
  }

  // MARK: Lists

  /// What many call theirs, and tells nothing of anybody.
  private static let everyday: Set = [
    "app", "web", "www", "proxy", "default", "bridge", "host", "none", "localhost", "server", "service", "backend",
    "frontend", "api", "db", "database", "cache", "root", "docker", "ingress", "gateway", "internal", "main", "http",
    "https", "tcp", "redis", "postgres", "mysql", "mariadb", "name", "port", "status", "path", "user", "users", "data",
    "config", "log", "logs", "error", "access", "site", "sites", "upstream", "manager",
  ]

  private static let topLevels: Set = Set(
    """
    com org net io dev app de at ch eu uk nl fr it es pl cz se no fi dk be us ca au jp cn ru br info biz me co tv xyz
    online site shop blog cloud tech store ai test example local lan home internal localdomain intern
    """.split { $0.isWhitespace }.map(String.init))

  /// Of those who make what a recording is full of.
  private static let publicDomains: Set = [
    "docker.io", "quay.io", "ghcr.io", "gcr.io", "lscr.io", "docker.com", "github.com", "githubusercontent.com",
    "letsencrypt.org", "nginx.org", "nginx.com", "apache.org", "lighttpd.net", "haproxy.org", "caddyserver.com",
    "traefik.io", "envoyproxy.io", "cloudflare.com", "cloudflare.net", "cfargotunnel.com", "argotunnel.com",
    "amazonaws.com", "cloudfront.net", "debian.org", "ubuntu.com", "kernel.org", "w3.org", "php.net", "python.org",
    "linuxserver.io",
  ]
}

/// A text in pieces: words of letters, digits, `-`, `_` and dots, addresses of IPv6, and what stands between.
private struct Runs {
  enum Run {
    case word(String)
    case address6(String)
    case other(String)
  }

  private(set) var all: [Run] = []

  init(_ text: String) {
    let bytes = Array(text.utf8)
    var (position, start) = (0, 0)
    func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    func end(_ from: Int, _ isPart: (UInt8) -> Bool) -> Int {
      var end = from
      while end < bytes.count, isPart(bytes[end]) { end += 1 }
      return end
    }
    func isHex(_ index: Int) -> Bool { index < bytes.count && bytes[index].isHex }
    while position < bytes.count {
      // The letter behind a backslash, and the number behind a percent sign, are no part of a word.
      if bytes[position] == UInt8(ascii: "\\") {
        position = min(position + 2, bytes.count)
        continue
      }
      if bytes[position] == UInt8(ascii: "%"), isHex(position + 1), isHex(position + 2) {
        position += 3
        continue
      }
      let address = end(position) { $0.isHex || $0 == UInt8(ascii: ":") }
      let word = end(position) { $0.isWord || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
      let isAddress = address > word && Self.isAddress6(string(position..<address))
      guard isAddress || word > position else {
        position += 1
        continue
      }
      if start < position { all.append(.other(string(start..<position))) }
      let next = isAddress ? address : word
      all.append(isAddress ? .address6(string(position..<next)) : .word(string(position..<next)))
      (position, start) = (next, next)
    }
    if start < bytes.count { all.append(.other(string(start..<bytes.count))) }
  }

  /// A public one.
  private static func isAddress6(_ text: String) -> Bool {
    guard let first = text.first, "23".contains(first), text.prefix(while: { $0 != ":" }).count == 4 else {
      return false
    }
    let colons = text.count { $0 == ":" }
    return colons == 7 || colons > 1 && text.contains("::")
  }
}

extension UInt8 {
  fileprivate var isHex: Bool {
    (0x30...0x39).contains(self) || (0x61...0x66).contains(self) || (0x41...0x46).contains(self)
  }
  fileprivate var isWord: Bool {
    (0x30...0x39).contains(self) || (0x61...0x7A).contains(self) || (0x41...0x5A).contains(self)
      || self == UInt8(ascii: "_")
  }
}
