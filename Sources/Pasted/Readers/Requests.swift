import Model
import Pattern
import World

extension Account {
  static let requestReaders = [
    // `curl`, `curl -i`, `curl -v`; `nsenter -t PID -n curl` from a process's network.
    OutputReader(
      claims: { passage in
        passage.program == "curl" && !passage.words.contains { $0.hasPrefix("telnet://") }
          || passage.lines.contains { $0.hasPrefix("< HTTP/") }
      },
      read: { passage, account in
        let passage = passage.withoutMeter
        guard let url = passage.words.first(where: { $0.contains("://") }) ?? passage.askedURL ?? passage.bareURL,
          let place = account.place(of: passage)
        else { return account.addUnread(0, of: passage) }
        var sight = HTTPRequest.Sight(curl: passage.lines)
        let isTold = account.tell(sight, at: url)
        if isTold, sight.status == nil { return }
        // Without `-i` a page does not say with which status it came; `-w '%{http_code}'` says nothing else.
        if sight.status == nil, sight.failure == nil {
          guard let last = passage.lines.last, last.count == 3, let status = Int(last), status > 99 else {
            account.addUnread(0, of: passage)
            return
          }
          sight.status = status
        }
        if let handshake = Handshake(curl: passage.lines), let site = Site(url) {
          let connection = Connection(place: place, address: sight.address ?? site.host, port: site.port)
          // What has printed it in full tells more.
          if account.certificates[connection]?.texts.isEmpty != false { account.certificates[connection] = handshake }
          sight.certificate = handshake.chain.first
          sight.tlsVersion = handshake.version
        }
        account.keep(sight, of: passage, asking: url.withPath, from: place)
      }),
    // `wget -S`, GNU's and busybox'.
    OutputReader(
      claims: { passage in passage.program == "wget" || passage.lines.contains { $0.hasPrefix("HTTP request sent, ") }
      },
      read: { passage, account in
        let said = passage.lines.first { $0.hasPrefix("--") && $0.contains("://") }.flatMap {
          $0.split(separator: " ").last
        }
        guard let url = passage.words.first(where: { $0.contains("://") }) ?? said.map(String.init) ?? passage.bareURL,
          let place = account.place(of: passage)
        else { return account.addUnread(0, of: passage) }
        let sight = HTTPRequest.Sight(wget: passage.lines)
        // busybox prints no header by itself.
        guard sight.status != nil || sight.failure != nil else { return account.addUnread(0, of: passage) }
        account.answers[Question(place: place, url: url.withPath)] = sight
      }),
    // `dig NAME`, `nslookup NAME`
    OutputReader(
      claims: { passage in
        passage.isOf("dig") || passage.isOf("nslookup") || passage.lines.contains { $0.hasPrefix(";; ANSWER SECTION") }
      },
      read: { passage, account in
        guard let place = account.place(of: passage) else { return account.addUnread(0, of: passage) }
        if let (name, addresses) = passage.lookedUp {
          account.names[place, default: [:]][name.lowercased()] = addresses
        } else if let (name, answer) = passage.unanswered {
          account.unanswered[place, default: [:]][name.lowercased()] = answer
        } else {
          account.addUnread(0, of: passage)
        }
      }),
    // `getent hosts NAME`: nothing where the name has no address.
    OutputReader(
      claims: { $0.isOf("getent") },
      read: { passage, account in
        guard let name = passage.words.last, passage.words.count > 2, let place = account.place(of: passage) else {
          return account.addUnread(0, of: passage)
        }
        let addresses = passage.lines.compactMap { $0.split(separator: " ").first.map(String.init) }.filter(\.isAddress)
        // Such as that there is no getent.
        if addresses.isEmpty, !passage.lines.isEmpty { return account.addUnread(0, of: passage) }
        account.names[place, default: [:]][name.lowercased()] = addresses.reduce(into: []) {
          if !$0.contains($1) { $0.append($1) }
        }
      }),
    // `ping NAME`: iputils' and busybox'. What it is good for is the address; no answer to it says nothing of a port.
    OutputReader(
      claims: { ["ping", "ping6"].contains($0.program) || $0.lines.first?.hasPrefix("PING ") == true },
      read: { passage, account in
        guard let place = account.place(of: passage), let first = passage.lines.first(where: { !$0.isEmpty }) else {
          return account.addUnread(0, of: passage)
        }
        let shown = first.split { " ()".contains($0) }.map { $0.hasSuffix(":") ? String($0.dropLast()) : String($0) }
        if shown.first == "PING", shown.count > 2, let address = shown.dropFirst(2).first(where: \.isAddress) {
          account.names[place, default: [:]][shown[1].lowercased()] = [address]
        } else if ["not known", "bad address", "No address"].contains(where: first.contains),
          let name = passage.words.last
        {
          account.names[place, default: [:]][name.lowercased()] = []
        } else {
          account.addUnread(passage.lines.firstIndex(of: first) ?? 0, of: passage)
        }
      }),
  ]
}

