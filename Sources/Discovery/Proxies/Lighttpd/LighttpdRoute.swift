import Model
import Pattern
import Routes

extension Lighttpd {
  /// A module that passes requests on, with what it speaks.
  ///
  /// Source: lighttpd 1.4's modules on `gw_backend`.
  enum Gateway: String, Sendable, CaseIterable {
    case proxy, fastcgi, scgi, ajp13, wstunnel, sockproxy

    var setting: String { rawValue + ".server" }
    var module: String { "mod_" + rawValue }
    /// Where no other setting says so.
    var speaks: Routes.Route.Dialect {
      switch self {
      case .proxy: .http
      case .fastcgi: .fastcgi
      case .scgi: .scgi
      case .ajp13: .ajp
      case .wstunnel, .sockproxy: .tcp
      }
    }
    /// False if it takes paths without asking for a file.
    var mayCheckFiles: Bool { ![.proxy, .wstunnel, .sockproxy].contains(self) }
  }

  /// One app of an extension: `( "host" => "127.0.0.1", "port" => 3000 )`.
  struct Server: Sendable {
    /// Its name, which `proxy.replace-http-host` sends.
    let label: String?
    let settings: Value

    enum Address: Sendable, Equatable {
      case network(host: String, port: UInt16)
      case socket(String)
      /// In a variable that no file has, or no address at all.
      case unknown
    }

    var address: Address {
      if settings["host"]?.isUnknown == true || settings["port"]?.isUnknown == true { return .unknown }
      let host = settings["host"]?.text.flatMap { $0.isEmpty ? nil : $0 }
      if let socket = settings["socket"]?.text ?? host.flatMap({ $0.hasPrefix("/") ? $0 : nil }) {
        // lighttpd starts such an app itself, and numbers its sockets.
        return .socket(isStarted ? socket + "-0" : socket)
      }
      guard settings["socket"] == nil, host != nil || isStarted else { return .unknown }
      let port = settings["port"]?.text.map { UInt16($0) } ?? 80  // fits: optional
      return port.map { .network(host: host ?? "127.0.0.1", port: $0 == 0 ? 80 : $0) } ?? .unknown
    }

    /// lighttpd itself starts the app.
    var isStarted: Bool { settings["bin-path"]?.text?.isEmpty == false }
    var isAuthorizer: Bool { settings["mode"]?.text == "authorizer" }
    var checksFiles: Bool { settings["check-local"]?.text.map { $0 != "disable" && $0 != "0" } ?? true }
    /// Seconds; lighttpd's own 8 where nothing is written.
    var connectTimeout: Double { settings["connect-timeout"]?.text.flatMap { Double($0) } ?? 8 }
    /// Seconds; nil: it waits for ever.
    var readTimeout: Double? {
      settings["read-timeout"]?.text.flatMap { Double($0) }.flatMap { $0 > 0 ? $0 : nil }
    }
  }

  struct Route: Sendable {
    let gateway: Gateway
    let speaks: Routes.Route.Dialect
    /// The apps of its extension, in the order of the file.
    let servers: [Server]
    /// `/api/`, `.php`, or nothing for all paths.
    let `extension`: String
    let setting: Value
    /// The beginning of the path for which it is, without a slash at its end; empty for all paths.
    let prefix: String
    /// No header is changed where it stands.
    let lacksHeaders: Bool
    /// Path and query as the app gets them.
    let target: String
    /// Who changed them, and where.
    let rewriting: (by: String, place: Place)?
    /// What map-urlpath puts in, and what stood there before.
    let mapped: (new: Span, old: String)?
    /// The `Host` header that the app gets; nil: the visitor's.
    let sentHost: String?
    /// The host condition below which it stands.
    let host: (name: String, span: Span?)?
    let log: Value?
  }

