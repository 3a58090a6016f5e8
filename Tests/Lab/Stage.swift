import Foundation
import Glibc

/// One broken system on this machine: its containers, networks, host processes, names and files.
///
/// Everything carries the stage's random suffix, so stages of several runs do not meet, and `takeDown` removes
/// all of it again.
actor Stage {
  nonisolated let suffix: String
  nonisolated let chance: Chance
  nonisolated let directory: URL
  private var processes: [Process] = []
  private var proxies: [String] = []
  private var undo: [@Sendable () async throws -> Void] = []

  init(of fault: String) throws {
    chance = Chance(of: fault)
    let any = "x" + String(chance.shuffled(Array("23456789bcdfghjkmnpqrstvwxz")).prefix(4))
    // What is recorded for people to read has names as people give them; no other run is there at the time.
    (suffix, directory) =
      Practice.folder == nil
      ? (any, FileManager.default.temporaryDirectory.appending(path: "lab-\(any)"))
      : ("prod", URL(filePath: "/srv/prod"))
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  /// `word` with this stage's suffix: a container, a network or a folder nobody else has.
  nonisolated func named(_ word: String) -> String { "\(word)-\(suffix)" }

  /// Runs `action` when the stage is taken down, the latest first, before its containers go.
  func atEnd(_ action: @escaping @Sendable () async throws -> Void) { undo.append(action) }

  // MARK: Files and names

  /// Writes `text` to `path` below the stage's directory.
  @discardableResult
  nonisolated func write(_ text: String, to path: String) throws -> URL {
    let file = directory.appending(path: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file
  }

  /// A public name of the form `shop-x7k2d.example.test` which this machine finds at an address.
  func site(_ word: String, at address: String = "127.0.0.1") throws -> String {
    let name = named(word) + ".example.test"
    try HostsFile.edit { $0 + "\(address) \(name) # lab \(suffix)\n" }
    return name
  }

  /// Leads a name of `site` to this machine, as a corrected DNS record would.
  func move(_ name: String) throws {
    try HostsFile.edit { text in
      text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.contains(" \(name) ") }
        .joined(separator: "\n") + "127.0.0.1 \(name) # lab \(suffix)\n"
    }
  }

  /// A TCP port of the host on which nothing listens now, outside the range of outgoing connections.
  nonisolated func freePort() -> Int {
    while true {
      let port = UInt16(chance.number(in: 20000..<30000))
      let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(listener) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      if bound == 0 { return Int(port) }
    }
  }

  /// A port applications like to listen on in their containers.
  nonisolated func appPort() -> Int {
    chance.one(of: [3000, 3001, 4567, 5000, 8000, 8080, 8096, 9000])
  }

  // MARK: Docker

  /// A user-defined bridge network.
  func network(_ word: String = "web") async throws -> String {
    let name = named(word)
    try await docker("network", "create", "--label", "lab=\(suffix)", name)
    return name
  }

  /// Starts a container; without `network` on Docker's default bridge.
  func container(
    _ name: String, _ image: Image, on network: String? = nil, options: [String] = [], command: [String] = []
  ) async throws {
    try await image.made()
    let place = network.map { ["--network", $0] } ?? []
    try await docker(
      ["run", "-d", "--name", name, "--label", "lab=\(suffix)"] + place + options + [image.tag] + command)
  }

  /// Starts the application `server.py` in a container and, unless it is meant to fail before, waits until it listens.
  func app(
    _ name: String, on network: String? = nil, port: Int, _ faults: [String] = [], options: [String] = [],
    listens: Bool = true
  ) async throws {
    try await container(
      name, .app, on: network, options: options, command: ["--name", name, "--port", String(port)] + faults)
    if listens { try await isListening(name) }
  }

  nonisolated func isListening(_ name: String) async throws {
    let listens = try await eventually(within: 20) {
      let logs = try await run(["docker", "logs", "--tail", "20", name])
      return logs.text.contains("listening on")
    }
    guard listens else { throw CommandFailed(description: "\(name) does not listen") }
  }

  nonisolated func state(_ name: String) async throws -> String {
    try await docker("inspect", "-f", "{{.State.Status}}", name)
  }

  /// Waits until the container is in `state`, as Docker names it.
  nonisolated func awaits(_ name: String, _ state: String) async throws {
    let reached = try await eventually(within: 15) { try await self.state(name) == state }
    guard reached else { throw CommandFailed(description: "\(name) is never \(state)") }
  }

  /// The address of a container on `network`.
  nonisolated func address(_ name: String, on network: String) async throws -> String {
    try await docker("inspect", "-f", "{{(index .NetworkSettings.Networks \"\(network)\").IPAddress}}", name)
  }

  /// What Compose writes on a container of `service`, and a Compose file at the place it names.
  nonisolated func compose(_ service: String, in project: String, port: Int) throws -> [String] {
    let file = try write(
      "services:\n  \(service):\n    image: \(Image.app.tag)\n    expose: [\"\(port)\"]\n",
      to: "\(project)/docker-compose.yml")
    let labels = [
      "project": named(project), "service": service, "container-number": "1", "oneoff": "False",
      "project.working_dir": file.deletingLastPathComponent().path(), "project.config_files": file.path(),
    ]
    return labels.sorted { $0.key < $1.key }.flatMap {
      ["--label", "com.docker.compose.\($0.key)=\($0.value)"]
    }
      + ["--network-alias", service]
  }

  // MARK: Proxies

  /// nginx in a container, its `conf.d` a folder of the host. Returns the published port and the file.
  func nginx(
    _ name: String, on network: String? = nil, _ configuration: String, image: Image = .nginx, options: [String] = []
  ) async throws -> Gate {
    try await proxy(
      name, image, on: network, "sites.conf", in: "/etc/nginx/conf.d", configuration, options: options,
      reload: ["docker", "exec", name, "nginx", "-s", "reload"])
  }

  /// A proxy in a container, one of its folders from the host: `file` with `configuration` lies there.
  ///
  /// - Parameter port: the one on which it listens inside; published at a free port of the host.
  func proxy(
    _ name: String, _ image: Image, on network: String? = nil, _ file: String, in folder: String,
    _ configuration: String, port: Int = 80, options: [String] = [], command: [String] = [], reload: [String]
  ) async throws -> Gate {
    let published = freePort()
    let file = try write(configuration, to: "\(name)/\(folder.split(separator: "/").last ?? "")/\(file)")
    try await container(
      name, image, on: network,
      options: ["-p", "\(published):\(port)", "-v", "\(file.deletingLastPathComponent().path()):\(folder)"] + options,
      command: command)
    proxies.append(name)
    try await answers(published)
    return Gate(port: published, file: file) { _ = try await run(reload) }
  }

  /// A proxy as a process of the host, with `configuration` in `file`; `command` gets the file's path.
  func hostProxy(
    _ file: String, _ configuration: String, port: Int, command: (String) -> [String], reload: [String]
  ) async throws -> Gate {
    let file = try write(configuration, to: file)
    try launch(command(file.path()), in: directory)
    try await answers(port)
    return Gate(port: port, file: file) { _ = try await run(reload) }
  }

  /// nginx as a process of the host with a prefix of its own. `configuration` gets the port to listen on.
  func hostNginx(_ configuration: (Int) -> String) async throws -> Gate {
    let port = freePort()
    let file = try write(configuration(port), to: "nginx/conf.d/sites.conf")
    let main = try write(
      """
      user www-data;
      worker_processes 1;
      pid \(directory.path())/nginx/nginx.pid;
      error_log \(directory.path())/nginx/error.log;
      events {}
      http {
          access_log \(directory.path())/nginx/access.log;
          include conf.d/*.conf;
      }

      """, to: "nginx/nginx.conf")
    let command = ["nginx", "-p", main.deletingLastPathComponent().path(), "-c", main.path()]
    try launch(command + ["-g", "daemon off;"], in: directory)
    try await answers(port)
    return Gate(port: port, file: file) { _ = try await run(command + ["-s", "reload"]) }
  }

  /// Nginx Proxy Manager, emulated; its data a folder of the host.
  ///
  /// - Parameter comesUp: false for one whose own program is not to be waited for.
  func manager(
    _ name: String, on network: String? = nil, image: Image = .manager, options: [String] = [], comesUp: Bool = true
  ) async throws -> Manager {
    let (port, admin) = (freePort(), freePort())
    let data = directory.appending(path: "\(name)/data").path()
    let isJlesage = image.tag == Image.jlesage.tag
    try await container(
      name, image, on: network,
      options: [
        "-p", "\(port):\(isJlesage ? 8080 : 80)", "-p", "\(admin):\(isJlesage ? 8181 : 81)",
        "-v", "\(data):\(isJlesage ? "/config" : "/data")",
      ] + options)
    proxies.append(name)
    let manager = Manager(container: name, port: port, admin: admin)
    guard comesUp else {
      try await answers(admin)
      return manager
    }
    guard await eventually(within: 20, { await manager.isUp() }) else {
      throw CommandFailed(description: "the proxy manager does not answer")
    }
    return manager
  }

  /// Takes note of a proxy that was just started, and waits until it answers.
  func comesUp(_ name: String, _ port: Int) async throws {
    proxies.append(name)
    try await answers(port)
  }

  /// ProxyOS, its dashboard emulated around a real Caddy; its data in a volume of its own.
  func proxyOS(_ name: String, on network: String? = nil) async throws -> ProxyOS {
    let proxy = ProxyOS(container: name, port: freePort(), tlsPort: freePort(), dashboard: freePort())
    try await container(
      name, .proxyOS, on: network,
      options: [
        "-p", "\(proxy.port):80", "-p", "\(proxy.tlsPort):443", "-p", "\(proxy.dashboard):3000", "-v", "/data/proxyos",
        "-v", "/data/caddy", "-v", "/config/caddy",
      ])
    proxies.append(name)
    try await proxy.comesUp()
    return proxy
  }

  /// Waits until something answers HTTP on `port` of this host, whatever it says.
  func answers(_ port: Int) async throws {
    let up = try await eventually(within: 10) {
      try await run(["curl", "-s", "-o", "/dev/null", "--max-time", "1", "http://127.0.0.1:\(port)/"]).status
        != 7
    }
    guard up else { throw CommandFailed(description: "nothing answers on port \(port)") }
  }

  /// `server.py` as a process of the host, started as `word`-server.py in a folder of its own.
  func process(_ word: String, port: Int) async throws {
    let source = Bundle.module.bundleURL.appending(path: "Images/app/srv/server.py")
    let program = try write(String(contentsOf: source, encoding: .utf8), to: "\(word)/\(word)-server.py")
    try launch(
      ["/usr/bin/python3.11", program.path(), "--name", named(word), "--port", String(port)],
      in: program.deletingLastPathComponent())
    try await answers(port)
  }

  /// Starts a program that runs until the stage is taken down.
  @discardableResult
  func launch(_ command: [String], in folder: URL) throws -> Process {
    let process = Process()
    // Foundation leaves a new process the signals that a thread of its own blocks; no service manager does.
    process.executableURL = URL(filePath: "/usr/bin/perl")
    process.arguments =
      ["-MPOSIX", "-e", "sigprocmask(SIG_SETMASK, POSIX::SigSet->new); exec {$ARGV[0]} @ARGV", "--"] + command
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    processes.append(process)
    return process
  }

  /// Lets the minute pass in which a proxy's kernel still believes in the link address of a container that is gone
  /// and a connection to it hangs.
  func settle() async throws {
    for proxy in proxies {
      let process = try await docker("inspect", "-f", "{{.State.Pid}}", proxy)
      if process == "0" { continue }  // it does not run
      try await succeed("nsenter", "-t", process, "-n", "ip", "neigh", "flush", "all")
    }
  }

  // MARK: The end

  /// Removes everything this stage made; goes on when a part of it is already gone.
  func takeDown() async {
    for action in undo.reversed() { try? await action() }
    // Each child holds the end of its elder siblings that `waitUntilExit` watches, so all end before one is awaited.
    for process in processes { process.terminate() }
    // Some keep the signal mask with which Foundation starts them, so that they never see a SIGTERM.
    let started = processes
    if await !eventually(within: 3, { started.allSatisfy { !$0.isRunning } }) {
      for process in started where process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
    for process in processes { process.waitUntilExit() }
    let ours = ["--filter", "label=lab=\(suffix)", "-q"]
    let containers = try? await docker(["ps", "-a"] + ours).split(separator: "\n").map(String.init)
    if let containers, !containers.isEmpty { _ = try? await docker(["rm", "-f", "-v"] + containers) }
    let networks = try? await docker(["network", "ls"] + ours).split(separator: "\n").map(String.init)
    if let networks, !networks.isEmpty { _ = try? await docker(["network", "rm"] + networks) }
    try? FileManager.default.removeItem(at: directory)
    try? HostsFile.edit { text in
      text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasSuffix("# lab \(suffix)") }
        .joined(separator: "\n")
    }
  }
}

/// This machine's `/etc/hosts`, which several runs may change at a time.
private enum HostsFile {
  static func edit(_ change: (String) -> String) throws {
    let path = "/etc/hosts"
    let lock = open(path, O_RDONLY | O_CLOEXEC)
    guard lock >= 0, flock(lock, LOCK_EX) == 0 else { throw CommandFailed(description: "\(path) cannot be locked") }
    defer { close(lock) }
    // Written in place: the lock is on this file, not on one that takes its name.
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let changed = Array(change(text).utf8)
    let file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
    guard file >= 0 else { throw CommandFailed(description: "\(path) cannot be written") }
    defer { close(file) }
    guard write(file, changed, changed.count) == changed.count else {
      throw CommandFailed(description: "\(path) was not written whole")
    }
  }
}

/// A proxy's entrance: the port of this host, the file with its sites, and how it loads that file.
struct Gate: Sendable {
  var port: Int
  var file: URL
  var reload: @Sendable () async throws -> Void

  /// Puts `new` for `old` into the file.
  func edit(_ old: String, to new: String) throws {
    let text = try String(contentsOf: file, encoding: .utf8)
    precondition(text.contains(old), "\(file.lastPathComponent) has no \(old)")
    try Data(text.replacing(old, with: new).utf8).write(to: file)
  }
}