extension Passage {
  private static let meter = try? Pattern(
    #"^ *(?:% Total +% Received.*|Dload +Upload.*|\d+ +[\d.]+[kMG]? +\d+ +.*? (?:--|\d\d?):(?:--|\d\d):(?:--|\d\d) +[\d.]+[kMG]?(?<rest>.*))$"#
  )

  /// Without curl's progress, which it shows where its output goes to a file or a program.
  fileprivate var withoutMeter: Passage {
    guard let first = lines.firstIndex(where: { $0.contains("% Total") }) else { return self }
    var plain = self
    for index in lines.indices[first...] {
      guard let match = Self.meter?.firstMatch(in: lines[index]) else { continue }
      plain.lines[index] = match.text(of: "rest") ?? ""
    }
    let kept = lines.indices.filter { !plain.lines[$0].isEmpty || plain.lines[$0] == lines[$0] }
    (plain.lines, plain.numbers) = (kept.map { plain.lines[$0] }, kept.map { numbers[$0] })
    return plain
  }

  /// What curl was told to send besides, each up to the next option.
  private var sent: [String] {
    words.indices.filter { words[$0] == "-H" }.map { index in
      words[(index + 1)...].prefix { !$0.hasPrefix("-") && !$0.contains("://") }.joined(separator: " ")
    }
  }

  /// The same without the host's name.
  fileprivate var headers: [String] { sent.filter { !$0.lowercased().hasPrefix("host:") } }

  /// A name and its addresses, as `dig` or `nslookup` tell them; nil where they got no answer.
  fileprivate var lookedUp: (name: String, addresses: [String])? {
    let typed = self.words
    let asked = nameAsked
    let words = lines.map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    let records = words.filter { $0.count > 4 && $0[2] == "IN" && ["A", "AAAA"].contains($0[3]) }
    if let first = records.first { return (String(first[0].dropLast()), records.map { $0[4] }) }
    let short = asked.flatMap { _ in typed.contains("+short") ? lines.map(\.trimmed).filter(\.isAddress) : nil }
    if let asked, let short, !short.isEmpty { return (asked, short) }
    if let asked, text.contains("NXDOMAIN") || text.contains("can't find") { return (asked, []) }
    // The server's own address stands before the name's.
    guard let name = words.firstIndex(where: { $0.first == "Name:" && $0.count > 1 }) else {
      // `dig` says by this that there is none of that kind.
      return asked.flatMap { text.contains("status: NOERROR") ? nil : text.contains("NXDOMAIN") ? ($0, []) : nil }
    }
    let found = words[name...].filter { $0.first?.hasPrefix("Address") == true }.compactMap { $0.last }.filter(
      \.isAddress)
    return (words[name][1], found)
  }

  /// What curl was told to send as the name.
  fileprivate var hostHeader: String? {
    sent.first { $0.lowercased().hasPrefix("host:") }.map { String($0.dropFirst(5)).trimmed }
  }

  /// The value of an option.
  fileprivate func value(of option: String) -> String? {
    words.firstIndex(of: option).flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
  }

