import Model
import Routes
import World

/// Traefik 2.11 and 3, by its own documentation and source.
enum Traefik {
  /// Its static configuration: from one file, or from flags, or from variables; never from two of them.
  struct Static: Sendable {
    let settings: Settings
    let version: Version
    let entryPoints: [EntryPoint]

    struct EntryPoint: Sendable, Equatable {
      let name: String
      let port: UInt16
      /// Its routers speak TLS if they do not say otherwise.
      let isTLS: Bool
      let isDefault: Bool
      /// The entry point to which everything here is sent on.
      let redirect: String?
    }

    private static func entryPoints(in settings: Settings) -> [EntryPoint] {
      let named = (settings["entryPoints"]?.branches ?? []).compactMap { name, point -> EntryPoint? in
        guard let address = point["address"]?.text, !address.hasSuffix("/udp"),
          let port = UInt16(address.prefix { $0 != "/" }.split(separator: ":").last ?? "")
        else { return nil }
        return EntryPoint(
          name: name, port: port, isTLS: point["http", "tls"].map { $0.text.map { $0 != "false" } ?? true } ?? false,
          isDefault: point["asDefault"]?.isOn == true, redirect: point["http", "redirections", "entryPoint", "to"]?.text
        )
      }
      let usual = EntryPoint(name: "http", port: 80, isTLS: false, isDefault: false, redirect: nil)
      return named.isEmpty ? [usual] : named
    }

    /// Names of the entry points of a router that names none.
    var defaultEntryPoints: [String] {
      let points = entryPoints.filter { $0.name.lowercased() != "traefik" }
      let marked = points.filter(\.isDefault)
      return (marked.isEmpty ? points : marked).map(\.name)
    }

    /// Where its API answers without a login, in its own network.
    var openAPI: (port: UInt16, path: String)? {
      guard settings["api", "insecure"]?.isOn == true else { return nil }
      let port = entryPoints.first { $0.name.lowercased() == "traefik" }?.port ?? 8080
      return (port, settings["api", "basePath"]?.text ?? "")
    }

    /// Its sources of routes besides Docker and files, by their names in the settings.
    var otherProviders: [String] {
      let known = ["docker", "swarm", "file", "providersthrottleduration", "precedence"]
      return (settings["providers"]?.branches ?? []).map { $0.name.lowercased() }.filter { !known.contains($0) }
    }

    /// Its sources that are labels of containers, or of a Swarm's services.
    var labelProviders: [Dynamic.DockerProvider] {
      ["docker", "swarm"].compactMap { name in
        guard has(name), let settings = settings["providers", name] else { return nil }
        let isOfServices = name == "swarm" || settings["swarmMode"]?.isOn == true
        return Dynamic.DockerProvider(name: name, settings: settings, isOfServices: isOfServices)
      }
    }

    /// Where a provider asks for the containers whose labels are its routes.
    func source(_ provider: Dynamic.DockerProvider) -> Facts {
      [
        .sourceKind: "docker-api", .sourceEndpoint: provider.endpoint ?? "unix:///var/run/docker.sock",
        .sourceVersion: String(version.major),
      ]
    }

    func has(_ provider: String) -> Bool {
      settings["providers", provider].map { $0.text.map { $0.lowercased() != "false" } ?? true } ?? false
    }

    /// The form of rules that do not say theirs.
    var syntax: Syntax {
      version.major < 3 || settings["core", "defaultRuleSyntax"]?.text?.lowercased() == "v2" ? .v2 : .v3
    }
  }
}

extension Traefik.Static {
  init(_ proxy: RunningProxy) async throws(Unseen) {
    let settings = try await Self.settings(proxy)
    self.init(settings: settings, version: Self.version(of: proxy), entryPoints: Self.entryPoints(in: settings))
  }

  /// By the labels of Traefik's own image, else by its tag.
  private static func version(of proxy: RunningProxy) -> Traefik.Version {
    let own = proxy.container?.Config
    let isOwn = own?.Labels?["org.opencontainers.image.title"] == "Traefik"
    let written = isOwn ? own?.Labels?["org.opencontainers.image.version"] : nil
    let tag = own?.Image?.split(separator: "/").last?.split(separator: ":").dropFirst().last
    return written.flatMap { Traefik.Version($0) } ?? tag.flatMap { Traefik.Version($0) } ?? Traefik.Version(major: 3)
  }

  private static func settings(_ proxy: RunningProxy) async throws(Unseen) -> Traefik.Settings {
    let flags = Array(proxy.command.drop { !$0.hasPrefix("-") })
    if let file = try await file(proxy) { return Traefik.Settings(file) }
    if !flags.isEmpty { return Traefik.Settings(flags: flags) }
    let variables = proxy.container?.Config?.Env ?? []
    guard variables.contains(where: { $0.hasPrefix("TRAEFIK_") }) else {
      throw .missing(what: "Traefik's static configuration")
    }
    return Traefik.Settings(variables: variables)
  }

  /// The file that its command line names, else the first of the usual places.
  private static func file(_ proxy: RunningProxy) async throws(Unseen) -> DocumentFile? {
    let named = proxy.option("--configFile", "--configfile") ?? proxy.environment("TRAEFIK_CONFIGFILE")
    if let named {
      // A container of the official image works in /.
      guard named.hasPrefix("/") || proxy.container != nil else { throw .missing(what: named) }
      let path = named.hasPrefix("/") ? named : "/" + named
      guard let text = try await proxy.files.read(path) else { throw .missing(what: path) }
      return try document(text, path)
    }
    for path in UsualFiles.traefik(configHome: proxy.environment("XDG_CONFIG_HOME")) {
      if let text = try await proxy.files.read(path) { return try document(text, path) }
    }
    return nil
  }

  private static func document(_ text: String, _ path: String) throws(Unseen) -> DocumentFile {
    let notation = DocumentFile.Notation(ofTraefik: path)
    guard let file = DocumentFile(text, path: path, notation) else {
      throw .unreadable(what: path, why: .init(.notFormat, notation == .toml ? "TOML" : "YAML"))
    }
    return file
  }
}

extension DocumentFile.Notation {
  /// Traefik knows it by the file's name.
  init(ofTraefik path: String) { self = path.hasSuffix(".toml") ? .toml : .yaml }
}
