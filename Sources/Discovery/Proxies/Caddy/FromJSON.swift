import Model
import World

/// From Caddy's own JSON: what `GET /config/` of its admin API answers, a JSON file, or `caddy adapt`.
///
/// Members that are not known are passed over, as they are by a reader that only looks.
extension Caddy.Configuration {
  /// Nil if the bytes are no JSON. An empty configuration (`null`) has no servers.
  init?(json bytes: [UInt8]) {
    guard let document = JSON(bytes) else { return nil }
    self.init(document)
  }

  /// With an environment the upstreams that hang on it are known.
  init(_ document: JSON, environment: Caddyfile.Environment? = nil) {
    let document = environment == nil ? document : document.dialling(by: environment)
    let app = document["apps"]?["http"]
    let writer = document["logging"]?["logs"]?["default"]?["writer"]
    logFile = writer?["output"]?.text == "file" ? writer?["filename"]?.text : nil
    let tlsPort = app?["https_port"]?.number ?? 443
    servers = (app?["servers"]?.members ?? [:]).sorted { $0.key < $1.key }.map { name, server in
      Caddy.Server(name, server, tlsPort: UInt16(exactly: tlsPort) ?? 443, plainPort: app?["http_port"]?.number ?? 80)
    }
  }
}

extension Caddy.Server {
  init(_ name: String, _ server: JSON, tlsPort: UInt16, plainPort: Double) {
    self.name = name
    ports = (server["listen"]?.texts ?? []).compactMap { Caddy.Dial($0).ports }
    let path = "apps/http/servers/\(name)/routes"
    routes = (server["routes"]?.elements ?? []).enumerated().map { Caddy.Route($1, "\(path)/\($0)") }
    named = (server["named_routes"]?.members ?? [:]).reduce(into: [:]) {
      $0[$1.key] = Caddy.Route($1.value, "apps/http/servers/\(name)/named_routes/\($1.key)")
    }
    handlesErrors = !(server["errors"]?["routes"]?.elements ?? []).isEmpty
    let automatic = server["automatic_https"]
    let skipped = automatic?["skip"]?.texts ?? []
    let hosts = routes.flatMap { $0.matchers.flatMap { $0 } }.flatMap { matcher in
      if case .host(let names) = matcher { names } else { [String]() }
    }
    isTLS =
      !(server["tls_connection_policies"]?.elements ?? []).isEmpty
      || automatic?["disable"]?.bool != true && !ports.contains { $0.contains(UInt16(exactly: plainPort) ?? 80) }
        && (ports.contains { $0.contains(tlsPort) } || hosts.contains { !skipped.contains($0) })
  }
}

extension Caddy.Route {
  /// `path`: where it stands in the document, as the admin API takes it.
  init(_ route: JSON, _ path: String) {
    matchers = (route["match"]?.elements ?? []).map(Caddy.Matcher.set)
    handlers = (route["handle"]?.elements ?? []).enumerated().map { Caddy.Handler($1, "\(path)/handle/\($0)") }
    isTerminal = route["terminal"]?.bool ?? false
    group = route["group"]?.text
  }
}

extension Caddy.Matcher {
  fileprivate static func set(_ members: JSON) -> [Caddy.Matcher] {
    members.members.sorted { $0.key < $1.key }.map { name, value in Caddy.Matcher(name, value) }
  }

  private init(_ name: String, _ value: JSON) {
    switch name {
    case "host": self = .host(value.texts)
    case "path": self = .path(value.texts)
    case "path_regexp": self = .pathPattern(value["pattern"]?.text ?? "", name: value["name"]?.text ?? "")
    case "method": self = .method(value.texts)
    case "protocol": self = .scheme(value.text ?? "")
    case "file":
      self = .file(tried: value["try_files"]?.texts ?? [])
    case "not": self = .not(value.elements.map(Caddy.Matcher.set))
    case "remote_ip", "client_ip": self = .asker(in: value["ranges"]?.texts ?? [])
    case "header": self = .headers(value.members.map { (name: $0.key, isAbsent: $0.value == .null) })
    case "header_regexp":
      let patterns = value.members.map {
        Caddy.HeaderPattern($0.key, $0.value["pattern"]?.text, $0.value["name"]?.text)
      }
      self = .headers(patterns)
    case "query": self = .query
    case "tls": self = value["handshake_complete"] == nil ? .scheme("https") : .unclear
    default: self = .unclear
    }
  }

