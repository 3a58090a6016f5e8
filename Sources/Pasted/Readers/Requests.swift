import Model
import World

extension Account {
  static let requestReaders = [
    // `curl`, `curl -i`, `curl -v`; `nsenter -t PID -n curl` from a process's network.
    OutputReader(
      claims: { passage in passage.program == "curl" || passage.lines.contains { $0.hasPrefix("< HTTP/") } },
      read: { passage, account in
        guard let url = passage.command.first(where: { $0.contains("://") }) ?? passage.askedURL else {
          return
        }
        account.answers[Question(place: passage.place(account), url: url.withPath, headers: passage.headers)] =
          HTTPRequest.Sight(
            curl: passage.lines)
      }),
    // `wget -S`, GNU's and busybox'.
    OutputReader(
      claims: { passage in passage.program == "wget" || passage.lines.contains { $0.hasPrefix("HTTP request sent, ") }
      },
      read: { passage, account in
        let said = passage.lines.first { $0.hasPrefix("--") && $0.contains("://") }.flatMap {
          $0.split(separator: " ").last
        }
        guard let url = passage.command.first(where: { $0.contains("://") }) ?? said.map(String.init) else { return }
        account.answers[Question(place: passage.place(account), url: url.withPath)] = HTTPRequest.Sight(
          wget: passage.lines)
      }),
    // `dig NAME`, `nslookup NAME`
    OutputReader(
      claims: { passage in
        passage.isOf("dig") || passage.isOf("nslookup") || passage.lines.contains { $0.hasPrefix(";; ANSWER SECTION") }
      },
      read: { passage, account in
        guard let (name, addresses) = passage.lookedUp else {
          return
        }
        account.names[passage.place(account), default: [:]][name.lowercased()] = addresses
      }),
    // `getent hosts NAME`: nothing where the name has no address.
    OutputReader(
      claims: { $0.isOf("getent") },
      read: { passage, account in
        guard let name = passage.command.last, passage.command.count > 2 else { return }
        let addresses = passage.lines.compactMap { $0.split(separator: " ").first.map(String.init) }.filter(\.isAddress)
        account.names[passage.place(account), default: [:]][name.lowercased()] = addresses
      }),
  ]
}

extension Passage {
  /// The program that did it, behind what led into a container or a namespace.
  fileprivate var program: String? {
    switch command.first {
    case "nsenter": command.first { $0 == "curl" || $0 == "wget" }
    case "docker", "podman": command.dropFirst(2).first { $0 == "curl" || $0 == "wget" }
    default: command.first
    }
  }

  /// What curl was told to send besides, each up to the next option; not the host's name.
  fileprivate var headers: [String] {
    command.indices.filter { command[$0] == "-H" }.map { index in
      command[(index + 1)...].prefix { !$0.hasPrefix("-") && !$0.contains("://") }.joined(separator: " ")
    }.filter { !$0.lowercased().hasPrefix("host:") }
  }

  /// Where it was run, as far as the command says.
  fileprivate func place(_ account: Account) -> Place {
    enteredProcess.map { Place.process($0) } ?? placeOfContainer(account) ?? .host
  }

  /// A name and its addresses, as `dig` or `nslookup` tell them; nil where they got no answer.
  fileprivate var lookedUp: (name: String, addresses: [String])? {
    let words = lines.map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    let records = words.filter { $0.count > 4 && $0[2] == "IN" && ["A", "AAAA"].contains($0[3]) }
    if let first = records.first { return (String(first[0].dropLast()), records.map { $0[4] }) }
    let asked = command.last { !$0.hasPrefix("-") && !$0.hasPrefix("@") && !$0.isAddress && $0 != command[0] }
    if let asked, text.contains("NXDOMAIN") || text.contains("can't find") { return (asked, []) }
    // The server's own address stands before the name's.
    guard let name = words.firstIndex(where: { $0.first == "Name:" && $0.count > 1 }) else { return nil }
    let found = words[name...].filter { $0.first?.hasPrefix("Address") == true }.compactMap { $0.last }.filter(
      \.isAddress)
    return (words[name][1], found)
  }

  fileprivate var enteredProcess: Int32? {
    guard command.first == "nsenter", let option = command.firstIndex(of: "-t"), option + 1 < command.count else {
      return nil
    }
    return Int32(command[option + 1])  // fits: it is a text
  }

  /// What `curl -v` says that it asks for: `> GET /path HTTP/1.1`, `> Host: shop.example.org`.
  fileprivate var askedURL: String? {
    guard let request = lines.first(where: { $0.hasPrefix("> GET ") || $0.hasPrefix("> HEAD ") }),
      let host = lines.first(where: { $0.lowercased().hasPrefix("> host: ") })
    else { return nil }
    let words = request.split(separator: " ")
    let isTLS = lines.contains { $0.hasPrefix("* SSL connection using") || $0.hasPrefix("* TLSv1") }
    return (isTLS ? "https://" : "http://") + host.dropFirst(8) + (words.count > 2 ? words[2] : "/")
  }
}

extension String {
  /// An address with its path, `/` where it has none.
  var withPath: String {
    guard let scheme = firstRange(of: "://") else { return self }
    return self[scheme.upperBound...].contains("/") ? self : self + "/"
  }
}

