import Discovery
import Model
import Routes
import World

/// What a check is given: typed values of what was asked for and of what was found on the way so far.
///
/// A value that is not there throws what is missing, so that no check goes on with a value that nobody has seen. What a
/// check needs, it declares, and is started only then; so only a check that declares too little ever throws.
struct Case: Sendable {
  /// The text facts behind it.
  private let facts: Facts
  /// Seconds that are left for what the check does.
  let limit: Double

  init(_ facts: Facts, limit: Double) { (self.facts, self.limit) = (facts, limit) }

  // What was asked for.
  var site: Site { get throws(Unseen) { try value(of: .url) { Site($0) } } }
  var url: String { get throws(Unseen) { try text(of: .url) } }
  var siteHost: String { get throws(Unseen) { try text(of: .siteHost) } }
  var sitePort: UInt16 { get throws(Unseen) { try port(of: .sitePort) } }
  var sitePath: String { get throws(Unseen) { try text(of: .sitePath) } }

  // The proxy that serves it.
  var proxyKind: String { get throws(Unseen) { try text(of: .proxyKind) } }
  var proxyID: String { get throws(Unseen) { try text(of: .proxyID) } }
  var proxyPID: Int32 { get throws(Unseen) { try value(of: .proxyPID, Int32.init(_:)) } }
  /// The port on which it listens in its own network.
  var proxyPort: UInt16 { get throws(Unseen) { try port(of: .proxyPort) } }
  var proxy: ProxyPlace {
    ProxyPlace(
      id: facts[.proxyID], pid: facts[.proxyPID].flatMap { Int32($0) },
      usesHostNetwork: facts[.proxyPlace] == "host" || facts[.proxyNetwork] == "host", standing: proxyStanding)
  }
  /// The place whose files the proxy sees, with its rights.
  var files: Place {
    get throws(Unseen) {
      guard let place = proxy.files else { throw .notEnoughKnown([.proxyPID]) }
      return place
    }
  }
  /// The place from which the proxy dials.
  var dialsFrom: Place {
    get throws(Unseen) {
      if proxy.usesHostNetwork { return .host }
      return .process(try proxyPID)
    }
  }

  // The route.
  var upstreamHost: String { get throws(Unseen) { try text(of: .upstreamHost) } }
  var upstreamPort: UInt16 { get throws(Unseen) { try port(of: .upstreamPort) } }
  var upstreamScheme: String { get throws(Unseen) { try text(of: .upstreamScheme) } }
  var upstreamSocket: String { get throws(Unseen) { try text(of: .upstreamSocket) } }

  // What stands behind it.
  /// Its container.
  var upstreamID: String { get throws(Unseen) { try text(of: .upstreamID) } }
  /// The port on which it has to listen in its own network.
  var upstreamInside: UInt16 { get throws(Unseen) { try port(of: .upstreamInside) } }
  /// The place in which it listens.
  var listensIn: Place {
    get throws(Unseen) {
      facts[.upstreamPlace] == "host" ? .host : .process(try value(of: .upstreamPID, Int32.init(_:)))
    }
  }
  /// The address that the proxy dials.
  var address: String { get throws(Unseen) { try text(of: .nameAddress) } }

  /// Seconds since 1970 just before the site was asked.
  var asked: Double {
    get throws(Unseen) {
      guard let seconds = facts.seconds(.siteAsked) else { throw .notEnoughKnown([.siteAsked]) }
      return seconds
    }
  }

  /// What may be known, and need not be.
  subscript(name: FactName) -> String? { facts[name] }
  func port(_ name: FactName) -> UInt16? { facts.port(name) }
  func seconds(_ name: FactName) -> Double? { facts.seconds(name) }
  func list(_ name: FactName) -> [String] { facts.list(name) }
  func number(_ name: FactName) -> Int? { facts.number(name) }

  func text(of name: FactName) throws(Unseen) -> String { try value(of: name) { $0 } }

  private func port(of name: FactName) throws(Unseen) -> UInt16 { try value(of: name, UInt16.init(_:)) }

  private func value<Value>(of name: FactName, _ read: (String) -> Value?) throws(Unseen) -> Value {
    guard let value = facts[name].flatMap(read) else { throw .notEnoughKnown([name]) }
    return value
  }

  /// From `proxy.place` and `proxy.user`, which say it in words.
  private var proxyStanding: Standing {
    switch (facts[.proxyPlace], facts[.proxyUser]) {
    case ("foreign", let user?): .user(user)
    case ("foreign", nil): .apart
    case (_, let user?): .service(user: user)
    case (_, nil): .own
    }
  }
}

extension World {
  /// When the proxy last loaded its configuration, in seconds since 1970.
  func lastLoad(_ given: Case, _ signs: Signs) async throws(Unseen) -> Double {
    try await RouteReading.loaded(kind: try given.proxyKind, at: given.proxy, in: self, signs)
  }
}
