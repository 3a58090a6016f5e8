import Discovery
import Model
import Routes
import World

extension FactName {
  static let restartPolicy: FactName = "restart.policy"
  static let proxyRestartPolicy: FactName = "proxy-restart.policy"
}

private enum RestartOutcome: String, CheckOutcome {
  /// The engine starts it again, or somebody else does.
  case restarts
  /// Nothing starts it after this machine, or the engine, was started again.
  case never
  case unknown
}

extension Check {
  /// Whether the app's container is started again by itself.
  ///
  /// Source: Docker Engine API, `HostConfig.RestartPolicy`; docs.docker.com, "Start containers automatically".
  static let containerRestart = Check(
    "container.restart", needs: [.upstreamID], learns: [.restartPolicy] + linesOf(.restart),
    outcome: RestartOutcome.self
  ) { world, given, _ throws(Unseen) in
    let (outcome, policy, lines) = try await restart(of: given.upstreamID, in: world, .restart)
    return (outcome, lines.merging([.restartPolicy: policy]))
  }

  /// The same of the proxy's own container.
  static let proxyRestart = Check(
    "proxy.restart", needs: [.proxyID], learns: [.proxyRestartPolicy] + linesOf(.proxyRestart),
    outcome: RestartOutcome.self
  ) { world, given, _ throws(Unseen) in
    let (outcome, policy, lines) = try await restart(of: given.proxyID, in: world, .proxyRestart)
    return (outcome, lines.merging([.proxyRestartPolicy: policy]))
  }

  private static func restart(
    of id: String, in world: any World, _ line: FactName.Line
  ) async throws(Unseen) -> (RestartOutcome, policy: String, Facts) {
    let container = try await world.container(id)
    let labels = container.Config?.Labels ?? [:]
    guard let name = container.HostConfig?.RestartPolicy?.Name else { return (.unknown, "", [:]) }
    let isOthers = container.HostConfig?.AutoRemove == true || labels.keys.contains(where: starters.contains)
    guard !isOthers, !["always", "unless-stopped"].contains(name) else { return (.restarts, "", [:]) }
    var facts: Facts = [:]
    if let service = await ComposeService(of: labels, in: world), service.files.count == 1 {
      facts.set(service.setting("restart", to: "unless-stopped"), line)
    }
    return (.never, name.isEmpty ? "no" : name.printable, facts)
  }

  /// Labels of containers that something else than the engine starts: Docker's Swarm, Podman's units, Kubernetes.
  private static let starters: Set = ["com.docker.swarm.task.id", "PODMAN_SYSTEMD_UNIT", "io.kubernetes.pod.name"]

  private static func linesOf(_ line: FactName.Line) -> [FactName] {
    ["file", "number", "text", "with"].map { .line(line, $0) }
  }
}