  /// Files that are tried in turn. Behind the last one may be a status for the case that none is there.
  static func file(tried: [String]) -> Caddy.Matcher {
    if let last = tried.last, last.hasPrefix("="), let status = Int(last.dropFirst()) {
      return .files(tried.dropLast(), otherwise: status)
    }
    return .file(last: tried.count > 1 ? tried.last : nil)
  }

  /// What a matcher says of an asker who is not known: people ask from this machine and its networks, too.
  static func asker(in ranges: [String]) -> Caddy.Matcher {
    let all = ["private_ranges", "0.0.0.0/0", "127.0.0.1", "127.0.0.0/8", "127.0.0.1/8"]
    return ranges.contains(where: all.contains) ? .always(true) : .asker
  }

  /// What matchers of headers by regular expressions say of it.
  static func headers(_ patterns: [Caddy.HeaderPattern]) -> Caddy.Matcher {
    if patterns.count == 1, let only = patterns.first, only.header.lowercased() == "host" {
      return .hostPattern(only.pattern, name: only.name)
    }
    // A plain request has no such header.
    return .headers(patterns.map { (name: $0.header, isAbsent: false) })
  }

  /// What a matcher of headers says of a browser's plain request.
  static func headers(_ headers: [(name: String, isAbsent: Bool)]) -> Caddy.Matcher {
    // Browsers ask for no other protocol.
    let verdicts = headers.map { header in
      header.name.lowercased() != "connection" && PlainRequest.mayHave(header: header.name) ? nil : header.isAbsent
    }
    if verdicts.contains(false) { return .always(false) }
    return verdicts.contains(nil) ? .unclear : .always(true)
  }
}

extension Caddy {
  /// A regular expression for the value of a header; what it finds is known to placeholders by the name.
  struct HeaderPattern {
    let header: String
    let pattern: String
    let name: String

    init(_ header: String, _ pattern: String?, _ name: String?) {
      (self.header, self.pattern, self.name) = (header, pattern ?? "", name ?? "")
    }
  }
}

extension Caddy.Assignment {
  /// Of `map`: what it makes of its source for each destination.
  fileprivate static func all(map handler: JSON) -> [Caddy.Assignment] {
    let names = (handler["destinations"]?.texts ?? []).map { String($0.drop { $0 == "{" }.prefix { $0 != "}" }) }
    let mappings = handler["mappings"]?.elements ?? []
    let defaults = handler["defaults"]?.elements ?? []
    return names.enumerated().map { index, name in
      let cases = mappings.compactMap { mapping -> (key: String, value: String)? in
        let outputs = mapping["outputs"]?.elements ?? []
        guard outputs.indices.contains(index) else { return nil }
        // Caddy writes what looks like a number as one.
        let number = outputs[index].number.map { String(Int(clamping: $0)) }
        guard let value = outputs[index].text ?? number else { return nil }
        return (mapping["input_regexp"]?.text.map { "~" + $0 } ?? mapping["input"]?.text ?? "", value)
      }
      let otherwise = defaults.indices.contains(index) ? defaults[index].text : nil
      return Caddy.Assignment(name: name, source: handler["source"]?.text ?? "", cases: cases, otherwise: otherwise)
    }
  }
}

extension Caddy.Handler {
  init(_ handler: JSON, _ path: String) {
    switch handler["handler"]?.text {
    case "subroute":
      self = .subroute(
        (handler["routes"]?.elements ?? []).enumerated().map { Caddy.Route($1, "\(path)/routes/\($0)") })
    case "invoke": self = .invoke(handler["name"]?.text ?? "")
    case "rewrite": self = .rewrite(Caddy.Rewrite(handler))
    case "reverse_proxy": self = .proxy(Caddy.Proxy(handler, path))
    case "static_response", "error", "metrics", "acme_server", "php":
      let status = handler["status_code"]
      self = .answer(
        status: status?.number.map { Int(clamping: $0) } ?? status?.text.flatMap { Int($0) } ?? 200,
        by: ("the handler \(handler["handler"]?.text ?? "")", nil))
    case "map": self = .sets(Caddy.Assignment.all(map: handler))
    case "vars":
      self = .sets(
        handler.members.filter { $0.key != "handler" }.map {
          Caddy.Assignment(name: "http.vars.\($0.key)", otherwise: $0.value.text)
        })
    case "file_server": self = handler["pass_thru"]?.bool == true ? .passes : .files
    default: self = .passes
    }
  }

