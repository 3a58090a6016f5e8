import Discovery
import Model
import Pattern
import World

extension FactName {
  static let appName: FactName = "app.name"
  static let appImage: FactName = "app.image"
  static let appUnit: FactName = "app.unit"
  static let appPort: FactName = "app.port"
  static let appTLSPort: FactName = "app.tls-port"
  static let appStart: FactName = "app.start-seconds"
  static let appReady: FactName = "app.ready-sign"
  static let appHealth: FactName = "app.health-path"
  static let appWebSockets: FactName = "app.websockets"

  /// What is known of an app by its image or its process.
  static let ofApp: [FactName] =
    [appName, appImage, appUnit, appPort, appTLSPort, appStart, appReady, appHealth, appWebSockets]
    + App.Purpose.allCases.flatMap { purpose in App.Setting.parts.map { purpose.fact($0) } }
}

extension FactName {
  static let containerManager: FactName = "container.manager"

  /// What made a container, and which app it is.
  static let ofOrigin: [FactName] = ofCompose + [containerManager] + ofApp + making("upstream", of: "upstream")
}

extension App.Setting {
  /// `setting`: its name; `by`: how it is given; `value`: what it has to be; `file`: where, as this machine sees it;
  /// `inside`: where, as the app sees it.
  fileprivate static let parts = ["setting", "by", "value", "file", "inside"]
}

extension App.Purpose {
  /// `app.listen-setting`
  func fact(_ part: String) -> FactName {
    FactName("app.\(self == .port ? "port" : rawValue)-\(part)")
  }
}

extension App {
  /// What is known of it as facts; of a container, with the places of its files on this machine.
  func facts(in container: Container? = nil) -> Facts {
    var facts: Facts = [
      .appName: name, .appPort: port.map { String($0) } ?? "",
      .appTLSPort: tlsPort.map { String($0) } ?? "", .appStart: startSeconds.map { String($0) } ?? "",
      .appReady: readySign ?? "", .appHealth: healthPath ?? "", .appWebSockets: needsWebSockets ? "yes" : "",
    ]
    for (purpose, setting) in settings {
      facts[purpose.fact("setting")] = setting.name
      facts[purpose.fact("by")] = setting.way.rawValue
      facts[purpose.fact("value")] = setting.value
      facts[purpose.fact("inside")] = setting.file
      if let file = setting.file {
        facts[purpose.fact("file")] = container.map { $0.hostPath(of: file) ?? "" } ?? file
      }
    }
    return facts
  }
}

extension Signs {
  /// The kind of program with a web page that made a container, by its labels.
  fileprivate func manager(of labels: [String: String]) -> String? {
    func matches(_ pattern: String, _ text: String?) -> Bool {
      text.map { (try? Pattern(pattern))?.matches($0) == true } ?? false
    }
    return managers.first { manager in
      manager.labels.allSatisfy { matches($0.value, labels[$0.key]) }
        && manager.path.map { matches($0, labels["com.docker.compose.project.config_files"]) } != false
    }?.kind
  }

  /// What is known of a container's app.
  fileprivate func app(in container: Container) -> Facts {
    let image = container.Config?.Image ?? ""
    var facts = apps.app(ofImage: container.imageName)?.facts(in: container) ?? [:]
    // An id is no name that a person would know it by.
    facts[.appImage] = image.hasPrefix("sha256:") ? nil : image.printable
    return facts
  }
}

extension World {
  /// What made a container, how it is made again, and which app it is.
  ///
  /// - Parameter owner: As for `making`.
  func origin(of container: Container, _ signs: Signs, inNetworkOf owner: String? = nil) async -> Facts {
    let labels = container.Config?.Labels ?? [:]
    let making = await making(of: container.Id, inNetworkOf: owner)
    return await compose(labels).merging(signs.app(in: container)).merging([
      .containerManager: signs.manager(of: labels) ?? ""
    ]).merging(making?.facts("upstream", of: "upstream") ?? [:])
  }

  /// What is known of the program of this machine that listens on a port.
  func app(listeningAt port: UInt16, _ signs: Signs) async -> Facts {
    let listeners = (try? await see(Listeners(place: .host)))?.filter { $0.port == port } ?? []
    let ids = Set(listeners.flatMap(\.processes))
    let names = signs.apps.all.flatMap(\.processes)
    guard !ids.isEmpty, let processes = try? await see(Processes(names: names)),
      let process = processes.first(where: { ids.contains($0.id) })
    else { return [:] }
    guard let app = signs.apps.app(ofProcess: process.name) else { return [:] }
    return app.facts().merging([.appUnit: await unit(of: [app]) ?? ""])
  }
}

extension World {
  /// A systemd unit of one of these apps that is set up here, else one called like the site.
  func unit(of apps: [App], or label: String? = nil) async -> String? {
    // Of a unit for each user (`syncthing@.service`) the links to its instances tell which there are.
    let folders = [
      "/etc/systemd/system/*.wants", "/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system",
    ]
    let names =
      apps.flatMap(\.units).map { $0.hasSuffix("@") ? "\($0)*" : $0 } + [label].compactMap { $0 }.filter(\.isPlainWord)
    for name in names {
      for folder in folders {
        let found = (try? await see(FileGlob(pattern: "\(folder)/\(name).service"))) ?? []
        // A template alone cannot be started.
        let unit = found.compactMap { $0.split(separator: "/").last.map(String.init) }.first { !$0.contains("@.") }
        if let unit { return unit }
      }
    }
    return nil
  }
}

extension String {
  /// Nothing in it means something in a shell pattern.
  fileprivate var isPlainWord: Bool {
    utf8.allSatisfy { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || $0 == UInt8(ascii: "-") }
  }
}
