import Discovery
import Model
import Routes
import World

extension FactName {
  static let containerStatus: FactName = "container.status"
  static let containerExitCode: FactName = "container.exit-code"
  static let containerError: FactName = "container.error"
  static let containerRestarts: FactName = "container.restarts"
  static let containerHealth: FactName = "container.health"
  static let containerHealthOutput: FactName = "container.health-output"
  static let containerAge: FactName = "container.age"
  static let containerFresh: FactName = "container.fresh"
  static let containerMemory: FactName = "container.memory"
  static let containerMoreMemory: FactName = "container.more-memory"
  static let containerFolder: FactName = "container.folder"
  static let containerCheckLacks: FactName = "container.check-lacks-program"
}

private enum ContainerOutcome: String, CheckOutcome {
  case running, starting, unhealthy, restarting, outOfMemory = "out-of-memory", stopped, paused, unknown
}

extension Check {
  /// Asks Docker whether the upstream's container runs, and how it ended if it does not.
  ///
  /// Source: Docker Engine API, "Inspect a container" and "Monitor events".
  static let containerState = Check(
    "container.state", needs: [.upstreamID],
    learns: [
      .containerStatus, .containerExitCode, .containerError, .containerRestarts, .containerHealth,
      .containerHealthOutput,
      .containerAge, .containerFresh, .containerMemory, .containerMoreMemory, .containerFolder,
      .containerCheckLacks, .swarmService,
    ] + FactName.making("unchecked", of: "upstream") + FactName.ofWholeLine(.unchecked)
      + FactName.ofLastWords, outcome: ContainerOutcome.self
  ) { world, given, signs throws(Unseen) in
    let container = try await world.container(try given.upstreamID)
    guard let state = container.State, let status = state.Status else { return (.unknown, [:]) }
    let age = container.started.map { world.now - $0 }
    let memory = container.HostConfig?.Memory ?? 0
    var learned: Facts = [
      .containerStatus: status, .containerExitCode: state.ExitCode.map { String($0) } ?? "",
      .containerError: state.Error?.printable ?? "",
      .containerRestarts: container.RestartCount.map { String($0) } ?? "",
      .containerHealth: state.Health?.Status ?? "",
      .containerHealthOutput: state.Health?.Log?.last { $0.ExitCode != 0 }?.Output?
        .split(whereSeparator: \.isNewline).last.map { String($0).excerpt(of: 200) } ?? "",
      .containerAge: age.map { String(Int(clamping: $0)) } ?? "",
      .containerFresh: (age ?? .infinity) < max(120, given.seconds(.appStart) ?? 0) ? "yes" : "",
      .containerMemory: memory > 0 ? megabytes(memory) : "",
      .containerMoreMemory: memory > 0 ? megabytes(memory.clampedProduct(2)) : "",
      .containerFolder: container.Config?.WorkingDir.flatMap { $0.count > 1 ? $0.printable : nil } ?? "",
    ]
    if let probe = state.Health?.Log?.last, state.Health?.Status == "unhealthy", probe.lacksProgram {
      learned[.containerCheckLacks] = "yes"
      let service = await ComposeService(of: container.Config?.Labels ?? [:], in: world)
      learned.set(service?.unchecked, .unchecked)
      learned.merge(await world.making(of: container.Id)?.unchecked.facts("unchecked", of: "upstream") ?? [:])
    }
    // After a restart by policy the flag and the exit code are gone; the engine's events still tell.
    let mayLoop = (container.RestartCount ?? 0) > 0 && (status != "running" || (age ?? .infinity) < 120)
    let deaths = mayLoop ? (try? await world.deaths(of: container.Id, since: world.now - 600)) : nil
    // A Swarm starts none again: it makes a new one in its place.
    var hasFailed = false
    if let service = container.swarmService, age ?? 0 < 120 {
      hasFailed = (try? await world.failures(ofService: service, since: world.now - 600)) ?? 0 > 1
      if hasFailed { (learned[.swarmService], learned[.containerExitCode]) = (service, "") }
    }
    let isLooping = status == "restarting" || (mayLoop && (container.RestartCount ?? 0) > 1) || hasFailed
    let wasKilledForMemory = state.OOMKilled == true || (deaths?.outOfMemory ?? false)
    if let code = deaths?.exitCode, isLooping { learned[.containerExitCode] = String(code) }
    let outcome: ContainerOutcome =
      switch status {
      case "paused": .paused
      case "restarting": wasKilledForMemory ? .outOfMemory : .restarting
      case "running" where isLooping || mayLoop && wasKilledForMemory: wasKilledForMemory ? .outOfMemory : .restarting
      case "running" where state.Health?.Status == "starting": .starting
      case "running" where state.Health?.Status == "unhealthy": .unhealthy
      case "running": .running
      default: wasKilledForMemory ? .outOfMemory : .stopped
      }
    switch outcome {
    case .restarting, .outOfMemory, .stopped: learned.merge(await world.lastWords(of: container, signs))
    case .running, .starting, .unhealthy, .paused, .unknown: break
    }
    return (outcome, learned)
  }

  private static func megabytes(_ bytes: Int) -> String { "\(max(6, bytes / 1_048_576))m" }
}

extension Container.Status.Health.Probe {
  /// True if the image has no such program as the check calls: the shell's status or words for that, or the engine's own.
  fileprivate var lacksProgram: Bool {
    let output = (Output ?? "").trimmed
    return ExitCode == 127 || output.hasSuffix(": not found") || output.hasSuffix(": command not found")
      || ExitCode == -1 && output.contains("executable file not found")
  }
}
