import Discovery
import Model
import World

private enum ValidOutcome: String, CheckOutcome {
  /// Its own test passes.
  case valid
  /// Its own test was not run; reading the files shows no mistake.
  case readable
  case invalid, unknown
}

private enum LoadedOutcome: String, CheckOutcome {
  case current
  /// A file is newer than what runs.
  case older
  /// The app started after the proxy had looked its address up.
  case upstreamNewer = "upstream-newer"
  case unknown
}

extension Check {
  /// Tells whether the proxy would load its files: by its own test where that only looks, else by reading them.
  static let configValid = Check(
    "config.valid", needs: [.routeDefinedIn, .proxyPlace], learns: [.configProblem], outcome: ValidOutcome.self
  ) { world, facts, _ throws(Unseen) in
    if facts[.configProblem] != nil { return (.invalid, [:]) }
    // In a container the test would be a new process there; that is left to the user.
    guard facts[.proxyPlace] == "host", let program = facts[.proxyProgram] else { return (.readable, [:]) }
    let test = try await world.see(
      CommandRun(.nginxTest(program: program, configuration: facts[.proxyConfiguration], prefix: facts[.proxyPrefix])))
    if test.exitCode == 0 { return (.valid, [:]) }
    let problem = test.output.split(separator: "\n").first { $0.contains("[emerg]") }
    guard let problem else { throw .unreadable(what: "nginx -t", why: "exit code \(test.exitCode)") }
    return (.invalid, [.configProblem: String(problem.drop { $0 != "]" }.dropFirst(2)).printable])
  }

  /// Compares the times of the proxy's files, of its last load, and of the app's start.
  static let configLoaded = Check(
    "config.loaded", needs: [.routeDefinedIn, .proxyPID, .upstreamPlace], learns: [.proxyLoaded],
    outcome: LoadedOutcome.self
  ) { world, facts, signs throws(Unseen) in
    let loaded = try await world.lastLoad(facts, signs)
    let learned: Facts = [.proxyLoaded: String(loaded)]
    if let newest = facts.seconds(.configNewestTime), newest > loaded + 1 { return (.older, learned) }
    if facts[.routeResolves] == RouteReading.atStart, let id = facts[.upstreamID],
      let started = try await world.container(id).started, started > loaded
    {
      return (.upstreamNewer, learned)
    }
    return (.current, learned)
  }
}

extension FactName {
  /// Seconds since 1970 when the proxy last loaded its configuration.
  static let proxyLoaded: FactName = "proxy.loaded"
}

extension World {
  /// When the youngest worker of the proxy started: each load starts new ones.
  func lastLoad(_ facts: Facts, _ signs: Signs) async throws(Unseen) -> Double {
    let processes = try await see(Processes(names: signs.proxyProcesses))
    let own = processes.filter { process in
      facts[.proxyID].map { process.container == $0 }
        ?? (String(process.parent) == facts[.proxyPID] || String(process.id) == facts[.proxyPID])
    }
    guard let youngest = own.map(\.started).max() else { throw .missing(what: "the proxy's processes") }
    return youngest
  }
}
