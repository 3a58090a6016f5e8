import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  static let logAddress: FactName = "log.address"
  static let logLine: FactName = "log.line"
  static let logStalled: FactName = "log.stalled"
  static let headerGuess: FactName = "header.guess"
  static let headerGuessDouble: FactName = "header.guess-double"
}

private enum LogOutcome: String, CheckOutcome {
  case sameAddress = "same-address", otherAddress = "other-address", otherPort = "other-port"
  case configError = "config-error"
  /// The system forbids the proxy to connect.
  case denied
  /// The request waited for a place at the app in vain.
  case queue
  /// No server of the route could be used.
  case noServer = "no-server"
  /// What the app answered the proxy is not HTTP.
  case notHTTP = "not-http"
  /// The app ended the proxy's connection.
  case dropped
  /// The app did not find the script that it was told to run.
  case noScript = "no-script"
  /// The TLS handshake with the app failed, or its certificate is not trusted.
  case handshake, untrusted
  /// The app stopped in the middle of its answer for longer than the proxy waits.
  case stalled
  /// The header of the app's answer is larger than the proxy takes.
  case tooLarge = "too-large"
  /// It is to connect from an address that it does not have.
  case ownAddress = "own-address"
  /// The service that is asked first gave another answer than yes or no.
  case auth
  /// It sends what is for the app to a proxy that its environment names.
  case otherProxy = "other-proxy"
  /// PHP may not run the file.
  case deniedScript = "denied-script"
  /// No line is about this request.
  case silent
  case unknown
}

extension Check {
  /// Reads what the proxy logged since the site was asked, or else its own error page, and compares the address it
  /// dialled with the app's.
  static let proxyLog = Check(
    "proxy.log", needs: [.siteAsked, .routeDefinedIn, .proxyPlace, .proxyKind, .nameAddress, .upstreamPort],
    learns: [
      .logAddress, .logReason, .logLine, .routeRequestLimit, .logStalled, .timeoutNeeded, .headerGuess,
      .headerGuessDouble,
    ], outcome: LogOutcome.self
  ) { world, given, signs throws(Unseen) in
    let keys = given.list(.routeLogKeys)
    let writer = signs.writer(try given.proxyKind)
    let page = given[.sitePage].flatMap { page in
      signs.writer("gateway").reading(of: page).map { (line: page, reading: $0) }
    }
    let lines: [String]
    do throws(Unseen) { lines = try await world.proxyLog(given, since: try given.asked) } catch {
      guard page != nil else { throw error }
      lines = []
    }
    // A line counts if it is about this route; what keeps the configuration from being loaded is about all of them.
    let shown =
      lines.reversed().lazy.compactMap { line in writer.reading(of: line).map { (line: line, reading: $0) } }
      .first { $0.reading.sign.shows == "config-error" || keys.contains(where: $0.line.contains) } ?? page
    guard let shown else { return (.silent, [:]) }
    let (shows, reading) = (shown.reading.sign.shows, shown.reading)
    var learned: Facts = [
      .logReason: reading.text(of: "reason")?.printable ?? "",
      .logAddress: reading.text(of: "address")?.printable ?? "", .logLine: shown.line.excerpt(of: 200),
    ]
    // The proxy itself was not asked how much it uses, so its files tell how much that is.
    if [.queue, .noServer].contains(failures[shows]) { learned[.routeRequestLimit] = given[.routeServerLimit] }
    if failures[shows] == .stalled {
      learned[.logStalled] = "yes"
      // How long the app will stop is not known.
      learned[.timeoutNeeded] = given.longerTimeout
    }
    // How large the header is the line does not say.
    if failures[shows] == .tooLarge, let limit = given.number(.routeHeaderLimit), limit > 0 {
      learned[.headerGuess] = String(limit.clampedProduct(4))
      learned[.headerGuessDouble] = String(limit.clampedProduct(8))
    }
    if shows == "config-error" { return (.configError, learned) }
    if shows == "denied" { return (.denied, learned) }
    // Not every line names an address.
    guard let (address, port) = learned[.logAddress]?.hostAndPort, address.isAddress else {
      return (failures[shows] ?? .silent, learned)
    }
    let isServer = given.list(.routeServers).contains { $0.hasSuffix(":\(port ?? 0)") }
    if let port, port != given.port(.upstreamPort), !isServer { return (.otherPort, learned) }
    guard given.list(.nameAddresses).contains(address) else { return (.otherAddress, learned) }
    return (failures[shows] ?? .sameAddress, learned)
  }

  /// What a line shows that tells a failure by itself, whatever address the proxy dialled.
  private static let failures: [String: LogOutcome] = [
    "queue-timeout": .queue, "queue-full": .queue, "no-server": .noServer, "not-http": .notHTTP, "closed": .dropped,
    "reset": .dropped, "no-script": .noScript, "handshake": .handshake, "untrusted": .untrusted, "stalled": .stalled,
    "header-too-large": .tooLarge, "own-address": .ownAddress, "auth": .auth, "other-proxy": .otherProxy,
    "denied-script": .deniedScript,
  ]
}
