import Foundation
import HTTP
import Model
import Synchronization
import Testing
import World

@testable import Machine

/// An engine on a Unix socket: what it answers to each path.
private final class FakeEngine: Sendable {
  let folder: TestFolder
  let path: String
  private let server: TestServer
  private let asked: Recorder

  private final class Recorder: Sendable {
    let paths = Mutex<[String]>([])
  }

  var paths: [String] { asked.paths.withLock { $0 } }

  init(_ answers: [String: String]) throws {
    folder = try TestFolder()
    path = folder.path + "/docker.sock"
    let asked = Recorder()
    self.asked = asked
    server = TestServer(unixSocket: path) { connection in
      let words = connection.readRequest().split(separator: " ")
      guard words.count > 1 else { return }
      asked.paths.withLock { $0.append(String(words[1])) }
      guard let answer = answers[String(words[1])] else { return connection.hold() }
      connection.send("HTTP/1.1 \(answer)")
    }
  }

  var machine: Machine { Machine(dockerHost: "unix://\(path)", environment: [:]) }

  static func ping(_ version: String, server: String = "Docker/20.10.24 (linux)") -> String {
    "200 OK\r\nApi-Version: \(version)\r\nServer: \(server)\r\nContent-Length: 2\r\n\r\nOK"
  }
}

private let list = "200 OK\r\nContent-Length: 2\r\n\r\n[]"

@Test(arguments: [
  ("1.41", "Docker/20.10.24 (linux)", "/v1.41/containers/json?all=1", "1.41", "Docker"),
  ("1.52", "Docker/29.0.0 (linux)", "/v1.44/containers/json?all=1", "1.44", "Docker"),
  ("1.41", "Libpod/5.0.0 (linux)", "/v1.41/containers/json?all=1", "1.41", "Podman"),
  ("?", "Docker/1", "/containers/json?all=1", "", "Docker"),
])
func theVersionIsTheLowerOfBoth(
  offered: String, server: String, path: String, version: String, engine: String
) async throws {
  let fake = try FakeEngine(["/_ping": FakeEngine.ping(offered, server: server), path: list])
  let machine = fake.machine
  for _ in 1...2 {
    let sight = try await machine.see(DockerGet(path: "/containers/json?all=1"))
    #expect(sight == DockerGet.Sight(status: 200, body: Array("[]".utf8), version: version, engine: engine))
  }
  // Asked for its version once.
  #expect(fake.paths == ["/_ping", path, path])
}

@Test func anEngineThatForbidsIsAnAnswer() async throws {
  let forbidden = "403 Forbidden\r\nContent-Length: 0\r\n\r\n"
  let fake = try FakeEngine(["/_ping": forbidden, "/info": forbidden])
  #expect(try await fake.machine.see(DockerGet(path: "/info")).status == 403)
}

@Test func aSilentEngineEndsAtTheLimit() async throws {
  let silent = try FakeEngine([:])
  let start = ContinuousClock.now
  #expect(
    await unseen { try await silent.machine.see(DockerGet(path: "/info", limit: 0.3)) } == .noAnswer(seconds: 0.3))
  let half = try FakeEngine(["/_ping": FakeEngine.ping("1.41")])
  #expect(await unseen { try await half.machine.see(DockerGet(path: "/info", limit: 0.3)) } == .noAnswer(seconds: 0.3))
  #expect(ContinuousClock.now - start < .seconds(3))
}

@Test func anAnswerThatIsTooLongIsNotCut() async throws {
  let fake = try FakeEngine(["/_ping": FakeEngine.ping("1.41"), "/v1.41/info": list])
  #expect(
    await unseen { try await fake.machine.see(DockerGet(path: "/info", bodyLimit: 1)) }
      == .unreadable(what: "/info", why: .init(.tooLarge, "1 bytes")))
}

