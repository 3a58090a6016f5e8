import Discovery
import Model
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
  /// What made a container, and which app it is.
  static let ofOrigin: [FactName] = ofCompose + ofApp
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
      .appName: name, .appUnit: units.first ?? "", .appPort: port.map { String($0) } ?? "",
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
  /// What made a container, and which app it is.
  func origin(of container: Container, _ signs: Signs) async -> Facts {
    await compose(container.Config?.Labels ?? [:]).merging(signs.app(in: container))
  }

  /// What is known of the program of this machine that listens on a port.
  func app(listeningAt port: UInt16, _ signs: Signs) async -> Facts {
    let listeners = (try? await see(Listeners(place: .host)))?.filter { $0.port == port } ?? []
    let ids = Set(listeners.flatMap(\.processes))
    let names = signs.apps.all.flatMap(\.processes)
    guard !ids.isEmpty, let processes = try? await see(Processes(names: names)),
      let process = processes.first(where: { ids.contains($0.id) })
    else { return [:] }
    return signs.apps.app(ofProcess: process.name)?.facts() ?? [:]
  }
}