  /// True if it always answers: the request does not go on.
  fileprivate static func answers(_ handler: JSON) -> Bool {
    ["static_response", "error", "reverse_proxy", "copy_response", "file_server"].contains(handler["handler"]?.text)
      || handler["handler"]?.text == "subroute"
        && (handler["routes"]?.elements ?? []).contains { $0["handle"]?.elements.contains(where: answers) == true }
  }
}

extension Caddy.Rewrite {
  fileprivate init(_ rewrite: JSON) {
    uri = rewrite["uri"]?.text
    prefix = rewrite["strip_path_prefix"]?.text
    suffix = rewrite["strip_path_suffix"]?.text
    replacements = (rewrite["uri_substring"]?.elements ?? []).map {
      ($0["find"]?.text ?? "", $0["replace"]?.text ?? "")
    }
    // A regular expression's own replacement is not followed: the path is not known then.
    if rewrite["path_regexp"] != nil { uri = uri ?? "{unknown}" }
  }
}

extension Caddy.Proxy {
  fileprivate init(_ proxy: JSON, _ path: String) {
    definedIn = path
    let dials = (proxy["upstreams"]?.elements ?? []).compactMap { $0["dial"]?.text }
    upstreams = dials.compactMap { Caddy.Dial($0).upstream }
    templates = dials.filter { $0.contains("{") }
    isNowhere = dials.contains("")
    if let dynamic = proxy["dynamic_upstreams"], let name = dynamic["name"]?.text {
      let port = dynamic["port"]?.text.flatMap { UInt16($0) } ?? 80
      upstreams.append(Caddy.Upstream(host: name, port: port, isDynamic: true))
    }
    let transport = proxy["transport"]
    if transport?["protocol"]?.text == "fastcgi" {
      speaks = "fastcgi"
    } else if transport?["versions"]?.texts.contains("h2c") == true {
      speaks = "h2c"
    }
    if let tls = transport?["tls"] {
      isTLS = true
      verifies = tls["insecure_skip_verify"]?.bool != true
      tlsName = tls["server_name"]?.text
      authorities = (tls["root_ca_pem_files"]?.texts ?? []) + (tls["ca"]?["pem_files"]?.texts ?? [])
      hasOtherAuthorities = tls["root_ca_pool"] != nil || tls["ca"].map { $0["provider"]?.text != "file" } ?? false
    }
    connectTimeout = transport?["dial_timeout"]?.seconds ?? connectTimeout
    answerTimeout = [transport?["response_header_timeout"], transport?["read_timeout"]].compactMap { $0?.seconds }
      .filter { $0 > 0 }.min()
    headerLimit = transport?["max_response_header_size"]?.number
    if let active = proxy["health_checks"]?["active"], let path = active["uri"]?.text ?? active["path"]?.text {
      health = Caddy.Health(
        path: path, expects: Caddy.statuses(active["expect_status"]?.number.map { Int(clamping: $0) }),
        port: active["port"]?.number.flatMap { UInt16(exactly: $0) })
    }
    let set = proxy["headers"]?["request"]?["set"]?.members ?? [:]
    hostHeader = set.first { $0.key.lowercased() == "host" }?.value.texts.last
    rewrite = proxy["rewrite"].map(Caddy.Rewrite.init) ?? rewrite
    let responses = proxy["handle_response"]?.elements ?? []
    isAuth = responses.contains { response in
      response["match"]?["status_code"]?.elements.contains(.whole(2)) == true && response["status_code"] == nil
        && !(response["routes"]?.elements ?? []).contains {
          $0["handle"]?.elements.contains(where: Caddy.Handler.answers) == true
        }
    }
  }
}

