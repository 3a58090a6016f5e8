import Glibc
import HTTP
import Model
import World

/// The container engine of this machine: found, greeted once, then asked.
actor Engine {
  /// Where an engine can be asked, and in which words.
  private struct Endpoint {
    var unixSocket: String?
    var base = "http://docker"
    var certificates: String?
  }

  private struct Greeted {
    let endpoint: Endpoint
    let version: String
    let name: String
  }

  /// The API version that this program was written against; an older engine's own is spoken to it.
  private static let newest = (1, 44)

  private var greeting: Task<Result<Greeted, Unseen>, Never>?

  func get(_ look: DockerGet) async throws(Unseen) -> DockerGet.Sight {
    let greeted = try await self.greeted()
    let outcome = await Self.ask(greeted.endpoint, "/v\(greeted.version)\(look.path)", look.limit, look.bodyLimit)
    if outcome.code == TransferCode.timedOut { throw .noAnswer(seconds: look.limit) }
    guard outcome.status > 0 else { throw .unreadable(what: "the container engine", why: outcome.message) }
    if outcome.isBodyCut { throw .unreadable(what: "the engine's answer", why: "it is too long") }
    return DockerGet.Sight(
      status: outcome.status, body: outcome.body, version: greeted.version, engine: greeted.name)
  }

  private func greeted() async throws(Unseen) -> Greeted {
    if greeting == nil { greeting = Task { await Self.greet() } }
    guard let greeting else { throw .missing(what: "container engine") }
    return try await greeting.value.get()
  }

  /// Asks each place in turn; the first that answers is the engine. Source: Docker Engine API, `GET /_ping`.
  private static func greet() async -> Result<Greeted, Unseen> {
    let found = endpoints()
    if case .failure(let unseen) = found { return .failure(unseen) }
    var failure = Unseen.missing(what: "container engine")
    for endpoint in (try? found.get()) ?? [] {
      if let socket = endpoint.unixSocket {
        if access(socket, F_OK) != 0 { continue }
        if access(socket, R_OK | W_OK) != 0 {
          failure = .notPermitted(what: socket)
          continue
        }
      }
      let outcome = await ask(endpoint, "/_ping", 3, 4096)
      guard outcome.status == 200 else {
        let place = endpoint.unixSocket ?? endpoint.base
        failure =
          outcome.code == TransferCode.timedOut
          ? .noAnswer(seconds: 3)
          : outcome.status == 403 ? .notPermitted(what: place) : .unreadable(what: place, why: outcome.message.isEmpty ? "status \(outcome.status)" : outcome.message)
        continue
      }
      let server = header("Server", outcome) ?? ""
      return .success(
        Greeted(
          endpoint: endpoint, version: spoken(header("Api-Version", outcome)),
          name: server.hasPrefix("Libpod") ? "Podman" : "Docker"))
    }
    return .failure(failure)
  }

  private static func header(_ name: String, _ outcome: Transfer.Outcome) -> String? {
    outcome.headerLines.first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
      .map { String($0.dropFirst(name.count + 1).drop { $0 == " " }) }
  }

  /// The lower of the engine's version and ours.
  private static func spoken(_ offered: String?) -> String {
    let numbers = (offered ?? "").split(separator: ".").compactMap { Int($0) }
    guard numbers.count == 2, (numbers[0], numbers[1]) < newest else { return "\(newest.0).\(newest.1)" }
    return "\(numbers[0]).\(numbers[1])"
  }

  private static func ask(_ endpoint: Endpoint, _ path: String, _ limit: Double, _ bodyLimit: Int) async -> Transfer.Outcome {
    var transfer = Transfer(url: endpoint.base + path)
    transfer.unixSocket = endpoint.unixSocket
    transfer.limit = limit
    transfer.bodyLimit = bodyLimit
    if let certificates = endpoint.certificates {
      transfer.verifies = true
      transfer.authoritiesFile = certificates + "/ca.pem"
      transfer.certificateFile = certificates + "/cert.pem"
      transfer.keyFile = certificates + "/key.pem"
    }
    return await Transfers.shared.run(transfer)
  }

  /// The places where the official client would look, then the usual sockets of rootless Docker and Podman.
  private static func endpoints() -> Result<[Endpoint], Unseen> {
    if let host = environment("DOCKER_HOST") { return endpoint(of: host) }
    var sockets = ["/var/run/docker.sock"]
    if let runtime = environment("XDG_RUNTIME_DIR") { sockets += [runtime + "/docker.sock", runtime + "/podman/podman.sock"] }
    if let home = environment("HOME") { sockets.append(home + "/.docker/run/docker.sock") }
    sockets.append("/run/podman/podman.sock")
    return .success(sockets.map { Endpoint(unixSocket: $0) })
  }

  private static func endpoint(of host: String) -> Result<[Endpoint], Unseen> {
    if host.hasPrefix("unix://") { return .success([Endpoint(unixSocket: String(host.dropFirst(7)))]) }
    guard host.hasPrefix("tcp://") else {
      return .failure(.unreadable(what: "DOCKER_HOST", why: "only unix:// and tcp:// can be asked yet"))
    }
    let isTLS = environment("DOCKER_TLS_VERIFY") != nil || host.hasSuffix(":2376")
    return .success([
      Endpoint(
        base: (isTLS ? "https://" : "http://") + host.dropFirst(6),
        certificates: isTLS ? environment("DOCKER_CERT_PATH") ?? environment("HOME").map { $0 + "/.docker" } : nil)
    ])
  }

  private static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }
}
