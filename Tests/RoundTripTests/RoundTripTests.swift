import Checks
import Flow
import Foundation
import Glibc
import Machine
import Model
import Reader
import Report
import Synchronization
import Testing
import World

/// A real system is diagnosed and written down; what was written down alone gives the same diagnosis.
@Suite struct RoundTripTests {
  @Test func aStoppedAppBehindNginxIsTheSameInTheRecording() async throws {
    let app = try Port()
    let dead = app.number
    app.close()
    try await compare(server: "location / { proxy_pass http://127.0.0.1:\(dead); }") { diagnosis in
      #expect(diagnosis.causes.contains { $0.id == "backend-stopped" })
      #expect(diagnosis.observed.status == 502 && diagnosis.proxy?.kind == "nginx")
    }
  }

  @Test func aSiteThatWorksIsTheSameInTheRecording() async throws {
    try await compare(server: #"location / { return 200 "fine"; }"#) { #expect($0.verdict == .working) }
  }

  @Test func aConfigurationThatGoesInACircleIsTheSameInTheRecording() async throws {
    // Some turns and then an answer: when nginx has no connection left, it answers each request differently.
    let server = #"""
      location / {
        if ($http_x_turn = "xxxx") { return 502; }
        proxy_set_header X-Turn "x$http_x_turn";
        proxy_pass http://127.0.0.1:@PORT@/again;
      }
      """#
    try await compare(server: server) { _ in }
  }

  @Test func aRedirectToAPageThatFailsIsTheSameInTheRecording() async throws {
    let app = try Port()
    app.close()
    let server = "location = /shop { return 302 /login; }\nlocation / { proxy_pass http://127.0.0.1:\(app.number); }"
    try await compare(server: server) { #expect($0.causes.contains { $0.id == "backend-stopped" }) }
  }

  /// Diagnoses nginx with this server block, and then its recording, with and without secrets.
  private func compare(server: String, _ expect: (Diagnosis) -> Void) async throws {
    let nginx = try await Nginx(server)
    defer { nginx.stop() }
    let site = try #require(Site("http://127.0.0.1:\(nginx.port)/shop?token=hunter2hunter2"))
    let recorder = Recorder(Machine(dockerHost: "unix:///nonexistent.sock", environment: [:]))
    let real = await diagnose(site, in: recorder)
    expect(real.diagnosis)
    // Looks that nobody waited for go on: what they see of a machine whose proxy has ended is not of this diagnosis.
    let recording = recorder.recording
    nginx.stop()

    let written = recording.written
    #expect(String(decoding: written, as: UTF8.self).contains("hunter2"))
    let again = await diagnose(site, in: try Recording(reading: written), as: real.course)
    #expect(again.walk == real.walk)
    #expect(again.diagnosis == real.diagnosis)

    let redacted = recording.redacted.written
    #expect(!String(decoding: redacted, as: UTF8.self).contains("hunter2"))
    let cut = await diagnose(site, in: try Recording(reading: redacted), as: real.course)
    #expect(cut.walk == real.walk)
    #expect(cut.diagnosis.causes.map(\.id) == real.diagnosis.causes.map(\.id))
    #expect(cut.diagnosis.verdict == real.diagnosis.verdict)
  }

  private static let catalog: Catalog? =
    Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog

  /// What was found, without the seconds that each check took and what the way did not need.
  ///
  /// - Parameter earlier: How the diagnosis went that is to come out again.
  private func diagnose(
    _ site: Site, in world: any World, as earlier: Course? = nil
  ) async -> (walk: Session.Walk, diagnosis: Diagnosis, course: Course) {
    guard let catalog = Self.catalog else { fatalError("the built-in data") }
    let views = Mutex((round: 0, view: Once(world)))
    var run = Run(
      Session(
        catalog: catalog, shapes: Check.all.map(\.shape), asks: false,
        given: site.facts.merging([.limitSeconds: "30"])))
    var diagnosis = await run.runToEnd(as: earlier) { check, facts, round in
      let view = views.withLock { views in
        if views.round != round { views = (round, Once(world)) }
        return views.view
      }
      guard let named = Check.named(check) else { return Finding(check: check, outcome: Finding.unknown) }
      return await named.finding(in: view, facts: facts, signs: catalog.signs)
    }
    diagnosis.checks = []
    return (run.session.walk(), diagnosis, run.course)
  }
}

/// A port of 127.0.0.1 that nobody else gets while it is held.
private final class Port {
  let number: UInt16
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    number = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, size)
        _ = getsockname(descriptor, $0, &size)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
    try #require(number > 0)
  }

  func close() { Glibc.close(descriptor) }
}

/// A real nginx with one server, in a folder of its own.
private final class Nginx {
  let port: UInt16
  private let folder = FileManager.default.temporaryDirectory.appending(path: "round-trip-\(UUID())").path()
  private let process = Process()

  init(_ server: String) async throws {
    let held = try Port()
    port = held.number
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "  \($0)_temp_path \(folder)/\($0);" }
    let text = """
      daemon off;
      pid \(folder)/pid;
      error_log \(folder)/error.log;
      events {}
      http {
        access_log off;
      \(paths.joined(separator: "\n"))
        server {
          listen 127.0.0.1:\(port);
          server_name 127.0.0.1;
          \(server.replacing("@PORT@", with: String(port)))
        }
      }
      """
    try text.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
    held.close()
    process.executableURL = URL(filePath: "/usr/sbin/nginx")
    process.arguments = ["-p", folder, "-c", folder + "/nginx.conf"]
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let machine = Machine(environment: [:])
    let connect = TCPConnect(address: "127.0.0.1", port: port, place: .host, limit: 1)
    for _ in 0..<200 where try await machine.see(connect).outcome != .accepted {
      try #require(process.isRunning, "nginx runs")
      await machine.pause(0.05)
    }
  }

  /// Ends it, if it still runs, and removes its folder.
  func stop() {
    guard FileManager.default.fileExists(atPath: folder) else { return }
    process.terminate()
    process.waitUntilExit()
    try? FileManager.default.removeItem(atPath: folder)
  }
}
