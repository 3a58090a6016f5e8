import Discovery
import Model
import Routes
import World

extension FactName {
  /// Seconds since 1970 just before the site was asked.
  static let siteAsked: FactName = "site.asked"
  /// `here`: at this machine, since its name leads nowhere or elsewhere; else absent. `site.*` is its answer then.
  static let siteAskedAt: FactName = "site.asked-at"
  /// The service in front of this machine through which the answer at the name's address came: `Cloudflare`.
  static let siteEdge: FactName = "site.edge"
  /// The address to which the name leads, if that is another machine's and it does not go well there.
  static let publicAddress: FactName = "public.address"
  /// Known if that address is public and none of this machine's own is: a router stands between them.
  static let publicBehindNAT: FactName = "public.behind-nat"
  /// Known while no answer has come within the first seconds.
  static let siteWaiting: FactName = "site.waiting"
  /// `at-once` or `later`: how soon the answer came.
  static let siteDelay: FactName = "site.delay"
  /// Known if an answer came within the first seconds, but not at once.
  static let siteLate: FactName = "site.late"
  /// Known if an answer came at all, but not at once.
  static let siteWaited: FactName = "site.waited"
  /// Why the proxy could not pass on an answer, as its own error page says.
  static let siteReason: FactName = "site.reason"
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
