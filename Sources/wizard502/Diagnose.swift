import Checks
import Flow
import Model
import World

/// The time of a whole run, `--timeout`: every check and every site, and those a redirect leads to, share it.
struct RunLimit {
  let seconds: Double
  let end: ContinuousClock.Instant

  init(seconds: Double, from start: ContinuousClock.Instant = .now) {
    self.seconds = seconds
    end = start + .seconds(seconds)
  }

  /// Seconds that are left, and those of a time after it.
  func left(after grace: Double = 0) -> Double { max(0, ContinuousClock.now.duration(to: end) / .seconds(1) + grace) }
}

/// Follows one case to its end without asking anybody: over redirects within the site (to https, to a login page) and
/// from one proxy to the next.
///
/// - Parameter machine: What sites that are diagnosed side by side see of the machine.
func diagnose(
  _ site: Site, catalog: Catalog, world: any World, sharing machine: Once? = nil, limit: RunLimit, series: Int? = nil
) async -> Diagnosis {
  let given = site.facts.merging([
    .limitSeconds: String(limit.seconds), .seriesCount: series.map { String($0) } ?? "",
  ])
  var session = Session(catalog: catalog, shapes: Check.all.map(\.shape), asks: false, given: given)
  await follow(&session, Once(world, machine: machine), limit)
  for _ in 0..<4 {
    guard let next = session.onward() else { break }
    session = next
    await follow(&session, Once(world, machine: machine), limit)
  }
  var diagnosis = session.diagnosis()
  diagnosis.url = site.url
  return diagnosis
}

/// Checks run as soon as what they need is known, all at once, and are cancelled when the tree has ended.
private func follow(_ session: inout Session, _ world: Once, _ limit: RunLimit) async {
  let signs = session.catalog.signs
  await withTaskGroup(of: Finding.self) { group in
    func start(_ checks: [String], _ facts: Facts) {
      for check in checks.compactMap({ Check.named($0) }) {
        group.addTask { await check.finding(in: world, facts: facts, signs: signs, until: limit.end) }
      }
    }
    start(session.start(), session.facts)
    while case .waiting = session.walk().state, let finding = await group.next() {
      let ready = session.learn(finding)
      start(ready, session.facts)
    }
    group.cancelAll()
  }
}
