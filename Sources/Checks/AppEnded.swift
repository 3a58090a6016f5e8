import Discovery
import LogLines
import Model
import World

extension FactName {
  static let appGivenUp: FactName = "app.given-up"
}

private enum EndedOutcome: String, CheckOutcome {
  /// The newest thing that its log tells is that the app's program has ended.
  case ended
  case none, unknown
}

extension Check {
  /// Looks in the log of a container that runs whether the program that matters in it does not run any more, as under a
  /// supervisor that has given it up. A log's patterns cost time, so only where nobody listens at the app's port.
  static let appEnded = Check(
    "app.ended", needs: [.upstreamID, .upstreamUnheard], learns: [.logLine, .lastWords, .appGivenUp],
    outcome: EndedOutcome.self
  ) { world, given, signs throws(Unseen) in
    let container = try await world.container(try given.upstreamID)
    let lines = try await world.log(of: container, lines: 40)
    // Its own words, those of what starts programs, and those of a language's runtime.
    let writers = ["app", "tool", "program"].map(signs.writer)
    let newest = lines.reversed().lazy.compactMap { line in
      writers.lazy.compactMap { $0.reading(of: line) }.first.map { (line: line, shows: $0.sign.shows) }
    }.first
    guard let newest, newest.shows == "exits" else { return (.none, [:]) }
    let line = newest.line.excerpt(of: 300)
    return (.ended, [.logLine: line, .lastWords: line, .appGivenUp: "yes"])
  }
}
