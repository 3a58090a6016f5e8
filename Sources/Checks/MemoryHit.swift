import Model
import World

extension Check {
  /// Whether the app's container has hit its memory limit, where the app ends a connection: the process that was killed
  /// need not be the one by which the container lives.
  static let memoryHit = Check(
    "memory.hit", needs: [.upstreamID, .dropWhen, .siteAsked], learns: [.memoryKills], outcome: MemoryOutcome.self
  ) { world, given, _ throws(Unseen) in
    try await world.memory(of: try given.upstreamID, since: try given.asked - 60)
  }
}
