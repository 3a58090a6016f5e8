import Glibc
public import Model
import Synchronization
public import World

/// A small machine in a few lines: what a test says is there, and nothing else.
///
/// Every look is answered, so that a test names only what it is about: a file that nobody wrote down is missing, a folder
/// has what was written down below it, nobody listens, no name leads anywhere, and an engine that was told of nothing is
/// none.
public final class Sandbox: World {
  private let recording: Recording
  private let files = Mutex<[Place: Set<String>]>([:])
  private let hasEngine = Mutex(false)

  /// - Parameters:
  ///   - now: Seconds since 1970.
  ///   - files: Those of the host, by their paths.
  public init(now: Double = 0, files: [String: String] = [:]) {
    recording = Recording(now: now)
    for (path, text) in files { file(path, text) }
  }

  public var now: Double { recording.now }
  public var instant: ContinuousClock.Instant { recording.instant }
  public func pause(_ seconds: Double) async {}
  public func deadline(in seconds: Double) async { await recording.deadline(in: seconds) }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { try await answer(to: look).result.get() }

  public func answer<L: Look>(to look: L) async -> Answer<L.Sight> {
    let answer = await recording.answer(to: look)
    guard case .failure(.notRecorded(let text)) = answer.result else { return answer }
    let nothing = nothing(look) as? L.Sight
    return Answer(nothing.map { .success($0) } ?? .failure(.missing(what: what(look) ?? text)), seconds: 0)
  }

  @discardableResult
  public func with<L: Look>(_ look: L, _ sight: L.Sight, seconds: Double = 0) -> Sandbox {
    recording.with(look, sight, seconds: seconds)
    if look is DockerGet { hasEngine.withLock { $0 = true } }
    return self
  }

  @discardableResult
  public func with<L: Look>(_ look: L, unseen: Unseen) -> Sandbox {
    recording.with(look, unseen: unseen)
    return self
  }

  // MARK: What is there

  /// What the engine answers to a GET.
  @discardableResult
  public func docker(_ path: String, _ body: String, status: Int = 200) -> Sandbox {
    with(DockerGet(path: path), .init(status: status, body: Array(body.utf8), version: "1.41", engine: "Docker"))
  }

  /// A container in full: JSON members besides its id.
  @discardableResult
  public func container(_ id: String, _ members: String) -> Sandbox {
    docker("/containers/\(id)/json", "{\"Id\": \"\(id)\", \(members)}")
  }

  /// The engine's list of containers: JSON objects.
  @discardableResult
  public func containers(_ objects: String...) -> Sandbox { containers(objects) }

  @discardableResult
  public func containers(_ objects: [String]) -> Sandbox {
    docker("/containers/json?all=1", "[" + objects.joined(separator: ",") + "]")
  }

  /// What a container has written: bytes as the engine sends them.
  @discardableResult
  public func log(of id: String, _ bytes: [UInt8]) -> Sandbox {
    with(
      DockerGet(path: "/containers/\(id)/logs?stdout=1&stderr=1&timestamps=1&tail=200"),
      .init(status: 200, body: bytes, version: "1.41", engine: "Docker"))
  }

  /// A file, from whichever end it is read.
  @discardableResult
  public func file(_ path: String, _ text: String, in place: Place = .host, modified: Double = 0) -> Sandbox {
    _ = files.withLock { $0[place, default: []].insert(path) }
    let sight = FileRead.Sight(bytes: Array(text.utf8), size: text.utf8.count, modified: modified)
    return with(FileRead(path: path, place: place), sight).with(
      FileRead(path: path, place: place, fromEnd: true), sight)
  }

  /// Who listens in a place: addresses with ports, each with connections that wait.
  @discardableResult
  public func listening(
    in place: Place, _ sockets: (address: String, port: UInt16)..., waiting: Int = 0, processes: [Int32] = []
  ) -> Sandbox {
    with(
      Listeners(place: place),
      sockets.map { Listener(address: $0.address, port: $0.port, waiting: waiting, processes: processes) })
  }

  // MARK: What is not

  /// What a look sees where there is nothing; nil where it cannot see that.
  private func nothing(_ look: any Look) -> (any Sendable)? {
    switch look {
    case let look as FileGlob: return matching(look.pattern, files.withLock { $0[look.place] ?? [] })
    case let look as DockerGet:
      guard hasEngine.withLock({ $0 }) else { return nil }
      let isList = ["/containers/json?all=1", "/networks"].contains(look.path)
      let isKnown = isList || look.path.contains("/logs?") || look.path.hasPrefix("/events?")
      return DockerGet.Sight(
        status: isKnown ? 200 : 404, body: Array((isList ? "[]" : "").utf8), version: "1.41", engine: "Docker")
    case is HTTPRequest: return HTTPRequest.Sight(failure: .refused)
    case is TCPConnect: return TCPConnect.Sight(outcome: .refused, errno: ECONNREFUSED, seconds: 0)
    case is Exchange: return Exchange.Sight(end: .none)
    case is UnixConnect: return UnixConnect.Sight(outcome: .missing, errno: ENOENT, isAsUser: true)
    case is DNSQuery: return DNSQuery.Sight(answer: .noSuchName, addresses: [])
    case is SystemLookup: return [String]()
    case is OwnAddresses: return ["127.0.0.1"]
    case is Listeners: return [Listener]()
    case is Processes: return [ProcessSeen]()
    case is IsRoot, is OnlyRootChanges: return true
    default: return nil
    }
  }

  private func what(_ look: any Look) -> String? {
    switch look {
    case let look as FileRead: look.path
    case let look as FileSystem: look.path
    case let look as SQLiteQuery: look.path
    case let look as StatsSocket: look.path
    case is DockerGet: "a Docker engine"
    case let look as CommandRun: look.command.rawValue
    default: nil
    }
  }

  /// The paths of files and of the folders that hold them that a shell pattern matches, sorted.
  private func matching(_ pattern: String, _ files: Set<String>) -> [String] {
    var paths = files
    for file in files {
      var folder = file[...]
      while let slash = folder.lastIndex(of: "/"), slash > folder.startIndex {
        folder = folder[..<slash]
        paths.insert(String(folder))
      }
    }
    return paths.filter { fnmatch(pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }.sorted()
  }
}

/// One frame of a container's log: an 8-byte header, then a time and the text.
public func frame(_ text: String, stream: UInt8 = 2, at time: String = "2100-01-01T00:00:00Z") -> [UInt8] {
  Bytes.framed(Array("\(time) \(text)".utf8), stream: stream)
}
