import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  /// What a limit counts, in words: `connections`, `open files`.
  static let limitOf: FactName = "limit.of"
  /// How many there are, and how many there may be.
  static let limitUsed: FactName = "limit.used"
  static let limitMost: FactName = "limit.most"
  /// Connections that the app has accepted at the route's port and not closed.
  static let upstreamOpen: FactName = "upstream.open"
  /// How many may wait at that port before new ones are dropped.
  static let upstreamWaitingMost: FactName = "upstream.waiting-most"
}

private enum ProxyLimitOutcome: String, CheckOutcome {
  /// All connections that the proxy may have are in use.
  case connections
  /// It may open no more files and sockets.
  case files
  /// It gives the app no more requests at a time, and others wait for a place.
  case queue
  case free, unknown
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
  /// Compares what the proxy uses with what it may use: by its own word, its log, and its open files.
  static let proxyLimit = Check(
    "proxy.limit", needs: [.siteAsked, .routeDefinedIn, .proxyKind, .proxyPlace, .proxyPID, .proxyPort],
    learns: FactName.ofUse + [.limitOf, .limitUsed, .limitMost, .logReason], outcome: ProxyLimitOutcome.self
  ) { world, facts, signs throws(Unseen) in
    guard let site = Site(facts[.url] ?? ""), let port = facts.port(.proxyPort) else { return (.unknown, [:]) }
    let kind = facts[.proxyKind] ?? ""
    var learned =
      (try? await RouteReading.use(
        of: .init(site: site, port: port), kind: kind, at: facts.proxy, in: world, signs))?.facts ?? [:]
    func limited(_ what: String, _ used: String?, _ most: String?) {
      (learned[.limitOf], learned[.limitUsed], learned[.limitMost]) = (what, used, most)
    }
    if learned.isFull(.proxyConnections, .proxyConnectionLimit) {
      limited("connections", learned[.proxyConnections], learned[.proxyConnectionLimit])
      return (.connections, learned)
    }
    if let open = try await world.openFiles(facts.proxy, signs) {
      limited("open files", String(open.used), String(open.most))
      return (.files, learned)
    }
    if let read = try? await world.proxySign(["proxy-connections", "proxy-files"], facts, signs) {
      let isFiles = read.sign.shows == "proxy-files"
      limited(isFiles ? "open files" : "connections", nil, read.text(of: "most"))
      learned[.logReason] = read.whole.printable
      return (isFiles ? .files : .connections, learned)
    }
    if learned[.routeQueued] != nil || learned.isFull(.routeRequests, .routeRequestLimit) {
      return (.queue, learned)
    }
    return (.free, learned)
  }

  /// Looks at the queue of connections at the app's port, and at what its log says of its pool.
  static let upstreamQueue = Check(
    "upstream.queue", needs: [.upstreamPlace, .upstreamInside, .upstreamPort, .siteAsked],
    learns: [.upstreamWaiting, .upstreamWaitingMost, .upstreamOpen, .logReason], outcome: QueueOutcome.self
  ) { world, facts, signs throws(Unseen) in
    if let read = try? await world.appSign(["pool-full"], facts, signs) {
      return (.pool, [.logReason: read.whole.printable])
    }
    guard let place = facts.upstreamLooks else { throw .notEnoughKnown([.upstreamPID]) }
    let port = facts.port(.upstreamInside) ?? 0
    let here = try await world.see(Listeners(place: place)).filter { $0.port == port }
    let waiting = here.map(\.waiting).max() ?? 0
    guard let listener = here.first(where: { $0.waiting == waiting }), waiting > 0 else { return (.free, [:]) }
    let learned: Facts = [
      .upstreamWaiting: String(waiting), .upstreamWaitingMost: listener.most.map { String($0) } ?? "",
      .upstreamOpen: String(listener.accepted),
    ]
    // The kernel takes one more than the app asked for.
    if let most = listener.most, waiting > most { return (listener.accepted > 0 ? .full : .stalled, learned) }
    return (listener.accepted > 1 ? .busy : .waiting, learned)
  }
}

extension Facts {
  fileprivate func isFull(_ used: FactName, _ most: FactName) -> Bool {
    guard let used = self[used].flatMap({ Int($0) }), let most = self[most].flatMap({ Int($0) }), most > 0 else {
      return false
    }
    return used >= most
  }
}

extension World {
  /// The open files of the proxy's process that is at its limit; nil if none is.
  fileprivate func openFiles(_ proxy: ProxyPlace, _ signs: Signs) async throws(Unseen) -> (used: Int, most: Int)? {
    for process in try await processes(of: proxy, signs).prefix(16) {
      // One that ends meanwhile, or that may not be looked into, is not at its limit.
      guard let limits = try? await see(FileRead(path: "/proc/\(process.id)/limits")).text,
        let line = limits.lines.first(where: { $0.hasPrefix("Max open files") }),
        let most = line.split(separator: " ").dropFirst(3).first.flatMap({ Int($0) }),
        let open = try? await see(FileGlob(pattern: "/proc/\(process.id)/fd/*")).count
      else { continue }
      if open >= most { return (open, most) }
    }
    return nil
  }

  /// The newest line of the proxy's log since the site was asked that shows one of these things.
  func proxySign(_ shows: Set<String>, _ facts: Facts, _ signs: Signs) async throws(Unseen) -> LogReading? {
    newest(
      shows, in: try await proxyLog(facts, since: facts.seconds(.siteAsked)), signs.writer(facts[.proxyKind] ?? ""))
  }

  /// The newest line of the app's log since shortly before the site was asked that shows one of these things.
  func appSign(_ shows: Set<String>, _ facts: Facts, _ signs: Signs) async throws(Unseen) -> LogReading? {
    guard let id = facts[.upstreamID] else { throw .missing(what: "the app's log") }
    let lines = try await log(of: try await container(id), since: (facts.seconds(.siteAsked) ?? 0) - 60)
    return newest(shows, in: lines, signs.writer("app"))
  }

  private func newest(_ shows: Set<String>, in lines: [String], _ writer: LogWriter) -> LogReading? {
    lines.reversed().lazy.compactMap(writer.reading).first { shows.contains($0.sign.shows) }
  }
}
