import Model
import Routes
import World

/// From Caddy to the facts of a route: its files tell what it should do and where to change it, its admin API what
/// it does.
enum CaddyReading: ProxyReader {
  static let facts: [FactName] = [.caddyIngress, .routePreamble, .routeFiles]

  static func read(_ request: RouteReading.Request, _ proxy: RunningProxy) async throws(Unseen) -> Reading {
    let reading = try await configured(request, proxy)
    return proxy.sign?.layout == CaddyDockerProxy.layout
      ? await CaddyDockerProxy.explained(reading, request, proxy) : reading
  }

  private static func configured(
    _ request: RouteReading.Request, _ proxy: RunningProxy
  ) async throws(Unseen) -> Reading {
    let written = await result { () throws(Unseen) in try await Written(proxy) }
    let admin = Caddy.Admin(written: (try? written.get())?.admin, of: proxy)
    let running = await result { () throws(Unseen) in
      Caddy.Configuration(try await admin.configuration(of: proxy), environment: proxy.caddyEnvironment)
    }
    switch (written, running) {
    case (.success, .success(let running)) where !proxy.files.unread.isEmpty:
      proxy.files.forgetUnread()
      return running.read(request, proxy.files)
    case (.success, .failure(let unseen)) where proxy.command.contains("--resume"):
      // It goes on with what it was told last, whatever the file says.
      throw unseen
    case (.success(let written), let running):
      return await compare(written, try? running.get(), request, proxy)
    case (.failure, .success(let running)):
      proxy.files.forgetUnread()
      return running.read(request, proxy.files)
    case (.failure(let unseen), .failure): throw unseen
    }
  }

  static func list(_ proxy: RunningProxy) async throws(Unseen) -> [RouteReading.Listed] {
    let written = await result { () throws(Unseen) in try await Written(proxy) }
    let admin = Caddy.Admin(written: (try? written.get())?.admin, of: proxy)
    do throws(Unseen) {
      return Caddy.Configuration(try await admin.configuration(of: proxy), environment: proxy.caddyEnvironment).listed
    } catch { return try written.get().configuration.listed }
  }

  /// It loads files within its process, and does not tell when. Without its admin API it only loads them when it starts.
  static func loaded(_ proxy: RunningProxy, _ processes: [ProcessSeen]) async throws(Unseen) -> Double {
    let written = try? await Written(proxy)
    guard Caddy.Admin(written: written?.admin, of: proxy).address == "off",
      let started = processes.map(\.started).min()
    else { throw .missing(what: "the time of Caddy's last load") }
    return started
  }

  private static func result<Value: Sendable>(
    _ body: () async throws(Unseen) -> Value
  ) async -> Result<Value, Unseen> {
    do throws(Unseen) { return .success(try await body()) } catch { return .failure(error) }
  }

  /// What the files say, and whether the route that runs is the same. `running` nil: that cannot be seen.
  private static func compare(
    _ written: Written, _ running: Caddy.Configuration?, _ request: RouteReading.Request, _ proxy: RunningProxy
  ) async -> Reading {
    var reading = written.configuration.read(request, proxy.files)
    let runs = running.map { $0.read(request, proxy.files) }
    let differs = runs.map { $0.outcome != reading.outcome || $0.facts.meaning != reading.facts.meaning }
    let problem = written.problem.flatMap { problem -> Caddyfile.Problem? in
      // A word that this program does not know may be a plugin's: then the route runs as it is written.
      problem.mayBePlugin && problem.near == nil && differs != true ? nil : problem
    }
    if problem != nil, reading.route == nil {
      reading.outcome = .broken
    } else if let runs, differs == true, reading.route == nil && runs.outcome != .missing || !written.isKnown {
      // The files no longer have it, it came by the admin API, or it hangs on variables that cannot be seen.
      reading = runs
      if written.isKnown { reading.route?.runs = .known(.otherwise(to: runs.route?.upstream.url)) }
    } else if let differs {
      reading.route?.runs = .known(differs ? .otherwise(to: runs?.route?.upstream.url) : .asWritten)
    }
    let hasAdmin = Caddy.Admin(written: written.admin, of: proxy).address != "off"
    reading.configuration = await written.seen(problem, hasAdmin: hasAdmin, proxy.files)
    if reading.route != nil, let file = reading.entry?.definedIn.split(separator: ":").first, file.hasPrefix("/") {
      reading.configuration.container = proxy.files.container(with: String(file))
    }
    return reading
  }
}

