import Discovery
import Model
import Routes
import World

extension FactName {
  static let seriesFailed: FactName = "series.failed"
  static let seriesAnswers: FactName = "series.answers"
  /// Of the answers that were no good ones.
  static let seriesStatus: FactName = "series.status"
  static let siteSometimes: FactName = "site.sometimes"
}

private enum SeriesOutcome: String, CheckOutcome {
  case allGood = "all-good", someBad = "some-bad", allBad = "all-bad", unknown
}

extension Check {
  /// Asks the site many times, a few at once, each time with a connection of its own.
  static let siteSeries = Check(
    "site.series", needs: [.url, .seriesCount], learns: [.seriesFailed, .seriesAnswers, .seriesStatus, .siteSometimes],
    outcome: SeriesOutcome.self, limit: nil
  ) { world, given, _ throws(Unseen) in
    let count = min(max(given.number(.seriesCount) ?? 0, 2), mostRequests)
    let answers = try await world.answers(given, count: count, within: 30)
    let bad = answers.filter { !isGood($0.key) }
    let failed = bad.values.reduce(0, +)
    let learned: Facts = [
      .seriesFailed: String(failed), .seriesAnswers: answers.mostFirst, .seriesStatus: bad.status,
      .siteSometimes: failed == count ? "" : "yes",
    ]
    return (failed == 0 ? .allGood : failed == count ? .allBad : .someBad, learned)
  }

  private static let mostRequests = 500

  private static func isGood(_ answer: String) -> Bool { Int(answer).map { $0 < 500 && $0 != 404 } ?? false }
}

extension World {
  /// How often the site gave which answer, a status or in short why there was none, when asked `count` times, a few at
  /// once, each time with a connection of its own.
  ///
  /// - Parameter from: The number of the first; each makes a request of its own, since looks that are the same are taken
  ///   once.
  func answers(_ given: Case, count: Int, from: Int = 0, within seconds: Double) async throws(Unseen) -> [String: Int] {
    // Few, so that the series itself is no load.
    let atOnce = 4
    return try await withTaskGroup(of: Result<String, Unseen>.self) { group -> Result<[String: Int], Unseen> in
      var (started, answers) = (0, [String: Int]())
      func start() {
        started += 1
        let attempt = started
        group.addTask { await shortAnswer(given, within: seconds, attempt: 1000 + from + attempt) }
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
  }

  private func shortAnswer(_ given: Case, within seconds: Double, attempt: Int) async -> Result<String, Unseen> {
    do throws(Unseen) {
      guard let answer = try await site(given, within: seconds, attempt: attempt)?.answer else {
        return .success(noAnswer(in: seconds))
      }
      if let status = answer.status { return .success(answer.failure == nil ? String(status) : "\(status), cut") }
      return .success(answer.failure?.inShort ?? "no answer")
    } catch { return .failure(error) }
  }
}

/// What stands for an answer that did not come in time.
func noAnswer(in seconds: Double) -> String { "no answer in \(Int(clamping: seconds)) s" }

extension [String: Int] {
  /// The most frequent status of these answers; empty if none of them has one.
  var status: String { filter { Int($0.key) != nil }.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? "" }

  /// `200 × 3, 502 × 1`
  var mostFirst: String {
    sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) × \($0.value)" }.joined(separator: ", ")
  }
}