@Test func whatIsNoEngineIsSaid() async throws {
  let folder = try TestFolder()
  func reason(_ host: String) async -> Unseen? {
    await unseen { try await Machine(dockerHost: host, environment: [:]).see(DockerGet(path: "/info", limit: 2)) }
  }
  let none = folder.path + "/none.sock"
  #expect(await reason("unix://" + none) == .unreadable(what: "unix://" + none, why: .init(.noSocket)))
  let file = try folder.write("file", "")
  #expect(await reason("unix://" + file) == .unreadable(what: file, why: .init(.notSocket)))
  // A socket whose engine has stopped.
  let stale = folder.path + "/stale.sock"
  _ = TestServer(unixSocket: stale) { _ in }
  #expect(
    await reason("unix://" + stale)
      == .unreadable(what: "unix://" + stale, why: .init(.engineDown)))
  let other = try await TestServer.saying("220 mail.test\r\n")
  #expect(
    await reason("tcp://127.0.0.1:\(other.port)")
      == .unreadable(what: "tcp://127.0.0.1:\(other.port)", why: .init(.notEngine)))
  #expect(
    await reason("ssh://me@far")
      == .unreadable(
        what: "ssh://me@far",
        why: .init(.engineElsewhere)))
  #expect(await reason("npipe://x") == .unreadable(what: "npipe://x", why: .init(.unknownScheme)))
}

@Test func theEngineIsSoughtInTheOrderOfTheDockerCommand() throws {
  let folder = try TestFolder()
  func addresses(_ host: String? = nil, _ environment: [String: String]) throws -> [String] {
    try DockerEndpoint.candidates(host, environment.merging(["HOME": folder.path]) { own, _ in own }).map(\.address)
  }
  let own = "/run/user/\(getuid())"
  #expect(
    try addresses(nil, ["XDG_RUNTIME_DIR": "/run/user/7", "SUDO_UID": "8"]) == [
      "unix:///var/run/docker.sock", "unix:///run/user/7/docker.sock", "unix://\(own)/docker.sock",
      "unix:///run/user/8/docker.sock", "unix:///run/podman/podman.sock", "unix:///run/user/7/podman/podman.sock",
      "unix://\(own)/podman/podman.sock", "unix:///run/user/8/podman/podman.sock",
    ])
  _ = try folder.write(".docker/config.json", #"{"auths": {}, "currentContext": "far"}"#)
  _ = try folder.write(
    ".docker/contexts/meta/abc/meta.json",
    #"{"Name": "far", "Metadata": {}, "Endpoints": {"docker": {"Host": "tcp://10.0.0.9:2375", "SkipTLSVerify": false}}}"#
  )
  #expect(try addresses(nil, [:]) == ["tcp://10.0.0.9:2375"])
  #expect(try addresses(nil, ["DOCKER_CONTEXT": "default"]).count == 4)
  #expect(throws: Unseen.missing(what: "the Docker context none")) { try addresses(nil, ["DOCKER_CONTEXT": "none"]) }
  #expect(try addresses(nil, ["DOCKER_HOST": "unix:///a"]) == ["unix:///a"])
  #expect(try addresses("unix:///b", ["DOCKER_HOST": "unix:///a"]) == ["unix:///b"])
  // Its certificate is not looked at, and it is asked by TLS all the same.
  _ = try folder.write(
    ".docker/contexts/meta/def/meta.json",
    #"{"Name": "loose", "Endpoints": {"docker": {"Host": "tcp://10.0.0.9:2376", "SkipTLSVerify": true}}}"#)
  for environment in [["DOCKER_CONTEXT": "loose"], ["DOCKER_HOST": "tcp://10.0.0.9:2376", "DOCKER_TLS": "1"]] {
    let loose = try DockerEndpoint.candidates(nil, environment.merging(["HOME": folder.path]) { own, _ in own })[0]
    #expect(loose.base == "https://10.0.0.9:2376" && loose.tls == .anyCertificate && loose.identity == nil)
  }
  _ = try folder.write(".docker/ca.pem", "PEM")
  _ = try folder.write(".docker/cert.pem", "PEM")
  let endpoint = try DockerEndpoint.candidates(
    "tcp://h:2376", ["DOCKER_TLS_VERIFY": "1", "HOME": folder.path])[0]
  #expect(endpoint.base == "https://h:2376")
  #expect(endpoint.tls == .verify(authorities: "PEM"))
  #expect(endpoint.identity?.certificate == folder.path + "/.docker/cert.pem")
  #expect(
    throws: Unseen.missing(what: "/none/ca.pem"),
    performing: {
      try DockerEndpoint.candidates("tcp://h:2376", ["DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/none"])
    })
}
