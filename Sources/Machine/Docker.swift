internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import HTTP
public import Model
internal import Synchronization
internal import World

extension DockerGet: MachineLook {
  /// The first look finds the engine (`DockerEndpoint.candidates`) and asks it for its version.
  func taken(on machine: Machine) async throws(Unseen) -> Sight {
    let start = timespec.monotonic
    let engine = try await machine.findEngine(limit: limit)
    let left = max(0.05, limit - (timespec.monotonic - start))
    let answer: HTTPRequest.Sight
    do throws(Unseen) {
      answer = try await engine.endpoint.get(
        engine.prefix + path + times(until: machine.now), limit: left, bodyLimit: bodyLimit + 1)
    } catch {
      if case .noAnswer = error { throw .noAnswer(seconds: limit) }
      throw error
    }
    guard answer.body.count <= bodyLimit else {
      throw .unreadable(what: path, why: .init(.tooLarge, "\(bodyLimit) bytes"))
    }
    return Sight(
      status: answer.status ?? 0, body: answer.body, version: engine.version, engine: engine.name,
      isUsers: engine.endpoint.isUsers)
  }

  /// The rest of the query. Without an end the engine would go on to tell events as they come.
  private func times(until now: Double) -> String {
    let first = since.map { "&since=\(Int(clamping: $0))" } ?? ""
    return path.hasPrefix("/events?") ? first + "&until=\(Int(clamping: now))" : first
  }
}

/// An engine that answered.
struct DockerEngine: Sendable {
  let endpoint: DockerEndpoint
  /// The API version to speak: `1.41`; empty if the engine does not tell.
  let version: String
  /// `Docker` or `Podman`.
  let name: String

  /// A path without a version is understood as the engine's own.
  var prefix: String { version.isEmpty ? "" : "/v\(version)" }
}

extension Machine {
  /// The newest API version whose answers are known here.
  private static let newestVersion = (1, 44)

  fileprivate func findEngine(limit: Double) async throws(Unseen) -> DockerEngine {
    if let known = engine.withLock({ $0 }) { return known }
    let candidates = try await onOwnThread(limit: fileLimit) { [self] () throws(Unseen) in
      do throws(Unseen) { return try DockerEndpoint.candidates(dockerHost, environment) } catch .missing(let what) {
        // A context or a key that somebody named and that is not there is no word on engines.
        throw .unreadable(what: what, why: .said(String(cString: strerror(ENOENT))))
      }
    }
    var first: Unseen?
    for endpoint in candidates {
      do throws(Unseen) {
        let found = try await ping(endpoint, limit: limit)
        engine.withLock { $0 = found }
        return found
      } catch {
        // A socket that is not there says less than one that may not be opened.
        if case .missing = error, first != nil { continue }
        if case .missing? = first { first = error } else { first = first ?? error }
        // Where one is there and silent, the limit is used up.
        if case .noAnswer = error { break }
      }
    }
    // An engine that somebody named has to be there; that there is none at the usual places is an answer.
    if case .missing? = first, let only = candidates.first, candidates.count == 1 {
      throw .unreadable(what: only.address, why: .init(.noSocket))
    }
    throw first ?? .missing(what: "a Docker engine")
  }

  private func ping(_ endpoint: DockerEndpoint, limit: Double) async throws(Unseen) -> DockerEngine {
    let answer = try await endpoint.get("/_ping", limit: limit, bodyLimit: 4096)
    let offered = answer.header("Api-Version") ?? ""
    let numbers = offered.split(separator: ".").compactMap { Int($0) }
    let isKnown = numbers.count == 2
    let (major, minor) = Self.newestVersion
    let isNewer = isKnown && (numbers[0], numbers[1]) > (major, minor)
    return DockerEngine(
      endpoint: endpoint, version: isNewer ? "\(major).\(minor)" : isKnown ? offered : "",
      name: answer.header("Server")?.hasPrefix("Libpod") == true ? "Podman" : "Docker")
  }
}

