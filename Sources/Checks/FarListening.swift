import Discovery
public import Model
import Routes
public import World

extension FactName {
  static let farContainer: FactName = "far.container"
  static let farEngine: FactName = "far.engine"
  static let farStatus: FactName = "far.status"
  static let farExitCode: FactName = "far.exit-code"
  static let farLastWords: FactName = "far.last-words"
  static let farBoundTo: FactName = "far.bound-to"
  static let farInside: FactName = "far.inside-port"
  static let farListensAt: FactName = "far.listening"
  static let farWaiting: FactName = "far.waiting"
  static let farProgram: FactName = "far.program"
  static let farUnit: FactName = "far.unit"
  static let farRulesRead: FactName = "far.rules-read"
  static let farRule: FactName = "far.rule"
  static let farTable: FactName = "far.table"
  static let farChain: FactName = "far.chain"
  static let farFirewall: FactName = "far.firewall"
  static let farKeeper: FactName = "far.keeper"
  static let farFrom: FactName = "far.from"
}

enum FarOutcome: String, CheckOutcome {
  /// Somebody listens there, for everybody.
  case listening
  /// The same, and a rule of that machine's own packet filter stops who comes from here; or may.
  case blocked
  case mayBlock = "may-block"
  /// Connections wait in the queue: the app does not accept them.
  case stuck
  case loopback
  /// At another address of that machine.
  case otherAddress = "other-address"
  case otherFamily = "other-family"
  /// A container's port is published, and not at that address.
  case otherBinding = "other-binding"
  /// A container listens there, and its port is not published.
  case unpublished
  case otherPort = "other-port"
  case stopped, paused, restarting
  case outOfMemory = "out-of-memory"
  /// A container that has just been started.
  case starting
  /// A container or a service that fits and does not run.
  case candidate
  case nothing
  /// No machine that was named has the address.
  case none
  case unknown
}

extension Check {
  /// Looks at the other machine at which a connection ends, if that is one of those that were named: what is behind the
  /// port there?
  static let farListening = Check(
    "far.listening",
    needs: [
      .farNamed, .upstreamElsewhere, .connectFailed, .nameAddress, .upstreamPort, .url, .siteHost, .limitSeconds,
    ],
    learns: [
      .farMachine, .farContainer, .farEngine, .farStatus, .farExitCode, .farLastWords, .farBoundTo, .farInside,
      .farListensAt, .farWaiting, .farProgram, .farUnit, .farRulesRead, .farRule, .farTable, .farChain, .farFirewall,
      .farKeeper,
      .farFrom,
    ], outcome: FarOutcome.self, limit: nil
  ) { world, given, signs throws(Unseen) in
    let (address, port) = (try given.address, try given.upstreamPort)
    let own = try await world.see(OwnAddresses())
    guard !address.isLoopback, !own.contains(address) else { return (.none, [:]) }
    let owners = try await world.owners(of: address, port)
    // Private networks may have the same addresses.
    guard owners.count < 2 else { return (.unknown, [:]) }
    guard let owner = owners.first else { return (.none, [:]) }
    let sender = own.nearest(to: address)
    var (outcome, facts) = try await owner.world.seen(
      at: .init(address: address, port: port, sender: sender), of: given, signs)
    facts[.farMachine] = owner.name
    facts[.farFrom] = sender
    return (outcome, facts)
  }

  /// Sees on this machine what `far.listening` wants to see of it, for whoever writes down what is seen.
  ///
  /// - Parameter facts: Those of the site.
  public static func lookForOther(at address: String, _ port: UInt16, facts: Facts, in world: any World, signs: Signs)
    async throws(Unseen)
  {
    guard try await world.see(OwnAddresses()).contains(address) else { return }
    let limit = facts.seconds(.limitSeconds) ?? 30
    _ = try await world.seen(at: .init(address: address, port: port, sender: nil), of: Case(facts, limit: limit), signs)
  }
}

extension World {
  /// The machines among the others that have an address. Throws if there is none, and one could not be seen.
  fileprivate func owners(of address: String, _ port: UInt16) async throws(Unseen) -> [(name: String, world: any World)]
  {
    let others = others
    guard !others.isEmpty else { throw .notEnoughKnown([.farNamed]) }
    typealias Seen = (place: Int, world: Result<(any World)?, Unseen>)
    let seen = await withTaskGroup(of: Seen.self) { group in
      for (place, other) in others.enumerated() {
        group.addTask {
          do throws(Unseen) {
            let world = try await other.world(address, port)
            let isOwner = try await world.see(OwnAddresses()).contains(address)
            return (place, .success(isOwner ? world : nil))
          } catch { return (place, .failure(error)) }
        }
      }
      return await group.reduce(into: [Seen]()) { $0.append($1) }.sorted { $0.place < $1.place }
    }
    var owners: [(name: String, world: any World)] = []
    var unseen: Unseen?
    for (place, result) in seen {
      switch result {
      case .success(let world): if let world { owners.append((others[place].name, world)) }
      case .failure(let error): unseen = unseen ?? error
      }
    }
    if owners.isEmpty, let unseen { throw unseen }
    return owners
  }
}

extension [String] {
  /// The address that begins like another one for longest, and so is most likely in its network.
  fileprivate func nearest(to address: String) -> String? {
    func common(_ other: String) -> Int { zip(other, address).prefix { $0 == $1 }.count }
    return filter { !$0.isLoopback && $0.isIPv6 == address.isIPv6 }.max { common($0) < common($1) }
  }
}
