import Foundation
import Glibc

/// What the real program says of a configuration.
enum RealProxy {
  private static func peer(_ name: String) -> String { package.appending(path: ".build/peers/bin/\(name)").path() }

  /// Each program that has to take a system's file, and what it says against it; nil: it takes it.
  static func complaints(of system: System, in folder: Folder, port: UInt16) async throws -> [(String, String?)] {
    let file = system.path(in: folder)
    switch system.kind {
    case .nginx:
      return try [("nginx, Debian's", "/usr/sbin/nginx"), ("nginx, new", peer("nginx"))].map { name, program in
        (name, try refused(program, ["-t", "-q", "-p", folder.path, "-c", file]))
      }
    case .apache: return [("apache", try refused("/usr/sbin/apache2", ["-t", "-d", folder.path, "-f", file]))]
    case .haproxy: return [("haproxy", try refused("/usr/sbin/haproxy", ["-c", "-q", "-f", file]))]
    case .lighttpd: return [("lighttpd", try refused("/usr/sbin/lighttpd", ["-tt", "-f", file]))]
    case .caddy:
      return [
        ("caddy", try refused(peer("caddy"), ["validate", "--config", file, "--adapter", "caddyfile"], folder))
      ]
    case .envoy:
      return [("envoy", try refused(peer("envoy"), ["--mode", "validate", "-c", file, "-l", "error"]))]
    case .traefik: return [("traefik, files", try await Traefik.complaint(system.kind, in: folder, port: port))]
    case .docker:
      let effective: String
      switch try Engine.effective(file, in: folder) {
      case .success(let path): effective = path
      case .failure(let refusal): return [("docker compose", refusal.text)]
      }
      let engine = try Engine(effective, in: folder)
      defer { engine.stop() }
      return [
        ("docker compose", nil), ("traefik, labels", try await Traefik.complaint(system.kind, in: folder, port: port)),
      ]
    case .compose:
      switch try Engine.effective(file, in: folder) {
      case .success: return [("docker compose", nil)]
      case .failure(let refusal): return [("docker compose", refusal.text)]
      }
    case .pool: return [("php-fpm", try refused("/usr/sbin/php-fpm8.2", ["-t", "-y", file]))]
    case .hosts:
      let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
      return [("hosts file", lines.contains { $0.contains("shop.example.org") } ? "the name is still there" : nil)]
    }
  }

  /// What a program says when it ends with a failure.
  private static func refused(_ program: String, _ arguments: [String], _ home: Folder? = nil) throws -> String? {
    let end = try run(program, arguments, environment: home.map { ["HOME": $0.path] })
    return end.status == 0 ? nil : end.output
  }

  /// A port of 127.0.0.1 that nothing listens on right now.
  static func freePort() -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, size)
        _ = getsockname(descriptor, $0, &size)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
  }
}

/// Traefik has no test of its files, so it is started and asked what it made of them.
enum Traefik {
  static func flags(_ kind: System.Kind, _ folder: Folder, port: UInt16) -> [String] {
    ["--entryPoints.web.address=127.0.0.1:\(port)"]
      + (kind == .docker
        ? ["--providers.docker=true", "--providers.docker.endpoint=unix://\(folder.path)/docker.sock"]
        : ["--providers.file.directory=\(folder.path)/dynamic"])
  }

  static func complaint(_ kind: System.Kind, in folder: Folder, port: UInt16) async throws -> String? {
    let admin = RealProxy.freePort()
    let process = Process()
    let log = "\(folder.path)/traefik.log"
    process.executableURL = package.appending(path: ".build/peers/bin/traefik")
    process.arguments =
      flags(kind, folder, port: port) + [
        "--entryPoints.traefik.address=127.0.0.1:\(admin)", "--api.insecure=true", "--log.level=ERROR",
        "--log.noColor=true", "--log.filePath=\(log)", "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
      ]
    process.currentDirectoryURL = URL(filePath: folder.path)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try? FileManager.default.removeItem(atPath: log)
    try process.run()
    defer { process.end() }
    let provider = kind == .docker ? "docker" : "file"
    for _ in 0..<100 {
      try await Task.sleep(for: .milliseconds(50))
      let answer = try run("/usr/bin/curl", ["-s", "-m", "2", "http://127.0.0.1:\(admin)/api/rawdata"])
      let log = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      if !log.isEmpty { return log }
      guard let raw = try? JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any] else {
        continue
      }
      let all = ["routers", "services", "middlewares"].flatMap { kind in
        (raw[kind] as? [String: [String: Any]] ?? [:]).filter { $0.key.hasSuffix("@\(provider)") }
      }
      guard all.contains(where: { $0.value["rule"] != nil }) else { continue }
      let faults = all.flatMap { name, value in
        [value["error"], value["err"]].compactMap { $0 }.map { "\(name): \($0)" }
          + (value["status"] as? String == "enabled" ? [] : ["\(name): \(value["status"] ?? "no status")"])
      }
      return faults.isEmpty ? nil : faults.joined(separator: "\n")
    }
    return "no router came up within 5 s"
  }
}

/// A stand-in for a Docker engine with the containers of one Compose file.
struct Engine {
  struct Refusal: Error { let text: String }

  private static let program = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "docker-stand-in.py").path()

  private let process = Process()

  /// What the real `docker-compose config` makes of a Compose file, in a file of its own.
  static func effective(_ file: String, in folder: Folder) throws -> Result<String, Refusal> {
    let made = try run("/usr/bin/docker-compose", ["-p", "shop", "-f", file, "config"])
    guard made.status == 0 else { return .failure(Refusal(text: made.output)) }
    try folder.write(made.output + "x-file: \(file)\n", to: "effective.yaml")
    return .success("\(folder.path)/effective.yaml")
  }

  /// What the engine answers to a reader of this program.
  static func answers(for file: String, in folder: Folder) throws -> [String: String] {
    let path = try effective(file, in: folder).get()
    let list = try run("/usr/bin/python3", [program, path, "--list"]).output
    let containers = try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]] ?? []
    var answers = ["/containers/json?all=1": list]
    for id in containers.compactMap({ $0["Id"] as? String }) {
      answers["/containers/\(id)/json"] =
        #"{"Id": "\#(id)", "Name": "/shop", "State": {"Status": "running", "Running": true, "Pid": 42}}"#
    }
    return answers
  }

  /// Answers at `docker.sock` in the folder until `stop`.
  init(_ effective: String, in folder: Folder) throws {
    let socket = "\(folder.path)/docker.sock"
    try? FileManager.default.removeItem(atPath: socket)
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = [Self.program, effective, "--serve", socket]
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning, !FileManager.default.fileExists(atPath: socket) { usleep(5000) }
  }

  func stop() {
    process.end()
  }
}
