import Discovery
import Model
import Routes
import World

extension FactName {
  static let configReplaced: FactName = "config.replaced"
  static let configSecond: FactName = "config.second"
}

private enum LoadedOutcome: String, CheckOutcome {
  case current
  /// A file is newer than what runs.
  case older
  /// Two of the proxy listen at the site's port, and one was started before the newest file was changed.
  case both
  /// The app started after the proxy had looked its address up.
  case upstreamNewer = "upstream-newer"
  case unknown
}

extension Check {
  /// Tells whether the proxy runs what its files say: by its own word where it gives it, else by the times of its
  /// files, of its last load, and of the app's start.
  static let configLoaded = Check(
    "config.loaded", needs: [.routeDefinedIn, .proxyPID, .upstreamPlace], learns: [.configReplaced, .configSecond],
    outcome: LoadedOutcome.self
  ) { world, given, signs throws(Unseen) in
    if let newest = given[.configNewest], let files = try? await ProxyFiles(of: given.proxy, in: world),
      await files.isReplaced(newest)
    {
      return (.older, [.configReplaced: files.hostPath(of: newest) ?? newest])
    }
    if let second = try? await world.olderListener(given, signs) {
      return (.both, [.configSecond: String(second)])
    }
    switch given[.configRuns] {
    case "same": return (.current, [:])
    case "other": return (.older, [:])
    default: break
    }
    let loaded = try await world.lastLoad(given, signs)
    // A time in whole seconds has been cut.
    let error = loaded == loaded.rounded() ? 1 : 0.1
    if let newest = given.seconds(.configNewestTime), newest > loaded + error { return (.older, [:]) }
    if given[.routeResolves] == Route.Resolution.atStart, let id = given[.upstreamID],
      let started = try await world.container(id).started, started > loaded
    {
      return (.upstreamNewer, [:])
    }
    return (.current, [:])
  }
}

extension World {
  /// A process of the proxy, the one that the others of it come from, that listens at the site's port and is older than
  /// the newest file, while another one that is younger listens there, too. Source: socket(7), `SO_REUSEPORT`.
  fileprivate func olderListener(_ given: Case, _ signs: Signs) async throws(Unseen) -> Int32? {
    guard given[.proxyID] == nil, let newest = given.seconds(.configNewestTime), let port = given.port(.proxyPort)
    else { return nil }
    let listening = Set(try await see(Listeners(place: .host)).filter { $0.port == port }.flatMap(\.processes))
    guard listening.count > 1 else { return nil }
    let processes = try await see(Processes(names: signs.proxyProcesses))
    let byID = Dictionary(processes.map { ($0.id, $0) }) { first, _ in first }
    /// The first of its program: one that was loaded anew keeps its own first one.
    func first(_ process: ProcessSeen) -> ProcessSeen {
      var process = process
      for _ in 0..<4 {
        guard let parent = byID[process.parent], parent.name == process.name else { break }
        process = parent
      }
      return process
    }
    let known = listening.compactMap { byID[$0] }
    let old = known.filter { $0.started + 1 < newest }.map(first).min { $0.started < $1.started }
    guard let old, known.contains(where: { $0.started + 1 >= newest && first($0).id != old.id }) else { return nil }
    return old.id
  }
}
