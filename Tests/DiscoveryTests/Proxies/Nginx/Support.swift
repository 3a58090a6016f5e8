import Discovery
import Foundation
import Glibc

/// Regular expressions for the reader.
let regexes: Nginx.Matcher = { regex, text in
  guard let match = try? Regex(regex).firstMatch(in: text) else { return nil }
  let numbered = match.output.map { $0.substring.map(String.init) }
  let named = Dictionary(
    match.output.compactMap { group in group.name.map { ($0, group.substring.map(String.init)) } },
    uniquingKeysWith: { first, _ in first })
  return { group in
    if let number = Int(group) { return numbered.indices.contains(number) ? numbered[number] : nil }
    return named[group] ?? nil
  }
}

/// A configuration from texts by their paths.
func nginxConfiguration(_ files: [String: String], main: String = "/etc/nginx/nginx.conf") async
  -> Nginx.Configuration
{
  let sources = GrammarFiles {
    files[$0]
  } glob: { pattern in
    files.keys.filter { fnmatch(pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }
  }
  return await .load(main: main, matches: regexes, files: sources)
}

/// A configuration whose `http` block is `text`.
func nginxConfiguration(http text: String) async -> Nginx.Configuration {
  await nginxConfiguration(["/etc/nginx/nginx.conf": "events {}\nhttp {\n\(text)\n}\n"])
}

/// A folder of this test's own, removed by `remove`.
struct Folder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "wizard502-nginx-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// Runs a program to its end; its status and what it wrote to both outputs.
func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// A socket of its own, and 127.0.0.1 with this port as an address for it.
private func withSocket<Result>(
  port: UInt16, _ body: (Int32, UnsafeMutablePointer<sockaddr>, inout socklen_t) throws -> Result
) rethrows -> Result {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
  address.sin_port = port.bigEndian
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  return try withUnsafeMutablePointer(to: &address) { pointer in
    try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body(descriptor, $0, &size) }
  }
}

/// A port of 127.0.0.1 that nothing listens on right now.
func freePort() throws -> UInt16 {
  try withSocket(port: 0) { descriptor, address, size in
    guard bind(descriptor, address, size) == 0, getsockname(descriptor, address, &size) == 0 else {
      throw POSIXError(.EADDRINUSE)
    }
    return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
      UInt16(bigEndian: $0.pointee.sin_port)
    }
  }
}

let nginx = "/usr/sbin/nginx"

/// A real nginx in a folder of its own, until `stop`.
struct RunningNginx {
  struct Refused: Error { let reason: String }

  private let process = Process()

  /// Returns when it listens on `port`.
  init(_ text: String, port: UInt16, in folder: Folder) throws {
    let file = try folder.write(text, to: "nginx.conf")
    process.executableURL = URL(fileURLWithPath: nginx)
    process.arguments = ["-p", folder.path, "-c", file, "-g", "daemon off; pid \(folder.path)/nginx.pid;"]
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning, !withSocket(port: port, { connect($0, $1, $2) == 0 }) { usleep(5000) }
    guard process.isRunning else {
      throw Refused(
        reason: try run(nginx, ["-t", "-p", folder.path, "-c", file, "-g", "pid \(folder.path)/nginx.pid;"])
          .output)
    }
  }

  func stop() {
    process.terminate()
    process.waitUntilExit()
  }
}
