import Discovery
import Model
import Routes
import World

extension FactName {
  static let seriesFailed: FactName = "series.failed"
  static let seriesAnswers: FactName = "series.answers"
  static let siteSometimes: FactName = "site.sometimes"
}

private enum SeriesOutcome: String, CheckOutcome {
  case allGood = "all-good", someBad = "some-bad", allBad = "all-bad", unknown
}

extension Check {
  /// Asks the site many times, a few at once, each time with a connection of its own.
  static let siteSeries = Check(
    "site.series", needs: [.url, .seriesCount], learns: [.seriesFailed, .seriesAnswers, .siteSometimes],
    outcome: SeriesOutcome.self, limit: nil
  ) { world, given, _ throws(Unseen) in
    let count = min(max(given.number(.seriesCount) ?? 0, 2), mostRequests)
    let answers = try await withTaskGroup(of: Result<String, Unseen>.self) { group -> Result<[String: Int], Unseen> in
      var (started, answers) = (0, [String: Int]())
      func start() {
        started += 1
        let attempt = started
        // The number makes each a request of its own; looks that are the same are taken once.
        group.addTask { await world.shortAnswer(given, attempt: 1000 + attempt) }
      }
      for _ in 0..<min(count, atOnce) { start() }
      while let answer = await group.next() {
        switch answer {
        case .success(let text): answers[text, default: 0] += 1
        case .failure(let unseen): return .failure(unseen)
        }
        if started < count, !Task.isCancelled { start() }
      }
      return .success(answers)
    }.get()
    let failed = answers.filter { !isGood($0.key) }.values.reduce(0, +)
    let learned: Facts = [
      .seriesFailed: String(failed),
      .seriesAnswers: answers.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) × \($0.value)" }
        .joined(separator: ", "),
      .siteSometimes: failed == count ? "" : "yes",
    ]
    return (failed == 0 ? .allGood : failed == count ? .allBad : .someBad, learned)
  }

  private static let mostRequests = 500
  /// Few, so that the series itself is no load.
  private static let atOnce = 4

  private static func isGood(_ answer: String) -> Bool { Int(answer).map { $0 < 500 && $0 != 404 } ?? false }
}

extension World {
  /// A status, or in short why there was none.
  fileprivate func shortAnswer(_ given: Case, attempt: Int) async -> Result<String, Unseen> {
    do throws(Unseen) {
      guard let answer = try await site(given, within: 30, attempt: attempt)?.answer else {
        return .success("no answer in 30 s")
      }
      if let status = answer.status { return .success(answer.failure == nil ? String(status) : "\(status), cut") }
      return .success(answer.failure?.inShort ?? "no answer")
    } catch { return .failure(error) }
  }
}
