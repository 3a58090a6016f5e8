import Model
import Routes

extension Nginx {
  /// What nginx demands of a directive in `http`: where it stands, its block, how many arguments.
  ///
  /// Only for directives on which a route depends; all others are taken as they are.
  struct Rule {
    let contexts: Set<Context>
    let arguments: ClosedRange<Int>
    let hasBlock: Bool

    init(_ contexts: Set<Context>, _ arguments: ClosedRange<Int>, hasBlock: Bool = false) {
      self.contexts = contexts
      self.arguments = arguments
      self.hasBlock = hasBlock
    }
  }

  /// A block whose rules are known. Within any other (`events`, `stream`, `types`, `map`) nothing is demanded.
  enum Context {
    case main, http, upstream, server, location, serverIf, locationIf, limitExcept

    /// The context within `directive`, which stands in this one.
    func inside(_ directive: Directive) -> Context? {
      switch (self, directive.name) {
      case (.main, "http"): .http
      case (.http, "upstream"): .upstream
      case (.http, "server"): .server
      case (.server, "location"), (.location, "location"): .location
      case (.server, "if"): .serverIf
      case (.location, "if"): .locationIf
      case (.location, "limit_except"): .limitExcept
      default: nil
      }
    }
  }

  private static let many = 1000
  private static let levels: Set<Context> = [.http, .server, .location]
  private static let scripts: Set<Context> = [.server, .location, .serverIf, .locationIf]

  /// Of every version: a word that is none of these usually stands behind a missing `;`.
  private static let listenParameters: Set<String> = [
    "default", "default_server", "ssl", "http2", "http3", "spdy", "quic", "proxy_protocol", "reuseport",
    "deferred",
    "bind", "multipath", "setfib", "fastopen", "backlog", "rcvbuf", "sndbuf", "accept_filter", "ipv6only",
    "so_keepalive",
  ]

  static let rules: [String: Rule] = {
    var rules: [String: Rule] = [
      "http": Rule([.main], 0...0, hasBlock: true),
      "upstream": Rule([.http], 1...1, hasBlock: true),
      "map": Rule([.http], 2...2, hasBlock: true),
      "location": Rule([.server, .location], 1...2, hasBlock: true),
      "limit_except": Rule([.location], 1...many, hasBlock: true),
      "if": Rule([.server, .location], 1...many, hasBlock: true),
      "listen": Rule([.server], 1...many),
      "server_name": Rule([.server], 1...many),
      "proxy_pass": Rule([.location, .locationIf, .limitExcept], 1...1),
      "return": Rule(scripts, 1...2),
      "rewrite": Rule(scripts, 2...3),
      "set": Rule(scripts, 2...2),
      "break": Rule(scripts, 0...0),
      "try_files": Rule([.server, .location], 2...many),
      "error_page": Rule(levels.union([.locationIf]), 2...many),
      "root": Rule(levels.union([.locationIf]), 1...1),
      "alias": Rule([.location], 1...1),
      "resolver": Rule(levels, 1...many),
      "resolver_timeout": Rule(levels, 1...1),
      "client_max_body_size": Rule(levels, 1...1),
      "error_log": Rule(levels.union([.main]), 1...many),
      "access_log": Rule(levels.union([.locationIf, .limitExcept]), 1...many),
    ]
    for pass in ["fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass"] {
      rules[pass] = Rule([.location, .locationIf], 1...1)
    }
    for family in Route.Kind.families {
      for timeout in ["connect_timeout", "read_timeout", "send_timeout"] {
        rules["\(family)_\(timeout)"] = Rule(levels, 1...1)
      }
      rules["\(family)_next_upstream"] = Rule(levels, 1...many)
    }
    for setting in ["verify", "name", "server_name", "trusted_certificate"] {
      rules["proxy_ssl_\(setting)"] = Rule(levels, 1...1)
    }
    rules["proxy_set_header"] = Rule(levels, 2...2)
    return rules
  }()

