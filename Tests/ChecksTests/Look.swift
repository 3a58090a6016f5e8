import Checks
import Model
import Testing
import World

/// Runs one check in a recorded world.
func look(_ check: String, _ world: any World, _ facts: Facts, signs: Signs = Signs()) async throws -> Finding {
  try await #require(Check.named(check)).finding(in: world, facts: facts, signs: signs)
}