extension CaddyReading {
  /// What the configuration file says.
  fileprivate struct Written {
    let configuration: Caddy.Configuration
    let problem: Caddyfile.Problem?
    let admin: String?
    let blocks: Caddyfile.Blocks?
    /// Every file that was read.
    let paths: [String]

    /// Without variables whose values cannot be seen.
    let isKnown: Bool

    /// The file that it was started with; nil if there is none.
    static func path(of proxy: RunningProxy) -> String? {
      proxy.option("--config", "-c").flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    /// Source: `loadConfigWithLogger` in Caddy's `cmd/main.go`.
    static func isCaddyfile(_ path: String, _ proxy: RunningProxy) -> Bool {
      if let adapter = proxy.option("--adapter", "-a") { return adapter == "caddyfile" }
      let name = path.split(separator: "/").last?.lowercased() ?? ""
      return name.hasPrefix("caddyfile") || name.hasSuffix(".caddyfile")
    }

    init(_ proxy: RunningProxy) async throws(Unseen) {
      guard let path = Self.path(of: proxy) else { throw .missing(what: "Caddy's configuration file") }
      let files = proxy.files
      guard let text = try await files.read(path) else { throw .missing(what: path) }
      guard Self.isCaddyfile(path, proxy) else {
        guard let document = JSON(Array(text.utf8)) else {
          throw .unreadable(what: path, why: .init(.notFormat, "JSON"))
        }
        var written = Caddy.Configuration(document, environment: proxy.caddyEnvironment)
        written.source = (path, text)
        configuration = written
        (problem, blocks) = (nil, nil)
        admin = document["admin"]?["disabled"]?.bool == true ? "off" : document["admin"]?["listen"]?.text
        (paths, isKnown) = ([path], true)
        return
      }
      let imports = Caddyfile.Imports(
        read: { try? await files.read($0) }, glob: { (try? await files.glob($0)) ?? [] })
      let environment = proxy.caddyEnvironment
      let blocks = await Caddyfile.Blocks.read(path, text: text, environment: environment, files: imports)
      if let unseen = blocks.problem?.unseen { throw unseen }
      let adapted = Caddyfile.adapt(blocks, environment: environment)
      (configuration, problem, self.blocks) = (adapted.configuration, adapted.problem, blocks)
      admin = adapted.admin
      paths = blocks.files.map(\.path)
      isKnown = proxy.container != nil || !blocks.files.contains { $0.text.text.contains("{$") }
    }

    func seen(_ problem: Caddyfile.Problem?, hasAdmin: Bool, _ files: ProxyFiles) async -> Reading.Configuration {
      let mistake = problem.map { problem in
        let fixed = problem.word.flatMap { word in problem.near.map { word.head + $0 + word.tail } }
        return files.mistake(
          problem.description, in: problem.file, line: problem.line,
          text: blocks?.line(problem.line, of: problem.file), fixed: fixed)
      }
      return Reading.Configuration(
        start: Reading.Configuration.Start(
          file: paths.first, prefix: nil, adapter: blocks == nil ? nil : "caddyfile"), mistake: mistake,
        newest: await files.newest(of: paths), main: paths.first.flatMap { files.hostPath(of: $0) },
        folder: paths.first.flatMap { files.folder(of: $0) }, folderInside: paths.first?.folder, container: nil,
        hasAdmin: .known(hasAdmin), version: nil, unread: nil)
    }
  }
}

extension RunningProxy {
  /// The variables of its container; nil on the machine itself, where they cannot be seen.
  fileprivate var caddyEnvironment: Caddyfile.Environment? {
    guard container != nil else { return nil }
    return { environment($0) }
  }
}

extension Facts {
  /// What decides where a request goes: all but where it is written.
  fileprivate var meaning: Facts {
    let names: [FactName] = [
      .routeUpstream, .routeServers, .upstreamPath, .routeProtocol, .routeReadTimeout, .routeConnectTimeout,
      .routeVerifies, .routeTLSName, .routeAuthorities, .routeSendsHost, .routeHeaderLimit, .routeHealthPath,
      .routeHealthExpects, .routeHealthPort, .routeAuth,
    ]
    return Facts(values.filter { names.contains($0.key) })
  }
}
