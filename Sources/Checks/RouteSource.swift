import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  static let sourceFault: FactName = "source.fault"
  static let sourceReason: FactName = "source.reason"
  static let sourceSocket: FactName = "source.socket"
  static let sourceOutside: FactName = "source.outside"
  static let sourceGroup: FactName = "source.group"
  static let sourceHost: FactName = "source.host"
  static let sourcePort: FactName = "source.port"
  static let sourceContainer: FactName = "source.container"
  static let sourceStatus: FactName = "source.status"
  static let sourceService: FactName = "source.service"
  static let sourceProject: FactName = "source.project"
  static let sourceFile: FactName = "source.file"
  static let sourceProgram: FactName = "source.program"
}

extension FactName {
  /// The Compose service of the proxy's container, and the line that has to change.
  static let ofProxyService: [FactName] =
    [sourceService, sourceProject, sourceFile, sourceProgram] + ofLine(.source) + [line(.source, "with")]
}

private enum SourceOutcome: String, CheckOutcome {
  /// The proxy can connect to it, and has not complained of it.
  case fine
  /// The proxy can connect to it; what it says of that could not be read.
  case open
  /// It no longer speaks the version that the proxy asks for.
  case tooOld = "too-old"
  /// Its socket does not let the proxy in.
  case denied
  /// There is no such socket where the proxy runs.
  case missing
  /// The container through which it is asked does not run.
  case stopped
  /// What writes the proxy's files does not run: the route is another than it would write, or it is the same.
  case stale, held
  /// Nobody answers there.
  case refused
  case nameless
  /// What stands in between forbids the question.
  case forbidden
  /// The proxy says that it fails, and the way to it is open.
  case failing
  case unknown
}

extension Check {
  /// Tells whether the proxy can ask the source from which it makes its routes: by its log, and by connecting to the
  /// source as the proxy does.
  static let routeSource = Check(
    "route.source", needs: [.sourceKind, .proxyPlace, .proxyKind, .siteAsked],
    learns: [
      .sourceFault, .sourceReason, .sourceSocket, .sourceOutside, .sourceGroup, .sourceHost, .sourcePort,
      .sourceContainer, .sourceStatus,
    ] + FactName.ofProxyService + FactName.making("source", of: "proxy") + FactName.making("permit", of: "source"),
    outcome: SourceOutcome.self
  ) { world, given, signs throws(Unseen) in
    let isAsked = given[.sourceEndpoint] != nil
    let (outcome, learned) = try await isAsked ? asked(world, given, signs) : written(world, given)
    let isFault = ![.fine, .open, .held, .unknown].contains(outcome)
    return (outcome, learned.merging([.sourceFault: isFault ? outcome.rawValue : ""]))
  }

  /// Whether the program that writes its files does so.
  private static func written(_ world: any World, _ given: Case) async throws(Unseen) -> (SourceOutcome, Facts) {
    // Without one elsewhere the proxy's own container writes them.
    guard let container = try await world.generator(of: given.proxy) else { return (.fine, [:]) }
    let learned: Facts = [.sourceContainer: container.name, .sourceStatus: container.State?.Status ?? ""]
    if container.isRunning { return (.fine, learned) }
    return (given[.configRuns] == "other" ? .stale : .held, learned)
  }

  /// By its log, and by connecting as it does.
  private static func asked(
    _ world: any World, _ given: Case, _ signs: Signs
  ) async throws(Unseen) -> (SourceOutcome, Facts) {
    async let said = world.complaint(given, signs)
    let way = try? await world.way(to: try given.text(of: .sourceEndpoint), given)
    var learned = way?.facts ?? [:]
    let complaint: LogReading?
    do throws(Unseen) { complaint = try await said.get() } catch {
      guard let way else { throw error }
      return (way.obstacle ?? .open, learned)
    }
    learned[.sourceReason] = complaint?.text(of: "reason")?.printable
    switch complaint?.sign.shows {
    case "source-version":
      learned.merge(
        await world.composed(given) { $1.set($0.tag.map { Edit(onThisMachine: $0) }, .source) })
      return (.tooOld, learned)
    case "source-forbidden":
      learned.merge(await world.permitting(learned[.sourceContainer]))
      return (.forbidden, learned)
    case nil: return (way.map { $0.obstacle ?? .fine } ?? .unknown, learned)
    default: return (way?.obstacle ?? .failing, learned)
    }
  }
}

/// What was seen on the way from the proxy to its source; no obstacle: it takes connections.
private struct SourceWay {
  var obstacle: SourceOutcome?
  var facts: Facts
}