  /// What may stand once in a block: a second one "is duplicate". As nginx 1.22 says it.
  private static let single: [Context: Set<String>] = {
    let anywhere: Set<String> = [
      "sendfile", "tcp_nopush", "tcp_nodelay", "keepalive_timeout", "server_tokens", "client_max_body_size",
      "resolver", "resolver_timeout", "client_body_timeout", "send_timeout", "root", "proxy_read_timeout",
      "proxy_send_timeout", "proxy_connect_timeout", "proxy_buffering", "proxy_buffer_size", "proxy_buffers",
      "proxy_busy_buffers_size", "proxy_http_version", "proxy_ssl_verify", "proxy_ssl_server_name", "proxy_ssl_name",
      "proxy_request_buffering", "proxy_next_upstream", "proxy_intercept_errors", "proxy_ignore_client_abort",
      "proxy_max_temp_file_size", "fastcgi_read_timeout", "auth_basic", "autoindex",
    ]
    return [
      .main: [
        "user", "pid", "worker_processes", "daemon", "master_process", "worker_rlimit_nofile", "lock_file",
        "worker_priority", "worker_shutdown_timeout", "pcre_jit",
      ],
      .http: anywhere.union([
        "types_hash_max_size", "server_names_hash_bucket_size", "variables_hash_max_size", "client_header_timeout",
        "large_client_header_buffers", "reset_timedout_connection", "default_type", "gzip",
      ]),
      .server: anywhere.union([
        "merge_slashes", "ssl_session_timeout", "ssl_ciphers", "ssl_prefer_server_ciphers", "ssl_session_tickets",
      ]),
      .location: anywhere.union(["alias", "proxy_pass", "fastcgi_pass", "auth_request", "fastcgi_index"]),
    ]
  }()

  /// What nginx says of `directive` in `context`; nil if nothing is wrong with it.
  ///
  /// - Parameter names: Those of the directives before it in its block.
  static func problem(of directive: Directive, in context: Context, beside names: inout Set<String>) -> Problem? {
    let isFirst = names.insert(directive.name).inserted
    // `server` is a block in `http` and a line in `upstream`.
    let rule =
      directive.name == "server"
      ? (context == .upstream ? Rule([.upstream], 1...many) : Rule([.http], 0...0, hasBlock: true))
      : rules[directive.name]
    func problem(_ message: String) -> Problem {
      Problem(
        file: directive.file, line: directive.lastLine, message: message,
        unterminatedLine: directive.lastLine > directive.line ? directive.line : nil)
    }
    let name = "\"\(directive.name)\""
    if !isFirst, directive.block == nil, single[context]?.contains(directive.name) == true {
      return problem("\(name) directive is duplicate")
    }
    guard let rule else {
      guard let near = misspelt(directive, in: context) else { return nil }
      var problem = problem("unknown directive \(name)")
      problem.slip = .init(written: directive.name, meant: near)
      return problem
    }
    if !rule.contexts.contains(context) { return problem("\(name) directive is not allowed here") }
    if !rule.hasBlock, directive.block != nil {
      return problem("directive \(name) is not terminated by \";\"")
    }
    if rule.hasBlock, directive.block == nil { return problem("directive \(name) has no opening \"{\"") }
    if !rule.arguments.contains(directive.arguments.count) {
      return problem("invalid number of arguments in \(name) directive")
    }
    if directive.name.hasSuffix("_timeout"), directive.text(0).flatMap(duration) == nil {
      return problem("\(name) directive invalid value")
    }
    if directive.name == "location", directive.arguments.count == 2,
      let modifier = directive.text(0), !["=", "^~", "~", "~*"].contains(modifier)
    {
      return problem("invalid location modifier \"\(modifier)\"")
    }
    let takesNoPath =
      directive.name == "location" && directive.text(0).map { $0.hasPrefix("~") || $0.hasPrefix("@") } == true
    if let pass = takesNoPath ? directive.block?.first("proxy_pass") : directive, let url = pass.pathlessURL,
      takesNoPath || [.locationIf, .limitExcept].contains(context)
    {
      var problem = Problem(
        file: pass.file, line: pass.lastLine,
        message:
          "\"proxy_pass\" cannot have URI part in location given by regular expression, or inside named location, "
          + "or inside \"if\" statement, or inside \"limit_except\" block")
      // Where the location's own pattern begins with that path, it is passed on without it, too.
      let path = (pass.text(0) ?? "").dropFirst(url.count)
      let isSame =
        path == "/" || directive.text(1)?.hasPrefix("^" + (path.hasSuffix("/") ? path.dropLast() : path)) == true
      if let written = pass.text(0), isSame { problem.slip = .init(written: written, meant: url) }
      return problem
    }
    if directive.name == "listen",
      let unknown = directive.arguments.dropFirst().map(\.text).first(where: { word in
        !listenParameters.contains(String(word.prefix { $0 != "=" }))
      })
    {
      return problem("invalid parameter \"\(unknown)\"")
    }
    if directive.name == "proxy_pass", let url = directive.text(0)?.lowercased(), !url.contains("$"),
      !url.hasPrefix("http://"), !url.hasPrefix("https://")
    {
      return problem("invalid URL prefix")
    }
    return nil
  }

