import Foundation
import Testing

/// A way for a site behind a proxy to fail, or to look as if it did.
struct Fault: Sendable, CustomTestStringConvertible {
  var name: String
  /// What a client gets before anything is mended: a status, 0 if the connection ends without an answer.
  var shows: Int
  /// True if it is one of the few that `make test` stages; `make lab` stages all.
  var isCore: Bool
  /// Puts the system up, broken.
  var stage: @Sendable (Stage) async throws -> Site

  init(
    _ name: String, shows: Int, core isCore: Bool = false, stage: @escaping @Sendable (Stage) async throws -> Site
  ) {
    (self.name, self.shows, self.isCore, self.stage) = (name, shows, isCore, stage)
  }

  var testDescription: String { name }

  /// Every fault, those whose names contain `LAB_ONLY`, or the core.
  static var all: [Fault] {
    let every: [Fault] = [
      backend, address, tls, route, onHost, manager, nginxRelatives, proxyOS, traefik, rewriting, caddy, haproxy,
      lighttpd, apache, envoy, podman, sockets, protocols, edges, pairs, capacity, policy, published, sometimes,
      sources, stopped, apps,
      healthy,
    ].flatMap { $0 }
    return chosen(Practice.folder == nil ? every : every.filter { Practice.names[$0.name] != nil })
  }

  /// Those whose names contain `LAB_ONLY`; of the core, where that is wanted; of these the part that `LAB_SHARE` names.
  static func chosen(_ every: [Fault]) -> [Fault] {
    let environment = ProcessInfo.processInfo.environment
    var chosen = environment["LAB_CORE"] == nil ? every : every.filter(\.isCore)
    if let only = environment["LAB_ONLY"], !only.isEmpty { chosen = chosen.filter { $0.name.contains(only) } }
    guard let share = environment["LAB_SHARE"]?.split(separator: "/").compactMap({ Int($0) }), share.count == 2,
      share[0] > 0, share[0] <= share[1]
    else { return chosen }
    return chosen.enumerated().filter { $0.offset % share[1] == share[0] - 1 }.map(\.element)
  }
}

/// A staged system as its visitor and its owner see it.
struct Site: Sendable {
  var url: String
  /// The proxy's kind as the diagnosis names it.
  var proxy = "nginx"
  /// What is to be diagnosed and mended, one after the other; none when the site works.
  var findings: [Finding] = []
  /// What a checkup finds first; empty: nothing at all. Nil: the site is not there for that.
  var weakness: String?
  /// Weaknesses that a system which is healthy has by what it was made for.
  var alsoWeak: Set<String> = []
  /// False where the steps cannot undo what has happened already, such as a line in a log.
  var lastsAfterSteps = true
  /// What the answer says when the site works; empty: nothing at all.
  var says: String
  /// The status of that answer: an application may well answer 404 or 401 itself.
  var answers = 200
  /// What the page says while the site is broken, where a status alone would not show it.
  var saysBefore: String?
  /// The engine's address, if it is not the default one.
  var engine: String?
  /// For a site that fails only sometimes: how often the program asks it.
  var series: Int?
  /// What curl gets besides the address, for a site that fails for some requests only.
  var request: [String] = []
  /// Carries out steps in the proxy's web interface.
  var webInterface: (any WebInterface)?
}

/// One expected diagnosis.
struct Finding: Sendable {
  /// The cause that must come first.
  var cause: String
  /// The route's upstream as its owner wrote it; nil where there is no route.
  var upstream: String?
  /// Names, ports and paths that the steps of the fix must contain.
  var mentions: [String]
  var atLeast = Confidence.likely
  /// Other causes that are true of this system as well, so they may be certain too.
  var also: Set<String> = []
  /// False where the program may or may not come to read the route before it knows the cause.
  var readsRoute = true
  /// True if the steps go on after the site works, so that it stays so when its containers are made anew.
  var lasts = false
  /// Does what the steps tell where no command can do it; only used when no step changes anything.
  var byHand: (@Sendable () async throws -> Void)?
}

/// A proxy's web pages, worked as a person works them.
protocol WebInterface: Sendable {
  /// Does what `text` says, line by line, for the route of `domain`, and saves.
  func carryOut(_ text: String, for domain: String) async throws
}
