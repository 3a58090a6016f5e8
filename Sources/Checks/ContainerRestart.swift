import Discovery
import Model
import Routes
import World

extension FactName {
  static let restartPolicy: FactName = "restart.policy"
}

extension Check {
  /// Whether the app's container is started again by itself.
  ///
  /// Source: Docker Engine API, `HostConfig.RestartPolicy`; docs.docker.com, "Start containers automatically".
  static let containerRestart = Check(
    "container.restart", needs: [.upstreamID], learns: [.restartPolicy] + FactName.ofWholeLine(.restart),
    outcome: RestartOutcome.self
  ) { world, given, _ throws(Unseen) in
    try await world.restart(of: given.upstreamID, learning: .restartPolicy, .restart)
  }
}
