internal import Glibc
public import Model

// How a person takes each kind of look by hand, and reads what it saw. The commands are in `Screens/looks.yaml`.

extension Place {
  /// `look.pid` where it is not this machine's own place.
  fileprivate var facts: Facts {
    switch self {
    case .host: [:]
    case .process(let id): ["look.pid": String(id)]
    }
  }

  /// What the path of a socket there is called.
  fileprivate var socket: FactName { self == .host ? "look.socket" : "look.inner-socket" }
}

extension Facts {
  /// Seconds as a whole number, for an option that takes no other.
  fileprivate static func wait(_ seconds: Double) -> String {
    String(Int(clamping: Int64(min(max(seconds, 1), 3600).rounded(.up))))  // fits: an Int64
  }
}

extension String {
  fileprivate func joined(_ rest: String...) -> String { ([self] + rest).filter { !$0.isEmpty }.joined(separator: " ") }
}

private func rows(_ lines: [String]) -> [UInt8] { Array(lines.joined(separator: "\n").utf8) }

/// An error of the system in its own words: `Connection refused`.
private func systemWords(_ error: Int32) -> String { String(cString: strerror(error)) }

// MARK: The machine

extension DockerGet {
  public var parts: Facts {
    let (path, query) = (path.prefix { $0 != "?" }, self.path.drop { $0 != "?" }.dropFirst())
    let words = path.split(separator: "/").map(String.init)
    var facts: Facts = ["look.since": since.map { String(Int64($0)) } ?? ""]
    switch (words.first, words.count > 2 ? words[2] : "") {
    case ("containers", "json"): facts["look.inspected"] = words[1]
    case ("containers", "logs"): facts["look.log"] = words[1]
    case ("containers", "archive"): facts.merge(["look.container": words[1], "look.folder": query.after("path=")])
    case ("containers", _): facts["look.list-words"] = "-a"
    // Its name may have slashes of its own.
    case ("images", _): facts["look.image"] = String(path.dropFirst("/images/".count).dropLast("/json".count))
    case ("networks", _): facts["look.networks-words"] = "-q"
    case ("services", _): facts["look.services-words"] = "ls"
    case ("tasks", _):
      facts["look.tasks-of"] = JSON(query.after("filters=").withoutPercent.utf8)?["service"]?.texts.first
    case ("events", _):
      let filters = JSON(query.after("filters=").withoutPercent.utf8)
      facts["look.event-words"] = (filters?["event"]?.texts ?? []).map { "--filter event=" + $0 }.joined(separator: " ")
      facts["look.of"] = filters?["container"]?.texts.first
    default: break
    }
    return facts
  }

  public func lines(of sight: Sight) -> [UInt8] {
    if path.contains("/logs?") {
      // Frames of an 8-byte header each, where no terminal is attached.
      return sight.body.first.map { $0 < 3 } == true ? Bytes.pieces(of: sight.body).flatMap { $0 } : sight.body
    }
    if path.contains("/archive?") { return [] }
    if path.hasPrefix("/events?") { return sight.body }
    guard let json = JSON(sight.body) else { return sight.body }
    guard path.hasPrefix("/containers/json") else { return rows(json.leaves) }
    return rows(
      json.elements.map { container in
        let ports = (container["Ports"]?.elements ?? []).map { port in
          let outside = port["PublicPort"].map { "\(port["IP"]?.text ?? ""):\($0.word)->" } ?? ""
          return "\(outside)\(port["PrivatePort"]?.word ?? "")/\(port["Type"]?.text ?? "tcp")"
        }
        let name = (container["Names"]?.texts.first ?? "").drop { $0 == "/" }
        return String(container["Id"]?.text?.prefix(12) ?? "").joined(
          String(name), container["Image"]?.text ?? "", container["Status"]?.text ?? "", ports.joined(separator: ", "))
      })
  }
}

extension JSON {
  fileprivate var word: String {
    switch self {
    case .string(let text): text
    case .whole(let number): String(number)
    case .number(let number): String(number)
    case .bool(let bool): String(bool)
    default: ""
    }
  }

  /// `State.ExitCode: 137`: each value that is one, with the way to it.
  fileprivate var leaves: [String] {
    func walk(_ value: JSON, _ path: String, _ out: inout [String]) {
      switch value {
      case .object(let members):
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
          walk(member, path.isEmpty ? name : path + "." + name, &out)
        }
      case .array(let elements): for element in elements { walk(element, path, &out) }
      case .null: break
      default: if !value.word.isEmpty { out.append(path + ": " + value.word) }
      }
    }
    var out: [String] = []
    walk(self, "", &out)
    return out
  }
}

