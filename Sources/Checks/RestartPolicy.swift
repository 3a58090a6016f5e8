import Discovery
import Model
import Routes
import World

enum RestartOutcome: String, CheckOutcome {
  /// The engine starts it again, or somebody else does.
  case restarts
  /// Nothing starts it after this machine, or the engine, was started again.
  case never
  case unknown
}

extension World {
  /// Whether a container is started again by itself.
  ///
  /// - Parameters:
  ///   - policy: Gets what its policy is, if it is not started again.
  ///   - line: Gets the line of its Compose file that has to change then.
  func restart(
    of id: String, learning policy: FactName, _ line: FactName.Line
  ) async throws(Unseen) -> (RestartOutcome, Facts) {
    let container = try await container(id)
    let labels = container.Config?.Labels ?? [:]
    guard let name = container.HostConfig?.RestartPolicy?.Name else { return (.unknown, [:]) }
    let isOthers = container.HostConfig?.AutoRemove == true || labels.keys.contains(where: starters.contains)
    guard !isOthers, !["always", "unless-stopped"].contains(name) else { return (.restarts, [:]) }
    var facts: Facts = [policy: name.isEmpty ? "no" : name.printable]
    if let service = await ComposeService(of: labels, in: self), service.files.count == 1 {
      facts.set(service.setting("restart", to: "unless-stopped"), line)
    }
    return (.never, facts)
  }
}

/// Labels of containers that something else than the engine starts: Docker's Swarm, Podman's units, Kubernetes.
private let starters: Set = ["com.docker.swarm.task.id", "PODMAN_SYSTEMD_UNIT", "io.kubernetes.pod.name"]
