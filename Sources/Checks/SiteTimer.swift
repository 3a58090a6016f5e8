import Discovery
import Model
import Routes
import World

extension FactName {
  static let timerName: FactName = "timer.name"
}

private enum TimerOutcome: String, CheckOutcome {
  /// The route's own time-out for an answer, or for a connection.
  case answer, connection
  /// One that this kind of proxy has by itself.
  case named
  case none, unknown
}

extension Check {
  /// Tells which of the proxy's time-outs the wait for the site's answer is.
  static let siteTimer = Check(
    "site.timer", needs: [.siteWaited, .siteStatus, .siteSeconds, .proxyKind, .routeDefinedIn],
    learns: [.timerName, .timeoutNeeded],
    outcome: TimerOutcome.self
  ) { _, given, signs throws(Unseen) in
    guard let seconds = given.seconds(.siteSeconds), let status = given[.siteStatus].flatMap({ Int($0) }), status >= 500
    else { return (.none, [:]) }
    func isAfter(_ limit: FactName) -> Bool { given.seconds(limit).map { $0 <= seconds && seconds <= $0 + 1 } ?? false }
    if isAfter(.routeReadTimeout) { return (.answer, [.timeoutNeeded: given.longerTimeout ?? ""]) }
    if isAfter(.routeConnectTimeout) { return (.connection, [:]) }
    let kind = try given.proxyKind
    let timer = signs.timers.first {
      $0.proxy == kind && $0.status == status && $0.range.contains(seconds)
    }
    return timer.map { (.named, [.timerName: $0.name]) } ?? (.none, [:])
  }
}

extension Case {
  /// In whole seconds a time-out that may be enough, where nobody has seen how long the app takes: twice the route's own.
  var longerTimeout: String? { seconds(.routeReadTimeout).map { String(Int(clamping: max(60, $0 * 2))) } }
}
