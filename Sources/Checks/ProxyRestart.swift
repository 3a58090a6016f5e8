import Discovery
import Model
import Routes
import World

extension FactName {
  static let proxyRestartPolicy: FactName = "proxy-restart.policy"
}

extension Check {
  /// Whether the proxy's own container is started again by itself.
  static let proxyRestart = Check(
    "proxy.restart", needs: [.proxyID], learns: [.proxyRestartPolicy] + FactName.ofWholeLine(.proxyRestart),
    outcome: RestartOutcome.self
  ) { world, given, _ throws(Unseen) in
    try await world.restart(of: given.proxyID, learning: .proxyRestartPolicy, .proxyRestart)
  }
}
