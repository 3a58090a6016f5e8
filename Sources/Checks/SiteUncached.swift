import Model
import Routes
import World

extension FactName {
  static let uncachedStatus: FactName = "uncached.status"
}

private enum UncachedOutcome: String, CheckOutcome {
  /// The same page under a URL that nobody has asked for is well: the error was kept from before.
  case good
  case bad, unknown
}

extension Check {
  /// Asks for the same page under a URL that no cache has an answer for.
  static let siteUncached = Check(
    "site.uncached", needs: [.url, .siteStatus, .siteAsked, .routeKeepsErrors], learns: [.uncachedStatus],
    outcome: UncachedOutcome.self
  ) { world, given, _ throws(Unseen) in
    let query = "wizard502=\(try given.text(of: .siteAsked))"
    guard let answer = try await world.site(given, within: SiteSeen.short, query: query)?.answer else {
      throw .noAnswer(seconds: SiteSeen.short)
    }
    return answer.isWell ? (.good, [.uncachedStatus: answer.status.map { String($0) } ?? ""]) : (.bad, [:])
  }
}