extension Substring {
  /// What stands behind a text; all of it where that is not there.
  fileprivate func after(_ start: String) -> String { String(hasPrefix(start) ? dropFirst(start.count) : self) }
}

extension String {
  fileprivate var withoutPercent: String {
    var bytes: [UInt8] = []
    var rest = utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
        bytes.append(code)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension FileRead {
  public var parts: Facts {
    var facts = place.facts.merging([fromEnd ? "look.end" : "look.file": path])
    // What the kernel makes up is no file that an engine could hand out.
    if !["/proc/", "/sys/"].contains(where: path.hasPrefix) {
      facts[fromEnd ? "look.copied-end" : "look.copied"] = path
    }
    return facts
  }
  public func lines(of sight: Sight) -> [UInt8] { sight.bytes }
}

extension FileGlob {
  public var parts: Facts {
    let all = pattern.split(separator: "/")
    let fixed = all.prefix { part in !part.contains { "*?[".contains($0) } }
    return place.facts.merging([
      "look.pattern": pattern, "look.folder": "/" + fixed.joined(separator: "/"),
      "look.depth": String(all.count - fixed.count),
    ])
  }
  public func lines(of sight: [String]) -> [UInt8] { rows(sight) }
}

extension FileSystem {
  public var parts: Facts { place.facts.merging(["look.path": path]) }
  public func lines(of sight: Sight) -> [UInt8] {
    rows(["\(sight.size) bytes, \(sight.free) free", "\(sight.files) files, \(sight.freeFiles) more"])
  }
}

extension SQLiteQuery {
  public var parts: Facts { place.facts.merging(["look.path": path, "look.sql": sql]) }
  public func lines(of sight: [[String: String]]) -> [UInt8] {
    rows(sight.map { row in row.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " | ") })
  }
}

extension Processes {
  public var parts: Facts { ["look.names": names.joined(separator: ",")] }
  public func lines(of sight: [ProcessSeen]) -> [UInt8] {
    rows(sight.map { "\($0.id)".joined(String($0.parent), $0.name, $0.command.joined(separator: " ")) })
  }
}

extension OnlyRootChanges {
  public var parts: Facts { ["look.path": path] }
  public func lines(of sight: Bool) -> [UInt8] { [] }
}

extension CommandRun {
  public var parts: Facts {
    let options =
      switch command {
      case .packetFilter, .packetFilter6: "-c"
      case .nftables: "list ruleset"
      }
    return place.facts.merging(["look.command-words": command.rawValue + " " + options])
  }
  public func lines(of sight: Sight) -> [UInt8] {
    guard command == .nftables, let rules = JSON(sight.output.utf8)?["nftables"]?.elements else {
      return Array(sight.output.utf8)
    }
    return Array(rules.map(\.written).joined(separator: [0x0A]))
  }
}

extension IsRoot {
  public var parts: Facts { [:] }
  public func lines(of sight: Bool) -> [UInt8] { [] }
}

// MARK: The network

extension HTTPRequest {
  public var parts: Facts {
    guard let site = Site(url) else { return place.facts.merging(["look.url": url]) }
    // The name in the handshake is that of the address that is asked for; where it leads is told besides.
    let name = tlsName ?? host?.withoutPort ?? site.host
    let isOther = name != site.host
    let target = isOther ? site.at(name) : site
    let dialled = "\((address ?? site.host).inURL):\(port ?? site.port)"
    var facts = place.facts.merging([
      "look.url": target?.url ?? url, "look.seconds": Facts.wait(limit), place.socket: unixSocket ?? "",
      "look.tls": site.scheme == "https" ? "yes" : "",
      "look.dialled": unixSocket == nil && (isOther || address != nil || port != nil) ? dialled : "",
      "look.host": (host ?? (tlsName == nil ? nil : site.authority)).flatMap { $0 == target?.authority ? nil : $0 }
        ?? "",
      "look.version": version == .oneZero ? "1.0" : "", "look.two": version == .two ? "yes" : "",
      "look.old": offer == .old ? "yes" : "",
    ])
    if case .anyCertificate = tls, site.scheme == "https" { facts["look.any-certificate"] = "yes" }
    for (header, name) in zip(headers, ["look.header", "look.header-2", "look.header-3"] as [FactName]) {
      facts[name] = header
    }
    return facts
  }

  public func lines(of sight: Sight) -> [UInt8] {
    var lines = sight.address.map { ["connected to \($0)"] } ?? []
    if let certificate = sight.certificate {
      lines += ["subject: \(certificate.subject)", "issuer: \(certificate.issuer)", "expires: \(certificate.expires)"]
      lines += certificate.names.map { "name: \($0)" } + [certificate.problem].compactMap { $0 }
    }
    if let status = sight.status { lines.append("HTTP \(status)") }
    lines += sight.headers.map { "\($0.name): \($0.value)" }
    lines += [sight.failure?.words].compactMap { $0 }
    return rows(lines) + (sight.body.isEmpty ? [] : [0x0A] + sight.body)
  }