  /// The name for which `dig` or `nslookup` was told to ask.
  private var nameAsked: String? {
    let types: Set = ["A", "AAAA", "ANY", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"]
    return words.dropFirst().first { word in
      !"-+@".contains(word.first ?? " ") && !types.contains(word.uppercased()) && !word.isAddress
        && Int(word) == nil  // fits: it is a text
    }
  }

  /// What `dig` says of a name for which no server gave an address. Source: dig(1), RFC 1035, 4.1.1.
  fileprivate var unanswered: (name: String, answer: DNSQuery.Sight.Answer)? {
    guard isOf("dig"), let name = nameAsked else { return nil }
    if text.contains("status: SERVFAIL") { return (name, .serverFailure) }
    if text.contains("status: REFUSED") { return (name, .refused) }
    if text.contains("no servers could be reached") || text.contains("timed out") { return (name, .silent) }
    return words.contains("AAAA") && text.contains("status: NOERROR") ? (name, .noData) : nil
  }

  /// The address of `--connect-to ::127.0.0.1:80` or `--resolve shop.example.org:80:127.0.0.1`, and the port of the first.
  fileprivate var connectsTo: (address: String, port: UInt16?)? {
    for (option, value) in zip(words, words.dropFirst()) where ["--connect-to", "--resolve"].contains(option) {
      let parts = value.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard parts.count > 2 else { continue }
      if option == "--resolve", parts[2].isAddress { return (parts[2], nil) }
      guard option == "--connect-to", let colon = parts[2].lastIndex(of: ":") else { continue }
      let address = String(parts[2][..<colon].filter { !"[]".contains($0) })
      if address.isAddress { return (address, UInt16(parts[2][parts[2].index(after: colon)...])) }
    }
    return nil
  }

  /// An address without its scheme, as it may be typed: `localhost:8080/health`.
  fileprivate var bareURL: String? {
    let takeValue: Set = [
      "-H", "-X", "-d", "-o", "-w", "-m", "-u", "-A", "-O", "-T", "--resolve", "--connect-timeout", "--max-time",
    ]
    let index = words.indices.dropFirst().last { index in
      !words[index].hasPrefix("-") && !takeValue.contains(words[index - 1])
        && words[index].contains { ".:".contains($0) } || words[index] == "localhost"
    }
    return index.map { "http://" + words[$0] }
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

extension Account {
  /// Keeps what curl was answered: for whom it was asked as it was typed, and for whoever is asked in the same way.
  fileprivate mutating func keep(
    _ sight: HTTPRequest.Sight, of passage: Passage, asking url: String, from place: Place
  ) {
    var question = Question(place: place, url: url, headers: passage.headers, address: passage.connectsTo?.address)
    let isTwo = passage.words.contains { ["--http2", "--http2-prior-knowledge"].contains($0) }
    question.version =
      isTwo ? .two : passage.words.contains { ["--http1.0", "-0"].contains($0) } ? .oneZero : .one
    let socket = passage.value(of: "--unix-socket")
    guard let site = Site(url) else { return }
    let isPortOfURL = passage.connectsTo?.port.map { $0 == site.port } != false
    if question.version == .one, socket == nil, isPortOfURL { answers[question] = sight }
    question.host = passage.hostHeader ?? site.authority
    question.address = nil
    if let socket {
      (question.place, question.socket) = passage.inside(socket, self) ?? (place, socket)
      question.url = "http://localhost\(site.path)"
    } else {
      let (address, port) = passage.connectsTo ?? (site.host, nil)
      question.url = "\(site.scheme)://\(address.inURL):\(port ?? site.port)\(site.path)"
    }
    answers[question] = sight
  }

  /// Paths at which proxies tell what they run: Traefik's, Caddy's and Envoy's.
  static let adminPaths = ["/api/rawdata", "/config/", "/config_dump", "/config_dump?include_eds"]

  /// Keeps what a proxy tells of itself. False if it is something else.
  fileprivate mutating func tell(_ sight: HTTPRequest.Sight, at url: String) -> Bool {
    guard let path = Site(url.withPath)?.path, let body = JSON(sight.body), sight.status == nil || sight.status == 200
    else { return false }
    return tell(body, at: path)
  }

  /// - Parameter path: Nil: it is known by its form.
  mutating func tell(_ body: JSON, at path: String?) -> Bool {
    if let items = body.items,
      path.map({ $0.hasSuffix("/api/http/routers") || $0.hasSuffix("/api/http/services") }) != false,
      items.allSatisfy({ $0["provider"] != nil || $0["name"]?.text?.contains("@") == true }), !items.isEmpty
    {
      let kind = items.contains { $0["rule"] != nil } ? "routers" : "services"
      var all = told["/api/rawdata"].flatMap { JSON($0) }?.members ?? [:]
      let named = items.compactMap { item in item["name"]?.text.map { ($0, item) } }
      all[kind] = .object((all[kind]?.members ?? [:]).merging(named) { $1 })
      told["/api/rawdata"] = JSON.object(all).written
      return true
    }
    let known = Account.adminPaths.first { path?.hasSuffix($0) == true }
    guard !body.members.isEmpty else { return false }
    let isTraefik = body["routers"] != nil && body["services"] != nil
    let isEnvoy = body["configs"]?.elements.first?["@type"] != nil
    let isCaddy = body["apps"]?["http"] != nil
    guard
      let place = known
        ?? (path != nil ? nil : isTraefik ? "/api/rawdata" : isEnvoy ? "/config_dump" : isCaddy ? "/config/" : nil)
    else { return false }
    told[place == "/config_dump?include_eds" ? "/config_dump" : place] = body.written
    return true
  }
}

extension JSON {
  /// The elements of a list; nil for what is none.
  fileprivate var items: [JSON]? { if case .array(let items) = self { items } else { nil } }
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
    // The words of an older curl do not say why; those of `-v` do.
    if failure == .refused, !lines.contains(where: { $0.contains("efused") }) {
      if lines.contains(where: { $0.contains("o route to host") || $0.contains("nreachable") }) {
        failure = .unreachable
      }
      if lines.contains(where: { $0.contains("onnection timed out") }) { failure = .connectTimeout }
    }
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
    // With TLS 1.3 a server says no only when the client has come to the end of the handshake.
    case "56" where words.contains("SSL routines") && words.contains(" alert "): return .handshake(words)
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
