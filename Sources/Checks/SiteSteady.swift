import Discovery
import Model
import Routes
import World

private enum SteadyOutcome: String, CheckOutcome {
  case steady
  /// Some requests failed, or all of them did.
  case failing
  case unknown
}

extension Check {
  /// Asks a site that has just answered well a few times more: with two servers behind it, one of them broken, every
  /// other visitor gets an error.
  static let siteSteady = Check(
    "site.steady", needs: [.url, .siteStatus], learns: [.seriesAnswers, .seriesStatus, .siteSometimes],
    outcome: SteadyOutcome.self
  ) { world, given, _ throws(Unseen) in
    var answers: [String: Int] = [:]
    // A proxy that loads its configuration right now, or an app that is started again, fails for a moment only.
    for round in 0..<2 {
      if round > 0 { await world.pause(1) }
      answers = try await world.answers(given, count: count, from: round * count, within: SiteSeen.short)
      if answers.allSatisfy({ answer, _ in isGood(answer) }) {
        if answers[late] != nil { throw .noAnswer(seconds: SiteSeen.short) }
        return (.steady, [.seriesAnswers: answers.mostFirst])
      }
    }
    let bad = answers.filter { answer, _ in !isGood(answer) }
    return (.failing, [.seriesAnswers: answers.mostFirst, .seriesStatus: bad.status, .siteSometimes: "yes"])
  }

  private static let count = 4
  private static let late = noAnswer(in: SiteSeen.short)

  /// What the app answers on purpose is good, and of what came too late nothing is known.
  private static func isGood(_ answer: String) -> Bool { answer == late || Int(answer).map { $0 < 500 } ?? false }
}
