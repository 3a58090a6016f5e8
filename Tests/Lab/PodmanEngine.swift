import Foundation

/// Podman with its service on a socket of the stage's own, rootful, with the network that Debian ships (netavark).
struct Podman: Sendable {
  /// As `DOCKER_HOST` takes it.
  let address: String
  private let suffix: String

  /// Foundation waits until nobody has the descriptors that its child was given; a container's monitor keeps them.
  private static let detached = [
    "env", "--default-signal", "bash", "-c",
    #"for fd in /proc/$$/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done; exec "$@""#, "bash",
  ]

  /// Starts the service. It lives until the stage is taken down; so do all containers that are started here.
  init(_ stage: Stage) async throws {
    suffix = stage.suffix
    let socket = stage.directory.appending(path: "podman.sock").path()
    address = "unix://" + socket
    // Podman's own default limits are higher than a sandbox without CAP_SYS_RESOURCE may set.
    let settings = try stage.write(
      """
      [containers]
      default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
      [engine]
      runtime = "runc"
      cgroup_manager = "cgroupfs"
      events_logger = "file"

      """, to: "containers.conf")
    setenv("CONTAINERS_CONF", settings.path(), 1)
    try await stage.launch(
      ["podman", "system", "service", "--time", "0", address], in: stage.directory)
    let suffix = suffix
    await stage.atEnd {
      _ = try await run(
        [
          "env", "--default-signal", "sh", "-c", "podman ps -aq --filter label=lab=$0 | xargs -r podman rm -f --time 1",
          suffix,
        ])
      _ = try await run(
        ["sh", "-c", "podman network ls -q --filter label=lab=$0 | xargs -r podman network rm -f", suffix])
    }
    let isUp = try await eventually(within: 15) {
      try await run(["curl", "-s", "--unix-socket", socket, "http://podman/_ping"]).text == "OK"
    }
    guard isUp else { throw CommandFailed(description: "podman system service does not answer") }
  }

  func network(_ name: String) async throws {
    try await succeed("podman", "network", "create", "--label", "lab=\(suffix)", name)
  }

  /// The address of this machine in a network: Podman's name server answers there.
  func gateway(of network: String) async throws -> String {
    try await succeed("podman", "network", "inspect", "-f", "{{(index .Subnets 0).Gateway}}", network)
  }

  func container(
    _ name: String, _ image: Image, on network: String? = nil, options: [String] = [], command: [String] = []
  ) async throws {
    try await image.made()
    try await succeed("sh", "-c", "podman image exists $0 || docker save $0 | podman load -q", image.tag)
    let place = network.map { ["--network", $0] } ?? []
    let started = try await run(
      Self.detached + ["podman", "run", "-d", "--name", name, "--label", "lab=\(suffix)"] + place + options + [
        image.tag
      ] + command)
    guard started.status == 0 else { throw CommandFailed(description: "podman run \(name): \(started.errors)") }
  }

  /// The application, and nginx before it: `conf.d` a folder of the host.
  func app(_ name: String, on network: String? = nil, port: Int, options: [String] = []) async throws {
    try await container(
      name, .app, on: network, options: options, command: ["--name", name, "--port", String(port)])
  }

  func nginx(_ name: String, on network: String? = nil, _ configuration: String, in stage: Stage) async throws -> Gate {
    let published = stage.freePort()
    let file = try stage.write(configuration, to: "\(name)/conf.d/sites.conf")
    let folder = file.deletingLastPathComponent().path()
    try await container(
      name, .nginx, on: network, options: ["-p", "\(published):80", "-v", "\(folder):/etc/nginx/conf.d"])
    try await stage.answers(published)
    return Gate(port: published, file: file) { _ = try await run(["podman", "exec", name, "nginx", "-s", "reload"]) }
  }
}
