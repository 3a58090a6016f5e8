import Discovery
import Model
import Routes
import World

private enum AgainOutcome: String, CheckOutcome {
  /// The proxy has just loaded its configuration: the answer before was from the old one.
  case good
  /// It failed before and answers well now, and nothing was loaded in between.
  case sometimes
  case bad, unknown
}

extension Check {
  /// Asks once more, after the app itself has answered well.
  ///
  /// While a proxy loads its configuration, its old processes still answer for a moment: if that has just happened,
  /// the last of a few answers counts. The proxy's default page is no good answer, unless the route that runs is the
  /// right one: then the app itself answers so.
  static let siteAgain = Check(
    "site.again", needs: [.url, .siteStatus, .upstreamStatus, .proxyPlace],
    learns: [.siteStatus, .siteSeconds, .siteSometimes], outcome: AgainOutcome.self
  ) { world, given, signs throws(Unseen) in
    let failedBefore = given[.siteStatus].flatMap { Int($0) }.map { $0 >= 400 } ?? true
    let loaded = try? await world.lastLoad(given, signs)
    let hasJustLoaded = world.now - (loaded ?? 0) < 3
    for attempt in 1...(hasJustLoaded ? 4 : 1) {
      if attempt > 1 { await world.pause(0.4) }
      guard let seen = try await world.site(given, within: SiteSeen.short, attempt: attempt),
        let status = seen.answer.status,
        status < 400, seen.answer.failure == nil,
        given[.configRuns] == "same" || signs.read(seen.answer).means != "default-site"
      else { continue }
      let learned: Facts = [.siteStatus: String(status), .siteSeconds: seen.answer.seconds ?? ""]
      if hasJustLoaded || !failedBefore { return (.good, learned) }
      return (.sometimes, learned.merging([.siteSometimes: "yes"]))
    }
    return (.bad, [:])
  }
}