  enum Answer: Sendable {
    case passed(Route)
    /// lighttpd answers itself; nil: with its own files.
    case answered(Place?)
    /// Nothing is there for this host.
    case missing
    /// The setting is there, and its module is not loaded.
    case lacksModule(Gateway, Value)
    /// It depends on what only a visitor decides.
    case undecided(Place)
  }
}

extension Lighttpd.Configuration {
  /// Names of modules in the order in which they are asked.
  var modules: [String] { (global("server.modules")?.elements ?? []).compactMap(\.value.text) }

  private static let rewrites = ["url.rewrite-once", "url.rewrite-final", "url.rewrite", "url.rewrite-repeat"]
  private static let laterRewrites = ["url.rewrite-if-not-file", "url.rewrite-repeat-if-not-file"]

  func answer(to site: Site, port: UInt16) -> Lighttpd.Answer {
    let isUsual = site.port == (site.scheme == "https" ? 443 : 80)
    let authority = (site.host.contains(":") ? "[\(site.host)]" : site.host) + (isUsual ? "" : ":\(site.port)")
    var visit = Lighttpd.Visit(authority: authority, scheme: site.scheme, port: port, path: "", query: "")
    let isNormal = global("server.http-parseopts")?["url-normalize-unreserved"]?.text != "disable"
    var target = isNormal ? site.path.withoutNeedlessEscapes : site.path
    var rewriting: (by: String, place: Lighttpd.Place)?
    var isFinal = false
    let modules = modules
    let names = Lighttpd.Gateway.allCases.map(\.setting) + Self.rewrites + Self.laterRewrites + ["url.redirect"]
    // lighttpd itself gives up after a hundred.
    for _ in 0..<100 {
      (visit.path, visit.query) = target.pathAndQuery
      let selection = Selection(self, visit)
      if let block = undecided(names, in: selection) { return .undecided(block.place) }
      if modules.contains("mod_rewrite"), !isFinal,
        let new = rewritten(target, Self.rewrites, visit, selection)
      {
        (target, rewriting, isFinal) = (new.target, new.rewriting, !new.repeats)
        continue
      }
      if let answer = handled(visit, target, selection, modules, rewriting) { return answer }
      guard modules.contains("mod_rewrite"), !isFinal,
        let new = rewritten(target, Self.laterRewrites, visit, selection)
      else { return lastAnswer(visit, target, selection, modules, rewriting) }
      (target, rewriting, isFinal) = (new.target, new.rewriting, !new.repeats)
    }
    return .answered(rewriting?.place)
  }

  /// What modules do by the path alone, each in its turn.
  private func handled(
    _ visit: Lighttpd.Visit, _ target: String, _ selection: Selection, _ modules: [String],
    _ rewriting: (by: String, place: Lighttpd.Place)?
  ) -> Lighttpd.Answer? {
    for module in modules {
      if module == "mod_redirect", let (rules, _) = setting("url.redirect", in: selection) {
        let rule = rules.elements.first { rule in rule.name.map { $0.finds(target) } ?? false }
        if let rule, rule.value.text?.isEmpty == false { return .answered(rule.value.place) }
      }
      guard let gateway = Lighttpd.Gateway.allCases.first(where: { $0.module == module }) else { continue }
      if let route = route(gateway, visit, target, selection, rewriting, isFile: false) { return .passed(route) }
    }
    return nil
  }

  /// What happens once lighttpd looks for a file, and what was plainly meant.
  private func lastAnswer(
    _ visit: Lighttpd.Visit, _ target: String, _ selection: Selection, _ modules: [String],
    _ rewriting: (by: String, place: Lighttpd.Place)?
  ) -> Lighttpd.Answer {
    for gateway in Lighttpd.Gateway.allCases {
      guard let (value, _) = setting(gateway.setting, in: selection) else { continue }
      if modules.contains(gateway.module) {
        if let route = route(gateway, visit, target, selection, rewriting, isFile: true) { return .passed(route) }
      } else if `extension`(of: value, visit.path, isFile: true, selection) != nil {
        return .lacksModule(gateway, value)
      }
    }
    let hasHost = selection.holding.contains { blocks[$0].condition?.isHost == true }
    let hasGateways = blocks.contains { block in
      block.parent != nil && Lighttpd.Gateway.allCases.contains { block.settings[$0.setting] != nil }
    }
    return hasHost || !hasGateways ? .answered(nil) : .missing
  }

