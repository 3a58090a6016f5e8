import Checks
import Flow
import Model
import World

/// Follows one case to its end without asking anybody: over redirects within the site (to https, to a login page) and
/// from one proxy to the next.
func diagnose(_ site: Site, catalog: Catalog, world: any World, limit: Double, series: Int? = nil) async -> Diagnosis {
  let given = site.facts.merging([
    .limitSeconds: String(limit), .seriesCount: series.map { String($0) } ?? "",
  ])
  var session = Session(catalog: catalog, shapes: Check.all.map(\.shape), asks: false, given: given)
  await follow(&session, world)
  for _ in 0..<4 {
    guard let next = session.onward() else { break }
    session = next
    await follow(&session, world)
  }
  var diagnosis = session.diagnosis()
  diagnosis.url = site.url
  return diagnosis
}

/// Checks run as soon as what they need is known, all at once, and are cancelled when the tree has ended.
private func follow(_ session: inout Session, _ world: any World) async {
  let world = Once(world)
  let signs = session.catalog.signs
  await withTaskGroup(of: Finding.self) { group in
    func start(_ checks: [String], _ facts: Facts) {
      for check in checks.compactMap({ Check.named($0) }) {
        group.addTask { await check.finding(in: world, facts: facts, signs: signs) }
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
