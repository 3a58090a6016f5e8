import Checks
import Fixture
import Flow
import Model
import Reader
import Testing
import World

/// A world in which nothing can be seen.
private struct Blind: World {
  let unseen: Unseen
  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { throw unseen }
  func pause(_ seconds: Double) async {}
}

/// What was not seen is neither fine nor a fault.
@Suite struct BlindTests {
  /// Outcomes that need no look, since what others have seen decides.
  private static let decided: [String: Set<String>] = [
    "next.proxy": ["found", "none"],
    // What the reader of the route found wrong with the files, or that it read them all.
    "config.valid": ["invalid", "readable"],
    // The proxy's own word on what it runs.
    "config.loaded": ["current", "older"],
    // An address, or a variable without a resolver, needs no question.
    "name.resolve": ["address", "found", "no-resolver"],
    // An app that did not say 404 to the changed path is not asked for the other one.
    "path.original": ["same"], "path.below": ["same"],
    // The server is the one that is examined already.
    "servers.reach": ["examined"], "servers.answer": ["examined"],
    // A route that does not speak HTTP has none of the differences that are looked for.
    "upstream.refuses": ["same"],
    // A route to another name, port or path is no circle.
    "route.circle": ["other"],
    // The site is served.
    "site.intended": ["none"],
    "site.timer": ["answer", "connection", "named", "none"],
    // The route has no TLS, or does not verify it.
    "tls.handshake": ["plain"], "upstream.certificate": ["not-verified"],
    // The route speaks something that nobody here speaks.
    "upstream.answer": ["not-asked"],
  ]

  private static let cut = Unseen.unreadable(what: "everything", why: .said("cut"))

  @Test(arguments: [
    Unseen.notPermitted(what: "everything"), .notRecorded(what: "everything"), cut,
  ])
  func whoSeesNothingSaysUnknown(unseen: Unseen) async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    let entries = FactRegistry.builtIn.entries.sorted { $0.key.text < $1.key.text }
    let signs = try realSigns()
    for check in Check.all {
      var outcomes: [String: String] = [:]
      for _ in 0..<15 {
        let facts = facts(needs: check.shape.needs, entries, &random)
        let finding = await check.finding(in: Blind(unseen: unseen), facts: facts, signs: signs)
        guard finding.outcome != Finding.unknown,
          Self.decided[check.shape.id]?.contains(finding.outcome) != true,
          // So is the file of a kernel without a security module.
          !(check.shape.id == "proxy.policy" && unseen == Self.cut)
        else { continue }
        outcomes[finding.outcome] = facts.values.map { "\($0.text): \($1)" }.sorted().joined(separator: ", ")
      }
      #expect(
        outcomes.isEmpty,
        "\(check.shape.id) says \(outcomes.keys.sorted()) of a world that cannot be seen (seed \(seed))")
    }
  }

  /// What the check needs, and half of all else, each with a value that it may have.
  private func facts(
    needs: [FactName], _ entries: [(key: FactName, value: FactRegistry.Entry)], _ random: inout SeededGenerator
  ) -> Facts {
    var facts = Site("http://shop.example.org/")?.facts ?? [:]
    for (name, entry) in entries
    where needs.contains(name) || Bool.random(using: &random) {
      // A case at another proxy is given as a whole.
      guard facts[name] == nil, !name.text.hasPrefix("hop.") else { continue }
      facts[name] =
        switch entry.kind {
        case .text, .list: entry.values.randomElement(using: &random) ?? "made-up"
        case .number: String(Int.random(in: 1...600, using: &random))
        case .port: String(Int.random(in: 1...65535, using: &random))
        case .address: "192.0.2.\(Int.random(in: 1...254, using: &random))"
        case .flag: "yes"
        }
    }
    facts[.limitSeconds] = "30"
    return facts
  }
}
