import Routes

extension Nginx.Configuration {
  /// What keeps nginx from loading and no directive shows alone: servers and groups that get in each other's way.
  ///
  /// Source: `ngx_http_add_addresses` in `ngx_http.c`, `ngx_http_upstream_add` in `ngx_http_upstream.c`.
  static func conflicts(
    of servers: [Nginx.Server], _ groups: [String: Nginx.Directive], in http: [Nginx.Directive]
  ) -> [Nginx.Problem] {
    secondDefaults(of: servers) + portsOfGroups(groups, in: http) + longNames(of: servers, in: http)
  }

  /// Each later `default_server` of an address that has one.
  private static func secondDefaults(of servers: [Nginx.Server]) -> [Nginx.Problem] {
    struct Socket: Hashable {
      let address: String
      let port: UInt16?
      let isDatagram: Bool
    }
    var taken: Set<Socket> = []
    var problems: [Nginx.Problem] = []
    for line in servers.flatMap({ $0.own.all("listen") }) {
      let words = line.arguments.map(\.text)
      let listen = Nginx.Listen(words)
      let socket = Socket(address: listen.address, port: listen.port, isDatagram: words.contains("quic"))
      guard let word = words.dropFirst().first(where: { ["default_server", "default"].contains($0) }),
        !taken.insert(socket).inserted
      else { continue }
      let shown = (listen.address == "*" ? "0.0.0.0" : listen.address) + (listen.port.map { ":\($0)" } ?? "")
      // A site is mostly copied with both lines, that for IPv4 and that for IPv6: they are mended together.
      if let last = problems.last, last.file == line.file, last.line + last.lines == line.line,
        last.slip?.written == " \(word)"
      {
        problems[problems.count - 1].lines += 1
        continue
      }
      var problem = Nginx.Problem(
        file: line.file, line: line.lastLine, message: "a duplicate default server for \(shown)")
      if line.line == line.lastLine { problem.slip = .init(written: " \(word)", meant: "") }
      problems.append(problem)
    }
    return problems
  }

  /// The first name that has no room in a bucket of the table of names, which nginx makes where servers share an address.
  ///
  /// Source: `ngx_http_server_names` in `ngx_http.c`, `ngx_hash_init` in `ngx_hash.c`: a name takes a pointer and its
  /// length and two bytes, up to a multiple of a pointer's size, and a bucket has one pointer more. A bucket is one line
  /// of the processor's cache unless the files say how large.
  private static func longNames(of servers: [Nginx.Server], in http: [Nginx.Directive]) -> [Nginx.Problem] {
    let setting = http.first("server_names_hash_bucket_size")
    guard let bucket = setting.map({ $0.text(0).flatMap(Nginx.size) }) ?? 64 else { return [] }
    func size(_ name: String) -> Int { 8 + (name.utf8.count + 2 + 7) / 8 * 8 + 8 }
    func socket(_ listen: Nginx.Listen) -> String { "\(listen.address) \(listen.port ?? 0)" }
    let number = Dictionary(grouping: servers.flatMap(\.listens), by: socket).mapValues(\.count)
    for server in servers where server.listens.contains(where: { number[socket($0), default: 0] > 1 }) {
      let sizes = server.names.compactMap { name -> Int? in
        if case .exact = Nginx.Name(name.text) { size(name.text) } else { nil }
      }
      guard let needed = sizes.first(where: { $0 > bucket }) else { continue }
      let enough = [128, 256, 512].first { $0 >= needed } ?? 1024
      let place = setting ?? server.directive
      var problem = Nginx.Problem(
        file: place.file, line: place.line,
        message: "could not build server_names_hash, you should increase server_names_hash_bucket_size: \(bucket)")
      // Beside a server it stands in http, as it has to.
      problem.slip =
        setting.map { .init(written: $0.text(0) ?? "", meant: String(enough)) }
        ?? .init(written: "server", meant: "server_names_hash_bucket_size \(enough);\nserver")
      return [problem]
    }
    return []
  }

  /// A group's ports stand in its block: whoever names it may not name one besides.
  private static func portsOfGroups(
    _ groups: [String: Nginx.Directive], in block: [Nginx.Directive]
  ) -> [Nginx.Problem] {
    guard !groups.isEmpty else { return [] }
    return block.flatMap { directive -> [Nginx.Problem] in
      let inner = portsOfGroups(groups, in: directive.block ?? [])
      guard let kind = Nginx.Route.Kind(pass: directive.name), let argument = directive.arguments.first,
        !argument.text.contains("$")
      else { return inner }
      let target = Nginx.Target(Traced(argument, in: directive.file), of: kind)
      guard let port = target.port?.text, target.socket == nil,
        let name = groups[target.host.text.lowercased()]?.text(0)
      else { return inner }
      var problem = Nginx.Problem(
        file: directive.file, line: directive.lastLine, message: "upstream \"\(name)\" may not have port \(port)")
      if directive.line == directive.lastLine {
        problem.slip = .init(written: "\(target.host.text):\(port)", meant: target.host.text)
      }
      return [problem] + inner
    }
  }
}
