public import Model
public import World

/// One live check: it looks at the world, and tells one of its outcomes and the facts it saw.
///
/// It never changes anything, knows no other check and no sentence: what an outcome means in words, and where it
/// leads, is written in `Flows/`. A fact that comes together with a needed one may be read without being needed.
public struct Check: Sendable {
  /// What a check finds out before it is named and timed.
  public typealias Found = (outcome: String, facts: Facts)

  public let shape: CheckShape
  /// Seconds after which it is given up as `unknown`; nil: the limit of the whole session.
  let limit: Double?
  let run: @Sendable (any World, Case, Signs) async throws(Unseen) -> Found

  init<Outcome: CheckOutcome>(
    _ id: String, needs: [FactName], learns: [FactName] = [], outcome: Outcome.Type, limit: Double? = 10,
    run: @escaping @Sendable (any World, Case, Signs) async throws(Unseen) -> (Outcome, Facts)
  ) {
    shape = CheckShape(id: id, needs: needs, learns: learns, outcomes: Outcome.allCases.map(\.rawValue))
    self.limit = limit
    self.run = { world, given, signs async throws(Unseen) in
      let (outcome, facts) = try await run(world, given, signs)
      return (outcome.rawValue, facts)
    }
  }
}

/// The outcomes of a check; `unknown` is one of them.
protocol CheckOutcome: CaseIterable, RawRepresentable<String>, Sendable {
  static var unknown: Self { get }
}

extension Check {
  /// Every check, in the order in which a person would make them.
  public static let all: [Check] = [
    siteAnswer, siteAddresses, siteSlow, siteAgain, siteSeries, siteSteady, siteUncached, siteIntended, proxyFind,
    proxyHears, routeFind, routeSource, siteTimer, serversReach, serversAnswer, configValid, configLoaded, upstreamFind,
    containerState,
    containerDeaths, appEnded, networkShared, networkGuests, nameResolve, nameHolders, portListening, tcpConnect,
    addressFamily,
    insideConnect, socketConnect, routeHairpin, routeCircle, farListening, firewallRules, upstreamSpeaks, tlsHandshake,
    upstreamCertificate,
    upstreamAnswer, upstreamRefuses, pathOriginal, pathBelow, pathElsewhere, scriptFind, routeRefuses, authReach,
    healthCheck,
    nextProxy,
    proxyLog, proxyPolicy, proxyPast, proxyLastWords, neighbourFind, appCandidates, proxyLimit, upstreamQueue,
    hostResources,
    containerRestart, proxyRestart, addressLasting,
    networkLasting, memoryHit, memoryPast, diskSpace, proxyWeek, appWeek,
  ]

  public static func named(_ id: String) -> Check? { byID[id] }
  private static let byID = Dictionary(all.map { ($0.shape.id, $0) }) { first, _ in first }

  /// Runs the check to its end, its limit, or its cancellation; always gives a finding.
  ///
  /// - Parameter deadline: When the whole run ends, of which this check may be one of the last; nil: it has the whole limit.
  public func finding(
    in world: any World, facts: Facts, signs: Signs, until deadline: ContinuousClock.Instant? = nil
  ) async -> Finding {
    let start = world.instant
    let whole = facts.seconds(.limitSeconds) ?? 90
    let left = max(0, min(whole, deadline.map { (start.duration(to: $0)) / .seconds(1) } ?? whole))
    let limit = min(limit ?? left, left)
    let given = Case(facts, limit: left)
    let witness = Witness(world)
    let found = await world.result(within: limit) { () async throws(Unseen) in try await run(witness, given, signs) }
    let seconds = Double((world.instant - start) / .milliseconds(1)) / 1000
    switch found {
    case .success(let found):
      return Finding(
        check: shape.id, outcome: found.outcome, facts: found.facts, seconds: seconds,
        sightings: sightings(of: found.facts, facts, witness, isUnseen: found.outcome == Finding.unknown),
        hearsay: witness.hearsay)
    case .failure(let unseen):
      // What had no time left is said to have had none within the run's limit.
      let reason = unseen == .noAnswer(seconds: limit) && limit == left ? .noAnswer(seconds: whole) : unseen
      return Finding(
        check: shape.id, outcome: Finding.unknown, unseen: reason, seconds: seconds,
        sightings: sightings(of: [:], facts, witness, isUnseen: true))
    }
  }

  /// What the finding rests on, with the names by which the engine's command knows the containers.
  private func sightings(of learned: Facts, _ given: Facts, _ witness: Witness, isUnseen: Bool) -> [Sighting] {
    let needed = Facts(given.values.filter { shape.needs.contains($0.key) })
    let known = given.merging(learned)
    return witness.sightings(of: learned, given: needed, isUnseen: isUnseen).map { sighting in
      var facts = sighting.facts
      for (id, pid, name) in Self.containers {
        guard let container = known[name] else { continue }
        if let process = facts[.lookPID], process == known[pid] { facts[.lookContainer] = container }
        for fact in Self.ofContainer where facts[fact] != nil && facts[fact] == known[id] { facts[fact] = container }
      }
      return Sighting(kind: sighting.kind, facts: facts, lines: sighting.lines)
    }
  }

  /// The facts that tell a container: its id, a process in it, and its name.
  private static let containers: [(id: FactName, pid: FactName, name: FactName)] = [
    (.proxyID, .proxyPID, .proxyContainer), (.upstreamID, .upstreamPID, .upstreamContainer),
  ]
  /// Those of a look that may be a container's id.
  private static let ofContainer: [FactName] = [.lookContainer, "look.inspected", "look.log", "look.of"]
}

extension FactName {
  fileprivate static let lookPID: FactName = "look.pid"
  fileprivate static let lookContainer: FactName = "look.container"
}