extension World {
  /// What the proxy said of its source last, not long before the site was asked. It tries again after 90 s at the latest.
  ///
  /// Source: Traefik's `pkg/job/job.go` and cenkalti/backoff: at most 60 s, half as much more or less.
  fileprivate func complaint(_ given: Case, _ signs: Signs) async -> Result<LogReading?, Unseen> {
    do throws(Unseen) {
      let lines = try await proxyLog(given, since: try given.asked - 90)
      let writer = signs.writer(try given.proxyKind)
      return .success(
        lines.reversed().lazy.compactMap { writer.reading(of: $0) }.first { $0.sign.shows.hasPrefix("source") })
    } catch {
      return .failure(error)
    }
  }

  /// - Parameter endpoint: `unix:///var/run/docker.sock`, `tcp://socket-proxy:2375`.
  fileprivate func way(to endpoint: String, _ given: Case) async throws(Unseen) -> SourceWay {
    if endpoint.hasPrefix("unix://") { return try await way(toSocket: String(endpoint.dropFirst(7)), given) }
    let (host, dialled) = endpoint.authority.hostAndPort
    guard let port = dialled else { throw .notEnoughKnown([.sourceEndpoint]) }
    var way = SourceWay(obstacle: nil, facts: [.sourceHost: host, .sourcePort: String(port)])
    if case .container(let container, _)? = try? await upstream(host: host, port: port, of: given.proxy) {
      way.facts[.sourceContainer] = container.name
      way.facts[.sourceStatus] = container.State?.Status
      if !container.isRunning {
        way.obstacle = .stopped
        return way
      }
    }
    let place = try given.dialsFrom
    let (answer, _) = try await resolve(host, in: place, usesHostNetwork: given.proxy.usesHostNetwork)
    guard let address = answer.addresses.first else {
      if answer.answer == .silent { throw .noAnswer(seconds: 5) }
      way.obstacle = .nameless
      return way
    }
    switch try await see(TCPConnect(address: address, port: port, place: place)).outcome {
    case .accepted: break
    case .refused, .timeout, .unreachable: way.obstacle = .refused
    case .denied, .other: throw .notPermitted(what: endpoint)
    }
    return way
  }

  private func way(toSocket path: String, _ given: Case) async throws(Unseen) -> SourceWay {
    let process = try given.proxyPID
    let sight = try await see(UnixConnect(path: path, place: .process(process), user: process))
    var way = SourceWay(obstacle: nil, facts: [.sourceSocket: path])
    switch sight.outcome {
    case .accepted, .full: break
    case .missing:
      way.obstacle = .missing
      guard given[.proxyID] != nil else { break }
      for outside in [path, "/var/run/docker.sock", "/run/podman/podman.sock"] {
        guard let seen = try? await see(UnixConnect(path: outside, place: .host)), seen.outcome == .accepted else {
          continue
        }
        way.facts[.sourceOutside] = outside
        way.facts.merge(
          await composed(given) { $1.set($0.adding("\(outside):\(path):ro", to: "volumes"), .source) })
        way.facts.merge(await made(given, with: "--volume", "\(outside):\(path):ro"))
        break
      }
    case .denied:
      guard sight.isAsUser else { throw .notPermitted(what: path) }
      way.obstacle = .denied
      // Being in its group helps if the group may read and write.
      guard let socket = sight.obstacle, socket.path == path, socket.mode & 0o60 == 0o60 else { break }
      way.facts[.sourceGroup] = String(socket.group)
      way.facts.merge(await composed(given) { $1.set($0.adding("\"\(socket.group)\"", to: "group_add"), .source) })
      way.facts.merge(await made(given, with: "--group-add", String(socket.group)))
    case .refused, .notSocket: way.obstacle = .refused
    case .other: throw .notPermitted(what: path)
    }
    return way
  }

  /// How the proxy's container is made again with one more option.
  private func made(_ given: Case, with option: String, _ value: String) async -> Facts {
    guard let id = given[.proxyID] else { return [:] }
    return await making(of: id)?.adding(option, value).facts("source", of: "proxy") ?? [:]
  }

  /// How a container that lets some questions through to the engine, by its variables, is made again so that it lets
  /// those of a proxy through.
  ///
  /// Source: Tecnativa's docker-socket-proxy, "Grant or revoke access to certain API sections".
  fileprivate func permitting(_ name: String?) async -> Facts {
    guard let name, let id = (try? await container(name))?.Id, let making = await making(of: id) else { return [:] }
    return making.adding("--env", "CONTAINERS=1").adding("--env", "NETWORKS=1").facts("permit", of: "source")
  }

  /// The Compose service of the proxy's container, and the line that has to change; empty without one.
  func composed(_ given: Case, _ line: (ComposeService, inout Facts) -> Void) async -> Facts {
    guard let id = given[.proxyID], let labels = (try? await container(id))?.Config?.Labels,
      let service = await ComposeService(of: labels, in: self), service.files.count == 1
    else { return [:] }
    var facts: Facts = [
      .sourceService: service.name, .sourceProject: service.project, .sourceFile: service.files[0],
      .sourceProgram: await compose(labels)[.composeProgram] ?? "",
    ]
    line(service, &facts)
    return facts
  }
}