extension Caddy.Proxy {
  /// Notes where a proxy that was read by its path in a document stands in the file of that document.
  mutating func place(in file: DocumentFile) {
    func node(_ path: some StringProtocol) -> Document.Node? {
      path.split(separator: "/").reduce(file.root as Document.Node?) { node, step in
        Int(step).flatMap { node?.items.indices.contains($0) == true ? node?.items[$0] : nil } ?? node?[String(step)]
      }
    }
    guard let written = node(definedIn) else { return }
    definedIn = "\(file.path):\(written.place.line)"
    let servers = written["upstreams"]?.items ?? []
    guard servers.count == upstreams.count else { return }
    for (index, server) in servers.enumerated() {
      guard let dial = server["dial"], let text = dial.text, case let address = Caddy.Dial(text),
        !address.network.hasPrefix("unix"), !text.contains("{")
      else { continue }
      upstreams[index].hostPlace = file.span(of: address.host, in: dial)
      upstreams[index].portPlace = file.span(of: address.port, behind: "\(address.host.inURL):", in: dial)
    }
  }
}

extension Caddy {
  /// A network address: `shop:3000`, `:80`, `tcp/shop:3000`, `unix//run/app.sock`, `[::1]:80`, `:8000-8010`.
  struct Dial {
    let network: String
    let host: String
    let port: String

    init(_ address: String) {
      let slash = address.firstIndex(of: "/")
      network = slash.map { String(address[..<$0]) } ?? "tcp"
      let rest = slash.map { address[address.index(after: $0)...] } ?? address[...]
      guard !network.hasPrefix("unix"), let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") else {
        (host, port) = (String(rest).trimmedBrackets, "")
        return
      }
      host = String(rest[..<colon]).trimmedBrackets
      port = String(rest[rest.index(after: colon)...])
    }

    /// The ports to listen on; nil for what is no TCP.
    var ports: ClosedRange<UInt16>? {
      guard network.hasPrefix("tcp") else { return nil }
      let ends = port.split(separator: "-").compactMap { UInt16($0) }
      guard let first = ends.first, let last = ends.last, first <= last else { return nil }
      return first...last
    }

    /// Nil if its host or port is only known at a request, or neither is there.
    var upstream: Upstream? {
      if network.hasPrefix("unix") { return Upstream(socket: String(host.prefix { $0 != "|" })) }
      guard !host.contains("{"), !(host.isEmpty && port.isEmpty),
        let port = UInt16(port.isEmpty ? "80" : port.prefix { $0 != "-" })
      else { return nil }
      return Upstream(host: host.isEmpty ? "localhost" : host, port: port)
    }
  }

  /// What an active health check takes: `2` is a whole class.
  static func statuses(_ expected: Int?) -> String {
    switch expected {
    case nil, 0: "200-299"
    case let digit? where digit < 10: "\(digit)00-\(digit)99"
    case let status?: String(status)
    }
  }

  /// Seconds of one of Go's durations: `1m30s`, `500ms`; `d` is Caddy's own. Nil if it is none.
  static func seconds(_ duration: String) -> Double? {
    let units = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400]
    var (rest, sum) = (duration[...], 0.0)
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isNumber || $0 == "." }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { !$0.isNumber && $0 != "." }
      rest = rest.dropFirst(unit.count)
      if unit.isEmpty, digits == "0" { continue }
      guard let number = Double(digits), let factor = units[String(unit)] else { return nil }
      sum += number * factor
    }
    return sum
  }
}

extension JSON {
  /// With the addresses to dial filled in.
  fileprivate func dialling(by environment: Caddyfile.Environment?) -> JSON {
    switch self {
    case .array(let elements): .array(elements.map { $0.dialling(by: environment) })
    case .object(let members):
      .object(
        members.reduce(into: [:]) { members, member in
          let text = member.key == "dial" ? member.value.text : nil
          members[member.key] =
            text.map { .string($0.filled(by: environment)) } ?? member.value.dialling(by: environment)
        })
    default: self
    }
  }

  /// A duration: nanoseconds as a number, or Go's text.
  fileprivate var seconds: Double? { number.map { $0 / 1e9 } ?? text.flatMap(Caddy.seconds) }
}

extension String {
  /// With each `{env.NAME}` filled in, as Caddy does it when it starts; as it is where that cannot be seen, or is too long.
  func filled(by environment: Caddyfile.Environment?) -> String {
    guard let environment, contains("{env.") else { return self }
    var result = ""
    var rest = self[...]
    while let start = rest.firstRange(of: "{env."), let end = rest[start.upperBound...].firstIndex(of: "}") {
      result += rest[..<start.lowerBound] + (environment(String(rest[start.upperBound..<end])) ?? "")
      guard result.utf8.count <= Limits.value else { return self }
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }
}
