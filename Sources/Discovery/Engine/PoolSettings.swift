public import Model
public import Routes
public import World

extension FactName {
  public static let poolClients: FactName = "pool.clients"
  public static let poolTimeout: FactName = "pool.timeout"
  public static let poolListen: FactName = "pool.listen"
  public static let poolChildren: FactName = "pool.children"
  public static let poolMoreChildren: FactName = "pool.more-children"
  public static let poolMaster: FactName = "pool.master"

  /// Settings of a PHP-FPM pool by which it takes connections, and gives them or requests up, each with its line.
  public static let ofPool: [FactName] =
    [poolClients, poolTimeout, poolListen, poolChildren, poolMoreChildren, poolMaster]
    + [.poolClients, .poolTimeout, .poolListen, .poolChildren].flatMap { ofLine($0) }
}

/// A section of PHP-FPM's files; of a setting that stands there twice the last one counts.
private struct Pool {
  struct Setting {
    let value: String
    /// Nil: no file of this machine has it.
    let edit: Edit?
  }
  private(set) var settings: [String: Setting] = [:]

  /// `listen = 9000`, `127.0.0.1:9000`, `[::]:9000`, `/run/php/php-fpm.sock`
  func listens(at endpoint: Endpoint) -> Bool {
    guard let listen = settings["listen"]?.value else { return false }
    switch endpoint {
    case .network(_, let port): return listen == "\(port)" || listen.hasSuffix(":\(port)")
    case .socket(let path): return listen == path
    }
  }

  mutating func set(_ name: String, _ setting: Setting) { settings[name] = setting }

  var facts: Facts {
    func setting(_ name: String, if counts: (String) -> Bool) -> Setting? {
      settings[name].flatMap { counts($0.value) ? $0 : nil }
    }
    let clients = settings["listen.allowed_clients"]
    // 0 ends none.
    let timeout = setting("request_terminate_timeout") { $0.first != "0" || $0.count > 2 }
    let listen = setting("listen") { $0.hostAndPort.host.isLoopback }
    let children = setting("pm.max_children") { Int($0) != nil }
    var facts: Facts = [
      .poolClients: clients?.value.printable ?? "", .poolTimeout: timeout?.value.printable ?? "",
      .poolListen: listen?.value.printable ?? "", .poolChildren: children?.value ?? "",
      .poolMoreChildren: children.flatMap { Int($0.value) }.map { String(max(10, $0.clampedProduct(4))) } ?? "",
    ]
    facts.set(clients?.edit, .poolClients)
    facts.set(timeout?.edit, .poolTimeout)
    facts.set(listen?.edit, .poolListen)
    facts.set(children?.edit, .poolChildren)
    return facts
  }
}

extension World {
  /// How the PHP-FPM that listens there takes connections (`listen`, `listen.allowed_clients`, `pm.max_children`) and gives
  /// requests up (`request_terminate_timeout`), as far as its pools' files can be seen; with the lines of those that are
  /// files of this machine.
  ///
  /// Source: PHP manual, "FastCGI Process Manager: Configuration"; the folders of the official image, Debian and Alpine.
  ///
  /// - Parameter container: Nil: it is a program of this machine.
  public func poolSettings(of container: Container?, at endpoint: Endpoint) async -> Facts {
    var pools: [String: Pool] = [:]
    var master: Int32?
    if let container {
      guard let pid = container.pid else { return [:] }
      let place = Place.process(pid)
      for pattern in [
        "/usr/local/etc/php-fpm.d/*.conf", "/etc/php/*/fpm/pool.d/*.conf", "/etc/php*/php-fpm.d/*.conf",
      ] {
        for path in ((try? await see(FileGlob(pattern: pattern, place: place))) ?? []).prefix(16) {
          await read(path, in: place, &pools) { container.hostPath(of: $0) }
        }
      }
    } else {
      for process in await masters {
        var own: [String: Pool] = [:]
        await read(process.file, in: .host, &own) { $0 }
        guard own.values.contains(where: { $0.listens(at: endpoint) }) else { continue }
        (pools, master) = (own, process.id)
        break
      }
    }
    let listening = pools.values.filter { $0.listens(at: endpoint) }
    guard let pool = listening.first ?? (pools.count == 1 ? pools.values.first : nil), listening.count < 2 else {
      return [:]
    }
    return pool.facts.merging([.poolMaster: master.map { String($0) } ?? ""])
  }

  /// Root's own PHP-FPM of this machine, with the first file of each: `php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)`.
  private var masters: [(id: Int32, file: String)] {
    get async {
      let versions = ["5.6"] + (0...4).map { "7.\($0)" } + (0...5).map { "8.\($0)" }
      let names = ["php-fpm"] + versions.flatMap { ["php-fpm\($0)", "php-fpm" + $0.filter { $0 != "." }] }
      return ((try? await see(Processes(names: names))) ?? []).compactMap { process in
        let title = process.command.joined(separator: " ")
        guard process.standing == .own, process.container == nil, title.hasPrefix("php-fpm: master process ("),
          let open = title.firstIndex(of: "("), let close = title.lastIndex(of: ")"), open < close
        else { return nil }
        let file = String(title[title.index(after: open)..<close])
        return file.hasPrefix("/") ? (process.id, file) : nil
      }
    }
  }

  /// Adds a file's sections, and those of the files that it takes in.
  private func read(
    _ path: String, in place: Place, _ pools: inout [String: Pool], isIncluded: Bool = false,
    outside: (String) -> String?
  ) async {
    guard let sight = try? await see(FileRead(path: path, place: place, limit: 1 << 16)) else { return }
    let file = outside(sight.target ?? path)
    var section = ""
    for (number, line) in sight.text.lines.enumerated() where line.utf8.count <= Limits.pastedLine {
      let text = String(line).trimmed
      if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
        section = String(text[..<close].dropFirst())
        continue
      }
      guard !text.hasPrefix(";"), let equals = line.firstIndex(of: "=") else { continue }
      let name = String(line[..<equals]).trimmed
      let start = line.index(after: equals)
      let value = String(line[start...].prefix { $0 != ";" }).trimmed
      guard !value.isEmpty, let found = line[start...].ranges(of: value).first else { continue }
      if name == "include", !isIncluded {
        for other in ((try? await see(FileGlob(pattern: value, place: place))) ?? []).prefix(32) {
          await read(other, in: place, &pools, isIncluded: true, outside: outside)
        }
      }
      guard section != "global", !section.isEmpty else { continue }
      let edit = file.map { file in
        Edit(
          onThisMachine: Span(
            file: file, line: number + 1, text: String(line), head: String(line[..<found.lowerBound]),
            tail: String(line[found.upperBound...])))
      }
      pools[section, default: Pool()].set(name, Pool.Setting(value: value, edit: edit))
    }
  }
}
