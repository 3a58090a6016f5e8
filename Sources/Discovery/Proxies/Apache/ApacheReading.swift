import Model
import Pattern
import Routes
import World

extension FactName {
  static let apacheModule: FactName = "apache.module"
  static let apacheHasSwitches: FactName = "apache.has-switches"
  static let apacheNeedsTLS: FactName = "apache.needs-tls-engine"
  static let passExact = FactName.line(.pass, "exact")
  static let apacheModuleFolder: FactName = "apache.module-folder"
}

/// From httpd's files to the facts of a route.
enum ApacheReading: ProxyReader {
  static let facts: [FactName] =
    [
      .apacheModule, .apacheHasSwitches, .apacheNeedsTLS, .passExact, .apacheModuleFolder, .routeFiles,
    ] + FactName.ofLine(.exception)

  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading {
    let configuration = try await load(proxy).withOverrides(for: request.site.host, port: request.port)
    return await reading(of: request, in: configuration, proxy)
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] {
    try await load(proxy).listed
  }

  /// The time of its pid file: httpd writes it anew at its start and at each graceful restart, which keep the pid.
  static func loaded(_ proxy: RunningProxy, _ processes: [ProcessSeen]) async throws(Unseen) -> Double {
    let configuration = try await load(proxy)
    // Without a line: where the official image, Debian and Red Hat are built to have it.
    let paths =
      configuration.directives.last("pidfile")?.text(0).map { [configuration.absolute($0)] }
      ?? [configuration.absolute("logs/httpd.pid"), "/run/apache2.pid", "/run/httpd/httpd.pid"]
    let started = processes.map(\.started).min() ?? .infinity
    for path in paths {
      // An older one is left from another run.
      if let written = await proxy.files.modified(path), written > started - 2 { return written }
    }
    throw .missing(what: paths.joined(separator: ", "))
  }

  /// `/usr/sbin/apache2 -d /etc/apache2-two -f apache2.conf -D SSL -k start`.
  struct CommandLine: Equatable {
    let program: String
    private(set) var configuration: String?
    private(set) var root: String?
    private(set) var defined: [String] = []

    /// Nil if it is not httpd's own.
    init?(_ command: [String]) {
      guard
        let at = command.firstIndex(where: { word in
          ["apache2", "httpd"].contains(word.split(separator: "/").last.map(String.init) ?? "")
        })
      else { return nil }
      program = command[at]
      let words = command[at...]
      for (option, value) in zip(words, words.dropFirst()) {
        if option == "-f" { configuration = value }
        if option == "-d" { root = value.count > 1 && value.hasSuffix("/") ? String(value.dropLast()) : value }
        if option == "-D" { defined.append(value) }
      }
      // Debian's own start writes -DFOREGROUND in one word.
      defined += words.filter { $0.hasPrefix("-D") && $0.count > 2 }.map { String($0.dropFirst(2)) }
    }
  }

  /// Roots and main files that httpd is built with: Debian's, the official image's, Red Hat's.
  private static let builtIn = [
    (root: "/etc/apache2", main: "apache2.conf"), (root: "/usr/local/apache2", main: "conf/httpd.conf"),
    (root: "/etc/httpd", main: "conf/httpd.conf"),
  ]

  /// Every file that httpd loads. A main file that is not there is `missing`.
  static func load(_ proxy: RunningProxy) async throws(Unseen) -> Apache.Configuration {
    let (line, files) = (CommandLine(proxy.command), proxy.files)
    var candidates = builtIn
    if line?.program.hasSuffix("httpd") == true { candidates.append(candidates.removeFirst()) }
    if let root = line?.root { candidates = candidates.map { (root, $0.main) } }
    if let main = line?.configuration { candidates = candidates.map { ($0.root, main) } }
    for (root, main) in candidates {
      let path = main.hasPrefix("/") ? main : "\(root)/\(main)"
      guard try await files.read(path) != nil else { continue }
      var start = Apache.Configuration.Start(main: path, root: root)
      start.defined = Set(line?.defined ?? [])
      start.environment = await environment(proxy)
      let configuration = await Apache.Configuration.load(start, files: GrammarFiles(files))
      for case let unseen as Unseen in configuration.unread.map(\.error) { files.note(unread: unseen) }
      return configuration
    }
    throw .missing(what: candidates.map { "\($0.root)/\($0.main)" }.joined(separator: ", "))
  }

  /// What httpd was started with. Never shown: it may have secrets.
  private static func environment(_ proxy: RunningProxy) async -> [String: String] {
    var pairs: [Substring] = []
    if let pid = proxy.place.pid, let seen = try? await proxy.world.see(FileRead(path: "/proc/\(pid)/environ")) {
      pairs = seen.text.split(separator: "\0")
    } else if let variables = proxy.container?.Config?.Env {
      pairs = variables.map { $0[...] }
    } else if let text = try? await proxy.files.read("/etc/apache2/envvars") {
      // Debian's, of its first instance: without a suffix.
      pairs = text.lines.filter { $0.hasPrefix("export ") }
        .map { $0.dropFirst(7).replacing("$SUFFIX", with: "")[...] }
    }
    return Dictionary(
      pairs.compactMap { pair in
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
      }
    ) { _, last in last }
  }
}

extension Apache.Configuration {
  func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(root)/\(path)" }

  /// The sites that are passed on, one for each name, port and path.
  var listed: [RouteReading.Listed] {
    var seen: Set<RouteReading.Listed> = []
    return (hosts.all + [main]).flatMap { server -> [RouteReading.Listed] in
      let ports: [(UInt16, Bool)] =
        server.section == nil
        ? listening.map { ($0.port, $0.isTLS || server.isTLS) }
        : server.addresses.compactMap { $0.port.map { ($0, server.isTLS) } }
      let names = ([server.hostName] + server.aliases.map { $0.text.lowercased() }).compactMap { $0 }
        .filter { !$0.contains { "*?".contains($0) } && $0 != "localhost" }
      return names.flatMap { name in
        ports.flatMap { port, isTLS in
          paths(of: server).compactMap { path -> RouteReading.Listed? in
            let route = route(host: name, port: port, path: path, isTLS: isTLS)
            guard case .proxied = route.kind, let worker = workers(of: route).first else { return nil }
            return RouteReading.Listed(host: name, port: port, isTLS: isTLS, path: path, upstream: worker.target.url)
          }
        }
      }
    }.filter { seen.insert($0).inserted }
  }

  /// The paths that a server passes on.
  private func paths(of server: Apache.Server) -> [String] {
    let passes = server.directives.filter { $0.isPass && !$0.isPattern && $0.text(1) != "!" }.compactMap { $0.text(0) }
    let locations = server.directives.filter { section in
      section.key == "location" && (section.block ?? []).contains { $0.isPass && $0.text(0) != "!" }
    }.compactMap { $0.text(0) }
    let found = (passes + locations).filter { $0.hasPrefix("/") }
    return found.isEmpty ? ["/"] : found
  }
}

extension Apache.Target {
  var endpoint: Endpoint {
    socket.map { .socket($0.text) } ?? .network(host: host.text.trimmedBrackets, port: number)
  }

  /// `http://app:3000`, `fcgi://unix:/run/php.sock`.
  var url: String { "\(scheme.text.lowercased())://\(endpoint.text)" }
}