  private func route(
    _ gateway: Lighttpd.Gateway, _ visit: Lighttpd.Visit, _ target: String, _ selection: Selection,
    _ rewriting: (by: String, place: Lighttpd.Place)?, isFile: Bool
  ) -> Lighttpd.Route? {
    guard let (value, block) = setting(gateway.setting, in: selection),
      let found = `extension`(of: value, visit.path, isFile: isFile, selection)
    else { return nil }
    let servers = found.value.elements.map { Lighttpd.Server(label: $0.name, settings: $0.value) }
      .filter { !$0.isAuthorizer }
    guard let first = servers.first, !gateway.mayCheckFiles || first.checksFiles == isFile else { return nil }
    var (target, rewriting, sentHost) = (target, rewriting, String?.none)
    var mapped: (new: Span, old: String)?
    if gateway == .proxy {
      let header = setting("proxy.header", in: selection)?.value
      let map = header?["map-urlpath"]?.elements.first { $0.name.map(target.hasPrefix) == true }
      if let map, let old = map.name, let new = map.value.text {
        target = new + target.dropFirst(old.count)
        if old != new {
          rewriting = ("map-urlpath", map.value.place)
          mapped = map.value.span.map { ($0, old) }
        }
      }
      sentHost = header?["map-host-request"]?.elements.first { $0.name == visit.authority || $0.name == "-" }?
        .value.text.flatMap { $0.isEmpty || $0 == "-" ? nil : $0 }
      if setting("proxy.replace-http-host", in: selection)?.value.text == "enable", let label = first.label {
        sentHost = label
      }
    }
    // mod_scgi is the one that speaks uwsgi.
    let isUWSGI = gateway == .scgi && setting("scgi.protocol", in: selection)?.value.text == "uwsgi"
    var host: (name: String, span: Span?)?
    var above: Int? = block
    var prefix = found.name.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? ""
    while let index = above {
      if host == nil { host = blocks[index].condition?.host }
      if prefix.isEmpty { prefix = blocks[index].condition?.prefix ?? "" }
      above = blocks[index].parent
    }
    while prefix.hasSuffix("/") { prefix.removeLast() }
    return Lighttpd.Route(
      gateway: gateway, speaks: isUWSGI ? .uwsgi : gateway.speaks, servers: servers, extension: found.name ?? "",
      setting: value, prefix: prefix, lacksHeaders: self.setting("proxy.header", in: selection) == nil, target: target,
      rewriting: rewriting, mapped: mapped, sentHost: sentHost, host: host,
      log: setting("server.errorlog", in: selection)?.value)
  }

  /// The first extension that takes a path: a prefix that begins with a slash, or an end.
  private func `extension`(
    of setting: Lighttpd.Value, _ path: String, isFile: Bool, _ selection: Selection
  ) -> Lighttpd.Element? {
    var files = [path]
    if isFile, path.hasSuffix("/") {
      files += (self.setting("index-file.names", in: selection)?.value.elements ?? []).compactMap(\.value.text)
    }
    return setting.elements.first { element in
      guard let name = element.name else { return false }
      return name.hasPrefix("/") ? path.hasPrefix(name) : files.contains { $0.hasSuffix(name) }
    }
  }

