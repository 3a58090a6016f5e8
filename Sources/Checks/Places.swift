import Discovery
import Model
import Routes
import World

extension Facts {
  var proxy: ProxyPlace {
    ProxyPlace(
      id: self[.proxyID], pid: self[.proxyPID].flatMap { Int32($0) },
      usesHostNetwork: self[.proxyPlace] == "host" || self[.proxyNetwork] == "host", standing: proxyStanding)
  }

  /// From `proxy.place` and `proxy.user`, which say it in words.
  private var proxyStanding: Standing {
    switch (self[.proxyPlace], self[.proxyUser]) {
    case ("foreign", let user?): .user(user)
    case ("foreign", nil): .apart
    case (_, let user?): .service(user: user)
    case (_, nil): .own
    }
  }

  /// The place from which the proxy dials.
  var proxyDialsFrom: Place? {
    if proxy.usesHostNetwork { return .host }
    return proxy.pid.map { .process($0) }
  }

  /// The place in which the upstream listens.
  var upstreamListensIn: Place? {
    self[.upstreamPlace] == "host" ? .host : self[.upstreamPID].flatMap { Int32($0) }.map { .process($0) }
  }
}

extension World {
  /// When the proxy last loaded its configuration, in seconds since 1970.
  func lastLoad(_ facts: Facts, _ signs: Signs) async throws(Unseen) -> Double {
    try await RouteReading.loaded(kind: facts[.proxyKind] ?? "", at: facts.proxy, in: self, signs)
  }
}
