import Discovery
import Model
import Routes

private enum ValidOutcome: String, CheckOutcome {
  /// Reading the files shows no mistake; the proxy's own test is never run.
  case readable
  case invalid, unknown
}

extension Check {
  /// Tells whether the proxy would load its files, as far as reading them shows.
  static let configValid = Check(
    "config.valid", needs: [.routeDefinedIn, .proxyPlace], outcome: ValidOutcome.self
  ) { _, given, _ throws(Unseen) in
    if given[.configProblem] != nil { return (.invalid, [:]) }
    // A file that was not read may have any mistake.
    return (given[.configUnread] == nil ? .readable : .unknown, [:])
  }
}
