import Glibc
import Model
import Routes
import World

/// From lighttpd's files to a route.
enum LighttpdReading: ProxyReader {
  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading {
    let configuration = try await Lighttpd.Configuration.load(main(proxy), proxy)
    let files = proxy.files
    var reading = Reading(
      outcome: .found, configuration: await seen(configuration, proxy), entry: nil, route: nil, problem: nil,
      near: nil, app: nil, labels: nil,
      log: Reading.Log(file: .known(log(of: configuration.global("server.errorlog"))), keys: []), own: [:])
    let isBroken = reading.configuration.mistake != nil
    func entry(_ place: Lighttpd.Place, site: Setting<String>? = nil) -> Reading.Entry {
      Reading.Entry(site: site, definedIn: place.text, router: nil, service: nil, provider: nil)
    }
    switch configuration.answer(to: request.site, port: request.port) {
    case .undecided(let place):
      throw .unreadable(what: place.text, why: .init(.undecidedBlock))
    case .missing:
      let hosts = configuration.hosts
      reading.near = request.site.host.nearest(among: Array(Set(hosts.map(\.name)))).map { near in
        Setting(near, files.edit(hosts.first { $0.name == near }?.span))
      }
      reading.outcome = isBroken ? .broken : .missing
    case .answered(let place):
      reading.entry = place.map { entry($0) }
      reading.outcome = isBroken ? .broken : .static
    case .lacksModule(let gateway, let setting):
      reading.entry = entry(setting.place)
      reading.problem = problem(missing: gateway, configuration, files)
      reading.outcome = .misconfigured
    case .passed(let found):
      guard let server = found.servers.chosen(request.server, by: \.asServer), let endpoint = server.asServer?.endpoint
      else {
        guard !isBroken else {
          reading.outcome = .broken
          break
        }
        throw .unreadable(
          what: found.setting.place.text, why: .init(found.servers.isEmpty ? .noServers : .inEnvironment))
      }
      let place = server.settings.place
      reading.entry = entry(
        place, site: found.host.map { Setting($0.name, files.edit($0.span)) } ?? Setting(request.site.host, nil))
      reading.configuration.container = files.container(with: place.file)
      if let log = found.log { reading.log.file = .known(Self.log(of: log)) }
      reading.log.keys = endpoint.logKeys + ["handlers for \(request.site.path.prefix { $0 != "?" })"]
      reading.route = route(found, server, endpoint, configuration, files)
      if reading.route?.upstream.speaks == .tcp { reading.outcome = .otherProtocol }
    }
    return reading
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] {
    let configuration = try await Lighttpd.Configuration.load(main(proxy), proxy)
    let names = Set(configuration.hosts.map(\.name)).sorted()
    var listed: [RouteReading.Listed] = []
    for (port, isTLS) in configuration.ports {
      for name in names where !Task.isCancelled {
        guard let site = Site("\(isTLS ? "https" : "http")://\(name)/"),
          case .passed(let route) = configuration.answer(to: site, port: port),
          let endpoint = route.servers.first?.asServer?.endpoint, case .network = endpoint
        else { continue }
        listed.append(
          RouteReading.Listed(host: name, port: port, isTLS: isTLS, path: "/", upstream: "http://\(endpoint.text)"))
      }
    }
    return listed
  }

  /// The start of lighttpd, or the last time at which a signal let it load its files: the process stays the same, and
  /// its log says so.
  static func loaded(_ proxy: RunningProxy, _ processes: [ProcessSeen]) async throws(Unseen) -> Double {
    guard let started = processes.map(\.started).max() else { throw .missing(what: "lighttpd's process") }
    let configuration = try await Lighttpd.Configuration.load(main(proxy), proxy)
    guard let log = configuration.global("server.errorlog")?.text, log.hasPrefix("/"),
      let written = await proxy.files.modified(log), let lines = try? await proxy.files.lastLines(of: log)
    else { return started }
    // Its times are the machine's own; the last line was written when the file was.
    guard let last = lines.reversed().lazy.compactMap(\.seconds).first,
      let load = lines.reversed().first(where: { $0.contains("server started (lighttpd/") })?.seconds
    else { return started }
    return max(started, load + ((written - last) / 900).rounded() * 900)
  }

  /// Its first file: `lighttpd -D -f /etc/lighttpd/lighttpd.conf`.
  private static func main(_ proxy: RunningProxy) -> String {
    let named = zip(proxy.command, proxy.command.dropFirst()).first { option, _ in
      option.hasPrefix("-") && !option.hasPrefix("--") && option.hasSuffix("f")
    }?.1
    return ProxyFiles.absolute(named ?? "/etc/lighttpd/lighttpd.conf", in: "/")
  }

  // MARK: What the files say

  private static func seen(
    _ configuration: Lighttpd.Configuration, _ proxy: RunningProxy
  ) async -> Reading.Configuration {
    let files = proxy.files
    let mistake = (configuration.mistake ?? configuration.wrongSetting).map { mistake in
      files.mistake(
        "\(mistake.file):\(mistake.line): \(mistake.message)", in: mistake.file, line: mistake.line,
        text: configuration.line(mistake.line, of: mistake.file), fixed: nil)
    }
    return Reading.Configuration(
      start: Reading.Configuration.Start(file: main(proxy), prefix: nil, adapter: nil), mistake: mistake,
      newest: await files.newest(of: configuration.files), main: nil,
      folder: configuration.files.last.flatMap(files.folder), folderInside: nil, container: nil,
      hasAdmin: .notApplicable, version: nil, unread: nil)
  }

