import Discovery
import Firewall
import Model
import Routes
import World

/// A port, as somebody on another machine dials it.
struct Dialled {
  let address: String
  let port: UInt16
  /// The address from which it is dialled; nil if that is not known.
  let sender: String?
}

extension World {
  /// What is behind a port of this machine, by the checks that are made of a port of the proxy's own machine.
  func seen(
    at dialled: Dialled, of given: Case, _ signs: Signs
  ) async throws(Unseen) -> (FarOutcome, Facts) {
    var facts: Facts = [
      .url: try given.url, .siteHost: try given.siteHost, .upstreamHost: dialled.address,
      .upstreamPort: String(dialled.port), .upstreamScheme: given[.upstreamScheme] ?? "http",
      .nameAddress: dialled.address, .proxyPlace: "host",
    ]
    func outcome(of check: Check) async throws(Unseen) -> String {
      let found = try await check.run(self, Case(facts, limit: given.limit), signs)
      facts.merge(found.facts)
      return found.outcome
    }
    let place = try await outcome(of: .upstreamFind)
    var found = FarOutcome.unknown
    var told: Facts = [.farEngine: await engineCommand ?? ""]
    switch place {
    case "container", "displaced", "occupied":
      let state = try await outcome(of: .containerState)
      told.merge([
        .farContainer: facts[.upstreamContainer] ?? "", .farStatus: facts[.containerStatus] ?? "",
        .farExitCode: facts[.containerExitCode] ?? "", .farLastWords: facts[.lastWords] ?? "",
        .farInside: facts[.upstreamInside] ?? "",
      ])
      if let down = Self.down[state] {
        found = down
      } else if let elsewhere = try await binding(of: facts[.upstreamID] ?? "", dialled) {
        (found, told[.farBoundTo]) = (.otherBinding, elsewhere)
      } else {
        found = Self.heard[try await outcome(of: .portListening)] ?? .unknown
        told[.farListensAt] = facts[.upstreamListening]
        if found == .nothing, facts[.containerFresh] != nil { found = .starting }
      }
    case "host":
      found = Self.heard[try await outcome(of: .portListening)] ?? .unknown
      if found == .nothing {
        (found, facts) = await inItsPlace(facts, given, signs)
        told[.farContainer] = facts[.neighbourContainer] ?? facts[.candidateContainer]
        told[.farListensAt] = found == .otherPort ? facts[.neighbourPort] : nil
        told[.farUnit] = facts[.candidateUnit]
      }
      let heard = told.port(.farListensAt) ?? dialled.port
      let listeners = try await see(Listeners(place: .host)).filter { $0.port == heard }
      if [.listening, .stuck].contains(found),
        !listeners.contains(where: { $0.address.isAnyAddress || $0.address == dialled.address })
      {
        found = .otherAddress
      }
      if let listener = listeners.first {
        let program = await program(of: listener)
        told[.farProgram] = program[.listenerName]
        told[.farUnit] = told[.farUnit] ?? program[.listenerUnit]
      }
    default: return (.unknown, [:])
    }
    told[.farBoundTo] = told[.farBoundTo] ?? facts[.upstreamBoundTo]
    told[.farWaiting] = facts[.upstreamWaiting]
    if found == .listening, let (outcome, rule) = try? await rule(stopping: dialled, facts) {
      (found, told) = (outcome, told.merging(rule))
    }
    return (found, told)
  }

  private static var down: [String: FarOutcome] {
    ["stopped": .stopped, "paused": .paused, "restarting": .restarting, "out-of-memory": .outOfMemory]
  }
  private static var heard: [String: FarOutcome] {
    [
      "listening": .listening, "stuck": .stuck, "loopback": .loopback, "other-family": .otherFamily,
      "other-port": .otherPort, "nothing": .nothing,
    ]
  }

  /// The address at which a container's port is published, if that is not the one that is dialled.
  private func binding(of id: String, _ dialled: Dialled) async throws(Unseen) -> String? {
    let bindings = try await container(id).bindings.filter { $0.hostPort == dialled.port }
    guard !bindings.isEmpty,
      !bindings.contains(where: { $0.isReached(at: dialled.address, fromMachine: false) })
    else { return nil }
    return bindings[0].hostAddress
  }

  /// What fits a port at which nobody listens.
  private func inItsPlace(_ known: Facts, _ given: Case, _ signs: Signs) async -> (FarOutcome, Facts) {
    var facts = known
    facts[.routeLeadsNowhere] = "yes"
    for (check, outcomes) in [
      (Check.neighbourFind, ["one": FarOutcome.otherPort]),
      (Check.appCandidates, ["container": .candidate, "service": .candidate]),
    ] {
      guard let found = try? await check.run(self, Case(facts, limit: given.limit), signs),
        let outcome = outcomes[found.outcome]
      else { continue }
      facts.merge(found.facts)
      return (facts[.neighbourUnpublished] == nil ? outcome : .unpublished, facts)
    }
    return (.nothing, facts)
  }

  /// The first rule of this machine that stops who dials the port from outside. Throws if the rules could not be read.
  private func rule(stopping dialled: Dialled, _ facts: Facts) async throws(Unseen) -> (FarOutcome, Facts) {
    let inside = facts.list(.upstreamAddresses)
    var receiver: Station?
    if facts[.upstreamPlace] == "container", let id = facts[.upstreamPID].flatMap({ Int32($0) }) {
      receiver = Station(name: "upstream", place: .process(id))
    }
    var passage = Passage(
      packet: Packet(from: dialled.sender.map { [$0] } ?? [], to: dialled.address, port: dialled.port), sender: nil,
      receiver: receiver, own: (try? await see(OwnAddresses())) ?? [],
      inside: (inside, facts.port(.upstreamInside) ?? dialled.port))
    passage.comesFromOutside = true
    guard let obstacle = try await obstacle(on: passage, probe: {}), !obstacle.leadsAway else {
      return (.listening, [.farRulesRead: "yes"])
    }
    return (
      obstacle.isCertain ? .blocked : .mayBlock,
      [
        .farRulesRead: "yes", .farRule: obstacle.rule, .farTable: obstacle.table, .farChain: obstacle.chain,
        .farFirewall: obstacle.program,
        .farKeeper: obstacle.keeper ?? "",
      ]
    )
  }
}
