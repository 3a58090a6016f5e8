import Discovery
import Model
import Pattern
import Routes
import World

extension FactName {
  static let listenFound: FactName = "listen.found"

  /// The setting by which an app listens on loopback, and the line of its Compose file that changes it.
  static let ofListenSetting: [FactName] =
    [listenFound] + ["setting", "by", "value"].map { App.Purpose.listen.fact($0) }
    + FactName.ofWholeLine(.listen) + making("listen", of: "upstream")
}

extension Container {
  /// A variable of its environment, or an argument, that binds it to one address.
  struct BindingSetting {
    let way: App.Setting.Way
    /// `HOST`, `--host`; of an argument that stands alone, itself.
    let name: String
    /// What it says, and what it has to say.
    let value: String
    let wanted: String
  }

  /// - Parameters:
  ///   - address: The one on which it listens; a loopback address stands for all names of loopback.
  ///   - port: Its port. An address with another port is somebody else's.
  func bindingSetting(_ address: String, _ port: UInt16, _ signs: Signs) -> BindingSetting? {
    let names = signs.listenNames.compactMap { try? Pattern($0) }
    func setting(_ way: App.Setting.Way, _ name: String, _ value: String) -> BindingSetting? {
      guard let (wanted, hasPort) = value.everywhere(address, port),
        hasPort || names.contains(where: { $0.matches(name) })
      else { return nil }
      return BindingSetting(way: way, name: name, value: value, wanted: wanted)
    }
    for variable in Config?.Env ?? [] {
      let parts = variable.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2, let found = setting(.variable, parts[0], parts[1]) { return found }
    }
    let arguments = [Path].compactMap { $0 } + (Args ?? [])
    for (number, argument) in arguments.enumerated() {
      let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2, parts[0].hasPrefix("-"), let found = setting(.option, parts[0], parts[1]) { return found }
      let before = number > 0 ? arguments[number - 1] : ""
      if argument == address, !before.hasPrefix("-"), number > 0 {
        return BindingSetting(
          way: .option, name: argument, value: argument, wanted: address.isIPv6 ? "::" : "0.0.0.0")
      }
      if let found = setting(.option, before.hasPrefix("-") ? before : argument, argument) { return found }
    }
    return nil
  }
}

extension String {
  /// An address, with that port or none, for all addresses: `127.0.0.1:3000` becomes `0.0.0.0:3000`.
  fileprivate func everywhere(_ own: String, _ port: UInt16) -> (String, hasPort: Bool)? {
    let scheme = firstRange(of: "://").map { self[..<$0.upperBound] } ?? ""
    let address = String(dropFirst(scheme.count))
    let (host, given) = address.hostAndPort
    guard own.isLoopback ? host.isLoopback : host == own, given == nil || given == port else { return nil }
    let everywhere = host.isIPv6 ? "[::]" : "0.0.0.0"
    return ("\(scheme)\(given == nil && host.isIPv6 ? "::" : everywhere)\(given.map { ":\($0)" } ?? "")", given != nil)
  }
}

extension World {
  /// By what a container's app listens on one address: what its own environment or arguments say, else what is known of such
  /// an app; with the line of its Compose file that changes it.
  func listenSetting(
    of container: Container, at address: String, _ port: UInt16, _ given: Case, _ signs: Signs
  ) async -> Facts {
    let service = await ComposeService(of: container.Config?.Labels ?? [:], in: self)
    let making = await making(of: container.Id)
    let listen = App.Purpose.listen
    var facts: Facts = [:]
    if let found = container.bindingSetting(address, port, signs) {
      facts = [
        .listenFound: found.name == found.value ? found.value : "\(found.name)=\(found.value)",
        listen.fact("setting"): found.name, listen.fact("by"): found.way.rawValue, listen.fact("value"): found.wanted,
      ]
      facts.set(
        found.way == .variable
          ? service?.variable(found.name, to: found.wanted) : service?.commanding(found.value, as: found.wanted),
        .listen
      )
      let changed =
        found.way == .variable
        ? making?.adding("--env", "\(found.name)=\(found.wanted)")
        : making?.replacing(found.value, with: found.wanted)
          ?? making?.replacing("\(found.name)=\(found.value)", with: "\(found.name)=\(found.wanted)")
      facts.merge(changed?.facts("listen", of: "upstream") ?? [:])
    } else if given[listen.fact("by")] == App.Setting.Way.variable.rawValue,
      let name = given[listen.fact("setting")], let value = given[listen.fact("value")]
    {
      facts.set(service?.variable(name, to: value), .listen)
      facts.merge(making?.adding("--env", "\(name)=\(value)").facts("listen", of: "upstream") ?? [:])
    }
    return facts
  }
}