extension HTTPRequest.Sight {
  /// What `curl -i` or `curl -v` prints. Source: curl(1), "EXIT CODES".
  fileprivate init(curl lines: [String]) {
    self.init()
    let isVerbose = lines.contains { $0.hasPrefix("< HTTP/") }
    var size: Int?
    var isHead = false
    var body: [String] = []
    for var line in lines {
      if let times = line.after("##502-times ") {
        size = read(times)
        continue
      }
      if let failure = line.after("curl: (") {
        self.failure = Self.failure(failure)
        continue
      }
      if isVerbose {
        if let connected = line.after("* Connected to "), let open = connected.firstIndex(of: "(") {
          address = String(connected[connected.index(after: open)...].prefix { $0 != ")" })
        }
        if line.hasPrefix("* ") || line.hasPrefix("> ") || line.hasPrefix("{ [") || line.hasPrefix("} [") { continue }
        if line == ">" || line == "*" { continue }
        if let head = line.after("< ") ?? (line == "<" ? "" : nil) { line = String(head) }
      }
      if line.hasPrefix("HTTP/"), status == nil || isHead || status.map({ $0 < 200 }) == true, body.isEmpty {
        let words = line.split(separator: " ")
        status = words.count > 1 ? Int(words[1]) : nil  // fits: it is a text
        headers = []
        isHead = true
      } else if isHead, line.trimmed.isEmpty {
        isHead = false
      } else if isHead, let colon = line.firstIndex(of: ":") {
        headers.append(.init(name: String(line[..<colon]), value: String(line[line.index(after: colon)...]).trimmed))
      } else {
        body.append(line)
      }
    }
    self.body = Array(body.joined(separator: "\n").utf8)
    if status != nil {
      let sizes = headers.map { $0.name.utf8.count + $0.value.utf8.count + 2 }
      // The status line, line ends and the empty line. What `collect` has hidden is counted with the longest line.
      let shown = sizes.reduce(19) { $0 + $1 + 2 }
      let bytes = max(shown, size ?? 0)
      headerSize = .init(bytes: bytes, longest: (sizes.max() ?? 0) + bytes - shown, lines: headers.count)
    }
    if failure == .refused, (times.total ?? 0) > 1 { failure = .unreachable }
  }

  /// What `wget -S` prints: heads are indented.
  fileprivate init(wget lines: [String]) {
    self.init()
    var isHead = false
    for line in lines {
      let text = line.trimmed
      if text.hasPrefix("HTTP/"), line.hasPrefix(" ") {
        status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }  // fits: it is a text
        (headers, isHead) = ([], true)
      } else if isHead, line.hasPrefix(" "), let colon = text.firstIndex(of: ":") {
        headers.append(.init(name: String(text[..<colon]), value: String(text[text.index(after: colon)...]).trimmed))
      } else {
        isHead = false
        failure = status == nil ? Self.failure(wget: text) ?? failure : failure
      }
    }
  }

  private static func failure(wget line: String) -> HTTPRequest.Failure? {
    let said: [(String, HTTPRequest.Failure)] = [
      ("onnection refused", .refused), ("No route to host", .unreachable), ("Network is unreachable", .unreachable),
      ("Connection timed out", .connectTimeout), ("timed out", .answerTimeout), ("reset by peer", .reset),
      ("No data received", .closed), ("error getting response", .closed), ("bad address", .name),
      ("unable to resolve", .name), ("not known", .name), ("wrong version number", .notTLS(line)),
    ]
    return said.first { line.contains($0.0) }?.1
  }

  /// `127.0.0.1 0.0002 0.5 0.51 240`: address, seconds to the connection, the first byte and the end, and bytes of the
  /// header, which it gives back.
  private mutating func read(_ times: Substring) -> Int? {
    let words = times.split(separator: " ")
    if let address = words.first, words.count == 5 { self.address = String(address) }
    let numbers = words.suffix(4).compactMap { Double($0) }
    guard numbers.count == 4 else { return nil }
    self.times = .init(
      connect: numbers[0] > 0 ? numbers[0] : nil, firstByte: numbers[1] > 0 ? numbers[1] : nil, total: numbers[2])
    return Int(clamping: numbers[3])
  }

  /// `7) Failed to connect to …`
  private static func failure(_ text: Substring) -> HTTPRequest.Failure? {
    let words = String(text)
    switch text.prefix(while: \.isNumber) {
    case "1", "8": return .notHTTP
    case "3": return .badURL(words)
    case "6": return .name
    case "7":
      if words.contains("No route to host") || words.contains("unreachable") { return .unreachable }
      return words.contains("timed out") ? .connectTimeout : .refused
    case "18": return .closed
    case "28":
      if words.contains("onnection timed out") || words.contains("onnection timeout") || words.contains("to connect") {
        return .connectTimeout
      }
      return .answerTimeout
    case "35" where words.contains("reset by peer"): return .reset
    case "35" where ["EOF", " eof", "SYSCALL"].contains(where: words.contains): return .closed
    case "35":
      return ["wrong version number", "record layer failure", "packet length"].contains(where: words.contains)
        ? .notTLS(words) : .handshake(words)
    case "52": return .closed
    case "56": return words.contains("reset") ? .reset : .closed
    case "60": return .untrusted(words)
    default: return .other(words)
    }
  }
}

extension String {
  /// What stands behind a text that it begins with; nil where it does not.
  fileprivate func after(_ start: String) -> Substring? { hasPrefix(start) ? dropFirst(start.count) : nil }
}
