import Discovery
import Model
import Routes
import World

extension FactName {
  static let publishContainer: FactName = "publish.container"
  static let publishInside: FactName = "publish.inside-port"
  static let publishPort: FactName = "publish.port"
  static let publishService: FactName = "publish.service"
  static let publishProject: FactName = "publish.project"
  static let publishFile: FactName = "publish.file"
  static let publishProgram: FactName = "publish.program"
  static let publishedAt: FactName = "published.address"
  static let publishedHost: FactName = "published.host"
  static let publishedPort: FactName = "published.port"

  static let ofPublishing: [FactName] =
    [
      .publishContainer, .publishInside, .publishPort, .publishService, .publishProject, .publishFile, .publishProgram,
    ] + FactName.ofWholeLine(.ports) + making("publish", of: "publish")
}

extension World {
  /// What publishes a port of a container at this machine's loopback address: the Compose file's lines, where it has one.
  func publishing(_ inside: UInt16, of container: Container, at port: UInt16) async -> Facts {
    var facts: Facts = [
      .publishContainer: container.name, .publishInside: String(inside), .publishPort: String(port),
    ]
    let labels = container.Config?.Labels ?? [:]
    let making = await making(of: container.Id)?.adding("--publish", "127.0.0.1:\(port):\(inside)")
    facts.merge(making?.facts("publish", of: "publish") ?? [:])
    guard let service = await ComposeService(of: labels, in: self), service.files.count == 1,
      let lines = service.publishing(inside, at: port)
    else { return facts }
    facts[.publishService] = service.name
    facts[.publishProject] = service.project
    facts[.publishFile] = service.files[0]
    facts[.publishProgram] = await compose(labels)[.composeProgram]
    facts.set(lines, .ports)
    return facts
  }
}

extension Container {
  /// The published port by which programs of this machine reach a port inside; one of loopback before others.
  func published(_ inside: UInt16) -> Facts {
    let own = bindings.filter { $0.inside == inside }
    guard let binding = own.first(where: { $0.hostAddress.isLoopback }) ?? own.first else { return [:] }
    return [
      .publishedAt: binding.isEverywhere ? "" : binding.hostAddress,
      .publishedHost: binding.isEverywhere ? "127.0.0.1" : binding.hostAddress,
      .publishedPort: String(binding.hostPort),
    ]
  }
}