/// Where an engine listens.
struct DockerEndpoint: Sendable, Equatable {
  /// As it was given: `unix:///var/run/docker.sock`.
  let address: String
  var unixSocket: String?
  /// `http://HOST:PORT`.
  var base = "http://docker"
  var tls = HTTPRequest.TLS.anyCertificate
  var identity: Dial.Identity?

  /// True if this program is root and the socket is not.
  var isUsers: Bool {
    var status = stat()
    guard geteuid() == 0, let unixSocket, stat(unixSocket, &status) == 0 else { return false }
    return status.st_uid != 0
  }

  /// Asks for a path; throws where there was no whole HTTP answer.
  func get(_ path: String, limit: Double, bodyLimit: Int) async throws(Unseen) -> HTTPRequest.Sight {
    let request = HTTPRequest(
      url: base + path, host: unixSocket == nil ? nil : "docker", unixSocket: unixSocket, tls: tls, limit: limit,
      bodyLimit: bodyLimit)
    let sight = try await request.taken(identity: identity)
    switch sight.failure {
    case nil: return sight
    case .connectTimeout, .tlsTimeout, .answerTimeout, .bodyTimeout: throw .noAnswer(seconds: limit)
    case .refused: throw .unreadable(what: address, why: .init(.engineDown))
    case .closed, .reset: throw .unreadable(what: address, why: .init(.closed))
    case .notHTTP, .headerTooLarge: throw .unreadable(what: address, why: .init(.notEngine))
    case .name: throw .unreadable(what: address, why: .init(.noName))
    case .unreachable: throw .unreadable(what: address, why: .init(.noRoute))
    case .notTLS(let why), .handshake(let why), .untrusted(let why), .badURL(let why), .other(let why):
      throw .unreadable(what: address, why: .said(why))
    }
  }

  /// Where the `docker` command would look: `host`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the chosen context, the default
  /// socket; then, as nobody chose one, the sockets of rootless Docker and Podman.
  static func candidates(_ host: String?, _ environment: [String: String]) throws(Unseen) -> [DockerEndpoint] {
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let folder = Self.folder(environment)
    if let host = host ?? variable("DOCKER_HOST") {
      let verifies = variable("DOCKER_TLS_VERIFY") != nil
      let isTLS = verifies || variable("DOCKER_TLS") != nil
      return [
        try DockerEndpoint(
          host, keys: isTLS ? variable("DOCKER_CERT_PATH") ?? folder : nil, verifies: verifies)
      ]
    }
    var context = variable("DOCKER_CONTEXT")
    // A home that is somebody else's (`su`, `sudo -u`) chooses nothing.
    if context == nil {
      do throws(Unseen) { context = try DockerContext.current(folder) } catch .notPermitted { context = nil }
    }
    if let name = context, name != "default" {
      return [try DockerContext.endpoint(name, folder)]
    }
    // With sudo the variables are root's; the user's own sockets are where they always are.
    let users = [String(getuid()), variable("SUDO_UID")].compactMap { $0 }.map { "/run/user/\($0)" }
    let runtime = variable("XDG_RUNTIME_DIR").map { [$0] } ?? []
    var sockets = ["/var/run/docker.sock"] + (runtime + users).map { $0 + "/docker.sock" }
    sockets += ["/run/podman/podman.sock"] + (runtime + users).map { $0 + "/podman/podman.sock" }
    var seen: Set<String> = []
    return sockets.filter { seen.insert($0).inserted }.map { DockerEndpoint(unixSocket: $0) }
  }

  /// The `docker` command's own.
  fileprivate static func folder(_ environment: [String: String]) -> String {
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    return variable("DOCKER_CONFIG") ?? (variable("HOME") ?? "") + "/.docker"
  }

  init(unixSocket: String) {
    address = "unix://" + unixSocket
    self.unixSocket = unixSocket
  }