  /// The path after the first rule that fits; nil where none does.
  private func rewritten(
    _ target: String, _ names: [String], _ visit: Lighttpd.Visit, _ selection: Selection
  ) -> (target: String, rewriting: (by: String, place: Lighttpd.Place), repeats: Bool)? {
    guard
      let index = selection.holding.last(where: { index in names.contains { blocks[index].settings[$0] != nil } })
    else { return nil }
    let groups = blocks[index].condition?.groups(of: visit) ?? []
    for name in names {
      for rule in blocks[index].settings[name]?.elements ?? [] {
        guard let regex = rule.name, let match = (try? Pattern(regex))?.firstMatch(in: target) else { continue }
        guard let form = rule.value.text, !form.isEmpty else { return nil }
        let new = form.filled(match.groups, groups, visit)
        guard new.hasPrefix("/") else { return nil }
        return (new, (name, rule.value.place), name.contains("repeat"))
      }
    }
    return nil
  }

  /// What lighttpd would refuse though its grammar takes it.
  var wrongSetting: Lighttpd.Mistake? {
    for block in blocks {
      for gateway in Lighttpd.Gateway.allCases where modules.contains(gateway.module) {
        for element in block.settings[gateway.setting]?.elements ?? [] {
          for server in element.value.elements where server.value.elements.isEmpty {
            return Lighttpd.Mistake(
              file: server.value.place.file, line: server.value.place.line,
              message: "\(gateway.setting) needs two more parentheses around its servers")
          }
        }
      }
    }
    return nil
  }

  /// Every name of a host condition, with where it stands.
  var hosts: [(name: String, span: Span?, block: Int)] {
    blocks.enumerated().compactMap { index, block in block.condition?.host.map { ($0.name, $0.span, index) } }
  }
}

extension String {
  /// The path decoded, and the query without its `?`.
  fileprivate var pathAndQuery: (String, String) {
    let path = prefix { $0 != "?" }
    return (String(path).decoded { _ in true }, String(dropFirst(path.count).dropFirst()))
  }

  /// With letters, digits, `-`, `.`, `_` and `~` as themselves: lighttpd passes a path on like that.
  fileprivate var withoutNeedlessEscapes: String {
    decoded { byte in
      let sign = Character(UnicodeScalar(byte))
      return byte < 0x80 && (sign.isLetter || sign.isNumber || "-._~".contains(sign))
    }
  }

  private func decoded(_ counts: (UInt8) -> Bool) -> String {
    var bytes: [UInt8] = []
    var rest = Array(utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(2)
      if byte == UInt8(ascii: "%"), digits.count == 2,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), counts(value)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  fileprivate func finds(_ text: String) -> Bool { (try? Pattern(self))?.matches(text) == true }

  /// `$1`, `%1`, `${url.path}`, `${qsa}` in what a rule makes of a path.
  fileprivate func filled(_ match: [String?], _ condition: [String?], _ visit: Lighttpd.Visit) -> String {
    var filled = ""
    var rest = self[...]
    while let sign = rest.popFirst() {
      guard sign == "$" || sign == "%", let next = rest.first else {
        filled.append(sign)
        continue
      }
      let groups = sign == "$" ? match : condition
      if let number = next.wholeNumberValue {
        filled += groups.indices.contains(number) ? groups[number] ?? "" : ""
        rest = rest.dropFirst()
      } else if next == "{", let close = rest.firstIndex(of: "}") {
        let name = rest[rest.index(after: rest.startIndex)..<close]
        switch name {
        case "qsa": filled += visit.query.isEmpty ? "" : (filled.contains("?") ? "&" : "?") + visit.query
        case "url.path": filled += visit.path
        case "url.query": filled += visit.query
        case "url.authority": filled += visit.authority
        case "url.scheme": filled += visit.scheme
        default:
          // `${1}`, and forms of it such as `${tolower:1}`.
          let number = Int(name.split(separator: ":").last ?? "") ?? -1
          filled += groups.indices.contains(number) ? groups[number] ?? "" : ""
        }
        rest = rest[rest.index(after: close)...]
      } else {
        filled.append(sign)
        if next == sign { rest = rest.dropFirst() }
      }
    }
    return filled
  }
}