  public func isAnswered(by sight: Sight) -> Bool { sight.failure == nil || sight.certificate != nil }
}

extension Site {
  /// The same with another host.
  fileprivate func at(_ host: String) -> Site? { Site("\(scheme)://\(host):\(port)\(path)") }
}

extension HTTPRequest.Failure {
  /// In the words of curl and of the system. Source: curl_easy_strerror(3), strerror(3).
  fileprivate var words: String {
    switch self {
    case .name: "Could not resolve host"
    case .refused: systemWords(ECONNREFUSED)
    case .unreachable: systemWords(EHOSTUNREACH)
    case .connectTimeout, .tlsTimeout, .answerTimeout, .bodyTimeout: "Operation timed out"
    case .closed: "Empty reply from server"
    case .reset: systemWords(ECONNRESET)
    case .notHTTP: "Received HTTP/0.9 when not allowed"
    case .headerTooLarge: "Too large response headers"
    case .notTLS(let words), .handshake(let words), .untrusted(let words), .badURL(let words), .other(let words): words
    }
  }
}

extension TCPConnect {
  public var parts: Facts { place.facts.merging(["look.dialled": "\(address.inURL):\(port)"]) }
  public func lines(of sight: Sight) -> [UInt8] {
    let outcome = sight.errno == 0 ? sight.outcome.rawValue : systemWords(sight.errno)
    return rows(["\(address.inURL):\(port) \(outcome)"])
  }
}

extension Exchange {
  public var parts: Facts {
    place.facts.merging([
      "look.dialled": address.map { "\($0.inURL):\(port ?? 0)" } ?? "", place.socket: unixSocket ?? "",
      "look.sends": sends.isEmpty ? "" : sends.map { "\\" + $0.octal }.joined(), "look.seconds": Facts.wait(limit),
    ])
  }
  public func lines(of sight: Sight) -> [UInt8] { rows([sight.end.rawValue]) + [0x0A] + sight.received }
}

extension UInt8 {
  fileprivate var octal: String {
    let digits = String(self, radix: 8)
    return String(repeating: "0", count: 3 - digits.count) + digits
  }
}

extension UnixConnect {
  public var parts: Facts {
    // As the process itself, among this machine's own files.
    let user = place == .host ? user.map { String($0) } ?? "" : ""
    return place.facts.merging([place.socket: path, "look.user-pid": user])
  }
  public func lines(of sight: Sight) -> [UInt8] {
    let outcome = sight.errno == 0 ? sight.outcome.rawValue : systemWords(sight.errno)
    let obstacle = sight.obstacle.map {
      "\($0.path): owner \($0.owner), group \($0.group), mode \(String($0.mode, radix: 8))"
    }
    return rows(["\(path): \(outcome)"] + [obstacle].compactMap { $0 })
  }
}

extension StatsSocket {
  public var parts: Facts { place.facts.merging([place.socket: path, "look.question": question.rawValue]) }
  public func lines(of sight: String) -> [UInt8] { Array(sight.utf8) }
}

extension DNSQuery {
  public var parts: Facts {
    let (server, port) = servers.first.map(\.hostAndPort) ?? ("", nil)
    // What a container's own server of names knows, any program of the container is told.
    let isOwn = servers.first == "127.0.0.11"
    return place.facts.merging([
      "look.name": name, "look.server": server, "look.port": port.map { String($0) } ?? "",
      "look.asked-inside": isOwn ? name : "",
    ])
  }
  public func lines(of sight: Sight) -> [UInt8] {
    rows(sight.addresses.isEmpty ? ["\(name): \(sight.answer.rawValue)"] : sight.addresses.map { "\($0) \(name)" })
  }
}

extension SystemLookup {
  public var parts: Facts { ["look.name": name] }
  public func lines(of sight: [String]) -> [UInt8] { rows(sight.map { "\($0) \(name)" }) }
}

extension OwnAddresses {
  public var parts: Facts { [:] }
  public func lines(of sight: [String]) -> [UInt8] { rows(sight) }
}

extension Listeners {
  public var parts: Facts { place.facts }
  public func lines(of sight: [Listener]) -> [UInt8] {
    rows(
      sight.map { listener in
        let holders =
          listener.processes.isEmpty ? "" : "pid=" + listener.processes.map { "\($0)" }.joined(separator: ",")
        return "LISTEN \(listener.waiting) \(listener.most ?? 0)".joined(
          "\(listener.address.inURL):\(listener.port)", holders)
      })
  }
}