  /// Nil: it writes to the system's log, or to where it was started.
  private static func log(of setting: Lighttpd.Value?) -> String? {
    setting?.text.flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  /// The module that a route needs, and where its name belongs.
  private static func problem(
    missing gateway: Lighttpd.Gateway, _ configuration: Lighttpd.Configuration, _ files: ProxyFiles
  ) -> Reading.Problem {
    let reason = "\(gateway.setting) is set, and \(gateway.module) is not among server.modules"
    guard let end = configuration.global("server.modules")?.end, let edit = files.edit(end.span) else {
      return Reading.Problem(reason: reason, remedy: nil, label: nil)
    }
    let fixed = edit.span.head + (end.needsComma ? ", " : "") + "\"\(gateway.module)\")" + edit.span.tail
    return Reading.Problem(reason: reason, remedy: .line(edit, fixed: fixed), label: nil)
  }

  /// Sources: lighttpd's documentation of mod_proxy and mod_fastcgi; `gw_backend.c`, `sock_addr.c`, `http-header-glue.c`.
  private static func route(
    _ route: Lighttpd.Route, _ server: Lighttpd.Server, _ endpoint: Endpoint,
    _ configuration: Lighttpd.Configuration, _ files: ProxyFiles
  ) -> Route {
    let settings = server.settings
    // The line with its name, beside which one about headers may stand.
    let start = route.setting.place
    let text = configuration.line(start.line, of: start.file).flatMap { line in
      route.lacksHeaders && line.trimmed.hasPrefix(route.gateway.setting) ? line : nil
    }
    let line = text.map { Span(file: start.file, line: start.line, text: $0, head: "", tail: "") }
    let address: Route.Upstream.Address
    var family: Route.Resolution.Family?
    switch endpoint {
    case .network(let host, let port):
      address = .network(
        host: Setting(host, files.edit(settings["host"]?.span)), port: Setting(port, files.edit(settings["port"]?.span))
      )
      family = host == "localhost" ? .ipv4Only : .ipv6First
    case .socket(let path):
      let span = server.isStarted ? nil : (settings["socket"] ?? settings["host"])?.span
      address = .socket(Setting(path, files.edit(span)))
    }
    return Route(
      upstream: Route.Upstream(
        scheme: Setting(route.gateway == .proxy ? "http" : route.speaks.rawValue, nil), address: address,
        speaks: route.speaks),
      servers: route.servers.compactMap(\.asServer),
      // One address of a name is taken, when lighttpd starts.
      resolution: .known(
        Route.Resolution(when: .known(.atStart), family: .known(Setting(family, nil)), dials: .notRead, resolver: nil)),
      patience: Route.Patience(
        connect: .known(Setting(.seconds(server.connectTimeout), files.edit(settings["connect-timeout"]?.span))),
        answer: .known(Setting(Route.Wait(server.readTimeout), files.edit(settings["read-timeout"]?.span))),
        whole: .notApplicable),
      tls: nil,
      path: Route.Path(
        passedOn: .known(route.target),
        change: .known(
          route.rewriting.map { rewriting in
            .init(
              by: "\(rewriting.by) in \(rewriting.place.text)", edit: files.edit(route.mapped?.new),
              fixed: route.mapped.map { $0.new.head + $0.old + $0.new.tail })
          }),
        prefix: .known(route.rewriting == nil && !route.prefix.isEmpty ? route.prefix : nil)),
      sentHost: route.sentHost.map { .known(Setting($0, nil)) } ?? .notApplicable,
      limits: Route.Limits(
        header: .known(Route.Limits.Header(bytes: Setting(65_535, nil), line: nil, lines: nil)), body: .notRead,
        connections: .notApplicable),
      health: .known(nil), login: .notApplicable, scripts: .notRead, refusals: .notRead, shadowed: .notRead,
      pass: Route.Pass(
        line: files.insertion(after: line, next: nil), site: nil, transport: nil, target: nil, literal: nil, plain: nil,
        encrypted: nil, takesBuffers: false, family: route.gateway.rawValue),
      container: nil, runs: .notRead)
  }
}

extension Lighttpd.Server {
  /// Nil: its address cannot be read.
  fileprivate var asServer: Routes.Server? {
    switch address {
    case .network(let host, let port): Routes.Server(.network(host: host, port: port), .used)
    case .socket(let path): Routes.Server(.socket(path), .used)
    case .unknown: nil
    }
  }
}

extension Endpoint {
  /// As the error log has it; a name is replaced by its address when lighttpd starts.
  fileprivate var logKeys: [String] {
    switch self {
    case .network(let host, let port): ["\(host.isAddress ? "tcp:\(host)" : ""):\(port)"]
    case .socket(let path): ["unix:\(path)"]
    }
  }
}

extension Substring {
  /// The time at the start of a line of the log, in seconds of the machine's own calendar: `2026-11-29 04:37:44: (`.
  fileprivate var seconds: Double? {
    let digits = prefix(19).split { $0 == "-" || $0 == " " || $0 == ":" }.map { Int($0) }  // fits: optional
    guard digits.count == 6, case let numbers = digits.compactMap(\.self), numbers.count == 6 else { return nil }
    guard numbers.allSatisfy({ 0...9999 ~= $0 }) else { return nil }
    let fields = numbers.map { Int32($0) }  // fits: four digits
    var time = tm()
    (time.tm_year, time.tm_mon, time.tm_mday) = (fields[0] - 1900, fields[1] - 1, fields[2])
    (time.tm_hour, time.tm_min, time.tm_sec) = (fields[3], fields[4], fields[5])
    return Double(timegm(&time))
  }
}
