import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  static let limitOf: FactName = "limit.of"
  static let limitUsed: FactName = "limit.used"
  static let limitMost: FactName = "limit.most"
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

extension Check {
  /// Compares what the proxy uses with what it may use: by its own word, the connections at its port, its log, and its
  /// open files.
  static let proxyLimit = Check(
    "proxy.limit", needs: [.siteAsked, .routeDefinedIn, .proxyKind, .proxyPlace, .proxyPID, .proxyPort],
    learns: FactName.ofUse + [.limitOf, .limitUsed, .limitMost, .logReason], outcome: ProxyLimitOutcome.self
  ) { world, given, signs throws(Unseen) in
    let (site, port) = (try given.site, try given.proxyPort)
    let kind = try given.proxyKind
    var learned =
      (try? await RouteReading.use(
        of: .init(site: site, port: port), kind: kind, at: given.proxy, in: world, signs))?.facts ?? [:]
    func limited(_ what: String, _ used: String?, _ most: String?) {
      (learned[.limitOf], learned[.limitUsed], learned[.limitMost]) = (what, used, most)
    }
    if learned.isFull(.proxyConnections, .proxyConnectionLimit), learned.number(.proxyConnections) ?? 0 > ownRequests {
      limited("connections", learned[.proxyConnections], learned[.proxyConnectionLimit])
      return (.connections, learned)
    }
    if learned[.proxyConnections] == nil, let most = learned.number(.proxyConnectionLimit),
      let place = try? given.dialsFrom,
      let listener = try? await world.see(Listeners(place: place)).filter({ $0.port == port }).max(by: {
        $0.waiting < $1.waiting
      }), listener.waiting > 0, listener.accepted >= most, listener.accepted + listener.waiting > ownRequests
    {
      // It takes no more of those that wait at its port.
      limited("connections", String(listener.accepted), String(most))
      return (.connections, learned)
    }
    if let open = try await world.openFiles(given.proxy, signs) {
      limited("open files", String(open.used), String(open.most))
      return (.files, learned)
    }
    if let read = try? await world.proxySign(["proxy-connections", "proxy-files"], given, signs) {
      let isFiles = read.sign.shows == "proxy-files"
      limited(isFiles ? "open files" : "connections", nil, read.text(of: "most"))
      learned[.logReason] = read.whole.printable
      return (isFiles ? .files : .connections, learned)
    }
    let atApp = learned.number(.routeRequests) ?? learned.number(.routeRequestLimit) ?? 0
    let queued = learned.number(.routeQueued) ?? 0
    if queued > 0 || learned.isFull(.routeRequests, .routeRequestLimit), atApp + queued > ownRequests {
      return (.queue, learned)
    }
    return (.free, learned)
  }

  /// As many of the requests at the proxy may be this program's own, which wait for the site's answer by each family.
  /// They are no load.
  fileprivate static let ownRequests = 2
}

extension Facts {
  fileprivate func isFull(_ used: FactName, _ most: FactName) -> Bool {
    guard let used = number(used), let most = number(most), most > 0 else { return false }
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
}
