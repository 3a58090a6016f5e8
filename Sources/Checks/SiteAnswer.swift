import Discovery
import Model
import Routes
import World

extension FactName {
  static let siteAsked: FactName = "site.asked"
  static let siteAskedAt: FactName = "site.asked-at"
  static let siteEdge: FactName = "site.edge"
  static let publicAddress: FactName = "public.address"
  static let publicBehindNAT: FactName = "public.behind-nat"
  static let siteWaiting: FactName = "site.waiting"
  static let siteDelay: FactName = "site.delay"
  static let siteLate: FactName = "site.late"
  static let siteWaited: FactName = "site.waited"
  static let siteReason: FactName = "site.reason"
  static let siteSentBack: FactName = "site.sent-back"
  static let sitePage: FactName = "site.page"
  static let siteOwnWords: FactName = "site.own-words"
}

extension Check {
  /// Asks the site as a browser would: GET, its host name, its TLS name, no redirect followed.
  ///
  /// A name that has no address here, or one of another machine, is asked at this machine instead.
  static let siteAnswer = Check(
    "site.answer", needs: [.url],
    learns: [
      .siteStatus, .siteSeconds, .siteError, .siteServer, .siteAsked, .siteAskedAt, .siteWaiting,
      .siteReason, .siteRedirect, .siteDelay, .siteLate, .siteWaited, .siteEdge, .publicStatus,
      .siteOwnWords, .sitePage, .siteSentBack,
      .publicSeconds,
      .publicError,
      .publicServer,
      .publicAddress, .publicBehindNAT, .nextURL, .next(.address), .next(.from), .next(.name),
    ], outcome: SiteOutcome.self, limit: nil
  ) { world, given, signs throws(Unseen) in
    let asked = world.now
    guard let sight = try await world.site(given, within: SiteSeen.short) else {
      return (.slow, [.siteAsked: String(asked), .siteWaiting: "yes", .siteDelay: "later"])
    }
    return try sight.found(of: given, asked: asked, signs)
  }
}