  /// - Parameters:
  ///   - keys: the folder with `ca.pem`, `cert.pem` and `key.pem`; nil without TLS.
  ///   - verifies: whether the engine's certificate has to be of that authority.
  init(_ address: String, keys: String?, verifies: Bool = true) throws(Unseen) {
    self.address = address
    if address.hasPrefix("unix://") {
      unixSocket = String(address.dropFirst(7))
    } else if address.hasPrefix("tcp://") {
      base = (keys == nil ? "http://" : "https://") + address.dropFirst(6)
      while base.hasSuffix("/") { base.removeLast() }
      if let keys {
        if verifies {
          tls = .verify(authorities: String(decoding: try contents(of: keys + "/ca.pem"), as: UTF8.self))
        }
        if access(keys + "/cert.pem", F_OK) == 0 {
          identity = Dial.Identity(certificate: keys + "/cert.pem", key: keys + "/key.pem")
        }
      }
    } else if address.hasPrefix("ssh://") {
      throw .unreadable(
        what: address, why: .init(.engineElsewhere))
    } else {
      throw .unreadable(what: address, why: .init(.unknownScheme))
    }
  }
}

extension Machine {
  /// Where the engine of one of the `docker` command's contexts listens: `ssh://…`, `tcp://…`, `unix://…`; throws `missing`
  /// if there is none of that name.
  public static func engineAddress(
    ofContext name: String, environment: [String: String] = Machine.environment
  ) throws(Unseen) -> String {
    try DockerContext.named(name, DockerEndpoint.folder(environment)).host
  }

  /// This machine, with the engine of a context.
  public convenience init(engineOfContext name: String, environment: [String: String] = Machine.environment) {
    self.init(environment: environment.merging(["DOCKER_HOST": "", "DOCKER_CONTEXT": name]) { $1 })
  }
}

/// The `docker` command's contexts: named addresses in `~/.docker`.
private struct DockerContext: Decodable {
  struct Endpoint: Decodable {
    let Host: String?
    let SkipTLSVerify: Bool?
  }
  let Name: String
  let Endpoints: [String: Endpoint]

  private struct Configuration: Decodable {
    let currentContext: String?
  }

  /// The chosen context's name; nil if none is.
  static func current(_ folder: String) throws(Unseen) -> String? {
    do throws(Unseen) {
      let name = try read(Configuration.self, "\(folder)/config.json").currentContext
      return name?.isEmpty == true ? nil : name
    } catch {
      guard case .missing = error else { throw error }
      return nil
    }
  }

  static func endpoint(_ name: String, _ folder: String) throws(Unseen) -> DockerEndpoint {
    let (host, keys, verifies) = try named(name, folder)
    let isTLS = !verifies || ["ca", "cert", "key"].contains { access("\(keys)/\($0).pem", F_OK) == 0 }
    return try DockerEndpoint(host, keys: isTLS ? keys : nil, verifies: verifies)
  }

  /// Its address, the folder in which its keys would be, and whether the engine's certificate is looked at.
  static func named(_ name: String, _ folder: String) throws(Unseen) -> (host: String, keys: String, verifies: Bool) {
    // Their folders are named by a hash of the name; the name itself is inside.
    let meta = "\(folder)/contexts/meta"
    let hashes = try Descriptor(open(meta, O_RDONLY | O_DIRECTORY | O_CLOEXEC), meta).names(meta)
    for hash in hashes {
      let context = try read(DockerContext.self, "\(meta)/\(hash)/meta.json")
      guard context.Name == name, let endpoint = context.Endpoints["docker"], let host = endpoint.Host else { continue }
      return (host, "\(folder)/contexts/tls/\(hash)/docker", endpoint.SkipTLSVerify != true)
    }
    throw .missing(what: "the Docker context \(name)")
  }

  private static func read<Value: Decodable>(_ type: Value.Type, _ path: String) throws(Unseen) -> Value {
    let bytes = try contents(of: path)
    do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
      throw .unreadable(what: path, why: .init(.otherForm))
    }
  }
}
