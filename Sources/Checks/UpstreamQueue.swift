import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  static let upstreamOpen: FactName = "upstream.open"
  static let upstreamWaitingMost: FactName = "upstream.waiting-most"
}

private enum QueueOutcome: String, CheckOutcome {
  /// As many connections wait at the app's port as may; the kernel drops new ones. The app works on others.
  case full
  /// The same, and the app works on none.
  case stalled
  /// Some wait while the app works on several others.
  case busy
  /// Some wait; the app works on none or on a single one.
  case waiting
  /// The app's log says that all places of its pool are taken.
  case pool
  case free, unknown
}

extension Check {
  /// Looks at the queue of connections at the app's port, and at what its log says of its pool.
  static let upstreamQueue = Check(
    "upstream.queue", needs: [.upstreamPlace, .upstreamInside, .upstreamPort, .siteAsked],
    learns: [.upstreamWaiting, .upstreamWaitingMost, .upstreamOpen, .logReason] + FactName.ofListener,
    outcome: QueueOutcome.self
  ) { world, given, signs throws(Unseen) in
    if let read = try? await world.appSign(["pool-full"], given, signs) {
      return (.pool, [.logReason: read.whole.printable])
    }
    let place = try given.listensIn
    let port = try given.upstreamInside
    let here = try await world.see(Listeners(place: place)).filter { $0.port == port }
    guard let listener = here.max(by: { $0.waiting < $1.waiting }) else { return (.free, [:]) }
    var learned = place == .host ? await world.program(of: listener) : [:]
    let waiting = listener.waiting
    guard waiting > 0 else { return (.free, learned) }
    learned.merge([
      .upstreamWaiting: String(waiting), .upstreamWaitingMost: listener.most.map { String($0) } ?? "",
      .upstreamOpen: String(listener.accepted),
    ])
    // The kernel takes one more than the app asked for.
    if let most = listener.most, waiting > max(most, ownRequests) {
      return (listener.accepted > 0 ? .full : .stalled, learned)
    }
    return (listener.accepted > 1 && listener.accepted + waiting > ownRequests ? .busy : .waiting, learned)
  }

  /// As many of the connections may be this program's own: the site's answer that it waits for, by each family, and what
  /// it asks the app itself. They are no load.
  private static let ownRequests = 3
}
