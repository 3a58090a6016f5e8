import Checks
import Model
import Testing
import World

/// Runs one check in a recorded world, of a site at localhost unless the facts say another; what it brings is in what it
/// declares.
func look(_ check: String, _ world: any World, _ facts: Facts, signs: Signs = Signs()) async throws -> Finding {
  let check = try #require(Check.named(check))
  let facts = (Site(facts[.url] ?? "http://\(facts[.siteHost] ?? "localhost")/")?.facts ?? [:]).merging(facts)
  let finding = await check.finding(in: world, facts: facts, signs: signs)
  #expect(finding.facts.names.subtracting(check.shape.learns) == [])
  #expect(check.shape.outcomes.contains(finding.outcome))
  return finding
}
