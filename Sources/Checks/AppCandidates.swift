import Discovery
import Model
import Routes
import World

extension FactName {
  static let candidateContainer: FactName = "candidate.container"
  static let candidateUnit: FactName = "candidate.unit"
  static let candidateApps: FactName = "candidate.apps"
  static let candidateStopped: FactName = "candidate.stopped"
}

private enum CandidatesOutcome: String, CheckOutcome {
  /// A container that does not run fits the route's port or the site's name.
  case container
  /// This machine has a service of an app that fits.
  case service
  /// Apps that usually have that port are known, and none of them is set up here.
  case usual
  case none, unknown
}

extension Check {
  /// Looks for what should listen where nobody does: containers that do not run, and services of apps that usually have
  /// the route's port.
  static let appCandidates = Check(
    "app.candidates", needs: [.upstreamPort, .siteHost, .routeLeadsNowhere],
    learns: [.candidateContainer, .candidateUnit, .candidateApps, .candidateStopped], outcome: CandidatesOutcome.self
  ) { world, given, signs throws(Unseen) in
    let port = try given.upstreamPort
    let apps = signs.apps.usual(at: port)
    // The name under which a person knows it: `sync` of `sync.example.org`.
    let label = try given.siteHost.lowercased().split(separator: ".").first { $0.count > 2 && $0 != "www" }
      .map(String.init)
    let containers: [ContainerSummary]
    do throws(Unseen) { containers = try await world.containers() } catch .missing { containers = [] }
    // A Swarm starts its containers itself, and never one that has ended.
    let stopped = containers.filter { !$0.isRunning && $0.swarmService == nil }
    var learned: Facts = [
      // A port that many have says nothing.
      .candidateApps: apps.count <= 3 ? apps.map(\.name).sorted().joined(separator: ", ") : "",
      .candidateStopped: stopped.map(\.name).sorted().prefix(8).joined(separator: ", "),
    ]
    var best: (container: Container, rank: Int)?
    for summary in stopped.prefix(32) {
      guard let container = try? await world.container(summary.Id) else { continue }
      let app = signs.apps.app(ofImage: container.imageName)
      let isAtPort = container.bindings.contains { $0.hostPort == port }
      let isUsual = app.map { $0.port == port || $0.tlsPort == port } ?? false
      let names = [summary.name, summary.service ?? "", app?.name ?? ""].joined(separator: " ").lowercased()
      let rank = (isAtPort ? 4 : 0) + (isUsual ? 2 : 0) + (label.map(names.contains) == true ? 1 : 0)
      if rank > best?.rank ?? 0 { best = (container, rank) }
    }
    if let container = best?.container {
      learned[.candidateContainer] = container.name
      return (.container, learned)
    }
    if let unit = await world.unit(of: apps, or: label) {
      learned[.candidateUnit] = unit
      return (.service, learned)
    }
    return (learned[.candidateApps] == nil ? .none : .usual, learned)
  }
}
