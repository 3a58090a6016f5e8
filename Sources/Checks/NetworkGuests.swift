import Discovery
import Model
import World

extension FactName {
  static let guestOwner: FactName = "guest.owner"
  static let guestOwnerIsNew: FactName = "guest.owner-is-new"
}

private enum GuestsOutcome: String, CheckOutcome {
  /// One listens at the port in a network that is no longer the upstream's.
  case lost
  /// One starts again and again.
  case restarting
  /// One does not run.
  case stopped
  /// They run, and none listens at the port.
  case silent
  /// The upstream shares its network with no container.
  case none
  case unknown
}

extension Check {
  /// Looks for containers that were started into the upstream's network: the app may be one of them.
  ///
  /// Where nobody listens in the upstream's network and a guest of it listens, the two are not in the same network any
  /// more: the upstream was started again and has a new one. Source: Docker, "container networks".
  static let networkGuests = Check(
    "network.guests", needs: [.upstreamID, .upstreamInside, .upstreamContainer],
    learns: [
      .upstreamContainer, .upstreamID, .upstreamPID, .guestOwner, .guestOwnerIsNew, .containerExitCode,
      .containerRestarts,
    ] + FactName.ofOrigin + FactName.ofLastWords,
    outcome: GuestsOutcome.self
  ) { world, given, signs throws(Unseen) in
    let id = try given.upstreamID
    let port = try given.upstreamInside
    let containers = try await world.containers()
    let ids = Set(containers.map(\.Id))
    let guests = containers.filter { $0.networkOwner == id }
    // Whose guest one is whose owner was made anew, its listening tells.
    let orphans = containers.filter { $0.networkOwner.map { !ids.contains($0) } == true }
    @Sendable func learned(_ guest: Container) async -> Facts {
      let owner = given[.upstreamContainer] ?? ""
      let facts: Facts = [
        .upstreamContainer: guest.name, .upstreamID: guest.Id, .upstreamPID: guest.pid.map { String($0) } ?? "",
        .guestOwner: owner, .guestOwnerIsNew: guest.networkOwner == id ? "" : "yes",
      ]
      return facts.merging(await world.origin(of: guest, signs, inNetworkOf: owner))
    }
    for guest in (guests + orphans).filter(\.isRunning).prefix(16) {
      let details = try await world.container(guest.Id)
      guard let pid = details.pid else { continue }
      if try await world.see(Listeners(place: .process(pid))).contains(where: { $0.port == port && !$0.isLoopback }) {
        return (.lost, await learned(details))
      }
    }
    for guest in guests.filter(\.isRunning).prefix(16) {
      let details = try await world.container(guest.Id)
      let restarts = details.RestartCount ?? 0
      let isYoung = details.started.map { world.now - $0 < 120 } ?? true
      guard guest.State == "restarting" || restarts > 1 && isYoung else { continue }
      let state: Facts = [
        .containerRestarts: String(restarts), .containerExitCode: details.State?.ExitCode.map { String($0) } ?? "",
      ]
      return (.restarting, await learned(details).merging(state).merging(await world.lastWords(of: details, signs)))
    }
    if guests.contains(where: \.isRunning) { return (.silent, [.guestOwner: given[.upstreamContainer] ?? ""]) }
    guard let stopped = guests.first else { return (.none, [:]) }
    return (.stopped, await learned(try await world.container(stopped.Id)))
  }
}
