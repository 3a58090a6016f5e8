import Discovery
import LogLines
import Model
import Routes
import World

private enum RefusalRuleOutcome: String, CheckOutcome {
  /// A rule refuses every request while a file is there, and it is.
  case file
  /// Its log says that a visitor made too many requests.
  case limited
  /// A rule for visitors who make too many requests answers so.
  case limit
  /// Another rule answers so.
  case rule
  case none
  /// This program does not read the rules of such a proxy.
  case notRead = "not-read"
  case unknown
}

extension Check {
  /// Looks for the rule of the proxy's own configuration that answers as the site does.
  static let routeRefuses = Check(
    "route.refuses", needs: [.siteAsked, .proxyKind, .proxyPlace, .proxyPort],
    learns: FactName.ofRefusals + [.logLine], outcome: RefusalRuleOutcome.self
  ) { world, given, signs throws(Unseen) in
    let all: [Route.Refusal]
    switch try await world.reading(given, signs).route?.refusals {
    case .known(let refusals): all = refusals
    case .notApplicable: return (.none, [:])
    case .notRead: return (.notRead, [:])
    case nil: return (.unknown, [:])
    }
    // A connection that is closed without an answer has a number of nginx's own.
    let status =
      given.number(.seriesStatus) ?? given.number(.siteStatus)
      ?? (given[.siteError] == HTTPRequest.Failure.closed.inShort ? 444 : nil)
    let rules = all.filter { $0.status == status }
    for rule in rules {
      guard case .file(let inside, _) = rule.condition,
        try await !world.see(FileGlob(pattern: inside, place: try given.files)).isEmpty
      else { continue }
      return (.file, rule.facts)
    }
    if let rule = rules.first(where: { $0.condition == .rate }) {
      let writer = signs.writer(try given.proxyKind)
      let lines = (try? await world.proxyLog(given, since: try given.asked)) ?? []
      let line = lines.last { writer.reading(of: $0)?.sign.shows == "rate" }
      return (line == nil ? .limit : .limited, rule.facts.merging([.logLine: line?.excerpt(of: 200) ?? ""]))
    }
    guard let rule = rules.first(where: { $0.condition == .other }) else { return (.none, [:]) }
    return (.rule, rule.facts)
  }
}

extension World {
  /// What the reader of the proxy's files finds for the site.
  func reading(_ given: Case, _ signs: Signs) async throws(Unseen) -> Reading {
    try await RouteReading.read(
      .init(
        site: try given.site, port: try given.proxyPort, server: given[.routeServer],
        address: given[.proxyArrival]), kind: try given.proxyKind,
      at: given.proxy, in: self, signs)
  }
}
