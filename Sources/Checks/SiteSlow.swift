import Model
import World

extension Check {
  /// Goes on waiting for an answer that did not come within the first seconds.
  static let siteSlow = Check(
    "site.slow", needs: [.url, .siteWaiting],
    learns: [
      .siteStatus, .siteSeconds, .siteError, .siteServer, .siteReason, .siteRedirect, .siteDelay,
      .siteWaited, .siteEdge, .siteOwnWords, .sitePage, .siteSentBack,
    ],
    outcome: SiteOutcome.self, limit: nil
  ) { world, given, signs throws(Unseen) in
    guard let sight = try await world.site(given, within: nil) else { return (.slow, [:]) }
    var (outcome, learned) = try sight.found(of: given, asked: 0, signs)
    (learned[.siteAsked], learned[.siteLate]) = (nil, nil)
    return (outcome, learned)
  }
}
