import Discovery
import Model
import World

extension FactName {
  static let neededContainer: FactName = "needed.container"
}

extension World {
  /// A container that does not run, beside an app that does not listen yet, and that the app names in its last lines: most
  /// often the database for which it waits.
  func needed(by id: String) async -> Facts {
    guard let app = try? await container(id), let lines = try? await log(of: app, lines: 20),
      let all = try? await containers()
    else { return [:] }
    let words = Set(lines.flatMap { $0.lowercased().split { !$0.isLetter && !$0.isNumber && !"-_.".contains($0) } })
    let project = app.Config?.Labels?["com.docker.compose.project"]
    let stopped = all.filter { other in
      !other.isRunning && other.Id != app.Id
        && (project.map { $0 == other.project } == true || other.networks.keys.contains { app.networks[$0] != nil })
    }
    for other in stopped.prefix(16) {
      var names = [other.name] + [other.service].compactMap { $0 }
      if let ends = (try? await container(other.Id))?.networks.values { names += ends.flatMap(\.names) }
      if names.contains(where: { $0.count > 1 && words.contains(Substring($0.lowercased())) }) {
        return [.neededContainer: other.name]
      }
    }
    return [:]
  }
}