  /// A group has to have servers; one that keeps them in a file may have none here.
  static func problem(ofGroup upstream: Directive) -> Problem? {
    let block = upstream.block ?? []
    guard !block.contains(where: { ["server", "state"].contains($0.name) || $0.name.hasSuffix("_by_lua_block") }) else {
      return nil
    }
    return Problem(file: upstream.file, line: upstream.lastLine, message: "no servers are inside upstream")
  }

  /// The directive that was probably meant by a word that no module has: one letter away, and it could stand here as it
  /// is. What a module of others may have is left alone, and so are short words.
  private static func misspelt(_ directive: Directive, in context: Context) -> String? {
    guard directive.name.utf8.count >= 5 else { return nil }
    let fitting = rules.filter { name, rule in
      name.utf8.count >= 5 && rule.contexts.contains(context) && rule.hasBlock == (directive.block != nil)
        && rule.arguments.contains(directive.arguments.count)
    }
    return directive.name.nearest(among: fitting.keys.sorted(), within: 1)
  }

  /// A size as nginx writes it, in bytes: `4096`, `16k`, `1m`.
  static func size(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units = ["": 1, "k": 1024, "m": 1_048_576]
    guard let number = Int(digits), let unit = units[text.dropFirst(digits.count).lowercased()] else { return nil }
    let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: unit)
    return isTooLarge ? nil : bytes
  }

  /// A time as nginx writes it, `90`, `90s`, `1m30s`, `500ms`, `1h 30m`: units from large to small, each once.
  public static func duration(_ text: String) -> Duration? {
    let units: [(name: String, milliseconds: Int64)] = [
      ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
    var total: Int64 = 0
    var next = 0
    var rest = Substring(text)
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let number = Int64(digits) else { return nil }
      rest = rest[digits.endIndex...]
      let unit = rest.prefix { $0.isLetter }
      rest = rest[unit.endIndex...].drop { $0 == " " }
      // A number without a unit is the last one, in seconds.
      guard let index = units.firstIndex(where: { $0.name == (unit.isEmpty ? "s" : unit) }), index >= next,
        !unit.isEmpty || rest.isEmpty
      else { return nil }
      let (value, tooLarge) = number.multipliedReportingOverflow(by: units[index].milliseconds)
      let (sum, tooLargeSum) = total.addingReportingOverflow(value)
      if tooLarge || tooLargeSum { return nil }
      total = sum
      next = index + 1
    }
    return text.isEmpty ? nil : .milliseconds(total)
  }
}

extension Nginx.Directive {
  /// Of a `proxy_pass` whose literal address has a path behind it: the address without it.
  fileprivate var pathlessURL: String? {
    guard name == "proxy_pass", let url = text(0), !url.contains("$"), !url.contains("unix:"),
      let mark = url.firstRange(of: "://"),
      let path = url[mark.upperBound...].firstIndex(where: { $0 == "/" || $0 == "?" })
    else { return nil }
    return String(url[..<path])
  }
}
