import Checks
import Model
import Reader
import Testing
import World

private let registry = FactRegistry.builtIn

/// Runs one check in a recorded world, of a site at localhost unless the facts say another; what it brings is in what it
/// declares, in the form that the registry has for it.
func look(_ check: String, _ world: any World, _ facts: Facts, signs: Signs = Signs()) async throws -> Finding {
  let check = try #require(Check.named(check))
  let facts = (Site(facts[.url] ?? "http://\(facts[.siteHost] ?? "localhost")/")?.facts ?? [:]).merging(facts)
  let finding = await check.finding(in: world, facts: facts, signs: signs)
  #expect(finding.facts.names.subtracting(check.shape.learns) == [])
  for (name, value) in finding.facts.values { #expect(registry.mistake(in: value, of: name) == nil) }
  #expect(check.shape.outcomes.contains(finding.outcome))
  return finding
}
