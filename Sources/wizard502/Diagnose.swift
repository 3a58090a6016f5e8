import Checks
import Flow
import Model
import World

/// Follows one case to its end without asking anybody: from the site on, to where it redirects, the next hop, the
/// server that fails.
///
/// Checks run as soon as what they need is known, all at once, and are cancelled when the tree has ended.
func diagnose(_ site: Site, catalog: Catalog, world: any World, limit: Double, series: Int? = nil) async -> Diagnosis {
  var given = site.facts
  given[.limitSeconds] = String(limit)
  given[.seriesCount] = series.map { String($0) }
  var session = Session(catalog: catalog, shapes: Check.all.map(\.shape), asks: false, given: given)
  await follow(&session, world)
  while var next = session.continued(site: { Site($0).map { $0.facts } }) {
    await follow(&next, world)
    session = next
  }
  var diagnosis = session.diagnosis()
  diagnosis.url = site.url
  return diagnosis
}

private func follow(_ session: inout Session, _ world: any World) async {
  let (world, signs) = (Once(world), session.catalog.signs)
  var walker = session
  await withTaskGroup(of: Finding.self) { group in
    func start(_ checks: [String], _ facts: Facts) {
      for check in checks.compactMap({ Check.named($0) }) {
        group.addTask { await check.finding(in: world, facts: facts, signs: signs) }
      }
    }
    start(walker.start(), walker.facts)
    while case .waiting = walker.walk().state, let finding = await group.next() {
      let ready = walker.learn(finding)
      start(ready, walker.facts)
    }
    group.cancelAll()
  }
  session = walker
}
