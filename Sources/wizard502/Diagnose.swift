import Checks
import Flow
import Model
import World

/// Follows one case to its end without asking anybody.
///
/// Checks run as soon as what they need is known, all at once, and are cancelled when the tree has ended.
func diagnose(_ site: Site, catalog: Catalog, world: any World, limit: Double) async -> Diagnosis {
  var session = await followed(site, catalog, world, limit)
  var target = site
  // A redirect within the site (to https, to a login page) is part of the way.
  for _ in 0..<4 {
    guard let location = session.facts[.siteRedirect], let next = Site(location), next.host == target.host,
      next != target
    else { break }
    target = next
    session = await followed(next, catalog, world, limit)
  }
  var diagnosis = session.diagnosis()
  diagnosis.url = site.url
  return diagnosis
}

private func followed(_ site: Site, _ catalog: Catalog, _ world: any World, _ limit: Double) async -> Session {
  var given = site.facts
  given[.limitSeconds] = String(limit)
  var session = Session(catalog: catalog, shapes: Check.all.map(\.shape), asks: false, given: given)
  let world = Once(world)
  await withTaskGroup(of: Finding.self) { group in
    func start(_ checks: [String], _ facts: Facts) {
      for check in checks.compactMap({ Check.named($0) }) {
        group.addTask { await check.finding(in: world, facts: facts, signs: catalog.signs) }
      }
    }
    start(session.start(), session.facts)
    while case .waiting = session.walk().state, let finding = await group.next() {
      let ready = session.learn(finding)
      start(ready, session.facts)
    }
    group.cancelAll()
  }
  return session
}
